"""Questions of the quiz, chosen from a prediction table, and a round of answers to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.evaluation.table_columns import (
    PROBABILITY_PREFIX,
    class_columns,
    class_indices,
    class_probabilities,
    evaluated_rows,
)
from sneaker_core.workspace.safe_names import natural_order

QUESTIONS, OPTIONS = 10, 3
# So many of ten photos are ones that the model gets wrong, so that a person can win.
_WRONG_SHARE = 0.3
_PHOTOS_PER_CLASS = 2
# Two photos of a class that differ by no more than this are taken for copies of each other.
_SAME_BRIGHTNESS, _SAME_PROBABILITY = 0.01, 0.02


@dataclass(frozen=True)
class Question:
    """A photo and the names to choose from.

    Attributes
    ----------
    sample, path : str
    label : str
        The true class.
    predicted : str
        The model's answer.
    probability : float
        Of that answer, 0 to 1.
    options : tuple of str
        Classes in the order they are shown: the true one, the one it is most often confused with, and the one that
        the model finds most probable beside them.
    is_hard : bool
        Whether the model confused the first two on any photo.
    """

    sample: str
    path: str
    label: str
    predicted: str
    probability: float
    options: tuple[str, ...]
    is_hard: bool

    @property
    def model_is_right(self) -> bool:
        """Whether the model recognized the photo."""
        return self.predicted == self.label


@dataclass(frozen=True)
class Score:
    """Right answers of both sides."""

    you: int
    model: int
    of: int

    @property
    def title(self) -> str:
        """The result in a few words: "You 7, the model 9"."""
        return f"You {self.you}, the model {self.model}"


@dataclass(frozen=True)
class Round:
    """Questions and the answers so far.

    Attributes
    ----------
    questions : tuple of Question
    answers : tuple of str
        The class that was chosen for each of the first questions.
    """

    questions: tuple[Question, ...]
    answers: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether every question is answered."""
        return len(self.answers) == len(self.questions)

    @property
    def score(self) -> Score:
        """Right answers to the questions that have been answered."""
        answered = self.questions[: len(self.answers)]
        yours = sum(answer == one.label for one, answer in zip(answered, self.answers, strict=True))
        return Score(yours, sum(one.model_is_right for one in answered), len(answered))


def read_round(questions: Sequence[Question], answers: str) -> Round:
    """The round that an address describes.

    Parameters
    ----------
    questions : sequence of Question
    answers : str
        The number of the chosen option for each question, from 1; whatever comes after something else is ignored.

    Examples
    --------
    "13" stands for the first option of the first question and the third of the second.
    """
    chosen = []
    for question, digit in zip(questions, answers, strict=False):
        number = int(digit) if digit in "123456789" else 0
        if not 1 <= number <= len(question.options):
            break
        chosen.append(question.options[number - 1])
    return Round(tuple(questions), tuple(chosen))


def choose_questions(table: pd.DataFrame, seed: int, n: int = QUESTIONS) -> list[Question]:
    """Choose photos for a round: the hardest pairs of classes first.

    At most two photos are of one class, and about three in ten are ones that the model gets wrong. The same seed gives
    the same questions.

    Parameters
    ----------
    table : DataFrame
        A prediction table. Only photos with a path are asked for.
    seed : int
    n : int
        At most; fewer if there are not enough photos.
    """
    rows = evaluated_rows(table)
    classes = list(class_columns(table))
    if len(classes) < 2 or rows.empty:
        return []
    confusion = _confusion(rows, classes)
    random = np.random.default_rng(seed)
    # Sorted, so that the order of the table makes no difference.
    askable = with_one_label(rows[rows["path"].notna()]).sort_values("sample", kind="stable")
    order = _drawn_order(askable, confusion, classes, random)
    # Sorted stably: photos of equally hard pairs stay in the order in which they were drawn.
    asked = order.iloc[sorted(_pick(order, n))].to_dict("records")
    asked.sort(key=lambda row: -_hardness(row["label"], confusion, classes))
    return [_question(row, confusion, classes, random) for row in asked]


