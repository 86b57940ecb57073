"""The result of a round of the quiz as a picture to share."""

import importlib.util
import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.chart_style import DEFAULT_PALETTE
from sneaker_core.evaluation.quiz.questions import Question, Round
from sneaker_core.number_text import counted

_WIDTH, _EDGE = 1080, 60
_HEAD, _ROW, _FOOT = 272, 108, 72
_PICTURE = (128, 84)
# Left edges of the three columns beside the pictures.
_NAME, _YOU, _MODEL = 212, 516, 772
_GAP = 24
# A long name is written in letters of at least this share of the usual size.
_SMALLER = 0.72
_PAPER, _INK, _GRAY, _LINE, _PLACEHOLDER = "#fbfaf7", "#101117", "#565762", "#dfdbd1", "#ece8df"
_RIGHT, _WRONG = "\N{CHECK MARK}", "\N{BALLOT X}"
_COLORS = {_RIGHT: DEFAULT_PALETTE.correct, _WRONG: DEFAULT_PALETTE.incorrect}


def draw_score_card(finished: Round, pictures: Mapping[str, bytes], about: str) -> bytes:
    """Draw the score of a round with a line for each photo.

    Parameters
    ----------
    finished : Round
        With an answer to each question.
    pictures : mapping of str to bytes
        Sample -> a small JPEG of the photo; photos may be missing.
    about : str
        What the photos are from.

    Returns
    -------
    bytes
        A PNG.
    """
    height = _HEAD + _ROW * len(finished.questions) + _FOOT
    card = Image.new("RGB", (_WIDTH, height), _PAPER)
    pen = ImageDraw.Draw(card)
    pen.rectangle((0, 0, _WIDTH, 12), DEFAULT_PALETTE.correct)
    _write(pen, (_EDGE, 92), finished.score.title, 60, bold=True, most=_WIDTH - 2 * _EDGE)
    photos = counted(finished.score.of, "photo")
    _write(pen, (_EDGE, 160), f"{photos} from {about}", 26, color=_GRAY, most=_WIDTH - 2 * _EDGE)
    for left, title in ((_NAME, "The sneaker"), (_YOU, "You"), (_MODEL, "The model")):
        _write(pen, (left, _HEAD - 32), title, 22, color=_GRAY)
    for number, (question, answer) in enumerate(zip(finished.questions, finished.answers, strict=True)):
        _draw_row(card, pen, _HEAD + _ROW * number, question, answer, pictures.get(question.sample))
    _write(pen, (_EDGE, height - _FOOT / 2), "SoleScope", 22, bold=True, color=_GRAY)
    buffer = io.BytesIO()
    card.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _draw_row(
    card: Image.Image, pen: ImageDraw.ImageDraw, top: int, question: Question, answer: str, picture: bytes | None
) -> None:
    middle = top + _ROW / 2
    pen.line((_EDGE, top, _WIDTH - _EDGE, top), _LINE, 2)
    corner = (_EDGE, top + (_ROW - _PICTURE[1]) // 2)
    card.paste(_fitted(picture), corner)
    _write(pen, (_NAME, middle), question.label, 25, bold=True, most=_YOU - _GAP - _NAME)
    for left, right, said in ((_YOU, _MODEL - _GAP, answer), (_MODEL, _WIDTH - _EDGE, question.predicted)):
        mark = _RIGHT if said == question.label else _WRONG
        _write(pen, (left, middle), mark, 30, color=_COLORS[mark], bold=True)
        text = "right" if mark == _RIGHT else said
        _write(pen, (left + 38, middle), text, 23, color=_COLORS[mark], most=right - left - 38)


def _fitted(picture: bytes | None) -> Image.Image:
    """The photo, cut to the size of all pictures; a plain area without one."""
    if picture is None:
        return Image.new("RGB", _PICTURE, _PLACEHOLDER)
    with Image.open(io.BytesIO(picture), formats=("JPEG",)) as photo:
        return ImageOps.fit(photo.convert("RGB"), _PICTURE)


def _write(
    pen: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    size: int,
    *,
    color: str = _INK,
    bold: bool = False,
    most: float | None = None,
) -> None:
    """Write a line of text from the middle of its left edge; one wider than `most` gets smaller and is then cut."""
    line = " ".join(text.split())
    smallest = round(_SMALLER * size)
    fitting = (each for each in range(size, smallest, -1) if most is None or _font(each, bold).getlength(line) <= most)
    font = _font(next(fitting, smallest), bold)
    shown = line
    while most is not None and shown and font.getlength(shown) > most:
        line = line[:-1]
        shown = f"{line.rstrip()}…"
    pen.text(place, shown, color, font, "lm")


@cache
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which matplotlib brings; Pillow's own font has Latin letters only."""
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        raise SneakerError("The picture needs a font that comes with matplotlib. Install the requirements again.")
    file = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / f"DejaVuSans{'-Bold' if bold else ''}.ttf"
    return ImageFont.truetype(file, size)
