"""Settings of a SoleScope installation, each read from an environment variable.

================================  =======  ========================================================================
variable                          default  meaning
================================  =======  ========================================================================
``SOLESCOPE_MAX_UPLOAD_MB``       20       largest photo file, in megabytes
``SOLESCOPE_MAX_MEGAPIXELS``      50       largest photo, in megapixels
``SOLESCOPE_MAX_DECODE_SECONDS``  5        longest time that decoding a photo from outside may take, in seconds
``SOLESCOPE_DECODERS``            cores    processes that decode photos from outside; by default one per core, but
                                           two or more
``SOLESCOPE_MAX_ARCHIVE_GB``      20       largest archive of photos, unpacked, in gigabytes
``SOLESCOPE_MAX_CLIP_MB``         200      largest clip, in megabytes
``SOLESCOPE_MAX_CLIP_SECONDS``    120      longest clip, in seconds
``SOLESCOPE_MAX_WAITING``         16       requests that may wait for a model
``SOLESCOPE_CACHE_GB``            10       disk space for decoded photos and embeddings of training runs, in
                                           gigabytes
``SOLESCOPE_MIXED_PRECISION``     1        0 computes in 32 bits where 16 would be faster
``SOLESCOPE_READ_ONLY``           0        1 saves and changes nothing in the workspace, except for its caches
``SOLESCOPE_ADDRESS``             none     the only address at which the server answers, as https://192.168.1.20:8501
``SOLESCOPE_PASSWORD``            none     what everybody has to enter before the server shows anything; 6 characters or
                                           more
``SOLESCOPE_API_ORIGINS``         none     websites whose pages may call the API, as https://example.com, separated by
                                           commas
``SOLESCOPE_API_RATE``            600      photos that an address may send to the API in a minute; 0 for any number
================================  =======  ========================================================================
"""

import os
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

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
    """Limits on photos. All but the time are checked before decoding.

    Attributes
    ----------
    max_bytes : int
        Largest file size, in bytes.
    max_pixels : int
        Largest width times height.
    max_seconds : float
        Longest time that a decoding process may take for a photo.
    max_scans : int
        Scans of a JPEG. Each costs as much as a photo; cameras and programs write 10 or so.
    max_segments : int
        Segments of a JPEG, at most 64 kB each. Pillow joins metadata segment by segment, which costs the square.
    max_parts : int
        Chunks or blocks of other formats. Each costs little, but a file may hold millions. The largest photos have a
        few thousand.
    max_tiles : int
        Pictures of which a HEIC or AVIF photo is composed. Phones write up to 200.
    """

    max_bytes: int
    max_pixels: int
    max_seconds: float = 5.0
    max_scans: int = 100
    max_segments: int = 1_000
    max_parts: int = 20_000
    max_tiles: int = 1_000

    @classmethod
    def from_environment(cls) -> "ImageLimits":
        """Read the limits that ``SOLESCOPE_MAX_UPLOAD_MB``, ``…_MEGAPIXELS`` and ``…_DECODE_SECONDS`` set."""
        return cls(
            max_bytes=int(_number("SOLESCOPE_MAX_UPLOAD_MB", 20, 0.001) * 1_000_000),
            max_pixels=int(_number("SOLESCOPE_MAX_MEGAPIXELS", 50, 0.001) * 1_000_000),
            max_seconds=_number("SOLESCOPE_MAX_DECODE_SECONDS", 5, 0.01),
        )


