r"""Synaptic caching: changes are transient first, and permanent once they have added up.

The transient part of a synapse is ``scale`` times what is stored, :math:`\tilde T_{ij}`, so that
decay changes one number only.

Where each synapse has its threshold, few reach it on a sample, and `change_cached` finds these
without looking at all. As for the synapses of zero-mean inputs (see `layout`), what is stored is
split, :math:`\tilde T_{ij} = A_{ij} + c_j`: a sample changes :math:`A` in the rows with ink, and
:math:`c`, the ``background``, for all rows. With ``highest`` and ``lowest``, bounds of
:math:`A_{ij}` over the inputs i, no synapse of unit j can have reached the threshold
:math:`\tilde\theta` as long as

.. math:: \max_i A_{ij} + c_j < \tilde\theta \quad\text{and}\quad
    \min_i A_{ij} + c_j > -\tilde\theta .
"""

import numpy as np

from lazybook.engines.kernels.changes import charge_extras
from lazybook.engines.kernels.layers import add_background, fill, sum_columns
from lazybook.engines.kernels.layout import ANY_SYNAPSE, EACH_SYNAPSE, LANES
from lazybook.support.compiling import inner


@inner
def change_cached(data, sample, network, rules, masks, label, presented, totals, room):
    """Change the transient parts, and consolidate those that reach the threshold."""
    scale, width = np.float32(network.scale[0]), rules.width
    threshold, step, scaled = rules.threshold / scale, room.step[:width], room.spare[:width]
    highest, lowest, background = network.highest, network.lowest, network.background
    for j in range(width):
        scaled[j] = step[j] / scale
    first, last = data.first[sample], data.last[sample]
    if network.offset == 0:  # only rows that are changed now can reach the threshold
        fill(highest, 0)
        fill(lowest, 0)
    change_parts(network.transient, data.index, data.value, first, last, scaled, network)
    reach, reached = room.more_spare[:width], np.float32(0)
    for j in range(width):
        network.transient_column_sums[j] -= data.total[sample] * scaled[j]
        background[j] -= network.offset * scaled[j]
        reach[j] = max(highest[j] + background[j], -(lowest[j] + background[j]))
        reached += np.float32(reach[j] >= threshold)
    if reached > 0:
        rows = last if network.offset == 0 else first + network.inputs
        begin = 0
        for end in range(LANES, width + 1, LANES):
            if count_reached(reach[end - LANES : end], threshold) == 0:
                begin = end
            elif count_reached(reach[end : end + LANES], threshold) == 0:
                look(data.index, first, rows, begin, end, threshold, scale, network, totals)
                begin = end
    row, parts = network.synapses[network.inputs], network.transient[network.inputs]
    change_cached_row(
        0, network.bias, step, room.free, row, parts, room.spare, room.more_spare,
        totals.synapse_updates[0], rules, scale, totals,
    )  # fmt: skip


@inner
def change_parts(transient, index, value, first, last, step, network):
    """Subtract the outer product of the stored inputs and ``step``; keep the bounds true."""
    highest, lowest, n = network.highest, network.lowest, first
    while n < last and index[n] < network.inputs:  # the bounds are not those of spare rows
        if n + 3 < last and index[n + 3] < network.inputs:
            row_0, x_0 = transient[index[n]], value[n]
            row_1, x_1 = transient[index[n + 1]], value[n + 1]
            row_2, x_2 = transient[index[n + 2]], value[n + 2]
            row_3, x_3 = transient[index[n + 3]], value[n + 3]
            for j in range(step.shape[0]):
                a_0, a_1 = row_0[j] - x_0 * step[j], row_1[j] - x_1 * step[j]
                a_2, a_3 = row_2[j] - x_2 * step[j], row_3[j] - x_3 * step[j]
                row_0[j], row_1[j], row_2[j], row_3[j] = a_0, a_1, a_2, a_3
                highest[j] = max(highest[j], max(max(a_0, a_1), max(a_2, a_3)))
                lowest[j] = min(lowest[j], min(min(a_0, a_1), min(a_2, a_3)))
            n += 4
        else:
            row, x = transient[index[n]], value[n]
            for j in range(step.shape[0]):
                row[j] -= x * step[j]
                highest[j] = max(highest[j], row[j])
                lowest[j] = min(lowest[j], row[j])
            n += 1


