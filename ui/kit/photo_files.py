"""The photos that wait for an answer: uploaded ones and the camera's."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.typing import UploadedFile

from sneaker_core.errors import ImageError
from sneaker_core.settings import ImageLimits
from ui.kit.state_keys import Key

_CAMERA_NAME = "Camera photo.jpg"


@dataclass(frozen=True)
class Photo:
    """One file as it was handed in; nobody has looked into it yet.

    Attributes
    ----------
    key : str
        Its own even when the same file is handed in twice.
    name : str
        As the user's computer calls it: show it through `ui.kit.text.plain` only.
    digest : str
        SHA-256 of the bytes.
    data : bytes
    """

    key: str
    name: str
    digest: str
    data: bytes


def upload_cap() -> int:
    """Largest photo that an uploader takes, in its whole megabytes of 2**20 bytes: `images` holds the exact cap."""
    return math.ceil(ImageLimits.from_environment().max_bytes / 2**20)


def stored_photo(path: Path, name: str) -> Photo:
    """A photo on this machine's disk.

    Parameters
    ----------
    path : Path
    name : str
        For people.

    Raises
    ------
    ImageError
        It has gone, or cannot be opened.
    """
    try:
        if not path.is_file():
            raise ImageError("The file of this photo has gone.")
        with path.open("rb") as file:
            data = file.read(ImageLimits.from_environment().max_bytes + 1)  # one more is told by `images`
    except OSError as error:
        raise ImageError("The file of this photo cannot be opened.") from error
    digest = hashlib.sha256(data).hexdigest()
    return Photo(digest, name, digest, data)


def gathered(uploads: Sequence[UploadedFile], camera: UploadedFile | None) -> list[Photo]:
    """All photos, the camera's first."""
    files = [(_CAMERA_NAME, camera)] if camera else []
    files += [(upload.name, upload) for upload in uploads]
    # Hashing twenty megabytes takes longer than the rest of a rerun: done once for each upload.
    before: dict[str, str] = st.session_state.get(Key.DIGESTS, {})
    digests = {file.file_id: before.get(file.file_id) or _digest(file) for _, file in files}
    st.session_state[Key.DIGESTS] = digests
    return [Photo(file.file_id, name, digests[file.file_id], file.getvalue()) for name, file in files]


def _digest(file: UploadedFile) -> str:
    return hashlib.sha256(file.getbuffer()).hexdigest()
