"""The record of the story that is told on a stage: ``story.json``."""

from typing import Annotated, ClassVar

from msgspec import Meta

from sneaker_core.records.fields import Count, Name, Share
from sneaker_core.records.model_records import ShareRecord
from sneaker_core.records.reading import Record

# A file beside the record; never a path.
PictureName = Annotated[str, Meta(pattern=r"^[a-z0-9-]+\.webp$")]
_Difference = Annotated[float, Meta(ge=-1, le=1)]
_Guesses = Annotated[list["GuessRecord"], Meta(min_length=1, max_length=10)]


class GuessRecord(Record):
    """A class and its probability."""

    label: Name
    probability: Share


class AnsweredRecord(Record):
    """A picture and what the model answers: its most probable classes, in descending order."""

    file: PictureName
    top: _Guesses

    @property
    def answer(self) -> GuessRecord:
        """The most probable class."""
        return self.top[0]


class HeatRecord(Record):
    """The heat map of the answer: the area where it is strongest, and that area's share of the map."""

    file: PictureName
    area: Name
    share: Share


class SwapRecord(Record):
    """The photo on another background.

    Of `tried` photos that were answered rightly, `flipped` got another answer on one of so many `backgrounds`.
    """

    shown: AnsweredRecord
    tried: Count
    flipped: Count
    backgrounds: Count


class LookAlikesRecord(Record):
    """The two classes that are hardest to tell apart.

    `photos` photos of `label` that are answered rightly get a mean probability of `doubt` for `other`, the highest of
    all pairs; the first picture got `nearest`. The evaluation has `n` photos that are answered rightly.
    """

    label: Name
    other: Name
    doubt: Share
    nearest: Share
    photos: Count
    n: Count
    files: Annotated[list[PictureName], Meta(min_length=2, max_length=2)]


class FiledRecord(Record):
    """A picture of the collection and what it shows."""

    file: PictureName
    label: Name


class NamesRecord(Record):
    """Wrong names in a collection: some photos under one name, and what the check found among all.

    Of `learned` photos to learn from, `planted` have a wrong name; `found` are suspected, `hits` of them rightly, and
    for `right` the check suggested the true name.
    """

    filed_under: Name
    photos: Annotated[list[FiledRecord], Meta(min_length=2, max_length=12)]
    odd: Count
    suggestion: Name
    learned: Count
    planted: Count
    found: Count
    hits: Count
    right: Count

    def __post_init__(self) -> None:
        if self.odd >= len(self.photos):
            raise ValueError(f"there is no photo {self.odd}")
        if {photo.label for place, photo in enumerate(self.photos) if place != self.odd} != {self.filed_under}:
            raise ValueError("more than one photo has a wrong name")
        if self.photos[self.odd].label == self.filed_under:
            raise ValueError("the odd photo has the right name")
        if not self.right <= self.hits <= min(self.found, self.planted) <= self.learned:
            raise ValueError("the counts of wrong names contradict each other")


class GainRecord(Record):
    """Accuracy on the same test photos before and after the repair, with the interval of the difference.

    `fixed` photos are right only after, `broken` ones only before; `p_value` is of McNemar's test.
    """

    n: Count
    before: ShareRecord
    after: ShareRecord
    low: _Difference
    high: _Difference
    fixed: Count
    broken: Count
    p_value: Share


class MadeRecord(Record):
    """What the story was made from: seeds and settings of ``docs/make_story.py``."""

    photo_seed: Count
    photo_number: Count
    photos_drawn: Count
    names_seed: Count
    per_class: Count
    wrong_share: Share
    recipe: Name
    init: Name


class StoryFile(Record):
    """Everything that the seven steps show: ``story.json``."""

    newest_format: ClassVar[int | None] = 1

    format: Annotated[int, Meta(ge=1)]
    model: Name
    truth: Name
    options: Annotated[list[Name], Meta(min_length=2, max_length=2)]
    photo: AnsweredRecord
    heat: HeatRecord
    swap: SwapRecord
    look_alikes: LookAlikesRecord
    names: NamesRecord
    gain: GainRecord
    made: MadeRecord

    def __post_init__(self) -> None:
        if self.truth not in self.options or len(set(self.options)) < len(self.options):
            raise ValueError("the names to choose from are not two, or the right one is missing")
        if self.swap.shown.answer.label == self.photo.answer.label:
            raise ValueError("the answer is the same on the other background")

    def pictures(self) -> list[str]:
        """The files of all pictures."""
        photos = [photo.file for photo in self.names.photos]
        return [self.photo.file, self.heat.file, self.swap.shown.file, *self.look_alikes.files, *photos]
