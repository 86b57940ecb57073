"""Answers as CSV and JSON files."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from sneaker_core.csv_cells import escape_formula
from sneaker_core.inference.answer_values import AnswerValues
from sneaker_core.inference.predictor import Answer
from sneaker_core.inference.same_sneaker import SameSneakerAnswer, SameSneakerValues
from sneaker_core.networks.decision import Status


def answers_table(answers: Sequence[Answer], guesses: int) -> pd.DataFrame:
    """One row per photo: image, status, answer, error, then label and probability of each guess."""
    rows = []
    for answer in answers:
        readable = answer.status is not Status.ERROR
        row: dict[str, str | float | None] = {
            "image": escape_formula(answer.image),
            "status": answer.status.value,
            "answer": escape_formula(answer.sentence()) if readable else None,
            "error": answer.error,
        }
        for place, guess in enumerate(answer.top[:guesses], start=1):
            row[f"label_{place}"] = escape_formula(guess.label)
            row[f"probability_{place}"] = round(guess.probability, 4)
        rows.append(row)
    return pd.DataFrame(rows)


def answers_csv(answers: Sequence[Answer], guesses: int) -> bytes:
    """The table as UTF-8 CSV that is safe to open in a spreadsheet."""
    return answers_table(answers, guesses).to_csv(index=False).encode()


def answers_json(answers: Sequence[Answer], guesses: int, together: SameSneakerAnswer | None = None) -> bytes:
    """A list of the objects that the command line and the JSON API return, with this many guesses each.

    Parameters
    ----------
    answers : sequence of Answer
    guesses : int
    together : SameSneakerAnswer, optional
        The answer to all photos together, which comes last.
    """

    def cut(answer: Answer) -> Answer:
        return replace(answer, top=answer.top[:guesses])

    objects: list[AnswerValues | SameSneakerValues] = [cut(answer).to_dict() for answer in answers]
    if together is not None:
        objects.append(replace(together, answer=cut(together.answer)).to_dict())
    return json.dumps(objects, ensure_ascii=False, indent=1).encode()
