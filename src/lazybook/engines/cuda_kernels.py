r"""The kernels of the engine `numba-cuda`: many networks side by side, a thread block each.

One launch presents many samples, one after another. The threads of a block share the hidden units
of its network, each unit with the synapses into it and out of it, so nothing but the outputs and
their errors has to be exchanged. Only pixels that are not zero are read. Of inputs with zero mean
the part that is the same for all pixels is kept in ``background``, and the energies are those of
outer products: both as in the fast engine, see `lazybook.engines.kernels.layout` and ``changes``.
Where synapses or units compete, all errors have to be known first: see `compete`.

In Numba's simulator each thread is one of Python's.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import cuda

from lazybook.engines.kernels.layout import (
    CROSS_ENTROPY,
    EVERY_SAMPLE,
    HALF_MSE,
    MARGIN,
    MEMORIZED_MISTAKES,
    MSE,
    PERCEPTRON,
)
from lazybook.support.randomness import noise

SMALLEST = 1e-20  # scale of what is transient

mixed = cuda.jit(device=True)(noise.py_func)


class Samples(NamedTuple):
    """Samples: ``first`` to ``last`` of ``index`` and ``value`` hold one's non-zero pixels.

    ``falling`` has the sizes of these inputs, the largest first. ``total``, ``count`` and ``size``
    as in `lazybook.engines.kernels.layout.Data`, the bias left out. An input is its value, or 0,
    plus ``offset``.
    """

    first: np.ndarray
    last: np.ndarray
    index: np.ndarray
    value: np.ndarray
    falling: np.ndarray
    labels: np.ndarray
    total: np.ndarray
    count: np.ndarray
    size: np.ndarray
    offset: np.float32


class Networks(NamedTuple):
    """The networks of a group, alike in shape; the first axis of each array is the network.

    Attributes
    ----------
    loss, gate, margin, rate, leak, bias: numbers ``(networks,)``. The ``margin`` is a gate's.
    synapses, initial: now and before learning, ``(networks, inputs + 1, units)``. The last row is
        the bias; the last unit is always ``bias``, and has no inputs.
    readout, initial_readout: ``(networks, outputs, units)``.
    background, column_sums: ``(networks, units)``.
    plastic, readout_plastic: 1 for a unit whose inputs, or outputs, are plastic, else 0.
    mask_of: which of the masks a network has, -1 for none.
    masks, readout_masks: synapse masks, 0 or 1, ``(masks, …)`` shaped like the layers.
    plastic_inputs: number of plastic pixels of each unit, ``(masks, units)``.
    neurons, by_error: how many units are selected for each sample, -1 for no selection, and whether
        by the sizes of their errors or by their activities.
    selected, per_layer: how many updates are, the largest, -1 for no selection, and whether of the
        whole layer or of each unit.
    tie_order: in which order inputs stand that tie, ``(networks, inputs + 1)``.
    key: of the random numbers that ties are broken by.
    cache_of: which of the transient parts a network has, -1 for none.
    threshold, kept, transient_cost: of synaptic caching, ``(networks,)``.
    transient, readout_transient: transient parts, ``(caches, …)`` shaped like the layers. While a
        network learns they are to be multiplied by a scale, so that decay costs nothing.
    transient_sums: their column sums, ``(caches, units)``.
    """

    loss: np.ndarray
    gate: np.ndarray
    margin: np.ndarray
    rate: np.ndarray
    leak: np.ndarray
    bias: np.ndarray
    synapses: np.ndarray
    initial: np.ndarray
    readout: np.ndarray
    initial_readout: np.ndarray
    background: np.ndarray
    column_sums: np.ndarray
    plastic: np.ndarray
    readout_plastic: np.ndarray
    mask_of: np.ndarray
    masks: np.ndarray
    readout_masks: np.ndarray
    plastic_inputs: np.ndarray
    neurons: np.ndarray
    by_error: np.ndarray
    selected: np.ndarray
    per_layer: np.ndarray
    tie_order: np.ndarray
    key: np.ndarray
    cache_of: np.ndarray
    threshold: np.ndarray
    kept: np.ndarray
    transient_cost: np.ndarray
    transient: np.ndarray
    readout_transient: np.ndarray
    transient_sums: np.ndarray


class Totals(NamedTuple):
    """Running totals of each network.

    ``counters`` are samples presented and learned; ``m0`` and ``m1`` are ``(networks, layers,
    threads)`` and ``transient``, the cost of what was transient, ``(networks, threads)``: to be
    added up over the threads.
    """

    remembered: np.ndarray
    diverged: np.ndarray
    counters: np.ndarray
    m0: np.ndarray
    m1: np.ndarray
    transient: np.ndarray


class Room(NamedTuple):
    """Room to work in; the first axis is the block.

    ``partial`` are each thread's parts of the outputs, ``(blocks, outputs, threads)``. To compete,
    a network has for each of its units the error, ``delta``, whether it is ``chosen``, and which
    updates are, ``least`` to ``before``, see `compete`; all its inputs; and ``sums`` to add up in.
    """

    activity: np.ndarray
    partial: np.ndarray
    outputs: np.ndarray
    error: np.ndarray
    delta: np.ndarray
    chosen: np.ndarray
    least: np.ndarray
    tied: np.ndarray
    ties: np.ndarray
    wanted: np.ndarray
    begin: np.ndarray
    before: np.ndarray
    inputs: np.ndarray
    sums: np.ndarray


@cuda.jit
def learn(order, lengths, samples, networks, totals, room):
    """Present to each network its samples: ``lengths[n]`` of those in ``order[n]``."""
    n, thread, threads = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x
    if totals.diverged[n]:
        return
    add_up_columns(n, samples, networks)
    gate, cached, scale = networks.gate[n], networks.cache_of[n] >= 0, 1.0
    held = settle(n, scale, samples, networks)  # sizes of what is transient, without the scale
    m0, m1, readout_m0, readout_m1, cost = 0.0, 0.0, 0.0, 0.0, 0.0
    presented = totals.counters[n, 0]
    for place in range(lengths[n]):
        sample = order[n, place]
        label = samples.labels[sample]
        if cached:
            scale *= networks.kept[n]
            if scale < SMALLEST:
                held, scale = settle(n, scale, samples, networks), 1.0
        forward(n, n, sample, np.float32(scale), samples, networks, room)
        squares = np.float32(0)
        for k in range(room.outputs.shape[1]):
            squares += room.outputs[n, k] * room.outputs[n, k]
        if not math.isfinite(squares):
            if thread == 0:
                totals.diverged[n] = True
            break
        mistake = classify(room.outputs[n]) != label
        remembered = totals.remembered[n, sample]
        learned = (
            gate == EVERY_SAMPLE
            or (gate != MARGIN and mistake)
            or (gate == MEMORIZED_MISTAKES and remembered != 0)
            or (gate == MARGIN and is_unsure(room.outputs[n], label, mistake, networks.margin[n]))
        )
        for k in range(thread, room.outputs.shape[1], threads):
            room.error[n, k] = output_error(room.outputs[n], k, label, networks.loss[n])
        cuda.syncthreads()
        if thread == 0:  # all others know by now what was remembered
            totals.counters[n, 0] += 1
            totals.counters[n, 1] += learned
            if gate == MEMORIZED_MISTAKES and mistake:
                totals.remembered[n, sample] = True
        if learned:
            competing = networks.neurons[n] >= 0 or networks.selected[n] >= 0
            for j in range(thread, networks.readout.shape[2], threads):
                back, count, size, growth = change_outputs(n, j, np.float32(scale), networks, room)
                readout_m0 += count
                readout_m1 += size
                held += growth
                slope = np.float32(1) if room.activity[n, j] > 0 else networks.leak[n]
                room.delta[n, j] = back * slope * networks.plastic[n, j]
            if competing:
                compete(n, sample, presented + place, samples, networks, room)
            for j in range(thread, networks.readout.shape[2], threads):
                count, size, growth = change_unit(
                    n, j, sample, np.float32(scale), samples, networks, room
                )
                m0 += count
                m1 += size
                held += growth
        cost += networks.transient_cost[n] * scale * held
    totals.transient[n, thread] += cost
    settle(n, scale, samples, networks)
    totals.m0[n, 0, thread] += m0
    totals.m1[n, 0, thread] += m1
    totals.m0[n, 1, thread] += readout_m0
    totals.m1[n, 1, thread] += readout_m1
    add_background(n, samples, networks)


@cuda.jit
def evaluate(chunks, samples, networks, room, correct, loss):
    """Set how many samples are classified correctly, and the sum of their losses.

    Each network has ``chunks`` blocks, which share the samples; results are ``(networks, chunks)``.
    To be called after `learn`, which has added the background to the synapses.
    """
    block = cuda.blockIdx.x
    n, chunk = block // chunks, block % chunks
    right, total = 0, 0.0
    for sample in range(chunk, samples.labels.shape[0], chunks):
        forward(n, block, sample, np.float32(1), samples, networks, room)
        if cuda.threadIdx.x == 0:
            label = samples.labels[sample]
            right += classify(room.outputs[block]) == label
            total += sample_loss(room.outputs[block], label, networks.loss[n])
    if cuda.threadIdx.x == 0:
        correct[n, chunk], loss[n, chunk] = right, total


@cuda.jit
def add_distances(networks, sizes):
    """Set ``sizes`` to how far the weights have come: each thread's part of the sum of distances.

    It is ``(networks, threads)``.
    """
    n, thread, threads = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x
    cache, total = networks.cache_of[n], 0.0
    for j in range(thread, networks.readout.shape[2], threads):
        for i in range(networks.synapses.shape[1]):
            now = networks.synapses[n, i, j]
            if cache >= 0:
                now += networks.transient[cache, i, j]
            total += abs(now - networks.initial[n, i, j])
        for k in range(networks.readout.shape[1]):
            now = networks.readout[n, k, j]
            if cache >= 0:
                now += networks.readout_transient[cache, k, j]
            total += abs(now - networks.initial_readout[n, k, j])
    sizes[n, thread] = total


@cuda.jit
def add_pending(networks, counts, sizes):
    """Set number and sizes of what is transient: each thread's part, ``(networks, 2, threads)``."""
    n, thread, threads = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x
    cache = networks.cache_of[n]
    if cache < 0:
        return
    count, size, readout_count, readout_size = 0.0, 0.0, 0.0, 0.0
    for j in range(thread, networks.readout.shape[2], threads):
        for i in range(networks.synapses.shape[1]):
            count += networks.transient[cache, i, j] != 0
            size += abs(networks.transient[cache, i, j])
        for k in range(networks.readout.shape[1]):
            readout_count += networks.readout_transient[cache, k, j] != 0
            readout_size += abs(networks.readout_transient[cache, k, j])
    counts[n, 0, thread], counts[n, 1, thread] = count, readout_count
    sizes[n, 0, thread], sizes[n, 1, thread] = size, readout_size


