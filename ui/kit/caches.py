"""Everything that is kept between two runs of a page and shared by all users: the only home of ``st.cache_*``.

A model is told by its folder *and* its version, so one that is trained anew under the same name is loaded anew; a
photo by the SHA-256 of its bytes. Arguments with a leading underscore are not part of a key.
"""

import concurrent.futures
import contextlib
import hashlib
import io
import zipfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from sneaker_core import images
from sneaker_core.datasets.dataset_collection import DatasetEntry, open_samples
from sneaker_core.datasets.index import Dataset, read_classes, read_filings, read_rejects, read_samples
from sneaker_core.datasets.quality.findings import read_families, read_findings, suggested_decisions
from sneaker_core.datasets.quality.scan import read_map
from sneaker_core.datasets.review_log import history
from sneaker_core.datasets.split import SPLIT_FILE, find_leaks, read_split
from sneaker_core.datasets.synthetic.rendering import draw_photo
from sneaker_core.datasets.thumbnails import THUMBNAIL_SIDE, make_thumbnail
from sneaker_core.errors import DatasetError
from sneaker_core.evaluation.comparison import Comparison, compare
from sneaker_core.evaluation.evaluation_collection import Evaluation, Halves, read_neighbours, read_table, with_photos
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.reliability import coverage_curve, reliability_bins
from sneaker_core.evaluation.slices import slices
from sneaker_core.inference.explanation.attributions import attribute
from sneaker_core.inference.explanation.explanation_request import Method, Question
from sneaker_core.inference.explanation.heat_maps import legend, overlay
from sneaker_core.inference.explanation.sanity_checks import Trust, check_trust
from sneaker_core.inference.model_service import shared_queue, slow_queue
from sneaker_core.inference.predictor import MAX_TOP, Answer, predict_bytes
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.checkpoint import load_model as load_from_folder
from sneaker_core.settings import ImageLimits
from sneaker_core.training.planning.augmentation_preview import augmented_preview, contact_sheet
from sneaker_core.training.planning.time_estimate import Estimate, estimate
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.run_collection import METRICS_FILE, read_metrics
from sneaker_core.workspace.paths import run_model_folder
from ui.kit.photo_files import Photo

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


def heat_map(
    key: ModelKey,
    photo: Photo,
    label: str,
    method: Method = Method.GRADCAM,
    versus: str | None = None,
    layer: str | None = None,
) -> NDArray[np.float32]:
    """How much each part of a photo speaks for a class, 0 to 1; as `attributions.attribute`."""
    return _heat_map(key.folder, key.version, photo.digest, Question(label, versus, method, layer), photo.data)


@st.cache_data(max_entries=300, show_spinner=False)
def _heat_map(folder: str, version: str, digest: str, question: Question, _data: bytes) -> NDArray[np.float32]:
    model = _model(folder, version)
    # The same pixels that the answer was made from.
    photo = images.decode(_data, shrink_to=model.spec.preprocessing.shrink_to)
    queue = slow_queue() if question.method.is_slow else shared_queue()
    asked = (question.target or "", question.method, question.versus, question.layer)
    heat: NDArray[np.float32] = queue.submit(attribute, model, [photo], *asked).result()[0]
    return heat


def heated_preview(
    key: ModelKey,
    photo: Photo,
    label: str,
    strength: float,
    method: Method = Method.GRADCAM,
    versus: str | None = None,
    layer: str | None = None,
    side: int = PREVIEW_SIDE,
) -> bytes:
    """The small JPEG with the heat map over it; quick enough not to be kept for every strength."""
    heat = heat_map(key, photo, label, method, versus, layer)
    with Image.open(io.BytesIO(preview(photo)), formats=("JPEG",)) as small:
        picture = small.convert("RGB")
    picture.thumbnail((side, side))
    return _jpeg(overlay(picture, heat, strength))


def laid_over(photo: Path, heat: Path, strength: float) -> bytes:
    """A small JPEG of a kept mean photo with its mean map (grey, 0 to 255) over it.

    Raises
    ------
    OSError
        One of them has gone or is damaged.
    """
    with Image.open(photo, formats=("PNG",)) as picture, Image.open(heat, formats=("PNG",)) as grey:
        shades = (np.asarray(grey.convert("L")) / 255).astype(np.float32)
        return _jpeg(overlay(picture.convert("RGB"), shades, strength))


