"""How the rules are written in one word, as on the command line: ``subnet:100``.

Every answer to one of the three questions is a frozen dataclass whose class attribute ``words``
names it, and says for each word which fields the word itself sets; the other fields follow after
a colon. ``str(rule)`` spells it, `parse` reads it.
"""

from dataclasses import MISSING, fields
from typing import TypeVar, get_type_hints

from lazybook.errors import InvalidValue, told

Rule = TypeVar("Rule")
NUMBERS = {int: "a whole number", float: "a number"}


def spell(rule: object) -> str:
    """Return ``rule`` in one word, such as ``synapse-mask:0.1,1.0``; equal rules in the same."""
    types = get_type_hints(type(rule))
    for word, said in rule.words.items():
        if all(getattr(rule, name) == value for name, value in said.items()):
            left = [field.name for field in fields(rule) if field.name not in said]
            values = ",".join(str(types[name](getattr(rule, name))) for name in left)
            return f"{word}:{values}" if values else word
    raise AssertionError(f"no word of {type(rule).__name__} spells {rule!r}")


def parse(text: str, rules: tuple[type[Rule], ...], question: str) -> Rule:
    """Return the rule that ``text`` spells.

    Parameters
    ----------
    text: one of the rule's words, and the values of its other fields after a colon.
    rules: the dataclasses to choose from.
    question: what is being chosen (``"gate"``), for the error.

    Raises
    ------
    InvalidValue: unknown word, or values that the rule does not take.
    """
    known = {word: (rule, said) for rule in rules for word, said in rule.words.items()}
    word, _, values = text.partition(":") if isinstance(text, str) else ("", "", "")
    if word not in known:
        raise InvalidValue(f"unknown {question} {told(text)}; choose from: {', '.join(known)}")
    rule, said = known[word]
    names = [field.name for field in fields(rule) if field.name not in said]
    given = values.split(",") if values else []
    if len(given) > len(names):
        raise InvalidValue(
            f"{question} {told(text)}: {word} takes {', '.join(names) or 'no values'}"
        )
    types = get_type_hints(rule)
    arguments = dict(said)
    for name, value in zip(names, given, strict=False):
        try:
            arguments[name] = types[name](value)
        except ValueError:
            raise InvalidValue(
                f"{question} {told(text)}: {name} is {told(value)}, not {NUMBERS[types[name]]}"
            ) from None
    try:
        return rule(**arguments)
    except TypeError:
        needed = [f.name for f in fields(rule) if f.name in names and f.default is MISSING]
        raise InvalidValue(f"{question} {told(text)}: {word} needs {', '.join(needed)}") from None
