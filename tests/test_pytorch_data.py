"""Samples that know which they are, and full batches of those that are to be learned."""

import pytest
import torch
from test_pytorch_gate import two  # noqa: F401 (a fixture)
from torch.utils.data import DataLoader, IterableDataset, Subset, TensorDataset

from lazybook.errors import InvalidValue
from lazybook.gates import EverySample, Margin, MemorizedMistakes, Mistakes
from lazybook.pytorch import Gate, Indexed, Packer

INPUTS, LABELS = torch.arange(10.0)[:, None] * 10, torch.arange(10) % 3


class Dictionaries:
    def __len__(self):
        return 10

    def __getitem__(self, index):
        return {"input": INPUTS[index], "label": LABELS[index]}


@pytest.mark.parametrize("workers", [0, 1])
def test_batches_come_with_the_indices_of_their_samples(workers):
    dataset = Indexed(TensorDataset(INPUTS, LABELS))
    seen = []
    for inputs, labels, indices in DataLoader(dataset, 4, shuffle=True, num_workers=workers):
        assert indices.dtype == torch.int64
        assert inputs.equal(INPUTS[indices])
        assert labels.equal(LABELS[indices])
        seen += indices.tolist()
    assert sorted(seen) == list(range(10))


def test_items_of_other_kinds():
    [batch] = DataLoader(Indexed(Dictionaries()), 10)
    assert batch["index"].tolist() == list(range(10))
    assert batch["label"].equal(LABELS)
    [(values, indices)] = DataLoader(Indexed(LABELS.tolist()), 10)
    assert values.equal(LABELS)
    assert indices.tolist() == list(range(10))
    assert Indexed([[1, 2], [3, 4]])[1] == (3, 4, 1)
    assert Indexed("abc")[-1] == ("c", 2)
    assert [index for _, index in Indexed("abc")] == [0, 1, 2]
    part = Subset(TensorDataset(INPUTS, LABELS), [7, 8])
    assert [item[-1] for item in Indexed(part)] == [0, 1]
    assert [item[-1] for item in Subset(Indexed(TensorDataset(INPUTS)), [7, 8])] == [7, 8]


@pytest.mark.parametrize("index", [3, -4])
def test_there_are_no_other_samples(index):
    with pytest.raises(IndexError, match=f"no sample {index} of 3"):
        Indexed("abc")[index]


def test_what_cannot_be_indexed_is_refused():
    class Stream(IterableDataset):
        def __iter__(self):
            yield 1

    for dataset in (Stream(), iter("abc"), 3, None, {1, 2}):
        with pytest.raises(InvalidValue, match="dataset is"):
            Indexed(dataset)
    with pytest.raises(InvalidValue, match="'index' of their own"):
        Indexed(Indexed(Dictionaries()))[0]


def answers(labels: torch.Tensor, wrong: torch.Tensor) -> torch.Tensor:
    return torch.eye(3)[(labels + wrong.long()) % 3]


@pytest.mark.parametrize(
    "rule", [EverySample(), Mistakes(), MemorizedMistakes(), Margin(0.5)], ids=str
)
@pytest.mark.parametrize("size", [1, 4, 25])
def test_each_sample_that_is_learned_comes_once_in_a_full_batch(rule, size):
    generator = torch.Generator().manual_seed(0)
    plain, packer = Gate(rule, samples=50), Packer(Gate(rule, samples=50), batch=size)
    learned, packed = [], []
    for _ in range(3):
        for indices in torch.randperm(50, generator=generator).split(8):
            labels, wrong = indices % 3, torch.rand(len(indices), generator=generator) < 0.3
            outputs = answers(labels, wrong)
            learned += indices[plain(outputs, labels, indices)].tolist()
            for inputs, extra, wanted in packer(outputs, labels, indices, indices * 10, indices):
                assert len(inputs) == size
                assert inputs.equal(extra * 10)
                assert wanted.equal(extra % 3)
                packed += extra.tolist()
            assert len(packer) == len(learned) - len(packed) < size
    assert packed == learned[: len(packed)]
    assert packer.gate.updates == plain.updates == len(learned)
    assert len(packed) == len(learned) // size * size


def test_what_is_not_taken_waits():
    packer = Packer(Gate(EverySample(), 10), batch=2)
    packer(INPUTS.T.repeat(10, 1), LABELS, torch.arange(10), INPUTS)
    assert len(packer) == 10
    batches = list(packer(INPUTS.T[:0], LABELS[:0], torch.arange(0), INPUTS[:0]))
    assert [len(inputs) for inputs, _ in batches] == [2] * 5
    packer.gate.eval()
    assert list(packer(INPUTS.T.repeat(10, 1), LABELS, torch.arange(10), INPUTS)) == []


