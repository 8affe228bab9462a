"""The published results as a research object: ``python -m lazybook.book.crate``.

Writes ``results/ro-crate-metadata.json``, a description in the format RO-Crate 1.1 (Soiland-Reyes
et al. 2022), so that archives and search engines know what the records are, which software and
machines they came from, and under which licence they are. All that it says is read off the records.
"""

import json
from pathlib import Path
from typing import Any

from lazybook import runs
from lazybook.support import paths

FILE = "ro-crate-metadata.json"
LICENSE = "https://spdx.org/licenses/MIT"


def describe(folder: Path) -> dict[str, Any]:
    """Return the crate of the records in ``folder``, as JSON values.

    One entity for each data set's folder of records, not one a record: a record describes itself.
    """
    records = {
        place: [runs.summary(path) for path in sorted(place.glob("*.parquet"))]
        for place in sorted(folder.iterdir())
        if any(place.glob("*.parquet"))
    }
    facts = [summary.provenance for found in records.values() for summary in found]
    findings = sorted((folder / "claims" / "paper").glob("*.json"))
    days = sorted(fact["date"][:10] for fact in facts)
    machines = sorted({fact["machine"] for fact in facts})
    folders = [
        {
            "@id": f"{place.name}/",
            "@type": "Dataset",
            "name": f"{len(found):,} runs on {place.name}",
            "encodingFormat": "application/vnd.apache.parquet",
        }
        for place, found in records.items()
    ]
    claims = {
        "@id": "claims/paper/",
        "@type": "Dataset",
        "name": f"what {len(findings)} notebooks found for the papers' claims",
        "encodingFormat": "application/json",
    }
    parts = [{"@id": part["@id"]} for part in (*folders, claims)]
    project = paths.project()
    software = {
        "@id": "#lazybook",
        "@type": "SoftwareApplication",
        "name": project["name"],
        "description": project["description"],
        "softwareVersion": project["version"],
        "license": {"@id": LICENSE},
    }
    action = {
        "@id": "#computed",
        "@type": "CreateAction",
        "name": "make book PROFILE=paper",
        "description": f"Computed on {'; '.join(machines)}.",
        "startTime": days[0],
        "endTime": days[-1],
        "instrument": {"@id": "#lazybook"},
        "result": parts,
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": "lazybook: records of the papers' figures",
        "description": f"{len(facts):,} training runs and what they say of the papers' claims.",
        "datePublished": days[-1],
        "license": {"@id": LICENSE},
        "hasPart": parts,
        "mentions": {"@id": "#computed"},
    }
    about = {
        "@id": FILE,
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }
    licence = {"@id": LICENSE, "@type": "CreativeWork", "name": "MIT License"}
    return {
        "@context": "https://w3id.org/ro/crate/1.1/context",
        "@graph": [about, root, *folders, claims, software, action, licence],
    }


def main() -> None:
    """Describe the published results of this checkout."""
    folder = paths.published()
    (folder / FILE).write_text(f"{json.dumps(describe(folder), indent=1)}\n", "utf-8")
    print(f"{folder / FILE} is up to date")


if __name__ == "__main__":
    main()
