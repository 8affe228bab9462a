"""A link to a term of the glossary tells what the term means."""

import subprocess
import sys

from bs4 import BeautifulSoup

from lazybook.book.figures import ROOT

GLOSSARY = """
Glossary
========

.. glossary::

   M0
      The number of changes, 0.5 of them
      large. They cost alike.

   energy
      What learning costs, as :term:`M0` does.
"""
PAGE = """
Page
====

The :term:`energy <energy>` of a run, and :doc:`the glossary <glossary>`.

.. toctree::

   glossary
"""


def test_links_to_terms_have_their_meaning_as_a_title(tmp_path):
    (tmp_path / "glossary.rst").write_text(GLOSSARY)
    (tmp_path / "index.rst").write_text(PAGE)
    (tmp_path / "conf.py").write_text(
        f"import sys\nsys.path.append({str(ROOT / 'book' / '_ext')!r})\nextensions = ['hover']\n"
    )
    command = [sys.executable, "-m", "sphinx", "-W", "-n", "-q", ".", "html"]
    subprocess.run(command, cwd=tmp_path, check=True)
    titles = {}
    for page in ("index", "glossary"):
        html = BeautifulSoup((tmp_path / "html" / f"{page}.html").read_text(), "html.parser")
        for link in html.select("a.internal:has(span)"):
            titles[link.get_text()] = link.get("title")
    assert titles["energy"] == "What learning costs, as M0 does."
    assert titles["M0"] == "The number of changes, 0.5 of them large."
    assert titles["the glossary"] is None  # a page
