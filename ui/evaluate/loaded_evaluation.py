"""The evaluation that the page shows, with everything its sections need."""

import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from sneaker_core.datasets.index import INDEX_FILE, Dataset
from sneaker_core.datasets.review_log import Action
from sneaker_core.datasets.thumbnails import ensure_thumbnail
from sneaker_core.errors import DatasetError, ImageError
from sneaker_core.evaluation.evaluation_files import find_model_of
from sneaker_core.evaluation.evaluation_record import Evaluation
from sneaker_core.workspace.paths import workspace
from ui.evaluate import evaluation_metrics_cache
from ui.evaluate.evaluate_keys import Key
from ui.kit import dataset_cache, evaluation_cache, model_cache, photo_previews
from ui.kit.review_section import Section

_REVIEW = "evaluation"


@dataclass(frozen=True, eq=False)
class LoadedEvaluation:
    """An evaluation and its prediction table.

    Attributes
    ----------
    evaluation : Evaluation
    key : EvaluationKey
    table : DataFrame
        The prediction table, with paths for the photos on this computer.
    """

    evaluation: Evaluation
    key: evaluation_cache.EvaluationKey
    table: pd.DataFrame

    def widget(self, key: Key, item: str = "") -> str:
        """The key of a widget that exists once per evaluation."""
        return key.of(self.place(item))

    def place(self, item: str = "") -> str:
        """Distinguishes this evaluation, and something in it, from all others; safe in CSS, so names are hashed."""
        return f"{self.evaluation.kind.value}-{zlib.crc32(self.evaluation.name.encode()):08x}-{item}"

    @property
    def metrics(self) -> dict[str, Any]:
        """From `metrics.summary`."""
        return evaluation_metrics_cache.evaluation_metrics(self.key, self.evaluation)

    @cached_property
    def has_photos(self) -> bool:
        """Whether any of its photos is on this computer."""
        return bool(self.table["path"].notna().any())

    @cached_property
    def dataset(self) -> Dataset | None:
        """The dataset that has its photos; None if there is none."""
        folder = Path(self.key.home) if self.key.home else None
        return Dataset(folder) if folder is not None and (folder / INDEX_FILE).is_file() else None

    @property
    def section(self) -> Section | None:
        """Where photos of that dataset are reviewed."""
        return None if self.dataset is None else Section(_REVIEW, self.dataset)

    def model_folder(self) -> Path:
        """Folder of the evaluated model.

        Raises
        ------
        ModelNotFoundError
            The model was deleted or trained again.
        """
        return find_model_of(workspace(), self.evaluation)

    def model_key(self) -> model_cache.ModelKey | None:
        """The model's key for the caches; None if the model is gone."""
        return evaluation_cache.evaluated_model(self.evaluation)


def load_evaluation(evaluation: Evaluation) -> LoadedEvaluation:
    """Load an evaluation.

    Raises
    ------
    SneakerError
        It can't be read.
    """
    return LoadedEvaluation(evaluation, *evaluation_cache.open_evaluation(evaluation))


@dataclass(frozen=True, eq=False)
class Reviews:
    """Review decisions on the photos of an evaluation.

    Attributes
    ----------
    rows : DataFrame
        From `dataset_cache.reviewed_photos`.
    last : dict of str to str
        Sample -> latest decision that was not undone: "keep", "relabel" or "exclude".
    """

    rows: pd.DataFrame
    last: dict[str, str]

    def badge(self, sample: str) -> str:
        """Markdown badge of the decision on a photo; empty if there is none."""
        return {
            "keep": ":green-badge[:material/check: kept]",
            "exclude": ":red-badge[:material/block: excluded]",
            "relabel": ":blue-badge[:material/label: relabeled]",
        }.get(self.last.get(sample, ""), "")


def reviews_of(loaded: LoadedEvaluation) -> Reviews | None:
    """Decisions on its photos so far; None if they are in no dataset."""
    if loaded.dataset is None:
        return None
    try:
        key = dataset_cache.review_key(loaded.dataset)
        log = dataset_cache.decisions(key)
        of_photos = log["undone"].isna() & (log["action"] != Action.MERGE)
        standing = log[of_photos].drop_duplicates("sample")  # newest first
        last = dict(zip(standing["sample"], standing["action"], strict=True))
        return Reviews(dataset_cache.reviewed_photos(key), last)
    except DatasetError:
        return None


def read_thumbnail(loaded: LoadedEvaluation, sample: str, path: object) -> bytes:
    """A small JPEG of a photo.

    Raises
    ------
    ImageError
        The photo is not on this computer or can't be read.
    OSError
        The file is missing.
    """
    if not isinstance(path, str):
        raise ImageError(missing_photo_text(path))
    if loaded.dataset is not None and Path(path).is_relative_to(loaded.dataset.images):
        return ensure_thumbnail(loaded.dataset, sample, Path(path)).read_bytes()
    return photo_previews.small_photo(path)


def missing_photo_text(path: object) -> str:
    """Why a photo can't be shown."""
    if isinstance(path, str):
        return "The photo file is missing or can’t be read."
    return "This photo is not included with the evaluation."
