"""What a page says when the browser gives it no camera."""

from typing import Final

HTTPS_ONLY = "Browsers allow the camera over HTTPS only, and this page was opened over HTTP."
# By the name of the browser's error.
CAMERA_ERRORS: Final = {
    "NotAllowedError": "The browser blocks the camera. Allow it beside the address, and try again.",
    "NotFoundError": "This device has no camera that the browser can use.",
    "OverconstrainedError": "This device has no camera that the browser can use.",
}
# For all others.
CAMERA_BUSY = "The camera can't be opened. Another program may be using it."
