"""The rules for your own PyTorch training loop: any network, any optimizer, any batch.

Three lines put a gate into a loop: make it, ask it which samples of a batch to learn, and make no
step if that is none. Its memory has to know which sample is which, so it is given their indices in
the training set, which `Indexed` adds to those of a data set:

>>> import torch
>>> from torch.nn.functional import cross_entropy
>>> from torch.utils.data import DataLoader, TensorDataset
>>> from lazybook.gates import MemorizedMistakes
>>> dataset = TensorDataset(torch.randn(100, 20), torch.randint(3, (100,)))
>>> network = torch.nn.Linear(20, 3)
>>> optimizer = torch.optim.Adam(network.parameters())
>>> gate, meter = Gate(MemorizedMistakes(), samples=100), Meter(network.parameters())

>>> for inputs, labels, indices in DataLoader(Indexed(dataset), batch_size=10, shuffle=True):
...     outputs = network(inputs)
...     learned = gate(outputs, labels, indices)
...     if gate.any(learned):
...         loss = cross_entropy(outputs[learned], labels[learned], reduction="sum") / len(labels)
...         optimizer.zero_grad()
...         loss.backward()
...         with meter:
...             optimizer.step()

Now ``gate.updates`` samples were learned, ``gate.remembered`` tells which ones are to be learned
from now on, and ``meter.m1.sum()`` is the energy that was spent. The loss of what is not learned is
left out, not multiplied by 0, which would not help if it is infinite; dividing by the size of the
whole batch keeps the size of a step per sample. ``gate.any`` is ``learned.any()``, and with several
processes it is so on any of them, so that they step together.

`Plasticity` in place of the meter restricts which synapses change and when for good, and `Packer`
gathers what is to be learned into full batches, which saves time as well.
"""

from lazybook.pytorch.gate import Gate
from lazybook.pytorch.indexed import Indexed
from lazybook.pytorch.packing import Packer
from lazybook.pytorch.plasticity import Meter, Plasticity, Spent

__all__ = ["Gate", "Indexed", "Meter", "Packer", "Plasticity", "Spent"]
