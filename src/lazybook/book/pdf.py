"""The whole book as one PDF: ``python -m lazybook.book.pdf``, after the single page was built.

The pages' figures are drawn in the page itself, which LaTeX cannot take, so a browser prints them.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lazybook.errors import LazybookError
from lazybook.support import paths

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SECONDS = 600  # the book has some hundred pages


def browser() -> str | None:
    """Return the path of a browser that can be used without a window, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def write(page: Path, target: Path) -> None:
    """Print an HTML page with a browser that has no window, and no network.

    Raises LazybookError if the page or a browser is missing, or if nothing was printed.
    """
    if not page.exists():
        raise LazybookError(f"there is no page {page}; make pdf builds it")
    program = browser()
    if not program:
        raise LazybookError(f"a PDF needs a browser; install one of: {', '.join(BROWSERS)}")
    with tempfile.TemporaryDirectory(prefix="lazybook-") as own:
        command = [
            program,
            "--headless",
            "--no-sandbox",  # which needs rights that a container does not give; the page is ours
            "--disable-gpu",
            "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={own}",
            "--virtual-time-budget=60000",  # for the formulas
            "--no-pdf-header-footer",
            f"--print-to-pdf={target.absolute()}",
            page.absolute().as_uri(),
        ]
        target.unlink(missing_ok=True)
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise LazybookError(f"{program} printed nothing in {SECONDS} s") from None
    if ended.returncode or not target.exists():
        raise LazybookError(f"{program} printed nothing: {ended.stderr.strip()[-300:]}")


if __name__ == "__main__":
    built = (paths.repository() or Path.cwd()) / "_build"
    try:
        write(built / "singlehtml" / "intro.html", built / "lazybook.pdf")
    except LazybookError as error:
        sys.exit(f"error: {error}")
    print(f"the book is printed; open {Path('_build', 'lazybook.pdf')}")
