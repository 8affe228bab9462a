"""What tells one function from another: what it does, as far as that can be known."""

import hashlib
from collections.abc import Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType

from lazybook.errors import InvalidValue, told

PLAIN = (type(None), bool, int, float, complex, str, bytes)


def checksum(function: FunctionType) -> str:
    """Return the first 12 digits of a SHA-256 of what ``function`` does.

    It is that of the compiled code, so another version of Python may give another; of the defaults
    of its arguments; and of what it refers to outside itself: plain values, other functions, and
    the names of modules and classes.

    Raises InvalidValue if it refers to something else, which may change what it does unseen.
    """
    return hashlib.sha256("\n".join(_said(function, [])).encode()).hexdigest()[:12]


def _said(function: FunctionType, above: list[FunctionType]) -> Iterator[str]:
    """Yield what tells ``function`` from others; ``above`` are those that lead to it."""
    codes = list(_codes(function.__code__))
    for code in codes:
        yield code.co_code.hex()
        yield from (_spelled(const) for const in code.co_consts if not isinstance(const, CodeType))
    names = sorted({name for code in codes for name in code.co_names})
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    outside = dict(zip(function.__code__.co_freevars, cells, strict=True))
    outside |= {name: function.__globals__[name] for name in names if name in function.__globals__}
    outside |= {"defaults": function.__defaults__} | (function.__kwdefaults__ or {})
    yield repr(names)
    for name, value in outside.items():
        yield name
        if isinstance(value, FunctionType):
            yield from _said(value, [*above, function]) if value not in above else ()
        elif isinstance(value, ModuleType | type | BuiltinFunctionType):
            yield f"{getattr(value, '__module__', '')} {value.__name__}"
        elif _is_plain(value):
            yield _spelled(value)
        else:
            raise InvalidValue(
                f"{function.__name__} refers to {name}, which is {told(value)}; its runs could not"
                " be told from others: let it refer to numbers, text, functions and modules only"
            )


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield a function's code and that of what is defined inside it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _codes(const)


def _is_plain(value: object) -> bool:
    """Whether a value says all of itself when it is spelled."""
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return isinstance(value, PLAIN)


def _spelled(value: object) -> str:
    """Return a plain value as text; that of a set does not depend on how it is stored."""
    if isinstance(value, frozenset):
        return repr(sorted(map(repr, value)))
    return repr(value)
