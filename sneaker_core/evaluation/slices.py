"""Where a model does well and where not, by what the photos are like."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from sneaker_core.evaluation.table_columns import judged

COLUMNS = ["slice", "value", "n", "top1", "low", "high"]
_NEVER_SEEN = "in no split"
# Longer side in pixels, from which on a photo is of that size.
_SIZES = {"under 300 px": 0.0, "300 to 599 px": 300.0, "600 to 1199 px": 600.0, "1200 px and more": 1200.0}
# Width over height, likewise.
_SHAPES = {"upright": 0.0, "square": 0.9, "lying": 1.1}
_THIRDS = {"brightness": ("dark", "middling", "bright"), "sharpness": ("soft", "middling", "sharp")}


def slices(table: pd.DataFrame, splits: pd.DataFrame | None = None) -> pd.DataFrame:
    """Accuracy on groups of photos.

    Parameters
    ----------
    table : DataFrame
        A prediction table.
    splits : DataFrame, optional
        From `datasets.split.read_split` of the model: what each photo served the model as.

    Returns
    -------
    DataFrame
        Columns slice ("split", "size", "orientation", "brightness", "sharpness"), value (the group, in words), n,
        top1, low and high (95 % Wilson interval). What is not known of a photo puts it in no group; brightness and
        sharpness are cut in thirds of these photos.
    """
    rows = judged(table)
    right = rows["label"] == rows["predicted"]
    found = [
        {"slice": name, "value": value, "n": int(group.sum()), **_rate(int(right[group].sum()), int(group.sum()))}
        for name, groups in _groupings(rows, splits)
        for value, group in groups
        if group.any()
    ]
    return pd.DataFrame(found, columns=COLUMNS)


_Groups = Iterator[tuple[str, "pd.Series[bool]"]]


def _groupings(rows: pd.DataFrame, splits: pd.DataFrame | None) -> Iterator[tuple[str, _Groups]]:
    if splits is not None:
        served = rows["sample"].map(splits.drop_duplicates("sample").set_index("sample")["split"])
        if served.notna().any():
            served = served.fillna(_NEVER_SEEN)
            yield "split", ((value, served == value) for value in ("train", "val", "test", _NEVER_SEEN))
    width, height = (rows.get(name, pd.Series(np.nan, index=rows.index)) for name in ("width", "height"))
    yield "size", _steps(width.where(width >= height, height), _SIZES)
    yield "orientation", _steps(width / height, _SHAPES)
    for name, words in _THIRDS.items():
        if name in rows and rows[name].notna().any():
            yield name, _thirds(rows[name], words)


def _steps(values: "pd.Series[float]", steps: dict[str, float]) -> _Groups:
    """Groups by where a value lies between fixed steps."""
    ends = [*list(steps.values())[1:], np.inf]
    return ((word, (values >= low) & (values < high)) for (word, low), high in zip(steps.items(), ends, strict=True))


def _thirds(values: "pd.Series[float]", words: tuple[str, str, str]) -> _Groups:
    first, second = values.quantile([1 / 3, 2 / 3])
    low, middle, high = words
    yield f"{low} (under {first:.2f})", values < first
    yield f"{middle} ({first:.2f} to {second:.2f})", (values >= first) & (values < second)
    yield f"{high} (from {second:.2f})", values >= second


def _rate(right: int, count: int) -> dict[str, float]:
    """Share of right answers with its interval.

    References
    ----------
    Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    if not count:
        return {"top1": np.nan, "low": np.nan, "high": np.nan}
    from scipy.stats import binomtest

    interval = binomtest(right, count).proportion_ci(method="wilson")
    return {"top1": right / count, "low": float(interval.low), "high": float(interval.high)}
