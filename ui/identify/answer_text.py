"""Sentences about answers."""

from collections.abc import Sequence

from sneaker_core.evaluation.worlds import WorldMetrics, weakest_world
from sneaker_core.inference.answer_sentences import CONFIDENCE, times_in_100
from sneaker_core.inference.predictor import Answer
from sneaker_core.networks.decision import Reason, Status
from sneaker_core.number_text import counted, percent
from ui.kit.text import escape_markdown, probability_text

_STATUS_WORDS = {
    Status.KNOWN: "recognized",
    Status.UNSURE: "not sure",
    Status.UNKNOWN: "unknown",
    Status.ERROR: "unreadable",
}


def confidence_text(answer: Answer, classes: int, worlds: Sequence[WorldMetrics] = ()) -> str:
    """How often answers of this confidence are right, in a sentence or two.

    Parameters
    ----------
    answer : Answer
        Of a photo that could be read.
    classes : int
        Number of sneakers that the model knows.
    worlds : sequence of WorldMetrics
        How the model does in each world that it was tested in; the weaker one is named.
    """
    if answer.reason is Reason.NOT_FOOTWEAR:
        return CONFIDENCE["no_shoe"]
    if answer.reason is Reason.OTHER_FOOTWEAR:
        return CONFIDENCE["other_footwear"].format(names=escape_markdown(", ".join(answer.look_alikes)))
    if answer.status is Status.UNKNOWN:
        return CONFIDENCE["unlike" if answer.photos == 1 else "all_unlike"]
    if answer.group is not None:
        return CONFIDENCE["group"].format(times=times_in_100(answer.group.probability))
    times = times_in_100(answer.top[0].probability)
    if answer.status is Status.UNSURE:
        return CONFIDENCE["unsure"].format(times=times)
    known = CONFIDENCE["known"].format(times=times, sneakers=counted(classes, "sneaker"))
    return known + (_weakness(worlds) if answer.photos == 1 else "")


def _weakness(worlds: Sequence[WorldMetrics]) -> str:
    """Where the model is right less often; empty if that is nowhere in particular."""
    weakest = weakest_world(worlds)
    if weakest is None:
        return ""
    world, share = escape_markdown(weakest.world), percent(weakest.top1.value)
    return f" It is weaker on {world} photos, of which it gets {share} right."


def own_guess(answer: Answer) -> str:
    """What a photo says by itself, in a few words: "Air Max 90 83%"."""
    if answer.status is Status.ERROR or answer.refused:
        return _STATUS_WORDS[answer.status].capitalize()
    return f"{answer.top[0].label} {probability_text(answer.top[0].probability)}"


def summary_text(answers: Sequence[Answer]) -> str:
    """How many photos got which kind of answer: "5 photos: 4 recognized, 1 unreadable"."""
    statuses = [answer.status for answer in answers]
    parts = [f"{statuses.count(status)} {word}" for status, word in _STATUS_WORDS.items() if status in statuses]
    return f"{counted(len(answers), 'photo')}: {', '.join(parts)}"
