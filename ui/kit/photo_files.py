"""Photos that were uploaded, taken with the camera or read from disk."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.typing import UploadedFile

from sneaker_core.errors import ImageError
from sneaker_core.settings import ImageLimits
from ui.kit.state_keys import KitKey

_CAMERA_NAME = "Camera photo.jpg"


@dataclass(frozen=True)
class Photo:
    """A photo file as it was uploaded, not decoded yet.

    Attributes
    ----------
    key : str
        Unique, even if the same file is uploaded twice.
    name : str
        File name; escape it before showing it as markdown.
    digest : str
        SHA-256 of the bytes.
    data : bytes
    """

    key: str
    name: str
    digest: str
    data: bytes


def upload_cap() -> int:
    """Upload limit of a photo in megabytes of 2**20 bytes, rounded up; `images` checks the exact limit."""
    return math.ceil(ImageLimits.from_environment().max_bytes / 2**20)


def stored_photo(path: Path, name: str) -> Photo:
    """A photo file on disk.

    Parameters
    ----------
    path : Path
    name : str
        Shown to the user.

    Raises
    ------
    ImageError
        The file is missing or can't be read.
    """
    try:
        if not path.is_file():
            raise ImageError("The file of this photo is missing.")
        with path.open("rb") as file:
            data = file.read(ImageLimits.from_environment().max_bytes + 1)  # `images` rejects one byte too many
    except OSError as error:
        raise ImageError("The file of this photo can't be opened.") from error
    digest = hashlib.sha256(data).hexdigest()
    return Photo(digest, name, digest, data)


def uploaded_photos(uploads: Sequence[UploadedFile], camera: UploadedFile | None) -> list[Photo]:
    """All photos; the one from the camera comes first."""
    files = [(_CAMERA_NAME, camera)] if camera else []
    files += [(upload.name, upload) for upload in uploads]
    # Hash each upload once: 20 MB take longer than the rest of a rerun.
    before: dict[str, str] = st.session_state.get(KitKey.DIGESTS, {})
    digests = {file.file_id: before.get(file.file_id) or _digest(file) for _, file in files}
    st.session_state[KitKey.DIGESTS] = digests
    return [Photo(file.file_id, name, digests[file.file_id], file.getvalue()) for name, file in files]


def _digest(file: UploadedFile) -> str:
    return hashlib.sha256(file.getbuffer()).hexdigest()
