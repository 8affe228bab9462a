"""The engine on a GPU: its contract, in a simulator and where there is a GPU on it."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numba import cuda, typeof
from numba.cuda.cudadrv import nvvm
from numba.cuda.cudadrv.error import NvvmSupportError

from lazybook import engines, restrictions
from lazybook.caching import SynapticCaching
from lazybook.engines import cuda_kernels
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
        (
            {"restriction": restrictions.parse("synapse-mask:0.5,0.5 & largest-per-layer:0.1")},
            "restriction",
        ),
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


# Axes and type of each array that the kernels are given, in the order of their fields.
GIVEN = {
    cuda_kernels.Samples: "1i8 1i8 1u2 1f4 1f4 1i8 1f4 1i8 1f8 0f4",
    cuda_kernels.Networks: "1i8 1i8 1f4 1f4 1f4 1f4 3f4 3f4 3f4 3f4 2f4 2f4 2f4 2f4 1i8 3u1 3u1 2f4"
    " 1i8 1i8 1i8 1i8 2i8 1u8 1i8 1f4 1f8 1f8 3f4 3f4 2f4",
    cuda_kernels.Totals: "2u1 1u1 2i8 3f8 3f8 2f8",
    cuda_kernels.Room: "2f4 3f4 2f4 2f4 2f4 2u1 2f4 2i8 2i8 2i8 2i8 2i8 2f4 2i4",
}


def test_the_kernels_compile_for_a_gpu(monkeypatch):
    """The simulator runs what no compiler takes, such as the larger of two by ``max``."""
    try:
        nvvm.NVVM()
    except NvvmSupportError:
        pytest.skip("there is no compiler for GPUs")
    a_gpu = SimpleNamespace(compute_capability=(9, 0))
    monkeypatch.setattr("numba.cuda.dispatcher.get_current_device", lambda: a_gpu)

    def kinds(text):
        given = [np.zeros((1,) * int(one[0]), one[1:]) for one in text.split()]
        return [array if array.ndim else array[()] for array in given]

    samples, networks, totals, room = (kind(*kinds(text)) for kind, text in GIVEN.items())
    for kernel, given in {
        cuda_kernels.learn: (*kinds("2i8 1i8"), samples, networks, totals, room),
        cuda_kernels.evaluate: (1, samples, networks, room, *kinds("2f8 2f8")),
        cuda_kernels.add_distances: (networks, *kinds("2f8")),
        cuda_kernels.add_pending: (networks, *kinds("3f8 3f8")),
    }.items():
        signature = tuple(map(typeof, given))
        code, _ = cuda.compile_ptx(kernel.py_func, signature, cc=a_gpu.compute_capability)
        assert ".entry" in code
