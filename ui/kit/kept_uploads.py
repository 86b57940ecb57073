"""Uploaded photos that an address can name: they are kept in the session, not stored."""

import streamlit as st

from sneaker_core.images import Photo
from ui.kit.state_keys import KitKey

# The parameter of the address that names an uploaded photo.
UPLOAD_PARAM = "upload"
_MAX_KEPT = 20


def keep_upload(photo: Photo) -> str:
    """Keep an uploaded photo for this session; returns its name in addresses."""
    kept: dict[str, Photo] = st.session_state.setdefault(KitKey.KEPT_UPLOADS, {})
    name = photo.digest[:16]
    kept.pop(name, None)
    kept[name] = photo
    while len(kept) > _MAX_KEPT:
        del kept[next(iter(kept))]
    return name


def kept_upload(name: str) -> Photo | None:
    """The photo with this name; None if it isn't kept any more, or was uploaded in another session."""
    kept: dict[str, Photo] = st.session_state.get(KitKey.KEPT_UPLOADS, {})
    return kept.get(name)
