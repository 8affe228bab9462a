r"""The k largest entries of an outer product, without forming it.

The size of the update of synapse (i, j) is :math:`|x_i| |\delta_j|`. With both vectors sorted, the
number of entries above a threshold is counted in one walk along both, and the k-th largest entry
is found by a search for the threshold with the right count: some ten walks of length
inputs + units, where a selection from the matrix would look at inputs × units entries.

The sizes of the inputs in falling order are *levels*: ``level`` has one for each stored input, and
one that all pixels share that are 0; ``many`` tells how many inputs a level stands for. To count,
levels of one size are merged: ``distinct`` and ``multiple``. ``ranked`` holds the sizes of the
units' errors in falling order.
"""

import numpy as np

from lazybook.engines.kernels.changes import norms
from lazybook.engines.kernels.layers import fill
from lazybook.engines.kernels.layout import DENSE, LANES, NOT_DRAWN
from lazybook.support.compiling import allocating, compiled, inner
from lazybook.support.randomness import noise

FEW = 40  # candidates at which the search for the threshold ends with looking at each

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
    merged = 0
    for g in range(levels):
        if merged > 0 and level[g] == distinct[merged - 1]:
            multiple[merged - 1] += many[g]
        else:
            distinct[merged], multiple[merged] = level[g], many[g]
            merged += 1
    return merged


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
def count_above(level, many, levels, ranked, units, threshold):
    """Return the numbers of entries, and of pairs of level and unit, above ``threshold``."""
    entries, pairs, u = 0, 0, units
    for g in range(levels):
        while u > 0 and level[g] * ranked[u - 1] <= threshold:
            u -= 1
        if u == 0:
            break
        entries += many[g] * u
        pairs += u
    return entries, pairs


@inner
def find_threshold(level, many, levels, ranked, units, number, guess, as_float, as_bits):
    """Return the ``number``-th largest entry, and how many are larger; 0 if fewer are not 0.

    ``guess`` is where to look first. ``as_float`` and ``as_bits`` are one element of memory, seen
    as float32 and as int32.
    """
    nonzero, low_pairs = count_above(level, many, levels, ranked, units, np.float32(0))
    if nonzero < number:
        return np.float32(0), nonzero
    as_float[0] = level[0] * ranked[0]
    low, high = 0, as_bits[0]  # bits of thresholds with at least, and with less than number above
    low_count, high_count, high_pairs = nonzero, 0, 0
    turn = 0
    while high - low > 1 and low_pairs - high_pairs > FEW:
        if turn == 0 or turn == 1:
            # The threshold changes little from sample to sample.
            as_float[0] = guess if turn == 0 else guess * np.float32(0.9 if low == 0 else 1.1)
            middle = as_bits[0]
        elif turn % 3 == 2:
            middle = (low + high) // 2
        else:
            part = (low_count - number + 0.5) / (low_count - high_count)
            middle = low + np.int64((high - low) * part)
        middle = min(max(middle, low + 1), high - 1)
        as_bits[0] = middle
        count, pairs = count_above(level, many, levels, ranked, units, as_float[0])
        if count < number:
            high, high_count, high_pairs = middle, count, pairs
        else:
            low, low_count, low_pairs = middle, count, pairs
        turn += 1
    as_bits[0] = high
    top = as_float[0]
    if high - low == 1:
        return top, high_count
    as_bits[0] = low
    return pick(level, many, levels, ranked, units, number, as_float[0], top, high_count)


