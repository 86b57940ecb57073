"""One decoding process, as seen by the process that started it."""

import contextlib
import os
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from PIL import Image

from sneaker_core.decoding.decoder_messages import Message, read_message, write_message
from sneaker_core.errors import BusyError, ImageError, ImageTooLargeError, SlowImageError, StoppedError
from sneaker_core.images import DecodedPhoto
from sneaker_core.settings import ImageLimits

_PROJECT = Path(__file__).resolve().parents[2]
_STARTS_WITHIN = 60.0  # seconds; on an idle machine it takes a tenth of one
_PIPE_BYTES = 1 << 20
_NO_PROCESS = "The process that decodes photos can't be started. Try again in a minute."


class DecoderProcess:
    """A process that decodes one photo at a time.

    It is started as a command of its own. The standard library's process pools, and pebble's, would run the user's main
    module again in it, or copy a process in which torch's threads run.

    Raises
    ------
    BusyError
        The process can't be started.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched = False
        self._usable = True
        try:
            self._process = _start()
        except OSError as error:
            raise BusyError(_NO_PROCESS) from error
        assert self._process.stdin is not None and self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout
        try:
            self._exchange(None, _STARTS_WITHIN, 0)
        except (SlowImageError, StoppedError) as error:
            self.end()
            raise BusyError(_NO_PROCESS) from error

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def usable(self) -> bool:
        """Whether it runs, and has answered every request as it should."""
        return self._usable and self._process.poll() is None

    def decode_photo(self, data: bytes, limits: ImageLimits, shrink_to: int | None) -> DecodedPhoto:
        """Decode a photo; parameters as for `images.decode_photo`.

        Raises
        ------
        SlowImageError
            It took longer than the limit; the process has been ended.
        StoppedError
            The process ended, or gave no answer that makes sense.
        ImageError
            As for `images.decode_photo`.
        """
        request = Message({"limits": asdict(limits), "shrink_to": shrink_to}, data)
        head, pixels = self._exchange(request, limits.max_seconds, 3 * limits.max_pixels)
        try:
            if "error" in head:
                _raise(head["error"], str(head["message"]))
            (width, height), (full_width, full_height) = head["size"], head["full"]
            image = Image.frombytes("RGB", (width, height), pixels)
            return DecodedPhoto(image, full_width, full_height, str(head["extension"]))
        except (KeyError, TypeError, ValueError) as error:
            self._usable = False
            raise StoppedError("The process that decodes photos gave a wrong answer.") from error

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers):
            with contextlib.suppress(OSError):  # what was not sent yet can't be sent any more
                pipe.close()

    def _exchange(self, request: Message | None, seconds: float, most: int) -> Message:
        """Send a request, if there is one, and wait for the answer, with at most so many bytes."""
        timer = threading.Timer(seconds, self._expire)
        timer.daemon = True
        self._watched = True
        timer.start()
        try:
            if request is not None:
                write_message(self._requests, request)
            answer = read_message(self._answers, most)
        except (OSError, ValueError, KeyError, TypeError):  # it ended, or its answer makes no sense
            answer = None
        finally:
            timer.cancel()
            with self._lock:
                self._watched = False
        if answer is not None:
            return answer
        expired, self._usable = not self._usable, False
        if expired:
            limit = f"{seconds:g} second{'' if seconds == 1 else 's'}"
            raise SlowImageError(f"The photo takes too long to decode; the limit is {limit}.")
        raise StoppedError("The process that decodes photos ended.")

    def _expire(self) -> None:
        with self._lock:
            if self._watched:
                self._usable = False
                self._process.kill()


def _raise(kind: str, message: str) -> None:
    """Raise the error that the process reports."""
    if kind == ImageTooLargeError.__name__:
        raise ImageTooLargeError(message)
    if kind == SlowImageError.__name__:
        raise SlowImageError(message)
    raise ImageError(message)


def _start() -> "subprocess.Popen[bytes]":
    path = os.pathsep.join(filter(None, (str(_PROJECT), os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "sneaker_core.decoding.decoder_worker"],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pipesize=_PIPE_BYTES,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
