"""What there is to say of a model: its key figures, and the facts of its card as plain values, for JSON."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from sneaker_core.evaluation.evaluation_collection import own_evaluation
from sneaker_core.evaluation.worlds import WorldMetrics
from sneaker_core.networks.bundled_models import replacement_note
from sneaker_core.networks.checkpoint import ModelSpec
from sneaker_core.networks.model_registry import (
    DamagedModel,
    ModelEntry,
    ModelValues,
    damaged_models,
    find_entry_anywhere,
    find_named_entry,
    list_models,
)
from sneaker_core.networks.sneaker_groups import numbers_by_group
from sneaker_core.records.fields import Count, Share
from sneaker_core.records.model_records import WorldRecord


class DescribedModelValues(ModelValues):
    """A model with its figures on its own test photos.

    Attributes
    ----------
    worlds : list of World
        The named sources of the photos that it was tested on, least accurate first; empty if they have no names.
    """

    worlds: list[WorldRecord]


class ThresholdValues(TypedDict):
    """What turns the network's outputs into an answer.

    Attributes
    ----------
    confidence : float
        The answer is "known" from this probability on.
    fitted_confidence : float or null
        The fitted threshold, if a user has since set another one.
    ood : float or null
        The answer is "unknown" when the out-of-distribution score is above it; null if it never is.
    temperature : float
        Logits are divided by it before the softmax.
    """

    confidence: Share
    fitted_confidence: Share | None
    ood: float | None
    temperature: float


class InputValues(TypedDict):
    """The size that photos are resized to, in pixels.

    Attributes
    ----------
    height, width : int
    mirrored : bool
        Whether outputs are averaged over the photo and its mirror image.
    """

    height: int
    width: int
    mirrored: bool


class RefusedValues(TypedDict):
    """How many test photos that show no sneaker of the model's were refused.

    Attributes
    ----------
    n : int
        Such photos.
    found : float
        Share of them with the answer "unknown", 0 to 1.
    """

    n: Count
    found: Share


class ModelFacts(DescribedModelValues):
    """The facts of a model's card.

    Attributes
    ----------
    note : str or null
        Said if another name was asked for, which this model has replaced.
    groups : object
        Name of each group of look-alikes that an answer can fall back to, with its classes.
    footwear_types : list of str
        Types of other footwear that it tells from sneakers.
    tells_no_footwear : bool
        Whether it learned photos that show no footwear at all.
    thresholds : Thresholds
    input : Input
    photos : object
        Photos of each class by split; empty if they were not recorded.
    refused : object
        Test photos without footwear ("negatives") and of other footwear ("other_footwear"), where there were any.
    macro_f1 : float or null
        Unweighted mean over the classes, on the test photos.
    recipe : str or null
        Name of the recipe it was trained with.
    fingerprint : str or null
        Identifies the photos that it was trained on.
    versions : object
        Versions of the libraries it was trained with.
    """

    note: str | None
    groups: dict[str, list[str]]
    footwear_types: list[str]
    tells_no_footwear: bool
    thresholds: ThresholdValues
    input: InputValues
    photos: dict[str, dict[str, Count]]
    refused: dict[str, RefusedValues]
    macro_f1: Share | None
    recipe: str | None
    fingerprint: str | None
    versions: dict[str, str]


def described_models(workspace: Path) -> list[DescribedModelValues]:
    """All models with their metrics, and the worlds that they were tested in.

    Damaged ones come last; their "problem" says what is wrong.
    """
    entries = [described(entry, tested_worlds(entry)) for entry in list_models(workspace)]
    damaged = damaged_models(workspace).values()
    return [*entries, *map(_damaged, damaged)]


def _damaged(model: DamagedModel) -> DescribedModelValues:
    return {**model.to_dict(), "worlds": []}


def tested_worlds(entry: ModelEntry) -> tuple[WorldMetrics, ...]:
    """The worlds of a model's own test photos, least accurate first."""
    tested = own_evaluation(entry.folder, entry.bundled)
    return () if tested is None else tuple(tested.worlds)


def described(entry: ModelEntry, worlds: Sequence[WorldMetrics]) -> DescribedModelValues:
    """A model with its figures in the given worlds."""
    records: Any = [one.to_dict() for one in worlds]  # the plain values of such records
    return {**entry.to_dict(), "worlds": records}


def model_facts(workspace: Path, name: str, *, anywhere: bool = False) -> ModelFacts:
    """The facts of a model's card.

    Parameters
    ----------
    workspace : Path
    name : str
        Of a bundled model or a run; a former name leads to the model that replaced it.
    anywhere : bool
        Whether it may also be a path, as for `find_model`; not for untrusted names.

    Raises
    ------
    ModelNotFoundError
        There is no model of that name.
    CheckpointError
        It is damaged.
    """
    entry = (find_entry_anywhere if anywhere else find_named_entry)(workspace, name)
    return entry_facts(entry, tested_worlds(entry), replacement_note(name))


def entry_facts(entry: ModelEntry, worlds: Sequence[WorldMetrics], note: str | None = None) -> ModelFacts:
    """The facts of a model's card, with its figures in the given worlds and a note for whoever asked for it."""
    spec = entry.spec
    metrics, recipe = spec.metrics, spec.recipe.get("name")
    return {
        **described(entry, worlds),
        "note": note,
        "groups": {
            group: [spec.classes[number] for number in numbers]
            for group, numbers in numbers_by_group(spec.classes).items()
        },
        "footwear_types": list(spec.footwear_types),
        "tells_no_footwear": spec.has_negatives_class,
        "thresholds": _thresholds(spec),
        "input": {
            "height": spec.preprocessing.height,
            "width": spec.preprocessing.width,
            "mirrored": spec.preprocessing.mirrored,
        },
        "photos": spec.data.get("classes") or {},
        "refused": {kind: {"n": one["n"], "found": one["found"]} for kind, one in _refused(metrics).items()},
        "macro_f1": (metrics.get("test") or {}).get("macro_f1"),
        "recipe": None if recipe is None else str(recipe),
        "fingerprint": spec.data.get("fingerprint"),
        "versions": spec.versions,
    }


def _thresholds(spec: ModelSpec) -> ThresholdValues:
    ood = spec.decision.ood_threshold
    return {
        "confidence": spec.decision.confidence_threshold,
        "fitted_confidence": spec.fitted_confidence_threshold,
        "ood": ood if math.isfinite(ood) else None,
        "temperature": spec.decision.temperature,
    }


def _refused(metrics: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    kinds = {kind: metrics.get(kind) or {} for kind in ("negatives", "other_footwear")}
    return {kind: one for kind, one in kinds.items() if one.get("n")}
