"""Notebooks that Colab and Binder open, and the pages' buttons that lead there."""

import json
import sys
from types import SimpleNamespace

import nbformat
import pytest

from lazybook.book import figures, launch, notebook
from lazybook.errors import InvalidValue
from lazybook.support import paths

REPOSITORY = "https://github.com/someone/lazybook"


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    return launch.write(tmp_path_factory.mktemp("opened"), REPOSITORY)


def test_every_page_has_a_notebook_where_its_button_looks(opened):
    pages = figures.notebooks().values()
    assert len(opened) == len(pages)
    for path, source in zip(opened, pages, strict=True):
        below = source.relative_to(figures.SOURCES).with_suffix(".ipynb")
        assert path.parts[-len(below.parts) - 1 :] == ("executed", *below.parts)


def test_the_first_cell_gets_the_repository_on_colab_and_the_parameters_follow(opened):
    for path in opened:
        document = nbformat.read(path, as_version=4)
        nbformat.validate(document)
        code = [cell for cell in document.cells if cell.cell_type == "code"]
        assert REPOSITORY in code[0].source and launch.BRANCH in code[0].source
        assert "parameters" in code[1].metadata.tags
        assert code[1].source.startswith("# Change these")
        assert {"profile", "device", "jobs", "fresh"} <= set(notebook.assigned(code[1].source))
        assert not any(cell.get("outputs") for cell in code)


def test_the_first_cell_is_not_taken_for_parameters(opened):
    cells = nbformat.read(opened[0], as_version=4).cells
    first, second = [cell.source for cell in cells if cell.cell_type == "code"][:2]
    names = {"In": ["", first, second, ""], "profile": "smoke"}
    names |= {"device": "cpu", "jobs": None, "fresh": False}
    assert notebook.start(names).profile == "smoke"


@pytest.mark.parametrize("wrong", ["", "someone/lazybook", f"{REPOSITORY}/tree/main", "ssh://x/y"])
def test_what_is_no_address_of_a_repository_is_refused(wrong, tmp_path):
    with pytest.raises(InvalidValue, match="repository is"):
        launch.write(tmp_path, wrong)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("given", ["", REPOSITORY])
def test_pages_have_buttons_only_where_the_workflow_gives_an_address(given, monkeypatch):
    monkeypatch.syspath_prepend(str(paths.repository() / "book" / "_ext"))
    monkeypatch.delitem(sys.modules, "launch", raising=False)
    import launch as extension

    monkeypatch.setenv("LAZYBOOK_REPOSITORY", given)
    config = SimpleNamespace(html_theme_options={"show_toc_level": 2})
    extension.address(None, config)
    options = config.html_theme_options
    assert options["show_toc_level"] == 2
    assert ("launch_buttons" in options) == bool(given)
    if given:
        assert options["repository_url"] == given
        assert options["repository_branch"] == launch.BRANCH
    monkeypatch.delitem(sys.modules, "launch")


def test_what_binder_and_the_development_container_install_is_here():
    root = paths.repository()
    requirements = (root / "binder" / "requirements.txt").read_text()
    assert ".[book,lab]" in requirements and "torch" not in requirements.replace("PyTorch", "")
    assert (root / "binder" / "../constraints.txt").exists()
    container = json.loads((root / ".devcontainer" / "devcontainer.json").read_text())
    assert container["postCreateCommand"] == "make setup"
