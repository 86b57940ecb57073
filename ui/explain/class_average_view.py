"""A class on the whole: where the network looks in all its photos, right ones and wrong ones apart."""

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_collection import Evaluation, find_model_of
from sneaker_core.evaluation.table_columns import class_columns, evaluated_rows
from sneaker_core.inference.explanation.explanation_files import StoredClassMap, read_class_maps
from sneaker_core.inference.explanation.explanation_jobs import JOB, class_maps_folder, start_class_maps
from sneaker_core.inference.explanation.explanation_request import CLASS_AVERAGE_PHOTOS, Method
from sneaker_core.networks.checkpoint import read_spec
from sneaker_core.networks.model_registry import ModelEntry
from sneaker_core.workspace.jobs import find_job
from sneaker_core.workspace.paths import workspace
from sneaker_core.workspace.safe_names import natural_order
from ui.explain import map_pictures
from ui.explain.explain_address import tell
from ui.explain.explain_keys import Key
from ui.explain.explain_labels import class_map_caption, class_map_title
from ui.explain.explain_views import Section
from ui.explain.explanation_jobs import draw_unfinished, follow, start
from ui.explain.heat_map_view import choose_opacity, draw_scale
from ui.explain.photo_sources import NOT_HERE, choose_evaluation, evaluated_photos
from ui.explain.request_controls import choose_layer, choose_method
from ui.kit import evaluation_cache
from ui.kit.quantities import counted_classes, counted_photos
from ui.kit.text import plain, shortened


def draw_class_averages(models: list[ModelEntry]) -> None:
    """Draw the part.

    Parameters
    ----------
    models : list of ModelEntry
        Not asked: the model is that of the evaluation.

    Raises
    ------
    SneakerError
        The evaluation is damaged, or its model is gone.
    """
    st.markdown(
        "One photo may be an accident. Here the maps of many photos of a class are laid over each other: where does "
        "the network look when it is right about that class, and where when it is wrong?"
    )
    evaluation = choose_evaluation(models)
    tell(
        show=Section.CLASS_AVERAGES.value,
        evaluation=None if evaluation is None else evaluation.name,
        kind=None if evaluation is None else evaluation.kind.value,
    )
    if evaluation is None:
        return
    key, table = evaluated_photos(evaluation)
    here = evaluated_rows(table[table["path"].notna()])
    if here.empty:
        st.info(NOT_HERE, icon=":material/hide_image:")
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
    begin = partial(_start, folder, evaluation, labels, method, layer, home)
    _draw(folder, here[here["label"].isin(labels)], begin, method)


def _choose_classes(here: pd.DataFrame, classes: Sequence[str]) -> list[str]:
    there = sorted(set(here["label"]), key=natural_order)
    known = st.session_state.get(Key.EXPLAIN_MEANS_CLASSES)
    if known is None or not set(known) <= set(there):
        # The class with most mistakes has most to tell.
        wrong = here[here["label"] != here["predicted"]]["label"].value_counts()
        st.session_state[Key.EXPLAIN_MEANS_CLASSES] = [str(wrong.index[0]) if len(wrong) else there[0]]
    chosen: list[str] = st.multiselect("Classes", there, key=Key.EXPLAIN_MEANS_CLASSES, persist_state="session")
    return sorted(chosen, key=classes.index)


def _folder(
    key: evaluation_cache.EvaluationKey,
    evaluation: Evaluation,
    labels: Sequence[str],
    method: Method,
    layer: str | None,
) -> Path:
    """Where these maps are kept, named by all that they follow from: the same request finds them again."""
    asked = (key.folder, key.version, key.home, evaluation.model_version, *labels, method.value, layer)
    name = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:20]
    return class_maps_folder(workspace()) / name


def _start(
    folder: Path, evaluation: Evaluation, labels: Sequence[str], method: Method, layer: str | None, home: str
) -> None:
    what = labels[0] if len(labels) == 1 else counted_classes(len(labels))
    work = partial(
        start_class_maps,
        workspace(),
        folder,
        f"Class-average maps of {what}",
        evaluation=evaluation.id,
        evaluation_kind=evaluation.kind.value,
        labels=labels,
        method=method,
        layer=layer,
        dataset=Path(home).name if home else None,
    )
    start(work)


def _draw(folder: Path, photos: pd.DataFrame, begin: partial[None], method: Method) -> None:
    """The maps, or how far they are, or the way to have them made."""
    try:
        means = read_class_maps(folder)
    except SneakerError as error:
        st.warning(plain(str(error)), icon=":material/heart_broken:")
        means = None
    if means is not None:
        _draw_found(means)
        return
    job = find_job(folder / JOB)
    if job is not None and not job.state.ended:
        with st.container(border=True, gap="small"):
            follow(folder / JOB)
        return
    if job is not None and job.state.value != "done":
        draw_unfinished(job, begin)
        return
    groups = photos.groupby(["label", photos["label"] == photos["predicted"]]).size().clip(upper=CLASS_AVERAGE_PHOTOS)
    slow = " This method asks the network a hundred times for each: it takes minutes." if method.is_slow else ""
    st.button(
        f"Look at {counted_photos(int(groups.sum()))}",
        key=Key.EXPLAIN_MEANS_START,
        type="primary",
        icon=":material/blur_on:",
        on_click=begin,
    )
    st.caption(f"At most {CLASS_AVERAGE_PHOTOS} photos for each map, as more hardly change it.{slow}")


def _draw_found(means: list[StoredClassMap]) -> None:
    strength = choose_opacity()
    draw_scale()
    for right, wrong in zip(means[::2], means[1::2], strict=True):
        st.subheader(plain(shortened(right.label)), anchor=False)
        with st.grid(2, min_column_width=300, gap="medium"):
            for mean in (right, wrong):
                with st.container(border=True, height="stretch", gap="small"):
                    _draw_mean(mean, strength)
    st.caption(
        "Places add up as far as sneakers stand alike in their photos. The mean photo shows how far that is: where it "
        "is a blur, the map is one too. Sneakers that point the other way are not turned."
    )


def _draw_mean(mean: StoredClassMap, strength: float) -> None:
    st.markdown(f"{class_map_title(mean)}.")
    st.caption(class_map_caption(mean))
    if not mean.count:
        return
    kind = "answered right" if mean.right else "taken for another class"
    try:
        pictures = [map_pictures.overlay_preview(mean.photo, mean.heat, strength), mean.photo.read_bytes()]
    except OSError:
        st.caption(":material/broken_image: The picture has gone; choose another class and come back to make it again.")
        return
    with st.grid(2, min_column_width=130, gap="small"):
        for picture, what in zip(pictures, ("Mean map", "Mean photo"), strict=True):
            st.image(
                picture, width="stretch", caption=what, alt=f"{what} of {mean.count} photos of {mean.label} {kind}"
            )
