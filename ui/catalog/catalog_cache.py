"""What the Catalog page counts: results of the bundled model, and photos in the user's datasets."""

import contextlib
from pathlib import Path

import streamlit as st

from sneaker_core.catalog.entries import ShoeType, Sneaker
from sneaker_core.catalog.lookup import find_entry
from sneaker_core.datasets.dataset_collection import datasets_by_name
from sneaker_core.datasets.index import Dataset, open_index, read_samples
from sneaker_core.errors import DatasetError
from sneaker_core.evaluation import class_results
from sneaker_core.evaluation.class_results import ClassResult
from sneaker_core.evaluation.evaluation_collection import bundled_evaluation
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.workspace.paths import workspace
from ui.kit.dataset_cache import ReviewKey, review_key


def bundled_results() -> dict[str, ClassResult]:
    """How often the bundled model is right on each class; empty if its evaluation isn't installed.

    Raises
    ------
    SneakerError
        The evaluation is damaged.
    """
    evaluation = bundled_evaluation(DEFAULT_MODEL)
    return {} if evaluation is None else _results(str(evaluation.folder), evaluation.version)


@st.cache_resource(max_entries=2, show_spinner=False)
def _results(folder: str, version: str) -> dict[str, ClassResult]:
    return class_results.bundled_results()


def photos_of(entry: Sneaker | ShoeType) -> list[tuple[str, str, int]]:
    """The user's photos of a shoe: dataset, class and number, for each class of each dataset that means it."""
    found = []
    for name, there in datasets_by_name(workspace()).items():
        with contextlib.suppress(DatasetError):  # a damaged dataset is reported on the Datasets page
            counts = _class_counts(review_key(open_index(there.folder)))
            found += [(name, label, count) for label, count in counts.items() if find_entry(label) is entry]
    return found


@st.cache_resource(max_entries=50, show_spinner=False)
def _class_counts(key: ReviewKey) -> dict[str, int]:
    """Number of photos of each class, without those that were excluded."""
    photos = read_samples(Dataset(Path(key.folder)))
    counts = photos.loc[~photos["excluded"], "label"].value_counts()
    return {str(label): int(count) for label, count in counts.items()}
