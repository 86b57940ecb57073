"""Explanations of many photos, created in the background and stored until they are deleted.

::

    <workspace>/explanations/
      many/<id>/     a job of kind "explain_photos": maps.zip, and in photos/ what was uploaded, until it is explained
      means/<id>/    class-average maps, with the job of kind "class_maps" in job/; the id follows from the request
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sneaker_core.errors import ImageError, SneakerError
from sneaker_core.inference.explanation.explanation_request import (
    CLASS_AVERAGE_PHOTOS,
    ExplanationRequest,
    Method,
)
from sneaker_core.settings import read_only
from sneaker_core.workspace.collection import Collection
from sneaker_core.workspace.collection_spec import CollectionSpec, read_name
from sneaker_core.workspace.job_record import JOB_FILE
from sneaker_core.workspace.jobs import Job, Worker, is_alive, new_job_folder, read_job, start_job
from sneaker_core.workspace.paths import explanations_folder, path_from_text, path_to_text
from sneaker_core.workspace.read_only import check_changeable

ARCHIVE, UPLOADS, JOB = "maps.zip", "photos", "job"
# Longest side of the overlays, in pixels.
_MAX_SIDE = 640
# Number of explanations to keep; starting another one removes the oldest.
_KEPT_PHOTOS, _KEPT_CLASS_MAPS = 10, 100


@dataclass(frozen=True)
class SavedExplanation:
    """Photos that a job explained, or is about to.

    Attributes
    ----------
    folder : Path
        Also the folder of the job.
    name : str
        Its display name; the title of the job unless it was renamed.
    job : Job
    """

    folder: Path
    name: str
    job: Job

    @property
    def id(self) -> str:
        """The name of its folder: the same for life."""
        return self.folder.name

    @property
    def archive(self) -> Path:
        """The zip file with the pictures, once they are finished."""
        return self.folder / ARCHIVE


def _read_saved(folder: Path) -> SavedExplanation:
    job, name = read_job(folder), read_name(folder)
    return SavedExplanation(folder, job.title if name == folder.name else name, job)


_SPEC = CollectionSpec[SavedExplanation](
    kind="explanations/many",
    noun="explanation",
    plural="explanations",
    error=SneakerError,
    holds_item=lambda folder: (folder / JOB_FILE).exists(),
    read=_read_saved,
    is_busy=lambda saved: not saved.job.state.ended,
    order=lambda saved: (-saved.job.started, saved.id),
    read_name=lambda folder: _read_saved(folder).name,
)


def explanations_of(workspace: Path) -> Collection[SavedExplanation]:
    """The saved explanations of photos as a collection; names need not be unique."""
    return Collection(workspace, _SPEC)


def list_explanations(workspace: Path) -> list[SavedExplanation]:
    """All saved explanations of photos, newest first."""
    return explanations_of(workspace).list()


def delete_explanation(workspace: Path, saved: SavedExplanation) -> None:
    """Move a saved explanation to the bin, which keeps the last few.

    Raises
    ------
    SneakerError
        Its job is running.
    """
    found = explanations_of(workspace)
    found.delete(saved)
    for old in found.deleted()[_KEPT_PHOTOS:]:
        remove(old.folder)


def class_maps_folder(workspace: Path) -> Path:
    """The folder with one folder for each set of class-average maps."""
    return explanations_folder(workspace) / "means"


def explain_photos_params(
    model: str, request: ExplanationRequest, *, dataset: str | None = None, labels: Sequence[str] = ()
) -> dict[str, Any]:
    """The params of an "explain_photos" job: photos of a dataset's classes, or those uploaded to the job's folder.

    Parameters
    ----------
    model : str
        From `model_registry.model_reference`.
    request : ExplanationRequest
        Without `max_side`, the overlays have at most 640 pixels per side.
    dataset : str, optional
        From `training_jobs.source_of`; the uploaded photos if left out.
    labels : sequence of str
        Classes of the dataset; all if empty.
    """
    request = replace(request, max_side=request.max_side or _MAX_SIDE)
    return {"model": model, "dataset": dataset, "labels": list(labels), **request.to_dict()}


def start_photo_explanation(
    workspace: Path, params: Mapping[str, Any], title: str, uploads: Mapping[str, bytes] | None = None
) -> Path:
    """Start explaining photos in the background.

    Parameters
    ----------
    workspace : Path
    params : mapping
        From `explain_photos_params`.
    title : str
        Shown to people.
    uploads : mapping of str to bytes, optional
        File name -> photo, if the photos are not those of a dataset; they are deleted once they are explained.

    Returns
    -------
    Path
        The job's folder.

    Raises
    ------
    OSError
        The photos cannot be written.
    """
    check_changeable()
    parent = explanations_of(workspace).folder
    prune(parent, _KEPT_PHOTOS - 1)
    folder = new_job_folder(parent)
    try:
        if uploads:
            (folder / UPLOADS).mkdir(parents=True)
            for name, data in uploads.items():
                (folder / UPLOADS / name).write_bytes(data)
            params = {**params, "photos": [path_to_text(workspace, folder / UPLOADS)]}
        return start_job(folder, "explain_photos", params, title=title, workspace=workspace)
    except OSError:
        remove(folder)
        raise


def run_explain_photos_job(workspace: Path, params: Mapping[str, Any], worker: Worker) -> None:
    """Explain photos into a zip file in the job's folder; params: those of `explain_photos_params`, and photos."""
    from sneaker_core.datasets.vanished_sources import check_there, sources_of_job
    from sneaker_core.inference.explanation.explain_photos import explain_files
    from sneaker_core.inference.explanation.explanation_files import write_zip
    from sneaker_core.networks.bundled_models import DEFAULT_MODEL
    from sneaker_core.networks.checkpoint import load_model
    from sneaker_core.networks.model_registry import find_model_by_reference

    assert worker.folder is not None
    worker.report(0, 0, "Loading the model")
    model = load_model(find_model_by_reference(workspace, params.get("model") or DEFAULT_MODEL))
    request, sources = ExplanationRequest.from_dict(params), sources_of_job(workspace, params)
    explanations = explain_files(model, _photos(workspace, params), request, worker.report, worker.stopped)
    count, failed = write_zip(worker.folder / ARCHIVE, explanations)
    if failed:
        check_there(sources)
    worker.result = {"pictures": count, "failed": len(failed)}
    for image, reason in failed.items():
        worker.log(f"{image}: {reason}")
    if failed and not count:
        image, reason = next(iter(failed.items()))
        raise SneakerError(f"Can't read any of the {len(failed):,} photos. The first is {image}: {reason}")


