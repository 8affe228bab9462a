"""Records that are damaged, and whether they are found."""

import json
import os
import re
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from lazybook import datasets
from lazybook.errors import RecordError
from lazybook.runs import DamagedRecord, RecordLeftAlone, Store, summary
from lazybook.sweep import sweep

from .harness import Wrong
from .sweeps import EXPERIMENTS, check_results, expected, record


def _bit_flipped(random: Random, whole: bytes, other: bytes) -> bytes:
    place = random.randrange(len(whole))
    return whole[:place] + bytes([whole[place] ^ 1 << random.randrange(8)]) + whole[place + 1 :]


def _overwritten(random: Random, whole: bytes, other: bytes) -> bytes:
    place, length = random.randrange(len(whole)), random.randint(8, 600)
    return (whole[:place] + random.randbytes(length) + whole[place + length :])[: len(whole)]


def _hole(random: Random, whole: bytes, other: bytes) -> bytes:
    place, length = random.randrange(len(whole) - 8), random.randint(64, 4096)
    part = len(whole[place : place + length])
    return whole[:place] + bytes(part) + whole[place + part :]


def _two_halves(random: Random, whole: bytes, other: bytes) -> bytes:
    place = random.randrange(1, min(len(whole), len(other)))
    return whole[:place] + other[place:]


def _plain_table(random: Random, whole: bytes, other: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"epoch": [0.0, 1.0], "test_accuracy": [0.1, 0.9]}), sink)
    return sink.getvalue().to_pybytes()


# What a file may become: by random numbers, from what it was, and from another record.
BYTES: dict[str, Callable[[Random, bytes, bytes], bytes]] = {
    "a bit flipped": _bit_flipped,
    "bytes overwritten": _overwritten,
    "a hole of zeros": _hole,
    "truncated": lambda random, whole, other: whole[: random.randrange(1, len(whole))],
    "emptied": lambda random, whole, other: b"",
    "bytes appended": lambda random, whole, other: whole + random.randbytes(random.randint(1, 99)),
    "bytes in front": lambda random, whole, other: random.randbytes(random.randint(1, 99)) + whole,
    "twice in one file": lambda random, whole, other: whole + whole,
    "noise": lambda random, whole, other: random.randbytes(len(whole)),
    "another record": lambda random, whole, other: other,
    "halves of two records": _two_halves,
    "a table of someone else's": _plain_table,
    "text": lambda random, whole, other: json.dumps({"sealed": "0" * 64}).encode() * 9,
    "line ends changed": lambda random, whole, other: whole.replace(b"\n", b"\r\n") + b"\r\n",
}


def _folder(path: Path) -> None:
    path.mkdir()


def _dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def _link_to_itself(path: Path) -> None:
    path.symlink_to(path)


# What may be in a file's place that is none; it is left alone.
OTHERS: dict[str, Callable[[Path], None]] = {
    "a folder": _folder,
    "a pipe": os.mkfifo,
    "a link to nothing": _dangling_link,
    "a link to itself": _link_to_itself,
}


def damaged_records(random: Random, folder: Path, figures: dict) -> None:
    """Some of the records are damaged: just these are named and computed again."""
    store = Store(folder / "runs")
    for experiment in EXPERIMENTS:
        store.save(expected()[experiment], datasets.facts(experiment.dataset))
    paths = [record(experiment, store) for experiment in EXPERIMENTS]
    contents = {path: path.read_bytes() for path in paths}
    planted = {}
    for path in random.sample(paths, random.randint(1, 5)):
        planted[path] = random.choice([*BYTES, *OTHERS])
        _plant(random, planted[path], path, contents)
    figures["planted"] = Counter(planted.values())

    for path in paths:
        try:
            summary(path)
        except RecordError:
            if path not in planted:
                raise Wrong("a record that is whole is told to be damaged") from None
        else:
            if path in planted and planted[path] != "another record":  # whole, by itself
                raise Wrong(f"not told when records are listed: {planted[path]}")
    computed, named = _swept(store)
    figures["found"] = Counter(kind for path, kind in planted.items() if path in named)
    if named != planted.keys():
        missed = [kind for path, kind in planted.items() if path not in named]
        raise Wrong(f"not named: {', '.join(missed)}" if missed else "whole records are named")
    if computed != len(planted):
        raise Wrong(f"{computed} runs were computed where {len(planted)} records were damaged")
    computed, named = _swept(Store(store.root))  # another one, as it says nothing twice
    left = {path for path, kind in planted.items() if kind in OTHERS}
    if (computed, named) != (len(left), left):
        raise Wrong("what was damaged is not mended when the sweep is done once more")


def _plant(random: Random, kind: str, path: Path, contents: dict[Path, bytes]) -> None:
    if kind in OTHERS:
        path.unlink()
        OTHERS[kind](path)
        return
    another = random.choice([other for other in contents if other != path])
    damaged = contents[path]
    while damaged == contents[path]:  # it may happen to be the same
        damaged = BYTES[kind](random, contents[path], contents[another])
    path.write_bytes(damaged)


def _swept(store: Store) -> tuple[int, set[Path]]:
    """Sweep, check the results, and return how many were computed and which records were named."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        done = sweep(EXPERIMENTS, 1, store=store)
    check_results(done.runs)
    named = set()
    for warning in caught:
        if not issubclass(warning.category, DamagedRecord | RecordLeftAlone):
            raise Wrong(f"an unexpected warning: {warning.message}")
        named |= {Path(found) for found in re.findall(r"/\S+\.parquet", str(warning.message))}
    return done.computed, named
