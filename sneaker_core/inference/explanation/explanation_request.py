"""What to explain and how: the request that pages, the command line and the API share. Imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sneaker_core.errors import SneakerError
from sneaker_core.workspace.clean_names import clean_name

# Opacity of the map where it is strongest: the default of the page, the command line and the API.
DEFAULT_OPACITY = 0.5
# Photos per class-average map; more photos hardly change it.
CLASS_AVERAGE_PHOTOS = 60


class Method(StrEnum):
    """Attribution methods."""

    GRADCAM = "gradcam"
    GUIDED_GRADCAM = "guided_gradcam"
    INTEGRATED_GRADIENTS = "integrated_gradients"
    OCCLUSION = "occlusion"

    @property
    def display_name(self) -> str:
        """The method's name as shown to users."""
        return _TEXTS[self][0]

    @property
    def about(self) -> str:
        """What the method shows and what it costs, in one or two sentences."""
        return _TEXTS[self][1]

    @property
    def has_layer(self) -> bool:
        """Whether the method explains the activations of a layer, which can be chosen."""
        return self in (Method.GRADCAM, Method.GUIDED_GRADCAM)

    @property
    def is_slow(self) -> bool:
        """Whether one map takes dozens of passes through the network."""
        return self in (Method.INTEGRATED_GRADIENTS, Method.OCCLUSION)


_TEXTS = {
    Method.GRADCAM: (
        "Grad-CAM",
        "Shows which areas count toward the class. Fast and robust, but coarse.",
    ),
    Method.GUIDED_GRADCAM: (
        "Guided Grad-CAM",
        "Shows fine detail inside the Grad-CAM areas. Sharp, but edges stand out even where they matter little.",
    ),
    Method.INTEGRATED_GRADIENTS: (
        "Integrated Gradients",
        "Turns a gray image into the photo step by step and adds up how each pixel changes the score. Detailed, but "
        "grainy and slow.",
    ),
    Method.OCCLUSION: (
        "Occlusion",
        "Covers one area after another and measures how much the score drops. Easy to understand, but the slowest.",
    ),
}


def checked_method(name: str) -> Method:
    """A method by its name.

    Raises
    ------
    SneakerError
        There is no such method; the message lists the available ones.
    """
    try:
        return Method(name)
    except ValueError:
        raise SneakerError(f"No method named {name[:80]!r}. Available methods: {', '.join(Method)}.") from None


@dataclass(frozen=True)
class ExplanationRequest:
    """What to explain in a photo, and how to draw it.

    Attributes
    ----------
    target : str or None
        Class to explain; None for the most probable one.
    versus : str or None
        Class to compare with, for a contrastive explanation: why the target and not this class?
    method : Method
    layer : str or None
        A name from `gradcam_layers.layers`, for methods that have a layer; None for the default layer.
    opacity : float
        Opacity of the map where it is strongest, 0 to 1.
    max_side : int or None
        Longest side of the overlay in pixels; None for the size of the photo.
    sanity_check : bool
        Whether to run the sanity check too, which takes a hundred times as long.
    """

    target: str | None = None
    versus: str | None = None
    method: Method = Method.GRADCAM
    layer: str | None = None
    opacity: float = DEFAULT_OPACITY
    max_side: int | None = None
    sanity_check: bool = False

    def __post_init__(self) -> None:
        check_opacity(self.opacity)
        for name in ("target", "versus"):
            if (label := getattr(self, name)) is not None:
                object.__setattr__(self, name, clean_name(label))

    def map_only(self) -> "ExplanationRequest":
        """The same map with default drawing and without sanity check: requests for one map are equal, as cache keys."""
        return ExplanationRequest(self.target, self.versus, self.method, self.layer)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**vars(self), "method": self.method.value}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "ExplanationRequest":
        """The inverse of `to_dict`; missing values get their defaults, other keys are ignored.

        Raises
        ------
        SneakerError
            The method is unknown or the opacity is out of range.
        """
        known = {name: values[name] for name in cls.__dataclass_fields__ if values.get(name) is not None}
        if "method" in known:
            known["method"] = checked_method(str(known["method"]))
        return cls(**known)


def check_opacity(opacity: float) -> float:
    """Return the opacity if it is valid.

    Raises
    ------
    SneakerError
        It is not from 0 to 1.
    """
    if not 0 <= opacity <= 1:
        raise SneakerError(f"The opacity is {opacity:g}; it must be from 0 to 1.")
    return opacity