@cuda.jit(device=True)
def compete(n, sample, presented, samples, networks, room):
    """Select units, then the largest updates of synapses into them: all threads, together.

    The errors of units that are not selected become 0. Of the updates into unit ``j`` those larger
    than ``room.least[n, j]`` are chosen, and of those that tie for the last places as many as are
    ``wanted``, from ``begin`` on.
    """
    thread, threads, units = cuda.threadIdx.x, cuda.blockDim.x, networks.readout.shape[2]
    inputs = networks.synapses.shape[1] - 1
    cuda.syncthreads()
    if networks.neurons[n] >= 0:
        for j in range(thread, units - 1, threads):
            room.chosen[n, j] = stronger(n, j, networks, room) < networks.neurons[n]
        cuda.syncthreads()
        for j in range(thread, units - 1, threads):
            room.delta[n, j] *= room.chosen[n, j]
    if networks.selected[n] < 0:
        return
    for i in range(thread, inputs + 1, threads):
        room.inputs[n, i] = samples.offset if i < inputs else networks.bias[n]
    if thread == 0:
        room.sums[n, 0] = 0
    cuda.syncthreads()
    for place in range(samples.first[sample] + thread, samples.last[sample], threads):
        room.inputs[n, samples.index[place]] += samples.value[place]
    cuda.syncthreads()
    if networks.per_layer[n]:
        select_in_layer(n, sample, presented, samples, networks, room)
    else:
        for j in range(thread, units - 1, threads):
            select_in_unit(n, j, sample, presented, samples, networks, room)


