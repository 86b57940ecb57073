"""Follow the sneakers through a clip, and name each."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sneaker_core.errors import StoppedError
from sneaker_core.inference.same_sneaker import SameSneakerAnswer
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.settings import ClipLimits
from sneaker_core.video.boxes import Box, Pixels
from sneaker_core.video.clip_reader import ClipFacts, ClipReader
from sneaker_core.video.looks import Look, look_at
from sneaker_core.video.proposals import propose
from sneaker_core.video.shoe_evidence import ShoeEvidence
from sneaker_core.video.track_votes import Vote, votes
from sneaker_core.video.tracking import Track, Tracks

# Seconds between the frames in which sneakers are looked for; the boxes of those between are interpolated.
INTERVAL = 0.125
# A sneaker that isn't found for longer has no box in the meantime.
_BRIDGED = 0.45
# Longest sides, in pixels: of frames as they are read, and as boxes are fitted.
READ_SIDE, _FITTED_SIDE = 960, 320

Report = Callable[..., None]


@dataclass(frozen=True)
class FollowedTrack:
    """A sneaker, followed.

    Attributes
    ----------
    number : int
        From 1, in the order in which they appear.
    boxes : dict of int to Box
        Number of the frame, from 0 -> the box.
    votes : tuple of Vote
        The answer after each look, in order of time; the last is the track's.
    """

    number: int
    boxes: dict[int, Box]
    votes: tuple[Vote, ...]

    @property
    def answer(self) -> SameSneakerAnswer:
        """What the sneaker is, by all its clearest frames."""
        return self.votes[-1].answer

    @property
    def best(self) -> tuple[Look, ...]:
        """The frames that the answer rests on."""
        return self.votes[-1].looks

    def vote_at(self, time: float) -> Vote:
        """The answer as it was at a time; the first one before that."""
        place = bisect_right([vote.time for vote in self.votes], time + 1e-6)
        return self.votes[max(place - 1, 0)]


@dataclass(frozen=True)
class FollowedClip:
    """What was found in a clip.

    Attributes
    ----------
    facts : ClipFacts
    times : tuple of float
        Of each frame, in seconds from the first.
    tracks : tuple of FollowedTrack
    """

    facts: ClipFacts
    times: tuple[float, ...]
    tracks: tuple[FollowedTrack, ...]

    @property
    def seconds(self) -> float:
        """Playing time."""
        return self.times[-1] + 1 / self.facts.fps


def _never() -> bool:
    return False


def _nothing(*progress: Any, **details: Any) -> None:
    """Report nothing."""


def follow_clip(
    model: SneakerModel,
    path: Path,
    *,
    limits: ClipLimits | None = None,
    report: Report = _nothing,
    stopped: Callable[[], bool] = _never,
) -> FollowedClip:
    """Find the sneakers in a clip, follow each and name it.

    Parameters
    ----------
    model : SneakerModel
    path : Path
    limits : ClipLimits, optional
        By default those of the environment.
    report : callable
        Called with the number of frames done, their total (0 if unknown) and what is being done.
    stopped : callable
        Checked for every frame that is looked at.

    Raises
    ------
    ClipError
        The clip can't be read, or exceeds a limit.
    StoppedError
        It was stopped.
    """
    tracks, times = Tracks(), list[float]()
    evidence = ShoeEvidence(model)
    before: tuple[float, Pixels] | None = None
    with ClipReader(path, READ_SIDE, limits) as clip:
        for frame in clip.frames(INTERVAL):
            if stopped():
                raise StoppedError(f"Following {path.name} was stopped.")
            times += [*frame.skipped, frame.time]
            report(len(times), max(clip.facts.frames, len(times)), "Following")
            small = _shrunk(frame.pixels)
            proposals = propose(small, evidence.of(frame.pixels), tracks.expected(frame.time))
            tracks.add(frame.time, proposals, partial(look_at, model, frame.pixels, seconds=frame.time))
            if before is not None:
                tracks.bridge(frame.time, before[1], small, before[0])
            before = (frame.time, small)
        times += clip.left
        facts = clip.facts
    followed = (
        FollowedTrack(number, _boxes(track, times), tuple(votes(model, track.looks)))
        for number, track in enumerate(tracks.confirmed(), start=1)
    )
    return FollowedClip(facts, tuple(times), tuple(followed))


def _shrunk(pixels: Pixels) -> Pixels:
    share = _FITTED_SIDE / max(pixels.shape[:2])
    if share >= 1:
        return pixels
    size = (max(round(pixels.shape[1] * share), 1), max(round(pixels.shape[0] * share), 1))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _boxes(track: Track, times: list[float]) -> dict[int, Box]:
    """The box in each frame: as found, or interpolated between two places where it was."""
    places = _steadied(track.places)
    found: dict[int, Box] = {}
    moments = [time for time, _ in places]
    for number, time in enumerate(times):
        after = bisect_right(moments, time + 1e-6)
        if after == 0:
            continue
        start, box = places[after - 1]
        if time - start < 1e-6:
            found[number] = box
        elif after < len(places) and places[after][0] - start <= _BRIDGED:
            found[number] = box.blended(places[after][1], (time - start) / (places[after][0] - start))
        elif after == len(places) and time - start < INTERVAL and number >= len(times) - 1:
            found[number] = box  # the last frames of the clip, behind the last that was looked at
    return found


def _steadied(places: list[tuple[float, Box]]) -> list[tuple[float, Box]]:
    """Places without single boxes that jump: the median of each and its two neighbors, edge by edge."""
    steady = list(places)
    for number in range(1, len(places) - 1):
        (before, first), (time, box), (after, last) = places[number - 1 : number + 2]
        if after - before <= 2 * _BRIDGED:
            steady[number] = (time, Box(*np.median([first, box, last], axis=0).tolist()))
    return steady
