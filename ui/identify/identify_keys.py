"""Keys of the widgets and the session state of the Identify page."""

from ui.kit.state_keys import StateKey


class Key(StateKey):
    """Keys without a prefix are parameters of the address, too."""

    UPLOADS = "identify_uploads"
    BEFORE = "identify_before"
    REMOVE_BEFORE = "identify_remove_before"
    KEPT = "identify_kept"
    TOKEN = "identify_token"
    TOKEN_IS_OWN = "identify_token_is_own"
    CAMERA_ON = "identify_camera_on"
    CAMERA = "identify_camera"
    GUESSES = "identify_guesses"
    PAGE = "identify_page"
    WHY = "identify_why"
    TARGET = "identify_target"
    OPACITY = "identify_opacity"
    BARS = "identify_bars"
    CSV = "identify_csv"
    JSON = "identify_json"
    WHY_VERSUS = "identify_why_versus"
