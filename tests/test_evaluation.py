"""Metrics, calibration and prediction tables, checked by hand or against scikit-learn."""

import json
import math
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, top_k_accuracy_score

from sneaker_core import images
from sneaker_core.datasets.dataset_collection import create_dataset, open_samples
from sneaker_core.datasets.dataset_split import make_split
from sneaker_core.datasets.index import read_samples
from sneaker_core.datasets.quality.measures import measure
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.datasets.split import write_split
from sneaker_core.datasets.thumbnails import make_thumbnail
from sneaker_core.errors import CheckpointError, DatasetError
from sneaker_core.evaluation.calibration import (
    CONFIDENCE_THRESHOLD_RANGE,
    FALSE_REJECTION_RATE,
    FEWEST_NEGATIVES,
    FEWEST_OF_WORLD,
    KNOWN_ACCURACY,
    REFERENCES_PER_CLASS,
    fit_confidence_threshold,
    fit_decision,
    fit_ood_weights,
    fit_references,
    fit_temperature,
    world_numbers,
    world_weights,
)
from sneaker_core.evaluation.evaluation_job import evaluate
from sneaker_core.evaluation.evaluation_plan import plan_evaluation
from sneaker_core.evaluation.metric_text import headline, use_lines
from sneaker_core.evaluation.metrics import (
    KEY_METRICS,
    bootstrap_intervals,
    calibration_error,
    confused_pairs,
    metrics_of_sums,
    photo_terms,
    summary,
    top_k_accuracy,
)
from sneaker_core.evaluation.prediction_table import evaluate_photos, prediction_table, read_outputs, run_on_photos
from sneaker_core.evaluation.table_columns import (
    as_csv,
    class_columns,
    compact,
    misclassified,
    ranks,
    with_all_columns,
)
from sneaker_core.networks.checkpoint import read_spec, save_model
from sneaker_core.networks.decision import Decision, Outputs, embedding_distance, ood_score, probabilities, unit_length
from sneaker_core.training.prepared_photos import prepare_photos
from sneaker_core.training.recipe import make_recipe
from tests.factories import (
    CLASSES,
    draw_dataset,
    jpeg,
    lively_model,
    outputs_of,
    photo,
    photo_of_class,
    prediction_rows,
    write,
)


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
        expected = balanced_accuracy_score(table["label"], table["predicted"])
        assert figures["balanced_accuracy"] == pytest.approx(expected)
        commonest = table["label"].mode()[0]
        majority = accuracy_score(table["label"], np.full(len(table), commonest))
        assert figures["majority"] == pytest.approx(majority)
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

    def test_confused_pairs_are_sorted_by_count(self):
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

    def test_photos_of_unknown_classes_are_counted_but_not_evaluated(self):
        right = ("A", {"A": 0.9, "B": 0.1}, "known")
        strange = [(label, {"A": 0.4, "B": 0.6}, "unknown") for label in ("Z", "Z", None)]
        figures, plain = summary(prediction_rows([right, *strange])), summary(prediction_rows([right]))
        assert figures.pop("left_out") == {"Z": 2}
        assert plain.pop("left_out") == {}
        assert figures == plain

    def test_without_a_known_class_it_is_an_error(self):
        with pytest.raises(DatasetError, match="knows none of the classes"):
            summary(prediction_rows([("Z", {"A": 0.9, "B": 0.1}, "known")]))

    def test_share_of_photos_answered_unknown(self):
        chances = {"A": 0.9, "B": 0.1}
        rows = [("A", chances, status) for status in ("known", "unsure", "unknown", "known")]
        assert summary(prediction_rows(rows))["refused"] == 0.25

    @given(st.integers(0, 10_000), st.integers(1, 30))
    @settings(max_examples=15, deadline=None)
    def test_metrics_of_a_resample_match_its_photos(self, seed, count):
        table = random_table(seed, count)
        weights = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count))
        told = metrics_of_sums(weights[None] @ photo_terms(table))
        figures = summary(table.iloc[np.repeat(np.arange(count), weights)])
        assert {name: value[0] for name, value in told.items()} == pytest.approx(
            {name: figures[name] for name in KEY_METRICS}, abs=1e-6
        )

    def test_bootstrap_intervals_match_the_normal_approximation(self):
        table = random_table(0, 400)
        told = bootstrap_intervals(table)
        assert list(told) == list(KEY_METRICS)
        assert told == bootstrap_intervals(table)
        share = (table["label"] == table["predicted"]).mean()
        error = 1.96 * np.sqrt(share * (1 - share) / 400)
        assert told["top1"] == pytest.approx([share - error, share + error], abs=0.01)
        assert all(0 <= low < high <= 1 for low, high in told.values())
        wider = bootstrap_intervals(table.head(50))
        assert np.diff(wider["top1"]) > 2 * np.diff(told["top1"])

    @given(st.integers(0, 10_000))
    @settings(max_examples=15, deadline=None)
    def test_ranks_follow_a_stable_order(self, seed):
        rng = np.random.default_rng(seed)
        chances = rng.integers(0, 4, (20, 5)).astype(np.float32)  # with many ties
        truth = rng.integers(-1, 5, 20).astype(float)
        truth[truth < 0] = np.nan
        order = np.argsort(-chances, axis=1, kind="stable")
        places = zip(order.tolist(), truth, strict=True)
        expected = [np.nan if np.isnan(number) else row.index(number) + 1 for row, number in places]
        np.testing.assert_array_equal(ranks(chances, truth), expected)

    @given(st.integers(0, 10_000), st.integers(1, 40))
    @settings(max_examples=15, deadline=None)
    def test_all_metrics_agree_with_each_other(self, seed, count):
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