@cuda.jit(device=True)
def stronger(n, j, networks, room):
    """Return how many units are stronger than unit ``j``, or as strong and come before it."""
    own, number = strength(n, j, networks, room), 0
    for other in range(networks.readout.shape[2] - 1):
        theirs = strength(n, other, networks, room)
        number += theirs > own or (theirs == own and other < j)
    return number


@cuda.jit(device=True)
def strength(n, j, networks, room):
    """Return what units are selected by."""
    return abs(room.delta[n, j]) if networks.by_error[n] else room.activity[n, j]


@cuda.jit(device=True)
def select_in_layer(n, sample, presented, samples, networks, room):
    """Select the largest updates of the layer.

    All threads count the updates of their units, add up, and halve the same interval.
    """
    thread, threads, units = cuda.threadIdx.x, cuda.blockDim.x, networks.readout.shape[2]
    high = np.float32(0)
    for j in range(units - 1):
        bound = above_all(n, j, sample, samples, networks, room)
        high = bound if bound > high else high
    low, high, turn = halve(
        high, True, n, thread, units - 1, threads, sample, samples, networks, room
    )
    above = 0
    for j in range(thread, units - 1, threads):
        larger = count_from(high, n, j, sample, samples, networks, room)
        room.tied[n, j] = count_from(low, n, j, sample, samples, networks, room) - larger
        above += larger
    wanted, ties = networks.selected[n] - add_up(above, n, turn, room), 0
    for j in range(units - 1):
        if j % threads == thread:
            room.before[n, j] = ties
        ties += room.tied[n, j]
    for j in range(thread, units - 1, threads):
        room.least[n, j], room.wanted[n, j], room.ties[n, j] = low, wanted, ties
        room.begin[n, j] = mixed(networks.key[n], presented, 0) % np.uint64(ties if ties > 0 else 1)


