"""The loop over the samples: present one, and learn it or not."""

import numpy as np

from lazybook.engines.kernels.buffering import keep, recall
from lazybook.engines.kernels.caching import (
    change_cached,
    change_cached_row,
    consolidate_all,
    consolidate_units,
    settle,
)
from lazybook.engines.kernels.changes import (
    change_all,
    change_masked,
    change_row,
    change_row_now,
    readout_outer_product,
)
from lazybook.engines.kernels.largest import (
    change_largest_per_layer,
    change_largest_per_neuron,
    select,
    spread,
)
from lazybook.engines.kernels.layers import (
    activate,
    add_back,
    add_background,
    add_read_out,
    add_rows,
    classify,
    copy,
    fill,
    margin,
    multiply_slope,
    output_error,
    receive,
    sum_columns,
    sum_squares,
)
from lazybook.engines.kernels.layout import (
    ALL,
    ANY_SYNAPSE,
    BY_ACTIVITY,
    BY_ERROR,
    CACHED,
    DENSE,
    EACH_CLASS,
    EACH_SAMPLE,
    EACH_UNIT,
    EVERY_SAMPLE,
    LARGEST_PER_LAYER,
    LARGEST_PER_NEURON,
    MARGIN,
    MASKED,
    MEMORIZED_MISTAKES,
    MISTAKES,
    NO_BUFFER,
    NOT_DRAWN,
    OUTER_PRODUCT,
    SUM,
)
from lazybook.support.compiling import allocating, compiled, inlined, inner
from lazybook.support.randomness import TO_OUTPUTS, draw_mask, noise, shuffle


