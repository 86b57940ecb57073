"""A new evaluation put together: model, photos, name, and the button that starts it."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from sneaker_core.datasets.dataset_collection import list_datasets
from sneaker_core.datasets.index import INDEX_FILE, open_index
from sneaker_core.datasets.split import SPLIT_FILE
from sneaker_core.evaluation.evaluation_collection import Evaluation
from sneaker_core.evaluation.evaluation_job import start_evaluation
from sneaker_core.networks.model_registry import DEFAULT_MODEL, ModelEntry, list_models
from sneaker_core.workspace.paths import workspace
from ui.datasets.dataset_picker import by_name
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_labels import SPLITS
from ui.kit import dataset_cache
from ui.kit.quantities import counted_photos
from ui.kit.text import counted, plain

DATASET, FOLDER = "A dataset", "A folder on this computer"


def draw_start() -> Callable[[], Evaluation] | None:
    """Ask for everything that an evaluation needs; gives what starts it once the button is pressed."""
    models = list_models(workspace())
    if not models:
        st.warning("There is no model to judge yet. Train one first.", icon=":material/inventory_2:")
        return None
    model = _choose_model(models)
    data = _choose_photos()
    split = _choose_split(model, data)
    name = st.text_input(
        "Name",
        key=Key.EVALUATION_NAME,
        max_chars=80,
        placeholder="Made of the model and the photos when left empty",
    )
    neighbours = st.toggle(
        "Remember training photos too",
        True,
        key=Key.EVALUATION_NEIGHBOURS,
        help="Then each mistake can be shown beside the photos that the model learned from. It takes a little longer.",
    )
    pressed = st.button(
        "Start", key=Key.EVALUATION_START, type="primary", icon=":material/play_arrow:", disabled=not data
    )
    if not pressed or not data:
        return None
    wanted = " ".join((name or "").split()) or None
    return lambda: start_evaluation(
        workspace(), model.name, data, SPLITS_BY_WORDS[split], name=wanted, neighbours=neighbours
    )


SPLITS_BY_WORDS = {words: split for split, words in SPLITS.items()}


def _choose_model(models: list[ModelEntry]) -> ModelEntry:
    entries = {entry.name: entry for entry in models}
    usual = DEFAULT_MODEL if DEFAULT_MODEL in entries else next(iter(entries))
    name = st.selectbox(
        "Model",
        list(entries),
        index=list(entries).index(usual),
        key=Key.EVALUATION_MODEL,
        format_func=lambda name: f"{name} ({counted(len(entries[name].spec.classes), 'sneaker')})",
    )
    return entries[name]


def _choose_photos() -> str | None:
    """What names the photos for the command that does the work; None while nothing is chosen."""
    entries = {name: entry for name, entry in by_name(list_datasets(workspace())).items() if entry.photos}
    source = DATASET
    if entries:
        source = str(
            st.segmented_control("Photos", [DATASET, FOLDER], default=DATASET, required=True, key=Key.EVALUATION_SOURCE)
        )
    if entries and source == DATASET:
        name = st.selectbox(
            "Dataset",
            list(entries),
            key=Key.EVALUATION_DATASET,
            format_func=lambda name: f"{name} ({counted_photos(entries[name].photos)})",
            help="Photos that were excluded on the Datasets page are left out.",
        )
        return str(entries[name].folder)
    if not entries:
        st.caption("There is no dataset with photos yet, so give a folder.")
    typed = st.text_input(
        "Folder",
        key=Key.EVALUATION_FOLDER,
        placeholder="/home/me/photos",
        help="It holds a folder for each class, named like the class. Nothing in it is changed.",
    )
    return (typed or "").strip() or None


def _choose_split(model: ModelEntry, data: str | None) -> str:
    """Which of the photos to judge; there is a choice only where somebody tells which are for what."""
    if not (model.folder / SPLIT_FILE).is_file() and not _is_split(data):
        st.caption(plain(f"{model.name} does not tell which photos it has seen, so all are judged."))
        return SPLITS[None]
    return str(
        st.selectbox(
            "Which of them",
            list(SPLITS.values()),
            key=Key.EVALUATION_SPLIT,
            help="A model knows the photos that it learned from, so only photos that it never saw tell how good it is. "
            "They are found again by their content. Of photos that it never saw, the dataset’s own split counts.",
        )
    )


def _is_split(data: str | None) -> bool:
    """Whether the photos are those of a dataset that has a split."""
    if data is None or not (Path(data) / INDEX_FILE).is_file():
        return False
    return bool(dataset_cache.reviewed_photos(dataset_cache.review_key(open_index(Path(data))))["split"].notna().any())
