r"""The k largest entries of an outer product, without forming it.

The size of the update of synapse (i, j) is :math:`|x_i| |\delta_j|`. With the sizes of the inputs
in falling order, those above a threshold are for each unit the first: how many they are is found
by halving, for all units side by side. The k-th largest entry is found by a search for the
threshold with the right count: some ten counts, for which ever fewer inputs come into question,
where a selection from the matrix would look at inputs × units entries.

The sizes of the inputs in falling order are *levels*: ``level`` has one for each stored input, and
one that all pixels share that are 0; ``many`` tells how many inputs a level stands for. To count,
levels of one size are merged: a level is the ``place``-th, from 1 on, of the ``distinct`` ones,
behind which there are zeros, and ``passed[n]`` is the number of inputs of the first n. Of the units
only those that may have an update among the largest are ``chosen``: ``reach`` is for each of them
the number of distinct levels at which its update is above the threshold.
"""

import numpy as np

from lazybook.engines.kernels.changes import norms
from lazybook.engines.kernels.layers import copy, fill
from lazybook.engines.kernels.layout import DENSE, LANES, NOT_DRAWN
from lazybook.support.compiling import allocating, compiled, in_order, inner
from lazybook.support.randomness import noise

FEW = 8  # candidates at which the search for the threshold ends with looking at each

LIKELY = np.float32(0.8)  # of the threshold that is guessed, the next is hardly ever lower


@inner
def sort_levels(data, sample, network, level, many, where):
    """Set the levels of a sample's inputs; return their number.

    ``where`` is the row of a level's input, or -1 for the pixels that are not stored.
    """
    first, offset = data.first[sample], network.offset
    background, bias = abs(offset), network.bias
    stored, above_background, above_bias = 0, 0, 0
    for n in range(first, data.last[sample]):
        size, counts = abs(data.value[n] + offset), data.value[n] != 0
        stored += counts
        above_background += counts and size > background
        above_bias += counts and size > bias
    with_background, with_bias = background > 0 and stored < network.inputs, bias > 0
    for n in range(stored):
        g = n + (with_background and n >= above_background) + (with_bias and n >= above_bias)
        level[g], many[g] = abs(data.value[first + n] + offset), 1
        where[g] = data.index[first + n]
    if with_background:
        g = above_background + (with_bias and above_bias <= above_background)
        level[g], many[g], where[g] = background, network.inputs - stored, -1
    if with_bias:
        g = above_bias + (with_background and above_background < above_bias)
        level[g], many[g], where[g] = bias, 1, network.inputs
    return stored + with_background + with_bias


@inner
def merge_levels(level, many, levels, place, distinct, passed):
    """Set ``place``, ``distinct`` and ``passed``; return the number of distinct levels."""
    last, merged, inputs = np.float32(-1), 0, 0
    for g in range(levels):
        merged += level[g] != last
        last = level[g]
        inputs += many[g]
        place[g] = merged
        distinct[merged - 1], passed[merged] = last, inputs
    return merged


@inner
def choose_units(size, largest, least, chosen, chosen_size):
    """Set the units whose update is above ``least`` for the ``largest`` input, and their sizes.

    Returns their number.
    """
    number = 0
    for j in range(size.shape[0]):
        chosen[number], chosen_size[number] = j, size[j]
        number += largest * size[j] > least
    return number


@inner
def count_above(distinct, passed, size, threshold, least, most, reach):
    """Return the numbers of entries, and of pairs of level and unit, above ``threshold``.

    ``reach`` is set, which is at least ``least`` and at most ``most`` more. The halving goes on for
    all units side by side, so that none waits for another.
    """
    copy(least, reach)
    half = 1
    while 2 * half <= most:
        half *= 2
    while half > 0:
        for u in range(size.shape[0]):
            more = np.uint32(reach[u] + np.uint32(half))
            reached = distinct[np.uint32(more - np.uint32(1))] * size[u] > threshold
            reach[u] = more if reached else reach[u]
        half //= 2
    entries, pairs = 0, 0
    for u in range(size.shape[0]):
        entries += passed[reach[u]]
        pairs += np.int64(reach[u])
    return entries, pairs


