"""How fast are the engines, compared with the loops that one would write, and with the machine?

* `eager`, `loops`: training loops as one would write them in PyTorch, and in NumPy and JAX;
* `timing`: what learns the same samples, timed by turns on one core;
* `roofline`: how fast this core's memory would let it be;
* `cases`: what `lazybook bench` and the page "How fast, and why" compare;
* `cost`: what a run would have cost in PyTorch.
"""
