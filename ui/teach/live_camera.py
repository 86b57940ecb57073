"""The camera: each shot becomes a photo of a sneaker, and meanwhile the model says what it sees."""

import base64
from pathlib import Path

import streamlit as st

from sneaker_core.images import Photo
from sneaker_core.inference.phone_page.camera_texts import CAMERA_BUSY, CAMERA_ERRORS
from ui.kit.visit import NO_CAMERA
from ui.teach.photo_tray import add_photos
from ui.teach.teach_choices import Target
from ui.teach.teach_keys import Key

_HERE = Path(__file__)
# The element, which is registered once. Streamlit's own camera gives one photo and then shows it in place of the video.
_camera = st.components.v2.component(
    "solescope_camera",
    html=_HERE.with_name("live_camera.html").read_text(encoding="utf-8"),
    css=_HERE.with_name("live_camera.css").read_text(encoding="utf-8"),
    js=_HERE.with_name("live_camera.js").read_text(encoding="utf-8"),
)


def draw_camera(target: Target) -> None:
    """Draw the camera; the browser asks for permission only after it is turned on.

    Parameters
    ----------
    target : Target
    """
    many = len(target.places) > 1
    shots = [
        {"tray": place.tray, "label": f"Photo of {_name(place.name, number)}" if many else "Take a photo"}
        for number, place in enumerate(target.places, start=1)
    ]
    trays = {place.tray for place in target.places}
    _camera(
        key=Key.CAMERA,
        data={
            "model": target.answering,
            "shots": shots,
            "rule": NO_CAMERA,
            "errors": CAMERA_ERRORS,
            "busy": CAMERA_BUSY,
        },
        on_shot_change=lambda: _take_shot(trays),
    )


def _name(key: Key, number: int) -> str:
    return str(st.session_state.get(key) or f"sneaker {number}")


def _take_shot(trays: set[str]) -> None:
    """Add a photo that the camera took; what the browser sends is not trusted."""
    shot = st.session_state[Key.CAMERA].get("shot")
    if not isinstance(shot, dict) or not isinstance(shot.get("tray"), str) or shot["tray"] not in trays:
        return
    try:
        data = base64.b64decode(str(shot.get("photo")), validate=True)
    except ValueError:
        return
    number = st.session_state[Key.SHOTS] = st.session_state.get(Key.SHOTS, 0) + 1
    add_photos(shot["tray"], [Photo(f"Camera photo {number}.jpg", data)])
