r"""The compiled steps of the fast engine.

* `layout`: how a network, its data and its rules lie in memory;
* `layers`: forward and backward through the layers;
* `changes`: changing the synapses, one way for each kind of restriction, and what it costs;
* `caching`: transient parts, and when they become permanent;
* `largest`: the k largest entries of an outer product, without forming it;
* `training`: the loop over the samples;
* `evaluation`: how good a network is.
"""
