"""The engines that train a network: one contract, one definition, and what people wait for."""

from contextlib import suppress
from importlib.util import find_spec

from lazybook.datasets import Dataset
from lazybook.engines.contract import Engine, Start
from lazybook.errors import InvalidValue
from lazybook.experiment import Experiment


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
    from lazybook.engines.reference import ReferenceEngine

    return ReferenceEngine(experiment, dataset, start)


def check_engine(engine: str) -> None:
    """Raise InvalidValue if ``engine`` needs PyTorch and that is not installed."""
    if engine != "numba":
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
