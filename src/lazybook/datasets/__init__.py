"""Data sets: MNIST and its relatives from checked files, and what is made here.

Files of images are looked for in the folder ``$LAZYBOOK_DATA``, in the repository's ``data/`` and
in the user's cache folder, where `fetch` puts them; see `lazybook.datasets.files`.
"""

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lazybook.datasets import arrays, cifar, deformed, own, variants
from lazybook.datasets.arrays import derived, receive
from lazybook.datasets.files import checked, locate, read_images
from lazybook.datasets.names import check_known
from lazybook.datasets.own import from_arrays, from_file, named
from lazybook.datasets.published import FILES, Files
from lazybook.datasets.samples import Dataset, Facts, Split
from lazybook.datasets.toys import PATTERNS, random_patterns, two_clouds
from lazybook.errors import InvalidValue, LazybookError, told
from lazybook.support import paths

__all__ = [
    "NAMES",
    "Availability",
    "Dataset",
    "Facts",
    "Split",
    "available",
    "deformed_mnist",
    "derived",
    "facts",
    "fetch",
    "from_arrays",
    "from_file",
    "load",
    "named",
    "random_patterns",
    "receive",
    "two_clouds",
]

_Files, _FILES = Files, FILES
NAMES = (*_FILES, *cifar.ARCHIVES, deformed.SETS.form, "two-clouds", PATTERNS.form)


class Availability(NamedTuple):
    """Where a data set is and whether it can be used.

    ``folder`` is None if nothing was found or nothing is needed; ``state`` is ``ready``,
    ``built in``, or the line that says what is wrong and what to do.
    """

    name: str
    folder: Path | None
    state: str


def load(name: str) -> Dataset:
    """Return a data set; later calls in the same process return the same object.

    Parameters
    ----------
    name: ``mnist`` (LeCun, Cortes & Burges) or ``fashion-mnist`` (Xiao, Rasul & Vollgraf 2017),
        both 60,000 training and 10,000 test images of 784 pixels scaled to [0, 1], 10 classes;
        ``emnist-digits`` (Cohen et al. 2017), the same with 240,000 and 40,000 images of digits;
        ``cifar-10`` (Krizhevsky 2009) and ``cifar-10-jpeg``, a copy in JPEG, both 50,000 and 10,000
        images of 3,072 inputs, see `lazybook.datasets.cifar`;
        ``deformed-mnist:N``, see `deformed_mnist`; ``two-clouds``, see `two_clouds`;
        ``random-patterns:P,N[,SEED]``, see `random_patterns`; what `derived` returned in this
        process; or data of your own: what `from_arrays` or `from_file` returned in any, or a path
        ``*.npz``. After a slash follows what is made of it, see `lazybook.datasets.variants`:
        ``mnist/classes:0-4``, ``fashion-mnist/samples:0-9999``, ``mnist/blur:1.5`` or
        ``mnist/random-labels:0.2,0``.

    Raises
    ------
    InvalidValue: no such data set, or one that cannot be, or a derived one that was not made yet.
    DataError: a file is missing, truncated or altered.
    """
    return _load(_checked_name(name))


def facts(name: str) -> Facts:
    """Return what is known of a data set, whether or not its files are here.

    Files are not read and images not deformed for it, so that a published record can be used
    where the data are not.

    Raises InvalidValue for the same names as `load`.
    """
    name = _checked_name(name)
    if name in _FILES:
        return _FILES[name].facts(name)
    if "/" in name:
        base, variant = variants.read(name)
        sizes = variant.sizes(facts(base))
        return variants.facts(variant, facts(base), sizes) if sizes else _load(name).facts
    if name in cifar.ARCHIVES:
        return cifar.ARCHIVES[name].facts(name)
    made = name in arrays.made or own.is_kept(name)
    if not made and name.startswith(f"{deformed.SETS.word}:"):
        return deformed.facts(facts("mnist"), *deformed.SETS.read(name))
    return _load(name).facts


@functools.cache
def _load(name: str) -> Dataset:
    if "/" in name:
        base, variant = variants.read(name)
        return variants.make(variant, load(base))
    word = name.partition(":")[0]
    if name in arrays.made:
        return arrays.made[name]
    if own.is_kept(name):
        return own.read_kept(name)
    if word == PATTERNS.word:
        return random_patterns(*PATTERNS.read(name))
    if word == deformed.SETS.word:
        return deformed_mnist(*deformed.SETS.read(name))
    if name in cifar.ARCHIVES:
        return cifar.read(name, cifar.ARCHIVES[name])
    return two_clouds() if name == "two-clouds" else read_images(name, _FILES[name])


