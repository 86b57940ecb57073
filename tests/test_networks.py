"""Networks: building, describing, saving and finding models, and the three answers."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sneaker_core.errors import CheckpointError, ModelNotFoundError
from sneaker_core.evaluation.prediction_table import prediction_table, read_outputs
from sneaker_core.inference.predictor import predict_bytes
from sneaker_core.networks import checkpoint
from sneaker_core.networks import model_registry as library
from sneaker_core.networks.checkpoint import MODEL_FILE, WEIGHTS_FILE, load_model, read_spec, save_model, with_spec
from sneaker_core.networks.decision import (
    Decision,
    Status,
    embedding_distance,
    negatives_log_odds,
    ood_score,
    probabilities,
    statuses,
)
from sneaker_core.networks.precision import mixed_precision
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.settings import mixed_precision_enabled
from sneaker_core.workspace.paths import run_model_folder, runs_folder
from tests.factories import CLASSES, in_new_python, jpeg, lively_model, outputs_of, photo, write

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model():
    return lively_model(
        decision=Decision(temperature=1.7, ood_threshold=3.0, distance_mean=0.9, distance_std=0.1),
        recipe={"epochs": 3},
        metrics={"test": {"n": 9, "top1": 0.5}},
        data={"photos": 9},
        versions={"torch": "0"},
    )


@pytest.fixture
def saved(model, tmp_path):
    save_model(model, tmp_path / "lively")
    return tmp_path / "lively"


def change_description(folder, **changes):
    file = folder / MODEL_FILE
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


class TestVisionOps:
    def test_torchvision_imports_after_it(self):
        code = "from sneaker_core.networks import vision_ops; import torchvision; print(torchvision.__version__)"
        assert in_new_python(code)

    def test_declares_what_is_missing(self):
        # With a CPU build of torch, torchvision's binaries can't be loaded.
        code = """
import torch
def refuse(path): raise OSError(path)
torch.ops.load_library = refuse
from sneaker_core.networks import vision_ops
print(vision_ops._declared is not None, hasattr(torch.ops.torchvision, "nms"), hasattr(torch.ops.torchvision, "qnms"))
"""
        assert in_new_python(code) == "True True True"

    def test_leaves_what_is_there_alone(self):
        code = """
import torch
def refuse(path): raise OSError(path)
torch.ops.load_library = refuse
own = torch.library.Library("torchvision", "DEF")
own.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
own.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
from sneaker_core.networks import vision_ops
print(vision_ops._declared)
"""
        assert in_new_python(code) == "None"

    def test_declares_only_the_one_that_is_missing(self):
        code = """
import torch
def refuse(path): raise OSError(path)
torch.ops.load_library = refuse
own = torch.library.Library("torchvision", "DEF")
own.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
from sneaker_core.networks import vision_ops
print(hasattr(torch.ops.torchvision, "nms"))
"""
        assert in_new_python(code) == "True"

    def test_the_compiler_is_put_off_until_it_is_needed(self):
        code = """
import sys
from sneaker_core.networks import vision_ops
import torchvision
before = "torch._dynamo" in sys.modules
print(before, vision_ops._is_compile_supported("cpu"), sys.modules["torch._dynamo"].__file__ is not None)
"""
        assert in_new_python(code) in ("False True True", "False False True")

    def test_a_compiler_that_is_imported_already_stays(self):
        code = """
