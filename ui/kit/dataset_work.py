"""Jobs of a dataset: importing, collecting and checking photos. One runs at a time."""

import contextlib
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from sneaker_core.datasets.dataset_jobs import start_dataset_job
from sneaker_core.datasets.index import Dataset
from sneaker_core.number_text import counted
from sneaker_core.settings import read_only
from sneaker_core.workspace.jobs import Job, JobState, list_jobs
from sneaker_core.workspace.paths import path_from_text, workspace
from ui.kit.job_panel import JobPanel, attempt, draw_job, note_job
from ui.kit.page_links import Page, draw_page_link

UPLOADS = "uploads"


def newest_job(dataset: Dataset) -> Job | None:
    """The job that was started last."""
    jobs = list_jobs(dataset.jobs)
    return jobs[0] if jobs else None


def is_busy(dataset: Dataset) -> bool:
    """Whether a job of the dataset is running."""
    job = newest_job(dataset)
    return job is not None and not job.state.ended


def start_work(dataset: Dataset, kind: str, params: Mapping[str, Any] | None = None, *, title: str) -> None:
    """Start a job of a dataset; if one is running, say so.

    Parameters
    ----------
    dataset : Dataset
    kind, params, title
        As in `dataset_jobs.start_dataset_job`.
    """
    attempt(lambda: note_job(start_dataset_job(workspace(), dataset, kind, params, title=title)))


def start_check(dataset: Dataset) -> None:
    """Check the photos for problems in a job, and draw the page again."""
    start_work(dataset, "dataset_scan", title="Checking photos")
    st.rerun()


def draw_work(dataset: Dataset) -> None:
    """Draw the panel of the newest job."""
    job = newest_job(dataset)
    if job is None:
        return
    if job.state is JobState.DONE:
        _clear_upload(job)
    draw_job(job.folder, JobPanel(outcome=lambda ended: outcome_text(ended.result), details=_draw_details))


def outcome_text(result: Mapping[str, Any]) -> str:
    """The result of a job, in a sentence; empty if there is nothing to say.

    Parameters
    ----------
    result : mapping
        The result that the job recorded.
    """
    if "added" in result:
        known, rejected = result.get("known", 0), len(result.get("rejected", ()))
        parts = [f"{counted(result['added'], 'photo')} imported"]
        parts += [f"{counted(known, 'file')} already in the dataset"] if known else []
        parts += [f"{counted(rejected, 'file')} rejected"] if rejected else []
        return " ".join([f"{', '.join(parts)}.", result.get("understood", ""), *result.get("notes", ())]).strip()
    if isinstance(said := result.get("correction"), str):
        return said
    if isinstance(classes := result.get("classes"), dict):
        added = sum(row.get("added", 0) for row in classes.values() if isinstance(row, dict))
        return f"{counted(added, 'photo')} added."
    if result.get("finished") and isinstance(findings := result.get("findings"), dict):
        total = sum(findings.values())
        return f"{counted(total, 'finding')} to review." if total else "No problems found."
    return ""


def _draw_details(job: Job) -> None:
    """Draw what a job made: a model, or photos class by class."""
    model = job.result.get("model") if job.state.ended else None
    if isinstance(model, str):
        draw_page_link("Use in Identify", Page.IDENTIFY, model=model)
        draw_page_link("Show in Runs", Page.RUNS, runs=model)
    _draw_classes(job)


def _draw_classes(job: Job) -> None:
    """Draw how many photos were collected, class by class."""
    details = job.result if job.state.ended else job.progress.details
    found = details.get("classes", details)
    rows = [
        {
            "class": name,
            "photos": row["have"],
            "unusable": sum(row.get("rejected", {}).values()),
            "note": row.get("message", ""),
        }
        for name, row in (found.items() if isinstance(found, dict) else ())
        if isinstance(row, dict) and "have" in row
    ]
    if not rows:
        return
    wanted = max(int(row.get("wanted", 1)) for row in found.values() if isinstance(row, dict))
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height=min(35 * (len(rows) + 1) + 3, 300),
        column_config={
            "class": st.column_config.TextColumn("Class"),
            "photos": st.column_config.ProgressColumn("Photos", format=f"%d of {wanted}", max_value=wanted),
            "unusable": st.column_config.NumberColumn("Unusable links"),
            "note": st.column_config.TextColumn("Note"),
        },
        alt="Photos collected for each class so far",
    )


def _clear_upload(job: Job) -> None:
    """Delete an uploaded file once all of it is imported; not while SoleScope is read-only."""
    if read_only():
        return
    uploads = job.folder.parent.parent / UPLOADS
    for name in ("source", "sku_file"):
        path = path_from_text(job.workspace, str(job.params.get(name) or ""))
        if path.parent == uploads:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
