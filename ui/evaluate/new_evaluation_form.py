"""The form for a new evaluation: model, photos, split and name."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from sneaker_core.datasets.dataset_collection import datasets_by_name
from sneaker_core.datasets.index import INDEX_FILE, open_index
from sneaker_core.datasets.split import SPLIT_FILE, Split
from sneaker_core.evaluation.evaluation_job import start_evaluation
from sneaker_core.evaluation.evaluation_plan import ALL_PHOTOS
from sneaker_core.evaluation.evaluation_record import Evaluation
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.model_registry import ModelEntry, list_models
from sneaker_core.number_text import counted
from sneaker_core.workspace.clean_names import clean_name
from sneaker_core.workspace.paths import workspace
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_plan_cache import planned
from ui.evaluate.evaluation_text import SPLITS
from ui.evaluate.name_matches import choose_matches
from ui.kit import dataset_cache
from ui.kit.changes import change_button, server_path_input
from ui.kit.text import escape_markdown

DATASET, SEVERAL, FOLDER = "Dataset", "Several datasets", "Folder on this computer"
_USUAL = "Test photos, or all if there are none"
_SPLIT_OF = {_USUAL: None, SPLITS[None]: ALL_PHOTOS, **{SPLITS[one.value]: one.value for one in Split}}


def draw_form() -> Callable[[], Evaluation] | None:
    """Draw the form; returns a function that starts the evaluation once the button is pressed."""
    models = list_models(workspace())
    if not models:
        st.warning("There is no model to evaluate. Train one first.", icon=":material/inventory_2:")
        return None
    model = _choose_model(models)
    data = _choose_photos()
    split = _choose_split(model, data)
    renamed = choose_matches(model, data)
    can_start = _draw_plan(model, data, split, renamed)
    name = st.text_input("Name", key=Key.NAME, max_chars=80, placeholder="Leave empty to use the model and the dataset")
    neighbors = st.toggle(
        "Find similar training photos",
        True,
        key=Key.NEIGHBORS,
        help="Shows each mistake next to the most similar training photos. The evaluation takes a little longer.",
    )
    pressed = change_button(
        "Start", key=Key.START, type="primary", icon=":material/play_arrow:", disabled=not can_start
    )
    if not pressed or not data:
        return None
    wanted = clean_name(name or "") or None
    return lambda: start_evaluation(
        workspace(), model.name, data, split, name=wanted, neighbors=neighbors, rename=renamed
    )


def _choose_model(models: list[ModelEntry]) -> ModelEntry:
    entries = {entry.name: entry for entry in models}
    usual = DEFAULT_MODEL if DEFAULT_MODEL in entries else next(iter(entries))
    name = st.selectbox(
        "Model",
        list(entries),
        index=list(entries).index(usual),
        key=Key.MODEL,
        format_func=lambda name: f"{name} ({counted(len(entries[name].spec.classes), 'class', 'classes')})",
    )
    return entries[name]


def _choose_photos() -> str | dict[str, str] | None:
    """Folder of the dataset or of the photos, or several by name; None until something is chosen."""
    entries = {name: entry for name, entry in datasets_by_name(workspace()).items() if entry.photos}
    source = DATASET
    if entries:
        sources = [DATASET, SEVERAL, FOLDER] if len(entries) > 1 else [DATASET, FOLDER]
        source = str(st.segmented_control("Photos", sources, default=DATASET, required=True, key=Key.SOURCE))
    if entries and source == DATASET:
        name = st.selectbox(
            "Dataset",
            list(entries),
            key=Key.DATASET,
            format_func=lambda name: f"{name} ({counted(entries[name].photos, 'photo')})",
            help="Excluded photos are left out.",
        )
        return str(entries[name].folder)
    if entries and source == SEVERAL:
        chosen = st.multiselect(
            "Datasets",
            list(entries),
            key=Key.DATASETS,
            help="Each dataset is a world, such as shop photos or phone photos; the section Trust compares them.",
        )
        return {name: str(entries[name].folder) for name in chosen} or None
    if not entries:
        st.caption("You have no dataset with photos yet, so enter a folder.")
    typed = server_path_input(
        "Folder",
        key=Key.FOLDER,
        placeholder="/home/me/photos",
        help="With one subfolder for each class, named like the class. Nothing in it is changed.",
    )
    return typed or None


def _choose_split(model: ModelEntry, data: str | dict[str, str] | None) -> str | None:
    """Which photos to evaluate; there is a choice only if the model or the dataset has a split."""
    if not (model.folder / SPLIT_FILE).is_file() and not _has_split(data):
        st.caption(
            escape_markdown(f"{model.name} comes without a list of its training photos, so all photos are evaluated.")
        )
        return ALL_PHOTOS
    title = st.selectbox(
        "Split",
        list(_SPLIT_OF),
        key=Key.SPLIT,
        help="Only photos that the model has not seen in training show how good it is, so training photos don't count "
        "unless you choose them. Test photos are found by file content. If the model has seen none of the photos, the "
        "dataset’s own split is used.",
    )
    return _SPLIT_OF[str(title)]


def _draw_plan(
    model: ModelEntry, data: str | dict[str, str] | None, split: str | None, renamed: dict[str, str]
) -> bool:
    """Say what will be evaluated and what is left out; returns whether the evaluation can start.

    Photos in a folder are looked at only after Start: that takes long for large folders.
    """
    if not data:
        return False
    sources = {"": data} if isinstance(data, str) else data
    indexed = [Path(folder) for folder in sources.values() if (Path(folder) / INDEX_FILE).is_file()]
    if len(indexed) < len(sources):
        return True
    revisions = tuple(dataset_cache.review_key(open_index(folder)) for folder in indexed)
    sentences, problem = planned(
        str(model.folder), model.version, tuple(sources.items()), revisions, split, tuple(renamed.items())
    )
    for sentence in sentences:
        st.caption(escape_markdown(sentence))
    if problem is not None:
        st.warning(escape_markdown(problem), icon=":material/block:")
    return problem is None


def _has_split(data: str | dict[str, str] | None) -> bool:
    """Whether the photos are those of datasets with a split."""
    if isinstance(data, dict):
        return any(map(_has_split, data.values()))
    if data is None or not (Path(data) / INDEX_FILE).is_file():
        return False
    key = dataset_cache.review_key(open_index(Path(data)))
    return bool(dataset_cache.reviewed_photos(key)["split"].notna().any())
