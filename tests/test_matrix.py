"""Confusion matrix, reliability and slices: every number is checked against its photos."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import confusion_matrix as counted_by_sklearn

from sneaker_core.evaluation.class_results import ClassResult, class_results
from sneaker_core.evaluation.confusion_matrix import ClassOrder, confusion_matrix, matrix_view, photos_in_cell
from sneaker_core.evaluation.evaluation_charts import class_bars, coverage_chart, reliability_chart, slices_chart
from sneaker_core.evaluation.matrix_charts import matrix_chart
from sneaker_core.evaluation.metric_text import mix_up_texts, right_text
from sneaker_core.evaluation.metrics import confused_pairs, summary
from sneaker_core.evaluation.reliability import coverage_at, coverage_curve, reliability_bins
from sneaker_core.evaluation.slices import slices
from sneaker_core.evaluation.table_columns import evaluated_rows, misclassified
from sneaker_core.number_text import percent
from tests.factories import prediction_rows

NAMES = ("Comet", "Astro", "<b>Meteor</b>", "Orbit", "Zephyr")


def random_table(seed: int, count: int = 40) -> pd.DataFrame:
    """A random prediction table with two often-confused classes and some labels that the model doesn't know."""
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.full(len(NAMES), 0.5), size=count)
    chances[:, 3] += chances[:, 0] / 2
    chances /= chances.sum(axis=1, keepdims=True)
    labels = rng.choice([*NAMES[:4], "never heard of", None], size=count, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.1])
    labels[0] = NAMES[0]
    rows = [(label, dict(zip(NAMES, row, strict=True)), "known") for label, row in zip(labels, chances, strict=True)]
    table = prediction_rows(rows)
    return table.assign(sample=[f"{number:016x}" for number in range(count)], path=None)


def cells_of(table: pd.DataFrame, **how: object) -> pd.DataFrame:
    return matrix_view(table, **how).cells()


class TestMatrix:
    @given(
        st.integers(0, 10_000),
        st.integers(1, 40),
        st.sampled_from(ClassOrder),
        st.booleans(),
        st.booleans(),
        st.none() | st.integers(0, 6),
    )
    @settings(max_examples=30, deadline=None)
    def test_a_cell_counts_the_photos_it_opens(self, seed, count, order, share, only_errors, worst):
        table = random_table(seed, count)
        drawn = matrix_view(table, order, normalized=share, only_errors=only_errors, worst=worst)
        for label in drawn.counts.index:
            row = photos_in_cell(table, label)
            assert drawn.support[label] == len(row)
            for predicted in drawn.counts.columns:
                photos = photos_in_cell(table, label, predicted)
                assert drawn.counts.loc[label, predicted] == len(photos)
                assert ((photos["label"] == label) & (photos["predicted"] == predicted)).all()
                value = drawn.values.loc[label, predicted]
                if only_errors and label == predicted:
                    assert np.isnan(value)
                else:
                    assert value == pytest.approx(len(photos) / len(row) if share else len(photos))
            # All errors of a visible class are visible.
            wrong = int((row["predicted"] != label).sum())
            shown = drawn.counts.loc[label].drop(label, errors="ignore").sum()
            assert shown == wrong
        cells = drawn.cells()
        for cell in cells.to_dict("records"):
            assert cell["count"] == len(photos_in_cell(table, cell["label"], cell["predicted"])) > 0
            assert cell["correct"] == (cell["label"] == cell["predicted"])
        assert not (only_errors and cells["correct"].any())
        if worst is None:
            errors = int(cells.loc[~cells["correct"].astype(bool), "count"].sum())
            assert errors == len(misclassified(table))
            if not only_errors:
                assert cells["count"].sum() == len(evaluated_rows(table)) == summary(table)["n"]

    @pytest.mark.parametrize("seed", range(3))
    def test_agrees_with_scikit_learn(self, seed):
        rows = evaluated_rows(random_table(seed))
        counts = confusion_matrix(random_table(seed))
        names = list(counts.columns)
        expected = counted_by_sklearn(rows["label"], rows["predicted"], labels=names)
        np.testing.assert_array_equal(counts.reindex(names, fill_value=0), expected)
        assert list(counts.index) == sorted(rows["label"].unique())

    def test_confused_pairs_are_the_cells_off_the_diagonal(self):
        table = random_table(1)
        cells = cells_of(table, only_errors=True)
        told = {(row["label"], row["predicted"]): (row["count"], row["of"]) for row in cells.to_dict("records")}
        pairs = confused_pairs(evaluated_rows(table))
        assert {(row["label"], row["predicted"]): (row["count"], row["of"]) for row in pairs} == told

    def test_orders(self):
        sure = {"right": 0.9}

        def answers(label: str, counts: dict[str, int]) -> list[tuple[str, dict[str, float], str]]:
            return [
                (label, {name: sure["right"] if name == said else 0.01 for name in "ABCD"}, "known")
                for said, count in counts.items()
                for _ in range(count)
            ]

        # A and D are confused, B and C are.
        table = prediction_rows(
            [
                *answers("A", {"A": 4, "D": 4}),
                *answers("B", {"B": 5, "C": 4}),
                *answers("C", {"C": 9, "B": 5}),
                *answers("D", {"D": 2, "A": 1}),
            ]
        )
        assert list(matrix_view(table).counts.index) == list("ABCD")
        assert list(matrix_view(table, ClassOrder.SUPPORT).counts.index) == list("CBAD")
        alike = "".join(matrix_view(table, ClassOrder.CONFUSION).counts.index)
        assert {"AD" in alike or "DA" in alike, "BC" in alike or "CB" in alike} == {True}
        assert list(matrix_view(table, worst=1).counts.index) == ["C"]
        assert list(matrix_view(table, worst=1, normalized=True).counts.index) == ["A"]
        assert list(matrix_view(table, worst=1, normalized=True).counts.columns) == ["A", "D"]

    def test_without_errors_the_matrix_of_errors_is_empty(self):
        table = prediction_rows([("A", {"A": 0.9, "B": 0.1}, "known")])
        drawn = matrix_view(table, only_errors=True)
        assert drawn.values.empty
        assert drawn.cells().empty
        assert matrix_chart(drawn).title == "No photo was misclassified"

    def test_an_unknown_order_is_an_error(self):
        with pytest.raises(ValueError, match="random"):
            matrix_view(random_table(0), "random")


