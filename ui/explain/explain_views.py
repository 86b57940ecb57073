"""The sections of the page, and where photos come from."""

from enum import StrEnum

from ui.explain.explain_keys import Key
from ui.kit import address


class Section(StrEnum):
    """A section of the page."""

    ONE = "One photo"
    CLASS_AVERAGES = "Class averages"
    MANY = "Many photos"


# Values of the address that links of this and older versions use.
_SHORT = {
    "one": Section.ONE.value,
    "class-averages": Section.CLASS_AVERAGES.value,
    "means": Section.CLASS_AVERAGES.value,
    "many": Section.MANY.value,
}


class Source(StrEnum):
    """Where the photo comes from."""

    DATASET = "Dataset"
    EVALUATION = "Mistakes"
    UPLOAD = "Upload"


def choose_section() -> Section:
    """Choose the section."""
    sections = [section.value for section in Section]
    return Section(address.choose_section(Key.SHOW, sections, label="Section", old=_SHORT))
