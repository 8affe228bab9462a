# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Atlas of runs
#
# Every published training run, in one table. Click a column's head to sort by it; type words,
# such as `subnet fashion`, to see only the runs that have them all. The last column names a run's
# record: `lazybook runs show NAME` tells everything about it.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the records"}
import html

import pandas as pd
from IPython.display import Markdown

from lazybook import runs
from lazybook.book import notebook
from lazybook.support import paths

settings = notebook.start(globals())
records = sorted(paths.published().glob("*/*.parquet"))
summaries = {path.stem: runs.summary(path) for path in records}
samples = sum(run.final["samples"] for run in summaries.values())
seconds = sum(run.provenance["compute_seconds"] for run in summaries.values())
Markdown(
    f"There are **{len(summaries):,} runs**. Together they presented "
    f"{samples / 1e9:.1f} billion samples, in {seconds / 3600:.1f} hours of one core."
)


# %% tags=["hide-input", "full-width"] mystnb={"code_prompt_show": "Code: the table of runs"}
def number(value, form):
    """Return a cell that is sorted by ``value`` and shows it as ``form`` says."""
    shown = format(value, form).replace("e+0", "e").replace("e+", "e")  # 2.1e8
    return f'<data value="{value:.6g}">{shown}</data>'


def row(name, run):
    """Return a run's row: what was run, and how it ended."""
    fields, final = run.experiment.to_dict(), run.final
    rules = (fields["gate"], fields["restriction"], fields["caching"])
    said = [rule for rule in rules if rule not in ("all", "immediate")]
    reached = number(100 * final["test_accuracy"], ".2f")
    return {
        "data set": html.escape(fields["dataset"].partition(":")[0]),
        "H": number(fields["hidden"] or 0, ",d"),
        "rules": html.escape(", ".join(said)),
        "test (%)": "diverged" if run.diverged else reached,
        "M0": number(final["energy_m0"], ".2e"),
        "M1": number(final["energy_m1"], ",.0f"),
        "samples": number(final["samples"], ",d"),
        "learned": number(final["updates"], ",d"),
        "loss": fields["loss"],
        "rate": number(fields["learning_rate"], "g"),
        "seed": number(fields["seed"], "d"),
        "record": f"<code>{name[:8]}</code>",
    }


table = pd.DataFrame([row(name, run) for name, run in summaries.items()])
table = table.sort_values(["data set", "rules", "H"], kind="stable")
notebook.html_table(table, "All published runs", classes="sortable filtered")

# %% [markdown]
# ## The columns
#
# *Rules*: a gate, then what restricts the synapses or delays their changes, if anything does; see
# {doc}`/rules`. *Test*: the accuracy on the test set at the end. M0 counts the changes of synapses
# that were made permanent, M1 adds up their sizes; both are totals of a run, so they do not compare
# runs of different lengths. *Samples* were presented; *learned* is how many changed the network.