@cuda.jit(device=True)
def select_in_unit(n, j, sample, presented, samples, networks, room):
    """Select the largest updates of the synapses into unit ``j``."""
    high = above_all(n, j, sample, samples, networks, room)
    low, high, _ = halve(high, False, n, j, j + 1, 1, sample, samples, networks, room)
    larger = count_from(high, n, j, sample, samples, networks, room)
    ties = count_from(low, n, j, sample, samples, networks, room) - larger
    room.least[n, j], room.wanted[n, j], room.ties[n, j] = low, networks.selected[n] - larger, ties
    room.begin[n, j] = mixed(networks.key[n], presented, 1 + j) % np.uint64(ties if ties > 0 else 1)
    room.before[n, j] = 0


@cuda.jit(device=True)
def halve(high, together, n, begin, end, threads, sample, samples, networks, room):
    """Return the least of the largest updates, the next larger number, and how often was halved.

    A thread counts the units from ``begin`` to ``end`` in steps of ``threads``, and if all work
    ``together``, they add up. ``high`` is above all updates.
    """
    low, turn = np.float32(0), 0
    middle = half(high)
    while low < middle < high:
        number = 0
        for j in range(begin, end, threads):
            number += count_from(middle, n, j, sample, samples, networks, room)
        if together:
            number = add_up(number, n, turn, room)
        if number >= networks.selected[n]:
            low = middle
        else:
            high = middle
        middle = low + half(high - low)
        turn += 1
    return low, high, turn


