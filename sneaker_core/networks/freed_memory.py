"""Let the process keep the memory that networks free, instead of returning it to the system after every layer.

A layer's output takes megabytes. By default the C library asks the system for each of them and gives it back at once,
and the system clears every page anew: a third to a half of the time of a batch.
"""

import ctypes
import sys
from functools import cache

# Parameters of mallopt in glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
# The highest value that mallopt takes, in bytes: no batch frees more.
_BYTES = 2**31 - 1


@cache
def keep_freed_memory() -> bool:
    """Set the C library's allocator so, once and for the whole process.

    Returns
    -------
    bool
        Whether it could be set: only with glibc, the C library of most Linux systems.

    References
    ----------
    mallopt(3), Linux manual pages: M_MMAP_THRESHOLD and M_TRIM_THRESHOLD.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(name, _BYTES) == 1 for name in (_MMAP_THRESHOLD, _TRIM_THRESHOLD))
