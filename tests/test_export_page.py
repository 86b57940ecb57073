"""Export on the Runs page: a format is chosen, a real job makes the file, and a file that disagrees is refused."""

import time
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from sneaker_core.inference.export.export_formats import ExportFormat
from sneaker_core.inference.export.export_jobs import export_job_folder, find_export
from sneaker_core.networks.checkpoint import ONNX_FILE, load_model, save_model
from sneaker_core.networks.onnx_file import describe_onnx
from sneaker_core.workspace.jobs import JobState, log_tail, read_job
from sneaker_core.workspace.paths import run_model_folder, runs_folder
from tests.app_pages import again, click, open_page, words
from tests.conftest import ModelsHome
from tests.factories import lively_model
from tests.links import link_labels
from ui.runs.run_detail_view import CARD, EXPORT
from ui.runs.runs_keys import Key

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def opened() -> AppTest:
    """The export of the run "mine"."""
    app = open_page("runs", runs="mine")
    app.segmented_control(key=Key.RUN_MORE.of("mine")).set_value(EXPORT)
    return again(app)


def exported(app: AppTest, workspace: Path, chosen: ExportFormat) -> AppTest:
    """Click Export, and wait for the job's end."""
    click(app, Key.RUN_EXPORT.of("mine"))
    job = export_job_folder(workspace, "mine", chosen)
    while not read_job(job).state.ended:
        time.sleep(0.2)
    return again(app)


def downloads(app: AppTest) -> list[str]:
    return [one.label for one in app.get("download_button") if one.label.startswith("Download (")]


def test_a_file_is_made_and_offered(models_home: ModelsHome) -> None:
    folder, home = models_home.install("mine", bundled=False), models_home.workspace
    app = opened()
    assert not downloads(app) and find_export(home, "mine", ExportFormat.ONNX) is None
    exported(app, home, ExportFormat.ONNX)
    assert "Compared on 200 photos" in words(app), log_tail(export_job_folder(home, "mine", ExportFormat.ONNX))
    assert "Exporting mine (Full precision)" in words(app)
    assert len(downloads(app)) == 1 and app.button(key=Key.RUN_EXPORT.of("mine")).label == "Export again"
    file = find_export(home, "mine", ExportFormat.ONNX)
    assert file is not None and describe_onnx(file).precision == "float32"
    assert load_model(file).spec.classes == load_model(folder).spec.classes
    # Each format has its own file, and the same export after the page is opened again.
    app.radio(key=Key.RUN_EXPORT_FORMAT.of("mine")).set_value(ExportFormat.ONNX_INT8)
    assert not downloads(again(app)) and app.button(key=Key.RUN_EXPORT.of("mine")).label == "Export"
    assert len(downloads(opened())) == 1


def test_what_disagrees_or_lacks_photos_is_refused_with_the_reason(models_home: ModelsHome) -> None:
    model, home = lively_model(), models_home.workspace
    model.network.head.bias.fill_(np.nan)
    save_model(model, run_model_folder(runs_folder(home) / "mine"))
    app = exported(opened(), home, ExportFormat.ONNX)
    assert "disagrees with" in words(app) and not downloads(app)
    assert read_job(export_job_folder(home, "mine", ExportFormat.ONNX)).state is JobState.FAILED
    app.radio(key=Key.RUN_EXPORT_FORMAT.of("mine")).set_value(ExportFormat.ONNX_INT8)
    exported(again(app), home, ExportFormat.ONNX_INT8)
    assert "int8 needs some of the photos that" in words(app) and not downloads(app)
    assert [one.label for one in app.button if one.label in ("Export", "Try again")] == ["Export"]


def test_a_model_that_is_a_file_already_is_neither_exported_nor_taught(models_home: ModelsHome) -> None:
    from sneaker_core.inference.export.onnx_writer import onnx_model
    from sneaker_core.networks.checkpoint import weights_checksum

    folder = models_home.install("mine", bundled=False)
    made = onnx_model(load_model(folder), weights_checksum(folder)).SerializeToString()
    (folder / "weights.safetensors").unlink()
    (folder / ONNX_FILE).write_bytes(made)
    app = open_page("runs", runs="mine")
    choices = app.segmented_control(key=Key.RUN_MORE.of("mine")).options
    assert CARD in choices and EXPORT not in choices
    assert "Use in Identify" in link_labels(app) and "Teach it a sneaker" not in link_labels(app)
