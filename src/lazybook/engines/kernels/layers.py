"""Forward and backward through the layers of a network."""

import numpy as np

from lazybook.engines.kernels.layout import (
    CROSS_ENTROPY,
    HALF_MSE,
    LOGISTIC,
    LOGISTIC_UNITS,
    PERCEPTRON,
    ROWS,
)
from lazybook.networks import LOGISTIC_TARGETS
from lazybook.support.compiling import compiled, inlined, inner


@inner
def fill(vector, value):
    """Set all entries of ``vector`` to ``value``."""
    for j in range(vector.shape[0]):
        vector[j] = value


@inner
def copy(source, target):
    """Set the first entries of ``target`` to those of ``source``."""
    for j in range(source.shape[0]):
        target[j] = source[j]


@compiled
def store_nonzero(values, scale, first, last, index, value):
    """Store the samples' non-zero ``values``, ``(samples, inputs)``, times ``scale``."""
    samples, inputs = values.shape
    for sample in range(samples):
        at = first[sample]
        for i in range(inputs):
            if values[sample, i] != 0:
                index[at], value[at] = i, np.float32(values[sample, i]) * scale
                at += 1
        for spare in range(last[sample] - at):
            index[at + spare], value[at + spare] = inputs + 1 + spare, 0


@inner
def add_rows(synapses, index, value, first, last, sums):
    """Add to ``sums[j]`` the sum over the stored inputs i of ``value[i] * synapses[i, j]``."""
    units = sums.shape[0]
    for i in range(first, last, ROWS):
        row_0, x_0 = synapses[index[i]], value[i]
        row_1, x_1 = synapses[index[i + 1]], value[i + 1]
        row_2, x_2 = synapses[index[i + 2]], value[i + 2]
        row_3, x_3 = synapses[index[i + 3]], value[i + 3]
        row_4, x_4 = synapses[index[i + 4]], value[i + 4]
        row_5, x_5 = synapses[index[i + 5]], value[i + 5]
        row_6, x_6 = synapses[index[i + 6]], value[i + 6]
        row_7, x_7 = synapses[index[i + 7]], value[i + 7]
        for j in range(units):
            sums[j] += ((x_0 * row_0[j] + x_1 * row_1[j]) + (x_2 * row_2[j] + x_3 * row_3[j])) + (
                (x_4 * row_4[j] + x_5 * row_5[j]) + (x_6 * row_6[j] + x_7 * row_7[j])
            )


@inner
def change_and_add_rows(synapses, index, value, first, last, waiting, wait_for, steps, sums):
    """Make the changes that the rows of the stored inputs wait for, then do as `add_rows`."""
    units = sums.shape[0]
    for i in range(first, last, 4):
        a, b, c, d = index[i], index[i + 1], index[i + 2], index[i + 3]
        row_0, x_0, due_0, step_0 = synapses[a], value[i], waiting[a], steps[wait_for[a]]
        row_1, x_1, due_1, step_1 = synapses[b], value[i + 1], waiting[b], steps[wait_for[b]]
        row_2, x_2, due_2, step_2 = synapses[c], value[i + 2], waiting[c], steps[wait_for[c]]
        row_3, x_3, due_3, step_3 = synapses[d], value[i + 3], waiting[d], steps[wait_for[d]]
        for j in range(units):
            w_0 = row_0[j] - due_0 * step_0[j]
            w_1 = row_1[j] - due_1 * step_1[j]
            w_2 = row_2[j] - due_2 * step_2[j]
            w_3 = row_3[j] - due_3 * step_3[j]
            row_0[j], row_1[j], row_2[j], row_3[j] = w_0, w_1, w_2, w_3
            sums[j] += (x_0 * w_0 + x_1 * w_1) + (x_2 * w_2 + x_3 * w_3)


@inlined
def receive(data, sample, network, synapses, column_sums, waits, sums):
    """Set ``sums`` to what the units receive through ``synapses``, the background left out."""
    row, offset = synapses[network.inputs], network.offset
    for j in range(sums.shape[0]):
        sums[j] = network.bias * row[j] + offset * column_sums[j]
    first, last = data.first[sample], data.last[sample]
    if waits:
        change_and_add_rows(
            synapses, data.index, data.value, first, last,
            network.waiting, network.wait_for, network.steps, sums,
        )  # fmt: skip
    else:
        add_rows(synapses, data.index, data.value, first, last, sums)


