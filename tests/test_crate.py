"""The published results are described as a research object, and rightly."""

import json

import pytest

from lazybook.book import crate
from lazybook.support import paths


@pytest.fixture(scope="module")
def described():
    return json.loads((paths.published() / crate.FILE).read_text("utf-8"))


def test_the_description_is_that_of_the_records_as_they_are(described):
    """If it is not: ``python -m lazybook.book.crate``."""
    assert described == crate.describe(paths.published())


def test_each_entity_that_is_named_is_described_and_each_part_is_there(described):
    graph = {entity["@id"]: entity for entity in described["@graph"]}
    assert len(graph) == len(described["@graph"])
    root = graph["./"]
    assert graph[crate.FILE]["about"] == {"@id": "./"}
    named = [root["license"], *root["hasPart"], root["mentions"]]
    action = graph["#computed"]
    named += [action["instrument"], *action["result"], graph["#lazybook"]["license"]]
    assert {reference["@id"] for reference in named} <= set(graph)
    for part in root["hasPart"]:
        assert any((paths.published() / part["@id"]).iterdir())


def test_every_record_is_counted(described):
    [root] = [entity for entity in described["@graph"] if entity["@id"] == "./"]
    number = len(list(paths.published().glob("*/*.parquet")))
    assert root["description"].startswith(f"{number:,} training runs")


def test_the_archive_and_the_citation_tell_of_the_same():
    root = paths.repository()
    archive = json.loads((root / ".zenodo.json").read_text("utf-8"))
    citation = (root / "CITATION.cff").read_text("utf-8")
    assert archive["title"] in citation
    assert archive["license"] == paths.project()["license"]
    for related in archive["related_identifiers"]:
        assert related["identifier"].removeprefix("arXiv:") in citation
