"""Keys of widgets and of the session state.

Each page lists its keys in its own folder, in a subclass of `StateKey`. A test checks that no two pages use the same
value.
"""

from enum import StrEnum


class StateKey(StrEnum):
    """A key of a widget or of the session state."""

    def of(self, item: str) -> str:
        """The key of a widget that exists once for each item."""
        return f"{self.value}-{item}"


class KitKey(StateKey):
    """Keys of what the kit draws on several pages."""

    FINDING = "finding"
    UPLOADED = "uploaded_photos"
    KEPT_UPLOADS = "kept_uploads"
    JOB_STOP = "job_stop"
    JOB_STOP_ASK = "job_stop_ask"
    JOB_LOG = "job_log"
    JOB_AGAIN = "job_again"
    JOB_DISMISS = "job_dismiss"
    JOBS_SEEN = "jobs_seen"
    JOBS_DISMISSED = "jobs_dismissed"
    AUTHOR = "review_author"
    CHOSEN = "review_chosen"
    TICK = "review_tick"
    OPEN = "review_open"
    NOTICE = "review_notice"
    SHOWN_PAGE = "review_page"
    PAGES = "review_pages"
    KEEP = "review_keep"
    EXCLUDE = "review_exclude"
    RELABEL = "review_relabel"
    NEW_LABEL = "review_new_label"
    UNDO = "review_undo"
    CHOOSE_ALL = "review_choose_all"
    CHOOSE_NONE = "review_choose_none"
    BAR = "review_bar"
    WORTH_CHECK = "review_worth_check"
    SUGGESTED = "review_suggested"
    GRID = "photo_grid"
    TILE = "photo_tile"
    STEP = "photo_step"
    ORDER = "photo_order"
    SCRIPT = "page_script"
    CORRECT = "correct_model"
    NEXT_WAY = "next_way"
    NEXT_STEP = "next_step"
    DIALOG = "dialog"
    DIALOG_MENU = "dialog_menu"
    DIALOG_OPEN = "dialog_open"
    DIALOG_BIN = "dialog_bin"
    DAMAGED_REPAIR = "damaged_repair"
    DAMAGED_DELETE = "damaged_delete"
    DIALOG_FORM = "dialog_form"
    DIALOG_NAME = "dialog_name"
    DIALOG_DO = "dialog_do"
    DIALOG_CANCEL = "dialog_cancel"
    DIALOG_RESTORE = "dialog_restore"
