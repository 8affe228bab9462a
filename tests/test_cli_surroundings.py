"""The command line among what people set, where they send its output, and how they end it."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest

from lazybook import sweep as sweeping
from lazybook.errors import LazybookWarning
from lazybook.support import interrupts, paths

TRAIN = ["train", "--dataset=two-clouds", "--hidden=3", "--epochs=1", "--engine=reference"]


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """An empty run store, and no published records."""
    monkeypatch.setenv("LAZYBOOK_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(paths, "published", lambda: None)
    return tmp_path / "runs"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-16"])
def test_characters_that_an_encoding_lacks_are_replaced(lazybook, monkeypatch, encoding):
    """The table of claims has some, such as those of mathematics."""
    for arguments in (["claims", "--profile=smoke"], ["data", "list"], TRAIN, ["runs", "list"]):
        output = io.TextIOWrapper(io.BytesIO(), encoding)
        monkeypatch.setattr(sys, "stdout", output)
        assert lazybook(*arguments)[0] == 0
        assert len(output.buffer.getvalue()) > 50


def test_an_error_can_be_said_in_any_encoding(lazybook, monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO(), "ascii"))
    assert lazybook("train", "--dataset", "\N{GREEK SMALL LETTER ALPHA}\udcff")[0] == 2
    assert sys.stderr.buffer.getvalue().startswith(b"error: dataset is '?")


@pytest.mark.parametrize("buffering", [1, -1])  # as in a terminal, and as in a file
@pytest.mark.parametrize(
    "arguments",
    [
        ["data", "list"],
        ["data", "list", "--json"],
        ["sweep", *TRAIN[1:], "--seed=0:40", "--csv=-"],  # more than a buffer takes
        ["sweep", *TRAIN[1:], "--seed=0:40", "--json"],
        ["--help"],
    ],
)
def test_a_full_disk_is_told_in_one_line(lazybook, monkeypatch, arguments, buffering):
    with Path("/dev/full").open("w", buffering) as full:
        monkeypatch.setattr(sys, "stdout", full)
        code, _, complaint = lazybook(*arguments)
        assert code == 2
        assert complaint.endswith("error: standard output: No space left on device\n")
        assert complaint.count("error") == 1
        assert sys.stdout is None  # Python itself would try to write what is left, at its end
        close_anyhow(full)


def test_it_can_be_complained_to_nowhere(lazybook, monkeypatch):
    with Path("/dev/full").open("w") as full:
        for stderr in (full, None):
            monkeypatch.setattr(sys, "stderr", stderr)
            assert lazybook("train", "--hidden=0")[:2] == (2, "")
        close_anyhow(full)


@pytest.mark.parametrize("arguments", [["data", "list"], ["data", "list", "--json"], ["--help"]])
def test_a_reader_that_has_left_is_no_error(lazybook, monkeypatch, arguments):
    """As in ``lazybook runs list | head``."""
    left, output = os.pipe()
    os.close(left)
    with os.fdopen(output, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        code, _, complaint = lazybook(*arguments)
        assert (code, complaint) == (1, "")
        close_anyhow(stdout)


def close_anyhow(stream: io.TextIOWrapper) -> None:
    """Close a stream that still has what cannot be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    stream.close()


@pytest.mark.parametrize("columns", ["0", "1", "20"])
def test_a_narrow_terminal_hides_nothing(lazybook, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    output = lazybook(*TRAIN)[1]
    assert "test_accuracy" in output
    table = lazybook("data", "list")[1]
    rows = [[cell.strip() for cell in row.split("│")] for row in table.splitlines()]
    states = "".join(row[2] for row in rows if len(row) > 2)
    assert "emnist-digits-test-images-idx3-ubyte.gz" in states


def test_brackets_in_names_are_no_markup(lazybook, store, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "500")
    name = "[/x] [old] :smile:"
    folder = tmp_path / name
    (folder / "mnist").mkdir(parents=True)
    for file in (paths.repository() / "data" / "mnist").iterdir():
        (folder / "mnist" / file.name).symlink_to(file)
    monkeypatch.setenv("LAZYBOOK_DATA", str(folder))
    assert f"{name}/mnist" in lazybook("data", "list")[1]
    monkeypatch.setenv("LAZYBOOK_RUNS", str(folder))
    (folder / "two-clouds").mkdir()
    (folder / "two-clouds" / "0123.parquet").write_text("damage")
    code, _, complaint = lazybook("runs", "list")
    assert (code, complaint) == (
        0,
        f"damaged: {folder}/two-clouds/0123.parquet: it is truncated or altered\n",
    )


def test_what_is_no_record_does_not_hide_the_others(lazybook, store):
    """A link to what is gone, a folder, a pipe that nobody writes to."""
    lazybook(*TRAIN)
    [record] = store.rglob("*.parquet")
    (record.parent / "link.parquet").symlink_to("gone")
    (record.parent / "folder.parquet").mkdir()
    os.mkfifo(record.parent / "pipe.parquet")
    code, output, complaint = lazybook("runs", "list")
    assert code == 0
    assert record.stem[:12] in output
    assert {line.partition(":")[0] for line in complaint.splitlines()} == {"damaged"}


@pytest.mark.parametrize("options", [[], ["error"], ["error::UserWarning"]])
def test_a_warning_of_ours_is_one_line_said_once(lazybook, monkeypatch, options):
    """Whatever people have told Python to do with warnings."""

    def warned(*arguments, **options):
        for _ in range(3):
            warnings.warn("the moon is full", LazybookWarning, stacklevel=1)
        return whole(*arguments, **options)

    whole = sweeping.sweep
    monkeypatch.setattr(sweeping, "sweep", warned)
    monkeypatch.setattr(sys, "warnoptions", options)
    code, _, complaint = lazybook(*TRAIN)
    assert (code, complaint) == (0, "warning: the moon is full\n")


def test_a_warning_elsewhere_stops_nothing(lazybook, monkeypatch):
    def warned(*arguments, **options):
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        return whole(*arguments, **options)

    whole = sweeping.sweep
    monkeypatch.setattr(sweeping, "sweep", warned)
    monkeypatch.setattr(sys, "warnoptions", ["error"])
    with warnings.catch_warnings(record=True):
        assert lazybook(*TRAIN)[0] == 0


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError("unable to allocate 7 GiB"), "not enough memory: unable to allocate 7 GiB"),
        (MemoryError(), "there is not enough memory"),
        (OSError(28, "No space left on device", "/a/b"), "/a/b: No space left on device"),
        (ModuleNotFoundError("…", name="torchvision"), "pip install 'lazybook[torch]'"),
        (ModuleNotFoundError("…", name="papermill.x"), "pip install 'lazybook[book]'"),
    ],
)
def test_what_the_machine_lacks_is_told_in_one_line(lazybook, monkeypatch, error, said):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(sweeping, "sweep", fail)
    code, output, complaint = lazybook(*TRAIN)
    assert (code, output) == (2, "")
    assert complaint.startswith("error: ")
    assert complaint.endswith(f"{said}\n")
    assert complaint.count("\n") == 1


