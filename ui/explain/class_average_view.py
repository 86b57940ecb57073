"""Class-average maps: where the evidence is in the photos of a class, for right and for wrong predictions."""

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_files import find_model_of
from sneaker_core.evaluation.evaluation_record import Evaluation
from sneaker_core.evaluation.table_columns import class_columns, evaluated_rows
from sneaker_core.inference.explanation.explanation_files import StoredClassMap, read_class_maps
from sneaker_core.inference.explanation.explanation_jobs import JOB, class_maps_folder, start_class_maps
from sneaker_core.inference.explanation.explanation_request import CLASS_AVERAGE_PHOTOS, Method
from sneaker_core.networks.checkpoint import read_spec
from sneaker_core.networks.model_registry import ModelEntry
from sneaker_core.number_text import counted
from sneaker_core.workspace.jobs import JobState, find_job
from sneaker_core.workspace.paths import workspace
from sneaker_core.workspace.safe_names import natural_order
from ui.explain import map_pictures
from ui.explain.explain_keys import Key
from ui.explain.explain_labels import class_map_caption, class_map_title
from ui.explain.heat_map_view import choose_opacity, draw_scale
from ui.explain.photo_sources import PHOTOS_MISSING, choose_evaluation
from ui.explain.request_controls import choose_layer, choose_method
from ui.kit import evaluation_cache
from ui.kit.changes import change_button
from ui.kit.job_panel import JobPanel, attempt, draw_job
from ui.kit.text import escape_markdown, truncate_middle


def draw_class_averages(models: list[ModelEntry]) -> None:
    """Draw the section.

    Parameters
    ----------
    models : list of ModelEntry
        Not used to make the maps: their model is the one that was evaluated.

    Raises
    ------
    SneakerError
        The evaluation is damaged, or its model is missing.
    """
    st.markdown(
        "One photo can be an exception. Average the maps of many photos of a class to see where the model finds its "
        "evidence when it is right, and when it is wrong."
    )
    evaluation = choose_evaluation(models)
    if evaluation is None:
        return
    key, table = evaluation_cache.open_evaluation(evaluation)
    here = evaluated_rows(table[table["path"].notna()])
    if here.empty:
        st.info(PHOTOS_MISSING, icon=":material/hide_image:")
        return
    model = find_model_of(workspace(), evaluation)
    labels = _choose_classes(here, list(class_columns(table)))
    method = choose_method()
    layer = choose_layer(read_spec(model), method)
    if not labels:
        st.caption("Choose at least one class.")
        return
    home = key.home if evaluation.dataset_folder is None else ""
    folder = _folder(key, evaluation, labels, method, layer)
    start = partial(_start, folder, evaluation, labels, method, layer, home)
    _draw(folder, here[here["label"].isin(labels)], start, method)


def _choose_classes(here: pd.DataFrame, classes: Sequence[str]) -> list[str]:
    available = sorted(set(here["label"]), key=natural_order)
    known = st.session_state.get(Key.EXPLAIN_MEANS_CLASSES)
    if known is None or not set(known) <= set(available):
        # Start with the class that has the most wrong predictions.
        wrong = here[here["label"] != here["predicted"]]["label"].value_counts()
        st.session_state[Key.EXPLAIN_MEANS_CLASSES] = [str(wrong.index[0]) if len(wrong) else available[0]]
    chosen: list[str] = st.multiselect("Classes", available, key=Key.EXPLAIN_MEANS_CLASSES, persist_state="session")
    return sorted(chosen, key=classes.index)


def _folder(
    key: evaluation_cache.EvaluationKey,
    evaluation: Evaluation,
    labels: Sequence[str],
    method: Method,
    layer: str | None,
) -> Path:
    """The folder of these maps; its name is a hash of the request, so the same request finds them again."""
    request = (key.folder, key.version, key.home, evaluation.model_version, *labels, method.value, layer)
    name = hashlib.sha256(json.dumps(request).encode()).hexdigest()[:20]
    return class_maps_folder(workspace()) / name


def _start(
    folder: Path, evaluation: Evaluation, labels: Sequence[str], method: Method, layer: str | None, home: str
) -> None:
    classes = labels[0] if len(labels) == 1 else counted(len(labels), "class", "classes")
    attempt(
        lambda: start_class_maps(
            workspace(),
            folder,
            f"Class averages of {classes}",
            evaluation=evaluation.id,
            evaluation_kind=evaluation.kind.value,
            labels=labels,
            method=method,
            layer=layer,
            dataset=Path(home).name if home else None,
        )
    )


def _draw(folder: Path, photos: pd.DataFrame, start: Callable[[], None], method: Method) -> None:
    """Draw the maps, or the progress of the job, or the button that starts it."""
    try:
        maps = read_class_maps(folder)
    except SneakerError as error:
        st.warning(escape_markdown(str(error)), icon=":material/heart_broken:")
        maps = None
    if maps is not None:
        _draw_maps(maps)
        return
    job = find_job(folder / JOB)
    if job is not None and job.state is not JobState.DONE:
        draw_job(folder / JOB, JobPanel(place=folder.name, resumable=False))
        if not job.state.ended:
            return
    groups = photos.groupby(["label", photos["label"] == photos["predicted"]]).size().clip(upper=CLASS_AVERAGE_PHOTOS)
    change_button(
        f"Average {counted(int(groups.sum()), 'photo')}",
        key=Key.EXPLAIN_MEANS_START,
        type="primary",
        icon=":material/blur_on:",
        on_click=start,
    )
    slow = " This method takes minutes: it runs the model a hundred times per photo." if method.is_slow else ""
    st.caption(f"At most {CLASS_AVERAGE_PHOTOS} photos per map; more photos hardly change it.{slow}")


def _draw_maps(maps: Sequence[StoredClassMap]) -> None:
    opacity = choose_opacity()
    draw_scale()
    for right, wrong in zip(maps[::2], maps[1::2], strict=True):
        st.header(escape_markdown(truncate_middle(right.label)), anchor=False)
        with st.grid(2, min_column_width=300, gap="medium"):
            for stored in (right, wrong):
                with st.container(border=True, height="stretch", gap="small"):
                    _draw_map(stored, opacity)
    st.caption(
        "The average is meaningful only if the sneakers are in similar positions. If the average photo is blurred, so "
        "is the map. Sneakers that point the other way aren't flipped."
    )


def _draw_map(stored: StoredClassMap, opacity: float) -> None:
    st.markdown(f"{class_map_title(stored)}.")
    st.caption(class_map_caption(stored))
    if not stored.count:
        return
    try:
        pictures = [map_pictures.overlay_preview(stored.photo, stored.heat, opacity), stored.photo.read_bytes()]
    except OSError:
        st.caption(":material/broken_image: The file of this picture is missing.")
        return
    predicted = "correctly" if stored.right else "as another class"
    with st.grid(2, min_column_width=130, gap="small"):
        for picture, title in zip(pictures, ("Average map", "Average photo"), strict=True):
            alt = f"{title} of {counted(stored.count, 'photo')} of {stored.label} predicted {predicted}"
            st.image(picture, width="stretch", caption=title, alt=alt)
