"""Attribution maps: which areas of a photo count toward a class, computed with captum.

The maps explain a logit (a probability would also change with the other classes), or, for contrastive explanations, the
difference of two logits. They explain the photo as it is, without the flipped view that predictions also average over.
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
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest, Method
from sneaker_core.inference.explanation.gradcam_layers import checked_layer
from sneaker_core.inference.explanation.model_copies import copy_with_shared_weights, guided_copy, name_of
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.workspace.clean_names import did_you_mean

Maps = NDArray[np.float32]

# A map whose maximum is below this is rounding noise: nothing counts toward the class.
_NOTHING = 1e-12
# Pixel-level maps have a few outliers: this share of the pixels is clipped to 1.
_BRIGHTEST = 0.01
# Integrated Gradients: interpolation steps, and how many of them form a batch.
_STEPS = 32
_STEPS_AT_ONCE = 8
# Occlusion: side of the square relative to the photo's side (it moves by half of that), and squares per batch.
_WINDOW = 0.2
_COVERED_AT_ONCE = 16

# Captum warns on each call; its hooks only touch our private copies.
warnings.filterwarnings("ignore", "Setting backward hooks on ReLU activations")


def check_request(model: SneakerModel, request: ExplanationRequest) -> None:
    """Check that a model has the requested classes and layer, before any computation.

    Raises
    ------
    UnknownLabelError
        The model has no such class.
    SneakerError
        There is no such layer, or the method has none.
    """
    for label in (request.target, request.versus):
        if label is not None:
            class_number(model, label)
    _layer_name(model, request.method, request.layer)


def attribute(
    model: SneakerModel,
    photos: Sequence[Image.Image],
    targets: str | Sequence[str],
    method: Method = Method.GRADCAM,
    versus: str | None = None,
    layer: str | None = None,
) -> Maps:
    """Attribution maps of photos for a class: how much each area counts toward it.

    All methods keep positive attribution only (with `versus`: what counts more toward the target than toward that
    class) and scale each map on its own, so a map shows where, not how much. Compare areas within one map, never
    brightness between maps.

    - ``gradcam``: activations of a layer, weighted by the mean gradient of the logit, summed over channels, negative
      values set to zero, upsampled bilinearly. 1 is the maximum of the map.
    - ``guided_gradcam``: that map times the guided gradient of each pixel (activation functions pass positive
      gradients only: ReLU, ReLU6, SiLU, Hardswish); the largest absolute value over the color channels.
    - ``integrated_gradients``: the mean gradient at 32 Gauss-Legendre points between ImageNet's mean color and the
      photo, times their difference; summed over the color channels, negative values set to zero.
    - ``occlusion``: the drop of the logit when a gray square (a fifth of the side) covers a pixel, averaged over all
      squares that cover it; negative values set to zero. 1 is the maximum of the map.

    In the pixel-level maps (``guided_gradcam``, ``integrated_gradients``) 1 is the 99th percentile.

    Parameters
    ----------
    model : SneakerModel
        Not modified; other threads may use it meanwhile.
    photos : sequence of RGB images
    targets : str or sequence of str
        Class to explain: one for all photos, or one per photo.
    method : Method
    versus : str, optional
        Class to compare with.
    layer : str, optional
        A name from `gradcam_layers.layers`, for Grad-CAM and Guided Grad-CAM; default: the network's default layer.

    Returns
    -------
    float32 array (B, H, W)
        0 to 1, at the network's input size; all zero if nothing counts toward the class.

    Raises
    ------
    UnknownLabelError
        The model has no such class.
    SneakerError
        There is no such layer, or the method has none.

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
    """Index of a class among the logits.

    Raises
    ------
    UnknownLabelError
        The model has no such class.
    """
    try:
        return model.spec.classes.index(label)
    except ValueError:
        known = ", ".join(model.spec.classes)
        hint = did_you_mean([label], model.spec.classes)
        raise UnknownLabelError(f"The model has no class {label!r}.{hint} Its classes: {known}.") from None


def class_weights(outputs: int, target: int, versus: int | None) -> Tensor:
    """Weight of each logit in the explained score, float32 (outputs,): 1 for the target, -1 for `versus`."""
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
        raise SneakerError(f"{method.display_name} doesn't use a layer. Omit the layer, or choose Grad-CAM.")
    return checked_layer(model.spec, layer)


def network_maps(network: nn.Module, method: Method, layer: str, images: Tensor, weights: Tensor) -> Maps:
    """Compute the maps of `attribute` for any network.

    Parameters
    ----------
    network : nn.Module
        Maps images (B, 3, H, W) to logits (B, C); in evaluation mode; not modified.
    method : Method
    layer : str
        Dotted name in the network, for methods that have a layer.
    images : tensor (B, 3, H, W)
        Preprocessed.
    weights : tensor (B, C)
        Weight of each logit, from `class_weights`.

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
        # With fewer nonzero pixels than that there are no outliers.
        highest = torch.where(bright > _NOTHING, bright, highest)
    return np.asarray((raw / highest.clamp(min=_NOTHING)).clamp(max=1).numpy(), dtype=np.float32)


def layer_gradcam(network: nn.Module, layer: nn.Module, images: Tensor, target: int, versus: int | None) -> Maps:
    """Grad-CAM of preprocessed images at a layer: float32 (B, H, W), each map scaled to a maximum of 1."""
    weights = class_weights(_outputs(network, images), target, versus).expand(len(images), -1)
    return network_maps(network, Method.GRADCAM, name_of(network, layer), images, weights)


@torch.no_grad()
def _outputs(network: nn.Module, images: Tensor) -> int:
    known = getattr(network, "outputs", None)
    return known if isinstance(known, int) else int(network(images[:1]).shape[1])


class _Weighted(nn.Module):
    """The explained score of each photo: the weighted sum of its logits."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, weights: Tensor) -> Tensor:
        logits: Tensor = self.network(images)
        return (logits * weights).sum(1)


def _gradcam(network: nn.Module, layer: str, images: Tensor, weights: Tensor) -> Tensor:
    from captum.attr import LayerGradCam

    private = copy_with_shared_weights(network)
    # No gradients are needed before the layer, so those layers store no activations.
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
        baselines=0.0,  # ImageNet's mean color, after standardization
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
    return found[:, 0]  # the square covers all color channels, so they are equal


_RAW: dict[Method, Callable[[nn.Module, str, Tensor, Tensor], Tensor]] = {
    Method.GRADCAM: _gradcam,
    Method.GUIDED_GRADCAM: _guided_gradcam,
    Method.INTEGRATED_GRADIENTS: _integrated_gradients,
    Method.OCCLUSION: _occlusion,
}
# Photos per batch: fewer for methods that need many passes per photo.
_AT_ONCE = {Method.GRADCAM: 8, Method.GUIDED_GRADCAM: 4, Method.INTEGRATED_GRADIENTS: 1, Method.OCCLUSION: 1}