@inner
def count_reached(sizes, threshold):
    """Return how many of the ``sizes`` are at least the ``threshold``."""
    count = 0
    for size in sizes:
        count += size >= threshold
    return count


@inner
def look(index, first, last, begin, end, threshold, scale, network, totals):
    """Consolidate what has reached the threshold in the columns from ``begin`` to ``end``.

    The rows are all inputs', or without a background those of ``index`` from ``first`` to ``last``.
    """
    transient, background = network.transient, network.background[begin:end]
    highest, lowest = network.highest[begin:end], network.lowest[begin:end]
    fill(highest, -np.float32(np.inf))
    fill(lowest, np.float32(np.inf))
    for n in range(first, last, 4):  # the last row more than once, to have four
        a, b, c, d = n, min(n + 1, last - 1), min(n + 2, last - 1), min(n + 3, last - 1)
        if network.offset != 0:
            a, b, c, d = a - first, b - first, c - first, d - first
        else:
            a, b, c, d = int(index[a]), int(index[b]), int(index[c]), int(index[d])
        row_0, row_1 = transient[a][begin:end], transient[b][begin:end]
        row_2, row_3 = transient[c][begin:end], transient[d][begin:end]
        reached = np.float32(0)
        for j in range(background.shape[0]):
            most = max(max(row_0[j], row_1[j]), max(row_2[j], row_3[j])) + background[j]
            least = min(min(row_0[j], row_1[j]), min(row_2[j], row_3[j])) + background[j]
            reached += np.float32(max(most, -least) >= threshold)
        if reached > 0:
            for i in (a, b, c, d):
                consolidate_row(i, begin, end, threshold, scale, network, totals)
        for j in range(background.shape[0]):
            most = max(max(row_0[j], row_1[j]), max(row_2[j], row_3[j]))
            least = min(min(row_0[j], row_1[j]), min(row_2[j], row_3[j]))
            highest[j], lowest[j] = max(highest[j], most), min(lowest[j], least)


@inner
def consolidate_row(i, begin, end, threshold, scale, network, totals):
    """Do as `look` in row ``i``."""
    row, parts = network.synapses[i][begin:end], network.transient[i][begin:end]
    background, sums = network.background[begin:end], network.column_sums[begin:end]
    part_sums = network.transient_column_sums[begin:end]
    count, size = np.float32(0), np.float32(0)
    for j in range(row.shape[0]):
        part = parts[j] + background[j]
        full = abs(part) >= threshold
        part = part if full else np.float32(0)
        parts[j] = -background[j] if full else parts[j]
        row[j] += scale * part
        sums[j] += scale * part
        part_sums[j] -= part
        count += np.float32(full)
        size += abs(scale * part)
    totals.m0[0] += count
    totals.m1[0] += size


@inner
def change_cached_row(
    layer, x, step, allowed, row, transient, sums, parts, updates, rules, scale, totals
):
    """Subtract ``x * step`` where ``allowed`` from the transient part of a row of synapses.

    What reaches the threshold is added to ``row`` and charged for. The column sums ``sums`` and,
    of the transient part, ``parts`` are brought up to date.
    """
    each = rules.consolidation == EACH_SYNAPSE
    threshold = rules.threshold / scale if each else np.float32(3e38)
    x_scaled = x / scale
    if rules.extras and each:
        for j in range(step.shape[0]):
            after = transient[j] - x_scaled * step[j] * np.float32(allowed[j])
            if abs(after) >= threshold:
                charge_extras(layer, scale * after, j, updates, totals)
    count, size, growth = cache_row(
        x_scaled, step, allowed, row, transient, sums, parts, scale, threshold
    )
    totals.m0[layer] += count
    totals.m1[layer] += size
    totals.transient[1] += growth
    if rules.consolidation == ANY_SYNAPSE:
        for part in transient:
            if abs(part) > totals.transient[2]:
                totals.transient[2] = abs(part)


