"""Text that people read: markdown made safe, long names shortened, numbers, sizes, durations and dates.

Percentages and counts come from `sneaker_core.number_text`, which the command line and the reports use too.
"""

import re
import unicodedata
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import streamlit as st

from sneaker_core import number_text
from sneaker_core.training.planning.duration_text import in_words as duration_text

# Characters with a meaning in markdown: anywhere, at the edge of a word, at the start of a line. Ordinary names and
# sentences have none of them and stay as they are.
_MARKS = re.compile(r"[\\`*\[\]<>~$|&]|(?<![^\W_])_|_(?![^\W_])")
_LINE_STARTS = re.compile(r"^(\d+(?=[.)](?:\s|$)))?([#+\-]|(?<=\d)[.)](?=\s|$))")
# Streamlit finds icons (:material/…:), emoji and web addresses after it has removed the escapes; an invisible joiner
# keeps it from finding them.
_LINKING = re.compile(r"(:(?=\S)|@(?=\S)|\bwww(?=\.))", re.IGNORECASE)
_WORD_JOINER = "\u2060"
_LONGEST_NAME, _KEPT_END = 60, 15
_LONGEST_LABEL = 40
_MINUTE, _HOUR = 60, 3600

__all__ = [
    "duration_text",
    "escape_markdown",
    "probability_text",
    "short_duration_text",
    "size_text",
    "timestamp_text",
    "truncate",
    "truncate_middle",
]


def escape_markdown(text: str) -> str:
    """Text from a user or a file, made safe for Streamlit's markdown: it is shown exactly as written.

    Parameters
    ----------
    text : str
        A file name, a class name, an error message.

    Returns
    -------
    str
        Markdown without links, icons, formatting or HTML. Control characters are removed, line breaks become spaces.
    """
    spaced = " ".join(text.split())
    visible = "".join(char for char in spaced if unicodedata.category(char) not in ("Cc", "Cf"))
    escaped = _MARKS.sub(r"\\\g<0>", _LINKING.sub(rf"\1{_WORD_JOINER}", visible))
    return _LINE_STARTS.sub(r"\1\\\2", escaped)


def truncate_middle(name: str) -> str:
    """A name of at most 60 characters, shortened in the middle, so that a file keeps its ending."""
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - _KEPT_END - 1]}…{name[-_KEPT_END:]}"


def truncate(text: str, longest: int = _LONGEST_LABEL) -> str:
    """Text of at most so many characters, shortened at the end; spaces are collapsed."""
    text = " ".join(text.split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def probability_text(probability: float) -> str:
    """A probability from 0 to 1: "94%"; never 0% and never 100%, because no model is ever certain."""
    return number_text.percent(min(max(probability, 1e-9), 1 - 1e-9))


def size_text(number: int) -> str:
    """A number of bytes: "3.4 MB"."""
    size = float(number)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def short_duration_text(seconds: float) -> str:
    """A duration for tables: "3 min 20 s"; a dash if there is none."""
    if seconds <= 0:
        return number_text.NO_NUMBER
    hours, rest = divmod(max(1, round(seconds)), _HOUR)
    minutes, left = divmod(rest, _MINUTE)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


def timestamp_text(seconds: float) -> str:
    """Seconds since 1970 as date and time in the reader's time zone: "21 Nov 2026, 08:13"."""
    return f"{datetime.fromtimestamp(seconds, _time_zone()):%d %b %Y, %H:%M}".removeprefix("0")


def _time_zone() -> tzinfo:
    """The browser's time zone; UTC if it is unknown here."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (KeyError, ValueError, OSError):
        return UTC
