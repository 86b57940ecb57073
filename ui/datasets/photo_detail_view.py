"""A dialog with one photo: larger, with its details, near-duplicates and review actions."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from sneaker_core.datasets.quality.findings import Kind
from sneaker_core.errors import SneakerError
from sneaker_core.number_text import counted
from ui.datasets.datasets_keys import Key
from ui.kit import dataset_cache, photo_previews
from ui.kit.labels import FINDING_LABELS, SPLIT_LABELS
from ui.kit.photo_grid import Tile, badges_of, draw_thumbnail, open_case
from ui.kit.review_bar import draw_decisions
from ui.kit.review_section import Section, changes_by_kinds, draw_notice, reported_errors
from ui.kit.state_keys import KitKey
from ui.kit.text import escape_markdown, size_text, timestamp_text, truncate

_LONGEST_FACT = 300
_MOST_DUPLICATES = 12


def draw_case(section: Section) -> None:
    """Draw the dialog with the photo that is open in this section, if any."""
    if section.key(KitKey.CASE) in st.session_state:
        opened = st.dialog("Photo details", width="large", on_dismiss=partial(_close, section))
        opened(_draw_opened)(section)


def _close(section: Section) -> None:
    st.session_state.pop(section.key(KitKey.CASE), None)


def _draw_opened(section: Section) -> None:
    with reported_errors(section.dataset):
        sample, order = st.session_state[section.key(KitKey.CASE)]
        key = dataset_cache.review_key(section.dataset)
        photos = dataset_cache.reviewed_photos(key)
        found = photos[photos["sample"] == sample]
        if found.empty:
            st.warning("This photo is no longer in the dataset.", icon=":material/broken_image:")
            return
        _draw_steps(section, sample, order)
        photo = found.iloc[0]
        picture, text = st.columns([3, 2], gap="medium")
        with picture:
            _draw_picture(photo)
        with text:
            _draw_review(section, key, photo, found)
            _draw_facts(key, photo)
        _draw_duplicates(section, key, photos, photo, order)


def _draw_steps(section: Section, sample: str, order: Sequence[str]) -> None:
    place = order.index(sample) if sample in order else 0
    with st.container(horizontal=True, vertical_alignment="center"):
        for name, icon, shortcut, to in (
            ("Previous", ":material/chevron_left:", "Left", place - 1),
            ("Next", ":material/chevron_right:", "Right", place + 1),
        ):
            st.button(
                name,
                key=section.key(Key.PHOTO_STEP, name),
                icon=icon,
                shortcut=shortcut,
                disabled=not 0 <= to < len(order),
                on_click=open_case,
                args=(section, order[to] if 0 <= to < len(order) else sample, order),
            )
        st.caption(f"{place + 1:,} of {len(order):,}", width="content")


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


def _draw_facts(key: dataset_cache.ReviewKey, photo: pd.Series) -> None:
    split = SPLIT_LABELS[photo["split"]] if isinstance(photo["split"], str) else "none"
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


def _draw_duplicates(
    section: Section, key: dataset_cache.ReviewKey, photos: pd.DataFrame, photo: pd.Series, order: Sequence[str]
) -> None:
    groups = dataset_cache.near_duplicate_groups(key)
    if photo["sample"] not in groups.index:
        return
    group = groups.index[groups == groups[photo["sample"]]]
    duplicates = photos[photos["sample"].isin(group) & (photos["sample"] != photo["sample"])]
    if duplicates.empty:
        return
    st.markdown(f"**{counted(len(duplicates), 'near-duplicate')} of this photo**")
    with st.grid(6, min_column_width=110, key=section.key(KitKey.GRID, "duplicates")):
        for _, duplicate in duplicates.head(_MOST_DUPLICATES).iterrows():
            with st.container(gap="xsmall"):
                _draw_duplicate(section, duplicate, _insert_after(order, photo["sample"], duplicate["sample"]))


def _draw_duplicate(section: Section, photo: pd.Series, order: Sequence[str]) -> None:
    label = photo["label"]
    draw_thumbnail(section, Tile(photo["sample"], photo["path"], photo["name"], label, ""))
    size, badges = f"{photo['width']:,} × {photo['height']:,}", badges_of(photo, hidden=(Kind.NEAR_DUPLICATE,))
    st.caption(f"{escape_markdown(truncate(label))}, {size} {badges}")
    st.button(
        "Look closer",
        key=section.key(KitKey.OPEN, f"duplicate-{photo['sample']}"),
        icon=":material/zoom_in:",
        type="tertiary",
        on_click=open_case,
        args=(section, photo["sample"], order),
    )


def _insert_after(order: Sequence[str], sample: str, duplicate: str) -> tuple[str, ...]:
    """The order of photos, with a near-duplicate of one right after it, so that Previous leads back."""
    if duplicate in order:
        return tuple(order)
    place = order.index(sample) + 1 if sample in order else 0
    return (*order[:place], duplicate, *order[place:])
