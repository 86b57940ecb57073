"""The section with hyperparameter searches."""

import contextlib
import shlex
from collections.abc import Iterator

import streamlit as st

from sneaker_core.datasets.dataset_collection import source_folder
from sneaker_core.errors import SneakerError
from sneaker_core.number_text import counted
from sneaker_core.training.study_collection import Study, list_studies, stop_study
from sneaker_core.training.study_trials import TRIALS_FILE
from sneaker_core.workspace.jobs import Job, JobState, Progress, read_job
from sneaker_core.workspace.paths import studies_folder, workspace
from ui.kit.address import choose_item
from ui.kit.job_panel import progress_words
from ui.kit.labels import STATE_LABELS, draw_state_badge
from ui.kit.run_text import queue_text
from ui.kit.text import escape_markdown, short_duration_text, timestamp_text
from ui.runs import run_labels
from ui.runs.new_study_view import draw_new_search
from ui.runs.run_dialogs import Dialog, open_dialog
from ui.runs.runs_keys import Key
from ui.runs.trials_view import draw_found

ABOUT = (
    "A search runs many short trainings (trials) with different settings and finds those with the highest validation "
    "accuracy. Trials that fall behind are pruned."
)
_LOOK_EVERY = 2.0
_END_WORDS = {
    JobState.DONE: "The search is done. Resume it, or run a full training with the best settings.",
    JobState.STOPPED: "The search was stopped. All trials are kept, and you can resume it.",
    JobState.INTERRUPTED: "The search was interrupted; the process is no longer running. Complete trials are kept, "
    "and you can resume it.",
}


def draw_search() -> None:
    """Draw the section."""
    studies = list_studies(workspace())
    seen = _snapshot(studies)
    st.markdown(ABOUT)
    if studies:
        study = _choose(studies)
        _follow(studies, seen)
        _draw_study(study)
    with st.expander("New search", icon=":material/add:", expanded=not studies):
        draw_new_search({study.name for study in studies})


def _choose(studies: list[Study]) -> Study:
    """Draw the picker of searches; the newest is the default."""
    by_name = {study.name: study for study in studies}
    return by_name[choose_item(Key.STUDY, list(by_name), noun="search")]


def _snapshot(studies: list[Study]) -> tuple[object, ...]:
    """Changes when a search or a trial changes; cheap, as it reads no trials."""
    parent = studies_folder(workspace())
    names = tuple(sorted(folder.name for folder in parent.iterdir())) if parent.is_dir() else ()
    return names, *((_changed(study), *(job.state for job in _jobs(study))) for study in studies)


def _changed(study: Study) -> int:
    try:
        return (study.folder / TRIALS_FILE).stat().st_mtime_ns
    except OSError:
        return 0


def _jobs(study: Study) -> Iterator[Job]:
    """Current jobs of a search."""
    for job in study.jobs:
        with contextlib.suppress(SneakerError):
            yield read_job(job.folder)


@st.fragment(run_every=_LOOK_EVERY)
def _follow(studies: list[Study], seen: tuple[object, ...]) -> None:
    """Rerun the page when something has changed on disk."""
    if _snapshot(studies) != seen:
        st.rerun()


def _draw_study(study: Study) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(escape_markdown(study.name), anchor=False, width="content")
            draw_state_badge(study.state)
        st.markdown(escape_markdown(_about(study)))
        if not study.state.ended:
            _watch(study)
        elif study.error:
            st.error(escape_markdown(study.error), icon=":material/error:")
        elif study.state in _END_WORDS:
            st.info(_END_WORDS[study.state], icon=STATE_LABELS[study.state].icon)
        _draw_actions(study)
    draw_found(study)
    if study.source:
        _draw_joining(study)


def _about(study: Study) -> str:
    if not study.source:
        return "Its files are damaged and can't be read. Other searches are not affected."
    networks = [run_labels.network_title(name) for name in study.networks]
    parts = [f"{run_labels.recipe_word(study.recipe_name)} on {study.dataset}", _minutes(study)]
    parts += [f"among {', '.join(networks)}"] if networks else []
    parts += [
        f"{run_labels.setting_name(key).lower()} {run_labels.setting_value(key, value)}"
        for key, value in study.changes.items()
    ]
    return f"{', '.join(parts)}, started {timestamp_text(study.created)}: {counted(len(study.trials), 'trial')} so far."


def _minutes(study: Study) -> str:
    return "1 minute" if study.minutes == 1 else f"{study.minutes:g} minutes"


@st.fragment(run_every=_LOOK_EVERY)
def _watch(study: Study) -> None:
    """Draw the progress of each process; the page notices when one ends."""
    for job in _jobs(study):
        if job.state is JobState.QUEUED:
            st.info(f"{queue_text(job.progress)}.", icon=STATE_LABELS[job.state].icon)
        elif not job.state.ended:
            st.progress(job.progress.share, text=escape_markdown(_progress_words(job.progress)))
    st.caption("You can leave this page or close the browser. The search continues in the background.")


def _progress_words(progress: Progress) -> str:
    """Progress; while trials run, it counts seconds of the time budget."""
    if "trial" not in progress.details:
        return progress_words(progress)
    left = max(progress.total - progress.done, 0)
    return f"{progress.step} · {short_duration_text(left)} left" if left else progress.step


def _draw_actions(study: Study) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if not study.state.ended:
            stopping = study.state is JobState.STOPPING
            st.button(
                "Stopping…" if stopping else "Stop",
                key=Key.STUDY_STOP,
                icon=":material/stop_circle:",
                disabled=stopping,
                on_click=stop_study,
                args=(study,),
                help="It stops after the current step. All complete trials are kept.",
            )
            return
        if study.source:
            st.button(
                f"Resume for {_minutes(study)}",
                key=Key.STUDY_RESUME,
                icon=":material/restart_alt:",
                on_click=_search_on,
                args=(study,),
                help="It joins the queue and builds on the trials so far.",
            )
        st.button(
            "Delete",
            key=Key.RUN_DELETE,
            icon=":material/delete:",
            on_click=open_dialog,
            args=(Dialog.DELETE_STUDY, study.name),
        )


def _search_on(study: Study) -> None:
    from sneaker_core.training.search_jobs import resume_study

    try:
        resume_study(workspace(), study.name)
    except SneakerError as error:
        st.toast(escape_markdown(str(error)), icon=":material/error:", duration="long")


def _draw_joining(study: Study) -> None:
    """Draw the command with which other processes join the search."""
    try:
        source = str(source_folder(workspace(), study.source))
    except SneakerError:  # its dataset is gone
        return
    where = ["--workspace", str(workspace()), "search", "--study", study.name, "--", source]
    st.caption(
        "To search faster, run this command in the SoleScope folder, in other terminals or on other machines that "
        "share this workspace:"
    )
    st.code(f"python -m sneaker_core {shlex.join(where)}", language="bash", wrap_lines=True)
