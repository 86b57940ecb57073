"""Paths of everything in a workspace."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
BUNDLED_MODELS = PROJECT / "models"
# Facts about sneakers and shoe types that come with SoleScope.
CATALOG = PROJECT / "data" / "catalog"
# Drawn sneakers to try the app with.
SAMPLE_PHOTOS = PROJECT / "data" / "samples"
# The story that is told on a stage: its record and its pictures.
STORY = PROJECT / "data" / "story"
# The sources of the page that names sneakers on a phone by itself, and the project's icon.
PHONE_PAGE = PROJECT / "docs" / "examples" / "phone"
ICON = PROJECT / "ui" / "icon.svg"
# Description of a model, in its folder.
MODEL_FILE = "model.json"
# Description of a training run and its predictions for the test photos, in its folder.
RUN_FILE = "run.json"
PREDICTIONS_FILE = "predictions.parquet"
WORKSPACE_VARIABLE = "SOLESCOPE_WORKSPACE"


def workspace(folder: str | Path | None = None) -> Path:
    """The workspace: the folder with everything that a user makes.

    Parameters
    ----------
    folder : str or Path, optional
        By default ``SOLESCOPE_WORKSPACE``, or else ``data/workspace`` in the project.
    """
    chosen = folder or os.environ.get(WORKSPACE_VARIABLE) or PROJECT / "data" / "workspace"
    return Path(chosen).expanduser().resolve()


def datasets_folder(workspace_folder: Path) -> Path:
    """Folder with one folder per dataset."""
    return workspace_folder / "datasets"


def bin_folder(workspace_folder: Path) -> Path:
    """Folder of deleted items, which can be restored."""
    return workspace_folder / "bin"


def runs_folder(workspace_folder: Path) -> Path:
    """Folder with one folder per training run."""
    return workspace_folder / "runs"


def run_model_folder(run_folder: Path) -> Path:
    """Folder of a run's finished model."""
    return run_folder / "model"


def run_job_folder(run_folder: Path) -> Path:
    """Folder of a run's training job."""
    return run_folder / "job"


def queue_folder(workspace_folder: Path) -> Path:
    """Folder of the queue, for work that needs the whole machine."""
    return workspace_folder / "queue"


def cache_folder(workspace_folder: Path) -> Path:
    """Folder of cached results of trainings that can be computed again: decoded photos, embeddings."""
    return workspace_folder / "cache"


def studies_folder(workspace_folder: Path) -> Path:
    """Folder with one folder per study (hyperparameter search)."""
    return workspace_folder / "studies"


def evaluations_folder(workspace_folder: Path) -> Path:
    """Folder with one folder per saved evaluation."""
    return workspace_folder / "evaluations"


def exports_folder(workspace_folder: Path) -> Path:
    """Folder of exported models, with one folder per model and format; they can be made again."""
    return workspace_folder / "exports"


def votes_file(workspace_folder: Path) -> Path:
    """The log of all answers in the quiz."""
    return workspace_folder / "quiz" / "votes.jsonl"


def evaluation_job_folder(evaluation_folder: Path) -> Path:
    """Folder of an evaluation's job."""
    return evaluation_folder / "job"


def clip_job_folder(clip_folder: Path) -> Path:
    """Folder of the job that follows the sneakers in a clip."""
    return clip_folder / "job"


def explanations_folder(workspace_folder: Path) -> Path:
    """Folder of saved explanations: class-average maps and maps of many photos, with one folder per kind."""
    return workspace_folder / "explanations"


def model_evaluation_folder(model_folder: Path) -> Path:
    """Folder of the evaluation that a model is distributed with."""
    return model_folder / "evaluation"


def path_to_text(workspace_folder: Path, path: Path) -> str:
    """A path as records store it: relative to the workspace if it is inside, so that a workspace can be moved."""
    path, workspace_folder = path.absolute(), workspace_folder.absolute()
    return path.relative_to(workspace_folder).as_posix() if path.is_relative_to(workspace_folder) else str(path)


def path_from_text(workspace_folder: Path, text: str) -> Path:
    """The path that `path_to_text` recorded."""
    return workspace_folder.absolute() / text


def lr_finder_folder(workspace_folder: Path) -> Path:
    """Folder with one folder per job of the learning-rate finder."""
    return workspace_folder / "rates"


def phone_page_folder(workspace_folder: Path) -> Path:
    """Where the page for phones is built, and served from."""
    return workspace_folder / "phone-page"


def certificate_file(workspace_folder: Path) -> Path:
    """The certificate and key with which phones are served."""
    return workspace_folder / "phone" / "certificate.pem"
