"""How well confidence matches accuracy, and what a confidence threshold would do."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.evaluation.metrics import CALIBRATION_BINS, calibration_bins
from sneaker_core.evaluation.table_columns import evaluated_rows

# The curve has thresholds 0, 0.005, … 1.
_STEPS = 200


@dataclass(frozen=True)
class Coverage:
    """The effect of one confidence threshold.

    Attributes
    ----------
    threshold : float
        A photo is answered if the probability of its predicted class is at least this.
    n, answered, correct : int
        Photos, photos answered, and photos answered correctly.
    coverage : float
        Share of photos answered, 0 to 1.
    accuracy : float
        Share of answers that are correct, 0 to 1; nan if nothing is answered.
    """

    threshold: float
    n: int
    answered: int
    correct: int
    coverage: float
    accuracy: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**vars(self), "accuracy": None if np.isnan(self.accuracy) else self.accuracy}


def reliability_bins(table: pd.DataFrame, bins: int = CALIBRATION_BINS) -> pd.DataFrame:
    """Confidence and accuracy per bin: the terms of the expected calibration error.

    Parameters
    ----------
    table : DataFrame
        A prediction table.
    bins : int
        Bins of equal width over the probability of the predicted class.

    Returns
    -------
    DataFrame
        One row per bin: low, high, n, confidence and accuracy (means of the bin; nan if it is empty).
    """
    confidence, correct = _answers(table)
    return calibration_bins(confidence, correct, bins)


def coverage_curve(table: pd.DataFrame) -> pd.DataFrame:
    """Coverage and accuracy for every threshold.

    Returns
    -------
    DataFrame
        Columns threshold (0, 0.005, … 1), coverage and accuracy (nan if nothing is answered).
    """
    confidence, correct = _answers(table)
    rows = [_coverage(confidence, correct, step / _STEPS) for step in range(_STEPS + 1)]
    return pd.DataFrame({name: [getattr(row, name) for row in rows] for name in ("threshold", "coverage", "accuracy")})


def coverage_at(table: pd.DataFrame, threshold: float) -> Coverage:
    """Coverage and accuracy of the evaluated photos at one threshold, 0 to 1."""
    return _coverage(*_answers(table), threshold)


def _answers(table: pd.DataFrame) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    rows = evaluated_rows(table)
    return rows["probability"].to_numpy(dtype=np.float32), (rows["label"] == rows["predicted"]).to_numpy()


def _coverage(confidence: NDArray[np.float32], correct: NDArray[np.bool_], threshold: float) -> Coverage:
    # Compare in single precision, as `networks.decision` does.
    above = confidence >= np.float32(threshold)
    answered, hits = int(above.sum()), int(correct[above].sum())
    return Coverage(
        threshold=threshold,
        n=len(confidence),
        answered=answered,
        correct=hits,
        coverage=answered / len(confidence) if len(confidence) else 0.0,
        accuracy=hits / answered if answered else float("nan"),
    )
