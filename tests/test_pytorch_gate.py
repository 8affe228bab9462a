"""The gate for anyone's own loop: what it lets through, remembers, counts and refuses."""

import copy
import io
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, one_hot

from lazybook.errors import InvalidValue
from lazybook.gates import EverySample, Margin, MemorizedMistakes, Mistakes
from lazybook.networks import classify
from lazybook.pytorch import Gate, ranks
from lazybook.pytorch.judging import PLACES

RIGHT, WRONG = [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]  # outputs for a sample of class 0
RULES = (EverySample(), Mistakes(), MemorizedMistakes(), Margin(0.5))


def present(gate: Gate, answers: dict[int, list[float]]) -> list[int]:
    """Return which of the samples of class 0 with these outputs are learned."""
    indices = torch.tensor(list(answers))
    labels = torch.zeros(len(answers), dtype=torch.int64)
    return indices[gate(torch.tensor(list(answers.values())), labels, indices)].tolist()


def state(gate: Gate) -> list:
    return [buffer.tolist() for buffer in gate.state_dict().values()]


@pytest.mark.parametrize(
    ("rule", "first", "second", "remembered"),
    [
        (EverySample(), [7, 2, 5], [5, 2, 0], []),
        (Mistakes(), [2], [5], []),
        (MemorizedMistakes(), [2], [5, 2], [2, 5]),
        (Margin(-0.5), [2], [5], []),
        (Margin(2), [7, 2, 5], [5, 2, 0], []),
        (lambda mistake, remembered, margin, loss: mistake | remembered, [2], [5, 2], [2, 5]),
        (lambda mistake, remembered, margin, loss: margin < 2, [7, 2, 5], [5, 2, 0], [2, 5]),
        (lambda mistake, remembered, margin, loss: loss > 1, [2], [5], [2, 5]),
    ],
)
def test_a_gate_learns_and_remembers_what_its_rule_says(rule, first, second, remembered):
    gate = Gate(rule, samples=8)
    assert present(gate, {7: RIGHT, 2: WRONG, 5: RIGHT}) == first
    assert present(gate, {5: WRONG, 2: RIGHT, 0: RIGHT}) == second
    assert gate.updates == len(first) + len(second)
    assert gate.presented == 6
    assert gate.remembered.nonzero()[:, 0].tolist() == remembered


@pytest.mark.parametrize("outputs", [[RIGHT, WRONG], [WRONG, RIGHT]])
def test_a_sample_that_is_twice_in_a_batch_is_remembered_for_one_mistake(outputs):
    gate = Gate(MemorizedMistakes(), samples=5)
    gate(torch.tensor(outputs), torch.tensor([0, 0]), torch.tensor([3, 3]))
    assert gate.remembered.tolist() == [False, False, False, True, False]
    assert gate.updates == 1


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("shape", [(64,), (64, 1)])
def test_a_single_output_answers_with_its_sign(rule, shape):
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(64, generator=generator), torch.arange(64) % 2
    mistakes = (logits > 0).long() != labels
    found = Gate(rule, samples=64)(logits.view(shape), labels, torch.arange(64))
    margin = [logits.abs().where(~mistakes, -logits.abs())] if rule == Margin(0.5) else []
    assert found.tolist() == rule.learns(mistakes, False, *margin).tolist()


@pytest.mark.parametrize("kind", [torch.uint8, torch.int16, torch.int32, torch.int64])
@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16, torch.float64])
def test_any_kind_of_number_will_do(kind, precision):
    labels, indices = torch.tensor([2, 1, 0], dtype=kind), torch.tensor([200, 3, 4], dtype=kind)
    gate = Gate(MemorizedMistakes(), samples=256)
    outputs = torch.eye(3, dtype=precision, requires_grad=True)
    assert gate(outputs, labels, indices).tolist() == [True, False, True]
    assert gate.remembered.nonzero()[:, 0].tolist() == [4, 200]
    assert gate(outputs[:0], labels[:0], indices[:0]).tolist() == []


def test_in_eval_nothing_is_judged():
    gate = Gate(EverySample(), samples=4).eval()
    outputs, indices = torch.eye(3), torch.tensor([70, 80, 90])  # of other samples than it knows
    assert gate(outputs, torch.tensor([2, 2, 2]), indices).tolist() == [False] * 3
    assert gate.presented == gate.updates == 0
    assert gate.train()(outputs, torch.arange(3), torch.arange(3)).all()


