"""The metrics of an evaluation in plain English: one wording for pages, reports and the command line."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sneaker_core.datasets.split import Split
from sneaker_core.evaluation.class_results import ClassResult
from sneaker_core.evaluation.comparison import Comparison
from sneaker_core.evaluation.metrics import KEY_METRICS
from sneaker_core.evaluation.photo_uses import use_warning, used_photos_text
from sneaker_core.evaluation.worlds import WorldMetrics
from sneaker_core.number_text import counted, percent
from sneaker_core.workspace.clean_names import near_names, near_names_text

# A difference with a p-value below this is called significant.
SIGNIFICANCE_LEVEL = 0.05

TITLES = {
    "top1": "Top-1 accuracy",
    "top3": "Top-3 accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro F1",
    "ece": "Calibration error",
}
OTHER_CLASSES = "The two models know different classes, so one of them had more to choose from."
NEW_TO_BOTH = "Neither model, nor one that it started from, was trained on or tuned with these photos."
_SOME_USED = "A model was trained on or tuned with these photos, so they don't show how it does on new ones."
BASELINE = "Baseline"
BASELINE_DESCRIPTION = "Accuracy if you always guess the most common class."


@dataclass(frozen=True)
class KeyMetric:
    """A key metric with its explanation.

    Attributes
    ----------
    key : str
        Its name in `metrics.summary`.
    title : str
    value, low, high : float
        The value and its 95% interval, 0 to 1.
    description : str
        What it means, in one sentence.
    """

    key: str
    title: str
    value: float
    low: float
    high: float
    description: str

    @property
    def value_text(self) -> str:
        """The value: "94.3%"."""
        return percent(self.value, 1)

    @property
    def interval_text(self) -> str:
        """The 95% interval: "92.0% to 95.8%"."""
        return f"{percent(self.low, 1)} to {percent(self.high, 1)}"


def headline(metrics: Mapping[str, Any]) -> str:
    """What an evaluation found, in one sentence without a period; no percentage of photos that taught the model."""
    top1, majority, use = metrics["top1"], metrics["majority"], metrics["use"]
    if use == Split.TRAIN.value:
        return "The model was trained on all of these photos, so they don't show how accurate it is"
    if top1 <= majority:
        return f"{percent(top1)} accuracy: no better than always guessing the most common class"
    return f"{percent(top1)} of the {'validation ' if use else ''}photos are predicted correctly"


def use_lines(metrics: Mapping[str, Any]) -> list[str]:
    """What the model used photos for, if that matters: why some don't count, and why the numbers say little."""
    return [text for text in (use_warning(metrics["use"]), used_photos_text(metrics["used"])) if text]


def key_metrics(metrics: Mapping[str, Any]) -> list[KeyMetric]:
    """The key metrics of `metrics.summary`, in display order."""
    n = int(metrics["n"])
    descriptions = {
        "top1": f"{round(metrics['top1'] * n):,} of {counted(n, 'photo')} predicted correctly.",
        "top3": "The true class is among the three most probable classes.",
        "balanced_accuracy": "Average accuracy per class, so rare classes count as much as common ones.",
        "macro_f1": "Average F1 score per class. It is high only if both precision and recall are.",
        "ece": "Average difference between confidence and accuracy. Lower is better.",
    }
    return [
        KeyMetric(key, TITLES[key], float(metrics[key]), low, high, descriptions[key])
        for key, (low, high) in ((key, metrics["intervals"][key]) for key in KEY_METRICS)
    ]


def pair_text(row: Mapping[Any, Any]) -> str:
    """A row of `metrics.confused_pairs`: "Air Max 1 predicted as Air Max 90 (6 of 20)"."""
    return f"{row['label']} predicted as {row['predicted']} ({row['count']:,} of {row['of']:,})"


def right_text(result: ClassResult) -> str:
    """How often the model is right on a class: "right on 21 of 23 test photos"."""
    return f"right on {result.right:,} of {counted(result.photos, 'test photo')}"


def mix_up_texts(result: ClassResult) -> dict[str, str]:
    """The usual mix-ups of a class, by the other class, such as "most often taken for Nike Dunk: 3 of 23"."""
    others = result.photos - result.right - result.mixed_up * len(result.mix_ups)
    how, count = "most often" if others else "otherwise", f"{result.mixed_up:,} of {result.photos:,}"
    return {name: f"{how} taken for {name}: {count}" for name in result.mix_ups}


