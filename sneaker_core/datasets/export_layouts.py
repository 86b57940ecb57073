"""The formats of exports: where each photo lies, and which tables lie beside them. Importing reads every one back.

===============  ===============================  ==================================  ==================
format           photos                           tables                              splits
===============  ===============================  ==================================  ==================
``folder``       ``[<split>/]<class>/``           ``dataset.csv``                     all, in the table
``csv``          ``images/``                      ``dataset.csv``                     all, in the table
``coco``         ``images/``                      ``annotations/<split>.json``        all
``huggingface``  ``[<split>/]`` or ``images/``    ``metadata.csv`` beside them        all
``imagefolder``  ``[<split>/]<class>/``           ``classes.csv`` if needed           if all have one
``fiftyone``     ``[<split>/]<class>/``           ``classes.csv`` if needed           if all have one
===============  ===============================  ==================================  ==================

A photo's file is named by the hash of its bytes, which never change. A class whose name can't be a folder's on every
system gets a similar folder name; ``classes.csv`` gives the names of all folders then.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from sneaker_core.csv_cells import escape_formula
from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.sources.folder_layout import UNLABELED
from sneaker_core.datasets.sources.source_files import is_wanted
from sneaker_core.datasets.sources.split_names import split_of_name
from sneaker_core.datasets.split import Split
from sneaker_core.workspace.safe_names import safe_folder_name

TABLE_FILE = "dataset.csv"
COLUMNS = ("file", "label", "split", "sample", "name", "width", "height")
_CLASSES_FILE, _METADATA_FILE = "classes.csv", "metadata.csv"
_COCO_COLUMNS = ("file", "label", "width", "height")
_IMAGES, _ANNOTATIONS = "images", "annotations"
# What Hugging Face calls the splits.
_HUGGING_FACE_SPLITS = MappingProxyType({Split.VAL.value: "validation"})
# The file of the photos without a split; the name must not be one of a split.
_NO_SPLIT = "photos"


class ExportFormat(StrEnum):
    """How an export is laid out."""

    FOLDER = "folder"
    IMAGEFOLDER = "imagefolder"
    CSV = "csv"
    COCO = "coco"
    FIFTYONE = "fiftyone"
    HUGGINGFACE = "huggingface"


@dataclass(frozen=True)
class ExportPlan:
    """What an export holds.

    Attributes
    ----------
    photos : DataFrame
        Columns file (its path in the export, with forward slashes), path (where it lies now), label, split, sample,
        name, width and height; photos that are excluded are not in it.
    tables : dict of str to bytes
        Path in the export -> content of each file besides the photos.
    """

    photos: pd.DataFrame
    tables: dict[str, bytes]


def plan_export(dataset: Dataset, kind: ExportFormat = ExportFormat.FOLDER) -> ExportPlan:
    """Lay out an export of a dataset with all decisions applied.

    Parameters
    ----------
    dataset : Dataset
    kind : ExportFormat
    """
    samples = read_samples(dataset)
    kept = samples[~samples["excluded"]].reset_index(drop=True)
    by_split = bool(len(kept)) and bool(kept["split"].notna().all())
    folders = _class_folders(kept["label"]) if kind in _CLASS_FOLDERS else {}
    kept["file"] = _places(kept, kind, by_split, folders)
    photos = kept[["path", *COLUMNS]]
    return ExportPlan(photos, _tables(photos, kind, by_split, folders, dataset.name))


_CLASS_FOLDERS = (ExportFormat.FOLDER, ExportFormat.IMAGEFOLDER, ExportFormat.FIFTYONE)


def _class_folders(labels: pd.Series) -> dict[str, str]:
    """Class -> the name of its folder."""
    folders: dict[str, str] = {}
    for label in sorted(labels.unique()):
        taken = {folder.lower() for folder in folders.values()}
        # A folder of this name would be read as something else than a class.
        is_free = is_wanted(label) and label != UNLABELED and split_of_name(label) is None
        folders[label] = safe_folder_name(label, taken if is_free else taken | {label.lower()})
    return folders


def _places(photos: pd.DataFrame, kind: ExportFormat, by_split: bool, folders: Mapping[str, str]) -> list[str]:
    """Where each photo lies in the export."""
    names = [Path(path).name for path in photos["path"]]
    if kind in _CLASS_FOLDERS:
        inside = [f"{folders[label]}/{name}" for label, name in zip(photos["label"], names, strict=True)]
        return [f"{split}/{file}" for split, file in zip(photos["split"], inside, strict=True)] if by_split else inside
    if kind is ExportFormat.HUGGINGFACE and by_split:
        splits = [_HUGGING_FACE_SPLITS.get(split, split) for split in photos["split"]]
        return [f"{split}/{name}" for split, name in zip(splits, names, strict=True)]
    return [f"{_IMAGES}/{name}" for name in names]


def _tables(
    photos: pd.DataFrame, kind: ExportFormat, by_split: bool, folders: Mapping[str, str], title: str
) -> dict[str, bytes]:
    """The files besides the photos."""
    if kind in (ExportFormat.FOLDER, ExportFormat.CSV):
        return {TABLE_FILE: table_bytes(photos)}
    if kind is ExportFormat.COCO:
        return _coco_files(photos, title)
    if kind is ExportFormat.HUGGINGFACE:
        return _metadata_files(photos, by_split)
    # With one class, the folder of a split could be taken for one that wraps everything.
    is_clear = all(label == folder for label, folder in folders.items()) and not (by_split and len(folders) == 1)
    return {} if is_clear else {_CLASSES_FILE: _csv(("folder", "name"), ((own, name) for name, own in folders.items()))}


def table_bytes(photos: pd.DataFrame) -> bytes:
    """The table of an export: a row for each photo, with the columns of `ExportPlan.photos` but its present path."""
    return _csv(COLUMNS, _rows(photos, COLUMNS))


def _metadata_files(photos: pd.DataFrame, by_split: bool) -> dict[str, bytes]:
    """``metadata.csv`` in the folder of each split; a column says the split where only some photos have one."""
    if not by_split:
        some = ["split"] if photos["split"].notna().any() else []
        return {_METADATA_FILE: _csv(("file_name", "label", *some), _rows(photos, ("file", "label", *some)))}
    inside = photos.assign(folder=photos["file"].str.partition("/")[0], file=photos["file"].str.partition("/")[2])
    return {
        f"{folder}/{_METADATA_FILE}": _csv(("file_name", "label"), _rows(rows, ("file", "label")))
        for folder, rows in inside.groupby("folder")
    }


def _coco_files(photos: pd.DataFrame, title: str) -> dict[str, bytes]:
    """A JSON file for each split, without boxes."""
    labels = sorted(photos["label"].unique())
    number = {label: place for place, label in enumerate(labels, start=1)}
    files = {}
    for split, rows in photos.groupby(photos["split"].fillna(_NO_SPLIT)):
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for place, (file, label, width, height) in enumerate(_rows(rows, _COCO_COLUMNS), start=1):
            name = file.removeprefix(f"{_IMAGES}/")
            images.append({"id": place, "file_name": name, "width": int(width), "height": int(height)})
            annotations.append({"id": place, "image_id": place, "category_id": number[label]})
        values = {
            "info": {"description": title},
            "licenses": [],
            "images": images,
            "categories": [{"id": number[label], "name": label, "supercategory": ""} for label in labels],
            "annotations": annotations,
        }
        files[f"{_ANNOTATIONS}/{split}.json"] = json.dumps(values, ensure_ascii=False).encode(errors="replace")
    return files


def _rows(photos: pd.DataFrame, columns: Sequence[str]) -> Iterable[Sequence[Any]]:
    chosen = photos[list(columns)].astype(object)
    return chosen.where(chosen.notna(), "").itertuples(index=False)


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([escape_formula(value) if isinstance(value, str) else value for value in row])
    return text.getvalue().encode()
