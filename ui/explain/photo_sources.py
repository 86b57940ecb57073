"""Which photo to explain: one of a dataset, a mistake of an evaluation, or an upload."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.datasets.dataset_collection import list_datasets
from sneaker_core.datasets.index import Dataset, open_index
from sneaker_core.datasets.thumbnails import ensure_thumbnail
from sneaker_core.evaluation.evaluation_collection import Evaluation, list_evaluations
from sneaker_core.evaluation.table_columns import misclassified
from sneaker_core.networks.model_registry import ModelEntry
from sneaker_core.workspace.paths import workspace
from sneaker_core.workspace.safe_names import natural_order
from ui.datasets.dataset_picker import by_name
from ui.explain.explain_address import notice, use_model_of
from ui.explain.explain_keys import Key
from ui.explain.explain_views import Source
from ui.explain.photo_shelf import Looked, Shelf, take
from ui.kit import dataset_cache, evaluation_cache, photo_previews
from ui.kit.photo_files import Photo, upload_cap, uploaded_photos
from ui.kit.photo_grid import cut
from ui.kit.text import percent, plain, shortened

ALL_CLASSES = ""
_ICONS = {
    Source.DATASET: ":material/photo_library:",
    Source.EVALUATION: ":material/rule:",
    Source.UPLOAD: ":material/upload:",
}


def choose_photo(models: Sequence[ModelEntry]) -> Looked | None:
    """Have a photo chosen; None while none is.

    Parameters
    ----------
    models : sequence of ModelEntry
        Those there are: with an evaluation comes the model that was measured.
    """
    choices = list(Source)
    if st.session_state.get(Key.EXPLAIN_SOURCE) not in choices:
        there = bool(list_datasets(workspace())) and Key.EXPLAIN_HANDED not in st.session_state
        st.session_state[Key.EXPLAIN_SOURCE] = Source.DATASET if there else Source.UPLOAD
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
    return None if shelf is None else take(shelf)


def _uploaded() -> Looked | None:
    upload = st.file_uploader(
        "A photo of a sneaker",
        key=Key.EXPLAIN_UPLOAD,
        max_upload_size=upload_cap(),
        help="Any photo; it is looked at and not kept.",
    )
    if upload is not None:
        return Looked(uploaded_photos([upload], None)[0])
    handed: Photo | None = st.session_state.get(Key.EXPLAIN_HANDED)
    if handed is None:
        st.caption("Drop a photo here, or take one from a dataset, to see what the network looks at.")
        return None
    st.caption(f"On show is {plain(shortened(handed.name))}, from the page Identify.")
    return Looked(handed)


def choose_dataset() -> Dataset | None:
    """The dataset whose photos are offered; None where there is none, which is said."""
    entries = by_name(list_datasets(workspace()))
    _sanitise(
        Key.EXPLAIN_DATASET, {name: (name, entry.name, entry.folder.name) for name, entry in entries.items()}, "dataset"
    )
    if not entries:
        st.info("There is no dataset yet. Upload a photo here, or make a dataset first.", icon=":material/inbox:")
        st.page_link("pages/datasets.py", label="Make a dataset", icon=":material/photo_library:")
        return None
    name = st.selectbox("Dataset", list(entries), key=Key.EXPLAIN_DATASET, persist_state="session", width=320)
    return open_index(entries[str(name)].folder)


def _dataset_shelf() -> Shelf | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        dataset = choose_dataset()
        if dataset is None:
            return None
        key = dataset_cache.review_key(dataset)
        photos = dataset_cache.reviewed_photos(key)
        offered = photos[~photos["excluded"]]
        label = choose_class(sorted(set(offered["label"]), key=natural_order), "All classes")
    name = str(st.session_state[Key.EXPLAIN_DATASET])
    return Shelf(
        f"dataset/{name}",
        dataset.name,
        photos,
        offered if label == ALL_CLASSES else offered[offered["label"] == label],
        lambda row: plain(cut(row["label"])),
        lambda row: ensure_thumbnail(dataset, row["sample"], Path(row["path"])).read_bytes(),
        {"dataset": name},
    )


def choose_class(labels: Sequence[str], every: str | None = None) -> str:
    """One of the classes, or `ALL_CLASSES` where `every` names that choice."""
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
    """The evaluation whose photos are offered; None where there is none, which is said.

    Parameters
    ----------
    models : sequence of ModelEntry
        As in `choose_photo`.
    """

    def changed() -> None:
        use_model_of(there[str(st.session_state[Key.EXPLAIN_EVALUATION])], models)

    # Those of stored evaluations, models and runs may have one name.
    there = {f"{one.kind.value}/{one.name}": one for one in list_evaluations(workspace()) if one.is_ready}
    _sanitise(Key.EXPLAIN_EVALUATION, {key: (key, f"/{one.name}") for key, one in there.items()}, "evaluation")
    if not there:
        st.info("There is no evaluation yet: measure a model, then its mistakes are here.", icon=":material/rule:")
        return None
    chosen = st.selectbox(
        "Evaluation",
        list(there),
        format_func=lambda key: _evaluation_words(there[key]) if key in there else str(key),
        key=Key.EXPLAIN_EVALUATION,
        on_change=changed,
        persist_state="session",
        width=420,
    )
    return there[str(chosen)]


def _sanitise(key: Key, names: Mapping[str, Sequence[str]], kind: str) -> None:
    """A choice that is gone is dropped, and that is said; one by another name is taken for what it means.

    Parameters
    ----------
    key : Key
        Of the choice.
    names : mapping
        Each choice there is -> the names that it goes by.
    kind : str
        For people.
    """
    wanted = st.session_state.get(key)
    if wanted is None or wanted in names:
        return
    meant = next((choice for choice, known in names.items() if wanted in known), None)
    if meant is not None:
        st.session_state[key] = meant
        return
    notice(f"There is no {kind} {plain(shortened(str(wanted).rpartition('/')[2]))} here (any more).")
    st.session_state.pop(key)
    st.session_state.pop(Key.EXPLAIN_SAMPLE, None)


def _evaluation_words(one: Evaluation) -> str:
    kind = {"bundled": " (comes with the model)", "run": " (test photos of the run)"}.get(one.kind.value, "")
    return f"{one.name}{kind}"


def evaluated_photos(evaluation: Evaluation) -> tuple[evaluation_cache.EvaluationKey, pd.DataFrame]:
    """Its prediction table; only the photos that are on this machine have a path.

    Raises
    ------
    SneakerError
        It is missing or damaged.
    """
    key = evaluation_cache.evaluation_key(evaluation, list_datasets(workspace()))
    return key, evaluation_cache.evaluation_table(key, evaluation)


NOT_HERE = (
    "The photos of this evaluation are not on this machine: some may not be passed on with a model. Evaluate the model "
    "on a dataset of yours, and its mistakes can be looked at here."
)


def _evaluation_shelf(models: Sequence[ModelEntry]) -> Shelf | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        evaluation = choose_evaluation(models)
        if evaluation is None:
            return None
        _, table = evaluated_photos(evaluation)
        here = table[table["path"].notna()]
        if here.empty:
            st.info(NOT_HERE, icon=":material/hide_image:")
            return None
        wrong = misclassified(here)
        label = choose_class(sorted(set(wrong["label"]), key=natural_order), "All classes")
    return Shelf(
        f"evaluation/{st.session_state[Key.EXPLAIN_EVALUATION]}",
        evaluation.name,
        here,
        wrong if label == ALL_CLASSES else wrong[wrong["label"] == label],
        _mistake,
        lambda row: photo_previews.small_photo(row["path"]),
        {"evaluation": evaluation.name, "kind": evaluation.kind.value},
    )


def _mistake(row: pd.Series) -> str:
    """What was said of a photo, in markdown."""
    sure = percent(float(row["probability"]))
    if row["label"] == row["predicted"]:
        return f"{plain(cut(row['label']))}, answered right ({sure})"
    return f"{plain(cut(row['label']))}, taken for {plain(cut(row['predicted']))} ({sure})"
