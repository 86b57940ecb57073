"""Files that a browser uploads one by one, packed as an archive, so that imports read them like any other one."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from sneaker_core.errors import DatasetError
from sneaker_core.workspace.clean_names import clean_name
from sneaker_core.workspace.zip_entries import zip_entry


def packed(files: Iterable[tuple[str, bytes]], label: str = "") -> bytes:
    """Pack files as a zip archive.

    Parameters
    ----------
    files : iterable of (str, bytes)
        Name and content. The name of a file in a folder holds its path, with slashes.
    label : str
        The class of files that are in no folder; without one they stay where they are.

    Raises
    ------
    DatasetError
        A folder can't be named like that class.
    """
    folder = _class_folder(label)
    buffer = io.BytesIO()
    taken: set[str] = set()
    # Photos are compressed already.
    named = [(given.replace("\\", "/").lstrip("/"), data) for given, data in files]
    around = _folder_around([name for name, _ in named])
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for given, data in named:
            name = _free(_placed(given, folder, around), taken)
            taken.add(name)
            archive.writestr(zip_entry(name), data)
    return buffer.getvalue()


def _folder_around(names: Sequence[str]) -> str:
    """The folder that holds all folders, with a slash; empty if there is none."""
    inside = [name.split("/") for name in names if "/" in name]
    first = {parts[0] for parts in inside}
    return f"{first.pop()}/" if len(first) == 1 and all(len(parts) > 2 for parts in inside) else ""


def _class_folder(label: str) -> str:
    """The folder of a class; empty without a class."""
    folder = clean_name(label)
    if set(folder) & {"/", "\\"} or (folder and not folder.strip(".")):
        raise DatasetError(
            f"Photos can't be added to the class {label!r} here: its name would be a path. Choose a name without / or "
            "\\ that isn't just dots."
        )
    return folder


def _placed(name: str, folder: str, around: str) -> str:
    """Where a file belongs: the class of loose files is a folder next to the other classes."""
    return f"{around}{folder}/{name}" if folder and "/" not in name else name


def _free(name: str, taken: set[str]) -> str:
    """The name, or a similar one if another file has it, as when two folders hold a file of one name."""
    path, number, free = PurePosixPath(name), 2, name
    while free in taken:
        free = str(path.with_name(f"{path.stem} ({number}){path.suffix}"))
        number += 1
    return free
