"""Records of a model: model.json and the figures in it, by split and by world."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from sneaker_core.records.fields import Checksum, Count, Moment, Name, Number, Setting, Share, Spread, none_for_nan
from sneaker_core.records.reading import Record

_Side = Annotated[int, Meta(ge=8, le=4096)]
_OLD_SPLITS = MappingProxyType({"others": "negatives"})
# A threshold that nothing reaches is infinite.
_Threshold = Annotated[float, Meta(ge=-1e15)]
# The first digits of a checksum: of a photo's bytes, or of a model's weights.
_Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$")]


def check_distinct(labels: tuple[str, ...]) -> None:
    """Refuse labels of which one is listed twice; msgspec adds the place in the record."""
    if len(set(labels)) != len(labels):
        raise ValueError("classes: one is listed twice")


class ShareRecord(Record):
    """A share of photos with its 95% interval; numbers are None where there are no photos."""

    value: Share | None
    low: Share | None
    high: Share | None
    n: Count

    def __post_init__(self) -> None:
        if self.n and None in (self.value, self.low, self.high):
            raise ValueError(f"it is a share of {self.n} photos without a number")


class WorldRecord(Record):
    """How a model does in one world."""

    world: Name
    photos: Count
    known: Count
    top1: ShareRecord
    top3: ShareRecord
    refused: ShareRecord
    right_when_named: ShareRecord
    named_unknown: ShareRecord
    ece: Share | None

    def __post_init__(self) -> None:
        if self.known != self.top1.n or self.known != self.top3.n:
            raise ValueError(f"its accuracy is not of its {self.known} known photos")


class FiguresRecord(Record):
    """The figures of a model on the photos of a split."""

    n: Count | None = None
    top1: Share | None = None
    top3: Share | None = None
    ece: Share | None = None
    macro_f1: Share | None = None
    balanced_accuracy: Share | None = None
    left_out: dict[str, Count] = {}

    @classmethod
    def current(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values without NaN where there were no photos."""
        own = super().current(values)
        return own if own.get("n") else none_for_nan(own, "top1", "top3", "ece", "macro_f1", "balanced_accuracy")


class RefusedRecord(Record):
    """How many photos of no known class a model refused."""

    n: Count | None = None
    found: Share | None = None

    @classmethod
    def current(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values without NaN where there were no photos."""
        own = super().current(values)
        return own if own.get("n") else none_for_nan(own, "found")


class MetricsRecord(Record):
    """A model's figures, by split and by world."""

    old_names: ClassVar[Mapping[str, str]] = _OLD_SPLITS
    nested: ClassVar[Mapping[str, type[Record]]] = MappingProxyType(
        {"test": FiguresRecord, "val": FiguresRecord, "negatives": RefusedRecord, "other_footwear": RefusedRecord}
    )

    test: FiguresRecord | None = None
    val: FiguresRecord | None = None
    negatives: RefusedRecord | None = None
    other_footwear: RefusedRecord | None = None
    worlds: list[WorldRecord] | None = None


class DataRecord(Record):
    """What a model was trained on."""

    old_names: ClassVar[Mapping[str, str]] = _OLD_SPLITS

    fingerprint: str | None = None
    photos: Count | None = None
    rejected: Count | None = None
    classes: dict[str, dict[str, Count]] = {}
    in_duplicate_groups: Count | None = None
    under_two_labels: Count | None = None
    negatives: dict[str, Count] = {}
    other_footwear: dict[str, Count] = {}


class PreprocessingRecord(Record):
    """How photos are prepared for the network."""

    height: _Side
    width: _Side
    mean: tuple[Number, Number, Number]
    std: tuple[Spread, Spread, Spread]
    mirrored: bool = True


class DecisionRecord(Record):
    """What turns outputs into an answer."""

    old_names: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "other_mean": "negatives_mean",
            "other_std": "negatives_std",
            "sure_probability": "confidence_threshold",
            "unknown_threshold": "ood_threshold",
        }
    )

    temperature: Spread = 1.0
    confidence_threshold: Share = 0.6
    ood_threshold: _Threshold = float("inf")
    distance_mean: Number = 0.0
    distance_std: Spread = 1.0
    negatives_mean: Number = 0.0
    negatives_std: Spread = 1.0
    logit_mean: Number = 0.0
    logit_std: Spread = 1.0
    distance_weight: Number = 1.0
    negatives_weight: Number = 1.0
    logit_weight: Number = 0.0
    # Models from before it was fitted are as cautious with several photos as with one.
    pooling_exponent: Share = 0.0


