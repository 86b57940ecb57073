"""Recipe cards: what each recipe does, when to choose it, and how long it takes on this computer."""

from dataclasses import dataclass

import streamlit as st

from sneaker_core.training.planning.time_estimate import Estimate
from sneaker_core.training.recipe import RECIPES, Recipe
from sneaker_core.workspace.paths import workspace
from ui.kit.job_panel import rerun_when
from ui.kit.labels import RECIPE_LABELS
from ui.kit.text import duration_text
from ui.train import training_cache
from ui.train.train_keys import Key


@dataclass(frozen=True)
class Amount:
    """Amount of training data.

    Attributes
    ----------
    photos, classes : int
    idle : bool
        Whether no training is running; otherwise a time measurement would be too slow.
    """

    photos: int
    classes: int
    idle: bool


def choose_recipe(amount: Amount) -> str:
    """Draw the recipe cards; returns the name of the chosen recipe.

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
    words = RECIPE_LABELS[name]
    with st.container(border=True, height="stretch", gap="small"):
        st.markdown(f"{words.icon} **{words.title}**")
        st.markdown(words.about)
        st.caption(words.when)
        draw_time(RECIPES[name], amount, name, measure=amount.idle)
        with st.container(height="stretch", vertical_alignment="bottom"):
            st.button(
                "Selected" if chosen else f"Choose {words.title}",
                key=Key.TRAIN_CHOOSE.of(name),
                type="primary" if chosen else "secondary",
                icon=":material/check:" if chosen else None,
                on_click=_choose,
                args=(name,),
                width="stretch",
            )


def draw_time(recipe: Recipe, amount: Amount, name: str, *, measure: bool) -> None:
    """Show how long a training takes on this computer, or offer to measure it.

    Parameters
    ----------
    recipe : Recipe
    amount : Amount
    name : str
        Distinguishes this widget from others on the page.
    measure : bool
        Whether to measure without asking.
    """
    if not amount.photos:
        return
    key = Key.TRAIN_MEASURE.of(name)
    time = training_cache.training_time(
        recipe, amount.photos, amount.classes, workspace(), measure=measure or bool(st.session_state.get(key))
    )
    if isinstance(time, Estimate):
        st.markdown(
            f":material/schedule: {duration_text(time.total).capitalize()} on this computer",
            help=f"Estimated from a few test batches: {duration_text(time.reading)} to prepare the photos, "
            f"{duration_text(time.learning)} to train and {duration_text(time.measuring)} to evaluate the model. "
            "Photos that are already cached take less time.",
        )
    elif time is None:
        st.button(
            "Estimate the time",
            key=key,
            type="tertiary",
            icon=":material/timer:",
            help=None if amount.idle else "Another training is running, so the estimate will be too high.",
        )
    elif time.done():
        st.caption(":material/schedule: The time could not be estimated.")
    else:
        st.caption(":material/hourglass_top: Estimating the time…")
        rerun_when(time.done)
