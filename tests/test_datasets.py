"""The data are what they are said to be, and wrong files never get through."""

import gzip
import hashlib
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from lazybook import datasets
from lazybook.datasets import Dataset, Split, deformation, deformed
from lazybook.errors import DataError, InvalidValue
from lazybook.experiment import preset
from lazybook.support import paths
from lazybook.trainers import train

FACTS = datasets.facts
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
    datasets._load.cache_clear()
    yield folders
    datasets._load.cache_clear()


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


@pytest.mark.parametrize("name", ["mnist", "two-clouds", "random-patterns:7,5"])
def test_facts_are_those_of_the_data_set(name):
    assert datasets.facts(name) == datasets.load(name).facts


def test_facts_need_no_files(folders):
    mnist, deformed = datasets.facts("mnist"), datasets.facts("deformed-mnist:9000000")
    assert (mnist.train, mnist.test, mnist.inputs, mnist.classes) == (60_000, 10_000, 784, 10)
    assert (deformed.train, deformed.test) == (9_000_000, 40_000)
    assert datasets.facts("emnist-digits").train == 240_000
    with pytest.raises(DataError, match="mnist lacks"):
        datasets.load("mnist")


@pytest.mark.parametrize(
    "name", ["mnits", "", "deformed-mnist:0", "random-patterns:5", "few:0123456789ab", None, 5, []]
)
def test_facts_and_load_refuse_the_same_names(name):
    with pytest.raises(InvalidValue) as loading:
        datasets.load(name)
    with pytest.raises(InvalidValue) as asking:
        datasets.facts(name)
    assert str(loading.value) == str(asking.value)


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


def test_files_need_not_be_packed(folders):
    path = place(folders.own / "MNIST/raw") / LABELS
    plain = path.with_suffix("")
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    path.unlink()
    assert datasets.load("mnist").train.labels[59_915] == 4
    plain.write_bytes(plain.read_bytes()[:-1])
    datasets._load.cache_clear()
    with pytest.raises(DataError, match=rf"^{re.escape(str(plain))} is altered: unpacked it has"):
        datasets.load("mnist")


def test_the_contents_count_not_their_packing(folders):
    path = place(folders.own / "mnist") / LABELS
    before = datasets.load("mnist")
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 1))
    datasets._load.cache_clear()
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
    *found, stated = re.findall(r"\b[0-9a-f]{64}\b", message)
    assert stated == expected
    assert (found == [expected]) == (damage is cut_the_last_byte)  # the contents are all there
    if damage is relabel:
        assert found == [checksum(path)]
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
    with pytest.raises(
        InvalidValue, match=r"'mnits'.*mnist, fashion-mnist, emnist-digits, deformed-mnist:N"
    ):
        datasets.load("mnits")
    with pytest.raises(InvalidValue, match=r"'two-clouds'.*mnist, fashion-mnist"):
        datasets.fetch("two-clouds")


def test_what_is_available(folders):
    mnist, fashion, emnist, deformed, clouds, patterns = datasets.available()
    assert mnist.folder is None
    assert mnist.state.startswith("mnist lacks train-images")
    assert fashion.state.startswith("fashion-mnist lacks train-images")
    assert emnist.state.startswith("emnist-digits lacks emnist-digits-train-images")
    assert deformed == ("deformed-mnist:N", None, "is made from mnist, which is not ready")
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
        if files.archive:
            assert loader.url.endswith(f"/{files.archive}")
        else:
            assert list(files.checksums) == [file for file, _ in loader.resources]
            assert all(mirror.endswith("/") for mirror in loader.mirrors)
        assert all(mirror.endswith("/") for mirror in files.mirrors)
        sums = [*files.checksums.values(), *files.published.values()]
        assert len({value for value in sums if re.fullmatch("[0-9a-f]{64}", value)}) == len(sums)
        assert not files.published or list(files.published) == list(files.checksums)


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