def _checked_name(given: object) -> str:
    """Return the name of a data set that can be read or made; raise InvalidValue for another."""
    name = named(given)
    if not isinstance(name, str):
        raise InvalidValue(f"dataset is {told(name)}; it must be a name, as in 'mnist'")
    if "/" in name:
        base, variant = variants.read(name)
        variants.check(variant, facts(base))
        return name
    if name in arrays.made or own.is_kept(name):
        return name
    word, _, sizes = name.partition(":")
    for known in (PATTERNS, deformed.SETS):
        if word == known.word:
            known.read(name)
            return name
    if re.fullmatch(r"[0-9a-f]{12}", sizes):
        raise InvalidValue(
            f"dataset is {told(name)}, which a notebook derives from other data, or someone made of"
            " arrays; run what makes it"
        )
    check_known("dataset", name, NAMES)
    return name


def deformed_mnist(samples: int) -> Dataset:
    """Return MNIST with as many training images as wanted: deformed a little, each differently.

    After Loosli, Canu & Bottou 2007; see `lazybook.datasets.deformation`. Training images are
    deformations of MNIST's, in a random order over and over again; the 40,000 test images are four
    deformations of each of its test images, the same ones whatever the number of training images.
    The training images of a smaller set are the first ones of a larger set, so sizes compare.

    What was made is kept in the user's cache folder, if it can be written to. The checksum is that
    of the recipe: another processor may round some pixels the other way.

    Raises InvalidValue if ``samples``, the number of training images, is no whole number from 1,
    above ten million, or too large for this machine's memory; DataError if MNIST cannot be used.
    """
    deformed.check_memory(deformed.facts(facts("mnist"), samples))
    return deformed.make(load("mnist"), samples)


def available() -> list[Availability]:
    """Return for each data set where it is and whether it can be used, its files checked."""
    found = {name: _availability(name) for name in NAMES}
    if found["mnist"].state != "ready":
        name = deformed.SETS.form
        found[name] = Availability(name, None, "is made from mnist, which is not ready")
    return list(found.values())


def fetch(name: str, progress: Callable[[str, int, int | None], None] | None = None) -> Path:
    """Download the files of a data set into the user's cache folder; return their folder.

    Files that are there and right are kept. A download gets its name only once it is complete
    and its checksum is right; otherwise the next mirror is tried. One that broke off is taken up
    where it ended, by a later call too.

    Parameters
    ----------
    name: ``mnist``, ``fashion-mnist`` or ``emnist-digits`` (which takes a download of 560 MB).
    progress: called with a file's name, the bytes received and all its bytes (None: not known).

    Raises
    ------
    InvalidValue: no such data set, or one without files.
    DataError: the folder cannot be written, or no mirror has a file; all of them are listed, each
        with its reason.
    """
    check_known("dataset to fetch", name, _FILES)
    from lazybook.datasets import download

    folder = paths.cache() / name
    download.fetch(name, _FILES[name], folder, lambda: _mirrors(name), progress)
    return folder


def _mirrors(name: str) -> list[str]:
    """Return where to download from: torchvision's list first, which may be newer than ours."""
    files, mirrors = _FILES[name], []
    if loader := _loader(name):
        mirrors = [loader.url.removesuffix(files.archive)] if files.archive else loader.mirrors
    return list(dict.fromkeys((*mirrors, *files.mirrors)))


def _loader(name: str) -> type | None:
    """Return torchvision's class for a data set of images, None if there is none to use.

    torchvision's usual build is linked against the CUDA build of torch. Beside a CPU build its
    compiled operators do not load, and its import stops at the first of the two that it expects.
    Declared by hand they satisfy it; only detection models ever call them.
    """
    try:
        import torch
        import torchvision.datasets
    except (ImportError, OSError):  # not installed, or not for this system
        return None
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        for operator in ("nms", "qnms"):
            torch.library.define(
                f"torchvision::{operator}",
                "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
            )
        import torchvision.datasets
    return getattr(torchvision.datasets, _FILES[name].loader)


def _availability(name: str) -> Availability:
    if name not in (*_FILES, *cifar.ARCHIVES):
        return Availability(name, None, "built in")
    folder = None
    try:
        if name in cifar.ARCHIVES:
            path = cifar.locate(name, cifar.ARCHIVES[name])
            folder = path.parent
            cifar.members(path, cifar.ARCHIVES[name])
        else:
            folder = locate(name, _FILES[name])[0].parent
            for _ in checked(name, _FILES[name]):
                pass
    except LazybookError as error:
        return Availability(name, folder, str(error))
    return Availability(name, folder, "ready")
