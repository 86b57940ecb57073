"""Records of followed clips: clip.json."""

from typing import Annotated, ClassVar

from msgspec import Meta

from sneaker_core.records.fields import Count, Duration, Moment, Name, PathText, Share
from sneaker_core.records.reading import Record


class GuessRecord(Record):
    """A class and its probability."""

    label: str
    probability: Share


class VoteRecord(Record):
    """The answer to a track so far."""

    time: Duration
    status: str
    sentence: str
    top: list[GuessRecord]


class BestFrameRecord(Record):
    """A frame that an answer rests on."""

    time: Duration
    picture: PathText
    box: Annotated[list[Share], Meta(min_length=4, max_length=4)]


class TrackRecord(Record):
    """A sneaker that was followed."""

    number: Annotated[int, Meta(ge=1)]
    first: Duration
    last: Duration
    frames: Count
    status: str
    sentence: str
    votes: Annotated[list[VoteRecord], Meta(min_length=1)]
    best: list[BestFrameRecord]
    agreement: str = ""
    warning: str | None = None


class ClipFile(Record):
    """What was found in a clip: ``clip.json``."""

    newest_format: ClassVar[int | None] = 1

    format: Annotated[int, Meta(ge=1)]
    file: Name
    model: str
    created: Moment
    seconds: Duration
    fps: Annotated[float, Meta(gt=0, le=1e6)]
    width: Count
    height: Count
    frames: Count
    tracks: list[TrackRecord]
