"""Comparison of two evaluations of the same photos."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2

from sneaker_core.datasets.split import write_split
from sneaker_core.errors import DatasetError
from sneaker_core.evaluation.comparison import CHI_SQUARE, EXACT, compare, mcnemar
from sneaker_core.evaluation.confusion_matrix import confusion_matrix
from sneaker_core.evaluation.evaluation_comparison import compare_evaluations
from sneaker_core.evaluation.evaluation_record import Evaluation, Kind
from sneaker_core.evaluation.matrix_charts import difference_chart
from sneaker_core.evaluation.metric_text import NEW_TO_BOTH, compared_photos_text, verdict
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.photo_uses import USED_FOR, photo_uses
from sneaker_core.evaluation.table_columns import with_all_columns
from sneaker_core.networks.checkpoint import save_model
from sneaker_core.number_text import counted
from tests.factories import lively_model, prediction_rows

NAMES = "ABC"


def answers(labels: str, predicted: str, first: int = 0) -> pd.DataFrame:
    """A table from the labels of photos and their predictions, one letter each."""
    rows = [
        (label, {name: 0.8 if name == said else 0.1 for name in NAMES}, "known")
        for label, said in zip(labels, predicted, strict=True)
    ]
    table = prediction_rows(rows)
    return with_all_columns(table.assign(sample=[f"photo {first + place}" for place in range(len(table))]))


class TestMcNemar:
    @pytest.mark.parametrize(("fixed", "broken"), [(5, 2), (0, 9), (12, 12), (24, 0)])
    def test_few_discordant_photos_use_the_exact_test(self, fixed, broken):
        count = fixed + broken
        tail = binom.cdf(min(fixed, broken), count, 0.5)
        assert mcnemar(fixed, broken) == (pytest.approx(min(1.0, 2 * tail)), EXACT)

    def test_many_discordant_photos_use_the_corrected_chi_square(self):
        p_value, test = mcnemar(30, 12)
        assert test == CHI_SQUARE
        assert p_value == pytest.approx(chi2.sf((18 - 1) ** 2 / 42, 1))
        assert mcnemar(20, 20)[0] == 1

    def test_without_discordant_photos_p_is_one(self):
        assert mcnemar(0, 0) == (1.0, EXACT)


class TestCompare:
    def test_photos_that_one_fixes_and_the_other_breaks(self):
        a = answers("AABBCC", "ABBACC")
        b = answers("AABBCC", "AABBCA")
        result = compare(a, b)
        assert result.n == 6
        assert list(result.fixed["sample"]) == ["photo 1", "photo 3"]
        assert list(result.broken["sample"]) == ["photo 5"]
        assert result.broken.iloc[0][["predicted_a", "predicted_b"]].tolist() == ["C", "A"]
        assert result.difference.loc["C"].tolist() == [1, 0, -1]
        assert result.difference.loc["B"].tolist() == [-1, 1, 0]
        assert compared_photos_text(result) == f"Compared on 6 shared photos. {NEW_TO_BOTH}"
        assert "b is more accurate by 16.7 percentage points; not significant (p = 1.000)" in verdict(result, "a", "b")

    def test_only_shared_photos_count_in_any_order(self):
        a = answers("AABB", "AABB")
        b = answers("ABBC", "AABC", first=1).iloc[::-1]
        result = compare(a, b)
        assert (result.n, result.only_a, result.only_b) == (3, 1, 1)
        # The second table has photos 1 to 4 with labels A, B, B and C; photo 2 is predicted as A.
        assert result.metrics_a["top1"] == 1
        assert result.metrics_b["top1"] == pytest.approx(2 / 3)
        assert list(result.broken["sample"]) == ["photo 2"]
        text = compared_photos_text(result)
        assert text.startswith("Compared on 3 shared photos.")
        assert "1 photo of the first evaluation and 1 photo of the second evaluation are missing" in text

    def test_photos_that_a_model_was_trained_on_are_called_so(self):
        used = compare(answers("AB", "AB").assign(**{USED_FOR: "train"}), answers("AB", "AB"))
        text = compared_photos_text(used)
        assert "A model was trained on or tuned with these photos" in text and NEW_TO_BOTH not in text

    def test_photos_that_only_an_ancestor_was_trained_on_do_not_count(self, tmp_path):
        older, newer = tmp_path / "older", tmp_path / "newer"
        save_model(lively_model(), older)
        save_model(lively_model(recipe={"init": str(older)}), newer)
        table = answers("ABC", "ABA")
        write_split(older, table.head(1).assign(split="train"))
        write_split(newer, table.head(0).assign(split="train"))
        table = table.assign(**{USED_FOR: photo_uses(table["sample"], newer)})
        evaluations = [Evaluation(name, Kind.STORED, None, name, newer) for name in "ab"]
        pairs = [(one, table) for one in evaluations]
        result = compare_evaluations(tmp_path, *pairs)
        assert (result.n, compared_photos_text(result)) == (2, f"Compared on 2 shared photos. {NEW_TO_BOTH}")
        unknown = (Evaluation("c", Kind.STORED, None, "c", None), answers("ABC", "ABC"))
        text = compared_photos_text(compare_evaluations(tmp_path, pairs[0], unknown))
        assert "It isn't known which photos c was trained on" in text and NEW_TO_BOTH not in text
        assert "1 photo of the second evaluation is missing from the other" in text

    def test_a_photo_that_was_relabeled_is_not_shared(self):
        result = compare(answers("AAB", "AAB"), answers("ABB", "ABB"))
        assert (result.n, result.only_a, result.only_b) == (2, 1, 1)

    def test_nothing_shared_is_an_error(self):
        with pytest.raises(DatasetError, match="no photo with the same label in common"):
            compare(answers("AB", "AB"), answers("AB", "AB", first=9))

    @given(st.integers(0, 10_000), st.integers(1, 60))
    @settings(max_examples=5, deadline=None)
    def test_fixed_and_broken_add_up_to_the_difference(self, seed, count):
        rng = np.random.default_rng(seed)
        labels, one, other = ("".join(rng.choice(list(NAMES), count)) for _ in range(3))
        a, b = answers(labels, one), answers(labels, other)
        result = compare(a, b)
        gain = result.metrics_b["top1"] - result.metrics_a["top1"]
        assert gain == pytest.approx((len(result.fixed) - len(result.broken)) / count)
        assert result.metrics_a == summary(a)
        assert (result.difference.sum(axis=1) == 0).all()
        before, after = confusion_matrix(a), confusion_matrix(b)
        for label in result.difference.index:
            for predicted in result.difference.columns:
                change = after.get(predicted, {}).get(label, 0) - before.get(predicted, {}).get(label, 0)
                assert result.difference.loc[label, predicted] == change
        back = compare(b, a)
        assert set(back.fixed["sample"]) == set(result.broken["sample"])
        assert back.p_value == result.p_value
        chart = difference_chart(result)
        fixed, broken = len(result.fixed), len(result.broken)
        found = f"The second evaluation fixes {counted(fixed, 'photo')} and breaks {broken}"
        same = "Both are right on the same photos; only wrong answers differ"
        assert chart.title == (found if fixed or broken else same)
