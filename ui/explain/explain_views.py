"""The three parts of the page, and where photos come from."""

from enum import StrEnum

import streamlit as st

from ui.explain.explain_keys import Key


class Part(StrEnum):
    """What is looked at."""

    ONE = "one"
    MEANS = "means"
    MANY = "many"


_WORDS = {
    Part.ONE: ":material/image: One photo",
    Part.MEANS: ":material/blur_on: A class on the whole",
    Part.MANY: ":material/photo_library: Many photos",
}


class Source(StrEnum):
    """Where the photo to explain comes from."""

    DATASET = "Dataset"
    EVALUATION = "Mistakes of an evaluation"
    UPLOAD = "Upload"


def choose_part() -> Part:
    """The part to draw."""
    # Set and not given as a default, for the address sets it too.
    st.session_state.setdefault(Key.EXPLAIN_PART, Part.ONE)
    part = st.segmented_control(
        "What to look at",
        list(Part),
        required=True,
        format_func=lambda part: _WORDS[part],
        key=Key.EXPLAIN_PART,
        label_visibility="collapsed",
        wrap=True,
        persist_state="session",
    )
    return Part(part or Part.ONE)