def _photos(workspace: Path, params: Mapping[str, Any]) -> list[Path]:
    if params.get("dataset") is not None:
        from sneaker_core.datasets.dataset_collection import open_samples, source_folder

        folder = source_folder(workspace, params["dataset"])
        return [Path(path) for path in open_samples(workspace, str(folder), tuple(params.get("labels", ())))["path"]]
    return list(photo_files([path_from_text(workspace, text) for text in params.get("photos", ())]))


def photo_files(places: Sequence[Path]) -> Iterator[Path]:
    """The files named, and in place of each folder the files in it.

    Raises
    ------
    ImageError
        A folder is empty.
    """
    for place in places:
        if not place.is_dir():
            yield place
            continue
        inside = sorted(path for path in place.iterdir() if path.is_file() and not path.name.startswith("."))
        if not inside:
            raise ImageError(f"There are no photos in {place}.")
        yield from inside


def start_class_maps(
    workspace: Path,
    folder: Path,
    title: str,
    *,
    evaluation: str,
    evaluation_kind: str,
    labels: Sequence[str],
    method: Method = Method.GRADCAM,
    layer: str | None = None,
    dataset: str | None = None,
) -> Path:
    """Start making class-average maps in the background.

    Parameters
    ----------
    workspace : Path
    folder : Path
        Inside `class_maps_folder`; gets the maps.
    title : str
        Shown to people.
    evaluation : str
        Its id, which for those of bundled models and runs is that of the model or run.
    evaluation_kind : str
        "stored", "bundled" or "run".
    labels : sequence of str
    method, layer
        As for `attributions.attribute`.
    dataset : str, optional
        The id of the dataset that has the photos, if the evaluation does not know.

    Returns
    -------
    Path
        The job's folder.
    """
    check_changeable()
    prune(folder.parent, _KEPT_CLASS_MAPS)
    params = {
        "evaluation": evaluation,
        "evaluation_kind": evaluation_kind,
        "labels": list(labels),
        "method": method.value,
        "layer": layer,
        "dataset": dataset,
    }
    return start_job(folder / JOB, "class_maps", params, title=title, workspace=workspace)


def run_class_maps_job(workspace: Path, params: Mapping[str, Any], worker: Worker) -> None:
    """Create class-average maps in the parent folder of the job; params: as `start_class_maps` gives them."""
    from sneaker_core.datasets.dataset_collection import find_dataset_by_id
    from sneaker_core.evaluation.evaluation_collection import find_evaluation_by_id
    from sneaker_core.evaluation.evaluation_files import find_model_of, read_table, with_photos
    from sneaker_core.evaluation.evaluation_record import Kind
    from sneaker_core.inference.explanation.class_average_maps import class_average_maps
    from sneaker_core.inference.explanation.explanation_files import write_class_maps
    from sneaker_core.networks.checkpoint import load_model

    assert worker.folder is not None
    worker.report(0, 0, "Loading the model")
    kind = params.get("evaluation_kind")
    evaluation = find_evaluation_by_id(workspace, params["evaluation"], Kind(kind or Kind.STORED))
    table = read_table(evaluation)
    if params.get("dataset") is not None:
        table = with_photos(table, find_dataset_by_id(workspace, params["dataset"]))
    maps = class_average_maps(
        load_model(find_model_of(workspace, evaluation)),
        table,
        params["labels"],
        Method(params.get("method") or Method.GRADCAM),
        params.get("layer"),
        params.get("cap") or CLASS_AVERAGE_PHOTOS,
        report=worker.report,
        stopped=worker.stopped,
    )
    if worker.stopped():
        return  # the first few photos are not the average of all
    stored = write_class_maps(worker.folder.parent, maps)
    worker.result = {"means": len(stored), "photos": sum(each.count for each in stored)}
    worker.log(f"{len(stored)} maps of {worker.result['photos']} photos")


def prune(parent: Path, keep: int) -> None:
    """Delete the oldest explanations whose job has ended beyond a number of them; all can be created again."""
    folders = sorted(parent.iterdir(), key=_changed, reverse=True) if parent.is_dir() else []
    for folder in folders[keep:]:
        if not is_alive(folder) and not is_alive(folder / JOB):
            remove(folder)


def _changed(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


def remove(folder: Path) -> None:
    """Remove an explanation whose job has ended; nothing happens while SoleScope is read-only."""
    if read_only():
        return
    shutil.rmtree(folder, ignore_errors=True)
