"""Wrong command lines."""

import sys
from pathlib import Path
from random import Random

import lazybook.commands  # noqa: F401  (imported before the forks)
from lazybook import cli
from lazybook.book import figures as book

from .answers import PATIENCE, SMALL, check_refusal, short
from .fields import DEVICE, FIELDS, FLAGS, PRESET, PROFILE
from .harness import Wrong, ran
from .notebooks import no_kernel
from .values import TEXTS, whole, word

COMMANDS = ("train", "figures", "claims", "runs", "data", "bench")


def _train(random: Random) -> list[str]:
    name = random.choice([name for name in FIELDS if name not in FLAGS] + ["preset"])
    values = PRESET if name == "preset" else FIELDS[name]
    option = f"--{name.replace('_', '-')}"
    text = values.text(random)
    if random.random() < 0.1:
        return [*SMALL, option]  # nothing after it
    return [*SMALL, f"{option}={text}"]


def _unfit(random: Random) -> list[str]:
    """Values that do not fit together, the data, the memory or a year."""
    return [*SMALL, *random.choice((
        ["--batch=1000", "--engine=autograd"], ["--batch=2"], ["--optimizer=adam"], ["--shifts=1"],
        ["--shifts=1", "--engine=autograd"], ["--loss=cross-entropy"], ["--initial=zeros"],
        ["--initial=values:1,2"], ["--restriction=subnet:4"], ["--restriction=neuron-mask:99"],
        ["--restriction=subnet:2", "--restriction=neuron-mask:2"], ["--hidden=1000000000000"],
        ["--epochs=1000000000000"], ["--hidden=1", "--bias=clamped-unit"], ["--record=path"] * 2,
        ["--record=path", "--hidden=1000"], ["--device=cuda", "--engine=numba"],
        ["--hidden=none", "--restriction=subnet:1"], ["--energy-exponents=1"] * 2,
        ["--engine=autograd", "--caching=0.1"], ["--engine=autograd", "--record=path"],
        ["--epochs=100000000", "--measure-every=1"],
    ))]  # fmt: skip


def _command(random: Random) -> list[str]:
    """Wrong words in the place of commands, options, files and names."""
    text, few = random.choice(TEXTS), whole(1)
    return random.choice((
        [text], [*SMALL, text], ["runs", text], ["data", text], ["runs", "show"],
        ["runs", "show", text], ["data", "check", text], ["data", "fetch", text],
        ["data", "check"], ["claims", text], ["runs", "list", text],
        [word(*COMMANDS).text(random) or "-"], [*SMALL, f"--{word(*FIELDS).text(random)}=1"],
        [*SMALL, "--json=1"], [*SMALL, "--zero-mean=1"], ["claims", f"--profile={text}"],
        ["figures", f"--profile={PROFILE.text(random)}"], ["figures", f"--jobs={few.text(random)}"],
        ["figures", f"--only={text}"], ["figures", "--output="], ["figures", "--output=/dev/null"],
        ["figures", f"--device={DEVICE.text(random)}"], ["bench", "--rounds=0"],
        ["bench", f"--hidden={few.text(random)}"], ["bench", f"--rule={text}"],
    ))  # fmt: skip


def arguments(random: Random, folder: Path, figures: dict) -> None:
    """A wrong command line is answered by one line on stderr and exit code 2."""
    given = random.choice((_train, _train, _unfit, _command))(random)
    sys.argv = ["lazybook", *given]
    book._execute = no_kernel
    answer = ran(cli.main, folder, PATIENCE)
    what = f"lazybook {' '.join(map(repr, map(short, given)))}"
    check_refusal(what, answer)
    if any(folder.rglob("*.parquet")):
        raise Wrong(f"{what}: a record was written")
