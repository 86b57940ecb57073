"""Groups of sneakers that look alike: what an answer falls back to when no single model is probable enough."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from sneaker_core.records.fields import Share

# Group -> how the names of its members start. A class belongs to the first group that fits.
GROUPS: dict[str, tuple[str, ...]] = {
    "Air Jordan": ("Air Jordan ",),
    "Nike Air Max": ("Nike Air Max ",),
    "Nike Air VaporMax": ("Nike Air VaporMax ",),
    "Converse Chuck": ("Converse Chuck ",),
    "Vans": ("Vans ",),
    "New Balance 99x": ("New Balance 99",),
    "New Balance": ("New Balance ",),
    "adidas Yeezy": ("adidas Yeezy ",),
    "Reebok": ("Reebok ",),
    "adidas court shoe": ("adidas Stan Smith", "adidas Superstar", "adidas Forum", "adidas Gazelle", "adidas Samba"),
}

GROUP_SENTENCE = "{group}, probably {members}"


class GroupValues(TypedDict):
    """A group of look-alikes that the photo shows.

    Attributes
    ----------
    name : str
    probability : float
        Of all its classes together, 0 to 1.
    members : list of str
        Its most probable classes, at most two, most probable first.
    """

    name: str
    probability: Share
    members: list[str]


@dataclass(frozen=True)
class SneakerGroup:
    """A group of look-alikes and how probable it is.

    Attributes
    ----------
    name : str
    probability : float
        Of all its classes together, 0 to 1.
    members : tuple of str
        Its most probable classes, at most two, most probable first.
    """

    name: str
    probability: float
    members: tuple[str, ...]

    def to_dict(self) -> GroupValues:
        """Plain values, for JSON."""
        return {"name": self.name, "probability": round(self.probability, 4), "members": list(self.members)}

    def sentence(self) -> str:
        """For example "A Nike Air Max, probably the 90 or the 95"."""
        names = [name_in_group(member, self.name) for member in self.members]
        return GROUP_SENTENCE.format(group=with_article(self.name), members=" or ".join(names))


def with_article(name: str, *, inside: bool = False) -> str:
    """The name of a thing after "A" or "An"; inside a sentence, after "a" or "an"."""
    article = "An" if name[:1].lower() in "aeiou" else "A"
    return f"{article.lower() if inside else article} {name}"


def name_in_group(member: str, group: str) -> str:
    """A class as the answer names it after its group: "the 90" in "A Nike Air Max, probably the 90 or the 95"."""
    return f"the {member.removeprefix(group).strip()}"


def group_of(label: str) -> str | None:
    """The group that a class belongs to, or None."""
    return next((name for name, starts in GROUPS.items() if label.startswith(starts)), None)


def numbers_by_group(classes: Sequence[str]) -> dict[str, list[int]]:
    """The groups that an answer can fall back to, those of two classes or more, with the numbers of their classes."""
    numbers: dict[str, list[int]] = {}
    for number, label in enumerate(classes):
        if (group := group_of(label)) is not None:
            numbers.setdefault(group, []).append(number)
    return {group: members for group, members in numbers.items() if len(members) > 1}


def probable_group(classes: Sequence[str], probabilities: NDArray[np.float32], at_least: float) -> SneakerGroup | None:
    """The most probable group of a photo, if it is probable enough and has two classes or more.

    Parameters
    ----------
    classes : sequence of str
    probabilities : float32 array (C,)
    at_least : float
        0 to 1.
    """
    numbers = numbers_by_group(classes)
    totals = {group: float(probabilities[members].sum()) for group, members in numbers.items()}
    if not totals:
        return None
    name = max(totals, key=lambda group: totals[group])
    if totals[name] < at_least:
        return None
    best = sorted(numbers[name], key=lambda number: -probabilities[number])[:2]
    return SneakerGroup(name, min(1.0, totals[name]), tuple(classes[number] for number in best))
