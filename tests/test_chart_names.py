"""Names that Plotly would take for numbers or dates stay names, in every chart."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from sneaker_core.datasets.class_balance import balance
from sneaker_core.evaluation.chart_style import Chart
from sneaker_core.evaluation.confusion_matrix import matrix_view
from sneaker_core.evaluation.evaluation_charts import class_bars, slices_chart, worlds_chart
from sneaker_core.evaluation.matrix_charts import matrix_chart
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.slices import slices
from sneaker_core.evaluation.worlds import world_metrics
from sneaker_core.inference.explanation.weight_randomization import RandomizationStep, RandomizationTest
from sneaker_core.inference.predictor import Guess
from sneaker_core.networks.decision import Status
from tests.factories import prediction_rows
from ui.datasets import dataset_charts
from ui.datasets.photo_map import map_figure
from ui.explain.sanity_charts import randomization_chart
from ui.identify.probability_bars import guess_bars
from ui.runs.run_charts import accuracy_curves

PROJECT = Path(__file__).resolve().parent.parent
NAMES = ("50%", "1e3", "2024-01-01", "574", "0x10", "NaN", "true", "12:30", "$5")


def table() -> pd.DataFrame:
    chances = np.full((len(NAMES), len(NAMES)), 0.5 / (len(NAMES) - 1))
    np.fill_diagonal(chances, 0.5)
    rows = [(name, dict(zip(NAMES, row, strict=True)), "known") for name, row in zip(NAMES, chances, strict=True)]
    return prediction_rows(rows).assign(sample=list(NAMES), path=None, rank=1.0, world=list(NAMES))


def shuffled() -> Chart:
    return randomization_chart(RandomizationTest(tuple(RandomizationStep(share, 0.3) for share in (0.0, 0.5, 1.0))))


CHARTS = {
    "sanity": shuffled,
    "classes": lambda: class_bars(summary(table())["per_class"]),
    "matrix": lambda: matrix_chart(matrix_view(table())),
    "slices": lambda: slices_chart(slices(table())),
    "worlds": lambda: worlds_chart(world_metrics(table())),
    "dataset": lambda: dataset_charts.class_bars(
        balance(pd.DataFrame({"label": NAMES, "split": [None] * len(NAMES), "excluded": False})), None
    ),
    "guesses": lambda: guess_bars([Guess(name, 0.1) for name in NAMES], Status.UNSURE),
    "map": lambda: map_figure(
        pd.DataFrame({"sample": NAMES[:6], "label": NAMES[:6], "x": range(6), "y": 0.0, "outlier": 0.0}),
        pd.Series(NAMES[:6]),
    )[0],
    "runs": lambda: accuracy_curves({name: pd.DataFrame({"epoch": [1], "val_top1": [0.5]}) for name in NAMES[:6]}),
}


@pytest.mark.parametrize("chart", CHARTS)
def test_an_axis_of_names_is_an_axis_of_categories(chart):
    drawn = CHARTS[chart]()
    figure = drawn.figure if isinstance(drawn, Chart) else drawn
    for trace in figure.data:
        for letter in "xy":
            if any(isinstance(value, str) for value in trace[letter]):
                assert figure.layout[f"{letter}axis"].type == "category"


def test_the_shuffled_layers_have_a_bar_each():
    figure = shuffled().figure
    assert list(figure.data[0].x) == ["last layer", "50% of layers", "all layers"]
    assert figure.layout.xaxis.type == "category"


@pytest.mark.parametrize("axis", ["x", "y", "x2"])
def test_any_axis(axis):
    figure = go.Figure(go.Bar(**{axis[0]: list(NAMES), f"{axis[0]}axis": axis}))
    Chart(figure, "", "")
    assert figure.layout[f"{axis[0]}axis{axis[1:]}"].type == "category"


def test_charts_are_drawn_as_charts():
    """Figures go through `Chart`, which makes categories; those that don't have axes of numbers only."""
    bare = set()
    for path in [*PROJECT.glob("ui/**/*.py"), *PROJECT.glob("sneaker_core/**/*.py")]:
        names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        if names & {"plotly_chart", "bar_chart", "line_chart", "scatter_chart", "altair_chart"}:
            bare.add(str(path.relative_to(PROJECT)))
    assert bare == {"ui/kit/charts.py", "ui/identify/probability_bars.py", "ui/datasets/map_view.py"}
