"""A trained model as a folder that describes itself: ``weights.safetensors`` and ``model.json``.

The weights are safetensors, never pickle: loading a model runs no code of its maker. ``model.json`` is written last
and holds the checksum of the weights, so that a half-written folder is never taken for a model.
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
from torch import Tensor

from sneaker_core.errors import CheckpointError, RecipeError
from sneaker_core.networks.architectures import SneakerNetwork, build_network
from sneaker_core.networks.decision import Decision, Floats, Outputs, unit_length
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.workspace.paths import write_atomically

FORMAT = 1
WEIGHTS_FILE = "weights.safetensors"
MODEL_FILE = "model.json"
_NETWORK_PREFIX = "network."
_REFERENCES = "references"
_FITTED = "fitted_confidence_threshold"
# What older versions called these values in model.json.
_OLD_NAMES = {
    "sure_probability": "confidence_threshold",
    "unknown_threshold": "ood_threshold",
    "fitted_sure_probability": _FITTED,
}


@dataclass(frozen=True)
class ModelSpec:
    """Everything of a model but its weights: what ``model.json`` says.

    Attributes
    ----------
    name : str
    network : str
        A name of `ARCHITECTURES`.
    classes : tuple of str
        Label of each logit, in order.
    knows_others : bool
        Whether one more logit, the last, stands for "something else".
    preprocessing : Preprocessing
    decision : Decision
        Temperature and thresholds.
    recipe : dict
        How it was trained.
    metrics : dict
        How well it did, by split.
    data : dict
        What it was trained on: fingerprint and counts.
    versions : dict
        Libraries it was made with.
    head : str
        One of `HEAD_KINDS`.
    fitted_confidence_threshold : float or None
        That of the decision as it was fitted, where a person chose another one since.
    """

    name: str
    network: str
    classes: tuple[str, ...]
    knows_others: bool
    preprocessing: Preprocessing
    decision: Decision = field(default_factory=Decision)
    recipe: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    head: str = "linear"
    fitted_confidence_threshold: float | None = None

    @property
    def outputs(self) -> int:
        """Number of logits of the network."""
        return len(self.classes) + int(self.knows_others)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        chosen = {} if self.fitted_confidence_threshold is None else {_FITTED: self.fitted_confidence_threshold}
        return {
            "format": FORMAT,
            "name": self.name,
            "network": self.network,
            "head": self.head,
            "classes": list(self.classes),
            "knows_others": self.knows_others,
            "preprocessing": self.preprocessing.to_dict(),
            "decision": self.decision.to_dict(),
            **chosen,
            "recipe": self.recipe,
            "metrics": self.metrics,
            "data": self.data,
            "versions": self.versions,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ModelSpec":
        """The inverse of `to_dict`; raises KeyError, TypeError or ValueError on values of another shape."""
        return cls(
            name=str(values["name"]),
            network=str(values["network"]),
            classes=tuple(map(str, values["classes"])),
            knows_others=bool(values["knows_others"]),
            preprocessing=Preprocessing.from_dict(values["preprocessing"]),
            decision=Decision(**_with_todays_names(values["decision"])),
            recipe=dict(values["recipe"]),
            metrics=dict(values["metrics"]),
            data=dict(values["data"]),
            versions=dict(values["versions"]),
            # Older models have no such key.
            head=str(values.get("head", "linear")),
            fitted_confidence_threshold=_fitted_threshold(values),
        )


def _with_todays_names(values: Mapping[str, Any]) -> dict[str, Any]:
    return {_OLD_NAMES.get(key, key): value for key, value in values.items()}


def _fitted_threshold(values: Mapping[str, Any]) -> float | None:
    """The fitted threshold, which only a model whose threshold a person chose keeps beside the chosen one."""
    fitted = _with_todays_names(values).get(_FITTED)
    return None if fitted is None else float(fitted)


@dataclass(frozen=True)
class SneakerModel:
    """A network ready to answer, with its description and its references.

    Attributes
    ----------
    spec : ModelSpec
    network : SneakerNetwork
        In evaluation mode; shared between threads, so nobody may change it.
    references : float32 array (R, D)
        Unit embeddings that stand for the known sneakers, to measure distance from.
    """

    spec: ModelSpec
    network: SneakerNetwork
    references: Floats

    @torch.inference_mode()
    def outputs(self, images: Tensor) -> Outputs:
        """Run the network on preprocessed images (B, 3, H, W), averaging over the views the preprocessing asks for."""
        images = images.contiguous(memory_format=torch.channels_last)
        # Mirrored views go through as one larger batch: one call of the network is faster than two.
        views = torch.cat([images, images.flip(3)]) if self.spec.preprocessing.mirrored else images
        embeddings = self.network.embed(views).float()
        logits = self.network.head(embeddings).float()
        count = len(views) // len(images)
        logits = logits.view(count, len(images), -1).mean(0).numpy()
        known = len(self.spec.classes)
        return Outputs(
            logits=logits[:, :known],
            other=logits[:, known] if self.spec.knows_others else None,
            embeddings=embeddings.view(count, len(images), -1).mean(0).numpy(),
        )


def library_versions() -> dict[str, str]:
    """The versions that results depend on."""
    from importlib.metadata import version

    names = ("torch", "torchvision", "pillow", "numpy", "scikit-learn", "safetensors")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def _stored(value: Tensor) -> Tensor:
    """Half precision for what is large; biases and batch-norm statistics stay as they are."""
    return (value.half() if value.is_floating_point() and value.ndim > 1 else value).contiguous()


def _stored_weights(network: SneakerNetwork) -> dict[str, Tensor]:
    return {name: _stored(value) for name, value in network.answering_state().items()}


def _rebuilt(spec: ModelSpec, weights: Mapping[str, Tensor]) -> SneakerNetwork:
    """The network of a description with weights as they are stored, ready to answer."""
    network = build_network(spec.network, spec.outputs, spec.head, auxiliary=False)
    network.load_state_dict(
        {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}
    )
    return network.eval().requires_grad_(False)


def as_stored(model: SneakerModel) -> SneakerModel:
    """The model as it would be after writing and reading it: what is measured on it holds for the file."""
    return replace(model, network=_rebuilt(model.spec, _stored_weights(model.network)))


def save_model(model: SneakerModel, folder: Path) -> None:
    """Write a model's folder: the weights first, then the description with their checksum.

    Convolutions, the head and the references are kept in half precision (10-bit mantissa): half the size.
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
    """Choose the probability from which on a model's answers are "known".

    Parameters
    ----------
    folder : Path
        The model's.
    value : float or None
        0 to 1; None goes back to the fitted one, which is kept beside the chosen one.

    Returns
    -------
    ModelSpec
        The description as it is now.

    Raises
    ------
    CheckpointError
        The value is no probability, or the model's folder is damaged or cannot be written to.
    """
    if value is not None and not 0 <= value <= 1:
        raise CheckpointError(f"The threshold is {value:g}; it must be a probability from 0 to 1.")
    spec, checksum = _read_description(folder)
    fitted = spec.fitted_confidence_threshold
    fitted = spec.decision.confidence_threshold if fitted is None else fitted
    decision = replace(spec.decision, confidence_threshold=fitted if value is None else float(value))
    spec = replace(spec, decision=decision, fitted_confidence_threshold=None if value is None else fitted)
    try:
        _write_description(folder, spec, checksum)
    except OSError as error:
        raise CheckpointError(f"{folder / MODEL_FILE} cannot be written: {error.strerror}.") from error
    return spec


