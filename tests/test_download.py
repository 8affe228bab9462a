"""Downloads end with the right files, or with one line that says whose fault it is."""

import gzip
import hashlib
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from lazybook import datasets
from lazybook.errors import DataError


def checksum(path: Path) -> str:
    return hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()


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
