"""Many photos explained at once, to take along as a zip file."""

import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

import streamlit as st
from streamlit.typing import UploadedFile

from sneaker_core.datasets.index import Dataset
from sneaker_core.inference.explanation.explanation_jobs import (
    ARCHIVE,
    UPLOADS,
    SavedExplanation,
    delete_explanation,
    explain_photos_params,
    list_explanations,
    remove,
    start_photo_explanation,
)
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest
from sneaker_core.networks.model_registry import ModelEntry, model_reference
from sneaker_core.workspace.jobs import Job, JobState, restart_job
from sneaker_core.workspace.paths import workspace
from sneaker_core.workspace.safe_names import natural_order, safe_folder_name
from ui.explain import map_pictures
from ui.explain.explain_address import tell
from ui.explain.explain_keys import Key
from ui.explain.explain_views import Section
from ui.explain.explanation_jobs import draw_unfinished, follow, start
from ui.explain.heat_map_view import choose_opacity, draw_scale
from ui.explain.photo_sources import choose_class, choose_dataset
from ui.explain.request_controls import NOTHING, choose_layer, choose_method
from ui.kit import dataset_cache
from ui.kit.model_picker import pick_model
from ui.kit.moments import moment
from ui.kit.photo_files import upload_cap
from ui.kit.quantities import counted_photos, size_words
from ui.kit.text import counted, plain, shortened

OF_CLASS, OF_UPLOADS = "A class of a dataset", "Photos that I upload"
_MOST_UPLOADS = 200
_PREVIEWS = 6


def draw_batch(models: list[ModelEntry]) -> None:
    """Draw the part.

    Parameters
    ----------
    models : list of ModelEntry
        At least one.

    Raises
    ------
    SneakerError
        The dataset or the model is damaged.
    """
    tell(show=Section.MANY.value)
    with st.container(border=True):
        st.markdown("Explain a whole class, or photos of yours, and take the pictures along as a zip file.")
        model = pick_model(models, Key.EXPLAIN_MODEL)
        source = st.segmented_control(
            "Which photos",
            [OF_CLASS, OF_UPLOADS],
            default=OF_CLASS,
            required=True,
            key=Key.EXPLAIN_SOURCE.of("many"),
            wrap=True,
            persist_state="session",
        )
        if source == OF_UPLOADS:
            _ask_of_uploads(model)
        else:
            _ask_of_class(model)
    for saved in list_explanations(workspace()):
        _draw_work(saved)


def _ask_of_class(model: ModelEntry) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        dataset = choose_dataset()
        if dataset is None:
            return
        photos = dataset_cache.reviewed_photos(dataset_cache.review_key(dataset))
        counts = photos[~photos["excluded"]]["label"].value_counts()
        if counts.empty:
            st.caption("This dataset has no photos yet.")
            return
        label = choose_class(sorted(counts.index, key=natural_order))
    request = _ask(model)
    st.button(
        f"Explain {counted_photos(int(counts[label]))}",
        key=Key.EXPLAIN_MANY_START,
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start_class,
        args=(model, dataset, label, request),
    )


def _ask_of_uploads(model: ModelEntry) -> None:
    uploads = st.file_uploader(
        "Photos of sneakers",
        accept_multiple_files=True,
        max_upload_size=upload_cap(),
        key=Key.EXPLAIN_MANY_UPLOADS,
        help=f"At most {_MOST_UPLOADS} at once. They are kept only until they are explained.",
    )
    request = _ask(model)
    if len(uploads) > _MOST_UPLOADS:
        st.warning(
            f"These are {len(uploads):,} photos; take at most {_MOST_UPLOADS} at once.", icon=":material/stacks:"
        )
    st.button(
        f"Explain {counted_photos(len(uploads))}" if uploads else "Explain them",
        key=Key.EXPLAIN_MANY_START,
        type="primary",
        icon=":material/play_arrow:",
        disabled=not 0 < len(uploads) <= _MOST_UPLOADS,
        on_click=_start_uploads,
        args=(model, uploads, request),
    )


