"""The command line's grids, filters, tables and saved networks."""

import csv
import io
import itertools
import json
import re

import numpy as np
import pandas as pd
import pytest

from lazybook import caching, datasets, gates, restrictions
from lazybook.commands import options
from lazybook.experiment import Experiment, preset
from lazybook.runs import Store
from lazybook.support import paths

SMALL = ["--dataset=two-clouds", "--epochs=1", "--engine=reference"]


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """An empty run store, and no published records."""
    monkeypatch.setenv("LAZYBOOK_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(paths, "published", lambda: None)
    return tmp_path / "runs"


@pytest.fixture
def asked(lazybook, monkeypatch):
    """A function that returns the experiments that a sweep's options ask for, without running."""

    def ask(*arguments: str) -> list[Experiment]:
        def stop(experiments, **how):
            found.extend(experiments)
            raise SystemExit

        found: list[Experiment] = []
        monkeypatch.setattr("lazybook.sweep.sweep", stop)
        code, output, complaint = lazybook("sweep", *arguments)
        assert (code, output, complaint) == (0, "", "")
        return found

    return ask


def test_a_grid_is_every_combination(asked):
    found = asked(
        "--preset=competitive", "--hidden=100,300", "--hidden", "1000",
        "--gate=every-sample,mistakes", "--seed=0:3,7",
    )  # fmt: skip
    rules = (gates.EverySample(), gates.Mistakes())
    assert found == [
        preset("competitive", hidden=hidden, gate=gate, seed=seed)
        for hidden, gate, seed in itertools.product((100, 300, 1000), rules, (0, 1, 2, 7))
    ]


@pytest.mark.parametrize(
    ("arguments", "field", "values"),
    [
        (["--hidden=none,3"], "hidden", [None, 3]),
        (["--seed=0:10:5"], "seed", [0, 5]),
        (["--seed=3:0:-1"], "seed", [3, 2, 1]),
        (["--hidden= 3, none ,5:6 "], "hidden", [3, None, 5]),
        (["--seed=1,1,0:2"], "seed", [1, 0]),  # each once
        (["--learning-rate=0.1,1e-2"], "learning_rate", [0.1, 0.01]),
        (["--activation=relu,leaky-relu:0.1"], "activation", ["relu", "leaky-relu:0.1"]),
        (["--until=none,0.9"], "until", [None, 0.9]),
        (["--zero-mean"], "zero_mean", [True]),
        (["--no-measure-training"], "measure_training", [False]),
        (["--no-zero-mean", "--zero-mean"], "zero_mean", [True, False]),
        (["--record=weights", "--record=potentiation"], "record", [("potentiation", "weights")]),
        (["--energy-exponents=2", "--energy-exponents=0.5"], "energy_exponents", [(0.5, 2.0)]),
        (["--device=cuda,cpu"], "engine", ["reference", "numba"]),
        (["--dataset=random-patterns:5,9", "--dataset=mnist"], "dataset",
         ["random-patterns:5,9", "mnist"]),
        (["--restriction=synapse-mask:0.1,1.0", "--restriction=subnet:9 & largest-per-layer:0.1"],
         "restriction", [restrictions.parse("synapse-mask:0.1,1"),
                         restrictions.parse("subnet:9&largest-per-layer:0.1")]),
        (["--caching=0.1,0.2", "--caching=immediate"], "caching",
         [caching.SynapticCaching(0.1, 0.2), caching.Immediate()]),
    ],
)  # fmt: skip
def test_values_of_a_field(asked, arguments, field, values):
    assert [getattr(experiment, field) for experiment in asked(*arguments)] == values


def test_presets_make_a_grid_too(asked):
    assert asked("--preset=lazy,competitive") == [preset("lazy"), preset("competitive")]


def test_a_file_of_ones_own_samples(asked, tmp_path, monkeypatch):
    generator = np.random.default_rng(0)
    labels = np.arange(20) % 3
    arrays = {"inputs": generator.random((20, 4)), "labels": labels}
    arrays |= {f"test_{name}": values for name, values in arrays.items()}
    np.savez(tmp_path / "some, leaves.npz", **arrays)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    [experiment] = asked("--dataset=~/some, leaves.npz")
    assert experiment.dataset == datasets.from_file(tmp_path / "some, leaves.npz")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--hidden=100,"], "'--hidden': '' is neither a whole number"),
        (["--hidden=3:3"], "'3:3' is empty"),
        (["--seed=0:5:0"], "'0:5:0' is empty"),
        (["--seed=0:1000000000000000000000"], "more than 100,000 numbers"),
        (["--seed=0:1000", "--hidden=1:1000"], "999,000 runs; at most 100,000"),
        (["--seed=a:b"], "'a:b' is not a whole number"),
        (["--learning-rate=0:1"], "'0:1' is not a number"),
        (["--dataset=mnist,fashion-mnist"], "is not the name of one data set"),
        (["--dataset=two-clouds", "--dataset=nowhere"], "dataset is 'nowhere'"),
        (["--gate=every-sample,lazy"], "unknown gate 'lazy'"),
        (["--hidden=30,1", "--restriction=subnet:20"], "subnet:20 needs 20 hidden"),
        (["--preset=lazy,lasy"], "preset is 'lasy'"),
        (["--batch=1,32"], "batch is 32; for that use engine"),
        (["--ends"], "--ends is for --csv"),
        (["--csv=-", "--json"], "choose one"),
        (["--csv=nowhere/a.csv"], "csv is 'nowhere/a.csv', which cannot be written: No such file"),
        (["--csv=."], "csv is '.'"),
        (["--csv=/dev/full"], "it is not a regular file"),
        (["--jobs=0"], "jobs is 0"),
    ],
)
def test_what_is_impossible_is_refused_before_any_work(lazybook, store, few, arguments, part):
    code, output, complaint = lazybook("sweep", *arguments)
    assert (code, output) == (2, "")
    assert re.fullmatch("error: .*\n", complaint)
    assert part in complaint
    assert not list(store.rglob("*.*"))


