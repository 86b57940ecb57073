"""Find the class and split of each file, from its path and from CSV tables in the source.

Supported layouts::

    <class>/*                      one folder per class
    train|val|test/<class>/*       with a split, which is kept
    <sku>/*, with a CSV sku,name   folders named by SKU
    *, with a CSV file,label       one flat folder; a column "split" is kept

Every command that reads photos from a folder uses this module, so a layout added here works everywhere.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from sneaker_core.csv_cells import unescape_formula
from sneaker_core.datasets.sources.source_files import Source, read_table
from sneaker_core.datasets.split import Split
from sneaker_core.errors import DatasetError

_SPLITS = {
    **dict.fromkeys(("train", "training"), Split.TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "dev"), Split.VAL),
    **dict.fromkeys(("test", "testing"), Split.TEST),
}
# Files that people keep next to class folders and that are not photos.
_NOTES = {".html", ".json", ".log", ".md", ".pdf", ".py", ".rst", ".txt", ".xml", ".yaml", ".yml"}
_NOTE_NAMES = {"licence", "license", "notice", "readme"}
_NO_FOLDER = "It isn't in a class folder, and no table gives it a label."
_NO_LAYOUT = (
    "has no photos in a supported layout: one folder per class; train, val and test folders with one folder per class "
    "in each; or photos with a CSV table of file,label."
)


@dataclass(frozen=True)
class LabeledFile:
    """A file with its class.

    Attributes
    ----------
    name : str
        Path within the source, with forward slashes.
    label : str
    split : str or None
        "train", "val", "test", or None if the source doesn't say.
    """

    name: str
    label: str
    split: str | None = None


@dataclass(frozen=True)
class Layout:
    """Every file of a source that could be a photo.

    Attributes
    ----------
    files : list of LabeledFile
        Those with a class.
    rejected : dict of str to str
        The others: name -> reason.
    """

    files: list[LabeledFile] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Tables:
    """Contents of the CSV files; `base` is the folder that contains them."""

    base: tuple[str, ...] | None = None
    labels: dict[str, tuple[str, str | None]] | None = None
    names: dict[str, str] = field(default_factory=dict)


def read_layout(source: Source, name: str) -> Layout:
    """Find the class and split of each file in a source.

    Parameters
    ----------
    source : Source
    name : str
        Name of the source in error messages.

    Raises
    ------
    DatasetError
        No file is in a supported layout.
    """
    tables = {file: read_table(source, file) for file in source.files if file.lower().endswith(".csv")}
    layout = lay_out([file for file in source.files if file not in tables], tables)
    if not layout.files:
        raise DatasetError(f"{name} {_NO_LAYOUT}")
    return layout


def lay_out(files: Sequence[str], tables: Mapping[str, str]) -> Layout:
    """Find the class and split of each file.

    Parameters
    ----------
    files : sequence of str
        Paths with forward slashes of all files except tables.
    tables : mapping of str to str
        Path -> text of each CSV file. Tables without the columns sku, name or file, label are ignored.
    """
    found = _read_tables(tables)
    if found.labels is not None:
        return _by_table(files, found.base or (), found.labels)
    parts = {name: PurePosixPath(name).parts for name in files}
    base = found.base if found.names and found.base is not None else _wrapping_folders(list(parts.values()))
    inner = {name: path[len(base) :] for name, path in parts.items() if path[: len(base)] == base}
    tops = {path[0].lower() for path in inner.values() if len(path) > 1}
    split_first = bool(tops) and tops <= set(_SPLITS)
    layout = Layout()
    for name in files:
        split, path = None, inner.get(name, ())
        if split_first and len(path) > 1:
            split, path = _SPLITS[path[0].lower()].value, path[1:]
        if len(path) > 1:
            layout.files.append(LabeledFile(name, found.names.get(path[0].strip().lower(), path[0]), split))
        else:
            layout.rejected[name] = _NO_FOLDER
    return layout


def _wrapping_folders(paths: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Folders that contain all others, as archive programs add them: those above the class folders."""
    base: tuple[str, ...] = ()
    while True:
        tops = {path[len(base)] for path in paths if len(path) > len(base) + 1}
        inside = [path[-1] for path in paths if len(path) == len(base) + 2]
        deeper = any(len(path) > len(base) + 2 for path in paths)
        if len(tops) != 1 or not deeper or not all(map(_is_note, inside)) or next(iter(tops)).lower() in _SPLITS:
            return base
        base += (next(iter(tops)),)


def _is_note(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in _NOTES or name.lower() in _NOTE_NAMES


def _read_tables(tables: Mapping[str, str]) -> _Tables:
    base: tuple[str, ...] | None = None
    labels: dict[str, tuple[str, str | None]] | None = None
    names: dict[str, str] = {}
    for path in sorted(tables, key=lambda name: (name.count("/"), name)):
        columns, rows = _rows(tables[path])
        if labels is None and {"file", "label"} <= columns:
            labels = {
                _normalized(row["file"]): (row["label"], _SPLITS.get(row.get("split", "").lower()))
                for row in rows
                if row["file"] and row["label"]
            }
            base = PurePosixPath(path).parts[:-1]
        elif {"sku", "name"} <= columns:
            names |= {row["sku"].lower(): row["name"] for row in rows if row["sku"] and row["name"]}
            base = PurePosixPath(path).parts[:-1] if base is None else base
    return _Tables(base, labels, names)


def _rows(text: str) -> tuple[set[str], list[dict[str, str]]]:
    """Column names in lower case and the rows below them; separated by commas, semicolons or tabs."""
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    table = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        columns = [cell.strip().lower() for cell in next(table, [])]
        rows = [
            dict(zip(columns, [unescape_formula(cell.strip()) for cell in row], strict=False)) for row in table if row
        ]
    except csv.Error:
        return set(), []
    empty = dict.fromkeys(columns, "")
    return set(columns), [{**empty, **row} for row in rows]


def _normalized(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).as_posix()


def _by_table(files: Sequence[str], base: tuple[str, ...], labels: Mapping[str, tuple[str, str | None]]) -> Layout:
    layout, used = Layout(), set()
    for name in files:
        path = PurePosixPath(name)
        inner = PurePosixPath(*path.parts[len(base) :]).as_posix() if path.parts[: len(base)] == base else name
        key = inner if inner in labels else path.name
        if key in labels:
            layout.files.append(LabeledFile(name, *labels[key]))
            used.add(key)
        else:
            layout.rejected[name] = "The table of labels has no row for it."
    for missing in labels.keys() - used:
        layout.rejected[missing] = "The table of labels lists it, but the file doesn't exist."
    return layout
