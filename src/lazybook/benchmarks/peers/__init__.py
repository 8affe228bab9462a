"""Lazy learning beside other ways to learn from a part of the samples, at the same work.

* `methods`: which samples are presented, which of them are learned, and with what weight;
* `tasks`: data, network and learning rate;
* `training`: the one loop that all of them are trained by, and what is counted in it;
* `records`: one file for each training, found by what was trained.
"""
