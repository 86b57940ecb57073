"""Old names of `ui.kit.text`, until every page uses the new ones."""

from sneaker_core.number_text import counted
from ui.kit.text import duration_text as time_words
from ui.kit.text import size_text as size_words

__all__ = ["counted_classes", "counted_photos", "size_words", "time_words"]


def counted_classes(number: int) -> str:
    """Old name of `counted(number, "class", "classes")`."""
    return counted(number, "class", "classes")


def counted_photos(number: int) -> str:
    """Old name of `counted(number, "photo")`."""
    return counted(number, "photo")
