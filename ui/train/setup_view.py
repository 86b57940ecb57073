"""Set-up of a training: photos, recipe, name and start button."""

from pathlib import Path

import streamlit as st

from sneaker_core.datasets.corrections import CORRECTIONS
from sneaker_core.datasets.dataset_collection import DatasetEntry, create_dataset, datasets_by_name
from sneaker_core.datasets.index import Dataset, open_index
from sneaker_core.errors import SneakerError
from sneaker_core.number_text import counted
from sneaker_core.training.recipe import Recipe, make_recipe
from sneaker_core.training.run_collection import Run
from sneaker_core.training.training_jobs import start_training
from sneaker_core.workspace.clean_names import clean_name
from sneaker_core.workspace.paths import workspace
from sneaker_core.workspace.safe_names import natural_order, safe_folder_name
from ui.kit import dataset_cache
from ui.kit.address import DATASET_PARAM, choose_item
from ui.kit.changes import change_button
from ui.kit.dataset_work import draw_work, is_busy
from ui.kit.page_frame import end_page
from ui.kit.page_links import Page, draw_page_link
from ui.kit.synthetic_photos import draw_examples, start_synthetic
from ui.kit.text import escape_markdown
from ui.train.advanced_settings import Choices, choose_advanced
from ui.train.recipe_cards import Amount, choose_recipe, draw_time
from ui.train.repeat_view import draw_repeat
from ui.train.train_keys import Key
from ui.train.train_views import watch

_SYNTHETIC_NAME = "drawn"
_FEWEST_CLASSES = 2


def draw_setup(runs: list[Run]) -> None:
    """Draw the form that starts a training.

    Parameters
    ----------
    runs : list of Run
        All runs.
    """
    entries = datasets_by_name(workspace())
    if not entries:
        _draw_no_photos()
        return
    if draw_repeat(runs):
        return
    with st.container(border=True):
        st.header("1. Photos", anchor=False)
        source, dataset = _choose_dataset(entries)
        draw_work(dataset)
        if dataset_cache.is_empty(dataset):
            _draw_empty(dataset)
            return
        only, photos, classes = _choose_classes(dataset)
    if classes < _FEWEST_CLASSES:
        st.info("There is only one class. Training needs two or more.", icon=":material/info:")
        return
    amount = Amount(photos, classes, idle=all(run.state.ended for run in runs))
    with st.container(border=True):
        st.header("2. Recipe", anchor=False)
        name = choose_recipe(amount)
        choices = choose_advanced(name, source, dataset, only)
    with st.container(border=True):
        st.header("3. Start", anchor=False)
        _draw_start(source, only, choices, amount)


def _draw_no_photos() -> None:
    with st.container(border=True):
        st.header("No photos yet", anchor=False)
        st.markdown(
            "A model learns from photos sorted into classes. Import your own, or try it with a synthetic dataset, "
            "which takes seconds to create and needs no internet connection."
        )
        draw_examples()
        with st.container(horizontal=True, vertical_alignment="center"):
            change_button(
                "Create a synthetic dataset",
                type="primary",
                key=Key.TRAIN_SYNTHETIC,
                icon=":material/brush:",
                on_click=_create_synthetic,
            )
            draw_page_link("Import photos", Page.DATASETS)


def _create_synthetic() -> None:
    try:
        start_synthetic(create_dataset(workspace(), _SYNTHETIC_NAME))
    except SneakerError as error:
        st.toast(escape_markdown(str(error)))


def _choose_dataset(entries: dict[str, DatasetEntry]) -> tuple[str, Dataset]:
    """The dataset and its name."""
    name = choose_item(
        DATASET_PARAM,
        list(entries),
        noun="dataset",
        # Corrections are few photos, which are added to others.
        usual=max(entries, key=lambda name: (entries[name].photos > 0, name != CORRECTIONS, entries[name].created)),
        show_label=True,
        help="Photos excluded on the Datasets page are not used.",
    )
    return (name, open_index(entries[name].folder)) if name is not None else end_page()


def _draw_empty(dataset: Dataset) -> None:
    if is_busy(dataset):
        st.caption("Photos are being added. You can continue here when that is done.")
        return
    st.markdown(f"**{escape_markdown(dataset.name)}** has no photos yet.")
    draw_page_link("Add photos", Page.DATASETS, dataset=dataset.name)


def _choose_classes(dataset: Dataset) -> tuple[tuple[str, ...], int, int]:
    """The selected classes (empty for all), and the number of photos and classes they have."""
    photos = dataset_cache.reviewed_photos(dataset_cache.review_key(dataset))
    counts = photos.loc[~photos["excluded"], "label"].value_counts()
    chosen = st.multiselect(
        "Classes",
        sorted(counts.index, key=natural_order),
        key=Key.TRAIN_CLASSES.of(dataset.folder.name),
        persist_state="session",
        placeholder="All classes",
        format_func=lambda label: f"{label} ({counts[label]})",
        help="Train on selected classes only. Leave empty to use all classes.",
    )
    taken = counts[list(chosen)] if chosen else counts
    st.caption(f"{counted(int(taken.sum()), 'photo')} of {counted(len(taken), 'class', 'classes')}")
    return tuple(chosen), int(taken.sum()), len(taken)


def _draw_start(source: str, only: tuple[str, ...], choices: Choices, amount: Amount) -> None:
    default = _default_name(source, choices.preset)
    name = st.text_input(
        "Run name",
        default,
        key=Key.TRAIN_NAME.of(default),
        max_chars=80,
        width=420,
        help="The model gets the same name.",
    )
    if choices.recipe and (changes := _changed_settings(choices.recipe)):
        st.caption(f"Changed settings: {', '.join(key.replace('_', ' ') for key in changes)}.")
        draw_time(choices.recipe, amount, "changed", measure=False)
    if choices.error:
        st.caption(":material/arrow_upward: Fix the settings marked above first.")
    if change_button(
        "Start training",
        type="primary",
        key=Key.TRAIN_START,
        icon=":material/play_arrow:",
        disabled=choices.recipe is None or choices.error is not None,
        width=260,
    ):
        assert choices.recipe is not None
        _start(source, choices.recipe, clean_name(name or ""), only, choices.negatives)
    if not amount.idle:
        st.caption("Another training is running. This one joins the queue.")


def _changed_settings(recipe: Recipe) -> list[str]:
    """The settings that differ from the preset; its network is no change, even where it has to be named."""
    is_same = recipe.network == make_recipe(recipe.name).network
    return [name for name in recipe.changes_from_preset() if not (is_same and name == "network")]


def _default_name(source: str, recipe_name: str) -> str:
    # Imported here, as it loads torch.
    from sneaker_core.training.train_model import default_run_name

    return default_run_name(workspace(), safe_folder_name(source), recipe_name)


def _start(source: str, recipe: Recipe, name: str, only: tuple[str, ...], negatives: Path | None) -> None:
    try:
        with st.spinner("Starting…"):
            start_training(workspace(), source, recipe, name, only, negatives)
    except SneakerError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    watch(name)
    st.rerun()
