"""How a decoding process starts, and how it talks to the one that it works for."""

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import IO

from sneaker_core.decoding.decoder_messages import Message, write_message


def set_up_worker() -> tuple[IO[bytes], IO[bytes]]:
    """Make this process a decoding process; returns the stream of requests and the one for answers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    _volunteer_when_memory_is_short()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not get between the answers
    write_message(answers, Message({}))
    return sys.stdin.buffer, answers


def _volunteer_when_memory_is_short() -> None:
    """Let Linux end this process rather than the one that it works for."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
