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
# # Scorecard of claims
#
# Every claim of the papers that this book has put to the test, with its verdict. Click a badge for
# what was measured, and a claim's number for its figure.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: all verdicts"}
from collections import Counter

import pandas as pd
from IPython.display import HTML, Markdown, display

from lazybook.book import claims, notebook

settings = notebook.start(globals())
verdicts = claims.verdicts(settings.profile)
counted = Counter(verdict.word for verdict in verdicts)
words = ", ".join(f"{number} {word}" for word, number in counted.most_common())
display(Markdown(f"Profile **{settings.profile}**, {len(verdicts)} claims: {words}."))
for paper in dict.fromkeys(verdict.claim.paper for verdict in verdicts):
    of_paper = [verdict for verdict in verdicts if verdict.claim.paper == paper]
    title = paper.replace("-", " ").capitalize()
    display(HTML(f"<strong>{title}</strong>{claims.glance(of_paper)}"))

# %% [markdown]
# ## How verdicts are made
#
# Criteria were fixed before the runs, but for those [corrected](corrections) since; verdicts are
# computed from what the figures' notebooks measured. A measure is *met* or *fails* under a
# condition if the whole 95 % interval of its mean over seeds lies within the bounds or outside
# them, and is *undecided* if the interval contains a bound. A single seed, as in most of the smoke
# and quick profiles, has no interval: there its value decides. Means and intervals of positive
# ratios are those of their logarithms. A claim is *reproduced* if all is met, *not reproduced* if
# all fails, *partly* if some fails, and *undecided* if nothing fails and something is open. What
# the paper does not say is *beyond the paper*: it is shown, paler, and does not count.
#
# ## All claims
#
# *Theirs* is what the paper has, *ours* what was measured here: the least mean to the largest over
# all conditions, with their 95 % intervals in brackets. A strip has a dot with its interval for
# each condition; the shaded range is what the claim accepts.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table of claims"}
HTML(claims.table(verdicts, profile=settings.profile))

# %% [markdown]
# (corrections)=
# ## Corrections
#
# The texts of the papers were read again beside the pages, and some claims turned out to have been
# misread; others were found that nothing had tested. The runs were there by then. So here is what
# each said before, what it says now and why, with the verdict under both readings.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table of corrections"}
found = claims.found(settings.profile)
rows = []
for verdict in verdicts:
    claim = verdict.claim
    if claim.before:
        before = claims.before(verdict, found[claim.id])
        rows.append(
            {
                "claim": claim.id,
                "before": claims.stated(claim.before.statement, claim.before.measures),
                "now": claims.stated(claim.statement, claim.measures),
                "why": claim.before.why,
                "verdict before": before,
                "verdict now": verdict.word,
            }
        )
    elif claim.added:
        rows.append(
            {
                "claim": claim.id,
                "before": "–",
                "now": claims.stated(claim.statement, claim.measures),
                "why": claim.added,
                "verdict before": "–",
                "verdict now": verdict.word,
            }
        )
notebook.html_table(pd.DataFrame(rows), "Corrected claims")

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
TIMED = {
    "LL7",
    "LL15",
    "LL18",
    "LL22",
    "PE1",
    "PE3",
}  # verdicts that times have a part in
for verdict in verdicts:
    if verdict.claim.id not in TIMED:
        print(verdict.claim.id, verdict.word)