def named(logits, decision):
    """Which photos are called known, if they are not unknown."""
    return probabilities(np.float32(logits), decision.temperature).max(1) >= decision.confidence_threshold


class TestCalibration:
    @pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
    def test_recovers_a_known_temperature(self, temperature):
        rng = np.random.default_rng(0)
        logits = rng.normal(size=(20_000, 4)) * 2
        # The class with the largest logit + Gumbel noise is a draw from the softmax of the logits.
        truth = (logits + rng.gumbel(size=logits.shape)).argmax(1)
        fitted = fit_temperature((logits * temperature).astype(np.float32), truth)
        assert fitted == pytest.approx(temperature, rel=0.05)

    def test_confidence_threshold_by_hand(self):
        confidence = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
        assert fit_confidence_threshold(confidence, np.array([True, True, True, False])) == pytest.approx(0.7)
        assert fit_confidence_threshold(confidence[::-1], np.array([False, True, True, True])) == pytest.approx(0.7)
        assert fit_confidence_threshold(confidence, np.zeros(4, np.bool_)) == pytest.approx(0.95)
        assert fit_confidence_threshold(np.array([0.99], np.float32), np.array([True])) == pytest.approx(0.95)

    @given(st.lists(st.tuples(st.sampled_from([0.2, 0.4, 0.5, 0.7, 0.9]), st.booleans()), min_size=1, max_size=80))
    @settings(max_examples=80, deadline=None)
    def test_known_answers_reach_the_target_accuracy(self, rows):
        confidence = np.array([chance for chance, _ in rows], np.float32)
        right = np.array([hit for _, hit in rows])
        threshold = fit_confidence_threshold(confidence, right)
        sure = confidence >= threshold
        assert CONFIDENCE_THRESHOLD_RANGE[0] <= threshold <= CONFIDENCE_THRESHOLD_RANGE[1]
        assert not sure.any() or right[sure].mean() >= KNOWN_ACCURACY
        lower = [value for value in np.unique(confidence) if CONFIDENCE_THRESHOLD_RANGE[0] <= value < threshold]
        assert all(right[confidence >= value].mean() < KNOWN_ACCURACY for value in lower)

    def test_references_are_unit_cluster_centers_of_each_class(self):
        rng = np.random.default_rng(0)
        centers = np.eye(3, 8)
        truth = np.repeat([0, 1, 2], [40, 40, 3])
        embeddings = (centers[truth] * 7 + rng.normal(size=(83, 8)) * 0.1).astype(np.float32)
        references = fit_references(embeddings, truth, seed=0)
        np.testing.assert_allclose(np.linalg.norm(references, axis=1), 1, rtol=1e-5)
        assert np.bincount((references @ centers.T).argmax(1)).tolist() == [REFERENCES_PER_CLASS] * 2 + [3]
        assert embedding_distance(embeddings, references).max() < 0.01
        np.testing.assert_array_equal(references, fit_references(embeddings, truth, seed=0))

    @pytest.mark.parametrize("has_negatives_class", [False, True])
    def test_decision_rejects_its_share_of_known_sneakers(self, has_negatives_class):
        rng = np.random.default_rng(1)
        logits = rng.normal(size=(1000, 3)) * 3
        truth = (logits + rng.gumbel(size=logits.shape)).argmax(1)
        outputs = outputs_of(logits, rng.normal(size=(1000, 8)), rng.normal(size=1000) if has_negatives_class else None)
        references = unit_length(rng.normal(size=(5, 8)).astype(np.float32))
        decision = fit_decision(outputs, truth, references)
        score = ood_score(outputs, references, decision)
        assert (score > decision.ood_threshold).mean() == pytest.approx(FALSE_REJECTION_RATE, abs=0.002)
        assert score.mean() == pytest.approx(0, abs=1e-3)
        assert decision.temperature == pytest.approx(1, abs=0.15)
        assert ((decision.negatives_mean, decision.negatives_std) != (0.0, 1.0)) == has_negatives_class

    @pytest.mark.parametrize("telling", [0, 1, 2])
    def test_the_term_that_tells_negatives_apart_weighs_most(self, telling):
        rng = np.random.default_rng(2)
        known, negatives = rng.normal(size=(300, 3)), rng.normal(size=(100, 3))
        negatives[:, telling] += 3
        weights = fit_ood_weights(known.astype(np.float32), negatives.astype(np.float32))
        assert sum(weights) == pytest.approx(2)
        assert min(weights) >= 0
        assert weights[telling] > 1.5

    def test_terms_that_point_the_wrong_way_keep_the_default_weights(self):
        rng = np.random.default_rng(3)
        known = rng.normal(size=(100, 3)).astype(np.float32)
        assert fit_ood_weights(known, known - 2) == (1.0, 1.0, 0.0)

    @pytest.mark.parametrize("count", [FEWEST_NEGATIVES - 1, FEWEST_NEGATIVES])
    def test_a_decision_is_fitted_to_negatives_if_there_are_enough(self, count):
        """The negatives lie as near to the references as sneakers do, but their largest logit is low."""
        rng = np.random.default_rng(4)
        logits = rng.normal(size=(500, 3)) + np.array([6, 0, 0])
        references = unit_length(rng.normal(size=(5, 8)).astype(np.float32))
        known = outputs_of(logits, rng.normal(size=(500, 8)), rng.normal(size=500))
        negatives = outputs_of(rng.normal(size=(count, 3)), rng.normal(size=(count, 8)), rng.normal(size=count))
        decision = fit_decision(known, logits.argmax(1), references, negatives)
        is_fitted = count == FEWEST_NEGATIVES
        assert (decision.logit_weight > 1) == is_fitted
        refused = (ood_score(negatives, references, decision) > decision.ood_threshold).mean()
        assert (refused > 0.9) == is_fitted
        assert (ood_score(known, references, decision) > decision.ood_threshold).mean() == pytest.approx(
            FALSE_REJECTION_RATE, abs=0.003
        )

    def test_known_answers_are_right_in_every_world(self):
        """Shop photos are nine of ten and always right; phone photos are right only from a probability of 0.9 on."""
        probability = np.tile(np.linspace(0.62, 0.98, 100), 10)
        worlds = np.repeat([0, 1], [900, 100])
        right = (worlds == 0) | (probability >= 0.9)
        logits = np.log(np.stack([probability, 1 - probability], axis=1))
        truth = np.where(right, 0, 1)
        references = np.ones((1, 2), np.float32)
        together = fit_decision(outputs_of(logits), truth, references)
        apart = fit_decision(outputs_of(logits), truth, references, worlds=worlds)
        phone = [right[(worlds == 1) & named(logits, decision)].mean() for decision in (together, apart)]
        assert phone[0] < KNOWN_ACCURACY <= phone[1]
        assert named(logits, apart)[worlds == 0].any()

    def test_worlds_count_alike_however_many_photos_they_have(self):
        worlds = np.repeat([0, 1], [150, 50])
        weights = world_weights(worlds)
        assert weights.mean() == pytest.approx(1)
        assert weights[worlds == 0].sum() == pytest.approx(weights[worlds == 1].sum())
        # The temperature is that of a photo set in which both worlds are as large.
        rng = np.random.default_rng(5)
        logits = rng.normal(size=(200, 4)).astype(np.float32) * 4
        truth = np.where(worlds == 0, logits.argmax(1), rng.integers(0, 4, 200))
        repeated = np.concatenate([np.arange(150), np.tile(np.arange(150, 200), 3)])
        alike = fit_temperature(logits[repeated], truth[repeated])
        assert fit_temperature(logits, truth, weights) == pytest.approx(alike, rel=1e-3)

    def test_small_worlds_are_one(self):
        names = ["shop"] * FEWEST_OF_WORLD + ["phone"] * (FEWEST_OF_WORLD - 1) + [None] * 2
        numbers = world_numbers(names)
        assert len(set(numbers[:FEWEST_OF_WORLD])) == 1
        assert set(numbers[FEWEST_OF_WORLD:]) == {-1}
        assert numbers[0] != -1

    def test_one_photo_is_enough_for_a_decision(self):
        decision = fit_decision(outputs_of([[2.0, 1.0]]), np.array([0]), np.ones((1, 2), np.float32))
        assert decision.distance_std == 1.0
        assert np.isfinite(list(decision.to_dict().values())).all()