@pytest.mark.parametrize("rule", RULES)
def test_what_is_to_be_ignored_is_neither_learned_nor_remembered_nor_counted(rule):
    gate, labels = Gate(rule, 4), torch.tensor([-100, 0, 1, -100])
    outputs = torch.eye(3)[[0, 0, 2, 2]]
    outputs[0] = torch.nan  # nobody looks at it
    learned = gate(outputs, labels, torch.arange(4))
    assert not learned[[0, 3]].any()
    assert gate.presented == 2
    assert gate.updates == learned.sum()
    assert not gate.remembered[[0, 3]].any()
    told = Gate(rule, 4, ignore_index=2)
    assert not told(torch.eye(3)[:2], torch.tensor([2, 2]), torch.arange(2)).any()


@pytest.mark.parametrize(
    ("places", "learned"),
    [("any", [1, 1, 1, 1, 0, 0]), ("most", [0, 0, 1, 1, 0, 0]), ("all", [0, 0, 0, 1, 0, 0])],
)
@pytest.mark.parametrize("layout", ["tokens", "maps", "binary"])
def test_a_sample_of_several_places_is_judged_as_the_caller_chose(places, learned, layout):
    wrong = torch.tensor([[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1], [0] * 4, [0] * 4])
    labels = torch.zeros(6, 4, dtype=torch.int64)
    labels[3, 1:] = labels[4, 0] = labels[5] = -100  # the last has none left
    outputs = wrong - 0.5 if layout == "binary" else one_hot(wrong, 3).float()
    if layout == "maps":
        outputs, labels = outputs.movedim(-1, 1).reshape(6, 3, 2, 2), labels.reshape(6, 2, 2)
    gate = Gate(MemorizedMistakes(), 6, places=places)
    assert gate(outputs, labels, torch.arange(6)).int().tolist() == learned
    assert gate.remembered.int().tolist() == learned
    assert gate.presented == 5
    zero = Gate(Margin(0), 6, places=places)
    assert zero(outputs, labels, torch.arange(6)).int().tolist() == learned


@pytest.mark.parametrize(
    ("shape", "labelled", "options"),
    [
        ((300, 3), (300,), {}),
        ((300, 1), (300,), {}),
        ((300, 3), (300, 3), {"soft_labels": True}),
        ((300,), (300,), {"soft_labels": True}),
        *(((300, 4, 3), (300, 4), {"places": places}) for places in PLACES),
        *(((300, 4), (300, 4), {"places": places}) for places in PLACES),
    ],
)
def test_a_margin_of_0_is_a_mistake_to_the_last_tie(shape, labelled, options):
    """Outputs, and weights of classes, are few different numbers, infinite ones among them."""
    generator = torch.Generator().manual_seed(4)
    choice = torch.tensor([-torch.inf, -1.0, 0.0, 1.0, torch.inf])
    outputs = choice[torch.randint(5, shape, generator=generator)]
    labels = torch.randint(3 if shape[-1] == 3 else 2, labelled, generator=generator)
    labels = labels / 2 if "soft_labels" in options else labels
    pure, margin = (Gate(rule, 300, **options) for rule in (Mistakes(), Margin(0)))
    expected = pure(outputs, labels, torch.arange(300))
    assert margin(outputs, labels, torch.arange(300)).tolist() == expected.tolist()
    assert 0 < expected.sum() < 300


def test_where_the_classes_are_has_to_be_clear():
    outputs, labels = torch.randn(2, 5, 5), torch.randint(5, (2, 5))
    gate = Gate(Mistakes(), 2, places="any")
    with pytest.raises(InvalidValue, match="last and second"):
        gate(outputs, labels, torch.arange(2))
    last = gate(outputs[:, None], labels[:, None], torch.arange(2))
    assert last.tolist() == (outputs.argmax(-1) != labels).any(1).tolist()
    second = gate(outputs[..., None], labels[..., None], torch.arange(2))
    assert second.tolist() == (outputs.argmax(1) != labels).any(1).tolist()


