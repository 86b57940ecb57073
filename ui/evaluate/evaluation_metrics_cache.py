"""Metrics, curves and comparisons of evaluations, cached until the evaluation changes."""

import contextlib
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from sneaker_core.datasets.photo_worlds import WORLD
from sneaker_core.datasets.split import read_split
from sneaker_core.errors import DatasetError
from sneaker_core.evaluation.comparison import Comparison
from sneaker_core.evaluation.evaluation_comparison import compare_evaluations
from sneaker_core.evaluation.evaluation_files import Halves, read_neighbors
from sneaker_core.evaluation.evaluation_record import Evaluation
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.reliability import coverage_curve, reliability_bins
from sneaker_core.evaluation.slices import slices
from sneaker_core.workspace.paths import workspace
from ui.kit.evaluation_cache import EvaluationKey, evaluation_table


def evaluation_metrics(key: EvaluationKey, evaluation: Evaluation) -> dict[str, Any]:
    """All metrics with their intervals; see `metrics.summary`.

    Raises
    ------
    SneakerError
        The table is missing or damaged, or the model knows none of its classes.
    """
    # The metrics don't depend on where the photos are.
    return _evaluation_metrics(key.folder, key.version, key, evaluation)


@st.cache_resource(max_entries=20, show_spinner="Computing metrics…")
def _evaluation_metrics(folder: str, version: str, _key: EvaluationKey, _evaluation: Evaluation) -> dict[str, Any]:
    return summary(evaluation_table(_key, _evaluation))


@st.cache_resource(max_entries=20, show_spinner=False)
def evaluation_curves(
    key: EvaluationKey, _evaluation: Evaluation, world: str | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bins of the reliability diagram, and the coverage curve: of all photos, or of one world."""
    table = evaluation_table(key, _evaluation)
    if world is not None:
        table = table[table[WORLD] == world]
    return reliability_bins(table), coverage_curve(table)


@st.cache_resource(max_entries=20, show_spinner=False)
def evaluation_slices(key: EvaluationKey, model: Path | None, _evaluation: Evaluation) -> pd.DataFrame:
    """Accuracy on groups of photos; also by split of the model's own data if its folder is given."""
    splits = None
    if model is not None:
        with contextlib.suppress(DatasetError):
            splits = read_split(model)
    return slices(evaluation_table(key, _evaluation), splits)


@st.cache_resource(max_entries=2, show_spinner=False)
def evaluation_neighbors(key: EvaluationKey, _evaluation: Evaluation) -> tuple[pd.DataFrame, Halves] | None:
    """Training photos and their embeddings, read from disk on use; None if there are none.

    Raises
    ------
    SneakerError
        The stored embeddings are damaged.
    """
    return read_neighbors(_evaluation)


def comparison_of(one: EvaluationKey, other: EvaluationKey, first: Evaluation, second: Evaluation) -> Comparison:
    """Two evaluations compared on the photos that both have.

    Raises
    ------
    SneakerError
        They have no photo in common, or a table is missing or damaged.
    """
    return _comparison_of(one, other, first, second)


@st.cache_resource(max_entries=4, show_spinner="Comparing…")
def _comparison_of(one: EvaluationKey, other: EvaluationKey, _first: Evaluation, _second: Evaluation) -> Comparison:
    pairs = [(_first, evaluation_table(one, _first)), (_second, evaluation_table(other, _second))]
    return compare_evaluations(workspace(), *pairs)