@inner
def find_threshold(distinct, passed, merged, size, number, least, guess, units, room):
    """Return the ``number``-th largest entry, how many are larger, and how many like it.

    If it is not above ``least``, 0, the number of those that are, and 0. ``room.reach`` is set.
    ``guess`` is where to look first.
    """
    as_float, as_bits = room.one, room.one.view(np.int32)  # positive floats have their bits' order
    reach, low_reach, new_reach = room.reach[:units], room.low_reach[:units], room.new_reach[:units]
    fill(reach, 0)
    count, low_pairs = count_above(distinct, passed, size, least, reach, merged, low_reach)
    if count < number:
        copy(low_reach, reach)
        return np.float32(0), count, 0
    as_float[0] = least
    low = as_bits[0]  # of a threshold with at least, ``high`` of one with less than number above it
    as_float[0] = 0
    for u in range(units):
        as_float[0] = max(as_float[0], distinct[0] * size[u])
    high, high_pairs, larger, apart = as_bits[0], 0, 0, merged
    low_excess, high_excess = count - number + 0.5, 0.5 - number
    as_float[0] = guess
    middle = as_bits[0]
    while high - low > 1 and low_pairs - high_pairs > FEW:
        middle = min(max(middle, low + 1), high - 1)
        as_bits[0] = middle
        count, pairs = count_above(distinct, passed, size, as_float[0], reach, apart, new_reach)
        # The end that stays counts half, so that it does not stay for long.
        if count < number:
            high, high_pairs, larger = middle, pairs, count
            low_excess, high_excess = low_excess / 2, count - number + 0.5
            copy(new_reach, reach)
        else:
            low, low_pairs = middle, pairs
            low_excess, high_excess = count - number + 0.5, high_excess / 2
            copy(new_reach, low_reach)
        middle = low + np.int64((high - low) * low_excess / (low_excess - high_excess))
        apart = 0
        for u in range(units):
            apart = max(apart, np.int64(low_reach[u]) - np.int64(reach[u]))
    entry, alike = np.float32(0), 0
    while larger + alike < number:
        larger += alike
        entry, alike = np.float32(0), 0
        for u in range(units):
            entry = max(entry, distinct[reach[u]] * size[u])
        for u in range(units):
            while distinct[reach[u]] * size[u] == entry:
                alike += passed[reach[u] + 1] - passed[reach[u]]
                reach[u] += np.uint32(1)
    for u in range(units):
        while reach[u] > 0 and distinct[reach[u] - 1] * size[u] == entry:
            reach[u] -= np.uint32(1)
    return entry, larger, alike


@inner
def spread(data, sample, network, x, x_size):
    """Set ``x`` to all inputs of a sample, the bias last, and ``x_size`` to their sizes."""
    fill(x, network.offset)
    x[network.inputs] = network.bias
    for i in range(data.first[sample], data.last[sample]):
        if data.value[i] != 0:
            x[data.index[i]] = data.value[i] + network.offset
    for i in range(x.shape[0]):
        x_size[i] = abs(x[i])


@inner
def rank(data, sample, network, rules, room):
    """Rank a sample's inputs, and find the threshold of its updates.

    Returns it, how many updates are larger, how many like it, and the numbers of levels, of
    distinct ones, and of chosen units.
    """
    levels = sort_levels(data, sample, network, room.level, room.many, room.where)
    merged = merge_levels(room.level, room.many, levels, room.place, room.distinct, room.passed)
    distinct, size = room.distinct, room.size[: rules.width]
    fill(distinct[merged : 2 * merged + 1], 0)
    # From sample to sample the threshold changes little in comparison with the mean update.
    mean = np.float32(data.size[sample] * norms(size)[1])
    guess = room.guess[0] * mean
    for least in (LIKELY * guess, np.float32(0)):
        units = choose_units(size, distinct[0], least, room.chosen, room.chosen_size)
        threshold, larger, alike = find_threshold(
            distinct, room.passed, merged, room.chosen_size[:units], rules.selected, least, guess,
            units, room,
        )  # fmt: skip
        if threshold > 0:
            room.guess[0] = threshold / mean
            break
    return threshold, larger, alike, levels, merged, units


