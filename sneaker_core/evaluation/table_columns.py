"""The columns of a prediction table and what follows from a single row. Imports nothing heavy: pages load it early."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.csv_cells import escape_formula
from sneaker_core.errors import DatasetError
from sneaker_core.evaluation.photo_uses import counting_rows
from sneaker_core.networks.decision import Decision, statuses
from sneaker_core.number_text import some_of
from sneaker_core.workspace.safe_names import natural_order

PROBABILITY_PREFIX = "p:"
# Number of classes in the column `top`.
TOP_CLASSES = 5
# Classes that a sentence names.
_NAMED = 6
# Columns that describe the photo itself.
PHOTO_PROPERTIES = ("width", "height", "brightness", "sharpness")
_CSV = ("sample", "path", "label", "world", "predicted", "probability", "status", "rank", "loss", *PHOTO_PROPERTIES)
# Every table has these columns; the others can be derived or left empty.
REQUIRED_COLUMNS = ("sample", "label", "predicted", "probability", "status", "loss")


def class_columns(table: pd.DataFrame) -> Iterator[str]:
    """Class names of a prediction table, in the model's order."""
    names = map(str, table.columns)
    return (name.removeprefix(PROBABILITY_PREFIX) for name in names if name.startswith(PROBABILITY_PREFIX))


def class_probabilities(table: pd.DataFrame) -> NDArray[np.float32]:
    """Predicted probabilities of every class: float32 array (N, C), classes in the model's order."""
    columns = [PROBABILITY_PREFIX + name for name in class_columns(table)]
    return table[columns].to_numpy(dtype=np.float32)


def class_indices(labels: pd.Series, classes: Sequence[str]) -> NDArray[np.float64]:
    """Index of each label among the classes: float64 array (N,), nan for labels that are not among them."""
    index_of = {name: index for index, name in enumerate(classes)}
    return np.asarray(labels.map(index_of).to_numpy(dtype=float, na_value=np.nan), dtype=np.float64)


def evaluated_rows(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that count toward the metrics: of classes that the model knows, and of photos that it has not used."""
    rows = table[table["label"].isin(list(class_columns(table)))]
    return counting_rows(rows, rows)


def check_known_labels(labels: pd.Series, classes: Sequence[str]) -> None:
    """Check that the model knows at least one of the labels.

    Raises
    ------
    DatasetError
        The model knows none of them.
    """
    if not labels.isin(list(classes)).any():
        raise DatasetError(
            "The model knows none of the classes of these photos, so it can't be evaluated on them. "
            f"The photos show {some_of(sorted(map(str, labels.dropna().unique()), key=natural_order), _NAMED)}; "
            f"the model knows {some_of(sorted(classes, key=natural_order), _NAMED)}."
        )


def misclassified(table: pd.DataFrame, *, near_misses: bool = False) -> pd.DataFrame:
    """Evaluated photos that were predicted as another class.

    Parameters
    ----------
    table : DataFrame
    near_misses : bool
        Sort by the margin between the predicted and the true class, smallest first, instead of by confidence,
        highest first.
    """
    rows = evaluated_rows(table)
    rows = rows[rows["label"] != rows["predicted"]]
    if near_misses:
        margin = rows["probability"] - np.exp(-rows["loss"])
        return rows.iloc[np.argsort(margin.to_numpy(dtype=float), kind="stable")]
    return rows.sort_values("probability", ascending=False, kind="stable")


def as_csv(rows: pd.DataFrame) -> bytes:
    """Rows of a prediction table as CSV for a spreadsheet, without the probability columns."""
    exported = rows[[name for name in _CSV if name in rows]].copy()
    for column in ("path", "label", "predicted"):
        if column in exported:
            exported[column] = [escape_formula(cell) if isinstance(cell, str) else "" for cell in exported[column]]
    return exported.to_csv(index=False, lineterminator="\n").encode(errors="replace")


def ranks(probabilities: NDArray[np.float32], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank of the true class by probability.

    Parameters
    ----------
    probabilities : float array (N, C)
    truth : float64 array (N,)
        From `class_indices`.

    Returns
    -------
    float64 array (N,)
        1 is first; nan where the truth is nan. Ties go to the class with the lower index.
    """
    known = ~np.isnan(truth)
    found = np.full(len(truth), np.nan)
    target = truth[known].astype(int)[:, None]
    own = np.take_along_axis(probabilities[known], target, axis=1)
    ties_before = (probabilities[known] == own) & (np.arange(probabilities.shape[1]) < target)
    found[known] = 1 + ((probabilities[known] > own) | ties_before).sum(axis=1)
    return found


def top_classes(probabilities: NDArray[np.float32], classes: Sequence[str]) -> list[list[str]]:
    """Names of the most probable classes of each row, at most `TOP_CLASSES`, most probable first."""
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :TOP_CLASSES]
    return [[classes[index] for index in row] for row in order]


# Column names of older versions.
_OLD_COLUMNS = {"unknown_score": "ood_score"}


def with_all_columns(table: pd.DataFrame) -> pd.DataFrame:
    """A stored table with every current column: older ones lack the rank, the photo properties or the paths."""
    table = table.reset_index(drop=True).rename(columns=_OLD_COLUMNS)
    probabilities, classes = class_probabilities(table), list(class_columns(table))
    added: dict[str, Any] = {}
    if "rank" not in table:
        added["rank"] = ranks(probabilities, class_indices(table["label"], classes))
    top = [list(names) for names in table["top"]] if "top" in table else top_classes(probabilities, classes)
    added["top"] = pd.Series(top, index=table.index, dtype=object)
    path = table["path"].astype(object) if "path" in table else pd.Series(None, index=table.index, dtype=object)
    added["path"] = path.where(path.notna(), None)
    added |= {name: np.nan for name in (*PHOTO_PROPERTIES, "ood_score") if name not in table}
    if "embedding_row" not in table:
        added["embedding_row"] = np.arange(len(table))
    return table.assign(**added)


def with_statuses(table: pd.DataFrame, decision: Decision) -> pd.DataFrame:
    """The table with the column `status` recomputed, for example after the confidence threshold changed."""
    score = table["ood_score"].fillna(-np.inf).to_numpy(dtype=np.float32)
    answers = statuses(table["probability"].to_numpy(dtype=np.float32), score, decision)
    return table.assign(status=[answer.value for answer in answers])


def compact(table: pd.DataFrame) -> pd.DataFrame:
    """The table without paths and in smaller types, to be distributed with a model.

    Class probabilities are stored as float16; the probability of the predicted class, which the metrics use, as
    float32.
    """
    types: dict[Any, Any] = {name: np.float16 for name in table if str(name).startswith(PROBABILITY_PREFIX)}
    types |= dict.fromkeys(("probability", "loss", "ood_score", "rank", *PHOTO_PROPERTIES), np.float32)
    return table.drop(columns="path").astype(types).astype({"embedding_row": np.int32})
