r"""The k largest entries of an outer product, without forming it.

The size of the update of synapse (i, j) is :math:`|x_i| |\delta_j|`. With both vectors sorted, the
entries above a threshold are for each input those of the first units: how many that are is found by
halving. The k-th largest entry is found by a search for the threshold with the right count: some
ten counts of inputs × log(units) steps, where a selection from the matrix would look at
inputs × units entries.

The sizes of the inputs in falling order are *levels*: ``level`` has one for each stored input, and
one that all pixels share that are 0; ``many`` tells how many inputs a level stands for. To count,
levels of one size are merged: ``distinct`` and ``multiple``. ``ranked`` holds the sizes of the
units' errors in falling order, and zeros up to a power of two.
"""

import numpy as np

from lazybook.engines.kernels.changes import norms
from lazybook.engines.kernels.layers import fill
from lazybook.engines.kernels.layout import DENSE, NOT_DRAWN
from lazybook.support.compiling import allocating, compiled, inner
from lazybook.support.randomness import noise

FEW = 8  # candidates at which the search for the threshold ends with looking at each

LIKELY = np.float32(0.8)  # of the threshold that is guessed, the next is hardly ever lower


@inner
def sort_levels(data, sample, network, level, many, where):
    """Set the levels of a sample's inputs; return their number.

    ``where`` is the row of a level's input, or -1 for the pixels that are not stored.
    """
    stored = 0
    for i in range(data.first[sample], data.last[sample]):
        stored += data.value[i] != 0
    background, bias = abs(network.offset), network.bias
    background_left, bias_left = background > 0 and stored < network.inputs, bias > 0
    levels = 0
    for i in range(data.first[sample], data.first[sample] + stored + 1):
        end = i == data.first[sample] + stored
        size = np.float32(-1) if end else abs(data.value[i] + network.offset)
        if bias_left and bias >= size:
            level[levels], many[levels], where[levels] = bias, 1, network.inputs
            levels, bias_left = levels + 1, False
        if background_left and background >= size:
            level[levels], many[levels], where[levels] = background, network.inputs - stored, -1
            levels, background_left = levels + 1, False
        if not end:
            level[levels], many[levels], where[levels] = size, 1, data.index[i]
            levels += 1
    return levels


@inner
def merge_levels(level, many, levels, distinct, multiple):
    """Set the ``distinct`` levels, and how many inputs have each; return their number."""
    place, last, merged = -1, np.float32(-1), 0
    for g in range(levels):
        differs = level[g] != last
        place += differs
        merged = many[g] if differs else merged + many[g]
        distinct[place], multiple[place], last = level[g], merged, level[g]
    return place + 1


@inner
def sort_units(size, bits, largest, least, order, spare, counts):
    """Set ``order`` to units in falling order of ``size``, and return their number.

    They are those whose update is above ``least`` for the ``largest`` input.

    A radix sort: the bits of a float that is not negative have the order of the float. ``bits``
    are those of ``size``; ``spare`` is like ``order``; ``counts`` has length 256.
    """
    number = 0
    for j in range(size.shape[0]):
        if largest * size[j] > least:
            order[number] = j
            number += 1
    source, target = order, spare
    for shift in range(0, 32, 8):
        fill(counts, 0)
        for n in range(number):
            counts[255 - ((bits[source[n]] >> shift) & 255)] += 1
        total = 0
        for digit in range(256):
            total, counts[digit] = total + counts[digit], total
        for n in range(number):
            j = source[n]
            digit = 255 - ((bits[j] >> shift) & 255)
            target[counts[digit]] = j
            counts[digit] += 1
        source, target = target, source
    for n in range(number):
        order[n] = source[n]
    return number


@inner
def count_above(distinct, multiple, ranked, threshold, above):
    """Return the numbers of entries, and of pairs of level and unit, above ``threshold``.

    ``above`` is set to the number of units for each level: the halving goes on for all side by
    side, so that none waits for another.
    """
    fill(above, 0)
    half = ranked.shape[0] // 2
    while half > 0:
        for g in range(distinct.shape[0]):
            more = np.uint32(above[g] + np.uint32(half))
            reached = distinct[g] * ranked[np.uint32(more - np.uint32(1))] > threshold
            above[g] = more if reached else above[g]
        half //= 2
    entries, pairs = 0, 0
    for g in range(distinct.shape[0]):
        entries += multiple[g] * np.int64(above[g])
        pairs += np.int64(above[g])
    return entries, pairs


