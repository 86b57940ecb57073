"""What a person who runs SoleScope may change, each by one environment variable."""

import os
from dataclasses import dataclass

from sneaker_core.errors import SneakerError


def _number(name: str, default: float, lowest: float) -> float:
    text = os.environ.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not lowest <= value < float("inf"):
        raise SneakerError(f"{name} is {text!r}; it must be a number of at least {lowest:g}.")
    return value


@dataclass(frozen=True)
class ImageLimits:
    """Caps that a photo must keep, checked before it is decoded.

    Attributes
    ----------
    max_bytes : int
        Largest file, in bytes.
    max_pixels : int
        Largest width times height, in pixels.
    """

    max_bytes: int
    max_pixels: int

    @classmethod
    def from_environment(cls) -> "ImageLimits":
        """Read ``SOLESCOPE_MAX_UPLOAD_MB`` (default 20) and ``SOLESCOPE_MAX_MEGAPIXELS`` (default 50)."""
        return cls(
            max_bytes=int(_number("SOLESCOPE_MAX_UPLOAD_MB", 20, 0.001) * 1_000_000),
            max_pixels=int(_number("SOLESCOPE_MAX_MEGAPIXELS", 50, 0.001) * 1_000_000),
        )


@dataclass(frozen=True)
class ServiceLimits:
    """How much the JSON API takes on at once.

    Attributes
    ----------
    max_waiting : int
        Requests that may wait for the model; one more is answered "busy".
    """

    max_waiting: int

    @classmethod
    def from_environment(cls) -> "ServiceLimits":
        """Read ``SOLESCOPE_MAX_WAITING`` (default 16)."""
        return cls(max_waiting=int(_number("SOLESCOPE_MAX_WAITING", 16, 1)))