@pytest.fixture
def emnist(folders, monkeypatch) -> SimpleNamespace:
    """Twenty upright training images, eight for testing, and files as EMNIST would have them."""
    generator = np.random.default_rng(0)
    images, labels, packed = {}, {}, {}
    for part, size in (("train", 20), ("test", 8)):
        images[part] = generator.integers(256, size=(size, 28, 28), dtype=np.uint8)
        labels[part] = generator.integers(10, size=size, dtype=np.uint8)
        columns = images[part].swapaxes(1, 2)
        for kind, array in (("images-idx3", columns), ("labels-idx1", labels[part])):
            head = np.array([0x800 + array.ndim, *array.shape], ">i4").tobytes()
            packed[f"emnist-digits-{part}-{kind}-ubyte.gz"] = gzip.compress(head + array.tobytes())

    def use(mirrors: list[Path], published: bool = False) -> None:
        """Let these files be the right ones, by their contents or as they are packed."""
        unpacked = {file: gzip.decompress(bytes) for file, bytes in packed.items()}
        files = replace(
            datasets._FILES["emnist-digits"],
            mirrors=tuple(folder.as_uri() + "/" for folder in mirrors[1:]),
            checksums={file: hashlib.sha256(b).hexdigest() for file, b in unpacked.items()},
        )
        if published:
            sums = {file: hashlib.sha256(bytes).hexdigest() for file, bytes in packed.items()}
            files = replace(files, published=sums, checksums=dict.fromkeys(packed, "0" * 64))
        monkeypatch.setattr(datasets, "_FILES", {"emnist-digits": files})
        if mirrors:
            monkeypatch.setattr(
                datasets._loader("emnist-digits"), "url", f"{mirrors[0].as_uri()}/gzip.zip"
            )

    def write(folder: Path, plain: bool = False) -> None:
        folder.mkdir(parents=True)
        for file, contents in packed.items():
            path = folder / file
            if plain:
                path.with_suffix("").write_bytes(gzip.decompress(contents))
            else:
                path.write_bytes(contents)

    def archive(folder: Path, *left_out: str) -> Path:
        folder.mkdir()
        with zipfile.ZipFile(folder / "gzip.zip", "w") as archive:
            archive.writestr("gzip/emnist-letters-mapping.txt", "1 65 97")
            for file in set(packed) - set(left_out):
                archive.writestr(f"gzip/{file}", packed[file])
        return folder

    use([])
    return SimpleNamespace(
        images=images, labels=labels, packed=packed, use=use, write=write, archive=archive
    )


@pytest.mark.parametrize("plain", [False, True], ids=["packed", "plain"])
@pytest.mark.parametrize("layout", ["emnist-digits", "EMNIST/raw"])
def test_the_digits_of_emnist_stand_upright(emnist, folders, layout, plain):
    emnist.write(folders.own / layout, plain)
    loaded = datasets.load("emnist-digits")
    assert (loaded.name, loaded.classes) == ("emnist-digits", 10)
    for part in ("train", "test"):
        split = getattr(loaded, part)
        np.testing.assert_array_equal(split.values, emnist.images[part].reshape(-1, 784))
        np.testing.assert_array_equal(split.labels, emnist.labels[part])
        assert (split.values.dtype, split.labels.dtype) == (np.uint8, np.int64)
        assert split.scale == 1 / 255
        assert split.values.flags.c_contiguous
    assert datasets._availability("emnist-digits").state == "ready"


def test_emnist_as_published_is_right(emnist, folders):
    emnist.use([], published=True)
    emnist.write(folders.own / "emnist-digits")
    assert len(datasets.load("emnist-digits").train) == 20
    file = folders.own / "emnist-digits" / next(iter(emnist.packed))
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()), 1))
    datasets._load.cache_clear()
    with pytest.raises(DataError, match="is altered: unpacked it has SHA-256"):
        datasets.load("emnist-digits")


def test_missing_and_damaged_files_of_emnist_are_named(emnist, folders):
    with pytest.raises(DataError) as caught:
        datasets.load("emnist-digits")
    message = str(caught.value)
    for part in (*emnist.packed, folders.own, "emnist-digits or EMNIST/raw"):
        assert str(part) in message
    assert message.endswith("lazybook data fetch emnist-digits")
    emnist.write(folders.own / "emnist-digits")
    path = folders.own / "emnist-digits" / "emnist-digits-test-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=rf"^{re.escape(str(path))} is truncated: .*fetch emnist-d"):
        datasets.load("emnist-digits")


