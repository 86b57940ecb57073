"""Maps of what in a photo speaks for a class, by captum.

What is explained is always a logit, before the softmax (a probability also moves when other classes do), or the
difference of two: why the one class rather than the other. It is that of the photo as it is; the mirror image, which
the answer averages in, is left out.
"""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from sneaker_core.errors import SneakerError, UnknownLabelError
from sneaker_core.inference.explanation.explanation_request import Method, Question
from sneaker_core.inference.explanation.gradcam_layers import checked_layer
from sneaker_core.inference.explanation.model_copies import guided_copy, name_of, private_copy
from sneaker_core.networks.checkpoint import SneakerModel

Maps = NDArray[np.float32]

# Below this the largest value of a map is nothing but rounding: nothing speaks for the class.
_NOTHING = 1e-12
# Maps of single pixels have a few that outshine all others; so many of the pixels may be as bright as can be.
_BRIGHTEST = 0.01
# Points on the way from grey to the photo, and how many of them go through the network at once.
_STEPS = 32
_STEPS_AT_ONCE = 8
# Side of the square that occlusion covers, as a share of the photo's; it moves by half of that.
_WINDOW = 0.2
_COVERED_AT_ONCE = 16

# Captum says this on each call; its hooks are on modules of our own.
warnings.filterwarnings("ignore", "Setting backward hooks on ReLU activations")


def check_question(model: SneakerModel, question: Question) -> None:
    """Look whether it can be asked of a model, before anything is worked out.

    Raises
    ------
    UnknownLabelError
        The model has no such class.
    SneakerError
        There is no such layer, or the method looks at none.
    """
    for label in (question.target, question.versus):
        if label is not None:
            class_number(model, label)
    _layer_name(model, question.method, question.layer)


def attribute(
    model: SneakerModel,
    photos: Sequence[Image.Image],
    targets: str | Sequence[str],
    method: Method = Method.GRADCAM,
    versus: str | None = None,
    layer: str | None = None,
) -> Maps:
    """How much each part of photos speaks for a class.

    Every method drops what speaks against the class (with `versus`: what speaks more for that one), and scales each
    map by itself, so maps tell where, not how much: compare places within a map, never brightness between maps.

    - ``gradcam``: activations of a layer weighted by the mean gradient of the logit, summed, cut at zero, enlarged
      bilinearly; 1 is the map's maximum.
    - ``guided_gradcam``: that map times the gradient at each pixel, of which only what is positive passes an
      activation (ReLU, ReLU6, SiLU, Hardswish); the largest absolute value of the three colours.
    - ``integrated_gradients``: mean gradient over 32 points (Gauss-Legendre) on the way from the mean colour of
      ImageNet to the photo, times the way; summed over the colours, cut at zero.
    - ``occlusion``: by how much the logit falls when a square of that same grey, a fifth of the side, covers a pixel,
      averaged over the squares that do; cut at zero; 1 is the map's maximum.

    In the maps of single pixels (the second and third), 1 is the value that 1 % of the pixels exceed.

    Parameters
    ----------
    model : SneakerModel
        Not changed, and nobody else's predictions with it are.
    photos : sequence of RGB images
    targets : str or sequence of str
        The class to explain, for all photos or for each. The same photo may be there several times.
    method : Method
    versus : str, optional
        A class to hold them against.
    layer : str, optional
        Of `layers.layers`, for Grad-CAM and Guided Grad-CAM; default: the network's usual one.

    Returns
    -------
    float32 array (B, H, W)
        0 to 1, the size the network sees; all zero where nothing speaks for the class.

    Raises
    ------
    UnknownLabelError
        The model has no such class.
    SneakerError
        There is no such layer, or the method looks at none.

    References
    ----------
    Selvaraju et al. (2017), Grad-CAM; Springenberg et al. (2015), Striving for Simplicity; Sundararajan et al. (2017),
    Axiomatic Attribution for Deep Networks; Zeiler and Fergus (2014), Visualizing and Understanding Convolutional
    Networks.
    """
    labels = [targets] * len(photos) if isinstance(targets, str) else list(targets)
    weights = torch.stack([_weights(model, label, versus) for label in labels]) if labels else torch.empty(0)
    where = f"backbone.{_layer_name(model, method, layer)}"
    size = _AT_ONCE[method]
    parts = [
        network_maps(
            model.network,
            method,
            where,
            model.spec.preprocessing(list(photos[start : start + size])),
            weights[start : start + size],
        )
        for start in range(0, len(photos), size)
    ]
    height, width = model.spec.preprocessing.height, model.spec.preprocessing.width
    return np.concatenate(parts) if parts else np.zeros((0, height, width), dtype=np.float32)


def gradcam(model: SneakerModel, photo: Image.Image, target: str, versus: str | None = None) -> Maps:
    """Grad-CAM of one photo, as in `attribute`: float32 (H, W)."""
    heat: Maps = attribute(model, [photo], target, versus=versus)[0]
    return heat


def class_number(model: SneakerModel, label: str) -> int:
    """The number of a class.

    Raises
    ------
    UnknownLabelError
        The model has no such class.
    """
    try:
        return model.spec.classes.index(label)
    except ValueError:
        known = ", ".join(model.spec.classes)
        raise UnknownLabelError(f"The model knows no class {label!r}; it knows: {known}.") from None


def class_weights(outputs: int, target: int, versus: int | None) -> Tensor:
    """What each logit counts in what is explained, float32 (outputs,): 1 the target, -1 what it is held against."""
    weights = torch.zeros(outputs)
    weights[target] += 1
    if versus is not None:
        weights[versus] -= 1
    return weights


