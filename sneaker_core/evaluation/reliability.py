"""Whether probabilities mean what they say, and what a threshold for "not sure" would bring."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.evaluation.metrics import CALIBRATION_BINS, calibration_bins
from sneaker_core.evaluation.table_columns import judged

# Thresholds of the curve: 0, 0.005, … 1.
_STEPS = 200


@dataclass(frozen=True)
class Coverage:
    """What happens at one threshold.

    Attributes
    ----------
    threshold : float
        Photos are answered from this probability of the predicted class on.
    n, answered, right : int
        Photos, those that are answered, and those that are answered rightly.
    coverage : float
        Share answered, 0 to 1.
    accuracy : float
        Share of the answers that are right, 0 to 1; nan where nothing is answered.
    """

    threshold: float
    n: int
    answered: int
    right: int
    coverage: float
    accuracy: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**vars(self), "accuracy": None if np.isnan(self.accuracy) else self.accuracy}


def reliability_bins(table: pd.DataFrame, bins: int = CALIBRATION_BINS) -> pd.DataFrame:
    """Confidence against accuracy, as the calibration error compares them.

    Parameters
    ----------
    table : DataFrame
        A prediction table.
    bins : int
        Equal-width bins of the predicted class's probability over 0 to 1.

    Returns
    -------
    DataFrame
        A row a bin: low, high, n, confidence and accuracy (means of the bin; nan where it is empty).
    """
    confidence, right = _answers(table)
    return calibration_bins(confidence, right, bins)


def coverage_curve(table: pd.DataFrame) -> pd.DataFrame:
    """Share of photos answered, and of answers that are right, for every threshold.

    Returns
    -------
    DataFrame
        Columns threshold (0, 0.005, … 1), coverage, accuracy (nan where nothing is answered).
    """
    confidence, right = _answers(table)
    rows = [_at(confidence, right, step / _STEPS) for step in range(_STEPS + 1)]
    return pd.DataFrame({name: [getattr(row, name) for row in rows] for name in ("threshold", "coverage", "accuracy")})


def at(table: pd.DataFrame, threshold: float) -> Coverage:
    """What happens to the judged photos when only those from a probability on are answered."""
    return _at(*_answers(table), threshold)


def _answers(table: pd.DataFrame) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    rows = judged(table)
    return rows["probability"].to_numpy(dtype=np.float32), (rows["label"] == rows["predicted"]).to_numpy()


def _at(confidence: NDArray[np.float32], right: NDArray[np.bool_], threshold: float) -> Coverage:
    # In the precision of the probabilities, as a decision compares them.
    taken = confidence >= np.float32(threshold)
    answered, hits = int(taken.sum()), int(right[taken].sum())
    return Coverage(
        threshold=threshold,
        n=len(confidence),
        answered=answered,
        right=hits,
        coverage=answered / len(confidence) if len(confidence) else 0.0,
        accuracy=hits / answered if answered else float("nan"),
    )