def test_what_waits_keeps_no_graph():
    packer = Packer(Gate(EverySample(), 10), batch=20)
    weights = torch.ones(10, 1, requires_grad=True)
    packer(INPUTS.T.repeat(10, 1), LABELS, torch.arange(10), INPUTS * weights)
    [(inputs, _)] = packer(INPUTS.T.repeat(10, 1), LABELS, torch.arange(10), INPUTS * weights)
    assert not inputs.requires_grad


@pytest.mark.parametrize(
    ("inputs", "part"),
    [
        (INPUTS[:9], "of different numbers of samples: 9, 10"),
        (INPUTS.repeat(1, 2), r"shapes \[\(2,\), \(\)\], those that wait \[\(1,\), \(\)\]"),
        (INPUTS.tolist(), "tensors"),
        (torch.tensor(1.0), "tensors"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_before_anything_is_remembered(inputs, part):
    packer = Packer(Gate(EverySample(), 10), batch=20)
    outputs = answers(LABELS, LABELS > 0)
    packer(outputs, LABELS, torch.arange(10), INPUTS)
    with pytest.raises(InvalidValue, match=part):
        packer(outputs, LABELS, torch.arange(10), inputs)
    assert packer.gate.presented == len(packer) == 10


@pytest.mark.parametrize("values", [{"gate": Mistakes()}, {"batch": 0}, {"batch": 2.5}], ids=str)
def test_what_is_no_gate_or_no_batch_is_refused(values):
    with pytest.raises(InvalidValue):
        Packer(**{"gate": Gate(Mistakes(), 4), "batch": 2} | values)


def test_ranks_step_when_each_has_a_full_batch(two):  # noqa: F811
    packers = [Packer(Gate(EverySample(), 10), batch=4) for _ in range(2)]
    sizes = [(6, 1, 4), (1, 8, 0)]

    def work(rank):
        steps = []
        for size in sizes[rank]:
            outputs, indices = answers(LABELS[:size], LABELS[:size]), torch.arange(size)
            full = packers[rank](outputs, LABELS[:size], indices, INPUTS[:size])
            steps.append([len(inputs) for inputs, _ in full])
        return steps, len(packers[rank])

    assert two.run(work) == [([[], [4], [4]], 3), ([[], [4], [4]], 1)]


def test_inputs_that_one_rank_refuses_are_refused_by_all(two):  # noqa: F811
    packers = [Packer(Gate(EverySample(), 10), batch=4) for _ in range(2)]

    def work(rank):
        with pytest.raises(InvalidValue, match="numbers of samples: 9, 10"):
            packers[rank](answers(LABELS, LABELS), LABELS, torch.arange(10), INPUTS[rank:])
        return packers[rank].gate.presented.item()

    assert two.run(work) == [0, 0]


def test_what_waits_is_saved_and_goes_on(tmp_path):
    """As if training had not been interrupted: the same batches come."""
    outputs = INPUTS.T.repeat(10, 1)
    first, second = (Packer(Gate(EverySample(), 10), batch=4) for _ in "ab")
    list(first(outputs, LABELS, torch.arange(10), INPUTS))
    torch.save(first.state_dict(), tmp_path / "packer.pt")
    second.load_state_dict(torch.load(tmp_path / "packer.pt"))
    assert len(first) == len(second) == 2
    both = [list(packer(outputs, LABELS, torch.arange(10), INPUTS)) for packer in (first, second)]
    for one, other in zip(*both, strict=True):
        assert all(map(torch.equal, one, other))


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (None, "give what state_dict returned"),
        ({"batch": 4}, "give what state_dict returned"),
        ({"batch": 4, "waiting": [1]}, "give what state_dict returned"),
        ({"batch": 4, "waiting": [torch.zeros(2), torch.zeros(3)]}, "give what state_dict"),
        ({"batch": 5, "waiting": []}, "one of batches of 5, not of 4"),
    ],
)
def test_a_state_that_is_none_changes_nothing(state, said):
    packer = Packer(Gate(EverySample(), 10), batch=4)
    list(packer(INPUTS.T.repeat(10, 1), LABELS, torch.arange(10), INPUTS))
    with pytest.raises(InvalidValue, match=said):
        packer.load_state_dict(state)
    assert len(packer) == 2
