"""The evaluations there are: stored, read, renamed, put in the bin and brought back. Only their folders are looked at.

::

    <workspace>/evaluations/<name>/
      evaluation.json       what was measured with what; written last
      predictions.parquet   the prediction table
      embeddings.npy        float16 (N, D); a row for each `embedding_row` of the table
      neighbours.parquet    training photos: sample, path, label
      neighbours.npy        float16 (M, D); their embeddings, row for row
      job/                  the process at work, where a page started it
    <workspace>/bin/evaluations/<when>/<name>/     a deleted one

A model that ships brings its own (``models/<model>/evaluation/``, without photos), and each finished run left the table
of its test photos (``<workspace>/runs/<run>/predictions.parquet``): these are listed too, and are only read.
"""

import contextlib
import json
import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.datasets.dataset_collection import list_datasets
from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.split import Split
from sneaker_core.errors import CheckpointError, DatasetError, ModelNotFoundError, SneakerError, SpaceError
from sneaker_core.evaluation.table_columns import REQUIRED_COLUMNS, class_columns, with_all_columns
from sneaker_core.workspace.atomic_files import read_json, write_atomically
from sneaker_core.workspace.collection import ABOUT_FILE, Collection, CollectionSpec, read_name
from sneaker_core.workspace.jobs import Job, JobState, read_job, stop_job
from sneaker_core.workspace.paths import (
    BUNDLED_MODELS,
    MODEL_FILE,
    PREDICTIONS_FILE,
    RUN_FILE,
    evaluation_job_folder,
    model_evaluation_folder,
    path_from_text,
    path_to_text,
    run_model_folder,
    runs_folder,
)
from sneaker_core.workspace.references import by_name, name_in, text_of
from sneaker_core.workspace.safe_names import safe_folder_name

FORMAT = 1
EVALUATION_FILE = "evaluation.json"
EMBEDDINGS_FILE = "embeddings.npy"
NEIGHBOURS_FILE = "neighbours.parquet"
NEIGHBOUR_EMBEDDINGS_FILE = "neighbours.npy"

Halves = NDArray[np.float16]


class Kind(StrEnum):
    """Where an evaluation comes from."""

    STORED = "stored"
    BUNDLED = "bundled"
    RUN = "run"


