"""The command line: what scripts may rely on, and one line for everything that is wrong."""

import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

import pytest
import typer

from lazybook import commands, datasets, runs
from lazybook.book import claims, notebook
from lazybook.experiment import Experiment
from lazybook.restrictions import LargestToOutputs, SynapseMask
from lazybook.support import paths

TRAIN = ["train", "--dataset", "two-clouds", "--hidden", "3", "--epochs", "2", "--json"]


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """An empty run store."""
    monkeypatch.setenv("LAZYBOOK_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def test_train_prints_the_experiment_the_last_measurement_and_the_provenance(lazybook):
    code, output, _ = lazybook(*TRAIN, "--gate", "memorized-mistakes", "--seed", "3")
    assert code == 0
    result = json.loads(output)
    assert list(result) == ["experiment", "final", "diverged", "provenance"]
    assert result["diverged"] is False
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


def test_the_line_that_pages_show_of_an_experiment_runs_it(lazybook):
    """Words of several parts, truths of both kinds and numbers, negative ones too."""
    shown = Experiment(
        dataset="two-clouds",
        hidden=4,
        zero_mean=True,
        measure_training=False,
        initial="gaussian:0.1,-0.2",
        restriction=SynapseMask(0, 1) & LargestToOutputs(0.5),
        epochs=1,
    )
    fence, *lines, end = notebook.command(shown).splitlines()
    assert (fence, end) == ("```bash", "```")
    program, *arguments = shlex.split(" ".join(line.removesuffix("\\") for line in lines))
    assert program == "lazybook"
    _, output, _ = lazybook(*arguments, "--json")
    assert Experiment.from_dict(json.loads(output)["experiment"]) == shown


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


def test_the_options_of_the_autograd_engine_reach_it(lazybook, few):
    code, output, _ = lazybook(
        "train", "--engine=autograd", "--batch=32", "--optimizer=momentum:0.9", "--shifts=2",
        "--hidden=5", "--epochs=1", "--json",
    )  # fmt: skip
    assert code == 0
    experiment = json.loads(output)["experiment"]
    assert (experiment["engine"], experiment["batch"]) == ("autograd", 32)
    assert (experiment["optimizer"], experiment["shifts"]) == ("momentum:0.9", 2)


def test_the_rest_of_the_options_reaches_it(lazybook):
    code, output, _ = lazybook(
        *TRAIN, "--engine=reference", "--initial=gaussian:0.1", "--bias=none",
        "--no-measure-training", "--energy-exponents=0.5", "--energy-exponents=2",
        "--record=potentiation", "--record=weights",
    )  # fmt: skip
    assert code == 0
    experiment = json.loads(output)["experiment"]
    assert (experiment["initial"], experiment["bias"]) == ("gaussian:0.1", "none")
    assert experiment["measure_training"] is False
    assert experiment["energy_exponents"] == [0.5, 2]
    assert experiment["record"] == ["potentiation", "weights"]


def test_a_preset_and_what_is_changed_in_it(lazybook, few):
    code, output, _ = lazybook("train", "--preset", "competitive", "--hidden", "9", "--json")
    assert code == 0
    experiment = json.loads(output)["experiment"]
    assert (experiment["hidden"], experiment["bias"]) == (9, "clamped-unit")
    assert (experiment["loss"], experiment["until"]) == ("half-mse", 0.95)


def test_rules_of_all_kinds_in_one_run(lazybook, few):
    code, output, _ = lazybook(
        "train", "--preset=competitive", "--hidden=30", "--gate=memorized-mistakes",
        "--restriction=largest-per-layer:0.1", "--restriction=subnet:20", "--caching=0.001",
        "--json",
    )  # fmt: skip
    assert code == 0
    result = json.loads(output)
    said = [result["experiment"][question] for question in ("gate", "restriction", "caching")]
    assert said == [
        "memorized-mistakes",
        "subnet:20 & largest-per-layer:0.1",
        "synaptic-caching:0.001,0.0,0.0,synapse",
    ]
    final = result["final"]
    assert 0 < final["memorized"] < final["updates"] < final["samples"]
    selected, readout = round(0.1 * 785 * 20), 20 * 10
    assert 0 < final["energy_m0_hidden"] < selected * final["updates"]
    assert 0 < final["energy_m0_output"] <= readout * final["updates"]


def test_the_perceptron_learns_its_patterns(lazybook):
    code, output, _ = lazybook(
        "train", "--preset=perceptron", "--dataset=random-patterns:50,100", "--json"
    )
    assert code == 0
    result = json.loads(output)
    assert result["experiment"]["dataset"] == "random-patterns:50,100"
    assert result["final"]["test_accuracy"] == 1
    assert result["final"]["epoch"] < 100


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


BAD = [
    (["train", "--gate", "lazy"], "unknown gate 'lazy'"),
    (["train", "--restriction", "some"], "unknown restriction 'some'"),
    (
        ["train", "--restriction", "foo"],
        "unknown restriction 'foo'; choose from: all, synapse-mask",
    ),
    (["train", "--restriction", ""], "unknown restriction ''"),
    (["train", "--restriction", "all:1"], "all takes no values"),
    (["train", "--restriction", "subnet:0"], "n is 0"),
    (["train", "--restriction", "subnet:x"], "n is 'x', not a whole number"),
    (["train", "--restriction", "subnet:1.5"], "n is '1.5', not a whole number"),
    (["train", "--restriction", "subnet"], "subnet needs n"),
    (["train", "--restriction", "subnet:1,2"], "subnet takes n"),
    (["train", "--restriction", "subnet:200", "--hidden", "100"], "subnet:200 needs 200 hidden"),
    (["train", "--restriction", "neuron-mask-per-sample:0"], "n is 0"),
    (["train", "--preset=competitive", "--restriction=neuron-mask:100"], "there are 99"),
    (["train", "--preset=perceptron", "--restriction=subnet:1"], "there are 0"),
    (["train", "--restriction", "largest-per-layer:1.5"], "fraction is 1.5"),
    (["train", "--restriction", "largest-per-layer:0"], "fraction is 0.0"),
    (["train", "--restriction", "largest-per-neuron:nan"], "fraction is nan"),
    (["train", "--restriction", "largest-per-neuron:some"], "fraction is 'some', not a number"),
    (["train", "--restriction", "synapse-mask:0.1"], "synapse-mask needs p_in, p_out"),
    (["train", "--restriction", "synapse-mask-per-class:0.1,1.1"], "p_out is 1.1"),
    (["train", "--restriction", "synapse-mask:-0.1,1"], "p_in is -0.1"),
    (["train", "--restriction", "subnet:10 & subnet:20"], "cannot be combined"),
    (["train", "--restriction", "subnet:9", "--restriction", "neuron-mask:9"], "cannot be comb"),
    (["train", "--restriction", "subnet:9 &"], "unknown restriction ''"),
    (["train", "--caching", "sometimes"], "unknown caching 'sometimes'"),
    (["train", "--caching", "-1"], "threshold is -1.0"),
    (["train", "--caching", "nan"], "threshold is nan"),
    (["train", "--caching", "inf"], "threshold is inf"),
    (["train", "--caching", "0.1,-1"], "decay is -1.0"),
    (["train", "--caching", "0.1,soon"], "decay is 'soon', not a number"),
    (["train", "--caching", "0.1,0,nan"], "transient_cost is nan"),
    (["train", "--caching", "0.1,0,0,each"], "variant is 'each'"),
    (["train", "--caching", "synaptic-caching"], "synaptic-caching needs threshold"),
    (["train", "--preset", "lasy"], "preset is 'lasy'"),
    (["train", "--dataset", "mnits"], "dataset is 'mnits'"),
    (["train", "--loss", "mae"], "loss is 'mae'"),
    (["train", "--activation", "tanh"], "activation 'tanh'"),
    (["train", "--order", "sorted"], "order is 'sorted'"),
    (["train", "--engine", "abacus"], "engine is 'abacus'"),
    (["train", "--device", "tpu"], "device is 'tpu'"),
    (["train", "--device", "cuda"], "no GPU"),
    (["train", "--device", "cuda", "--engine", "numba"], "CPU only"),
    (["train", "--batch", "32"], "batch is 32; for that use engine 'autograd', not 'numba'"),
    (["train", "--optimizer", "adam", "--engine", "reference"], "optimizer is adam; for that use"),
    (["train", "--optimizer", "rmsprop"], "optimizer 'rmsprop' is unknown"),
    (["train", "--shifts", "30", "--engine", "autograd"], "shifts is 30, which needs square"),
    (["train", "--engine", "autograd", "--restriction", "subnet:9"], "restriction is subnet:9"),
    (["train", "--hidden", "0"], "hidden is 0"),
    (["train", "--hidden", "many"], "'--hidden': 'many' is neither a whole number nor 'none'"),
    (["train", "--hidden", "1.5"], "'--hidden': '1.5' is neither a whole number nor 'none'"),
    (["train", "--until", "soon"], "'--until': 'soon' is neither a number nor 'none'"),
    (["train", "--preset=perceptron", "--hidden=5"], "initial 'zeros' is for perceptrons"),
    (["train", "--dataset", "random-patterns"], "dataset is 'random-patterns'; write"),
    (["train", "--dataset", "random-patterns:0,10"], "dataset is 'random-patterns:0,10'; write"),
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
    (["train", "--learning-rate", "1e999"], "learning_rate is inf"),
    (["train", "--epochs", "1e23"], "'--epochs': '1e23' is not a whole number"),
    (["train", "--initial", "ones"], "initial 'ones' is unknown"),
    (["train", "--bias", "half"], "bias is 'half'"),
    (["train", "--energy-exponents", "nan"], "energy_exponents is nan"),
    (["train", "--record", "everything"], "record is 'everything'"),
    (["train", "--hiden", "3"], "No such option: --hiden. Did you mean --hidden?"),
    (["train", "--zero_mean"], "Did you mean --zero-mean?"),
    (["train", "--hidden"], "--hidden"),
    (["trian"], "No such command 'trian'. Did you mean 'train'?"),
    (["runs", "lsit"], "No such command 'lsit'. Did you mean 'list'?"),
    (["--versoin"], "Did you mean --version?"),
    (["bench", "--hidden", "1000000000000"], "hidden is 1,000,000,000,000: 795,000,000,000,010"),
    (["figures", "--profile", "fast"], "profile is 'fast'"),
    (["figures", "--only", "fig99"], "fig99"),
    (["figures", "--device", "tpu"], "device is 'tpu'"),
    (["figures", "--device", "cuda"], "GPU"),
    (["figures", "--jobs", "0"], "jobs is 0"),
    (["figures", "--jobs", "all"], "'--jobs': 'all' should be a valid integer"),
    (["runs", "show", "0123"], "no record's name begins with '0123'; see: lazybook runs list"),
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
    datasets._load.cache_clear()
    try:
        outcome = lazybook("train")
        assert_refused(outcome, part, store)
        assert name in outcome[2]
        if damage:
            assert datasets._FILES["mnist"].checksums[name] in outcome[2]
    finally:
        datasets._load.cache_clear()


def test_a_results_folder_that_cannot_be_written(lazybook, store):
    store.write_text("a file where the folder should be")
    code, output, complaint = lazybook(*TRAIN)
    assert (code, output) == (2, "")
    assert complaint.startswith(f"error: $LAZYBOOK_RUNS is '{store}'")
    assert complaint.count("\n") == 1


def test_without_a_command_it_says_how_it_is_used(lazybook):
    for arguments in ([], ["data"], ["runs"]):
        code, _, complaint = lazybook(*arguments)
        assert code == 2
        assert complaint.startswith("Usage: lazybook")


def test_help_is_no_error(lazybook):
    for arguments in (["--help"], ["train", "--help"]):
        code, output, complaint = lazybook(*arguments)
        assert (code, complaint) == (0, "")
        assert output.startswith("Usage: lazybook")


def test_the_version(lazybook):
    assert lazybook("--version") == (0, f"lazybook {version('lazybook')}\n", "")


def commands_and_options():
    """Yield each command that there is, as it is typed, and one of its options or arguments."""
    groups = [([], typer.main.get_command(commands.app))]
    for typed, group in groups:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                groups.append(([*typed, name], command))
            else:
                yield from (([*typed, name], option) for option in command.params)


def test_everything_that_an_experiment_has_has_an_option():
    options = {option.name for command, option in commands_and_options() if command == ["train"]}
    assert {field.name for field in fields(Experiment)} <= options


def test_nothing_is_no_value_of_any_option(lazybook, few, store):
    tried = 0
    for command, option in commands_and_options():
        if not getattr(option, "is_flag", False):
            typed = [option.opts[0]] if option.opts[0].startswith("-") else []
            argument = ["0123"] if typed and command[-1] == "show" else []
            assert_refused(lazybook(*command, *argument, *typed, ""), "''", store)
            tried += 1
    assert tried > 30


def test_an_option_can_say_that_there_is_no_value(lazybook):
    options = ["--preset=competitive", "--dataset=two-clouds", "--epochs=1", "--engine=reference"]
    code, output, _ = lazybook(
        "train", *options, "--hidden=none", "--until=none", "--bias=none", "--json"
    )
    assert code == 0
    experiment = json.loads(output)["experiment"]
    assert (experiment["hidden"], experiment["until"]) == (None, None)
    assert experiment["bias"] == "none"  # which is the name of one


def test_the_verdicts(lazybook, monkeypatch):
    monkeypatch.setattr(paths, "published", lambda: None)
    measure = "largest M(lazy) / M(backprop) above 90 %"
    values = enumerate((1.99, 2.01))
    found = [claims.Finding(measure, "H = 100", value, seed) for seed, value in values]
    claims.record("smoke", claims.claims()["LL5"].notebook, {"LL5": found})
    code, output, complaint = lazybook("claims", "--profile", "smoke", "--json")
    assert (code, complaint) == (0, "")
    verdicts = json.loads(output)
    assert list(verdicts) == list(claims.claims())
    assert verdicts["LL1"]["verdict"] == "not measured"
    assert verdicts["LL5"]["verdict"] == "not reproduced"
    (judged,) = verdicts["LL5"]["measured"]
    assert (judged["measure"], judged["condition"]) == (measure, "H = 100")
    assert judged["state"] == "failed"
    assert judged["mean"] == pytest.approx(2, rel=1e-3)
    assert judged["reached"] is True
    low, high = judged["interval"]
    assert low < 2 < high
    code, output, _ = lazybook("claims", "--profile", "smoke")
    assert code == 0
    assert "LL5" in output
    assert "not reproduced" in " ".join(output.split())


def test_the_verdicts_need_no_notebooks(store):
    """The command that scripts ask for verdicts works without what only notebooks need."""
    code = """
import sys
sys.modules["IPython"] = sys.modules["jupytext"] = None  # as if they were not installed
from lazybook.cli import main
main()
"""
    command = [sys.executable, "-c", code, "claims", "--json"]
    assert json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


@pytest.fixture
def three_runs(lazybook, monkeypatch) -> list[dict]:
    """What `train` printed for three runs, which are then all that there is."""
    monkeypatch.setattr(paths, "published", lambda: None)
    monkeypatch.setenv("COLUMNS", "200")
    options = (["--seed=1"], ["--gate=mistakes", "--caching=0.1"], ["--restriction=subnet:2"])
    return [json.loads(lazybook(*TRAIN, *option)[1]) for option in options]


def test_the_runs_that_were_kept(lazybook, store, three_runs):
    code, output, complaint = lazybook("runs", "list", "--json")
    assert (code, complaint) == (0, "")
    listed = json.loads(output)
    assert sorted(map(str, listed)) == sorted(
        str({"record": entry["record"], "path": entry["path"]} | run)
        for run in three_runs
        for entry in listed
        if entry["experiment"] == run["experiment"]
    )
    dates = [entry["provenance"]["date"] for entry in listed]
    assert dates == sorted(dates)
    assert {entry["path"] for entry in listed} == set(map(str, store.rglob("*.parquet")))


def test_the_list_of_runs_names_their_rules(lazybook, three_runs):
    code, output, _ = lazybook("runs", "list")
    assert code == 0
    lines = [" ".join(line.split()) for line in output.splitlines()]
    assert lines[0] == "record data set hidden rules seed test accuracy date"
    for said in (
        "two-clouds 3 every-sample 1 ",
        "two-clouds 3 mistakes, synaptic-caching:0.1,0.0,0.0,synapse 0 ",
        "two-clouds 3 every-sample, subnet:2 0 ",
    ):
        [line] = [line for line in lines if said in line]
        [run] = [run for run in three_runs if line.startswith(record_of(run)[:12])]
        assert f" {100 * run['final']['test_accuracy']:.2f} % " in line


def record_of(run: dict) -> str:
    experiment = Experiment.from_dict(run["experiment"])
    return Path(runs.record_name(experiment, datasets.load(experiment.dataset))).stem


def test_one_run_that_was_kept(lazybook, three_runs):
    run = three_runs[1]
    for name in (record_of(run), record_of(run)[:12]):
        code, output, complaint = lazybook("runs", "show", name, "--json")
        assert (code, complaint) == (0, "")
        assert json.loads(output) == run
    code, output, _ = lazybook("runs", "show", record_of(run))
    assert code == 0
    for part in ("synaptic-caching:0.1", "energy_m1", run["provenance"]["data_checksum"]):
        assert part in output
    code, output, complaint = lazybook("runs", "show", "")
    assert (code, output) == (2, "")
    assert complaint == "error: 3 records' names begin with ''; give more of the name\n"


def test_a_damaged_record_does_not_hide_the_others(lazybook, store, three_runs):
    path = next(store.rglob(f"{record_of(three_runs[0])}*"))
    path.write_bytes(b"no record")
    code, output, complaint = lazybook("runs", "list")
    assert code == 0
    assert len(output.splitlines()) == 3  # with the line of titles
    assert complaint == f"damaged: {path}: it is truncated or altered\n"
    listed = json.loads(lazybook("runs", "list", "--json")[1])
    assert [entry["record"] for entry in listed if "damaged" in entry] == [path.stem]
    code, output, complaint = lazybook("runs", "show", path.stem)
    assert (code, output) == (2, "")
    assert complaint == f"error: run record {path} cannot be used: it is truncated or altered\n"


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


def test_what_never_came_about_is_json_too(lazybook, monkeypatch):
    monkeypatch.setattr(paths, "published", lambda: None)
    measure = "largest M(lazy) / M(backprop) above 90 %"
    found = [claims.Finding(measure, "H = 100", float("inf"))]
    claims.record("smoke", claims.claims()["LL5"].notebook, {"LL5": found})
    code, output, _ = lazybook("claims", "--profile", "smoke", "--json")
    assert code == 0
    verdict = strict(output)["LL5"]
    assert verdict["verdict"] == "not reproduced"
    [judged] = verdict["measured"]
    assert (judged["mean"], judged["reached"], judged["state"]) == (None, False, "failed")


def strict(output: str):
    """Return what JSON says, if it is JSON and no more than that."""
    return json.loads(output, parse_constant=pytest.fail)


def test_a_run_that_diverged_is_told(lazybook, monkeypatch):
    monkeypatch.setattr(paths, "published", lambda: None)
    diverging = [*TRAIN, "--engine=reference", "--learning-rate=1e9"]
    code, output, complaint = lazybook(*diverging)
    assert code == 0
    assert strict(output)["diverged"] is True
    assert complaint.startswith("the run diverged: ")
    assert complaint.count("\n") == 1
    assert "diverged" in lazybook(*[word for word in diverging if word != "--json"])[1]
    [listed] = strict(lazybook("runs", "list", "--json")[1])
    assert listed["diverged"] is True
    assert "diverged" in lazybook("runs", "list")[1]


def test_a_run_goes_on_from_one_that_was_kept(lazybook):
    """``--after`` names its record; the same chain, told in Python, has the same record."""
    first = json.loads(lazybook(*TRAIN, "--record=weights", "--json")[1])
    records = json.loads(lazybook("runs", "list", "--record=weights", "--json")[1])
    [record] = [r["record"] for r in records if r["experiment"] == first["experiment"]]
    options = [*TRAIN, f"--after={record[:12]}", "--gate=mistakes", "--also-test=two-clouds"]
    code, output, _ = lazybook(*options, "--json")
    assert code == 0
    run = json.loads(output)
    assert run["experiment"]["after"] == first["experiment"]
    assert run["experiment"]["also_test"] == ["two-clouds"]
    assert run["final"]["test_accuracy_two-clouds"] == run["final"]["test_accuracy"]
    chain = Experiment.from_dict(run["experiment"])
    assert chain.after == Experiment.from_dict(first["experiment"])
    listed = json.loads(lazybook("runs", "list", f"--after={record}", "--json")[1])
    assert [entry["experiment"] for entry in listed] == [run["experiment"]]
    assert lazybook(*TRAIN, "--after=none", "--keep-memory")[0] == 2
    code, _, complaint = lazybook(*TRAIN, "--after=zzz")
    assert (code, complaint) == (
        2,
        "error: no record's name begins with 'zzz'; see: lazybook runs list\n",
    )


def test_streams_variants_and_whole_batches_are_spelled(lazybook):
    code, output, _ = lazybook(
        "train", "--dataset=random-patterns:50,4/samples:0-39", "--hidden=3", "--epochs=3",
        "--buffer=reservoir:7", "--json",
    )  # fmt: skip
    assert code == 0
    run = json.loads(output)
    assert run["experiment"]["buffer"] == "reservoir:7"
    assert (run["final"]["buffered"], run["final"]["samples"]) == (7, 120)
    code, output, _ = lazybook(
        "train", "--dataset=two-clouds", "--hidden=3", "--epochs=1", "--engine=autograd",
        "--batch=20", "--gated=batch", "--buffer=none", "--json",
    )  # fmt: skip
    assert code == 0
    assert json.loads(output)["experiment"]["gated"] == "batch"
