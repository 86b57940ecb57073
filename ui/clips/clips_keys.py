"""Keys of the widgets and the session state of the Clips page."""

from ui.kit.state_keys import StateKey


class Key(StateKey):
    """Keys without a prefix are parameters of the address, too."""

    CLIP = "clip"
    CLIP_NEW = "clip_new"
    CLIP_UPLOAD = "clip_upload"
    CLIP_START = "clip_start"
    CLIP_SAMPLE = "clip_sample"
    CLIP_CHART = "clip_chart"
    CLIP_SAVE_ANSWERS = "clip_save_answers"
    CLIP_SAVE_VIDEO = "clip_save_video"
