"""A trained model as a self-describing folder: ``weights.safetensors`` and ``model.json``; or as an ONNX file.

Weights are stored as safetensors, never as pickle, so loading a model can't run code. ``model.json`` is written last
and holds the checksum of the weights, so an incomplete folder never loads.
"""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from msgspec import structs
from torch import Tensor

from sneaker_core.errors import CheckpointError, DamagedError, RecipeError
from sneaker_core.networks.architectures import SneakerNetwork, build_network
from sneaker_core.networks.decision import Decision, Floats, Outputs, unit_length
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.records.model_records import ModelFile
from sneaker_core.records.reading import checked, read_values
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.clean_names import clean_names

FORMAT = 1
WEIGHTS_FILE = "weights.safetensors"
MODEL_FILE = "model.json"
# In place of the weights of an exported model; the file may also stand alone, under any name.
ONNX_FILE = "model.onnx"
_NETWORK_PREFIX = "network."
_REFERENCES = "references"
_FITTED = "fitted_confidence_threshold"


@dataclass(frozen=True)
class ModelSpec:
    """Everything about a model except its weights: the content of ``model.json``.

    Attributes
    ----------
    name : str
    network : str
        A name of `ARCHITECTURES`.
    classes : tuple of str
        Label of each logit, in order.
    has_negatives_class : bool
        Whether the network has one more logit, the last, for negatives (photos that show no sneaker).
    preprocessing : Preprocessing
    decision : Decision
        Temperature and thresholds.
    recipe : dict
        How it was trained.
    metrics : dict
        Its metrics, by split.
    data : dict
        Fingerprint and photo counts of the training dataset.
    versions : dict
        Versions of the libraries it was trained with.
    head : str
        One of `HEAD_KINDS`.
    fitted_confidence_threshold : float or None
        The fitted threshold, if a user has since set another one.
    footwear_types : tuple of str
        Types of other footwear that the network tells from sneakers, such as "loafer"; their logits follow those of
        the classes.
    """

    name: str
    network: str
    classes: tuple[str, ...]
    has_negatives_class: bool
    preprocessing: Preprocessing
    decision: Decision = field(default_factory=Decision)
    recipe: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    head: str = "linear"
    fitted_confidence_threshold: float | None = None
    footwear_types: tuple[str, ...] = ()

    @property
    def outputs(self) -> int:
        """Number of logits of the network."""
        return len(self.classes) + len(self.footwear_types) + int(self.has_negatives_class)

    @property
    def photo_counts(self) -> dict[str, int]:
        """Sneaker photos of its training dataset by split, as far as recorded."""
        totals: dict[str, int] = {}
        for counts in self.data.get("classes", {}).values():
            for split, count in counts.items():
                totals[split] = totals.get(split, 0) + count
        return totals

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        chosen = {} if self.fitted_confidence_threshold is None else {_FITTED: self.fitted_confidence_threshold}
        return {
            "format": FORMAT,
            "name": self.name,
            "network": self.network,
            "head": self.head,
            "classes": list(self.classes),
            **({"footwear_types": list(self.footwear_types)} if self.footwear_types else {}),
            "has_negatives_class": self.has_negatives_class,
            "preprocessing": self.preprocessing.to_dict(),
            "decision": self.decision.to_dict(),
            **chosen,
            "recipe": self.recipe,
            "metrics": self.metrics,
            "data": self.data,
            "versions": self.versions,
        }

    @classmethod
    def from_record(cls, record: ModelFile, values: Mapping[str, Any]) -> "ModelSpec":
        """The spec that ``model.json`` describes.

        Parameters
        ----------
        record : ModelFile
        values : mapping
            What the record was made of, in today's form: all its figures, also those that no schema knows.
        """
        return cls(
            name=record.name,
            network=record.network,
            classes=clean_names(record.classes),
            has_negatives_class=record.has_negatives_class,
            preprocessing=Preprocessing(**structs.asdict(record.preprocessing)),
            decision=Decision(**structs.asdict(record.decision)),
            recipe=dict(record.recipe),
            metrics=dict(values["metrics"]),
            data=dict(values["data"]),
            versions=record.versions,
            head=record.head,
            fitted_confidence_threshold=record.fitted_confidence_threshold,
            footwear_types=record.footwear_types,
        )


