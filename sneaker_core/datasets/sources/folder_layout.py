"""Find the class and split of each file, from its folders and from tables in the source.

Supported layouts::

    <class>/*                      one folder per class
    train|val|test/<class>/*       with a split, which is kept
    <brand>/<model>/*              nested class folders, joined to "<brand> <model>"
    <sku>/*, with a CSV sku,name   folders named by SKU
    *, with CSV tables file,label  each table for its own folder and below; a column "split" is kept
    *, with metadata.csv or .jsonl as Hugging Face's imagefolder has it: file_name,label
    *, with JSON files of COCO     the category of a photo's annotations

Folders that wrap all others are ignored. Every command that reads photos from a folder uses this module, so a layout
added here works everywhere. What was understood is part of the result, and `LayoutKind` overrides it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from sneaker_core.datasets.sources.json_tables import JSON_ENDINGS
from sneaker_core.datasets.sources.label_tables import (
    TableClaims,
    claims_of,
    listed,
    read_tables,
)
from sneaker_core.datasets.sources.source_files import Source, TableTexts
from sneaker_core.datasets.sources.split_names import splits_of_folders
from sneaker_core.errors import DatasetError
from sneaker_core.number_text import counted
from sneaker_core.workspace.clean_names import clean_name

_NO_LAYOUT = (
    "has no photos in a supported layout: one folder per class; train, val and test folders with one folder per class "
    "in each; or photos with a CSV table of file,label."
)
_NO_FOLDER = "It isn't in a class folder, and no table gives it a label."
_NO_ROW = "The table of labels has no row for it."
# From this share on, nested folders are the rule and files above them the exception.
_RULE = 0.9
# Names of inner folders that repeat in more than this share of outer folders are no classes: front, side, old.
_REPEATED = 0.2
# Parts of the path of a photo in a class folder that is wrapped: folder, class, photo.
_WRAPPED = 2

TABLE_ENDINGS = (".csv", ".tsv", *JSON_ENDINGS)
# Where FiftyOne files photos without a label.
UNLABELED = "_unlabeled"

Parts = tuple[str, ...]


class LayoutKind(StrEnum):
    """How to read the folders of a source."""

    AUTO = "auto"
    TABLE = "table"
    CLASSES = "classes"
    SPLITS = "splits"
    NESTED = "nested"


_WITH_TABLES = (LayoutKind.AUTO, LayoutKind.TABLE)


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
    """Every file of a source that could be a photo, and how the source was read.

    Attributes
    ----------
    files : list of LabeledFile
        Those with a class.
    rejected : dict of str to str
        The others: name -> reason.
    notes : list of str
        What a careful reader should know: sentences about tables that were ignored, wrapping folders, joined names.
    """

    files: list[LabeledFile] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """What was understood: "Read as 3 splits with 12 classes each."."""
        by_split: dict[str | None, set[str]] = defaultdict(set)
        for file in self.files:
            by_split[file.split].add(file.label)
        classes = counted(len({file.label for file in self.files}), "class", "classes")
        if set(by_split) <= {None}:
            return f"Read as {classes}."
        splits = counted(len(by_split.keys() - {None}), "split")
        same = len({frozenset(labels) for labels in by_split.values()}) == 1
        if same:
            return f"Read as {splits} with {classes}{' each' if len(by_split) > 1 else ''}."
        return f"Read as {splits} with {classes} in all."

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "sentence": self.sentence,
            "notes": self.notes,
            "classes": dict(Counter(file.label for file in self.files)),
            "splits": {
                str(split): count for split, count in Counter(file.split for file in self.files).items() if split
            },
            "rejected": self.rejected,
        }


@dataclass(frozen=True)
class _FolderReading:
    """What the folders alone say.

    Attributes
    ----------
    layout : Layout
    base : tuple of str
        The folders that hold the class folders.
    splits : dict of str to str
        File -> split, also of files without a class.
    """

    layout: Layout
    base: Parts
    splits: dict[str, str]


def read_layout(source: Source, name: str, kind: LayoutKind = LayoutKind.AUTO) -> Layout:
    """Find the class and split of each file in a source.

    Parameters
    ----------
    source : Source
    name : str
        Name of the source in error messages.
    kind : LayoutKind
        How to read the folders; found out by default.

    Raises
    ------
    DatasetError
        No file is in a supported layout, or a table that may hold the labels can't be read.
    """
    names = [file for file in source.files if file.lower().endswith(TABLE_ENDINGS)]
    tables = TableTexts(source, name, names, are_needed=kind in _WITH_TABLES)
    layout = lay_out([file for file in source.files if file not in set(names)], tables, kind)
    if not layout.files:
        told = [f" {file}: {why}" for file, why in layout.rejected.items() if why not in (_NO_FOLDER, _NO_ROW)]
        raise DatasetError(f"{name} {_NO_LAYOUT}{''.join(told[:1])}")
    layout.notes.extend(source.notes)
    if source.skipped:
        layout.notes.append(f"{counted(source.skipped, 'hidden or system file')} skipped.")
    return layout


def lay_out(files: Sequence[str], tables: Mapping[str, str], kind: LayoutKind = LayoutKind.AUTO) -> Layout:
    """Find the class and split of each file.

    Parameters
    ----------
    files : sequence of str
        Paths with forward slashes of all files except tables.
    tables : mapping of str to str
        Path -> text of each CSV file.
    kind : LayoutKind
    """
    read = read_tables(tables, with_labels=kind in _WITH_TABLES)
    folders = _read_folders(files, read.skus, kind)
    claims = claims_of(read.labels, files)
    used = [table for table in read.labels if claims.counts[table.name]]
    unused = [*read.others, *(table.name for table in read.labels if not claims.counts[table.name])]
    layout = folders.layout
    if used or kind is LayoutKind.TABLE:
        # A table above the class folders that names most photos is meant to name all.
        is_for_all = any(table.folder == folders.base[: len(table.folder)] for table in used)
        names_most = 2 * (len(claims.labels) + len(claims.rejected)) >= len(layout.files)
        layout = _by_tables(files, claims, folders, kind is LayoutKind.TABLE or (is_for_all and names_most))
    layout.notes.extend(note for table in used for note in table.notes)
    if unused:
        layout.notes.append(f"No labels were taken from {listed(unused)}.")
    return _with_clean_names(layout)


def _with_clean_names(layout: Layout) -> Layout:
    """With one class for all names that look the same; files whose class has no visible name are rejected."""
    written: dict[str, set[str]] = defaultdict(set)
    files, rejected = [], dict(layout.rejected)
    for file in layout.files:
        name = clean_name(file.label)
        if name:
            written[name].add(file.label)
            files.append(replace(file, label=name))
        else:
            rejected[file.name] = f"The name of its class, {file.label!r}, has no visible character."
    merged = [repr(name) for name, spellings in written.items() if len(spellings) > 1]
    several = [
        f"{listed(merged)}: written in several ways that look the same (other spaces, accents or hidden characters), "
        "which are one class."
    ]
    return Layout(files, rejected, [*layout.notes, *(several if merged else [])])


def _by_tables(files: Sequence[str], claims: TableClaims, folders: _FolderReading, names_all: bool) -> Layout:
    """Give files the labels of the tables; files that no table names keep their folder's, unless all are named."""
    layout, by_folder = Layout(), 0
    of_folders = {file.name: file for file in folders.layout.files}
    for name in files:
        if name in claims.labels:
            label, split = claims.labels[name]
            layout.files.append(LabeledFile(name, label, split or folders.splits.get(name)))
        elif name not in claims.rejected and name in of_folders and not names_all:
            layout.files.append(of_folders[name])
            by_folder += 1
        else:
            layout.rejected[name] = claims.rejected.get(name, _NO_ROW)
    layout.rejected.update({name: why for name, why in claims.missing.items() if name not in layout.rejected})
    used = [f"{name} ({counted(count, 'file')})" for name, count in claims.counts.items() if count]
    if used:
        layout.notes.append(f"Labels are from {listed(used)}.")
    if by_folder:
        layout.notes.extend(folders.layout.notes)
        layout.notes.append(f"{counted(by_folder, 'file')} without a row in a table got the label of the folder.")
    return layout


