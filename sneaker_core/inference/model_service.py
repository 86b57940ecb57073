"""Models and queues that all requests of a process share: loaded models, a fast queue and a slow queue.

Predictions and other quick work go through the fast queue. Work that takes seconds (slow attribution methods, sanity
checks) goes through the slow queue, so that no prediction waits behind it. Between two steps, slow work waits until the
fast queue is empty. Only networks run in a queue's thread: requests decode their photos in threads of their own.
"""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sneaker_core.errors import BusyError
from sneaker_core.inference.runner import P, R
from sneaker_core.networks.checkpoint import SneakerModel, load_model
from sneaker_core.networks.model_registry import model_version
from sneaker_core.settings import ServiceLimits

_MAX_MODELS = 3


class ModelShelf:
    """A cache of loaded models, keyed by folder and version: a model whose files changed is loaded again.

    Parameters
    ----------
    max_models : int
        Maximum number of models in memory; the least recently used are dropped.
    """

    def __init__(self, max_models: int = _MAX_MODELS) -> None:
        self._max_models = max_models
        self._lock = threading.Lock()
        self._models: OrderedDict[tuple[Path, str], SneakerModel] = OrderedDict()

    def load(self, folder: Path) -> SneakerModel:
        """The model in a folder. It is shared, so it must not be modified.

        Raises
        ------
        CheckpointError
            The folder doesn't hold a model, or the model is damaged.
        """
        folder = folder.resolve()
        key = (folder, model_version(folder))
        with self._lock:  # held while loading, so that concurrent requests don't load a model twice
            if key not in self._models:
                self._models[key] = load_model(folder)
            self._models.move_to_end(key)
            while len(self._models) > self._max_models:
                self._models.popitem(last=False)
            return self._models[key]


class BoundedQueue:
    """A queue with one worker thread for networks, and a limit on waiting calls.

    One thread, because a network uses all cores already: two at once would slow each other down. A request that also
    decodes a photo has one more thread, in which it waits for the decoding processes.

    Parameters
    ----------
    limits : ServiceLimits
    name : str
        Name of the worker thread.
    """

    def __init__(self, limits: ServiceLimits, name: str = "inference") -> None:
        self._slots = threading.BoundedSemaphore(limits.max_waiting)
        self._networks = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._requests = ThreadPoolExecutor(max_workers=limits.max_waiting, thread_name_prefix=f"{name}-request")
        self._pending = 0
        self._changed = threading.Condition()

    def submit(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> "Future[R]":
        """Queue a call of a network; the future holds its result or its exception.

        Raises
        ------
        BusyError
            The queue is full.
        """
        return self._submit(self._networks, work, *args, **kwargs)

    def submit_request(self, work: Callable[..., R], *args: Any) -> "Future[R]":
        """Start a request, which decodes its photo in a thread of its own and runs networks in the queue's thread.

        Parameters
        ----------
        work : callable
            Called with the arguments and with ``run``, a `Runner` for the calls of networks.
        *args

        Raises
        ------
        BusyError
            The queue is full. A request has one place in it, whatever it is doing.
        """
        return self._submit(self._requests, work, *args, run=self._run)

    def _run(self, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._networks.submit(work, *args, **kwargs).result()

    def _submit(
        self, threads: ThreadPoolExecutor, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> "Future[R]":
        if not self._slots.acquire(blocking=False):
            raise BusyError("Too many photos are waiting. Try again in a few seconds.")
        self._count(1)
        try:
            future = threads.submit(work, *args, **kwargs)
        except BaseException:
            self._leave()
            raise
        future.add_done_callback(lambda _: self._leave())
        return future

    def _leave(self) -> None:
        self._count(-1)
        self._slots.release()

    def _count(self, change: int) -> None:
        with self._changed:
            self._pending += change
            self._changed.notify_all()

    def wait_until_idle(self, timeout: float = 5.0) -> bool:
        """Wait, in a thread other than the queue's own ones, until no call is running or waiting.

        Parameters
        ----------
        timeout : float
            Maximum time in seconds, so that slow work proceeds under constant load too.

        Returns
        -------
        bool
            Whether the queue is empty.
        """
        with self._changed:
            return self._changed.wait_for(lambda: self._pending == 0, timeout)

    def close(self) -> None:
        """Finish the running call and drop the waiting ones."""
        for threads in (self._requests, self._networks):
            threads.shutdown(wait=False, cancel_futures=True)


@functools.cache
def shared_models() -> ModelShelf:
    """The loaded models of this process, shared by all pages and the API."""
    return ModelShelf()


@functools.cache
def shared_queue() -> BoundedQueue:
    """The fast queue of this process, shared by all pages and the API; its length comes from the environment."""
    return BoundedQueue(ServiceLimits.from_environment())


@functools.cache
def slow_queue() -> BoundedQueue:
    """The queue of this process for work that takes seconds; as long as the fast one."""
    return BoundedQueue(ServiceLimits.from_environment(), "slow")
