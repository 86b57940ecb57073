"""From where somebody visits: over HTTPS or not, on this computer or another one."""

from urllib.parse import urlsplit

import streamlit as st

from sneaker_core.inference.phone_page.camera_texts import HTTPS_ONLY

NO_CAMERA = f"{HTTPS_ONLY} On the computer that runs SoleScope, run “make phone”."
_NO_PICTURE = "No picture? Allow this page to use the camera in the browser’s settings."
_THIS_COMPUTER = ("localhost", "127.0.0.1", "::1")


def is_on_this_computer() -> bool:
    """Whether the page is shown by a browser on the computer that runs SoleScope."""
    return _host_and_scheme()[0] in _THIS_COMPUTER


def camera_note() -> str:
    """What to do if the camera shows no picture. Browsers allow it over HTTPS, and on the computer itself."""
    return _NO_PICTURE if is_on_this_computer() or _host_and_scheme()[1] != "http" else NO_CAMERA


def _host_and_scheme() -> tuple[str, str]:
    parts = urlsplit(st.context.url or "")
    return parts.hostname or "", parts.scheme
