"""A strip of photos for each class; a click opens all of the class's photos."""

import io
from pathlib import Path

import pandas as pd
import streamlit as st
from PIL import Image, ImageOps

from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.thumbnails import load_thumbnail
from sneaker_core.errors import ImageError
from sneaker_core.number_text import counted
from sneaker_core.workspace.safe_names import natural_order
from ui.datasets.datasets_keys import Key
from ui.kit.address import CLASS_PARAM, DATASET_PARAM
from ui.kit.cover_button import cover_style
from ui.kit.dataset_cache import ReviewKey
from ui.kit.next_step import draw_way
from ui.kit.page_links import Page
from ui.kit.photo_tiles import draw_page_numbers, page_count, shown_page
from ui.kit.text import escape_markdown, truncate

_PHOTOS, _CLASSES_A_PAGE = 5, 12
_SIDE, _GAP = 120, 6
_ONE = f'[class*="st-key-{Key.CLASS_STRIP}"]'
_STYLE = f"<style>{cover_style(_ONE)} {_ONE} img {{border-radius: 0.5rem;}}</style>"


def draw_class_strips(dataset: Dataset, key: ReviewKey, kept: pd.DataFrame) -> None:
    """Draw the classes with a few photos of each.

    Parameters
    ----------
    dataset : Dataset
    key : ReviewKey
        Its present state.
    kept : DataFrame
        Photos that are not excluded: rows of `dataset_cache.reviewed_photos`.
    """
    by_class = {str(label): rows for label, rows in kept.groupby("label")}
    names = sorted(by_class, key=natural_order)
    pages = page_count(len(names), _CLASSES_A_PAGE)
    place = Key.CLASS_PAGES.of(dataset.folder.name)
    first = shown_page(place, pages) * _CLASSES_A_PAGE
    st.html(_STYLE)
    with st.grid(3, min_column_width=300, gap="small"):
        for number, name in enumerate(names[first : first + _CLASSES_A_PAGE]):
            with st.container(border=True, gap="xsmall", key=Key.CLASS_STRIP.of(str(first + number))):
                shown = _chosen(by_class[name])
                picture = _strip(key, name, tuple(zip(shown["sample"], shown["path"], strict=True)))
                if picture is not None:
                    st.image(picture, width="stretch", alt="")
                label = f"{escape_markdown(truncate(name))} · {counted(len(by_class[name]), 'photo')}"
                params: dict[str, str | None] = {DATASET_PARAM: dataset.name, "section": "Photos", CLASS_PARAM: name}
                draw_way(label, Page.DATASETS, params, Page.DATASETS)
    draw_page_numbers(place, pages)


def _chosen(photos: pd.DataFrame) -> pd.DataFrame:
    """A few photos from all over the class; those without findings first, as they show it best."""
    flawless = photos[[not kinds for kinds in photos["kinds"]]]
    photos = flawless if len(flawless) >= _PHOTOS else photos
    step = max(len(photos) // _PHOTOS, 1)
    return photos.iloc[::step].head(_PHOTOS)


@st.cache_data(max_entries=300, show_spinner=False)
def _strip(key: ReviewKey, name: str, photos: tuple[tuple[str, str], ...]) -> bytes | None:
    """Thumbnails side by side, as one WebP; None if none can be read."""
    dataset = Dataset(Path(key.folder))
    tiles: list[Image.Image] = []
    for sample, path in photos:
        try:
            tiles.append(ImageOps.fit(load_thumbnail(dataset, sample, Path(path)), (_SIDE, _SIDE)))
        except (ImageError, OSError):
            continue
    if not tiles:
        return None
    width = _PHOTOS * (_SIDE + _GAP) - _GAP
    strip = Image.new("RGBA", (width, _SIDE))  # what few photos leave empty shows the page
    for place, tile in enumerate(tiles):
        strip.paste(tile, (place * (_SIDE + _GAP), 0))
    buffer = io.BytesIO()
    strip.save(buffer, "WEBP", quality=85)
    return buffer.getvalue()
