"""Moments in words, on the clock of whoever reads them."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import streamlit as st


def moment(seconds: float) -> str:
    """Seconds since 1970 as a date and a time of day where the reader is: "21 Nov 2026, 08:13"."""
    return f"{datetime.fromtimestamp(seconds, _zone()):%d %b %Y, %H:%M}".removeprefix("0")


def _zone() -> tzinfo:
    """The time zone of the browser; UTC where it tells none that is known here."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (KeyError, ValueError, OSError):
        return UTC
