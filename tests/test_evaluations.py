"""Saving, reading, managing and reporting evaluations."""

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from sneaker_core.__main__ import main
from sneaker_core.datasets.dataset_collection import find_or_create
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.datasets.split import write_split
from sneaker_core.errors import CheckpointError, DatasetError, ModelNotFoundError, SneakerError, StoppedError
from sneaker_core.evaluation import evaluation_collection as library
from sneaker_core.evaluation.evaluation_collection import (
    default_name,
    delete_evaluation,
    evaluations_of,
    find_evaluation,
    list_evaluations,
    rename_evaluation,
    restore_evaluation,
    stop_evaluation,
)
from sneaker_core.evaluation.evaluation_files import find_model_of, read_embeddings, read_neighbors, read_table
from sneaker_core.evaluation.evaluation_job import evaluate, keep_with_model, start_evaluation
from sneaker_core.evaluation.evaluation_record import EVALUATION_FILE, Kind
from sneaker_core.evaluation.html_report import report_html
from sneaker_core.evaluation.metric_text import key_metrics, pair_text
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.prediction_table import evaluate_photos
from sneaker_core.networks.checkpoint import (
    MODEL_FILE,
    load_model,
    read_spec,
    save_confidence_threshold,
    save_model,
    weights_version,
)
from sneaker_core.networks.decision import Decision
from sneaker_core.workspace import jobs
from sneaker_core.workspace.jobs import JobState
from sneaker_core.workspace.paths import PREDICTIONS_FILE, PROJECT, evaluations_folder, run_model_folder, runs_folder
from tests.factories import draw_dataset, in_new_python, lively_model, write

pytestmark = pytest.mark.slow

PATIENCE = 120
STRANGE = "</script><script>alert(1)</script>"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A workspace with a run's model, photos of known and unknown classes, and one saved evaluation."""
    root = tmp_path_factory.mktemp("house")
    workspace = root / "workspace"
    model_folder = run_model_folder(runs_folder(workspace) / "lively")
    save_model(lively_model(decision=Decision(confidence_threshold=0.7)), model_folder)
    draw_dataset(root / "photos", {"boot": 5, "clog": 5, "sandal": 4, "stiletto": 2})
    write(root / "photos" / "boot" / "broken.jpg", b"\xff\xd8\xff, but no more of a JPEG")
    everything = evaluate(model_folder, root / "photos", workspace).table
    tested = everything["path"].str.endswith(("00.jpg", "01.jpg"))
    write_split(model_folder, everything.assign(split=np.where(tested, "test", "train")))
    evaluate(model_folder, root / "photos", workspace, "test", name="kept")
    return workspace, model_folder, root / "photos"


@pytest.fixture
def own(house, tmp_path):
    """A copy of it that a test may change."""
    workspace = tmp_path / "workspace"
    shutil.copytree(house[0], workspace)
    return workspace, run_model_folder(runs_folder(workspace) / "lively"), house[2]


def ended(name: str, workspace: Path) -> library.Evaluation:
    for _ in range(PATIENCE * 20):
        found = find_evaluation(workspace, name)
        if found.job is not None and found.job.state.ended:
            return found
        time.sleep(0.05)
    raise AssertionError(found)


