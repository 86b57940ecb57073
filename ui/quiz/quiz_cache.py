"""Which evaluations have photos, and the questions of a round, kept until the evaluation changes."""

import contextlib
from pathlib import Path

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_record import Evaluation
from sneaker_core.evaluation.quiz.questions import Question, choose_questions
from ui.kit.evaluation_cache import EvaluationKey, evaluation_table, present_key


def has_photos(evaluation: Evaluation) -> bool:
    """Whether photos of a finished evaluation are on this computer; synthetic ones can be drawn again."""
    if evaluation.synthetic is not None:
        return True
    with contextlib.suppress(SneakerError):
        return _has_photos(present_key(evaluation), evaluation)
    return False


@st.cache_data(max_entries=200, show_spinner=False)
def _has_photos(key: EvaluationKey, _evaluation: Evaluation) -> bool:
    return any(Path(path).is_file() for path in evaluation_table(key, _evaluation)["path"].dropna())


def questions(evaluation: Evaluation, seed: int) -> tuple[Question, ...]:
    """The questions of a round, about photos that are on this computer; none if they make no round.

    Raises
    ------
    SneakerError
        The evaluation can't be read.
    """
    return _questions(present_key(evaluation), seed, evaluation)


@st.cache_data(max_entries=100, show_spinner=False)
def _questions(key: EvaluationKey, seed: int, _evaluation: Evaluation) -> tuple[Question, ...]:
    table = evaluation_table(key, _evaluation)
    is_here = table["path"].map(lambda path: isinstance(path, str) and Path(path).is_file())
    return tuple(choose_questions(table.assign(path=table["path"].where(is_here, None)), seed))
