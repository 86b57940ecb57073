"""Model packs of what surrounds an export: models that are ONNX files, and ranges for int8."""

import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from sneaker_core.errors import CheckpointError, DamagedError
from sneaker_core.inference.export.onnx_writer import onnx_model
from sneaker_core.networks.calibration_ranges import CALIBRATION_FILE, read_ranges, write_ranges
from sneaker_core.networks.checkpoint import MODEL_FILE, ONNX_FILE, WEIGHTS_FILE, load_model, weights_checksum
from sneaker_core.networks.model_registry import list_models
from sneaker_core.training.model_install import InstalledModel, install_model
from sneaker_core.training.model_pack import PACK_FILE, save_pack
from sneaker_core.training.run_collection import find_run
from sneaker_core.workspace.paths import run_model_folder, runs_folder
from tests.app_pages import open_page
from tests.factories import write
from tests.test_model_pack import changed, contents

RANGES = {"photos": (0.0, 1.0), "out": (-2.5, 3.0)}


@pytest.fixture(scope="module")
def exported(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model as a lone ONNX file."""
    made = onnx_model(load_model(tiny_model_folder), weights_checksum(tiny_model_folder))
    return write(tmp_path_factory.mktemp("exported") / "small.onnx", made.SerializeToString())


def packed(workspace: Path, model: str | Path) -> bytes:
    save_pack(workspace, str(model), workspace / "pack.zip")
    return (workspace / "pack.zip").read_bytes()


def install(workspace: Path, data: bytes) -> InstalledModel:
    return install_model(workspace, io.BytesIO(data), "pack.zip", "theirs")


@pytest.mark.parametrize("form", ["a file", "a run", "a run with a description"])
def test_a_model_that_is_an_onnx_file_is_packed_and_answers_the_same(
    tmp_path: Path, exported: Path, tiny_model_folder: Path, form: str
) -> None:
    folder = run_model_folder(runs_folder(tmp_path) / "mine")
    write(folder / ONNX_FILE, exported.read_bytes())
    if form == "a run with a description":
        shutil.copy(tiny_model_folder / MODEL_FILE, folder)
    data = packed(tmp_path, exported if form == "a file" else "mine")
    assert {MODEL_FILE, ONNX_FILE, PACK_FILE} < set(contents(data)) and WEIGHTS_FILE not in contents(data)
    done = install(tmp_path / "home", data)
    photos = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    for key, value in vars(load_model(exported).outputs(photos)).items():
        assert np.array_equal(value, vars(load_model(done.folder).outputs(photos))[key]), key
    assert "theirs" in {one.name for one in list_models(tmp_path / "home")}
    assert find_run(tmp_path / "home", "theirs").has_model
    assert contents(packed(tmp_path / "home", "theirs"))[ONNX_FILE] == exported.read_bytes()


def test_pages_cope_with_an_installed_onnx_file(
    tmp_path: Path, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(tmp_path / "home"))
    install(tmp_path / "home", packed(tmp_path, exported))
    for page, query in (
        ("runs", {"runs": "theirs"}),
        ("explain", {"model": "theirs"}),
        ("identify", {"model": "theirs"}),
    ):
        assert not open_page(page, **query).error, page


def test_an_onnx_file_in_a_pack_must_be_one_of_the_model(tmp_path: Path, exported: Path) -> None:
    data = packed(tmp_path, exported)
    cut = changed(data)({ONNX_FILE: exported.read_bytes()[:-1000]})
    renamed = json.loads(contents(data)[MODEL_FILE]) | {"classes": ["a", "b", "c", "d"]}
    for bad, said in (
        (cut, "isn't an ONNX file"),
        (changed(data)({MODEL_FILE: json.dumps(renamed).encode()}), "made for"),
    ):
        with pytest.raises(CheckpointError, match=f"^Can't install pack.zip: .*{said}"):
            install(tmp_path / "home", bad)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
    folder = run_model_folder(runs_folder(tmp_path) / "broken")
    write(folder / ONNX_FILE, b"no model")
    with pytest.raises(CheckpointError, match="isn't an ONNX file"):
        packed(tmp_path, "broken")


def test_ranges_for_int8_come_along_if_they_are_those_of_the_weights(tmp_path: Path, tiny_model_folder: Path) -> None:
    folder, checksum = tmp_path / "model", weights_checksum(tiny_model_folder)
    shutil.copytree(tiny_model_folder, folder)
    write_ranges(folder, RANGES, "0" * 64, photos=8)
    assert CALIBRATION_FILE not in contents(packed(tmp_path, folder))
    of_others = (folder / CALIBRATION_FILE).read_bytes()
    write_ranges(folder, RANGES, checksum, photos=8)
    data = packed(tmp_path, folder)
    done = install(tmp_path / "home", data)
    assert read_ranges(done.folder, weights_checksum(done.folder)) == RANGES
    for bad, said in ((of_others, "it is about other weights"), (b"{", "it is no complete JSON")):
        with pytest.raises(CheckpointError, match=f"^Can't install pack.zip: calibration.json is damaged: {said}"):
            install(tmp_path / "other", changed(data)({CALIBRATION_FILE: bad}))
    write(folder / CALIBRATION_FILE, b"{")
    with pytest.raises(DamagedError, match=r"calibration.json is damaged"):
        packed(tmp_path, folder)