class TestSaved:
    def test_a_saved_evaluation_reads_back_unchanged(self, house):
        workspace, model_folder, photos = house
        kept = find_evaluation(workspace, "kept")
        again = evaluate(model_folder, photos, workspace, "test")
        table = read_table(kept)
        pd.testing.assert_frame_equal(table[again.table.columns], again.table, check_dtype=False, rtol=1e-4, atol=1e-5)
        assert kept.is_ready
        assert (kept.kind, kept.model, kept.data, kept.split) == (Kind.STORED, "lively", "photos", "test")
        assert (kept.n, kept.top1, kept.left_out) == (6, again.metrics["top1"], {"stiletto": 2})
        assert kept.model_version == weights_version(model_folder)
        assert (kept.model_folder, kept.dataset_folder) == (model_folder, None)
        assert table[["width", "height"]].to_numpy().tolist() == [[40, 32]] * 8

    def test_embeddings_match_the_table_row_for_row(self, house):
        workspace, model_folder, _ = house
        kept = find_evaluation(workspace, "kept")
        model, table = load_model(model_folder), read_table(kept)
        vectors = read_embeddings(kept)
        assert vectors.dtype == np.float16
        from sneaker_core.evaluation.prediction_table import read_outputs

        last = table.iloc[-1]
        outputs, _ = read_outputs(model, [last["path"]])
        np.testing.assert_allclose(vectors[last["embedding_row"]], outputs.embeddings[0], rtol=0.01, atol=0.01)

    def test_neighbors_are_the_models_training_photos(self, house):
        workspace, model_folder, photos = house
        table, vectors = read_neighbors(find_evaluation(workspace, "kept"))
        names = sorted(f"{Path(path).parent.name}/{Path(path).name}" for path in table["path"])
        assert names == [f"{label}/0{n}.jpg" for label, count in (("boot", 5), ("clog", 5), ("sandal", 4))
                         for n in range(2, count)]  # fmt: skip
        assert vectors.shape == (len(table), 1280)
        # If all photos are evaluated, the training photos are not read a second time.
        steps = set()
        done = evaluate(
            model_folder, photos, workspace, "all", name="everything", report=lambda *told: steps.add(told[2])
        )
        assert steps == {"Evaluating photos"}
        again, same = read_neighbors(done.evaluation)
        assert list(again["sample"]) == list(table["sample"])
        np.testing.assert_allclose(same, vectors, rtol=0.01, atol=0.01)
        delete_evaluation(workspace, "everything")

    def test_names_are_unique(self, house):
        workspace, model_folder, photos = house
        for name in ("kept", "KEPT"):
            with pytest.raises(SneakerError, match="There is already an evaluation named"):
                evaluate(model_folder, photos, workspace, name=name)
        for name in ("../x", "-x", "a/b", ""):
            with pytest.raises(SneakerError, match="can't be the name of an evaluation"):
                evaluate(model_folder, photos, workspace, name=name)
        assert default_name(workspace, "lively", "photos", "test") == "lively on photos test"

    def test_nothing_is_saved_when_stopped(self, house):
        workspace, model_folder, photos = house
        with pytest.raises(StoppedError, match="Nothing was saved"):
            evaluate(model_folder, photos, workspace, name="stopped", stopped=lambda: True)
        assert not (evaluations_folder(workspace) / "stopped").exists()

    def test_photos_of_a_moved_dataset_are_found(self, own):
        workspace, model_folder, photos = own
        dataset = find_or_create(workspace, "Shoes")
        import_photos(dataset, photos)
        done = evaluate(model_folder, "Shoes", workspace, name="on dataset", neighbors=False)
        assert done.evaluation.dataset_folder == dataset.folder
        # As if the folder had been moved since.
        file = evaluations_folder(workspace) / "on dataset" / PREDICTIONS_FILE
        pd.read_parquet(file).assign(path="/nowhere/x.jpg").to_parquet(file)
        found = find_evaluation(workspace, "on dataset")
        assert all(Path(path).is_file() for path in read_table(found)["path"])
        assert read_neighbors(found) is None