@cuda.jit(device=True)
def half(size):
    """Return half of it, in single precision."""
    return size * np.float32(0.5)


@cuda.jit(device=True)
def above_all(n, j, sample, samples, networks, room):
    """Return a size above that of all updates into unit ``j``, or 0 if all are 0."""
    # Sums, as there is no larger of two in compiled kernels: a bound need not be tight.
    bound = abs(samples.offset) + networks.bias[n]
    if samples.first[sample] < samples.last[sample]:
        bound += samples.falling[samples.first[sample]]
    return np.float32(2) * abs(room.delta[n, j]) * bound


@cuda.jit(device=True)
def count_from(size, n, j, sample, samples, networks, room):
    """Return how many updates into unit ``j`` are of this ``size`` or larger, those of 0 left out.

    The inputs are sorted by size; all pixels that are not stored are alike.
    """
    first, stored = samples.first[sample], samples.last[sample] - samples.first[sample]
    inputs, error = networks.synapses.shape[1] - 1, abs(room.delta[n, j])
    low, high = 0, stored
    while low < high:
        middle = (low + high) // 2
        if 0 < samples.falling[first + middle] * error >= size:
            low = middle + 1
        else:
            high = middle
    number = low
    if 0 < abs(samples.offset) * error >= size:
        number += inputs - stored
    return number + (0 < networks.bias[n] * error >= size)


@cuda.jit(device=True)
def add_up(number, n, turn, room):
    """Return the sum of what all threads have.

    Of three places one is added to, and one made free for the next ``turn``, while others may still
    read the third.
    """
    cuda.atomic.add(room.sums, (n, turn % 3), number)
    if cuda.threadIdx.x == 0:
        room.sums[n, (turn + 1) % 3] = 0
    cuda.syncthreads()
    return room.sums[n, turn % 3]


@cuda.jit(device=True)
def settle(n, scale, samples, networks):
    """Multiply what is transient by its scale; return the sum of the sizes, of a thread's units."""
    cache, held = networks.cache_of[n], 0.0
    if cache < 0:
        return held
    inputs = networks.synapses.shape[1] - 1
    for j in range(cuda.threadIdx.x, networks.readout.shape[2], cuda.blockDim.x):
        total = np.float32(0)
        for i in range(inputs + 1):
            part = np.float32(scale) * networks.transient[cache, i, j]
            networks.transient[cache, i, j] = part
            held += abs(part)
            if i < inputs:
                total += part
        networks.transient_sums[cache, j] = total
        for k in range(networks.readout.shape[1]):
            part = np.float32(scale) * networks.readout_transient[cache, k, j]
            networks.readout_transient[cache, k, j] = part
            held += abs(part)
    return held


@cuda.jit(device=True)
def add_up_columns(n, samples, networks):
    """Set the column sums, each thread of its units."""
    if samples.offset != 0:
        inputs = networks.synapses.shape[1] - 1
        for j in range(cuda.threadIdx.x, networks.synapses.shape[2], cuda.blockDim.x):
            total = np.float32(0)
            for i in range(inputs):
                total += networks.synapses[n, i, j]
            networks.column_sums[n, j] = total


@cuda.jit(device=True)
def add_background(n, samples, networks):
    """Add the background to the synapses, so that it is 0."""
    if samples.offset != 0:
        inputs, mask = networks.synapses.shape[1] - 1, networks.mask_of[n]
        for j in range(cuda.threadIdx.x, networks.synapses.shape[2], cuda.blockDim.x):
            background = networks.background[n, j]
            for i in range(inputs):
                if mask < 0 or networks.masks[mask, i, j] != 0:
                    networks.synapses[n, i, j] += background
            networks.background[n, j] = 0
        add_up_columns(n, samples, networks)


