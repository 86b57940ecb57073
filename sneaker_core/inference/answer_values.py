"""The form of an answer in JSON, as the command line and the API give it."""

from typing import Annotated, TypedDict

from msgspec import Meta

from sneaker_core.networks.decision import Reason, Status
from sneaker_core.networks.sneaker_groups import GroupValues
from sneaker_core.records.fields import Duration, Share


class GuessValues(TypedDict):
    """A class and its calibrated probability.

    Attributes
    ----------
    label : str
    probability : float
        0 to 1.
    """

    label: str
    probability: Share


class SaidValues(TypedDict):
    """What the model says of one photo or of several.

    Attributes
    ----------
    status : str
        "known", "unsure", "unknown" or "error".
    sentence : str
        The answer as a sentence.
    top : list of Guess
        The most probable classes, in descending order; empty if no photo could be read.
    reason : str or null
        Why the answer is "unknown", if the model can tell.
    footwear_type : str or null
        What other footwear it looks like, such as "Loafers", if the model is sure of it.
    look_alikes : list of str
        For other footwear: the most similar classes, most similar first.
    group : Group or null
        For an "unsure" answer: the group of look-alikes that the photo shows, if that is probable enough.
    error : str or null
        Why the photo couldn't be read.
    ms : float
        Milliseconds from the photo's bytes to the answer.
    """

    status: Annotated[str, Meta(extra_json_schema={"enum": list(Status)})]
    sentence: str
    top: list[GuessValues]
    reason: Annotated[str | None, Meta(extra_json_schema={"enum": [*Reason, None]})]
    footwear_type: str | None
    look_alikes: list[str]
    group: GroupValues | None
    error: str | None
    ms: Duration


class AnswerValues(SaidValues):
    """The answer to a photo.

    Attributes
    ----------
    image : str
        Name of the photo.
    """

    image: str