@dataclass(frozen=True)
class ArchiveLimits:
    """Limits on archives of photos, measured while unpacking: declared sizes are not trusted.

    Attributes
    ----------
    max_bytes : int
        Total size of all files, unpacked.
    max_entries : int
    max_ratio : float
        Unpacked over packed size of a file. Photos hardly compress, so a higher ratio indicates a zip bomb.
    max_directory_bytes : int
        Size of the archive's directory, which is read into memory.
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
class ClipLimits:
    """Limits on clips.

    Attributes
    ----------
    max_bytes : int
        Largest file size, in bytes.
    max_seconds : float
        Longest playing time.
    max_pixels : int
        Largest width times height.
    max_frames : int
        Most frames.
    max_wait : float
        Longest time that decoding one frame may take, in seconds, that of the frames that are skipped before it
        included.
    """

    max_bytes: int
    max_seconds: float
    max_pixels: int = 9_000_000
    max_frames: int = 30_000
    max_wait: float = 30.0

    @classmethod
    def from_environment(cls) -> "ClipLimits":
        """Read ``SOLESCOPE_MAX_CLIP_MB`` (default 200) and ``…_CLIP_SECONDS`` (default 120)."""
        return cls(
            max_bytes=int(_number("SOLESCOPE_MAX_CLIP_MB", 200, 0.001) * 1_000_000),
            max_seconds=_number("SOLESCOPE_MAX_CLIP_SECONDS", 120, 0.1),
        )


@dataclass(frozen=True)
class ServiceLimits:
    """Limits on concurrent requests to the models.

    Attributes
    ----------
    max_waiting : int
        Requests that may wait; further requests are rejected as busy.
    decoders : int
        Processes that decode photos. Two at least, so that a slow photo doesn't hold up the others.
    """

    max_waiting: int
    decoders: int = 2

    @classmethod
    def from_environment(cls) -> "ServiceLimits":
        """Read ``SOLESCOPE_MAX_WAITING`` (default 16) and ``SOLESCOPE_DECODERS`` (default: one per core)."""
        return cls(
            max_waiting=int(_number("SOLESCOPE_MAX_WAITING", 16, 1)),
            decoders=int(_number("SOLESCOPE_DECODERS", max(os.cpu_count() or 2, 2), 1)),
        )


@dataclass(frozen=True)
class CacheLimits:
    """Limits on cached photos and embeddings of training runs.

    Attributes
    ----------
    max_bytes : int
        Total size on disk; the least recently used entries are deleted first.
    """

    max_bytes: int

    @classmethod
    def from_environment(cls) -> "CacheLimits":
        """Read ``SOLESCOPE_CACHE_GB`` (default 10)."""
        return cls(max_bytes=int(_number("SOLESCOPE_CACHE_GB", 10, 0) * 1e9))


def mixed_precision_enabled() -> bool:
    """Read ``SOLESCOPE_MIXED_PRECISION`` (default 1; 0 computes in 32 bits), or its old name ``…_FAST_ARITHMETIC``."""
    return _number("SOLESCOPE_MIXED_PRECISION", _number("SOLESCOPE_FAST_ARITHMETIC", 1, 0), 0) != 0


READ_ONLY_VARIABLE, ADDRESS_VARIABLE = "SOLESCOPE_READ_ONLY", "SOLESCOPE_ADDRESS"
PASSWORD_VARIABLE = "SOLESCOPE_PASSWORD"
SHORTEST_PASSWORD = 6
_USUAL_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9.\-_]+|[0-9a-f:.]+")


def read_only() -> bool:
    """Read ``SOLESCOPE_READ_ONLY`` (default 0; 1 saves and changes nothing)."""
    return _number(READ_ONLY_VARIABLE, 0, 0) != 0


@dataclass(frozen=True)
class AccessSettings:
    """Who may use the server.

    Attributes
    ----------
    address : str or None
        The only one at which the server answers; None for any.
    password : str or None
        None if everybody may use it.
    """

    address: str | None
    password: str | None = field(repr=False)

    @classmethod
    def from_environment(cls) -> "AccessSettings":
        """Read ``SOLESCOPE_ADDRESS`` and ``SOLESCOPE_PASSWORD`` (default: none; an empty one counts as none).

        Raises
        ------
        SneakerError
            The address isn't one, or the password is too short.
        """
        address, password = os.environ.get(ADDRESS_VARIABLE), os.environ.get(PASSWORD_VARIABLE)
        return cls(_checked_address(address) if address else None, checked_password(password) if password else None)


def checked_password(password: str) -> str:
    """A password that is long enough.

    Raises
    ------
    SneakerError
        It is too short.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise SneakerError(f"The password is too short. Use at least {SHORTEST_PASSWORD} characters.")
    return password


def _checked_address(text: str) -> str:
    address = _browser_address(text)
    if address is None:
        raise SneakerError(f"{ADDRESS_VARIABLE} is {text[:80]!r}; it must be like https://192.168.1.20:8501.")
    return address


def _browser_address(text: str) -> str | None:
    """An address as browsers send it: in lower case, without the usual port, and without a slash at the end.

    Returns
    -------
    str or None
        None if it is none.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:  # no port, or no IPv6 address
        host, port, parts = None, None, urlsplit("")
    extra = (parts.path.rstrip("/"), parts.query, parts.fragment, parts.username, parts.password)
    if parts.scheme not in _USUAL_PORTS or not host or not _HOST.fullmatch(host) or any(extra):
        return None
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port in (None, _USUAL_PORTS[parts.scheme]) else f":{port}")


ORIGINS_VARIABLE, RATE_VARIABLE = "SOLESCOPE_API_ORIGINS", "SOLESCOPE_API_RATE"


@dataclass(frozen=True)
class ApiSettings:
    """Who may call the JSON API from a website, and how often.

    Attributes
    ----------
    origins : tuple of str
        Websites whose pages may read the API's answers, as their browsers name them; empty for none.
    photos_per_minute : float
        What one address may send; 0 for any number.
    """

    origins: tuple[str, ...] = ()
    photos_per_minute: float = 600

    @classmethod
    def from_environment(cls) -> "ApiSettings":
        """Read ``SOLESCOPE_API_ORIGINS`` (default: none) and ``SOLESCOPE_API_RATE`` (default 600)."""
        rate = _number(RATE_VARIABLE, 600, 0)
        if 0 < rate < 1:
            raise SneakerError(f"{RATE_VARIABLE} is {rate:g}; it must be 0 or at least 1.")
        named = re.split(r"[\s,]+", os.environ.get(ORIGINS_VARIABLE, ""))
        return cls(tuple(_checked_origin(text) for text in named if text), rate)


def _checked_origin(text: str) -> str:
    """A website as browsers name it."""
    origin = _browser_address(text)
    if origin is None:
        raise SneakerError(
            f"{ORIGINS_VARIABLE} names {text[:80]!r}; each website must be written like https://example.com or "
            "http://localhost:8000, without a path."
        )
    return origin
