"""Model packs: a model goes from one workspace to another as a file, and a bad file leaves nothing behind."""

import hashlib
import io
import json
import pickle
import shutil
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import streamlit as st
import torch
from click.testing import CliRunner
from streamlit.runtime.download_data_util import convert_data_to_bytes_and_infer_mime
from streamlit.testing.v1 import AppTest

from sneaker_core.__main__ import main
from sneaker_core.errors import CheckpointError, ReadOnlyError, RunError, SneakerError
from sneaker_core.evaluation.evaluation_collection import list_evaluations
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.evaluation_record import Kind, read_description
from sneaker_core.evaluation.metrics import summary
from sneaker_core.networks.bundled_models import SYNTHETIC_MODEL
from sneaker_core.networks.checkpoint import MODEL_FILE, WEIGHTS_FILE, load_model
from sneaker_core.networks.model_registry import list_models
from sneaker_core.settings import READ_ONLY_VARIABLE
from sneaker_core.training.model_install import install_model
from sneaker_core.training.model_pack import EVALUATION, PACK_FILE, PREDICTIONS, save_pack
from sneaker_core.training.run_collection import CARD_FILE, find_run, list_runs
from sneaker_core.training.taught_model import taught_summary
from sneaker_core.training.teaching import Photo, teach
from sneaker_core.workspace.paths import BUNDLED_MODELS, PREDICTIONS_FILE, RUN_FILE, run_model_folder, runs_folder
from tests.factories import jpeg, photo
from tests.links import link_labels
from ui.evaluate.evaluate_keys import Key as EvaluateKey
from ui.kit.labels import evaluation_title
from ui.runs.model_packs import packed
from ui.runs.run_rows import all_rows
from ui.runs.runs_keys import Key

