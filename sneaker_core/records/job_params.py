"""Params of jobs: what each kind of job was asked to do. Fields that another kind of record checks are only typed."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar

from msgspec import Meta

from sneaker_core.records.fields import Count, Name, PathText, Setting, Share
from sneaker_core.records.reading import Record

_Side = Annotated[int, Meta(ge=1, le=100_000)]


class CollectClassRecord(Record):
    """A class to collect photos of."""

    name: str
    terms: str = ""


class ImportParams(Record):
    """Params of "dataset_import"."""

    dataset: str
    source: PathText
    shown_name: PathText | None = None
    world: str | None = None
    layout: str = "auto"


class CollectParams(Record):
    """Params of "dataset_collect"."""

    dataset: str
    classes: list[CollectClassRecord] = []
    per_class: Count | None = None
    templates: list[str] | None = None
    excluded: list[str] | None = None
    sku_file: PathText | None = None


class DemoParams(Record):
    """Params of "dataset_demo"."""

    dataset: str
    per_class: Count | None = None
    seed: Count | None = None


class ScanParams(Record):
    """Params of "dataset_scan"."""

    dataset: str
    model: str | None = None
    with_model: bool = True


class CorrectModelParams(Record):
    """Params of "correct_model"."""

    dataset: str
    model: str
    name: str | None = None


class RecipeParams(Record):
    """Params of "find_lr", and what those of "train" have in common with them."""

    dataset: PathText = ""
    recipe: dict[str, Setting] = {}
    # Before format 2: a preset and the settings that differ from it.
    recipe_name: str = ""
    changes: dict[str, Setting] = {}
    classes: list[str] = []
    negatives: PathText | None = None
    steps: Count | None = None


class TrainParams(RecipeParams, kw_only=True):
    """Params of "train"."""

    run: Name
    # Id of the run whose split is kept.
    repeats: Name | None = None


class SearchParams(Record):
    """Params of "search"."""

    study: Name
    trials: Count | None = None
    minutes: Annotated[float, Meta(gt=0, le=1e7)] | None = None


class EvaluateParams(Record):
    """Params of "evaluate"."""

    old_names: ClassVar[Mapping[str, str]] = MappingProxyType({"neighbours": "neighbors"})

    model: PathText
    # Empty for an evaluation in a shell.
    evaluation: str = ""
    dataset: PathText = ""
    worlds: dict[str, PathText] = {}
    split: str | None = None
    neighbors: bool = True
    rename: dict[str, str] = {}


class RobustnessParams(Record):
    """Params of "robustness"."""

    evaluation: Name


class ExplainPhotosParams(Record):
    """Params of "explain_photos"."""

    model: PathText | None = None
    dataset: PathText | None = None
    labels: list[str] = []
    photos: list[PathText] = []
    target: str | None = None
    versus: str | None = None
    method: str | None = None
    layer: str | None = None
    opacity: Share | None = None
    max_side: _Side | None = None
    sanity_check: bool | None = None


class ClassMapsParams(Record):
    """Params of "class_maps"."""

    evaluation: Name
    evaluation_kind: str | None = None
    labels: list[str] = []
    method: str | None = None
    layer: str | None = None
    dataset: PathText | None = None
    cap: Count | None = None


class ExportParams(Record):
    """Params of "export"."""

    model: PathText
    format: Annotated[str, Meta(pattern="^(onnx|onnx-int8)$")] = "onnx"


class FollowParams(Record):
    """Params of "follow"."""

    # Empty for work in a shell.
    clip: str = ""
    model: PathText | None = None


# Kind of job -> what its params may be.
JOB_PARAMS: Mapping[str, type[Record]] = MappingProxyType(
    {
        "dataset_import": ImportParams,
        "dataset_collect": CollectParams,
        "dataset_demo": DemoParams,
        "dataset_scan": ScanParams,
        "correct_model": CorrectModelParams,
        "train": TrainParams,
        "find_lr": RecipeParams,
        "search": SearchParams,
        "evaluate": EvaluateParams,
        "robustness": RobustnessParams,
        "explain_photos": ExplainPhotosParams,
        "class_maps": ClassMapsParams,
        "export": ExportParams,
        "follow": FollowParams,
    }
)
