"""Writing videos with the codecs in OpenCV's FFmpeg.

OpenCV's package brings no encoder for H.264. What browsers play are VP8 in a WebM file, which takes a fifth of the
time, and VP9 in an MP4 file. MPEG-4 in an MP4 file is written in no time, for programs and not for browsers.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sneaker_core.errors import ClipError

# Suffix of the file -> codecs, the best first; "mp4v" is for builds without VP9.
_CODECS = {".mp4": ("vp09", "mp4v"), ".webm": ("VP80", "VP90")}
_QUICK = {".mp4": ("mp4v",)}


class VideoWriter:
    """Writes frames to a file."""

    def __init__(self, path: Path, fps: float, size: tuple[int, int], *, quick: bool) -> None:
        import cv2

        self._cv2 = cv2
        for codec in (_QUICK if quick else _CODECS)[path.suffix.casefold()]:
            self._writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), fps, size)
            if self._writer.isOpened():
                return
        raise ClipError(f"Can't write to {path.parent}. Check that the folder exists and can be written to.")

    def write(self, pixels: NDArray[np.uint8]) -> None:
        """Write a frame, RGB (H, W, 3)."""
        self._writer.write(self._cv2.cvtColor(pixels, self._cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Finish the file."""
        self._writer.release()


def check_video_name(path: Path) -> None:
    """Check the name of a video to write.

    Raises
    ------
    ClipError
        It has another ending than .mp4 and .webm.
    """
    if path.suffix.casefold() not in _CODECS:
        raise ClipError(f"Can't write {path.name}: the name of a video must end in {' or '.join(_CODECS)}.")


@contextlib.contextmanager
def written_video(path: Path, fps: float, size: tuple[int, int], *, quick: bool = False) -> Iterator[VideoWriter]:
    """A writer of a video, which gets its name only once it is finished.

    Parameters
    ----------
    path : Path
        Ends in .mp4 or .webm.
    fps : float
    size : tuple of int
        Width and height in pixels; even.
    quick : bool
        Write an MP4 file that browsers don't play, but in no time.

    Raises
    ------
    ClipError
        The file can't be written.
    """
    check_video_name(path)
    unfinished = path.with_name(f".{path.stem}.part{path.suffix}")
    writer = VideoWriter(unfinished, fps, size, quick=quick)
    try:
        try:
            yield writer
        finally:
            writer.close()
        unfinished.replace(path)
    except OSError as error:
        raise ClipError(f"Can't write {path}: {error.strerror}.") from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
