"""Compare two evaluations on photos that are new to both models and to those that they started from."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from sneaker_core.evaluation.comparison import Comparison, compare
from sneaker_core.evaluation.evaluation_record import Evaluation
from sneaker_core.evaluation.photo_uses import USED_FOR, has_split, model_and_ancestors, photo_uses


def compare_evaluations(
    workspace: Path, first: tuple[Evaluation, pd.DataFrame], second: tuple[Evaluation, pd.DataFrame]
) -> Comparison:
    """Compare two evaluations on the photos they share.

    Photos that a model, or one that it started from, was trained on or tuned with count only if there are no others.

    Parameters
    ----------
    workspace : Path
    first, second : tuple of Evaluation and DataFrame
        Evaluations with their prediction tables.

    Raises
    ------
    DatasetError
        They share no photo.
    """
    found = compare(*(_with_uses_of_ancestors(workspace, *one) for one in (first, second)))
    unknown = [evaluation.model for evaluation, table in (first, second) if not _knows_uses(evaluation, table)]
    return replace(found, unknown_training=tuple(unknown))


def _with_uses_of_ancestors(workspace: Path, evaluation: Evaluation, table: pd.DataFrame) -> pd.DataFrame:
    # Evaluations made by earlier versions, and those of runs, tell only what the model itself used.
    if evaluation.model_folder is None or USED_FOR not in table:
        return table
    uses = photo_uses(table["sample"], *model_and_ancestors(workspace, evaluation.model_folder)[1:])
    return table.assign(**{USED_FOR: table[USED_FOR].where(table[USED_FOR] != "", uses)})


def _knows_uses(evaluation: Evaluation, table: pd.DataFrame) -> bool:
    """Whether it is known which photos the model has used: from its split, or from when it was evaluated."""
    if USED_FOR in table and (table[USED_FOR] != "").any():
        return True
    return evaluation.model_folder is not None and has_split(evaluation.model_folder)
