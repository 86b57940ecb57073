"""What came of teaching a model a sneaker: what it would recognize, what it takes for what, and what it endangers."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.imprinting import KnownSneakers, head_outputs, mean_length
from sneaker_core.number_text import counted, percent
from sneaker_core.training.taught_model import TaughtModel


@dataclass(frozen=True)
class Lesson:
    """What came of teaching a model one sneaker.

    Attributes
    ----------
    name : str
    photos : tuple of str
        Those that were used now.
    rejected : dict of str to str
        Photo -> why it was left out: it can't be read, or it is a copy of another one.
    total : int
        All photos of the sneaker that the model has been taught, earlier ones included.
    recognized : int
        How many of them the model would name correctly if it had been taught the others only.
    taken_for : dict of str to int
        The class that it would name instead -> how often.
    endangered : dict of str to float
        Known class -> share of its references that would now get the new name, for those of which any would. The
        references that a model is stored with have no labels: each counts as the class that the model took it for.
    """

    name: str
    photos: tuple[str, ...]
    rejected: dict[str, str]
    total: int
    recognized: int
    taken_for: dict[str, int]
    endangered: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**vars(self), "photos": list(self.photos)}

    def sentences(self) -> list[str]:
        """The result in words."""
        photos = counted(self.total, "photo")
        lines = [
            f"{self.name}: taught with {photos}.",
            f"{self.recognized} of {photos} would have been recognized if the model had been taught only the others.",
        ]
        if self.taken_for:
            others = ", ".join(f"{label} ({count})" for label, count in self.taken_for.items())
            lines.append(f"The rest would have been taken for: {others}.")
        if self.endangered:
            shares = ", ".join(f"{label} ({percent(share)})" for label, share in self.endangered.items())
            lines.append(f"Some photos of these sneakers may now be called {self.name}: {shares}.")
        lines += [f"Left out: {photo}: {reason}" for photo, reason in self.rejected.items()]
        return lines


def lesson_of(
    taught: TaughtModel, model: SneakerModel, place: int, photos: tuple[str, ...], rejected: dict[str, str]
) -> Lesson:
    """What came of teaching a model a sneaker.

    Parameters
    ----------
    taught : TaughtModel
    model : SneakerModel
        From `taught`, as it answers now.
    place : int
        Of the sneaker among those that were taught.
    photos, rejected
        As in `Lesson`.
    """
    sneaker, own = taught.sneakers[place], taught.known + place
    logits = head_outputs(model, sneaker.embeddings).logits
    features = taught.features(sneaker.embeddings)
    for number, row in enumerate(taught.rows_without_each(place)):
        logits[number, own] = row.logits(features[number])
    named = Counter(model.spec.classes[answer] for answer in logits.argmax(1))
    recognized = named.pop(sneaker.name, 0)
    taken_for, total = dict(named.most_common()), len(sneaker.samples)
    endangered = _endangered(taught, model, own)
    return Lesson(sneaker.name, photos, rejected, total, recognized, taken_for, endangered)


def _endangered(taught: TaughtModel, model: SneakerModel, own: int) -> dict[str, float]:
    """Known class -> share of its references that get the class `own` now."""
    if not taught.known:
        return {}
    length = mean_length(taught.sneakers[own - taught.known].embeddings)
    was = KnownSneakers(taught.base_model(), length).logits.argmax(1)
    now = head_outputs(model, model.references[: taught.references] * length).logits.argmax(1)
    shares = {model.spec.classes[label]: float((now[was == label] == own).mean()) for label in np.unique(was)}
    return {label: share for label, share in sorted(shares.items(), key=lambda item: -item[1]) if share > 0}