@dataclass(frozen=True)
class SneakerModel:
    """A network ready for inference, with its spec and reference embeddings.

    Attributes
    ----------
    spec : ModelSpec
    network : SneakerNetwork
        In evaluation mode. Threads share it, so it must never be modified.
    references : float32 array (R, D)
        Unit-length embeddings of known sneakers; the OOD score measures the distance to them.
    """

    spec: ModelSpec
    network: SneakerNetwork
    references: Floats

    @torch.inference_mode()
    def outputs(self, images: Tensor) -> Outputs:
        """Run the network on preprocessed images (B, 3, H, W); average over the preprocessing's views."""
        logits, embeddings = self.network.averaged(images, self.spec.preprocessing.mirrored)
        return self.split_logits(logits.numpy(), embeddings.numpy())

    def split_logits(self, logits: Floats, embeddings: Floats) -> Outputs:
        """Outputs from the logits (B, outputs) and embeddings (B, D) of photos."""
        known, types = len(self.spec.classes), len(self.spec.footwear_types)
        return Outputs(
            logits=logits[:, :known],
            negatives_logit=logits[:, known + types] if self.spec.has_negatives_class else None,
            embeddings=embeddings,
            footwear_logits=logits[:, known : known + types] if types else None,
        )


def library_versions() -> dict[str, str]:
    """Versions of Python and the libraries that results depend on."""
    from importlib.metadata import version

    names = ("torch", "torchvision", "pillow", "numpy", "scikit-learn", "safetensors")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def _stored(value: Tensor) -> Tensor:
    """Large tensors in half precision; biases and batch-norm statistics unchanged."""
    return (value.half() if value.is_floating_point() and value.ndim > 1 else value).contiguous()


def _stored_weights(network: SneakerNetwork) -> dict[str, Tensor]:
    return {name: _stored(value) for name, value in network.answering_state().items()}


def _rebuilt(spec: ModelSpec, weights: Mapping[str, Tensor]) -> SneakerNetwork:
    """Build the network of a spec and load stored weights into it, ready for inference."""
    network = build_network(spec.network, spec.outputs, spec.head, auxiliary=False)
    network.load_state_dict(
        {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}
    )
    return network.eval().requires_grad_(False)


def as_stored(model: SneakerModel) -> SneakerModel:
    """The model as it is after saving and loading, so that its measured metrics hold for the saved file."""
    return replace(model, network=_rebuilt(model.spec, _stored_weights(model.network)))


def save_model(model: SneakerModel, folder: Path) -> None:
    """Write a model's folder: the weights first, then ``model.json`` with their checksum.

    Weight matrices, convolutions and references are stored in half precision, which halves the size.
    """
    tensors = {_NETWORK_PREFIX + name: value for name, value in _stored_weights(model.network).items()}
    tensors[_REFERENCES] = _stored(torch.from_numpy(np.ascontiguousarray(model.references)))
    weights = safetensors.torch.save(tensors)
    write_atomically(folder / WEIGHTS_FILE, weights)
    _write_description(folder, model.spec, hashlib.sha256(weights).hexdigest())


def _write_description(folder: Path, spec: ModelSpec, checksum: str) -> None:
    description = {**spec.to_dict(), "weights_sha256": checksum}
    write_atomically(folder / MODEL_FILE, (json.dumps(description, indent=1, ensure_ascii=False) + "\n").encode())


def save_confidence_threshold(folder: Path, value: float | None) -> ModelSpec:
    """Set the probability from which on a model's answers are "known".

    Parameters
    ----------
    folder : Path
        The model's folder.
    value : float or None
        0 to 1; None restores the fitted threshold, which is stored next to the chosen one.

    Returns
    -------
    ModelSpec
        The updated spec.

    Raises
    ------
    CheckpointError
        The value is not a probability, or the model's folder is damaged or read-only.
    """
    if value is not None and not 0 <= value <= 1:
        raise CheckpointError(f"The confidence threshold is {value:g}; it must be from 0 to 1.")
    spec, checksum = _read_description(folder)
    fitted = spec.fitted_confidence_threshold
    fitted = spec.decision.confidence_threshold if fitted is None else fitted
    decision = replace(spec.decision, confidence_threshold=fitted if value is None else float(value))
    spec = replace(spec, decision=decision, fitted_confidence_threshold=None if value is None else fitted)
    return _save_description(folder, spec, checksum)