def _read_folders(files: Sequence[str], skus: Mapping[Parts, Mapping[str, str]], kind: LayoutKind) -> _FolderReading:
    """Read classes and splits from folders alone."""
    layout, paths = Layout(), {name: PurePosixPath(name).parts for name in files}
    base = next(iter(skus)) if skus else _wrapping_folders(list(paths.values()), kind)
    if base:
        layout.notes.append(f"The folder {'/'.join(base)} holds the class folders.")
    inner = {name: path[len(base) :] for name, path in paths.items() if path[: len(base)] == base}
    splits = {} if kind in (LayoutKind.CLASSES,) else _split_folders(list(inner.values()), kind)
    below: dict[str, tuple[str | None, Parts]] = {}
    for name in files:
        path = inner.get(name)
        if path is None:
            layout.rejected[name] = f"It lies beside the folder {'/'.join(base)}, which holds the class folders."
        elif splits and path[0] not in splits:
            layout.rejected[name] = f"It isn't in one of the split folders {listed(sorted(splits))}."
        else:
            below[name] = (splits[path[0]], path[1:]) if splits else (None, path)
    if not splits and kind is LayoutKind.AUTO:
        below = _splits_in_classes(below)
    below = _unwrap_splits(below) if splits else below
    depth = _class_depth([path for _, path in below.values()], kind)
    names = next(iter(skus.values()), {})
    for name, (split, path) in below.items():
        if len(path) <= depth:
            layout.rejected[name] = _misplaced(path, depth)
        elif path[0] == UNLABELED:
            layout.rejected[name] = f"It has no label: it lies in {UNLABELED}."
        else:
            first = names.get(clean_name(path[0]).lower(), path[0])
            layout.files.append(LabeledFile(name, _joined((first, *path[1:depth])), split))
    if depth > 1 and layout.files:
        layout.notes.append(f"Nested folders are joined to one name, such as {layout.files[0].label!r}.")
    return _FolderReading(layout, base, {name: split for name, (split, _) in below.items() if split})


