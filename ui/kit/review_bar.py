"""The bar that decides on the chosen photos: keep, exclude, relabel."""

from collections.abc import Callable
from typing import Protocol

import pandas as pd
import streamlit as st

from sneaker_core.datasets.review_log import Action
from ui.kit import dataset_cache
from ui.kit.quantities import counted_photos
from ui.kit.review_section import Change, Notice, Section, apply, draw_notice, on_whole_page
from ui.kit.state_keys import KitKey


class Changes(Protocol):
    """What a decision on photos settles."""

    def __call__(self, photos: pd.DataFrame, action: Action, label: str | None = None) -> list[Change]:
        """The changes to save."""


def chosen_of(section: Section, photos: pd.DataFrame) -> pd.DataFrame:
    """The ticked ones among the photos of a section; a tick on any other is taken off, for nobody sees it.

    Parameters
    ----------
    section : Section
    photos : DataFrame
        All that match, on whatever page.
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
    """Draw how many photos are chosen, what can be done with them, and what was done last.

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
    if chosen.empty and section.key(KitKey.NOTICE) not in st.session_state:
        return
    with st.container(border=True, key=section.key(KitKey.BAR), gap="xsmall"):
        # There even when it is empty: the notice keeps its place, and nothing flickers.
        row = st.container(horizontal=True, vertical_alignment="center", gap="small")
        if not chosen.empty:
            with row:
                st.markdown(f"**{counted_photos(len(chosen))} chosen**", width="content")
                draw_decisions(section, chosen, changes, key)
                draw_more()
        draw_notice(section, brief=not chosen.empty)


def draw_decisions(
    section: Section, photos: pd.DataFrame, changes: Changes, key: dataset_cache.ReviewKey, place: str = ""
) -> None:
    """Draw the buttons that decide on photos.

    Parameters
    ----------
    section : Section
    photos : DataFrame
        Columns sample, kinds.
    changes : Changes
    key : ReviewKey
    place : str
        Tells these buttons from others of the section; in a dialog only the dialog is drawn anew.
    """
    callback = _decide if place else on_whole_page(_decide)
    for action, name, icon, shortcut, why in (
        (Action.KEEP, "Keep", ":material/check:", "K", "Fine as it is: I will not ask about it again."),
        (
            Action.EXCLUDE,
            "Exclude",
            ":material/block:",
            "X",
            "Leave it out of everything. The file stays, and you can undo it.",
        ),
    ):
        st.button(
            name,
            key=section.key(KitKey.KEEP if action is Action.KEEP else KitKey.EXCLUDE, place),
            icon=icon,
            help=why,
            shortcut=shortcut if place else None,
            on_click=callback,
            args=(section, photos, changes, action),
        )
    asking = section.key(KitKey.RELABEL, f"{place}-ask")
    with st.popover("Relabel to…", icon=":material/label:", key=asking, on_change="rerun" if place else "ignore"):
        st.selectbox(
            "Class",
            dataset_cache.class_names(key),
            index=None,
            key=section.key(KitKey.NEW_LABEL, place),
            placeholder="Choose a class, or type a new one",
            accept_new_options=True,
        )
        st.button(
            f"Relabel {counted_photos(len(photos))}",
            key=section.key(KitKey.RELABEL, place),
            type="primary",
            on_click=callback,
            args=(section, photos, changes, Action.RELABEL, place),
        )


def _decide(section: Section, photos: pd.DataFrame, changes: Changes, action: Action, place: str = "") -> None:
    label = None
    if action is Action.RELABEL:
        label = st.session_state.get(section.key(KitKey.NEW_LABEL, place))
        if not label or not label.strip():
            notice = Notice("Choose the class that the photos belong to first.", failed=True)
            st.session_state[section.key(KitKey.NOTICE)] = notice
            return
        st.session_state[section.key(KitKey.NEW_LABEL, place)] = None
        if place:
            # The bar goes with its photos; a dialog stays, and its question would stay open.
            st.session_state[section.key(KitKey.RELABEL, f"{place}-ask")] = False
    apply(section, changes(photos, action, label))