@inner
def sum_columns(synapses, inputs, column_sums):
    """Set ``column_sums[j]`` to the sum of ``synapses[i, j]`` over the inputs i."""
    fill(column_sums, 0)
    for i in range(inputs):
        row = synapses[i]
        for j in range(column_sums.shape[0]):
            column_sums[j] += row[j]


@inner
def add_background(layer, network):
    """Add the background to the rows of all inputs in a ``layer``, and set it to 0."""
    background = network.background
    for i in range(network.inputs):
        row = layer[i]
        for j in range(row.shape[0]):
            row[j] += background[j]
    fill(background, 0)


@inner
def logistic(value):
    """Return the logistic function of ``value``."""
    return np.float32(1) / (np.float32(1) + np.exp(-value))


@inner
def activate(sums, leak, hidden, bias, activity):
    """Set ``activity`` of the hidden units, and of the bias unit that follows them."""
    if leak == LOGISTIC_UNITS:
        for j in range(hidden):
            activity[j] = logistic(sums[j])
    else:
        for j in range(sums.shape[0]):
            activity[j] = max(sums[j], leak * sums[j])
    activity[hidden] = bias


@inner
def add_read_out(readout, activity, outputs):
    """Add to ``outputs`` the sums over the units."""
    for o in range(readout.shape[0]):
        row = readout[o]
        total = np.float32(0)
        for j in range(activity.shape[0]):
            total += row[j] * activity[j]
        outputs[o] += total


@inner
def sum_squares(vector):
    """Return the sum of the squares, in float32: not finite if the network has diverged."""
    total = np.float32(0)
    for v in vector:
        total += v * v
    return total


@inner
def classify(outputs):
    """Return the class: the sign of a single output, else the first of the largest."""
    if outputs.shape[0] == 1:
        return int(outputs[0] > 0)
    best = 0
    for o in range(1, outputs.shape[0]):
        if outputs[o] > outputs[best]:
            best = o
    return best


@inner
def margin(outputs, label):
    """Return what the right class's output exceeds the largest other one by."""
    if outputs.shape[0] == 1:
        return outputs[0] if label == 1 else -outputs[0]
    other = np.float32(-np.inf)
    for o in range(outputs.shape[0]):
        if o != label:
            other = max(other, outputs[o])
    return outputs[label] - other


@inner
def output_error(outputs, label, loss, error):
    """Set ``error`` to the gradient of the loss by the outputs; return the loss."""
    n = outputs.shape[0]
    if loss == CROSS_ENTROPY:
        largest = outputs[0]
        for o in range(n):
            largest = max(largest, outputs[o])
        total = np.float32(0)
        for o in range(n):
            error[o] = np.exp(outputs[o] - largest)
            total += error[o]
        for o in range(n):
            error[o] /= total
        error[label] -= 1
        return np.log(total) + largest - outputs[label]
    if loss == PERCEPTRON:
        chosen = classify(outputs)
        fill(error, 0)
        if chosen == label:
            return np.float32(0)
        if n == 1:
            error[0] = 1 - 2 * label
            return abs(outputs[0])
        error[chosen], error[label] = 1, -1
        return outputs[chosen] - outputs[label]
    squares = np.float32(0)
    if loss == LOGISTIC:
        for o in range(n):
            answer = logistic(outputs[o])
            wanted = LOGISTIC_TARGETS[label if n == 1 else int(o == label)]
            difference = answer - np.float32(wanted)
            squares += difference * difference
            error[o] = difference * answer * (np.float32(1) - answer)
        return squares / 2
    for o in range(n):
        target = 2 * label - 1 if n == 1 else int(o == label)
        error[o] = outputs[o] - np.float32(target)
        squares += error[o] * error[o]
    if loss == HALF_MSE:
        return squares / 2
    for o in range(n):
        error[o] *= np.float32(2 / n)
    return squares / n


@inner
def add_back(readout, error, scale, hidden_error):
    """Add to ``hidden_error`` the outputs' ``error`` as it comes back through the readout."""
    for o in range(error.shape[0]):
        row, e = readout[o], scale * error[o]
        for j in range(hidden_error.shape[0]):
            hidden_error[j] += e * row[j]


@inner
def multiply_slope(sums, activity, leak, hidden, hidden_error):
    """Multiply ``hidden_error`` by the slope of the rectifier, or of the logistic function."""
    if leak == LOGISTIC_UNITS:
        for j in range(sums.shape[0]):
            hidden_error[j] *= activity[j] * (np.float32(1) - activity[j])
    else:
        for j in range(sums.shape[0]):
            hidden_error[j] *= np.float32(1) if sums[j] > 0 else leak
    hidden_error[hidden] = 0  # nothing enters the bias unit
