"""Form that starts a hyperparameter search."""

from typing import Any

import streamlit as st

from sneaker_core.datasets.dataset_collection import list_datasets
from sneaker_core.errors import SneakerError
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.number_text import counted
from sneaker_core.workspace.clean_names import clean_name
from sneaker_core.workspace.paths import workspace
from ui.kit.address import choose_next
from ui.kit.changes import change_button
from ui.kit.labels import RECIPE_LABELS
from ui.kit.text import escape_markdown
from ui.runs import run_labels
from ui.runs.runs_keys import Key

IMAGENET = "imagenet"
_MINUTES, _MOST_MINUTES = 30, 24 * 60
_LEAST_PHOTOS = 2


def draw_new_search(taken: set[str]) -> None:
    """Draw the form that starts a search.

    Parameters
    ----------
    taken : set of str
        Names of existing searches.
    """
    # Imported here, as it takes seconds.
    from sneaker_core.training.recipe import RECIPES

    # By folder: two datasets may have the same name.
    datasets = {str(entry.folder): entry for entry in list_datasets(workspace()) if entry.photos >= _LEAST_PHOTOS}
    if not datasets:
        st.markdown("No photos yet. Import photos or create a synthetic dataset first.")
        st.page_link("pages/datasets.py", label="Go to Datasets", icon=":material/photo_library:")
        return
    with st.grid(2, min_column_width=300):
        dataset = st.selectbox(
            "Dataset",
            list(datasets),
            key=Key.STUDY_DATASET,
            format_func=lambda folder: f"{datasets[folder].name} ({counted(datasets[folder].photos, 'photo')})",
        )
        recipe_name = st.selectbox(
            "Base recipe",
            list(RECIPES),
            index=1,
            key=Key.STUDY_RECIPE,
            format_func=run_labels.recipe_word,
            help="  \n".join(f"**{told.title}**: {told.about}" for told in RECIPE_LABELS.values()),
        )
        changes, networks = _ask_networks(recipe_name, RECIPES[recipe_name].init)
        minutes = st.number_input(
            "Time budget in minutes",
            1,
            _MOST_MINUTES,
            _MINUTES,
            key=Key.STUDY_MINUTES,
            help="Does not include preparing the photos. A trial takes about a quarter of a full training; allow time "
            "for at least ten trials.",
        )
        suggested = _free_name(taken)
        name = st.text_input("Search name", suggested, key=Key.STUDY_NAME.of(suggested), max_chars=80)
    if change_button("Start search", key=Key.STUDY_START, type="primary", icon=":material/travel_explore:"):
        _start(str(dataset), clean_name(name or ""), taken, recipe_name, changes, networks, float(minutes))


def _ask_networks(recipe_name: str, usual: str) -> tuple[dict[str, Any], list[str]]:
    """Draw the choice of pretrained weights and networks."""
    from sneaker_core.networks.architectures import ARCHITECTURES

    init = usual
    if usual != "none":
        starts = {
            DEFAULT_MODEL: f"{DEFAULT_MODEL}: trained on sneakers, needs no download",
            IMAGENET: "ImageNet: general-purpose weights, downloaded once",
        }
        init = st.selectbox(
            "Pretrained weights",
            list(starts),
            index=list(starts).index(usual) if usual in starts else 0,
            key=Key.STUDY_INIT.of(recipe_name),
            format_func=starts.__getitem__,
            help=f"What the network has learned before. If your photos are among those that {DEFAULT_MODEL} learned "
            "from, ImageNet gives more honest results.",
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
        placeholder="The recipe's network",
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
        st.error(
            f"There is already a search named {escape_markdown(name)}. Choose another name.", icon=":material/error:"
        )
        return
    try:
        start_study(workspace(), dataset, name, make_recipe(preset, changes), networks=networks, minutes=minutes)
    except SneakerError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    choose_next(Key.STUDY, name)
    st.rerun()