class TestPredictionTable:
    def test_rows_by_hand(self):
        model = lively_model(decision=Decision(temperature=2.0, confidence_threshold=0.7, ood_threshold=5.0))
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
        np.testing.assert_array_equal(table["rank"], [1, np.nan, np.nan])
        assert table["top"][1] == ["boot", "clog", "sandal"]
        assert table[["width", "height", "brightness", "sharpness"]].isna().all(axis=None)

    def test_errors_by_confidence_and_by_margin(self):
        chances = [{"A": 0.9, "B": 0.06, "C": 0.04}, {"A": 0.5, "B": 0.45, "C": 0.05}, {"A": 0.6, "B": 0.0, "C": 0.4}]
        rows = [("B", row, "known") for row in chances] + [("A", chances[0], "known"), ("Z", chances[0], "known")]
        table = prediction_rows(rows)
        table["loss"] = [-np.log(max(row["B"], 1e-12)) for row in chances] + [0.1, np.nan]
        assert list(misclassified(table).index) == [0, 2, 1]
        assert list(misclassified(table, near_misses=True).index) == [1, 2, 0]

    def test_exported_cells_cannot_run_as_formulas(self):
        table = with_all_columns(prediction_rows([("=1+1", {"=1+1": 0.9, "B": 0.1}, "known")]).assign(sample="s"))
        text = as_csv(table).decode()
        assert text.splitlines()[1].startswith("s,,'=1+1,'=1+1,0.9,known,1.0")

    def test_old_tables_are_completed_and_compact_ones_have_the_same_metrics(self, tmp_path):
        draw_dataset(tmp_path, {"boot": 4, "clog": 4, "stiletto": 1})
        paths = sorted(str(path) for path in tmp_path.rglob("*.jpg"))
        samples = pd.DataFrame({"sample": paths, "path": paths, "label": [path.split("/")[-2] for path in paths]})
        table, _ = evaluate_photos(lively_model(), samples)
        older = table.drop(columns=["rank", "top", "path", "width", "height", "brightness", "sharpness"])
        again = with_all_columns(older)
        assert set(again) == set(table)
        pd.testing.assert_series_equal(again["rank"], table["rank"])
        assert list(again["top"]) == list(table["top"])
        assert again["path"].isna().all()
        narrow = with_all_columns(compact(table))
        told, expected = summary(narrow), summary(table)
        assert told.pop("ece") == pytest.approx(expected.pop("ece"), abs=1e-6)
        assert told.pop("intervals")["top3"] == expected.pop("intervals")["top3"]
        assert told == expected

    def test_photo_properties_match_the_dataset_scan(self, tmp_path):
        # Large and rotated by EXIF: the size is that of the upright photo.
        large = photo(3, (1200, 900))
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = 6
        buffer = BytesIO()
        large.save(buffer, "JPEG", exif=exif)
        paths = [
            str(write(tmp_path / "turned.jpg", buffer.getvalue())),
            str(write(tmp_path / "plain.jpg", jpeg(photo_of_class(1, 1)))),
        ]
        facts = run_on_photos(lively_model(size=300), paths).properties
        assert facts[["width", "height"]].to_numpy().tolist() == [[900, 1200], [40, 32]]
        small = lively_model(size=8)
        again = run_on_photos(small, paths).properties
        np.testing.assert_allclose(again, facts, rtol=0.02)
        for path, row in zip(paths, again.to_dict("records"), strict=True):
            measured = measure(images.decode(make_thumbnail(images.load(Path(path), shrink_to=512))))
            assert row["brightness"] == pytest.approx(measured.brightness, rel=0.01)
            assert row["sharpness"] == pytest.approx(measured.sharpness, rel=0.02)

    def test_outputs_keep_the_order_of_the_files_over_batches(self, tmp_path):
        model = lively_model()
        draw_dataset(tmp_path, {"boot": 20, "clog": 20})
        paths = sorted(str(path) for path in tmp_path.rglob("*.jpg"))
        steps = []
        outputs, rejected = read_outputs(model, paths, steps.append)
        backwards, _ = read_outputs(model, paths[::-1])
        assert (steps, rejected) == ([32, 40], {})
        np.testing.assert_allclose(outputs.logits, backwards.logits[::-1], rtol=1e-3, atol=1e-3)

    def test_negatives_logits_are_kept_over_batches(self, tmp_path):
        draw_dataset(tmp_path, {"boot": 33})
        outputs, _ = read_outputs(
            lively_model(has_negatives_class=True), [str(path) for path in tmp_path.rglob("*.jpg")]
        )
        assert isinstance(outputs, Outputs)
        assert outputs.negatives_logit.shape == (33,)

    def test_unreadable_files_are_reported_and_the_others_evaluated(self, tmp_path):
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

    def test_metrics_and_rejected_files(self, model_folder, data, tmp_path):
        done = evaluate(model_folder, data, tmp_path)
        figures, table = done.metrics, done.table
        assert (done.evaluation.folder, done.evaluation.n, done.evaluation.data) == (None, 5, "data")
        assert (figures["n"], figures["left_out"], len(table)) == (5, {"stiletto": 2}, 7)
        assert {label: row["n"] for label, row in figures["per_class"].items()} == {"boot": 3, "sandal": 2}
        assert list(figures["rejected"]) == [str(data / "boot" / "broken.jpg")]
        assert figures["rejected"][str(data / "boot" / "broken.jpg")].endswith(".")
        judged = table[table["label"].isin(CLASSES)]
        assert figures["top1"] == pytest.approx((judged["label"] == judged["predicted"]).mean())

    def test_only_the_photos_of_one_split(self, model_folder, data, tmp_path):
        everything = evaluate(model_folder, data, tmp_path).table
        kept = everything.assign(split=["test" if path.endswith("01.jpg") else "train" for path in everything["path"]])
        write_split(model_folder, kept)
        table = evaluate(model_folder, data, tmp_path, "test").table
        assert list(table["path"]) == [path for path in everything["path"] if path.endswith("01.jpg")]
        with pytest.raises(DatasetError, match="data has no photos of the model's val split"):
            evaluate(model_folder, data, tmp_path, "val")

    def test_photos_that_the_model_used_do_not_count(self, model_folder, data, tmp_path):
        everything = evaluate(model_folder, data, tmp_path)
        split = everything.table.assign(split=["train", "val", "test"] * 2 + ["train"] * (len(everything.table) - 6))
        write_split(model_folder, split)
        usual = evaluate(model_folder, data, tmp_path)
        whole = evaluate(model_folder, data, tmp_path, "all")
        assert usual.evaluation.split == "test" and whole.evaluation.split is None
        assert set(usual.table["sample"]) == set(split.loc[split["split"] == "test", "sample"])
        assert len(whole.table) == len(everything.table)
        # All photos give the same numbers as the test photos, and say how many are left out.
        known = split[split["label"].isin(CLASSES)]["split"].value_counts()
        assert {key: whole.metrics[key] for key in ("n", "top1", "confusions")} == {
            key: usual.metrics[key] for key in ("n", "top1", "confusions")
        }
        assert whole.metrics["used"] == {"train": known["train"], "val": known["val"]} and not whole.metrics["use"]
        (line,) = use_lines(whole.metrics)
        assert f"{known['train']} photos that the model was trained on and" in line
        # Without others they are all there is: then no percentage is called its accuracy.
        for use in ("train", "val"):
            done = evaluate(model_folder, data, tmp_path, use)
            assert done.metrics["use"] == use and not done.metrics["used"]
            assert ("%" in headline(done.metrics)) == (use == "val")
            assert math.isnan(done.evaluation.accuracy) == (use == "train")
        write_split(model_folder, everything.table.assign(split="train"))
        done = evaluate(model_folder, data, tmp_path)
        assert done.evaluation.split == "train" and math.isnan(done.evaluation.accuracy)

    def test_a_plan_says_what_is_left_out(self, model_folder, data, tmp_path):
        classes = read_spec(model_folder).classes
        table = evaluate(model_folder, data, tmp_path).table
        write_split(model_folder, table.assign(split=["test", *["train"] * (len(table) - 1)]))
        said = " ".join(plan_evaluation(tmp_path, model_folder, classes, {"": data}, "all").sentences)
        known = int(table["label"].isin(CLASSES).sum())
        assert "2 photos will count toward the numbers (all photos)." in said
        assert f"that the model doesn't know: {sorted(set(table['label']) - set(CLASSES))[0]}" in said
        assert f"{known - 1} photos that the model was trained on" in said

    def test_photos_of_the_model_it_started_from_are_left_out(self, model_folder, data, tmp_path):
        classes = read_spec(model_folder).classes
        table = evaluate(model_folder, data, tmp_path).table
        newer = tmp_path / "newer"
        save_model(lively_model(recipe={"init": str(model_folder)}), newer)
        write_split(model_folder, table.assign(split=["train", *[""] * (len(table) - 1)]).head(1))
        said = " ".join(plan_evaluation(tmp_path, newer, classes, {"": data}, "all").sentences)
        assert "Left out of these numbers: 1 photo that the model was trained on" in said

    def test_the_datasets_own_split_is_used_for_photos_the_model_never_saw(self, model_folder, data, tmp_path):
        dataset = create_dataset(tmp_path, "shoes")
        import_photos(dataset, data)
        make_split(dataset, 0, 0.5)
        stored = read_samples(dataset).set_index("sample")["split"]
        for tells in (False, True):
            if tells:  # of other photos
                write_split(model_folder, pd.DataFrame({"sample": ["0" * 16], "label": ["boot"], "split": ["test"]}))
            done = evaluate(model_folder, "shoes", tmp_path, "test")
            assert set(done.table["sample"]) == set(stored.index[stored == "test"]) != set(stored.index)
            assert done.evaluation.split_of_data
            with pytest.raises(DatasetError, match="shoes has no photos in its own val split"):
                evaluate(model_folder, "shoes", tmp_path, "val")
        # Once it has seen one of the photos, the split of the model is used.
        seen = stored.index[0]
        label = read_samples(dataset).set_index("sample").loc[seen, "label"]
        write_split(model_folder, pd.DataFrame({"sample": [seen], "label": [label], "split": ["val"]}))
        done = evaluate(model_folder, "shoes", tmp_path, "val")
        assert (list(done.table["sample"]), done.evaluation.split_of_data) == ([seen], False)

    def test_a_plain_folder_has_no_split_of_its_own(self, model_folder, data, tmp_path):
        with pytest.raises(DatasetError, match="unknown which photos the model was trained on"):
            evaluate(model_folder, data, tmp_path, "test")

    @pytest.mark.parametrize("parts", [("",), ("train", "valid", "test")], ids=["classes", "splits"])
    def test_a_folder_is_trained_on_evaluated_and_imported_alike(self, model_folder, tmp_path, parts):
        for at, part in enumerate(parts):
            for number, label in enumerate(("boot", "sandal")):
                for seed in range(12):
                    photo = jpeg(photo_of_class(number, 100 * at + seed))
                    write(tmp_path / "shoes" / part / label / f"{seed}.jpg", photo)
        dataset = create_dataset(tmp_path / "home", "imported")
        import_photos(dataset, tmp_path / "shoes")
        imported = read_samples(dataset).set_index("sample")[["label", "split"]].sort_index()
        read = open_samples(tmp_path / "home", str(tmp_path / "shoes"))
        pd.testing.assert_frame_equal(
            read.set_index("sample")[["label", "split"]].sort_index(), imported, check_dtype=False
        )
        assert set(imported["split"]) == ({None} if len(parts) == 1 else {"train", "val", "test"})
        recipe = make_recipe("scratch", {"size": 32})
        trained = prepare_photos("shoes", read, recipe, None, tmp_path / "home").samples.set_index("sample")
        table = evaluate(model_folder, tmp_path / "shoes", tmp_path / "home", "all").table.set_index("sample")
        for rows in (trained, table):
            assert rows["label"].to_dict() == imported["label"].to_dict()
        if len(parts) > 1:
            assert trained["split"].to_dict() == imported["split"].to_dict()
            tested = evaluate(model_folder, tmp_path / "shoes", tmp_path / "home", "test").table
            assert set(tested["sample"]) == set(imported.index[imported["split"] == "test"])

    def test_a_damaged_model_is_an_error(self, data, tmp_path):
        with pytest.raises(CheckpointError):
            evaluate(tmp_path, data, tmp_path)

    def test_a_model_that_knows_none_of_the_classes_fails_before_the_work(self, model_folder, tmp_path):
        told = []
        strange = draw_dataset(tmp_path / "strange", {"stiletto": 1, "loafer": 1})
        with pytest.raises(DatasetError, match="knows none of the classes"):
            evaluate(model_folder, strange, tmp_path, report=lambda *how_far: told.append(how_far))
        assert told == []
