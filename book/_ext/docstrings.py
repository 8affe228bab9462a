"""Show the package's docstrings as pages: sections as lists, and links where there is a page.

In a docstring a section, such as ``Parameters``, is underlined, and its entries are lines
``name: text``. What stands between single backticks is a link if these pages document it, and else
code. What needs PyTorch or scikit-learn, where that is not installed, is left out, and the page
says so.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from sphinx.application import Sphinx

ENTRY = re.compile(r"((?:\w+, )*\w+): (.*)")
QUOTED = re.compile(r"(?<![`:\w])`([\w.]+)`(?!`)")
BLOCK = re.compile(r"```{eval-rst}\n\.\. currentmodule:: (\S+)\n.*?```\n", re.DOTALL)
NEEDS = {"lazybook.pytorch": "torch", "lazybook.sklearn": "sklearn"}
LISTED = re.compile(r"automodule:: (\S+)\n +:members: (.+)")


def available(page: str) -> str:
    """Return the text of a page without what cannot be imported here."""

    def shown(block: re.Match) -> str:
        package = NEEDS.get(block[1])
        if not package or find_spec(package):
            return block[0]
        return f"```{{note}}\nThis page was made without `{package}`, which it needs.\n```\n"

    return BLOCK.sub(shown, page)


@cache
def documented(folder: Path) -> dict[str, str]:
    """Return the full name of each object that the pages in ``folder`` document, by its own."""
    names = {}
    for page in sorted(folder.glob("*.md")):
        for module, members in LISTED.findall(available(page.read_text("utf8"))):
            names[module] = module
            for member in members.split(", "):
                names.setdefault(member, f"{module}.{member}")
                names[f"{module}.{member}"] = f"{module}.{member}"
    return names


def linked(text: str, names: dict[str, str], module: str) -> str:
    """Return a line with links, or code, in place of what is between single backticks."""

    def shown(found: re.Match) -> str:
        name = found[1]
        full = names.get(f"{module}.{name}") or names.get(name)
        return f":py:obj:`{name} <{full}>`" if full else f"``{name}``"

    return QUOTED.sub(shown, text)


def sections(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a docstring, its sections as definition lists."""
    inside, before = False, ""
    for line in lines:
        if line.startswith("---") and set(line) == {"-"}:
            inside = True
            yield from (f".. rubric:: {before}", "")
            before = ""
            continue
        yield before
        entry = ENTRY.fullmatch(line) if inside else None
        if entry:
            quote = "`" if entry[1][0].isupper() else "``"  # an error may have a page
            terms = ", ".join(f"{quote}{name}{quote}" for name in entry[1].split(", "))
            yield terms
            line = f"    {entry[2]}"
        elif line[:1].strip():
            inside = False
        before = line
    yield before


def process(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Rewrite a docstring for the page, in place."""
    names = documented(Path(app.srcdir) / "api")
    module = getattr(obj, "__module__", None) or name
    lines[:] = [linked(line, names, module) for line in sections(lines)]


def read(app: Sphinx, page: str, source: list[str]) -> None:
    """Leave out, when a page is read, what cannot be imported."""
    source[0] = available(source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("source-read", read)
    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
