"""What is shown while waiting, wherever it is looked at."""

import itertools
import json
import os
import sys
import threading
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import IPython
import pytest

from lazybook.errors import InvalidValue
from lazybook.support import progress
from lazybook.support.progress import State


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """A clock that goes on only as a test wants; and nobody who draws the progress elsewhere."""
    monkeypatch.delenv("LAZYBOOK_PROGRESS", raising=False)
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock.now)
    return clock


def wait_through(shows, clock, seconds: float) -> None:
    """Let ``shows`` have the time that it asks for, for so many seconds."""
    with closing(shows):
        for pause in shows:
            clock.now += pause
            if clock.now > seconds:
                break


@pytest.mark.parametrize(("hours", "least", "most"), [(1, 10, 20), (24, 15, 30), (24 * 30, 20, 40)])
def test_a_log_has_a_line_now_and_then(clock, capsys, hours, least, most):
    wait_through(progress._in_log(State("3 runs", total=8, done=2)), clock, hours * 3600)
    output, lines = capsys.readouterr()
    assert output == ""
    assert least <= lines.count("\n") <= most
    first = "3 runs, 25 %, after 0:00:10, 0:00:30 left\n"
    assert lines.startswith(first)
    assert lines.replace("\n", "").isprintable()  # nothing moves a cursor


def test_the_silence_in_a_log_is_never_longer_than_half_of_the_time_before(clock):
    shows = progress._in_log(State("3 runs"))
    for pause in itertools.islice(shows, 1, 40):
        assert pause <= clock.now / 2 + 1e-6 or clock.now == 0
        clock.now += pause


@pytest.mark.parametrize("shows", [progress._in_log, progress._in_cell])
def test_what_is_soon_over_needs_no_words(clock, capsys, shows):
    wait_through(shows(State("3 runs")), clock, 0.5)
    assert capsys.readouterr() == ("", "")


def test_a_log_says_where_it_ended(clock, capsys):
    state = State("3 runs", total=2)
    shows = progress._in_log(state)
    next(shows)
    clock.now = 10
    next(shows)
    clock.now, state.done = 12, 2
    shows.close()
    assert capsys.readouterr().err.splitlines() == [
        "3 runs, 0 %, after 0:00:10",
        "3 runs, 100 %, after 0:00:12",
    ]


def test_without_a_total_the_time_is_told():
    assert State("fig2_mnist").after(3723.4) == "fig2_mnist, after 1:02:03"


class Unwritable:
    """A stream that cannot be written, because of ``error``."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.tried = threading.Event()

    def isatty(self) -> bool:
        return False

    def write(self, text: str) -> None:
        self.tried.set()
        raise self.error


@pytest.mark.parametrize("error", [OSError(28, "No space left"), ValueError("closed file")])
def test_where_nothing_can_be_said_the_work_goes_on(monkeypatch, error):
    monkeypatch.setattr(progress, "LOG_FIRST", 0.0)
    stderr = Unwritable(error)
    monkeypatch.setattr(sys, "stderr", stderr)
    with progress.shown(2, "work") as advance:
        assert stderr.tried.wait(60)
        advance(1)
    assert sys.stderr is None


def on(stream: str, monkeypatch) -> object:
    """What shows progress with such a stderr."""
    pretended = SimpleNamespace(isatty=lambda: stream == "terminal")
    monkeypatch.setattr(sys, "stderr", None if stream == "none" else pretended)
    return progress._shows()


@pytest.mark.parametrize("colours", ["1", "", None])
def test_a_file_is_no_terminal_whatever_is_said_of_colours(monkeypatch, colours):
    monkeypatch.setenv("TERM", "xterm")
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"):
        if colours is not None:
            monkeypatch.setenv(name, colours)
    assert on("terminal", monkeypatch) is progress._on_terminal
    assert on("file", monkeypatch) is on("none", monkeypatch) is progress._in_log


@pytest.mark.parametrize("kind", ["dumb", "unknown"])
def test_a_terminal_that_cannot_move_its_cursor_is_a_log(monkeypatch, kind):
    monkeypatch.setenv("TERM", kind)
    assert on("terminal", monkeypatch) is progress._in_log


def test_the_bar_of_a_terminal_shows_names_as_they_are_and_goes(monkeypatch):
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("COLUMNS", "120")
        monkeypatch.setenv("TERM", "xterm")
        with closing(progress._on_terminal(State("[old] :smile:", total=4, done=1))) as shows:
            next(shows)
            assert sys.stdout is sys.__stdout__ or not hasattr(sys.stdout, "rich_proxied_file")
        drawn = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "[old] :smile:" in drawn
    assert "25 %" in drawn
    assert drawn.rstrip().endswith("\x1b[2K")  # the line is cleared at last
    assert "\x1b[?25h" in drawn  # and the cursor is there again


def test_a_notebook_has_one_line_that_changes(clock, monkeypatch, recwarn):
    lines = []

    class Handle:
        def update(self, bundle, raw):
            lines[-1] = bundle["text/plain"]

    def display(bundle, raw, display_id):
        lines.append(bundle["text/plain"])
        return Handle()

    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=True))
    monkeypatch.setattr("IPython.display.display", display)
    state = State("3 runs", total=4)
    shows = progress._shows()(state)
    next(shows)
    assert lines == []
    clock.now = 3
    next(shows)
    assert lines == ["3 runs, 0 %, after 0:00:03"]
    clock.now, state.done = 4, 1
    next(shows)
    assert lines == ["3 runs, 25 %, after 0:00:04, 0:00:12 left"]
    clock.now, state.done = 5, 4
    shows.close()
    assert lines == ["3 runs, 100 %, after 0:00:05"]
    assert not recwarn.list


def test_pieces_may_be_done_by_any_thread(monkeypatch, tmp_path):
    monkeypatch.setenv("LAZYBOOK_PROGRESS", str(tmp_path / "report"))
    with progress.shown(400, "work", first="beginning") as advance:
        assert json.loads((tmp_path / "report").read_text())["label"] == "beginning"
        threads = [
            threading.Thread(target=lambda: [advance(1) for _ in range(100)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    report = json.loads((tmp_path / "report").read_text())
    assert report == {"label": "work", "total": 400, "done": 400}
    assert list(tmp_path.iterdir()) == [tmp_path / "report"]


@pytest.mark.parametrize("bad", ["", "nowhere/report", "pipe", "/dev/null"])
def test_a_place_where_no_progress_can_be_written_is_refused_before_the_work(
    tmp_path, monkeypatch, bad
):
    """A folder, one in a folder that there is not, and what a file would take the place of."""
    os.mkfifo(tmp_path / "pipe")
    before = Path("/dev/null").stat()
    monkeypatch.setenv("LAZYBOOK_PROGRESS", str(tmp_path / bad))
    with pytest.raises(InvalidValue, match="LAZYBOOK_PROGRESS is"), progress.shown(1, "work"):
        raise AssertionError("the work has begun")
    assert Path("/dev/null").stat().st_rdev == before.st_rdev
    assert not Path("/dev/null.tmp").exists()


def test_an_empty_name_for_it_is_none(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("LAZYBOOK_PROGRESS", "")
    monkeypatch.chdir(tmp_path)
    with progress.shown(1, "work") as advance:
        advance(1)
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_can_no_longer_be_written_does_not_end_the_work(monkeypatch, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.setenv("LAZYBOOK_PROGRESS", str(folder / "report"))
    with progress.shown(2, "work") as advance:
        (folder / "report").unlink()
        folder.rmdir()
        advance(1)
