"""Records of trainings and searches: run.json, metrics.jsonl, watch.json, saved states, study.json, cached arrays."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar

from msgspec import Meta

from sneaker_core.records.fields import Checksum, Count, Duration, Moment, PathText, Setting, Share
from sneaker_core.records.model_records import InstalledRecord
from sneaker_core.records.reading import Record


class RunFile(Record):
    """A run while it trains and afterwards: ``run.json``."""

    newest_format: ClassVar[int | None] = 2
    old_names: ClassVar[Mapping[str, str]] = MappingProxyType({"others": "negatives"})

    format: Annotated[int, Meta(ge=1)] = 1
    dataset: str = ""
    source: PathText = ""
    only: list[str] = []
    negatives: PathText | None = None
    # Id of the run whose split is kept.
    repeats: str | None = None
    recipe: dict[str, Setting] = {}
    recipe_name: str | None = None
    photos: str | None = None
    rejected: dict[str, str] = {}
    counts: dict[str, Count] = {}
    created: Moment | None = None
    seconds: Duration = 0.0
    state: str | None = None
    error: str | None = None
    # Of a model that was taught by example, without a training: the model that it is a copy of.
    taught_from: str | None = None
    # Of a model that was installed from a file, without a training here.
    installed: InstalledRecord | None = None


class ConfusionRow(Record):
    """How many photos of a class were predicted as another."""

    label: str
    predicted: str
    count: Count
    of: Count


class FavoriteRecord(Record):
    """The class that was predicted most often."""

    label: str
    share: Share


class WatchedAnswer(Record):
    """The prediction for a watched photo."""

    label: str
    probability: Share


class MetricsRow(Record):
    """The metrics of an epoch: a line of ``metrics.jsonl``. A loss that diverged is NaN or None."""

    epoch: Annotated[int, Meta(ge=0, le=1_000_000)]
    loss: float | None = None
    accuracy: float | None = None
    learning_rate: float | None = None
    images_per_second: float | None = None
    seconds: float | None = None
    val_loss: float | None = None
    val_top1: float | None = None
    val_top3: float | None = None
    confusions: list[ConfusionRow] | None = None
    favourite: FavoriteRecord | None = None
    watched: list[WatchedAnswer] | None = None


class WatchedRow(Record):
    """A validation photo that a run watches: an entry of ``watch.json``."""

    sample: str
    label: str
    thumbnail: PathText


class StateFile(Record):
    """What a saved training state is, and its checksum."""

    epochs: Count
    sha256: Checksum


class StudyFile(Record):
    """The settings of a search: ``study.json``."""

    newest_format: ClassVar[int | None] = 2
    old_names: ClassVar[Mapping[str, str]] = MappingProxyType({"others": "negatives"})

    dataset: str
    source: PathText
    created: Moment
    format: Annotated[int, Meta(ge=1)] = 1
    recipe: dict[str, Setting] | None = None
    fixed: list[str] = []
    networks: list[str] = []
    only: list[str] = []
    negatives: PathText | None = None
    minutes: Annotated[float, Meta(ge=0, le=1e7)] = 0.0
    trial_epochs: Annotated[int, Meta(ge=1, le=1000)] | None = None
    trial_size: Annotated[int, Meta(ge=8, le=4096)] | None = None
    # Before format 2: a preset and the settings that differ from it.
    recipe_name: str = ""
    changes: dict[str, Setting] = {}


class ArrayContents(Record):
    """What a cached array lacks: photos that could not be read, by name, with the reason."""

    rejected: dict[str, str] = {}


class ArrayFile(Record):
    """What a cached array is."""

    shape: Annotated[list[Count], Meta(min_length=1, max_length=8)]
    dtype: Annotated[str, Meta(pattern=r"^(u?int|float)\d{1,2}$")]
    about: ArrayContents


class SpeedRow(Record):
    """A measured speed in photos per second, and when it expires."""

    speed: Annotated[float, Meta(gt=0, le=1e15)]
    until: Annotated[float, Meta(ge=0, le=1e15)]
