"""Augmented sample photos, class counts and time estimates of trainings."""

import concurrent.futures
import contextlib
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import streamlit as st

from sneaker_core.datasets.dataset_collection import open_samples
from sneaker_core.datasets.split import SPLIT_FILE, read_split
from sneaker_core.errors import DatasetError
from sneaker_core.training.planning.augmentation_preview import augmented_preview, contact_sheet
from sneaker_core.training.planning.time_estimate import Estimate, estimate
from sneaker_core.training.recipe import Recipe
from sneaker_core.workspace.paths import run_model_folder
from ui.kit.dataset_cache import ReviewKey


def run_class_count(folder: Path) -> int:
    """Number of classes of a run; 0 until it has read its dataset."""
    model = run_model_folder(folder)
    try:
        return _classes_of_split(str(model), (model / SPLIT_FILE).stat().st_mtime_ns)
    except OSError:
        return 0


@st.cache_data(max_entries=100, show_spinner=False)
def _classes_of_split(model: str, changed: int) -> int:
    try:
        split = read_split(Path(model))
    except DatasetError:
        return 0
    return int(split["label"].nunique()) if "label" in split else 0


@st.cache_data(max_entries=20, show_spinner=False)
def augmentation_sheet(key: ReviewKey, only: tuple[str, ...], recipe: Recipe, workspace: Path) -> bytes:
    """A PNG of a few photos, each unchanged and then augmented.

    Raises
    ------
    DatasetError
        There are no such photos, or none can be read.
    """
    samples = open_samples(workspace, key.folder, only)
    return contact_sheet(augmented_preview(samples, recipe, workspace, photos=3, variants=4))


@st.cache_resource(show_spinner=False)
def _measurer() -> ThreadPoolExecutor:
    # One at a time: two measurements would slow each other down.
    return ThreadPoolExecutor(1, "measure")


@st.cache_resource(show_spinner=False)
def _measured() -> dict[tuple[Path, Recipe, int, int], "Future[Estimate]"]:
    return {}


_MOST_MEASURED = 200


# Seconds to wait for an estimate; one from speeds measured before is ready at once.
_LOOKED_UP_WITHIN = 0.3


def training_time(
    recipe: Recipe, photos: int, classes: int, workspace: Path, *, measure: bool
) -> "Estimate | Future[Estimate] | None":
    """Estimated time of a training on this computer.

    Parameters
    ----------
    recipe : Recipe
    photos, classes : int
    workspace : Path
        Stores the measured speeds.
    measure : bool
        Whether to measure in the background if there is no estimate yet.

    Returns
    -------
    Estimate, Future or None
        The future while it is being measured or if that failed; None if it was not requested.
    """
    asked, key = _measured(), (workspace, recipe, photos, classes)
    if key not in asked:
        # A measured speed also serves other numbers of photos.
        if not measure and not any(other[:2] == key[:2] for other in list(asked)):
            return None
        while len(asked) >= _MOST_MEASURED:
            asked.pop(next(iter(asked)), None)
        asked[key] = _measurer().submit(estimate, recipe, photos, classes, workspace)
    future = asked[key]
    with contextlib.suppress(concurrent.futures.TimeoutError):
        if future.exception(_LOOKED_UP_WITHIN) is None:
            return future.result()
    return future
