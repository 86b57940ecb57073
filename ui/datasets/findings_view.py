"""The section "Findings": possible problems with the photos, kind by kind, with review actions."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.quality.findings import Kind
from sneaker_core.datasets.review_log import Action
from sneaker_core.number_text import counted
from sneaker_core.training.next_steps import Step
from ui.datasets import dataset_details_cache
from ui.datasets.datasets_keys import Key
from ui.datasets.duplicate_groups import GROUPED_KINDS, draw_groups, group_table
from ui.datasets.photo_detail_view import draw_detail
from ui.datasets.spellings_view import draw_spellings
from ui.kit import dataset_cache
from ui.kit.changes import can_change, change_button
from ui.kit.labels import FINDING_LABELS
from ui.kit.next_step import draw_dataset_steps
from ui.kit.page_links import Page
from ui.kit.photo_grid import (
    PHOTOS_A_PAGE,
    badges_of,
    draw_choosing,
    draw_grid,
    draw_pages,
    page_count,
    shown_page,
    tiles_of,
)
from ui.kit.photo_tiles import draw_grid_style
from ui.kit.review_bar import chosen_of, draw_bar, draw_worth_above
from ui.kit.review_section import Change, Section, apply, apply_safe_suggestions, on_whole_page, reported_errors
from ui.kit.text import escape_markdown, truncate

NOT_CHECKED = (
    "The photos have not been checked yet. Choose **Check photos** in the Overview to find near-duplicates, wrong "
    "labels and other possible problems."
)
_DONE_ICON = ":material/verified:"


@st.fragment
def draw_findings(dataset: Dataset) -> None:
    """Draw the findings of a dataset, with review actions.

    Parameters
    ----------
    dataset : Dataset
    """
    draw_spellings(dataset)
    section = Section("findings", dataset)
    with reported_errors(dataset):
        draw_dataset_steps(dataset, Page.DATASETS, Step.REVIEW)
        draw_grid_style()
        draw_detail(section, _draw_findings(section))


def _draw_findings(section: Section) -> list[str]:
    """Draw the findings of one kind; returns the samples of their photos."""
    key = dataset_cache.review_key(section.dataset)
    findings = dataset_cache.dataset_findings(key)
    if section.dataset.fact("scan") is None:
        st.info(NOT_CHECKED, icon=":material/search:")
        return []
    draw_worth_above(section, invite=True)
    if findings.empty:
        st.success("All photos were checked. No problems found.", icon=_DONE_ICON)
        return []
    kind = _choose_kind(section, findings)
    return _draw_kind(section, key, findings[findings["kind"] == kind], kind)


def _choose_kind(section: Section, findings: pd.DataFrame) -> Kind:
    """Draw the kinds of findings; the most serious one with open findings is chosen first."""
    left = findings[findings["open"]].groupby("kind").size()
    kinds = [kind for kind in Kind if (findings["kind"] == kind).any()]
    first = next((kind for kind in kinds if left.get(kind, 0)), kinds[0])
    # The session may hold a kind of an earlier check.
    if st.session_state.get(section.key(Key.FINDING_KIND)) not in (None, *kinds):
        del st.session_state[section.key(Key.FINDING_KIND)]
    kind = st.pills(
        "Findings, most serious first",
        kinds,
        default=first,
        required=True,
        format_func=lambda kind: f"{FINDING_LABELS[kind].title} · {left.get(kind, 0):,}",
        key=section.key(Key.FINDING_KIND),
        persist_state="session",
        on_change=section.first_page,
    )
    return Kind(kind or first)


def _draw_kind(section: Section, key: dataset_cache.ReviewKey, findings: pd.DataFrame, kind: Kind) -> list[str]:
    left = findings[findings["open"]]
    st.markdown(FINDING_LABELS[kind].about)
    reviewed = len(findings) - len(left)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(reviewed / len(findings), f"{reviewed:,} of {len(findings):,} reviewed", width=280)
        _draw_suggestions(section, key)
    photos = dataset_cache.reviewed_photos(key)
    if left.empty:
        st.success(f"All {counted(len(findings), 'photo')} of this kind are reviewed.", icon=_DONE_ICON)
    groups = group_table(findings, photos) if kind in GROUPED_KINDS else None
    shown = left if groups is None else groups
    chosen = chosen_of(section, photos[photos["sample"].isin(shown["sample"])])
    if groups is None:
        _draw_photos(section, left, photos, kind)
    else:
        draw_groups(section, groups, kind)

    def changes(photos: pd.DataFrame, action: Action, label: str | None = None) -> list[Change]:
        return [Change(tuple(photos["sample"]), action, label, (kind.value,))]

    def draw_accept() -> None:
        if kind is Kind.WRONG_LABEL:
            change_button(
                "Accept suggestion",
                key=section.key(Key.FINDING_ACCEPT),
                icon=":material/auto_fix_high:",
                type="primary",
                help="Relabels each selected photo to the class it looks like.",
                on_click=on_whole_page(apply),
                args=(section, _suggested_changes(left[left["sample"].isin(chosen["sample"])])),
            )

    draw_bar(section, chosen, changes, key, draw_accept)
    return list(shown["sample"])


def _suggested_changes(findings: pd.DataFrame) -> list[Change]:
    groups = findings.groupby("suggestion")["sample"].agg(tuple)
    return [Change(samples, Action.RELABEL, str(label), (Kind.WRONG_LABEL.value,)) for label, samples in groups.items()]


def _draw_photos(section: Section, left: pd.DataFrame, photos: pd.DataFrame, kind: Kind) -> None:
    """Draw the photos of a kind, the most certain findings first."""
    pages = page_count(len(left))
    first = shown_page(section, pages) * PHOTOS_A_PAGE
    shown = left.iloc[first : first + PHOTOS_A_PAGE]
    suggestions = shown.set_index("sample")["suggestion"]

    def badges(photo: pd.Series) -> str:
        text = badges_of(photo, hidden=(kind,))
        suggestion = suggestions[photo["sample"]]
        if kind is Kind.WRONG_LABEL and isinstance(suggestion, str):
            label, looks_like = (escape_markdown(truncate(name)) for name in (photo["label"], suggestion))
            text = f":small[labeled {label}, looks like **{looks_like}**] {text}"
        return text

    if not left.empty:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{len(left):,}** to review", width="content")
            draw_choosing(section, list(shown["sample"]))
    rows = photos.set_index("sample", drop=False).loc[shown["sample"]]
    draw_grid(section, tiles_of(rows, badges), list(left["sample"]))
    draw_pages(section, pages)


def _draw_suggestions(section: Section, key: dataset_cache.ReviewKey) -> None:
    """Draw a button that explains the safe suggestions and applies them."""
    table = dataset_details_cache.safe_suggestions(key)
    if table.empty:
        return
    with st.popover(
        "Apply safe suggestions automatically",
        icon=":material/bolt:",
        key=section.key(Key.SUGGESTIONS_APPLY, "ask"),
        disabled=not can_change(),
    ):
        st.markdown(_suggestions_text(list(table["action"])))
        change_button(
            f"Apply to {counted(len(table), 'photo')}",
            key=section.key(Key.SUGGESTIONS_APPLY),
            type="primary",
            on_click=on_whole_page(apply_safe_suggestions),
            args=(section,),
        )


def _suggestions_text(actions: Sequence[str]) -> str:
    exclude, relabel = (actions.count(action.value) for action in (Action.EXCLUDE, Action.RELABEL))
    return (
        f"This will **exclude {counted(exclude, 'photo')}** (all but the largest of each near-duplicate group, photos "
        f"in two classes, photos that show no sneaker) and **relabel {counted(relabel, 'photo')}** to the class they "
        "look like. Blurry, dark, small and odd photos are left for you to judge. Suggestions can be wrong, but you "
        "can undo all of them at once."
    )
