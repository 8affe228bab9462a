"""What is timed as the gate's overhead is the same learning, with and without a gate."""

from lazybook.benchmarks import overhead
from lazybook.benchmarks.timing import take_turns


def test_both_networks_learn_every_sample_and_the_same(monkeypatch):
    seen = {}

    def watched(learners, *given):
        seen.update(learners)
        return take_turns(learners, *given)

    monkeypatch.setattr(overhead, "take_turns", watched)
    ratio = overhead.gate_overhead(20, seed=0, rounds=3, seconds=0.01)
    assert 0.3 < ratio < 3
    for engine in seen.values():
        assert engine.meter.updates == engine.presented > 0
    assert seen["gated"].experiment.gate != seen["backprop"].experiment.gate
