"""The models there are: those that ship with SoleScope, those trained here, and any folder that holds one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sneaker_core.errors import CheckpointError, ModelNotFoundError
from sneaker_core.networks.checkpoint import MODEL_FILE, ModelSpec, SneakerModel, load_model, read_spec
from sneaker_core.paths import BUNDLED_MODELS, run_model_folder, runs_folder

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
    """Changes whenever the files of the model in that folder do."""
    return str((folder / MODEL_FILE).stat().st_mtime_ns)


def list_models(workspace: Path) -> list[ModelEntry]:
    """Bundled models first, then those of finished runs, each by name; folders with no sound model are passed over.

    Parameters
    ----------
    workspace : Path
        From `paths.workspace`.
    """
    bundled = [(path.name, path, True) for path in _folders(BUNDLED_MODELS)]
    runs = [(path.name, run_model_folder(path), False) for path in _folders(runs_folder(workspace))]
    taken = {name for name, _, _ in bundled}
    entries = []
    for name, folder, ships in [*bundled, *(run for run in runs if run[0] not in taken)]:
        try:
            entries.append(ModelEntry(name, folder, ships, read_spec(folder)))
        except CheckpointError:
            continue
    return entries


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []


def find_model(name: str, workspace: Path) -> Path:
    """The folder of a model.

    Parameters
    ----------
    name : str
        Of a bundled model or a run, or the path of a folder that holds a model or a run.
    workspace : Path

    Raises
    ------
    ModelNotFoundError
        None goes by that name; the message lists those there are.
    """
    candidates = [Path(name), run_model_folder(Path(name))]
    if Path(name).name == name:
        # A plain name means a model first; a folder of that name in the current directory only comes after.
        candidates = [BUNDLED_MODELS / name, run_model_folder(runs_folder(workspace) / name), *candidates]
    for folder in candidates:
        if (folder / MODEL_FILE).is_file():
            return folder
    names = ", ".join(entry.name for entry in list_models(workspace)) or "none"
    raise ModelNotFoundError(f"There is no model {name!r}; there are: {names}.")


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