class TestClassResults:
    @given(st.integers(0, 10_000))
    @settings(max_examples=20, deadline=None)
    def test_they_are_the_numbers_of_the_matrix(self, seed):
        table = random_table(seed)
        counts, results = confusion_matrix(table), class_results(table)
        assert list(results) == list(counts.index)
        for label, result in results.items():
            wrong = counts.loc[label].drop(label)
            usual = set(wrong[(wrong == wrong.max()) & (wrong > 0)].index)
            assert (result.photos, result.right) == (counts.loc[label].sum(), counts.at[label, label])
            assert set(result.mix_ups) == (usual if len(usual) < 3 else set())
            assert result.mixed_up == (wrong.max() if result.mix_ups else 0)

    @pytest.mark.parametrize(
        ("result", "texts"),
        [
            (ClassResult(23, 18, ("B",), 3), ["most often taken for B: 3 of 23"]),
            (ClassResult(23, 20, ("B",), 3), ["otherwise taken for B: 3 of 23"]),
            (ClassResult(8, 6, ("B", "C"), 1), ["otherwise taken for B: 1 of 8", "otherwise taken for C: 1 of 8"]),
            (ClassResult(8, 3, ("B", "C"), 2), ["most often taken for B: 2 of 8", "most often taken for C: 2 of 8"]),
            (ClassResult(8, 8), []),
        ],
    )
    def test_the_usual_mix_up_in_words(self, result, texts):
        assert mix_up_texts(result) == dict(zip(result.mix_ups, texts, strict=True))

    def test_how_often_a_class_is_right_in_words(self):
        assert right_text(ClassResult(1, 0)) == "right on 0 of 1 test photo"
        assert right_text(ClassResult(1234, 1000)) == "right on 1,000 of 1,234 test photos"


class TestReliability:
    @given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 20))
    @settings(max_examples=20, deadline=None)
    def test_bins_hold_every_photo_and_add_up_to_the_calibration_error(self, seed, count, bins):
        table = random_table(seed, count)
        rows = reliability_bins(table, bins)
        assert rows["n"].sum() == len(evaluated_rows(table))
        used = rows[rows["n"] > 0]
        assert ((used["confidence"] >= used["low"] - 1e-6) & (used["confidence"] <= used["high"] + 1e-6)).all()
        assert rows.loc[rows["n"] == 0, ["confidence", "accuracy"]].isna().all(axis=None)
        by_default = reliability_bins(table)
        gaps = (by_default["confidence"] - by_default["accuracy"]).abs() * by_default["n"]
        assert gaps.sum() / by_default["n"].sum() == pytest.approx(summary(table)["ece"], abs=1e-6)

    @given(st.integers(0, 10_000), st.floats(0, 1))
    @settings(max_examples=20, deadline=None)
    def test_a_threshold_answers_the_photos_at_or_above_it(self, seed, threshold):
        table = random_table(seed)
        told = coverage_at(table, threshold)
        rows = evaluated_rows(table)
        answered = rows[rows["probability"].astype(np.float32) >= np.float32(threshold)]
        assert (told.n, told.answered) == (len(rows), len(answered))
        assert told.coverage == pytest.approx(len(answered) / len(rows))
        assert told.correct == (answered["label"] == answered["predicted"]).sum()
        assert np.isnan(told.accuracy) == answered.empty

    def test_the_curve_agrees_with_single_thresholds(self):
        table = random_table(2)
        curve = coverage_curve(table)
        assert (curve["coverage"].iloc[0], curve["accuracy"].iloc[0]) == (1, summary(table)["top1"])
        assert curve["coverage"].is_monotonic_decreasing
        for row in curve.iloc[::20].to_dict("records"):
            told = coverage_at(table, row["threshold"])
            assert row["coverage"] == told.coverage
            np.testing.assert_equal(row["accuracy"], told.accuracy)


