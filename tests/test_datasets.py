"""The data are what they are said to be, and wrong files never get through."""

import gzip
import hashlib
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lazybook import datasets, paths
from lazybook.errors import DataError, InvalidValue

LABELS = "train-labels-idx1-ubyte.gz"


@pytest.fixture
def folders(tmp_path, monkeypatch) -> SimpleNamespace:
    """Empty folders in place of the user's own, the repository's and the cache folder."""
    folders = SimpleNamespace(
        own=tmp_path / "own", repository=tmp_path / "repository", cache=tmp_path / "cache"
    )
    monkeypatch.setenv("LAZYBOOK_DATA", str(folders.own))
    monkeypatch.setattr(paths, "repository", lambda: folders.repository)
    monkeypatch.setattr(paths, "cache", lambda: folders.cache)
    datasets.load.cache_clear()
    yield folders
    datasets.load.cache_clear()


MNIST = paths.repository() / "data" / "mnist"


def place(folder: Path) -> Path:
    shutil.copytree(MNIST, folder)
    return folder


def checksum(path: Path) -> str:
    return hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()


def test_mnist_is_mnist():
    mnist = datasets.load("mnist")
    assert (len(mnist.train), len(mnist.test), mnist.classes) == (60_000, 10_000, 10)
    assert mnist.train.values.shape == (60_000, 784)
    assert mnist.train.values.dtype == np.uint8
    assert mnist.train.labels.dtype == np.int64
    assert mnist.train.labels[59_915] == 4
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(mnist.train.labels).tolist() == counts
    counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.bincount(mnist.test.labels).tolist() == counts
    inputs = mnist.train.inputs()
    assert inputs.dtype == np.float32
    assert (inputs.min(), inputs.max()) == (0, 1)
    assert inputs.mean(dtype=float) == pytest.approx(0.1307, abs=5e-5)


def test_zero_mean_subtracts_the_training_sets_mean_from_both_splits():
    mnist, centred = datasets.load("mnist"), datasets.load("mnist").zero_mean()
    assert centred.train.inputs().mean(dtype=float) == pytest.approx(0, abs=1e-6)
    shift = mnist.test.inputs([3, 5]) - centred.test.inputs([3, 5])
    np.testing.assert_allclose(shift, 0.1306605, rtol=1e-5)
    assert centred.train.values is mnist.train.values


def test_a_data_set_is_loaded_once_and_cannot_be_written_to():
    assert datasets.load("mnist") is datasets.load("mnist")
    for name in ("mnist", "two-clouds"):
        split = datasets.load(name).train
        with pytest.raises(ValueError, match="read-only"):
            split.values[0] = 1
        split.inputs()[0] = 1


@pytest.mark.parametrize("layout", ["mnist", "MNIST/raw"])
@pytest.mark.parametrize("root", ["own", "repository/data", "cache"])
def test_each_folder_and_layout_is_found(folders, root, layout):
    folder = place(folders.own.parent / root / layout)
    assert datasets.available()[0] == ("mnist", folder, "ready")


def test_the_contents_count_not_their_packing(folders):
    path = place(folders.own / "mnist") / LABELS
    before = datasets.load("mnist")
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 1))
    datasets.load.cache_clear()
    assert datasets.load("mnist").checksum == before.checksum


def test_missing_files_are_named_with_the_folders_and_the_remedy(folders):
    (place(folders.cache / "mnist") / LABELS).unlink()
    with pytest.raises(DataError) as caught:
        datasets.load("mnist")
    message = str(caught.value)
    assert re.findall(r"\S+-ubyte\.gz", message) == [LABELS]
    for part in (folders.own, folders.repository / "data", folders.cache, "mnist or MNIST/raw"):
        assert str(part) in message
    assert message.endswith("lazybook data fetch mnist")
    assert "\n" not in message


def truncate(packed: bytes) -> bytes:
    return packed[: len(packed) // 2]


def cut_the_last_byte(packed: bytes) -> bytes:
    return packed[:-1]


def append_a_byte(packed: bytes) -> bytes:
    return packed + b"\0"


def flip_a_bit(packed: bytes) -> bytes:
    middle = len(packed) // 2
    return packed[:middle] + bytes([packed[middle] ^ 1]) + packed[middle + 1 :]


def relabel(packed: bytes) -> bytes:
    contents = bytearray(gzip.decompress(packed))
    contents[8 + 59_915] = 7
    return gzip.compress(contents)


def empty(packed: bytes) -> bytes:
    return b""


@pytest.mark.parametrize(
    ("damage", "state"),
    [
        (truncate, "truncated"),
        (empty, "truncated"),
        (cut_the_last_byte, "truncated"),
        (append_a_byte, "altered"),
        (flip_a_bit, "altered"),
        (relabel, "altered"),
    ],
)
def test_a_damaged_file_is_reported_even_if_a_later_folder_has_it_right(folders, damage, state):
    path = place(folders.own / "mnist") / LABELS
    expected = checksum(path)
    path.write_bytes(damage(path.read_bytes()))
    place(folders.cache / "mnist")
    with pytest.raises(DataError) as caught:
        datasets.load("mnist")
    message = str(caught.value)
    assert message.startswith(f"{path} is {state}: ")
    found, stated = re.findall(r"\b[0-9a-f]{64}\b", message)
    assert stated == expected
    assert found != expected or damage is cut_the_last_byte  # the contents are all there
    if damage is relabel:
        assert found == checksum(path)
    assert "delete it and run: lazybook data fetch mnist" in message
    assert "\n" not in message
    assert datasets.available()[0] == ("mnist", path.parent, message)
    path.unlink()
    assert datasets.load("mnist").train.labels[59_915] == 4


def test_an_unreadable_file_is_named(folders):
    path = place(folders.own / "mnist") / LABELS
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match=re.escape(f"cannot read {path}")):
        datasets.load("mnist")


