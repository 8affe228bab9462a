"""What is compiled is kept, whatever happens to it, and is never what another source made."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lazybook import datasets, restrictions
from lazybook.caching import SynapticCaching
from lazybook.engines import numba_cpu
from lazybook.engines.kernels.changes import norms
from lazybook.engines.kernels.largest import find_largest
from lazybook.engines.kernels.training import LEARN
from lazybook.experiment import Experiment
from lazybook.support import compiling
from lazybook.support.randomness import noise

SOURCE = Path(compiling.__file__).parents[2]

# A small function, and whether it was kept and had to be compiled.
ASK = """
from lazybook.support.randomness import noise
from lazybook.support.compiling import is_kept
kept = is_kept(noise)
print(noise(1, 2, 3), kept, sum(noise.stats.cache_misses.values()))
"""


def start(folder: Path, code: str = ASK, **environment: str) -> subprocess.Popen:
    """Start Python with ``folder`` for what is compiled."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    return subprocess.Popen(
        [sys.executable, "-W", "always", "-c", code],
        env=inherited | {"NUMBA_CACHE_DIR": str(folder)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ask(folder: Path, code: str = ASK, **environment: str) -> tuple[list[str], str]:
    """Return what it prints, word by word, and what it warns of."""
    process = start(folder, code, **environment)
    answer, warned = process.communicate()
    assert process.returncode == 0, warned
    return answer.split(), warned


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder for what is compiled, and nothing is known of another's."""
    monkeypatch.setattr(compiling, "_folder", lambda: tmp_path)
    compiling._say_not_kept.cache_clear()
    return tmp_path


def call_anew() -> tuple[bool, bool]:
    """Call a function as a new process would; was its code kept, and was it compiled?"""
    function = compiling.compiled(noise.py_func)
    kept = compiling.is_kept(function)
    assert function(1, 2, 3) == noise(1, 2, 3)
    return kept, bool(function.stats.cache_misses)


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "changed": lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\0"),
    "gone": Path.unlink,
    "a pipe": a_pipe,
}


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_code_is_compiled_again_and_kept(folder, ending, damage):
    assert call_anew() == (False, True)
    [path] = folder.rglob(f"*.{ending}")
    DAMAGES[damage](path)
    assert call_anew()[1]
    assert call_anew() == (True, False)


def test_where_a_folder_is_in_its_place_it_is_compiled_each_time_and_that_is_said_once(folder):
    call_anew()
    [path] = folder.rglob("*.nbc")
    path.unlink()
    path.mkdir()
    with pytest.warns(compiling.NotKept, match="will be compiled again") as said:
        assert call_anew() == call_anew() == (True, True)
    assert len(said) == 1


