"""Available models: bundled with SoleScope, trained in the workspace, or in any folder."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from sneaker_core.errors import CheckpointError, ModelNotFoundError
from sneaker_core.networks.bundled_models import present_name
from sneaker_core.networks.checkpoint import (
    MODEL_FILE,
    ModelSpec,
    SneakerModel,
    describing_file,
    load_model,
    onnx_file,
    read_spec,
    weights_checksum,
)
from sneaker_core.records.fields import Count, Share
from sneaker_core.workspace.clean_names import clean_name
from sneaker_core.workspace.collection_spec import read_name
from sneaker_core.workspace.folder_exchange import present_model_folder
from sneaker_core.workspace.paths import BUNDLED_MODELS, run_model_folder, runs_folder
from sneaker_core.workspace.safe_names import is_text


class FiguresValues(TypedDict):
    """The key figures of a model on its test photos.

    Attributes
    ----------
    n : int or null
        Test photos.
    top1, top3 : float or null
        Accuracy: how often the class is the first prediction, or among the first three; 0 to 1.
    ece : float or null
        Expected calibration error, 0 to 1.
    """

    n: Count | None
    top1: Share | None
    top3: Share | None
    ece: Share | None


class ModelValues(FiguresValues):
    """A model.

    Attributes
    ----------
    name : str
    bundled : bool
        Whether it comes with SoleScope.
    network : str or null
        Its architecture; null if the model is damaged.
    classes : list of str
        The sneakers that it names.
    problem : str or null
        What is wrong with it; null for an intact model.
    """

    name: str
    bundled: bool
    network: str | None
    classes: list[str]
    problem: str | None


@dataclass(frozen=True)
class ModelEntry:
    """An available model.

    Attributes
    ----------
    name : str
    folder : Path
    bundled : bool
        Whether it comes with SoleScope.
    spec : ModelSpec
    """

    name: str
    folder: Path
    bundled: bool
    spec: ModelSpec

    @property
    def version(self) -> str:
        """Version of the model's files, for cache keys."""
        return model_version(self.folder)

    def to_dict(self) -> ModelValues:
        """Plain values, for JSON."""
        return {
            "name": self.name,
            "bundled": self.bundled,
            "network": self.spec.network,
            "classes": list(self.spec.classes),
            **_figures(self.spec.metrics.get("test") or {}),
            "problem": None,
        }


@dataclass(frozen=True)
class DamagedModel:
    """A model whose description can't be read.

    Attributes
    ----------
    name : str
    bundled : bool
    problem : str
        What is wrong, in a sentence.
    """

    name: str
    bundled: bool
    problem: str

    def to_dict(self) -> ModelValues:
        """Plain values, for JSON."""
        return {
            "name": self.name,
            "bundled": self.bundled,
            "network": None,
            "classes": [],
            **_figures({}),
            "problem": self.problem,
        }


def _figures(test: Mapping[str, Any]) -> FiguresValues:
    return {"n": test.get("n"), "top1": test.get("top1"), "top3": test.get("top3"), "ece": test.get("ece")}


def model_version(folder: Path) -> str:
    """Version of the model's files, which changes with each write.

    Raises
    ------
    CheckpointError
        The folder doesn't hold a model, or no longer does.
    """
    try:
        return str(describing_file(folder).stat().st_mtime_ns)
    except OSError:
        raise CheckpointError(f"{folder} isn't a model folder: it has no {MODEL_FILE}.") from None


def _named_folders(workspace: Path) -> dict[str, tuple[Path, bool]]:
    """Name -> (folder, whether bundled); bundled models take precedence over runs of the same name."""
    runs = {read_name(path): (present_model_folder(path), False) for path in _folders(runs_folder(workspace))}
    bundled = {path.name: (path, True) for path in _folders(BUNDLED_MODELS)}
    return {**bundled, **{name: found for name, found in runs.items() if name not in bundled}}


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(path for path in parent.iterdir() if path.is_dir() and is_text(path.name))


def list_models(workspace: Path) -> list[ModelEntry]:
    """Bundled models, then those of runs, each sorted by name; damaged ones are in `damaged_models`.

    Parameters
    ----------
    workspace : Path
        From `paths.workspace`.
    """
    entries = []
    for name, (folder, bundled) in _named_folders(workspace).items():
        with contextlib.suppress(CheckpointError):
            entries.append(ModelEntry(name, folder, bundled, read_spec(folder)))
    return entries