@cuda.jit(device=True)
def forward(n, block, sample, scale, samples, networks, room):
    """Set what the units do, and the outputs; all threads know them afterwards."""
    cache = networks.cache_of[n]
    thread, threads = cuda.threadIdx.x, cuda.blockDim.x
    outputs, units = networks.readout.shape[1], networks.readout.shape[2]
    for k in range(outputs):
        room.partial[block, k, thread] = 0
    for j in range(thread, units, threads):
        activity = networks.bias[n]
        if j < units - 1:
            received = receive(n, j, sample, scale, samples, networks)
            activity = received if received > 0 else networks.leak[n] * received
        room.activity[block, j] = activity
        for k in range(outputs):
            weight = networks.readout[n, k, j]
            if cache >= 0:
                weight += scale * networks.readout_transient[cache, k, j]
            room.partial[block, k, thread] += activity * weight
    cuda.syncthreads()
    for k in range(thread, outputs, threads):
        total = np.float32(0)
        for other in range(threads):
            total += room.partial[block, k, other]
        room.outputs[block, k] = total
    cuda.syncthreads()


@cuda.jit(device=True)
def receive(n, j, sample, scale, samples, networks):
    """Return what unit ``j`` of network ``n`` receives."""
    inputs, offset, mask = networks.synapses.shape[1] - 1, samples.offset, networks.mask_of[n]
    total = networks.bias[n] * networks.synapses[n, inputs, j]
    plastic = np.float32(0)  # the sum of all inputs that plastic synapses bring
    if mask < 0:
        for place in range(samples.first[sample], samples.last[sample]):
            total += samples.value[place] * networks.synapses[n, samples.index[place], j]
        plastic = samples.total[sample] + np.float32(inputs) * offset
    else:
        for place in range(samples.first[sample], samples.last[sample]):
            i, x = samples.index[place], samples.value[place]
            total += x * networks.synapses[n, i, j]
            plastic += x * np.float32(networks.masks[mask, i, j])
        plastic += offset * networks.plastic_inputs[mask, j]
    if offset != 0:
        total += offset * networks.column_sums[n, j] + networks.background[n, j] * plastic
    cache = networks.cache_of[n]
    if cache >= 0:
        more = networks.bias[n] * networks.transient[cache, inputs, j]
        for place in range(samples.first[sample], samples.last[sample]):
            more += samples.value[place] * networks.transient[cache, samples.index[place], j]
        total += scale * (more + offset * networks.transient_sums[cache, j])
    return total


@cuda.jit(device=True)
def change_outputs(n, j, scale, networks, room):
    """Change the synapses that leave unit ``j``.

    Returns the error that comes back through them as they were, the number and sizes of the
    permanent changes, and by how much the sizes of the transient parts have grown.
    """
    mask, cache = networks.mask_of[n], networks.cache_of[n]
    activity = room.activity[n, j] * networks.readout_plastic[n, j]
    back, count, size, growth = np.float32(0), 0.0, 0.0, 0.0
    for k in range(networks.readout.shape[1]):
        error, weight, before = room.error[n, k], networks.readout[n, k, j], np.float32(0)
        if cache >= 0:
            before = networks.readout_transient[cache, k, j]
        back += error * (weight + scale * before)
        change = networks.rate[n] * error * activity
        if change != 0 and (mask < 0 or networks.readout_masks[mask, k, j] != 0):
            permanent, after = consolidate(before, change, scale, networks.threshold[n])
            if cache >= 0:
                networks.readout_transient[cache, k, j] = after
            growth += abs(after) - abs(before)
            networks.readout[n, k, j] = weight + permanent
            count += permanent != 0
            size += abs(permanent)
    return back, count, size, growth


@cuda.jit(device=True)
def consolidate(before, change, scale, threshold):
    """Return what becomes permanent of a transient part less ``change``, and what stays transient.

    With threshold 0, as without caching, all becomes permanent.
    """
    after = before - change / scale
    if abs(scale * after) >= threshold:
        return scale * after, np.float32(0)
    return np.float32(0), after


