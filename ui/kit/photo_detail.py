"""The dialog that shows one photo closely; which photo is in the address, so that links, Back and reload restore it."""

from collections.abc import Callable, Sequence

import streamlit as st

from sneaker_core.errors import SneakerError
from ui.kit.address import address_value, set_address_value
from ui.kit.page_frame import draw_error
from ui.kit.photo_tiles import draw_steps
from ui.kit.state_keys import KitKey

PHOTO_PARAM = "photo"


def open_photo(place: str, sample: str, order: Sequence[str]) -> None:
    """Open a photo; for callbacks.

    Parameters
    ----------
    place : str
        Tells the photos of one section of one dataset or evaluation from others.
    sample : str
    order : sequence of str
        Photos before and after it.
    """
    st.session_state[KitKey.ORDER.of(place)] = tuple(order)
    set_address_value(PHOTO_PARAM, sample)


def open_photo_beside(place: str, sample: str, beside: str) -> None:
    """Open a photo from the details of another one; Previous leads back to that; for callbacks.

    Parameters
    ----------
    place : str
        As in `open_photo`.
    sample : str
    beside : str
        The photo that is open.
    """
    order: tuple[str, ...] = st.session_state.get(KitKey.ORDER.of(place), ())
    if sample not in order:
        order = order if beside in order else (beside, *order)
        after = order.index(beside) + 1
        order = (*order[:after], sample, *order[after:])
    open_photo(place, sample, order)


def close_photo() -> None:
    """Close the photo that is open; for callbacks, and when another dataset or evaluation is chosen."""
    set_address_value(PHOTO_PARAM, None)


def draw_photo_dialog(
    place: str,
    draw: Callable[[str], None],
    order: Callable[[], Sequence[str]] = tuple,
    on_step: Callable[[], None] | None = None,
) -> None:
    """Draw the open photo in a dialog, below Previous and Next; nothing if none is open.

    Parameters
    ----------
    place : str
        As in `open_photo`.
    draw : callable
        Draws a photo, given its sample; may raise SneakerError.
    order : callable
        Photos to step through if the photo was opened by a link.
    on_step : callable, optional
        Called before another photo is shown.
    """
    if address_value(PHOTO_PARAM) is not None:
        st.dialog("Photo", width="large", on_dismiss=close_photo)(_draw_opened)(place, draw, order, on_step)


def _draw_opened(
    place: str, draw: Callable[[str], None], order: Callable[[], Sequence[str]], on_step: Callable[[], None] | None
) -> None:
    # Read again: a click in the dialog reruns only the dialog.
    sample = address_value(PHOTO_PARAM)
    if sample is None:
        st.rerun()
    samples: tuple[str, ...] = st.session_state.get(KitKey.ORDER.of(place), ())
    if sample not in samples:
        samples = tuple(order())
        st.session_state[KitKey.ORDER.of(place)] = samples

    def step(to: str) -> None:
        if on_step is not None:
            on_step()
        open_photo(place, to, samples)

    draw_steps(place, sample, samples, step)
    try:
        draw(sample)
    except SneakerError as error:
        draw_error(error)
