r"""Changing the synapses, and what it costs.

The change of a layer by one sample is the outer product of what enters it, :math:`x`, and a step,
the learning rate times the error behind it. So the energy needs no loop over the synapses:
:math:`\sum_{ij} |x_i s_j|^\alpha = \sum_i |x_i|^\alpha \sum_j |s_j|^\alpha`. With a synapse mask
:math:`M` it is :math:`\sum_i |x_i|^\alpha \sum_j M_{ij} |s_j|^\alpha`.

Each function here changes the synapses in its own way and adds to ``m0`` and ``m1`` of its layer.
"""

import numpy as np

from lazybook.engines.kernels.layout import SLOTS
from lazybook.support.compiling import compiled, inlined, inner


@compiled
def norms(vector):
    """Return the number of entries that are not zero, and the sum of the absolute values."""
    count, total = 0, np.float32(0)
    for v in vector:
        count += v != 0
        total += abs(v)
    return count, np.float64(total)


@inner
def change_rows(synapses, index, value, first, last, step):
    """Subtract the outer product of the stored inputs and ``step``."""
    for i in range(first, last, 4):
        row_0, x_0 = synapses[index[i]], value[i]
        row_1, x_1 = synapses[index[i + 1]], value[i + 1]
        row_2, x_2 = synapses[index[i + 2]], value[i + 2]
        row_3, x_3 = synapses[index[i + 3]], value[i + 3]
        for j in range(step.shape[0]):
            row_0[j] -= x_0 * step[j]
            row_1[j] -= x_1 * step[j]
            row_2[j] -= x_2 * step[j]
            row_3[j] -= x_3 * step[j]


@inner
def change_row_now(network, i):
    """Make the change that row ``i`` of the first layer waits for."""
    row, due, step = network.synapses[i], network.waiting[i], network.steps[network.wait_for[i]]
    for j in range(step.shape[0]):
        row[j] -= due * step[j]
    network.waiting[i] = 0


@inlined
def let_rows_wait(data, sample, network, step, slot):
    """Keep ``step`` in the ``slot``, and let the rows of the sample's stored inputs wait for it.

    These rows were changed when the sample was presented. Others that still wait for what was in
    the slot before are changed first.
    """
    for n in range(data.first[sample], data.last[sample]):
        network.waiting[data.index[n]] = 0
    before = network.step_samples[slot]
    if before >= 0:
        for n in range(data.first[before], data.last[before]):
            i = data.index[n]
            if network.waiting[i] != 0 and network.wait_for[i] == slot:
                change_row_now(network, i)
    network.step_samples[slot] = sample
    kept = network.steps[slot]
    for j in range(step.shape[0]):
        kept[j] = step[j]
    for n in range(data.first[sample], data.last[sample]):
        network.waiting[data.index[n]] = data.value[n]
        network.wait_for[data.index[n]] = slot


@inlined
def change_all(data, sample, network, rules, masks, label, presented, totals, room):
    """Subtract the outer product of the inputs and the step from the first layer."""
    step = room.step[: rules.width]
    if rules.waits:
        let_rows_wait(data, sample, network, step, presented % SLOTS)
    else:
        first, last = data.first[sample], data.last[sample]
        change_rows(network.synapses, data.index, data.value, first, last, step)
    bias_row = network.synapses[network.inputs]
    for j in range(step.shape[0]):
        bias_row[j] -= network.bias * step[j]
    if network.offset != 0:
        for j in range(step.shape[0]):
            network.column_sums[j] -= data.total[sample] * step[j]
            network.background[j] -= network.offset * step[j]
    count, size = norms(step)
    totals.m0[0] += data.count[sample] * count
    totals.m1[0] += data.size[sample] * size


@inner
def change_masked(data, sample, network, rules, masks, label, presented, totals, room):
    """Subtract the outer product where the synapse mask is 1.

    ``room.mask_sums[j]`` is the sum over the inputs i of ``value[i] * mask[i, j]``.
    """
    step, mask, offset = room.step[: rules.width], masks.synapses[0], network.offset
    row_count, size = masked_row(
        network.synapses[network.inputs], mask[network.inputs], network.bias, step
    )
    count, size = np.float64(row_count * (network.bias != 0)), np.float64(network.bias * size)
    if offset != 0:  # as if all pixels were 0, which counts each plastic synapse
        for j in range(step.shape[0]):
            network.column_sums[j] -= room.mask_sums[j] * step[j]
            network.background[j] -= offset * step[j]
            count += masks.plastic_inputs[j] * (step[j] != 0)
            size += abs(offset) * masks.plastic_inputs[j] * abs(step[j])
    for i in range(data.first[sample], data.last[sample]):
        x = data.value[i]
        if x == 0:
            continue
        row, allowed = network.synapses[data.index[i]], mask[data.index[i]]
        if offset == 0:
            row_count, row_size = masked_row(row, allowed, x, step)
            count += row_count
            size += abs(x) * row_size
        else:
            size += (abs(x + offset) - abs(offset)) * masked_row(row, allowed, x, step)[1]
            if x + offset == 0:
                count -= masked_row(row, allowed, np.float32(0), step)[0]
    totals.m0[0] += count
    totals.m1[0] += size


@inlined
def masked_row(row, allowed, x, step):
    """Subtract ``x * step`` where ``allowed``; return the number and sizes of the steps there.

    Inlined, so that counting takes no time where the number is not used.
    """
    count, size = np.float32(0), np.float32(0)
    for j in range(step.shape[0]):
        s = np.float32(allowed[j]) * step[j]
        row[j] -= x * s
        count += np.float32(s != 0)
        size += abs(s)
    return count, size


@inlined
def readout_outer_product(network, activity, step, totals):
    """Subtract the outer product of the units' ``activity`` and the outputs' ``step``."""
    for o in range(step.shape[0]):
        row, s = network.readout[o], step[o]
        for j in range(activity.shape[0]):
            row[j] -= s * activity[j]
    activity_count, activity_size = norms(activity)
    count, size = norms(step)
    totals.m0[1] += activity_count * count
    totals.m1[1] += activity_size * size


@inner
def change_row(layer, x, step, allowed, row, updates, rules, totals):
    """Subtract ``x * step`` from a row where ``allowed``, and charge for it."""
    count, size = masked_row(row, allowed, x, step)
    totals.m0[layer] += count * np.float32(x != 0)
    totals.m1[layer] += abs(x) * size
    if rules.extras:
        for j in range(step.shape[0]):
            charge_extras(layer, -x * step[j] * np.float32(allowed[j]), j, updates, totals)


@inner
def charge_extras(layer, change, unit, updates, totals):
    """Add one permanent ``change`` to the energies that are measured on demand."""
    if change == 0:
        return
    for exponent in range(totals.exponents.shape[0]):
        energy = np.float64(abs(change)) ** totals.exponents[exponent]
        totals.m_alpha[exponent, layer] += energy
    if change > 0:
        totals.m0_potentiation[layer] += 1
        totals.m1_potentiation[layer] += change
    if updates.shape[0] > 1:
        updates[unit] += 1