LIGHT = """
import sys
from lazybook.cli import main
try:
    main()
finally:
    print(*sys.modules)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["train", "--hiden=3"],
        ["train", "--hidden=x"],
        ["sweep", "--seed=0:x"],
        ["runs", "list", "--since=x"],
    ],
)
def test_help_and_wrong_options_wait_for_nothing_heavy(arguments):
    command = [sys.executable, "-c", LIGHT, *arguments]
    loaded = subprocess.run(command, capture_output=True, text=True).stdout.split()
    assert "lazybook.commands" in loaded
    assert not {"numpy", "pandas", "pyarrow", "numba", "torch", "IPython"} & {*loaded}


FAREWELL = "interrupted; finished runs are kept, run it again to go on\n"


@pytest.fixture
def ended(monkeypatch):
    """The exit code of a process that is ended without more ado, and an event that tells of it."""

    class Ended(threading.Event):
        code = None

        def __call__(self, code):
            if not self.is_set():
                self.code = code
            self.set()
            raise SystemExit(code)

    ended = Ended()
    monkeypatch.setattr(interrupts.os, "_exit", ended)
    monkeypatch.setattr(threading, "excepthook", lambda hook: None)
    return ended


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signals_to_end_are_answered(lazybook, monkeypatch, ended, number, code):
    started = signal.signal(number, signal.default_int_handler)  # the tests may run under nohup
    before = [signal.getsignal(number) for number in interrupts.SIGNALS]

    def interrupted(*arguments, **options):
        os.kill(os.getpid(), number)
        time.sleep(60)

    monkeypatch.setattr(sweeping, "sweep", interrupted)
    assert lazybook(*TRAIN) == (code, "", FAREWELL)
    assert ended.code == code
    assert [signal.getsignal(number) for number in interrupts.SIGNALS] == before
    signal.signal(number, started)


@pytest.mark.parametrize("again", [False, True])
def test_what_does_not_see_the_signal_is_ended_all_the_same(
    lazybook, monkeypatch, ended, again, capfd
):
    """After some time, or at the second signal at once."""
    monkeypatch.setattr(interrupts, "GRACE", 3600 if again else 0.01)

    def deaf(*arguments, **options):
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)
        except KeyboardInterrupt:
            if again:
                os.kill(os.getpid(), signal.SIGTERM)
            assert ended.wait(60)

    monkeypatch.setattr(sweeping, "sweep", deaf)
    code, output, complaint = lazybook(*TRAIN)
    assert (code, ended.code, output) == (130, 130, "")
    assert complaint == FAREWELL  # said once


def test_an_interrupt_that_python_must_pass_over_is_not_shown(lazybook, monkeypatch, ended):
    class Interrupting:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)

    monkeypatch.setattr(sweeping, "sweep", lambda *arguments, **options: Interrupting() and None)
    assert lazybook(*TRAIN) == (130, "", FAREWELL)


INTERRUPTED = """
import sys
from lazybook import cli, trainers
learn = trainers.Recorder.learn
def told(self, samples):
    print("learning", flush=True)
    return learn(self, samples)
trainers.Recorder.learn = told
cli.main()
"""


@pytest.mark.parametrize("name", ["train", "sweep"])
def test_a_process_that_is_learning_ends_and_leaves_nothing_half(store, tmp_path, name):
    more = ["--save", str(tmp_path / "model.npz")] if name == "train" else ["--seed=0:9"]
    command = [sys.executable, "-c", INTERRUPTED, name, *TRAIN[1:], "--epochs=5000", *more]
    with subprocess.Popen(
        command,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout.readline() == "learning\n"
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=60)[1].endswith(FAREWELL)
    assert process.returncode == 143
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_signals_that_are_ignored_stay_ignored():
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts.Interrupts("farewell") as answered:
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(0.01)
            answered.end()
    finally:
        signal.signal(signal.SIGHUP, before)