def _weights(model: SneakerModel, target: str, versus: str | None) -> Tensor:
    against = None if versus is None else class_number(model, versus)
    return class_weights(model.spec.outputs, class_number(model, target), against)


def _layer_name(model: SneakerModel, method: Method, layer: str | None) -> str:
    if layer is not None and not method.has_layer:
        raise SneakerError(f"{method.plain_name} looks at no layer; leave the layer out, or choose Grad-CAM.")
    return checked_layer(model.spec, layer)


def network_maps(network: nn.Module, method: Method, layer: str, images: Tensor, weights: Tensor) -> Maps:
    """The maps of `attribute` for any network.

    Parameters
    ----------
    network : nn.Module
        From images (B, 3, H, W) to logits (B, C), in evaluation mode; not changed.
    method : Method
    layer : str
        Dotted name in the network, for the methods that look at a layer.
    images : tensor (B, 3, H, W)
        Preprocessed.
    weights : tensor (B, C)
        What each logit counts, from `class_weights`.

    Returns
    -------
    float32 array (B, H, W)
    """
    with torch.enable_grad():
        raw = _RAW[method](network, layer, images.detach(), weights).detach()
    raw = raw.clamp(min=0)
    highest = raw.amax((1, 2), keepdim=True)
    if method in (Method.GUIDED_GRADCAM, Method.INTEGRATED_GRADIENTS):
        bright = raw.flatten(1).quantile(1 - _BRIGHTEST, dim=1)[:, None, None]
        # Where fewer pixels than that speak at all, none of them is an outlier.
        highest = torch.where(bright > _NOTHING, bright, highest)
    return np.asarray((raw / highest.clamp(min=_NOTHING)).clamp(max=1).numpy(), dtype=np.float32)


def layer_gradcam(network: nn.Module, layer: nn.Module, images: Tensor, target: int, versus: int | None) -> Maps:
    """Grad-CAM of preprocessed images at a layer: float32 (B, H, W), each map scaled to 0..1 by its own maximum."""
    weights = class_weights(_outputs(network, images), target, versus).expand(len(images), -1)
    return network_maps(network, Method.GRADCAM, name_of(network, layer), images, weights)


@torch.no_grad()
def _outputs(network: nn.Module, images: Tensor) -> int:
    known = getattr(network, "outputs", None)
    return known if isinstance(known, int) else int(network(images[:1]).shape[1])


class _Weighted(nn.Module):
    """What is explained, one number a photo: its logits, each as often as it counts."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, weights: Tensor) -> Tensor:
        logits: Tensor = self.network(images)
        return (logits * weights).sum(1)


def _gradcam(network: nn.Module, layer: str, images: Tensor, weights: Tensor) -> Tensor:
    from captum.attr import LayerGradCam

    private = private_copy(network)
    # Nothing asks for gradients before the layer, so that part of the network keeps nothing for a way back.
    coarse: Tensor = LayerGradCam(_Weighted(private), private.get_submodule(layer)).attribute(
        images, additional_forward_args=weights, relu_attributions=True
    )
    fine: Tensor = functional.interpolate(coarse.detach(), images.shape[2:], mode="bilinear", align_corners=False)
    return fine[:, 0]


def _guided_gradcam(network: nn.Module, layer: str, images: Tensor, weights: Tensor) -> Tensor:
    from captum.attr import GuidedGradCam

    private = guided_copy(network)
    found: Tensor = GuidedGradCam(_Weighted(private), private.get_submodule(layer)).attribute(
        images.clone().requires_grad_(True), additional_forward_args=weights, interpolate_mode="bilinear"
    )
    return found.abs().amax(1)


def _integrated_gradients(network: nn.Module, layer: str, images: Tensor, weights: Tensor) -> Tensor:
    from captum.attr import IntegratedGradients

    found: Tensor = IntegratedGradients(_Weighted(network)).attribute(
        images,
        baselines=0.0,  # the mean colour of ImageNet, in standardised colours
        additional_forward_args=weights,
        n_steps=_STEPS,
        internal_batch_size=max(_STEPS_AT_ONCE, len(images)),
    )
    return found.sum(1)


@torch.no_grad()
def _occlusion(network: nn.Module, layer: str, images: Tensor, weights: Tensor) -> Tensor:
    from captum.attr import Occlusion

    window = [max(1, round(_WINDOW * side)) for side in images.shape[2:]]
    stride = [max(1, side // 2) for side in window]
    found: Tensor = Occlusion(_Weighted(network)).attribute(
        images,
        sliding_window_shapes=(3, *window),
        strides=(3, *stride),
        baselines=0.0,
        additional_forward_args=weights,
        perturbations_per_eval=max(1, _COVERED_AT_ONCE // len(images)),
    )
    return found[:, 0]  # all three colours are covered at once, and have the same value


_RAW: dict[Method, Callable[[nn.Module, str, Tensor, Tensor], Tensor]] = {
    Method.GRADCAM: _gradcam,
    Method.GUIDED_GRADCAM: _guided_gradcam,
    Method.INTEGRATED_GRADIENTS: _integrated_gradients,
    Method.OCCLUSION: _occlusion,
}
# How many photos are explained in one go: more where each asks the network once, few where each asks it often.
_AT_ONCE = {Method.GRADCAM: 8, Method.GUIDED_GRADCAM: 4, Method.INTEGRATED_GRADIENTS: 1, Method.OCCLUSION: 1}
