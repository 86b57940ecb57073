"""The choice, before an evaluation starts, to count classes that differ only in spelling as the model's."""

from pathlib import Path

import streamlit as st

from sneaker_core.datasets.index import INDEX_FILE, open_index
from sneaker_core.datasets.sources.photo_import import preview_source
from sneaker_core.errors import SneakerError
from sneaker_core.networks.model_registry import ModelEntry
from sneaker_core.workspace.clean_names import near_names
from ui.evaluate.evaluate_keys import Key
from ui.kit import dataset_cache
from ui.kit.text import escape_markdown

_MOST_NAMES = 8


def choose_matches(model: ModelEntry, data: str | dict[str, str] | None) -> dict[str, str]:
    """Draw the choice if some classes differ only in spelling from one of the model's.

    Parameters
    ----------
    model : ModelEntry
    data : str, dict or None
        Folder of the dataset or of the photos, or several by name.

    Returns
    -------
    dict of str to str
        Class of the photos -> class of the model, for those that are to count as it.
    """
    near = near_names(_labels(data), model.spec.classes)
    if not near:
        return {}
    listed = ", ".join(f"{old} → {new}" for old, new in list(near.items())[:_MOST_NAMES])
    more = f" and {len(near) - _MOST_NAMES} more" if len(near) > _MOST_NAMES else ""
    chosen = st.toggle(
        "Match class names",
        key=Key.MATCH_NAMES,
        help="Without this, photos of classes that the model doesn’t know by exactly this name are left out.",
    )
    st.caption(escape_markdown(f"{listed}{more}"))
    return near if chosen else {}


def _labels(data: str | dict[str, str] | None) -> list[str]:
    if data is None:
        return []
    if isinstance(data, dict):
        return [label for folder in data.values() for label in _labels(folder)]
    try:
        if (Path(data) / INDEX_FILE).is_file():
            photos = dataset_cache.reviewed_photos(dataset_cache.review_key(open_index(Path(data))))
            return sorted(photos.loc[~photos["excluded"], "label"].unique())
        return _labels_of_folder(data)
    except (SneakerError, OSError, ValueError):  # starting the evaluation says what is wrong
        return []


@st.cache_data(ttl=60, max_entries=5, show_spinner=False)
def _labels_of_folder(folder: str) -> list[str]:
    return sorted({file.label for file in preview_source(Path(folder)).files})
