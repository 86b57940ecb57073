"""How an evaluation went for each class, in numbers of photos: right answers, and the usual wrong one."""

from dataclasses import dataclass

import pandas as pd

from sneaker_core.evaluation.confusion_matrix import confusion_matrix
from sneaker_core.evaluation.evaluation_collection import bundled_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.metrics import confused_pairs
from sneaker_core.evaluation.table_columns import evaluated_rows
from sneaker_core.networks.bundled_models import DEFAULT_MODEL

# If more classes than this are predicted equally often, none of them is the usual mix-up.
_MOST_USUAL = 2


@dataclass(frozen=True)
class ClassResult:
    """How an evaluation went for the photos of one class.

    Attributes
    ----------
    photos : int
    right : int
        Photos that were predicted correctly.
    mix_ups : tuple of str
        The class that the others were predicted as most often, or two if they are even; empty if no class stands out.
    mixed_up : int
        Photos predicted as each of them.
    """

    photos: int
    right: int
    mix_ups: tuple[str, ...] = ()
    mixed_up: int = 0


def bundled_results() -> dict[str, ClassResult]:
    """How often the bundled model is right on each class; empty if its evaluation isn't installed.

    Raises
    ------
    EvaluationError
        The evaluation is damaged.
    """
    evaluation = bundled_evaluation(DEFAULT_MODEL)
    return {} if evaluation is None else class_results(read_table(evaluation))


def class_results(table: pd.DataFrame) -> dict[str, ClassResult]:
    """The result of each class, in the numbers of the confusion matrix.

    Parameters
    ----------
    table : DataFrame
        A prediction table.

    Returns
    -------
    dict of str to ClassResult
        By class, for classes that have evaluated photos.
    """
    counts, pairs = confusion_matrix(table), confused_pairs(evaluated_rows(table))
    support = dict(zip(counts.index, counts.to_numpy(dtype=int).sum(1), strict=True))
    results = {}
    for label in support:
        wrong = [pair for pair in pairs if pair["label"] == label]
        most = max((int(pair["count"]) for pair in wrong), default=0)
        usual = tuple(str(pair["predicted"]) for pair in wrong if pair["count"] == most)
        named = usual if len(usual) <= _MOST_USUAL else ()
        photos, missed = int(support[label]), sum(int(pair["count"]) for pair in wrong)
        results[label] = ClassResult(photos, photos - missed, named, most if named else 0)
    return results
