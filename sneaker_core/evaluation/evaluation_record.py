"""An evaluation's record, read from its folder."""

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from sneaker_core.datasets.split import Split
from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.worlds import WorldMetrics, read_world_metrics, worlds_text
from sneaker_core.workspace.atomic_files import read_json
from sneaker_core.workspace.collection_spec import read_name
from sneaker_core.workspace.jobs import Job, JobState, read_job
from sneaker_core.workspace.paths import (
    MODEL_FILE,
    PREDICTIONS_FILE,
    RUN_FILE,
    evaluation_job_folder,
    path_from_text,
    run_model_folder,
)
from sneaker_core.workspace.references import by_name, text_of

FORMAT = 1
EVALUATION_FILE = "evaluation.json"
# Before the spelling changed.
_OLD_WITH_NEIGHBORS = "with_neighbours"


class Kind(StrEnum):
    """Where an evaluation comes from."""

    STORED = "stored"
    BUNDLED = "bundled"
    RUN = "run"


@dataclass(frozen=True)
class Evaluation:
    """An evaluation as its folder describes it.

    Attributes
    ----------
    name : str
        Display name, or the name of the model or run it belongs to.
    kind : Kind
    folder : Path or None
        None if it was not saved.
    model : str
        The model's display name.
    model_folder : Path or None
        The model's folder, if it still exists.
    model_version : str
        Identifies the weights, as `networks.checkpoint.weights_version`; empty if not recorded.
    data : str
        Display name of the dataset or folder.
    dataset_folder : Path or None
        Folder of the dataset, if it was one and still exists.
    split : str or None
        The split that was evaluated; None for all photos.
    split_of_data : bool
        Whether the split is the dataset's own, because the model has seen none of its photos or comes without a split.
    created : float
        Seconds since 1970.
    n : int
        Photos whose class the model knows.
    top1 : float
        Top-1 accuracy on them, 0 to 1; nan while it is unknown.
    rejected : dict of str to str
        Path -> why it could not be read.
    left_out : dict of str to int
        Classes that the model doesn't know -> number of photos.
    with_neighbors : bool
        Whether embeddings of training photos are saved as well.
    state : JobState
    problem : str or None
        Why it can't be opened, in one sentence.
    job : Job or None
        Its job; None if there is none.
    worlds : tuple of WorldMetrics
        Its metrics in each world, worst first; empty if its photos have one unnamed source.
    """

    name: str
    kind: Kind
    folder: Path | None
    model: str
    model_folder: Path | None = None
    model_version: str = ""
    data: str = ""
    dataset_folder: Path | None = None
    split: str | None = None
    split_of_data: bool = False
    created: float = 0.0
    n: int = 0
    top1: float = float("nan")
    rejected: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    with_neighbors: bool = False
    state: JobState = JobState.DONE
    problem: str | None = None
    job: Job | None = None
    worlds: tuple[WorldMetrics, ...] = ()

    @property
    def id(self) -> str:
        """The name of its folder, or of the folder of the model or run it belongs to; empty if it was not saved."""
        if self.folder is None:
            return ""
        return self.folder.parent.name if self.kind is Kind.BUNDLED else self.folder.name

    @property
    def accuracy(self) -> float:
        """Top-1 accuracy, 0 to 1; nan while it is unknown, and for photos that the model was trained on."""
        return float("nan") if self.split == Split.TRAIN.value and not self.split_of_data else self.top1

    @property
    def is_ready(self) -> bool:
        """Whether it can be opened."""
        return self.problem is None and self.state is JobState.DONE

    @property
    def version(self) -> str:
        """Changes whenever its table does; a key for caches."""
        try:
            status = (self.saved_in / PREDICTIONS_FILE).stat()
        except (OSError, SneakerError):
            return ""
        return f"{status.st_mtime_ns}-{status.st_size}"

    @property
    def saved_in(self) -> Path:
        """Its folder.

        Raises
        ------
        SneakerError
            It was not saved.
        """
        if self.folder is None:
            raise SneakerError(f"The evaluation {self.name!r} was not saved. Evaluate again with a name.")
        return self.folder

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        fields = ("id", "name", "model", "data", "split", "created", "n", "left_out", "with_neighbors", "problem")
        return {
            **{key: getattr(self, key) for key in fields},
            "kind": self.kind.value,
            "worlds": [one.to_dict() for one in self.worlds],
            "state": self.state.value,
            "top1": None if math.isnan(self.accuracy) else self.accuracy,
            "folder": None if self.folder is None else str(self.folder),
        }


