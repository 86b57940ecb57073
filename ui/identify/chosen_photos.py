"""The photos to identify: those just uploaded, and those that the page showed before it was left or reloaded."""

from collections.abc import Sequence

import streamlit as st

from sneaker_core.images import Photo
from sneaker_core.networks.bundled_models import SYNTHETIC_MODEL
from sneaker_core.networks.model_registry import list_models
from sneaker_core.number_text import counted
from sneaker_core.workspace.paths import workspace
from ui.identify.identify_keys import Key
from ui.kit import page_address
from ui.kit.address import USUAL, address_value, choose_next
from ui.kit.kept_uploads import PHOTOS_GONE, UPLOADS_PARAM, KeptPhotos, new_token, upload_store
from ui.kit.model_picker import MODEL_PARAM
from ui.kit.text import escape_markdown, truncate_middle

_NAMED = 4


def arrive() -> None:
    """Find the photos that the page showed before; call this before the uploader is drawn."""
    named, own = address_value(UPLOADS_PARAM), st.session_state.get(Key.TOKEN)
    # The browser's uploader is empty after a page change and after a reload.
    if Key.UPLOADS in st.session_state and named in (None, own):
        return
    token = named or own
    found = None if token is None else upload_store().find(token)
    st.session_state[Key.BEFORE] = found or KeptPhotos()
    st.session_state[Key.KEPT] = tuple(photo.key for photo in found.photos) if found else ()
    if token is not None and found is None:
        st.session_state.pop(Key.TOKEN, None)
    elif token != own:
        # Someone else's, or of the session before a reload: changes are kept under a token of this session.
        st.session_state[Key.TOKEN], st.session_state[Key.TOKEN_IS_OWN] = token, False


def with_photos_before(new: Sequence[Photo]) -> list[Photo]:
    """The new photos and those from before, which the address names from now on.

    Parameters
    ----------
    new : sequence of Photo
    """
    before: KeptPhotos = st.session_state.get(Key.BEFORE) or KeptPhotos()
    keys = {photo.key for photo in new}
    older = [photo for photo in before.photos if photo.key not in keys]
    if older:
        _draw_before(older, before.left_out)
    photos = [*new, *older]
    if not photos and address_value(UPLOADS_PARAM) not in (None, st.session_state.get(Key.TOKEN)):
        st.info(PHOTOS_GONE, icon=":material/hide_image:")
        return photos
    _keep(photos)
    return photos


def show_sample(photo: Photo) -> None:
    """Show a sample photo in place of all others, answered by the model that knows it; only from a callback."""
    st.session_state[Key.BEFORE] = KeptPhotos((photo,))
    st.session_state[Key.HAS_SAMPLE] = True
    if any(entry.name == SYNTHETIC_MODEL for entry in list_models(workspace())):
        choose_next(MODEL_PARAM, SYNTHETIC_MODEL)


def leave_samples() -> None:
    """Make place for a user's own photos, which the usual model answers; only from a callback."""
    if st.session_state.pop(Key.HAS_SAMPLE, False):
        st.session_state[Key.BEFORE] = KeptPhotos()
        choose_next(MODEL_PARAM, USUAL)


def _keep(photos: Sequence[Photo]) -> None:
    token: str | None = st.session_state.get(Key.TOKEN)
    keys = tuple(photo.key for photo in photos)
    if keys != st.session_state.get(Key.KEPT, ()):
        if token is None or not st.session_state.get(Key.TOKEN_IS_OWN):
            token = new_token()
        upload_store().keep(photos, token)
        st.session_state[Key.TOKEN], st.session_state[Key.TOKEN_IS_OWN] = token, True
        st.session_state[Key.KEPT] = keys
    page_address.change({UPLOADS_PARAM: token if photos else None}, chosen=False)


def _draw_before(photos: Sequence[Photo], left_out: int) -> None:
    names = [escape_markdown(truncate_middle(photo.name)) for photo in photos[:_NAMED]]
    more = f" and {len(photos) - _NAMED:,} more" if len(photos) > _NAMED else ""
    lost = f" {counted(left_out, 'photo')} took too much memory to be kept." if left_out else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f":material/image: {', '.join(names)}{more}.{lost}", width="content")
        st.button("Remove", key=Key.REMOVE_BEFORE, type="tertiary", icon=":material/close:", on_click=_remove_before)


def _remove_before() -> None:
    leave_samples()
    st.session_state[Key.BEFORE] = KeptPhotos()