def _ask(model: ModelEntry) -> ExplanationRequest:
    method = choose_method()
    classes = sorted(model.spec.classes, key=natural_order)
    with st.grid(3, min_column_width=220):
        target = _choose("Class to explain", classes, "each photo's most probable one", model, "target")
        others = [label for label in classes if label != target]
        versus = _choose("Rather than", others, "nothing: that class alone", model, "versus")
        layer = choose_layer(model.spec, method)
    return ExplanationRequest(target, versus, method, layer, choose_opacity())


def _choose(title: str, labels: Sequence[str], left_open: str, model: ModelEntry, item: str) -> str | None:
    choices, key = [NOTHING, *labels], Key.EXPLAIN_MANY_TARGET.of(f"{item}-{model.name}")
    if st.session_state.get(key) not in choices:
        st.session_state.pop(key, None)
    label = st.selectbox(title, choices, format_func=lambda label: label or left_open, key=key, persist_state="session")
    return str(label) if label else None


def _start_class(model: ModelEntry, dataset: Dataset, label: str, request: ExplanationRequest) -> None:
    params = explain_photos_params(
        model_reference(workspace(), model.folder), request, dataset=dataset.folder.name, labels=[label]
    )
    start(partial(start_photo_explanation, workspace(), params, f"Explaining {label}"))


def _start_uploads(model: ModelEntry, uploads: Sequence[UploadedFile], request: ExplanationRequest) -> None:
    # The file's content says what it is, not its name.
    photos = {
        f"{number:04}-{safe_folder_name(Path(upload.name).stem)}": upload.getvalue()
        for number, upload in enumerate(uploads, start=1)
    }
    params = explain_photos_params(model_reference(workspace(), model.folder), request)
    title = f"Explaining {counted_photos(len(uploads))}"
    start(partial(start_photo_explanation, workspace(), params, title, photos))


def _draw_work(saved: SavedExplanation) -> None:
    """A saved explanation: its progress or its result."""
    job = saved.job
    with st.container(border=True, gap="small"):
        if not job.state.ended:
            follow(job.folder)
            return
        again = partial(start, partial(restart_job, job.folder))
        if (job.folder / ARCHIVE).is_file():
            _draw_found(job)
        else:
            st.markdown(f"**{plain(shortened(job.title))}**")
            draw_unfinished(job, again)
        st.button(
            "Remove",
            key=Key.EXPLAIN_WORK_REMOVE.of(job.folder.name),
            icon=":material/delete:",
            type="tertiary",
            on_click=start,
            args=(partial(delete_explanation, workspace(), saved),),
        )


def _draw_found(job: Job) -> None:
    archive = job.folder / ARCHIVE
    # What was uploaded has done its work.
    remove(job.folder / UPLOADS)
    failed = int(job.result.get("failed", 0))
    told = [counted(int(job.result.get("pictures", 0)), "picture"), moment(job.started)]
    told += [f"{counted_photos(failed)} could not be read (the table in it says why)"] if failed else []
    told += ["stopped before all were done"] if job.state is JobState.STOPPED else []
    st.markdown(f":green[:material/check_circle:] **{plain(shortened(job.title))}**")
    st.caption(" · ".join(told))
    try:
        previews = map_pictures.archive_pictures(str(archive), archive.stat().st_mtime_ns, _PREVIEWS)
        size = archive.stat().st_size
    except (OSError, zipfile.BadZipFile):
        st.warning("The zip file is damaged; remove it and explain the photos again.", icon=":material/heart_broken:")
        return
    if previews:
        with st.grid(_PREVIEWS, min_column_width=120, gap="small", key=Key.EXPLAIN_TILE.of(job.folder.name)):
            for name, picture in previews:
                st.image(picture, width="stretch", alt=f"{name}, colored by evidence for its class")
        draw_scale()
    st.download_button(
        f"Save the zip file ({size_words(size)})",
        partial(_opened, archive),
        f"{safe_folder_name(job.title)}.zip",
        "application/zip",
        key=Key.EXPLAIN_WORK_SAVE.of(job.folder.name),
        on_click="ignore",
        icon=":material/download:",
    )


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")