@inner
def find_threshold(distinct, multiple, ranked, number, guess, above, as_float, as_bits):
    """Return the ``number``-th largest entry, and how many are larger and how many like it.

    That is 0 and none like it if fewer are not 0. ``above`` is set to the number of units for each
    level whose entry is not smaller. ``guess`` is where to look first. ``as_float`` and ``as_bits``
    are one element of memory, seen as float32 and as int32: floats that are not negative have the
    order of their bits.
    """
    nonzero, low_pairs = count_above(distinct, multiple, ranked, np.float32(0), above)
    if nonzero < number:
        return np.float32(0), nonzero, 0
    as_float[0] = distinct[0] * ranked[0]
    low, high = 0, as_bits[0]  # bits of thresholds with at least, and with less than number above
    high_count, high_pairs = 0, 0
    low_excess, high_excess = nonzero - number + 0.5, 0.5 - number
    turn = 0
    while high - low > 1 and low_pairs - high_pairs > FEW:
        if turn == 0 or turn == 1:
            # The threshold changes little from sample to sample.
            as_float[0] = guess if turn == 0 else guess * np.float32(0.8 if low == 0 else 1.2)
            middle = as_bits[0]
        else:
            middle = low + np.int64((high - low) * low_excess / (low_excess - high_excess))
        middle = min(max(middle, low + 1), high - 1)
        as_bits[0] = middle
        count, pairs = count_above(distinct, multiple, ranked, as_float[0], above)
        # The end that stays counts half, so that it does not stay for long.
        if count < number:
            high, high_count, high_pairs = middle, count, pairs
            low_excess, high_excess = low_excess / 2, count - number + 0.5
        else:
            low, low_pairs = middle, pairs
            low_excess, high_excess = count - number + 0.5, high_excess / 2
        turn += 1
    as_bits[0] = high
    count_above(distinct, multiple, ranked, as_float[0], above)
    larger, entry, alike = high_count, np.float32(1), 0
    while larger + alike < number and entry > 0:
        larger += alike
        entry, alike = np.float32(0), 0
        for g in range(distinct.shape[0]):
            entry = max(entry, distinct[g] * ranked[above[g]])
        for g in range(distinct.shape[0]):
            while entry > 0 and distinct[g] * ranked[above[g]] == entry:
                above[g] += np.uint32(1)
                alike += multiple[g]
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
    """Rank a sample's inputs and the units for their sizes, and find the threshold of its updates.

    Returns it, how many updates are larger and how many like it, and the number of levels merged.
    """
    levels = sort_levels(data, sample, network, room.level, room.many, room.where)
    merged = merge_levels(room.level, room.many, levels, room.distinct, room.multiple)
    distinct, multiple, above = room.distinct[:merged], room.multiple[:merged], room.above[:merged]
    size, one, order = room.size[: rules.width], room.one, room.order
    # From sample to sample the threshold changes little in comparison with the mean update.
    mean = np.float32(data.size[sample] * norms(size)[1])
    guess = room.guess[0] * mean
    for least in (LIKELY * guess, np.float32(0)):
        units = sort_units(
            size, size.view(np.int32), distinct[0], least, order, room.spare_order, room.counts
        )
        length = 1
        while length <= units:
            length *= 2
        ranked = room.ranked[:length]
        for u in range(units):
            ranked[u] = size[order[u]]
        fill(ranked[units:], 0)
        threshold, larger, alike = find_threshold(
            distinct, multiple, ranked, rules.selected, guess, above, one, one.view(np.int32)
        )
        if threshold > least:
            room.guess[0] = threshold / mean
            break
    return threshold, larger, alike, merged


@inner
def change_largest_per_layer(data, sample, network, rules, masks, label, presented, totals, room):
    """Change the synapses of the first layer with the largest updates, and charge for it."""
    threshold, larger, alike, merged = rank(data, sample, network, rules, room)
    left = min(rules.selected - larger, alike)
    totals.m0[0] += larger + left
    not_selected = (alike - left) * np.float64(threshold)
    totals.m1[0] += (sum_selected(merged, room) - not_selected) * rules.rate
    spread(data, sample, network, room.x, room.x_size)
    size, step, everywhere = room.size[: rules.width], room.step[: rules.width], room.spare
    background, largest, reached = abs(network.offset), np.float32(0), np.float32(0)
    for j in range(step.shape[0]):
        reaches = background * size[j] > threshold
        everywhere[j] = network.offset * step[j] if reaches else np.float32(0)
        network.background[j] -= everywhere[j]
        reached += np.float32(reaches)
        largest = max(largest, size[j])
    for n in range(data.first[sample], data.last[sample], 2):
        i, k = data.index[n], data.index[n + 1]
        # The inputs stand in falling order of their sizes, and behind them spare rows.
        if i > network.inputs or (reached == 0 and room.x_size[i] * largest <= threshold):
            break
        if k < network.inputs:
            change_two(network, i, k, room.x, threshold, size, step, everywhere)
        else:
            change_one(network, i, room.x, threshold, size, step, everywhere)
    bias_row, bias = network.synapses[network.inputs], network.bias
    for j in range(step.shape[0]):
        bias_row[j] -= bias * step[j] if bias * size[j] > threshold else np.float32(0)
    take_turns(network, rules, masks, presented, threshold, left, alike, merged, room)