@allocating
def pick(level, many, levels, ranked, units, number, low, high, above):
    """Return the ``number``-th largest entry, above ``low`` and at most ``high``, as above.

    ``above`` entries are larger than ``high``.
    """
    value, multiple = np.empty(FEW, np.float32), np.empty(FEW, np.int64)
    found = 0
    begin, end = units, units
    for g in range(levels):
        while end > 0 and level[g] * ranked[end - 1] <= low:
            end -= 1
        while begin > 0 and level[g] * ranked[begin - 1] <= high:
            begin -= 1
        if end == 0:
            break
        for u in range(begin, end):
            entry, place = level[g] * ranked[u], found
            while place > 0 and value[place - 1] < entry:
                value[place], multiple[place] = value[place - 1], multiple[place - 1]
                place -= 1
            value[place], multiple[place] = entry, many[g]
            found += 1
    place = 0
    while above + multiple[place] < number:
        above += multiple[place]
        place += 1
    # Equal entries count as one: those before this one are not larger.
    first = place
    while first > 0 and value[first - 1] == value[place]:
        first -= 1
        above -= multiple[first]
    return value[place], above


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
    """Rank a sample's inputs and the units for their sizes, and find the threshold.

    Returns the threshold, the number of larger updates, and the numbers of levels and units.
    """
    ranked, order, cumulative = room.ranked, room.order, room.cumulative
    levels = sort_levels(data, sample, network, room.level, room.many, room.where)
    distinct, multiple = room.distinct, room.multiple
    merged = merge_levels(room.level, room.many, levels, distinct, multiple)
    size, one = room.size[: rules.width], room.one
    # From sample to sample the threshold changes little in comparison with the mean update.
    mean = np.float32(data.size[sample] * norms(size)[1])
    guess = room.guess[0] * mean
    for least in (LIKELY * guess, np.float32(0)):
        units = sort_units(
            size, size.view(np.int32), distinct[0], least, order, room.spare_order, room.counts
        )
        for u in range(units):
            ranked[u] = size[order[u]]
        threshold, above = find_threshold(
            distinct, multiple, merged, ranked, units, rules.selected, guess,
            one, one.view(np.int32),
        )  # fmt: skip
        if threshold > least:
            room.guess[0] = threshold / mean
            break
    cumulative[0] = 0
    for u in range(units):
        cumulative[u + 1] = cumulative[u] + ranked[u]
    return threshold, above, levels, units


@inner
def change_largest_per_layer(data, sample, network, rules, masks, label, presented, totals, room):
    """Change the synapses of the first layer with the largest updates, and charge for it."""
    threshold, above, levels, units = rank(data, sample, network, rules, room)
    level, where, ranked, order, reach = room.level, room.where, room.ranked, room.order, room.reach
    step = room.step[: rules.width]
    # The units that each input reaches are the first of those ranked.
    background_reach, u, spent = 0, units, 0.0
    for g in range(levels):
        while u > 0 and level[g] * ranked[u - 1] <= threshold:
            u -= 1
        reach[g] = u
        spent += room.many[g] * level[g] * room.cumulative[u]
        if where[g] == -1:
            background_reach = u
    totals.m0[0] += above
    totals.m1[0] += spent * rules.rate
    spread(data, sample, network, room.x, room.x_size)
    everywhere = room.spare
    fill(everywhere, 0)
    for u in range(background_reach):
        everywhere[order[u]] = network.offset * step[order[u]]
    for j in range(step.shape[0]):
        network.background[j] -= everywhere[j]
    together, number = room.rows, 0
    for g in range(levels):
        i = where[g]
        if i == network.inputs:
            for u in range(reach[g]):
                network.synapses[i, order[u]] -= network.bias * step[order[u]]
        elif i >= 0 and LANES * (reach[g] + background_reach) < step.shape[0]:
            change_few(
                network, i, room.x[i], order[: reach[g]], order[:background_reach], step, everywhere
            )
        elif i >= 0:
            together[number] = i
            number += 1
            if number == together.shape[0]:
                change_four(network, together, room.x, threshold, room.size, step, everywhere)
                number = 0
    for i in together[:number]:
        change_one(network, i, room.x[i], threshold, room.size, step, everywhere)
    left = take_turns(network, rules, masks, presented, threshold, above, levels, units, room)
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
def take_turns(network, rules, masks, presented, threshold, above, levels, units, room):
    """Change those of the synapses that tie at the threshold whose turn it is.

    If the layer is changed synapse by synapse, they are put into ``room.selection`` instead.
    Returns their number.
    """
    if threshold == 0:
        return 0
    # The units that have a synapse at the threshold, in their order: as a rule one.
    ties, tied_units, first = 0, 0, units
    for g in range(levels):
        while first > 0 and room.level[g] * room.ranked[first - 1] <= threshold:
            first -= 1
        for u in range(first, units):
            if room.level[g] * room.ranked[u] != threshold:
                break
            ties += room.many[g]
            tied_units = insert(room.tied, tied_units, room.order[u])
    left = rules.selected - above
    begin = np.int64(noise(rules.key, presented, 0) % np.uint64(ties))
    place = 0
    for n in range(tied_units):
        j = room.tied[n]
        for i in masks.tie_order:
            if room.x_size[i] * room.size[j] == threshold:
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
        threshold, above, levels, units = rank(data, sample, network, rules, room)
        for i in range(room.x.shape[0]):
            chosen, x_size = room.selection[i], room.x_size[i]
            for j in range(rules.width):
                chosen[j] = x_size * room.size[j] > threshold
        take_turns(network, rules, masks, presented, threshold, above, levels, units, room)


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