@st.cache_data(max_entries=50, show_spinner=False)
def archive_pictures(archive: str, changed: int, most: int) -> list[tuple[str, bytes]]:
    """The first pictures of an archive of maps: name and small JPEG.

    Raises
    ------
    OSError, zipfile.BadZipFile
        It has gone or is damaged.
    """
    shown = []
    with zipfile.ZipFile(archive) as opened:
        for name in [name for name in opened.namelist() if name.endswith(".png")][:most]:
            with Image.open(io.BytesIO(opened.read(name)), formats=("PNG",)) as picture:
                small = picture.convert("RGB")
            small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
            shown.append((name, _jpeg(small)))
    return shown


@st.cache_data(show_spinner=False)
def colour_scale() -> bytes:
    """A small JPEG of the colours of a map, from nothing to most."""
    return _jpeg(legend(512, 14))


class Checking:
    """The checks of a map, while they are made and afterwards.

    Attributes
    ----------
    share : float
        How much is done, 0 to 1.
    future : Future of Trust
    """

    future: "Future[Trust]"

    def __init__(self) -> None:
        self.share = 0.0

    def told(self, share: float) -> None:
        """Between two pieces of the work: note how far it is, and let photos go first."""
        self.share = share
        shared_queue().give_way()


def checking(key: ModelKey, photo: Photo, question: Question) -> Checking:
    """The checks of the map that answers a question: begun when they are first asked for, and made beside the page.

    Raises
    ------
    BusyError
        Too much is being checked already.
    SneakerError
        They were made and failed; asked for again, they are made again.
    """
    asked = (key.folder, key.version, photo.digest, question)
    found = _checking(*asked, photo)
    if found.future.done() and found.future.exception() is not None:
        _checking.clear(*asked, photo)
        found.future.result()
    return found


@st.cache_resource(max_entries=100, show_spinner=False)
def _checking(folder: str, version: str, digest: str, question: Question, _photo: Photo) -> Checking:
    key, found = ModelKey(folder, version), Checking()
    heat = heat_map(key, _photo, question.target or "", question.method, question.versus, question.layer)
    model = load_model(key)
    seen = images.decode(_photo.data, shrink_to=model.spec.preprocessing.shrink_to)
    found.future = slow_queue().submit(check_trust, model, seen, question, heat, found.told)
    return found


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


@dataclass(frozen=True)
class EvaluationKey:
    """Which evaluation, in which version of its table, beside which photos.

    Attributes
    ----------
    folder, version : str
    home : str
        Folder of the dataset that its photos are in; empty where there is none.
    """

    folder: str
    version: str
    home: str = ""


def evaluation_key(evaluation: Evaluation, entries: Sequence[DatasetEntry]) -> EvaluationKey:
    """An evaluation as it is now, and the dataset that its photos are in.

    Parameters
    ----------
    evaluation : Evaluation
        One that is ready.
    entries : sequence of DatasetEntry
        The datasets there are, to look for photos in where the evaluation was not made on one.

    Raises
    ------
    SneakerError
        Its table is missing or damaged.
    """
    bare = EvaluationKey(str(evaluation.folder), evaluation.version)
    if evaluation.dataset_folder is not None:
        return replace(bare, home=str(evaluation.dataset_folder))
    there = tuple((str(entry.folder), entry.photos) for entry in entries if entry.photos)
    return replace(bare, home=_home_of(bare, there, evaluation))


@st.cache_data(max_entries=50, show_spinner=False)
def _home_of(key: EvaluationKey, entries: tuple[tuple[str, int], ...], _evaluation: Evaluation) -> str:
    """The dataset that has most of the photos; empty where none has any."""
    judged = set(evaluation_table(key, _evaluation)["sample"])
    shared = {}
    for folder, _ in entries:
        with contextlib.suppress(DatasetError):
            shared[folder] = len(judged & set(read_samples(Dataset(Path(folder)))["sample"]))
    best = max(shared, key=lambda folder: shared[folder], default="")
    return best if shared.get(best) else ""


