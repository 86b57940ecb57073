"""What a backbone starts from: another model, ImageNet weights, a file, or nothing."""

from http.client import HTTPException
from pathlib import Path
from pickle import UnpicklingError

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from sneaker_core.errors import ModelNotFoundError, RecipeError
from sneaker_core.networks import vision_ops  # noqa: F401  (first: it makes the next import possible)
from sneaker_core.networks.architectures import SneakerNetwork, architecture
from sneaker_core.networks.backbones import AUXILIARY_PREFIX
from sneaker_core.networks.checkpoint import load_model
from sneaker_core.networks.model_registry import find_model

import torchvision  # isort: skip

# Endings of files that `torch.save` writes.
_PICKLED = (".pth", ".pt")
# What reading one raises where it is cut off, changed, or holds something else.
_UNPICKLING_ERRORS = (
    OSError, EOFError, RuntimeError, ValueError, UnpicklingError, AttributeError, KeyError, IndexError, TypeError
)  # fmt: skip


def initialise(network: SneakerNetwork, name: str, init: str, workspace: Path) -> bool:
    """Fill the backbone of a network with weights to start from; the head stays random.

    Parameters
    ----------
    network : SneakerNetwork
        Changed in place.
    name : str
        Its architecture.
    init : str
        "none"; "imagenet" (torchvision's weights, fetched once and kept); a safetensors or ``.pth`` file with
        torchvision's names; or the name or folder of a model of the same architecture.
    workspace : Path
        Where runs are looked up.

    Returns
    -------
    bool
        Whether its embeddings can tell copies of one photo from other photos of the same thing. Those of general
        weights can; those of a model that was trained to see classes lay all photos of a class close together.

    Raises
    ------
    RecipeError
        The weights are not there, cannot be fetched or belong to another network.
    """
    if init == "none":
        return False
    general = True
    if init == "imagenet":
        weights = _imagenet(name)
    elif Path(init).is_file():
        weights = _of_file(Path(init))
    else:
        weights, general = _of_model(name, init, workspace), False
    wanted = network.backbone.state_dict()
    fitting = {key: value for key, value in weights.items() if key in wanted and value.shape == wanted[key].shape}
    missing = [key for key in wanted if key not in fitting and not _only_in_training(key)]
    if missing:
        raise RecipeError(f"The weights of {init!r} do not fit {name}: {len(missing)} of its parts are missing.")
    network.backbone.load_state_dict(fitting, strict=False)
    return general


def _only_in_training(key: str) -> bool:
    """Counters of batches, which are not in every file, and an auxiliary classifier, which no finished model keeps."""
    return key.endswith("num_batches_tracked") or key.startswith(AUXILIARY_PREFIX)


def _of_file(file: Path) -> dict[str, Tensor]:
    if file.suffix.lower() in _PICKLED:
        try:
            return _unpickled(file)
        except _UNPICKLING_ERRORS:
            raise RecipeError(
                f"{file} cannot be read as a file of torchvision's weights; download it again or choose another."
            ) from None
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load(file.read_bytes())
    except (OSError, safetensors.SafetensorError):
        raise RecipeError(
            f"{file} cannot be read as a safetensors file of weights; download it again or choose another."
        ) from None
    return tensors


def _unpickled(file: Path) -> dict[str, Tensor]:
    """Tensors by name, of a file as `torch.save` writes them; only weights are read, so none of its code runs."""
    loaded = torch.load(file, map_location="cpu", weights_only=True)
    return {name: value for name, value in loaded.items() if isinstance(value, Tensor)}


def _of_model(name: str, init: str, workspace: Path) -> dict[str, Tensor]:
    try:
        model = load_model(find_model(workspace, init))
    except ModelNotFoundError as error:
        raise RecipeError(
            f"init is {init!r}, which is neither 'imagenet', 'none', a file nor a model. {error}"
        ) from None
    if model.spec.network != name:
        raise RecipeError(
            f"The model {init!r} is a {model.spec.network}, so it cannot start a {name}; "
            "choose 'imagenet', 'none' or a model of the same network for init."
        )
    return model.network.backbone.state_dict()


def _imagenet(name: str) -> dict[str, Tensor]:
    if not architecture(name).imagenet:
        raise RecipeError(
            f"There are no ImageNet weights of {name}; choose 'none' for init, which lets it learn from the photos "
            "alone, or another network."
        )
    weights = torchvision.models.get_model_weights(name).DEFAULT
    file = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rsplit("/", 1)[-1]
    try:
        if not file.exists():
            # Not by the function that does both: it prints.
            file.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(weights.url, str(file), file.stem.rsplit("-", 1)[-1], progress=False)
        return _unpickled(file)
    except (HTTPException, *_UNPICKLING_ERRORS):
        # No network, a broken transfer, or a damaged file at that place.
        raise RecipeError(
            f"The ImageNet weights of {name} could not be fetched or read. "
            f"Download {weights.url} elsewhere and put it at {file}, or start from another model with init."
        ) from None
