"""The sneakers to teach: a name and photos for each."""

import streamlit as st

from ui.kit.paste_photos import accept_pasted_photos
from ui.teach import photo_tray
from ui.teach.teach_choices import Place, Target, ask_sneaker

_DROP = "Drop photos here, paste them, or choose some"


def draw_sneakers(target: Target) -> None:
    """Draw the fields of one sneaker, or of two side by side.

    Parameters
    ----------
    target : Target
    """
    st.html(photo_tray.STYLE)
    accept_pasted_photos(*(photo_tray.drop_key(place.tray) for place in target.places))
    many = len(target.places) > 1
    with st.grid(len(target.places), min_column_width=300):
        for number, place in enumerate(target.places, start=1):
            _draw_sneaker(place, f"Sneaker {number}" if many else "The sneaker")


def _draw_sneaker(place: Place, title: str) -> None:
    with st.container(border=True):
        st.header(title, anchor=False)
        ask_sneaker(place, "Name of the sneaker")
        photo_tray.draw_tray(place.tray, _DROP)