@inner
def sort_units(merged, units, room):
    """Set ``order`` to the chosen units in falling order of their reach.

    The first ``reached[n]`` of them, whose sizes make ``sizes[n]``, reach n levels or more.
    """
    reached, sizes, order = room.reached[: merged + 1], room.sizes[: merged + 1], room.order
    fill(reached, 0)
    fill(sizes, 0)
    for u in range(units):
        reached[room.reach[u]] += 1
        sizes[room.reach[u]] += room.chosen_size[u]
    number, size = 0, 0.0
    for n in range(merged, -1, -1):
        reached[n], number = number, number + reached[n]
        size += sizes[n]
        sizes[n] = size
    for u in range(units):
        n = room.reach[u]
        order[reached[n]] = room.chosen[u]
        reached[n] += 1


@in_order
def sum_sizes(many, level, levels, place, sizes):
    """Return the sum of the updates above the threshold, before the learning rate."""
    total = 0.0
    for g in range(levels):
        total += many[g] * level[g] * sizes[place[g]]
    return total


@inner
def change_largest_per_layer(data, sample, network, rules, masks, label, presented, totals, room):
    """Change the synapses of the first layer with the largest updates, and charge for it."""
    threshold, larger, alike, levels, merged, units = rank(data, sample, network, rules, room)
    sort_units(merged, units, room)
    where, place, reached, order = room.where, room.place, room.reached, room.order
    step = room.step[: rules.width]
    totals.m0[0] += larger
    totals.m1[0] += sum_sizes(room.many, room.level, levels, place, room.sizes) * rules.rate
    background_reach = 0
    for g in range(levels):
        if where[g] == -1:
            background_reach = reached[place[g]]
    spread(data, sample, network, room.x, room.x_size)
    everywhere = room.spare
    fill(everywhere, 0)
    for u in range(background_reach):
        everywhere[order[u]] = network.offset * step[order[u]]
    for j in range(step.shape[0]):
        network.background[j] -= everywhere[j]
    together, number = room.rows, 0
    for g in range(levels):
        i, reach = where[g], reached[place[g]]
        if i == network.inputs:
            for j in order[:reach]:
                network.synapses[i, j] -= network.bias * step[j]
        elif i >= 0 and LANES * (reach + background_reach) < step.shape[0]:
            change_few(
                network, i, room.x[i], order[:reach], order[:background_reach], step, everywhere
            )
        elif i >= 0:
            together[number] = i
            number += 1
            if number == together.shape[0]:
                change_four(network, together, room.x, threshold, room.size, step, everywhere)
                number = 0
    for i in together[:number]:
        change_one(network, i, room.x[i], threshold, room.size, step, everywhere)
    left = take_turns(network, rules, masks, presented, threshold, larger, alike, units, room)
    totals.m0[0] += left
    totals.m1[0] += left * threshold * rules.rate


@inner
def change_few(network, i, x, reached, by_background, step, everywhere):
    """Change a row for the units that its input has ``reached``, one by one.

    What the background subtracts ``everywhere`` is given back to the row.
    """
    row, sums = network.synapses[i], network.column_sums
    for j in reached:
        row[j] -= x * step[j]
        sums[j] -= x * step[j]
    for j in by_background:
        row[j] += everywhere[j]
        sums[j] += everywhere[j]


@inner
def change_one(network, i, x, threshold, size, step, everywhere):
    """Do as `change_few`, for an input that reaches many units."""
    row, sums, x_size = network.synapses[i], network.column_sums, abs(x)
    for j in range(step.shape[0]):
        change = (x * step[j] if x_size * size[j] > threshold else np.float32(0)) - everywhere[j]
        row[j] -= change
        sums[j] -= change


