"""The page "In your own training": each of its recipes runs, and does what the page says."""

import ast
import json
import os
import re
import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from lazybook import datasets
from lazybook.book.figures import ROOT
from lazybook.gates import EverySample, MemorizedMistakes
from lazybook.pytorch import Gate, Indexed, Packer

PAGE = (ROOT / "book" / "your_own_training.md").read_text(encoding="utf8")
[DIFF] = re.findall(r"```diff\n(.*?)```", PAGE, re.DOTALL)
# Each recipe by the heading that it stands under; the first is what all begin with.
RECIPES = {
    part.partition("\n")[0]: re.findall(r"```python\n(.*?)```", part, re.DOTALL)
    for part in re.split(r"^#+ ", PAGE, flags=re.MULTILINE)
}
RECIPES = {heading: blocks[0] for heading, blocks in RECIPES.items() if blocks}
BEGIN = RECIPES.pop("In your own training")
SAMPLES, BATCH = 320, 32


def digits() -> TensorDataset:
    split = datasets.load("mnist").train
    inputs = torch.tensor(split.inputs(slice(0, SAMPLES)))
    return TensorDataset(inputs, torch.tensor(split.labels[:SAMPLES]))


def begin(optimizer=torch.optim.Adam, rate=0.003, **changes) -> dict:
    """Return the names that a recipe begins with, on some digits."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(784, 30), nn.ReLU(), nn.Linear(30, 10))
    names = {"dataset": digits(), "network": network, "device": "cpu"}
    names["optimizer"] = optimizer(network.parameters(), lr=rate)
    exec(BEGIN, names)
    return names | changes


def accuracy(names: dict) -> float:
    inputs, labels = digits().tensors
    with torch.no_grad():
        return float((names["network"](inputs).argmax(dim=1) == labels).float().mean())


def repeated(recipe: str, names: dict, epochs: int = 8) -> dict:
    for _ in range(epochs):
        exec(recipe, names)
    return names


def test_a_recipe_is_short():
    assert len(RECIPES) == 10
    for heading, recipe in RECIPES.items():
        assert len(recipe.strip().splitlines()) < 15, heading
        ast.parse(recipe)


def version(sign: str) -> str:
    """Return the loop of the diff before (``-``) or after it (``+``)."""
    lines = [line for line in DIFF.splitlines() if line[0] in (" ", sign)]
    return "\n".join(line[1:] for line in lines)


def test_the_diff_leads_from_a_loop_that_learns_to_one_that_learns_less():
    new = [line for line in DIFF.splitlines() if line[0] == "+"]
    old = [line for line in DIFF.splitlines() if line[0] == "-"]
    assert len(new) - len(old) == 3
    plain = repeated(version("-"), begin(DataLoader=torch.utils.data.DataLoader))
    made, *loop = version("+").splitlines()
    lazy = begin()
    exec(made, lazy)
    repeated("\n".join(loop), lazy)
    assert accuracy(plain) > 0.9
    assert accuracy(lazy) > 0.9
    assert 0 < lazy["gate"].updates < lazy["gate"].presented == 8 * SAMPLES


def test_full_batches_make_fewer_steps_and_learn():
    names = begin()
    steps = []
    names["optimizer"].register_step_post_hook(lambda *of: steps.append(1))
    recipe = RECIPES["Full batches, fewer steps"]
    repeated(recipe.replace("packer = ", "packer = packer if 'packer' in globals() else "), names)
    assert accuracy(names) > 0.9
    assert len(steps) == names["gate"].updates // BATCH < 8 * SAMPLES // BATCH
    assert len(names["packer"]) == names["gate"].updates % BATCH


def test_what_was_saved_goes_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = begin()
    exec(RECIPES["Full batches, fewer steps"], names)
    exec(RECIPES["Save and go on"].partition("\n\n")[0], names)  # what saves
    before = len(names["packer"]), names["gate"].updates.item(), accuracy(names)
    assert before[0] == before[1] % BATCH
    fresh = begin()
    fresh["packer"] = Packer(fresh["gate"], BATCH)
    save, load = RECIPES["Save and go on"].split("\n\n")
    exec(f"{save.splitlines()[0]}\n{load}", fresh)
    assert (len(fresh["packer"]), fresh["gate"].updates.item(), accuracy(fresh)) == before


def test_restricted_and_held_back(capsys):
    names = begin()
    exec(RECIPES["Which synapses change, and when for good"], names)
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in told] == ["epoch 0", "epoch 1"]
    spent, plasticity = names["spent"], names["plasticity"]
    assert spent.steps == SAMPLES / BATCH
    assert 0 < spent.m1.sum() < plasticity.m1.sum()
    assert spent.pending_m1.sum() > 0
    assert plasticity.m0[3] == 0  # a subnet leaves the biases of the outputs alone


def test_a_rule_of_ones_own():
    names = begin()
    exec(RECIPES["Rules of your own"], names)
    repeated(version("+").partition("\n")[2], names)
    assert names["gate"].remembered.sum() < names["gate"].updates < names["gate"].presented
    assert accuracy(names) > 0.9


@pytest.mark.parametrize("lazy", [True, False])
def test_accumulated_gradients_are_those_of_one_large_batch(lazy):
    """Four batches of 8, judged by the same weights, are one of 32."""
    found = []
    for heading, size in (("Gradient accumulation", 8), ("", BATCH)):
        names = begin(torch.optim.SGD, 0.05)
        if not lazy:
            names["gate"] = Gate(EverySample(), SAMPLES)
        names["loader"] = torch.utils.data.DataLoader(Indexed(names["dataset"]), size)
        loop = RECIPES.get(heading) or version("+").partition("\n")[2].replace(
            "DataLoader(Indexed(dataset), 32, shuffle=True)", "loader"
        )
        repeated(loop, names, epochs=3)
        found.append((names["gate"].updates, *names["network"].parameters()))
    assert found[0][0] == found[1][0] > 0
    for a, b in zip(found[0][1:], found[1][1:], strict=True):
        torch.testing.assert_close(a, b)


def test_mixed_precision():
    names = repeated(RECIPES["Mixed precision"], begin())
    assert names["outputs"].dtype == torch.bfloat16
    assert names["scaler"].is_enabled()
    assert accuracy(names) > 0.9
    assert 0 < names["gate"].updates < names["gate"].presented


RANKS = """
import json, pathlib, sys
from test_pytorch_page import *

