"""Findings about several photos: near-duplicate groups and photos in two classes, side by side."""

import pandas as pd
import streamlit as st

from sneaker_core.datasets.quality.findings import Kind
from ui.datasets.datasets_keys import Key
from ui.kit.photo_grid import PHOTOS_A_PAGE, badges_of, draw_choosing, draw_grid, draw_pages, shown_page, tiles_of
from ui.kit.review_section import Section
from ui.kit.text import escape_markdown, truncate

GROUPED_KINDS = (Kind.TWO_LABELS, Kind.NEAR_DUPLICATE)
_COLUMNS = 3


def group_table(findings: pd.DataFrame, photos: pd.DataFrame) -> pd.DataFrame:
    """The photos of all groups with open findings, one group after another, its largest photo first.

    Parameters
    ----------
    findings : DataFrame
        Findings of one of `GROUPED_KINDS`.
    photos : DataFrame
        From `dataset_cache.reviewed_photos`.
    """
    left = findings.loc[findings["open"], "group_id"]
    table = findings[findings["group_id"].isin(left)][["sample", "group_id", "open", "advice"]].merge(
        photos, on="sample"
    )
    table = table[~table["excluded"]].assign(pixels=table["width"] * table["height"])
    table = table.sort_values(["group_id", "pixels", "bytes"], ascending=[True, False, False], kind="stable")
    return table.assign(largest=~table.duplicated("group_id"))


def group_pages(table: pd.DataFrame) -> list[list[int]]:
    """Distribute groups over pages of at most `PHOTOS_A_PAGE` photos; no group is divided.

    Parameters
    ----------
    table : DataFrame
        Column group_id; one row per photo.
    """
    pages: list[list[int]] = []
    room = 0
    sizes = table["group_id"].value_counts(sort=False)
    for group, size in zip(sizes.index.tolist(), sizes.tolist(), strict=True):
        if room < size or not pages:
            pages.append([])
            room = PHOTOS_A_PAGE
        pages[-1].append(group)
        room -= size
    return pages


def draw_groups(section: Section, table: pd.DataFrame, kind: Kind) -> None:
    """Draw one page of groups, with the largest photo of each marked.

    Parameters
    ----------
    section : Section
    table : DataFrame
        From `group_table`.
    kind : Kind
    """
    pages = group_pages(table)
    shown = table[table["group_id"].isin(pages[shown_page(section, len(pages))])] if pages else table
    _draw_toolbar(section, table, shown, kind)

    def badges(photo: pd.Series) -> str:
        own = [":green-badge[largest]"] if photo["largest"] else []
        own += [] if photo["open"] else [":gray-badge[kept]"]
        own.append(f":small[{photo['width']:,} × {photo['height']:,}]")
        return " ".join([*own, badges_of(photo, hidden=GROUPED_KINDS)])

    with st.grid(2, min_column_width=330):
        for number, group in shown.groupby("group_id", sort=False):
            with st.container(border=True, height="stretch"):
                st.markdown(_heading(group, kind))
                tiles = tiles_of(group, badges)
                draw_grid(section, tiles, list(table["sample"]), part=str(number), columns=_COLUMNS)
    draw_pages(section, len(pages))


def _draw_toolbar(section: Section, table: pd.DataFrame, shown: pd.DataFrame, kind: Kind) -> None:
    """Draw the number of photos to review, and buttons that select several at once."""
    left = shown[shown["open"]]
    if left.empty:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{int(table['open'].sum()):,}** to review", width="content")
        draw_choosing(section, list(left["sample"]))
        smaller = left.loc[~left["largest"], "sample"]
        if kind is Kind.NEAR_DUPLICATE and not smaller.empty:
            st.button(
                "Select all but the largest",
                key=section.key(Key.SELECT_SMALLER),
                icon=":material/filter_none:",
                on_click=section.chosen.update,
                args=(tuple(smaller),),
                help="Selects the photos on this page that you can exclude to keep one of each group.",
            )


def _heading(group: pd.DataFrame, kind: Kind) -> str:
    """What is wrong with a group, in one line of markdown."""
    advice = group["advice"].iloc[0]
    if kind is Kind.TWO_LABELS and isinstance(advice, str):
        # This may be a single photo that was imported from two folders.
        return escape_markdown(f"{advice[:1].upper()}{advice[1:]}")
    labels = " and ".join(f"**{escape_markdown(truncate(label))}**" for label in sorted(set(group["label"])))
    return f"{len(group)} near-duplicates labeled {labels}"
