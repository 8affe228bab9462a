"""Record what the playground starts from: ``python book/playground/record.py``.

Two scripts are written: the points of the two clouds, and a network that has learned some digits,
with the digits that it goes on with in the page. They are scripts and not data, as a page that was
opened from a file may load nothing else.
"""

import base64
import json
import zlib
from pathlib import Path

import numpy as np

from lazybook import datasets
from lazybook.datasets import Dataset
from lazybook.experiment import Experiment
from lazybook.runs import Run
from lazybook.trainers import train

FOLDER = Path(__file__).parent
LEARNED, TO_LEARN, TO_TEST = 5000, 1500, 500


def clouds() -> dict:
    """Return the training points, ``(200, 2)``, and their classes."""
    split = datasets.load("two-clouds").train
    points = [
        [float(str(value)) for value in point] for point in split.inputs()
    ]  # float32's digits
    return {"points": points, "labels": split.labels.tolist()}


def pretrained(mnist: Dataset) -> Run:
    """Train a network once on each of the first images of MNIST."""
    first = slice(0, LEARNED)
    name = datasets.from_arrays(
        "first-digits",
        mnist.train.values[first],
        mnist.train.labels[first],
        mnist.test.values,
        mnist.test.labels,
    )
    return train(Experiment(dataset=name, hidden=30, epochs=1, record=("weights",)))


def digits() -> dict:
    """Return the network, and the digits that follow those that it has learned."""
    mnist = datasets.load("mnist")
    run = pretrained(mnist)
    here = slice(LEARNED, LEARNED + TO_LEARN)
    images = np.concatenate([mnist.train.values[here], mnist.test.values[:TO_TEST]])
    labels = np.concatenate([mnist.train.labels[here], mnist.test.labels[:TO_TEST]])
    weights = np.concatenate([layer.ravel() for layer in run.weights]).astype("<f4")
    return {
        "hidden": run.experiment.hidden,
        "leak": 0.01,
        "rate": run.experiment.learning_rate,
        "learned": LEARNED,
        "toLearn": TO_LEARN,
        "labels": "".join(map(str, labels)),
        "weights": base64.b64encode(weights.tobytes()).decode(),
        "images": base64.b64encode(zlib.compress(images.tobytes(), 9)).decode(),
    }


def write(name: str, contents: dict) -> None:
    """Write a script that sets ``lazybook.NAME``."""
    text = f"/* Made by record.py. */\nlazybook.{name} = {json.dumps(contents)};\n"
    (FOLDER / f"{name}-data.js").write_text(text, encoding="utf8")


if __name__ == "__main__":
    write("clouds", clouds())
    write("digits", digits())
