"""The command line: what scripts may rely on, and one line for everything that is wrong."""

import json
import shutil
import subprocess
import sys

import pytest

from lazybook import claims, cli, datasets, paths
from lazybook.experiment import Experiment

TRAIN = ["train", "--dataset", "two-clouds", "--hidden", "3", "--epochs", "2", "--json"]


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """An empty run store."""
    monkeypatch.setenv("LAZYBOOK_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def lazybook(monkeypatch, capfd):
    """A function to run the command; returns exit code, what it prints, what it complains."""

    def run(*arguments: str):
        monkeypatch.setattr(sys, "argv", ["lazybook", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return caught.value.code or 0, *capfd.readouterr()

    return run


def test_train_prints_the_experiment_the_last_measurement_and_the_provenance(lazybook):
    code, output, _ = lazybook(*TRAIN, "--gate", "memorized-mistakes", "--seed", "3")
    assert code == 0
    result = json.loads(output)
    assert list(result) == ["experiment", "final", "provenance"]
    expected = Experiment.from_dict(
        {"dataset": "two-clouds", "hidden": 3, "epochs": 2, "seed": 3, "gate": "memorized-mistakes"}
    )
    assert Experiment.from_dict(result["experiment"]) == expected
    final = result["final"]
    for count in ("samples", "updates", "memorized"):
        assert isinstance(final[count], int)
    assert final["samples"] == 400
    assert 0 < final["memorized"] <= final["updates"] <= 400
    for number in ("test_accuracy", "test_loss", "energy_m0", "energy_m1", "energy_min", "seconds"):
        assert isinstance(final[number], float)
    assert result["provenance"]["dataset"] == "two-clouds"
    assert result["provenance"]["data_checksum"] == datasets.load("two-clouds").checksum


def test_every_option_reaches_the_experiment(lazybook, few):
    options = {
        "dataset": "mnist", "hidden": 5, "gate": "mistakes", "restriction": "all",
        "caching": "immediate", "loss": "half-mse", "activation": "relu", "learning_rate": 0.02,
        "order": "replacement", "epochs": 2, "until": 0.9, "measure_every": 400, "seed": 1,
        "engine": "reference", "device": "cpu",
    }  # fmt: skip
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    code, output, _ = lazybook("train", *arguments, "--zero-mean", "--json")
    assert code == 0
    experiment = json.loads(output)["experiment"]
    assert experiment.pop("zero_mean") is True
    assert {name: experiment[name] for name in options} == options
    assert {name for name in experiment if name not in options} == {
        name for name in Experiment().to_dict() if name not in options
    } - {"zero_mean"}


def test_a_preset_and_what_is_changed_in_it(lazybook, few):
    code, output, _ = lazybook("train", "--preset", "competitive", "--hidden", "9", "--json")
    assert code == 0
    experiment = json.loads(output)["experiment"]
    assert (experiment["hidden"], experiment["bias"]) == (9, "clamped-unit")
    assert (experiment["loss"], experiment["until"]) == ("half-mse", 0.95)


def test_a_run_is_computed_once_unless_fresh(lazybook, store):
    first, second = (json.loads(lazybook(*TRAIN)[1]) for _ in range(2))
    assert first == second
    assert len(list(store.rglob("*.parquet"))) == 1
    fresh = json.loads(lazybook(*TRAIN, "--fresh")[1])
    assert fresh["final"]["seconds"] != first["final"]["seconds"]
    assert fresh["final"]["energy_m1"] == first["final"]["energy_m1"]


def test_train_shows_a_table(lazybook):
    code, output, _ = lazybook(*TRAIN[:-1])
    assert code == 0
    assert "test_accuracy" in output
    assert "energy_m1" in output


def test_json_of_a_network_that_diverges_is_json(lazybook, few):
    code, output, _ = lazybook(
        "train", "--hidden=10", "--epochs=1", "--learning-rate=100", "--json"
    )
    assert code == 0
    final = json.loads(output, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))[
        "final"
    ]
    assert final["test_loss"] is None
    assert final["energy_m1"] is None


BAD = [
    (["train", "--gate", "lazy"], "unknown gate 'lazy'"),
    (["train", "--restriction", "some"], "unknown restriction 'some'"),
    (["train", "--caching", "sometimes"], "unknown caching 'sometimes'"),
    (["train", "--preset", "lasy"], "preset is 'lasy'"),
    (["train", "--dataset", "mnits"], "dataset is 'mnits'"),
    (["train", "--loss", "mae"], "loss is 'mae'"),
    (["train", "--activation", "tanh"], "activation 'tanh'"),
    (["train", "--order", "sorted"], "order is 'sorted'"),
    (["train", "--engine", "abacus"], "engine is 'abacus'"),
    (["train", "--device", "tpu"], "device is 'tpu'"),
    (["train", "--device", "cuda"], "no GPU"),
    (["train", "--device", "cuda", "--engine", "numba"], "CPU only"),
    (["train", "--hidden", "0"], "hidden is 0"),
    (["train", "--hidden", "many"], "--hidden"),
    (["train", "--hidden", "1.5"], "--hidden"),
    (["train", "--learning-rate", "0"], "learning_rate is 0.0"),
    (["train", "--learning-rate", "-0.1"], "learning_rate is -0.1"),
    (["train", "--learning-rate", "nan"], "learning_rate is nan"),
    (["train", "--learning-rate", "inf"], "learning_rate is inf"),
    (["train", "--epochs", "0"], "epochs is 0"),
    (["train", "--until", "1.5"], "until is 1.5"),
    (["train", "--until", "0"], "until is 0.0"),
    (["train", "--until", "nan"], "until is nan"),
    (["train", "--measure-every", "0"], "measure_every is 0"),
    (["train", "--seed", "-1"], "seed is -1"),
    (["train", "--hiden", "3"], "--hiden"),
    (["train", "--hidden"], "--hidden"),
    (["trian"], "trian"),
    (["figures", "--profile", "fast"], "profile is 'fast'"),
    (["figures", "--only", "fig99"], "fig99"),
    (["figures", "--device", "tpu"], "device is 'tpu'"),
    (["figures", "--device", "cuda"], "GPU"),
    (["figures", "--jobs", "0"], "jobs is 0"),
    (["claims", "--profile", "fast"], "profile is 'fast'"),
    (["data", "check", "mnits"], "dataset is 'mnits'"),
    (["data", "fetch", "two-clouds"], "'two-clouds'"),
    (["data", "fetch", "mnits"], "'mnits'"),
]


def assert_refused(outcome, part: str, store) -> None:
    code, output, complaint = outcome
    assert code == 2
    assert output == ""
    assert complaint.startswith("error: ")
    assert complaint.count("\n") == 1
    assert complaint.endswith("\n")
    assert part in complaint
    assert not list(store.rglob("*.*"))


@pytest.mark.parametrize(
    ("arguments", "part"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD]
)
def test_what_is_wrong_is_said_in_one_line(lazybook, few, store, monkeypatch, arguments, part):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert_refused(lazybook(*arguments), part, store)


def cut(contents: bytes) -> bytes:
    return contents[: len(contents) // 2]


def alter(contents: bytes) -> bytes:
    return contents[:5000] + bytes([contents[5000] ^ 1]) + contents[5001:]


@pytest.mark.parametrize(
    ("damage", "part"), [(cut, "is truncated"), (alter, "is altered"), (None, "lacks")]
)
def test_a_data_file_that_is_not_what_it_was(lazybook, store, tmp_path, monkeypatch, damage, part):
    name = "train-labels-idx1-ubyte.gz"
    shutil.copytree(paths.repository() / "data" / "mnist", tmp_path / "data" / "mnist")
    monkeypatch.setenv("LAZYBOOK_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(paths, "repository", lambda: None)
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    path = tmp_path / "data" / "mnist" / name
    if damage:
        path.write_bytes(damage(path.read_bytes()))
    else:
        path.unlink()
    datasets.load.cache_clear()
    try:
        outcome = lazybook("train")
        assert_refused(outcome, part, store)
        assert name in outcome[2]
        if damage:
            assert datasets._FILES["mnist"].checksums[name] in outcome[2]
    finally:
        datasets.load.cache_clear()


def test_a_results_folder_that_cannot_be_written(lazybook, store):
    store.write_text("a file where the folder should be")
    code, output, complaint = lazybook(*TRAIN)
    assert (code, output) == (2, "")
    assert complaint.startswith(f"error: run records cannot be written to {store}: ")
    assert complaint.count("\n") == 1


def test_without_a_command_it_says_how_it_is_used(lazybook):
    for arguments in ([], ["data"]):
        code, _, complaint = lazybook(*arguments)
        assert code == 2
        assert complaint.startswith("Usage: lazybook")


def test_help_is_no_error(lazybook):
    for arguments in (["--help"], ["train", "--help"]):
        code, output, complaint = lazybook(*arguments)
        assert (code, complaint) == (0, "")
        assert output.startswith("Usage: lazybook")


def test_the_verdicts(lazybook, monkeypatch):
    monkeypatch.setattr(paths, "published", lambda: None)
    measure = "largest M(lazy) / M(backprop) above 90 %"
    found = [claims.Finding(measure, "H = 100", value, seed) for seed, value in enumerate((1, 3))]
    claims.record("smoke", "one", {"LL5": found})
    code, output, complaint = lazybook("claims", "--profile", "smoke", "--json")
    assert (code, complaint) == (0, "")
    verdicts = json.loads(output)
    assert list(verdicts) == list(claims.claims())
    assert verdicts["LL1"]["verdict"] == "not measured"
    assert verdicts["LL5"]["verdict"] == "not reproduced"
    (judged,) = verdicts["LL5"]["measured"]
    assert (judged["measure"], judged["condition"], judged["holds"]) == (measure, "H = 100", False)
    assert judged["mean"] == 2
    low, high = judged["interval"]
    assert low < 2 < high
    code, output, _ = lazybook("claims", "--profile", "smoke")
    assert code == 0
    assert "LL5" in output
    assert "not reproduced" in " ".join(output.split())


def test_the_data_sets(lazybook):
    code, output, complaint = lazybook("data", "list", "--json")
    assert (code, complaint) == (0, "")
    found = {entry["name"]: entry for entry in json.loads(output)}
    assert list(found) == list(datasets.NAMES)
    assert found["mnist"]["state"] == "ready"
    assert found["two-clouds"]["state"] == "built in"
    code, output, _ = lazybook("data", "check", "mnist")
    assert code == 0
    assert "60,000 training and 10,000 test samples" in output


def test_the_installed_command_knows_no_traceback(store):
    command = [sys.executable, "-c", "from lazybook.cli import main; main()"]
    done = subprocess.run([*command, *TRAIN, "--hidden=0"], capture_output=True, text=True)
    assert_refused((done.returncode, done.stdout, done.stderr), "hidden is 0", store)