def evaluation_table(key: EvaluationKey, evaluation: Evaluation) -> pd.DataFrame:
    """The prediction table, with the paths of the photos that are on this machine.

    Raises
    ------
    SneakerError
        It is missing or damaged.
    """
    return _evaluation_table(key, evaluation)


@st.cache_resource(max_entries=4, show_spinner="Reading the evaluation…")
def _evaluation_table(key: EvaluationKey, _evaluation: Evaluation) -> pd.DataFrame:
    table = read_table(_evaluation)
    if key.home and _evaluation.dataset_folder is None:
        with contextlib.suppress(DatasetError):  # the figures need no photos
            table = with_photos(table, Dataset(Path(key.home)))
    return table


def evaluation_figures(key: EvaluationKey, evaluation: Evaluation) -> dict[str, Any]:
    """All figures with their intervals, as `metrics.summary`.

    Raises
    ------
    SneakerError
        The table is missing or damaged, or the model knows none of its classes.
    """
    # Wherever the photos are, the figures are the same.
    return _evaluation_figures(key.folder, key.version, key, evaluation)


@st.cache_resource(max_entries=20, show_spinner="Working out the figures…")
def _evaluation_figures(folder: str, version: str, _key: EvaluationKey, _evaluation: Evaluation) -> dict[str, Any]:
    return summary(_evaluation_table(_key, _evaluation))


@st.cache_resource(max_entries=20, show_spinner=False)
def evaluation_curves(key: EvaluationKey, _evaluation: Evaluation) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The bins of the reliability diagram, and the coverage curve."""
    table = _evaluation_table(key, _evaluation)
    return reliability_bins(table), coverage_curve(table)


@st.cache_resource(max_entries=20, show_spinner=False)
def evaluation_slices(key: EvaluationKey, model: Path | None, _evaluation: Evaluation) -> pd.DataFrame:
    """Accuracy on groups of photos; by what they served the model as, where its folder is given."""
    splits = None
    if model is not None:
        with contextlib.suppress(DatasetError):
            splits = read_split(model)
    return slices(_evaluation_table(key, _evaluation), splits)


@st.cache_resource(max_entries=2, show_spinner=False)
def evaluation_neighbours(key: EvaluationKey, _evaluation: Evaluation) -> tuple[pd.DataFrame, Halves] | None:
    """Training photos with their embeddings, read from the disk as they are used.

    Raises
    ------
    SneakerError
        They are damaged.
    """
    return read_neighbours(_evaluation)


def compared(one: EvaluationKey, other: EvaluationKey, first: Evaluation, second: Evaluation) -> Comparison:
    """Two evaluations on the photos that both judged.

    Raises
    ------
    SneakerError
        They share no photo, or a table is missing or damaged.
    """
    return _compared(one, other, first, second)


@st.cache_resource(max_entries=4, show_spinner="Comparing photo by photo…")
def _compared(one: EvaluationKey, other: EvaluationKey, _first: Evaluation, _second: Evaluation) -> Comparison:
    return compare(_evaluation_table(one, _first), _evaluation_table(other, _second))


def small_photo(path: str) -> bytes:
    """A small JPEG of a photo that no dataset keeps a thumbnail of.

    Raises
    ------
    ImageError
        It cannot be read.
    OSError
        It has gone.
    """
    return _small_photo(path, Path(path).stat().st_mtime_ns)


@st.cache_data(max_entries=500, show_spinner=False)
def _small_photo(path: str, changed: int) -> bytes:
    return make_thumbnail(images.load(Path(path), shrink_to=2 * THUMBNAIL_SIDE))


def photo_file(name: str, path: str) -> Photo:
    """A photo on the disk as if it had been handed in, for `preview` and `heat_map`.

    Raises
    ------
    ImageError
        It is too large.
    OSError
        It has gone.
    """
    file, limits = Path(path), ImageLimits.from_environment()
    if file.stat().st_size > limits.max_bytes:
        images.load(file, limits)  # it says what is wrong
    data = file.read_bytes()
    return Photo(name, file.name, hashlib.sha256(data).hexdigest(), data)