def read_stored(folder: Path) -> Evaluation:
    """Read a saved evaluation.

    Raises
    ------
    SneakerError
        The folder holds none.
    """
    job = _job(folder)
    if (folder / EVALUATION_FILE).exists():
        return replace(read_description(folder, Kind.STORED, read_name(folder)), job=job)
    if job is None:
        if not (folder / PREDICTIONS_FILE).exists():
            raise SneakerError(f"There is no evaluation in {folder}.")
        problem = f"{folder} has no {EVALUATION_FILE}: it was interrupted. Delete it and evaluate again."
        return Evaluation(read_name(folder), Kind.STORED, folder, "", state=JobState.INTERRUPTED, problem=problem)
    return Evaluation(
        read_name(folder),
        Kind.STORED,
        folder,
        text_of(str(job.params.get("model") or "")),
        data=worlds_text(job.params.get("worlds") or ()) or text_of(str(job.params.get("dataset") or "")),
        split=job.params.get("split"),
        created=job.started,
        # It may have been stopped, or its file may have been deleted since.
        state=JobState.INTERRUPTED if job.state is JobState.DONE else job.state,
        problem=(job.error or "The evaluation ended before it was saved. Evaluate again.") if job.state.ended else None,
        job=job,
    )


def _job(folder: Path) -> Job | None:
    try:
        return read_job(evaluation_job_folder(folder))
    except (SneakerError, TypeError, ValueError):
        return None


def read_description(folder: Path, kind: Kind, name: str) -> Evaluation:
    """An evaluation from its ``evaluation.json``."""
    file = folder / EVALUATION_FILE
    broken = Evaluation(name, kind, folder, "", state=JobState.FAILED, created=modified(file))
    values = read_json(file)
    if values is None:
        return replace(broken, problem=f"{file} is damaged and can't be read. Evaluate again.")
    if values.get("format") != FORMAT:
        problem = f"{file} was written by another version of SoleScope; update SoleScope to use it."
        return replace(broken, problem=problem)
    try:
        found = Evaluation(
            name,
            kind,
            folder,
            model=str(values["model"]),
            model_folder=_there(folder, values.get("model_folder")),
            model_version=str(values["model_version"]),
            data=str(values["data"]),
            dataset_folder=_there(folder, values["dataset_folder"]),
            split=None if values["split"] is None else str(values["split"]),
            split_of_data=bool(values.get("split_of_data", False)),
            created=float(values["created"]),
            n=int(values["n"]),
            top1=float(values["top1"]),
            rejected={str(path): str(why) for path, why in values["rejected"].items()},
            left_out={str(label): int(count) for label, count in values["left_out"].items()},
            with_neighbors=bool(values.get("with_neighbors", values.get(_OLD_WITH_NEIGHBORS))),
            worlds=tuple(map(WorldMetrics.from_dict, values.get("worlds", ()))),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return replace(broken, problem=f"{file} doesn't describe an evaluation. Evaluate again.")
    if not (folder / PREDICTIONS_FILE).is_file():
        return replace(found, problem=f"{folder} has no {PREDICTIONS_FILE} anymore. Evaluate again.")
    return found


def _there(evaluation_folder: Path, place: Any) -> Path | None:
    """A folder that an evaluation refers to, relative to the workspace if it is inside, if it still exists."""
    if not isinstance(place, str) or not place:
        return None
    folder = path_from_text(evaluation_folder.parent.parent, place)
    return folder if folder.is_dir() else None


def modified(file: Path) -> float:
    """When a file was last changed, in seconds since 1970; 0 if it is missing."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def read_run_evaluation(run_folder: Path) -> tuple[Evaluation, str] | None:
    """The evaluation of a finished run on its test photos, and the reference to its dataset."""
    file, model = run_folder / PREDICTIONS_FILE, run_model_folder(run_folder)
    described = read_json(model / MODEL_FILE)
    if not file.is_file() or described is None:
        return None
    metrics = described.get("metrics")
    test = metrics.get("test") if isinstance(metrics, dict) else None
    test = test if isinstance(test, dict) else {}
    run = read_json(run_folder / RUN_FILE) or {}
    source = str(run.get("source") or run.get("dataset") or "")
    found = Evaluation(
        read_name(run_folder),
        Kind.RUN,
        run_folder,
        model=read_name(run_folder),
        model_folder=model,
        model_version=str(described.get("weights_sha256", ""))[:16],
        data=str(run.get("dataset", "")),
        split=Split.TEST.value,
        created=modified(file),
        n=int(test.get("n", 0)),
        top1=float(test.get("top1", float("nan"))),
        left_out=test.get("left_out") or {},
        worlds=read_world_metrics(metrics.get("worlds")) if isinstance(metrics, dict) else (),
    )
    return found, source if run.get("format") == 2 else by_name(source)
