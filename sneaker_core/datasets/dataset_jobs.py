"""Work on a dataset that runs as a job: import, collect, draw the example, check."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sneaker_core.datasets.collect.collector import CollectPlan, collect
from sneaker_core.datasets.collect.search_queries import (
    DEFAULT_EXCLUDED,
    DEFAULT_TEMPLATES,
    CollectClass,
    read_skus,
)
from sneaker_core.datasets.dataset_collection import find_dataset_by_id
from sneaker_core.datasets.index import Dataset
from sneaker_core.errors import BusyError, CollectError
from sneaker_core.workspace.jobs import Worker, list_jobs, new_job_folder, start_job
from sneaker_core.workspace.paths import path_from_text, path_to_text

_PER_CLASS = 100


def start_dataset_job(
    workspace: Path, dataset: Dataset, kind: str, params: Mapping[str, Any] | None = None, *, title: str
) -> Path:
    """Start work on a dataset in the background.

    Parameters
    ----------
    workspace : Path
    dataset : Dataset
    kind : str
        "dataset_import", "dataset_collect", "dataset_demo" or "dataset_scan".
    params : mapping, optional
        For the runner of that kind, without the dataset.
    title : str
        Shown to the user.

    Returns
    -------
    Path
        The job's folder.

    Raises
    ------
    BusyError
        Another job of the dataset is running.
    """
    if any(not job.state.ended for job in list_jobs(dataset.jobs)):
        raise BusyError(
            f"A job is already running in the dataset {dataset.name!r}. Wait until it has ended, or stop it."
        )
    values = {"dataset": dataset.folder.name, **(params or {})}
    return start_job(new_job_folder(dataset.jobs), kind, values, title=title, workspace=workspace)


def import_params(
    workspace: Path, source: Path, shown_name: str | None = None, world: str | None = None, layout: str = "auto"
) -> dict[str, Any]:
    """The params of a "dataset_import" job: a folder or archive, and what `import_photos` takes besides."""
    return {"source": path_to_text(workspace, source), "shown_name": shown_name, "world": world, "layout": layout}


def run_import_job(workspace: Path, params: Mapping[str, Any], worker: Worker) -> None:
    """Import a folder or an archive; params: dataset, source, shown_name, world, layout."""
    from sneaker_core.datasets.sources.folder_layout import LayoutKind
    from sneaker_core.datasets.sources.photo_import import import_photos, preview_source

    source, shown_name = path_from_text(workspace, params["source"]), params.get("shown_name")
    layout = LayoutKind(params.get("layout", LayoutKind.AUTO))
    preview_source(source, shown_name, layout)
    result = import_photos(
        find_dataset_by_id(workspace, params["dataset"]),
        source,
        name=shown_name,
        world=params.get("world"),
        layout=layout,
        report=lambda done, total: worker.report(done, total, "Importing photos"),
        stopped=worker.stopped,
    )
    worker.result = result.to_dict()
    worker.log(" ".join([result.understood, *result.notes]))
    worker.log(
        f"{result.files} files, {result.added} new photos, {result.known} known, {len(result.rejected)} rejected"
    )
    for file, reason in result.rejected.items():
        worker.log(f"{file}: {reason}")


def run_demo_job(workspace: Path, params: Mapping[str, Any], worker: Worker) -> None:
    """Draw the synthetic dataset; params: dataset, per_class, seed."""
    from sneaker_core.datasets.synthetic.demo_dataset import make_synthetic

    given = {key: int(params[key]) for key in ("per_class", "seed") if params.get(key) is not None}
    added = make_synthetic(
        find_dataset_by_id(workspace, params["dataset"]),
        **given,
        report=lambda done, total: worker.report(done, total, "Generating photos"),
        stopped=worker.stopped,
    )
    worker.result = {"added": added}
    worker.log(f"{added} new photos")


def run_collect_job(workspace: Path, params: Mapping[str, Any], worker: Worker) -> None:
    """Collect photos from the web; params: dataset, and those of `CollectPlan.to_dict`."""
    result = collect(
        find_dataset_by_id(workspace, params["dataset"]),
        _plan(workspace, params),
        report=lambda done, total, note, classes: worker.report(done, total, note, classes=classes),
        stopped=worker.stopped,
    )
    worker.result = result.to_dict()
    for label, row in worker.result["classes"].items():
        worker.log(f"{label}: {row['added']} new photos. {row['message'] or ''}".strip())


def _plan(workspace: Path, params: Mapping[str, Any]) -> CollectPlan:
    """The plan; old jobs name a file of SKUs, have no search terms and leave out what is usual."""
    if "sku_file" not in params:
        return CollectPlan.from_dict(dict(params))
    classes = [CollectClass(str(row["name"]), str(row.get("terms", ""))) for row in params["classes"]]
    if params["sku_file"]:
        file = path_from_text(workspace, params["sku_file"])
        try:
            classes += read_skus(file.read_bytes())
        except OSError as error:
            raise CollectError(f"Can't read {file}: {error.strerror}. Choose the list of SKUs again.") from None
    return CollectPlan(
        tuple(classes),
        params.get("per_class") or _PER_CLASS,
        tuple(params.get("templates") or DEFAULT_TEMPLATES),
        tuple(params.get("excluded") or DEFAULT_EXCLUDED),
    )


def run_scan_job(workspace: Path, params: Mapping[str, Any], worker: Worker) -> None:
    """Check the photos; params: dataset, model (a name; None is the default), with_model (bool)."""
    from sneaker_core.datasets.class_balance import stats
    from sneaker_core.datasets.quality.scan import scan
    from sneaker_core.networks.bundled_models import DEFAULT_MODEL
    from sneaker_core.networks.model_registry import open_model

    dataset = find_dataset_by_id(workspace, params["dataset"])
    with_model = params.get("with_model", True)
    model = open_model(workspace, params.get("model") or DEFAULT_MODEL) if with_model else None
    finished = scan(dataset, model, report=worker.report, stopped=worker.stopped)
    findings = stats(dataset)["findings"]
    worker.result = {"finished": finished, "findings": findings}
    for kind, count in findings.items():
        if count:
            worker.log(f"{kind}: {count}")