@inner
def cache_row(x, step, allowed, row, transient, sums, parts, scale, threshold):
    """The loop of `change_cached_row`; x and the threshold are those before scaling.

    Returns the number and sizes of the permanent changes, and the growth of the transient sizes.
    """
    count, size, growth = np.float32(0), np.float32(0), np.float32(0)
    for j in range(step.shape[0]):
        before = transient[j]
        after = before - x * step[j] * np.float32(allowed[j])
        full = abs(after) >= threshold
        change = scale * after if full else np.float32(0)
        kept = np.float32(0) if full else after
        row[j] += change
        transient[j] = kept
        sums[j] += change
        parts[j] += kept - before
        count += np.float32(change != 0)
        size += abs(change)
        growth += abs(kept) - abs(before)
    return count, size, growth


@inner
def consolidate_units(network, scale, rules, totals, room):
    """Make all permanent that enters a unit whose largest transient part is at the threshold."""
    threshold = rules.threshold / scale
    reached = False
    for j in range(room.largest.shape[0]):
        reached |= room.largest[j] >= threshold
    if reached:
        for i in range(network.transient.shape[0]):
            counted = totals.synapse_updates[min(i, len(totals.synapse_updates) - 1)]
            row, parts = network.synapses[i], network.transient[i]
            for j in range(parts.shape[0]):
                if room.largest[j] >= threshold:
                    make_permanent(0, row, parts, j, scale, counted, rules, totals)
        if network.offset != 0:
            sum_columns(network.synapses, network.inputs, network.column_sums)
            sum_columns(network.transient, network.inputs, network.transient_column_sums)
    for o in range(room.largest_readout.shape[0]):
        if network.hidden and room.largest_readout[o] >= threshold:
            counted = totals.readout_updates[min(o, len(totals.readout_updates) - 1)]
            row, parts = network.readout[o], network.readout_transient[o]
            for j in range(parts.shape[0]):
                make_permanent(1, row, parts, j, scale, counted, rules, totals)
    fill(room.largest, 0)
    fill(room.largest_readout, 0)


@inner
def make_permanent(layer, row, parts, j, scale, counted, rules, totals):
    """Make the transient part of one synapse of a row permanent, and charge for it."""
    change = scale * parts[j]
    row[j] += change
    totals.transient[1] -= abs(parts[j])
    parts[j] = 0
    totals.m0[layer] += change != 0
    totals.m1[layer] += abs(change)
    if rules.extras:
        charge_extras(layer, change, j, counted, totals)


@inner
def consolidate_all(layer, synapses, transient, scale, updates, rules, totals):
    """Make all that is transient in a layer permanent, and charge for it."""
    for i in range(transient.shape[0]):
        row, parts = synapses[i], transient[i]
        counted = updates[min(i, updates.shape[0] - 1)]
        for j in range(parts.shape[0]):
            make_permanent(layer, row, parts, j, scale, counted, rules, totals)


@inner
def settle(network, totals):
    """Bring the scale of the transient parts to 1 and their background to 0; add up their sizes."""
    total = 0.0
    fill(network.highest, -np.float32(np.inf))
    fill(network.lowest, np.float32(np.inf))
    if network.offset != 0:
        add_background(network.transient, network)
    for parts in (network.transient, network.readout_transient):
        for i in range(parts.shape[0]):
            row, size = parts[i], np.float32(0)
            for j in range(row.shape[0]):
                row[j] *= np.float32(network.scale[0])
                size += abs(row[j])
            total += size
    for i in range(network.inputs):
        row = network.transient[i]
        for j in range(row.shape[0]):
            network.highest[j] = max(network.highest[j], row[j])
            network.lowest[j] = min(network.lowest[j], row[j])
    network.scale[0], totals.transient[1] = 1, total
    if network.offset != 0:
        sum_columns(network.transient, network.inputs, network.transient_column_sums)
