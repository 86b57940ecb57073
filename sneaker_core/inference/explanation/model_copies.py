"""Copies of a network that explanations may modify, while other threads keep using the original.

Captum reads activations and changes gradients through hooks. On a network shared between threads, it would see the
activations of other predictions, and its hooks would affect them.
"""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from sneaker_core.networks import vision_ops  # noqa: F401  (makes the next import possible)
from sneaker_core.networks.architectures import SneakerNetwork

import torchvision  # isort: skip


_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def copy_with_shared_weights(network: nn.Module) -> nn.Module:
    """Copy the modules of a network but share its weights; in evaluation mode.

    In-place operations are turned off: the backward pass needs the activations of each layer.
    """
    shared: dict[int, object] = {id(weights): weights for weights in (*network.parameters(), *network.buffers())}
    private = copy.deepcopy(network, shared).eval()
    for module in private.modules():
        if isinstance(getattr(module, "inplace", None), bool):
            module.inplace = False  # type: ignore[assignment]
    return private


class _GuidedRelu6(nn.ReLU):
    """ReLU6 as a subclass of ReLU, which captum looks for."""

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
    """Copy a network so that captum's guided backpropagation finds its activation functions.

    Captum looks for ReLU modules. ReLU6, SiLU and Hardswish are not ReLU modules, and Inception calls ReLU as a
    function; without this copy, the "guided" gradients of those networks would be plain ones. Outputs don't change.
    """
    private = copy_with_shared_weights(network)
    for parent in list(private.modules()):
        for name, child in list(parent.named_children()):
            if type(child) in _GUIDED:
                setattr(parent, name, _GUIDED[type(child)]())
            elif isinstance(child, torchvision.models.inception.BasicConv2d):
                setattr(parent, name, nn.Sequential(child.conv, child.bn, nn.ReLU()))
    return private


def shuffled_copy(network: nn.Module, share: float, seed: int, images: Tensor) -> nn.Module:
    """Copy a network and shuffle the weights of its last layers, which discards what they have learned.

    Parameters
    ----------
    network : nn.Module
    share : float
        Share of the layers with weights to shuffle, counted from the output, 0 to 1; always at least the last layer.
    seed : int
    images : tensor (B, 3, H, W)
        Preprocessed images that shuffled normalization layers are refitted to. Without refitting, activations vanish
        or explode, and a network with constant outputs has no map.
    """
    private = copy_with_shared_weights(network)
    # Skips Inception's auxiliary classifier, which comes after the head and is used in training only.
    used = network.answering_state() if isinstance(network, SneakerNetwork) else network.state_dict()
    layers = [
        module
        for name, module in private.named_modules()
        if any(f"{name}.{own}".lstrip(".") in used for own, _ in module.named_parameters(recurse=False))
    ]
    layers = layers[-max(1, round(share * len(layers))) :]
    generator = torch.Generator().manual_seed(seed)
    for layer in layers:
        for name, weights in list(layer.named_parameters(recurse=False)):
            setattr(layer, name, nn.Parameter(_shuffled(weights, generator), requires_grad=False))
    _fit_norms(private, [layer for layer in layers if isinstance(layer, _NORMS)], images)
    return private


def _fit_norms(network: nn.Module, norms: list[nn.Module], images: Tensor) -> None:
    """Refit normalization layers to images, in buffers of their own."""
    if not norms:
        return
    for norm in norms:
        for name, values in list(norm.named_buffers(recurse=False)):
            setattr(norm, name, values.clone())
        norm.momentum = 1.0  # type: ignore[assignment]
        norm.train()
    with torch.no_grad():
        network(torch.cat([images, images.flip(3)]))  # at least two: one image has no variance
    network.eval()


def _shuffled(weights: Tensor, generator: torch.Generator) -> Tensor:
    values = weights.detach().flatten()
    order = torch.randperm(len(values), generator=generator)
    return values[order.to(values.device)].view(weights.shape)


def name_of(network: nn.Module, layer: nn.Module) -> str:
    """Dotted name of a layer in a network."""
    names: Iterator[str] = (name for name, module in network.named_modules() if module is layer)
    return next(names)
