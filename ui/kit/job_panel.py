"""Work in the background of a dataset: started, watched while it lasts, and taken up again when it broke off."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from sneaker_core.datasets.dataset_jobs import start_dataset_job
from sneaker_core.datasets.index import Dataset
from sneaker_core.errors import SneakerError
from sneaker_core.workspace.jobs import Job, JobState, Progress, list_jobs, read_job, restart_job, stop_job
from sneaker_core.workspace.paths import path_from_text, workspace
from ui.kit.quantities import counted_photos, time_words
from ui.kit.state_keys import KitKey
from ui.kit.text import counted, plain, shortened

UPLOADS = "uploads"
_LOOK_EVERY = 1.0


def newest_job(dataset: Dataset) -> Job | None:
    """The work that was started last."""
    jobs = list_jobs(dataset.jobs)
    return jobs[0] if jobs else None


def is_busy(dataset: Dataset) -> bool:
    """Whether work goes on in a dataset; a second one would get into its way."""
    job = newest_job(dataset)
    return job is not None and not job.state.ended


def start_work(dataset: Dataset, kind: str, params: Mapping[str, Any] | None = None, *, title: str) -> None:
    """Start work on a dataset in the background; if something is running there already, say so.

    Parameters
    ----------
    dataset : Dataset
    kind, params, title
        As for `dataset_jobs.start_dataset_job`.
    """
    try:
        folder = start_dataset_job(workspace(), dataset, kind, params, title=title)
    except (SneakerError, OSError) as error:
        st.toast(plain(str(error)))
        return
    _remembered(KitKey.JOBS_SEEN).add(str(folder))


def _retry(job: Job) -> None:
    try:
        restart_job(job.folder)
    except (SneakerError, OSError) as error:
        st.toast(plain(str(error)))
        return
    _remembered(KitKey.JOBS_SEEN).add(str(job.folder))


def _remembered(key: KitKey) -> set[str]:
    jobs: set[str] = st.session_state.setdefault(key, set())
    return jobs


def draw_work(dataset: Dataset) -> None:
    """Show the newest work: live while it lasts, and then what came of it until that is put aside."""
    job = newest_job(dataset)
    if job is None:
        return
    if not job.state.ended:
        _remembered(KitKey.JOBS_SEEN).add(str(job.folder))
        _watch(job.folder)
        return
    if job.state is JobState.DONE:
        _clear_upload(job)
    told = job.state is not JobState.DONE or str(job.folder) in _remembered(KitKey.JOBS_SEEN)
    if told and str(job.folder) not in _remembered(KitKey.JOBS_DISMISSED):
        _draw_end(job)


@st.fragment(run_every=_LOOK_EVERY)
def _watch(folder: Path) -> None:
    """Look at work once a second; the page runs anew, once, when it has ended."""
    try:
        job = read_job(folder)
    except SneakerError:
        job = None
    if job is None or job.state.ended:
        st.rerun()
    with st.container(border=True, gap="small"):
        stopping = job.state is JobState.STOPPING
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f":material/hourglass_top: **{plain(shortened(job.title))}**", width="content")
            st.button(
                "Stopping…" if stopping else "Stop",
                key=KitKey.JOB_STOP,
                icon=":material/stop_circle:",
                disabled=stopping,
                on_click=stop_job,
                args=(folder,),
                help="It ends at the next safe moment and keeps what it has.",
            )
        st.progress(job.progress.share, text=plain(progress_words(job.progress)))
        _draw_classes(job.progress.details)
        st.caption("You may leave this page or close the browser: the work goes on.")


def progress_words(progress: Progress) -> str:
    """How far work is, in one line.

    Parameters
    ----------
    progress : Progress
    """
    words = [progress.step or "Starting"]
    if progress.total:
        words.append(f"{progress.done:,} of {progress.total:,}")
    if progress.rate > 0:
        pace = f"{progress.rate:.0f}" if progress.rate >= 10 else f"{progress.rate:.1f}"
        words.append(f"{pace} a second")
    if progress.seconds_left is not None and progress.done < progress.total:
        words.append(f"{time_words(progress.seconds_left)} left")
    return " · ".join(words)


def _draw_classes(details: dict[str, Any]) -> None:
    """How far collecting is, class by class."""
    found = details.get("classes", details)
    rows = (
        [
            {
                "class": name,
                "photos": row["have"],
                "unusable": sum(row.get("rejected", {}).values()),
                "note": row.get("message", ""),
            }
            for name, row in found.items()
            if isinstance(row, dict) and "have" in row
        ]
        if isinstance(found, dict)
        else []
    )
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
            "unusable": st.column_config.NumberColumn("Links without a photo"),
            "note": st.column_config.TextColumn("Note"),
        },
        alt="Photos collected for each class so far",
    )


def _draw_end(job: Job) -> None:
    """How work ended, with what can be done about it beside it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        _say_end(job)
        if job.state is not JobState.DONE and job.can_restart:
            st.button(
                "Try again" if job.state is JobState.FAILED else "Go on",
                key=KitKey.JOB_AGAIN,
                icon=":material/restart_alt:",
                on_click=_retry,
                args=(job,),
            )
        st.button(
            "Put aside",
            key=KitKey.JOB_DISMISS,
            type="tertiary",
            icon=":material/close:",
            on_click=_remembered(KitKey.JOBS_DISMISSED).add,
            args=(str(job.folder),),
        )
    _draw_classes(job.result)


def _say_end(job: Job) -> None:
    title, outcome = plain(shortened(job.title)), plain(outcome_words(job.result))
    if job.state is JobState.DONE:
        st.success(f"**{title}**: done. {outcome}", icon=":material/check_circle:")
    elif job.state is JobState.STOPPED:
        st.info(
            f"**{title}** was stopped. {outcome} What it had done is kept, and it can go on from there.",
            icon=":material/stop_circle:",
        )
    elif job.state is JobState.FAILED:
        st.error(f"**{title}** did not work out. {plain(job.error or '')}", icon=":material/error:")
    else:
        st.warning(
            f"**{title}** broke off: its process is gone, perhaps because the computer was restarted. What it had done "
            "is kept, and it can go on from there.",
            icon=":material/sync_problem:",
        )


def outcome_words(result: dict[str, Any]) -> str:
    """What came of work, in a sentence or two; empty where nothing is to be said.

    Parameters
    ----------
    result : dict
        Of the job.
    """
    if "added" in result:
        known, rejected = result.get("known", 0), len(result.get("rejected", ()))
        words = [f"{counted_photos(result['added'])} came in"]
        words += [f"{counted(known, 'file')} had come in before"] if known else []
        words += [f"{counted(rejected, 'file')} could not"] if rejected else []
        return f"{', '.join(words)}."
    if isinstance(classes := result.get("classes"), dict):
        added = sum(row.get("added", 0) for row in classes.values() if isinstance(row, dict))
        return f"{counted_photos(added)} came in."
    if result.get("finished") and isinstance(findings := result.get("findings"), dict):
        return f"{counted(sum(findings.values()), 'finding')} to look at." if any(findings.values()) else "All is well."
    return ""


def _clear_upload(job: Job) -> None:
    """Delete an uploaded file once all of it is imported."""
    uploads = job.folder.parent.parent / UPLOADS
    for name in ("source", "sku_file"):
        path = path_from_text(job.workspace, str(job.params.get(name) or ""))
        if path.parent == uploads:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