def damaged_models(workspace: Path) -> dict[str, DamagedModel]:
    """Models whose description can't be read, by name."""
    damaged = {}
    for name, (folder, bundled) in _named_folders(workspace).items():
        try:
            if describing_file(folder).exists():
                read_spec(folder)
        except CheckpointError as error:
            damaged[name] = DamagedModel(name, bundled, str(error))
    return damaged


def find_named_model(workspace: Path, name: str) -> Path:
    """The folder of a bundled model or run; parameters and errors as for `find_named_entry`."""
    return _found(workspace, name)[1]


def find_named_entry(workspace: Path, name: str) -> ModelEntry:
    """A bundled model or that of a run. Never treats the name as a path, so untrusted names are safe.

    Parameters
    ----------
    workspace : Path
    name : str
        A former name of a bundled model leads to the model that replaced it.

    Raises
    ------
    ModelNotFoundError
        There is no model of that name; the message lists the available ones.
    CheckpointError
        It is damaged.
    """
    own, folder, bundled = _found(workspace, name)
    return ModelEntry(own, folder, bundled, read_spec(folder))


def _found(workspace: Path, name: str) -> tuple[str, Path, bool]:
    models, wanted = _named_folders(workspace), present_name(name)
    # A folder that was copied by hand may be named in characters that were taken apart.
    own = wanted if wanted in models else {clean_name(one): one for one in models}.get(clean_name(wanted))
    if own is None or not describing_file(models[own][0]).is_file():
        names = ", ".join(entry.name for entry in list_models(workspace)) or "none"
        raise ModelNotFoundError(f"No model named {name[:80]!r}. Available models: {names}.")
    return own, *models[own]


def find_model(workspace: Path, name: str) -> Path:
    """The folder of a model.

    Parameters
    ----------
    name : str
        Name of a bundled model or run, or path of an ONNX file or of a folder that holds a model or a run. Names take
        precedence over files and folders in the current directory.
    workspace : Path

    Raises
    ------
    ModelNotFoundError
        There is no such model; the message lists the available ones.
    """
    try:
        return find_named_model(workspace, name)
    except ModelNotFoundError:
        for folder in (Path(name), run_model_folder(Path(name))):
            with contextlib.suppress(OSError):  # the name is too long for a path
                if describing_file(folder).is_file():
                    return folder
        raise


def find_entry_anywhere(workspace: Path, name: str) -> ModelEntry:
    """The model that a user means by a name or path; parameters and errors as for `find_model`."""
    try:
        return find_named_entry(workspace, name)
    except ModelNotFoundError:
        folder = find_model(workspace, name)
        spec = read_spec(folder)
        return ModelEntry(spec.name, folder, folder.absolute().parent == BUNDLED_MODELS, spec)


def model_reference(workspace: Path, folder: Path) -> str:
    """How a record refers to a model: the name of a bundled one, a run's id, or the path of another folder."""
    folder = folder.absolute()
    if folder.parent == BUNDLED_MODELS:
        return folder.name
    if folder.name == run_model_folder(Path()).name and folder.parent.parent == runs_folder(workspace).absolute():
        return folder.parent.name
    return str(folder)


def source_of_export(workspace: Path, place: Path) -> Path:
    """The model that an ONNX file was exported from, if it is here; any other model itself.

    An exported model has no split of its own: that of its source says which photos it was trained on.
    """
    file = onnx_file(place)
    if file is None:
        return place
    from sneaker_core.networks.onnx_file import describe_onnx

    wanted = describe_onnx(file).source_checksum
    for folder, _ in _named_folders(workspace).values():
        with contextlib.suppress(CheckpointError):
            if onnx_file(folder) is None and weights_checksum(folder) == wanted:
                return folder
    return place


def find_model_by_reference(workspace: Path, reference: str) -> Path:
    """The folder of the model that a record refers to; old records hold the name it had.

    Raises
    ------
    ModelNotFoundError
        It is gone.
    """
    bundled = BUNDLED_MODELS / present_name(reference)
    for folder in (bundled, present_model_folder(runs_folder(workspace) / reference)):
        if reference and describing_file(folder).is_file():
            return folder
    return find_model(workspace, reference)


def open_model(workspace: Path, name: str) -> SneakerModel:
    """Find a model and load it.

    Raises
    ------
    ModelNotFoundError
        There is no such model.
    CheckpointError
        The model's folder is damaged.
    """
    return load_model(find_model(workspace, name))
