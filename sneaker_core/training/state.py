"""The whole state of a training, kept after every epoch so that it can go on from there."""

import json
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor

from sneaker_core.paths import write_atomically
from sneaker_core.training.loop import Trainer

# Two files in turn, so that the one before the newest is always whole.
_FILES = ("state-even.safetensors", "state-odd.safetensors")


def save_state(trainer: Trainer, folder: Path) -> None:
    """Write network, averaged network, optimiser and the number of epochs done, all in one file."""
    tensors: dict[str, Tensor] = {}
    for prefix, module in (("network.", trainer.network), ("average.", trainer.average)):
        tensors.update({prefix + name: value.contiguous() for name, value in module.state_dict().items()})
    for index, values in trainer.optimizer.state_dict()["state"].items():
        tensors.update({f"optimizer.{index}.{name}": value.contiguous() for name, value in values.items()})
    metadata = {"epochs_done": str(trainer.epochs_done), "recipe": json.dumps(trainer.recipe.to_dict())}
    write_atomically(folder / _FILES[trainer.epochs_done % 2], safetensors.torch.save(tensors, metadata))


def load_state(trainer: Trainer, folder: Path) -> bool:
    """Go on from the newest state in the folder that is whole.

    Returns
    -------
    bool
        False where there is none; the trainer is then as it was.
    """
    found = [
        (epochs, file) for file in (folder / name for name in _FILES) if (epochs := _epochs_done(file)) is not None
    ]
    for epochs, file in sorted(found, reverse=True):
        try:
            tensors = safetensors.torch.load(file.read_bytes())
            _restore(trainer, tensors)
        except (OSError, KeyError, RuntimeError, safetensors.SafetensorError):
            continue
        trainer.epochs_done = epochs
        return True
    return False


def remove_state(folder: Path) -> None:
    """Delete the kept states of a training that is done."""
    for name in _FILES:
        (folder / name).unlink(missing_ok=True)


def _epochs_done(file: Path) -> int | None:
    try:
        with safetensors.safe_open(str(file), "pt") as opened:
            return int((opened.metadata() or {})["epochs_done"])
    except (OSError, KeyError, ValueError, safetensors.SafetensorError):
        return None


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