PROJECT = Path(__file__).resolve().parent.parent
BUNDLED = BUNDLED_MODELS / SYNTHETIC_MODEL
PLACES = ["/home/someone/photos/secret.jpg"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the run "mine", which has a model, test predictions with paths, and a private note."""
    folder = tmp_path_factory.mktemp("made")
    run = runs_folder(folder) / "mine"
    shutil.copytree(BUNDLED, run_model_folder(run), ignore=shutil.ignore_patterns("evaluation"))
    values = json.loads((run / "model" / MODEL_FILE).read_text())
    values["recipe"]["init"] = "/home/someone/weights.pth"
    (run / "model" / MODEL_FILE).write_text(json.dumps({**values, "name": "mine"}))
    table = read_table(read_description(BUNDLED / "evaluation", Kind.BUNDLED, "x"))
    table.assign(path=PLACES * len(table)).to_parquet(run / PREDICTIONS_FILE)
    (run / RUN_FILE).write_text(json.dumps({"format": 2, "state": "done", "dataset": "my shoes", "source": "my-shoes"}))
    (run / "about.json").write_text(json.dumps({"note": "a private note"}))
    return folder


@pytest.fixture(scope="module")
def pack(made: Path) -> bytes:
    """The file of the run "mine"."""
    save_pack(made, "mine", made / "mine.zip")
    return (made / "mine.zip").read_bytes()


def contents(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(entries: list[tuple[str | zipfile.ZipInfo, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # a name that is there twice
        for name, data in entries:
            archive.writestr(name, data)
    return buffer.getvalue()


def changed(data: bytes, *, listed: bool = True, **record: Any) -> Callable[[dict[str, bytes]], bytes]:
    """A function that packs the files of a pack anew with some of them replaced, as one would who can count, too."""

    def make(files: dict[str, bytes]) -> bytes:
        own = {**contents(data), **files}
        values = json.loads(own.pop(PACK_FILE))
        if listed:
            values["files"] = [
                {"name": name, "size": len(one), "sha256": hashlib.sha256(one).hexdigest()} for name, one in own.items()
            ]
        return zipped([*own.items(), (PACK_FILE, json.dumps({**values, **record}).encode())])

    return make


def with_model(data: bytes, **values: Any) -> dict[str, bytes]:
    return {MODEL_FILE: json.dumps({**json.loads(contents(data)[MODEL_FILE]), **values}).encode()}


def with_weights(data: bytes, weights: bytes) -> dict[str, bytes]:
    return {WEIGHTS_FILE: weights, **with_model(data, weights_sha256=hashlib.sha256(weights).hexdigest())}


def with_evaluation(data: bytes, **values: Any) -> dict[str, bytes]:
    return {EVALUATION: json.dumps({**json.loads(contents(data)[EVALUATION]), **values}).encode()}


def with_predictions(data: bytes, **columns: Any) -> dict[str, bytes]:
    table = pd.read_parquet(io.BytesIO(contents(data)[PREDICTIONS]))
    buffer = io.BytesIO()
    table.assign(**columns).to_parquet(buffer)
    return {PREDICTIONS: buffer.getvalue()}


def with_long_list(data: bytes, told: int | None = None) -> dict[str, bytes]:
    """A row of the table lists a name 300,007 times, in a few bytes; the file may tell another number."""
    table = pq.read_table(io.BytesIO(contents(data)[PREDICTIONS]))
    names = pa.DictionaryArray.from_arrays(np.zeros(300_007, np.int32), table["predicted"].slice(0, 1).cast("string"))
    ends = np.full(table.num_rows + 1, len(names), np.int32)
    ends[0] = 0
    listing = pa.ListArray.from_arrays(ends, names)
    buffer = io.BytesIO()
    pq.write_table(table.set_column(table.schema.get_field_index("top"), "top", listing), buffer, store_schema=False)
    file = buffer.getvalue()
    if told is not None:
        at = len(file) - 8 - int.from_bytes(file[-8:-4], "little")
        true = len(names) + table.num_rows - 1
        file = file[:at] + file[at:].replace(thrift_number(true), thrift_number(told, len(thrift_number(true))))
    return {PREDICTIONS: file}


def thrift_number(value: int, length: int = 0) -> bytes:
    """A positive number as the figures of a Parquet file have it, in so many bytes at least."""
    value, parts = 2 * value, []
    while value > 127 or len(parts) + 1 < length:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(MODEL_FILE)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def pickled_weights() -> bytes:
    buffer = io.BytesIO()
    torch.save({"references": torch.zeros(2)}, buffer)
    return buffer.getvalue()


def understated(data: bytes) -> bytes:
    """The archive says that the card has two bytes, and it unpacks to more."""
    large = bytearray(zipped([(PACK_FILE, contents(data)[PACK_FILE]), (CARD_FILE, b"a" * 9_000_000)]))
    at = large.rfind(b"PK\x01\x02")
    large[at + 24 : at + 28] = struct.pack("<L", 2)
    return bytes(large)


def install(workspace: Path, data: bytes, name: str | None = None, file_name: str = "pack.zip") -> Any:
    return install_model(workspace, io.BytesIO(data), file_name, name)


def left(workspace: Path) -> list[str]:
    """Everything that is in a workspace, apart from locks."""
    return sorted(path.name for path in workspace.rglob("*") if path.name not in ("runs", ".lock"))


HOSTILE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "no archive": (lambda data: b"hello", "it isn't a zip archive"),
    "cut off": (lambda data: data[: len(data) // 2], "it isn't a zip archive"),
    "another archive": (lambda data: zipped([("boot/a.jpg", b"x")]), "it holds 'boot/a.jpg', which no model pack has"),
    "no record": (lambda data: zipped([(MODEL_FILE, b"{}")]), "it isn't a model pack: it has no pack.json"),
    "path outside": (
        lambda data: zipped([("../../evil.txt", b"x"), *contents(data).items()]),
        "it holds '../../evil.txt', which no model pack has",
    ),
    "other case": (lambda data: changed(data)({"MODEL.json": b"{}"}), "it holds 'MODEL.json', which no model pack has"),
    "link": (lambda data: zipped([(link(), b"/etc/passwd")]), "it holds 'model.json', which no model pack has"),
    "twice": (
        lambda data: zipped([*contents(data).items(), (MODEL_FILE, b"{}")]),
        "it holds 'model.json' twice",
    ),
    "bomb": (lambda data: changed(data)({CARD_FILE: bytes(4_900_000)}), "MODEL_CARD.md would be 5 MB, more than"),
    "understated bomb": (understated, "model.json' is missing from it|is damaged"),
    "too large": (lambda data: changed(data)({CARD_FILE: np.random.default_rng(0).bytes(6_000_000)}), "would be 6 MB"),
    "unlisted": (
        lambda data: changed(data, listed=False)({"taught.json": b"{}"}),
        "it holds 'taught.json', which its pack.json doesn't list",
    ),
    "wrong checksum": (
        lambda data: changed(data, listed=False)({WEIGHTS_FILE: contents(data)[WEIGHTS_FILE][:-1] + b"?"}),
        "weights.safetensors in it is damaged",
    ),
    "pickle as weights": (
        lambda data: changed(data)(with_weights(data, pickled_weights())),
        "weights.safetensors isn't in the safetensors format",
    ),
    "pickle beside": (
        lambda data: changed(data)({"model.pkl": pickle.dumps([1])}),
        "it holds 'model.pkl', which no model pack has",
    ),
    "damaged json": (lambda data: changed(data)({MODEL_FILE: b"{"}), "model.json is damaged: it is no complete JSON"),
    "damaged record": (lambda data: changed(data, name=7)({}), "pack.json is damaged: name: expected str, got int"),
    "newer": (
        lambda data: changed(data, format=2)({}),
        "pack.json was written by another version of SoleScope. Update",
    ),
    "newer model": (
        lambda data: changed(data)(with_model(data, format=2)),
        "model.json was written by another version",
    ),
    "another network": (
        lambda data: changed(data)(with_model(data, network="resnet18")),
        "doesn't fit the network 'resnet18'",
    ),
    "no such network": (lambda data: changed(data)(with_model(data, network="nope")), "doesn't fit the network 'nope'"),
    "other weights": (lambda data: changed(data, weights="0" * 16)({}), "records name two versions of the weights"),
    "photos of this computer": (
        lambda data: changed(data)(with_predictions(data, path="/etc/passwd")),
        "it names files of another computer",
    ),
    "a folder of this computer": (
        lambda data: changed(data)(with_evaluation(data, dataset_folder="../..")),
        "it names files of another computer",
    ),
    "no table": (lambda data: changed(data)({PREDICTIONS: b"PAR1"}), "it is no complete Parquet file"),
    "impossible table": (
        lambda data: changed(data)(with_predictions(data, probability=7.0)),
        "probability isn't always from 0 to 1",
    ),
    "a list that fills the memory": (
        lambda data: changed(data)(with_long_list(data)),
        "holds more values than its rows have",
    ),
    "such a list that is told as short": (
        lambda data: changed(data)(with_long_list(data, told=5)),
        "its numbers of values contradict each other",
    ),
    "lists of numbers": (
        lambda data: changed(data)(with_predictions(data, rank=lambda table: [[1.0]] * len(table))),
        "it holds something else than numbers and text",
    ),
    "a long text": (
        lambda data: changed(data)(with_predictions(data, world="x" * 2000)),
        "it holds a text that is longer than any name",
    ),
    "a long text in a list": (
        lambda data: changed(data)(with_predictions(data, top=lambda table: [["x" * 2000]] * len(table))),
        "it holds a text that is longer than any name",
    ),
    "no ONNX": (lambda data: changed(data)({"model.onnx": b"MZ\x90"}), "model.onnx is damaged: it is no"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_bad_pack_is_told_in_a_sentence_and_leaves_nothing(tmp_path: Path, pack: bytes, kind: str) -> None:
    make, sentence = HOSTILE[kind]
    with pytest.raises(CheckpointError, match=sentence) as told:
        install(tmp_path / "home", make(pack))
    assert str(told.value).startswith("Can't install pack.zip: ") and "\n" not in str(told.value)
    assert str(tmp_path) not in str(told.value)
    assert left(tmp_path / "home") == [] and list_models(tmp_path / "home") == list_models(tmp_path / "nothing")
    assert not (tmp_path / "evil.txt").exists()


def test_an_installed_model_answers_bit_for_bit(tmp_path: Path, made: Path, pack: bytes) -> None:
    done = install(tmp_path, pack)
    mine, theirs = load_model(run_model_folder(runs_folder(made) / "mine")), load_model(done.folder)
    batch = torch.rand(3, 3, 160, 160, generator=torch.Generator().manual_seed(1))
    for key, value in vars(mine.outputs(batch)).items():
        assert np.array_equal(value, vars(theirs.outputs(batch))[key]), key
    assert np.array_equal(mine.references, theirs.references)
    assert (mine.spec.decision, mine.spec.classes) == (theirs.spec.decision, theirs.spec.classes)
    assert done.sentence().startswith(
        "12 sneakers, MobileNetV2, top-1 accuracy 92.6% on 188 test photos. Installed from"
    )


def test_a_pack_holds_no_path_and_no_note(pack: bytes) -> None:
    files = contents(pack)
    assert set(files) == {MODEL_FILE, WEIGHTS_FILE, "split.csv", CARD_FILE, EVALUATION, PREDICTIONS, PACK_FILE}
    for name, data in files.items():
        assert b"someone" not in data and b"private" not in data, name
    assert "path" not in pd.read_parquet(io.BytesIO(files[PREDICTIONS]))


def test_an_installed_run_is_told_as_one(tmp_path: Path, made: Path, pack: bytes) -> None:
    install(tmp_path, pack, "theirs", "a friend.zip")
    run = find_run(tmp_path, "theirs")
    assert run.is_done and run.has_model and not run.was_trained and run.dataset == "my shoes" and not run.source
    assert run.installed is not None and (run.installed.file, run.installed.name) == ("a friend.zip", "mine")
    (evaluation,) = [one for one in list_evaluations(tmp_path) if one.kind is Kind.RUN]
    assert (evaluation.name, evaluation.id, evaluation.n) == ("theirs", "theirs", 188)
    assert evaluation_title(evaluation) == "theirs, installed from a friend.zip"
    listed = CliRunner().invoke(main, ["--workspace", str(tmp_path), "evaluations", "list"]).stdout
    assert "theirs  installed from a friend.zip: theirs on " in listed
    (before,) = [one for one in list_evaluations(made) if one.kind is Kind.RUN]
    tables = [read_table(one) for one in (before, evaluation)]
    assert summary(tables[1])["top1"] == summary(tables[0])["top1"] and tables[1]["path"].isna().all()
    save_pack(tmp_path, "theirs", tmp_path / "again.zip")
    assert contents((tmp_path / "again.zip").read_bytes())[WEIGHTS_FILE] == contents(pack)[WEIGHTS_FILE]


def onnx_model(external: bool) -> bytes:
    """A model for other programs that adds a number, which may lie in a file of its own."""
    from onnx import TensorProto, helper

    shape = helper.make_tensor_value_info("photos", TensorProto.FLOAT, [1])
    number = helper.make_tensor("number", TensorProto.FLOAT, [1], [1.0])
    if external:
        number.data_location = TensorProto.EXTERNAL
        entry = number.external_data.add()
        entry.key, entry.value = "location", "/etc/passwd"
    out = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1])
    node = helper.make_node("Add", ["photos", "number"], ["logits"])
    return bytes(helper.make_model(helper.make_graph([node], "g", [shape], [out], [number])).SerializeToString())


def test_exported_files_come_along_unless_they_read_others(tmp_path: Path, made: Path, pack: bytes) -> None:
    folder = tmp_path / "model"
    shutil.copytree(run_model_folder(runs_folder(made) / "mine"), folder)
    (folder / "model.onnx").write_bytes(onnx_model(external=False))
    assert "model.onnx" in save_pack(tmp_path, str(folder), tmp_path / "x.zip").files
    done = install(tmp_path / "home", (tmp_path / "x.zip").read_bytes())
    assert (done.folder / "model.onnx").read_bytes() == onnx_model(external=False)
    with pytest.raises(CheckpointError, match=r"model.onnx is damaged: it is no complete ONNX model"):
        install(tmp_path / "other", changed(pack)({"model.onnx": onnx_model(external=True)}))


def test_names_are_taken_once_and_read_only_refuses(
    tmp_path: Path, pack: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, pack)
    before = left(tmp_path)
    for name, said in (
        (None, "already a run named 'mine'"),
        (SYNTHETIC_MODEL, "belongs to a model"),
        ("../x", "can't"),
    ):
        with pytest.raises(RunError, match=said):
            install(tmp_path, pack, name)
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    with pytest.raises(ReadOnlyError):
        install(tmp_path, pack, "other")
    assert left(tmp_path) == before and len(list_runs(tmp_path)) == 1


def test_a_taught_copy_can_be_taught_more_elsewhere(tmp_path: Path) -> None:
    shown = [Photo(f"{seed}.jpg", jpeg(photo(seed))) for seed in range(10)]
    teach(tmp_path / "a", {"Comet": shown[:5]}, SYNTHETIC_MODEL, new_name="mine too")
    save_pack(tmp_path / "a", "mine too", tmp_path / "taught.zip")
    done = install(tmp_path / "b", (tmp_path / "taught.zip").read_bytes())
    assert find_run(tmp_path / "b", "mine too").taught_from == SYNTHETIC_MODEL
    teach(tmp_path / "b", {"Orbit": shown[5:]}, "mine too")
    told = taught_summary(done.folder)
    assert told is not None and list(told.sneakers) == ["Comet", "Orbit"]


@pytest.mark.slow
class TestPages:
    """The pages of a fresh workspace in which a pack is dropped."""

    @pytest.fixture
    def home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(tmp_path))
        st.cache_data.clear()
        st.cache_resource.clear()
        return tmp_path

    def opened(self, page: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=120)
        for name, value in query.items():
            app.query_params[name] = value
        return app.switch_page(f"pages/{page}.py").run()

    def test_dropping_a_pack_installs_it(self, home: Path, pack: bytes) -> None:
        app = self.opened("runs")
        app.file_uploader(key=Key.INSTALL_FILE).upload("mine.zip", pack).run()
        assert not app.exception and not app.error
        assert "12 sneakers, MobileNetV2, top-1 accuracy 92.6%" in app.success[0].value
        assert "Use in Identify" in link_labels(app) and "Watch live" not in link_labels(app)
        assert any("Installed from mine.zip" in one.value for one in app.markdown)
        assert [run.name for run in list_runs(home)] == ["mine"]
        app.run()
        assert not app.error and len(list_runs(home)) == 1

    def test_a_saved_file_can_be_installed(self, home: Path, pack: bytes) -> None:
        install(home, pack)
        app = self.opened("runs", runs="mine")
        assert "Save as a file" in [button.label for button in app.get("download_button")]
        # The button gives its data to this function when it is clicked.
        data = convert_data_to_bytes_and_infer_mime(packed(all_rows()[0]), SneakerError("unsupported"))[0]
        assert install(home, data, "again").spec == load_model(run_model_folder(runs_folder(home) / "mine")).spec

    def test_a_name_that_is_taken_is_asked_for_and_an_error_is_told(self, home: Path, pack: bytes) -> None:
        install(home, pack)
        app = self.opened("runs")
        app.file_uploader(key=Key.INSTALL_FILE).upload("mine.zip", pack).run()
        assert "already a run named 'mine'" in app.error[0].value
        app.button(key=Key.INSTALL_START).click().run()
        assert {run.name for run in list_runs(home)} == {"mine", "mine (2)"}
        app = self.opened("runs")
        app.file_uploader(key=Key.INSTALL_FILE).upload("photo.zip", b"no zip").run()
        assert app.error[0].value.startswith("Can't install photo.zip: it isn't a zip archive")

    def test_every_page_copes_with_an_installed_model(self, home: Path, pack: bytes) -> None:
        install(home, pack, "theirs")
        for page, query in (
            ("runs", {"runs": "theirs"}),
            ("evaluate", {"evaluation": "theirs, installed from pack.zip"}),
            ("train", {}),
            ("train", {"run": "theirs"}),
            ("explain", {"model": "theirs"}),
            ("identify", {"model": "theirs"}),
            ("teach", {"model": "theirs"}),
        ):
            app = self.opened(page, **query)
            assert not app.exception and not app.error, (page, app.error)
            if page == "evaluate":
                assert app.selectbox(key=EvaluateKey.EVALUATION).value == query["evaluation"]