def test_a_full_disk_is_said_once_and_leaves_nothing(folder, monkeypatch):
    def full(file, *_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.warns(compiling.NotKept, match="No space left on device") as said:
        assert call_anew() == call_anew() == (False, True)
    assert len(said) == 1
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_without_a_folder_to_write_to_a_temporary_one_is_used(tmp_path):
    """Here a file is where the folder should be; it is said once, with what to do."""
    place = tmp_path / "file"
    place.touch()
    (tmp_path / "tmp").mkdir()
    for kept in ("False", "True"):
        answer, warned = ask(place, TMPDIR=str(tmp_path / "tmp"))
        assert answer == [str(noise(1, 2, 3)), kept, "01"[kept == "False"]]
        assert warned.count("what is compiled cannot be kept in") == 1
        assert "XDG_CACHE_HOME" in warned


def test_two_processes_may_compile_at_once(tmp_path):
    for process in [start(tmp_path) for _ in range(2)]:
        answer, warned = process.communicate()
        assert (answer.split()[0], warned) == (str(noise(1, 2, 3)), "")
    assert ask(tmp_path) == ([str(noise(1, 2, 3)), "True", "0"], "")


@pytest.mark.parametrize("variable", ["NUMBA_CACHE_DIR", "XDG_CACHE_HOME"])
def test_code_from_before_an_update_is_not_used_after_it(tmp_path, variable):
    """The file that changes is another than that of the function that is called."""
    shutil.copytree(SOURCE, tmp_path / "src")
    kernels = tmp_path / "src/lazybook/engines/kernels"
    outer = "\n\nfrom lazybook.engines.kernels.changes import added\n\n\n"
    outer += "@compiled\ndef outer(x):\n    return added(x)\n"
    (kernels / "largest.py").write_text((kernels / "largest.py").read_text() + outer)
    before = (kernels / "changes.py").read_text()
    code = "from lazybook.engines.kernels.largest import outer; print(outer(1))"
    folders = {"NUMBA_CACHE_DIR": "", variable: str(tmp_path / "cache")}
    for more in (1, 2):
        text = f"{before}\n\n@inner\ndef added(x):\n    return x + {more}\n"
        (kernels / "changes.py").write_text(text)
        answer, _ = ask(tmp_path, code, PYTHONPATH=str(tmp_path / "src"), **folders)
        assert answer == [str(1 + more)]


LEARNS = """
import numpy as np
from lazybook import datasets, engines, restrictions
from lazybook.engines.contract import Start
from lazybook.experiment import Experiment
from lazybook.support.randomness import Streams

clouds = datasets.load("two-clouds")
rules = ("all", "synapse-mask:0.5,0.5", "largest-per-layer:0.3", "largest-per-neuron:0.5",
         "synapse-mask-per-sample:0.5,0.5 & largest-per-layer:0.5")
for rule in rules:
    experiment = Experiment(
        dataset="two-clouds", hidden=3, learning_rate=0.1, restriction=restrictions.parse(rule),
    )
    start = Start.draw(experiment, clouds, Streams(0))
    engine = engines.build(experiment, clouds, start)
    engine.learn(np.arange(40))
    print(*(float(weight) for layer in engine.weights for weight in layer.ravel()))
    print(engine.evaluate(clouds.test).loss, engine.meter.m0.sum(), engine.meter.m1.sum())
"""


def test_without_compiling_it_runs_and_learns_the_same(tmp_path, capsys):
    plain, warned = ask(tmp_path, LEARNS, NUMBA_DISABLE_JIT="1")
    assert (warned, list(tmp_path.iterdir())) == ("", [])
    exec(LEARNS, {})
    compiled = capsys.readouterr().out.split()
    np.testing.assert_allclose(*(np.array(a, float) for a in (plain, compiled)), rtol=1e-4)


def test_called_from_python_an_inner_function_is_plain_python():
    assert compiling.inner(lambda x: x + 1)(2) == 3


def test_loops_are_known_by_different_names():
    """Code is kept, and found by the linker, by name: two loops of one name would be mixed up."""
    assert len({loop.py_func.__qualname__ for loop in LEARN.values()}) == len(LEARN)


def test_each_way_of_changing_synapses_has_a_loop_of_its_own():
    """So that an experiment waits only for what it needs to be compiled."""
    rules = ("all", "synapse-mask:0.1,1", "largest-per-layer:0.1", "largest-per-neuron:0.1")
    experiments = [Experiment(restriction=restrictions.parse(rule)) for rule in rules]
    experiments += [Experiment(caching=SynapticCaching(0.1, 0, cost)) for cost in (0, 1)]
    assert [numba_cpu.loop(e) for e in experiments] == list(LEARN.values())


@pytest.mark.parametrize("number", [1, 2, 50, 99, 100])
def test_the_largest_of_many_is_found(number):
    sizes = np.abs(datasets.load("two-clouds").train.values.ravel()[:100].astype(np.float32))
    sizes[:30] = sizes[30:60]  # ties
    found = find_largest(sizes.view(np.int32), number, np.zeros(256, np.int32))
    assert np.array(found, np.int32).view(np.float32) == np.sort(sizes)[::-1][number - 1]


@pytest.mark.parametrize("entries", [[0, -2, 0, 3], [np.inf, 1], [np.nan, 0]])
def test_norms_keep_what_is_not_finite(entries):
    count, size = norms(np.array(entries, np.float32))
    assert count == np.count_nonzero(entries)
    np.testing.assert_equal(size, np.abs(entries).sum())
