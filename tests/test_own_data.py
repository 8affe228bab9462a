"""One's own arrays and files as data sets: kept, found from anywhere, refused in one line."""

import json
import os
import re
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from lazybook import Experiment, datasets, train
from lazybook.datasets import arrays, own
from lazybook.errors import DataError, InvalidValue
from lazybook.support import machine

NAMES = ("inputs", "labels", "test_inputs", "test_labels")


@pytest.fixture
def data() -> dict[str, np.ndarray]:
    """Images of 2 by 3 in three classes, float64."""
    generator = np.random.default_rng(0)
    inputs, labels = generator.random((60, 2, 3)), np.arange(60) % 3
    return dict(zip(NAMES, (inputs, labels, inputs[:12] + 1, labels[:12]), strict=True))


@pytest.fixture
def file(tmp_path, data):
    path = tmp_path / "leaves_2.npz"
    np.savez(path, **data)
    return path


def forget(monkeypatch) -> None:
    """Be as another process, which has made nothing yet."""
    monkeypatch.setattr(arrays, "made", {})
    datasets._load.cache_clear()


def test_what_was_made_of_arrays_is_what_they_hold(folders, data):
    name = datasets.from_arrays("leaves", **data)
    assert re.fullmatch("leaves:[0-9a-f]{12}", name)
    made = datasets.load(name)
    assert made.facts == datasets.facts(name)
    assert (made.name, made.classes, made.facts.inputs) == (name, 3, 6)
    for half, prefix in ((made.train, ""), (made.test, "test_")):
        expected = data[f"{prefix}inputs"].reshape(-1, 6).astype(np.float32)
        np.testing.assert_array_equal(half.inputs(), expected)
        np.testing.assert_array_equal(half.labels, data[f"{prefix}labels"])
    data["inputs"][:], data["labels"][:] = 0, 1  # they can still be written to
    assert made.train.values.any() and not made.train.labels.all()


@pytest.mark.parametrize("kind", [bool, np.int8, np.uint16, np.int64, np.float16, ">f4", "g"])
def test_numbers_of_any_type_are_taken_as_they_are(folders, data, kind):
    for name in ("inputs", "test_inputs"):
        data[name] = np.round(data[name]).astype(kind)
    train = datasets.load(datasets.from_arrays("leaves", **data)).train
    np.testing.assert_array_equal(train.inputs(), data["inputs"].reshape(60, 6).astype(float))


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.uint64, float])
def test_labels_may_be_whole_numbers_of_any_type(folders, data, kind):
    expected = datasets.from_arrays("leaves", **data)
    assert datasets.from_arrays("leaves", **data | {"labels": data["labels"].astype(kind)}) == (
        expected
    )


def test_bytes_are_pixels_as_those_of_mnist(folders, part_of_mnist):
    halves = (part_of_mnist.train, part_of_mnist.test)
    given = [a for half in halves for a in (half.values.reshape(-1, 28, 28), half.labels)]
    made = datasets.load(datasets.from_arrays("digits", *given))
    for mine, theirs in zip((made.train, made.test), halves, strict=True):
        np.testing.assert_array_equal(mine.inputs(), theirs.inputs())


def test_lists_will_do(folders):
    name = datasets.from_arrays("few", [[0, 1], [1, 0]], [0, 1], [[0, 1]], [0])
    assert datasets.facts(name).train == 2


def test_another_process_knows_it_by_its_name(tmp_path, data, monkeypatch):
    monkeypatch.setattr(own.paths, "cache", lambda: tmp_path / "lazybook")
    name = datasets.from_arrays("leaves", **data)
    script = f"from lazybook import datasets; print(datasets.facts({name!r}).checksum)"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ran.stdout.strip() == datasets.load(name).checksum, ran.stderr


def test_the_name_is_that_of_the_contents(folders, data, file, monkeypatch):
    name = datasets.from_file(file)
    assert re.fullmatch("leaves-2:[0-9a-f]{12}", name)
    packed = file.parent / "elsewhere" / file.name
    packed.parent.mkdir()
    np.savez_compressed(packed, more=np.zeros(3), **data)
    assert datasets.from_file(packed) == datasets.from_file(str(packed)) == name
    assert datasets.from_arrays("leaves-2", **data) == name
    data["test_labels"][0] = 2
    assert datasets.from_arrays("leaves-2", **data) != name
    file.unlink()
    forget(monkeypatch)
    assert datasets.load(name).name == name


