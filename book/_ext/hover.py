"""Links to terms of the glossary tell what these mean when the pointer rests on them."""

import re
from functools import lru_cache

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


@lru_cache(maxsize=1)
def meanings(environment: BuildEnvironment) -> dict[str, str]:
    """Return the first sentence of what each term of the glossary means, by the term's address."""
    found = {}
    for item in environment.get_doctree("glossary").findall(nodes.definition_list_item):
        text = " ".join(item.next_node(nodes.definition).astext().split())
        sentence = re.match(r".*?\.(?= |$)", text)[0]
        for term in item.findall(nodes.term):
            found |= dict.fromkeys(term["ids"], sentence)
    return found


def explain(app: Sphinx, document: nodes.document, page: str) -> None:
    """Give each link to a term its meaning as a title."""
    for text in document.findall(nodes.inline):
        if "std-term" in text["classes"]:
            link = text.parent
            address = link.get("refid") or link["refuri"].partition("#")[2]
            link["reftitle"] = meanings(app.env)[address]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("doctree-resolved", explain)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
