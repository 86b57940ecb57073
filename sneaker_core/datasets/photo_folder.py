"""A folder of photos as a table: one row a photo, its label the name of the folder it lies in."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from sneaker_core.errors import DatasetError

SAMPLE_COLUMNS = ["sample", "path", "label"]


def sample_id(data: bytes) -> str:
    """Name of a photo that depends on its bytes alone: 16 hexadecimal digits of their SHA-256."""
    return hashlib.sha256(data).hexdigest()[:16]


def _photos(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not _hidden(path.relative_to(folder)))


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _rows(paths: Iterable[Path], label: str | None) -> list[tuple[str, str, str | None]]:
    return [(sample_id(path.read_bytes()), str(path), label) for path in paths]


def scan_classes(folder: Path, only: Iterable[str] = ()) -> pd.DataFrame:
    """List the photos of a folder laid out as ``<class>/*``.

    Parameters
    ----------
    folder : Path
    only : iterable of str, optional
        Names of the classes wanted; all of them when empty.

    Returns
    -------
    DataFrame
        Columns sample, path, label; sorted by label, then path. A file with the same bytes and the same label as
        an earlier one is left out.

    Raises
    ------
    DatasetError
        The folder is missing, has no class folders, or lacks a class that was asked for.
    """
    if not folder.is_dir():
        raise DatasetError(f"There is no folder {folder}; give a folder that holds one folder of photos a class.")
    found = {path.name: path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")}
    wanted = sorted(set(only)) or sorted(found)
    missing = [name for name in wanted if name not in found]
    if missing:
        raise DatasetError(f"{folder} has no class folder named {', '.join(map(repr, missing))}.")
    rows = [row for name in wanted for row in _rows(_photos(found[name]), name)]
    if not rows:
        raise DatasetError(f"{folder} holds no photos; it needs one folder of photos a class.")
    return pd.DataFrame(rows, columns=SAMPLE_COLUMNS).drop_duplicates(["sample", "label"], ignore_index=True)


def scan_photos(folder: Path) -> pd.DataFrame:
    """List the photos below a folder, whatever its layout, without labels.

    Returns
    -------
    DataFrame
        Columns sample, path, label (all None); sorted by path, identical bytes once.

    Raises
    ------
    DatasetError
        The folder is missing or holds no file.
    """
    rows = _rows(_photos(folder), None) if folder.is_dir() else []
    if not rows:
        raise DatasetError(f"{folder} is no folder with photos in it.")
    return pd.DataFrame(rows, columns=SAMPLE_COLUMNS).drop_duplicates("sample", ignore_index=True)


def fingerprint(samples: pd.DataFrame) -> str:
    """One name for exactly these photos with exactly these labels: 16 hexadecimal digits."""
    lines = sorted(f"{sample} {label}" for sample, label in zip(samples["sample"], samples["label"], strict=True))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
