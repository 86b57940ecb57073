"""Where everything is stored."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
BUNDLED_MODELS = PROJECT / "models"
# What describes a model, in the folder that is the model.
MODEL_FILE = "model.json"
# What describes a training run, and what it said of its test photos, in its folder.
RUN_FILE = "run.json"
PREDICTIONS_FILE = "predictions.parquet"


def workspace(folder: str | Path | None = None) -> Path:
    """The folder that holds what a person makes: datasets and runs.

    Parameters
    ----------
    folder : str or Path, optional
        Taken when given; else ``SOLESCOPE_WORKSPACE``; else ``data/workspace`` in the project.
    """
    chosen = folder or os.environ.get("SOLESCOPE_WORKSPACE") or PROJECT / "data" / "workspace"
    return Path(chosen).expanduser().resolve()


def datasets_folder(workspace_folder: Path) -> Path:
    """The folder that holds one folder a dataset."""
    return workspace_folder / "datasets"


def bin_folder(workspace_folder: Path) -> Path:
    """Where deleted things wait to be restored."""
    return workspace_folder / "bin"


def runs_folder(workspace_folder: Path) -> Path:
    """The folder that holds one folder a training run."""
    return workspace_folder / "runs"


def run_model_folder(run_folder: Path) -> Path:
    """Where a training run keeps its finished model."""
    return run_folder / "model"


def run_job_folder(run_folder: Path) -> Path:
    """Where the process that trains a run tells how far it is."""
    return run_folder / "job"


def queue_folder(workspace_folder: Path) -> Path:
    """Where work that needs the whole machine waits for its turn."""
    return workspace_folder / "queue"


def cache_folder(workspace_folder: Path) -> Path:
    """What trainings worked out and can work out again: decoded photos, embeddings."""
    return workspace_folder / "cache"


def studies_folder(workspace_folder: Path) -> Path:
    """The folder that holds one folder a search for the best recipe."""
    return workspace_folder / "studies"


def evaluations_folder(workspace_folder: Path) -> Path:
    """The folder that holds one folder a stored evaluation."""
    return workspace_folder / "evaluations"


def evaluation_job_folder(evaluation_folder: Path) -> Path:
    """Where the process that evaluates tells how far it is."""
    return evaluation_folder / "job"


def explanations_folder(workspace_folder: Path) -> Path:
    """Mean maps and maps of many photos that pages had made, a folder for each kind of work."""
    return workspace_folder / "explanations"


def model_evaluation_folder(model_folder: Path) -> Path:
    """Where a model keeps the evaluation that it comes with."""
    return model_folder / "evaluation"


def path_to_text(workspace_folder: Path, path: Path) -> str:
    """A path as records keep it: relative to the workspace if it is inside, so that a workspace can be moved."""
    path, workspace_folder = path.absolute(), workspace_folder.absolute()
    return path.relative_to(workspace_folder).as_posix() if path.is_relative_to(workspace_folder) else str(path)


def path_from_text(workspace_folder: Path, text: str) -> Path:
    """The path that `path_to_text` recorded."""
    return workspace_folder.absolute() / text


def lr_finder_folder(workspace_folder: Path) -> Path:
    """The folder with one folder for each search of the learning-rate finder."""
    return workspace_folder / "rates"
