"""The section "History": every decision, newest first, each with a button to undo it."""

import math
from collections.abc import Mapping

import pandas as pd
import streamlit as st

from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.review_log import Action, undo
from sneaker_core.datasets.review_summary import summarize_batch
from sneaker_core.errors import SneakerError
from sneaker_core.number_text import counted
from ui.datasets.datasets_keys import Key
from ui.kit import dataset_cache
from ui.kit.changes import change_button
from ui.kit.photo_grid import draw_pages, shown_page
from ui.kit.review_section import Notice, Section, author, draw_notice, on_whole_page, reported_errors
from ui.kit.state_keys import KitKey
from ui.kit.text import escape_markdown, timestamp_text, truncate_middle

NO_DECISIONS = "No decisions yet. Photos that you keep, relabel or exclude are listed here, and merged classes."
_BATCHES_A_PAGE = 12
_MOST_PHOTOS = 30
_MOST_CLASSES = 4


@st.fragment
def draw_history(dataset: Dataset) -> None:
    """Draw all decisions on a dataset, with buttons that undo a batch or a single decision.

    Parameters
    ----------
    dataset : Dataset
    """
    section = Section("history", dataset)
    with reported_errors(dataset):
        table = dataset_cache.decisions(dataset_cache.review_key(dataset))
        if table.empty:
            st.info(NO_DECISIONS, icon=":material/history:")
            return
        batches = table.groupby("batch", sort=False)
        order = table["batch"].drop_duplicates().tolist()
        active = int(table["undone"].isna().sum())
        st.markdown(
            f"**{counted(len(table), 'decision')}**, {active:,} active. Photo files are never changed, so you can undo "
            "everything here."
        )
        draw_notice(section)
        pages = math.ceil(len(order) / _BATCHES_A_PAGE)
        first = shown_page(section, pages) * _BATCHES_A_PAGE
        for batch in order[first : first + _BATCHES_A_PAGE]:
            _draw_batch(section, batches.get_group(batch))
        draw_pages(section, pages)


def batch_text(decisions: pd.DataFrame) -> str:
    """A batch of decisions in one line of markdown.

    Parameters
    ----------
    decisions : DataFrame
        Rows of `review_log.history` that share a batch.

    Returns
    -------
    str
        "3 photos excluded", "1 photo relabeled to Air Max 1" or "7 photos: 4 relabeled (3 to Air Jordan 3, 1 to Air
        Jordan 1), 3 excluded".
    """
    summary = summarize_batch(decisions)
    moved, merged = (
        {one.label: one.photos for one in summary.changes if one.label is not None and one.action is action}
        for action in (Action.RELABEL, Action.MERGE)
    )
    counts = {action: sum(one.photos for one in summary.changes if one.action is action) for action in Action}
    parts = [
        (counts[Action.RELABEL], f"relabeled{_targets_text(moved)}"),
        (counts[Action.MERGE], f"merged{_targets_text(merged, 'into')}"),
        (counts[Action.EXCLUDE], "excluded"),
        (counts[Action.KEEP], "kept"),
    ]
    done = [(count, text) for count, text in parts if count]
    photos = counted(summary.photos, "photo")
    if len(done) == 1:
        return f"{photos} {done[0][1]}"
    return f"{photos}: {', '.join(f'{count:,} {text}' for count, text in done)}"


def _targets_text(relabeled: Mapping[str, int], word: str = "to") -> str:
    """The new classes of photos: " to Air Max 1" or " (3 to Air Jordan 3, 1 to Air Jordan 1)"."""
    targets = [(escape_markdown(truncate_middle(label)), count) for label, count in relabeled.items()]
    if len(targets) == 1:
        return f" {word} {targets[0][0]}"
    listed = [f"{count:,} {word} {label}" for label, count in targets[:_MOST_CLASSES]]
    if rest := targets[_MOST_CLASSES:]:
        others = counted(len(rest), "other class", "other classes")
        listed.append(f"{sum(count for _, count in rest):,} {word} {others}")
    return f" ({', '.join(listed)})"


def _draw_batch(section: Section, decisions: pd.DataFrame) -> None:
    active = decisions[decisions["undone"].isna()]
    newest = decisions.iloc[0]
    batch = str(newest["batch"])
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{batch_text(decisions)}** {_undone_badge(len(decisions), len(active))}")
        with st.container(horizontal=True, vertical_alignment="center"):
            who = "by you" if newest["author"] == author() else "in another session"
            st.caption(f"{timestamp_text(newest['time'])}, {who}", width="stretch")
            if len(decisions) > 1:
                opened = st.toggle("Show photos", key=section.key(Key.BATCH_PHOTOS, batch))
            else:
                opened = False
                st.caption(escape_markdown(truncate_middle(newest["name"])), width="content")
            change_button(
                "Undo",
                key=section.key(KitKey.UNDO, batch),
                icon=":material/undo:",
                disabled=active.empty,
                on_click=on_whole_page(_undo),
                args=(section, batch, None),
            )
        if opened:
            _draw_photos(section, decisions)


def _undone_badge(decided: int, active: int) -> str:
    if active == decided:
        return ""
    return ":gray-badge[undone]" if not active else f":gray-badge[{decided - active:,} of {decided:,} undone]"


def _draw_photos(section: Section, decisions: pd.DataFrame) -> None:
    """The photos of a batch, each with a button to undo its decision."""
    for _, decision in decisions.head(_MOST_PHOTOS).iterrows():
        with st.container(horizontal=True, vertical_alignment="center"):
            what = batch_text(decision.to_frame().T).removeprefix("1 photo ")
            st.markdown(f"{escape_markdown(truncate_middle(decision['name']))} :small[{what}]", width="stretch")
            if pd.notna(decision["undone"]):
                st.markdown(":gray-badge[undone]", width="content")
            else:
                change_button(
                    "Undo for this photo",
                    key=section.key(KitKey.UNDO, f"one-{decision['decision']}"),
                    type="tertiary",
                    on_click=on_whole_page(_undo),
                    args=(section, None, int(decision["decision"])),
                )
    if len(decisions) > _MOST_PHOTOS:
        st.caption(f"And {len(decisions) - _MOST_PHOTOS:,} more.")


def _undo(section: Section, batch: str | None, decision: int | None) -> None:
    try:
        photos = undo(section.dataset, batch=batch, decision=decision)
        notice = Notice(f"Undone for {counted(photos, 'photo')}.")
    except SneakerError as error:
        notice = Notice(escape_markdown(str(error)), failed=True)
    st.session_state[section.key(KitKey.NOTICE)] = notice
