"""From where somebody visits: over HTTPS or not, on this computer or another one."""

from urllib.parse import urlsplit

import streamlit as st

_THIS_COMPUTER = ("localhost", "127.0.0.1", "::1")


def is_on_this_computer() -> bool:
    """Whether the page is shown by a browser on the computer that runs SoleScope."""
    return _host_and_scheme()[0] in _THIS_COMPUTER


def camera_is_allowed() -> bool:
    """Whether browsers allow the camera on this page: over HTTPS, and on the computer that runs SoleScope."""
    return is_on_this_computer() or _host_and_scheme()[1] != "http"


def _host_and_scheme() -> tuple[str, str]:
    parts = urlsplit(st.context.url or "")
    return parts.hostname or "", parts.scheme
