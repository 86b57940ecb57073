"""A link that opens Identify with a photo that another page shows."""

from dataclasses import replace
from pathlib import Path

from sneaker_core.errors import SneakerError
from sneaker_core.images import Photo
from ui.kit.kept_uploads import UPLOADS_PARAM, keep_upload
from ui.kit.page_links import Page, draw_page_link
from ui.kit.photo_files import stored_photo


def draw_identify_link(photo: Photo, model: str | None = None) -> None:
    """Draw the link; the photo is kept for an hour, as one that was uploaded.

    Parameters
    ----------
    photo : Photo
    model : str, optional
        Name of the model that shall answer.
    """
    # What Identify remembers of a photo, it remembers by its key.
    kept = replace(photo, key=photo.key or photo.digest)
    draw_page_link("Identify this", Page.IDENTIFY, **{UPLOADS_PARAM: keep_upload(kept)}, model=model)


def draw_identify_file_link(path: Path, name: str, model: str | None = None) -> None:
    """Draw the link for a photo on disk; nothing if its file is missing.

    Parameters
    ----------
    path : Path
    name : str
        Shown to the user.
    model : str, optional
        As for `draw_identify_link`.
    """
    try:
        photo = stored_photo(path, name)
    except SneakerError:
        return
    draw_identify_link(photo, model)
