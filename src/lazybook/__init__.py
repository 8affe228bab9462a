"""Learning with little synaptic plasticity: the rules of a family of papers, and what they cost.

Describe a training run with `Experiment` (or `preset`), with one answer each to *which samples are
learned* (`lazybook.gates`), *which synapses may change* (`lazybook.restrictions`) and *when a
change becomes permanent* (`lazybook.caching`); run it with `train`, or many with `sweep`. The same
rules in a training loop of your own: `lazybook.pytorch`.

>>> from lazybook import MemorizedMistakes, preset
>>> str(preset("lazy", gate=MemorizedMistakes(), hidden=30).gate)
'memorized-mistakes'
"""

from importlib import import_module
from importlib.util import find_spec

# Where each public name lives. Imported when it is first asked for: nobody waits for PyTorch, or
# needs to have it, who only reads records.
_HOMES = {
    "gates": ("EverySample", "Margin", "MemorizedMistakes", "Mistakes"),
    "restrictions": (
        "AllSynapses",
        "LargestToOutputs",
        "LargestUpdates",
        "NeuronMask",
        "SelectedNeurons",
        "Subnet",
        "SynapseMask",
    ),
    "caching": ("Immediate", "SynapticCaching"),
    "buffers": ("Everything", "OnlyMistakes", "RandomShare", "Reservoir"),
    "experiment": ("Experiment", "grid", "preset"),
    "trainers": ("train",),
    "runs": ("Run", "Store"),
    "errors": ("DataError", "InvalidValue", "LazybookError", "RecordError"),
}
_PLACES = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*_PLACES, "sweep"]


def __getattr__(name: str) -> object:
    """Import what is asked for: a public name, or one of the package's modules."""
    if name in _PLACES:
        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    if not name.startswith("_") and find_spec(f"{__name__}.{name}"):
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
