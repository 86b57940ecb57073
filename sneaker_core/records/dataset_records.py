"""Records in a dataset's index: the facts about the whole dataset, and the rows of its tables."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from sneaker_core.records.fields import Count, Duration, Moment, Name, Number, PathText, Setting, Share
from sneaker_core.records.reading import Record


class ScanRecord(Record):
    """When a dataset was checked, and with what."""

    time: Moment | None = None
    photos: Count = 0
    seconds: Duration | None = None
    model: str | None = None


class SplitRecord(Record):
    """Where a dataset's split comes from: made here, or given with the photos."""

    kind: str = ""
    val_share: Share = 0.0
    test_share: Share = 0.0
    seed: Count = 0


class EmbeddedByRecord(Record):
    """The model that made a dataset's embeddings."""

    name: str = ""
    data: str | None = None
    recipe: dict[str, Setting] = {}


class FactsRecord(Record):
    """All facts about a dataset; each is a row of its index, under its name here."""

    format: Count = 0
    name: Name = "?"
    created: Moment = 0.0
    revision: Count = 0
    scan: ScanRecord | None = None
    split: SplitRecord | None = None
    worlds: dict[str, str] = {}
    embedded_by: EmbeddedByRecord | None = None
    classes_kept_apart: list[list[str]] = []


_Side = Annotated[int, Meta(ge=1, le=1_000_000)]
# A photo's place below the folder of images.
_PhotoPath = Annotated[str, Meta(pattern=r"^(?!\.{0,2}/)[^/\x00]+/[^/\x00]+$", max_length=1000)]
_Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]
_Number = Annotated[int, Meta(ge=1)]


class SampleRow(Record, array_like=True):
    """A photo, as `datasets.index.read_samples` selects it."""

    sample: Name
    file: _PhotoPath
    label: _Number
    excluded: Literal[0, 1]
    original_label: _Number
    split: Literal["train", "val", "test"] | None
    width: _Side
    height: _Side
    bytes: Count
    name: str
    added: Moment


class ClassRow(Record, array_like=True):
    """A class of a dataset."""

    number: _Number
    label: Name


class ClassFolderRow(Record, array_like=True):
    """A class and the folder of its photos, as stored."""

    number: _Number
    label: Name
    folder: Annotated[str, Meta(pattern=r"^(?!\.{1,2}$)[^/\x00]+$", max_length=500)]


class StoredProvenanceRow(Record, array_like=True):
    """Where a photo came from, as stored."""

    sample: Name
    label: _Number
    name: str
    source: str
    split: Literal["train", "val", "test"] | None
    url: str | None
    query: str | None
    time: Moment


class StoredLinkRow(Record, array_like=True):
    """A web address that gave no photo, as stored."""

    url: str
    reason: str
    time: Moment


class StoredDecisionRow(Record, array_like=True):
    """A decision on a photo, as stored."""

    decision: _Number
    batch: str
    time: Moment
    author: str
    sample: Name
    action: Literal["keep", "relabel", "exclude", "merge"]
    label: _Number | None
    kinds: str
    undone: Moment | None


class ProvenanceRow(Record, array_like=True):
    """Where a photo came from."""

    sample: Name
    label: Name
    name: str
    source: str
    split: str | None
    url: str | None
    query: str | None
    time: Moment


class RejectRow(Record, array_like=True):
    """A file that could not be imported."""

    source: str
    name: str
    reason: str
    time: Moment


class LinkRow(Record, array_like=True):
    """A web address that gave no photo."""

    url: str


class DecisionRow(Record, array_like=True):
    """A decision on a photo."""

    decision: _Number
    batch: str
    time: Moment
    author: str
    sample: Name
    name: str
    action: Literal["keep", "relabel", "exclude", "merge"]
    label: Name | None
    kinds: str
    undone: Moment | None


class DismissedRecord(Record):
    """The kinds of findings that a decision dismisses."""

    kinds: list[str]


class DismissalRow(Record, array_like=True):
    """A decision in force, as far as findings are concerned."""

    sample: Name
    action: Literal["keep", "relabel", "exclude", "merge"]
    kinds: str


class FindingRow(Record, array_like=True):
    """Something a check found about a photo."""

    sample: Name
    kind: str
    score: Share
    group_id: int | None
    suggestion: str | None
    advice: str | None


class GroupRow(Record, array_like=True):
    """The near-duplicate group of a photo."""

    sample: Name
    group_id: Annotated[int, Meta(ge=-(2**62), le=2**62)]


class MeasuresRow(Record, array_like=True):
    """What was measured on a photo."""

    sample: Name
    hash: _Hash
    mirrored_hash: _Hash
    sketch: Annotated[bytes, Meta(min_length=768, max_length=768)]
    brightness: Number
    light: Number
    dark: Number
    sharpness: Number


class EmbeddingRow(Record, array_like=True):
    """A photo's embedding in half precision, and its OOD score."""

    sample: Name
    vector: Annotated[bytes, Meta(min_length=2)]
    ood_score: Number


class MapRow(Record, array_like=True):
    """A photo's place on the map."""

    sample: Name
    x: Number
    y: Number


class CocoImage(Record):
    """A photo in a JSON file in the form of COCO."""

    id: int | str
    file_name: PathText


class CocoCategory(Record):
    """A class in a JSON file in the form of COCO."""

    id: int | str
    name: str


class CocoAnnotation(Record):
    """What a JSON file in the form of COCO says about a photo; boxes and outlines aren't used."""

    image_id: int | str
    category_id: int | str
    bbox: Any = None


class CocoFile(Record):
    """A JSON file in the form of COCO, written by another program."""

    images: list[CocoImage]
    categories: list[CocoCategory]
    annotations: list[CocoAnnotation]