class TestSlices:
    @pytest.fixture
    def table(self):
        rng = np.random.default_rng(0)
        table = random_table(5, 120)
        return table.assign(
            width=rng.integers(100, 2000, 120),
            height=rng.integers(100, 2000, 120),
            brightness=rng.random(120),
            sharpness=np.where(rng.random(120) < 0.1, np.nan, rng.random(120)),
        )

    def test_every_group_by_hand(self, table):
        splits = pd.DataFrame({"sample": table["sample"][:80], "label": "x", "split": ["train"] * 50 + ["test"] * 30})
        told = slices(table, splits)
        rows = evaluated_rows(table)
        right = rows["label"] == rows["predicted"]
        assert set(told["slice"]) == {"split", "size", "orientation", "brightness", "sharpness"}
        for name, groups in told.groupby("slice"):
            known = rows["sharpness"].notna().sum() if name == "sharpness" else len(rows)
            assert groups["n"].sum() == known
        trained = told[(told["slice"] == "split") & (told["value"] == "training")].iloc[0]
        members = rows["sample"].isin(splits["sample"][:50])
        assert (trained["n"], trained["top1"]) == (members.sum(), pytest.approx(right[members].mean()))
        large = told[told["value"] == "1200 px and more"].iloc[0]
        members = rows[["width", "height"]].max(axis=1) >= 1200
        assert (large["n"], large["top1"]) == (members.sum(), pytest.approx(right[members].mean()))
        portrait = told[told["value"] == "portrait"].iloc[0]
        assert portrait["n"] == (rows["width"] < 0.9 * rows["height"]).sum()

    def test_intervals_are_wilsons(self, table):
        z = norm.ppf(0.975)
        for row in slices(table).to_dict("records"):
            n, p = row["n"], row["top1"]
            center = (p + z * z / (2 * n)) / (1 + z * z / n)
            half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
            assert (row["low"], row["high"]) == pytest.approx((center - half, center + half), abs=1e-9)

    def test_unknown_properties_form_no_group(self):
        assert slices(random_table(0)).empty
        assert list(slices(random_table(0)).columns) == ["slice", "value", "n", "top1", "low", "high"]


class TestCharts:
    def test_marks_carry_the_labels_of_their_cell(self):
        table = random_table(3, 80)
        drawn = matrix_view(table, ClassOrder.CONFUSION)
        chart = matrix_chart(drawn)
        marks = [tuple(mark) for trace in chart.figure.data for mark in trace.customdata]
        assert len(marks) == len(set(marks))
        assert {(label, predicted): count for label, predicted, count in marks} == {
            (row["label"], row["predicted"]): row["count"] for row in drawn.cells().to_dict("records")
        }
        # Plotly would render unescaped HTML.
        assert "<b>Meteor</b>" not in "".join(chart.figure.layout.yaxis.ticktext)
        assert "&lt;b&gt;Meteor&lt;/b&gt;" in chart.figure.layout.yaxis.ticktext
        worst = confused_pairs(evaluated_rows(table))[0]
        assert f"{worst['label']} predicted as {worst['predicted']} ({worst['count']} of {worst['of']})" in chart.title

    def test_every_chart_states_its_finding(self):
        table = random_table(4, 80).assign(width=400, height=300)
        figures = summary(table)
        bars = class_bars(figures["per_class"], "recall")
        worst = min(figures["per_class"].items(), key=lambda item: (item[1]["recall"], item[0]))[0]
        assert bars.title.startswith(f"Lowest recall: {worst} (")
        told = coverage_at(table, 0.5)
        covered = coverage_chart(coverage_curve(table), told)
        answered = f"{told.answered} of {told.n} photos are answered ({percent(told.coverage)})"
        assert f"{answered}, and {percent(told.accuracy)} of the answers are correct" in covered.title
        assert "no photo is answered" in coverage_chart(coverage_curve(table), coverage_at(table, 1.0)).title
        assert "confident by" in reliability_chart(reliability_bins(table)).title
        assert "No group stands out" in slices_chart(slices(table)).title
        for chart in (bars, covered, slices_chart(slices(table))):
            assert chart.title in chart.alt
