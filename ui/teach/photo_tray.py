"""The photos of a sneaker to be taught: each is added once, shown small, and can be removed.

They are kept in the server's memory under a token that the address names, as on Identify, so that links, Back and
reload find them. A tray is named by that parameter of the address.
"""

from collections.abc import Sequence

import streamlit as st

from sneaker_core.errors import ImageError
from sneaker_core.images import FORMATS, Photo
from sneaker_core.number_text import counted
from sneaker_core.training.teaching import FEWEST_PHOTOS, RECOMMENDED_PHOTOS
from ui.kit import page_address
from ui.kit.address import address_value
from ui.kit.kept_uploads import KEPT_NOTE, PHOTOS_GONE, new_token, upload_store
from ui.kit.photo_files import upload_cap, uploaded_photos
from ui.kit.photo_previews import preview
from ui.kit.text import escape_markdown, truncate_middle
from ui.teach.teach_keys import Key

_THUMBNAIL = 90
_HELP = (
    f"{FEWEST_PHOTOS} to {RECOMMENDED_PHOTOS} photos, from several sides if you can: {', '.join(FORMATS)}. {KEPT_NOTE}"
)
# The button to remove a photo is a round one in its corner; its text is for screen readers.
STYLE = f"""<style>
[class*="st-key-{Key.PHOTO}-"] {{position: relative;}}
[class*="st-key-{Key.PHOTO}-"] img {{width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 0.75rem;}}
[class*="st-key-{Key.PHOTO}-"] [data-testid=stElementToolbar] {{display: none;}}
[class*="st-key-{Key.PHOTO}-"] [data-testid=stCaptionContainer] {{padding-top: 2.5rem; overflow-wrap: anywhere;}}
[class*="st-key-{Key.REMOVE}-"] {{position: absolute; top: 0; right: 0; width: auto;}}
[class*="st-key-{Key.REMOVE}-"] button {{width: 2.75rem; height: 2.75rem; padding: 0; background: none; border: none;}}
[class*="st-key-{Key.REMOVE}-"] button [data-testid=stIconMaterial] {{background: rgb(16 17 23 / 75%); color: white;
    border-radius: 50%; padding: 0.25rem; font-size: 1.25rem;}}
[class*="st-key-{Key.REMOVE}-"] button p {{position: absolute; width: 1px; height: 1px; overflow: hidden;}}
</style>"""


def photos_in(tray: str) -> tuple[Photo, ...]:
    """The photos of a tray; says so if the address names some that are no longer kept."""
    token = address_value(tray)
    if token is None:
        return ()
    trays: dict[str, tuple[str, tuple[Photo, ...]]] = st.session_state.setdefault(Key.TRAYS, {})
    found = upload_store().find(token)
    shown, photos = trays.get(tray, ("", ()))
    if shown == token:
        if found is None:  # dropped to make room while they are still shown here
            upload_store().keep(photos, token)
        return photos
    if found is None:
        st.info(PHOTOS_GONE, icon=":material/hide_image:")
        return ()
    trays[tray] = (token, found.photos)
    return found.photos


def add_photos(tray: str, new: Sequence[Photo]) -> None:
    """Add photos to a tray, those that are not there yet; only from a callback."""
    before = photos_in(tray)
    there = {photo.digest for photo in before}
    added = list({photo.digest: photo for photo in new if photo.digest not in there}.values())
    if len(added) != len(new):
        st.toast(f"You have already added {counted(len(new) - len(added), 'photo')} of these.", icon=":material/info:")
    _put(tray, (*before, *added))


def take_out(tray: str, photos: Sequence[Photo]) -> None:
    """Remove these photos from a tray; those that were added since then stay."""
    gone = {photo.digest for photo in photos}
    _put(tray, tuple(photo for photo in photos_in(tray) if photo.digest not in gone))


def _put(tray: str, photos: tuple[Photo, ...]) -> None:
    """Keep the photos under a token of this session: a link that led here goes on to name what it named."""
    own: set[str] = st.session_state.setdefault(Key.OWN_TOKENS, set())
    token = address_value(tray)
    if token not in own:
        token = new_token()
        own.add(token)
    upload_store().keep(photos, token)
    st.session_state.setdefault(Key.TRAYS, {})[tray] = (token, photos)
    page_address.change({tray: token if photos else None}, chosen=False)


def drop_key(tray: str) -> str:
    """Key of the container with a tray's drop zone."""
    return Key.DROP.of(tray)


def draw_tray(tray: str, label: str) -> tuple[Photo, ...]:
    """Draw the drop zone of a tray and its photos, and return them.

    Parameters
    ----------
    tray : str
    label : str
        Of the drop zone.
    """
    photos = photos_in(tray)
    with st.container(key=drop_key(tray)):
        key = Key.UPLOADS.of(f"{tray}-{_round(tray)}")
        st.file_uploader(
            label,
            # No `type=`: it checks the file name only. `images` checks the content and explains what is wrong.
            accept_multiple_files=True,
            max_upload_size=upload_cap(),
            key=key,
            on_change=_take_uploads,
            args=(tray, key),
            help=_HELP,
        )
    if photos:
        count = st.empty()
        with st.grid(8, min_column_width=_THUMBNAIL, gap="small", key=Key.PHOTOS.of(tray)):
            problems = [problem for photo in photos if (problem := _draw_photo(tray, photo))]
        usable = len(photos) - len(problems)
        few = f". A new sneaker needs at least {FEWEST_PHOTOS}." if usable < FEWEST_PHOTOS else ""
        count.caption(f"{counted(usable, 'photo')}{few}")
        if problems:
            st.warning("\n\n".join(map(escape_markdown, problems)), icon=":material/broken_image:")
    return photos


def _round(tray: str) -> int:
    number: int = st.session_state.get(Key.ROUND.of(tray), 0)
    return number


def _take_uploads(tray: str, key: str) -> None:
    """Move uploads to the tray; a new uploader takes the place of the one that lists them."""
    add_photos(tray, uploaded_photos(st.session_state[key] or [], None))
    st.session_state[Key.ROUND.of(tray)] = _round(tray) + 1


def _draw_photo(tray: str, photo: Photo) -> str | None:
    """Draw a photo; returns what is wrong with it, if it can't be read."""
    name, problem = truncate_middle(photo.name), None
    place = f"{tray}-{photo.digest[:16]}"
    with st.container(key=Key.PHOTO.of(place)):
        try:
            st.image(preview(photo), width="stretch", alt=f"Your photo {name}")
        except ImageError as error:
            problem = f"{name}: {error}"
            st.caption(f":material/broken_image: {escape_markdown(name)}")
        st.button(
            f"Remove {escape_markdown(name)}",
            key=Key.REMOVE.of(place),
            type="tertiary",
            icon=":material/close:",
            on_click=take_out,
            args=(tray, [photo]),
        )
    return problem
