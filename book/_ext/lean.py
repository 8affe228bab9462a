"""Leave out the theme's heaviest script, 1.5 MB on every page.

It draws the theme's few icons, which the theme's font shows as well, a second time.
"""

from pathlib import Path

from sphinx.application import Sphinx


def empty(app: Sphinx, error: Exception | None) -> None:
    """Leave nothing in the script but its name, which pages ask for."""
    script = Path(app.outdir) / "_static" / "scripts" / "fontawesome.js"
    if error is None and app.builder.format == "html":
        script.write_text("", encoding="utf8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("build-finished", empty)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
