"""``lazybook data list``, ``check`` and ``fetch``."""

from lazybook.commands.output import Json, print_json, show, table
from lazybook.support import progress


def list_data(as_json: Json = False) -> None:
    """List the data sets, where they are and whether their files are right."""
    from lazybook import datasets

    found = datasets.available()
    if as_json:
        print_json([entry._asdict() for entry in found])
        return
    rows = table("data set", "state", "folder")
    for entry in found:
        rows.add_row(entry.name, entry.state, str(entry.folder or ""))
    show(rows)


def check(name: str) -> None:
    """Check the files of one data set; exit code 2 if they cannot be used."""
    from lazybook import datasets

    dataset = datasets.load(name)
    show(f"{name}: ready, {len(dataset.train):,} training and {len(dataset.test):,} test samples")


def fetch(name: str) -> None:
    """Download a data set into the user's cache folder and check it."""
    from lazybook import datasets

    state = progress.State(f"fetching {name}")

    def told(file: str, received: int, total: int | None) -> None:
        state.label, state.done, state.total = file, received, total

    with progress.followed(state):
        folder = datasets.fetch(name, told)
    show(f"{name} is in {folder}")
