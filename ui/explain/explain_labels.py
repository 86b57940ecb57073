"""What answers and class-average maps show, in words."""

from sneaker_core.inference.explanation.explanation_files import StoredClassMap
from sneaker_core.inference.explanation.heat_maps import CONCENTRATED
from sneaker_core.inference.predictor import Answer
from sneaker_core.networks.decision import Status
from sneaker_core.number_text import counted
from ui.kit.text import escape_markdown, probability_text


def answer_line(answer: Answer, label: str | None) -> str:
    """The model's answer for a photo, and the photo's label if it has one, in markdown."""
    best = answer.top[0]
    said = f"The model's answer: **{escape_markdown(answer.sentence())}**"
    if answer.reason is not None:
        said = f"{said}. Most similar: {escape_markdown(best.label)}."
    elif answer.status is Status.UNKNOWN:
        said = f"{said}. Most similar: {escape_markdown(best.label)} ({probability_text(best.probability)})."
    else:
        said = f"{said} ({probability_text(best.probability)})."
    if label is None:
        return said
    mark = ":green[:material/check_circle:]" if best.label == label else ":orange[:material/cancel:]"
    return f"{said} {mark} The photo is labeled **{escape_markdown(label)}**."


def class_map_title(stored: StoredClassMap) -> str:
    """Where a class-average map is strongest, in markdown: "**Predicted correctly**: strongest at the center left"."""
    predicted = "correctly" if stored.right else "as another class"
    if not stored.count:
        return f"No photo of **{escape_markdown(stored.label)}** was predicted {predicted}"
    spread = "" if stored.share >= CONCENTRATED else "spread over the photo, "
    return f"**Predicted {predicted}**: {spread}strongest at the **{stored.area}**"


def class_map_caption(stored: StoredClassMap) -> str:
    """Which photos a class-average map averages."""
    if not stored.count:
        return "There is nothing to show."
    photos = counted(stored.count, "photo")
    if stored.count < stored.available:
        photos = f"{stored.count:,} of {counted(stored.available, 'photo')}"
    which = "predicted correctly"
    if not stored.right:
        which = "predicted as another class, each explained for its predicted class"
    unreadable = f" {counted(stored.unreadable, 'photo')} couldn't be read." if stored.unreadable else ""
    return f"Average of {photos} {which}.{unreadable}"
