"""The sections of the page, and where photos come from."""

from enum import StrEnum

import streamlit as st

from ui.explain.explain_keys import Key


class Section(StrEnum):
    """A section of the page."""

    ONE = "one"
    CLASS_AVERAGES = "class-averages"
    MANY = "many"


_WORDS = {
    Section.ONE: ":material/image: One photo",
    Section.CLASS_AVERAGES: ":material/blur_on: Class averages",
    Section.MANY: ":material/photo_library: Many photos",
}


# Values of the address that older versions wrote.
OLD_SECTIONS = {"means": Section.CLASS_AVERAGES}


class Source(StrEnum):
    """Where the photo comes from."""

    DATASET = "Dataset"
    EVALUATION = "Wrong predictions"
    UPLOAD = "Upload"


def choose_section() -> Section:
    """Choose the section."""
    # Not a default value of the widget, because the address sets it too.
    st.session_state.setdefault(Key.EXPLAIN_PART, Section.ONE)
    section = st.segmented_control(
        "Section",
        list(Section),
        required=True,
        format_func=lambda section: _WORDS[section],
        key=Key.EXPLAIN_PART,
        label_visibility="collapsed",
        wrap=True,
        persist_state="session",
    )
    return Section(section or Section.ONE)