@inner
def change_four(network, rows, x, threshold, size, step, everywhere):
    """Do as `change_one` for four inputs at a time."""
    synapses, sums, none = network.synapses, network.column_sums, np.float32(0)
    row_0, x_0, size_0 = synapses[rows[0]], x[rows[0]], abs(x[rows[0]])
    row_1, x_1, size_1 = synapses[rows[1]], x[rows[1]], abs(x[rows[1]])
    row_2, x_2, size_2 = synapses[rows[2]], x[rows[2]], abs(x[rows[2]])
    row_3, x_3, size_3 = synapses[rows[3]], x[rows[3]], abs(x[rows[3]])
    for j in range(step.shape[0]):
        change_0 = (x_0 * step[j] if size_0 * size[j] > threshold else none) - everywhere[j]
        change_1 = (x_1 * step[j] if size_1 * size[j] > threshold else none) - everywhere[j]
        change_2 = (x_2 * step[j] if size_2 * size[j] > threshold else none) - everywhere[j]
        change_3 = (x_3 * step[j] if size_3 * size[j] > threshold else none) - everywhere[j]
        row_0[j] -= change_0
        row_1[j] -= change_1
        row_2[j] -= change_2
        row_3[j] -= change_3
        sums[j] -= (change_0 + change_1) + (change_2 + change_3)


@inner
def take_turns(network, rules, masks, presented, threshold, larger, ties, units, room):
    """Change those of the synapses that tie at the threshold whose turn it is.

    If the layer is changed synapse by synapse, they are put into ``room.selection`` instead.
    Returns their number.
    """
    if ties == 0:
        return 0
    left = rules.selected - larger
    begin = np.int64(noise(rules.key, presented, 0) % np.uint64(ties))
    place = 0
    for u in range(units):
        size = room.chosen_size[u]
        if room.distinct[room.reach[u]] * size != threshold:
            continue
        j = room.chosen[u]
        tied = find_tied(masks.tie_order, room.x_size, size, threshold, room.tied)
        for i in room.tied[:tied]:
            turn = place - begin + (ties if place < begin else 0)
            if turn < left:
                if rules.change == DENSE:
                    room.selection[i, j] = 1
                else:
                    change = room.x[i] * room.step[j]
                    network.synapses[i, j] -= change
                    if i < network.inputs:
                        network.column_sums[j] -= change
            place += 1
    return left


@inner
def find_tied(tie_order, x_size, size, threshold, tied):
    """Set ``tied`` to the inputs whose update is the threshold, in their order; return how many."""
    number = 0
    for i in tie_order:
        tied[number] = i
        number += x_size[i] * size == threshold
    return number