class TestCollection:
    def test_rename_delete_and_restore(self, own):
        workspace = own[0]
        assert rename_evaluation(workspace, "kept", "Better name").name == "Better name"
        delete_evaluation(workspace, "Better name")
        assert evaluations_of(workspace).deleted()[0].name == "Better name"
        with pytest.raises(SneakerError, match=r"No evaluation named 'Better name'\. Available"):
            find_evaluation(workspace, "Better name")
        taken = evaluations_folder(workspace) / "Better name"
        shutil.copytree(evaluations_of(workspace).deleted()[0].folder, taken)
        restored = restore_evaluation(workspace, "Better name")
        assert restored.name == "Better name (2)"
        assert len(read_table(restored)) == 8
        with pytest.raises(SneakerError, match="There is no evaluation named 'Better name' in the bin"):
            restore_evaluation(workspace, "Better name")

    def test_runs_and_bundled_models_come_with_evaluations(self, own, monkeypatch):
        workspace, model_folder, photos = own
        run = runs_folder(workspace) / "lively"
        table = read_table(find_evaluation(workspace, "kept"))
        older = ["path", "rank", "top", "width", "height", "brightness", "sharpness"]
        table.drop(columns=older).to_parquet(run / PREDICTIONS_FILE)
        bundled = workspace / "bundled"
        shutil.copytree(model_folder, bundled / "shipped")
        keep_with_model(evaluate(model_folder, photos, workspace, "test"), bundled / "shipped")
        monkeypatch.setattr(library, "BUNDLED_MODELS", bundled)
        found = {one.kind: one for one in list_evaluations(workspace)}
        assert [(kind.value, one.name) for kind, one in found.items()] == [
            ("stored", "kept"),
            ("bundled", "shipped"),
            ("run", "lively"),
        ]
        expected = summary(table)
        for kind in (Kind.BUNDLED, Kind.RUN):
            told = read_table(found[kind])
            assert told["path"].isna().all()
            assert list(told["top"]) == list(table["top"])
            assert summary(told)["top1"] == expected["top1"]
            with pytest.raises(SneakerError, match="belongs to the"):
                delete_evaluation(workspace, found[kind].name)
        text = (bundled / "shipped" / "evaluation" / EVALUATION_FILE).read_text()
        assert str(workspace) not in text

    @pytest.mark.parametrize(
        ("damage", "said"),
        [
            (
                lambda folder: (folder / EVALUATION_FILE).write_text("{"),
                "evaluation.json is damaged: it is no complete JSON",
            ),
            (lambda folder: (folder / EVALUATION_FILE).write_text('{"format": 99}'), "another version of SoleScope"),
            (lambda folder: (folder / EVALUATION_FILE).write_text('{"format": 1}'), "there is no model"),
            (lambda folder: (folder / EVALUATION_FILE).unlink(), "it was interrupted"),
            (lambda folder: (folder / PREDICTIONS_FILE).unlink(), f"has no {PREDICTIONS_FILE} anymore"),
            (
                lambda folder: (folder / PREDICTIONS_FILE).write_bytes(b"PAR1 no more"),
                "is damaged: it is no complete Parquet file",
            ),
            (lambda folder: pd.DataFrame({"x": [1]}).to_parquet(folder / PREDICTIONS_FILE), "isn't a prediction table"),
        ],
    )
    def test_a_damaged_evaluation_has_a_message_and_does_not_affect_others(self, own, damage, said):
        workspace = own[0]
        shutil.copytree(evaluations_folder(workspace) / "kept", evaluations_folder(workspace) / "sound")
        damage(evaluations_folder(workspace) / "kept")
        assert {one.name for one in list_evaluations(workspace)} >= {"kept", "sound"}
        with pytest.raises(SneakerError) as told:
            read_table(find_evaluation(workspace, "kept"))
        assert said in str(told.value)
        assert re.fullmatch(r"[^\n]+\.", str(told.value))
        assert len(read_table(find_evaluation(workspace, "sound"))) == 8
        delete_evaluation(workspace, "kept")

    def test_the_model_is_found_again_unless_it_was_retrained(self, own):
        workspace, model_folder, _ = own
        kept = find_evaluation(workspace, "kept")
        save_confidence_threshold(model_folder, 0.3)
        assert find_model_of(workspace, replace(kept, model_folder=None)) == model_folder
        save_model(lively_model(seed=5), model_folder)
        with pytest.raises(ModelNotFoundError, match="has been retrained"):
            find_model_of(workspace, replace(kept, model_folder=None))

    def test_damaged_embeddings_are_an_error(self, own):
        kept = find_evaluation(own[0], "kept")
        for name, read in (("embeddings.npy", read_embeddings), ("neighbours.npy", read_neighbors)):
            (kept.folder / name).write_bytes(b"no array")
            with pytest.raises(SneakerError, match="damaged"):
                read(kept)

    def test_reading_the_list_needs_no_network(self, house):
        code = (
            "import sys; from pathlib import Path\n"
            "from sneaker_core.evaluation import comparison, confusion_matrix, evaluation_charts\n"
            "from sneaker_core.evaluation import evaluation_collection, matrix_charts, metric_text\n"
            "from sneaker_core.evaluation import reliability, slices\n"
            f"evaluation_collection.list_evaluations(Path({str(house[0])!r}))\n"
            "print(sorted({'torch', 'sklearn', 'plotly', 'captum'} & set(sys.modules)))"
        )
        assert in_new_python(code) == "[]"