def test_unknown_names_are_refused_with_the_choice():
    with pytest.raises(InvalidValue, match=r"'mnits'.*mnist, fashion-mnist, two-clouds, random-p"):
        datasets.load("mnits")
    with pytest.raises(InvalidValue, match=r"'two-clouds'.*mnist, fashion-mnist"):
        datasets.fetch("two-clouds")


def test_what_is_available(folders):
    mnist, fashion, clouds, patterns = datasets.available()
    assert mnist.folder is None
    assert mnist.state.startswith("mnist lacks train-images")
    assert fashion.state.startswith("fashion-mnist lacks train-images")
    assert clouds == ("two-clouds", None, "built in")
    assert patterns == ("random-patterns:P,N", None, "built in")


@pytest.fixture
def mirrors(folders, tmp_path, monkeypatch) -> SimpleNamespace:
    """A data set of two tiny files, and three mirrors: one empty, one damaged, one right."""
    contents = {"a.gz": b"alpha" * 999, "b.gz": b"beta" * 999}
    where = {name: tmp_path / name for name in ("empty", "damaged", "right")}
    for folder in where.values():
        folder.mkdir()
    for file, content in contents.items():
        (where["right"] / file).write_bytes(gzip.compress(content))
        (where["damaged"] / file).write_bytes(gzip.compress(content)[:-20])
    checksums = {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()}
    urls = {name: folder.as_uri() + "/" for name, folder in where.items()}

    def use(torchvisions: list[str], ours: list[str]) -> None:
        loader = SimpleNamespace(mirrors=[urls[name] for name in torchvisions])
        files = datasets._Files("Tiny", tuple(urls[name] for name in ours), checksums)
        monkeypatch.setattr(datasets, "_FILES", {"tiny": files})
        monkeypatch.setattr(datasets, "_loader", lambda name: loader)

    return SimpleNamespace(use=use, urls=urls, where=where, checksums=checksums)


def test_fetch_goes_on_to_the_next_mirror_until_a_file_is_right(folders, mirrors):
    mirrors.use(["empty", "damaged"], ours=["right"])
    seen = []
    folder = datasets.fetch("tiny", progress=lambda *call: seen.append(call))
    assert folder == folders.cache / "tiny"
    assert sorted(path.name for path in folder.iterdir()) == ["a.gz", "b.gz"]
    assert {file: checksum(folder / file) for file in mirrors.checksums} == mirrors.checksums
    size = (folder / "a.gz").stat().st_size
    assert ("a.gz", size, size) in seen


def test_fetch_keeps_what_is_right_and_replaces_what_is_not(folders, mirrors):
    mirrors.use(["right"], ours=[])
    folder = datasets.fetch("tiny")
    (folder / "a.gz").write_bytes(b"not gzip")
    before = (folder / "b.gz").stat()
    datasets.fetch("tiny")
    assert checksum(folder / "a.gz") == mirrors.checksums["a.gz"]
    assert (folder / "b.gz").stat() == before


def test_fetch_lists_each_mirror_with_its_reason_and_leaves_nothing_behind(folders, mirrors):
    mirrors.use(["empty"], ours=["damaged"])
    with pytest.raises(DataError) as caught:
        datasets.fetch("tiny")
    message = str(caught.value)
    assert message.startswith("no mirror has a.gz of tiny: ")
    assert re.search(re.escape(mirrors.urls["empty"]) + r" \(.*No such file", message)
    damaged = re.escape(mirrors.urls["damaged"])
    assert re.search(
        damaged + rf" \(.*[0-9a-f]{{64}}, expected {mirrors.checksums['a.gz']}", message
    )
    assert "\n" not in message
    assert list((folders.cache / "tiny").iterdir()) == []


def test_fetch_says_when_its_folder_cannot_be_written(folders, mirrors):
    mirrors.use(["right"], ours=[])
    folders.cache.write_text("a file where the folder should be")
    with pytest.raises(DataError, match=f"cannot write to {re.escape(str(folders.cache))}"):
        datasets.fetch("tiny")


