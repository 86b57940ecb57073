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
from sneaker_core.evaluation.evaluation_collection import list_evaluations, usual_evaluation
from sneaker_core.evaluation.evaluation_files import find_model_of
from sneaker_core.evaluation.evaluation_record import Evaluation
from sneaker_core.evaluation.table_columns import misclassified
from sneaker_core.networks.bundled_models import REPLACED_MODELS
from sneaker_core.networks.model_registry import ModelEntry
from sneaker_core.workspace.paths import workspace
from sneaker_core.workspace.safe_names import natural_order
from ui.explain.explain_keys import Key
from ui.explain.explain_views import Source
from ui.explain.photo_shelf import PHOTO_PARAMS, ChosenPhoto, PhotoChoices, choose_from, show_photo
from ui.kit import dataset_cache, evaluation_cache, photo_previews
from ui.kit.address import (
    DATASET_PARAM,
    EVALUATION_PARAM,
    address_item,
    address_value,
    choose_item,
    choose_next,
    follow_address,
    set_address_values,
)
from ui.kit.kept_uploads import KEPT_NOTE, UPLOAD_PARAM, keep_upload, kept_upload
from ui.kit.labels import bundled_title, evaluation_title
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
_GONE = ":material/hide_image:"


def choose_photo(models: Sequence[ModelEntry]) -> ChosenPhoto | None:
    """Choose a photo; None until one is chosen.

    Parameters
    ----------
    models : sequence of ModelEntry
        Available models; choosing an evaluation also chooses its model.
    """
    sources = [source.value for source in Source]
    follow_address(Key.SOURCE, Key.EXPLAIN_SOURCE, sources, noun="source", usual=_implied_source().value)
    source = st.segmented_control(
        "Photo from",
        sources,
        required=True,
        format_func=lambda choice: f"{_ICONS[Source(choice)]} {choice}",
        key=Key.EXPLAIN_SOURCE,
        wrap=True,
        on_change=_leave_source,
    )
    if source == Source.UPLOAD:
        return _uploaded()
    shelf = _dataset_shelf() if source == Source.DATASET else _evaluation_shelf(models)
    return None if shelf is None else choose_from(shelf)


def _implied_source() -> Source:
    """Where photos come from if the address doesn't say."""
    for param, source in (
        (DATASET_PARAM, Source.DATASET),
        (EVALUATION_PARAM, Source.EVALUATION),
        (UPLOAD_PARAM, Source.UPLOAD),
    ):
        if address_value(param):
            return source
    return Source.DATASET if list_datasets(workspace()) else Source.UPLOAD


def _leave_source() -> None:
    params = (DATASET_PARAM, EVALUATION_PARAM, UPLOAD_PARAM, Key.KIND, *PHOTO_PARAMS)
    set_address_values({**dict.fromkeys(params), Key.SOURCE: st.session_state[Key.EXPLAIN_SOURCE]})


def _uploaded() -> ChosenPhoto | None:
    name = address_value(UPLOAD_PARAM)
    # Another uploader for each photo: after Back, it would still show the file that was uploaded last.
    key = Key.EXPLAIN_UPLOAD.of(name) if name else Key.EXPLAIN_UPLOAD.value

    def keep() -> None:
        upload = st.session_state[key]
        if upload is not None:
            kept = keep_upload(uploaded_photos([upload], None)[0])
            set_address_values({**dict.fromkeys(PHOTO_PARAMS), UPLOAD_PARAM: kept})

    st.file_uploader("A photo of a sneaker", key=key, max_upload_size=upload_cap(), help=KEPT_NOTE, on_change=keep)
    photo = None if name is None else kept_upload(name)
    if photo is not None:
        st.caption(f":material/image: {escape_markdown(truncate_middle(photo.name))}")
        return ChosenPhoto(photo)
    if name is None:
        st.caption("Upload a photo, or choose one from a dataset.")
    else:
        st.info("This uploaded photo is no longer kept. Upload it again.", icon=_GONE)
    return None


def choose_dataset() -> Dataset | None:
    """Choose a dataset; without one, say so and return None, as while a link leads to none that is here."""
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
    return None if name is None else open_index(entries[name].folder)


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
    """Choose an evaluation; without one, say so and return None, as while a link leads to none that is here.

    Parameters
    ----------
    models : sequence of ModelEntry
        As in `choose_photo`.
    """
    evaluations = _evaluations()

    def changed() -> None:
        set_address_values(dict.fromkeys((Key.KIND, *PHOTO_PARAMS)))
        if (name := _model_of(evaluations[str(st.session_state[EVALUATION_PARAM])], models)) is not None:
            choose_next(MODEL_PARAM, name)

    usual = usual_evaluation(list(evaluations.values()))
    if usual is None:
        address_item(EVALUATION_PARAM, (), noun="evaluation")
        st.info(
            "There are no evaluations yet. Evaluate a model to explain its mistakes here.",
            icon=":material/rule:",
        )
        draw_page_link("Evaluate a model", Page.EVALUATE)
        return None
    title = choose_item(
        EVALUATION_PARAM,
        list(evaluations),
        noun="evaluation",
        usual=evaluation_title(usual),
        old=_linked_titles(evaluations),
        show_label=True,
        on_change=changed,
    )
    return None if title is None else evaluations[title]


def model_of_evaluation(models: Sequence[ModelEntry]) -> str | None:
    """Name of the model that was evaluated, if the address names an evaluation and its model is there.

    Parameters
    ----------
    models : sequence of ModelEntry
        As in `choose_photo`.
    """
    linked = address_value(EVALUATION_PARAM)
    evaluations = _evaluations() if linked else {}
    evaluation = evaluations.get(_linked_titles(evaluations).get(linked or "", linked or ""))
    return None if evaluation is None else _model_of(evaluation, models)


def _model_of(evaluation: Evaluation, models: Sequence[ModelEntry]) -> str | None:
    with contextlib.suppress(SneakerError):  # its model is gone
        folder = find_model_of(workspace(), evaluation)
        return next((model.name for model in models if model.folder.samefile(folder)), None)
    return None


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
    for old, new in REPLACED_MODELS.items():
        titles |= dict.fromkeys((old, bundled_title(old)), bundled_title(new))
    return titles


PHOTOS_MISSING = (
    "The photos of this evaluation aren't on this machine. Evaluate the model on one of your datasets to explain its "
    "predictions here."
)


def _evaluation_shelf(models: Sequence[ModelEntry]) -> PhotoChoices | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        evaluation = choose_evaluation(models)
        if evaluation is None:
            return None
        _, table = evaluation_cache.open_evaluation(evaluation)
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
