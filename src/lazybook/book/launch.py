"""Notebooks that Colab and Binder open: ``python -m lazybook.book.launch FOLDER REPOSITORY``.

They need `.ipynb` files in a public repository, where the book's notebooks are kept as `.py`. Each
gets a first cell that, on Colab, brings the repository with its published records, so that a figure
is there in a minute. The pages' buttons are made by the Sphinx extension ``book/_ext/launch.py``.
"""

import argparse
import re
from pathlib import Path

import jupytext
import nbformat

from lazybook.book import figures
from lazybook.errors import InvalidValue

BRANCH = "notebooks"
FIRST = """\
# On Colab this gets lazybook and its published records, in a minute; elsewhere, nothing.
import sys

if "google.colab" in sys.modules:
    !git clone --quiet --depth 1 --branch {branch} {repository} lazybook
    %pip install --quiet "./lazybook[book]"
    %cd -q lazybook"""


def write(folder: Path, repository: str, *, sources: Path = figures.SOURCES) -> list[Path]:
    """Write all notebooks of ``sources`` below ``folder/executed`` and return their paths.

    The folders are those of the pages, which is where the theme's buttons look. Nothing is
    executed; published records are found when a reader does it.

    Raises InvalidValue unless ``repository`` is the address of one on GitHub.
    """
    if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", repository):
        raise InvalidValue(
            f"repository is {repository!r}; it must be like https://github.com/OWNER/NAME"
        )
    first = FIRST.format(branch=BRANCH, repository=repository)
    written = []
    for path in figures.notebooks(sources).values():
        document = jupytext.read(path)
        cell = nbformat.v4.new_code_cell(first, id="get-lazybook")
        # Below the title and the question, above the parameters.
        document.cells.insert(1, cell)
        for other in document.cells:
            if "parameters" in other.metadata.get("tags", ()):
                other.source = f"# Change these, then run all cells.\n{other.source}"
        target = (folder / "executed" / path.relative_to(sources)).with_suffix(".ipynb")
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(document, target)
        written.append(target)
    return written


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("repository", help="such as https://github.com/OWNER/NAME")
    given = parser.parse_args()
    try:
        print(f"{len(write(given.folder, given.repository))} notebooks in {given.folder}")
    except InvalidValue as error:
        parser.error(str(error))
