"""What can be asked about a photo; light to import, for pages and the command line."""

from dataclasses import dataclass, field
from enum import StrEnum

from sneaker_core.errors import SneakerError

DEFAULT_OPACITY = 0.5
# Photos in a mean map: more hardly change it.
MEAN_OF = 60


class Method(StrEnum):
    """The ways to explain an answer."""

    GRADCAM = "gradcam"
    GUIDED_GRADCAM = "guided_gradcam"
    INTEGRATED_GRADIENTS = "integrated_gradients"
    OCCLUSION = "occlusion"

    @property
    def plain_name(self) -> str:
        """Its name for people."""
        return _WORDS[self][0]

    @property
    def about(self) -> str:
        """What its map shows, and what it costs, in one or two sentences."""
        return _WORDS[self][1]

    @property
    def has_layer(self) -> bool:
        """Whether it looks at a layer that can be chosen."""
        return self in (Method.GRADCAM, Method.GUIDED_GRADCAM)

    @property
    def is_slow(self) -> bool:
        """Whether it asks the network dozens of times for one map."""
        return self in (Method.INTEGRATED_GRADIENTS, Method.OCCLUSION)


_WORDS = {
    Method.GRADCAM: (
        "Grad-CAM",
        "Which places of the network's last map speak for the class. Quick and robust, but coarse.",
    ),
    Method.GUIDED_GRADCAM: (
        "Guided Grad-CAM",
        "The fine lines inside the places that Grad-CAM finds. Sharp, but edges show even where they matter little.",
    ),
    Method.INTEGRATED_GRADIENTS: (
        "Integrated Gradients",
        "How much each pixel adds to the class on the way from a grey picture to the photo. Exact in sum, but grainy.",
    ),
    Method.OCCLUSION: (
        "Occlusion",
        "How much less the class is seen when a grey square covers a place. The plainest of all, and the slowest.",
    ),
}


def checked_method(name: str) -> Method:
    """A method by its name.

    Raises
    ------
    SneakerError
        There is none of that name; the message lists those there are.
    """
    try:
        return Method(name)
    except ValueError:
        raise SneakerError(f"There is no method {name[:80]!r}; choose one of: {', '.join(Method)}.") from None


@dataclass(frozen=True)
class Question:
    """What is asked about a photo.

    Attributes
    ----------
    target : str or None
        The class to explain; None for the most probable one.
    versus : str or None
        A class to hold it against: why the target rather than this one.
    method : Method
    layer : str or None
        Of `layers.layers`, for the methods that look at one; None for the network's usual one.
    """

    target: str | None = None
    versus: str | None = None
    method: Method = Method.GRADCAM
    layer: str | None = None


@dataclass(frozen=True)
class Wanted:
    """What is asked of each photo, and how the answer is drawn.

    Attributes
    ----------
    question : Question
        Default: Grad-CAM of the most probable class.
    opacity : float
        Of the map where it is hottest, 0 to 1.
    largest : int or None
        The picture's longer side has at most so many pixels; None for the photo's own size.
    check : bool
        Whether to find out how much the map is worth, which takes a hundred times as long.
    """

    question: Question = field(default_factory=Question)
    opacity: float = DEFAULT_OPACITY
    largest: int | None = None
    check: bool = False
