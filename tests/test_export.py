"""Exported models: what the file holds, that it agrees, what it refuses, and that it serves like any model."""

import json
import os
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import onnx
import pandas as pd
import pytest
import torch
from onnx import TensorProto, helper
from starlette.applications import Starlette

import sneaker_core as sc
from sneaker_core.api.api_routes import routes
from sneaker_core.errors import CheckpointError, ExportError
from sneaker_core.inference.explanation.attributions import attribute
from sneaker_core.inference.explanation.explanation_request import Method
from sneaker_core.inference.export.export_formats import ExportFormat
from sneaker_core.inference.export.export_jobs import exported_file, find_export
from sneaker_core.inference.export.export_model import export_model
from sneaker_core.inference.export.int8_quantization import fits, measure_ranges, quantize
from sneaker_core.inference.export.onnx_writer import describe, onnx_model
from sneaker_core.inference.export.parity_check import check_float32, check_int8, compare
from sneaker_core.inference.predictor import predict_bytes
from sneaker_core.networks import onnx_metadata as names
from sneaker_core.networks.architectures import architecture, build_network
from sneaker_core.networks.calibration_ranges import read_ranges, write_ranges
from sneaker_core.networks.checkpoint import (
    MODEL_FILE,
    ONNX_FILE,
    ModelSpec,
    SneakerModel,
    load_model,
    read_spec,
    save_model,
    weights_checksum,
    with_spec,
)
from sneaker_core.networks.decision import Decision, ood_score, probabilities, unit_length
from sneaker_core.networks.model_registry import find_named_model, source_of_export
from sneaker_core.networks.onnx_network import OnnxNetwork
from sneaker_core.settings import ApiSettings
from sneaker_core.workspace.paths import BUNDLED_MODELS, run_model_folder, runs_folder
from tests.api_server import serving
from tests.conftest import ModelsHome
from tests.factories import ONE_OF_EACH_KIND, draw_dataset, jpeg, lively_model, photo, run_command, write

_CHECKSUM = "0" * 64
PRECISIONS = {ExportFormat.ONNX: names.FLOAT32, ExportFormat.ONNX_INT8: names.INT8}


def pixels(model: SneakerModel, count: int) -> np.ndarray:
    size = (count, model.spec.preprocessing.height, model.spec.preprocessing.width, 3)
    return np.random.default_rng(count).integers(0, 256, size).astype(np.uint8)


def photos_in(folder: Path, count: int = 6) -> pd.DataFrame:
    files = [write(folder / f"{seed}.jpg", jpeg(photo(seed, (80, 64)))) for seed in range(count)]
    return pd.DataFrame({"path": list(map(str, files)), "label": None})


def model_of(network: str, **spec: object) -> SneakerModel:
    """An untrained network with footwear types and negatives, at the smallest size it takes."""
    found = architecture(network)
    size = found.size if found.fixed_size else max(48, found.smallest)
    described = ModelSpec(
        network, network, ("boot", "clog"), True, found.preprocessing(size), Decision(distance_weight=2.0),
        footwear_types=("Loafers",), head=found.head, **spec,
    )  # fmt: skip
    torch.manual_seed(1)
    built = build_network(network, described.outputs, auxiliary=False).eval().requires_grad_(False)
    references = np.random.default_rng(1).normal(size=(4, found.embedding_size)).astype(np.float32)
    return SneakerModel(described, built, unit_length(references))


