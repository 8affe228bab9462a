"""How the rules are written in one word, as on the command line: ``subnet:100``.

Every answer to one of the three questions is a frozen dataclass whose class attribute ``word``
is its name; its fields follow after a colon. ``str(rule)`` spells it, `parse` reads it.
"""

from dataclasses import fields
from typing import TypeVar, get_type_hints

from lazybook.errors import InvalidValue

Rule = TypeVar("Rule")


def spell(rule: object) -> str:
    """Return ``rule`` in one word, for example ``synapse-mask:0.1,1.0``."""
    values = ",".join(str(getattr(rule, field.name)) for field in fields(rule))
    return f"{rule.word}:{values}" if values else rule.word


def parse(text: str, rules: tuple[type[Rule], ...], question: str) -> Rule:
    """Return the rule that ``text`` spells.

    Parameters
    ----------
    text: the rule's word, and its values after a colon.
    rules: the dataclasses to choose from.
    question: what is being chosen (``"gate"``), for the error.

    Raises
    ------
    InvalidValue: unknown word, or values that the rule does not take.
    """
    word, _, values = text.partition(":")
    known = {rule.word: rule for rule in rules}
    if word not in known:
        raise InvalidValue(f"unknown {question} {text!r}; choose from: {', '.join(known)}")
    rule = known[word]
    names = [field.name for field in fields(rule)]
    given = values.split(",") if values else []
    if len(given) > len(names):
        raise InvalidValue(f"{question} {text!r}: {word} takes {', '.join(names) or 'no values'}")
    types = get_type_hints(rule)
    arguments = {}
    for name, value in zip(names, given, strict=False):
        try:
            arguments[name] = types[name](value)
        except ValueError:
            raise InvalidValue(
                f"{question} {text!r}: {name} is {value!r}, not {types[name].__name__}"
            ) from None
    try:
        return rule(**arguments)
    except TypeError:
        raise InvalidValue(f"{question} {text!r}: {word} needs {', '.join(names)}") from None
