"""What an ONNX file of a model says and gives: names of its input and outputs, and the description in its metadata.

docs/ONNX.md describes the file for programs that read it without SoleScope.
"""

import json
import math
from dataclasses import replace

from msgspec import structs

from sneaker_core.networks.checkpoint import ModelSpec
from sneaker_core.networks.decision import Decision
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.networks.sneaker_groups import GROUPS
from sneaker_core.records.model_records import DecisionRecord, OnnxFileRecord
from sneaker_core.records.reading import checked, parsed
from sneaker_core.workspace.clean_names import clean_names

FORMAT = 1
# The metadata property with the description.
PROPERTY = "solescope"
PHOTOS = "photos"
LOGITS, REJECTED_LOGITS, EMBEDDINGS = "logits", "rejected_logits", "embeddings"
PROBABILITIES, OOD_SCORE = "probabilities", "ood_score"
FEATURES, CLASS_MAPS = "features", "class_maps"
# The constant with the reference embeddings, (D, R).
REFERENCES = "references"
FLOAT32, INT8 = "float32", "int8"

# JSON has no infinity, which a threshold may be; no score comes near this.
_NEVER = 1e9

_RESIZING = (
    "Turn the photo upright, lay it over white where it is transparent, and resize the whole of it to height x width "
    "with bicubic interpolation, without keeping its aspect ratio; then scale RGB to 0..1. The graph does the rest: "
    "it standardizes with mean and std and averages over the mirrored view."
)


def description(spec: ModelSpec, weights_sha256: str, precision: str) -> str:
    """The JSON of the metadata property.

    Parameters
    ----------
    spec : ModelSpec
    weights_sha256 : str
        Checksum of the weights that the file was exported from.
    precision : {"float32", "int8"}
    """
    values = {
        "format": FORMAT,
        "name": spec.name,
        "network": spec.network,
        "head": spec.head,
        "precision": precision,
        "classes": list(spec.classes),
        "footwear_types": list(spec.footwear_types),
        "has_negatives_class": spec.has_negatives_class,
        "groups": {name: list(starts) for name, starts in GROUPS.items()},
        "preprocessing": {**spec.preprocessing.to_dict(), "resizing": _RESIZING},
        "decision": {name: max(-_NEVER, min(value, _NEVER)) for name, value in spec.decision.to_dict().items()},
        "weights_sha256": weights_sha256,
    }
    return json.dumps(values, ensure_ascii=False, allow_nan=False)


def read_description(text: str, source: object) -> tuple[ModelSpec, OnnxFileRecord]:
    """The spec in the JSON of the metadata property, and the rest of what it says.

    Parameters
    ----------
    text : str
    source : object
        The file, for errors.

    Raises
    ------
    DamagedError
        It doesn't fit its schema, or is from a newer version.
    """
    record = checked(parsed(text, source), OnnxFileRecord, source)
    return _spec(record), record


def _decision(record: DecisionRecord) -> Decision:
    decision = Decision(**structs.asdict(record))
    return replace(decision, ood_threshold=math.inf) if decision.ood_threshold >= _NEVER else decision


def _spec(record: OnnxFileRecord) -> ModelSpec:
    return ModelSpec(
        name=record.name,
        network=record.network,
        classes=clean_names(record.classes),
        has_negatives_class=record.has_negatives_class,
        preprocessing=Preprocessing(**structs.asdict(record.preprocessing)),
        decision=_decision(record.decision),
        head=record.head,
        footwear_types=record.footwear_types,
    )
