"""The frame that pages stand in."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

_READABLE = 1000


@contextmanager
def page_body(width: int = _READABLE) -> Iterator[None]:
    """A centred column, no wider than reads well; on a phone, as wide as the screen.

    Parameters
    ----------
    width : int
        In pixels.
    """
    with st.container(horizontal_alignment="center"), st.container(width=width, horizontal_alignment="left"):
        yield
