"""The round of the quiz that the address describes: its seed, its answers so far and the question on show.

Nothing of a round is kept elsewhere, so Back takes an answer back, and a reload or a link shows the same question.
"""

import secrets
from dataclasses import dataclass

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_record import Evaluation
from sneaker_core.evaluation.quiz.questions import Question, Round, read_round
from sneaker_core.evaluation.quiz.votes import add_vote
from sneaker_core.workspace.paths import workspace
from ui.kit import page_address
from ui.kit.address import address_value, set_address_values
from ui.quiz import quiz_cache
from ui.quiz.quiz_keys import Key

_SEEDS = 10_000
_LONGEST_NUMBER = 9


@dataclass(frozen=True)
class Turn:
    """A round and the question that is on show.

    Attributes
    ----------
    evaluation : Evaluation
    seed : int
    played : Round
    at : int
        Number of the question, from 0; as many as there are questions for the score.
    """

    evaluation: Evaluation
    seed: int
    played: Round
    at: int

    @property
    def question(self) -> Question:
        """The question on show."""
        return self.played.questions[self.at]

    @property
    def answer(self) -> str | None:
        """The answer to the question on show; None if there is none yet."""
        return self.played.answers[self.at] if self.at < len(self.played.answers) else None

    @property
    def is_at_score(self) -> bool:
        """Whether the score is on show."""
        return self.at == len(self.played.questions)


def read_turn(evaluation: Evaluation) -> Turn | None:
    """The turn that the address describes; None if the photos make no round.

    Raises
    ------
    SneakerError
        The evaluation can't be read.
    """
    seed = _number(Key.SEED)
    if seed is None:
        seed = secrets.randbelow(_SEEDS) + 1
        page_address.change({Key.SEED: str(seed)}, chosen=False)
    questions = quiz_cache.questions(evaluation, seed)
    if not questions:
        return None
    played = read_round(questions, address_value(Key.ANSWERS) or "")
    asked = _number(Key.QUESTION)
    # Not beyond the first question without an answer.
    at = len(played.answers) if asked is None else min(max(asked - 1, 0), len(played.answers))
    return Turn(evaluation, seed, played, at)


def _number(param: Key) -> int | None:
    text = address_value(param) or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else None


def give_answer(turn: Turn, option: str) -> None:
    """Answer the question on show; for callbacks. The same photo counts once a session toward everybody's answers."""
    before = zip(turn.played.questions, (*turn.played.answers, option), strict=False)
    numbers = "".join(str(question.options.index(answer) + 1) for question, answer in before)
    set_address_values({Key.ANSWERS: numbers, Key.QUESTION: str(turn.at + 1)})
    voted: set[tuple[str, str, str]] = st.session_state.setdefault(Key.QUIZ_VOTED, set())
    vote = (turn.evaluation.kind.value, turn.evaluation.id, turn.question.sample)
    if vote in voted:
        return
    voted.add(vote)
    try:
        add_vote(workspace(), turn.evaluation, turn.question, option)
    except SneakerError as error:
        st.session_state[Key.QUIZ_UNCOUNTED] = str(error)


def show_question(at: int) -> None:
    """Show a question, from 0, or the score after the last; for callbacks."""
    set_address_values({Key.QUESTION: str(at + 1)})


def start_round(seed: int) -> None:
    """Start another round; for callbacks."""
    set_address_values({Key.SEED: str(seed), **forgotten()})


def forgotten() -> dict[str, None]:
    """The parameters of a round without values, for another round or another evaluation."""
    return dict.fromkeys((Key.QUESTION.value, Key.ANSWERS.value))