def test_soft_labels_are_read_by_their_largest():
    gate = Gate(Mistakes(), 8, soft_labels=True)
    soft = torch.tensor([[0.2, 0.7, 0.1], [0.2, 0.7, 0.1], [0.5, 0.5, 0.0], [0.0, 0.5, 0.5]])
    answers = torch.eye(3)[[1, 0, 1, 0]]
    assert gate(answers, soft, torch.arange(4)).tolist() == [False, True, False, True]
    assert gate(torch.eye(3), one_hot(torch.tensor([0, 2, 2])), torch.arange(3)).tolist() == [
        False, True, False,
    ]  # fmt: skip
    logits, weights = torch.tensor([-1.0, 1.0, -1.0, 1.0]), torch.tensor([0.1, 0.2, 0.9, 0.5])
    for shape in ((4,), (4, 1)):
        found = gate(logits.view(shape), weights.view(shape), torch.arange(4))
        assert found.tolist() == [False, True, True, False]


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_rule_is_given_margins_and_losses(precision):
    generator = torch.Generator().manual_seed(1)
    seen = {}

    def rule(mistake, remembered, margin, loss):
        seen.update(mistake=mistake, remembered=remembered, margin=margin, loss=loss)
        return margin < 0.5

    outputs = torch.randn(20, 4, generator=generator).to(precision)
    labels, gate = torch.arange(20) % 4, Gate(rule, 20)
    learned = gate(outputs, labels, torch.arange(20))
    mistake = classify(outputs) != labels
    torch.testing.assert_close(seen["mistake"], mistake)
    torch.testing.assert_close(
        seen["loss"], cross_entropy(outputs.float(), labels, reduction="none")
    )
    assert ((seen["margin"] < 0) == mistake).all()
    rows = outputs.float().tolist()
    for row, label, margin in zip(rows, labels.tolist(), seen["margin"].tolist(), strict=True):
        assert margin == pytest.approx(row.pop(label) - max(row), abs=1e-6)
    assert learned.tolist() == (seen["margin"] < 0.5).tolist()
    gate(outputs, labels, torch.arange(20), losses=torch.arange(20.0))
    assert seen["loss"].tolist() == list(range(20))
    assert seen["remembered"].tolist() == mistake.tolist()

    binary, targets = outputs[:, 0], labels % 2
    gate(binary, targets, torch.arange(20))
    torch.testing.assert_close(
        seen["loss"],
        binary_cross_entropy_with_logits(binary.float(), targets.float(), reduction="none"),
    )
    torch.testing.assert_close(seen["margin"], binary.float() * (2 * targets - 1))


@pytest.mark.parametrize("places", PLACES)
def test_margin_and_loss_of_several_places(places):
    """The margin is that of the place that decides whether the sample is a mistake."""
    seen = {}

    def rule(mistake, remembered, margin, loss):
        seen.update(margin=margin, loss=loss)
        return mistake

    outputs = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(2))
    labels = torch.randint(4, (3, 5), generator=torch.Generator().manual_seed(3))
    labels[0, :3] = -100
    Gate(rule, 3, places=places)(outputs, labels, torch.arange(3))
    for sample in range(3):
        kept = labels[sample] != -100
        alone = Gate(rule, 5)
        whole = seen["margin"][sample].item(), seen["loss"][sample].item()
        seen, before = {}, seen
        alone(outputs[sample][kept], labels[sample][kept], torch.arange(int(kept.sum())))
        rank = {"any": 0, "most": int(kept.sum()) // 2, "all": -1}[places]
        margin = sorted(seen["margin"].tolist())[rank]
        assert whole == pytest.approx((margin, seen["loss"].mean().item()))
        seen = before


@pytest.mark.parametrize(
    "rule",
    [
        MemorizedMistakes, "memorized-mistakes", None, 1, bool, nn.Linear,
        lambda mistake: mistake, lambda a, b, c, d, e: a,
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused_when_the_gate_is_made(rule):
    with pytest.raises(InvalidValue, match=r"^rule is .*MemorizedMistakes"):
        Gate(rule, 4)


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"samples": 0}, "samples"),
        ({"samples": True}, "samples"),
        ({"samples": 2.0}, "samples"),
        ({"samples": torch.ones(3)}, "samples"),
        ({"places": "some"}, "places is 'some'"),
        ({"places": True}, "places is True"),
        ({"ignore_index": None}, "ignore_index"),
        ({"soft_labels": 1}, "soft_labels is 1"),
        ({"soft_labels": True, "places": "any"}, "soft_labels is for one label"),
    ],
)
def test_settings_that_mean_nothing_are_refused(values, part):
    with pytest.raises(InvalidValue, match=part):
        Gate(**{"rule": Mistakes(), "samples": 4} | values)


