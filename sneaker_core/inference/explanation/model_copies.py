"""Modules of one's own over weights that others use too: whatever is done to them, nobody else sees it.

Captum reads activations and changes gradients through hooks. On a network that is shared between threads it would be
given those of somebody else's prediction, and somebody's prediction would run into its hooks.
"""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from sneaker_core.networks import vision_ops  # noqa: F401  (first: it makes the next import possible)
from sneaker_core.networks.architectures import SneakerNetwork

import torchvision  # isort: skip


_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def private_copy(network: nn.Module) -> nn.Module:
    """The same network as modules of its own over the same weights, in evaluation mode.

    Nothing in it works in place: a layer's activations must still be there when gradients come back to them.
    """
    shared: dict[int, object] = {id(weights): weights for weights in (*network.parameters(), *network.buffers())}
    private = copy.deepcopy(network, shared).eval()
    for module in private.modules():
        if isinstance(getattr(module, "inplace", None), bool):
            module.inplace = False  # type: ignore[assignment]
    return private


class _GuidedRelu6(nn.ReLU):
    """ReLU6 as a kind of ReLU, for that is what captum looks for."""

    def forward(self, inputs: Tensor) -> Tensor:
        return functional.relu6(inputs)


class _GuidedSilu(nn.ReLU):
    def forward(self, inputs: Tensor) -> Tensor:
        return functional.silu(inputs)


class _GuidedHardswish(nn.ReLU):
    def forward(self, inputs: Tensor) -> Tensor:
        return functional.hardswish(inputs)


_GUIDED: dict[type[nn.Module], type[nn.ReLU]] = {
    nn.ReLU6: _GuidedRelu6,
    nn.SiLU: _GuidedSilu,
    nn.Hardswish: _GuidedHardswish,
}


def guided_copy(network: nn.Module) -> nn.Module:
    """A private copy whose activations captum's guided backpropagation finds.

    It looks for ReLU modules. ReLU6, SiLU and Hardswish are none, and Inception calls ReLU as a function; without this
    the "guided" gradient of those networks would be the plain one. What the network answers stays the same.
    """
    private = private_copy(network)
    for parent in list(private.modules()):
        for name, child in list(parent.named_children()):
            if type(child) in _GUIDED:
                setattr(parent, name, _GUIDED[type(child)]())
            elif isinstance(child, torchvision.models.inception.BasicConv2d):
                setattr(parent, name, nn.Sequential(child.conv, child.bn, nn.ReLU()))
    return private


def shuffled_copy(network: nn.Module, share: float, seed: int, images: Tensor) -> nn.Module:
    """A copy whose last layers have forgotten all they learnt: the values of each of their weights are shuffled.

    Parameters
    ----------
    network : nn.Module
    share : float
        How many of its layers that have weights, counted from the output, 0 to 1; at least the last.
    seed : int
    images : tensor (B, 3, H, W)
        What the shuffled normalisation layers are fitted to, anew; else activations vanish or explode on their way
        through them, and a network that says the same to everything has no map at all.
    """
    private = private_copy(network)
    # Inception's second classifier stands after the head, and no answer asks it.
    asked = network.answering_state() if isinstance(network, SneakerNetwork) else network.state_dict()
    layers = [
        module
        for name, module in private.named_modules()
        if any(f"{name}.{own}".lstrip(".") in asked for own, _ in module.named_parameters(recurse=False))
    ]
    layers = layers[-max(1, round(share * len(layers))) :]
    generator = torch.Generator().manual_seed(seed)
    for layer in layers:
        for name, weights in list(layer.named_parameters(recurse=False)):
            setattr(layer, name, nn.Parameter(_shuffled(weights, generator), requires_grad=False))
    _fit_norms(private, [layer for layer in layers if isinstance(layer, _NORMS)], images)
    return private


def _fit_norms(network: nn.Module, norms: list[nn.Module], images: Tensor) -> None:
    """Give normalisation layers the statistics of images, in buffers of their own."""
    if not norms:
        return
    for norm in norms:
        for name, values in list(norm.named_buffers(recurse=False)):
            setattr(norm, name, values.clone())
        norm.momentum = 1.0  # type: ignore[assignment]
        norm.train()
    with torch.no_grad():
        network(torch.cat([images, images.flip(3)]))  # two at least: of one there is no variance
    network.eval()


def _shuffled(weights: Tensor, generator: torch.Generator) -> Tensor:
    values = weights.detach().flatten()
    order = torch.randperm(len(values), generator=generator)
    return values[order.to(values.device)].view(weights.shape)


def name_of(network: nn.Module, layer: nn.Module) -> str:
    """The dotted name of a layer in a network."""
    names: Iterator[str] = (name for name, module in network.named_modules() if module is layer)
    return next(names)
