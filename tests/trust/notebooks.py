"""Wrong parameters of notebooks, as Papermill hands them in."""

from collections.abc import Callable
from pathlib import Path
from random import Random

from lazybook.book import figures as book
from lazybook.book import notebook

from .answers import check_raises
from .fields import DEVICE, PROFILE
from .harness import Wrong
from .values import NO_LISTS, truth, whole, word


def parameters(random: Random, folder: Path, figures: dict) -> None:
    """A wrong parameter of a notebook is refused, in its first cell or before its kernel starts."""
    fields = {
        "profile": PROFILE, "device": DEVICE, "jobs": whole(1, none=True, huge=True),
        "fresh": truth(), "hidden": whole(1, none=True), "epochs": whole(1, none=True, huge=True),
        "seeds": whole(0, none=True),
    }  # fmt: skip
    name = random.choice(list(fields))
    value = fields[name].python(random)
    if name in ("hidden", "seeds"):
        value = random.choice(([value], [1, value], (1, 2), [1, 1], [], *NO_LISTS))
    if random.random() < 0.2:
        name, value = word(*fields).text(random), 1
        name = "".join(sign for sign in name if sign.isidentifier()) + "_"
    right = {"profile": "smoke", "device": "cpu", "jobs": None, "fresh": False}
    cells = ["", "\n".join(f"{field} = None" for field in fields)]
    cells += [f"# Parameters\n{name} = 1", "notebook.start(globals())"]
    book._execute = no_kernel
    ways: dict[str, Callable[[], object]] = {
        "start": lambda: notebook.start(right | {"In": cells, name: value}),
        "run_figures": lambda: book.run_figures(
            **(right | {"parameters": {name: value}, "only": ["fig2_mnist"], "output": folder})
        ),
    }
    way = random.choice(list(ways))
    check_raises(f"{way}: {name}={value!r}", ways[way])


def no_kernel(*given: object) -> None:
    """Stand in for what runs a notebook, so that none is run by mistake."""
    raise Wrong("a kernel would have been started")