def save_pooling_exponent(folder: Path, value: float) -> ModelSpec:
    """Set how much several photos of one sneaker say together; see `networks.pooling`.

    Parameters
    ----------
    folder : Path
        The model's folder.
    value : float
        0 to 1.

    Raises
    ------
    CheckpointError
        The model's folder is damaged or read-only.
    """
    spec, checksum = _read_description(folder)
    decision = replace(spec.decision, pooling_exponent=value)
    return _save_description(folder, replace(spec, decision=decision), checksum)


def _save_description(folder: Path, spec: ModelSpec, checksum: str) -> ModelSpec:
    try:
        _write_description(folder, spec, checksum)
    except OSError as error:
        raise CheckpointError(f"Can't write {folder / MODEL_FILE}: {error.strerror}.") from error
    return spec


def read_spec(folder: Path) -> ModelSpec:
    """Read a model's spec without its weights.

    Raises
    ------
    CheckpointError
        ``model.json`` is missing, damaged, or from another version of SoleScope.
    """
    return _read_description(folder)[0]


def weights_version(folder: Path) -> str:
    """Identify a model's weights, independent of its thresholds: the first 16 digits of their checksum.

    Raises
    ------
    CheckpointError
        As `read_spec`.
    """
    return weights_checksum(folder)[:16]


def weights_checksum(folder: Path) -> str:
    """The whole checksum of a model's weights.

    Raises
    ------
    CheckpointError
        As `read_spec`.
    """
    return _read_description(folder)[1]


def onnx_file(place: Path) -> Path | None:
    """The ONNX file of a model that has one in place of its weights: in its folder, or alone."""
    if place.suffix.lower() == ".onnx" and place.is_file():
        return place
    file = place / ONNX_FILE
    return file if file.is_file() and not (place / WEIGHTS_FILE).exists() else None


def describing_file(place: Path) -> Path:
    """The file that describes a model and changes with it; there may be none."""
    file = place / MODEL_FILE
    return file if file.is_file() else onnx_file(place) or file


def _read_description(folder: Path) -> tuple[ModelSpec, str]:
    file = describing_file(folder)
    if file == onnx_file(folder):
        from sneaker_core.networks.onnx_file import read_onnx_description

        return read_onnx_description(file)
    if not file.exists():
        raise CheckpointError(f"{folder} isn't a model folder: it has no {MODEL_FILE}.")
    try:
        values = read_values(file)
        record = checked(values, ModelFile, file)
    except DamagedError as error:
        raise CheckpointError(f"{error} Train or download the model again.") from None
    return ModelSpec.from_record(record, ModelFile.current(values)), record.weights_sha256


def load_model(folder: Path) -> SneakerModel:
    """Load a model from its folder, or from an ONNX file.

    Raises
    ------
    CheckpointError
        The folder isn't a model, or its weights don't match their checksum or the network.
    """
    spec, checksum = _read_description(folder)
    if (exported := onnx_file(folder)) is not None:
        from sneaker_core.networks.onnx_file import load_onnx

        return load_onnx(exported, spec, checksum)
    file = folder / WEIGHTS_FILE
    try:
        data = file.read_bytes()
    except OSError:
        raise CheckpointError(f"Can't read {file}. Copy the model's folder again.") from None
    if hashlib.sha256(data).hexdigest() != checksum:
        raise CheckpointError(f"{file} is damaged: its checksum doesn't match. Copy the model's folder again.")
    try:
        tensors = _tensors(data)
        references = tensors.pop(_REFERENCES).float().numpy()
        network = _rebuilt(spec, {name.removeprefix(_NETWORK_PREFIX): value for name, value in tensors.items()})
    except (KeyError, RuntimeError, RecipeError, safetensors.SafetensorError):
        raise CheckpointError(f"{file} doesn't fit the network {spec.network!r} that {MODEL_FILE} names.") from None
    return SneakerModel(spec, network, unit_length(references))


def _tensors(data: bytes) -> dict[str, Tensor]:
    loaded: dict[str, Tensor] = safetensors.torch.load(data)
    return loaded


def with_spec(model: SneakerModel, **changes: Any) -> SneakerModel:
    """The same network with parts of its spec replaced."""
    return replace(model, spec=replace(model.spec, **changes))
