"""Accuracy on groups of photos: by split, size, shape, brightness and sharpness."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.evaluation.table_columns import evaluated_rows
from sneaker_core.evaluation.worlds import Share

COLUMNS = ["slice", "value", "n", "top1", "low", "high"]
_NOT_IN_SPLIT = "not in the split"
_SPLITS = {"train": "training", "val": "validation", "test": "test", _NOT_IN_SPLIT: _NOT_IN_SPLIT}
# Lower bound of the longer side, in pixels.
_SIZES = {"under 300 px": 0.0, "300 to 599 px": 300.0, "600 to 1199 px": 600.0, "1200 px and more": 1200.0}
# Lower bound of width divided by height.
_SHAPES = {"portrait": 0.0, "square": 0.9, "landscape": 1.1}
_THIRDS = {"brightness": ("dark", "medium", "bright"), "sharpness": ("blurry", "medium", "sharp")}


def slices(table: pd.DataFrame, splits: pd.DataFrame | None = None) -> pd.DataFrame:
    """Accuracy on groups of photos.

    Parameters
    ----------
    table : DataFrame
        A prediction table.
    splits : DataFrame, optional
        The model's split, from `datasets.split.read_split`.

    Returns
    -------
    DataFrame
        Columns slice ("split", "size", "orientation", "brightness", "sharpness"), value (name of the group), n, top1,
        low and high (95% Wilson interval). A photo without a property is in no group of that slice; brightness and
        sharpness are divided into thirds of the evaluated photos.
    """
    rows = evaluated_rows(table)
    correct = rows["label"] == rows["predicted"]
    found = [
        {"slice": name, "value": value, "n": int(group.sum()), **_accuracy(correct[group].to_numpy(dtype=bool))}
        for name, groups in _groupings(rows, splits)
        for value, group in groups
        if group.any()
    ]
    return pd.DataFrame(found, columns=COLUMNS)


_Groups = Iterator[tuple[str, "pd.Series[bool]"]]


def _groupings(rows: pd.DataFrame, splits: pd.DataFrame | None) -> Iterator[tuple[str, _Groups]]:
    if splits is not None:
        split = rows["sample"].map(splits.drop_duplicates("sample").set_index("sample")["split"])
        if split.notna().any():
            split = split.fillna(_NOT_IN_SPLIT)
            yield "split", ((title, split == value) for value, title in _SPLITS.items())
    width, height = (rows.get(name, pd.Series(np.nan, index=rows.index)) for name in ("width", "height"))
    yield "size", _intervals(width.where(width >= height, height), _SIZES)
    yield "orientation", _intervals(width / height, _SHAPES)
    for name, words in _THIRDS.items():
        if name in rows and rows[name].notna().any():
            yield name, _thirds(rows[name], words)


def _intervals(values: "pd.Series[float]", bounds: dict[str, float]) -> _Groups:
    """Group values by fixed intervals, given by their lower bounds."""
    ends = [*list(bounds.values())[1:], np.inf]
    return ((name, (values >= low) & (values < high)) for (name, low), high in zip(bounds.items(), ends, strict=True))


def _thirds(values: "pd.Series[float]", words: tuple[str, str, str]) -> _Groups:
    first, second = values.quantile([1 / 3, 2 / 3])
    low, middle, high = words
    yield f"{low} (under {first:.2f})", values < first
    yield f"{middle} ({first:.2f} to {second:.2f})", (values >= first) & (values < second)
    yield f"{high} (from {second:.2f})", values >= second


def _accuracy(correct: NDArray[np.bool_]) -> dict[str, float]:
    share = Share.of(correct)
    return {"top1": share.value, "low": share.low, "high": share.high}
