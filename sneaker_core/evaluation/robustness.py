"""Robustness: how accuracy changes when photos are changed in ways that leave the sneaker recognizable.

Hendrycks and Dietterich (2019), "Benchmarking neural network robustness to common corruptions and perturbations";
Geirhos et al. (2020), "Shortcut learning in deep neural networks".
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from sneaker_core import images
from sneaker_core.errors import DatasetError, ImageError
from sneaker_core.evaluation.photo_changes import BY_KEY, PHOTO_CHANGES, PhotoChange
from sneaker_core.evaluation.table_columns import check_known_labels
from sneaker_core.evaluation.worlds import Share
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.decision import probabilities
from sneaker_core.number_text import percent

# More photos than this are sampled: every photo goes through the network once for each change.
MOST_PHOTOS = 300
ORIGINAL = "original"
_BATCH = 8
_SEED = 0
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


def changed_photo(path: Path, change: PhotoChange, sample: str, shrink_to: int) -> Image.Image | None:
    """A photo after a change, always the same for the same sample; None if it can't be changed in this way.

    Raises
    ------
    ImageError
        The photo can't be read.
    """
    return change.apply(images.load(path, shrink_to=shrink_to), _generator(sample))


def _generator(sample: str) -> np.random.Generator:
    return np.random.default_rng([_SEED, *sample.encode()])


def robustness_table(
    model: SneakerModel,
    samples: pd.DataFrame,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Predictions for photos, original and after every change.

    Parameters
    ----------
    model : SneakerModel
    samples : DataFrame
        Columns sample, path and label; at most `MOST_PHOTOS` photos of classes that the model knows are used.
    progress : callable, optional
        Called with the number of photos done and their total.

    Returns
    -------
    DataFrame
        Columns sample, path, label, change ("original" or a key of `PHOTO_CHANGES`), predicted and probability. Photos
        that can't be changed in a way have no row for that change.

    Raises
    ------
    DatasetError
        None of the photos can be read, or the model knows none of their classes.
    """
    check_known_labels(samples["label"], model.spec.classes)
    known = samples[samples["label"].isin(model.spec.classes) & samples["path"].notna()]
    chosen = known.sample(min(MOST_PHOTOS, len(known)), random_state=_SEED).sort_index()
    rows: list[dict[str, Any]] = []
    for done, row in enumerate(chosen[["sample", "path", "label"]].to_dict("records")):
        progress(done, len(chosen))
        rows += _predictions(model, row)
    progress(len(chosen), len(chosen))
    if not rows:
        raise DatasetError("None of the photos can be read.")
    return pd.DataFrame(rows)


def _predictions(model: SneakerModel, row: dict[Any, Any]) -> list[dict[str, Any]]:
    """One row for the original and each change of a photo; none if it can't be read."""
    try:
        photo = images.load(Path(row["path"]), shrink_to=model.spec.preprocessing.shrink_to)
    except ImageError:
        return []
    changed = {change.key: change.apply(photo, _generator(str(row["sample"]))) for change in PHOTO_CHANGES}
    pictures = {ORIGINAL: photo, **{key: picture for key, picture in changed.items() if picture is not None}}
    keys = list(pictures)
    found = []
    for start in range(0, len(keys), _BATCH):
        part = keys[start : start + _BATCH]
        outputs = model.outputs(model.spec.preprocessing([pictures[key] for key in part]))
        chances = probabilities(outputs.logits, model.spec.decision.temperature)
        for key, chance in zip(part, chances, strict=True):
            best = int(chance.argmax())
            found.append(
                {**row, "change": key, "predicted": model.spec.classes[best], "probability": float(chance[best])}
            )
    return found


def robustness_metrics(table: pd.DataFrame) -> list[ChangeMetrics]:
    """Accuracy for each change, largest loss first.

    Parameters
    ----------
    table : DataFrame
        From `robustness_table`.
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
