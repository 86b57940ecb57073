"""Review actions for an evaluated photo; decisions go to the log of its dataset."""

from typing import Any

import pandas as pd
import streamlit as st

from sneaker_core.datasets.review_log import Action
from sneaker_core.workspace.clean_names import clean_name
from sneaker_core.workspace.safe_names import natural_order
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.loaded_evaluation import LoadedEvaluation, Reviews, reviews_of
from ui.kit import dataset_cache
from ui.kit.changes import can_change, change_button
from ui.kit.review_section import Notice, Section, apply, changes_by_kinds, draw_notice
from ui.kit.review_worth import draw_worth
from ui.kit.state_keys import KitKey
from ui.kit.text import escape_markdown, truncate

NOT_IN_DATASET = (
    "This photo is in none of your datasets, so it can’t be reviewed here. Import the photos on the Datasets page and "
    "evaluate the model on that dataset."
)


def draw_review(loaded: LoadedEvaluation, row: dict[str, Any]) -> None:
    """Draw the review actions for a photo, and the latest decision with "Undo".

    Parameters
    ----------
    loaded : LoadedEvaluation
    row : dict
        Of the prediction table.
    """
    section, reviews = loaded.section, reviews_of(loaded)
    if section is None or reviews is None:
        st.caption(f":material/info: {NOT_IN_DATASET}")
        return
    photo = reviews.rows[reviews.rows["sample"] == row["sample"]]
    if photo.empty:
        st.caption(f":material/info: {NOT_IN_DATASET}")
        return
    _draw_status(reviews, photo.iloc[0], row)
    with st.container(horizontal=True):
        _draw_relabel(section, photo, row)
        for action, name, icon, shortcut, about, key in (
            (
                Action.EXCLUDE,
                "Bad photo: exclude",
                ":material/block:",
                "X",
                "Leave the photo out of training and evaluation. The file stays, and you can undo this.",
                Key.EXCLUDE,
            ),
            (
                Action.KEEP,
                "Label is right: keep",
                ":material/check:",
                "K",
                "Photo and label are fine; the model is wrong.",
                Key.KEEP,
            ),
        ):
            change_button(
                name,
                key=section.key(key),
                icon=icon,
                help=about,
                shortcut=shortcut,
                on_click=apply,
                args=(section, changes_by_kinds(photo, action)),
            )
    draw_notice(section, "evaluation")
    draw_worth(section.dataset, section.place("evaluation"))


def _draw_status(reviews: Reviews, photo: "pd.Series[Any]", row: dict[str, Any]) -> None:
    """What was decided on the photo since the evaluation."""
    if photo["excluded"]:
        st.markdown(":red-badge[:material/block: excluded] The photo is no longer used.")
    elif photo["label"] != row["label"]:
        current = escape_markdown(truncate(str(photo["label"])))
        st.markdown(f":blue-badge[:material/label: relabeled] Its class is now **{current}**.")
    elif reviews.last.get(row["sample"]) == Action.KEEP:
        st.markdown(":green-badge[:material/check: kept] Photo and label were checked.")


def _draw_relabel(section: Section, photo: pd.DataFrame, row: dict[str, Any]) -> None:
    is_open = section.key(Key.RELABEL, "ask")
    with st.popover(
        "Label is wrong: relabel", icon=":material/label:", key=is_open, on_change="rerun", disabled=not can_change()
    ):
        names = sorted(dataset_cache.class_names(dataset_cache.review_key(section.dataset)), key=natural_order)
        # The prediction is the most likely true class, so it comes first.
        predicted = str(row["predicted"])
        names = [predicted, *(name for name in names if name != predicted)]
        box = section.key(Key.NEW_LABEL, str(row["sample"]))
        st.selectbox(
            "New class",
            names,
            key=box,
            placeholder="Choose a class or enter a new one",
            accept_new_options=True,
        )
        change_button(
            "Relabel",
            key=section.key(Key.RELABEL),
            type="primary",
            on_click=_relabel,
            args=(section, photo, box, is_open),
        )


def _relabel(section: Section, photo: pd.DataFrame, box: str, is_open: str) -> None:
    label = st.session_state.get(box)
    if not clean_name(label or ""):
        st.session_state[section.key(KitKey.NOTICE)] = Notice("Choose the new class first.", failed=True)
        return
    st.session_state[is_open] = False
    apply(section, changes_by_kinds(photo, Action.RELABEL, clean_name(label)))
