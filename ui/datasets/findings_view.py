"""The section "Findings": what may be wrong with the photos, kind by kind, and what to do about it."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.quality.findings import Kind
from sneaker_core.datasets.review_log import Action
from ui.datasets import dataset_details_cache
from ui.datasets.datasets_keys import Key
from ui.datasets.photo_detail_view import draw_case
from ui.kit import dataset_cache
from ui.kit.labels import FINDING_LABELS
from ui.kit.photo_grid import (
    PHOTOS_A_PAGE,
    badges_of,
    cut,
    draw_choosing,
    draw_grid,
    draw_pages,
    draw_style,
    page_count,
    shown_page,
    tiles_of,
)
from ui.kit.quantities import counted_photos
from ui.kit.review_bar import chosen_of, draw_bar
from ui.kit.review_section import Change, Section, apply, apply_told, on_whole_page, said_kindly
from ui.kit.text import plain

NOT_LOOKED = (
    "Nobody has looked for problems here yet. Press **Look for problems** on the Overview: I compare all photos and "
    "list copies, wrong classes, and whatever looks odd."
)
_DONE = ":material/verified:"
_COPIES_ABREAST = 3
_OF_FAMILIES = (Kind.TWO_LABELS, Kind.NEAR_DUPLICATE)


@st.fragment
def draw_findings(dataset: Dataset) -> None:
    """Draw the findings about a dataset, with the bar that decides on them.

    Parameters
    ----------
    dataset : Dataset
    """
    section = Section("findings", dataset)
    with said_kindly(dataset):
        key = dataset_cache.review_key(dataset)
        if dataset.fact("scan") is None:
            st.info(NOT_LOOKED, icon=":material/search:")
            return
        findings = dataset_cache.dataset_findings(key)
        if findings.empty:
            st.success("I looked at every photo and found nothing to complain about.", icon=_DONE)
            return
        draw_style()
        kind = _draw_kinds(section, findings)
        _draw_kind(section, key, findings[findings["kind"] == kind], kind)
        draw_case(section)


def _draw_kinds(section: Section, findings: pd.DataFrame) -> Kind:
    """Ask which kind to look at; the gravest that is not settled comes first."""
    left = findings[findings["open"]].groupby("kind").size()
    kinds = [kind for kind in Kind if (findings["kind"] == kind).any()]
    first = next((kind for kind in kinds if left.get(kind, 0)), kinds[0])
    # What is kept in the session may be of an earlier scan.
    if st.session_state.get(section.key(Key.FINDING)) not in (None, *kinds):
        del st.session_state[section.key(Key.FINDING)]
    kind = st.pills(
        "What I found, the gravest first",
        kinds,
        default=first,
        required=True,
        format_func=lambda kind: f"{FINDING_LABELS[kind].title} · {left.get(kind, 0):,}",
        key=section.key(Key.FINDING),
        persist_state="session",
        on_change=section.first_page,
    )
    return Kind(kind or first)


def _draw_kind(section: Section, key: dataset_cache.ReviewKey, findings: pd.DataFrame, kind: Kind) -> None:
    left = findings[findings["open"]]
    st.markdown(FINDING_LABELS[kind].about)
    reviewed = len(findings) - len(left)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(reviewed / len(findings), f"{reviewed:,} of {len(findings):,} reviewed", width=280)
        _draw_apply(section, key)
    photos = dataset_cache.reviewed_photos(key)
    if left.empty:
        st.success(
            f"All {counted_photos(len(findings))} of this kind reviewed. Nicely done.", icon=":material/verified:"
        )
    families = _family_table(findings, photos) if kind in _OF_FAMILIES else None
    shown = left if families is None else families
    chosen = chosen_of(section, photos[photos["sample"].isin(shown["sample"])])
    if families is None:
        _draw_single(section, left, photos, kind)
    else:
        _draw_families(section, families, kind)

    def changes(photos: pd.DataFrame, action: Action, label: str | None = None) -> list[Change]:
        return [Change(tuple(photos["sample"]), action, label, (kind.value,))]

    def draw_accept() -> None:
        if kind is Kind.WRONG_LABEL:
            st.button(
                "Accept suggestion",
                key=section.key(Key.ACCEPT),
                icon=":material/auto_fix_high:",
                type="primary",
                help="Move each chosen photo to the class that it looks like.",
                on_click=on_whole_page(apply),
                args=(section, _accepted(left[left["sample"].isin(chosen["sample"])])),
            )

    draw_bar(section, chosen, changes, key, draw_accept)


def _accepted(findings: pd.DataFrame) -> list[Change]:
    groups = findings.groupby("suggestion")["sample"].agg(tuple)
    return [Change(samples, Action.RELABEL, str(label), (Kind.WRONG_LABEL.value,)) for label, samples in groups.items()]


def _draw_single(section: Section, left: pd.DataFrame, photos: pd.DataFrame, kind: Kind) -> None:
    """The photos of a kind, the surest first."""
    pages = page_count(len(left))
    first = shown_page(section, pages) * PHOTOS_A_PAGE
    shown = left.iloc[first : first + PHOTOS_A_PAGE]
    suggestions = shown.set_index("sample")["suggestion"]

    def badges(photo: pd.Series) -> str:
        text = badges_of(photo, hidden=(kind,))
        looks = suggestions[photo["sample"]]
        if kind is Kind.WRONG_LABEL and isinstance(looks, str):
            text = f":small[filed as {plain(cut(photo['label']))}, looks like **{plain(cut(looks))}**] {text}"
        return text

    rows = photos.set_index("sample", drop=False).loc[shown["sample"]]
    _draw_toolbar(section, len(left), list(shown["sample"]))
    draw_grid(section, tiles_of(rows, badges), list(left["sample"]))
    draw_pages(section, pages)


def _draw_toolbar(section: Section, count: int, here: Sequence[str], copies: Sequence[str] = ()) -> None:
    """How many are left, and buttons that tick several at once; of copies, also all but the largest."""
    if not here:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{count:,}** to look at", width="content")
        draw_choosing(section, here)
        if copies:
            st.button(
                "Choose all but the largest",
                key=section.key(Key.CHOOSE_COPIES),
                icon=":material/filter_none:",
                on_click=section.chosen.update,
                args=(tuple(copies),),
                help="On this page: what can go when one of each is enough.",
            )


def _family_table(findings: pd.DataFrame, photos: pd.DataFrame) -> pd.DataFrame:
    """The photos of all families that wait for a decision, each family together, its largest photo first."""
    left = findings.loc[findings["open"], "group_id"]
    table = findings[findings["group_id"].isin(left)][["sample", "group_id", "open", "advice"]].merge(
        photos, on="sample"
    )
    table = table[~table["excluded"]].assign(pixels=table["width"] * table["height"])
    table = table.sort_values(["group_id", "pixels", "bytes"], ascending=[True, False, False], kind="stable")
    return table.assign(largest=~table.duplicated("group_id"))


def _draw_families(section: Section, table: pd.DataFrame, kind: Kind) -> None:
    """Copies side by side, the largest of them marked."""
    pages = family_pages(table)
    shown = table[table["group_id"].isin(pages[shown_page(section, len(pages))])] if pages else table
    waiting = shown[shown["open"]]
    copies = waiting.loc[~waiting["largest"], "sample"] if kind is Kind.NEAR_DUPLICATE else ()
    _draw_toolbar(section, int(table["open"].sum()), list(waiting["sample"]), list(copies))

    def badges(photo: pd.Series) -> str:
        own = [":green-badge[largest]"] if photo["largest"] else []
        own += [] if photo["open"] else [":gray-badge[kept]"]
        own.append(f":small[{photo['width']:,} × {photo['height']:,}]")
        return " ".join([*own, badges_of(photo, hidden=_OF_FAMILIES)])

    with st.grid(2, min_column_width=330):
        for number, family in shown.groupby("group_id", sort=False):
            with st.container(border=True, height="stretch"):
                st.markdown(_family_heading(family, kind))
                tiles = tiles_of(family, badges)
                draw_grid(section, tiles, list(table["sample"]), part=str(number), columns=_COPIES_ABREAST)
    draw_pages(section, len(pages))


def _family_heading(family: pd.DataFrame, kind: Kind) -> str:
    """What is the matter with copies, in one line."""
    advice = family["advice"].iloc[0]
    if kind is Kind.TWO_LABELS and isinstance(advice, str):
        # A single photo too, when it came from two folders.
        return plain(f"{advice[:1].upper()}{advice[1:]}")
    labels = " and ".join(f"**{plain(cut(label))}**" for label in sorted(set(family["label"])))
    return f"{len(family)} copies of one photo, filed as {labels}"


def family_pages(table: pd.DataFrame) -> list[list[int]]:
    """Families of copies spread over pages: no family is torn apart, and a page is full at `PHOTOS_A_PAGE`.

    Parameters
    ----------
    table : DataFrame
        A column family, one row a photo.
    """
    pages: list[list[int]] = []
    room = 0
    sizes = table["group_id"].value_counts(sort=False)
    for family, size in zip(sizes.index.tolist(), sizes.tolist(), strict=True):
        if room < size or not pages:
            pages.append([])
            room = PHOTOS_A_PAGE
        pages[-1].append(family)
        room -= size
    return pages


def _draw_apply(section: Section, key: dataset_cache.ReviewKey) -> None:
    """What needs no person, described and confirmed."""
    table = dataset_details_cache.safe_suggestions(key)
    if table.empty:
        return
    goes, moves = (int((table["action"] == action).sum()) for action in (Action.EXCLUDE, Action.RELABEL))
    with st.popover(
        "Apply what can be told without a person", icon=":material/bolt:", key=section.key(Key.APPLY, "ask")
    ):
        st.markdown(
            f"I would **exclude {counted_photos(goes)}** (all but the largest of each family of copies, copies filed "
            f"under two classes, pictures of other things) and **move {counted_photos(moves)}** to the class that "
            "they look like. Blurry, dark, small and odd photos stay for you to judge. I am not always right; you can "
            "take all of it back at once."
        )
        st.button(
            f"Apply to {counted_photos(len(table))}",
            key=section.key(Key.APPLY),
            type="primary",
            on_click=on_whole_page(apply_told),
            args=(section,),
        )
