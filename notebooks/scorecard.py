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
# Every claim of the papers that this book has put to the test, with what was measured and the
# verdict. Criteria were fixed before the runs; verdicts are computed from what the figures'
# notebooks measured, as the mean over seeds, with its 95 % interval where there is more than one.
# A claim that holds for some sizes or conditions only, or of which something could not be measured,
# is *partly* reproduced, and the note names what is lacking. A number leads to its figure.

# %% tags=["parameters", "hide-input"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False

# %% tags=["hide-input"]
from collections import Counter

from IPython.display import HTML, Markdown

from lazybook.book import claims, notebook

settings = notebook.start(globals())
verdicts = claims.verdicts(settings.profile)
counted = Counter(verdict.word for verdict in verdicts)
words = ", ".join(f"{number} {word}" for word, number in counted.most_common())
Markdown(f"Profile **{settings.profile}**, {len(verdicts)} claims: {words}.")

# %% tags=["hide-input"]
HTML(claims.table(verdicts))

# %% tags=["hide-cell"]
# NBVAL_CHECK_OUTPUT
for verdict in verdicts:
    print(verdict.claim.id, verdict.word)
