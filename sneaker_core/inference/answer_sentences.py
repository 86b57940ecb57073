"""The sentences of answers, as templates, and the numbers that choose between them.

Python fills them in with `str.format`; the page for phones does the same in the browser, from a copy that its build
writes.
"""

from collections.abc import Sequence
from typing import Final

# From this probability on, an answer reads "Almost certainly".
ALMOST_CERTAIN = 0.9
# "Not sure" names the most probable classes up to this combined probability, but no more than so many.
NAMED_PROBABILITY = 0.8
MOST_NAMED = 3
# From this probability on, the type of other footwear is named.
FOOTWEAR_TYPE_PROBABILITY = 0.6
# How many classes are named that other footwear looks like.
LOOK_ALIKES = 3
# Every photo collection has a few wrong labels, so no model can be shown to be more accurate than this.
MOST_IN_100 = 97
# The first guess is far ahead from this many times the probability of the second.
FAR_AHEAD = 3.0

SENTENCES: Final = {
    "almost_certain": "Almost certainly {name}",
    "probable": "Probably {name}",
    "unsure": "Not sure: {names}",
    "no_shoe": "There is no shoe in this photo, or the model can't see it",
    "no_shoe_in_any": "There is no shoe in these photos, or the model can't see it",
    "other_shoe": "A shoe, but not a sneaker this model knows",
    "other_type": "A shoe, but not a sneaker this model knows; it looks like {type}",
    "unlike": "This doesn't look like a sneaker the model knows",
    "or": " or ",
}
# How often answers of this kind are right, or what to do.
CONFIDENCE: Final = {
    "known": "If this is one of the {sneakers} it knows, the model is right about {times} times in 100 when it is this "
    "confident.",
    "group": "It is one of them about {times} times in 100; the model can't tell which.",
    "unsure": "The best guess is right about {times} times in 100.",
    "no_shoe": "Try a photo that shows one shoe, close up and from the side.",
    "other_footwear": "Closest look-alikes: {names}.",
    "unlike": "The photo is unlike anything the model was trained on, so any name would be a guess.",
    "all_unlike": "The photos are unlike anything the model was trained on, so any name would be a guess.",
}
# The finding of the bars below an answer.
FINDINGS: Final = {
    "only": "{first}: {share}",
    "close": "{first} and {second} are close",
    "far": "{first} is far ahead",
    "ahead": "{first} is ahead, but not far enough",
}
# The word on the badge above an answer, by status.
BADGES: Final = {"known": "Recognized", "probable": "Probable", "unsure": "Not sure", "unknown": "Unknown"}


def alternatives(names: Sequence[str]) -> str:
    """The names in a list that ends with "or"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])}{SENTENCES['or']}{names[-1]}"


def times_in_100(probability: float) -> int:
    """How often answers of a probability, 0 to 1, are right."""
    return min(max(round(probability * 100), 1), MOST_IN_100)
