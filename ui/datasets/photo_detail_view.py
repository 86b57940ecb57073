"""A dialog with one photo: larger, with its details, near-duplicates and review actions."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.datasets.quality.findings import Kind
from sneaker_core.datasets.review_log import Action
from sneaker_core.errors import SneakerError
from sneaker_core.number_text import counted
from ui.datasets import dataset_details_cache
from ui.kit import dataset_cache, photo_previews
from ui.kit.changes import change_button
from ui.kit.identify_link import draw_identify_file_link
from ui.kit.labels import FINDING_LABELS, NO_SPLIT, SPLIT_TITLES
from ui.kit.page_links import Page, draw_page_link
from ui.kit.photo_detail import draw_photo_dialog, open_photo_beside
from ui.kit.photo_grid import badges_of, photo_tile, tiles_of
from ui.kit.photo_tiles import TileAction, draw_tile_picture, draw_tiles
from ui.kit.review_bar import draw_decisions
from ui.kit.review_section import Section, apply, changes_by_kinds, clear_notice, draw_notice, reported_errors
from ui.kit.review_worth import draw_worth
from ui.kit.state_keys import KitKey
from ui.kit.text import escape_markdown, size_text, timestamp_text, truncate

_LONGEST_FACT = 300
_MOST_DUPLICATES = 12
_EXAMPLES_A_ROW, _NARROWEST_EXAMPLE = 3, 80


def draw_detail(section: Section, order: Sequence[str]) -> None:
    """Draw the photo that is open, or that the address names, if any.

    Parameters
    ----------
    section : Section
    order : sequence of str
        Photos to step through if the photo was opened by a link.
    """
    draw_photo_dialog(section.place(), partial(_draw_photo, section), lambda: order, partial(clear_notice, section))


def _draw_photo(section: Section, sample: str) -> None:
    with reported_errors(section.dataset):
        key = dataset_cache.review_key(section.dataset)
        photos = dataset_cache.reviewed_photos(key)
        found = photos[photos["sample"] == sample]
        if found.empty:
            st.warning("This photo isn't in the dataset.", icon=":material/broken_image:")
            return
        photo = found.iloc[0]
        picture, text = st.columns([3, 2], gap="medium")
        with picture:
            _draw_picture(photo)
        with text:
            _draw_review(section, key, photo, found)
            _draw_facts(key, photo)
            draw_identify_file_link(Path(str(photo["path"])), str(photo["name"]))
            draw_page_link("Open in Explain", Page.EXPLAIN, dataset=section.dataset.name, sample=str(photo["sample"]))
        _draw_duplicates(section, key, photos, photo)


def _draw_picture(photo: pd.Series) -> None:
    try:
        larger = photo_previews.stored_preview(photo["sample"], photo["path"])
    except (SneakerError, OSError):
        st.warning("The file of this photo is missing or can't be read.", icon=":material/broken_image:")
        return
    st.image(larger, width="stretch", alt=f"{truncate(photo['label'])}: {truncate(photo['name'])}")


def _draw_review(section: Section, key: dataset_cache.ReviewKey, photo: pd.Series, found: pd.DataFrame) -> None:
    st.markdown(f"**{escape_markdown(truncate(photo['label'], _LONGEST_FACT))}** {badges_of(photo)}")
    findings = dataset_cache.dataset_findings(key)
    for _, finding in findings[findings["open"] & (findings["sample"] == photo["sample"])].iterrows():
        label = FINDING_LABELS[Kind(finding["kind"])]
        advice = f": {escape_markdown(finding['advice'])}" if isinstance(finding["advice"], str) else ""
        st.markdown(f":orange[:material/flag:] **{label.title}**{advice}.")
    with st.container(horizontal=True):
        draw_decisions(section, found, changes_by_kinds, key, place="case")
    draw_notice(section, "case")
    draw_worth(section.dataset, section.place("case"))
    suggestions = findings[findings["open"] & (findings["sample"] == photo["sample"])]["suggestion"].dropna()
    for suggestion in dict.fromkeys(suggestions):
        _draw_suggested_class(section, key, found, str(suggestion))


def _draw_suggested_class(section: Section, key: dataset_cache.ReviewKey, found: pd.DataFrame, label: str) -> None:
    """Draw photos of the class that the photo may belong to, and a button that relabels it."""
    examples = dataset_details_cache.suggested_class_photos(key, str(found["sample"].iloc[0]), label)
    if examples.empty:
        return
    photos = dataset_cache.reviewed_photos(key).set_index("sample", drop=False)
    st.markdown(f"Suggested: **{escape_markdown(truncate(label))}**, which looks like this:")
    with st.grid(_EXAMPLES_A_ROW, min_column_width=_NARROWEST_EXAMPLE, gap="xsmall", key=KitKey.GRID.of("suggested")):
        for tile in tiles_of(photos.loc[examples["sample"]]):
            draw_tile_picture(photo_tile(section, tile))
    change_button(
        f"Relabel to {escape_markdown(truncate(label))}",
        key=section.key(KitKey.SUGGESTED, label),
        icon=":material/auto_fix_high:",
        on_click=apply,
        args=(section, changes_by_kinds(found, Action.RELABEL, label)),
    )


def _draw_facts(key: dataset_cache.ReviewKey, photo: pd.Series) -> None:
    split = SPLIT_TITLES[photo["split"]] if isinstance(photo["split"], str) else NO_SPLIT
    facts = [
        ("File", photo["name"]),
        ("Size", f"{photo['width']:,} × {photo['height']:,} pixels, {size_text(photo['bytes'])}"),
        ("Class", photo["label"]),
        ("Split", split),
    ]
    if photo["original_label"] != photo["label"]:
        facts.insert(3, ("Original class", photo["original_label"]))
    sources = dataset_cache.photo_sources(key)
    for source in sources[sources["sample"] == photo["sample"]].itertuples():
        facts.append(("Source", f"{source.source}, {timestamp_text(source.time)}"))
        facts += [(name, text) for name, text in (("URL", source.url), ("Search", source.query)) if _has_text(text)]
        if source.label != photo["original_label"]:
            facts.append(("Class at the source", source.label))
    st.markdown(
        "  \n".join(f":gray[{name}] {escape_markdown(truncate(str(text), _LONGEST_FACT))}" for name, text in facts)
    )


def _has_text(text: object) -> bool:
    return isinstance(text, str) and bool(text)


def _draw_duplicates(section: Section, key: dataset_cache.ReviewKey, photos: pd.DataFrame, photo: pd.Series) -> None:
    groups = dataset_cache.near_duplicate_groups(key)
    if photo["sample"] not in groups.index:
        return
    group = groups.index[groups == groups[photo["sample"]]]
    duplicates = photos[photos["sample"].isin(group) & (photos["sample"] != photo["sample"])]
    if duplicates.empty:
        return

    def open_duplicate(sample: str) -> None:
        clear_notice(section)
        open_photo_beside(section.place(), sample, photo["sample"])

    st.markdown(f"**{counted(len(duplicates), 'near-duplicate')} of this photo**")
    tiles = tiles_of(duplicates.head(_MOST_DUPLICATES), _duplicate_text)
    action = TileAction(open_duplicate)
    draw_tiles(section.place("duplicates"), [photo_tile(section, tile) for tile in tiles], action)


def _duplicate_text(photo: pd.Series) -> str:
    size, badges = f"{photo['width']:,} × {photo['height']:,}", badges_of(photo, hidden=(Kind.NEAR_DUPLICATE,))
    return f":small[{escape_markdown(truncate(photo['label']))}, {size}] {badges}"
