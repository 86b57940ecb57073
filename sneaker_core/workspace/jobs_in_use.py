"""Which work uses an item: found from the references in the records of all living jobs, by identity.

A job may refer to an item itself, or to something that does: a search refers to its study, and that to its dataset.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sneaker_core.errors import DamagedError
from sneaker_core.records.reading import read_values
from sneaker_core.workspace.collection_spec import read_name
from sneaker_core.workspace.job_record import JOB_FILE, Job, JobState, find_job
from sneaker_core.workspace.paths import RUN_FILE, path_from_text
from sneaker_core.workspace.references import name_in

# Folder of work that was started in a shell and has no item of its own; see `shell_work`.
SHELL_WORK = "work"
# Where the folders of jobs are.
_JOBS = (
    "datasets/*/jobs/*", "runs/*/job", "studies/*/job", "studies/*/job-*", "evaluations/*/job",
    "evaluations/*/robustness-job", "explanations/many/*", "explanations/means/*/job", "rates/*",
    "exports/*/job", "clips/*/job", f"{SHELL_WORK}/*",
)  # fmt: skip
# What records call a reference to an item -> its collection.
_KEYS = {
    "dataset": "datasets", "source": "datasets", "worlds": "datasets", "run": "runs", "model": "runs", "init": "runs",
    "study": "studies", "evaluation": "evaluations", "clip": "clips",
}  # fmt: skip
# Values that hold display names: the model of a check, and the pretrained weights of a recipe.
_BY_NAME = ("model", "init")
# Records of items that work is done on, and what they refer to.
_RECORDS = {
    "studies": ("study.json",),
    "evaluations": ("evaluation.json", f"job/{JOB_FILE}"),
    "runs": (RUN_FILE,),
}
_RECORD_KEYS = ("source", "negatives", "recipe", "dataset_folder", "model_folder", "params")
_WORKS_ON = {"study": "studies", "evaluation": "evaluations"}


def living_jobs(workspace: Path) -> list[Job]:
    """All jobs of a workspace that are queued, running or stopping, in the order in which they were started."""
    folders = (folder for pattern in _JOBS for folder in workspace.glob(pattern))
    found = (find_job(folder) for folder in folders if (folder / JOB_FILE).is_file())
    return sorted((job for job in found if job is not None and not job.state.ended), key=lambda job: job.started)


def jobs_using(workspace: Path, kind: str, item: str, name: str) -> list[Job]:
    """The living jobs that use an item, its own included.

    Parameters
    ----------
    workspace : Path
    kind : str
        The item's collection: "datasets", "runs", "studies" or "evaluations".
    item : str
        Its id.
    name : str
        Its display name, for the few records that refer to it by name.
    """
    folder = _real(workspace / kind / item)
    return [
        job
        for job in living_jobs(workspace)
        if _is_inside(_real(job.folder), folder)
        or any(_leads_to(workspace, *reference, kind, item, name) for reference in references(workspace, job.params))
    ]


def references(workspace: Path, params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """All texts in the params of a job that may refer to items, with their keys; also of what the job works on."""
    yield from _texts(params)
    for key, collection in _WORKS_ON.items():
        item = params.get(key)
        if not isinstance(item, str) or not item:
            continue
        if key == "evaluation" and params.get("evaluation_kind", "stored") != "stored":
            collection = "runs"
            yield "run", item
        for file in _RECORDS[collection]:
            with contextlib.suppress(DamagedError):  # or there is none
                record = read_values(workspace / collection / item / file)
                if isinstance(record, dict):
                    yield from _texts({name: record[name] for name in _RECORD_KEYS if name in record})


def _texts(values: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(values, str):
        yield key, values
    elif isinstance(values, Mapping):
        for name, value in values.items():
            # The keys of worlds are names that people chose.
            yield from _texts(value, key if key == "worlds" else str(name))
    elif isinstance(values, Sequence):
        for value in values:
            yield from _texts(value, key)


def _leads_to(workspace: Path, key: str, value: str, kind: str, item: str, name: str) -> bool:
    if not value:
        return False
    if _KEYS.get(key) == kind and (value == item or name_in(value) == name or (key in _BY_NAME and value == name)):
        return True
    try:
        return _is_inside(_real(path_from_text(workspace, value)), _real(workspace / kind / item))
    except (OSError, ValueError):  # no system would take it for a path
        return False


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + os.sep)


def job_id(workspace: Path, job: Job) -> str:
    """What people call a job to stop it: its folder in the workspace."""
    return Path(_real(job.folder)).relative_to(_real(workspace)).as_posix()


def in_use_text(workspace: Path, subject: str, jobs: Sequence[Job]) -> str:
    """Why something can't be changed or deleted now, and how to stop the work that uses it.

    Parameters
    ----------
    workspace : Path
    subject : str
        "The dataset 'shoes'".
    jobs : sequence of Job
        At least one, from `jobs_using`.
    """
    job, more = jobs[0], f" and {len(jobs) - 1:,} more" if len(jobs) > 1 else ""
    state = {JobState.QUEUED: "a job in the queue", JobState.STOPPING: "a job that is stopping"}
    title = job.title or read_name(job.folder.parent)
    used = f"{subject} is in use by {state.get(job.state, 'a running job')}, “{title}”{more}."
    place = job_id(workspace, job)
    if place.startswith(f"{SHELL_WORK}/"):
        return f"{used} Wait until it has ended, or end it with Ctrl-C in the terminal that it runs in."
    return f"{used} Wait until it has ended, or stop it: on its page, or with the command: jobs stop {place}"
