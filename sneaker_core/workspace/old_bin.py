"""Deleted items in the bin layouts of older versions.

::

    <workspace>/bin/<id>-<year month day>-<time>/     a dataset
    <workspace>/bin/<kind>/<nanoseconds>/<id>/        anything else
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sneaker_core.settings import read_only

_MOMENT = re.compile(r"\d{20}")
_DATASET = re.compile(r"(?P<id>.+)-(?P<when>\d{8}-\d{6})(-[0-9a-f]{8,})?")


@dataclass(frozen=True)
class OldItem:
    """A deleted item in an old place.

    Attributes
    ----------
    folder : Path
    id : str
        Name of its folder before it was deleted.
    name : str or None
        Its display name, if that was the folder's name.
    deleted : float
        Seconds since 1970.
    """

    folder: Path
    id: str
    name: str | None
    deleted: float


def old_items(bin_folder: Path, kind: str, holds_item: Callable[[Path], bool]) -> Iterator[OldItem]:
    """Deleted items of one kind in an old place, to be moved; none while SoleScope is read-only.

    Parameters
    ----------
    bin_folder : Path
        The workspace's.
    kind : str
    holds_item : callable
        Whether a folder holds an item of that kind.
    """
    if read_only():
        return
    if kind == "datasets":
        for folder in _folders(bin_folder):
            parts = _DATASET.fullmatch(folder.name)
            if parts is not None and holds_item(folder):
                yield OldItem(folder, parts["id"], None, _seconds(parts["when"]))
        return
    for moment in _folders(bin_folder / kind):
        if _MOMENT.fullmatch(moment.name) and not holds_item(moment):
            for folder in _folders(moment):
                yield OldItem(folder, folder.name, folder.name, int(moment.name) / 1e9)


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []


def _seconds(when: str) -> float:
    try:
        return time.mktime(time.strptime(when, "%Y%m%d-%H%M%S"))
    except (ValueError, OverflowError):
        return 0.0