def test_emnist_comes_out_of_one_archive(emnist, folders, tmp_path):
    lacking = emnist.archive(tmp_path / "lacking", "emnist-digits-test-labels-idx1-ubyte.gz")
    no_archive, empty = tmp_path / "no archive", tmp_path / "empty"
    no_archive.mkdir()
    (no_archive / "gzip.zip").write_bytes(b"<html>moved</html>")
    empty.mkdir()
    wrong = [empty, no_archive, lacking]
    emnist.use(wrong)
    with pytest.raises(DataError) as caught:
        datasets.fetch("emnist-digits")
    message = str(caught.value)
    assert message.startswith("no mirror has gzip.zip of emnist-digits: ")
    reasons = ("No such file", "a web page", "lacks emnist-digits-test-labels-idx1-ubyte.gz")
    for folder, reason in zip(wrong, reasons, strict=True):
        assert re.search(rf"{re.escape(folder.as_uri())}/ \([^)]*{reason}", message)
    assert list((folders.cache / "emnist-digits").iterdir()) == []

    emnist.use([*wrong, emnist.archive(tmp_path / "right")])
    seen = []
    folder = datasets.fetch("emnist-digits", progress=lambda *call: seen.append(call))
    assert folder == folders.cache / "emnist-digits"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == emnist.packed
    size = (tmp_path / "right" / "gzip.zip").stat().st_size
    assert seen[-1] == ("gzip.zip", size, size)
    np.testing.assert_array_equal(datasets.load("emnist-digits").test.labels, emnist.labels["test"])


def test_of_emnist_only_what_is_wrong_is_replaced(emnist, folders, tmp_path):
    emnist.use([emnist.archive(tmp_path / "right")])
    folder = datasets.fetch("emnist-digits")
    wrong, *others = sorted(folder.iterdir())
    before = [path.stat() for path in others]
    wrong.write_bytes(b"not gzip")
    datasets.fetch("emnist-digits")
    assert wrong.read_bytes() == emnist.packed[wrong.name]
    assert [path.stat() for path in others] == before
    (tmp_path / "right" / "gzip.zip").unlink()
    datasets.fetch("emnist-digits")  # all is right, and nothing is downloaded


def split(seed: int = 0, n: int = 20) -> Split:
    generator = np.random.default_rng(seed)
    values = generator.integers(256, size=(n, 6), dtype=np.uint8)
    return Split(values, generator.integers(3, size=n), scale=1 / 255)


def test_a_derived_data_set_is_known_by_the_name_it_was_given():
    train, test = split(0), split(1)
    name = datasets.derived("few-sevens", train, test, classes=3)
    assert re.fullmatch("few-sevens:[0-9a-f]{12}", name)
    made = datasets.load(name)
    assert (made.name, made.classes, made.train, made.test) == (name, 3, train, test)
    assert re.fullmatch("[0-9a-f]{64}", made.checksum)
    assert name == f"few-sevens:{made.checksum[:12]}"
    assert datasets.load(name) is made
    with pytest.raises(ValueError, match="read-only"):
        made.train.values[0] = 1


def test_the_same_samples_give_the_same_name_whatever_their_layout():
    names = [datasets.derived("part", split(0), split(1)) for _ in range(2)]
    columns = replace(split(0), values=np.asfortranarray(split(0).values))
    names.append(datasets.derived("part", columns, split(1)))
    assert len(set(names)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"values": split(2).values},
        {"values": split(0).values.astype(np.float32)},
        {"labels": split(2).labels},
        {"scale": 1 / 256},
        {"offset": 0.5},
    ],
    ids=lambda change: f"{next(iter(change))}",
)
def test_whatever_is_changed_in_either_half_changes_the_name(change):
    changed = replace(split(0), **change)
    pairs = [(split(0), split(0)), (changed, split(0)), (split(0), changed)]
    names = {datasets.derived("part", *pair) for pair in pairs}
    names.add(datasets.derived("part", *pairs[0], classes=11))
    assert len(names) == 4