class TestJob:
    def test_a_job_reports_progress_and_saves_the_evaluation(self, own):
        workspace, _, photos = own
        started = start_evaluation(workspace, "lively", str(photos), "test", name="By job", neighbors=False)
        assert (started.name, started.model, started.data, started.split) == ("By job", "lively", "photos", "test")
        assert not started.is_ready
        with pytest.raises(SneakerError, match="running"):
            delete_evaluation(workspace, "By job")
        with pytest.raises(SneakerError, match="There is already an evaluation named"):
            start_evaluation(workspace, "lively", str(photos), name="by job")
        found = ended("By job", workspace)
        assert found.job.state is JobState.DONE, jobs.log_tail(found.job.folder)
        assert found.is_ready
        assert found.job.progress.step == "Evaluating photos"
        assert found.job.result == {"evaluation": "By job", "n": 6, "top1": found.top1}
        assert found.top1 == find_evaluation(workspace, "kept").top1
        with pytest.raises(SneakerError, match="nothing to stop"):
            stop_evaluation(workspace, "By job")

    def test_a_job_that_fails_says_why_and_can_be_deleted(self, own):
        workspace, _, photos = own
        copied = shutil.copytree(photos, workspace / "photos")
        start_evaluation(workspace, "lively", str(copied), name="Lost")
        shutil.rmtree(copied)
        found = ended("Lost", workspace)
        assert found.state is JobState.FAILED and "There is no folder" in found.problem
        with pytest.raises(SneakerError, match="There is no folder"):
            read_table(found)
        delete_evaluation(workspace, "Lost")

    def test_a_failed_start_leaves_nothing_behind(self, own):
        workspace, _, photos = own
        with pytest.raises(DatasetError, match="There is no folder"):
            start_evaluation(workspace, "lively", "nowhere")
        with pytest.raises(ModelNotFoundError):
            start_evaluation(workspace, "nobody", str(photos))
        with pytest.raises(DatasetError, match="no photos of the model's val split"):
            start_evaluation(workspace, "lively", str(photos), "val")
        strange = draw_dataset(workspace / "strange", {"pump": 1, "mule": 1})
        with pytest.raises(DatasetError, match=r"The photos show mule, pump; the model knows boot, clog, sandal\."):
            start_evaluation(workspace, "lively", str(strange))
        assert [one.name for one in list_evaluations(workspace) if one.kind is Kind.STORED] == ["kept"]