@cuda.jit(device=True)
def change_unit(n, j, sample, scale, samples, networks, room):
    """Change the synapses into unit ``j``, by its error.

    Returns the number and sizes of the permanent changes, and by how much the sizes of the
    transient parts have grown.
    """
    step = networks.rate[n] * room.delta[n, j]
    if step == 0:
        return 0.0, 0.0, 0.0
    if networks.selected[n] >= 0:
        return change_selected(n, j, step, scale, samples, networks, room)
    if networks.cache_of[n] >= 0:
        return cache_inputs(n, j, sample, step, scale, samples, networks)
    count, size = change_inputs(n, j, sample, step, samples, networks)
    return count, size, 0.0


@cuda.jit(device=True)
def change_selected(n, j, step, scale, samples, networks, room):
    """Change the synapses into unit ``j`` that `compete` has chosen; return as `change_unit`."""
    error, least, tie = abs(room.delta[n, j]), room.least[n, j], room.before[n, j]
    begin, wanted, ties = room.begin[n, j], room.wanted[n, j], room.ties[n, j]
    count, size, growth = 0.0, 0.0, 0.0
    for place in range(networks.tie_order.shape[1]):
        i = networks.tie_order[n, place]
        x = room.inputs[n, i]
        update = abs(x) * error
        chosen = update > least
        if update == least and update > 0:
            chosen = (tie - begin + ties) % ties < wanted
            tie += 1
        if chosen:
            permanent, more = change_input(n, i, j, x * step, scale, samples, networks)
            count += permanent != 0
            size += abs(permanent)
            growth += more
    return count, size, growth


@cuda.jit(device=True)
def change_input(n, i, j, change, scale, samples, networks):
    """Subtract ``change`` from one synapse into unit ``j``.

    Returns what became permanent, and by how much the size of the transient part has grown.
    """
    cache, permanent, growth = networks.cache_of[n], -change, np.float32(0)
    if cache >= 0:
        before = networks.transient[cache, i, j]
        permanent, after = consolidate(before, change, scale, networks.threshold[n])
        networks.transient[cache, i, j] = after
        growth = abs(after) - abs(before)
        if i < networks.synapses.shape[1] - 1:
            networks.transient_sums[cache, j] += after - before
    networks.synapses[n, i, j] += permanent
    if i < networks.synapses.shape[1] - 1:
        networks.column_sums[n, j] += permanent
    return permanent, growth


@cuda.jit(device=True)
def cache_inputs(n, j, sample, step, scale, samples, networks):
    """Subtract ``step`` times the inputs from the transient parts of the synapses into unit ``j``.

    Returns the number and sizes of what became permanent, and by how much the sizes of the
    transient parts have grown. With zero mean all inputs count.
    """
    inputs, offset, mask = networks.synapses.shape[1] - 1, samples.offset, networks.mask_of[n]
    count, size, growth = 0.0, 0.0, 0.0
    place, last = samples.first[sample], samples.last[sample]
    i = 0
    while i <= inputs:
        x = networks.bias[n]
        if offset == 0 and i < inputs:  # on to the next pixel that is not 0, or the bias
            i = np.int64(samples.index[place]) if place < last else inputs
        if i < inputs:
            x = offset
            if place < last and samples.index[place] == i:
                x += samples.value[place]
                place += 1
        if x != 0 and (mask < 0 or networks.masks[mask, i, j] != 0):
            permanent, more = change_input(n, i, j, x * step, scale, samples, networks)
            count += permanent != 0
            size += abs(permanent)
            growth += more
        i += 1
    return count, size, growth


