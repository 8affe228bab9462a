"""Serve MathJax from the book's own ``_static``, so that formulas appear without a network.

The package sphinx-mathjax-offline brings the files; only the one script that the pages load is
copied, not the package's other 20 MB.
"""

import shutil
from importlib.util import find_spec
from pathlib import Path

from sphinx.application import Sphinx


def stage(app: Sphinx) -> None:
    """Copy the script to a folder of static files, before Sphinx collects those."""
    [package] = find_spec("sphinx-mathjax-offline").submodule_search_locations
    script = Path(app.config.mathjax_path)
    folder = Path(app.doctreedir) / "offline"
    (folder / script).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(package) / "static" / script, folder / script)
    app.config.html_static_path.append(str(folder))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("builder-inited", stage)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
