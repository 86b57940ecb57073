"""The columns of a prediction table and what follows from one row; light, as pages read it at their start."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.csv_cells import harmless
from sneaker_core.errors import DatasetError
from sneaker_core.networks.decision import Decision, statuses

PROBABILITY_PREFIX = "p:"
# How many of the most probable classes the column `top` names.
TOP = 5
# What is known of the photo itself.
FACTS = ("width", "height", "brightness", "sharpness")
_CSV = ("sample", "path", "label", "predicted", "probability", "status", "rank", "loss", *FACTS)
# Every table has these; the others can be worked out of them or are left open.
NEEDED = ("sample", "label", "predicted", "probability", "status", "loss")


def class_columns(table: pd.DataFrame) -> Iterator[str]:
    """The classes of a prediction table, in the model's order."""
    names = map(str, table.columns)
    return (name.removeprefix(PROBABILITY_PREFIX) for name in names if name.startswith(PROBABILITY_PREFIX))


def chances_of(table: pd.DataFrame) -> NDArray[np.float32]:
    """The probabilities of a prediction table: float32 (N, C), classes in the model's order."""
    columns = [PROBABILITY_PREFIX + name for name in class_columns(table)]
    return table[columns].to_numpy(dtype=np.float32)


def class_numbers(labels: pd.Series, classes: Sequence[str]) -> NDArray[np.float64]:
    """Place of each label among the classes: float64 (N,), nan where it is none of them."""
    number = {name: index for index, name in enumerate(classes)}
    return np.asarray(labels.map(number).to_numpy(dtype=float, na_value=np.nan), dtype=np.float64)


def judged(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that count for accuracy: those whose label the model knows."""
    return table[table["label"].isin(list(class_columns(table)))]


def check_known(labels: pd.Series, classes: Sequence[str]) -> None:
    """Whether there is anything to judge.

    Raises
    ------
    DatasetError
        The model knows none of the labels.
    """
    if not labels.isin(list(classes)).any():
        raise DatasetError("The model knows none of the classes of these photos, so there is nothing to compare.")


def misclassified(table: pd.DataFrame, *, near_misses: bool = False) -> pd.DataFrame:
    """The judged photos that were taken for another class.

    Parameters
    ----------
    table : DataFrame
    near_misses : bool
        First those whose true class was nearly as probable as the predicted one, instead of the most confident errors.
    """
    rows = judged(table)
    rows = rows[rows["label"] != rows["predicted"]]
    if near_misses:
        lead = rows["probability"] - np.exp(-rows["loss"])
        return rows.iloc[np.argsort(lead.to_numpy(dtype=float), kind="stable")]
    return rows.sort_values("probability", ascending=False, kind="stable")


def as_csv(rows: pd.DataFrame) -> bytes:
    """Rows of a prediction table for a spreadsheet: what was said of each photo, without all the probabilities."""
    told = rows[[name for name in _CSV if name in rows]].copy()
    for column in ("path", "label", "predicted"):
        if column in told:
            told[column] = [harmless(cell) if isinstance(cell, str) else "" for cell in told[column]]
    return told.to_csv(index=False, lineterminator="\n").encode(errors="replace")


def ranks(chances: NDArray[np.float32], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Place of the true class among all, by probability.

    Parameters
    ----------
    chances : float array (N, C)
    truth : float64 array (N,)
        From `class_numbers`.

    Returns
    -------
    float64 array (N,)
        1 is first; nan where the truth is not known. Of equal probabilities the first class counts as the more
        probable.
    """
    known = ~np.isnan(truth)
    places = np.full(len(truth), np.nan)
    target = truth[known].astype(int)[:, None]
    own = np.take_along_axis(chances[known], target, axis=1)
    before = (chances[known] > own) | ((chances[known] == own) & (np.arange(chances.shape[1]) < target))
    places[known] = 1 + before.sum(axis=1)
    return places


def top_names(chances: NDArray[np.float32], classes: Sequence[str]) -> list[list[str]]:
    """For each row the names of its most probable classes, at most `TOP`, most probable first."""
    order = np.argsort(-chances, axis=1, kind="stable")[:, :TOP]
    return [[classes[index] for index in row] for row in order]


# What older versions called these columns.
_OLD_COLUMNS = {"unknown_score": "ood_score"}


def completed(table: pd.DataFrame) -> pd.DataFrame:
    """A stored table with all columns of a new one: older ones lack the rank, the facts or the paths."""
    table = table.reset_index(drop=True).rename(columns=_OLD_COLUMNS)
    chances, classes = chances_of(table), list(class_columns(table))
    added: dict[str, Any] = {}
    if "rank" not in table:
        added["rank"] = ranks(chances, class_numbers(table["label"], classes))
    top = [list(names) for names in table["top"]] if "top" in table else top_names(chances, classes)
    added["top"] = pd.Series(top, index=table.index, dtype=object)
    path = table["path"].astype(object) if "path" in table else pd.Series(None, index=table.index, dtype=object)
    added["path"] = path.where(path.notna(), None)
    added |= {fact: np.nan for fact in (*FACTS, "ood_score") if fact not in table}
    if "embedding_row" not in table:
        added["embedding_row"] = np.arange(len(table))
    return table.assign(**added)


def restated(table: pd.DataFrame, decision: Decision) -> pd.DataFrame:
    """The table with the answers that a decision gives: after the threshold of "not sure" was changed."""
    score = table["ood_score"].fillna(-np.inf).to_numpy(dtype=np.float32)
    answers = statuses(table["probability"].to_numpy(dtype=np.float32), score, decision)
    return table.assign(status=[answer.value for answer in answers])


def compact(table: pd.DataFrame) -> pd.DataFrame:
    """The table without paths and in narrow types, to travel with a model.

    Probabilities are in half precision (10-bit mantissa); that of the predicted class, which figures are made of, in
    single.
    """
    narrow: dict[Any, Any] = {name: np.float16 for name in table if str(name).startswith(PROBABILITY_PREFIX)}
    narrow |= dict.fromkeys(("probability", "loss", "ood_score", "rank", *FACTS), np.float32)
    return table.drop(columns="path").astype(narrow).astype({"embedding_row": np.int32})