class Loaded(HTMLParser):
    """Collects what a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.pictures = 0

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("src", "href", "srcset", "data", "poster"):
                self.pictures += value.startswith("data:image/jpeg;base64,")
                if not value.startswith("data:"):
                    self.found.append(f"{tag} {name}={value}")


@pytest.fixture(scope="module")
def told(house):
    workspace, model_folder, photos = house
    done = evaluate(model_folder, photos, workspace, "all")
    # A class name that would end the script of the charts.
    names = {"boot": STRANGE, "p:boot": f"p:{STRANGE}"}
    table = done.table.rename(columns=names).replace({"label": names, "predicted": names})
    return done.evaluation, table, report_html(done.evaluation, table)


class TestReport:
    def test_its_numbers_match_the_table(self, told):
        _, table, page = told
        figures = summary(table)
        for one in key_metrics(figures):
            assert f'<div class="card" id="{one.key}">{one.title}<b>{one.value_text}</b>' in page
            assert one.interval_text in page
        from html import escape

        for row in figures["confusions"][:15]:
            assert f"<li>{escape(pair_text(row))}</li>" in page
        assert "not evaluated: stiletto (2 photos)" in page
        assert "could not be read: broken.jpg" in page

    def test_it_loads_nothing_and_embeds_the_photos(self, told):
        evaluation, table, page = told
        loaded = Loaded()
        loaded.feed(page)
        wrong = summary(table)["confusions"]
        assert loaded.found == []
        assert loaded.pictures == sum(row["count"] for row in wrong) > 0
        assert STRANGE not in page
        without = report_html(evaluation, table.assign(path=None))
        assert without.count("Photo not included") == loaded.pictures

    def test_it_opens_offline_in_a_browser(self, browser, told, tmp_path):
        file = write(tmp_path / "report.html", told[2].encode())
        for scheme, text in (("light", "rgb(28, 31, 38)"), ("dark", "rgb(236, 238, 243)")):
            context = browser.new_context(offline=True, color_scheme=scheme, viewport={"width": 390, "height": 800})
            page = context.new_page()
            asked, errors = [], []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
            page.goto(file.as_uri())
            page.wait_for_function(
                "color => [...document.querySelectorAll('.js-plotly-plot .xtick text')]"
                ".some(tick => getComputedStyle(tick).fill === color)",
                arg=text,
            )
            assert page.locator(".js-plotly-plot .main-svg").count() >= 5
            assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
            assert errors == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            context.close()


class TestThreshold:
    def test_a_custom_threshold_is_saved_next_to_the_fitted_one(self, own):
        folder = own[1]
        before, weights = read_spec(folder), weights_version(folder)
        assert save_confidence_threshold(folder, 0.9).decision.confidence_threshold == 0.9
        chosen = load_model(folder).spec
        assert (chosen.decision.confidence_threshold, chosen.fitted_confidence_threshold) == (0.9, 0.7)
        save_confidence_threshold(folder, 0.4)
        assert read_spec(folder).fitted_confidence_threshold == 0.7
        assert weights_version(folder) == weights
        save_confidence_threshold(folder, None)
        assert read_spec(folder) == before
        assert "fitted" not in (folder / MODEL_FILE).read_text()

    def test_statuses_follow_the_threshold(self, own):
        _, folder, photos = own
        samples = pd.DataFrame({"sample": ["x"], "path": [str(photos / "boot" / "00.jpg")], "label": ["boot"]})
        statuses = []
        for value in (0.0, 1.0):
            save_confidence_threshold(folder, value)
            statuses.append(evaluate_photos(load_model(folder), samples)[0]["status"][0])
        assert statuses == ["known", "unsure"]

    @pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
    def test_values_outside_0_to_1_are_refused(self, own, value):
        before = (own[1] / MODEL_FILE).read_bytes()
        with pytest.raises(CheckpointError, match="from 0 to 1"):
            save_confidence_threshold(own[1], value)
        assert (own[1] / MODEL_FILE).read_bytes() == before


def test_two_processes_save_one_evaluation(house):
    workspace, _, photos = house
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--master-addr=127.0.0.1"]
    wanted = ["evaluate", "lively", "--data", str(photos), "--split=test", "--name=both", "--json"]
    words = [*torchrun, f"--master-port={port}", "-m", "--", "sneaker_core", "--workspace", str(workspace), *wanted]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    alone, together = (find_evaluation(workspace, name) for name in ("kept", "both"))
    tables = read_table(alone), read_table(together)
    pd.testing.assert_frame_equal(*tables, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(read_embeddings(alone), read_embeddings(together), rtol=0.01, atol=0.01)
    assert list(read_neighbors(alone)[0]["path"]) == list(read_neighbors(together)[0]["path"])
    assert json.loads(done.stdout.splitlines()[-1])["rejected"] == {}
    delete_evaluation(workspace, "both")


def command(workspace: Path, *arguments: str | Path) -> Result:
    # In this process, because starting another one takes longer than all commands together.
    return CliRunner().invoke(main, ["--workspace", str(workspace), *map(str, arguments)])


def test_the_command_line_does_what_a_page_does(own, tmp_path):
    workspace, _, photos = own
    report = tmp_path / "report.html"
    done = command(
        workspace, "evaluate", "lively", "--data", photos, "--split", "test", "--name", "again",
        "--no-neighbours",  # the former name of --no-neighbors
        "--report", report, "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    figures = json.loads(done.stdout)
    shown = json.loads(command(workspace, "evaluations", "show", "again", "--json").stdout)
    assert {key: shown[key] for key in figures} == figures
    assert shown["with_neighbors"] is False
    assert key_metrics(figures)[0].value_text in report.read_text(encoding="utf-8")
    listed = json.loads(command(workspace, "evaluations", "list", "--json").stdout)
    assert {"again", "kept", "street72"} <= {row["name"] for row in listed}
    compared = json.loads(command(workspace, "evaluations", "compare", "kept", "again", "--json").stdout)
    assert (compared["n"], compared["p_value"], compared["fixed"], compared["broken"]) == (6, 1.0, [], [])
    assert "are equally accurate on 6 photos" in command(workspace, "evaluations", "compare", "kept", "again").stdout
    assert command(workspace, "evaluations", "delete", "again").exit_code == 0
    missing = command(workspace, "evaluations", "show", "again")
    assert missing.exit_code == 1
    assert len(missing.stderr.splitlines()) == 1
    assert "Restored again." in command(workspace, "evaluations", "restore", "again").stdout
