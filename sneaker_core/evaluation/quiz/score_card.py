"""The result of a round of the quiz as a picture to share."""

import io
from collections.abc import Mapping

from PIL import Image, ImageDraw, ImageOps

from sneaker_core.card_text import GRAY, LINE, PAPER, PLACEHOLDER, write_line
from sneaker_core.evaluation.chart_style import DEFAULT_PALETTE
from sneaker_core.evaluation.quiz.questions import Question, Round
from sneaker_core.number_text import counted

_WIDTH, _EDGE = 1080, 60
_HEAD, _ROW, _FOOT = 272, 108, 72
_PICTURE = (128, 84)
# Left edges of the three columns beside the pictures.
_NAME, _YOU, _MODEL = 212, 516, 772
_GAP = 24
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
    card = Image.new("RGB", (_WIDTH, height), PAPER)
    pen = ImageDraw.Draw(card)
    pen.rectangle((0, 0, _WIDTH, 12), DEFAULT_PALETTE.correct)
    write_line(pen, (_EDGE, 92), finished.score.title, 60, bold=True, most=_WIDTH - 2 * _EDGE)
    photos = counted(finished.score.of, "photo")
    write_line(pen, (_EDGE, 160), f"{photos} from {about}", 26, color=GRAY, most=_WIDTH - 2 * _EDGE)
    for left, title in ((_NAME, "The sneaker"), (_YOU, "You"), (_MODEL, "The model")):
        write_line(pen, (left, _HEAD - 32), title, 22, color=GRAY)
    for number, (question, answer) in enumerate(zip(finished.questions, finished.answers, strict=True)):
        _draw_row(card, pen, _HEAD + _ROW * number, question, answer, pictures.get(question.sample))
    write_line(pen, (_EDGE, height - _FOOT / 2), "SoleScope", 22, bold=True, color=GRAY)
    buffer = io.BytesIO()
    card.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _draw_row(
    card: Image.Image, pen: ImageDraw.ImageDraw, top: int, question: Question, answer: str, picture: bytes | None
) -> None:
    middle = top + _ROW / 2
    pen.line((_EDGE, top, _WIDTH - _EDGE, top), LINE, 2)
    corner = (_EDGE, top + (_ROW - _PICTURE[1]) // 2)
    card.paste(_fitted(picture), corner)
    write_line(pen, (_NAME, middle), question.label, 25, bold=True, most=_YOU - _GAP - _NAME)
    for left, right, said in ((_YOU, _MODEL - _GAP, answer), (_MODEL, _WIDTH - _EDGE, question.predicted)):
        mark = _RIGHT if said == question.label else _WRONG
        write_line(pen, (left, middle), mark, 30, color=_COLORS[mark], bold=True)
        text = "right" if mark == _RIGHT else said
        write_line(pen, (left + 38, middle), text, 23, color=_COLORS[mark], most=right - left - 38)


def _fitted(picture: bytes | None) -> Image.Image:
    """The photo, cut to the size of all pictures; a plain area without one."""
    if picture is None:
        return Image.new("RGB", _PICTURE, PLACEHOLDER)
    with Image.open(io.BytesIO(picture), formats=("JPEG",)) as photo:
        return ImageOps.fit(photo.convert("RGB"), _PICTURE)
