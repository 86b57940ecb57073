"""The section "History": every decision, the newest first, each with a way back."""

import math

import pandas as pd
import streamlit as st

from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.review_log import Action, undo
from sneaker_core.errors import SneakerError
from ui.datasets.datasets_keys import Key
from ui.kit import dataset_cache
from ui.kit.moments import moment
from ui.kit.photo_grid import draw_pages, shown_page
from ui.kit.quantities import counted_photos
from ui.kit.review_section import Notice, Section, author, draw_notice, on_whole_page, said_kindly
from ui.kit.state_keys import KitKey
from ui.kit.text import plain, shortened

NOTHING = "Nothing has been decided yet. Whatever you keep, move or exclude is listed here."
_BATCHES_A_PAGE = 12
_MOST_PHOTOS = 30
_DONE = {Action.KEEP: "kept", Action.EXCLUDE: "excluded", Action.RELABEL: "moved"}


@st.fragment
def draw_history(dataset: Dataset) -> None:
    """Draw every decision on a dataset, with buttons that take one or all photos of it back.

    Parameters
    ----------
    dataset : Dataset
    """
    section = Section("history", dataset)
    with said_kindly(dataset):
        table = dataset_cache.decisions(dataset_cache.review_key(dataset))
        if table.empty:
            st.info(NOTHING, icon=":material/history:")
            return
        batches = table.groupby("batch", sort=False)
        order = table["batch"].drop_duplicates().tolist()
        standing = table["undone"].isna()
        decided = "1 decision" if len(table) == 1 else f"{len(table):,} decisions"
        st.markdown(
            f"**{decided}**, {int(standing.sum()):,} in force. The photos themselves are never "
            "touched, so everything here can be taken back."
        )
        draw_notice(section)
        pages = math.ceil(len(order) / _BATCHES_A_PAGE)
        first = shown_page(section, pages) * _BATCHES_A_PAGE
        for batch in order[first : first + _BATCHES_A_PAGE]:
            _draw_batch(section, batches.get_group(batch))
        draw_pages(section, pages)


def what_was_done(rows: pd.DataFrame) -> str:
    """A batch of decisions in one line of markdown: "3 photos moved to Air Max 1"."""
    one = rows.iloc[0]
    where = f" to {plain(shortened(one['label']))}" if isinstance(one["label"], str) else ""
    return f"{counted_photos(len(rows))} {_DONE[Action(one['action'])]}{where}"


def _draw_batch(section: Section, rows: pd.DataFrame) -> None:
    standing = rows[rows["undone"].isna()]
    one = rows.iloc[0]
    batch = str(one["batch"])
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(gap=None, width="stretch"):
                st.markdown(f"**{what_was_done(rows)}** {_state(len(rows), len(standing))}")
                who = "by you" if one["author"] == author() else "by another person, or you on another visit"
                st.caption(f"{moment(one['time'])}, {who}")
            if len(rows) > 1:
                opened = st.toggle("Photos", key=section.key(Key.BATCH_PHOTOS, batch))
            else:
                opened = False
                st.caption(plain(shortened(one["name"])), width="content")
            st.button(
                "Undo",
                key=section.key(KitKey.UNDO, batch),
                icon=":material/undo:",
                disabled=standing.empty,
                on_click=on_whole_page(_take_back),
                args=(section, batch, None),
            )
        if opened:
            _draw_photos(section, rows)


def _state(decided: int, standing: int) -> str:
    if standing == decided:
        return ""
    return (
        ":gray-badge[taken back]" if not standing else f":gray-badge[{decided - standing:,} of {decided:,} taken back]"
    )


def _draw_photos(section: Section, rows: pd.DataFrame) -> None:
    """Each photo of a batch with a way back of its own."""
    for _, row in rows.head(_MOST_PHOTOS).iterrows():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(plain(shortened(row["name"])), width="stretch")
            if pd.notna(row["undone"]):
                st.markdown(":gray-badge[taken back]", width="content")
            else:
                st.button(
                    "Undo this one",
                    key=section.key(KitKey.UNDO, f"one-{row['decision']}"),
                    type="tertiary",
                    on_click=on_whole_page(_take_back),
                    args=(section, None, int(row["decision"])),
                )
    if len(rows) > _MOST_PHOTOS:
        st.caption(f"And {len(rows) - _MOST_PHOTOS:,} more.")


def _take_back(section: Section, batch: str | None, decision: int | None) -> None:
    try:
        photos = undo(section.dataset, batch=batch, decision=decision)
        said = Notice(f"Taken back: {counted_photos(photos)} as before.")
    except SneakerError as error:
        said = Notice(plain(str(error)), failed=True)
    st.session_state[section.key(KitKey.NOTICE)] = said
