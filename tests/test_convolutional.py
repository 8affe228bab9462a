"""The benchmark of a convolutional network: its table has what the page shows."""

import csv
import io
import tarfile
from itertools import product

import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

from lazybook.benchmarks import convolutional
from lazybook.book.figures import ROOT
from lazybook.errors import DataError


def few(per_class: int, seed: int) -> TensorDataset:
    """Images of ten classes that are easy to tell: each has a bright spot of its own."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(10), per_class)
    inputs = generator.random((len(labels), 3, 32, 32), dtype=np.float32) * 0.2
    inputs[np.arange(len(labels)), :, 3 * labels, 3 * labels] = 4
    return TensorDataset(torch.tensor(inputs), torch.tensor(labels))


def test_the_table_tells_of_both_starts_and_both_gates(tmp_path):
    path = tmp_path / "table.csv"
    convolutional.publish(path, few(20, 0), few(5, 1), seeds=1, epochs=2)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    published = list(
        csv.DictReader((ROOT / "results" / "convolutional.csv").read_text().splitlines())
    )
    assert rows[0].keys() == published[0].keys()
    cases = {(row["start"], row["gate"]) for row in rows}
    assert cases == set(product(("scratch", "half known"), ("every-sample", "memorized-mistakes")))
    assert cases == {(row["start"], row["gate"]) for row in published}
    for row in rows:
        if row["gate"] == "every-sample":
            assert int(row["updates"]) == int(row["epoch"]) * 200
        else:
            assert int(row["updates"]) <= int(row["epoch"]) * 200
        both = (float(row["old"]) + float(row["new"])) / 2
        assert float(row["all"]) == pytest.approx(both, abs=1e-4)
    begin = [row for row in rows if row["epoch"] == "0" and row["start"] == "half known"]
    assert len({row["all"] for row in begin}) == 1  # both gates go on from one network


def test_images_are_read_from_the_archive(tmp_path):
    from PIL import Image

    path = tmp_path / "images.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for half, name, number in product(("train", "test"), ("b", "a"), range(3)):
            file = io.BytesIO()
            shade = 200 if name == "a" else 20
            Image.new("RGB", (32, 32), (shade, 0, 0)).save(file, "JPEG")
            entry = tarfile.TarInfo(f"{half}/{name}/{number:04}.jpg")
            entry.size = file.tell()
            file.seek(0)
            archive.addfile(entry, file)
    inputs, labels = convolutional.images(path, "train", 2).tensors
    assert inputs.shape == (4, 3, 32, 32)
    assert labels.tolist() == [0, 0, 1, 1]
    assert inputs[0, 0].mean() == pytest.approx(200 / 255, abs=0.02)
    with pytest.raises(DataError, match="cannot read"):
        convolutional.images(tmp_path / "none.tar.gz", "train", 2)
