"""The page "The rules" says what is so: its spellings are understood, and its examples run."""

import json
import re

import pytest

from lazybook import buffers, caching, cli, datasets, experiment, gates, restrictions
from lazybook.book.figures import ROOT
from lazybook.experiment import PRESETS, Experiment

PAGE = (ROOT / "book" / "rules.md").read_text(encoding="utf8")
CARDS = re.findall(r"\| \*\*Python\*\* \| `(.+)` \|\n\| \*\*Command\*\* \| `(.+)` \|", PAGE)
CARDS += re.findall(r"^\| `(.+)` \| `(--.+)` \|", PAGE, re.MULTILINE)
PARSERS = {
    "gate": gates.parse,
    "restriction": restrictions.parse,
    "caching": caching.parse,
    "buffer": buffers.parse,
}
NAMES = {**vars(gates), **vars(restrictions), **vars(caching), **vars(buffers)}


@pytest.mark.parametrize(("python", "command"), CARDS, ids=[python for python, _ in CARDS])
def test_both_spellings_of_a_card_mean_the_same(python, command):
    options = re.findall(r"--(\w+) (\S+)", command)
    [question] = {question for question, _ in options}
    spelled = PARSERS[question](" & ".join(text for _, text in options))
    assert spelled == eval(python, NAMES)


def test_every_rule_has_its_card():
    shown = {python.partition("(")[0] for python, _ in CARDS}
    rules = (*gates.GATES, *restrictions.RESTRICTIONS, *caching.CACHINGS, *buffers.BUFFERS)
    assert {rule.__name__ for rule in rules} <= shown


def test_the_names_of_variants_are_those_of_data_sets():
    names = re.findall(r"^\| `(mnist/.+?)` \|", PAGE, re.MULTILINE)
    assert len(names) == len(datasets.variants.VARIANTS)
    for name in names:
        assert datasets.facts(name).name == name


def test_every_setting_and_every_preset_is_explained():
    for name in Experiment.__dataclass_fields__:
        if name not in ("dataset", "epochs", "learning_rate", "measure_every", "seed", "engine",
                        "device", *PARSERS):  # fmt: skip
            assert f"`{name}`" in PAGE or f"{name}=" in PAGE
    for name in (*PRESETS, *experiment.ORDERS, *caching.VARIANTS):
        assert f"`{name}`" in PAGE


def test_the_example_in_python_and_on_the_command_line_is_one(few, monkeypatch, capsys):
    run = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block.replace("hidden=1000", "hidden=101"), run)
    run = run["run"]
    assert run.final["energy_m1"] > 0

    [command] = re.findall(r"```bash\n(lazybook .*?)```", PAGE, re.DOTALL)
    arguments = command.replace("\\\n", " ").replace("--hidden 1000", "--hidden 101").split()
    monkeypatch.setattr("sys.argv", [*arguments, "--json"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert not caught.value.code
    printed = json.loads(capsys.readouterr().out)
    assert printed["experiment"] == run.experiment.to_dict()
    assert printed["final"]["energy_m1"] == run.final["energy_m1"]