def learning(change_inputs):
    """Return the loop over the samples, with this way of changing the first layer.

    Each way is compiled with a loop of its own: nobody waits for those that are not used.
    """

    def learn(samples, data, network, rules, masks, totals, room):
        """Present ``samples`` one after another, and learn those that the gate lets through.

        Where there is a buffer they are those of a stream that arrive, and kept ones follow each.
        """
        begin(network, rules, totals)
        for turn in range(len(samples) * rules.presentations):
            arrives = turn % rules.presentations == 0
            if arrives:
                sample = samples[turn // rules.presentations]
            elif totals.counters[3] == 0:  # nothing is kept yet
                continue
            else:
                sample = recall(rules, totals)
            label, presented = data.labels[sample], totals.counters[0]
            if rules.kept != 1:
                network.scale[0] *= rules.kept
                if network.scale[0] < 1e-20:
                    settle(network, totals)
            forward(data, sample, network, rules, masks, room)
            if not np.isfinite(sum_squares(room.outputs)):
                totals.diverged[0] = True
                break
            totals.counters[0] += 1

            mistake = classify(room.outputs) != label
            if rules.gate == MEMORIZED_MISTAKES:
                totals.remembered[sample] |= mistake
            if (
                rules.gate == EVERY_SAMPLE
                or (rules.gate == MISTAKES and mistake)
                or (rules.gate == MEMORIZED_MISTAKES and totals.remembered[sample])
                or (rules.gate == MARGIN and is_unsure(room.outputs, label, mistake, rules))
            ):
                output_error(room.outputs, label, rules.loss, room.error)
                backward(network, rules, room)
                restrict(network, rules, masks, label, presented, room)
                change_readout(network, rules, masks, label, presented, totals, room)
                change_inputs(data, sample, network, rules, masks, label, presented, totals, room)
                consolidate(network, rules, totals, room)
                totals.counters[1] += 1
            elif rules.unit_draw == EACH_SAMPLE:
                shuffle(masks.units[0], rules.unit_count, rules.key, presented)
            totals.transient[0] += rules.transient_cost * network.scale[0] * totals.transient[1]
            if arrives and rules.buffer != NO_BUFFER:
                keep(sample, mistake, presented, rules, totals)
        end(network, rules, masks)

    # What is compiled is known by its name.
    learn.__qualname__ = f"learn_and_{change_inputs.__name__}"
    return compiled(learn)


@inlined
def is_unsure(outputs, label, mistake, rules):
    """Return whether the margin is too small, see `lazybook.gates.Margin`."""
    found = margin(outputs, label)
    return found < rules.margin or (found == rules.margin and mistake)


@inner
def begin(network, rules, totals):
    """Add up what is carried along; it starts exact."""
    if network.offset != 0:
        sum_columns(network.synapses, network.inputs, network.column_sums)
    if rules.consolidation != ALL:
        settle(network, totals)


@inner
def end(network, rules, masks):
    """Change the rows that still wait, and add the background to what it stands for."""
    for i in range(network.inputs):
        if network.waiting[i] != 0:
            change_row_now(network, i)
    fill(network.step_samples, -1)
    if network.offset != 0 and rules.change == MASKED:
        for i in range(network.inputs):
            row, allowed = network.synapses[i], masks.synapses[0, i]
            for j in range(row.shape[0]):
                row[j] += np.float32(allowed[j]) * network.background[j]
        fill(network.background, 0)
    elif network.offset != 0:
        changed = network.transient if rules.change == CACHED else network.synapses
        add_background(changed, network)


@inlined
def forward(data, sample, network, rules, masks, room):
    """Set the outputs, and what the units receive and do, for a sample."""
    sums, background = room.sums, network.background
    receive(data, sample, network, network.synapses, network.column_sums, rules.waits, sums)
    if network.offset != 0 and rules.change == MASKED:
        fill(room.mask_sums, 0)
        add_rows(
            masks.synapses[0], data.index, data.value, data.first[sample], data.last[sample],
            room.mask_sums,
        )  # fmt: skip
        for j in range(sums.shape[0]):
            plastic = room.mask_sums[j] + network.offset * masks.plastic_inputs[j]
            sums[j] += background[j] * plastic
    all_inputs = data.total[sample] + network.inputs * network.offset
    if network.offset != 0 and rules.change not in (MASKED, CACHED, DENSE):
        for j in range(sums.shape[0]):
            sums[j] += background[j] * all_inputs
    scale = np.float32(network.scale[0])
    if rules.consolidation != ALL:
        more = room.more_sums
        receive(
            data, sample, network, network.transient, network.transient_column_sums, False, more
        )
        for j in range(sums.shape[0]):
            sums[j] += scale * (more[j] + background[j] * all_inputs)
    if network.hidden:
        activate(sums, network.leak, network.hidden, network.bias, room.activity)
        fill(room.outputs, 0)
        add_read_out(network.readout, room.activity, room.outputs)
        if rules.consolidation != ALL:
            fill(room.more_outputs, 0)
            add_read_out(network.readout_transient, room.activity, room.more_outputs)
            for o in range(room.outputs.shape[0]):
                room.outputs[o] += scale * room.more_outputs[o]
    else:
        for o in range(room.outputs.shape[0]):
            room.outputs[o] = sums[o]


@inlined
def backward(network, rules, room):
    """Set the error of the units, the gradient of the loss by what they receive."""
    if network.hidden == 0:
        copy(room.error, room.hidden_error)
        return
    fill(room.hidden_error, 0)
    add_back(network.readout, room.error, np.float32(1), room.hidden_error)
    if rules.consolidation != ALL:
        scale = np.float32(network.scale[0])
        add_back(network.readout_transient, room.error, scale, room.hidden_error)
    multiply_slope(room.sums, room.activity, network.leak, network.hidden, room.hidden_error)


@inlined
def restrict(network, rules, masks, label, presented, room):
    """Set the steps, 0 for units that are not plastic now."""
    if rules.unit_draw == EACH_SAMPLE or rules.unit_draw == EACH_CLASS:
        units = masks.units[label if rules.unit_draw == EACH_CLASS else 0]
        if rules.unit_draw == EACH_SAMPLE:
            shuffle(units, rules.unit_count, rules.key, presented)
        fill(masks.plastic, 0)
        for j in units[: rules.unit_count]:
            masks.plastic[j] = 1
    for j in range(rules.width):
        room.size[j] = abs(room.hidden_error[j])
    if rules.unit_draw == BY_ACTIVITY or rules.unit_draw == BY_ERROR:
        strength = room.activity if rules.unit_draw == BY_ACTIVITY else room.size
        select_neurons(strength[: network.hidden], rules.unit_count, masks.plastic)
    for j in range(rules.width):
        room.size[j] *= masks.plastic[j]
        room.step[j] = rules.rate * room.hidden_error[j] * masks.plastic[j]
    for o in range(room.error.shape[0]):
        room.readout_step[o] = rules.rate * room.error[o]
    if network.hidden and rules.outputs_of_units:
        for j in range(rules.readout_width):
            room.plastic_activity[j] = room.activity[j] * masks.plastic[j]
    else:
        copy(room.activity, room.plastic_activity)


@allocating
def select_neurons(strength, number, plastic):
    """Set ``plastic`` to 1 for the units of the largest ``strength``, of equal ones the first."""
    place = strength.shape[0] - number
    least = np.partition(strength, place)[place]
    fill(plastic, 0)
    for j in range(strength.shape[0]):
        if strength[j] > least:
            plastic[j] = 1
            number -= 1
    for j in range(strength.shape[0]):
        if strength[j] == least and number > 0:
            plastic[j] = 1
            number -= 1


@inlined
def change_readout(network, rules, masks, label, presented, totals, room):
    """Change the second layer."""
    if network.hidden == 0:
        return
    activity = room.plastic_activity[: rules.readout_width]
    whole = rules.mask_draw == NOT_DRAWN and rules.to_outputs == 0
    if rules.change not in (CACHED, DENSE) and whole:
        readout_outer_product(network, activity, room.readout_step, totals)
        return
    draw = label if rules.mask_draw == EACH_CLASS else 0
    if rules.mask_draw == EACH_SAMPLE:
        draw_readout(network, rules, masks, presented)
    if rules.to_outputs > 0:
        select_to_outputs(network, rules, masks, draw, presented, room)
    scale = np.float32(network.scale[0])
    for o in range(room.error.shape[0]):
        row, x = network.readout[o], room.readout_step[o]
        if rules.to_outputs > 0:
            allowed = room.readout_selection[o]
        else:
            allowed = room.free if whole else masks.readout[draw, o]
        updates = totals.readout_updates[min(o, len(totals.readout_updates) - 1)]
        if rules.consolidation == ALL:
            change_row(1, x, activity, allowed, row, updates, rules, totals)
        else:
            change_cached_row(
                1, x, activity, allowed, row, network.readout_transient[o], room.spare,
                room.more_spare, updates, rules, scale, totals,
            )  # fmt: skip
            if rules.consolidation == EACH_UNIT:
                for part in network.readout_transient[o]:
                    room.largest_readout[o] = max(room.largest_readout[o], abs(part))


@allocating
def draw_readout(network, rules, masks, presented):
    """Draw the mask of the second layer anew."""
    whole = np.empty((network.hidden + int(network.bias), masks.readout.shape[1]), np.bool_)
    draw_mask(whole, rules.p_out, 1, rules.key, presented)
    for j in range(whole.shape[0]):
        for o in range(whole.shape[1]):
            masks.readout[0, o, j] = whole[masks.names[j], o]


@allocating
def select_to_outputs(network, rules, masks, draw, presented, room):
    """Set ``room.readout_selection`` to the synapses of the second layer that may change now."""
    selection, places = room.readout_selection, masks.places
    sizes = np.empty((selection.shape[0], places.shape[0]), np.float32)
    plastic = 0
    for o in range(sizes.shape[0]):
        fill(selection[o], 0)
        for n in range(sizes.shape[1]):
            j = places[n]
            free = not rules.outputs_of_units or masks.plastic[j] != 0
            if rules.mask_draw != NOT_DRAWN:
                free = free and masks.readout[draw, o, j] != 0
            plastic += free
            sizes[o, n] = abs(room.activity[j]) * abs(room.error[o]) * np.float32(free)
    number = max(1, round(rules.to_outputs * plastic))
    last = np.partition(sizes.ravel(), sizes.size - number)[sizes.size - number]
    tied, left = 0, number
    for size in sizes.flat:
        tied += size == last
        left -= size > last
    if last == 0:  # an update of 0 is none
        tied, left = 1, 0
    # Those that tie take turns, see `lazybook.restrictions.largest`.
    begin, rank = np.int64(noise(rules.key, presented, TO_OUTPUTS) % np.uint64(tied)), 0
    for o in range(sizes.shape[0]):
        for n in range(sizes.shape[1]):
            size = sizes[o, n]
            chosen = size > last
            if size == last and last > 0:
                chosen = (rank - begin) % tied < left
                rank += 1
            selection[o, places[n]] = chosen


@inlined
def change_dense(data, sample, network, rules, masks, label, presented, totals, room):
    """Change the first layer synapse by synapse."""
    step, scale = room.step[: rules.width], np.float32(network.scale[0])
    spread(data, sample, network, room.x, room.x_size)
    whole = rules.mask_draw == NOT_DRAWN and rules.fraction == 0
    if not whole:
        draw_selection(network, rules, masks, label, presented, room)
        if rules.fraction > 0:
            select(data, sample, network, rules, masks, presented, room)
    for i in range(room.x.shape[0]):
        x, row = room.x[i], network.synapses[i]
        if x == 0:
            continue
        allowed = room.free if whole else room.selection[i]
        updates = totals.synapse_updates[min(i, len(totals.synapse_updates) - 1)]
        if rules.consolidation != ALL:
            inside = network.offset != 0 and i < network.inputs
            change_cached_row(
                0, x, step, allowed, row, network.transient[i],
                network.column_sums if inside else room.spare,
                network.transient_column_sums if inside else room.more_spare,
                updates, rules, scale, totals,
            )  # fmt: skip
            if rules.consolidation == EACH_UNIT:
                parts = network.transient[i]
                for j in range(parts.shape[0]):
                    room.largest[j] = max(room.largest[j], abs(parts[j]))
        else:
            change_row(0, x, step, allowed, row, updates, rules, totals)
    if network.offset != 0 and rules.consolidation == ALL:
        sum_columns(network.synapses, network.inputs, network.column_sums)


@allocating
def draw_selection(network, rules, masks, label, presented, room):
    """Set ``room.selection`` to the synapses of the first layer that may change now."""
    selection = room.selection
    if rules.mask_draw == NOT_DRAWN:
        for i in range(selection.shape[0]):
            fill(selection[i], 1)
    elif rules.mask_draw == EACH_SAMPLE:
        units = network.hidden or room.error.shape[0]
        whole = np.empty((room.x.shape[0] - int(network.bias == 0), units), np.bool_)
        draw_mask(whole, rules.p_in, 0, rules.key, presented)
        for i in range(whole.shape[0]):
            fill(selection[i], 0)
            for j in range(units):
                selection[i, j] = whole[i, masks.names[j]]
    else:
        drawn = masks.synapses[label if rules.mask_draw == EACH_CLASS else 0]
        for i in range(selection.shape[0]):
            for j in range(selection.shape[1]):
                selection[i, j] = drawn[i, j]
    if rules.fraction > 0:
        for i in range(selection.shape[0]):
            for j in range(rules.width):
                selection[i, j] &= masks.plastic[j] != 0


@inlined
def consolidate(network, rules, totals, room):
    """Make everything permanent, or all that enters some units, if the caching says so."""
    scale = np.float32(network.scale[0])
    if rules.consolidation == EACH_UNIT:
        consolidate_units(network, scale, rules, totals, room)
    reached = (
        rules.consolidation == ANY_SYNAPSE and scale * totals.transient[2] >= rules.threshold
    ) or (rules.consolidation == SUM and scale * totals.transient[1] >= rules.threshold)
    totals.transient[2] = 0
    if reached:
        consolidate_all(
            0, network.synapses, network.transient, scale, totals.synapse_updates, rules, totals
        )
        if network.hidden:
            consolidate_all(
                1, network.readout, network.readout_transient, scale, totals.readout_updates,
                rules, totals,
            )  # fmt: skip
        totals.transient[1] = 0
        if network.offset != 0:
            sum_columns(network.synapses, network.inputs, network.column_sums)
            fill(network.transient_column_sums, 0)


LEARN = {
    OUTER_PRODUCT: learning(change_all),
    MASKED: learning(change_masked),
    LARGEST_PER_LAYER: learning(change_largest_per_layer),
    LARGEST_PER_NEURON: learning(change_largest_per_neuron),
    CACHED: learning(change_cached),
    DENSE: learning(change_dense),
}
