"""Records of items and jobs: about.json, job.json, progress.json and end.json."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sneaker_core.records.fields import Count, Moment, Name, Number, PathText, Share
from sneaker_core.records.reading import Record


class AboutFile(Record):
    """What the user says about an item, and when it was deleted."""

    name: Name | None = None
    note: str | None = None
    deleted: Moment | None = None


class JobFile(Record):
    """What a job is to do; before format 2 a command line says it."""

    newest_format: ClassVar[int | None] = 2

    format: int = 1
    kind: str | None = None
    params: dict[str, Any] = {}
    title: str = ""
    workspace: PathText = "."
    queue: bool = False
    started: Moment = 0.0
    arguments: list[str] = []


class CollectedClass(Record):
    """How far the collection of a class is."""

    have: Count
    found: Count = 0
    added: Count = 0
    known: Count = 0
    wanted: Count = 1
    rejected: dict[str, Count] = {}
    message: str | None = None


class JobDetails(Record):
    """What work reports besides how far it is; which of these depends on the kind of job."""

    before: Count = 0
    classes: dict[str, CollectedClass] = {}
    epoch: Count | None = None
    epochs: Count | None = None
    seconds_left: Number | None = None
    images_per_second: Number | None = None

    @classmethod
    def current(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values with "classes"; older collections report the classes themselves."""
        rows = {key: value for key, value in values.items() if isinstance(value, dict) and "have" in value}
        return super().current({"classes": rows, **values})


class ProgressFile(Record):
    """How far a job is."""

    done: Count = 0
    total: Count = 0
    step: str = ""
    rate: Number = 0.0
    details: dict[str, Any] = {}


class JobResult(Record):
    """What a job returned; which of these depends on its kind."""

    added: Count = 0
    known: Count = 0
    files: Count = 0
    understood: str = ""
    notes: list[str] = []
    rejected: dict[str, str] = {}
    classes: dict[str, CollectedClass] = {}
    finished: bool = False
    findings: dict[str, Count] = {}
    rates: list[Number] = []
    losses: list[float | None] = []
    suggestion: Number | None = None
    pictures: Count = 0
    failed: Count = 0
    means: Count = 0
    photos: Count = 0
    n: Count = 0
    top1: Share | None = None
    finding: str = ""


class EndFile(Record):
    """How a job ended."""

    state: str
    error: str | None = None
    result: dict[str, Any] = {}

    @classmethod
    def current(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values with a result, which was null for some jobs."""
        return super().current({**values, "result": {} if values.get("result") is None else values["result"]})