def _misplaced(path: Parts, depth: int) -> str:
    if len(path) < 2:
        return _NO_FOLDER
    return f"It lies in {'/'.join(path[:-1])}, beside the folders that name the classes."


def _joined(folders: Parts) -> str:
    """One name of nested folders: "Nike Air Max 90" for "Air Max 90", or "Nike Air Max 90", in the folder "Nike"."""
    label = folders[0]
    for folder in folders[1:]:
        repeats = folder.casefold().startswith(label.casefold())
        label = folder if repeats else f"{label} {folder}"
    return label


def _folders_in(paths: Iterable[Parts]) -> dict[str, list[Parts]]:
    """Top folder -> the paths inside it."""
    found: dict[str, list[Parts]] = defaultdict(list)
    for path in paths:
        if len(path) > 1:
            found[path[0]].append(path[1:])
    return found


def _wrapping_folders(paths: list[Parts], kind: LayoutKind) -> Parts:
    """Folders that contain all others, as archive programs add them: those above the class folders."""
    base: Parts = ()
    while True:
        tops = _folders_in(paths)
        if len(tops) != 1:
            return base
        top, inside = next(iter(tops.items()))
        if kind is not LayoutKind.CLASSES and splits_of_folders([top]) and len(_folders_in(inside)) > 1:
            return base
        nested = _folders_in(inside)
        direct = sum(len(path) == 1 for path in inside)
        # A class folder may have a few folders in it; a wrapping folder may have a few files.
        holds_folders = len(nested) > 1 or any(_folders_in(paths) for paths in nested.values())
        if not nested or (direct and (not holds_folders or direct > (1 - _RULE) * len(inside) + 1)):
            return base
        base, paths = (*base, top), inside


def _split_folders(paths: list[Parts], kind: LayoutKind) -> dict[str, str]:
    """Top folder -> split, if the top folders are splits."""
    tops = _folders_in(paths)
    splits = splits_of_folders(list(tops))
    with_classes = {name for name in splits if _folders_in(tops[name])}
    if kind is LayoutKind.SPLITS or (splits and len(splits) == len(tops)):
        return splits
    others_nested = any(_folders_in(tops[name]) for name in tops if name not in splits)
    several = len({splits[name] for name in with_classes}) > 1
    return splits if with_classes and (several or not others_nested) and len(with_classes) == len(splits) else {}


def _splits_in_classes(below: dict[str, tuple[str | None, Parts]]) -> dict[str, tuple[str | None, Parts]]:
    """With the split first, if each class folder holds split folders and nothing else: <class>/train/*."""
    folders = {path[1] for _, path in below.values() if len(path) > 2}
    splits = splits_of_folders(folders)
    if len(splits) < 2 or len(splits) < len(folders) or any(len(path) == 2 for _, path in below.values()):
        return below
    return {
        name: (splits[path[1]], (path[0], *path[2:])) if len(path) > 2 else (split, path)
        for name, (split, path) in below.items()
    }


def _unwrap_splits(below: dict[str, tuple[str | None, Parts]]) -> dict[str, tuple[str | None, Parts]]:
    """Without folders that wrap all classes of a split: train/train/<class>, or train/images/<class> in each split."""
    tops: dict[str | None, set[str]] = defaultdict(set)
    for split, path in below.values():
        if len(path) > 1:
            tops[split].add(path[0])
    wrapped = {split for split, names in tops.items() if set(splits_of_folders(names).values()) == {split}}
    if len(tops) > 1 and len(set(map(frozenset, tops.values()))) == 1 and len(next(iter(tops.values()))) == 1:
        wrapped = set(tops)
    holds_folders = {split for split, path in below.values() if split in wrapped and len(path) > _WRAPPED}
    return {
        name: (split, path[1:] if split in holds_folders and len(path) > 1 else path)
        for name, (split, path) in below.items()
    }


def _class_depth(paths: list[Parts], kind: LayoutKind) -> int:
    """How many nested folders make the name of a class: 1 unless inner folders have names of their own."""
    found = depth = 1
    outermost = len({path[0] for path in paths if len(path) > 1})
    while kind in (LayoutKind.AUTO, LayoutKind.NESTED, LayoutKind.SPLITS):
        deeper = [path for path in paths if len(path) > depth + 1]
        in_folders = sum(len(path) > depth for path in paths)
        if not deeper or (kind is not LayoutKind.NESTED and len(deeper) < _RULE * in_folders):
            return found
        inner = Counter(path[depth] for path in {path[: depth + 1] for path in deeper})
        repeated = sum(count for count in inner.values() if count > 1)
        if kind is not LayoutKind.NESTED and repeated > _REPEATED * sum(inner.values()):
            return found
        depth += 1
        # One folder in each names nothing; but folders further inside may: Nike/Air Max/90.
        if kind is LayoutKind.NESTED or sum(inner.values()) > outermost:
            found = depth
    return found
