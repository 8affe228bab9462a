"""Learning with little synaptic plasticity: the rules of a family of papers, and what they cost.

Describe a training run with `lazybook.experiment.Experiment`, with one answer each to *which
samples are learned* (`lazybook.gates`), *which synapses may change* (`lazybook.restrictions`) and
*when a change becomes permanent* (`lazybook.caching`); run it with `lazybook.trainers.train`, or
many with `lazybook.sweep.sweep`.
"""
