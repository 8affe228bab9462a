"""The reference: every public name is on one of its pages, and its docstring tells all it takes."""

import inspect
import re
import sys
from importlib import import_module

import pytest

import lazybook
from lazybook.book.figures import ROOT

PAGES = {path.stem: path.read_text("utf8") for path in (ROOT / "book" / "api").glob("*.md")}
LISTED = [
    (module, name)
    for page in PAGES.values()
    for module, names in re.findall(r"automodule:: (\S+)\n +:members: (.+)", page)
    for name in names.split(", ")
]
OBJECTS = {f"{module}.{name}": getattr(import_module(module), name) for module, name in LISTED}


@pytest.fixture
def docstrings(monkeypatch):
    """The extension that shows docstrings as pages."""
    monkeypatch.syspath_prepend(ROOT / "book" / "_ext")
    yield import_module("docstrings")
    sys.modules.pop("docstrings")


def test_what_is_listed_is_told_in_a_table_and_at_length():
    for page in PAGES.values():
        tables = re.findall(r":nosignatures:\n\n((?:   \w+\n)+)\n", page)
        listed = re.findall(r":members: (.+)", page)
        assert [re.findall(r"\w+", table) for table in tables] == [
            names.split(", ") for names in listed
        ]
    assert len(OBJECTS) == len(LISTED)


def test_every_public_name_has_its_place():
    shown = {name for _, name in LISTED}
    for home in ("lazybook", "lazybook.pytorch", "lazybook.datasets"):
        public = import_module(home).__all__
        assert {name for name in public if not name.isupper()} - {"named", "receive"} <= shown
    assert {module for module, _ in LISTED} >= {
        f"lazybook.{home}" for home in (*lazybook._HOMES, "sklearn", "energy", "theory")
    }


@pytest.mark.parametrize("name", OBJECTS)
def test_a_docstring_speaks_of_all_that_it_takes(name):
    """Of each argument of a function or a public method, by its name."""
    thing = OBJECTS[name]
    methods = vars(thing).items() if inspect.isclass(thing) else [(name, thing)]
    assert thing.__doc__
    for method, function in methods:
        function = getattr(function, "__func__", function)
        if not inspect.isfunction(function) or method.startswith("_"):
            continue
        if method in ("learns", "remembers", "consolidates"):  # the class says what of
            continue
        text = inspect.getdoc(function) or ""
        assert text, f"{name}.{method}"
        said = text + (thing.__doc__ if inspect.isclass(thing) else "")
        for parameter in inspect.signature(function).parameters:
            if parameter not in ("self", "cls"):
                words = parameter.replace("_", "[_ ]").rstrip("s")
                assert re.search(rf"\b{words}", said, re.IGNORECASE), (
                    f"{name}.{method}: {parameter}"
                )


def test_sections_become_lists(docstrings):
    lines = ["Do it.", "", "Parameters", "----------", "one, two: what is", "    taken: here.",
             "three: more.", "", "Ends: as text.", "", "A last word.", ""]  # fmt: skip
    assert list(docstrings.sections(lines)) == [
        "", "Do it.", "", ".. rubric:: Parameters", "", "", "``one``, ``two``", "    what is",
        "    taken: here.", "``three``", "    more.", "", "`Ends`", "    as text.", "",
        "A last word.", "",
    ]  # fmt: skip


def test_a_name_is_a_link_where_it_is_documented(docstrings):
    names = docstrings.documented(ROOT / "book" / "api")
    shown = docstrings.linked
    assert shown("see `Gate`", names, "x") == "see :py:obj:`Gate <lazybook.pytorch.Gate>`"
    assert shown("see `nothing`", names, "x") == "see ``nothing``"
    for text in ("``Gate``", ":math:`a`", "no name", "``a`` and ``b``"):
        assert shown(text, names, "x") == text
    inside = shown("`Meter`", names, "lazybook.energy")  # of two, the one of the same module
    assert inside == ":py:obj:`Meter <lazybook.energy.Meter>`"


def test_what_is_not_installed_is_left_out_and_said(docstrings, monkeypatch):
    page = PAGES["pytorch"]
    assert docstrings.available(page) == page
    monkeypatch.setattr(docstrings, "find_spec", lambda name: None)
    assert "made without `torch`" in docstrings.available(page)
    assert "automodule" not in docstrings.available(page)
    docstrings.documented.cache_clear()
    names = docstrings.documented(ROOT / "book" / "api")
    assert "Gate" not in names
    assert names["Experiment"] == "lazybook.experiment.Experiment"
    for other in set(PAGES) - {"pytorch", "sklearn"}:
        assert docstrings.available(PAGES[other]) == PAGES[other]
