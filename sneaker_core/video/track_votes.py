"""One answer for each track: the clearest frames vote, as several photos of one sneaker do."""

from collections.abc import Sequence
from dataclasses import dataclass

from sneaker_core.inference.same_sneaker import SameSneakerAnswer, same_sneaker_answer
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.pooling import MOST_POOLED
from sneaker_core.video.looks import Look, likeness

# Frames closer in time, in seconds, or more alike show nearly the same and don't both vote while there are others.
_APART, _ALIKE = 0.5, 0.97
MOST_NAMED = 10


@dataclass(frozen=True)
class Vote:
    """The answer so far.

    Attributes
    ----------
    time : float
        Seconds from the start of the clip.
    looks : tuple of Look
        The frames that it rests on, in order of time.
    answer : SameSneakerAnswer
    """

    time: float
    looks: tuple[Look, ...]
    answer: SameSneakerAnswer


def clearest(looks: Sequence[Look], most: int = MOST_POOLED) -> list[Look]:
    """The clearest frames, unlike each other if there are enough of those, in order of time."""
    ranked = sorted(looks, key=lambda look: -look.clarity)
    chosen: list[Look] = []
    for look in ranked:
        if all(abs(look.time - one.time) >= _APART and likeness(look, one) < _ALIKE for one in chosen):
            chosen.append(look)
    # A clip in which nothing changes has one such frame, and that is what its answer may rest on.
    return sorted(chosen[:most], key=lambda look: look.time)


def votes(model: SneakerModel, looks: Sequence[Look]) -> list[Vote]:
    """The accumulated answer after each look; the last is the track's.

    Parameters
    ----------
    model : SneakerModel
        The one whose outputs the looks hold.
    looks : sequence of Look
        In order of time; at least one.
    """
    found: list[Vote] = []
    for count in range(1, len(looks) + 1):
        chosen = tuple(clearest(looks[:count]))
        if found and chosen == found[-1].looks:
            found.append(Vote(looks[count - 1].time, chosen, found[-1].answer))
            continue
        readings, digests = [look.reading for look in chosen], [look.digest for look in chosen]
        answer = same_sneaker_answer(model, readings, digests, MOST_NAMED)
        found.append(Vote(looks[count - 1].time, chosen, answer))
    return found
