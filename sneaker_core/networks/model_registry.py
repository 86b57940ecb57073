"""The models there are: those that ship with SoleScope, those trained here, and any folder that holds one."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sneaker_core.errors import CheckpointError, ModelNotFoundError
from sneaker_core.networks.checkpoint import MODEL_FILE, ModelSpec, SneakerModel, load_model, read_spec
from sneaker_core.workspace.paths import BUNDLED_MODELS, run_model_folder, runs_folder

DEFAULT_MODEL = "street22"


@dataclass(frozen=True)
class ModelEntry:
    """A model that can be used by its name.

    Attributes
    ----------
    name : str
    folder : Path
    bundled : bool
        Whether it ships with SoleScope.
    spec : ModelSpec
    """

    name: str
    folder: Path
    bundled: bool
    spec: ModelSpec

    @property
    def version(self) -> str:
        """Changes whenever the model's files do: a key for caches."""
        return model_version(self.folder)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        test = self.spec.metrics.get("test", {})
        return {
            "name": self.name,
            "bundled": self.bundled,
            "network": self.spec.network,
            "classes": list(self.spec.classes),
            **{key: test.get(key) for key in ("n", "top1", "top3", "ece")},
        }


def model_version(folder: Path) -> str:
    """Changes whenever the files of the model in that folder do.

    Raises
    ------
    CheckpointError
        The folder holds no model, or no longer.
    """
    try:
        return str((folder / MODEL_FILE).stat().st_mtime_ns)
    except OSError:
        raise CheckpointError(f"{folder} is no model: it has no {MODEL_FILE}.") from None


def _named_folders(workspace: Path) -> dict[str, tuple[Path, bool]]:
    """Name -> folder and whether it is bundled; a bundled model goes before a run of the same name."""
    runs = {path.name: (run_model_folder(path), False) for path in _folders(runs_folder(workspace))}
    bundled = {path.name: (path, True) for path in _folders(BUNDLED_MODELS)}
    return {**bundled, **{name: found for name, found in runs.items() if name not in bundled}}


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []


def list_models(workspace: Path) -> list[ModelEntry]:
    """Bundled models first, then those of finished runs, each by name; folders with no sound model are passed over.

    Parameters
    ----------
    workspace : Path
        From `paths.workspace`.
    """
    entries = []
    for name, (folder, bundled) in _named_folders(workspace).items():
        try:
            entries.append(ModelEntry(name, folder, bundled, read_spec(folder)))
        except CheckpointError:
            continue
    return entries


def find_named_model(name: str, workspace: Path) -> Path:
    """The folder of a bundled model or a run, by its name alone: never a path, so safe for names from outside.

    Raises
    ------
    ModelNotFoundError
        None goes by that name; the message lists those there are.
    """
    folder, _ = _named_folders(workspace).get(name, (None, False))
    if folder is None or not (folder / MODEL_FILE).is_file():
        names = ", ".join(entry.name for entry in list_models(workspace)) or "none"
        raise ModelNotFoundError(f"There is no model {name[:80]!r}; there are: {names}.")
    return folder


def find_model(name: str, workspace: Path) -> Path:
    """The folder of a model.

    Parameters
    ----------
    name : str
        Of a bundled model or a run, or the path of a folder that holds a model or a run. A name goes before a
        folder of that name in the current directory.
    workspace : Path

    Raises
    ------
    ModelNotFoundError
        None goes by that name; the message lists those there are.
    """
    try:
        return find_named_model(name, workspace)
    except ModelNotFoundError:
        for folder in (Path(name), run_model_folder(Path(name))):
            with contextlib.suppress(OSError):  # a name too long for any file
                if (folder / MODEL_FILE).is_file():
                    return folder
        raise


def open_model(name: str, workspace: Path) -> SneakerModel:
    """Find a model and load it.

    Raises
    ------
    ModelNotFoundError
        None goes by that name.
    CheckpointError
        Its folder is damaged.
    """
    return load_model(find_model(name, workspace))