@dataclass(frozen=True)
class Evaluation:
    """An evaluation as its folder tells it.

    Attributes
    ----------
    name : str
        Its display name, or that of the model or run it belongs to.
    kind : Kind
    folder : Path or None
        None for one that was not kept.
    model : str
        The model's name, as people know it.
    model_folder : Path or None
        Where the model was, if it still is there.
    model_version : str
        Names the weights that were measured: as `networks.checkpoint.weights_version`; empty where nobody kept it.
    data : str
        The shown name of the dataset or folder.
    dataset_folder : Path or None
        Of the dataset, where it was one and still is there.
    split : str or None
        Only the photos that served the model as that.
    split_of_data : bool
        The split is the dataset's own, as the model saw none of its photos, or does not tell which.
    created : float
        Seconds since 1970.
    n : int
        Photos whose class the model knows.
    top1 : float
        Share of them answered right; nan while it is not known.
    rejected : dict of str to str
        Path -> why it could not be read.
    left_out : dict of str to int
        Classes that the model does not know -> photos.
    with_neighbours : bool
        Whether embeddings of training photos are there too.
    state : JobState
    problem : str or None
        Why it cannot be opened, in one sentence.
    job : Job or None
        What its process tells; None where nothing is known of one.
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
    with_neighbours: bool = False
    state: JobState = JobState.DONE
    problem: str | None = None
    job: Job | None = None

    @property
    def id(self) -> str:
        """The name of its folder, or of the folder of the model or run it belongs to; empty if it was not kept."""
        if self.folder is None:
            return ""
        return self.folder.parent.name if self.kind is Kind.BUNDLED else self.folder.name

    @property
    def is_ready(self) -> bool:
        """Whether it can be opened."""
        return self.problem is None and self.state is JobState.DONE

    @property
    def version(self) -> str:
        """Changes whenever its table does: a key for caches."""
        try:
            status = (self._folder / PREDICTIONS_FILE).stat()
        except (OSError, SneakerError):
            return ""
        return f"{status.st_mtime_ns}-{status.st_size}"

    @property
    def _folder(self) -> Path:
        if self.folder is None:
            raise SneakerError(f"The evaluation {self.name!r} was not kept; evaluate again with a name.")
        return self.folder

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        told = ("id", "name", "model", "data", "split", "created", "n", "left_out", "with_neighbours", "problem")
        return {
            **{key: getattr(self, key) for key in told},
            "kind": self.kind.value,
            "state": self.state.value,
            "top1": None if math.isnan(self.top1) else self.top1,
            "folder": None if self.folder is None else str(self.folder),
        }


def evaluations_of(workspace: Path) -> Collection[Evaluation]:
    """The stored evaluations of a workspace as a collection."""
    return Collection(workspace, _SPEC)


def list_evaluations(workspace: Path) -> list[Evaluation]:
    """All evaluations: stored ones, newest first, then those of bundled models and of runs, each by name.

    A damaged one is listed with its `problem`; folders without an evaluation are skipped.
    """
    bundled = (_bundled(folder) for folder in _folders(BUNDLED_MODELS))
    return [*evaluations_of(workspace).list(), *(one for one in bundled if one is not None), *_of_runs(workspace)]


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(path for path in parent.iterdir() if path.is_dir() and not path.name.startswith("."))


def find_evaluation(workspace: Path, name: str, kind: Kind | None = None) -> Evaluation:
    """The evaluation with a display name; never a path, so safe for names from outside.

    Parameters
    ----------
    workspace : Path
    name : str
    kind : Kind, optional
        If left out, a stored evaluation goes before a bundled one, and that before a run's.

    Raises
    ------
    SneakerError
        There is none; the message lists those that exist.
    """
    there = list_evaluations(workspace)
    for one in there:
        if one.name == name and kind in (None, one.kind):
            return one
    listed = ", ".join(repr(one.name) for one in there) or "none yet"
    raise SneakerError(f"No evaluation named {name[:80]!r}. Available evaluations: {listed}.")


def find_evaluation_by_id(workspace: Path, evaluation: str, kind: Kind = Kind.STORED) -> Evaluation:
    """The evaluation that a record refers to.

    Parameters
    ----------
    workspace : Path
    evaluation : str
        Its id, or a display name from an old record; see `references`.
    kind : Kind

    Raises
    ------
    SneakerError
        There is none.
    """
    name = name_in(evaluation)
    for one in list_evaluations(workspace):
        if one.kind is kind and (one.id == evaluation or one.name == name):
            return one
    return find_evaluation(workspace, text_of(evaluation), kind)


def _read_stored(folder: Path) -> Evaluation:
    """A stored evaluation.

    Raises
    ------
    SneakerError
        The folder holds none.
    """
    job = _job(folder)
    if (folder / EVALUATION_FILE).exists():
        return replace(_described(folder, Kind.STORED, read_name(folder)), job=job)
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
        data=text_of(str(job.params.get("dataset") or "")),
        split=job.params.get("split"),
        created=job.started,
        # It may have been stopped, or have lost its file since.
        state=JobState.INTERRUPTED if job.state is JobState.DONE else job.state,
        problem=(job.error or "The evaluation ended before it was kept; evaluate again.") if job.state.ended else None,
        job=job,
    )


def _job(folder: Path) -> Job | None:
    try:
        return read_job(evaluation_job_folder(folder))
    except (SneakerError, TypeError, ValueError):
        return None


def _described(folder: Path, kind: Kind, name: str) -> Evaluation:
    """An evaluation from its ``evaluation.json``."""
    file = folder / EVALUATION_FILE
    broken = Evaluation(name, kind, folder, "", state=JobState.FAILED, created=_changed(file))
    values = read_json(file)
    if values is None:
        return replace(broken, problem=f"{file} is damaged and cannot be read; evaluate again.")
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
            with_neighbours=bool(values["with_neighbours"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return replace(broken, problem=f"{file} lacks what describes an evaluation; evaluate again.")
    if not (folder / PREDICTIONS_FILE).is_file():
        return replace(found, problem=f"{folder} has lost its {PREDICTIONS_FILE}; evaluate again.")
    return found


def _there(evaluation_folder: Path, place: Any) -> Path | None:
    """A folder that an evaluation refers to, relative to the workspace if it is inside, if it still exists."""
    if not isinstance(place, str) or not place:
        return None
    folder = path_from_text(evaluation_folder.parent.parent, place)
    return folder if folder.is_dir() else None


def _changed(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _bundled(model_folder: Path) -> Evaluation | None:
    folder = model_evaluation_folder(model_folder)
    if not (folder / EVALUATION_FILE).is_file():
        return None
    return replace(_described(folder, Kind.BUNDLED, model_folder.name), model_folder=model_folder)


def _of_runs(workspace: Path) -> list[Evaluation]:
    found = [one for one in map(_of_run, _folders(runs_folder(workspace))) if one is not None]
    # Each look at a dataset opens its index, so all are looked at once.
    datasets = list_datasets(workspace) if found else []
    ids, names = ({getattr(entry, key): entry for entry in datasets} for key in ("id", "name"))
    evaluations = []
    for evaluation, source in found:
        name = name_in(source)
        entry = ids.get(source) if name is None else names.get(name)
        if entry is not None:
            evaluation = replace(evaluation, data=entry.name, dataset_folder=entry.folder)
        evaluations.append(evaluation)
    return sorted(evaluations, key=lambda one: one.name)


def _of_run(run_folder: Path) -> tuple[Evaluation, str] | None:
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
        created=_changed(file),
        n=int(test.get("n", 0)),
        top1=float(test.get("top1", float("nan"))),
        left_out=test.get("left_out") or {},
    )
    return found, source if run.get("format") == 2 else by_name(source)


def read_table(evaluation: Evaluation) -> pd.DataFrame:
    """The prediction table of an evaluation, with all columns of `predictions.prediction_table`.

    Where the photos were not kept with it, the path is that of the photo in the evaluation's dataset, else None.

    Raises
    ------
    SneakerError
        It is not finished, or something of it is missing or damaged.
    """
    if evaluation.problem is not None:
        raise SneakerError(evaluation.problem)
    file = evaluation._folder / PREDICTIONS_FILE
    if not file.is_file():
        raise SneakerError(f"The evaluation {evaluation.name!r} is not finished yet; wait until it is.")
    try:
        table = pd.read_parquet(file)
    except (OSError, ValueError):  # pyarrow's own errors are ValueErrors
        raise SneakerError(f"{file} is damaged and cannot be read; evaluate again.") from None
    missing = [column for column in REQUIRED_COLUMNS if column not in table]
    if missing or not any(class_columns(table)):
        raise SneakerError(f"{file} is no prediction table: it lacks {', '.join(missing or ['classes'])}.")
    table = with_all_columns(table)
    if evaluation.dataset_folder is not None:
        with contextlib.suppress(DatasetError):  # the dataset may be damaged; the figures are not
            table = with_photos(table, Dataset(evaluation.dataset_folder))
    return table


def with_photos(table: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """The table with the paths that its photos have in a dataset; those that are not in it stay as they are.

    Raises
    ------
    DatasetError
        The dataset cannot be opened.
    """
    paths = read_samples(dataset).set_index("sample")["path"]
    found = table["sample"].map(paths).astype(object)
    path = found.where(found.notna(), table["path"].astype(object))
    return table.assign(path=path.where(path.notna(), None))


def read_embeddings(evaluation: Evaluation) -> Halves | None:
    """Embeddings of an evaluation's photos, (N, D), read from the disk as they are used; None where none were kept.

    Raises
    ------
    SneakerError
        They are damaged.
    """
    return _read_array(evaluation._folder / EMBEDDINGS_FILE)


def read_neighbours(evaluation: Evaluation) -> tuple[pd.DataFrame, Halves] | None:
    """Training photos to look for alike ones among: a table of sample, path, label, and their embeddings (M, D).

    Returns
    -------
    tuple or None
        None where none were kept.

    Raises
    ------
    SneakerError
        They are damaged.
    """
    if not evaluation.with_neighbours:
        return None
    folder = evaluation._folder
    try:
        table = pd.read_parquet(folder / NEIGHBOURS_FILE)
        vectors = _read_array(folder / NEIGHBOUR_EMBEDDINGS_FILE)
    except (OSError, ValueError):
        vectors = None
    if vectors is None or len(vectors) != len(table) or not {"sample", "path", "label"} <= set(table):
        raise SneakerError(f"The training photos kept in {folder} are damaged; evaluate again.")
    return table, vectors


def _read_array(file: Path) -> Halves | None:
    if not file.is_file():
        return None
    try:
        array: Halves = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise SneakerError(f"{file} is damaged and cannot be read; evaluate again.") from None
    return array


def find_model_of(workspace: Path, evaluation: Evaluation) -> Path:
    """The folder of the very model that was measured, wherever it is now.

    Raises
    ------
    ModelNotFoundError
        It is gone, or was trained anew since.
    """
    from sneaker_core.networks.checkpoint import weights_version
    from sneaker_core.networks.model_registry import find_named_model

    places = [] if evaluation.model_folder is None else [evaluation.model_folder]
    with contextlib.suppress(ModelNotFoundError):
        places.append(find_named_model(workspace, evaluation.model))
    for place in places:
        with contextlib.suppress(CheckpointError):
            if weights_version(place) == evaluation.model_version:
                return place
    raise ModelNotFoundError(
        f"The model {evaluation.model!r} that was measured here is gone or has been trained anew; evaluate it again."
    )


def write_evaluation(
    evaluation: Evaluation,
    table: pd.DataFrame,
    embeddings: NDArray[Any] | None = None,
    neighbours: tuple[pd.DataFrame, NDArray[Any]] | None = None,
) -> None:
    """Keep an evaluation in its folder; ``evaluation.json`` comes last, so that a half-written one is told.

    Raises
    ------
    SpaceError
        It cannot be written.
    """
    folder = evaluation._folder
    try:
        write_atomically(folder / PREDICTIONS_FILE, table.to_parquet(index=False))
        if embeddings is not None:
            write_atomically(folder / EMBEDDINGS_FILE, _array_bytes(embeddings))
        if neighbours is not None:
            write_atomically(folder / NEIGHBOURS_FILE, neighbours[0].to_parquet(index=False))
            write_atomically(folder / NEIGHBOUR_EMBEDDINGS_FILE, _array_bytes(neighbours[1]))
        text = json.dumps(_description(evaluation), indent=1, ensure_ascii=False) + "\n"
        write_atomically(folder / EVALUATION_FILE, text.encode(errors="replace"))
    except OSError as error:
        reason = f"{error.strerror or error}; make room and evaluate again."
        raise SpaceError(f"The evaluation cannot be written to {folder}: {reason}") from error


def _array_bytes(array: NDArray[Any]) -> bytes:
    import io

    buffer = io.BytesIO()
    np.save(buffer, array.astype(np.float16))
    return buffer.getvalue()


def _description(evaluation: Evaluation) -> dict[str, Any]:
    told = (
        "model", "model_version", "data", "split", "split_of_data", "created", "n", "rejected", "left_out", "top1",
        "with_neighbours",
    )  # fmt: skip
    places = {key: getattr(evaluation, key) for key in ("model_folder", "dataset_folder")}
    workspace = evaluation._folder.parent.parent
    return {
        "format": FORMAT,
        **{key: getattr(evaluation, key) for key in told},
        **{key: None if place is None else path_to_text(workspace, place) for key, place in places.items()},
    }


def free_name(workspace: Path, wanted: str) -> str:
    """The name, or if it is taken, one beside it."""
    return evaluations_of(workspace).free_name(wanted)


def default_name(workspace: Path, model: str, data: str, split: str | None) -> str:
    """A name that no evaluation has yet: ``<model> on <data>``, with the split if only one is evaluated."""
    wanted = f"{model} on {data}" + (f", {split}" if split else "")
    return free_name(workspace, safe_folder_name(wanted.replace(",", "").lstrip("-")[:70]))


def _stored(workspace: Path, evaluation: Evaluation | str) -> Evaluation:
    """A stored evaluation."""
    found = find_evaluation(workspace, evaluation) if isinstance(evaluation, str) else evaluation
    if found.kind is not Kind.STORED:
        owner = "model" if found.kind is Kind.BUNDLED else "run"
        raise SneakerError(f"The evaluation {found.name!r} belongs to the {owner} of that name and stays with it.")
    return found


def rename_evaluation(workspace: Path, evaluation: Evaluation | str, new: str) -> Evaluation:
    """Give a stored evaluation another display name.

    Raises
    ------
    SneakerError
        There is none, it belongs to a model or a run, or it can't have that name.
    """
    return evaluations_of(workspace).rename(_stored(workspace, evaluation), new)


def delete_evaluation(workspace: Path, evaluation: Evaluation | str) -> Path:
    """Move a stored evaluation to the bin, from where `restore_evaluation` brings it back.

    Returns
    -------
    Path
        Its folder in the bin.

    Raises
    ------
    SneakerError
        There is none, it is running, or it belongs to a model or a run.
    """
    return evaluations_of(workspace).delete(_stored(workspace, evaluation))


def deleted_evaluations(workspace: Path) -> list[Evaluation]:
    """The evaluations in the bin, those deleted last first."""
    return evaluations_of(workspace).deleted()


def restore_evaluation(workspace: Path, evaluation: Evaluation | str) -> Evaluation:
    """Bring back an evaluation, by its display name the one deleted last; under a free name if its own was taken.

    Raises
    ------
    SneakerError
        There is none in the bin.
    """
    return evaluations_of(workspace).restore(evaluation)


def _holds_evaluation(folder: Path) -> bool:
    files = (EVALUATION_FILE, PREDICTIONS_FILE, ABOUT_FILE, "job/job.json")
    return any((folder / file).exists() for file in files)


def _names_elsewhere(workspace: Path) -> dict[str, str]:
    """Names of the evaluations of bundled models and of runs."""
    models = {folder.name: "the evaluation of a model that comes with SoleScope" for folder in _folders(BUNDLED_MODELS)}
    runs = {read_name(folder): "the evaluation of a run" for folder in _folders(runs_folder(workspace))}
    return {**models, **runs}


_SPEC = CollectionSpec[Evaluation](
    kind="evaluations",
    noun="evaluation",
    plural="evaluations",
    error=SneakerError,
    holds_item=_holds_evaluation,
    read=_read_stored,
    is_busy=lambda evaluation: not evaluation.state.ended,
    order=lambda evaluation: (-evaluation.created, evaluation.name),
    reserved=_names_elsewhere,
)


def stop_evaluation(workspace: Path, name: str) -> None:
    """Ask an evaluation that a page started to stop; nothing of it is kept.

    Raises
    ------
    SneakerError
        There is none, or it is not at work.
    """
    found = find_evaluation(workspace, name)
    if found.job is None or found.state.ended:
        raise SneakerError(f"The evaluation {name!r} is not at work, so there is nothing to stop.")
    stop_job(found.job.folder)
