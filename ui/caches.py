"""Everything that is kept between two runs of a page and shared by all users: the only home of ``st.cache_*``.

A model is told by its folder *and* its version, so one that is trained anew under the same name is loaded anew; a
photo by the SHA-256 of its bytes. Arguments with a leading underscore are not part of a key.
"""

import concurrent.futures
import contextlib
import io
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from sneaker_core import images
from sneaker_core.datasets.drawn.photo import draw_photo
from sneaker_core.datasets.index import Dataset, read_classes, read_filings, read_rejects, read_samples
from sneaker_core.datasets.library import open_samples
from sneaker_core.datasets.quality.findings import read_families, read_findings, suggested_decisions
from sneaker_core.datasets.quality.scan import read_map
from sneaker_core.datasets.review import history
from sneaker_core.datasets.split import SPLIT_FILE, find_leaks, read_split
from sneaker_core.errors import DatasetError
from sneaker_core.inference.explanation.attributions import gradcam
from sneaker_core.inference.explanation.heat import overlay
from sneaker_core.inference.predictor import MAX_TOP, Answer, predict_bytes
from sneaker_core.inference.service import shared_queue
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.checkpoint import load_model as load_from_folder
from sneaker_core.paths import run_model_folder
from sneaker_core.training.library import METRICS_FILE, read_metrics
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.trials.estimate import Estimate, estimate
from sneaker_core.training.trials.preview import augmented_preview, contact_sheet
from ui.photos import Photo

PREVIEW_SIDE = 640


@dataclass(frozen=True)
class ModelKey:
    """Which model, in which version of its files."""

    folder: str
    version: str


def load_model(key: ModelKey) -> SneakerModel:
    """A model in memory.

    Raises
    ------
    CheckpointError
        Its folder is damaged.
    """
    return _model(key.folder, key.version)


@st.cache_resource(max_entries=2, show_spinner="Getting the model ready…")
def _model(folder: str, version: str) -> SneakerModel:
    return load_from_folder(Path(folder))


def answer(key: ModelKey, photo: Photo) -> Answer:
    """What the model says of a photo, with as many guesses as there are, at most `MAX_TOP`."""
    return replace(_answer(key.folder, key.version, photo.digest, photo.data), image=photo.name)


@st.cache_data(max_entries=2_000, show_spinner=False)
def _answer(folder: str, version: str, digest: str, _data: bytes) -> Answer:
    # Whatever the number of guesses on show: another number must not ask the network again.
    return shared_queue().submit(predict_bytes, _model(folder, version), "", _data, MAX_TOP).result()


def preview(photo: Photo) -> bytes:
    """A small JPEG of a readable photo: what the browser gets in place of the photo itself."""
    return _preview(photo.digest, photo.data)


@st.cache_data(max_entries=300, show_spinner=False)
def _preview(digest: str, _data: bytes) -> bytes:
    small = images.decode(_data, shrink_to=PREVIEW_SIDE)
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    return _jpeg(small)


def heat_map(key: ModelKey, photo: Photo, label: str) -> NDArray[np.float32]:
    """How much each part of a photo speaks for a class, 0 to 1."""
    return _heat_map(key.folder, key.version, photo.digest, label, photo.data)


@st.cache_data(max_entries=100, show_spinner=False)
def _heat_map(folder: str, version: str, digest: str, label: str, _data: bytes) -> NDArray[np.float32]:
    model = _model(folder, version)
    # The same pixels that the answer was made from.
    photo = images.decode(_data, shrink_to=model.spec.preprocessing.shrink_to)
    return shared_queue().submit(gradcam, model, photo, label).result()


def heated_preview(key: ModelKey, photo: Photo, label: str, strength: float) -> bytes:
    """The small JPEG with the heat map over it; quick enough not to be kept for every strength."""
    with Image.open(io.BytesIO(preview(photo)), formats=("JPEG",)) as small:
        return _jpeg(overlay(small.convert("RGB"), heat_map(key, photo, label), strength))


@dataclass(frozen=True)
class ReviewKey:
    """Which dataset, in which state: a decision of anybody makes a new one.

    Attributes
    ----------
    folder : str
    created : float
        Tells a dataset from one that had the same folder before.
    revision : int
    """

    folder: str
    created: float
    revision: int


def review_key(dataset: Dataset) -> ReviewKey:
    """The state that a dataset is in now.

    Raises
    ------
    DatasetError
        It is not there any more.
    """
    return ReviewKey(str(dataset.folder), float(dataset.fact("created", 0)), dataset.revision)


# Tables are shared between all users and never changed in place: copying ten thousand rows for every tick is slow.
@st.cache_resource(max_entries=4, show_spinner=False)
def reviewed_photos(key: ReviewKey) -> pd.DataFrame:
    """Every photo with the kinds of its open findings (a tuple, the gravest first) in a column kinds."""
    photos = _photos(key)
    found = dataset_findings(key)
    kinds = found[found["open"]].groupby("sample", sort=False)["kind"].agg(tuple)
    return photos.assign(kinds=[kinds.get(sample, ()) for sample in photos["sample"]])


@st.cache_resource(max_entries=4, show_spinner=False)
def dataset_findings(key: ReviewKey) -> pd.DataFrame:
    """All findings, the dismissed ones too."""
    return read_findings(Dataset(Path(key.folder)), dismissed=True)