@pytest.mark.parametrize("stem", ["7", "лист", "a b--c", "-x-", "x" * 99, "A", ".."])
def test_a_file_of_any_name_has_a_word(folders, file, stem):
    name = datasets.from_file(file.rename(file.with_name(f"{stem}.npz")))
    assert re.fullmatch(f"{arrays.WORD}:[0-9a-f]{{12}}", name)


def test_a_path_stands_for_the_name_wherever_one_is_asked_for(folders, file):
    name = datasets.from_file(file)
    assert Experiment(dataset=str(file)) == Experiment(dataset=file) == Experiment(dataset=name)
    assert datasets.load(str(file)) is datasets.load(name)
    assert datasets.facts(str(file)) == datasets.facts(name)


def test_a_network_learns_a_file_from_the_command_line(folders, file, lazybook, monkeypatch):
    arguments = ["train", f"--dataset={file}", "--hidden=5", "--epochs=2", "--json"]
    code, out, err = lazybook(*arguments)
    assert code == 0, err
    found = json.loads(out)
    assert found["experiment"]["dataset"] == datasets.from_file(file)
    assert found["final"]["updates"] == 120
    forget(monkeypatch)
    monkeypatch.chdir(file.parent)
    again = json.loads(lazybook("train", f"--dataset={file.name}", *arguments[2:])[1])
    assert again["provenance"]["date"] == found["provenance"]["date"]


