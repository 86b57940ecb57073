"""Where the network looked: Grad-CAM, by captum, drawn over the photo."""

import copy
import io
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

from sneaker_core import images
from sneaker_core.errors import ImageError, SneakerError, UnknownLabelError
from sneaker_core.inference.predictor import predict_file
from sneaker_core.networks.architectures import SneakerNetwork, explained_layer
from sneaker_core.networks.checkpoint import SneakerModel

# Stops of a colour map that is even in brightness and safe for colour-blind eyes: dark violet, magenta, orange, yellow.
_HEAT = np.array([[13, 8, 135], [126, 3, 168], [204, 71, 120], [248, 149, 64], [240, 249, 33]], dtype=np.float32)


def gradcam(model: SneakerModel, photo: Image.Image, target: str, versus: str | None = None) -> NDArray[np.float32]:
    """How much each part of a photo speaks for a class.

    The activations of the last convolution are weighted by the mean gradient of the class's logit (before the
    softmax) and summed; what speaks against the class (below zero) is dropped. With `versus` the gradient is that of
    the difference of two logits: why the one rather than the other.

    Parameters
    ----------
    model : SneakerModel
    photo : RGB image
    target : str
        The class to explain.
    versus : str, optional
        A class to hold it against.

    Returns
    -------
    float32 array (H, W)
        0 to 1, the size the network sees; all zero where nothing speaks for the class.

    Raises
    ------
    UnknownLabelError
        The model has no such class.

    References
    ----------
    Selvaraju et al. (2017), Grad-CAM.
    """
    inputs = model.spec.preprocessing([photo])
    layer = explained_layer(model.spec.network, model.network)
    number = class_number(model, target)
    against = None if versus is None else class_number(model, versus)
    heat: NDArray[np.float32] = layer_gradcam(model.network, layer, inputs, number, against)[0]
    return heat


def layer_gradcam(
    network: SneakerNetwork | torch.nn.Module,
    layer: torch.nn.Module,
    images: torch.Tensor,
    target: int,
    versus: int | None,
) -> NDArray[np.float32]:
    """Grad-CAM of preprocessed images: float32 (B, H, W), each map scaled to 0..1 by its own maximum."""
    from captum.attr import LayerGradCam

    network, layer = _with_own_hooks(network, layer)

    def logit(inputs: torch.Tensor) -> torch.Tensor:
        logits = network(inputs)
        chosen: torch.Tensor = logits[:, target] if versus is None else logits[:, target] - logits[:, versus]
        return chosen

    # The network is frozen, so gradients flow only because its input asks for them.
    inputs = images.clone().requires_grad_(True)
    with torch.enable_grad():
        coarse = LayerGradCam(logit, layer).attribute(inputs, relu_attributions=True)
    fine = functional.interpolate(coarse.detach(), images.shape[2:], mode="bilinear", align_corners=False)[:, 0]
    highest = fine.amax(dim=(1, 2), keepdim=True)
    return np.asarray((fine / highest.clamp(min=1e-12)).numpy(), dtype=np.float32)


def _with_own_hooks(network: torch.nn.Module, layer: torch.nn.Module) -> tuple[torch.nn.Module, torch.nn.Module]:
    """The same network and its layer as modules of their own over the same weights.

    Captum reads activations through hooks that it puts on the layer. On a network that is shared between threads it
    would be given those of somebody else's prediction.
    """
    copied: dict[int, object] = {id(weights): weights for weights in (*network.parameters(), *network.buffers())}
    private = copy.deepcopy(network, copied)
    its_layer = copied[id(layer)]
    assert isinstance(its_layer, torch.nn.Module)
    return private, its_layer


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


def overlay(photo: Image.Image, heat: NDArray[np.float32], opacity: float = 0.5) -> Image.Image:
    """The photo with a heat map over it, at the photo's own size.

    Parameters
    ----------
    photo : RGB image
    heat : float32 array (H, W)
        0 to 1.
    opacity : float
        Of the heat map where it is hottest, 0 to 1.

    Raises
    ------
    SneakerError
        The opacity is not from 0 to 1.
    """
    if not 0 <= opacity <= 1:
        raise SneakerError(f"opacity is {opacity:g}; it must be from 0 to 1.")
    grey = Image.fromarray((np.clip(heat, 0, 1) * 255).astype(np.uint8)).resize(photo.size, Image.Resampling.BICUBIC)
    strength = np.asarray(grey, dtype=np.float32)[..., None] / 255
    stops = np.linspace(0, 1, len(_HEAT))
    colours = np.stack([np.interp(strength[..., 0], stops, _HEAT[:, channel]) for channel in range(3)], axis=-1)
    # Cold parts stay clear, so that the photo can be seen through the map; any steeper, and edges would show.
    weight = opacity * np.minimum(1, 1.5 * strength)
    blended = np.asarray(photo, dtype=np.float32) * (1 - weight) + colours * weight
    return Image.fromarray(blended.round().astype(np.uint8))


def explain_file(
    model: SneakerModel, path: Path, target: str | None = None, versus: str | None = None
) -> tuple[bytes, str]:
    """The PNG of a photo on disk with the Grad-CAM of a class over it, and the class.

    Parameters
    ----------
    model : SneakerModel
    path : Path
    target : str, optional
        Default: the most probable class.
    versus : str, optional

    Raises
    ------
    ImageError
        The photo cannot be read; the message names the file.
    UnknownLabelError
        The model has no such class.
    """
    try:
        photo = images.load(path)
    except ImageError as error:
        raise type(error)(f"{path}: {error}") from None
    if target is None:
        # Asked anew: it decodes a large photo smaller, as every prediction does.
        target = predict_file(model, path, top=1).top[0].label
    buffer = io.BytesIO()
    overlay(photo, gradcam(model, photo, target, versus)).save(buffer, "PNG")
    return buffer.getvalue(), target