torch.set_num_threads(1)
names = begin()
exec(RECIPES["Several processes"], names)
gate, rank = names["gate"], torch.distributed.get_rank()
found = [gate.presented, gate.updates, gate.remembered.sum()]
found += [parameter.double().sum() for parameter in names["network"].parameters()]
path = pathlib.Path(__file__).with_name(f"{rank}.json")
path.write_text(json.dumps([value.item() for value in found]))
torch.distributed.destroy_process_group()
"""


def test_ranks_end_with_the_same_weights_memory_and_counts(tmp_path):
    script = tmp_path / "ranks.py"
    script.write_text(RANKS)
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", str(script)]
    done = subprocess.run(
        [sys.executable, *command],
        env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first == second
    assert first[0] == 2 * SAMPLES
    assert 0 < first[2] <= first[1] < first[0]


@pytest.mark.filterwarnings("default")  # of their own
def test_lightning():
    lightning = pytest.importorskip("lightning")
    names = begin(lightning=lightning)
    exec(RECIPES["Lightning"], names)
    lazy = names["Lazy"](names["network"], SAMPLES)
    trainer = lightning.Trainer(
        max_epochs=8, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(lazy, names["loader"])
    assert accuracy(names) > 0.8
    assert 0 < lazy.gate.updates < lazy.gate.presented == 8 * SAMPLES
    assert "gate.remembered" in lazy.state_dict()


@pytest.fixture
def hugging_face(tmp_path):
    """A function that makes the recipe's trainer for a small network; returns it and its gate."""
    transformers = pytest.importorskip("transformers")
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(2, 40, (SAMPLES, 8), generator=generator)
    items = [{"input_ids": row, "labels": (row[0] > 20).long()} for row in tokens]

    def make(rule, **changes):
        names = begin(transformers=transformers)
        names["gate"] = Gate(rule, SAMPLES)
        exec(RECIPES["Hugging Face Trainer"], names)
        torch.manual_seed(0)
        network = transformers.BertForSequenceClassification(
            transformers.BertConfig(
                vocab_size=40, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
                intermediate_size=32, num_labels=2, hidden_dropout_prob=0,
                attention_probs_dropout_prob=0,
            )
        )  # fmt: skip
        settings = {
            "output_dir": str(tmp_path), "num_train_epochs": 8, "per_device_train_batch_size": 8,
            "learning_rate": 3e-3, "remove_unused_columns": False, "report_to": [],
            "save_strategy": "no", "use_cpu": True, "disable_tqdm": True,
        }  # fmt: skip
        arguments = transformers.TrainingArguments(**settings | changes)
        data = {"train_dataset": Indexed(items), "eval_dataset": items}
        return names["LazyTrainer"](network, arguments, **data), names["gate"]

    return make


@pytest.mark.filterwarnings("default")  # of their own
def test_hugging_face(hugging_face):
    trainer, gate = hugging_face(MemorizedMistakes())
    trainer.train()
    assert 0 < gate.updates < gate.presented == 8 * SAMPLES
    assert trainer.evaluate()["eval_loss"] < 0.3
    assert gate.presented == 8 * SAMPLES


@pytest.mark.filterwarnings("default")  # of their own
def test_hugging_face_accumulates_gradients(hugging_face):
    """Four batches of 8 are one of 32."""
    found = []
    for size, steps in ((32, 1), (8, 4)):
        trainer, _ = hugging_face(
            EverySample(), per_device_train_batch_size=size, gradient_accumulation_steps=steps,
            optim="sgd", max_steps=5,
        )  # fmt: skip
        trainer.train()
        found.append(list(trainer.model.parameters()))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)