@st.cache_resource(max_entries=4, show_spinner=False)
def _photos(key: ReviewKey) -> pd.DataFrame:
    return read_samples(Dataset(Path(key.folder)))


@st.cache_resource(max_entries=4, show_spinner=False)
def photo_families(key: ReviewKey) -> pd.Series:
    """The number of each photo's family of copies, by sample."""
    return read_families(Dataset(Path(key.folder)))


@st.cache_resource(max_entries=4, show_spinner=False)
def class_names(key: ReviewKey) -> list[str]:
    """The names of all classes, sorted."""
    return read_classes(Dataset(Path(key.folder)))


def is_empty(dataset: Dataset) -> bool:
    """Whether a dataset has no photo at all, not even an excluded one."""
    return reviewed_photos(review_key(dataset)).empty


@st.cache_resource(max_entries=4, show_spinner=False)
def told_without_a_person(key: ReviewKey) -> pd.DataFrame:
    """What can be decided on without a person."""
    return suggested_decisions(Dataset(Path(key.folder)))


@st.cache_resource(max_entries=4, show_spinner=False)
def dataset_map(key: ReviewKey) -> pd.DataFrame:
    """The photos that are in and have a place on the map: columns sample, x, y, label, split, kinds."""
    places = read_map(Dataset(Path(key.folder)))
    photos = reviewed_photos(key)
    kept = photos.loc[~photos["excluded"], ["sample", "label", "split", "kinds"]]
    return places.merge(kept, on="sample")


@st.cache_resource(max_entries=4, show_spinner=False)
def decisions(key: ReviewKey) -> pd.DataFrame:
    """Every decision that was ever taken, the newest first."""
    return history(Dataset(Path(key.folder)))


@st.cache_resource(max_entries=4, show_spinner=False)
def photo_sources(key: ReviewKey) -> pd.DataFrame:
    """Every place that a photo came from."""
    return read_filings(Dataset(Path(key.folder)))


@st.cache_data(max_entries=100, show_spinner=False)
def stored_preview(sample: str, path: str) -> bytes:
    """A small JPEG of a photo in a dataset.

    Raises
    ------
    ImageError
        It has gone or cannot be read.
    """
    small = images.load(Path(path), shrink_to=PREVIEW_SIDE)
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    return _jpeg(small)


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


@st.cache_resource(max_entries=4, show_spinner=False)
def dataset_rejects(key: ReviewKey) -> pd.DataFrame:
    """Files that could not come in."""
    return read_rejects(Dataset(Path(key.folder)))


@st.cache_resource(max_entries=4, show_spinner=False)
def dataset_leaks(key: ReviewKey) -> pd.DataFrame:
    """Copies of one photo on both sides of the split."""
    return find_leaks(Dataset(Path(key.folder)))


@st.cache_data(max_entries=20, show_spinner=False)
def drawn_example(label: str, seed: int) -> bytes:
    """A small JPEG of a drawn sneaker."""
    return _jpeg(draw_photo(label, np.random.default_rng(seed), (256, 192)))


def run_metrics(folder: Path) -> pd.DataFrame:
    """What a run kept of each epoch; read anew when an epoch has been added."""
    try:
        status = (folder / METRICS_FILE).stat()
    except OSError:
        return read_metrics(folder)
    return _run_metrics(str(folder), status.st_mtime_ns, status.st_size)


@st.cache_resource(max_entries=50, show_spinner=False)
def _run_metrics(folder: str, changed: int, size: int) -> pd.DataFrame:
    return read_metrics(Path(folder))


def classes_of_run(folder: Path) -> int:
    """How many classes a run tells apart; 0 until it has read its photos."""
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
    """A PNG of a few photos, each as it is and then as a training sees it.

    Raises
    ------
    DatasetError
        There are no such photos, or none of them can be read.
    """
    samples = open_samples(key.folder, workspace, only)
    return contact_sheet(augmented_preview(samples, recipe, workspace, photos=3, variants=4))


@st.cache_resource(show_spinner=False)
def _measurer() -> ThreadPoolExecutor:
    # One at a time: two would measure each other.
    return ThreadPoolExecutor(1, "measure")


@st.cache_resource(show_spinner=False)
def _measured() -> dict[tuple[Path, Recipe, int, int], "Future[Estimate]"]:
    return {}


_MOST_MEASURED = 200
# Speeds that are known already are looked up within this many seconds, and need no second look at the page.
_LOOKED_UP_WITHIN = 0.3


def training_time(
    recipe: Recipe, photos: int, classes: int, workspace: Path, *, measure: bool
) -> "Estimate | Future[Estimate] | None":
    """How long a training will take on this machine.

    Parameters
    ----------
    recipe : Recipe
    photos, classes : int
    workspace : Path
        Keeps the speeds that were measured.
    measure : bool
        Whether to measure, beside the page, what nobody has asked for yet.

    Returns
    -------
    Estimate, Future or None
        The future while it is being measured, or where that failed; None where nobody has asked for it.
    """
    asked, key = _measured(), (workspace, recipe, photos, classes)
    if key not in asked:
        # What was asked for once is known for another number of photos as well.
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
