"""The engine on a GPU: its contract, in a simulator and where there is a GPU on it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba import cuda

from lazybook import engines, restrictions
from lazybook.caching import SynapticCaching
from lazybook.errors import InvalidValue
from lazybook.experiment import Experiment

CONTRACT = Path(__file__).with_name("cuda_contract.py")
GPU = {"engine": "numba-cuda", "device": "cuda"}


@pytest.mark.parametrize("simulated", ["1", "0"], ids=["simulator", "GPU"])
def test_the_contract(simulated):
    """In a process of its own: Numba has the simulator, or not, from the beginning."""
    if simulated == "0" and not cuda.is_available():
        pytest.skip("there is no GPU")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(CONTRACT)],
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": simulated},
        cwd=CONTRACT.parents[1],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout[-5000:]
    assert " passed" in ran.stdout


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hidden": None}, "hidden"),
        ({"restriction": restrictions.parse("subnet-per-sample:5")}, "restriction"),
        ({"restriction": restrictions.parse("synapse-mask-per-class:0.5,0.5")}, "restriction"),
        ({"restriction": restrictions.parse("largest-per-layer:0.1")}, "restriction"),
        ({"restriction": restrictions.parse("subnet:5 & largest-per-neuron:0.1")}, "restriction"),
        ({"caching": SynapticCaching(0.1, variant="any")}, "caching"),
        ({"caching": SynapticCaching(0.1, variant="sum")}, "caching"),
        ({"energy_exponents": (0.5,)}, "energy_exponents"),
        ({"record": ("potentiation",)}, "record"),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(changes, field):
    with pytest.raises(InvalidValue, match=f"^{field} is .*; for that use engine 'reference'"):
        Experiment(**GPU | changes)
    Experiment(engine="reference", device="cuda", **changes)


@pytest.mark.parametrize(("name", "value"), [("batch", 2), ("optimizer", "adam"), ("shifts", 1)])
def test_what_only_autograd_does_is_refused_by_name(name, value):
    with pytest.raises(InvalidValue, match=f"^{name} is .*; for that use engine 'autograd'"):
        Experiment(**GPU | {name: value})


def test_it_is_for_a_gpu():
    with pytest.raises(InvalidValue, match="runs on device 'cuda' only; on 'cpu' use 'numba'"):
        Experiment(engine="numba-cuda")
    if not cuda.is_available():
        with pytest.raises(InvalidValue, match=r"finds no GPU here; install lazybook\[cuda\]"):
            engines.check_engine("numba-cuda")
