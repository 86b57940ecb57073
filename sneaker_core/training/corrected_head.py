"""The last layer of a model, trained further: toward corrections, and held to what the model answered before."""

import copy
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from sneaker_core.networks.checkpoint import SneakerModel, as_stored
from sneaker_core.networks.decision import Floats
from sneaker_core.networks.imprinting import last_inputs, last_layer

# How far the layer may move: the weight of the squared change of its weights.
_TIE = 0.5
# So many corrections weigh half as much as everything that must not be forgotten.
_HALF_WEIGHT = 20
_STEPS = 100


def corrected_model(
    model: SneakerModel, corrections: Floats, labels: NDArray[np.int64], memory: Floats, references: Floats
) -> SneakerModel:
    """A copy of a model whose last layer was trained on corrections.

    On the memory, the layer is trained to answer as before (Li and Hoiem 2016, "Learning without Forgetting").

    Parameters
    ----------
    model : SneakerModel
    corrections : float32 array (N, D)
        Embeddings of photos that the model got wrong.
    labels : int array (N,)
        Their classes.
    memory : float32 array (M, D)
        Embeddings of photos, or what stands for them, of which nothing shall be forgotten.
    references : float32 array (R, D)
        References of the new model, of unit length.
    """
    network = copy.deepcopy(model.network)
    layer = last_layer(network.head)
    kept, new = (torch.from_numpy(last_inputs(network.head, one)) for one in (memory, corrections))
    first_weight, first_bias = layer.weight.detach().clone(), layer.bias.detach().clone()
    targets = torch.from_numpy(labels)
    with torch.no_grad():
        before = (kept @ first_weight.T + first_bias).softmax(1)
    share = len(new) / (len(new) + _HALF_WEIGHT)
    weight, bias = (nn.Parameter(one.clone()) for one in (first_weight, first_bias))
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> float:
        optimizer.zero_grad()
        forgotten = functional.cross_entropy(kept @ weight.T + bias, before)
        wrong = functional.cross_entropy(new @ weight.T + bias, targets)
        moved = ((weight - first_weight) ** 2).sum() + ((bias - first_bias) ** 2).sum()
        total = forgotten + share * wrong + _TIE * moved
        total.backward()  # type: ignore[no-untyped-call]
        return float(total.detach())

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    layer.weight = nn.Parameter(weight.detach(), requires_grad=False)
    layer.bias = nn.Parameter(bias.detach(), requires_grad=False)
    # Metrics of the model are not those of its copy.
    spec = replace(model.spec, metrics={})
    return as_stored(SneakerModel(spec, network.eval(), references))