def test_what_a_sweep_prints_and_writes(lazybook, tmp_path):
    grid = ["sweep", *SMALL, "--hidden=none,3", "--seed=0:2"]
    code, output, complaint = lazybook(*grid, "--csv", str(tmp_path / "all.csv"))
    assert code == 0
    assert complaint.startswith("4 runs, 4 to compute\n")
    assert len(output.splitlines()) == 5  # with the line of titles
    code, output, complaint = lazybook(*grid, "--seed=2", "--json")
    assert complaint.startswith("6 runs, 2 to compute\n")
    code, output, complaint = lazybook(*grid, "--json")
    assert complaint == "4 runs, 0 to compute\n"
    listed = json.loads(output)
    for run in listed:
        fields = run["experiment"]
        train = ["train", *SMALL, f"--hidden={fields['hidden'] or 'none'}"]
        assert json.loads(lazybook(*train, f"--seed={fields['seed']}", "--json")[1]) == run
    every = pd.read_csv(tmp_path / "all.csv")
    assert len(every) == 8  # before and after the one epoch
    code, output, _ = lazybook(*grid, "--csv=-", "--ends")
    ends = list(csv.DictReader(io.StringIO(output)))
    assert [(row["hidden"], row["seed"]) for row in ends] == [
        (hidden, seed) for hidden in ("", "3") for seed in "01"
    ]
    spent = [run["final"]["energy_m1"] for run in listed]
    assert [float(row["energy_m1"]) for row in ends] == spent


def test_every_value_is_as_in_train():
    """One table of options, whatever the command."""
    for name, field in options.FIELDS.items():
        defaults = Experiment().to_dict()[name]
        if field.read and not field.listed and defaults is not None:
            assert field.read_one(str(defaults)) == field.read_several(str(defaults)) == [defaults]


@pytest.fixture
def four(lazybook) -> list[dict]:
    return json.loads(
        lazybook("sweep", *SMALL, "--gate=mistakes,every-sample", "--hidden=3,5", "--json")[1]
    )


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        ([], 4),
        (["--hidden=3"], 2),
        (["--hidden=3:9"], 4),
        (["--hidden=3", "--gate=mistakes"], 1),
        (["--gate=mistakes,every-sample", "--learning-rate=1e-2"], 4),
        (["--activation=leaky-relu:1e-2", "--restriction=all", "--dataset=two-clouds"], 4),
        (["--zero-mean"], 0),
        (["--zero-mean", "--no-zero-mean"], 4),
        (["--until=none"], 4),
        (["--engine=autograd", "--batch=3"], 0),
        (["--record=weights"], 0),
        (["--since=2020-01-01"], 4),
        (["--since=2999-12-31T23:59"], 0),
    ],
)
def test_runs_are_found_by_what_was_run(lazybook, four, filters, kept):
    code, output, complaint = lazybook("runs", "list", *filters, "--json")
    assert code == 0
    listed = json.loads(output)
    assert len(listed) == kept
    assert all(any(run["final"] == other["final"] for other in four) for run in listed)
    assert complaint == ("" if kept else "none of the 4 runs that were kept is like this\n")
    rows = list(csv.DictReader(io.StringIO(lazybook("runs", "list", *filters, "--csv=-")[1])))
    assert [row["record"] for row in rows] == [run["record"] for run in listed]
    assert [row["hidden"] for row in rows] == [str(run["experiment"]["hidden"]) for run in listed]


