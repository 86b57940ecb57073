"""What a search for the best settings begins with."""

from typing import Any

import streamlit as st

from sneaker_core.datasets.dataset_collection import list_datasets
from sneaker_core.errors import SneakerError
from sneaker_core.networks.model_registry import DEFAULT_MODEL
from sneaker_core.workspace.paths import workspace
from ui.kit.quantities import counted_photos
from ui.kit.text import plain
from ui.kit.training_labels import RECIPE_WORDS
from ui.runs import run_labels
from ui.runs.runs_keys import Key

IMAGENET = "imagenet"
_MINUTES, _MOST_MINUTES = 30, 24 * 60
_LEAST_PHOTOS = 2


def draw_new_search(taken: set[str]) -> None:
    """Ask what to search, and start it.

    Parameters
    ----------
    taken : set of str
        Names of the searches there are.
    """
    # Its import takes seconds, and only this form needs it.
    from sneaker_core.training.recipe import RECIPES

    # By folder: two datasets may have the same name.
    datasets = {str(entry.folder): entry for entry in list_datasets(workspace()) if entry.photos >= _LEAST_PHOTOS}
    if not datasets:
        st.markdown("There are no photos to search with yet. Gather some first, or let SoleScope draw some.")
        st.page_link("pages/datasets.py", label="To the datasets", icon=":material/photo_library:")
        return
    with st.grid(2, min_column_width=300):
        dataset = st.selectbox(
            "Photos to learn from",
            list(datasets),
            key=Key.STUDY_DATASET,
            format_func=lambda folder: f"{datasets[folder].name} ({counted_photos(datasets[folder].photos)})",
        )
        recipe_name = st.selectbox(
            "Recipe to begin with",
            list(RECIPES),
            index=1,
            key=Key.STUDY_RECIPE,
            format_func=run_labels.recipe_word,
            help="  \n".join(f"**{told.title}**: {told.about}" for told in RECIPE_WORDS.values()),
        )
        changes, networks = _ask_networks(recipe_name, RECIPES[recipe_name].init)
        minutes = st.number_input(
            "Minutes to search",
            1,
            _MOST_MINUTES,
            _MINUTES,
            key=Key.STUDY_MINUTES,
            help="Counted once the photos are read. A trial takes about a quarter of the time of a full training; the "
            "search finds most when there is time for ten or more.",
        )
        suggested = _free_name(taken)
        name = st.text_input("Name of the search", suggested, key=Key.STUDY_NAME.of(suggested), max_chars=80)
    if st.button("Start the search", key=Key.STUDY_START, type="primary", icon=":material/travel_explore:"):
        _start(str(dataset), " ".join((name or "").split()), taken, recipe_name, changes, networks, float(minutes))


def _ask_networks(recipe_name: str, usual: str) -> tuple[dict[str, Any], list[str]]:
    """What the network starts from, and which ones to try."""
    from sneaker_core.networks.architectures import ARCHITECTURES

    init = usual
    if usual != "none":
        starts = {
            DEFAULT_MODEL: f"{DEFAULT_MODEL}: knows sneakers, works without a network",
            IMAGENET: "ImageNet: general weights, fetched from the web once",
        }
        init = st.selectbox(
            "What it starts from",
            list(starts),
            index=list(starts).index(usual) if usual in starts else 0,
            key=Key.STUDY_INIT.of(recipe_name),
            format_func=starts.__getitem__,
            help="Weights that have learned to see already. Where the photos are among those that street22 learned "
            "from, ImageNet is the fairer start.",
        )
    changes = {} if init == usual else {"init": init}
    if init == DEFAULT_MODEL:
        return changes, []
    choices = [name for name, found in ARCHITECTURES.items() if found.imagenet or init != IMAGENET]
    networks = st.multiselect(
        "Networks to try",
        choices,
        choices[:1],
        key=Key.STUDY_NETWORKS.of(init),
        format_func=run_labels.network_title,
        placeholder="The recipe's own",
        help="  \n".join(f"**{ARCHITECTURES[name].title}**: {ARCHITECTURES[name].about}" for name in choices),
    )
    return changes, networks


def _free_name(taken: set[str]) -> str:
    number = 1
    while f"search-{number}" in taken:
        number += 1
    return f"search-{number}"


def _start(
    dataset: str,
    name: str,
    taken: set[str],
    preset: str,
    changes: dict[str, Any],
    networks: list[str],
    minutes: float,
) -> None:
    from sneaker_core.training.recipe import make_recipe
    from sneaker_core.training.search_jobs import start_study

    if name.casefold() in {other.casefold() for other in taken}:
        st.error(f"There is a search named {plain(name)} already; choose another name.", icon=":material/error:")
        return
    try:
        start_study(workspace(), dataset, name, make_recipe(preset, changes), networks=networks, minutes=minutes)
    except SneakerError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.session_state[Key.STUDY_WANTED] = name
    st.rerun()