def test_our_list_of_files_is_torchvisions():
    for name, files in datasets._FILES.items():
        loader = datasets._loader(name)
        assert list(files.checksums) == [file for file, _ in loader.resources]
        assert all(mirror.endswith("/") for mirror in (*loader.mirrors, *files.mirrors))


def test_clouds_are_the_same_everywhere():
    first, second = datasets.two_clouds(), datasets.two_clouds()
    assert np.array_equal(first.train.values, second.train.values)
    assert first.checksum == ("1485d6c546475ae9cbcae430329c39bb7fda617b168d9e938929b0db9db5ae91")


@pytest.mark.parametrize(("split", "size"), [("train", 100), ("test", 1000)])
def test_clouds_are_two_discs(split, size):
    clouds = getattr(datasets.load("two-clouds"), split)
    assert clouds.values.dtype == np.float32
    assert np.bincount(clouds.labels).tolist() == [size, size]
    for label, centre in enumerate([(-1, 1.5), (1, 2)]):
        points = clouds.inputs()[clouds.labels == label]
        assert np.linalg.norm(points - centre, axis=1).max() <= 0.7 + 1e-6
        # Uniform over a disc of radius r: the coordinates' variances are r²/4.
        np.testing.assert_allclose(points.var(axis=0), 0.7**2 / 4, rtol=0.35)


def test_a_narrow_wedge_of_weights_separates_the_clouds_and_holds_the_least_squares_solution():
    clouds = datasets.load("two-clouds")
    degrees = np.arange(-180, 180, 0.1)
    lines = np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    right = [
        (split.labels == (split.inputs() @ lines > 0).T).mean(axis=1)
        for split in (clouds.train, clouds.test)
    ]
    wedge = degrees[(right[0] == 1) & (right[1] == 1)]
    assert wedge.min() == pytest.approx(-8.5, abs=0.5)
    assert wedge.max() == pytest.approx(11, abs=0.5)
    assert len(wedge) == pytest.approx((wedge.max() - wedge.min()) / 0.1 + 1, abs=0.1)
    assert (right[0][np.abs(degrees) > 172] == 0).all()

    solution = np.linalg.lstsq(clouds.train.inputs(), clouds.train.labels * 2 - 1)[0]
    angle = np.degrees(np.arctan2(solution[1], solution[0]))
    assert wedge.min() + 5 < angle < wedge.max() - 5


def test_patterns_are_random_and_the_same_everywhere():
    first, again = datasets.random_patterns(300, 200), datasets.random_patterns(300, 200)
    np.testing.assert_array_equal(first.train.values, again.train.values)
    np.testing.assert_array_equal(first.train.labels, again.train.labels)
    assert first.checksum == "a2b9bb63f179787ca7c730f0e80e841dbc597271ab79d8f3ceb58a1f8b724cda"
    assert first.name == "random-patterns:300,200"
    others = [datasets.random_patterns(200, 300), datasets.random_patterns(300, 201)]
    assert len({first.checksum, *(other.checksum for other in others)}) == 3


def test_patterns_are_plus_and_minus_one_in_two_classes():
    patterns = datasets.load("random-patterns:2000,500")
    assert patterns.test is patterns.train
    assert patterns.classes == 2
    inputs = patterns.train.inputs()
    assert (inputs.shape, inputs.dtype) == ((2000, 500), np.float32)
    assert set(np.unique(inputs)) == {-1, 1}
    assert patterns.train.labels.dtype == np.int64
    assert set(patterns.train.labels.tolist()) == {0, 1}
    # Fair and independent coins: means and correlations are within five standard errors of 0.
    signs = 2 * patterns.train.labels - 1
    assert abs(inputs.mean()) < 5 / np.sqrt(inputs.size)
    assert abs(signs.mean()) < 5 / np.sqrt(2000)
    assert np.abs(signs @ inputs / 2000).max() < 5 / np.sqrt(2000)
    assert np.abs(inputs.mean(axis=0)).max() < 5 / np.sqrt(2000)


@pytest.mark.parametrize(
    "sizes",
    ["", ":", ":5", ":5,", ":,5", ":0,5", ":5,0", ":-5,5", ":5,5,5", ":5.0,5", ":P,N", ":05,5"],
)
def test_patterns_of_impossible_sizes_are_refused(sizes):
    with pytest.raises(InvalidValue) as caught:
        datasets.load(f"random-patterns{sizes}")
    assert f"dataset is 'random-patterns{sizes}'" in str(caught.value)
    assert "write random-patterns:P,N" in str(caught.value)


def test_patterns_that_would_fill_the_memory_are_refused():
    with pytest.raises(InvalidValue, match=r"'random-patterns:100001,1000'.*at most 100,000,000"):
        datasets.load("random-patterns:100001,1000")
