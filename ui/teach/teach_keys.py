"""Keys of the widgets and the session state of the Teach page."""

from ui.kit.state_keys import StateKey


class Key(StateKey):
    """Keys without a prefix are parameters of the address, too."""

    START = "start"
    COPY = "copy"
    SNEAKER = "sneaker"
    SECOND_SNEAKER = "second_sneaker"
    SECOND_PHOTOS = "second_photos"
    PAGE = "teach_page"
    TRAYS = "teach_trays"
    OWN_TOKENS = "teach_own_tokens"
    ROUND = "teach_round"
    DROP = "teach_drop"
    UPLOADS = "teach_uploads"
    PHOTOS = "teach_photos"
    PHOTO = "teach_photo"
    REMOVE = "teach_remove"
    CAMERA = "teach_camera"
    SHOTS = "teach_shots"
    TEACH = "teach_teach"
    WORK = "teach_work"
    RESULT = "teach_result"
    PROBLEM = "teach_problem"
    MORE = "teach_more"
    TAUGHT = "teach_taught"
    FORGET = "teach_forget"
    RECALL = "teach_recall"
