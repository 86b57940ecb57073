"""The recipes on cards: what each does, when to choose it, and how long it takes here."""

from concurrent.futures import Future
from dataclasses import dataclass

import streamlit as st

from sneaker_core.training.planning.time_estimate import Estimate
from sneaker_core.training.recipe import RECIPES, Recipe
from sneaker_core.workspace.paths import workspace
from ui.kit.quantities import time_words
from ui.kit.training_labels import RECIPE_WORDS
from ui.train import training_cache
from ui.train.train_keys import Key

_LOOK_EVERY = 1.0


@dataclass(frozen=True)
class Amount:
    """How much there is to learn from.

    Attributes
    ----------
    photos, classes : int
    idle : bool
        Whether no training is at work: beside one, a measurement would tell too long a time.
    """

    photos: int
    classes: int
    idle: bool


def choose_recipe(amount: Amount) -> str:
    """The name of the recipe that is chosen; the first one until somebody chooses.

    Parameters
    ----------
    amount : Amount
    """
    chosen = st.session_state.get(Key.TRAIN_RECIPE, next(iter(RECIPES)))
    with st.grid(3, min_column_width=240):
        for name in RECIPES:
            _draw_card(name, chosen == name, amount)
    return str(chosen)


def _choose(name: str) -> None:
    st.session_state[Key.TRAIN_RECIPE] = name


def _draw_card(name: str, chosen: bool, amount: Amount) -> None:
    words = RECIPE_WORDS[name]
    with st.container(border=True, height="stretch", gap="small"):
        st.markdown(f"{words.icon} **{words.title}**")
        st.markdown(words.about)
        st.caption(words.when)
        draw_time(RECIPES[name], amount, name, measure=amount.idle)
        with st.container(height="stretch", vertical_alignment="bottom"):
            st.button(
                "Chosen" if chosen else f"Choose {words.title}",
                key=Key.TRAIN_CHOOSE.of(name),
                type="primary" if chosen else "secondary",
                icon=":material/check:" if chosen else None,
                on_click=_choose,
                args=(name,),
                width="stretch",
            )


def draw_time(recipe: Recipe, amount: Amount, name: str, *, measure: bool) -> None:
    """Say how long a training takes on this machine, or offer to measure it.

    Parameters
    ----------
    recipe : Recipe
    amount : Amount
    name : str
        Tells this place from others on the page.
    measure : bool
        Whether to measure without being asked.
    """
    if not amount.photos:
        return
    key = Key.TRAIN_MEASURE.of(name)
    time = training_cache.training_time(
        recipe, amount.photos, amount.classes, workspace(), measure=measure or bool(st.session_state.get(key))
    )
    if isinstance(time, Estimate):
        st.markdown(
            f":material/schedule: {time_words(time.total).capitalize()} on this machine",
            help=f"Measured by a few trial batches: {time_words(time.reading)} until it begins, "
            f"{time_words(time.learning)} to learn, {time_words(time.measuring)} to measure how good it became. "
            "Photos that were read before are quicker.",
        )
    elif time is None:
        st.button(
            "Measure how long it takes",
            key=key,
            type="tertiary",
            icon=":material/timer:",
            help=None if amount.idle else "A training is at work, so it will seem slower than it is.",
        )
    elif time.done():
        st.caption(":material/schedule: How long it takes could not be measured.")
    else:
        _wait_for(time)


@st.fragment(run_every=_LOOK_EVERY)
def _wait_for(time: "Future[Estimate]") -> None:
    """Look once a second whether the measurement is done; the page runs anew, once, when it is."""
    if time.done():
        st.rerun()
    st.caption(":material/hourglass_top: Measuring how long it takes here…")
