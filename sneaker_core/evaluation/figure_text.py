"""What the figures of an evaluation say, in plain words: one wording for pages, command line and report."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sneaker_core.evaluation.comparison import Comparison
from sneaker_core.evaluation.metrics import WITH_INTERVAL

# Below it a difference is taken for more than luck.
LUCK = 0.05

TITLES = {
    "top1": "Top-1 accuracy",
    "top3": "Top-3 accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro F1",
    "ece": "Calibration error",
}


@dataclass(frozen=True)
class Headline:
    """One of the key figures.

    Attributes
    ----------
    key : str
        In the figures of `metrics.summary`.
    title : str
    value, low, high : float
        The figure and its 95 % interval, 0 to 1.
    sentence : str
        What it says.
    """

    key: str
    title: str
    value: float
    low: float
    high: float
    sentence: str

    @property
    def shown(self) -> str:
        """The figure, for people: "94.0 %"."""
        return percent(self.value)

    @property
    def interval(self) -> str:
        """Where the figure lies in 95 of 100 such samples of photos: "92.0 % to 95.8 %"."""
        return f"{percent(self.low)} to {percent(self.high)}"


def percent(value: float) -> str:
    """A share with one decimal: "94.0 %"; a dash where there is none."""
    return "–" if math.isnan(value) else f"{100 * value:.1f} %"


def headlines(figures: Mapping[str, Any]) -> list[Headline]:
    """The key figures of `metrics.summary`, in the order of a page."""
    majority, n = float(figures["majority"]), int(figures["n"])
    sentences = {
        "top1": f"{round(figures['top1'] * n)} of {n} photos are answered right; always saying the commonest class "
        f"would be right for {percent(majority)}.",
        "top3": "The true class is among the three most probable ones.",
        "balanced_accuracy": "The mean over classes of the share answered right: rare classes count as much as common.",
        "macro_f1": "The mean over classes of F1, which is high only when photos of a class are found and nothing else "
        "is taken for it.",
        "ece": "How far, on average, the probability that is shown lies from how often it is right.",
    }
    return [
        Headline(key, TITLES[key], float(figures[key]), low, high, sentences[key])
        for key, (low, high) in ((key, figures["intervals"][key]) for key in WITH_INTERVAL)
    ]


def pair(row: Mapping[Any, Any]) -> str:
    """A row of `metrics.confused_pairs`: "Air Max 1 is taken for Air Max 90 in 6 of 20"."""
    return f"{row['label']} is taken for {row['predicted']} in {row['count']} of {row['of']}"


def left_out(figures: Mapping[str, Any]) -> list[str]:
    """A line for each class that was not judged."""
    return [
        f"not judged: {label} ({count} photos), a class the model does not know"
        for label, count in figures["left_out"].items()
    ]


def verdict(comparison: Comparison, name_a: str, name_b: str) -> str:
    """Which of two models is the better one, and whether that is more than luck."""
    fixed, broken = len(comparison.fixed), len(comparison.broken)
    if fixed == broken:
        return f"{name_a} and {name_b} answer equally many of {comparison.n} photos right."
    better = name_b if fixed > broken else name_a
    points = 100 * abs(fixed - broken) / comparison.n
    sure = comparison.p_value < LUCK
    luck = "more than luck" if sure else "which may be luck"
    chance = "below 0.001" if comparison.p_value < 0.001 else f"{comparison.p_value:.3f}"
    return f"{better} is right more often by {points:.1f} points, {luck} (p = {chance}).".replace("= below", "below")


def not_shared(comparison: Comparison) -> str | None:
    """How many photos could not be compared; None where all could."""
    if not comparison.only_a and not comparison.only_b:
        return None
    return (
        f"{comparison.n} photos are compared; {comparison.only_a} of the first and {comparison.only_b} of the second "
        "evaluation are not in the other, or stand there under another label."
    )
