"""Photos, classes and findings of datasets, kept until the dataset changes."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.datasets.index import Dataset, read_classes, read_provenance, read_samples
from sneaker_core.datasets.quality.findings import read_findings, read_near_duplicate_groups
from sneaker_core.datasets.review_log import history


@dataclass(frozen=True)
class ReviewKey:
    """A dataset in one state; every change of the dataset makes a new key.

    Attributes
    ----------
    folder : str
    created : float
        Tells the dataset from an earlier one in the same folder.
    revision : int
    """

    folder: str
    created: float
    revision: int


def review_key(dataset: Dataset) -> ReviewKey:
    """The key of a dataset as it is now.

    Raises
    ------
    DatasetError
        The dataset was deleted.
    """
    return ReviewKey(str(dataset.folder), float(dataset.fact("created", 0)), dataset.revision)


# All users share these tables, so never change them in place; copying 10,000 rows on every click would be slow.
@st.cache_resource(max_entries=4, show_spinner=False)
def reviewed_photos(key: ReviewKey) -> pd.DataFrame:
    """All photos; column kinds holds a tuple of the photo's open findings, most serious first."""
    photos = _photos(key)
    found = dataset_findings(key)
    kinds = found[found["open"]].groupby("sample", sort=False)["kind"].agg(tuple)
    return photos.assign(kinds=[kinds.get(sample, ()) for sample in photos["sample"]])


@st.cache_resource(max_entries=4, show_spinner=False)
def dataset_findings(key: ReviewKey) -> pd.DataFrame:
    """All findings, including the dismissed ones."""
    return read_findings(Dataset(Path(key.folder)), dismissed=True)


@st.cache_resource(max_entries=4, show_spinner=False)
def _photos(key: ReviewKey) -> pd.DataFrame:
    return read_samples(Dataset(Path(key.folder)))


@st.cache_resource(max_entries=4, show_spinner=False)
def near_duplicate_groups(key: ReviewKey) -> pd.Series:
    """The number of each photo's near-duplicate group, indexed by sample."""
    return read_near_duplicate_groups(Dataset(Path(key.folder)))


@st.cache_resource(max_entries=4, show_spinner=False)
def class_names(key: ReviewKey) -> list[str]:
    """The names of all classes, sorted."""
    return read_classes(Dataset(Path(key.folder)))


def is_empty(dataset: Dataset) -> bool:
    """Whether a dataset has no photos, excluded ones included."""
    return reviewed_photos(review_key(dataset)).empty


@st.cache_resource(max_entries=4, show_spinner=False)
def decisions(key: ReviewKey) -> pd.DataFrame:
    """All review decisions, newest first."""
    return history(Dataset(Path(key.folder)))


@st.cache_resource(max_entries=4, show_spinner=False)
def photo_sources(key: ReviewKey) -> pd.DataFrame:
    """The provenance of all photos: one row per photo and source."""
    return read_provenance(Dataset(Path(key.folder)))
