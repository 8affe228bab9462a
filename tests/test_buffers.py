"""What is kept of a stream, and presented again."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from lazybook import buffers
from lazybook.buffers import Everything, OnlyMistakes, RandomShare, Reservoir
from lazybook.errors import InvalidValue
from lazybook.experiment import Experiment
from lazybook.gates import EverySample, MemorizedMistakes
from lazybook.runs import Run
from lazybook.trainers import train

SPELLED = {
    "everything": Everything(),
    "mistakes": OnlyMistakes(),
    "random-share:0.25": RandomShare(0.25),
    "reservoir:30": Reservoir(30),
}
STREAM = Experiment(
    dataset="mnist/samples:0-1999", hidden=20, epochs=5, measure_every=4000, learning_rate=0.05
)  # fmt: skip


def stream(buffer: str, **changes) -> Run:
    """The run of a stream with lazy learning, unless another gate is given."""
    return train(
        replace(STREAM, **{"buffer": SPELLED[buffer], "gate": MemorizedMistakes()} | changes)
    )


@pytest.mark.parametrize("text", SPELLED)
def test_buffers_are_spelled_in_a_word(text):
    assert buffers.parse(text) == SPELLED[text]
    assert str(SPELLED[text]) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("all", "unknown buffer 'all'; choose from: everything, mistakes, random-share, reservoir"),
        ("reservoir", "buffer 'reservoir': reservoir needs size"),
        ("reservoir:0", "size is 0; it must be a whole number, at least 1"),
        ("random-share:0", "share is 0.0; it must be a number above 0 and at most 1"),
        ("random-share:1.5", "share is 1.5; it must be"),
    ],
)
def test_what_is_no_buffer_is_named(text, said):
    with pytest.raises(InvalidValue, match=f"^{re.escape(said)}"):
        buffers.parse(text)


def test_a_reservoir_keeps_each_sample_of_a_stream_equally_often():
    generator, size, length, rounds = np.random.default_rng(0), 5, 20, 4000
    times = np.zeros(length)
    for _ in range(rounds):
        kept: list[int] = []
        for arrived, number in enumerate(generator.integers(2**64, size=length, dtype=np.uint64)):
            place = Reservoir(size).place(False, arrived, len(kept), int(number))
            if place is not None:
                kept[place : place + 1] = [arrived]
        times[kept] += 1
    expected = rounds * size / length
    assert times.sum() == rounds * size
    np.testing.assert_allclose(times, expected, atol=5 * math.sqrt(expected * (1 - size / length)))


def test_a_stream_is_seen_once_and_kept_samples_again():
    """With everything kept there are as many presentations as in so many epochs."""
    run = stream("everything", gate=EverySample())
    assert run.final["samples"] == run.final["updates"] == 5 * 2000
    assert run.final["epoch"] == 5
    assert sorted(run.arrays["buffer"]) == list(range(2000))
    assert run.table["samples"].tolist() == [0, 4000, 8000, 10_000]
    assert run.table["buffered"].tolist() == [0, 800, 1600, 2000]
    assert run.final["test_accuracy"] > 0.8


def test_the_buffer_of_mistakes_is_a_part_of_the_memory():
    """A sample that is kept was a mistake, so it is remembered, and learned each time."""
    run = stream("mistakes")
    assert set(run.arrays["buffer"]) == set(np.flatnonzero(run.arrays["memory"]))
    assert run.final["buffered"] < 1000
    kept = run.final["buffered"]
    assert run.final["updates"] == kept + run.final["samples"] - 2000


def test_shares_and_reservoirs_keep_as_many_as_they_say():
    run = stream("random-share:0.25")
    assert abs(run.final["buffered"] - 500) < 5 * math.sqrt(2000 * 0.25 * 0.75)
    run = stream("reservoir:30")
    assert run.final["buffered"] == 30
    assert np.median(run.arrays["buffer"]) == pytest.approx(1000, abs=500)  # from all of the stream


def test_a_stream_without_epochs_to_fill_is_one_epoch():
    """Nothing is presented again, so what is kept does not matter."""
    plain = train(replace(STREAM, epochs=1))
    run = stream("mistakes", gate=EverySample(), epochs=1)
    assert run.final["samples"] == 2000
    assert run.final["energy_m1"] == plain.final["energy_m1"]
