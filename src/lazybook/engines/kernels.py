r"""Compiled steps of the fast engine.

Layout. ``synapses`` is the first layer, ``[inputs + 1 + SPARE, units]``: one row for each input,
one for the bias, and rows that stay zero. ``units`` is the number of hidden units and the bias
unit after them, which is always ``bias`` (1, or 0 without biases), rounded up to a multiple of
`LANES`; columns beyond the hidden units stay zero.
``readout`` is the second layer transposed, ``[outputs, units]``. Of the inputs only those that
are not zero are stored: the samples from ``first`` to ``last`` in ``index`` and ``value``, the
bias among them, padded to a multiple of `ROWS` with value 0 and the indices of the spare rows, so
that `ROWS` rows can always be taken together.

The change of a layer by one sample is the outer product of what enters it and of the error
behind it, so its energy needs no loop over the synapses:
:math:`\sum_{ij} |\eta x_i \delta_j| = \eta \sum_i |x_i| \sum_j |\delta_j|`, and the number of
synapses changed is the number of non-zero :math:`x_i` times that of non-zero
:math:`\delta_j`.
"""

import llvmlite.binding
import numba
import numpy as np

ROWS = 8  # rows of synapses added up in one pass over the units
LANES = 16  # float32 values in the widest vector registers

MSE, HALF_MSE, CROSS_ENTROPY, PERCEPTRON = range(4)
EVERY_SAMPLE, MISTAKES, MEMORIZED_MISTAKES = range(3)

# Processors with 512-bit vectors use only 256 bits of them unless told otherwise.
if llvmlite.binding.get_host_cpu_features().get("avx512f"):
    _features = llvmlite.binding.get_host_cpu_features().flatten()
    numba.config.CPU_FEATURES = _features + ",-prefer-256-bit"

compiled = numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")


@compiled
def store_nonzero(inputs, bias, first, last, index, value, total):
    """Store the non-zero ``inputs``, shape ``(samples, inputs)``, in the layout above.

    ``total`` is set to the sums of their absolute values, the bias among them.
    """
    samples, columns = inputs.shape
    for sample in range(samples):
        at = first[sample]
        total[sample] = 0
        for i in range(columns):
            if inputs[sample, i] != 0:
                index[at], value[at] = i, inputs[sample, i]
                total[sample] += abs(inputs[sample, i])
                at += 1
        if bias:
            index[at], value[at] = columns, 1
            total[sample] += 1
            at += 1
        for spare in range(last[sample] - at):
            index[at + spare] = columns + bias + spare


@compiled
def add_rows(synapses, index, value, first, last, sums):
    """Set ``sums[j]`` to the sum over the inputs i of ``value[i] * synapses[i, j]``."""
    units = sums.shape[0]
    for j in range(units):
        sums[j] = 0
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


@compiled
def rectify(sums, leak, hidden, bias, activity):
    """Set ``activity`` of the hidden units, and of the bias unit that follows them."""
    for j in range(sums.shape[0]):
        activity[j] = max(sums[j], leak * sums[j])
    activity[hidden] = bias


@compiled
def read_out(readout, activity, outputs):
    """Set ``outputs`` to the sums over the units."""
    for o in range(readout.shape[0]):
        row = readout[o]
        total = np.float32(0)
        for j in range(activity.shape[0]):
            total += row[j] * activity[j]
        outputs[o] = total


@compiled
def classify(outputs):
    """Return the class: the sign of a single output, else the first of the largest."""
    if outputs.shape[0] == 1:
        return int(outputs[0] > 0)
    best = 0
    for o in range(1, outputs.shape[0]):
        if outputs[o] > outputs[best]:
            best = o
    return best


@compiled
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
        error[:] = 0
        if chosen == label:
            return np.float32(0)
        if n == 1:
            error[0] = 1 - 2 * label
            return abs(outputs[0])
        error[chosen], error[label] = 1, -1
        return outputs[chosen] - outputs[label]
    squares = np.float32(0)
    for o in range(n):
        target = 2 * label - 1 if n == 1 else int(o == label)
        error[o] = outputs[o] - np.float32(target)
        squares += error[o] * error[o]
    if loss == HALF_MSE:
        return squares / 2
    for o in range(n):
        error[o] *= np.float32(2 / n)
    return squares / n


