"""Layers that Grad-CAM can explain: the last layer of each stage of a network."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from sneaker_core.errors import SneakerError
from sneaker_core.networks.architectures import architecture
from sneaker_core.networks.checkpoint import ModelSpec

# A new stage starts when the feature map's side falls below this share of the side at the start of the stage.
# (A convolution without padding removes a pixel or two, which doesn't start a new stage.)
_SMALLER = 0.75
# What the stages respond to, from first to last, following Zeiler and Fergus (2014).
_CONTENT = ("edges and colors", "textures", "patterns", "parts", "whole shapes")


@dataclass(frozen=True)
class Layer:
    """A layer that Grad-CAM can explain.

    Attributes
    ----------
    name : str
        Dotted name inside the backbone, as `layer` arguments take it.
    title : str
        As shown to users: "Stage 4 of 5: parts (13 x 13)".
    size : tuple of int
        Height and width of its feature map.
    is_default : bool
        Whether it is used when no layer is given.
    """

    name: str
    title: str
    size: tuple[int, int]
    is_default: bool


def layers(spec: ModelSpec) -> list[Layer]:
    """The layers of a model that Grad-CAM can explain, from the finest to the coarsest; one of them is the default."""
    return list(_layers(spec.network, spec.preprocessing.height, spec.preprocessing.width))


def checked_layer(spec: ModelSpec, name: str | None) -> str:
    """Return the name of a layer if it is valid, or the default layer's name for None.

    Raises
    ------
    SneakerError
        There is no such layer; the message lists the available ones.
    """
    default = architecture(spec.network).explained_layer
    if name is None or name == default:
        return default
    choices = [layer.name for layer in layers(spec)]
    if name not in choices:
        raise SneakerError(f"No layer named {name[:80]!r}. Available layers: {', '.join(choices)}.")
    return name


@cache
def _layers(network: str, height: int, width: int) -> tuple[Layer, ...]:
    found = architecture(network)
    with torch.device("meta"):  # shapes only, without memory or computation
        backbone = found.build_backbone().eval()
        seen = _outputs(backbone, torch.empty(1, 3, height, width))
    stages: list[list[tuple[str, tuple[int, int]]]] = []
    for name, size in seen:
        if not stages or min(size) < _SMALLER * min(stages[-1][0][1]):
            stages.append([])
        stages[-1].append((name, size))
    last = [_last(backbone, stage, found.explained_layer) for stage in stages]
    kept = [layer for layer in last if layer is not None]
    return tuple(
        Layer(name, _title(number, len(kept), size), size, name == found.explained_layer)
        for number, (name, size) in enumerate(kept)
    )


def _last(
    backbone: nn.Module, stage: list[tuple[str, tuple[int, int]]], default: str
) -> tuple[str, tuple[int, int]] | None:
    """The default layer if the stage contains it, otherwise the stage's last; None for a stage that only pools."""
    chosen = next((layer for layer in stage if layer[0] == default), stage[-1])
    convolves = any(
        isinstance(module, nn.Conv2d) for name, _ in stage for module in backbone.get_submodule(name).modules()
    )
    return chosen if convolves and (min(chosen[1]) > 1 or chosen[0] == default) else None


def _title(number: int, count: int, size: tuple[int, int]) -> str:
    content = _CONTENT[round(number / max(1, count - 1) * (len(_CONTENT) - 1))]
    return f"Stage {number + 1} of {count}: {content} ({size[0]} x {size[1]})"


def _outputs(backbone: nn.Module, images: Tensor) -> list[tuple[str, tuple[int, int]]]:
    """Name and feature map size of each backbone layer with a spatial output, in the order they run."""
    seen: list[tuple[str, tuple[int, int]]] = []
    for name, module in _parts(backbone):

        def note(module: nn.Module, inputs: object, output: Tensor, name: str = name) -> None:
            if output.ndim == 4:
                seen.append((name, (int(output.shape[2]), int(output.shape[3]))))

        module.register_forward_hook(note)
    with torch.no_grad():
        backbone(images)
    return seen


def _parts(backbone: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The backbone's layers, with the `features` sequence of many networks expanded."""
    for name, child in backbone.named_children():
        if name == "features":
            yield from ((f"{name}.{inner}", module) for inner, module in child.named_children())
        else:
            yield name, child
