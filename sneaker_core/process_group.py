"""Several processes on one piece of work, on one machine or many, as torchrun starts them.

Alone, every function here does the obvious thing, so that callers need not ask whether there are others.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
from torch import distributed

T = TypeVar("T")


@contextmanager
def joined() -> Iterator[None]:
    """Meet the other processes that torchrun started, if any, for as long as the body runs.

    gloo carries what lies on processors, nccl what lies on graphics cards.
    """
    if count() == 1 or distributed.is_initialized():
        yield
        return
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    # The others wait while the first reads photos or waits for its turn; torchrun itself notices who died.
    distributed.init_process_group(backend, timeout=timedelta(days=7))
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // _number("LOCAL_WORLD_SIZE", 1)))
    try:
        yield
    finally:
        distributed.destroy_process_group()


def _number(name: str, alone: int) -> int:
    return int(os.environ.get(name, alone))


def count() -> int:
    """How many processes share the work; 1 for one that was not started by torchrun."""
    return _number("WORLD_SIZE", 1)


def rank() -> int:
    """Which of them this is, from 0."""
    return _number("RANK", 0)


def local_rank() -> int:
    """Which of those on this machine this is, from 0."""
    return _number("LOCAL_RANK", 0)


def is_first() -> bool:
    """Whether this process writes and tells for all."""
    return rank() == 0


def wait_for_all() -> None:
    """Go on when every process has come here."""
    if count() > 1:
        distributed.barrier()


def of_first(value: T) -> T:
    """The value that the first process has."""
    if count() == 1:
        return value
    values = [value]
    distributed.broadcast_object_list(values, src=0)
    return values[0]


def of_all(value: T) -> list[T]:
    """The values of all processes, in order of their rank."""
    if count() == 1:
        return [value]
    values: list[T | None] = [None] * count()
    distributed.all_gather_object(values, value)
    return values  # type: ignore[return-value]


def shared_out(items: Sequence[T], work: Callable[[Sequence[T]], Sequence[object]]) -> list[object]:
    """Work on items in all processes, each on its share; everyone gets all results in the order of the items.

    Parameters
    ----------
    items : sequence
        The same in every process.
    work : callable
        Gives one result for each item that it is given.
    """
    results: list[object] = [None] * len(items)
    for first, part in enumerate(of_all(list(work(items[rank() :: count()])))):
        results[first :: count()] = part
    return results