def world_text(world: WorldMetrics) -> str:
    """The metrics of a world in one line: "phone: 100 photos, top-1 94.0%, top-3 99.0%, refused 5.0%, …"."""
    shares = [("top-1", world.top1), ("top-3", world.top3), ("refused", world.refused)]
    shares += [("right when named", world.right_when_named), ("unknown class named", world.named_unknown)]
    parts = [f"{name} {share.text}" for name, share in shares if share.n]
    return f"{world.world}: {counted(world.photos, 'photo')}, {', '.join(parts)}"


def rank_text(rank: float) -> str:
    """Rank of the true class among the predictions: "true class ranked 2nd"."""
    if math.isnan(rank):
        return "class unknown to the model"
    number = int(rank)
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"true class ranked {number}{ending}"


def unknown_class_lines(metrics: Mapping[str, Any]) -> list[str]:
    """One line for each class that was not evaluated."""
    return [
        f"not evaluated: {label} ({counted(count, 'photo')}), a class that the model doesn't know"
        for label, count in metrics["left_out"].items()
    ]


def renamed_class_lines(renamed: Mapping[str, str]) -> list[str]:
    """One line for each class of the photos that counted as a class of the model with another name."""
    return [f"{old} was counted as {new}, the model's name" for old, new in renamed.items()]


def near_class_lines(metrics: Mapping[str, Any], classes: Iterable[str]) -> list[str]:
    """A line that offers the model's names for classes that were not evaluated, if some differ only in spelling."""
    near = near_names(metrics["left_out"], classes)
    return [f"{near_names_text(near)} To count these photos, evaluate again with matched names."] if near else []


def verdict(comparison: Comparison, name_a: str, name_b: str) -> str:
    """Which of two models is more accurate, and whether the difference is significant; without a period."""
    fixed, broken = len(comparison.fixed), len(comparison.broken)
    if fixed == broken:
        return f"{name_a} and {name_b} are equally accurate on {counted(comparison.n, 'photo')}"
    better = name_b if fixed > broken else name_a
    points = 100 * abs(fixed - broken) / comparison.n
    significance = "significant" if comparison.p_value < SIGNIFICANCE_LEVEL else "not significant"
    return f"{better} is more accurate by {points:.1f} percentage points; {significance} ({p_text(comparison.p_value)})"


def gain_text(comparison: Comparison) -> str:
    """What the second model gained: "On the same 188 test photos: 86.2% → 88.3% right, +2.1 points; may be luck …"."""
    before, after = (metrics["top1"] for metrics in (comparison.metrics_a, comparison.metrics_b))
    return gain_sentence(counted(comparison.n, "test photo"), before, after, comparison.p_value)


def gain_sentence(photos: str, before: float, after: float, p_value: float) -> str:
    """What a change gained on some photos, such as "188 test photos"; shares from 0 to 1 and McNemar's p-value."""
    if before == after:
        return f"On the same {photos}: {percent(before, 1)} right, as before."
    luck = "unlikely to be luck" if p_value < SIGNIFICANCE_LEVEL else "may be luck"
    points = f"{100 * (after - before):+.1f}".replace("-", "\u2212")
    shares = f"{percent(before, 1)} → {percent(after, 1)} right, {points} points"
    return f"On the same {photos}: {shares}; {luck} ({p_text(p_value)})."


def p_text(p_value: float) -> str:
    """A p-value: "p = 0.012"."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def compared_photos_text(comparison: Comparison) -> str:
    """Which photos two evaluations are compared on: how many, whether a model had used them, and what is missing."""
    text = f"Compared on {counted(comparison.n, 'shared photo')}."
    unused = not comparison.metrics_a["use"] and not comparison.metrics_b["use"]
    text = f"{text} {_newness_text(comparison.unknown_training) if unused else _SOME_USED}"
    missing = [
        f"{counted(photos, 'photo')} of the {which} evaluation"
        for which, photos in (("first", comparison.only_a), ("second", comparison.only_b))
        if photos
    ]
    if not missing:
        return text
    one = comparison.only_a + comparison.only_b == 1
    there = "is missing from the other, has" if one else "are missing from the other, have"
    known = f"{'was' if one else 'were'} used to train or tune its model"
    return f"{text} {' and '.join(missing)} {there} a different label there, or {known}."


def _newness_text(unknown: Sequence[str]) -> str:
    """Whether photos that no model is known to have used are new, given the models of which that isn't known."""
    if not unknown:
        return NEW_TO_BOTH
    if len(unknown) > 1:
        return "It isn't known which photos the models were trained on, so these may be among them."
    return (
        f"It isn't known which photos {unknown[0]} was trained on, so these may be among them. "
        "The other model was not trained on or tuned with them."
    )