@pytest.mark.parametrize("name", ["few-sevens:0123456789ab", "mnist:0123456789ab"])
def test_what_was_not_derived_in_this_process_is_not_known(name):
    with pytest.raises(InvalidValue) as caught:
        datasets.load(name)
    assert str(caught.value).startswith(f"dataset is {name!r}, which a notebook derives")


@pytest.mark.parametrize("word", ["", "seven 7", "seven7", "a:b", "a/b", "-", "../a", "zw\u00f6lf"])
def test_a_derived_data_set_needs_a_word(word):
    with pytest.raises(InvalidValue, match="it must be of letters and hyphens"):
        datasets.derived(word, split(), split())


@pytest.mark.parametrize(
    "change",
    [
        {"values": split().values[:-1]},
        {"values": split().values[:, :-1]},
        {"values": split().values[:, 0]},
        {"values": split().values.astype(float)},
        {"values": np.full((20, 6), np.nan, np.float32)},
        {"labels": split().labels + 8},
        {"labels": split().labels - 3},
        {"labels": split().labels.astype(float)},
        {"values": split().values[:0], "labels": split().labels[:0]},
    ],
)
def test_derived_samples_that_no_network_could_learn_are_refused(change):
    with pytest.raises(InvalidValue, match=r"test.* has|and test 5; "):
        datasets.derived("part", split(), replace(split(), **change))


def test_a_network_learns_derived_data():
    mnist = datasets.load("mnist")
    few = [
        replace(half, values=half.values[:100], labels=half.labels[:100])
        for half in (mnist.train, mnist.test)
    ]
    experiment = preset("lazy", dataset=datasets.derived("few", *few), hidden=5, epochs=2)
    assert train(experiment).final["updates"] == 200


