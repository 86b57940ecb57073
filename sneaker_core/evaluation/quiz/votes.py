"""Everybody's answers in the quiz: a log that only grows, and how often people and the model were right."""

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pandas as pd

from sneaker_core.errors import BusyError, DamagedError, SpaceError
from sneaker_core.evaluation.evaluation_record import Evaluation
from sneaker_core.evaluation.quiz.questions import Question, with_one_label
from sneaker_core.records.evaluation_records import VoteRow
from sneaker_core.records.reading import checked, parsed
from sneaker_core.settings import read_only
from sneaker_core.workspace.atomic_files import append_json
from sneaker_core.workspace.locks import take_lock
from sneaker_core.workspace.paths import votes_file

# Fewer votes say little about people.
FEWEST_VOTES = 10
# Seconds to wait for others who answer at the same time.
_PATIENCE = 5.0


def add_vote(workspace: Path, evaluation: Evaluation, question: Question, vote: str) -> None:
    """Add an answer to the log; not while SoleScope is read-only.

    Parameters
    ----------
    workspace : Path
    evaluation : Evaluation
        The one that the question is from.
    question : Question
    vote : str
        One of its options.

    Raises
    ------
    SneakerError
        The log can't be written.
    """
    if read_only():
        return
    row = VoteRow(evaluation.kind.value, evaluation.id, question.sample, list(question.options), vote, time.time())
    file = votes_file(workspace)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = take_lock(file.with_suffix(".lock"), _PATIENCE)
        if lock is None:
            raise BusyError("Your answer wasn't counted, because too many others answered at the same time.")
        with lock:
            append_json(file, msgspec.to_builtins(row))
    except OSError as error:
        raise SpaceError(f"Your answer wasn't counted: can't write {file} ({error.strerror or error}).") from error


def read_votes(workspace: Path, evaluation: Evaluation) -> list[VoteRow]:
    """All answers to questions from an evaluation, oldest first; damaged lines are left out."""
    file = votes_file(workspace)
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return []
    votes = []
    for line in lines:
        with contextlib.suppress(DamagedError):
            row = checked(parsed(line, file), VoteRow, file)
            if (row.kind, row.evaluation) == (evaluation.kind.value, evaluation.id) and row.vote in row.options:
                votes.append(row)
    return votes


def people_and_model(votes: Sequence[VoteRow], table: pd.DataFrame) -> pd.DataFrame:
    """How often people and the model were right about each class, on the same questions.

    Parameters
    ----------
    votes : sequence of VoteRow
        From `read_votes`. Those on photos that aren't in the table don't count.
    table : DataFrame
        The evaluation's prediction table.

    Returns
    -------
    DataFrame
        A row for each class that was asked for, by name: label, votes, people and model (shares of right answers).
        A photo that was asked for twice counts twice, for both.
    """
    given = pd.DataFrame([(row.sample, row.vote) for row in votes], columns=["sample", "vote"])
    answered = given.merge(with_one_label(table)[["sample", "label", "predicted"]], on="sample")
    answered["people"] = answered["vote"] == answered["label"]
    answered["model"] = answered["predicted"] == answered["label"]
    by_class = answered.groupby("label", sort=True)
    return by_class.agg(votes=("vote", "size"), people=("people", "mean"), model=("model", "mean")).reset_index()
