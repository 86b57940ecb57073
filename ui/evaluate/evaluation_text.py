"""Texts about an evaluation on the Evaluate page."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from sneaker_core.datasets.split import Split
from sneaker_core.evaluation.evaluation_record import Evaluation, Kind
from sneaker_core.networks.bundled_models import REPLACED_MODELS
from sneaker_core.number_text import counted
from sneaker_core.workspace.jobs import JobState
from ui.kit.labels import DAMAGED, STATE_LABELS, bundled_title, evaluation_title

_SOURCES = {Kind.STORED: "Created here", Kind.BUNDLED: "Bundled with the model", Kind.RUN: "Training run"}
_OLD_RUN_SUFFIX = ", after its training"
SPLITS: dict[str | None, str] = {
    None: "All photos",
    Split.TEST.value: "Test photos",
    Split.VAL.value: "Validation photos",
    Split.TRAIN.value: "Training photos",
}
_SPLIT_TEXTS = {
    Split.TEST.value: "test photos, which were not used in training",
    Split.VAL.value: "validation photos, which were used to tune the model",
    Split.TRAIN.value: "training photos, which the model has already seen",
}
_MOST_CLASSES = 8


def old_display_names(evaluations: Iterable[Evaluation]) -> dict[str, str]:
    """Display names in addresses of older versions -> current ones."""
    runs = (one for one in evaluations if one.kind is Kind.RUN)
    names = {f"{one.name}{_OLD_RUN_SUFFIX}": evaluation_title(one) for one in runs}
    return {**names, **{bundled_title(old): bundled_title(new) for old, new in REPLACED_MODELS.items()}}


def source_text(evaluation: Evaluation) -> str:
    """Where an evaluation comes from, in a few words."""
    return "Installed with the model" if evaluation.installed_from else _SOURCES[evaluation.kind]


def state_text(evaluation: Evaluation) -> str:
    """State of an evaluation, in one word."""
    if evaluation.problem is not None and evaluation.state is JobState.DONE:
        return DAMAGED.word
    return STATE_LABELS[evaluation.state].word


def photos_text(evaluation: Evaluation) -> str:
    """Which photos were evaluated: "550 test photos, which were not used in training"."""
    if evaluation.split_of_data:
        return (
            f"{evaluation.n:,} photos of the dataset’s own {evaluation.split} split, none of which the model is known "
            "to have seen"
        )
    if evaluation.split in _SPLIT_TEXTS:
        return f"{evaluation.n:,} {_SPLIT_TEXTS[evaluation.split]}"
    return counted(evaluation.n, "photo")


def unknown_classes_text(left_out: Mapping[str, int]) -> str:
    """Which classes the model doesn't know, in one sentence; class names are not escaped."""
    names = sorted(left_out, key=lambda name: (-left_out[name], name))
    listed = ", ".join(f"{name} ({counted(left_out[name], 'photo')})" for name in names[:_MOST_CLASSES])
    more = f" and {len(names) - _MOST_CLASSES} more" if len(names) > _MOST_CLASSES else ""
    classes, them = counted(len(names), "class", "classes"), "it" if len(names) == 1 else "them"
    return f"{classes} could not be evaluated because the model doesn’t know {them}: {listed}{more}."


def unreadable_text(rejected: Mapping[str, str]) -> str:
    """How many photos could not be read, and why."""
    reasons = " ".join(sorted(set(rejected.values()))[:2])
    return f"{counted(len(rejected), 'photo')} could not be read. {reasons}"


def properties_text(row: Mapping[Any, Any]) -> str:
    """Properties of a photo: "640 × 480 pixels, brightness 0.41, sharpness 0.63"."""
    texts = []
    if not math.isnan(row["width"]):
        texts.append(f"{row['width']:.0f} × {row['height']:.0f} pixels")
    texts += [f"{name} {row[name]:.2f}" for name in ("brightness", "sharpness") if not math.isnan(row[name])]
    return ", ".join(texts)


def cell_text(count: int, of: int, label: str | None, predicted: str | None) -> str:
    """What a cell, row or column of the matrix holds; class names must be escaped already."""
    if label is None:
        return f"{counted(count, 'photo')} predicted as {predicted}"
    if predicted is None:
        return f"{counted(count, 'photo')} of {label}"
    if label == predicted:
        return f"{count:,} of {counted(of, 'photo')} of {label} predicted correctly"
    return f"{count:,} of {counted(of, 'photo')} of {label} predicted as {predicted}"