@inner
def sum_selected(merged, room):
    """Return the sum of the updates, before the learning rate, that are at least at the threshold.

    The units for each input are the first of those ranked.
    """
    units = np.int64(0)
    for g in range(merged):
        units = max(units, np.int64(room.above[g]))
    cumulative = room.cumulative
    cumulative[0] = 0
    for u in range(units):
        cumulative[u + 1] = cumulative[u] + room.ranked[u]
    total = 0.0
    for g in range(merged):
        total += room.multiple[g] * room.distinct[g] * cumulative[room.above[g]]
    return total


@inner
def change_one(network, i, x, threshold, size, step, everywhere):
    """Change row ``i``, and give back what the background subtracts ``everywhere``."""
    row, sums, x_i, size_i = network.synapses[i], network.column_sums, x[i], abs(x[i])
    for j in range(step.shape[0]):
        change = (x_i * step[j] if size_i * size[j] > threshold else np.float32(0)) - everywhere[j]
        row[j] -= change
        sums[j] -= change


@inner
def change_two(network, i, k, x, threshold, size, step, everywhere):
    """Do as `change_one` for two rows."""
    sums, none = network.column_sums, np.float32(0)
    row_0, x_0, size_0 = network.synapses[i], x[i], abs(x[i])
    row_1, x_1, size_1 = network.synapses[k], x[k], abs(x[k])
    for j in range(step.shape[0]):
        change_0 = (x_0 * step[j] if size_0 * size[j] > threshold else none) - everywhere[j]
        change_1 = (x_1 * step[j] if size_1 * size[j] > threshold else none) - everywhere[j]
        row_0[j] -= change_0
        row_1[j] -= change_1
        sums[j] -= change_0 + change_1


@inner
def take_turns(network, rules, masks, presented, threshold, left, ties, merged, room):
    """Change ``left`` of the synapses that tie at the threshold: those whose turn it is.

    If the layer is changed synapse by synapse, they are put into ``room.selection`` instead.
    """
    if left == 0:
        return
    tied_units = 0  # those that have a synapse at the threshold, in their order: as a rule one
    for g in range(merged):
        u = np.int64(room.above[g]) - 1
        while u >= 0 and room.distinct[g] * room.ranked[u] == threshold:
            tied_units = insert(room.tied, tied_units, room.order[u])
            u -= 1
    begin = np.int64(noise(rules.key, presented, 0) % np.uint64(ties))
    place = 0
    for j in room.tied[:tied_units]:
        inputs = tied_inputs(masks.tie_order, room.x_size, room.size[j], threshold, room.where)
        moved = np.float32(0)
        for i in room.where[:inputs]:
            turn = place - begin + (ties if place < begin else 0)
            if turn < left and rules.change == DENSE:
                room.selection[i, j] = 1
            elif turn < left:
                change = room.x[i] * room.step[j]
                network.synapses[i, j] -= change
                moved += change * np.float32(i < network.inputs)
            place += 1
        network.column_sums[j] -= moved


@inner
def tied_inputs(tie_order, x_size, size, threshold, where):
    """Set ``where`` to the inputs that tie for a unit, in their order; return their number."""
    number = 0
    for i in tie_order:
        where[number] = i
        number += x_size[i] * size == threshold
    return number


@inner
def insert(numbers, length, number):
    """Insert a number into the rising ``numbers`` unless it is there; return their new length."""
    place = length
    while place > 0 and numbers[place - 1] > number:
        place -= 1
    if place > 0 and numbers[place - 1] == number:
        return length
    for n in range(length, place, -1):
        numbers[n] = numbers[n - 1]
    numbers[place] = number
    return length + 1


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
        threshold, larger, alike, merged = rank(data, sample, network, rules, room)
        for i in range(room.x.shape[0]):
            chosen, x_size = room.selection[i], room.x_size[i]
            for j in range(rules.width):
                chosen[j] = x_size * room.size[j] > threshold
        left = min(rules.selected - larger, alike)
        take_turns(network, rules, masks, presented, threshold, left, alike, merged, room)


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