def test_runs_with_more_in_their_record_are_found(lazybook):
    lazybook("train", *SMALL, "--record=weights", "--record=potentiation")
    for record in ("weights", "potentiation"):
        assert len(json.loads(lazybook("runs", "list", "--record", record, "--json")[1])) == 1


@pytest.mark.parametrize(
    ("filters", "part"),
    [
        (["--bias=half"], "bias is 'half'"),
        (["--gate=lazy"], "unknown gate"),
        (["--hidden=0"], "hidden is 0"),
        (["--since=yesterday"], "'yesterday' is no date"),
        (["--preset=lazy"], "No such option: --preset"),
    ],
)
def test_filters_that_fit_no_run_are_refused(lazybook, four, filters, part):
    code, output, complaint = lazybook("runs", "list", *filters)
    assert (code, output) == (2, "")
    assert part in complaint


def test_the_table_of_one_run(lazybook, tmp_path):
    lazybook("train", *SMALL)
    [path] = Store().all()
    lazybook("runs", "show", path.stem, "--csv", str(tmp_path / "run.csv"))
    table = Store().named(path.stem).table
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "run.csv"), table, check_dtype=False)
    assert lazybook("runs", "show", path.stem, "--csv=-")[1] == (tmp_path / "run.csv").read_text()


RECIPE = re.compile(r"```python\n(import numpy as np\n\nwith np.load.*?)```", re.DOTALL)


@pytest.mark.parametrize(
    "options",
    [
        ["--hidden=7"],
        ["--hidden=none"],
        ["--preset=competitive", "--hidden=7"],
        ["--hidden=7", "--bias=none", "--activation=relu"],
        ["--preset=perceptron", "--dataset=random-patterns:20,50"],
    ],
)
def test_a_saved_network_predicts_as_the_run_does(lazybook, few, tmp_path, monkeypatch, options):
    """By the lines of NumPy that the page shows."""
    train = ["train", "--epochs=1", *options]
    assert lazybook(*train, "--save", str(tmp_path / "model.npz"))[0] == 0
    [path] = Store().all()
    run = Store().named(path.stem)
    dataset = datasets.load(run.experiment.dataset)
    test = (dataset.zero_mean() if run.experiment.zero_mean else dataset).test
    page = (paths.SOURCE / "book" / "rerun.md").read_text("utf8")
    monkeypatch.chdir(tmp_path)
    names = {"images": dataset.test.values}
    exec(RECIPE.search(page)[1], names)
    assert np.array_equal(names["classes"], run.predict(test.inputs()))
    assert len(np.unique(names["classes"])) > 1
    with np.load("model.npz", allow_pickle=False) as archive:
        saved = dict(archive)
    layers = [saved[name] for name in ("weights_hidden", "weights_output") if name in saved]
    assert [layer.dtype for layer in layers] == [np.float32] * len(layers)
    assert all(map(np.array_equal, layers, run.weights))
    assert Experiment.from_dict(json.loads(str(saved["experiment"]))) == run.experiment


def test_what_was_kept_with_its_weights_is_only_written_down(lazybook, tmp_path):
    train = ["train", *SMALL, "--record=potentiation", "--json"]
    first = json.loads(lazybook(*train, "--record=weights")[1])
    saved = json.loads(lazybook(*train, "--save", str(tmp_path / "model.npz"))[1])
    assert saved == first
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["model.npz"]


def test_a_file_that_cannot_be_written_is_refused_before_training(
    lazybook, store, tmp_path, monkeypatch
):
    (tmp_path / "folder.npz").mkdir()
    monkeypatch.chdir(tmp_path)
    for name, part in [
        ("", "save is ''"),
        ("model", "that ends in .npz"),
        ("folder.npz", "it is not a regular file"),
        (f"{'a' * 250}.npz", "File name too long"),
        ("nowhere/model.npz", "No such file or directory"),
        ("/proc/model.npz", "cannot be written"),
    ]:
        code, output, complaint = lazybook("train", *SMALL, "--save", name)
        assert (code, output) == (2, "")
        assert complaint.startswith("error: save is ")
        assert complaint.count("\n") == 1
        assert part in complaint
    assert not store.exists()


def test_a_link_goes_on_to_lead_to_what_is_saved(lazybook, tmp_path):
    (tmp_path / "link.npz").symlink_to("model.npz")
    assert lazybook("train", *SMALL, "--save", str(tmp_path / "link.npz"))[0] == 0
    assert (tmp_path / "link.npz").is_symlink()
    with np.load(tmp_path / "model.npz") as archive:
        assert "weights_output" in archive
