r"""How a network, its data and its rules lie in memory.

The first layer of synapses is ``[inputs + 1 + ROWS, units]``: a row for each input, one for the
bias and rows that stay zero. ``units`` is the number of hidden units and the bias unit that
follows them, rounded up to a multiple of `LANES`; the columns behind the hidden units stay zero.
Hidden units that are plastic while others are not come first. The second layer, the readout, is
transposed, ``[outputs, units]``. A perceptron has no readout: its units are its outputs.

Of the inputs only those that are not zero are stored, padded to a multiple of `ROWS` with value
0 and the indices of the spare rows, so that `ROWS` rows can always be taken together.

**Zero-mean inputs** are all different from zero, but :math:`x_i = v_i + b` with sparse :math:`v`
and one number :math:`b` for all pixels. A change by :math:`-x_i s_j` then is a change by
:math:`-v_i s_j` of the few rows with :math:`v_i \neq 0`, and one by :math:`-b s_j` of all: the
latter is kept in the vector ``background`` :math:`c`, so that the synapses are
:math:`W_{ij} = A_{ij} + c_j` (with a synapse mask, :math:`A_{ij} + M_{ij} c_j`), and

.. math:: \sum_i x_i W_{ij} = \sum_i v_i A_{ij} + b \sum_i A_{ij} + c_j \sum_i x_i .

The column sums :math:`\sum_i A_{ij}` are carried along. The background is added to the synapses
before a network is measured.

**Waiting rows.** If every sample is learned, a row of synapses that one sample changes is read
again by the next sample that has this input. Changing it only then saves one of two passes over
the row: until then ``waiting[i]`` is the input, ``wait_for[i]`` the number of the step in
``steps``, and the change due is their product. ``step_samples`` tells whose step it was.
"""

from typing import NamedTuple

import numpy as np

LOGISTIC_UNITS = np.float32(-1)  # in place of a rectifier's slope, which is 0 to 1
SLOTS = 32  # steps that rows may wait for
ROWS = 8  # rows of synapses added up in one pass over the units
LANES = 16  # float32 values in the widest vector registers

MSE, HALF_MSE, CROSS_ENTROPY, PERCEPTRON, LOGISTIC = range(5)
EVERY_SAMPLE, MISTAKES, MEMORIZED_MISTAKES, MARGIN = range(4)
# How the first layer is changed: see `changes`, `largest` and `caching`.
OUTER_PRODUCT, MASKED, LARGEST_PER_LAYER, LARGEST_PER_NEURON, CACHED, DENSE = range(6)
NOT_DRAWN, ONCE, EACH_SAMPLE, EACH_CLASS, BY_ACTIVITY, BY_ERROR = range(6)
ALL, EACH_SYNAPSE, ANY_SYNAPSE, SUM, EACH_UNIT = range(5)  # what is consolidated, and when
NO_BUFFER, EVERYTHING, ONLY_MISTAKES, RANDOM_SHARE, RESERVOIR = range(5)  # what is kept of a stream


class Data(NamedTuple):
    """Samples: ``first`` to ``last`` of ``index`` and ``value`` hold one's non-zero pixels.

    ``total`` is the sum of a sample's values; ``count`` and ``size`` are the number of inputs that
    differ from zero and the sum of their absolute values, background and bias among them.
    """

    first: np.ndarray
    last: np.ndarray
    index: np.ndarray
    value: np.ndarray
    labels: np.ndarray
    total: np.ndarray
    count: np.ndarray
    size: np.ndarray


class Pairs(NamedTuple):
    """Samples to be evaluated, two by two: see `evaluation`.

    Attributes
    ----------
    last: where the pixels of each pair end, and those of the next begin.
    index: of the pixels that are not zero in one of a pair, padded with indices of spare rows.
    value: of both samples, ``(…, 2)``.
    labels: in the order of the pairs.
    """

    last: np.ndarray
    index: np.ndarray
    value: np.ndarray
    labels: np.ndarray


class Network(NamedTuple):
    """A network. The transient parts have the shapes of the persistent ones, or (1, 1) if unused.

    ``offset`` is b above; ``scale`` multiplies all transient parts, so that decay costs nothing.
    ``highest`` and ``lowest`` are bounds of these, see `caching`. ``leak`` is the slope of the
    rectifier below 0, or `LOGISTIC_UNITS` if the units are logistic.
    """

    inputs: int
    hidden: int
    bias: np.float32
    offset: np.float32
    leak: np.float32
    synapses: np.ndarray
    readout: np.ndarray
    transient: np.ndarray
    readout_transient: np.ndarray
    scale: np.ndarray
    background: np.ndarray
    column_sums: np.ndarray
    transient_column_sums: np.ndarray
    highest: np.ndarray
    lowest: np.ndarray
    waiting: np.ndarray
    wait_for: np.ndarray
    steps: np.ndarray
    step_samples: np.ndarray


