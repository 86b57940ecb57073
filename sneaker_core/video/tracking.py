"""Which boxes of successive frames show the same sneaker.

Tracking by detection: boxes are proposed anew several times a second, so nothing drifts, and are assigned to the tracks
by where each is expected (Hungarian method, as in SORT: Bewley et al. 2016). A box where no sneaker is expected gets a
closer look. If it resembles a sneaker that is out of sight, that one is back; else it is a new one.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from sneaker_core.video.boxes import Box, Pixels, contained, overlap
from sneaker_core.video.looks import Look, likeness
from sneaker_core.video.patch_matching import match_patch
from sneaker_core.video.proposals import Proposal

# After so many seconds without a box, a track is out of sight: its place isn't expected anywhere.
OUT_OF_SIGHT = 0.6
# A box belongs to a track if their closeness, 0 to 2, is at least this. Centers count up to so many sizes apart.
_LEAST_CLOSENESS, _REACH = 0.25, 1.2
# A sneaker that comes back is at least this like one that went: at first, when little of it may be in sight, and in the
# end, when all its looks are compared.
_LEAST_LIKENESS, _SAME_LIKENESS = 0.7, 0.8
# Seconds after which a track gets another look, and how often it gets one at first.
_LOOK_EVERY, _FIRST_LOOKS = 0.4, 2
# What doesn't look like a shoe gets another look after so many seconds.
_LOOK_AGAIN = 0.8
# How much of its last speed a track is expected to keep; the share of the newest speed.
_NEWEST = 0.6
# A track that is real has been seen so often, and its evidence rises that high.
_LEAST_SEEN, _LEAST_STRENGTH = 3, 5.0
# A box that grows or shrinks by more than this between two looks for sneakers is a slip, unless it does so as often as
# that in a row: then the size that was expected is kept.
_STEADY, _SLIPS = 1.45, 3
# A box that shares so much with another one shows the same.
_GHOSTLY = 0.6
# The last few looks are what a new one is compared with.
_COMPARED = 6

# Seconds without evidence for which a track is followed by its pixels alone: longer, and it would drift.
_BY_PIXELS = 1.0

LookAt = Callable[[Sequence[Box]], list[Look]]


@dataclass
class Track:
    """One sneaker over time.

    Attributes
    ----------
    places : list of tuple
        Time in seconds and box, each time it was found.
    strengths : list of float
        How strong the evidence was each time.
    looks : list of Look
    speed : tuple of float
        Shares of the frame's width and height per second.
    slips : int
        Boxes in a row whose size can't be true.
    evident : float
        When there was last evidence for it.
    """

    places: list[tuple[float, Box]] = field(default_factory=list)
    strengths: list[float] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    speed: tuple[float, float] = (0.0, 0.0)
    slips: int = 0
    evident: float = 0.0

    @property
    def last_time(self) -> float:
        """When it was last found."""
        return self.places[-1][0]

    def expected(self, time: float) -> Box:
        """Where it should be by its speed."""
        last, box = self.places[-1]
        return box.moved(self.speed[0] * (time - last), self.speed[1] * (time - last))

    def add(self, time: float, proposal: Proposal) -> None:
        """Note where it was found."""
        box = proposal.box
        if self.places and time - self.last_time < OUT_OF_SIGHT:
            box = self._believed(time, box)
            gone = max(time - self.last_time, 1e-3)
            moved = [(new - old) / gone for new, old in zip(box.center, self.places[-1][1].center, strict=True)]
            share = _NEWEST if len(self.places) > 1 else 1.0
            self.speed = (
                self.speed[0] + share * (moved[0] - self.speed[0]),
                self.speed[1] + share * (moved[1] - self.speed[1]),
            )
        else:
            self.speed, self.slips = (0.0, 0.0), 0
        self.places.append((time, box))
        self.strengths.append(proposal.strength)
        self.evident = time

    def add_matched(self, time: float, box: Box) -> None:
        """Note where it was found by its pixels alone, which is no evidence that it is a sneaker."""
        self.places.append((time, box.inside()))

    def _believed(self, time: float, box: Box) -> Box:
        """The box, or one of the size that is expected if its own can't be true."""
        expected = self.expected(time).inside()
        changes = (box.width / max(expected.width, 1e-6), box.height / max(expected.height, 1e-6))
        leaves = box.touches_edge() and max(changes) <= _STEADY  # what is outside the frame has no box
        if leaves or all(1 / _STEADY <= change <= _STEADY for change in changes) or self.slips + 1 >= _SLIPS:
            self.slips = 0
            return box
        self.slips += 1
        # The size stays; the place follows the new box halfway.
        x, y = ((new - old) / 2 for new, old in zip(box.center, expected.center, strict=True))
        return expected.moved(x, y).inside()

    def wants_look(self, time: float) -> bool:
        """Whether it is time for another look."""
        if not self.looks or len(self.looks) < _FIRST_LOOKS:
            return True
        return time - self.looks[-1].time >= _LOOK_EVERY - 1e-6

    def likeness_to(self, look: Look) -> float:
        """How like its own looks a new one is: the best of the last few."""
        return max((likeness(own, look) for own in self.looks[-_COMPARED:]), default=0.0)

    @property
    def strength(self) -> float:
        """How strong the evidence usually was."""
        return float(np.median(self.strengths))

    def is_shoe(self) -> bool:
        """Whether its looks show a shoe: the median of what speaks for one."""
        return bool(self.looks) and float(np.median([look.shoe_log_odds for look in self.looks])) >= 0


