"""Uploaded photos that the address can name: leaving a page, Back and reload find them again.

They are kept in the server's memory, never on disk, under tokens that can't be guessed, for a limited time.
"""

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from sneaker_core.images import Photo
from ui.kit.state_keys import KitKey

# The parameters of the address that name one uploaded photo, and several.
UPLOAD_PARAM, UPLOADS_PARAM = "upload", "photos"
KEPT_NOTE = (
    "Photos are not saved: they stay in the app's memory for an hour, so that Back and reload find them. Only this "
    "page's address leads to them."
)
PHOTOS_GONE = "The photos of this address are no longer kept. Upload them again."
_SECONDS = 3600.0
_MOST_BYTES = 256 * 2**20


@dataclass(frozen=True)
class KeptPhotos:
    """Photos kept under one token.

    Attributes
    ----------
    photos : tuple of Photo
    left_out : int
        Photos for which there was no room.
    """

    photos: tuple[Photo, ...] = ()
    left_out: int = 0

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(len(photo.data) for photo in self.photos)


class UploadStore:
    """Photos of all sessions by token; the least recently shown are dropped first, and all after a while.

    Parameters
    ----------
    most_bytes : int
    seconds : float
        How long photos are kept after they were last shown.
    now : callable
        The time in seconds.
    """

    def __init__(
        self, most_bytes: int = _MOST_BYTES, seconds: float = _SECONDS, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._most_bytes, self._seconds, self._now = most_bytes, seconds, now
        self._lock = threading.Lock()
        # Token -> when they were last shown, and the photos; the least recently shown first.
        self._kept: dict[str, tuple[float, KeptPhotos]] = {}

    def keep(self, photos: Sequence[Photo], token: str) -> None:
        """Keep photos under a token in place of those before; none to forget it."""
        fitting: list[Photo] = []
        for photo in photos:
            if sum(len(one.data) for one in fitting) + len(photo.data) <= self._most_bytes:
                fitting.append(photo)
        with self._lock:
            self._kept.pop(token, None)
            if photos:
                self._kept[token] = (self._now(), KeptPhotos(tuple(fitting), len(photos) - len(fitting)))
            self._drop()

    def find(self, token: str) -> KeptPhotos | None:
        """The photos of a token; None if they are no longer kept."""
        with self._lock:
            self._drop()
            found = self._kept.pop(token, None)
            if found is None:
                return None
            self._kept[token] = (self._now(), found[1])
            return found[1]

    def _drop(self) -> None:
        size = sum(kept.size for _, kept in self._kept.values())
        for token, (shown, kept) in list(self._kept.items()):
            if size <= self._most_bytes and self._now() - shown <= self._seconds:
                break
            del self._kept[token]
            size -= kept.size


@st.cache_resource
def upload_store() -> UploadStore:
    """The photos of all sessions of this server."""
    return UploadStore()


def new_token() -> str:
    """A token that can't be guessed."""
    return secrets.token_urlsafe(18)


def keep_upload(photo: Photo) -> str:
    """Keep an uploaded photo; returns its name in addresses, which is the same in this session."""
    return keep_uploads([photo])


def keep_uploads(photos: Sequence[Photo]) -> str:
    """Keep uploaded photos; returns the name of them all in addresses, which is the same in this session."""
    names: dict[str, str] = st.session_state.setdefault(KitKey.KEPT_UPLOADS, {})
    name = names.setdefault(" ".join(photo.digest for photo in photos), new_token())
    if upload_store().find(name) is None:
        upload_store().keep(photos, name)
    return name


def kept_upload(name: str) -> Photo | None:
    """The photo with this name; None if it isn't kept anymore."""
    found = upload_store().find(name)
    return found.photos[0] if found is not None and found.photos else None
