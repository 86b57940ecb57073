"""The hidden command ``run-job FOLDER``, which the process of every job runs. A new kind of job goes into RUNNERS."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sneaker_core.errors import SneakerError
from sneaker_core.workspace.jobs import Job, Worker, end_if_open, read_job, waiting_turn, working
from sneaker_core.workspace.paths import queue_folder

# Kind of job -> the function that does the work, imported only when such a job runs.
RUNNERS = {
    "dataset_import": "sneaker_core.datasets.dataset_jobs:run_import_job",
    "dataset_collect": "sneaker_core.datasets.dataset_jobs:run_collect_job",
    "dataset_demo": "sneaker_core.datasets.dataset_jobs:run_demo_job",
    "dataset_scan": "sneaker_core.datasets.dataset_jobs:run_scan_job",
    "correct_model": "sneaker_core.training.corrected_model:run_correct_model_job",
    "train": "sneaker_core.training.training_jobs:run_training_job",
    "search": "sneaker_core.training.search_jobs:run_search_job",
    "find_lr": "sneaker_core.training.planning.lr_finder_job:run_lr_finder_job",
    "evaluate": "sneaker_core.evaluation.evaluation_job:run_evaluation_job",
    "robustness": "sneaker_core.evaluation.robustness_job:run_robustness_job",
    "explain_photos": "sneaker_core.inference.explanation.explanation_jobs:run_explain_photos_job",
    "export": "sneaker_core.inference.export.export_jobs:run_export_job",
    "class_maps": "sneaker_core.inference.explanation.explanation_jobs:run_class_maps_job",
    "follow": "sneaker_core.video.clip_collection:run_follow_job",
}

Runner = Callable[[Path, dict[str, Any], Worker], None]


@click.command("run-job", hidden=True)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def run_job(folder: Path) -> None:
    """Run the job recorded in FOLDER."""
    folder = folder.absolute()
    try:
        job = read_job(folder)
        with working(folder) as worker:
            _run(job, worker)
    finally:
        end_if_open(folder, "The process ended before the work began. See the log for details.")


def _run(job: Job, worker: Worker) -> None:
    from sneaker_core.datasets.vanished_sources import sources_of_job, told_if_vanished

    run = runner(job.kind)
    # Before it waits: a dataset may vanish while its job is in the queue.
    with told_if_vanished(sources_of_job(job.workspace, job.params)):
        if not job.queue:
            run(job.workspace, job.params, worker)
            return
        with waiting_turn(worker, queue_folder(job.workspace)) as is_our_turn:
            if is_our_turn:
                run(job.workspace, job.params, worker)


def runner(kind: str) -> Runner:
    """The function that runs jobs of a kind: it takes the workspace, the job's params and its worker.

    Raises
    ------
    SneakerError
        No such kind is known.
    """
    if kind not in RUNNERS:
        raise SneakerError(f"This version of SoleScope can't run jobs of kind {kind!r}.")
    module, _, function = RUNNERS[kind].partition(":")
    found: Runner = getattr(importlib.import_module(module), function)
    return found
