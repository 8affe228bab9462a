"""The table on the page "In your own training": it is made by what the page says, and is whole."""

import csv

from lazybook.benchmarks import own_training
from lazybook.book.figures import ROOT


def rows(path) -> list[dict]:
    return list(csv.DictReader(path.read_text(encoding="utf8").splitlines()))


def number(text: str) -> float:
    return float(text.replace(",", "").partition(" ")[0])


def test_the_table_is_made_as_it_is_published(tmp_path, monkeypatch):
    load = own_training.datasets.load
    monkeypatch.setattr(own_training.datasets, "load", lambda name: load("mnist"))
    own_training.publish(tmp_path / "table.csv", samples=640, epochs=2, seeds=1)
    made, published = rows(tmp_path / "table.csv"), rows(ROOT / "results" / "own_training.csv")
    for table, presented in ((made, 1280), (published, own_training.SAMPLES * own_training.EPOCHS)):
        assert [(row["Optimizer"], row["Learned is"]) for row in table] == [
            (optimizer, way) for optimizer in own_training.OPTIMIZERS for way in own_training.WAYS
        ]
        for plain, gated, packed in (table[:3], table[3:]):
            learned, steps = ([number(row[name]) for row in (plain, gated, packed)]
                              for name in ("samples learned", "steps"))  # fmt: skip
            assert learned[0] == presented > max(learned[1:])
            assert steps[0] == presented / own_training.BATCH >= steps[1] > steps[2]
            assert abs(steps[2] * own_training.BATCH - learned[2]) <= own_training.BATCH
