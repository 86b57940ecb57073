"""Reading a clip from outside: its frames, upright, with their times, or an error in one plain sentence."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sneaker_core.decoding.decoder_messages import Message
from sneaker_core.decoding.endable_process import EndableProcess, seconds_text
from sneaker_core.errors import ClipError
from sneaker_core.settings import ClipLimits

Pixels = NDArray[np.uint8]

_KINDS = "an MP4, MOV, WebM, MKV or AVI video"
_DAMAGED = "the file is damaged or has no pictures. Play it to check it, or record it again."
_HEAD_BYTES = 16
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM")
_MP4_PARTS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_PICTURE_BRANDS = (b"avif", b"heic", b"heix", b"mif1", b"msf1")


@dataclass(frozen=True)
class ClipFacts:
    """What a clip is.

    Attributes
    ----------
    width, height : int
        In pixels, as it is shown: turned as the camera was held.
    fps : float
        Nominal frames a second; the times of the frames are what counts.
    frames : int
        As the file says; 0 if it doesn't.
    """

    width: int
    height: int
    fps: float
    frames: int


@dataclass(frozen=True)
class Frame:
    """A frame of a clip.

    Attributes
    ----------
    time : float
        Seconds from the first frame.
    pixels : uint8 array (H, W, 3)
        RGB.
    skipped : tuple of float
        Times of the frames since the one before that were not asked for.
    """

    time: float
    pixels: Pixels
    skipped: tuple[float, ...]


class ClipReader:
    """A clip, opened in a process that is ended when this is closed.

    Parameters
    ----------
    path : Path
    longest_side : int
        Frames are shrunk to it, in pixels.
    limits : ClipLimits, optional
        By default those of the environment.

    Attributes
    ----------
    facts : ClipFacts
    left : tuple of float
        After the last frame: times of the frames behind it that were not asked for.

    Raises
    ------
    ClipError
        The clip can't be read, is too long or too large; the message says what to do.
    BusyError
        The process can't be started.
    """

    def __init__(self, path: Path, longest_side: int, limits: ClipLimits | None = None) -> None:
        self._path, self._limits = path, limits or ClipLimits.from_environment()
        self._side = longest_side
        self.left: tuple[float, ...] = ()
        check_file(path, self._limits)
        self._process = EndableProcess("sneaker_core.video.clip_worker", "clips")
        try:
            self.facts = self._open()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "ClipReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.end()

    def _ask(self, head: dict[str, Any], most: int) -> Message:
        request = Message({**head, "seconds": self._limits.max_wait})
        answer = self._process.exchange(request, self._limits.max_wait, most)
        if answer is None and self._process.expired:
            limit = seconds_text(self._limits.max_wait)
            raise ClipError(f"Can't read {self._path.name}: a frame takes longer than {limit} to decode.")
        if answer is None or answer.head.get("error") == "unreadable":
            raise ClipError(f"Can't read {self._path.name}: {_DAMAGED}")
        if answer.head.get("error") == "pixels":
            raise ClipError(_too_many_pixels(self._path, self._limits))
        return answer

    def _open(self) -> ClipFacts:
        limits = self._limits
        head = self._ask(
            {"path": str(self._path.absolute()), "side": self._side, "max_pixels": limits.max_pixels}, 0
        ).head
        try:
            facts = ClipFacts(int(head["size"][0]), int(head["size"][1]), float(head["fps"]), int(head["frames"]))
        except (KeyError, TypeError, ValueError, IndexError):
            raise ClipError(f"Can't read {self._path.name}: {_DAMAGED}") from None
        if facts.width < 1 or facts.height < 1:
            raise ClipError(f"{self._path.name} has no pictures, perhaps only sound. Choose a video.")
        if facts.width * facts.height > limits.max_pixels:
            raise ClipError(_too_many_pixels(self._path, limits))
        if facts.frames / facts.fps > 1.05 * limits.max_seconds + 1:
            raise ClipError(_too_long(self._path, limits))
        return facts

    def frames(self, interval: float = 0.0) -> Iterator[Frame]:
        """The frames from the first one on; at least one, or an error.

        Parameters
        ----------
        interval : float
            Seconds between frames, at least; the times of the others are given.
        """
        limits, count, start, wanted = self._limits, 0, None, -1.0
        while True:
            answer = self._ask({"not_before": wanted}, 3 * self._side * self._side)
            try:
                times = [float(time) for time in answer.head["skipped"]]
                if answer.head.get("end"):
                    break
                time, (width, height) = float(answer.head["time"]), answer.head["size"]
                pixels = np.frombuffer(answer.body, np.uint8).reshape(height, width, 3)
            except (KeyError, TypeError, ValueError):
                raise ClipError(f"Can't read {self._path.name}: {_DAMAGED}") from None
            start = (times[0] if times else time) if start is None else start
            count += 1 + len(times)
            # Half a frame of tolerance: what is meant is every third frame, whatever the rounding of the times.
            wanted = time + interval - 0.5 / self.facts.fps if interval else -1.0
            if time - start > limits.max_seconds or count > limits.max_frames:
                raise ClipError(_too_long(self._path, limits))
            yield Frame(time - start, pixels, tuple(one - start for one in times))
        if start is None:
            raise ClipError(f"Can't read {self._path.name}: {_DAMAGED}")
        self.left = tuple(one - start for one in times)


def check_file(path: Path, limits: ClipLimits | None = None) -> None:
    """Check the size of a clip, and by its first bytes that it may be a video.

    Raises
    ------
    ClipError
        It isn't, and the message says what to do.
    """
    limits = limits or ClipLimits.from_environment()
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(_HEAD_BYTES)
    except OSError as error:
        raise ClipError(f"Can't open {path}: {error.strerror}.") from None
    if size > limits.max_bytes:
        most = limits.max_bytes / 1e6
        raise ClipError(f"{path.name} has {size / 1e6:,.0f} MB; the limit is {most:,g} MB. Choose a shorter clip.")
    if not size:
        raise ClipError(f"{path.name} is empty. Choose another file.")
    if (
        start.startswith(_PICTURES)
        or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")
        or start[8:12] in _PICTURE_BRANDS
    ):
        raise ClipError(f"{path.name} is a picture, not a video. Choose {_KINDS}, or open the picture in Identify.")
    is_video = (
        start[4:8] in _MP4_PARTS
        or start.startswith(b"\x1a\x45\xdf\xa3")
        or (start[:4] == b"RIFF" and start[8:12] == b"AVI ")
    )
    if not is_video:
        raise ClipError(f"{path.name} isn't a video that SoleScope can read. Choose {_KINDS}.")


def _too_many_pixels(path: Path, limits: ClipLimits) -> str:
    most = f"{limits.max_pixels / 1e6:g} megapixels"
    return f"{path.name} has larger pictures than {most}, the limit. Choose one in 4K or smaller."


def _too_long(path: Path, limits: ClipLimits) -> str:
    most = seconds_text(limits.max_seconds)
    return f"{path.name} is longer than {most}, the limit. Choose a shorter part."
