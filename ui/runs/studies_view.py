"""The section with hyperparameter searches."""

import contextlib
import shlex
from collections.abc import Callable, Iterator

import streamlit as st

from sneaker_core.datasets.dataset_collection import source_folder
from sneaker_core.errors import SneakerError
from sneaker_core.number_text import counted
from sneaker_core.training.study_collection import Study, list_studies, stop_study
from sneaker_core.training.study_trials import TRIALS_FILE
from sneaker_core.workspace.jobs import Job, JobState, read_job
from sneaker_core.workspace.paths import run_job_folder, studies_folder, workspace
from ui.kit.address import choose_item
from ui.kit.damaged_items import draw_unread_items
from ui.kit.item_dialogs import draw_item_buttons
from ui.kit.job_panel import JobPanel, draw_job, item_job, progress_text, rerun_when
from ui.kit.labels import draw_state_badge
from ui.kit.run_text import queue_text
from ui.kit.text import escape_markdown, short_duration_text, timestamp_text
from ui.runs import run_labels
from ui.runs.new_study_view import draw_new_search
from ui.runs.run_dialogs import SEARCHES
from ui.runs.runs_keys import Key
from ui.runs.trials_view import draw_found

ABOUT = (
    "A search runs many short trainings (trials) with different settings and finds those with the highest validation "
    "accuracy. Trials that fall behind are pruned."
)
_OUTCOMES = {JobState.DONE: "Resume it, or run a full training with the best settings."}


def draw_search() -> None:
    """Draw the section."""
    studies = list_studies(workspace())
    seen = _snapshot(studies)

    def has_changed() -> bool:
        return _snapshot(studies) != seen

    st.markdown(ABOUT)
    draw_unread_items(SEARCHES)
    study = _choose(studies) if studies else None
    if study:
        _draw_study(study, has_changed)
    if study is None or study.state.ended:  # else its panel looks for changes
        rerun_when(has_changed)
    with st.expander("New search", icon=":material/add:", expanded=not studies):
        draw_new_search({study.name for study in studies})


def _choose(studies: list[Study]) -> Study | None:
    """Draw the picker of searches; the newest is the default."""
    by_name = {study.name: study for study in studies}
    name = choose_item(Key.STUDY, list(by_name), noun="search")
    return None if name is None else by_name[name]


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


def _draw_study(study: Study, has_changed: Callable[[], bool]) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header(escape_markdown(study.name), anchor=False, width="content")
            draw_state_badge(study.state)
        st.markdown(escape_markdown(_about(study)))
        if study.source:
            _draw_work(study, has_changed)
        else:
            st.error(escape_markdown(study.error or ""), icon=":material/error:")
        if study.state.ended:
            with st.container(horizontal=True):
                draw_item_buttons(SEARCHES, study)
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


def _draw_work(study: Study, has_changed: Callable[[], bool]) -> None:
    """Draw the progress of its processes, or how it ended."""
    panel = JobPanel(
        place="search",
        stop=lambda job: stop_study(study),
        stop_help="It stops after the current step. All complete trials are kept.",
        restart=lambda job: _resume(study),
        restart_text=f"Resume for {_minutes(study)}",
        restart_help="It joins the queue and builds on the trials so far.",
        find=lambda folder: _main_job(study),
        progress=_progress_text,
        outcome=lambda job: _OUTCOMES.get(job.state, ""),
        details=lambda job: _draw_others(study, job),
        lasting=True,
        has_changed=has_changed,
    )
    draw_job(run_job_folder(study.folder), panel)


def _main_job(study: Study) -> Job:
    """The job of the process that a search stands with: one that is running, else the latest."""
    jobs = sorted(_jobs(study), key=lambda job: (job.state.ended, job.state is JobState.QUEUED))
    job = jobs[0] if jobs else None
    state = study.state if job is None or job.state.ended else job.state
    return item_job(job, run_job_folder(study.folder), kind="search", title=study.name, state=state, error=study.error)


def _draw_others(study: Study, main: Job) -> None:
    """Draw the progress of the other processes that work on a search."""
    for job in _jobs(study):
        if job.folder != main.folder and not job.state.ended:
            st.progress(job.progress.share, text=escape_markdown(_progress_text(job)))


def _progress_text(job: Job) -> str:
    """Progress; while trials run, it counts seconds of the time budget."""
    progress = job.progress
    if job.state is JobState.QUEUED:
        return queue_text(progress)
    if "trial" not in progress.details:
        return progress_text(progress)
    left = max(progress.total - progress.done, 0)
    return f"{progress.step} · {short_duration_text(left)} left" if left else progress.step


def _resume(study: Study) -> None:
    # Imported on demand, as it is slow.
    from sneaker_core.training.search_jobs import resume_study

    resume_study(workspace(), study.name)


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
