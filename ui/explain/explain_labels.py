"""What a map shows, in plain words."""

from sneaker_core.inference.explanation.explanation_files import KeptMean
from sneaker_core.inference.predictor import Answer
from sneaker_core.networks.decision import Status
from ui.kit.text import counted, percent, plain

# A ninth of the photo has a ninth of an even map; so much more makes it the place to name.
_MOSTLY = 0.33
_RATHER = 0.2


def seen(what: str, place: str, share: float) -> str:
    """Where the network looked, in one sentence.

    Parameters
    ----------
    what : str
        What is explained, as markdown.
    place : str
        The hottest ninth of the photo.
    share : float
        Its share of the map, 0 to 1; 0 where nothing is marked.
    """
    if share == 0:
        return f"Nothing in this photo speaks for {what}."
    if share >= _MOSTLY:
        return (
            f"What speaks for {what} lies mostly at the **{place}** of the photo: {percent(share)} of the map is in "
            "that ninth of it."
        )
    if share >= _RATHER:
        return (
            f"What speaks for {what} lies in several places, most of it at the **{place}** of the photo "
            f"({percent(share)} of the map is in that ninth of it)."
        )
    return f"What speaks for {what} is spread over the photo, with a little more at the **{place}**."


def answer_line(answer: Answer, label: str | None) -> str:
    """What the model says of the photo, and what it is filed as, in markdown."""
    said = f"The model says: **{plain(answer.sentence())}** ({percent(answer.top[0].probability)})."
    if answer.status is Status.UNKNOWN:
        said = f"{said[:-1]}, most alike {plain(answer.top[0].label)}."
    if label is None:
        return said
    right = answer.top[0].label == label
    mark = ":green[:material/check_circle:]" if right else ":orange[:material/cancel:]"
    return f"{said} {mark} It is filed under **{plain(label)}**."


def mean_title(mean: KeptMean) -> str:
    """The finding of a mean map, in markdown: "For **Air Max 90** it looks at the centre left"."""
    if not mean.n:
        return f"No photo of **{plain(mean.label)}** was answered {'right' if mean.right else 'wrong'}"
    spread = "" if mean.share >= _RATHER else "all over the photo, a little more at "
    if mean.right:
        return f"For **{plain(mean.label)}** it looks at {spread}the **{mean.place}**"
    return f"Where it was wrong about **{plain(mean.label)}**, it looked at {spread}the **{mean.place}**"


def mean_caption(mean: KeptMean) -> str:
    """Of how many photos a mean map is."""
    if not mean.n:
        return "So there is nothing to show."
    drawn = f"{mean.n} of {mean.of}" if mean.n < mean.of else f"{mean.n}"
    wrong = "taken for another class; each is explained by the class it was taken for"
    which = "answered right" if mean.right else wrong
    broken = f" {counted(mean.unreadable, 'photo')} could not be read." if mean.unreadable else ""
    return f"Mean of {drawn} photos that were {which}.{broken}"