@pytest.fixture(scope="module")
def exported(tiny_model: SneakerModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model as a lone file. Don't change it; copy it."""
    file = tmp_path_factory.mktemp("exported") / "tiny.onnx"
    folder = file.parent / "tiny"
    save_model(tiny_model, folder)
    return write(file, onnx_model(load_model(folder), weights_checksum(folder)).SerializeToString())


@pytest.mark.slow
@pytest.mark.parametrize("network", [*ONE_OF_EACH_KIND, "efficientnet_lite0"])
def test_each_architecture_agrees_for_any_number_of_photos(network, tmp_path):
    model = model_of(network)
    file = write(tmp_path / "m.onnx", onnx_model(model, _CHECKSUM).SerializeToString())
    loaded = load_model(file)  # so it holds nothing but what is allowed
    for count in (1, 3):
        taken = pixels(model, count)
        expected = model.outputs(model.spec.preprocessing.standardize(torch.from_numpy(taken)))
        wanted = [names.PROBABILITIES, names.REJECTED_LOGITS, names.OOD_SCORE, names.FEATURES]
        photos = taken.transpose(0, 3, 1, 2) / np.float32(255)
        chances, rejected, score, features = loaded.network.run(photos, wanted)
        close = {"rtol": 1e-3, "atol": 1e-3}
        assert np.allclose(chances, probabilities(expected.logits, model.spec.decision.temperature), **close)
        assert np.allclose(rejected, expected.rejected_logits, **close)
        assert np.allclose(score, ood_score(expected, model.references, model.spec.decision), **close)
        assert features.ndim == 4 and len(features) == count


def test_the_file_says_all_that_an_answer_needs():
    spec = read_spec(BUNDLED_MODELS / "street72")
    never = replace(spec, decision=replace(spec.decision, ood_threshold=float("inf")))
    said = json.loads(names.description(never, _CHECKSUM, names.INT8))
    assert said["decision"]["ood_threshold"] == 1e9 and said["precision"] == "int8"
    assert "Air Jordan" in said["groups"] and said["weights_sha256"] == _CHECKSUM
    again, _ = names.read_description(names.description(spec, _CHECKSUM, names.FLOAT32), "x")
    for what in ("name", "classes", "footwear_types", "has_negatives_class", "preprocessing", "decision"):
        assert getattr(again, what) == getattr(spec, what)


def test_class_maps_are_given_where_the_head_is_linear():
    for network, given in (("mobilenet_v2", True), ("mobilenet_v3_small", False)):
        outputs = {one.name for one in onnx_model(model_of(network), _CHECKSUM).graph.output}
        assert (names.CLASS_MAPS in outputs) is given


@pytest.mark.slow
def test_the_command_writes_a_file_that_predicts_the_same(models_home: ModelsHome, tmp_path, sneaker_jpeg):
    models_home.install("street72")
    home, image, file = models_home.workspace, write(tmp_path / "a.jpg", sneaker_jpeg(1)), tmp_path / "m.onnx"
    done = run_command(home, "export", "street72", "--out", file, "--json")
    said = json.loads(done.stdout)
    assert (said["agreement"]["photos"], said["agreement"]["same_top1"]) == (200, 1)
    assert said["bytes"] == file.stat().st_size
    ours, theirs = (
        json.loads(run_command(home, "predict", image, "--model", one).stdout) for one in (file, "street72")
    )
    for a, b in zip(ours.pop("top"), theirs.pop("top"), strict=True):
        assert a["label"] == b["label"] and a["probability"] == pytest.approx(b["probability"], abs=1e-3)
    assert {**ours, "ms": 0} == {**theirs, "ms": 0}
    # Exporting the file again, or another format without photos, says what to do.
    for words, reason in (((file,), "already"), (("street72", "--format", "onnx-int8"), "trained with")):
        refused = run_command(home, "export", *words, "--out", tmp_path / "n.onnx")
        assert refused.returncode == 1 and reason in refused.stderr and not (tmp_path / "n.onnx").exists()


def test_a_run_folder_may_hold_a_file_in_place_of_weights(exported, tmp_path, sneaker_jpeg):
    place = run_model_folder(runs_folder(tmp_path) / "mine")
    write(place / ONNX_FILE, exported.read_bytes())
    image = write(tmp_path / "a.jpg", sneaker_jpeg(2))
    found = load_model(find_named_model(tmp_path, "mine"))
    assert found.spec.name == "tiny" and found.spec.classes == load_model(exported.parent / "tiny").spec.classes
    assert sc.load_model("mine", workspace=tmp_path).predict(image).top
    listed = json.loads(run_command(tmp_path, "models", "--json").stdout)
    assert "mine" in {one["name"] for one in listed if one["problem"] is None}
    # A description next to it sets the thresholds; it must be of the same model.
    write(place / "model.json", (exported.parent / "tiny" / "model.json").read_bytes())
    assert load_model(place).spec.decision == found.spec.decision
    other = json.loads((place / "model.json").read_text()) | {"weights_sha256": "1" * 64}
    write(place / "model.json", json.dumps(other).encode())
    with pytest.raises(CheckpointError, match="made for"):
        load_model(place)


def test_a_run_that_is_a_file_answers_over_http(exported, tmp_path, sneaker_jpeg):
    write(run_model_folder(runs_folder(tmp_path) / "mine") / ONNX_FILE, exported.read_bytes())
    photo = {"file": ("a.jpg", sneaker_jpeg(2))}
    with serving(Starlette(routes=routes(tmp_path, ApiSettings())), log_level="error") as address:
        answer = httpx.post(f"{address}/api/predict?model=mine&top=2", files=photo, timeout=60)
        facts = httpx.get(f"{address}/api/models/mine").json()
        explained = httpx.post(f"{address}/api/explain?model=mine", files=photo, timeout=60)
    expected = predict_bytes(load_model(exported), "a.jpg", sneaker_jpeg(2), 2).to_dict()
    assert (answer.status_code, {**answer.json(), "ms": 0}) == (200, {**expected, "ms": 0})
    assert (facts["name"], facts["classes"], facts["worlds"]) == ("mine", list(load_model(exported).spec.classes), [])
    assert explained.status_code == 422 and "exported from" in explained.json()["error"]


def test_a_file_is_evaluated_on_photos_that_its_source_was_not_trained_on(models_home: ModelsHome, exported, tmp_path):
    folder, home = models_home.install("tiny", bundled=False), models_home.workspace
    made = onnx_model(load_model(folder), weights_checksum(folder)).SerializeToString()
    file = write(tmp_path / "tiny.onnx", made)
    assert source_of_export(home, file) == folder and source_of_export(home, exported).name in ("tiny.onnx", "model")
    classes = load_model(file).spec.classes
    data = draw_dataset(tmp_path / "photos", {classes[0]: 4, classes[1]: 4})
    said = json.loads(run_command(home, "evaluate", file, "--data", data, "--json").stdout)
    assert said["n"] == 8 and said["top1"] is not None


def test_what_needs_the_network_says_to_use_the_source(exported):
    model = load_model(exported)
    for method in (Method.GRADCAM, Method.GUIDED_GRADCAM, Method.INTEGRATED_GRADIENTS):
        with pytest.raises(ExportError, match=r"tiny\.onnx is an ONNX file.*exported from"):
            attribute(model, [photo(1)], model.spec.classes[0], method)
    assert attribute(model, [photo(1)], model.spec.classes[0], Method.OCCLUSION).shape == (1, 64, 64)
    with pytest.raises(ExportError):
        save_model(model, exported.parent / "again")


def _with_node(*node: object, **attributes: object):
    def damage(model: onnx.ModelProto) -> None:
        model.graph.node.append(helper.make_node(*node, **attributes))

    return damage


def _external(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL


def _undescribed(model: onnx.ModelProto) -> None:
    del model.metadata_props[:]


def _misdescribed(model: onnx.ModelProto) -> None:
    said = json.loads(model.metadata_props[0].value)
    describe(model, json.dumps(said | {"classes": [*said["classes"], "one more"]}))


def _without_references(model: onnx.ModelProto) -> None:
    for tensor in model.graph.initializer:
        tensor.name = "other" if tensor.name == names.REFERENCES else tensor.name


_DAMAGE = {
    "an operator that loops": (_with_node("Loop", [], ["x"]), "the operator 'Loop'"),
    "an operator of another library": (_with_node("Conv", [], ["x"], domain="evil"), "the operator"),
    "weights in another file": (_external, "weights in another file"),
    "no description": (_undescribed, "didn't export it"),
    "a description that isn't one": (lambda model: describe(model, "{}"), "is damaged"),
    "a newer description": (lambda model: describe(model, '{"format": 99}'), "another version"),
    "more classes than logits": (_misdescribed, "doesn't fit"),
    "no references": (_without_references, "damaged|can't run"),
}


@pytest.mark.parametrize("what", _DAMAGE)
def test_hostile_files_are_told_in_one_sentence(what, exported, tmp_path):
    damage, reason = _DAMAGE[what]
    model = onnx.load(exported)
    damage(model)
    file = write(tmp_path / "bad.onnx", model.SerializeToString())
    with pytest.raises(CheckpointError, match=reason) as error:
        load_model(file)
    assert str(file) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("data", [b"", b"no model", b"\x08\x07" * 100])
def test_files_that_are_no_model_are_told(data, exported, tmp_path):
    for content in (data, exported.read_bytes()[:-1000]):
        with pytest.raises(CheckpointError):
            load_model(write(tmp_path / "bad.onnx", content))


def test_an_export_that_disagrees_is_refused(exported, tmp_path):
    model, photos = load_model(exported.parent / "tiny"), photos_in(tmp_path)
    file = onnx.load(exported)
    honest = compare(model, OnnxNetwork(file.SerializeToString(), model.spec, "x"), photos, lambda done, total: None)
    check_float32(honest)
    for tensor in file.graph.initializer:
        if tensor.name.endswith("head.bias"):
            tensor.CopyFrom(onnx.numpy_helper.from_array(np.float32([0, 9, 0, 0]), tensor.name))
    found = compare(model, OnnxNetwork(file.SerializeToString(), model.spec, "x"), photos, lambda done, total: None)
    with pytest.raises(ExportError, match="disagrees"):
        check_float32(found)
    with pytest.raises(ExportError, match="too inaccurate"):
        check_int8(replace(honest, top1_before=0.9, top1_after=0.88))
    check_int8(replace(honest, top1_before=0.9, top1_after=0.895))


@pytest.mark.slow
def test_a_model_that_gives_no_numbers_leaves_no_file(tmp_path):
    model = lively_model()
    model.network.head.bias.fill_(float("nan"))
    save_model(model, tmp_path / "model")
    with pytest.raises(ExportError, match="disagrees"):
        export_model(tmp_path, tmp_path / "model", tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


def test_int8_is_smaller_and_serves(exported, tmp_path):
    whole = onnx.load(exported)
    noise = (np.random.default_rng(0).random((4, 3, 64, 64), np.float32) for _ in range(2))
    ranges = measure_ranges(whole, noise)
    small = quantize(whole, ranges)
    file = write(tmp_path / "small.onnx", small.SerializeToString())
    assert file.stat().st_size < exported.stat().st_size / 3
    loaded = load_model(file)
    before = load_model(exported).outputs(torch.zeros(2, 3, 64, 64))
    after = loaded.outputs(torch.zeros(2, 3, 64, 64))
    assert np.abs(before.logits - after.logits).max() < 0.5 * np.abs(before.logits).max()
    write_ranges(tmp_path, ranges, _CHECKSUM, 8)
    assert read_ranges(tmp_path, _CHECKSUM) == ranges and read_ranges(tmp_path, "1" * 64) is None


def test_street72_comes_with_ranges_for_each_activation():
    folder = BUNDLED_MODELS / "street72"
    ranges = read_ranges(folder, weights_checksum(folder))
    assert ranges is not None and fits(onnx_model(load_model(folder), _CHECKSUM), ranges)


@pytest.mark.parametrize(
    ("change", "is_current"),
    [
        (lambda model: model, True),
        (lambda model: with_spec(model, decision=Decision(confidence_threshold=0.7)), False),
        (lambda model: with_spec(model, decision=replace(model.spec.decision, pooling_exponent=0.25)), False),
        (lambda model: with_spec(model, name="renamed"), False),
        (lambda model: replace(model, references=-model.references), False),
    ],
    ids=["unchanged", "thresholds", "pooling", "name", "weights"],
)
@pytest.mark.parametrize("chosen", ExportFormat)
def test_an_export_is_current_by_what_it_says_not_by_its_time(change, is_current, chosen, models_home: ModelsHome):
    folder = models_home.install("mine", bundled=False)
    file = exported_file(models_home.workspace, "mine", chosen)
    assert find_export(models_home.workspace, "mine", chosen) is None
    written = onnx_model(load_model(folder), weights_checksum(folder))
    describe(written, names.description(read_spec(folder), weights_checksum(folder), PRECISIONS[chosen]))
    write(file, written.SerializeToString())
    save_model(change(load_model(folder)), folder)
    for moment in (0, 2e9):  # long before the export, and long after
        os.utime(folder / MODEL_FILE, (moment, moment))
        assert find_export(models_home.workspace, "mine", chosen) == (file if is_current else None)