@cuda.jit(device=True)
def change_inputs(n, j, sample, step, samples, networks):
    """Subtract ``step`` times the inputs from the synapses into unit ``j``.

    Returns the number and sizes of the changes.
    """
    inputs, offset, mask = networks.synapses.shape[1] - 1, samples.offset, networks.mask_of[n]
    bias = networks.bias[n]
    if mask < 0:
        for place in range(samples.first[sample], samples.last[sample]):
            networks.synapses[n, samples.index[place], j] -= samples.value[place] * step
        networks.synapses[n, inputs, j] -= bias * step
        if offset != 0:
            networks.column_sums[n, j] -= samples.total[sample] * step
            networks.background[n, j] -= offset * step
        count = float(samples.count[sample]) + bias
        return count, (samples.size[sample] + bias) * float(abs(step))

    # As if all pixels were 0, which counts each plastic synapse; then what the others add to it.
    count, size = 0.0, 0.0
    if offset != 0:
        count = float(networks.plastic_inputs[mask, j])
        size = float(abs(offset)) * count
    plastic = np.float32(0)
    for place in range(samples.first[sample], samples.last[sample]):
        i, x = samples.index[place], samples.value[place]
        if networks.masks[mask, i, j] != 0:
            networks.synapses[n, i, j] -= x * step
            plastic += x
            count += int(x + offset != 0) - int(offset != 0)
            size += abs(x + offset) - abs(offset)
    if networks.masks[mask, inputs, j] != 0:
        networks.synapses[n, inputs, j] -= bias * step
        count += bias
        size += bias
    if offset != 0:
        networks.column_sums[n, j] -= plastic * step
        networks.background[n, j] -= offset * step
    return count, size * float(abs(step))


@cuda.jit(device=True)
def classify(outputs):
    """Return the class: the sign of a single output, else the first of the largest."""
    if outputs.shape[0] == 1:
        return int(outputs[0] > 0)
    best = 0
    for k in range(1, outputs.shape[0]):
        if outputs[k] > outputs[best]:
            best = k
    return best


@cuda.jit(device=True)
def is_unsure(outputs, label, mistake, least):
    """Return whether the margin of a sample is below ``least``, see `lazybook.gates.Margin`."""
    margin = outputs[0] * np.float32(2 * label - 1)
    if outputs.shape[0] > 1:
        largest = np.float32(-math.inf)
        for k in range(outputs.shape[0]):
            if k != label and outputs[k] > largest:
                largest = outputs[k]
        margin = outputs[label] - largest
    return margin < least or (margin == least and mistake)


@cuda.jit(device=True)
def target(outputs, k, label):
    """Return what output ``k`` should be."""
    if outputs.shape[0] == 1:
        return np.float32(2 * label - 1)
    return np.float32(k == label)


@cuda.jit(device=True)
def output_error(outputs, k, label, loss):
    """Return the gradient of the loss by output ``k``."""
    if loss == CROSS_ENTROPY:
        largest, total = add_exponentials(outputs)
        return np.float32(math.exp(outputs[k] - largest) / total) - np.float32(k == label)
    if loss == PERCEPTRON:
        chosen = classify(outputs)
        if outputs.shape[0] == 1:
            return np.float32(chosen - label)
        return np.float32(k == chosen) - np.float32(k == label)
    error = outputs[k] - target(outputs, k, label)
    if loss == MSE:
        error *= np.float32(2 / outputs.shape[0])
    return error


@cuda.jit(device=True)
def sample_loss(outputs, label, loss):
    """Return the loss of a sample."""
    if loss == CROSS_ENTROPY:
        largest, total = add_exponentials(outputs)
        return np.float32(math.log(total)) + largest - outputs[label]
    if loss == PERCEPTRON:
        chosen = classify(outputs)
        if chosen == label:
            return np.float32(0)
        return abs(outputs[0]) if outputs.shape[0] == 1 else outputs[chosen] - outputs[label]
    squares = np.float32(0)
    for k in range(outputs.shape[0]):
        error = outputs[k] - target(outputs, k, label)
        squares += error * error
    return squares / np.float32(2 if loss == HALF_MSE else outputs.shape[0])


@cuda.jit(device=True)
def add_exponentials(outputs):
    """Return the largest output, and the sum of all exponentials of how much less they are."""
    largest, total = outputs[0], np.float32(0)
    for k in range(1, outputs.shape[0]):
        if outputs[k] > largest:
            largest = outputs[k]
    for k in range(outputs.shape[0]):
        total += np.float32(math.exp(outputs[k] - largest))
    return largest, total
