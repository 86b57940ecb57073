"""How the network's part of a request is run: right here, or in the thread of a queue.

A request decodes its photo in its own thread and hands only the network's part to a runner, so that photos are decoded
while the network is busy with others, and a photo that decodes slowly holds up none.
"""

from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Runner(Protocol):
    """Calls a function and returns its result, or raises its exception."""

    def __call__(self, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call ``work`` with the arguments."""


def run_here(work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Call the function in this thread."""
    return work(*args, **kwargs)
