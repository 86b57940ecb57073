"""Every key under which a page keeps something between two runs."""

from enum import StrEnum


class Key(StrEnum):
    """Keys of widgets and of the session's state; one list, so that no two pages take the same."""

    UPLOADS = "identify_uploads"
    CAMERA_ON = "identify_camera_on"
    CAMERA = "identify_camera"
    MODEL = "identify_model"
    GUESSES = "identify_guesses"
    PAGE = "identify_page"
    WHY = "identify_why"
    TARGET = "identify_target"
    STRENGTH = "identify_strength"
    BARS = "identify_bars"
    CSV = "identify_csv"
    JSON = "identify_json"
    DIGESTS = "identify_digests"

    def of(self, item: str) -> str:
        """The key of a widget that there is once for every item."""
        return f"{self.value}-{item}"