@inner
def change_largest_per_neuron(data, sample, network, rules, masks, label, presented, totals, room):
    """Change the synapses of each unit with the largest updates, and charge for it.

    All units have the same inputs, so the same inputs are the largest for all.
    """
    level, many, where, step = room.level, room.many, room.where, room.step[: rules.width]
    levels = sort_levels(data, sample, network, level, many, where)
    spread(data, sample, network, room.x, room.x_size)
    units, all_steps = norms(step)
    last, passed = np.float32(0), 0
    for g in range(levels):
        passed += many[g]
        if passed >= rules.selected:
            last = level[g]
            break
    above, spent, background = 0, 0.0, np.float32(0)
    for g in range(levels):
        if level[g] <= last:
            break
        above += many[g]
        spent += many[g] * level[g]
        if where[g] == -1:
            background = network.offset
    moved = np.float32(0)
    for g in range(levels):
        i = where[g]
        if i >= 0:
            factor = room.x[i] if level[g] > last else np.float32(0)
            if i < network.inputs:
                factor -= background
                moved += factor
            if factor != 0:
                row = network.synapses[i]
                for j in range(step.shape[0]):
                    row[j] -= factor * step[j]
    for j in range(step.shape[0]):
        network.column_sums[j] -= moved * step[j]
        network.background[j] -= background * step[j]

    ties = 0
    for i in masks.tie_order:
        if last > 0 and room.x_size[i] == last:
            room.tied[ties] = i
            ties += 1
    left = min(rules.selected - above, ties)
    if ties:
        begins = room.spare_order  # each unit takes its turns from another place on
        for j in range(step.shape[0]):
            begin = noise(rules.key, presented, 1 + masks.names[j]) % np.uint64(ties)
            begins[j] = np.int32(begin)
        for place in range(ties):
            i = room.tied[place]
            row, x, inside = network.synapses[i], room.x[i], np.float32(i < network.inputs)
            for j in range(step.shape[0]):
                turn = np.int32(place) - begins[j]
                turn += np.int32(ties) if turn < 0 else np.int32(0)
                change = x * step[j] if turn < left else np.float32(0)
                row[j] -= change
                network.column_sums[j] -= inside * change
    totals.m0[0] += (above + left) * units
    totals.m1[0] += (spent + left * np.float64(last)) * all_steps


@inner
def select(data, sample, network, rules, masks, presented, room):
    """Leave of ``room.selection`` only the synapses with the largest updates."""
    if rules.per_neuron:
        for j in range(rules.width):
            if room.size[j] > 0:
                select_columns(rules, masks, presented, j, j + 1, 1 + masks.names[j], room)
    elif rules.mask_draw != NOT_DRAWN:
        select_columns(rules, masks, presented, 0, rules.width, 0, room)
    else:
        threshold, larger, alike, _, _, units = rank(data, sample, network, rules, room)
        for i in range(room.x.shape[0]):
            chosen, x_size = room.selection[i], room.x_size[i]
            for j in range(rules.width):
                chosen[j] = x_size * room.size[j] > threshold
        take_turns(network, rules, masks, presented, threshold, larger, alike, units, room)


@compiled
def find_largest(bits, number, counts):
    """Return the ``number``-th largest of ``bits``, of floats that are not negative.

    Digit by digit from the highest: how many entries that begin like it have which digit next?
    """
    found = 0
    for shift in range(24, -1, -8):
        fill(counts, 0)
        for entry in bits:
            if entry >> (shift + 8) == found:
                counts[(entry >> shift) & 255] += 1
        digit = 255
        while counts[digit] < number:
            number -= counts[digit]
            digit -= 1
        found = (found << 8) + digit
    return found


@allocating
def select_columns(rules, masks, presented, start, stop, place, room):
    """Select among the synapses of the columns from ``start`` to ``stop``, looking at each."""
    rows = masks.tie_order.shape[0]
    sizes = np.empty(rows * (stop - start), np.float32)
    plastic, found = 0, 0
    for i in range(rows):
        for j in range(start, stop):
            if room.selection[i, j]:
                plastic += 1
                entry = room.x_size[i] * room.size[j]
                if entry > 0:
                    sizes[found] = entry
                    found += 1
    number = max(1, np.int64(np.rint(rules.fraction * plastic)))
    if plastic == 0 or found < number:
        return  # fewer than that are not 0, and a change of 0 is none
    bits = room.one.view(np.int32)
    bits[0] = find_largest(sizes.view(np.int32)[:found], number, room.counts)
    last = room.one[0]
    above, ties = 0, 0
    for entry in sizes[:found]:
        above += entry > last
        ties += entry == last
    begin = np.int64(noise(rules.key, presented, place) % np.uint64(ties))
    turn = 0
    for j in range(start, stop):
        for i in masks.tie_order:
            if room.selection[i, j]:
                entry = room.x_size[i] * room.size[j]
                if entry == last:
                    room.selection[i, j] = (turn - begin) % ties < number - above
                    turn += 1
                else:
                    room.selection[i, j] = entry > last
