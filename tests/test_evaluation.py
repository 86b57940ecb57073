"""From outputs to honest figures: every number against another one, by hand or by scikit-learn."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, top_k_accuracy_score

from sneaker_core.datasets.split import write_split
from sneaker_core.errors import CheckpointError, DatasetError
from sneaker_core.evaluation.calibration import (
    REFERENCES_PER_CLASS,
    REFUSED_SHARE,
    SURE_ACCURACY,
    SURE_RANGE,
    fit_decision,
    fit_references,
    fit_sure_probability,
    fit_temperature,
)
from sneaker_core.evaluation.folder import evaluate_folder
from sneaker_core.evaluation.metrics import calibration_error, confused_pairs, summary, top_k_accuracy
from sneaker_core.evaluation.predictions import class_columns, evaluate_photos, prediction_table, read_outputs
from sneaker_core.networks.checkpoint import save_model
from sneaker_core.networks.decision import Decision, Outputs, embedding_distance, unit_length, unknown_score
from tests.factories import CLASSES, draw_dataset, lively_model, outputs_of, prediction_rows, write


def random_table(seed: int, count: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.full(4, 0.6), size=count)
    truth = [rng.choice(4, p=0.7 * row + 0.3 / 4) for row in chances]
    return prediction_rows(
        [
            ("ABCD"[label], dict(zip("ABCD", row, strict=True)), "known")
            for label, row in zip(truth, chances, strict=True)
        ]
    )


class TestMetrics:
    @pytest.mark.parametrize("seed", range(3))
    def test_agree_with_scikit_learn(self, seed):
        table = random_table(seed)
        chances = table[[f"p:{name}" for name in "ABCD"]].to_numpy()
        figures = summary(table)
        assert figures["top1"] == pytest.approx(accuracy_score(table["label"], table["predicted"]))
        assert figures["top3"] == pytest.approx(top_k_accuracy_score(table["label"], chances, k=3, labels=list("ABCD")))
        assert figures["macro_f1"] == pytest.approx(f1_score(table["label"], table["predicted"], average="macro"))
        truth = table["label"].map("ABCD".index).to_numpy()
        for k in (1, 2, 3):
            assert top_k_accuracy(chances, truth, k) == pytest.approx(top_k_accuracy_score(truth, chances, k=k))

    def test_calibration_error_by_hand(self):
        confidence = np.array([0.62, 0.64, 0.98, 0.96, 1.0], np.float32)
        right = np.array([True, False, True, True, False])
        # Two bins are in use: means 0.63 against 1/2, and 0.98 against 2/3.
        expected = 2 / 5 * (0.63 - 0.5) + 3 / 5 * (0.98 - 2 / 3)
        assert calibration_error(confidence, right, bins=10) == pytest.approx(expected, abs=1e-6)
        assert calibration_error(np.ones(4, np.float32), np.ones(4, np.bool_)) == 0

    def test_confusions_are_counted_most_often_first(self):
        sure = {"A": 0.8, "B": 0.1, "C": 0.1}
        rows = [("A", sure, "known")] + [("B", sure, "known")] * 3 + [("C", sure, "known")] * 2
        rows.append(("A", {"A": 0.1, "B": 0.2, "C": 0.7}, "known"))
        assert confused_pairs(prediction_rows(rows)) == [
            {"label": "B", "predicted": "A", "count": 3, "of": 3},
            {"label": "C", "predicted": "A", "count": 2, "of": 2},
            {"label": "A", "predicted": "C", "count": 1, "of": 2},
        ]

    def test_a_class_that_is_never_predicted_scores_nothing(self):
        figures = summary(prediction_rows([("B", {"A": 0.8, "B": 0.2}, "known")]))
        assert figures["per_class"] == {"B": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "n": 1}}
        assert figures["macro_f1"] == 0

    def test_photos_of_unknown_classes_are_counted_but_not_judged(self):
        right = ("A", {"A": 0.9, "B": 0.1}, "known")
        strange = [(label, {"A": 0.4, "B": 0.6}, "unknown") for label in ("Z", "Z", None)]
        figures, plain = summary(prediction_rows([right, *strange])), summary(prediction_rows([right]))
        assert figures.pop("left_out") == {"Z": 2}
        assert plain.pop("left_out") == {}
        assert figures == plain

    def test_nothing_to_compare_is_an_error(self):
        with pytest.raises(DatasetError, match="knows none of the classes"):
            summary(prediction_rows([("Z", {"A": 0.9, "B": 0.1}, "known")]))

    def test_share_of_refused_photos(self):
        chances = {"A": 0.9, "B": 0.1}
        rows = [("A", chances, status) for status in ("known", "unsure", "unknown", "known")]
        assert summary(prediction_rows(rows))["refused"] == 0.25

    @given(st.integers(0, 10_000), st.integers(1, 40))
    @settings(max_examples=25, deadline=None)
    def test_all_figures_agree_with_each_other(self, seed, count):
        table = random_table(seed, count)
        figures = summary(table)
        wrong = sum(pair["count"] for pair in figures["confusions"])
        classwise = figures["per_class"]
        assert figures["n"] == count == sum(row["n"] for row in classwise.values())
        assert figures["top1"] == pytest.approx(1 - wrong / count)
        assert figures["top1"] == pytest.approx(sum(row["recall"] * row["n"] for row in classwise.values()) / count)
        assert figures["top1"] <= figures["top3"] <= 1
        expected = f1_score(
            table["label"], table["predicted"], labels=list(classwise), average="macro", zero_division=0
        )
        assert figures["macro_f1"] == pytest.approx(expected)
        for pair in figures["confusions"]:
            cell = table[(table["label"] == pair["label"]) & (table["predicted"] == pair["predicted"])]
            assert len(cell) == pair["count"] <= pair["of"] == classwise[pair["label"]]["n"]
        assert json.loads(json.dumps(figures)) == figures


class TestCalibration:
    @pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
    def test_recovers_a_known_temperature(self, temperature):
        rng = np.random.default_rng(0)
        logits = rng.normal(size=(20_000, 4)) * 2
        # The class with the largest logit + Gumbel noise is a draw from the softmax of the logits.
        truth = (logits + rng.gumbel(size=logits.shape)).argmax(1)
        fitted = fit_temperature((logits * temperature).astype(np.float32), truth)
        assert fitted == pytest.approx(temperature, rel=0.05)

    def test_sure_probability_by_hand(self):
        confidence = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
        assert fit_sure_probability(confidence, np.array([True, True, True, False])) == pytest.approx(0.7)
        assert fit_sure_probability(confidence[::-1], np.array([False, True, True, True])) == pytest.approx(0.7)
        assert fit_sure_probability(confidence, np.zeros(4, np.bool_)) == pytest.approx(0.95)
        assert fit_sure_probability(np.array([0.99], np.float32), np.array([True])) == pytest.approx(0.95)

    @given(st.lists(st.tuples(st.sampled_from([0.2, 0.4, 0.5, 0.7, 0.9]), st.booleans()), min_size=1, max_size=80))
    @settings(max_examples=80, deadline=None)
    def test_sure_answers_are_right_often_enough(self, rows):
        confidence = np.array([chance for chance, _ in rows], np.float32)
        right = np.array([hit for _, hit in rows])
        threshold = fit_sure_probability(confidence, right)
        sure = confidence >= threshold
        assert SURE_RANGE[0] <= threshold <= SURE_RANGE[1]
        assert not sure.any() or right[sure].mean() >= SURE_ACCURACY
        lower = [value for value in np.unique(confidence) if SURE_RANGE[0] <= value < threshold]
        assert all(right[confidence >= value].mean() < SURE_ACCURACY for value in lower)

    def test_references_are_unit_centres_of_each_class(self):
        rng = np.random.default_rng(0)
        centres = np.eye(3, 8)
        truth = np.repeat([0, 1, 2], [40, 40, 3])
        embeddings = (centres[truth] * 7 + rng.normal(size=(83, 8)) * 0.1).astype(np.float32)
        references = fit_references(embeddings, truth, seed=0)
        np.testing.assert_allclose(np.linalg.norm(references, axis=1), 1, rtol=1e-5)
        assert np.bincount((references @ centres.T).argmax(1)).tolist() == [REFERENCES_PER_CLASS] * 2 + [3]
        assert embedding_distance(embeddings, references).max() < 0.01
        np.testing.assert_array_equal(references, fit_references(embeddings, truth, seed=0))

    @pytest.mark.parametrize("knows_others", [False, True])
    def test_decision_refuses_its_share_of_known_sneakers(self, knows_others):
        rng = np.random.default_rng(1)
        logits = rng.normal(size=(1000, 3)) * 3
        truth = (logits + rng.gumbel(size=logits.shape)).argmax(1)
        outputs = outputs_of(logits, rng.normal(size=(1000, 8)), rng.normal(size=1000) if knows_others else None)
        references = unit_length(rng.normal(size=(5, 8)).astype(np.float32))
        decision = fit_decision(outputs, truth, references)
        score = unknown_score(outputs, references, decision)
        assert (score > decision.unknown_threshold).mean() == pytest.approx(REFUSED_SHARE, abs=0.002)
        assert score.mean() == pytest.approx(0, abs=1e-3)
        assert decision.temperature == pytest.approx(1, abs=0.15)
        assert ((decision.other_mean, decision.other_std) != (0.0, 1.0)) == knows_others

    def test_one_photo_is_enough_for_a_decision(self):
        decision = fit_decision(outputs_of([[2.0, 1.0]]), np.array([0]), np.ones((1, 2), np.float32))
        assert decision.distance_std == 1.0
        assert np.isfinite(list(decision.to_dict().values())).all()


class TestPredictionTable:
    def test_rows_by_hand(self):
        model = lively_model(decision=Decision(temperature=2.0, sure_probability=0.7, unknown_threshold=5.0))
        samples = pd.DataFrame(
            {"sample": list("pqr"), "path": ["1", "2", "3"], "label": ["clog", "stiletto", None]}, index=[7, 5, 9]
        )
        logits = 2 * np.log([[0.1, 0.8, 0.1], [0.6, 0.2, 0.2], [0.3, 0.3, 0.4]])
        table = prediction_table(model, samples, outputs_of(logits, np.ones((3, 1280))))
        assert list(table["predicted"]) == ["clog", "boot", "sandal"]
        np.testing.assert_allclose(table["probability"], [0.8, 0.6, 0.4], rtol=1e-5)
        np.testing.assert_allclose(table["loss"], [-np.log(0.8), np.nan, np.nan], rtol=1e-5)
        assert list(table["status"]) == ["known", "unsure", "unsure"]
        assert list(table["embedding_row"]) == [0, 1, 2]
        assert list(class_columns(table)) == list(CLASSES)
        np.testing.assert_allclose(table[[f"p:{name}" for name in CLASSES]].sum(axis=1), 1, rtol=1e-5)
        assert table["sample"].tolist() == list("pqr")

    def test_outputs_keep_the_order_of_the_files_over_batches(self, tmp_path):
        model = lively_model()
        draw_dataset(tmp_path, {"boot": 20, "clog": 20})
        paths = sorted(str(path) for path in tmp_path.rglob("*.jpg"))
        steps = []
        outputs, rejected = read_outputs(model, paths, steps.append)
        backwards, _ = read_outputs(model, paths[::-1])
        assert (steps, rejected) == ([32, 40], {})
        np.testing.assert_allclose(outputs.logits, backwards.logits[::-1], rtol=1e-3, atol=1e-3)

    def test_other_logits_are_kept_over_batches(self, tmp_path):
        draw_dataset(tmp_path, {"boot": 33})
        outputs, _ = read_outputs(lively_model(knows_others=True), [str(path) for path in tmp_path.rglob("*.jpg")])
        assert isinstance(outputs, Outputs)
        assert outputs.other.shape == (33,)

    def test_unreadable_files_are_told_and_the_others_judged(self, tmp_path):
        draw_dataset(tmp_path, {"boot": 3})
        broken = str(write(tmp_path / "boot" / "01.jpg", b"no photo"))
        paths = [str(tmp_path / "boot" / f"0{number}.jpg") for number in range(3)]
        samples = pd.DataFrame({"sample": list("abc"), "path": paths, "label": "boot"})
        table, rejected = evaluate_photos(lively_model(), samples)
        assert list(table["sample"]) == ["a", "c"]
        assert set(rejected) == {broken}
        with pytest.raises(DatasetError, match="None of the photos"):
            read_outputs(lively_model(), [broken])


class TestFolder:
    @pytest.fixture
    def model_folder(self, tmp_path):
        save_model(lively_model(), tmp_path / "model")
        return tmp_path / "model"

    @pytest.fixture
    def data(self, tmp_path):
        data = draw_dataset(tmp_path / "data", {"boot": 3, "sandal": 2, "stiletto": 2})
        write(data / "boot" / "broken.jpg", b"\xff\xd8\xff, but no more of a JPEG")
        return data

    def test_figures_and_rejected_files(self, model_folder, data, tmp_path):
        figures, table = evaluate_folder(model_folder, data, tmp_path)
        assert (figures["n"], figures["left_out"], len(table)) == (5, {"stiletto": 2}, 7)
        assert {label: row["n"] for label, row in figures["per_class"].items()} == {"boot": 3, "sandal": 2}
        assert list(figures["rejected"]) == [str(data / "boot" / "broken.jpg")]
        assert figures["rejected"][str(data / "boot" / "broken.jpg")].endswith(".")
        judged = table[table["label"].isin(CLASSES)]
        assert figures["top1"] == pytest.approx((judged["label"] == judged["predicted"]).mean())

    def test_only_the_photos_of_one_split(self, model_folder, data, tmp_path):
        _, everything = evaluate_folder(model_folder, data, tmp_path)
        kept = everything.assign(split=["test" if path.endswith("01.jpg") else "train" for path in everything["path"]])
        write_split(model_folder, kept)
        _, table = evaluate_folder(model_folder, data, tmp_path, split="test")
        assert list(table["path"]) == [path for path in everything["path"] if path.endswith("01.jpg")]
        with pytest.raises(DatasetError, match="None of the model's val photos"):
            evaluate_folder(model_folder, data, tmp_path, split="val")

    def test_a_damaged_model_is_an_error(self, data, tmp_path):
        with pytest.raises(CheckpointError):
            evaluate_folder(tmp_path, data, tmp_path)
