"""The finding about classes whose names differ only in spelling: merge them with one click, or keep them apart."""

from collections.abc import Sequence

import streamlit as st

from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.quality.class_spellings import Spellings, keep_apart, merged_samples, spellings_title
from sneaker_core.datasets.review_log import Action
from sneaker_core.number_text import counted
from ui.datasets import dataset_details_cache
from ui.datasets.datasets_keys import Key
from ui.kit import dataset_cache
from ui.kit.changes import change_button
from ui.kit.review_section import Change, Section, apply, draw_notice, on_whole_page, reported_errors
from ui.kit.text import escape_markdown, truncate_middle

_MOST_GROUPS = 20


@st.fragment
def draw_spellings(dataset: Dataset) -> None:
    """Draw the classes whose names differ only in spelling, if there are any, and the result of the last merge.

    Parameters
    ----------
    dataset : Dataset
    """
    section = Section("spellings", dataset)
    with reported_errors(dataset):
        found = dataset_details_cache.spellings(dataset_cache.review_key(dataset))
        if found:
            _draw_groups(section, found)
        draw_notice(section)


def _draw_groups(section: Section, found: Sequence[Spellings]) -> None:
    with st.container(border=True):
        st.markdown(f":material/spellcheck: **{spellings_title(len(found))}**")
        st.caption(
            "Probably one class in several spellings, which a model would learn as different ones. Merging gives their "
            "photos one name; you can undo it under History."
        )
        for group in found[:_MOST_GROUPS]:
            _draw_group(section, group)
        if len(found) > _MOST_GROUPS:
            st.caption(f"And {len(found) - _MOST_GROUPS:,} more.")
        if len(found) > 1:
            change_button(
                f"Merge all {len(found):,}",
                key=section.key(Key.CLASSES_MERGE),
                type="primary",
                icon=":material/merge:",
                on_click=on_whole_page(_merge),
                args=(section, found),
            )


def _draw_group(section: Section, group: Spellings) -> None:
    named = [f"{_shown(name)} ({counted(count, 'photo')})" for name, count in group.counts.items()]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{', '.join(named[1:])} → **{named[0]}**", width="stretch")
        change_button(
            f"Merge into {_shown(group.suggested)}",
            key=section.key(Key.CLASSES_MERGE, group.suggested),
            icon=":material/merge:",
            on_click=on_whole_page(_merge),
            args=(section, [group]),
        )
        change_button(
            "Keep apart",
            key=section.key(Key.CLASSES_APART, group.suggested),
            type="tertiary",
            help="They are different classes. They are not listed here again.",
            on_click=on_whole_page(keep_apart),
            args=(section.dataset, list(group.counts)),
        )


def _shown(name: str) -> str:
    return escape_markdown(truncate_middle(name))


def _merge(section: Section, groups: Sequence[Spellings]) -> None:
    changes = [
        Change(tuple(merged_samples(section.dataset, group.others)), Action.MERGE, group.suggested) for group in groups
    ]
    apply(section, [change for change in changes if change.samples])
