"""The review actions on photos: Keep, Exclude, Relabel, Undo; in a bar for the chosen ones, or beside one photo."""

from collections.abc import Callable
from typing import Protocol

import pandas as pd
import streamlit as st

from sneaker_core.datasets.review_log import Action
from sneaker_core.number_text import counted
from sneaker_core.workspace.clean_names import clean_name
from ui.kit import dataset_cache
from ui.kit.changes import can_change, change_button
from ui.kit.review_section import Change, Notice, Section, apply, draw_notice, on_whole_page
from ui.kit.review_worth import draw_worth
from ui.kit.state_keys import KitKey


class Changes(Protocol):
    """What an action on photos changes."""

    def __call__(self, photos: pd.DataFrame, action: Action, label: str | None = None) -> list[Change]:
        """The changes to save."""


def chosen_of(section: Section, photos: pd.DataFrame) -> pd.DataFrame:
    """The ticked photos of a section; ticks on photos that are not shown are removed.

    Parameters
    ----------
    section : Section
    photos : DataFrame
        All that match, on all pages.
    """
    chosen = photos[photos["sample"].isin(section.chosen)]
    section.chosen.intersection_update(chosen["sample"])
    return chosen


def draw_bar(
    section: Section,
    chosen: pd.DataFrame,
    changes: Changes,
    key: dataset_cache.ReviewKey,
    draw_more: Callable[[], None] = lambda: None,
) -> None:
    """Draw the number of chosen photos, the actions on them, and the result of the last action.

    Parameters
    ----------
    section : Section
    chosen : DataFrame
        Columns sample, kinds.
    changes : Changes
    key : ReviewKey
    draw_more : callable
        Draws more buttons.
    """
    if not _bar_is_shown(section):
        return
    with st.container(border=True, key=section.key(KitKey.BAR), gap="xsmall"):
        # Drawn even when empty, so that the notice keeps its place and nothing flickers.
        row = st.container(horizontal=True, vertical_alignment="center", gap="small")
        if not chosen.empty:
            with row:
                st.markdown(f"**{counted(len(chosen), 'photo')} selected**", width="content")
                draw_decisions(section, chosen, changes, key)
                draw_more()
        draw_notice(section, brief=not chosen.empty)
        draw_worth(section.dataset, section.place("bar"))


def _bar_is_shown(section: Section) -> bool:
    return bool(section.chosen) or section.key(KitKey.NOTICE) in st.session_state


def draw_worth_above(section: Section, *, invite: bool = False) -> None:
    """Draw what the decisions are worth above the photos, unless the bar below them says it.

    Parameters
    ----------
    section : Section
    invite : bool
        As for `draw_worth`.
    """
    if not _bar_is_shown(section):
        draw_worth(section.dataset, section.place("above"), invite=invite)


def draw_decisions(
    section: Section, photos: pd.DataFrame, changes: Changes, key: dataset_cache.ReviewKey, place: str = ""
) -> None:
    """Draw the review actions on photos.

    Parameters
    ----------
    section : Section
    photos : DataFrame
        Columns sample, kinds.
    changes : Changes
    key : ReviewKey
    place : str
        Tells these buttons from others of the section; given in a dialog, which then reruns alone.
    """
    callback = _decide if place else on_whole_page(_decide)
    for action, name, icon, shortcut, why in (
        (Action.KEEP, "Keep", ":material/check:", "K", "The photo and its class are fine. It won't be flagged again."),
        (
            Action.EXCLUDE,
            "Exclude",
            ":material/block:",
            "X",
            "Leave it out of training and evaluation. The file is kept, and you can undo this.",
        ),
    ):
        change_button(
            name,
            key=section.key(KitKey.KEEP if action is Action.KEEP else KitKey.EXCLUDE, place),
            icon=icon,
            help=why,
            shortcut=shortcut if place else None,
            on_click=callback,
            args=(section, photos, changes, action),
        )
    asking = section.key(KitKey.RELABEL, f"{place}-ask")
    with st.popover(
        "Relabel to…",
        icon=":material/label:",
        key=asking,
        on_change="rerun" if place else "ignore",
        disabled=not can_change(),
    ):
        st.selectbox(
            "Class",
            dataset_cache.class_names(key),
            index=None,
            key=section.key(KitKey.NEW_LABEL, place),
            placeholder="Choose a class, or type a new one",
            accept_new_options=True,
        )
        change_button(
            f"Relabel {counted(len(photos), 'photo')}",
            key=section.key(KitKey.RELABEL, place),
            type="primary",
            on_click=callback,
            args=(section, photos, changes, Action.RELABEL, place),
        )


def _decide(section: Section, photos: pd.DataFrame, changes: Changes, action: Action, place: str = "") -> None:
    label = None
    if action is Action.RELABEL:
        label = st.session_state.get(section.key(KitKey.NEW_LABEL, place))
        if not clean_name(label or ""):
            notice = Notice("Choose a class first.", failed=True)
            st.session_state[section.key(KitKey.NOTICE)] = notice
            return
        st.session_state[section.key(KitKey.NEW_LABEL, place)] = None
        if place:
            # The bar disappears with its photos, but a dialog stays, and its popover would stay open.
            st.session_state[section.key(KitKey.RELABEL, f"{place}-ask")] = False
    apply(section, changes(photos, action, label))
