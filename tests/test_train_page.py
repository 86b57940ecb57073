"""The Train page, run as Streamlit runs it: every state of a setup and of a run, real jobs and a real training."""

import json
import math
import os
import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sneaker_core.datasets.corrections import CORRECTIONS
from sneaker_core.datasets.dataset_collection import create_dataset, list_datasets
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.training.planning.time_estimate import SPEEDS_FILE, estimate, remember_speed
from sneaker_core.training.recipe import RECIPES, make_recipe
from sneaker_core.training.run_collection import find_run, list_runs
from sneaker_core.training.run_metrics import METRICS_FILE, WATCH_FILE, read_metrics
from sneaker_core.training.train_model import train
from sneaker_core.training.training_jobs import source_of, training_params
from sneaker_core.workspace.jobs import WAITING, Job, JobState, Progress, list_jobs, read_job, stop_job, working
from sneaker_core.workspace.paths import RUN_FILE, cache_folder, run_job_folder, run_model_folder, runs_folder
from tests import app_pages
from tests.app_pages import again, click, open_page, plain
from tests.factories import draw_dataset, write
from tests.links import follow_link, link_labels
from ui.kit.model_picker import MODEL_PARAM
from ui.kit.run_text import other_trainings_text, queue_text, split_counts_text
from ui.kit.state_keys import KitKey
from ui.train import setup_view as setup
from ui.train.advanced_settings import _changed
from ui.train.train_keys import Key
from ui.train.train_views import View
from ui.train.training_charts import accuracy_curve, loss_curve, rate_curve

opened = partial(open_page, "train")

PATIENCE = 240.0
NASTY = "<script>alert(1)</script> **x** [a](http://b)"
SMALL = {"network": "mobilenet_v3_small", "init": "none", "size": 32, "batch": 8, "val_share": 0.2, "test_share": 0.2}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="session")
def speeds(tmp_path_factory) -> bytes:
    """Speeds of this machine for the three recipes, so that no test has to measure them."""
    workspace = tmp_path_factory.mktemp("speeds")
    for known in RECIPES.values():
        remember_speed(known, 50.0, workspace)  # the one that takes long to measure
        estimate(known, 24, 2, workspace)
    return (cache_folder(workspace) / SPEEDS_FILE).read_bytes()


@pytest.fixture(scope="session")
def trained(tmp_path_factory, speeds) -> Path:
    """A workspace with a dataset and a finished run on it. Do not change it: copy it."""
    workspace = tmp_path_factory.mktemp("trained")
    write(cache_folder(workspace) / SPEEDS_FILE, speeds)
    photos = draw_dataset(tmp_path_factory.mktemp("photos"), {"boot": 12, "clog": 12})
    import_photos(create_dataset(workspace, "Shoes"), photos)
    folder = runs_folder(workspace) / "first"
    made = make_recipe("finetune", {**SMALL, "epochs": 2})
    params = training_params(workspace, "first", source_of(workspace, "Shoes")[0], made.to_dict())
    job = run_job_folder(folder)
    with working(job, "train", params, title="Training first", workspace=workspace) as worker:
        train("Shoes", made, folder, workspace, worker=worker)
    return workspace


@pytest.fixture
def home(tmp_path, monkeypatch) -> Iterator[Path]:
    """An empty workspace."""
    monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(tmp_path / "workspace"))
    st.cache_data.clear()
    st.cache_resource.clear()
    (tmp_path / "workspace").mkdir()
    yield tmp_path / "workspace"
    for run in list_runs(tmp_path / "workspace"):
        if run.job is not None and not run.state.ended:
            stop_job(run.job.folder)


@pytest.fixture
def ready(home, trained) -> Path:
    """A workspace with a dataset, and no run yet."""
    shutil.copytree(trained, home, dirs_exist_ok=True)
    shutil.rmtree(runs_folder(home))
    return home


@pytest.fixture
def done(home, trained) -> Path:
    """A workspace with a dataset and the finished run."""
    shutil.copytree(trained, home, dirs_exist_ok=True)
    return home


def words(app: AppTest) -> str:
    """Everything there is to read, progress included."""
    return "\n".join([app_pages.words(app), *(plain(bar.proto.text) for bar in app.get("progress"))])


