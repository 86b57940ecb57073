"""What to do about a photo that was judged wrong: decisions that go to the log of its dataset."""

from typing import Any

import pandas as pd
import streamlit as st

from sneaker_core.datasets.review_log import Action
from sneaker_core.datasets.safe_names import natural_order
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.opened_evaluation import Opened, Reviews, reviews_of
from ui.kit import dataset_cache
from ui.kit.photo_grid import cut
from ui.kit.review_section import Notice, Section, apply, changes_by_kinds, draw_notice
from ui.kit.state_keys import KitKey
from ui.kit.text import plain

NOT_OURS = (
    "This photo is in no dataset here, so nothing can be decided about it. Import the photos on the Datasets page and "
    "evaluate the model on that dataset."
)


def draw_acts(opened: Opened, row: dict[str, Any]) -> None:
    """Draw the decisions on a photo, and what was decided last, with a way back.

    Parameters
    ----------
    opened : Opened
    row : dict
        Of the prediction table.
    """
    section, reviews = opened.section, reviews_of(opened)
    if section is None or reviews is None:
        st.caption(f":material/info: {NOT_OURS}")
        return
    photo = reviews.rows[reviews.rows["sample"] == row["sample"]]
    if photo.empty:
        st.caption(f":material/info: {NOT_OURS}")
        return
    _draw_standing(reviews, photo.iloc[0], row)
    with st.container(horizontal=True):
        _draw_relabel(section, photo, row)
        for action, name, icon, shortcut, why, key in (
            (
                Action.EXCLUDE,
                "Bad photo: exclude",
                ":material/block:",
                "X",
                "Leave it out of everything. The file stays, and you can undo it.",
                Key.EVALUATION_EXCLUDE,
            ),
            (
                Action.KEEP,
                "Fine, a hard case: keep",
                ":material/check:",
                "K",
                "Label and photo are right; the model has yet to learn it.",
                Key.EVALUATION_KEEP,
            ),
        ):
            st.button(
                name,
                key=section.key(key),
                icon=icon,
                help=why,
                shortcut=shortcut,
                on_click=apply,
                args=(section, changes_by_kinds(photo, action)),
            )
    draw_notice(section, "evaluation")


def _draw_standing(reviews: Reviews, photo: "pd.Series[Any]", row: dict[str, Any]) -> None:
    """How the photo stands now, where that is not how it was judged."""
    if photo["excluded"]:
        st.markdown(":red-badge[:material/block: excluded] It is left out of everything since.")
    elif photo["label"] != row["label"]:
        now = plain(cut(str(photo["label"])))
        st.markdown(f":blue-badge[:material/label: relabelled] It is filed as **{now}** now.")
    elif reviews.last.get(row["sample"]) == Action.KEEP:
        st.markdown(":green-badge[:material/check: kept] Somebody has looked at it and found it right.")


def _draw_relabel(section: Section, photo: pd.DataFrame, row: dict[str, Any]) -> None:
    asking = section.key(Key.EVALUATION_RELABEL, "ask")
    with st.popover("Label is wrong: relabel", icon=":material/label:", key=asking, on_change="rerun"):
        names = sorted(dataset_cache.class_names(dataset_cache.review_key(section.dataset)), key=natural_order)
        # What the model said is the first guess at what it truly is.
        guess = str(row["predicted"])
        names = [guess, *(name for name in names if name != guess)]
        box = section.key(Key.EVALUATION_NEW_LABEL, str(row["sample"]))
        st.selectbox(
            "What it truly is",
            names,
            key=box,
            placeholder="Choose a class, or type a new one",
            accept_new_options=True,
        )
        st.button(
            "Relabel",
            key=section.key(Key.EVALUATION_RELABEL),
            type="primary",
            on_click=_relabel,
            args=(section, photo, box, asking),
        )


def _relabel(section: Section, photo: pd.DataFrame, box: str, asking: str) -> None:
    label = st.session_state.get(box)
    if not label or not label.strip():
        st.session_state[section.key(KitKey.NOTICE)] = Notice("Choose the class that it belongs to first.", failed=True)
        return
    st.session_state[asking] = False
    apply(section, changes_by_kinds(photo, Action.RELABEL, label.strip()))
