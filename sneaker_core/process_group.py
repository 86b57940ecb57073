"""Process group: several processes that share work, on one machine or many, as torchrun starts them.

In a single process every function is trivial, so callers need no special case.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
from torch import distributed

T = TypeVar("T")


@contextmanager
def joined() -> Iterator[None]:
    """Join the other processes that torchrun started, if any, while the body runs.

    gloo is the backend for CPU tensors, nccl for GPU tensors.
    """
    if count() == 1 or distributed.is_initialized():
        yield
        return
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    # The other processes wait while the first reads photos or waits in the queue; torchrun detects crashes itself.
    distributed.init_process_group(backend, timeout=timedelta(days=7))
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // _number("LOCAL_WORLD_SIZE", 1)))
    try:
        yield
    finally:
        distributed.destroy_process_group()


def _number(name: str, alone: int) -> int:
    return int(os.environ.get(name, alone))


def count() -> int:
    """Number of processes; 1 if not started by torchrun."""
    return _number("WORLD_SIZE", 1)


def rank() -> int:
    """Number of this process, from 0."""
    return _number("RANK", 0)


def local_rank() -> int:
    """Number of this process on its machine, from 0."""
    return _number("LOCAL_RANK", 0)


def is_first() -> bool:
    """Whether this process writes files and reports for all."""
    return rank() == 0


def wait_for_all() -> None:
    """Wait until every process has reached this point."""
    if count() > 1:
        distributed.barrier()


def broadcast(value: T) -> T:
    """The value of the first process."""
    if count() == 1:
        return value
    values = [value]
    distributed.broadcast_object_list(values, src=0)
    return values[0]


def gather(value: T) -> list[T]:
    """The values of all processes, by rank."""
    if count() == 1:
        return [value]
    values: list[T | None] = [None] * count()
    distributed.all_gather_object(values, value)
    return values  # type: ignore[return-value]
