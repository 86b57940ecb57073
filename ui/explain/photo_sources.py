"""Sources of the photo to explain: a dataset, the wrong predictions of an evaluation, or an upload."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.datasets.dataset_collection import datasets_by_name, list_datasets
from sneaker_core.datasets.index import Dataset, open_index
from sneaker_core.datasets.thumbnails import ensure_thumbnail
from sneaker_core.evaluation.evaluation_collection import list_evaluations
from sneaker_core.evaluation.evaluation_record import Evaluation
from sneaker_core.evaluation.table_columns import misclassified
from sneaker_core.images import Photo
from sneaker_core.networks.model_registry import ModelEntry
from sneaker_core.workspace.paths import workspace
from sneaker_core.workspace.safe_names import natural_order
from ui.explain.explain_address import notice, use_model_of
from ui.explain.explain_keys import Key
from ui.explain.explain_views import Source
from ui.explain.photo_shelf import ChosenPhoto, PhotoChoices, choose_from
from ui.kit import dataset_cache, evaluation_cache, photo_previews
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
    choices = list(Source)
    if st.session_state.get(Key.EXPLAIN_SOURCE) not in choices:
        has_dataset = bool(list_datasets(workspace())) and Key.EXPLAIN_HANDED not in st.session_state
        st.session_state[Key.EXPLAIN_SOURCE] = Source.DATASET if has_dataset else Source.UPLOAD
    source = st.segmented_control(
        "Photo from",
        choices,
        required=True,
        format_func=lambda choice: f"{_ICONS[choice]} {choice.value}",
        key=Key.EXPLAIN_SOURCE,
        wrap=True,
        persist_state="session",
    )
    if source == Source.UPLOAD:
        return _uploaded()
    shelf = _dataset_shelf() if source == Source.DATASET else _evaluation_shelf(models)
    return None if shelf is None else choose_from(shelf)


def _uploaded() -> ChosenPhoto | None:
    upload = st.file_uploader(
        "A photo of a sneaker",
        key=Key.EXPLAIN_UPLOAD,
        max_upload_size=upload_cap(),
        help="The photo is not stored.",
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
    _settle(
        Key.EXPLAIN_DATASET, {name: (name, entry.name, entry.folder.name) for name, entry in entries.items()}, "dataset"
    )
    if not entries:
        st.info("There are no datasets yet. Upload a photo, or create a dataset.", icon=":material/inbox:")
        st.page_link("pages/datasets.py", label="Create a dataset", icon=":material/photo_library:")
        return None
    name = st.selectbox("Dataset", list(entries), key=Key.EXPLAIN_DATASET, persist_state="session", width=320)
    return open_index(entries[str(name)].folder)


def _dataset_shelf() -> PhotoChoices | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        dataset = choose_dataset()
        if dataset is None:
            return None
        key = dataset_cache.review_key(dataset)
        photos = dataset_cache.reviewed_photos(key)
        offered = photos[~photos["excluded"]]
        label = choose_class(sorted(set(offered["label"]), key=natural_order), "All classes")
    name = str(st.session_state[Key.EXPLAIN_DATASET])
    return PhotoChoices(
        f"dataset/{name}",
        dataset.name,
        photos,
        offered if label == ALL_CLASSES else offered[offered["label"] == label],
        lambda row: escape_markdown(truncate(row["label"])),
        lambda row: ensure_thumbnail(dataset, row["sample"], Path(row["path"])).read_bytes(),
        {"dataset": name},
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
    )
    return str(label or ALL_CLASSES)


def choose_evaluation(models: Sequence[ModelEntry]) -> Evaluation | None:
    """Choose an evaluation; without one, say so and return None.

    Parameters
    ----------
    models : sequence of ModelEntry
        As in `choose_photo`.
    """

    def changed() -> None:
        use_model_of(evaluations[str(st.session_state[Key.EXPLAIN_EVALUATION])], models)

    # Evaluations of different kinds may have the same name.
    evaluations = {f"{one.kind.value}/{one.name}": one for one in list_evaluations(workspace()) if one.is_ready}
    _settle(Key.EXPLAIN_EVALUATION, {key: (key, f"/{one.name}") for key, one in evaluations.items()}, "evaluation")
    if not evaluations:
        st.info(
            "There are no evaluations yet. Evaluate a model to explain its wrong predictions here.",
            icon=":material/rule:",
        )
        return None
    chosen = st.selectbox(
        "Evaluation",
        list(evaluations),
        format_func=lambda key: _evaluation_title(evaluations[key]) if key in evaluations else str(key),
        key=Key.EXPLAIN_EVALUATION,
        on_change=changed,
        persist_state="session",
        width=420,
    )
    return evaluations[str(chosen)]


def _settle(key: Key, names: Mapping[str, Sequence[str]], kind: str) -> None:
    """Replace a choice by the item that it names; if there is none, drop it and say so.

    Parameters
    ----------
    key : Key
        Key of the choice.
    names : mapping
        Item -> the names it can be chosen by.
    kind : str
        Noun, as shown to users.
    """
    chosen = st.session_state.get(key)
    if chosen is None or chosen in names:
        return
    meant = next((choice for choice, known in names.items() if chosen in known), None)
    if meant is not None:
        st.session_state[key] = meant
        return
    name = escape_markdown(truncate_middle(str(chosen).rpartition("/")[2]))
    notice(f"The link leads to the {kind} {name}, which isn't here.")
    st.session_state.pop(key)
    st.session_state.pop(Key.EXPLAIN_SAMPLE, None)


def _evaluation_title(one: Evaluation) -> str:
    kind = {"bundled": " (bundled with the model)", "run": " (test photos of the run)"}.get(one.kind.value, "")
    return f"{one.name}{kind}"


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
        label = choose_class(sorted(set(wrong["label"]), key=natural_order), "All classes")
    return PhotoChoices(
        f"evaluation/{st.session_state[Key.EXPLAIN_EVALUATION]}",
        evaluation.name,
        here,
        wrong if label == ALL_CLASSES else wrong[wrong["label"] == label],
        _mistake,
        lambda row: photo_previews.small_photo(row["path"]),
        {"evaluation": evaluation.name, "kind": evaluation.kind.value},
    )


def _mistake(row: pd.Series) -> str:
    """The label and the prediction of a photo, in Markdown."""
    confidence = probability_text(float(row["probability"]))
    label, predicted = escape_markdown(truncate(row["label"])), escape_markdown(truncate(row["predicted"]))
    if row["label"] == row["predicted"]:
        return f"{label}, predicted correctly ({confidence})"
    return f"{label}, predicted as {predicted} ({confidence})"
