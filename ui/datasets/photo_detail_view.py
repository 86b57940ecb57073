"""One photo looked at closely: larger, with all that is known of it, and decided on."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from sneaker_core.datasets.quality.findings import Kind
from sneaker_core.errors import SneakerError
from ui.datasets.datasets_keys import Key
from ui.kit import dataset_cache, photo_previews
from ui.kit.labels import FINDING_LABELS
from ui.kit.moments import moment
from ui.kit.photo_grid import Tile, badges_of, cut, draw_thumbnail, open_case
from ui.kit.quantities import size_words
from ui.kit.review_bar import draw_decisions
from ui.kit.review_section import Section, changes_by_kinds, draw_notice, said_kindly
from ui.kit.state_keys import KitKey
from ui.kit.text import plain

_LONGEST_FACT = 300
_MOST_COPIES = 12


def draw_case(section: Section) -> None:
    """Draw the photo that was opened in this section, if one was."""
    if section.key(KitKey.CASE) in st.session_state:
        opened = st.dialog("A closer look", width="large", on_dismiss=partial(_close, section))
        opened(_draw_opened)(section)


def _close(section: Section) -> None:
    st.session_state.pop(section.key(KitKey.CASE), None)


def _draw_opened(section: Section) -> None:
    with said_kindly(section.dataset):
        sample, order = st.session_state[section.key(KitKey.CASE)]
        key = dataset_cache.review_key(section.dataset)
        photos = dataset_cache.reviewed_photos(key)
        found = photos[photos["sample"] == sample]
        if found.empty:
            st.warning("This photo is not in the dataset any more.", icon=":material/broken_image:")
            return
        _draw_steps(section, sample, order)
        photo = found.iloc[0]
        picture, words = st.columns([3, 2], gap="medium")
        with picture:
            _draw_picture(photo)
        with words:
            _draw_verdict(section, key, photo, found)
            _draw_facts(key, photo)
        _draw_copies(section, key, photos, photo, order)


def _draw_steps(section: Section, sample: str, order: Sequence[str]) -> None:
    place = order.index(sample) if sample in order else 0
    with st.container(horizontal=True, vertical_alignment="center"):
        for name, icon, shortcut, to in (
            ("Previous", ":material/chevron_left:", "Left", place - 1),
            ("Next", ":material/chevron_right:", "Right", place + 1),
        ):
            st.button(
                name,
                key=section.key(Key.STEP, name),
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
        st.warning("The file of this photo has gone or cannot be read.", icon=":material/broken_image:")
        return
    st.image(larger, width="stretch", alt=f"{cut(photo['label'])}: {cut(photo['name'])}")


def _draw_verdict(section: Section, key: dataset_cache.ReviewKey, photo: pd.Series, found: pd.DataFrame) -> None:
    st.markdown(f"**{plain(cut(photo['label'], _LONGEST_FACT))}** {badges_of(photo)}")
    findings = dataset_cache.dataset_findings(key)
    for _, finding in findings[findings["open"] & (findings["sample"] == photo["sample"])].iterrows():
        label = FINDING_LABELS[Kind(finding["kind"])]
        advice = f": {plain(finding['advice'])}" if isinstance(finding["advice"], str) else ""
        st.markdown(f":orange[:material/flag:] **{label.title}**{advice}.")
    with st.container(horizontal=True):
        draw_decisions(section, found, changes_by_kinds, key, place="case")
    draw_notice(section, "case")


def _draw_facts(key: dataset_cache.ReviewKey, photo: pd.Series) -> None:
    split = f"for {photo['split']}" if isinstance(photo["split"], str) else "not split yet"
    facts = [
        ("File", photo["name"]),
        ("Size", f"{photo['width']:,} × {photo['height']:,} pixels, {size_words(photo['bytes'])}"),
        ("Class", photo["label"]),
        ("Split", split),
    ]
    if photo["original_label"] != photo["label"]:
        facts.insert(3, ("First filed as", photo["original_label"]))
    sources = dataset_cache.photo_sources(key)
    for source in sources[sources["sample"] == photo["sample"]].itertuples():
        facts.append(("Came from", f"{source.source}, {moment(source.time)}"))
        facts += [(name, text) for name, text in (("Web address", source.url), ("Search", source.query)) if _said(text)]
        if source.label != photo["original_label"]:
            facts.append(("Filed there as", source.label))
    st.markdown("  \n".join(f":gray[{name}] {plain(cut(str(text), _LONGEST_FACT))}" for name, text in facts))


def _said(text: object) -> bool:
    return isinstance(text, str) and bool(text)


def _draw_copies(
    section: Section, key: dataset_cache.ReviewKey, photos: pd.DataFrame, photo: pd.Series, order: Sequence[str]
) -> None:
    families = dataset_cache.near_duplicate_groups(key)
    if photo["sample"] not in families.index:
        return
    family = families.index[families == families[photo["sample"]]]
    copies = photos[photos["sample"].isin(family) & (photos["sample"] != photo["sample"])]
    if copies.empty:
        return
    st.markdown(f"**{len(copies)} {'copy' if len(copies) == 1 else 'copies'} of this photo**")
    with st.grid(6, min_column_width=110, key=section.key(KitKey.GRID, "copies")):
        for _, copy in copies.head(_MOST_COPIES).iterrows():
            with st.container(gap="xsmall"):
                draw_thumbnail(section, Tile(copy["sample"], copy["path"], copy["name"], copy["label"], ""))
                size = f"{copy['width']:,} × {copy['height']:,}"
                st.caption(f"{plain(cut(copy['label']))}, {size} {badges_of(copy, hidden=(Kind.NEAR_DUPLICATE,))}")
                st.button(
                    "Look closer",
                    key=section.key(KitKey.OPEN, f"copy-{copy['sample']}"),
                    icon=":material/zoom_in:",
                    type="tertiary",
                    on_click=open_case,
                    args=(section, copy["sample"], _with_beside(order, photo["sample"], copy["sample"])),
                )


def _with_beside(order: Sequence[str], sample: str, copy: str) -> tuple[str, ...]:
    """The photos to step through, a copy of one right behind it: "previous" leads back."""
    if copy in order:
        return tuple(order)
    place = order.index(sample) + 1 if sample in order else 0
    return (*order[:place], copy, *order[place:])
