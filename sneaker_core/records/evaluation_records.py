"""Records of evaluations and explanations: evaluation.json, means.json and votes.jsonl."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from sneaker_core.records.fields import Count, Moment, Name, PathText, Share, none_for_nan
from sneaker_core.records.model_records import WorldRecord
from sneaker_core.records.reading import Record


class SyntheticRecord(Record):
    """How the photos can be drawn again: `per_class` and `seed` of the synthetic dataset."""

    per_class: Count
    seed: int


class EvaluationFile(Record):
    """What was measured with what: ``evaluation.json``."""

    newest_format: ClassVar[int | None] = 1
    old_names: ClassVar[Mapping[str, str]] = MappingProxyType({"with_neighbours": "with_neighbors"})

    format: Annotated[int, Meta(ge=1)]
    model: str
    model_version: str
    data: str
    dataset_folder: PathText | None
    split: str | None
    created: Moment
    n: Count
    top1: Share | None
    rejected: dict[str, str]
    left_out: dict[str, Count]
    model_folder: PathText | None = None
    split_of_data: bool = False
    with_neighbors: bool = False
    worlds: list[WorldRecord] = []
    renamed: dict[str, str] = {}
    synthetic: SyntheticRecord | None = None

    @classmethod
    def current(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values without NaN where there were no photos."""
        own = super().current(values)
        return own if own.get("n") else none_for_nan(own, "top1")


class ClassMapRow(Record):
    """A class-average map: an entry of ``means.json``."""

    label: str
    right: bool
    n: Count
    of: Count
    unreadable: Count
    place: str
    share: Share
    files: PathText


class VoteRow(Record):
    """An answer in the quiz, without a word on who gave it: a line of ``votes.jsonl``.

    `kind` and `evaluation` are the kind and the id of an evaluation.
    """

    kind: Name
    evaluation: Name
    sample: Name
    options: list[Name]
    vote: Name
    time: Moment
