"""Photos that were uploaded, taken with the camera or read from disk."""

import math
from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.typing import UploadedFile

from sneaker_core.errors import ImageError
from sneaker_core.images import Photo
from sneaker_core.settings import ImageLimits
from ui.kit.state_keys import KitKey

CAMERA_RULE = "Browsers allow the camera only on this computer (localhost) or over HTTPS."
_CAMERA_NAME = "Camera photo.jpg"


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
    return Photo(name, data)


def uploaded_photos(uploads: Sequence[UploadedFile], camera: UploadedFile | None) -> list[Photo]:
    """All photos; the one from the camera comes first."""
    files = [(_CAMERA_NAME, camera)] if camera else []
    files += [(upload.name, upload) for upload in uploads]
    # Kept between reruns with their digests: hashing 20 MB takes longer than the rest of a rerun.
    before: dict[str, Photo] = st.session_state.get(KitKey.UPLOADED, {})
    photos = {
        file.file_id: before.get(file.file_id) or Photo(name, file.getvalue(), file.file_id) for name, file in files
    }
    st.session_state[KitKey.UPLOADED] = photos
    return list(photos.values())