class Tracks:
    """All tracks of a clip, found frame by frame."""

    def __init__(self) -> None:
        self.all: list[Track] = []
        self.moments = 0
        self._rejected: list[tuple[float, Box]] = []

    def expected(self, time: float) -> list[Box]:
        """Where the sneakers in sight should be."""
        return [track.expected(time) for track in self._in_sight(time)]

    def _in_sight(self, time: float) -> list[Track]:
        return [track for track in self.all if time - track.last_time <= OUT_OF_SIGHT]

    def add(self, time: float, proposals: Sequence[Proposal], look_at: LookAt) -> None:
        """Assign the boxes of a frame.

        Parameters
        ----------
        time : float
            In seconds; grows from call to call.
        proposals : sequence of Proposal
        look_at : callable
            Looks at boxes of this frame.
        """
        self.moments += 1
        tracks = self._in_sight(time)
        pairs = _assigned([track.expected(time) for track in tracks], [one.box for one in proposals])
        for number, proposal in pairs.items():
            tracks[number].add(time, proposals[proposal])
        wanting = [tracks[number] for number in pairs if tracks[number].wants_look(time)]
        new = [one for number, one in enumerate(proposals) if number not in pairs.values()]
        new = [one for one in new if one.strength >= _LEAST_STRENGTH]
        new = [one for one in new if not self._was_rejected(time, one.box)]
        looks = look_at([*(track.places[-1][1] for track in wanting), *(one.box for one in new)])
        for track, look in zip(wanting, looks, strict=False):
            track.looks.append(look)
        self._place_new(time, new, looks[len(wanting) :])

    def _was_rejected(self, time: float, box: Box) -> bool:
        self._rejected = [(when, other) for when, other in self._rejected if time - when < _LOOK_AGAIN]
        return any(overlap(box, other) > 0.5 for _, other in self._rejected)

    def _place_new(self, time: float, proposals: Sequence[Proposal], looks: Sequence[Look]) -> None:
        """Give boxes where no sneaker was expected to tracks out of sight, or to new ones."""
        away = [track for track in self.all if track.last_time < time]
        for proposal, look in zip(proposals, looks, strict=True):
            if look.shoe_log_odds < 0:
                self._rejected.append((time, proposal.box))
                continue
            alike = {id(track): track.likeness_to(look) for track in away}
            track = max(away, key=lambda one: alike[id(one)], default=None)
            if track is None or alike[id(track)] < _LEAST_LIKENESS:
                track = Track()
                self.all.append(track)
            else:
                away.remove(track)
            track.add(time, proposal)
            track.looks.append(look)

    def bridge(self, time: float, before: Pixels, now: Pixels, previous: float) -> None:
        """Look for the tracks without a box in this frame by what they showed in the one before.

        Parameters
        ----------
        time : float
        before, now : uint8 array (H, W, 3)
            The frame of the call before, and this one.
        previous : float
            When that was.
        """
        shown = [track.places[-1][1] for track in self.all if track.last_time == time]
        for track in self.all:
            if track.last_time != previous or time - track.evident > _BY_PIXELS:
                continue
            box = match_patch(before, track.places[-1][1], now, track.expected(time))
            if box is not None and not any(overlap(box, other) > _GHOSTLY for other in shown):
                track.add_matched(time, box)

    def confirmed(self) -> list[Track]:
        """The tracks that are sneakers, or other shoes, in the order in which they appear."""
        least = min(_LEAST_SEEN, self.moments)
        real = [
            track for track in _joined(self.all) if len(track.strengths) >= least and track.strength >= _LEAST_STRENGTH
        ]
        shoes = [track for track in real if track.is_shoe()]
        return [track for track in shoes if not any(_is_ghost(track, other) for other in shoes)]


def _joined(tracks: Sequence[Track]) -> list[Track]:
    """The tracks, with those joined that show one sneaker before and after it was out of sight."""
    found: list[Track] = []
    for track in sorted(tracks, key=lambda one: one.places[0][0]):
        before = [one for one in found if one.last_time < track.places[0][0]]
        alike = {id(one): max((track.likeness_to(look) for look in one.looks), default=0.0) for one in before}
        best = max(before, key=lambda one: alike[id(one)], default=None)
        if best is None or alike[id(best)] < _SAME_LIKENESS:
            found.append(track)
            continue
        best.places += track.places
        best.strengths += track.strengths
        best.looks += track.looks
    return found


def _is_ghost(track: Track, other: Track) -> bool:
    """Whether a track mostly shows what a stronger one shows: a shadow, or two sneakers taken for one."""
    if track is other or track.strength >= other.strength:
        return False
    boxes = dict(other.places)
    shared = [
        max(contained(box, boxes[time]), contained(boxes[time], box)) for time, box in track.places if time in boxes
    ]
    return sum(share > _GHOSTLY for share in shared) > len(track.places) / 2


def _assigned(expected: Sequence[Box], found: Sequence[Box]) -> dict[int, int]:
    """Number of a track -> number of the box that is nearest to where it should be, for all together."""
    if not expected or not found:
        return {}
    closeness = np.array([[_closeness(one, other) for other in found] for one in expected])
    rows, columns = linear_sum_assignment(-closeness)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {row: column for row, column in pairs if closeness[row, column] >= _LEAST_CLOSENESS}


def _closeness(one: Box, other: Box) -> float:
    away = float(np.hypot(one.center[0] - other.center[0], one.center[1] - other.center[1]))
    reach = _REACH * max(one.size, other.size, 1e-6)
    alike = min(one.area, other.area) / max(one.area, other.area, 1e-9)
    return overlap(one, other) + max(0.0, 1 - away / reach) * math.sqrt(alike)
