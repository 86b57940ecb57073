"""Robustness: how accuracy changes when photos are changed in ways that leave the sneaker recognizable.

Hendrycks and Dietterich (2019), "Benchmarking neural network robustness to common corruptions and perturbations";
Geirhos et al. (2020), "Shortcut learning in deep neural networks".
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from sneaker_core.evaluation.photo_changes import BY_KEY, PhotoChange
from sneaker_core.evaluation.worlds import Share
from sneaker_core.number_text import percent

ORIGINAL = "original"
# A drop of less is not worth a sentence.
_NOTABLE = 0.05


@dataclass(frozen=True)
class ChangeMetrics:
    """Accuracy on changed photos.

    Attributes
    ----------
    change : PhotoChange
    n : int
        Photos that could be changed in this way.
    before, after : Share
        Accuracy on these photos, original and changed.
    flipped : int
        Photos that were right before and are wrong after.
    """

    change: PhotoChange
    n: int
    before: Share
    after: Share
    flipped: int

    @property
    def drop(self) -> float:
        """Loss of accuracy, -1 to 1."""
        return self.before.value - self.after.value

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        shares = {
            "before": self.before.value,
            "after": self.after.value,
            "low": self.after.low,
            "high": self.after.high,
        }
        return {"change": self.change.key, "n": self.n, **shares, "flipped": self.flipped}


def robustness_metrics(table: pd.DataFrame) -> list[ChangeMetrics]:
    """Accuracy for each change, largest loss first.

    Parameters
    ----------
    table : DataFrame
        From `changed_photos.robustness_table`.
    """
    correct = table.assign(correct=table["label"] == table["predicted"])
    original = correct[correct["change"] == ORIGINAL].set_index("sample")["correct"]
    original = original[~original.index.duplicated()]
    found = []
    for key, rows in correct[correct["change"] != ORIGINAL].groupby("change", sort=False):
        if key not in BY_KEY:
            continue
        before = rows["sample"].map(original).to_numpy(dtype=bool)
        after = rows["correct"].to_numpy(dtype=bool)
        flipped = int((before & ~after).sum())
        found.append(ChangeMetrics(BY_KEY[str(key)], len(rows), Share.of(before), Share.of(after), flipped))
    return sorted(found, key=lambda one: -one.drop)


def flipped_photos(table: pd.DataFrame, change: str) -> pd.DataFrame:
    """Photos that were right before a change and are wrong after it, most confident errors first."""
    right = table[(table["change"] == ORIGINAL) & (table["label"] == table["predicted"])]
    after = table[(table["change"] == change) & (table["label"] != table["predicted"])]
    return after[after["sample"].isin(right["sample"])].sort_values("probability", ascending=False, kind="stable")


def robustness_sentence(metrics: list[ChangeMetrics]) -> str:
    """What the answers depend on, for example "Right on 93%, on 61% when the background is swapped: …"."""
    if not metrics:
        return "No photo could be changed"
    worst = metrics[0]
    before = f"Right on {percent(worst.before.value)}"
    if worst.drop < _NOTABLE:
        return f"{before}; no change of the photos costs more than {percent(max(worst.drop, 0))}"
    after = f"on {percent(worst.after.value)} {worst.change.when}"
    return f"{before}, {after}: the model depends on {worst.change.suspicion}"
