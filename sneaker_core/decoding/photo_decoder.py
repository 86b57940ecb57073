"""Decode photos from outside, in processes that are ended if a photo takes too long.

The functions are those of `images`, with the same results and errors. Use them for bytes that nobody has decoded yet:
uploads, the camera, the API, files named on the command line, imports and downloads.
"""

import atexit
import functools
import threading
from pathlib import Path

from PIL import Image

from sneaker_core import images
from sneaker_core.decoding.decoder_process import DecoderProcess
from sneaker_core.errors import ImageError, StoppedError
from sneaker_core.images import DecodedPhoto
from sneaker_core.settings import ImageLimits, ServiceLimits

_making = threading.Lock()


class PhotoDecoder:
    """Decoding processes, shared by all threads. Each is started when it is first needed and kept.

    Parameters
    ----------
    processes : int
        How many photos are decoded at once; further ones wait.
    """

    def __init__(self, processes: int) -> None:
        self._free = threading.BoundedSemaphore(processes)
        self._lock = threading.Lock()
        self._idle: list[DecoderProcess] = []
        self._closed = False

    def decode_photo(
        self, data: bytes, limits: ImageLimits | None = None, *, shrink_to: int | None = None
    ) -> DecodedPhoto:
        """Decode one photo; parameters and errors as for `images.decode_photo`, and two more errors.

        Raises
        ------
        SlowImageError
            It took longer than the limit.
        BusyError
            No process can be started.
        """
        limits = limits or ImageLimits.from_environment()
        images.check_bytes(len(data), limits)
        with self._free:
            try:
                return self._decode(data, limits, shrink_to)
            except StoppedError:
                pass  # perhaps somebody else ended the process: a good photo gets another chance
            try:
                return self._decode(data, limits, shrink_to)
            except StoppedError as error:
                raise ImageError(images.DAMAGED) from error

    def _decode(self, data: bytes, limits: ImageLimits, shrink_to: int | None) -> DecodedPhoto:
        process = self._take()
        try:
            return process.decode_photo(data, limits, shrink_to)
        finally:
            self._give_back(process)

    def _take(self) -> DecoderProcess:
        while True:
            with self._lock:
                process = self._idle.pop() if self._idle else None
            if process is None:
                return DecoderProcess()
            if process.usable:
                return process
            process.end()

    def _give_back(self, process: DecoderProcess) -> None:
        with self._lock:
            kept = process.usable and not self._closed
            if kept:
                self._idle.append(process)
        if not kept:
            process.end()

    def close(self) -> None:
        """End the processes; one that is decoding ends afterwards."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()


def shared_decoder() -> PhotoDecoder:
    """The decoding processes of this process; their number comes from the environment."""
    with _making:  # two at once would make two
        return _made()


@functools.cache
def _made() -> PhotoDecoder:
    decoder = PhotoDecoder(ServiceLimits.from_environment().decoders)
    atexit.register(decoder.close)
    return decoder


def decode_photo(data: bytes, limits: ImageLimits | None = None, *, shrink_to: int | None = None) -> DecodedPhoto:
    """As `images.decode_photo`, in a decoding process; see `PhotoDecoder.decode_photo`."""
    return shared_decoder().decode_photo(data, limits, shrink_to=shrink_to)


def decode(data: bytes, limits: ImageLimits | None = None, *, shrink_to: int | None = None) -> Image.Image:
    """As `images.decode`, in a decoding process."""
    return decode_photo(data, limits, shrink_to=shrink_to).image


def load(path: Path, limits: ImageLimits | None = None, *, shrink_to: int | None = None) -> Image.Image:
    """As `images.load`; the file is read here and decoded in a decoding process."""
    limits = limits or ImageLimits.from_environment()
    return decode(images.read_bytes(path, limits), limits, shrink_to=shrink_to)
