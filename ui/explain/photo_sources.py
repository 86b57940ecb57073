"""Sources of the photo to explain: a dataset, the wrong predictions of an evaluation, or an upload."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.datasets.dataset_collection import datasets_by_name, list_datasets
from sneaker_core.datasets.index import Dataset, open_index
from sneaker_core.datasets.thumbnails import ensure_thumbnail
from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_collection import list_evaluations
from sneaker_core.evaluation.evaluation_files import find_model_of
from sneaker_core.evaluation.evaluation_record import Evaluation
from sneaker_core.evaluation.table_columns import misclassified
from sneaker_core.images import Photo
from sneaker_core.networks.model_registry import ModelEntry
from sneaker_core.workspace.paths import workspace
from sneaker_core.workspace.safe_names import natural_order
from ui.explain.explain_keys import Key
from ui.explain.explain_views import Source
from ui.explain.photo_shelf import ChosenPhoto, PhotoChoices, choose_from, forget_classes, show_photo
from ui.kit import dataset_cache, evaluation_cache, photo_previews
from ui.kit.address import (
    DATASET_PARAM,
    EVALUATION_PARAM,
    address_item,
    address_value,
    choose_item,
    choose_next,
    set_address_value,
)
from ui.kit.labels import evaluation_title
from ui.kit.model_picker import MODEL_PARAM
from ui.kit.page_links import Page, draw_page_link
from ui.kit.photo_files import upload_cap, uploaded_photos
from ui.kit.text import escape_markdown, probability_text, truncate, truncate_middle

ALL_CLASSES = ""
_ICONS = {
    Source.DATASET: ":material/photo_library:",
    Source.EVALUATION: ":material/rule:",
    Source.UPLOAD: ":material/upload:",
}


def choose_photo(models: Sequence[ModelEntry]) -> ChosenPhoto | None:
    """Choose a photo; None until one is chosen.

    Parameters
    ----------
    models : sequence of ModelEntry
        Available models; choosing an evaluation also chooses its model.
    """
    if address_value(DATASET_PARAM):
        st.session_state[Key.EXPLAIN_SOURCE] = Source.DATASET
    elif address_value(EVALUATION_PARAM):
        st.session_state[Key.EXPLAIN_SOURCE] = Source.EVALUATION
    elif st.session_state.get(Key.EXPLAIN_SOURCE) not in list(Source):
        has_dataset = bool(list_datasets(workspace())) and Key.EXPLAIN_HANDED not in st.session_state
        st.session_state[Key.EXPLAIN_SOURCE] = Source.DATASET if has_dataset else Source.UPLOAD
    source = st.segmented_control(
        "Photo from",
        list(Source),
        required=True,
        format_func=lambda choice: f"{_ICONS[choice]} {choice.value}",
        key=Key.EXPLAIN_SOURCE,
        wrap=True,
        persist_state="session",
        on_change=_leave_source,
    )
    if source == Source.UPLOAD:
        return _uploaded()
    shelf = _dataset_shelf() if source == Source.DATASET else _evaluation_shelf(models)
    return None if shelf is None else choose_from(shelf)


def _leave_source() -> None:
    for param in (DATASET_PARAM, EVALUATION_PARAM, Key.KIND):
        set_address_value(param, None)
    show_photo(None)


def _uploaded() -> ChosenPhoto | None:
    upload = st.file_uploader(
        "A photo of a sneaker",
        key=Key.EXPLAIN_UPLOAD,
        max_upload_size=upload_cap(),
        help="The photo is not stored.",
        on_change=forget_classes,
    )
    if upload is not None:
        return ChosenPhoto(uploaded_photos([upload], None)[0])
    handed: Photo | None = st.session_state.get(Key.EXPLAIN_HANDED)
    if handed is None:
        st.caption("Upload a photo, or choose one from a dataset.")
        return None
    st.caption(f"{escape_markdown(truncate_middle(handed.name))}, from the Identify page")
    return ChosenPhoto(handed)


def choose_dataset() -> Dataset | None:
    """Choose a dataset; without one, say so and return None."""
    entries = datasets_by_name(workspace())
    if not entries:
        address_item(DATASET_PARAM, (), noun="dataset")
        st.info("There are no datasets yet. Upload a photo, or create a dataset.", icon=":material/inbox:")
        draw_page_link("Create a dataset", Page.DATASETS)
        return None
    # A dataset can also be linked by its own name and by its folder.
    old = {other: name for name, entry in entries.items() for other in (entry.name, entry.folder.name)}
    old = {other: name for other, name in old.items() if other not in entries}
    name = choose_item(
        DATASET_PARAM, list(entries), noun="dataset", old=old, width=320, show_label=True, on_change=show_photo
    )
    return open_index(entries[name].folder)


def _dataset_shelf() -> PhotoChoices | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        dataset = choose_dataset()
        if dataset is None:
            return None
        key = dataset_cache.review_key(dataset)
        photos = dataset_cache.reviewed_photos(key)
        offered = photos[~photos["excluded"]]
        _fit_class(photos)
        label = choose_class(sorted(set(offered["label"]), key=natural_order), "All classes")
    return PhotoChoices(
        f"dataset/{dataset.folder.name}",
        photos,
        offered if label == ALL_CLASSES else offered[offered["label"] == label],
        lambda row: escape_markdown(truncate(row["label"])),
        lambda row: ensure_thumbnail(dataset, row["sample"], Path(row["path"])).read_bytes(),
    )


def choose_class(labels: Sequence[str], every: str | None = None) -> str:
    """Choose a class, or `ALL_CLASSES` if `every` gives that choice a name."""
    choices = [*([ALL_CLASSES] if every else []), *labels]
    if st.session_state.get(Key.EXPLAIN_CLASS) not in choices:
        st.session_state.pop(Key.EXPLAIN_CLASS, None)
    label = st.selectbox(
        "Class",
        choices,
        format_func=lambda label: str(label) or str(every),
        key=Key.EXPLAIN_CLASS,
        persist_state="session",
        width=320,
        on_change=show_photo,
    )
    return str(label or ALL_CLASSES)


def _fit_class(photos: pd.DataFrame) -> None:
    """Show all classes if a link leads to a photo of another class than the chosen one."""
    labels = photos[photos["sample"] == address_value(Key.SAMPLE)]["label"]
    if len(labels) and st.session_state.get(Key.EXPLAIN_CLASS) != labels.iloc[0]:
        st.session_state.pop(Key.EXPLAIN_CLASS, None)


def choose_evaluation(models: Sequence[ModelEntry]) -> Evaluation | None:
    """Choose an evaluation; without one, say so and return None.

    Parameters
    ----------
    models : sequence of ModelEntry
        As in `choose_photo`.
    """
    evaluations = _evaluations()

    def changed() -> None:
        set_address_value(Key.KIND, None)
        show_photo(None)
        _choose_model_of(evaluations[str(st.session_state[EVALUATION_PARAM])], models)

    if not evaluations:
        address_item(EVALUATION_PARAM, (), noun="evaluation")
        st.info(
            "There are no evaluations yet. Evaluate a model to explain its wrong predictions here.",
            icon=":material/rule:",
        )
        return None
    title = choose_item(
        EVALUATION_PARAM,
        list(evaluations),
        noun="evaluation",
        old=_linked_titles(evaluations),
        show_label=True,
        on_change=changed,
    )
    return evaluations[title]


def choose_model_of_evaluation(models: Sequence[ModelEntry]) -> None:
    """If the address names an evaluation but no model, choose the model that was evaluated.

    Parameters
    ----------
    models : sequence of ModelEntry
        As in `choose_photo`; call this before they are offered.
    """
    linked = address_value(EVALUATION_PARAM)
    if linked is None or address_value(MODEL_PARAM) is not None:
        return
    evaluations = _evaluations()
    evaluation = evaluations.get(_linked_titles(evaluations).get(linked, linked))
    if evaluation is not None:
        _choose_model_of(evaluation, models)


def _choose_model_of(evaluation: Evaluation, models: Sequence[ModelEntry]) -> None:
    with contextlib.suppress(SneakerError):  # its model is gone
        folder = find_model_of(workspace(), evaluation)
        for model in models:
            if model.folder.samefile(folder):
                choose_next(MODEL_PARAM, model.name)


def _evaluations() -> dict[str, Evaluation]:
    """All finished evaluations by title."""
    return {evaluation_title(one): one for one in list_evaluations(workspace()) if one.is_ready}


def _linked_titles(evaluations: Mapping[str, Evaluation]) -> dict[str, str]:
    """Names in links of earlier versions, which named the kind apart -> titles."""
    kind = address_value(Key.KIND)
    titles: dict[str, str] = {}
    for title, one in evaluations.items():
        if kind in (None, one.kind.value):
            titles.setdefault(one.name, title)
    return titles


def evaluated_photos(evaluation: Evaluation) -> tuple[evaluation_cache.EvaluationKey, pd.DataFrame]:
    """The prediction table of an evaluation; only photos on this machine have a path.

    Raises
    ------
    SneakerError
        The table is missing or damaged.
    """
    key = evaluation_cache.evaluation_key(evaluation, list_datasets(workspace()))
    return key, evaluation_cache.evaluation_table(key, evaluation)


PHOTOS_MISSING = (
    "The photos of this evaluation aren't on this machine. Evaluate the model on one of your datasets to explain its "
    "predictions here."
)


def _evaluation_shelf(models: Sequence[ModelEntry]) -> PhotoChoices | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        evaluation = choose_evaluation(models)
        if evaluation is None:
            return None
        _, table = evaluated_photos(evaluation)
        here = table[table["path"].notna()]
        if here.empty:
            st.info(PHOTOS_MISSING, icon=":material/hide_image:")
            return None
        wrong = misclassified(here)
        _fit_class(here)
        label = choose_class(sorted(set(wrong["label"]), key=natural_order), "All classes")
    return PhotoChoices(
        f"evaluation/{evaluation_title(evaluation)}",
        here,
        wrong if label == ALL_CLASSES else wrong[wrong["label"] == label],
        _mistake,
        lambda row: photo_previews.small_photo(row["path"]),
    )


def _mistake(row: pd.Series) -> str:
    """The label and the prediction of a photo, in Markdown."""
    confidence = probability_text(float(row["probability"]))
    label, predicted = escape_markdown(truncate(row["label"])), escape_markdown(truncate(row["predicted"]))
    if row["label"] == row["predicted"]:
        return f"{label}, predicted correctly ({confidence})"
    return f"{label}, predicted as {predicted} ({confidence})"
