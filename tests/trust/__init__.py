"""Is what lazybook promises kept? Many small trials of each kind, and how many of them went well.

``python -m tests.trust`` in the root of the checkout makes all of them and publishes the figures;
``python -m tests.trust KIND SEED`` repeats one that failed, alone.
"""