OUTPUTS = torch.eye(4)
LABELS, INDICES = torch.tensor([1, 2, 3, 0]), torch.arange(4)
NAN = OUTPUTS.clone()
NAN[2, 1] = torch.nan
BAD = {
    "labels (n, 1)": (OUTPUTS, LABELS[:, None], INDICES),
    "one-hot labels": (OUTPUTS, torch.eye(4), INDICES),
    "one-hot whole labels": (OUTPUTS, torch.eye(4).long(), INDICES),
    "soft labels": (torch.randn(4, 2), torch.rand(4, 2), INDICES),
    "float labels": (OUTPUTS, LABELS.float(), INDICES),
    "float labels of one output": (OUTPUTS[:, 0], (LABELS % 2).float(), INDICES),
    "labels of truth values": (OUTPUTS, LABELS > 1, INDICES),
    "labels 1 and -1": (OUTPUTS[:, 0], torch.tensor([1, -1, 1, -1]), INDICES),
    "a class that is not there": (OUTPUTS, LABELS + 1, INDICES),
    "a class below 0": (OUTPUTS, LABELS - 1, INDICES),
    "a class beyond a byte": (OUTPUTS, torch.tensor([1, 156, 0, 0], dtype=torch.uint8), INDICES),
    "fewer labels": (OUTPUTS, LABELS[:1], INDICES),
    "one label": (OUTPUTS, LABELS[0], INDICES),
    "more labels": (OUTPUTS[:2], LABELS, INDICES),
    "a list of labels": (OUTPUTS, LABELS.tolist(), INDICES),
    "labels elsewhere": (OUTPUTS, LABELS.to("meta"), INDICES),
    "outputs of one sample, squeezed": (OUTPUTS[0], LABELS[:1], INDICES[:1]),
    "one output for all": (OUTPUTS[0, 0], LABELS[0], INDICES[0]),
    "no classes": (OUTPUTS[:, :0], LABELS, INDICES),
    "tokens": (torch.randn(4, 4, 5), torch.randint(5, (4, 4)), INDICES),
    "images": (torch.randn(4, 3, 8, 8), torch.randint(3, (4, 8, 8)), INDICES),
    "predictions": (LABELS, LABELS % 2, INDICES),
    "truth values": (OUTPUTS > 0, LABELS, INDICES),
    "complex outputs": (OUTPUTS + 0j, LABELS, INDICES),
    "outputs that are nan": (NAN, LABELS, INDICES),
    "a tuple of outputs": ((OUTPUTS,), LABELS, INDICES),
    "outputs without values": (OUTPUTS.to("meta"), LABELS.to("meta"), INDICES),
    "an index below 0": (OUTPUTS, LABELS, INDICES - 1),
    "an index beyond the samples": (OUTPUTS, LABELS, INDICES + 1),
    "float indices": (OUTPUTS, LABELS, INDICES.float()),
    "a mask for indices": (OUTPUTS, LABELS, torch.ones(4, dtype=torch.bool)),
    "a mask of bytes": (OUTPUTS, LABELS, torch.full((4,), 255, dtype=torch.uint8)),
    "indices (n, 1)": (OUTPUTS, LABELS, INDICES[:, None]),
    "one index": (OUTPUTS, LABELS, INDICES[:1]),
    "an index alone": (OUTPUTS, LABELS, INDICES[0]),
    "an int": (OUTPUTS, LABELS, 0),
    "indices without values": (OUTPUTS, LABELS, INDICES.to("meta")),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("what", BAD)
def test_what_does_not_belong_together_is_refused_before_anything_is_remembered(what, rule):
    gate = Gate(rule, samples=4)
    before = state(gate)
    with pytest.raises(InvalidValue) as caught:
        gate(*BAD[what])
    assert "\n" not in str(caught.value)
    assert state(gate) == before
    gate(OUTPUTS, LABELS, INDICES)  # and it goes on


@pytest.mark.parametrize(
    ("places", "outputs", "labels"),
    [
        ("any", torch.randn(4, 4, 5), torch.randint(5, (4, 3))),
        ("any", torch.randn(4, 4, 5), torch.rand(4, 4)),
        ("any", torch.randn(4, 3, 8, 8), torch.randint(3, (4, 8, 7))),
        ("any", torch.randn(4, 3, 8, 8), torch.randint(3, (4, 1, 8, 8))),
        (None, torch.randn(4, 3), torch.full((4, 3), -0.1)),
        (None, torch.randn(4, 3), torch.full((4, 3), torch.nan)),
        (None, torch.randn(4), torch.full((4,), 1.1)),
        (None, torch.randn(4, 3), LABELS),
        (None, torch.randn(4, 3, 2), torch.rand(4, 3, 2)),
    ],
)
def test_what_the_caller_chose_has_to_fit_too(places, outputs, labels):
    gate = Gate(EverySample(), 4, places=places, soft_labels=places is None)
    with pytest.raises(InvalidValue):
        gate(outputs, labels, INDICES)
    assert gate.presented == 0


@pytest.mark.parametrize(
    "answer",
    [None, True, OUTPUTS, LABELS, torch.ones(4), torch.ones(4, 1) > 0, torch.ones(3) > 0],
)
def test_a_rule_that_answers_with_something_else_is_refused(answer):
    gate = Gate(lambda mistake, remembered, margin, loss: answer, 4)
    with pytest.raises(InvalidValue, match="bool tensor of shape"):
        gate(OUTPUTS, LABELS, INDICES)
    assert gate.presented == gate.updates == gate.remembered.sum() == 0


@pytest.mark.parametrize("losses", [1.0, torch.ones(3), torch.ones(4, 1), torch.tensor(1.0)])
def test_losses_of_another_number_of_samples_are_refused(losses):
    gate = Gate(lambda mistake, remembered, margin, loss: loss > 1, 4)
    with pytest.raises(InvalidValue, match="losses are"):
        gate(OUTPUTS, LABELS, INDICES, losses=losses)
    assert gate.presented == 0


def test_a_gate_is_saved_and_loaded_as_any_module():
    gate = Gate(MemorizedMistakes(), samples=8)
    present(gate, {7: RIGHT, 2: WRONG, 5: RIGHT})
    file = io.BytesIO()
    torch.save(gate.state_dict(), file)
    file.seek(0)
    other = Gate(MemorizedMistakes(), samples=8)
    other.load_state_dict(torch.load(file))
    for each in (other, copy.deepcopy(gate), nn.ModuleList([gate]).half()[0]):
        assert state(each) == state(gate) == [gate.remembered.tolist(), 3, 1]
        assert each.remembered.dtype == torch.bool
    with pytest.raises(RuntimeError, match="size mismatch"):
        Gate(MemorizedMistakes(), samples=9).load_state_dict(gate.state_dict())


def test_what_is_not_learned_adds_nothing_to_the_gradient():
    torch.manual_seed(0)
    inputs, labels, network = torch.randn(12, 6), torch.randint(3, (12,)), nn.Linear(6, 3)
    outputs = network(inputs)
    learned = Gate(Mistakes(), samples=12)(outputs, labels, torch.arange(12))
    assert 0 < learned.sum() < 12
    (cross_entropy(outputs[learned], labels[learned], reduction="sum") / 12).backward()
    found = network.weight.grad.clone()
    network.zero_grad()
    each = cross_entropy(network(inputs), labels, reduction="none")
    (learned * each).mean().backward()
    torch.testing.assert_close(found, network.weight.grad)


class Together:
    """Ranks that are threads of this process; what one rank says, all hear."""

    def __init__(self, ranks: int) -> None:
        self.values, self.barrier = [None] * ranks, threading.Barrier(ranks, timeout=30)
        self.own = threading.local()

    def exchange(self, value):
        self.values[self.own.rank] = value
        self.barrier.wait()
        found = list(self.values)
        self.barrier.wait()
        return found

    def run(self, work):
        def start(rank):
            self.own.rank = rank
            return work(rank)

        with ThreadPoolExecutor(len(self.values)) as pool:
            return list(pool.map(start, range(len(self.values))))


@pytest.fixture
def two(monkeypatch) -> Together:
    together = Together(2)
    monkeypatch.setattr(ranks, "exchange", together.exchange)
    return together


def test_ranks_share_memory_and_counts_and_agree_on_whether_to_step(two):
    gates = [Gate(MemorizedMistakes(), samples=8) for _ in range(2)]
    batches = [{0: RIGHT, 1: RIGHT}, {4: WRONG, 5: RIGHT, 6: WRONG}]

    def work(rank):
        first = present(gates[rank], batches[rank])
        step = gates[rank].any(torch.tensor([bool(first)]))
        second = present(gates[rank], {4: RIGHT, 6: RIGHT} if rank == 0 else {0: RIGHT})
        return first, step, second, gates[rank].any(torch.tensor([False]))

    assert two.run(work) == [([], True, [4, 6], False), ([4, 6], True, [], False)]
    assert state(gates[0]) == state(gates[1])
    assert (gates[0].presented, gates[0].updates) == (8, 4)


@pytest.mark.parametrize("bad", [0, 1])
def test_a_batch_that_one_rank_refuses_is_refused_by_all(two, bad):
    gates = [Gate(MemorizedMistakes(), samples=8) for _ in range(2)]

    def work(rank):
        try:
            present(gates[rank], {8 if rank == bad else 0: WRONG})
        except InvalidValue as error:
            return str(error)

    found = two.run(work)
    assert "indices hold 8" in found[bad]
    assert found[1 - bad] == f"another rank refused its batch: {found[bad]}"
    assert state(gates[0]) == state(gates[1]) == [[False] * 8, 0, 0]