class ModelFile(Record):
    """Everything about a model except its weights: ``model.json``."""

    newest_format: ClassVar[int | None] = 1
    old_names: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"knows_others": "has_negatives_class", "fitted_sure_probability": "fitted_confidence_threshold"}
    )
    nested: ClassVar[Mapping[str, type[Record]]] = MappingProxyType(
        {"decision": DecisionRecord, "metrics": MetricsRecord, "data": DataRecord}
    )

    format: Annotated[int, Meta(ge=1)]
    name: str
    network: Name
    classes: Annotated[tuple[Name, ...], Meta(min_length=1)]
    has_negatives_class: bool
    preprocessing: PreprocessingRecord
    decision: DecisionRecord
    recipe: dict[str, Setting]
    metrics: MetricsRecord
    data: DataRecord
    versions: dict[str, str]
    weights_sha256: Checksum
    head: Name = "linear"
    fitted_confidence_threshold: Share | None = None
    footwear_types: tuple[Name, ...] = ()

    def __post_init__(self) -> None:
        check_distinct((*self.classes, *self.footwear_types))


class TaughtSneakerRecord(Record):
    """A class that a model was taught by example: its name, and a hash of each photo's bytes."""

    name: Name
    samples: Annotated[list[_Hash], Meta(min_length=1)]


class TaughtFile(Record):
    """What a model was taught by example: ``taught.json``; the embeddings of the photos lie next to it."""

    newest_format: ClassVar[int | None] = 1

    format: Annotated[int, Meta(ge=1)]
    base: Name
    base_weights: _Hash
    base_classes: Count
    base_references: Count
    embeddings_sha256: Checksum
    sneakers: list[TaughtSneakerRecord]
    alone: tuple[Spread, Number] | None = None
    forgotten: list[TaughtSneakerRecord] = []


class OnnxFileRecord(Record):
    """What an ONNX file says of its model, in the property "solescope"."""

    newest_format: ClassVar[int | None] = 1
    nested: ClassVar[Mapping[str, type[Record]]] = MappingProxyType({"decision": DecisionRecord})

    format: Annotated[int, Meta(ge=1)]
    name: str
    network: Name
    classes: Annotated[tuple[Name, ...], Meta(min_length=1)]
    has_negatives_class: bool
    preprocessing: PreprocessingRecord
    decision: DecisionRecord
    weights_sha256: Checksum
    precision: Annotated[str, Meta(pattern="^(float32|int8)$")] = "float32"
    head: Name = "linear"
    footwear_types: tuple[Name, ...] = ()

    def __post_init__(self) -> None:
        check_distinct((*self.classes, *self.footwear_types))


class CalibrationFile(Record):
    """Ranges of activations, measured on photos that don't come with the model: ``calibration.json``."""

    newest_format: ClassVar[int | None] = 1

    format: Annotated[int, Meta(ge=1)]
    weights_sha256: Checksum
    photos: Count
    ranges: dict[str, tuple[Number, Number]]


class PackedFileRecord(Record):
    """A file of a model pack."""

    name: Name
    size: Count
    sha256: Checksum


class PackFile(Record):
    """What a model pack holds: ``pack.json`` in it."""

    newest_format: ClassVar[int | None] = 1

    format: Annotated[int, Meta(ge=1)]
    name: Name
    weights: _Hash
    packed: Moment
    solescope: Name
    files: Annotated[list[PackedFileRecord], Meta(min_length=1, max_length=100)]
    # Name of the photos that the model was trained on, or its copy was corrected with.
    data: Annotated[str, Meta(max_length=1000)] = ""
    # Of a copy that was taught by example or corrected: the model that it is a copy of.
    taught_from: Name | None = None


class InstalledRecord(Record):
    """Where an installed model comes from; a part of ``run.json``."""

    file: Name
    name: Name
    weights: _Hash
    packed: Moment
    solescope: Name
