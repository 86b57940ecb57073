"""Prediction tables of evaluations, kept until the evaluation or its dataset changes, and the models they judge."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.datasets.dataset_collection import DatasetEntry, list_datasets
from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.errors import DatasetError, SneakerError
from sneaker_core.evaluation.evaluation_files import find_model_of, read_table, with_photos
from sneaker_core.evaluation.evaluation_record import Evaluation
from sneaker_core.networks.model_registry import model_version
from sneaker_core.workspace.paths import workspace
from ui.kit.model_cache import ModelKey


@dataclass(frozen=True)
class EvaluationKey:
    """An evaluation, the version of its table, and the dataset that has its photos.

    Attributes
    ----------
    folder, version : str
    home : str
        Folder of the dataset that has the photos; empty if there is none.
    """

    folder: str
    version: str
    home: str = ""


def present_key(evaluation: Evaluation) -> EvaluationKey:
    """The key of a finished evaluation, whose photos are looked for in the datasets if it was made on a folder.

    Raises
    ------
    SneakerError
        The prediction table is missing or damaged.
    """
    entries = [] if evaluation.dataset_folder is not None else list_datasets(workspace())
    return evaluation_key(evaluation, entries)


def open_evaluation(evaluation: Evaluation) -> tuple[EvaluationKey, pd.DataFrame]:
    """The key and the prediction table of an evaluation; photos on this computer have a path.

    Raises
    ------
    SneakerError
        The table is missing or damaged.
    """
    key = present_key(evaluation)
    return key, evaluation_table(key, evaluation)


def evaluated_model(evaluation: Evaluation) -> ModelKey | None:
    """The evaluated model; None if it was deleted or trained again."""
    with contextlib.suppress(SneakerError):
        folder = find_model_of(workspace(), evaluation)
        return ModelKey(str(folder), model_version(folder))
    return None


def evaluation_key(evaluation: Evaluation, entries: Sequence[DatasetEntry]) -> EvaluationKey:
    """The key of an evaluation as it is now.

    Parameters
    ----------
    evaluation : Evaluation
        A finished one.
    entries : sequence of DatasetEntry
        Datasets to search for the photos if the evaluation was made on a folder.

    Raises
    ------
    SneakerError
        The prediction table is missing or damaged.
    """
    bare = EvaluationKey(str(evaluation.folder), evaluation.version)
    if evaluation.dataset_folder is not None:
        return replace(bare, home=str(evaluation.dataset_folder))
    there = tuple((str(entry.folder), entry.photos) for entry in entries if entry.photos)
    return replace(bare, home=_home_of(bare, there, evaluation))


@st.cache_data(max_entries=50, show_spinner=False)
def _home_of(key: EvaluationKey, entries: tuple[tuple[str, int], ...], _evaluation: Evaluation) -> str:
    """Folder of the dataset with most of the photos; empty if no dataset has any."""
    judged = set(evaluation_table(key, _evaluation)["sample"])
    shared = {}
    for folder, _ in entries:
        with contextlib.suppress(DatasetError):
            shared[folder] = len(judged & set(read_samples(Dataset(Path(folder)))["sample"]))
    best = max(shared, key=lambda folder: shared[folder], default="")
    return best if shared.get(best) else ""


def evaluation_table(key: EvaluationKey, evaluation: Evaluation) -> pd.DataFrame:
    """The prediction table, with paths for the photos on this computer.

    Raises
    ------
    SneakerError
        The table is missing or damaged.
    """
    return _evaluation_table(key, evaluation)


@st.cache_resource(max_entries=4, show_spinner="Reading the evaluation…")
def _evaluation_table(key: EvaluationKey, _evaluation: Evaluation) -> pd.DataFrame:
    table = read_table(_evaluation)
    if key.home and _evaluation.dataset_folder is None:
        with contextlib.suppress(DatasetError):  # metrics need no photos
            table = with_photos(table, Dataset(Path(key.home)))
    return table
