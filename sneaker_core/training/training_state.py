"""Training state: saved after every epoch so that the training can be resumed.

Next to each file is a description with its checksum, written last, so a truncated or damaged file is recognized.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor, nn

from sneaker_core import process_group
from sneaker_core.errors import DamagedError
from sneaker_core.records.reading import read_record
from sneaker_core.records.training_records import StateFile
from sneaker_core.training.trainer import Trainer
from sneaker_core.workspace.atomic_files import write_atomically

# Two files used in turn, so the previous state stays intact while a new one is written.
_STATES = ("state-even.safetensors", "state-odd.safetensors")
_BEST = "best.safetensors"


def save_state(trainer: Trainer, folder: Path) -> None:
    """Write network, averaged network, optimizer and the number of epochs done to one file.

    Raises
    ------
    OSError
        It cannot be written; the previous state is still intact.
    """
    tensors: dict[str, Tensor] = {}
    for prefix, module in (("network.", trainer.network), ("average.", trainer.average)):
        tensors.update({prefix + name: value for name, value in module.state_dict().items()})
    for index, values in trainer.optimizer.state_dict()["state"].items():
        tensors.update({f"optimizer.{index}.{name}": value for name, value in values.items()})
    _write(folder / _STATES[trainer.epochs_done % 2], tensors, trainer.epochs_done)


def load_state(trainer: Trainer, folder: Path) -> str | None:
    """Restore the newest intact state in the folder; if there is none, the trainer is left unchanged.

    With several processes, only the first one reads; the others need no access to the folder.

    Returns
    -------
    str or None
        Which file is damaged and what is used instead; None if nothing is damaged.
    """
    epochs, tensors, broken = process_group.broadcast(_newest(folder) if process_group.is_first() else (0, {}, []))
    if tensors:
        _restore(trainer, tensors)
        trainer.epochs_done = epochs
    if not broken:
        return None
    instead = f"from the state after epoch {epochs}" if epochs else "from the start"
    return f"The training state {broken[0]} in {folder} is damaged. Training resumes {instead}."


def _newest(folder: Path) -> tuple[int, dict[str, Tensor], list[str]]:
    """Epochs done and tensors of the newest intact state, and the names of newer damaged files."""
    broken: list[str] = []
    described = {file: _epochs_of(file) for file in (folder / name for name in _STATES) if file.exists()}
    for file, epochs in sorted(described.items(), key=lambda item: -1 if item[1] is None else -item[1]):
        tensors = _read(file)
        if tensors is not None and epochs is not None:
            return epochs, tensors, broken
        broken.append(file.name)
    return 0, {}, broken


def save_best(network: nn.Module, folder: Path, epoch: int) -> None:
    """Save the weights with the best validation accuracy so far."""
    _write(folder / _BEST, network.state_dict(), epoch)


def best_epoch(folder: Path) -> int | None:
    """Epoch of the saved best weights; None if there are none or they are damaged."""
    file = folder / _BEST
    return _epochs_of(file) if _read(file) is not None else None


def load_best(network: nn.Module, folder: Path) -> int | None:
    """Load the best weights into a network; returns their epoch, None if there are none or they are damaged."""
    file = folder / _BEST
    epoch, tensors = process_group.broadcast(
        (_epochs_of(file), _read(file)) if process_group.is_first() else (None, None)
    )
    if epoch is None or tensors is None:
        return None
    network.load_state_dict(tensors)
    return epoch


def remove_state(folder: Path) -> None:
    """Delete the saved states of a finished training."""
    for name in (*_STATES, _BEST):
        (folder / name).unlink(missing_ok=True)
        _description(folder / name).unlink(missing_ok=True)
    for pattern in (".state-*", ".best.*"):  # partly written by processes that were killed
        for file in folder.glob(pattern):
            file.unlink(missing_ok=True)


def _description(file: Path) -> Path:
    return file.with_suffix(".json")


def _write(file: Path, tensors: Mapping[str, Tensor], epochs: int) -> None:
    data = safetensors.torch.save({name: value.contiguous() for name, value in tensors.items()})
    write_atomically(file, data)
    described = {"epochs": epochs, "sha256": hashlib.sha256(data).hexdigest()}
    write_atomically(_description(file), json.dumps(described).encode())


def _described(file: Path) -> tuple[int, str] | None:
    try:
        record = read_record(_description(file), StateFile)
    except DamagedError:
        return None
    return record.epochs, record.sha256


def _epochs_of(file: Path) -> int | None:
    described = _described(file)
    return None if described is None else described[0]


def _read(file: Path) -> dict[str, Tensor] | None:
    """Tensors of an intact file; None if it is missing or damaged."""
    described = _described(file)
    try:
        data = file.read_bytes()
        if described is None or hashlib.sha256(data).hexdigest() != described[1]:
            return None
        tensors: dict[str, Tensor] = safetensors.torch.load(data)
    except (OSError, safetensors.SafetensorError):
        return None
    return tensors


def _restore(trainer: Trainer, tensors: dict[str, Tensor]) -> None:
    def with_prefix(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}

    optimizer = trainer.optimizer.state_dict()
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in with_prefix("optimizer.").items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    trainer.network.load_state_dict(with_prefix("network."))
    trainer.average.load_state_dict(with_prefix("average."))
    trainer.optimizer.load_state_dict({**optimizer, "state": state})
