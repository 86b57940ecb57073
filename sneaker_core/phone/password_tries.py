"""How many wrong passwords a client may send before it has to wait."""

import time
from collections.abc import Callable

MOST_TRIES = 5
PAUSE = 60.0  # seconds


class PasswordTries:
    """Counts wrong passwords by client; after a few, the client has to wait, even with the right one.

    Parameters
    ----------
    clock : callable
        The present time, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: dict[str, tuple[int, float]] = {}

    def must_wait(self, client: str) -> bool:
        """Whether a client has to wait before its next try."""
        now = self._clock()
        # Those who have waited start anew, and the others are few.
        self._wrong = {one: (tries, at) for one, (tries, at) in self._wrong.items() if now - at < PAUSE}
        return self._wrong.get(client, (0, now))[0] >= MOST_TRIES

    def note_wrong(self, client: str) -> None:
        """Note that a client sent a wrong password."""
        self._wrong[client] = (self._wrong.get(client, (0, 0.0))[0] + 1, self._clock())

    def forget(self, client: str) -> None:
        """Forget the wrong passwords of a client that then sent the right one."""
        self._wrong.pop(client, None)
