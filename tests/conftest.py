"""What all tests share: a run store of their own, a small part of MNIST, data, the command line."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import hypothesis
import pytest
import torch

from lazybook import cli, datasets
from lazybook.datasets import Dataset, Split
from lazybook.support import paths

hypothesis.settings.register_profile("lazybook", deadline=None)
hypothesis.settings.load_profile("lazybook")


@pytest.fixture(scope="session", autouse=True)
def run_store(tmp_path_factory):
    """No test looks for records, or leaves any, in the user's run store."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAZYBOOK_RUNS", str(tmp_path_factory.mktemp("runs")))
        yield


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tests run side by side; PyTorch's threads would only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def part_of_mnist() -> Dataset:
    """The first 600 training and 300 test images of MNIST."""

    def first(samples: int, split: Split) -> Split:
        return replace(split, values=split.values[:samples], labels=split.labels[:samples])

    mnist = datasets.load("mnist")
    part = {"train": first(600, mnist.train), "test": first(300, mnist.test)}
    return replace(mnist, **part, checksum="a part of MNIST")


@pytest.fixture
def few(monkeypatch, part_of_mnist) -> Dataset:
    """In place of MNIST a small part of it, where all of it would only take time."""
    load, facts = datasets.load, datasets.facts
    monkeypatch.setattr(
        datasets, "load", lambda name: part_of_mnist if name == "mnist" else load(name)
    )
    monkeypatch.setattr(
        datasets, "facts", lambda name: part_of_mnist.facts if name == "mnist" else facts(name)
    )
    return part_of_mnist


@pytest.fixture
def folders(tmp_path, monkeypatch) -> Iterator[SimpleNamespace]:
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


@pytest.fixture
def lazybook(monkeypatch, capfd):
    """A function to run the command; returns exit code, what it prints, what it complains."""

    def run(*arguments: str):
        monkeypatch.setattr(sys, "argv", ["lazybook", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return caught.value.code or 0, *capfd.readouterr()

    return run