def read_spec(folder: Path) -> ModelSpec:
    """Read the description of a model without its weights.

    Raises
    ------
    CheckpointError
        There is none, it is damaged, or a newer SoleScope wrote it.
    """
    return _read_description(folder)[0]


def weights_version(folder: Path) -> str:
    """Names the weights of a model, whatever its thresholds: the first 16 digits of their checksum.

    Raises
    ------
    CheckpointError
        As `read_spec`.
    """
    return _read_description(folder)[1][:16]


def _read_description(folder: Path) -> tuple[ModelSpec, str]:
    file = folder / MODEL_FILE
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{folder} is no model: it has no {MODEL_FILE}.") from None
    except (OSError, ValueError):
        raise CheckpointError(f"{file} is damaged and cannot be read; train or download the model again.") from None
    if isinstance(values, dict) and values.get("format") != FORMAT:
        raise CheckpointError(f"{file} was written by another version of SoleScope; update SoleScope to use it.")
    try:
        return ModelSpec.from_dict(values), str(values["weights_sha256"])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise CheckpointError(f"{file} lacks what describes a model; train or download the model again.") from None


def load_model(folder: Path) -> SneakerModel:
    """Rebuild a model from its folder alone.

    Raises
    ------
    CheckpointError
        The folder is no model, the weights do not match their checksum, or do not fit the network.
    """
    spec, checksum = _read_description(folder)
    file = folder / WEIGHTS_FILE
    try:
        data = file.read_bytes()
    except OSError:
        raise CheckpointError(
            f"{folder} has no {WEIGHTS_FILE} that can be read; copy the model's folder again."
        ) from None
    if hashlib.sha256(data).hexdigest() != checksum:
        raise CheckpointError(f"{file} is damaged: its checksum is wrong; copy the model's folder again.")
    try:
        tensors = _tensors(data)
        references = tensors.pop(_REFERENCES).float().numpy()
        network = _rebuilt(spec, {name.removeprefix(_NETWORK_PREFIX): value for name, value in tensors.items()})
    except (KeyError, RuntimeError, RecipeError, safetensors.SafetensorError):
        raise CheckpointError(f"{file} does not fit the network {spec.network!r} that {MODEL_FILE} names.") from None
    return SneakerModel(spec, network, unit_length(references))


def _tensors(data: bytes) -> dict[str, Tensor]:
    loaded: dict[str, Tensor] = safetensors.torch.load(data)
    return loaded


def renamed(model: SneakerModel, **changes: Any) -> SneakerModel:
    """The same weights with some of the description changed."""
    return replace(model, spec=replace(model.spec, **changes))
