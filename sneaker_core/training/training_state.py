"""The whole state of a training, kept after every epoch so that it can go on from there.

Beside each file lies a description with its checksum, written last: a file that is cut off or damaged is known as such.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor, nn

from sneaker_core import process_group
from sneaker_core.training.trainer import Trainer
from sneaker_core.workspace.atomic_files import write_atomically

# Two files in turn, so that the one before the newest is always whole.
_STATES = ("state-even.safetensors", "state-odd.safetensors")
_BEST = "best.safetensors"


def save_state(trainer: Trainer, folder: Path) -> None:
    """Write network, averaged network, optimiser and the number of epochs done, all in one file.

    Raises
    ------
    OSError
        It cannot be written; the state before it is still there.
    """
    tensors: dict[str, Tensor] = {}
    for prefix, module in (("network.", trainer.network), ("average.", trainer.average)):
        tensors.update({prefix + name: value for name, value in module.state_dict().items()})
    for index, values in trainer.optimizer.state_dict()["state"].items():
        tensors.update({f"optimizer.{index}.{name}": value for name, value in values.items()})
    _write(folder / _STATES[trainer.epochs_done % 2], tensors, trainer.epochs_done)


def load_state(trainer: Trainer, folder: Path) -> str | None:
    """Go on from the newest state in the folder that is whole; where there is none the trainer is as it was.

    The first of several processes reads; the folder need not be there for the others.

    Returns
    -------
    str or None
        What was damaged and what is used instead, in one sentence; None where nothing was.
    """
    epochs, tensors, broken = process_group.of_first(_newest(folder) if process_group.is_first() else (0, {}, []))
    if tensors:
        _restore(trainer, tensors)
        trainer.epochs_done = epochs
    if not broken:
        return None
    instead = f"with the state after epoch {epochs}" if epochs else "from the start"
    return f"The training state {broken[0]} in {folder} is damaged, so the training goes on {instead}."


def _newest(folder: Path) -> tuple[int, dict[str, Tensor], list[str]]:
    """Epochs done and tensors of the newest whole state, and the names of newer ones that are damaged."""
    broken: list[str] = []
    described = {file: _epochs_of(file) for file in (folder / name for name in _STATES) if file.exists()}
    for file, epochs in sorted(described.items(), key=lambda item: -1 if item[1] is None else -item[1]):
        tensors = _read(file)
        if tensors is not None and epochs is not None:
            return epochs, tensors, broken
        broken.append(file.name)
    return 0, {}, broken


def save_best(network: nn.Module, folder: Path, epoch: int) -> None:
    """Keep the weights that did best on validation photos so far."""
    _write(folder / _BEST, network.state_dict(), epoch)


def best_epoch(folder: Path) -> int | None:
    """The epoch of the kept best weights; None where there are none whole."""
    file = folder / _BEST
    return _epochs_of(file) if _read(file) is not None else None


def load_best(network: nn.Module, folder: Path) -> int | None:
    """Fill a network with the best weights so far; gives the epoch they are of, None where there are none whole."""
    file = folder / _BEST
    epoch, tensors = process_group.of_first(
        (_epochs_of(file), _read(file)) if process_group.is_first() else (None, None)
    )
    if epoch is None or tensors is None:
        return None
    network.load_state_dict(tensors)
    return epoch


def remove_state(folder: Path) -> None:
    """Delete the kept states of a training that is done."""
    for name in (*_STATES, _BEST):
        (folder / name).unlink(missing_ok=True)
        _description(folder / name).unlink(missing_ok=True)
    for pattern in (".state-*", ".best.*"):  # half written by processes that were killed
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
        values = json.loads(_description(file).read_text(encoding="utf-8"))
        return int(values["epochs"]), str(values["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _epochs_of(file: Path) -> int | None:
    described = _described(file)
    return None if described is None else described[0]


def _read(file: Path) -> dict[str, Tensor] | None:
    """The tensors of a file that is whole; None for any other."""
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
    def part(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}

    optimizer = trainer.optimizer.state_dict()
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in part("optimizer.").items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    trainer.network.load_state_dict(part("network."))
    trainer.average.load_state_dict(part("average."))
    trainer.optimizer.load_state_dict({**optimizer, "state": state})
