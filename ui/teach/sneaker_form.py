"""The sneakers to teach: a name and photos for each."""

import streamlit as st

from ui.kit.paste_photos import accept_pasted_photos
from ui.teach import photo_tray
from ui.teach.teach_choices import Place, Target, ask_sneaker
from ui.teach.teach_keys import Key

# What is tapped is as large as a finger; headings of the page's parts are no larger than its title.
_STYLE = f"""<style>
.st-key-{Key.PAGE} button:not([aria-label^="Help for"]),
.st-key-{Key.PAGE} [data-testid=stPageLink] a, .st-key-{Key.PAGE} [data-testid=stTextInputRootElement],
.st-key-{Key.PAGE} [data-baseweb=select] > div {{min-height: 2.75rem; min-width: 2.75rem;}}
.st-key-{Key.PAGE} h2 {{font-size: 1.375rem; overflow-wrap: anywhere;}}
</style>"""
_DROP = "Drop photos here, paste them, or choose some"


def draw_style() -> None:
    """Set the sizes of what the page holds; before all else."""
    st.html(_STYLE)
    st.html(photo_tray.STYLE)


def draw_sneakers(target: Target) -> None:
    """Draw the fields of one sneaker, or of two side by side.

    Parameters
    ----------
    target : Target
    """
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
