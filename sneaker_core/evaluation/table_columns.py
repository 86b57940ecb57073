"""The columns of a prediction table and what follows from a single row. Imports nothing heavy: pages load it early."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.csv_cells import escape_formula
from sneaker_core.datasets.photo_worlds import WORLD
from sneaker_core.datasets.split import Split
from sneaker_core.errors import DatasetError
from sneaker_core.evaluation.photo_uses import USED_FOR, counting_rows
from sneaker_core.networks.decision import Status
from sneaker_core.number_text import some_of
from sneaker_core.workspace.clean_names import clean_name, clean_names, did_you_mean
from sneaker_core.workspace.safe_names import natural_order

PROBABILITY_PREFIX = "p:"
# Number of classes in the column `top`.
TOP_CLASSES = 5
# Classes that a sentence names.
_NAMED = 6
# Columns that describe the photo itself.
PHOTO_PROPERTIES = ("width", "height", "brightness", "sharpness")
_CSV = ("sample", "path", "label", "world", "predicted", "probability", "status", "rank", "loss", *PHOTO_PROPERTIES)
_OPTIONAL_NUMBERS = ("rank", "ood_score", "embedding_row", *PHOTO_PROPERTIES)
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
        there = sorted(map(str, labels.dropna().unique()), key=natural_order)
        near = did_you_mean(there, classes)
        offer = f"{near} To match such names, add --match-names or choose it on the page." if near else ""
        raise DatasetError(
            "The model knows none of the classes of these photos, so it can't be evaluated on them. "
            f"The photos show {some_of(there, _NAMED)}; "
            f"the model knows {some_of(sorted(classes, key=natural_order), _NAMED)}.{offer}"
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


def table_damage(table: pd.DataFrame) -> str | None:
    """What is wrong with a stored prediction table; None if it can be used.

    Its columns have their types, probabilities are from 0 to 1, each photo is there once, and predictions and statuses
    are some that there are.
    """
    missing = [column for column in REQUIRED_COLUMNS if column not in table]
    classes = list(class_columns(table))
    if missing or not classes:
        return f"it isn't a prediction table: it has no {', '.join(missing or ['classes'])}"
    if table.empty:
        return "it has no photos"
    if not table.columns.is_unique:
        return "it has a column twice"
    for column in ("sample", "predicted", "status"):
        if not all(isinstance(value, str) for value in table[column]):
            return f"{column} isn't always text"
    for column in ("label", "path", WORLD):
        if column in table and not all(isinstance(value, str) for value in table[column].dropna()):
            return f"{column} isn't always text"
    # A photo may have two labels, and be in two worlds.
    again = table.duplicated([column for column in ("sample", "label", WORLD) if column in table])
    if again.any():
        return f"the photo {table.loc[again, 'sample'].iloc[0]} is there twice"
    if unknown := set(table["predicted"]) - set(classes):
        return f"it predicts {min(unknown)!r}, which is no class of it"
    if USED_FOR in table and not table[USED_FOR].map(str).isin(["", *Split]).all():
        return f"{USED_FOR} isn't always the name of a split"
    if unknown := set(table["status"]) - {status.value for status in Status}:
        return f"there is no status {min(unknown)!r}"
    return _number_damage(table, [PROBABILITY_PREFIX + name for name in classes])


def _number_damage(table: pd.DataFrame, probabilities: list[str]) -> str | None:
    """What is wrong with the numbers of a prediction table."""
    numbers = [*probabilities, "probability", "loss", *(name for name in _OPTIONAL_NUMBERS if name in table)]
    for column in numbers:
        if not pd.api.types.is_numeric_dtype(table[column]) or pd.api.types.is_bool_dtype(table[column]):
            return f"{column} isn't a number"
    for column in (*probabilities, "probability"):
        # Half precision rounds sums a little above 1.
        if not table[column].between(0, 1.001).all():
            return f"{column} isn't always from 0 to 1"
    known = table["label"].isin([name.removeprefix(PROBABILITY_PREFIX) for name in probabilities])
    if not table.loc[known, "loss"].between(0, 1e6).all():
        return "loss isn't always a number of at least 0"
    if "rank" in table and not table.loc[known, "rank"].between(1, len(probabilities)).all():
        return "rank isn't always from 1 to the number of classes"
    if "embedding_row" in table and not table["embedding_row"].between(0, 1e9).all():
        return "embedding_row isn't always the number of a row"
    if "top" in table and not all(_lists_classes(names, probabilities) for names in table["top"]):
        return "top doesn't always list classes"
    return None


def _lists_classes(names: Any, probabilities: list[str]) -> bool:
    return isinstance(names, (list, np.ndarray)) and all(
        f"{PROBABILITY_PREFIX}{name}" in probabilities for name in names
    )


# Column names of older versions.
_OLD_COLUMNS = {"unknown_score": "ood_score"}


def with_current_names(table: pd.DataFrame) -> pd.DataFrame:
    """A stored table with the present names of its columns."""
    return table.reset_index(drop=True).rename(columns=_OLD_COLUMNS)


def with_all_columns(table: pd.DataFrame) -> pd.DataFrame:
    """A stored table with every current column: older ones lack the rank, the photo properties or the paths."""
    table = _with_clean_names(with_current_names(table))
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


def _with_clean_names(table: pd.DataFrame) -> pd.DataFrame:
    """The table with clean names of classes; older versions stored them as they were written."""
    classes = tuple(class_columns(table))
    cleaned = dict(zip(classes, clean_names(classes), strict=True))
    renamed = {old: new for old, new in cleaned.items() if old != new}
    label = table["label"].map(lambda name: cleaned.get(name) or clean_name(name), na_action="ignore")
    if not renamed:
        return table if label.equals(table["label"]) else table.assign(label=label)
    table = table.rename(columns={PROBABILITY_PREFIX + old: PROBABILITY_PREFIX + new for old, new in renamed.items()})
    table = table.assign(label=label, predicted=table["predicted"].replace(renamed))
    return table.drop(columns="top", errors="ignore")  # made again from the probabilities


def compact(table: pd.DataFrame) -> pd.DataFrame:
    """The table without paths and in smaller types, to be distributed with a model.

    Class probabilities are stored as float16; the probability of the predicted class, which the metrics use, as
    float32.
    """
    types: dict[Any, Any] = {name: np.float16 for name in table if str(name).startswith(PROBABILITY_PREFIX)}
    types |= dict.fromkeys(("probability", "loss", "ood_score", "rank", *PHOTO_PROPERTIES), np.float32)
    return table.drop(columns="path").astype(types).astype({"embedding_row": np.int32})
