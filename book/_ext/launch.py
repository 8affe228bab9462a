"""Buttons that open a page's notebook in Colab or on Binder, and the repository.

They need a public address. The workflow that publishes the book gives it, in the variable
``LAZYBOOK_REPOSITORY``; a book that is built without it has no buttons and names no address.
"""

import os

from sphinx.application import Sphinx
from sphinx.config import Config

BRANCH, FOLDER = "notebooks", "ipynb"  # where `lazybook.book.launch` puts the notebooks


def address(app: Sphinx, config: Config) -> None:
    """Tell the theme where the notebooks are."""
    if repository := os.environ.get("LAZYBOOK_REPOSITORY"):
        config.html_theme_options |= {
            "repository_url": repository,
            "repository_branch": BRANCH,
            "path_to_docs": FOLDER,
            "use_repository_button": True,
            "use_issues_button": True,
            "launch_buttons": {
                "notebook_interface": "jupyterlab",
                "binderhub_url": "https://mybinder.org",
                "colab_url": "https://colab.research.google.com",
            },
        }


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("config-inited", address)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
