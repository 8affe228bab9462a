"""The engines that train a network: one contract, one definition, and what people wait for."""

from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

from lazybook.datasets import Dataset
from lazybook.engines.contract import Engine, Start
from lazybook.errors import InvalidValue
from lazybook.experiment import Experiment

if TYPE_CHECKING:
    from lazybook.engines.numba_cuda import Group


def build(experiment: Experiment, dataset: Dataset, start: Start) -> Engine:
    """Return the engine that the experiment names, ready to learn.

    Raises InvalidValue if the engine is not installed, or cannot do what the experiment asks for.
    """
    check_engine(experiment.engine)
    # Imported here: PyTorch and Numba each take over a second, and a run needs only one.
    if experiment.engine == "autograd":
        from lazybook.engines.autograd import AutogradEngine

        return AutogradEngine(experiment, dataset, start)
    if experiment.engine == "numba":
        from lazybook.engines.numba_cpu import NumbaEngine

        return NumbaEngine(experiment, dataset, start)
    if experiment.engine == "numba-cuda":
        return build_group([experiment], dataset, [start]).networks[0]
    from lazybook.engines.reference import ReferenceEngine

    return ReferenceEngine(experiment, dataset, start)


def build_group(
    experiments: Sequence[Experiment], dataset: Dataset, starts: Sequence[Start]
) -> "Group":
    """Return the networks of ``experiments`` of the engine `numba-cuda`, alike in shape.

    Raises InvalidValue if there is no GPU.
    """
    check_engine("numba-cuda")
    from lazybook.engines.numba_cuda import Group

    return Group(experiments, dataset, starts)


def check_engine(engine: str) -> None:
    """Raise InvalidValue if ``engine`` needs PyTorch and that is not installed, or lacks a GPU."""
    if engine == "numba-cuda":
        from numba import cuda

        if not cuda.is_available():
            raise InvalidValue(
                "engine is 'numba-cuda', but Numba finds no GPU here; install lazybook[cuda] where"
                " there is one, or choose 'numba'"
            )
    elif engine != "numba":
        _check_torch(f"engine is {engine!r}", "numba")


def check_device(device: str) -> None:
    """Raise InvalidValue if ``device`` is ``cuda`` and PyTorch is missing or finds no GPU."""
    if device == "cuda":
        _check_torch("device is 'cuda'", "cpu")
        import torch

        if not torch.cuda.is_available():
            raise InvalidValue("device is 'cuda', but PyTorch finds no GPU here; choose 'cpu'")


def _check_torch(what: str, other: str) -> None:
    found = None
    with suppress(ImportError):  # from a finder that keeps it away
        found = find_spec("torch")
    if found is None:
        raise InvalidValue(
            f"{what}, which needs PyTorch; install lazybook[torch], or choose {other!r}"
        )
