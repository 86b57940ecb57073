"""The evaluation that the page shows, with all that its parts ask for."""

import contextlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from sneaker_core.datasets.dataset_collection import list_datasets
from sneaker_core.datasets.index import INDEX_FILE, Dataset
from sneaker_core.datasets.thumbnails import ensure_thumbnail
from sneaker_core.errors import DatasetError, SneakerError
from sneaker_core.evaluation.evaluation_collection import Evaluation, find_model_of
from sneaker_core.networks.model_registry import model_version
from sneaker_core.workspace.paths import workspace
from ui.evaluate import figures_cache
from ui.kit import dataset_cache, evaluation_cache, model_cache, photo_previews
from ui.kit.review_section import Section
from ui.kit.state_keys import StateKey

_REVIEW = "evaluation"


@dataclass(frozen=True, eq=False)
class Opened:
    """An evaluation whose table could be read.

    Attributes
    ----------
    evaluation : Evaluation
    key : EvaluationKey
    table : DataFrame
        The prediction table, with paths of the photos that are on this machine.
    """

    evaluation: Evaluation
    key: evaluation_cache.EvaluationKey
    table: pd.DataFrame

    def widget(self, key: StateKey, item: str = "") -> str:
        """The key of a widget that each evaluation has for itself."""
        return key.of(f"{self.evaluation.kind.value}-{self.evaluation.name}-{item}")

    @property
    def figures(self) -> dict[str, Any]:
        """As `metrics.summary`."""
        return figures_cache.evaluation_figures(self.key, self.evaluation)

    @cached_property
    def has_photos(self) -> bool:
        """Whether any of its photos is on this machine."""
        return bool(self.table["path"].notna().any())

    @cached_property
    def home(self) -> Dataset | None:
        """The dataset that its photos are in, while it is there."""
        folder = Path(self.key.home) if self.key.home else None
        return Dataset(folder) if folder is not None and (folder / INDEX_FILE).is_file() else None

    @property
    def section(self) -> Section | None:
        """What decides on photos of that dataset."""
        return None if self.home is None else Section(_REVIEW, self.home)

    def model_folder(self) -> Path:
        """Where the very model is that was measured.

        Raises
        ------
        ModelNotFoundError
            It is gone, or was trained anew since.
        """
        return find_model_of(workspace(), self.evaluation)

    def model_key(self) -> model_cache.ModelKey | None:
        """The model for the caches; None where it is gone."""
        with contextlib.suppress(SneakerError):
            folder = self.model_folder()
            return model_cache.ModelKey(str(folder), model_version(folder))
        return None


def open_evaluation(evaluation: Evaluation) -> Opened:
    """Read an evaluation.

    Raises
    ------
    SneakerError
        It cannot be read.
    """
    # Only one that was not made on a dataset of ours has to look for its photos.
    entries = [] if evaluation.dataset_folder is not None else list_datasets(workspace())
    key = evaluation_cache.evaluation_key(evaluation, entries)
    return Opened(evaluation, key, evaluation_cache.evaluation_table(key, evaluation))


@dataclass(frozen=True, eq=False)
class Reviews:
    """What was decided on the photos of an evaluation.

    Attributes
    ----------
    rows : DataFrame
        Rows of `dataset_cache.reviewed_photos`.
    last : dict of str to str
        Sample -> the last decision that stands: "keep", "relabel" or "exclude".
    """

    rows: pd.DataFrame
    last: dict[str, str]

    def badge(self, sample: str) -> str:
        """Markdown that says what was decided on a photo; empty where nothing was."""
        return {
            "keep": ":green-badge[:material/check: kept]",
            "exclude": ":red-badge[:material/block: excluded]",
            "relabel": ":blue-badge[:material/label: relabelled]",
        }.get(self.last.get(sample, ""), "")


def reviews_of(opened: Opened) -> Reviews | None:
    """What was decided on its photos so far; None where they are in no dataset of ours."""
    if opened.home is None:
        return None
    try:
        key = dataset_cache.review_key(opened.home)
        log = dataset_cache.decisions(key)
        standing = log[log["undone"].isna()].drop_duplicates("sample")  # the newest come first
        last = dict(zip(standing["sample"], standing["action"], strict=True))
        return Reviews(dataset_cache.reviewed_photos(key), last)
    except DatasetError:
        return None


def picture_of(opened: Opened, sample: str, path: object) -> bytes | None:
    """A small JPEG of a photo; None where it is not on this machine or cannot be read."""
    if not isinstance(path, str):
        return None
    with contextlib.suppress(SneakerError, OSError):
        if opened.home is not None and Path(path).is_relative_to(opened.home.images):
            return ensure_thumbnail(opened.home, sample, Path(path)).read_bytes()
        return photo_previews.small_photo(path)
    return None


def missing_words(path: object) -> str:
    """Why there is no picture of a photo."""
    if isinstance(path, str):
        return "The file of this photo has gone or cannot be read."
    return "This photo is not distributed."


def draw_missing(path: object, facts: str) -> None:
    """Draw what stands in the place of a photo that cannot be shown."""
    with st.container(border=True, height=120, vertical_alignment="center", gap=None):
        st.caption(f":material/image_not_supported: {missing_words(path)}")
        if facts:
            st.caption(facts)
