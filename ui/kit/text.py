"""Words for people: names shown as they are, probabilities said plainly."""

import re
import unicodedata

from sneaker_core.inference.predictor import Answer
from sneaker_core.networks.decision import Status

# What markdown would take for a sign of its own: anywhere, at the edge of a word, at the start of a line. Ordinary
# names and sentences hold none of it and stay as they are.
_MARKS = re.compile(r"[\\`*\[\]<>~$|&]|(?<![^\W_])_|_(?![^\W_])")
_LINE_STARTS = re.compile(r"^(\d+(?=[.)](?:\s|$)))?([#+\-]|(?<=\d)[.)](?=\s|$))")
# Icons (:material/…:), emoji and web addresses are found only after the escapes are gone; an invisible joiner behind
# these keeps them from being found.
_LINKING = re.compile(r"(:(?=\S)|@(?=\S)|\bwww(?=\.))", re.IGNORECASE)
_WORD_JOINER = "\u2060"
_LONGEST_NAME = 60
# A few labels in every collection of photos are wrong, so nobody has shown that a model does better than this.
_MOST_IN_100 = 97


def plain(text: str) -> str:
    """Text from a user or a file, made safe to stand inside Streamlit's markdown: it reads exactly as it is written.

    Parameters
    ----------
    text : str
        A file's name, a class's name, an error's sentence.

    Returns
    -------
    str
        Markdown in which nothing is a link, an icon, bold or HTML; control characters are dropped, line breaks are
        spaces.
    """
    spaced = " ".join(text.split())
    visible = "".join(char for char in spaced if unicodedata.category(char) not in ("Cc", "Cf"))
    escaped = _MARKS.sub(r"\\\g<0>", _LINKING.sub(rf"\1{_WORD_JOINER}", visible))
    return _LINE_STARTS.sub(r"\1\\\2", escaped)


def shortened(name: str) -> str:
    """A file's name with its middle left out when it is too long to read; the ending stays."""
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 16]}…{name[-15:]}"


def percent(probability: float) -> str:
    """A probability from 0 to 1 as a whole percentage, never 0 and never 100."""
    if probability < 0.01:
        return "<1%"
    if probability > 0.99:
        return ">99%"
    return f"{probability:.0%}"


def sureness(answer: Answer) -> str:
    """How sure an answer is, as a sentence without a number to interpret."""
    if answer.status is Status.UNKNOWN:
        return "The photo is unlike everything I was taught, so a name would be little more than a guess."
    chance = answer.top[0].probability
    often = f"about {min(max(round(chance * 100), 1), _MOST_IN_100)}"
    if answer.status is Status.UNSURE:
        return f"My best guess has a chance of {often} in 100 to be right."
    return f"When I am this sure, I am right {often} times in 100."


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 photo", "3 photos"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def summary(answers: list[Answer]) -> str:
    """How many photos got which kind of answer, in one line."""
    words = {
        Status.KNOWN: "recognised",
        Status.UNSURE: "not sure",
        Status.UNKNOWN: "not a sneaker I know",
        Status.ERROR: "could not be read",
    }
    statuses = [answer.status for answer in answers]
    parts = [f"{statuses.count(status)} {word}" for status, word in words.items() if status in statuses]
    return f"{counted(len(answers), 'photo')}: {', '.join(parts)}"
