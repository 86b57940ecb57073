"""Many photos explained at once, as a zip file of overlays."""

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
from sneaker_core.number_text import counted
from sneaker_core.workspace.jobs import Job, JobState
from sneaker_core.workspace.paths import workspace
from sneaker_core.workspace.safe_names import natural_order, safe_folder_name
from ui.explain import map_pictures
from ui.explain.explain_keys import Key
from ui.explain.heat_map_view import choose_opacity, draw_scale
from ui.explain.photo_sources import choose_class, choose_dataset
from ui.explain.request_controls import NO_CLASS, choose_layer, choose_method
from ui.kit import dataset_cache
from ui.kit.changes import change_button
from ui.kit.job_panel import JobPanel, attempt, draw_job
from ui.kit.model_picker import choose_model
from ui.kit.photo_files import upload_cap
from ui.kit.photo_tiles import draw_grid_style
from ui.kit.state_keys import KitKey
from ui.kit.text import escape_markdown, size_text, timestamp_text, truncate_middle

FROM_DATASET, FROM_UPLOADS = "Photos of a class", "Uploaded photos"
_MAX_UPLOADS = 200
_PREVIEWS = 6


def draw_batch(models: list[ModelEntry]) -> None:
    """Draw the section.

    Parameters
    ----------
    models : list of ModelEntry
        At least one.

    Raises
    ------
    SneakerError
        The dataset or the model is damaged.
    """
    with st.container(border=True):
        st.markdown("Explain all photos of a class, or your own photos, and download the results as a zip file.")
        model = choose_model(models)
        source = st.segmented_control(
            "Photos",
            [FROM_DATASET, FROM_UPLOADS],
            default=FROM_DATASET,
            required=True,
            key=Key.EXPLAIN_SOURCE.of("many"),
            wrap=True,
            persist_state="session",
        )
        if source == FROM_UPLOADS:
            _draw_upload_form(model)
        else:
            _draw_dataset_form(model)
    for saved in list_explanations(workspace()):
        _draw_explanation(saved)


def _draw_dataset_form(model: ModelEntry) -> None:
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
    request = _choose_request(model)
    change_button(
        f"Explain {counted(int(counts[label]), 'photo')}",
        key=Key.EXPLAIN_MANY_START,
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start_class,
        args=(model, dataset, label, request),
    )


def _draw_upload_form(model: ModelEntry) -> None:
    uploads = st.file_uploader(
        "Photos of sneakers",
        accept_multiple_files=True,
        max_upload_size=upload_cap(),
        key=Key.EXPLAIN_MANY_UPLOADS,
        help=f"At most {_MAX_UPLOADS} photos. They are deleted once they are explained.",
    )
    request = _choose_request(model)
    if len(uploads) > _MAX_UPLOADS:
        st.warning(
            f"You selected {len(uploads):,} photos. Select at most {_MAX_UPLOADS} at a time.", icon=":material/stacks:"
        )
    change_button(
        f"Explain {counted(len(uploads), 'photo')}" if uploads else "Explain photos",
        key=Key.EXPLAIN_MANY_START,
        type="primary",
        icon=":material/play_arrow:",
        disabled=not 0 < len(uploads) <= _MAX_UPLOADS,
        on_click=_start_uploads,
        args=(model, uploads, request),
    )


def _choose_request(model: ModelEntry) -> ExplanationRequest:
    method = choose_method()
    classes = sorted(model.spec.classes, key=natural_order)
    with st.grid(3, min_column_width=220):
        target = _choose_label("Class to explain", classes, "Most probable class of each photo", model, "target")
        others = [label for label in classes if label != target]
        versus = _choose_label("Compare with", others, "No other class", model, "versus")
        layer = choose_layer(model.spec, method)
    return ExplanationRequest(target, versus, method, layer, choose_opacity())


def _choose_label(title: str, labels: Sequence[str], none: str, model: ModelEntry, item: str) -> str | None:
    choices, key = [NO_CLASS, *labels], Key.EXPLAIN_MANY_TARGET.of(f"{item}-{model.name}")
    if st.session_state.get(key) not in choices:
        st.session_state.pop(key, None)
    label = st.selectbox(title, choices, format_func=lambda label: label or none, key=key, persist_state="session")
    return str(label) if label else None


def _start_class(model: ModelEntry, dataset: Dataset, label: str, request: ExplanationRequest) -> None:
    params = explain_photos_params(
        model_reference(workspace(), model.folder), request, dataset=dataset.folder.name, labels=[label]
    )
    attempt(lambda: start_photo_explanation(workspace(), params, f"Explain {label}"))


def _start_uploads(model: ModelEntry, uploads: Sequence[UploadedFile], request: ExplanationRequest) -> None:
    # The names only tell the files apart: their format is detected by content.
    photos = {
        f"{number:04}-{safe_folder_name(Path(upload.name).stem)}": upload.getvalue()
        for number, upload in enumerate(uploads, start=1)
    }
    params, title = (
        explain_photos_params(model_reference(workspace(), model.folder), request),
        f"Explain {counted(len(uploads), 'photo')}",
    )
    attempt(lambda: start_photo_explanation(workspace(), params, title, photos))


def _draw_explanation(saved: SavedExplanation) -> None:
    """Draw the progress of a saved explanation, or its results."""
    job = saved.job
    has_archive = job.state.ended and (job.folder / ARCHIVE).is_file()
    if not has_archive:
        draw_job(job.folder, JobPanel(place=job.folder.name, resumable=False))
    if not job.state.ended:
        return
    with st.container(border=has_archive, gap="small"):
        if has_archive:
            _draw_archive(job)
        change_button(
            "Delete",
            key=Key.EXPLAIN_WORK_REMOVE.of(job.folder.name),
            icon=":material/delete:",
            type="tertiary",
            help=f"Move the results of “{escape_markdown(truncate_middle(job.title))}” to the bin.",
            on_click=_delete,
            args=(saved,),
        )


def _draw_archive(job: Job) -> None:
    archive = job.folder / ARCHIVE
    remove(job.folder / UPLOADS)  # the uploaded photos aren't needed any more
    failed = int(job.result.get("failed", 0))
    facts = [counted(int(job.result.get("pictures", 0)), "picture"), timestamp_text(job.started)]
    facts += [f"{counted(failed, 'photo')} couldn't be read (see the table in the zip file)"] if failed else []
    facts += ["Stopped before all photos were explained"] if job.state is JobState.STOPPED else []
    st.markdown(f":green[:material/check_circle:] **{escape_markdown(truncate_middle(job.title))}**")
    st.caption(" · ".join(facts))
    try:
        previews = map_pictures.archive_pictures(str(archive), archive.stat().st_mtime_ns, _PREVIEWS)
        size = archive.stat().st_size
    except (OSError, zipfile.BadZipFile):
        st.warning("The zip file is damaged. Delete it and explain the photos again.", icon=":material/heart_broken:")
        return
    if previews:
        draw_grid_style()
        with st.grid(_PREVIEWS, min_column_width=120, gap="small", key=KitKey.GRID.of(job.folder.name)):
            for name, picture in previews:
                st.image(picture, width="stretch", alt=f"{name}, colored by evidence for its class")
        draw_scale()
    st.download_button(
        f"Download zip file ({size_text(size)})",
        partial(_open, archive),
        f"{safe_folder_name(job.title)}.zip",
        "application/zip",
        key=Key.EXPLAIN_WORK_SAVE.of(job.folder.name),
        on_click="ignore",
        icon=":material/download:",
    )


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


def _delete(saved: SavedExplanation) -> None:
    attempt(lambda: delete_explanation(workspace(), saved))
