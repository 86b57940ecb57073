"""Suggestions, map, rejected files and leaks of a dataset, kept until the dataset changes."""

from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.datasets.dataset_split import find_leaks
from sneaker_core.datasets.index import Dataset, read_rejects
from sneaker_core.datasets.quality.class_examples import class_examples
from sneaker_core.datasets.quality.class_spellings import Spellings, class_spellings
from sneaker_core.datasets.quality.scan import read_map
from sneaker_core.datasets.quality.suggestions import suggested_decisions
from ui.kit.dataset_cache import ReviewKey, reviewed_photos


@st.cache_resource(max_entries=4, show_spinner=False)
def safe_suggestions(key: ReviewKey) -> pd.DataFrame:
    """Decisions that are safe to apply automatically."""
    return suggested_decisions(Dataset(Path(key.folder)))


@st.cache_resource(max_entries=4, show_spinner=False)
def spellings(key: ReviewKey) -> list[Spellings]:
    """Classes whose names differ only in spelling."""
    return class_spellings(Dataset(Path(key.folder)), reviewed_photos(key))


@st.cache_resource(max_entries=4, show_spinner=False)
def dataset_map(key: ReviewKey) -> pd.DataFrame:
    """Photos with a position on the map, excluded ones left out: columns sample, x, y, label, split, kinds."""
    places = read_map(Dataset(Path(key.folder)))
    photos = reviewed_photos(key)
    kept = photos.loc[~photos["excluded"], ["sample", "label", "split", "kinds"]]
    return places.merge(kept, on="sample")


@st.cache_resource(max_entries=4, show_spinner=False)
def dataset_rejects(key: ReviewKey) -> pd.DataFrame:
    """Files that could not be imported."""
    return read_rejects(Dataset(Path(key.folder)))


@st.cache_resource(max_entries=4, show_spinner=False)
def dataset_leaks(key: ReviewKey) -> pd.DataFrame:
    """Near-duplicates that are in different splits."""
    return find_leaks(Dataset(Path(key.folder)))


@st.cache_resource(max_entries=64, show_spinner=False)
def suggested_class_photos(key: ReviewKey, sample: str, label: str) -> pd.DataFrame:
    """Photos of the class that a photo may belong to, the most similar ones first."""
    return class_examples(Dataset(Path(key.folder)), sample, label)
