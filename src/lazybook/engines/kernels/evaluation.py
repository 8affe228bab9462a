"""Evaluating: all samples meet a network that stands still, so they can share what they read.

Two images of the same digit have most of their pixels in common. They are paired, and the rows of
synapses that either needs are read once for both.
"""

import numpy as np

from lazybook.engines.kernels.layers import (
    add_read_out,
    classify,
    logistic,
    output_error,
    sum_columns,
)
from lazybook.engines.kernels.layout import LOGISTIC_UNITS
from lazybook.support.compiling import compiled, inner

TOGETHER = 4  # rows of synapses read in one pass over the units

WINDOW = 64  # candidates for a partner; with all of them 2 % fewer rows would be read


@compiled
def pair_up(values, labels, order, taken, pairs):
    """Set ``pairs`` to the samples, each followed by its partner; one left over is its own.

    Samples are taken in ``order``, which brings the labels together. A sample's partner is, of the
    next few that are left and have its label, the one most alike in which ``values`` are not 0.
    """
    at = 0
    for place in range(order.shape[0]):
        sample = order[place]
        if taken[sample]:
            continue
        taken[sample] = True
        partner, least, seen = sample, values.shape[1] + 1, 0
        for other in order[place + 1 :]:
            if seen == WINDOW or (partner != sample and labels[other] != labels[sample]):
                break
            if taken[other]:
                continue
            different = count_different(values[sample], values[other])
            if different < least:
                partner, least = other, different
            seen += 1
        taken[partner] = True
        pairs[at], pairs[at + 1] = sample, partner
        at += 2


@compiled
def count_different(one, other):
    """Return how many values are zero in one of both and not in the other."""
    different = np.int32(0)
    for i in range(one.shape[0]):
        different += (one[i] != 0) != (other[i] != 0)
    return different


@compiled
def store_pairs(values, scale, pairs, last, index, value):
    """Store the ``values`` that are not 0 in either of a pair, times ``scale``.

    ``last``, ``(pairs,)``, is where those of a pair end, spare rows included.
    """
    inputs, at = values.shape[1], 0
    for pair in range(last.shape[0]):
        sample, partner = pairs[2 * pair], pairs[2 * pair + 1]
        for i in range(inputs):
            if values[sample, i] != 0 or values[partner, i] != 0:
                index[at] = i
                value[at, 0] = np.float32(values[sample, i]) * scale
                value[at, 1] = np.float32(values[partner, i]) * scale
                at += 1
        for spare in range(last[pair] - at):
            index[at], value[at, 0], value[at, 1] = inputs + 1 + spare, 0, 0
            at += 1


@compiled
def add_outputs(data, network, begin, end, outputs, panel, panel_readout, sums, column_sums):
    """Add to ``outputs``, ``(samples, outputs)``, what the units from ``begin`` to ``end`` give.

    The synapses of some units at a time are copied to ``panel``, ``[rows, some units]``, and meet
    all the samples before the next: so they stay in the cache, however many units there are. To be
    called when the background has been added to the synapses.
    """
    scale, width = np.float32(network.scale[0]), column_sums.shape[0]
    cached = network.transient.shape[0] > 1
    for start in range(begin, end, width):
        many = min(width, end - start)
        cut(network.synapses, network.transient, scale, cached, start, many, panel)
        cut(network.readout, network.readout_transient, scale, cached, start, many, panel_readout)
        sum_columns(panel, network.inputs, column_sums)
        for j in range(width):
            fixed = network.bias * panel[network.inputs, j]
            column_sums[j] = fixed + network.offset * column_sums[j]
        first = 0
        for pair in range(data.last.shape[0]):
            for j in range(width):
                sums[0, j] = sums[1, j] = column_sums[j]
            last = data.last[pair]
            add_shared_rows(panel, data.index, data.value, first, last, sums[0], sums[1])
            first = last
            for one in range(2):
                received, total = sums[one], outputs[2 * pair + one]
                if network.hidden == 0:
                    for o in range(total.shape[0]):
                        total[o] += received[o]
                    continue
                if network.leak == LOGISTIC_UNITS:
                    for j in range(width):
                        received[j] = logistic(received[j])
                else:
                    for j in range(width):
                        received[j] = max(received[j], network.leak * received[j])
                if start <= network.hidden < start + many:
                    received[network.hidden - start] = network.bias
                add_read_out(panel_readout, received, total)


@inner
def add_shared_rows(synapses, index, value, first, last, sums, more_sums):
    """Add up the rows for two samples: ``value[i, 0]`` is of one, ``value[i, 1]`` of the other."""
    units = sums.shape[0]
    for i in range(first, last, TOGETHER):
        row_0, x_0, y_0 = synapses[index[i]], value[i, 0], value[i, 1]
        row_1, x_1, y_1 = synapses[index[i + 1]], value[i + 1, 0], value[i + 1, 1]
        row_2, x_2, y_2 = synapses[index[i + 2]], value[i + 2, 0], value[i + 2, 1]
        row_3, x_3, y_3 = synapses[index[i + 3]], value[i + 3, 0], value[i + 3, 1]
        for j in range(units):
            w_0, w_1, w_2, w_3 = row_0[j], row_1[j], row_2[j], row_3[j]
            sums[j] += (x_0 * w_0 + x_1 * w_1) + (x_2 * w_2 + x_3 * w_3)
            more_sums[j] += (y_0 * w_0 + y_1 * w_1) + (y_2 * w_2 + y_3 * w_3)


@inner
def cut(synapses, transient, scale, cached, start, many, panel):
    """Set ``panel`` to ``many`` columns of the synapses from ``start`` on, and 0 behind them."""
    for i in range(synapses.shape[0]):
        row, target = synapses[i], panel[i]
        for j in range(many):
            target[j] = row[start + j]
        if cached:
            parts = transient[i]
            for j in range(many):
                target[j] += scale * parts[start + j]
        for j in range(many, panel.shape[1]):
            target[j] = 0


@compiled
def judge(outputs, labels, loss, error):
    """Return how many samples are classified correctly, and the sum of their losses."""
    correct, loss_sum = 0, 0.0
    for sample in range(labels.shape[0]):
        correct += classify(outputs[sample]) == labels[sample]
        loss_sum += output_error(outputs[sample], labels[sample], loss, error)
    return correct, loss_sum
