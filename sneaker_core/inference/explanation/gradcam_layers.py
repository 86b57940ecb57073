"""Which layers Grad-CAM can look at: the last of each stage of a network, named for people."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from sneaker_core.errors import SneakerError
from sneaker_core.networks.architectures import architecture
from sneaker_core.networks.checkpoint import ModelSpec

# A new stage begins where the map's side is less than this share of the stage's first. A convolution without padding
# takes off a pixel or two, which makes no new stage.
_SMALLER = 0.75
# What stages see, the first to the last, as Zeiler and Fergus (2014) describe it.
_SEEN = ("edges and colours", "textures", "patterns", "parts", "whole shapes")


@dataclass(frozen=True)
class Layer:
    """A layer that Grad-CAM can look at.

    Attributes
    ----------
    name : str
        Dotted name inside the backbone: what `layer` arguments take.
    title : str
        For people: "Stage 4 of 5: parts (13 x 13 places)".
    places : tuple of int
        Height and width of its map.
    usual : bool
        Whether it is looked at when nobody names another.
    """

    name: str
    title: str
    places: tuple[int, int]
    usual: bool


def layers(spec: ModelSpec) -> list[Layer]:
    """The layers that can be looked at in a model, from the finest map to the coarsest; one of them is the usual."""
    return list(_layers(spec.network, spec.preprocessing.height, spec.preprocessing.width))


def checked_layer(spec: ModelSpec, name: str | None) -> str:
    """The name of a layer that can be looked at; the usual one's for None.

    Raises
    ------
    SneakerError
        There is no such layer; the message lists those there are.
    """
    usual = architecture(spec.network).explained_layer
    if name is None or name == usual:
        return usual
    choices = [layer.name for layer in layers(spec)]
    if name not in choices:
        raise SneakerError(f"There is no layer {name[:80]!r} to look at; choose one of: {', '.join(choices)}.")
    return name


@cache
def _layers(network: str, height: int, width: int) -> tuple[Layer, ...]:
    found = architecture(network)
    with torch.device("meta"):  # all shapes, at no cost
        backbone = found.build_backbone().eval()
        seen = _outputs(backbone, torch.empty(1, 3, height, width))
    stages: list[list[tuple[str, tuple[int, int]]]] = []
    for name, places in seen:
        if not stages or min(places) < _SMALLER * min(stages[-1][0][1]):
            stages.append([])
        stages[-1].append((name, places))
    last = [_last(backbone, stage, found.explained_layer) for stage in stages]
    kept = [layer for layer in last if layer is not None]
    return tuple(
        Layer(name, _title(number, len(kept), places), places, name == found.explained_layer)
        for number, (name, places) in enumerate(kept)
    )


def _last(
    backbone: nn.Module, stage: list[tuple[str, tuple[int, int]]], usual: str
) -> tuple[str, tuple[int, int]] | None:
    """The usual layer where it is one of the stage's, else the stage's last; None for a stage that only pools."""
    chosen = next((layer for layer in stage if layer[0] == usual), stage[-1])
    convolves = any(
        isinstance(module, nn.Conv2d) for name, _ in stage for module in backbone.get_submodule(name).modules()
    )
    return chosen if convolves and (min(chosen[1]) > 1 or chosen[0] == usual) else None


def _title(number: int, count: int, places: tuple[int, int]) -> str:
    seen = _SEEN[round(number / max(1, count - 1) * (len(_SEEN) - 1))]
    return f"Stage {number + 1} of {count}: {seen} ({places[0]} x {places[1]} places)"


def _outputs(backbone: nn.Module, images: Tensor) -> list[tuple[str, tuple[int, int]]]:
    """Name and map size of each part of a backbone whose output has a height and a width, in the order they run."""
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
    """Its own parts, and those of the sequence of features that many networks have."""
    for name, child in backbone.named_children():
        if name == "features":
            yield from ((f"{name}.{inner}", module) for inner, module in child.named_children())
        else:
            yield name, child
