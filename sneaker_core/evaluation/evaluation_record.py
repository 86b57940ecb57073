"""An evaluation's record, read from its folder."""

import contextlib
import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from sneaker_core.datasets.split import Split
from sneaker_core.errors import DamagedError, SneakerError
from sneaker_core.evaluation.worlds import WorldMetrics, worlds_text
from sneaker_core.records.evaluation_records import EvaluationFile, SyntheticRecord
from sneaker_core.records.job_params import EvaluateParams
from sneaker_core.records.model_records import FiguresRecord, ModelFile
from sneaker_core.records.reading import find_record, fitting, read_record
from sneaker_core.records.training_records import RunFile
from sneaker_core.workspace.collection_spec import read_name
from sneaker_core.workspace.jobs import Job, JobState, read_job
from sneaker_core.workspace.paths import (
    MODEL_FILE,
    PREDICTIONS_FILE,
    RUN_FILE,
    evaluation_job_folder,
    model_evaluation_folder,
    path_from_text,
    run_model_folder,
)
from sneaker_core.workspace.references import by_name, text_of

FORMAT = 1
EVALUATION_FILE = "evaluation.json"


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
    renamed : dict of str to str
        Classes of the photos that counted as a class of the model with another name.
    synthetic : SyntheticRecord or None
        How its photos are drawn; None if they are not synthetic, or are kept.
    installed_from : str
        Name of the file that its model was installed from; empty for models made here.
    workspace : Path or None
        The workspace it was looked up in, whose cache keeps photos that are drawn again; None if it doesn't matter.
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
    renamed: dict[str, str] = field(default_factory=dict)
    synthetic: SyntheticRecord | None = None
    installed_from: str = ""
    workspace: Path | None = None

    @property
    def id(self) -> str:
        """The name of its folder, or of the folder of the model or run it belongs to; empty if it was not saved."""
        if self.folder is None:
            return ""
        if self.kind is Kind.RUN and self.model_folder is not None:  # it may be kept in the model's folder
            return self.model_folder.parent.name
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
            "renamed": self.renamed,
            "kind": self.kind.value,
            "installed_from": self.installed_from or None,
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
    job, damage = _job(folder)
    if (folder / EVALUATION_FILE).exists():
        return replace(read_description(folder, Kind.STORED, read_name(folder)), job=job)
    bare = Evaluation(read_name(folder), Kind.STORED, folder, "", state=JobState.INTERRUPTED)
    if damage is not None:
        return replace(bare, state=JobState.FAILED, problem=f"{damage} Delete the evaluation and evaluate again.")
    if job is None:
        if not (folder / PREDICTIONS_FILE).exists():
            raise SneakerError(f"There is no evaluation in {folder}. Delete it and evaluate again.")
        problem = f"{folder} has no {EVALUATION_FILE}: it was interrupted. Delete it and evaluate again."
        return replace(bare, problem=problem)
    params = fitting(job.params, EvaluateParams) or EvaluateParams(evaluation=folder.name, model="")
    return replace(
        bare,
        model=text_of(params.model),
        data=worlds_text(params.worlds) or text_of(params.dataset),
        split=params.split,
        created=job.started,
        # It may have been stopped, or its file may have been deleted since.
        state=JobState.INTERRUPTED if job.state is JobState.DONE else job.state,
        problem=(job.error or "The evaluation ended before it was saved. Evaluate again.") if job.state.ended else None,
        job=job,
    )


def _job(folder: Path) -> tuple[Job | None, str | None]:
    """An evaluation's job, and what is wrong with its record."""
    try:
        return read_job(evaluation_job_folder(folder)), None
    except DamagedError as error:
        return None, str(error)
    except SneakerError:
        return None, None


def read_description(folder: Path, kind: Kind, name: str) -> Evaluation:
    """An evaluation from its ``evaluation.json``."""
    file = folder / EVALUATION_FILE
    try:
        record = read_record(file, EvaluationFile)
    except DamagedError as error:
        broken = Evaluation(name, kind, folder, "", state=JobState.FAILED, created=modified(file))
        return replace(broken, problem=f"{error} Evaluate again.")
    found = Evaluation(
        name,
        kind,
        folder,
        model=record.model,
        model_folder=_there(folder, record.model_folder),
        model_version=record.model_version,
        data=record.data,
        dataset_folder=_there(folder, record.dataset_folder),
        split=record.split,
        split_of_data=record.split_of_data,
        created=record.created,
        n=record.n,
        top1=float("nan") if record.top1 is None else record.top1,
        rejected=record.rejected,
        left_out=record.left_out,
        with_neighbors=record.with_neighbors,
        worlds=tuple(map(WorldMetrics.from_record, record.worlds)),
        renamed=record.renamed,
        synthetic=record.synthetic,
    )
    if not (folder / PREDICTIONS_FILE).is_file():
        return replace(found, problem=f"{folder} has no {PREDICTIONS_FILE} anymore. Evaluate again.")
    return found


def _there(evaluation_folder: Path, place: str | None) -> Path | None:
    """A folder that an evaluation refers to, relative to the workspace if it is inside, if it still exists."""
    if not place:
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
    """The evaluation of a finished run on its test photos, and the reference to its dataset.

    A run whose model was installed has the one that the model was distributed with, and no dataset.
    """
    file, model = run_folder / PREDICTIONS_FILE, run_model_folder(run_folder)
    if not (model / MODEL_FILE).exists():
        return None
    if not file.is_file():
        kept, name = model_evaluation_folder(model), read_name(run_folder)
        if not (kept / EVALUATION_FILE).is_file():
            return None
        origin = _installed_from(run_folder)
        return replace(
            read_description(kept, Kind.RUN, name), model=name, model_folder=model, installed_from=origin
        ), ""
    try:
        described = read_record(model / MODEL_FILE, ModelFile)
        run = find_record(run_folder / RUN_FILE, RunFile) or RunFile()
    except DamagedError as error:
        broken = Evaluation(read_name(run_folder), Kind.RUN, run_folder, "", state=JobState.FAILED)
        return replace(broken, created=modified(file), problem=f"{error} Delete the run and train again."), ""
    test, source = described.metrics.test or FiguresRecord(), run.source or run.dataset
    found = Evaluation(
        read_name(run_folder),
        Kind.RUN,
        run_folder,
        model=read_name(run_folder),
        model_folder=model,
        model_version=described.weights_sha256[:16],
        data=run.dataset,
        split=Split.TEST.value,
        created=modified(file),
        n=test.n or 0,
        top1=float("nan") if test.top1 is None else test.top1,
        left_out=test.left_out,
        worlds=tuple(map(WorldMetrics.from_record, described.metrics.worlds or ())),
    )
    return found, source if run.format == 2 else by_name(source)


def _installed_from(run_folder: Path) -> str:
    """Name of the file that a run's model was installed from; empty if it wasn't, or the record can't be read."""
    with contextlib.suppress(DamagedError):
        run = find_record(run_folder / RUN_FILE, RunFile)
        if run is not None and run.installed is not None:
            return run.installed.file
    return ""
