"""The part of the page that searches for the best settings."""

import contextlib
import shlex
from collections.abc import Iterator

import streamlit as st

from sneaker_core.datasets.dataset_collection import source_folder
from sneaker_core.errors import SneakerError
from sneaker_core.training.study_collection import TRIALS_FILE, Study, list_studies, stop_study
from sneaker_core.workspace.jobs import Job, JobState, Progress, read_job
from sneaker_core.workspace.paths import studies_folder, workspace
from ui.kit.job_panel import progress_words
from ui.kit.moments import moment
from ui.kit.text import counted, plain
from ui.kit.training_labels import STATE_WORDS, waiting_words
from ui.runs import run_labels
from ui.runs.new_study_view import draw_new_search
from ui.runs.run_dialogs import Dialog, open_dialog
from ui.runs.runs_keys import Key
from ui.runs.trials_view import draw_found

ABOUT = (
    "A search trains many times for a short while, each time with other settings, and keeps what answers the most "
    "validation photos right (those are kept from training, to check). Trials that lag behind end early."
)
_LOOK_EVERY = 2.0
_END_WORDS = {
    JobState.DONE: "It has ended. Search on, or train fully with the best settings.",
    JobState.STOPPED: "It was stopped. Every trial is kept, and it can search on.",
    JobState.INTERRUPTED: "It was interrupted; the process is no longer running. Every complete trial is kept, and it "
    "can be resumed.",
}


def draw_search() -> None:
    """Draw the part."""
    studies = list_studies(workspace())
    seen = _standing(studies)
    st.markdown(ABOUT)
    if studies:
        study = _choose(studies)
        _follow(studies, seen)
        _draw_study(study)
    with st.expander("Start a new search", icon=":material/add:", expanded=not studies):
        draw_new_search({study.name for study in studies})


def _choose(studies: list[Study]) -> Study:
    """The search to look at: the newest, until another is chosen."""
    by_name = {study.name: study for study in studies}
    wanted = st.session_state.pop(Key.STUDY_WANTED, None)
    chosen = wanted if wanted in by_name else st.session_state.get(Key.STUDY)
    # Set anew each time and not by `index`: a default is not written into the address.
    st.session_state[Key.STUDY] = chosen if chosen in by_name else studies[0].name
    name = st.selectbox(
        "Search",
        list(by_name),
        index=None,
        required=True,
        key=Key.STUDY,
        label_visibility="collapsed",
        bind="query-params",
        width=420,
    )
    return by_name.get(str(name), studies[0])


def _standing(studies: list[Study]) -> tuple[object, ...]:
    """Changes whenever a search comes, goes, begins, ends, or a trial gets on; asked often, so no trial is read."""
    parent = studies_folder(workspace())
    names = tuple(sorted(folder.name for folder in parent.iterdir())) if parent.is_dir() else ()
    return names, *((_changed(study), *(job.state for job in _jobs(study))) for study in studies)


def _changed(study: Study) -> int:
    try:
        return (study.folder / TRIALS_FILE).stat().st_mtime_ns
    except OSError:
        return 0


def _jobs(study: Study) -> Iterator[Job]:
    """The processes of a search, as they are now."""
    for job in study.jobs:
        with contextlib.suppress(SneakerError):
            yield read_job(job.folder)


@st.fragment(run_every=_LOOK_EVERY)
def _follow(studies: list[Study], seen: tuple[object, ...]) -> None:
    """Draw the page anew when something has changed on disk, whoever changed it."""
    if _standing(studies) != seen:
        st.rerun()


def _draw_study(study: Study) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(plain(study.name), anchor=False, width="content")
            st.badge(
                STATE_WORDS[study.state],
                icon=run_labels.state_icon(study.state),
                color=run_labels.state_colour(study.state),
            )
        st.markdown(plain(_about(study)))
        if not study.state.ended:
            _watch(study)
        elif study.error:
            st.error(plain(study.error), icon=":material/error:")
        elif study.state in _END_WORDS:
            st.info(_END_WORDS[study.state], icon=run_labels.state_icon(study.state))
        _draw_actions(study)
    draw_found(study)
    if study.source:
        _draw_joining(study)


def _about(study: Study) -> str:
    if not study.source:
        return "What was kept of it cannot be read; the other searches are not harmed."
    networks = [run_labels.network_title(name) for name in study.networks]
    parts = [f"{run_labels.recipe_word(study.recipe_name)} on {study.dataset}", _minutes(study)]
    parts += [f"among {', '.join(networks)}"] if networks else []
    parts += [
        f"{run_labels.setting_name(key).lower()} {run_labels.setting_value(key, value)}"
        for key, value in study.changes.items()
    ]
    return f"{', '.join(parts)}, started {moment(study.created)}: {counted(len(study.trials), 'trial')} so far."


def _minutes(study: Study) -> str:
    return "1 minute" if study.minutes == 1 else f"{study.minutes:g} minutes"


@st.fragment(run_every=_LOOK_EVERY)
def _watch(study: Study) -> None:
    """How far each process is; the page itself notices when one ends."""
    for job in _jobs(study):
        if job.state is JobState.QUEUED:
            st.info(f"{waiting_words(job.progress)}.", icon=run_labels.state_icon(job.state))
        elif not job.state.ended:
            st.progress(job.progress.share, text=plain(_progress_words(job.progress)))
    st.caption("You may leave this page or close the browser: the search goes on.")


def _progress_words(progress: Progress) -> str:
    """While it tries settings, what it counts are seconds of its budget."""
    if "trial" not in progress.details:
        return progress_words(progress)
    left = max(progress.total - progress.done, 0)
    return f"{progress.step} · {run_labels.duration(left)} left" if left else progress.step


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
                help="It ends at its next step; all complete trials are kept.",
            )
            return
        if study.source:
            st.button(
                f"Search {_minutes(study)} more",
                key=Key.STUDY_RESUME,
                icon=":material/restart_alt:",
                on_click=_search_on,
                args=(study,),
                help="It goes on with what it has learned so far, as soon as nothing else trains.",
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
        st.toast(plain(str(error)), icon=":material/error:", duration="long")


def _draw_joining(study: Study) -> None:
    """How others help; the command is the one of this search."""
    try:
        source = str(source_folder(workspace(), study.source))
    except SneakerError:  # its dataset is gone
        return
    where = ["--workspace", str(workspace()), "tune", "--study", study.name, "--", source]
    st.caption(
        "More processes can join the search, also on other machines that share this folder. Each runs this command in "
        "the folder of SoleScope:"
    )
    st.code(f"python -m sneaker_core {shlex.join(where)}", language="bash", wrap_lines=True)