@compiled
def backpropagate(readout, error, sums, leak, hidden, hidden_error):
    """Set ``hidden_error`` to the gradient of the loss by the hidden units' ``sums``."""
    for j in range(sums.shape[0]):
        hidden_error[j] = 0
    for o in range(error.shape[0]):
        row, e = readout[o], error[o]
        for j in range(sums.shape[0]):
            hidden_error[j] += e * row[j]
    for j in range(sums.shape[0]):
        if sums[j] <= 0:
            hidden_error[j] *= leak
    hidden_error[hidden] = 0  # nothing enters the bias unit


@compiled
def change_rows(synapses, index, value, first, last, rate, error):
    """Subtract the outer product of the inputs and ``error``, times ``rate``."""
    for i in range(first, last):
        row, x = synapses[index[i]], rate * value[i]
        for j in range(error.shape[0]):
            row[j] -= x * error[j]


@compiled
def change_readout(readout, activity, rate, error):
    """Subtract the outer product of the units' activity and ``error``, times ``rate``."""
    for o in range(error.shape[0]):
        row, e = readout[o], rate * error[o]
        for j in range(activity.shape[0]):
            row[j] -= e * activity[j]


@compiled
def size(vector):
    """Return the number of entries that are not zero and the sum of the absolute values."""
    count, total = 0, np.float32(0)
    for v in vector:
        count += v != 0
        total += abs(v)
    return count, total


@compiled
def learn(
    samples, first, last, index, value, labels, input_count, input_sum,
    synapses, readout, hidden, bias, leak, loss, rate, gate,
    remembered, updates, m0, m1, sums, activity, outputs, error, hidden_error,
):  # fmt: skip
    """Present ``samples`` one after another, and learn those that the gate lets through.

    ``input_count`` and ``input_sum`` hold what `size` says of each sample's inputs. A perceptron
    (``hidden == 0``) has no readout: the sums of its only layer are its outputs.

    Changed in place: synapses, readout, remembered, updates, m0 and m1. The last five arguments
    are room to work in.
    """
    for sample in samples:
        start, stop, label = first[sample], last[sample], labels[sample]
        add_rows(synapses, index, value, start, stop, sums)
        if hidden:
            rectify(sums, leak, hidden, bias, activity)
            read_out(readout, activity, outputs)
        else:
            outputs[:] = sums[: outputs.shape[0]]

        mistake = classify(outputs) != label
        if gate == MEMORIZED_MISTAKES:
            remembered[sample] |= mistake
        if not (
            gate == EVERY_SAMPLE or mistake or (gate == MEMORIZED_MISTAKES and remembered[sample])
        ):
            continue

        output_error(outputs, label, loss, error)
        if hidden:
            backpropagate(readout, error, sums, leak, hidden, hidden_error)
            change_readout(readout, activity, rate, error)
            activity_count, activity_sum = size(activity)
            error_count, error_sum = size(error)
            m0[1] += activity_count * error_count
            m1[1] += np.float64(rate) * activity_sum * error_sum
        else:
            hidden_error[: error.shape[0]] = error
        change_rows(synapses, index, value, start, stop, rate, hidden_error)
        error_count, error_sum = size(hidden_error)
        m0[0] += input_count[sample] * error_count
        m1[0] += np.float64(rate) * input_sum[sample] * error_sum
        updates[0] += 1


@compiled
def evaluate(
    first, last, index, value, labels, synapses, readout, hidden, bias, leak, loss,
    sums, activity, outputs, error,
):  # fmt: skip
    """Return how many samples are classified correctly, and the sum of their losses."""
    correct, total = 0, 0.0
    for sample in range(labels.shape[0]):
        add_rows(synapses, index, value, first[sample], last[sample], sums)
        if hidden:
            rectify(sums, leak, hidden, bias, activity)
            read_out(readout, activity, outputs)
        else:
            outputs[:] = sums[: outputs.shape[0]]
        correct += classify(outputs) == labels[sample]
        total += output_error(outputs, labels[sample], loss, error)
    return correct, total
