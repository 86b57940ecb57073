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
class ArchiveLimits:
    """Caps that an archive of photos must keep; what it claims of itself is not trusted.

    Attributes
    ----------
    max_bytes : int
        All files together, unpacked.
    max_entries : int
    max_ratio : float
        Unpacked size over packed size of one file. Photos are packed already, so more is a trap.
    max_directory_bytes : int
        Of the list of contents, which is read as a whole.
    """

    max_bytes: int
    max_entries: int = 200_000
    max_ratio: float = 200.0
    max_directory_bytes: int = 64_000_000

    @classmethod
    def from_environment(cls) -> "ArchiveLimits":
        """Read ``SOLESCOPE_MAX_ARCHIVE_GB`` (default 20)."""
        return cls(max_bytes=int(_number("SOLESCOPE_MAX_ARCHIVE_GB", 20, 0.000001) * 1e9))


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


@dataclass(frozen=True)
class CacheLimits:
    """How much disk the decoded photos and embeddings of trainings may take.

    Attributes
    ----------
    max_bytes : int
        Of all together; the ones that were not used for the longest time go first.
    """

    max_bytes: int

    @classmethod
    def from_environment(cls) -> "CacheLimits":
        """Read ``SOLESCOPE_CACHE_GB`` (default 10)."""
        return cls(max_bytes=int(_number("SOLESCOPE_CACHE_GB", 10, 0) * 1e9))


def fast_arithmetic_wanted() -> bool:
    """Read ``SOLESCOPE_FAST_ARITHMETIC`` (default 1; 0 computes everything in 32 bits)."""
    return _number("SOLESCOPE_FAST_ARITHMETIC", 1, 0) != 0
