"""Messages between SoleScope and its decoding processes: a line of JSON, then bytes.

Nothing is pickled: a process that a hostile photo has taken over can send pixels and text, and nothing that runs.
"""

import json
import sys
from typing import IO, Any, NamedTuple

_BYTES = "bytes"
_LONGEST_HEAD = 65_536


class Message(NamedTuple):
    """Plain values and bytes."""

    head: dict[str, Any]
    body: bytes = b""


def write_message(stream: IO[bytes], message: Message) -> None:
    """Write a message at once."""
    stream.write(json.dumps({**message.head, _BYTES: len(message.body)}).encode() + b"\n")
    stream.write(message.body)
    stream.flush()


def read_message(stream: IO[bytes], most: int = sys.maxsize) -> Message | None:
    """Read a message; None if the other side has ended, before or within it, or sent more bytes than it may."""
    line = stream.readline(_LONGEST_HEAD)
    if not line.endswith(b"\n"):
        return None
    head = json.loads(line)
    length = head.pop(_BYTES)
    if not 0 <= length <= most:
        return None
    body = stream.read(length)
    return Message(head, body) if len(body) == length else None
