"""The link from an answer to Teach, where the model doesn't recognize the sneaker."""

from collections.abc import Sequence

from sneaker_core.images import Photo
from sneaker_core.inference.predictor import Answer
from sneaker_core.networks.decision import Reason, Status
from sneaker_core.networks.model_registry import ModelEntry
from sneaker_core.number_text import counted
from ui.kit.changes import can_change
from ui.kit.kept_uploads import UPLOADS_PARAM, keep_uploads
from ui.kit.model_picker import MODEL_PARAM
from ui.kit.page_links import Page, draw_page_link


def draw_teach_link(model: ModelEntry, answer: Answer, photos: Sequence[Photo]) -> None:
    """Draw a link to Teach that takes the photos along.

    Nothing if the model recognizes them, they show no shoe, or nothing may be changed.

    Parameters
    ----------
    model : ModelEntry
    answer : Answer
        To the photos.
    photos : sequence of Photo
        At least one; all of the same sneaker.
    """
    if not can_change() or answer.status not in (Status.UNSURE, Status.UNKNOWN) or answer.reason is Reason.NOT_FOOTWEAR:
        return
    draw_page_link(
        "Teach it this sneaker",
        Page.TEACH,
        help=f"Without training. Takes along {'this photo' if len(photos) == 1 else counted(len(photos), 'photo')}.",
        **{MODEL_PARAM: model.name, UPLOADS_PARAM: keep_uploads(photos)},
    )
