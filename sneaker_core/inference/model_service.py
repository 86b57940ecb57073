"""Models kept in memory and two bounded queues before them: what a server shares between its users.

Whatever is answered within a blink goes through the one queue. What takes seconds (a slow explanation, the checks of a
map) goes through the other, so that nobody's photo ever waits behind it; between two pieces of such work its thread
gives way to the first queue.
"""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from sneaker_core.errors import BusyError
from sneaker_core.networks.checkpoint import SneakerModel, load_model
from sneaker_core.networks.model_registry import model_version
from sneaker_core.settings import ServiceLimits

P = ParamSpec("P")
R = TypeVar("R")

_KEPT_MODELS = 3


class ModelShelf:
    """The models used last, each loaded once; a model whose files changed is loaded again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Path, str], SneakerModel] = OrderedDict()

    def load(self, folder: Path) -> SneakerModel:
        """The model in a folder.

        Raises
        ------
        CheckpointError
            The folder is damaged.
        """
        key = (folder, model_version(folder))
        with self._lock:  # held while loading, so that two users don't load a model twice
            if key not in self._kept:
                self._kept[key] = load_model(folder)
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT_MODELS:
                self._kept.popitem(last=False)
            return self._kept[key]


class BoundedQueue:
    """One thread that does the work, and a cap on how much may wait for it.

    A network already uses every core, so two predictions at once would only slow each other down.

    Parameters
    ----------
    limits : ServiceLimits
    name : str
        Of its thread.
    """

    def __init__(self, limits: ServiceLimits, name: str = "inference") -> None:
        self._places = threading.BoundedSemaphore(limits.max_waiting)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._taken = 0
        self._changed = threading.Condition()

    def submit(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> "Future[R]":
        """Queue a call; the future holds its result or its exception.

        Raises
        ------
        BusyError
            The queue is full.
        """
        if not self._places.acquire(blocking=False):
            raise BusyError("Too many photos are waiting already; please try again in a few seconds.")
        self._count(1)
        try:
            future = self._pool.submit(work, *args, **kwargs)
        except BaseException:
            self._leave()
            raise
        future.add_done_callback(lambda _: self._leave())
        return future

    def _leave(self) -> None:
        self._count(-1)
        self._places.release()

    def _count(self, change: int) -> None:
        with self._changed:
            self._taken += change
            self._changed.notify_all()

    def give_way(self, patience: float = 5.0) -> bool:
        """Wait, in another thread than this queue's, until nothing works or waits here.

        Parameters
        ----------
        patience : float
            Seconds after which who gives way goes on all the same, so that it gets on under steady load too.

        Returns
        -------
        bool
            Whether the queue is empty.
        """
        with self._changed:
            return self._changed.wait_for(lambda: self._taken == 0, patience)

    def close(self) -> None:
        """Finish what runs, drop what waits."""
        self._pool.shutdown(wait=False, cancel_futures=True)


@functools.cache
def shared_models() -> ModelShelf:
    """The loaded models of this process, shared by the pages and the API."""
    return ModelShelf()


@functools.cache
def shared_queue() -> BoundedQueue:
    """The one queue of this process, for the pages and the API alike; its length is read from the environment once."""
    return BoundedQueue(ServiceLimits.from_environment())


@functools.cache
def slow_queue() -> BoundedQueue:
    """The queue of work that takes seconds; as long as the other one."""
    return BoundedQueue(ServiceLimits.from_environment(), "slow")
