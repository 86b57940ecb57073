"""An answer as a picture to share: the photo, where the model looked, and what it says."""

import io

from PIL import Image, ImageDraw, ImageOps

from sneaker_core.card_text import GRAY, LINE, PAPER, PLACEHOLDER, wrapped, write_line
from sneaker_core.evaluation.chart_style import DEFAULT_PALETTE
from sneaker_core.inference.explanation.explain_photos import Explanation
from sneaker_core.inference.predictor import Answer
from sneaker_core.number_text import percent

_WIDTH, _EDGE, _GAP = 1080, 60, 24
_HEIGHT = 420
_HEADLINE, _HEADLINE_STEP, _MOST_LINES = 52, 66, 4
_ROW, _BAR = 74, 16
_GUESSES = 3
_NAMED = "Colored areas spoke for the answer. A model's guess, not a proof of authenticity."
_REFUSED = "A model's guess."


def draw_share_card(answer: Answer, explanation: Explanation, model: str) -> bytes:
    """Draw a card.

    Parameters
    ----------
    answer : Answer
        Of a photo that could be read.
    explanation : Explanation
        Of the same photo.
    model : str
        Name of the model.

    Returns
    -------
    bytes
        A PNG, 1080 pixels wide.

    Raises
    ------
    SneakerError
        The font is not installed.
    """
    most = _WIDTH - 2 * _EDGE
    lines = wrapped(answer.sentence(), _HEADLINE, most, bold=True)[:_MOST_LINES]
    guesses = () if answer.refused else answer.top[:_GUESSES]
    head = _EDGE + _HEADLINE_STEP * len(lines) + _GAP
    bars = head + _HEIGHT + 2 * _GAP
    card = Image.new("RGB", (_WIDTH, bars + _ROW * len(guesses) + 130), PAPER)
    pen = ImageDraw.Draw(card)
    pen.rectangle((0, 0, _WIDTH, 12), DEFAULT_PALETTE.correct)
    for number, line in enumerate(lines):
        write_line(pen, (_EDGE, _EDGE + _HEADLINE_STEP * (number + 0.5)), line, _HEADLINE, bold=True, most=most)
    _paste_pictures(card, explanation, head, with_map=not answer.refused)
    for number, guess in enumerate(guesses):
        _draw_guess(pen, bars + _ROW * number, guess.label, guess.probability, first=number == 0)
    for up, text in ((78, _REFUSED if answer.refused else _NAMED), (44, f"{model} · SoleScope")):
        write_line(pen, (_EDGE, card.height - up), text, 22, color=GRAY, most=most)
    buffer = io.BytesIO()
    card.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _paste_pictures(card: Image.Image, explanation: Explanation, top: int, *, with_map: bool) -> None:
    """The photo, and beside it the photo under its heat map; whole, on a plain ground."""
    if explanation.photo is None:
        return
    pictures = [explanation.photo, explanation.overlay()] if with_map else [explanation.photo]
    width = (card.width - 2 * _EDGE - _GAP * (len(pictures) - 1)) // len(pictures)
    for place, picture in enumerate(pictures):
        whole = ImageOps.pad(picture.convert("RGB"), (width, _HEIGHT), color=PLACEHOLDER)
        card.paste(whole, (_EDGE + place * (width + _GAP), top))


def _draw_guess(pen: ImageDraw.ImageDraw, top: int, label: str, probability: float, *, first: bool) -> None:
    right, middle = _WIDTH - _EDGE, top + 20
    write_line(pen, (_EDGE, middle), label, 26, bold=first, most=right - _EDGE - 140)
    write_line(pen, (right - 90, middle), percent(probability), 26, bold=first)
    track = (_EDGE, top + 42, right, top + 42 + _BAR)
    pen.rounded_rectangle(track, _BAR / 2, LINE)
    end = _EDGE + probability * (right - _EDGE)
    if end - _EDGE >= _BAR:
        pen.rounded_rectangle((_EDGE, track[1], end, track[3]), _BAR / 2, DEFAULT_PALETTE.correct if first else GRAY)