def test_a_network_learns_pixels_of_its_own_as_it_learns_mnist(folders, few):
    given = [a for half in (few.train, few.test) for a in (half.values, half.labels)]
    mine = Experiment(dataset=datasets.from_arrays("digits", *given), hidden=10, epochs=1)
    theirs = Experiment(hidden=10, epochs=1)
    tables = [train(experiment).table.drop(columns="seconds") for experiment in (mine, theirs)]
    assert tables[0].equals(tables[1])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"inputs": np.zeros(60)}, r"^inputs is of shape \(60,\)"),
        ({"inputs": np.zeros((0, 6))}, r"^inputs of shape \(0, 6\) is empty"),
        ({"inputs": np.zeros((60, 0))}, r"^inputs of shape \(60, 0\) is empty"),
        ({"inputs": None}, "^inputs is of type object"),
        ({"inputs": [[1, 2], [3]]}, r"^inputs is \[\[1, 2\], \[3\]\]"),
        ({"inputs": np.full((60, 6), "x")}, "^inputs is of type <U1"),
        ({"inputs": np.zeros((60, 6), complex)}, "^inputs is of type complex128"),
        ({"inputs": np.zeros((60, 6), "M8[s]")}, "^inputs is of type datetime"),
        ({"inputs": np.ma.masked_less(np.eye(60, 6), 1)}, "^inputs has masked entries"),
        ({"inputs": np.zeros((60, 6), np.uint8)}, "^inputs are of uint8 and test_inputs of float"),
        ({"test_inputs": np.zeros((12, 5))}, r"^inputs are of shape \(60, 2, 3\) and test_inputs"),
        ({"inputs": np.vstack([np.eye(59, 6), [[np.nan] * 6]])}, "^inputs has nan in sample 59"),
        ({"test_inputs": np.full((12, 6), -np.inf)}, "^test_inputs has -inf in sample 0"),
        ({"test_inputs": np.full((12, 6), 1e300)}, "^test_inputs has inf in sample 0"),
        ({"labels": np.zeros(60, int)}, "^labels has one class only, 0"),
        ({"labels": np.zeros((60, 3))}, r"^labels is of shape \(60, 3\); it must be \(60,\)"),
        ({"labels": np.arange(59) % 3}, r"^labels is of shape \(59,\)"),
        ({"labels": np.arange(60) % 3 + 1}, "^labels has 3 but no 0; .*np.unique"),
        ({"labels": np.arange(60) % 3 * 2}, "^labels has 4 but no 1; .*np.unique"),
        ({"labels": np.arange(60) % 3 - 1}, "^labels has -1; .*np.unique"),
        ({"labels": np.arange(60) / 2}, "^labels has 0.5; "),
        ({"labels": np.full(60, np.nan)}, "^labels has nan; "),
        ({"labels": np.full(60, 2**63, np.uint64)}, "^labels has 9223372036854775808; "),
        ({"labels": np.full(60, "cat")}, "^labels is of type <U3; .*np.unique"),
        ({"labels": None}, "^labels is of type object"),
        ({"test_labels": np.full(12, 3)}, "^test_labels has 3, of which labels has no sample"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_arrays_that_no_network_could_learn_are_refused(folders, data, change, told, tmp_path):
    with pytest.raises(InvalidValue, match=told) as caught:
        datasets.from_arrays("leaves", **data | change)
    assert "\n" not in str(caught.value)
    assert not folders.cache.exists()
    path = tmp_path / "leaves.npz"
    if "masked" in told or isinstance(change.get("inputs"), list):
        return  # what no file can hold
    np.savez(path, **data | change)
    with pytest.raises(DataError, match=f"^{re.escape(str(path))}: ") as caught:
        Experiment(dataset=str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a:b", "../a", "7", "a/b", None, b"a", "a" * 65, "a\n"])
def test_a_data_set_needs_a_name(folders, data, name):
    with pytest.raises(InvalidValue, match=r"^name is .* letters, digits and hyphens"):
        datasets.from_arrays(name, **data)


def test_a_file_that_lacks_arrays_is_refused(folders, tmp_path, data, lazybook):
    path = tmp_path / "leaves.npz"
    np.savez(path, inputs=data["inputs"], x_test=1)
    with pytest.raises(DataError, match="it lacks labels, test_inputs, test_labels: it has 'in"):
        datasets.from_file(path)
    code, out, err = lazybook("train", f"--dataset={path}", "--epochs=1")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"error: {path}: it lacks")


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "empty", "npy", "pickled", "locked"])
def test_what_is_no_file_of_arrays_is_refused(folders, file, data, damage):
    contents = file.read_bytes()
    if damage == "cut":
        file.write_bytes(contents[: len(contents) // 2])
    elif damage == "flipped":
        middle = len(contents) // 4
        file.write_bytes(contents[:middle] + b"12345678" + contents[middle + 8 :])
    elif damage == "text":
        file.write_text("inputs, labels")
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "npy":
        with file.open("wb") as opened:
            np.save(opened, data["inputs"])
    elif damage == "pickled":
        np.savez(file, **data | {"inputs": np.array([Never()] * 60, object)}, allow_pickle=True)
    else:  # a flag of the format says that what follows is encrypted
        with zipfile.ZipFile(file, "w") as archive:
            for name in NAMES:
                archive.writestr(f"{name}.npy", b"")
        marked = bytearray(file.read_bytes())
        for place in (found.start() for found in re.finditer(b"PK\x01\x02", bytes(marked))):
            marked[place + 8] |= 1
        file.write_bytes(marked)
    with pytest.raises(DataError, match=f"^{re.escape(str(file))}: it holds no arrays of numbers"):
        datasets.from_file(file)


class Never:
    """What must not be made from a file."""

    def __reduce__(self):
        return (pytest.fail, ("it was unpickled",))


def test_a_file_that_cannot_be_read_is_told(folders, tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.npz")
    (tmp_path / "folder.npz").mkdir()
    for name in ("none.npz", "pipe.npz", "folder.npz", "none/x.npz", "\0.npz"):
        with pytest.raises(DataError, match=r"^cannot read "):
            Experiment(dataset=f"{tmp_path}/{name}")
    with pytest.raises(InvalidValue, match=r"^path is 5; "):
        datasets.from_file(5)


def test_a_file_larger_than_memory_is_refused_unread(folders, file, monkeypatch):
    monkeypatch.setattr(machine, "memory", lambda: 1000)
    with pytest.raises(DataError, match=r"its arrays take 0.0 GB of memory, and this process"):
        datasets.from_file(file)


def test_what_is_kept_is_checked(folders, data, monkeypatch):
    name = datasets.from_arrays("leaves", **data)
    kept = folders.cache / "own" / "leaves" / f"{name[-12:]}.npz"
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]
    data["inputs"][0] = 0
    np.savez(kept, **data)
    forget(monkeypatch)
    with pytest.raises(DataError, match=rf"^{re.escape(str(kept))} is altered; delete it"):
        datasets.load(name)
    kept.unlink()
    with pytest.raises(InvalidValue, match="run what makes it"):
        datasets.load(name)


def test_where_nothing_can_be_kept_a_warning_says_so(folders, data):
    folders.cache.write_text("a file where the folder should be")
    with pytest.warns(own.NotKept, match="is known to this process only: it cannot be kept in"):
        name = datasets.from_arrays("leaves", **data)
    assert datasets.load(name).classes == 3
