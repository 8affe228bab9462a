"""A small convolutional network that is taught new classes of photographs, gated or not.

The images are those of `cifar-10-jpeg`, a copy of CIFAR-10 as JPEG files, of which a part is
learned: the file ``cifar-10-jpeg/images.tar.gz`` in ``$LAZYBOOK_DATA``, with an image in
``train/CLASS/NUMBER.jpg`` or ``test/CLASS/NUMBER.jpg``. What comes out is published in
``results/convolutional.csv``, which a page shows. It is computed anew by
``python -m lazybook.benchmarks.convolutional``.
"""

import csv
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from lazybook.benchmarks.own_training import cnn
from lazybook.errors import DataError
from lazybook.gates import EverySample, Gate, MemorizedMistakes
from lazybook.pytorch import Gate as Gated
from lazybook.pytorch import Indexed, Meter
from lazybook.support import paths

PER_CLASS, TEST_PER_CLASS = 600, 200  # images
OLD = 5  # classes that are known before the others come
EPOCHS, BATCH, RATE, SEEDS = 6, 16, 0.02, 3
GATES = (EverySample(), MemorizedMistakes())
COLUMNS = ("start", "gate", "seed", "epoch", "updates", "all", "old", "new", "m0", "m1")


def images(archive: Path, half: str, per_class: int) -> TensorDataset:
    """Return the first images of each class, float32 ``(n, 3, 32, 32)`` from 0 to 1, and labels.

    Classes are numbered in the order of their names. ``half`` is ``train`` or ``test``.

    Raises DataError if the archive cannot be read.
    """
    from PIL import Image

    pixels: dict[str, list[np.ndarray]] = {}
    try:
        with tarfile.open(archive) as files:
            for file in files:
                place = Path(file.name)
                if place.parts[0] == half and place.suffix == ".jpg":
                    kept = pixels.setdefault(place.parts[1], [])
                    if int(place.stem) < per_class:
                        kept.append(np.asarray(Image.open(files.extractfile(file))))
    except (OSError, tarfile.TarError) as error:
        raise DataError(f"cannot read {archive}: {error}; put cifar-10-jpeg there") from None
    values = np.concatenate([np.stack(pixels[name]) for name in sorted(pixels)])
    inputs = torch.tensor(values, dtype=torch.float32).permute(0, 3, 1, 2) / 255
    sizes = [len(pixels[name]) for name in sorted(pixels)]
    return TensorDataset(inputs, torch.tensor(np.repeat(np.arange(len(sizes)), sizes)))


def old(dataset: TensorDataset) -> TensorDataset:
    """Return the images of the classes that are known first."""
    inputs, labels = dataset.tensors
    return TensorDataset(inputs[labels < OLD], labels[labels < OLD])


def learn(
    network: nn.Module, rule: Gate, dataset: TensorDataset, test: TensorDataset, epochs: int
) -> Iterator[list[float]]:
    """Train with a gate; yield after each epoch updates, three accuracies, M0 and M1.

    Accuracies are those on all test images, and on those of the old and of the new classes.
    """
    gate, meter = Gated(rule, len(dataset)), Meter(network.parameters())
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)
    for _ in range(epochs):
        for inputs, labels, indices in DataLoader(Indexed(dataset), BATCH, shuffle=True):
            outputs = network(inputs)
            learned = gate(outputs, labels, indices)
            if gate.any(learned):
                losses = cross_entropy(outputs[learned], labels[learned], reduction="sum")
                optimizer.zero_grad()
                (losses / len(labels)).backward()
                with meter:
                    optimizer.step()
        spent = float(meter.m0.sum()), float(meter.m1.sum())
        yield [int(gate.updates), *accuracies(network, test), *spent]


@torch.no_grad()
def accuracies(network: nn.Module, test: TensorDataset) -> list[float]:
    """Return the fraction correct of all images, of the old classes and of the new ones."""
    inputs, labels = test.tensors
    right: Tensor = (network(inputs).argmax(dim=1) == labels).float()
    return [float(part.mean()) for part in (right, right[labels < OLD], right[labels >= OLD])]


def publish(path: Path, train: TensorDataset, test: TensorDataset, seeds: int, epochs: int) -> None:
    """Teach all classes from scratch, and to networks that know some; write the table."""
    with path.open("w", encoding="utf8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for seed in range(seeds):
            torch.manual_seed(seed)
            starts = {"scratch": cnn(3, 32), "half known": cnn(3, 32)}
            list(learn(starts["half known"], EverySample(), old(train), test, epochs))
            for start, before in starts.items():
                for rule in GATES:
                    torch.manual_seed(seed)  # the same order of the images for both
                    network = cnn(3, 32)
                    network.load_state_dict(before.state_dict())
                    begin = [0, *accuracies(network, test), 0.0, 0.0]
                    measured = [begin, *learn(network, rule, train, test, epochs)]
                    for epoch, row in enumerate(measured):
                        values = [f"{value:.6g}" for value in row]
                        table.writerow([start, str(rule), seed, epoch, *values])
                    file.flush()


def main() -> None:
    """Compute ``results/convolutional.csv`` anew."""
    archive = Path(os.environ.get("LAZYBOOK_DATA", ".")) / "cifar-10-jpeg" / "images.tar.gz"
    train, test = images(archive, "train", PER_CLASS), images(archive, "test", TEST_PER_CLASS)
    torch.set_num_threads(1)
    publish(paths.published() / "convolutional.csv", train, test, SEEDS, EPOCHS)


if __name__ == "__main__":
    main()
