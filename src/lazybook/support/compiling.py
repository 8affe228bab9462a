"""How loops are compiled: once for a machine, kept on disk, and without the interpreter's lock."""

import hashlib
import os
import warnings
from pathlib import Path

import llvmlite.binding

from lazybook.errors import InvalidValue
from lazybook.support import paths

try:
    with warnings.catch_warnings():
        # It reads its settings as it is imported, and only warns of those that mean nothing to it.
        warnings.filterwarnings("error", "Environment variable")
        import numba
except (ValueError, Warning) as error:
    _given = [f"{name}={value!r}" for name, value in os.environ.items() if "NUMBA_" in name]
    raise InvalidValue(
        f"Numba does not start: {str(error).splitlines()[0]} It is given: {', '.join(_given)}"
    ) from None

# Loops over several rows are worth the checks that the rows do not overlap.
llvmlite.binding.set_option("lazybook", "--runtime-memory-check-threshold=64")

# Processors with 512-bit vectors use only 256 bits of them unless told otherwise.
if llvmlite.binding.get_host_cpu_features().get("avx512f"):
    _features = llvmlite.binding.get_host_cpu_features().flatten()
    numba.config.CPU_FEATURES = _features + ",-prefer-256-bit"

# Numba notices a change in the file of a compiled function, but not in the files of the functions
# that it calls. So what is kept has its place by the contents of all of them.
_names = ("support/compiling.py", "support/randomness.py", "engines/kernels/*.py")
_sources = [path for name in _names for path in Path(__file__).parents[1].glob(name)]
_digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(_sources))).hexdigest()
if "NUMBA_CACHE_DIR" not in os.environ:
    numba.config.CACHE_DIR = str(paths.cache() / "compiled" / _digest[:16])

_options = {"cache": True, "nogil": True, "fastmath": True, "error_model": "numpy"}
# Counting references to arrays on every call costs more than a small network's step. Nothing that
# is compiled makes arrays, but for what is `allocating`; so there is nothing to count.
compiled = numba.njit(_nrt=False, **_options)
# For steps that are called once a sample and take whole layouts, some hundred words.
inlined = numba.njit(_nrt=False, forceinline=True, **_options)
allocating = numba.njit(_nrt=True, **_options)


def is_kept(function: numba.core.dispatcher.Dispatcher) -> bool:
    """Whether the code of a ``compiled`` function was kept, so that loading it is all to be done.

    If not, its first call compiles it and all that it calls.
    """
    kept = Path(function.stats.cache_path)
    return any(kept.glob(f"*.{function.__name__}-*.nbi"))
