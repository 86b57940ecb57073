"""A process that does one kind of work on bytes from outside, and is ended if it takes too long."""

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path

from sneaker_core.decoding.decoder_messages import Message, read_message, write_message
from sneaker_core.errors import BusyError

_PROJECT = Path(__file__).resolve().parents[2]
_STARTS_WITHIN = 60.0  # seconds; on an idle machine it takes a tenth of one, or a second with OpenCV
_PIPE_BYTES = 1 << 20


class EndableProcess:
    """A process that answers one request at a time.

    It is started as a command of its own. The standard library's process pools, and pebble's, would run the user's main
    module again in it, or copy a process in which torch's threads run.

    Parameters
    ----------
    module : str
        Runs in the process; it sends an empty message when it is ready.
    what : str
        What it decodes, for errors: "photos".

    Raises
    ------
    BusyError
        The process can't be started.
    """

    def __init__(self, module: str, what: str) -> None:
        self._lock = threading.Lock()
        self._watched = False
        self._usable = True
        no_process = f"The process that decodes {what} can't be started. Try again in a minute."
        try:
            self._process = _start(module)
        except OSError as error:
            raise BusyError(no_process) from error
        assert self._process.stdin is not None and self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout
        if self.exchange(None, _STARTS_WITHIN, 0) is None:
            self.end()
            raise BusyError(no_process)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def usable(self) -> bool:
        """Whether it runs, and has answered every request as it should."""
        return self._usable and self._process.poll() is None

    def exchange(self, request: Message | None, seconds: float, most: int) -> Message | None:
        """Send a request, if there is one, and wait for the answer, with at most so many bytes.

        Returns
        -------
        Message or None
            None if it was ended because it took too long, which `expired` says; or if it ended, or makes no sense.
        """
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
        if answer is None:
            self.expired, self._usable = not self._usable, False
        return answer

    expired = False

    def _expire(self) -> None:
        with self._lock:
            if self._watched:
                self._usable = False
                self._process.kill()

    def distrust(self) -> None:
        """Use it no more: it gave an answer that makes no sense."""
        self._usable = False

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers):
            with contextlib.suppress(OSError):  # what was not sent yet can't be sent any more
                pipe.close()


def seconds_text(seconds: float) -> str:
    """A limit in an error: "5 seconds"."""
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"


def _start(module: str) -> "subprocess.Popen[bytes]":
    path = os.pathsep.join(filter(None, (str(_PROJECT), os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pipesize=_PIPE_BYTES,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