def with_one_label(table: pd.DataFrame) -> pd.DataFrame:
    """The photos of a prediction table that have one label, each once."""
    return table.drop_duplicates(["sample", "label"]).drop_duplicates("sample", keep=False)


def _confusion(rows: pd.DataFrame, classes: Sequence[str]) -> NDArray[np.float64]:
    """How often two classes were taken for each other, in either direction: (C, C), the diagonal is -1.

    Fractions below one, from the probabilities, put pairs in order that were confused equally often.
    """
    truth = class_indices(rows["label"], classes).astype(int)
    answers = class_indices(rows["predicted"], classes).astype(int)
    counts, chances = np.zeros((2, len(classes), len(classes)))
    np.add.at(counts, (truth, answers), 1)
    np.add.at(chances, truth, class_probabilities(rows).astype(np.float64))
    means = chances / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    found: NDArray[np.float64] = counts + counts.T + 0.49 * np.minimum(means + means.T, 2) / 2
    np.fill_diagonal(found, -1)
    return found


def _hardness(label: str, confusion: NDArray[np.float64], classes: Sequence[str]) -> float:
    return float(confusion[classes.index(label)].max())


def _drawn_order(
    rows: pd.DataFrame, confusion: NDArray[np.float64], classes: Sequence[str], random: np.random.Generator
) -> pd.DataFrame:
    """The photos in a random order in which those of hard pairs tend to come early.

    A weighted sample without replacement (Efraimidis and Spirakis 2006).
    """
    hardness = rows["label"].map(lambda label: 1 + _hardness(label, confusion, classes)).to_numpy(dtype=float)
    # By the square root, or a table with one very hard pair would ask for little else.
    keys = np.log(1 - random.random(len(rows))) / np.sqrt(hardness)
    return rows.iloc[np.argsort(-keys, kind="stable")]


def _pick(order: pd.DataFrame, n: int) -> list[int]:
    """Positions of the photos to ask for: first some that the model gets wrong, then right ones, then any."""
    labels, probabilities = list(order["label"]), class_probabilities(order)
    brightness = order["brightness"].to_numpy(dtype=float) if "brightness" in order else np.full(len(order), np.nan)
    is_wrong = (order["label"] != order["predicted"]).to_numpy()
    chosen: list[int] = []

    def is_copy(one: int, other: int) -> bool:
        near = np.abs(probabilities[one] - probabilities[other]).max() < _SAME_PROBABILITY
        return bool(near and abs(brightness[one] - brightness[other]) < _SAME_BRIGHTNESS)

    def take(positions: NDArray[np.intp], most: int) -> None:
        for at in positions.tolist():
            of_class = [other for other in chosen if labels[other] == labels[at]]
            if len(chosen) < most and len(of_class) < _PHOTOS_PER_CLASS and at not in of_class:
                chosen.extend([] if any(is_copy(at, other) for other in of_class) else [at])

    take(np.flatnonzero(is_wrong), round(_WRONG_SHARE * n))
    take(np.flatnonzero(~is_wrong), n)
    take(np.flatnonzero(is_wrong), n)
    return chosen


def _question(
    row: Mapping[Any, Any], confusion: NDArray[np.float64], classes: Sequence[str], random: np.random.Generator
) -> Question:
    label = str(row["label"])
    confused = confusion[classes.index(label)]
    rival = classes[int(confused.argmax())]
    others = [name for name in classes if name not in (label, rival)]
    others.sort(key=lambda name: (-row[f"{PROBABILITY_PREFIX}{name}"], natural_order(name)))
    options = [label, rival, *others][:OPTIONS]
    return Question(
        sample=str(row["sample"]),
        path=str(row["path"]),
        label=label,
        predicted=str(row["predicted"]),
        probability=float(row["probability"]),
        options=tuple(options[at] for at in random.permutation(len(options))),
        is_hard=bool(confused.max() >= 1),
    )