def advanced(recipe_name: str = "quick") -> AppTest:
    app = opened()
    if recipe_name != "quick":
        click(app, Key.TRAIN_CHOOSE.of(recipe_name))
    app.toggle(key=Key.TRAIN_ADVANCED).set_value(True)
    return again(app)


def put(app: AppTest, key: str, value: float) -> AppTest:
    app.number_input(key=key).set_value(value)
    return again(app)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def ended(folder: Path) -> Job:
    """A job that has told its end; on a busy machine its process may start so late that it seems lost for a while."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (folder / "end.json").exists():
            return read_job(folder)
        time.sleep(0.1)
    raise AssertionError(f"the job does not end: {(folder / 'log.txt').read_text()}")


def tell(workspace: Path, state: str, **changes: Any) -> Path:
    """Let the run "first" be in another state, as its process writes it; gives its folder."""
    folder = runs_folder(workspace) / "first"
    values = json.loads((folder / RUN_FILE).read_text())
    (folder / RUN_FILE).write_text(json.dumps({**values, "state": state, **changes}))
    return folder


def at_work(folder: Path, progress: Progress, age: float = 0.0) -> None:
    """A process that lives, or fell silent `age` seconds ago."""
    job = run_job_folder(folder)
    (job / "end.json").unlink()
    (job / "progress.json").write_text(json.dumps(vars(progress)))
    os.utime(job / "heartbeat", (time.time() - age,) * 2)


def without_model(folder: Path) -> None:
    (run_model_folder(folder) / "model.json").unlink()


EPOCH = Progress(
    6, 12, "Epoch 3 of 6", 4.0,
    {"epoch": 3, "epochs": 6, "images_per_second": 61.4, "loss": 0.8, "seconds_left": 130.0},
)  # fmt: skip


class TestNoPhotos:
    def test_invites(self, home):
        app = opened()
        assert "No photos yet" in words(app) and "Create a synthetic dataset" in labels(app)
        assert Key.TRAIN_START not in [button.key for button in app.button]

    def test_drawn_dataset_is_made_here(self, home, monkeypatch):
        real = setup.start_synthetic
        monkeypatch.setattr(setup, "start_synthetic", lambda dataset: real(dataset, per_class=200))
        app = click(opened(), Key.TRAIN_SYNTHETIC)
        assert "Generating synthetic photos" in words(app)
        (entry,) = list_datasets(home)
        click(app, KitKey.JOB_STOP)
        assert ended(list_jobs(entry.folder / "jobs")[0].folder).state is JobState.STOPPED

    def test_empty_dataset(self, home):
        create_dataset(home, NASTY)
        app = opened()
        assert f"{NASTY} has no photos yet" in words(app).replace("**<", "<").replace(")** has", ") has")
        assert Key.TRAIN_START not in [button.key for button in app.button]


class TestSetup:
    def test_recipes_with_their_times_and_a_name(self, ready):
        app = opened()
        text = words(app)
        assert "24 photos of 2 classes" in text and text.count("on this computer") == 3
        assert app.text_input(key=Key.TRAIN_NAME.of("Shoes-quick-1")).value == "Shoes-quick-1"
        assert labels(app).count("Selected") == 1 and not app.segmented_control
        click(app, Key.TRAIN_CHOOSE.of("scratch"))
        assert app.text_input(key=Key.TRAIN_NAME.of("Shoes-scratch-1")).value == "Shoes-scratch-1"
        assert app.button(key=Key.TRAIN_CHOOSE.of("scratch")).label == "Selected"

    def test_corrections_are_not_offered_first(self, ready, tmp_path):
        corrections = create_dataset(ready, CORRECTIONS)
        import_photos(corrections, draw_dataset(tmp_path / "corrected", {"boot": 1}))
        assert opened().selectbox(key="dataset").value == "Shoes"

    def test_one_class_is_none(self, ready):
        app = opened()
        (entry,) = list_datasets(ready)
        app.multiselect(key=Key.TRAIN_CLASSES.of(entry.folder.name)).set_value(["boot"])
        again(app)
        assert "12 photos of 1 class" in words(app) and "Training needs two or more" in words(app)
        assert Key.TRAIN_START not in [button.key for button in app.button]

    @pytest.mark.parametrize(("name", "told"), [("../x", "can't be the name of a run"), ("street72", "comes with")])
    def test_name_that_cannot_be_used(self, ready, name, told):
        app = opened()
        app.text_input(key=Key.TRAIN_NAME.of("Shoes-quick-1")).set_value(name)
        click(app, Key.TRAIN_START)
        assert told in app.error[0].value and not list_runs(ready)

    def test_time_is_measured_on_demand_while_another_is_at_work(self, done):
        at_work(tell(done, "running"), EPOCH)
        app = opened()
        app.segmented_control(key=Key.TRAIN_VIEW).set_value(View.SETUP)
        again(app)
        assert "Another training is running" in words(app) and "on this computer" not in words(app)
        click(app, Key.TRAIN_MEASURE.of("finetune"))
        deadline = time.monotonic() + PATIENCE
        while "on this computer" not in words(app) and time.monotonic() < deadline:
            again(app)
        assert words(app).count("on this computer") == 1

    def test_from_start_to_use(self, ready):
        app = advanced("finetune")
        app.selectbox(key=Key.TRAIN_INIT.of("finetune-efficientnet_lite0")).set_value("none")
        for key, item, value in ((Key.TRAIN_SIZE, "-efficientnet_lite0", 32), (Key.TRAIN_EPOCHS, "", 2)):
            app.number_input(key=key.of(f"finetune{item}")).set_value(value)
        put(app, Key.TRAIN_BATCH.of("finetune"), 8)
        assert "Changed settings: init, epochs, size, batch" in words(app)
        click(app, Key.TRAIN_START)
        run = find_run(ready, "Shoes-finetune-1")
        assert app.selectbox(key=Key.TRAIN_RUN).value == run.name
        assert ended(run_job_folder(run.folder)).error is None
        kept = find_run(ready, run.name)
        assert {key: kept.recipe[key] for key in ("init", "size", "epochs", "batch", "seed")} == {
            "init": "none", "size": 32, "epochs": 2, "batch": 8, "seed": 0,
        }  # fmt: skip
        again(app)
        assert f"{run.name}**: done. Trained for" in words(app)
        follow_link(app, "Use in Identify")
        assert app.title[0].value == "What are those?" and app.selectbox(key=MODEL_PARAM).value == run.name


class TestAdvanced:
    def test_each_recipe_comes_with_its_own_settings(self, ready):
        app = advanced()
        assert app.number_input(key=Key.TRAIN_EPOCHS.of("quick")).value == 40
        click(app, Key.TRAIN_CHOOSE.of("scratch"))
        assert app.number_input(key=Key.TRAIN_EPOCHS.of("scratch")).value == 60
        assert app.selectbox(key=Key.TRAIN_INIT.of("scratch-mobilenet_v2")).value == "none"
        assert "Changed settings" not in words(app) and not app.error

    def test_wrong_value_is_told_and_stops_the_start(self, ready):
        app = put(advanced(), Key.TRAIN_EPOCHS.of("quick"), 0)
        assert app.error[0].value == "epochs is 0; it must be from 1 to 1000."
        assert app.button(key=Key.TRAIN_START).disabled
        put(app, Key.TRAIN_EPOCHS.of("quick"), 3)
        assert not app.error and not app.button(key=Key.TRAIN_START).disabled
        assert "Changed settings: epochs." in words(app)

    def test_another_network_brings_its_size_and_its_starts(self, ready):
        app = advanced()
        app.selectbox(key=Key.TRAIN_NETWORK.of("quick")).set_value("sneaker_cnn")
        again(app)
        assert app.number_input(key=Key.TRAIN_SIZE.of("quick-sneaker_cnn")).value == 224
        start = app.selectbox(key=Key.TRAIN_INIT.of("quick-sneaker_cnn"))
        assert start.value == "none" and len(start.options) == 2
        put(app, Key.TRAIN_SIZE.of("quick-sneaker_cnn"), 160)
        assert "sneaker_cnn takes exactly 224 pixels" in words(app)

    def test_file_of_weights_has_to_be_named(self, ready):
        app = advanced()
        app.selectbox(key=Key.TRAIN_INIT.of("quick-efficientnet_lite0")).set_value("")
        again(app)
        assert "Enter the path of a weights file" in words(app) and app.button(key=Key.TRAIN_START).disabled
        app.text_input(key=Key.TRAIN_INIT_FILE.of("quick-efficientnet_lite0")).set_value(" /a/b.pth ")
        again(app)
        assert "Changed settings: init." in words(app) and not app.button(key=Key.TRAIN_START).disabled

    @pytest.mark.parametrize("folder", ["nowhere", "/nowhere/at/all", "/\0", "~"])
    def test_folder_of_other_things_has_to_be_there(self, ready, folder, tmp_path):
        app = advanced()
        app.text_input(key=Key.TRAIN_NEGATIVES.of("quick")).set_value(folder)
        again(app)
        assert "Can't find the folder" in words(app) and app.button(key=Key.TRAIN_START).disabled
        app.text_input(key=Key.TRAIN_NEGATIVES.of("quick")).set_value(str(tmp_path))
        again(app)
        assert not app.error

    def test_preview_of_changes(self, ready):
        app = advanced("finetune")
        app.toggle(key=Key.TRAIN_PREVIEW).set_value(True)
        again(app)
        assert len(app.get("imgs") or app.get("image")) == 1

    def test_a_good_rate_is_searched_and_taken(self, ready):
        app = advanced()
        click(app, Key.TRAIN_RATES_START)
        (job,) = list_jobs(ready / "rates")
        assert (job.kind, job.params["recipe"]["name"]) == ("find_lr", "quick")
        assert "Stop" in labels(app)
        click(app, KitKey.JOB_STOP.of("lr-finder"))
        ended(job.folder)
        result = {"rates": [1e-4, 1e-3, 1e-2, 1e-1], "losses": [2.0, 1.9, 1.0, 9.0], "suggestion": 0.00213}
        end = {"state": "done", "error": None, "result": result}
        (job.folder / "end.json").write_text(json.dumps(end))
        again(app)
        assert "The loss falls fastest at a learning rate of about 0.002" in words(app)
        click(app, Key.TRAIN_RATES_USE)
        assert app.number_input(key=Key.TRAIN_RATE.of("quick-1")).value == 0.002
        assert "Changed settings: learning rate." in words(app) and not app.warning
        # Other settings, another search.
        put(app, Key.TRAIN_BATCH.of("quick"), 16)
        assert "falls fastest" not in words(app)

    def test_a_search_that_failed_says_why(self, ready):
        app = advanced()
        click(app, Key.TRAIN_RATES_START)
        (job,) = list_jobs(ready / "rates")
        stop_job(job.folder)
        ended(job.folder)
        (job.folder / "end.json").write_text(json.dumps({"state": "failed", "error": "No luck.", "result": {}}))
        assert "No luck." in words(again(app)) and "Try again" in labels(app)
        click(app, KitKey.JOB_DISMISS.of("lr-finder"))
        assert "No luck." not in words(app) and "Find a learning rate" in labels(app)

    @pytest.mark.parametrize("name", RECIPES)
    def test_only_changes_are_passed_on(self, name):
        base = RECIPES[name]
        wanted = {key: getattr(base, key) for key in ("network", "init", "trainable", "size", "epochs", "augmentation")}
        assert _changed(name, wanted) == {}
        other = {**wanted, "network": "resnet18", "size": 224, "init": "imagenet", "augmentation": "strong"}
        expected = {"network": "resnet18", "augmentation": "strong"}
        # Another network brings weights that fit by itself, where the recipe starts from weights at all.
        expected |= {"init": "imagenet"} if base.init == "none" else {}
        assert _changed(name, other) == expected
        assert make_recipe(name, expected).size == 224


class TestWatch:
    def test_done(self, done):
        app = opened(run="first")
        text = words(app)
        assert app.selectbox(key=Key.TRAIN_RUN).value == "first"
        for told in ("Top-1 accuracy", "Test photos", "alidation accuracy", "photos are recognized correctly"):
            assert told in text
        assert "Use in Identify" in link_labels(app) and len(app.get("plotly_chart")) == 2
        assert not {"Resume", "Try again", "Stop and keep the best model"} & set(labels(app))
        assert not app.get("progress")
        assert len(app.get("imgs") or app.get("image")) == len(
            json.loads((find_run(done, "first").folder / WATCH_FILE).read_text())
        )

    def test_log_on_demand(self, done):
        (run_job_folder(runs_folder(done) / "first") / "log.txt").write_text("what it <b>said</b>")
        app = opened(run="first")
        assert not app.code
        app.session_state[KitKey.JOB_LOG.of("run")] = True
        assert again(app).code[0].value == "what it <b>said</b>"

    def test_setup_first_where_nothing_is_at_work(self, done):
        assert opened().segmented_control(key=Key.TRAIN_VIEW).value == View.SETUP
        app = opened(run="gone")
        assert app.segmented_control(key=Key.TRAIN_VIEW).value == View.WATCH
        assert app.selectbox(key=Key.TRAIN_RUN).value is None and not app.metric
        assert "The link leads to the run “gone”, which isn't here." in words(app)

    def test_queued(self, done):
        folder = tell(done, "running")
        at_work(folder, Progress(step=WAITING, details={"before": 1}))
        without_model(folder)
        (folder / METRICS_FILE).unlink()
        app = opened()
        assert "Queued, 1 training ahead" in words(app) and "Remove from the queue" in labels(app)
        click(app, KitKey.JOB_STOP.of("run"))
        assert read_job(run_job_folder(folder)).state is JobState.STOPPING

    def test_running(self, done):
        folder = tell(done, "running")
        at_work(folder, EPOCH)
        without_model(folder)
        app = opened()
        assert app.segmented_control(key=Key.TRAIN_VIEW).value == View.WATCH
        text = words(app)
        for told in ("Epoch 3 of 6", "61 photos per second", "about 2 minutes left", "Stop after the current step"):
            assert told in text
        assert len(app.get("plotly_chart")) == 2 and "Use in Identify" not in link_labels(app)
        click(app, KitKey.JOB_STOP.of("run"))
        assert "Stopping…" in labels(app) and "Stopping after the current step" in words(app)

    def test_before_the_first_epoch(self, done):
        folder = tell(done, "running", counts={})
        at_work(folder, Progress(120, 400, "Embedding photos", 30.0))
        (folder / METRICS_FILE).unlink()
        app = opened()
        assert "Embedding photos · 120 of 400" in words(app) and "Curves appear" in words(app)

    def test_stopped_with_a_model(self, done):
        tell(done, "stopped")
        app = opened(run="first")
        assert "model so far is ready to use" in words(app)
        assert "Resume" in labels(app) and "Use in Identify" in link_labels(app) and "Top-1 accuracy" in words(app)

    def test_stopped_without_a_model_goes_on(self, done):
        folder = tell(done, "stopped")
        without_model(folder)
        app = opened(run="first")
        assert "was stopped. There is no model yet." in words(app) and "Use in Identify" not in link_labels(app)
        click(app, KitKey.JOB_AGAIN.of("run"))
        assert not find_run(done, "first").state.ended
        assert app.selectbox(key=Key.TRAIN_RUN).value == "first"
        assert ended(run_job_folder(folder)).state is JobState.DONE
        assert find_run(done, "first").has_model and "Use in Identify" in link_labels(again(app))

    def test_failed(self, done):
        without_model(tell(done, "failed", error=f"The photos of {NASTY} are gone."))
        app = opened(run="first")
        assert f"The photos of {NASTY} are gone." in words(app) and "Try again" in labels(app)

    def test_lost(self, done):
        folder = tell(done, "running")
        at_work(folder, EPOCH, age=3600)
        without_model(folder)
        app = opened(run="first")
        assert "the process is no longer running" in words(app) and "Resume" in labels(app)

    def test_what_cannot_go_on_says_why(self, done):
        tell(done, "interrupted", recipe={}, source="")
        without_model(runs_folder(done) / "first")
        shutil.rmtree(run_job_folder(runs_folder(done) / "first"))
        app = click(opened(run="first"), KitKey.JOB_AGAIN.of("run"))
        assert not app.exception and find_run(done, "first").state is not JobState.RUNNING

    def test_damaged_metrics(self, done):
        file = runs_folder(done) / "first" / METRICS_FILE
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        odd = {"epoch": 2, "loss": "many", "val_top1": None, "confusions": [3, {"count": 1}], "watched": "?"}
        more = [{**rows[0], "epoch": 3, "watched": rows[0]["watched"][:1], "confusions": None}]
        file.write_text("\n".join([json.dumps(rows[0]), "{half a li", "[]", json.dumps(odd), *map(json.dumps, more)]))
        assert len(opened(run="first").get("plotly_chart")) == 2
        file.write_text("\n".join([json.dumps(rows[0]), json.dumps(odd)]))
        assert len(opened(run="first").get("plotly_chart")) == 2

    def test_damaged_run(self, done):
        (runs_folder(done) / "first" / RUN_FILE).write_text("{")
        app = opened(run="first")
        assert "is damaged: " in words(app) and "Resume" not in labels(app)

    def test_run_of_another_version(self, done):
        tell(done, "done", recipe={"network": "mobilenet_v2", "freeze": False})
        assert len(opened(run="first").get("plotly_chart")) == 2

    def test_several_to_choose_from(self, done):
        shutil.copytree(runs_folder(done) / "first", runs_folder(done) / "second")
        at_work(tell(done, "running"), EPOCH)
        app = opened(run="second")
        assert app.selectbox(key=Key.TRAIN_RUN).options == ["first", "second"]
        assert app.selectbox(key=Key.TRAIN_RUN).value == "second"
        app.selectbox(key=Key.TRAIN_RUN).set_value("first")
        assert "Epoch 3 of 6" in words(again(app))
        shutil.rmtree(runs_folder(done) / "first")
        assert again(app).selectbox(key=Key.TRAIN_RUN).value is None
        assert "The run “first” isn't here anymore." in words(app) and "Epoch 3 of 6" not in words(app)


def course(**columns: list[Any]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    empty = {key: [math.nan] * count for key in ("loss", "accuracy", "val_loss", "val_top1", "val_top3")}
    return pd.DataFrame({"epoch": range(1, count + 1), **empty, **columns})


class TestFigures:
    @pytest.mark.parametrize(
        ("values", "title"),
        [
            ([0.62, 0.7, 0.87], "Validation accuracy is 87% after epoch 3, up from 62%"),
            ([0.5, 0.4], "Validation accuracy is 40% after epoch 2, down from 50%"),
            ([0.5, 0.5], "Validation accuracy is 50% after epoch 2, unchanged"),
            ([0.5], "Validation accuracy is 50% after epoch 1"),
            ([None, 0.5], "Validation accuracy is 50% after epoch 2"),
            ([None], "No validation results yet"),
        ],
    )
    def test_accuracy_says_its_finding(self, values, title):
        assert accuracy_curve(course(val_top1=values), 5).title == title

    @pytest.mark.parametrize(
        ("columns", "title"),
        [
            ({"val_loss": [2.0, 1.0]}, "Validation loss fell from 2.00 to 1.00"),
            ({"val_loss": [2.0, 1.0, 1.5]}, "Validation loss was lowest after epoch 2 (1.00) and is now 1.50"),
            ({"val_loss": [1.0, 2.0]}, "Validation loss rose from 1.00 to 2.00"),
            ({"val_loss": [1.0, 1.0]}, "Validation loss is unchanged at 1.00"),
            ({"loss": [1.0]}, "Training loss is 1.00 after epoch 1"),
            ({"loss": [None]}, "No loss to show yet"),
        ],
    )
    def test_loss_says_its_finding(self, columns, title):
        chart = loss_curve(course(**columns), 5)
        assert chart.title == title and chart.alt.startswith(title)

    def test_rates_without_a_suggestion(self):
        chart = rate_curve([1e-3, 1e-2], [1.0, 1.0], None)
        assert chart.title.startswith("The loss did not fall at any learning rate") and len(chart.figure.data) == 1


class TestWords:
    def test_waiting(self):
        assert queue_text(Progress()) == "Queued"
        assert queue_text(Progress(details={"before": 2})) == "Queued, 2 trainings ahead"

    def test_photos(self):
        assert split_counts_text({}) == ""
        assert split_counts_text({"train": 1200, "val": 3}) == "1,200 training photos, 3 validation photos"

    def test_others(self, done):
        shutil.copytree(runs_folder(done) / "first", runs_folder(done) / "second")
        at_work(tell(done, "running"), EPOCH)
        runs = list_runs(done)
        assert other_trainings_text(runs, "first") == ""
        assert other_trainings_text(runs, "second") == "Also 1 training running."


def test_metrics_have_what_the_page_shows(trained):
    """The columns that the page reads are those that a training writes."""
    metrics = read_metrics(runs_folder(trained) / "first")
    assert metrics[["epoch", "loss", "accuracy", "val_loss", "val_top1", "val_top3"]].notna().all(axis=None)
    assert all(isinstance(rows, list) for rows in metrics["watched"])