@pytest.fixture
def small(folders, part_of_mnist) -> Iterator[Dataset]:
    """In place of MNIST a small part of it, and an empty cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "load", {"mnist": part_of_mnist}.get)
        yield part_of_mnist


def test_deformed_images_have_the_labels_of_their_bases_and_resemble_them(small):
    deformed = datasets.deformed_mnist(1500)
    assert (deformed.name, deformed.classes) == ("deformed-mnist:1500", 10)
    assert len(deformed.train) == 1500
    assert len(deformed.test) == 4 * len(small.test)
    for split, base in ((deformed.train, small.train), (deformed.test, small.test)):
        assert (split.values.dtype, split.scale) == (np.uint8, 1 / 255)
        assert split.labels.dtype == np.int64
        # All images in turn, over and over: the first 600 training images are one round.
        count = len(base)
        correlation = np.corrcoef(split.values, base.values)[: len(split), len(split) :]
        nearest = correlation.argmax(axis=1)
        assert len(np.unique(nearest[:count])) > 0.95 * count
        assert (nearest == np.resize(nearest[:count], len(split))).mean() > 0.9
        assert (base.labels[nearest] == split.labels).mean() > 0.99
        assert correlation.max(axis=1).mean() > 0.9
        # Each is deformed, and each time in another way.
        assert correlation.max() < 0.9999
        assert len(np.unique(split.values, axis=0)) == len(split)


def test_a_smaller_deformed_set_is_the_first_part_of_a_larger_one(small):
    large, few = (datasets.deformed_mnist(samples) for samples in (1500, 1100))
    np.testing.assert_array_equal(few.train.values, large.train.values[:1100])
    np.testing.assert_array_equal(few.train.labels, large.train.labels[:1100])
    np.testing.assert_array_equal(few.test.values, large.test.values)
    assert few.checksum != large.checksum


def test_the_facts_of_a_deformed_set_are_known_before_it_is_made(small, monkeypatch):
    monkeypatch.setattr(datasets, "facts", lambda name: small.facts)
    # By the true name, for `facts` itself asks for those of MNIST.
    assert FACTS("deformed-mnist:50") == datasets.deformed_mnist(50).facts


def test_deformations_do_not_depend_on_the_number_of_cores(part_of_mnist, monkeypatch):
    images, bases = part_of_mnist.train.values, np.arange(2500) % 600
    done = []
    expected = deformation.deform(images, bases, 1, done.append)
    assert sum(done) == 2500
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    np.testing.assert_array_equal(deformation.deform(images, bases, 1), expected)
    assert (deformation.deform(images, bases, 2) != expected).mean() > 0.05


def test_the_deformations_are_those_of_version_1(part_of_mnist):
    """If this fails for good reason, `deformed.VERSION` has to be raised."""
    images = deformation.deform(part_of_mnist.train.values, np.arange(2500) % 600, 1)
    middle = images.reshape(-1, 28, 28)[[0, 999, 1000, 2400], 10:18, 10:18].mean(axis=(1, 2))
    np.testing.assert_allclose(middle, [76.19, 79.13, 110.23, 80.55], atol=0.05)
    assert deformed.VERSION == 1


def test_a_deformed_pixel_is_taken_from_the_place_that_the_map_and_the_field_say():
    image = np.random.default_rng(0).integers(256, size=(28, 28), dtype=np.uint8)
    [deformed] = deformation.deform(image.reshape(1, -1), np.array([0]), seed=5)
    numbers = np.random.Generator(np.random.PCG64([5, 0])).random((1, 134), np.float32)[0]
    moves = deformation.RANGES * (2 * numbers - 1)
    scale, rotation, stretch, shear, *shift = moves[:6]
    field = deformation.SPLINES @ moves[6:].reshape(2, 8, 8) @ deformation.SPLINES.T
    at = np.mgrid[:28, :28]
    matrix = [[scale + stretch, shear + rotation], [shear - rotation, scale - stretch]]
    at = at + np.einsum("ij,jyx->iyx", matrix, at - 13.5) + np.reshape(shift, (2, 1, 1)) + field
    expected = map_coordinates(np.pad(image.astype(float), 5), at + 5, order=1)
    np.testing.assert_allclose(deformed.reshape(28, 28), expected, atol=0.51)


def test_deformed_images_are_kept_and_made_again_if_damaged(small, folders, monkeypatch):
    made = datasets.deformed_mnist(50)
    files = sorted(
        (folders.cache / "deformed-mnist").iterdir(), key=lambda file: file.stat().st_size
    )
    assert [file.stat().st_size for file in files] == [32 + 784 * 50, 32 + 784 * 1200]
    deform, calls = deformation.deform, []

    def counted(*arguments):
        calls.append(arguments)
        return deform(*arguments)

    monkeypatch.setattr(deformation, "deform", counted)
    np.testing.assert_array_equal(datasets.deformed_mnist(50).train.values, made.train.values)
    assert calls == []
    right = files[0].read_bytes()
    wrong = [right[:-1], right + b"0", right[:5000] + bytes([right[5000] ^ 1]) + right[5001:], b""]
    for number, contents in enumerate(wrong, 1):
        files[0].write_bytes(contents)
        again = datasets.deformed_mnist(50)
        np.testing.assert_array_equal(again.train.values, made.train.values)
        assert len(calls) == number
        assert files[0].read_bytes() == right
    with pytest.raises(ValueError, match="read-only"):
        datasets.deformed_mnist(50).train.values[0] = 1


def test_deformed_images_are_made_where_nothing_can_be_kept(small, folders):
    folders.cache.write_text("a file where the folder should be")
    assert len(datasets.deformed_mnist(50).train) == 50


@pytest.mark.parametrize("size", ["", ":", ":0", ":-5", ":N", ":5.0", ":05", ":5,5"])
def test_a_deformed_set_of_an_impossible_size_is_refused(size):
    with pytest.raises(InvalidValue) as caught:
        datasets.load(f"deformed-mnist{size}")
    assert f"dataset is 'deformed-mnist{size}'; write deformed-mnist:N" in str(caught.value)


def test_deformed_images_that_would_fill_the_memory_are_refused():
    with pytest.raises(InvalidValue, match=r"'deformed-mnist:10000001'.*at most 10,000,000"):
        datasets.load("deformed-mnist:10000001")