class Rules(NamedTuple):
    """The rules of an experiment, as numbers.

    Attributes
    ----------
    gate, margin: one of EVERY_SAMPLE … MARGIN, and below which margin that learns.
    change: one of OUTER_PRODUCT … DENSE.
    waits: whether rows wait with their changes.
    width: columns of the first layer that can change, a multiple of LANES.
    readout_width: columns of the readout that can change.
    unit_draw, unit_count: when the plastic units are drawn, or by what they are selected on each
        sample, and how many.
    outputs_of_units: whether only the outputs of the plastic units are plastic.
    mask_draw, p_in, p_out: of the synapse mask.
    fraction: of the largest updates that is selected, 0 for all; ``per_neuron`` or per layer.
    selected: how many synapses that is, of the layer or of each neuron, without synapse mask.
    to_outputs: fraction of the largest updates that is selected in the readout, 0 for all.
    consolidation: one of ALL … EACH_UNIT.
    threshold, kept, transient_cost: of the caching.
    extras: whether exponents, potentiation or counts of updates are to be measured.
    buffer, share: one of NO_BUFFER … RESERVOIR, and what part of a stream is kept at random.
    presentations: for each sample that arrives, one of it and others of kept ones.
    """

    loss: int
    rate: np.float32
    gate: int
    margin: np.float32
    change: int
    waits: bool
    width: int
    readout_width: int
    unit_draw: int
    unit_count: int
    outputs_of_units: bool
    mask_draw: int
    p_in: float
    p_out: float
    fraction: float
    per_neuron: bool
    selected: int
    to_outputs: float
    consolidation: int
    threshold: np.float32
    kept: float
    transient_cost: float
    extras: bool
    buffer: int
    share: float
    presentations: int
    key: np.uint64


class Masks(NamedTuple):
    """What may change.

    Attributes
    ----------
    units: plastic hidden units, ``(draws, n)``, or all units in the order of the last draw.
    names: the number of each unit before the plastic ones were brought to the front.
    places: where the unit of each number is now, the bias unit last.
    plastic: 1 for a unit whose inputs are plastic now, else 0, float32 ``(units,)``.
    synapses, readout: synapse masks, uint8, ``(draws, …)`` shaped like the layers.
    plastic_inputs: number of plastic pixels of each unit, float32 ``(units,)``.
    tie_order: see `lazybook.engines.contract.Start`.
    """

    units: np.ndarray
    names: np.ndarray
    places: np.ndarray
    plastic: np.ndarray
    synapses: np.ndarray
    readout: np.ndarray
    plastic_inputs: np.ndarray
    tie_order: np.ndarray


class Totals(NamedTuple):
    """Running totals, changed in place; see `lazybook.energy.Meter`.

    ``counters`` are samples presented, learned, arrived and kept; ``buffer`` are those kept, with
    room for the most that there can be. ``transient`` is the cost so far, and the sum
    of the sizes of all transient parts before scaling. ``diverged`` is one bool.
    """

    remembered: np.ndarray
    buffer: np.ndarray
    diverged: np.ndarray
    counters: np.ndarray
    m0: np.ndarray
    m1: np.ndarray
    m0_potentiation: np.ndarray
    m1_potentiation: np.ndarray
    exponents: np.ndarray
    m_alpha: np.ndarray
    transient: np.ndarray
    synapse_updates: np.ndarray
    readout_updates: np.ndarray


class Room(NamedTuple):
    """Room to work in.

    ``step`` is the rate times the error of the units, 0 where nothing is plastic; ``size`` the
    absolute error there. ``x`` are the inputs, the bias last, and ``x_size`` their sizes.
    ``selection``, uint8, is shaped like the first layer, or (1, 1) if unused; ``free`` is a row of
    it that allows all; ``readout_selection`` is shaped like the readout. ``largest`` and
    ``largest_readout`` are the largest transient parts, before scaling, that enter each unit and
    each output and that the sample changed; they are used where units are consolidated. What nobody
    reads goes to ``spare`` and ``more_spare``. ``level`` to ``counts`` are as in `largest`, where
    ``rows`` are those changed together; ``guess`` is the last threshold found there, in comparison
    with the mean update.
    """

    sums: np.ndarray
    more_sums: np.ndarray
    mask_sums: np.ndarray
    activity: np.ndarray
    plastic_activity: np.ndarray
    hidden_error: np.ndarray
    step: np.ndarray
    size: np.ndarray
    spare: np.ndarray
    more_spare: np.ndarray
    largest: np.ndarray
    largest_readout: np.ndarray
    free: np.ndarray
    outputs: np.ndarray
    more_outputs: np.ndarray
    error: np.ndarray
    readout_step: np.ndarray
    x: np.ndarray
    x_size: np.ndarray
    level: np.ndarray
    many: np.ndarray
    where: np.ndarray
    place: np.ndarray
    distinct: np.ndarray
    passed: np.ndarray
    chosen: np.ndarray
    chosen_size: np.ndarray
    reach: np.ndarray
    low_reach: np.ndarray
    new_reach: np.ndarray
    reached: np.ndarray
    sizes: np.ndarray
    order: np.ndarray
    spare_order: np.ndarray
    rows: np.ndarray
    tied: np.ndarray
    counts: np.ndarray
    selection: np.ndarray
    readout_selection: np.ndarray
    guess: np.ndarray
    one: np.ndarray
