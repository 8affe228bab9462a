"""Give the playground its scripts and its style; other pages are not burdened with them.

What lies in ``_static`` is loaded by every page, so they lie in a folder of their own.
"""

import shutil
from pathlib import Path

from sphinx.application import Sphinx

FOLDER = Path(__file__).parents[1] / "playground"
SCRIPTS = ("step", "race", "drawing", "clouds-data", "clouds", "digits-data", "unpack", "digits")


def stage(app: Sphinx) -> None:
    """Copy the files to a folder of static files, before Sphinx collects those."""
    folder = Path(app.doctreedir) / "scripts"
    (folder / "playground").mkdir(parents=True, exist_ok=True)
    for name in ("playground.css", *(f"{script}.js" for script in SCRIPTS)):
        shutil.copyfile(FOLDER / name, folder / "playground" / name)
    app.config.html_static_path.append(str(folder))


def add(app: Sphinx, page: str, *_: object) -> None:
    """Let the one page load them, after its text."""
    if page == "playground":
        app.add_css_file("playground/playground.css")
        for script in SCRIPTS:
            app.add_js_file(f"playground/{script}.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("builder-inited", stage)
    app.connect("html-page-context", add)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
