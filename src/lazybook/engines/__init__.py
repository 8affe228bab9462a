"""The engines that train a network: one contract, one definition, and what people wait for."""

from lazybook.datasets import Dataset
from lazybook.engines.contract import Engine, Start
from lazybook.errors import InvalidValue
from lazybook.experiment import Experiment


def build(experiment: Experiment, dataset: Dataset, start: Start) -> Engine:
    """Return the engine that the experiment names, ready to learn.

    Raises InvalidValue if the engine cannot do what the experiment asks for.
    """
    # Imported here: PyTorch and Numba each take over a second, and a run needs only one.
    if experiment.engine == "autograd":
        from lazybook.engines.autograd import AutogradEngine

        return AutogradEngine(experiment, dataset, start)
    if experiment.engine == "numba":
        from lazybook.engines.numba_cpu import NumbaEngine

        return NumbaEngine(experiment, dataset, start)
    from lazybook.engines.reference import ReferenceEngine

    return ReferenceEngine(experiment, dataset, start)


def check_device(device: str) -> None:
    """Raise InvalidValue if ``device`` is ``cuda`` and PyTorch finds no GPU."""
    if device == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise InvalidValue("device is 'cuda', but PyTorch finds no GPU here; choose 'cpu'")