import sys, torch._dynamo
before = sys.modules["torch._dynamo"], sys.modules["torch._dynamo.utils"]
from sneaker_core.networks import vision_ops
print(before == (sys.modules["torch._dynamo"], sys.modules["torch._dynamo.utils"]))
"""
        assert in_new_python(code) == "True"

    def test_declares_nothing_twice(self):
        code = "from sneaker_core.networks import vision_ops; print(vision_ops.declare_missing_operators())"
        assert in_new_python(code) == "None"


class TestPreprocessing:
    def test_standardizes_by_hand(self):
        preprocessing = Preprocessing(2, 2, mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 1.0))
        pixels = torch.tensor([[[[0, 0, 0], [255, 255, 255]]]], dtype=torch.uint8)
        images = preprocessing.standardize(pixels)
        torch.testing.assert_close(images[0, :, 0, 0], torch.tensor([-1.0, -1.0, 0.0]))
        torch.testing.assert_close(images[0, :, 0, 1], torch.tensor([1.0, 3.0, 1.0]))

    def test_keeps_the_whole_photo(self):
        wide = np.zeros((20, 60, 3), np.uint8)
        wide[:, :30] = 255
        small = Preprocessing(8, 10).resize(Image.fromarray(wide))
        assert small.shape == (8, 10, 3)
        assert small[:, :4].min() > 240
        assert small[:, 6:].max() < 15

    def test_photos_may_be_decoded_at_twice_the_size(self):
        assert Preprocessing(30, 40).shrink_to == 80

    def test_survives_a_checkpoint_exactly(self, tmp_path):
        preprocessing = Preprocessing(37, 41, mean=(0.1, 0.2, 0.3), std=(0.7, 0.8, 0.9), mirrored=False)
        original = with_spec(lively_model(), preprocessing=preprocessing)
        save_model(original, tmp_path)
        loaded = load_model(tmp_path)
        photos = [photo(seed, (90, 70)) for seed in range(3)]
        assert loaded.spec.preprocessing == preprocessing
        assert torch.equal(loaded.spec.preprocessing(photos), preprocessing(photos))

    def test_prediction_and_evaluation_see_the_same(self, saved):
        """A JPEG so large that both decode it at a reduced size."""
        model = load_model(saved)
        data = jpeg(photo(1, (1200, 900)))
        path = str(write(saved / "large.jpg", data))
        outputs, _ = read_outputs(model, [path])
        samples = pd.DataFrame({"sample": ["s"], "path": [path], "label": [None]})
        row = prediction_table(model, samples, outputs).iloc[0]
        answer = predict_bytes(model, "large", data, top=3)
        assert {guess.label: guess.probability for guess in answer.top} == {name: row[f"p:{name}"] for name in CLASSES}
        assert answer.status == row["status"]


class TestOutputs:
    def test_mirrored_answer_is_the_mean_of_both_views(self, model):
        images = model.spec.preprocessing([photo(seed) for seed in range(2)])
        plain = with_spec(model, preprocessing=replace(model.spec.preprocessing, mirrored=False))
        one, other, both = plain.outputs(images), plain.outputs(images.flip(3)), model.outputs(images)
        assert not np.allclose(one.logits, other.logits, atol=1e-3)
        np.testing.assert_allclose(both.logits, (one.logits + other.logits) / 2, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(both.embeddings, (one.embeddings + other.embeddings) / 2, rtol=1e-4, atol=1e-4)

    def test_last_logit_is_the_negatives_class_of_a_model_that_has_one(self):
        model = lively_model(has_negatives_class=True)
        images = model.spec.preprocessing([photo(0)])
        outputs = model.outputs(images)
        views = torch.cat([images, images.flip(3)])
        expected = model.network(views).mean(0).numpy()
        np.testing.assert_allclose(
            np.append(outputs.logits[0], outputs.negatives_logit), expected, rtol=1e-4, atol=1e-4
        )


class TestCheckpoint:
    def test_is_loaded_unchanged(self, model, saved):
        loaded = load_model(saved)
        assert loaded.spec == model.spec == read_spec(saved)
        assert not loaded.network.training
        assert not any(value.requires_grad for value in loaded.network.parameters())
        np.testing.assert_allclose(loaded.references, model.references, atol=1e-3)
        was = {name: value.half() if value.ndim > 1 else value for name, value in model.network.state_dict().items()}
        assert all(torch.equal(value, was[name].to(value.dtype)) for name, value in loaded.network.state_dict().items())

    def test_saving_what_was_loaded_changes_no_weight(self, saved, tmp_path):
        save_model(load_model(saved), tmp_path / "again")
        once, twice = (load_model(folder).network.state_dict() for folder in (saved, tmp_path / "again"))
        assert all(torch.equal(once[name], twice[name]) for name in once)

    def test_default_decision_survives_json(self, tmp_path):
        save_model(lively_model(), tmp_path)
        assert read_spec(tmp_path).decision.ood_threshold == float("inf")

    def test_weights_are_safetensors_in_half_precision(self, saved):
        tensors = safetensors.torch.load((saved / WEIGHTS_FILE).read_bytes())
        assert tensors["network.head.weight"].dtype == torch.float16
        assert tensors["network.head.bias"].dtype == torch.float32
        assert {file.name for file in saved.iterdir()} == {WEIGHTS_FILE, MODEL_FILE}

    def test_one_flipped_bit_is_noticed(self, saved):
        data = bytearray((saved / WEIGHTS_FILE).read_bytes())
        data[len(data) // 2] ^= 1
        (saved / WEIGHTS_FILE).write_bytes(data)
        with pytest.raises(CheckpointError, match="checksum doesn't match"):
            load_model(saved)

    def test_description_is_written_last(self, model, tmp_path):
        (tmp_path / MODEL_FILE).mkdir()  # so that no file can replace it
        with pytest.raises(OSError):
            save_model(model, tmp_path)
        assert sorted(file.name for file in tmp_path.iterdir()) == [MODEL_FILE, WEIGHTS_FILE]

    def test_half_written_folder_is_no_model(self, saved):
        (saved / MODEL_FILE).unlink()
        for read in (read_spec, load_model):
            with pytest.raises(CheckpointError, match="isn't a model folder"):
                read(saved)

    def test_missing_weights_are_named(self, saved):
        (saved / WEIGHTS_FILE).unlink()
        with pytest.raises(CheckpointError, match=r"Can't read .*weights\.safetensors"):
            load_model(saved)

    def test_newer_format_asks_for_an_update(self, saved):
        change_description(saved, format=checkpoint.FORMAT + 1)
        with pytest.raises(CheckpointError, match="another version of SoleScope"):
            read_spec(saved)

    @pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', '{"format": 1, "classes": 3}'])
    def test_description_of_another_shape_is_an_error(self, saved, text):
        (saved / MODEL_FILE).write_text(text)
        with pytest.raises(CheckpointError, match=re.escape(str(saved))):
            read_spec(saved)

    @pytest.mark.parametrize(
        "key", ["network", "classes", "preprocessing", "decision", "weights_sha256", "has_negatives_class"]
    )
    def test_every_key_is_needed(self, saved, key):
        values = json.loads((saved / MODEL_FILE).read_text())
        del values[key]
        (saved / MODEL_FILE).write_text(json.dumps(values))
        with pytest.raises(CheckpointError, match=f"is damaged: there is no {key}"):
            read_spec(saved)

    def test_keys_of_older_versions_are_read(self, tmp_path):
        decision = Decision(negatives_mean=-4.5, negatives_std=0.9, confidence_threshold=0.7, ood_threshold=2.0)
        save_model(with_spec(lively_model(has_negatives_class=True), decision=decision), tmp_path)
        expected = read_spec(tmp_path)
        values = json.loads((tmp_path / MODEL_FILE).read_text())
        values["knows_others"] = values.pop("has_negatives_class")
        for old, new in {
            "other_mean": "negatives_mean",
            "other_std": "negatives_std",
            "sure_probability": "confidence_threshold",
            "unknown_threshold": "ood_threshold",
        }.items():
            values["decision"][old] = values["decision"].pop(new)
        (tmp_path / MODEL_FILE).write_text(json.dumps(values))
        assert read_spec(tmp_path) == expected
        assert load_model(tmp_path).network.outputs == len(expected.classes) + 1

    def test_a_model_that_names_no_head_has_a_linear_one(self, saved):
        values = json.loads((saved / MODEL_FILE).read_text())
        del values["head"]
        (saved / MODEL_FILE).write_text(json.dumps(values))
        assert read_spec(saved).head == load_model(saved).network.head_kind == "linear"

    @pytest.mark.parametrize(
        "changes",
        [
            {"head": "hidden"},
            {"head": "round"},
            {"network": "resnet1"},
            {"classes": ["one"]},
            {"has_negatives_class": True},
        ],
    )
    def test_weights_of_another_network_are_refused(self, saved, changes):
        change_description(saved, **changes)
        with pytest.raises(CheckpointError, match="doesn't fit the network"):
            load_model(saved)


class TestDecision:
    def test_softmax_by_hand(self):
        logits = np.log(np.array([[1, 2, 5]], np.float32))
        np.testing.assert_allclose(probabilities(logits, 1.0), [[1 / 8, 2 / 8, 5 / 8]], rtol=1e-6)
        np.testing.assert_allclose(probabilities(logits, 0.5), [[1 / 30, 4 / 30, 25 / 30]], rtol=1e-6)

    @given(
        st.lists(st.floats(-1e4, 1e4, width=32), min_size=2, max_size=6),
        st.floats(0.05, 20),
    )
    @settings(max_examples=50, deadline=None)
    def test_probabilities_sum_to_one_and_keep_the_order(self, logits, temperature):
        chances = probabilities(np.array([logits], np.float32), temperature)[0]
        assert np.isfinite(chances).all()
        assert chances.sum() == pytest.approx(1, abs=1e-5)
        assert (np.diff(chances[np.argsort(np.array(logits, np.float32), kind="stable")]) >= 0).all()

    def test_distance_by_hand(self):
        references = np.array([[1, 0], [0, 2]], np.float32)
        embeddings = np.array([[3, 0], [-1, 0], [1, 1]], np.float32)
        np.testing.assert_allclose(
            embedding_distance(embeddings, references), [0, 1, 1 - np.sqrt(0.5)], rtol=1e-6, atol=1e-6
        )

    def test_log_odds_by_hand(self):
        outputs = outputs_of(np.log([[1.0, 3.0]]), negatives_logit=np.log([8.0]))
        np.testing.assert_allclose(negatives_log_odds(outputs), [np.log(2)], rtol=1e-5)
        assert negatives_log_odds(outputs_of(np.zeros((1, 2)))) is None

    @given(st.lists(st.floats(0, np.pi), min_size=2, max_size=8), st.floats(-3, 3))
    @settings(max_examples=50, deadline=None)
    def test_ood_score_grows_with_distance_and_with_the_negatives_logit(self, angles, other):
        angles = np.sort(angles)
        embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        references = np.array([[1, 0]], np.float32)
        decision = Decision(distance_mean=0.3, distance_std=0.2, negatives_mean=-1.0, negatives_std=2.0)
        logits = np.zeros((len(angles), 3))
        by_distance = ood_score(outputs_of(logits, embeddings), references, decision)
        assert (np.diff(by_distance) >= -1e-5).all()
        low, high = (
            ood_score(outputs_of(logits, embeddings, np.full(len(angles), value)), references, decision)
            for value in (other, other + 1)
        )
        np.testing.assert_allclose(high - low, 0.5, atol=1e-4)

    def test_ood_score_of_the_typical_sneaker_is_zero(self):
        decision = Decision(distance_mean=0.5, distance_std=0.1)
        embedding = np.array([[0.5, np.sqrt(0.75)]])
        score = ood_score(outputs_of(np.zeros((1, 2)), embedding), np.array([[1, 0]], np.float32), decision)
        assert score == pytest.approx(0, abs=1e-5)

    def test_statuses_at_their_thresholds(self):
        decision = Decision(confidence_threshold=0.6, ood_threshold=2.0)
        chances = np.array([0.6, 0.59, 0.99, 0.99, 0.1], np.float64)
        score = np.array([0.0, 0.0, 2.0, 2.01, 5.0])
        expected = [Status.KNOWN, Status.UNSURE, Status.KNOWN, Status.UNKNOWN, Status.UNKNOWN]
        assert statuses(chances, score, decision) == expected


class TestLibrary:
    @pytest.fixture
    def workspace(self, model, tmp_path):
        for name in ("run-b", "run-a"):
            save_model(with_spec(model, name=name), run_model_folder(runs_folder(tmp_path) / name))
        return tmp_path

    def runs(self, workspace):
        return [entry.name for entry in library.list_models(workspace) if not entry.bundled]

    def test_lists_runs_by_name_after_the_bundled(self, workspace):
        entries = library.list_models(workspace)
        assert self.runs(workspace) == ["run-a", "run-b"]
        assert [entry.bundled for entry in entries] == sorted((entry.bundled for entry in entries), reverse=True)
        assert entries[-1].to_dict() == {
            "name": "run-b",
            "bundled": False,
            "network": "mobilenet_v2",
            "classes": list(CLASSES),
            "n": 9,
            "top1": 0.5,
            "top3": None,
            "ece": None,
            "problem": None,
        }

    def test_a_bundled_model_goes_before_a_run_of_its_name(self, models_home):
        folder = models_home.install("twice", bundled=True)
        models_home.install("twice", bundled=False)
        models_home.install("run", bundled=False)
        entries = library.list_models(models_home.workspace)
        assert [(entry.name, entry.bundled) for entry in entries] == [("twice", True), ("run", False)]
        assert library.find_model(models_home.workspace, "twice") == folder

    def test_passes_over_what_is_no_sound_model(self, workspace):
        (run_model_folder(runs_folder(workspace) / "run-a") / MODEL_FILE).write_text("{")
        (runs_folder(workspace) / "unfinished").mkdir()
        assert self.runs(workspace) == ["run-b"]

    def test_empty_workspace_has_no_runs(self, tmp_path):
        assert self.runs(tmp_path) == []

    def test_finds_by_name_and_by_folder(self, workspace):
        run = runs_folder(workspace) / "run-a"
        found = run_model_folder(run)
        assert [library.find_model(workspace, name) for name in ("run-a", str(run), str(found))] == [found] * 3
        assert library.open_model(workspace, "run-a").spec.name == "run-a"

    def test_a_name_goes_before_a_folder_of_that_name(self, workspace, monkeypatch, saved):
        here = saved.parent
        monkeypatch.chdir(here)
        assert library.find_model(workspace, "lively").resolve() == saved
        save_model(load_model(saved), here / "run-b")
        assert library.find_model(workspace, "run-b") == run_model_folder(runs_folder(workspace) / "run-b")

    @pytest.mark.parametrize("name", ["nothing", "some/where", "", "x" * 5000])
    def test_error_lists_the_names(self, workspace, name):
        with pytest.raises(ModelNotFoundError, match=r"No model named .*run-a, run-b"):
            library.find_model(workspace, name)

    def test_version_follows_the_files(self, workspace):
        entry = library.list_models(workspace)[-1]
        before = entry.version
        save_model(load_model(entry.folder), entry.folder)
        assert entry.version != before


class TestMixedPrecision:
    @pytest.mark.parametrize("name", ["SOLESCOPE_MIXED_PRECISION", "SOLESCOPE_FAST_ARITHMETIC"])
    def test_can_be_turned_off_under_both_names(self, monkeypatch, name):
        assert mixed_precision_enabled()
        monkeypatch.setenv(name, "0")
        assert not mixed_precision_enabled()
        with mixed_precision():
            assert not torch.is_autocast_enabled("cpu")

    def test_todays_name_wins(self, monkeypatch):
        monkeypatch.setenv("SOLESCOPE_FAST_ARITHMETIC", "0")
        monkeypatch.setenv("SOLESCOPE_MIXED_PRECISION", "1")
        assert mixed_precision_enabled()
