"""How loops are compiled: once for a machine, kept on disk, and without the interpreter's lock."""

import hashlib
import os
import pickle
import warnings
from collections.abc import Callable
from functools import cache as once
from pathlib import Path
from typing import Any

import llvmlite.binding
import numpy as np

from lazybook.errors import InvalidValue, LazybookWarning
from lazybook.support import paths, sharing

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

from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.registry import CPUDispatcher
from numba.core.serialize import dumps

# Loops over several rows are worth the checks that the rows do not overlap.
llvmlite.binding.set_option("lazybook", "--runtime-memory-check-threshold=64")

# Processors with 512-bit vectors use only 256 bits of them unless told otherwise.
if llvmlite.binding.get_host_cpu_features().get("avx512f"):
    _features = llvmlite.binding.get_host_cpu_features().flatten()
    numba.config.CPU_FEATURES = _features + ",-prefer-256-bit"

# The code of a function contains that of the functions that it calls, wherever they stand. So what
# is kept has its place by the contents of all their files, and by what compiled them.
_names = ("support/compiling.py", "support/randomness.py", "networks.py", "engines/kernels/*.py")
_sources = [path for name in _names for path in Path(__file__).parents[1].glob(name)]
_versions = f"{numba.__version__}, {llvmlite.__version__}, {np.__version__}".encode()
_contents = b"".join(path.read_bytes() for path in sorted(_sources))
_digest = hashlib.sha256(_versions + _contents).hexdigest()[:16]


class NotKept(LazybookWarning):
    """What was compiled could not be kept, and will be compiled again."""


class Kept(NullCache):
    """The code of one compiled function on disk: two files for each signature, code and digest.

    In place of Numba's own files. Those are out of date when another file has changed that a
    function's calls lead to, and once they are damaged, or cannot be written, the function fails.
    """

    def __init__(self, function: Callable) -> None:
        self.name = f"{function.__module__}.{function.__qualname__}"
        self.source = Path(function.__code__.co_filename).read_bytes()

    @property
    def cache_path(self) -> str:
        return str(_folder() / self.name)

    def load_overload(self, sig: Any, target_context: Any) -> CompileResult | None:
        """Return what was compiled for a signature; None if there is nothing, or it is damaged."""
        target_context.refresh()
        path = self._path(sig, target_context.codegen())
        try:
            code, digest = map(sharing.read_regular, (path, path.with_suffix(".nbi")))
        except OSError:
            return None
        if hashlib.sha256(code).digest() != digest:
            return None
        return CompileResult._rebuild(target_context, *pickle.loads(code))

    def save_overload(self, sig: Any, data: CompileResult) -> None:
        """Keep what was compiled for a signature. If it cannot be kept, that is said once."""
        code, path = dumps(data._reduce()), self._path(sig, data.codegen)
        try:
            path.parent.mkdir(exist_ok=True)
            sharing.remove_leftovers(path.parent)
            sharing.write_aside(path, code)
            sharing.write_aside(path.with_suffix(".nbi"), hashlib.sha256(code).digest())
        except OSError as error:
            _say_not_kept(error.strerror)

    def _path(self, signature: Any, codegen: Any) -> Path:
        compiled_for = repr((signature, codegen.magic_tuple())).encode()
        digest = hashlib.sha256(compiled_for + self.source).hexdigest()
        return Path(self.cache_path, f"{digest[:16]}.nbc")


class Inner(CPUDispatcher):
    """A function that compiled functions call. Called from Python, it is the Python that it was.

    It takes a third less time to compile than what can be called both ways.
    """

    def __call__(self, *arguments: Any) -> Any:
        return self.py_func(*arguments)


@once
def _folder() -> Path:
    """Return the folder for what is compiled; one that lasts less if it cannot be written to."""
    folder = paths.from_environment("NUMBA_CACHE_DIR") or paths.cache() / "compiled"
    try:
        (folder / _digest).mkdir(parents=True, exist_ok=True)
        if not os.access(folder / _digest, os.W_OK):
            raise PermissionError(None, "no right to write")
    except OSError as error:
        why = f"what is compiled cannot be kept in {folder} ({error.strerror})"
        folder = paths.temporary(why) / "compiled"
        (folder / _digest).mkdir(parents=True, exist_ok=True)
    return folder / _digest


@once
def _say_not_kept(why: str) -> None:
    message = f"what is compiled cannot be kept in {_folder()} ({why}); it will be compiled again"
    warnings.warn(message, NotKept, stacklevel=2)


def _decorator(kind: type[CPUDispatcher], **options: Any) -> Callable[[Callable], Callable]:
    """Return what has a function compiled when it is first called, and kept."""
    if numba.config.DISABLE_JIT:  # to debug it; compiled code does not tell of overflow either
        return np.errstate(all="ignore")

    def decorate(function: Callable) -> Callable:
        dispatcher = kind(function, targetoptions=_options | options)
        dispatcher._cache = Kept(function)
        return dispatcher

    return decorate


_options = {
    "nopython": True,
    "boundscheck": None,
    "nogil": True,
    "error_model": "numpy",
    # What is added up may be so in any order. But inf and nan stay what they are: a network that
    # diverges is known by them.
    "fastmath": {"reassoc", "nsz", "arcp", "contract", "afn"},
    # Counting references to arrays on every call costs more than a small network's step. Nothing
    # that is compiled makes arrays, but for what is `allocating`; so there is nothing to count.
    "_nrt": False,
}
_inner = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
compiled = _decorator(CPUDispatcher)  # what Python calls
inner = _decorator(Inner, **_inner)
# For steps that are called once a sample and take whole layouts, some hundred words.
inlined = _decorator(Inner, **_inner, forceinline=True)
# For sums whose order is part of the result.
in_order = _decorator(Inner, **_inner, fastmath=_options["fastmath"] - {"reassoc"})
allocating = _decorator(Inner, **_inner, _nrt=True)


def is_kept(function: Callable) -> bool:
    """Whether the code of a ``compiled`` function was kept, so that loading it is all to be done.

    If not, its first call compiles it and all that it calls.
    """
    if numba.config.DISABLE_JIT:
        return True
    return any(Path(function.stats.cache_path).glob("*.nbi"))
