"""The Runs page, run as Streamlit runs it: every state of a run and of a search, real folders, real jobs."""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sneaker_core.datasets.dataset_collection import create_dataset
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.networks.bundled_models import DEFAULT_MODEL, SYNTHETIC_MODEL
from sneaker_core.training.hyperparameter_search import run_search
from sneaker_core.training.recipe import make_recipe
from sneaker_core.training.run_collection import delete_run, find_run, list_runs, runs_of, write_note
from sneaker_core.training.run_metrics import read_metrics
from sneaker_core.training.study_collection import STUDY_FILE, find_study, studies_of
from sneaker_core.training.study_trials import TRIALS_FILE
from sneaker_core.training.train_model import train
from sneaker_core.workspace.jobs import JobState, read_job
from sneaker_core.workspace.paths import run_job_folder, runs_folder, studies_folder
from tests import app_pages
from tests.app_pages import again, click, open_page, plain
from tests.factories import draw_dataset
from tests.links import follow_link, link_labels
from ui.kit.item_dialogs import Action, ItemKind, NamedItem, item_button_key
from ui.kit.labels import STATE_LABELS
from ui.kit.model_picker import MODEL_PARAM
from ui.kit.state_keys import KitKey
from ui.runs import run_labels as spoken
from ui.runs.run_charts import accuracy_curves, best_finding, loss_curves, trials_plot
from ui.runs.run_detail_view import CARD, LOG, SETTINGS
from ui.runs.run_dialogs import RUNS, SEARCHES
from ui.runs.run_table import MOST_CHOSEN
from ui.runs.runs_keys import Key
from ui.runs.runs_sections import SEARCH

PROJECT = Path(__file__).resolve().parent.parent
PATIENCE = 120.0
NASTY = "<script>alert(1)</script> **x** [a](http://b)"
SMALL = {"init": "none", "size": 32, "small_size": 32, "batch": 8, "val_share": 0.2, "test_share": 0.2, "epochs": 2}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a dataset, two finished runs and a search. Do not change it: copy it."""
    folder = tmp_path_factory.mktemp("trained")
    photos = draw_dataset(folder / "photos", {"boot": 12, "clog": 12})
    import_photos(create_dataset(folder, "shoes"), photos)
    for name, rate in (("slow", 1e-4), ("fast", 5e-3)):
        made = make_recipe("quick", {**SMALL, "learning_rate": rate})
        train("shoes", made, runs_folder(folder) / name, folder)
    run_search(folder, "shoes", "first", make_recipe("quick", SMALL), minutes=1, trials=3)
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace."""
    monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(tmp_path / "workspace"))
    st.cache_data.clear()
    st.cache_resource.clear()
    return tmp_path / "workspace"


@pytest.fixture
def full(home: Path, trained: Path) -> Path:
    """A workspace like `trained`."""
    shutil.copytree(trained, home)
    return home


def opened(*chosen: str, **query: str) -> AppTest:
    return open_page("runs", **({Key.RUNS_CHOSEN: list(chosen)} if chosen else {}), **query)


def words(app: AppTest) -> str:
    """Everything there is to read, the log included."""
    return "\n".join([app_pages.words(app), *(plain(block.value) for block in app.code)])


def searching(**query: str) -> AppTest:
    return opened(**{Key.RUNS_PART: SEARCH, **query})


def buttons(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def restore_key(kind: ItemKind, item: NamedItem) -> str:
    return KitKey.DIALOG_RESTORE.of(f"{kind.param}-{item.id}")


def chosen_names(app: AppTest) -> list[str]:
    return list(app.multiselect(key=Key.RUNS_CHOSEN).value)


def table(app: AppTest) -> pd.DataFrame:
    return app.dataframe[0].value.set_index("name")


def told(toasts: AppTest) -> str:
    return " ".join(toast.value for toast in toasts.toast)


def set_state(workspace: Path, name: str, state: str, model: bool = False, **changes: object) -> Path:
    """A run as it is left when its training ends otherwise."""
    folder = runs_folder(workspace) / name
    file = folder / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "state": state, **changes}))
    shutil.rmtree(run_job_folder(folder), ignore_errors=True)
    if not model:
        shutil.rmtree(folder / "model")
    return folder


def put_job(folder: Path, step: str, end: dict[str, object] | None = None, **files: str) -> Path:
    """A job's folder as its process leaves it; without an end it lives."""
    job = run_job_folder(folder)
    job.mkdir(parents=True, exist_ok=True)
    (job / "job.json").write_text(json.dumps({"title": "Training", "arguments": ["train"], "started": time.time()}))
    (job / "progress.json").write_text(json.dumps({"done": 3, "total": 10, "step": step, "rate": 0, "details": {}}))
    (job / "heartbeat").touch()
    # No process is there to touch it while the test looks.
    os.utime(job / "heartbeat", (time.time() + 600,) * 2)
    if end:
        (job / "end.json").write_text(json.dumps({"error": None, "result": {}, **end}))
    for name, text in files.items():
        (job / name).write_text(text)
    return job


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if is_so():
            return
        time.sleep(0.1)
    raise AssertionError("it does not come")


class TestNoRuns:
    def test_invites_and_shows_what_is_built_in(self, home):
        app = opened()
        assert "No runs yet" in words(app)
        assert table(app).loc[DEFAULT_MODEL, "state"] == "Built in"
        assert table(app).loc[DEFAULT_MODEL, "top1"] > 50

    def test_built_in_model_has_its_figures_and_its_card_but_no_way_out(self, home):
        app = opened(DEFAULT_MODEL)
        assert buttons(app) == [] and "Use in Identify" in link_labels(app)
        assert "None were recorded" in words(app)
        app.segmented_control(key=Key.RUN_MORE.of(DEFAULT_MODEL)).set_value(CARD)
        assert f"Model card: {DEFAULT_MODEL}" in words(again(app))

    def test_an_address_of_nothing_is_no_error(self, home):
        assert chosen_names(opened("gone")) == []


class TestTable:
    def test_key_figures(self, full):
        rows = table(opened())
        assert list(rows.index) == ["fast", "slow", DEFAULT_MODEL, SYNTHETIC_MODEL]
        fast = rows.loc["fast"]
        assert (fast["state"], fast["dataset"], fast["recipe"], fast["network"]) == (
            "Done",
            "shoes",
            "Quick",
            "MobileNetV2",
        )
        counts = find_run(full, "fast").counts
        assert (fast["train"], fast["test"], fast["epochs"]) == (counts["train"], counts["test"], 2)
        assert fast["top1"] == pytest.approx(100 * find_run(full, "fast").headline["top1"])

    def test_ticks_and_names_choose_the_same(self, full):
        app = opened("slow", DEFAULT_MODEL)
        assert app.session_state[Key.RUNS_TABLE]["selection"]["rows"] == [1, 2]
        app.multiselect(key=Key.RUNS_CHOSEN).set_value(["fast"])
        assert again(app).session_state[Key.RUNS_TABLE]["selection"]["rows"] == [0]
        # A new run takes the first row: the tick goes with its run.
        shutil.copytree(runs_folder(full) / "fast", runs_folder(full) / "a newer one")
        set_state(full, "a newer one", "done", model=True, created=time.time() + 60)
        assert again(app).session_state[Key.RUNS_TABLE]["selection"]["rows"] == [1]
        assert chosen_names(app) == ["fast"]

    def test_no_more_than_can_be_told_apart(self, full):
        for number in range(MOST_CHOSEN):
            shutil.copytree(runs_folder(full) / "fast", runs_folder(full) / f"copy {number}")
        app = opened(*(run.name for run in list_runs(full)))
        assert len(chosen_names(app)) == MOST_CHOSEN

    @pytest.mark.parametrize("state", [JobState.STOPPED, JobState.FAILED, JobState.INTERRUPTED])
    def test_a_run_that_ended_early(self, full, state):
        error = "The loss became NaN." if state is JobState.FAILED else None
        set_state(full, "slow", "running" if state is JobState.INTERRUPTED else state.value, error=error)
        app = opened("slow")
        assert table(app).loc["slow", "state"] == STATE_LABELS[state].word
        assert (error or "resume") in words(app)
        assert ("Try again" if error else "Resume") in buttons(app)
        assert "Use in Identify" not in link_labels(app)

    def test_a_run_at_work(self, full):
        job = put_job(set_state(full, "slow", "running"), "Epoch 1 of 2")
        app = opened("slow")
        assert table(app).loc["slow", "state"] == "Running"
        assert buttons(app) == ["Stop and keep the best model", "Save note"]
        click(app, KitKey.JOB_STOP.of("run"))
        assert (job / "stop").exists()
        assert app.button(key=KitKey.JOB_STOP.of("run")).disabled
        assert "Stopping" in table(app).loc["slow", "state"]

    def test_a_run_that_waits(self, full):
        put_job(set_state(full, "slow", "running"), "Waiting for its turn")
        app = opened("slow")
        assert table(app).loc["slow", "state"] == "Queued"
        assert "Remove from the queue" in buttons(app)

    def test_a_run_that_has_hardly_begun(self, home):
        put_job(runs_folder(home) / "fresh", "Reading photos")
        app = opened("fresh")
        assert "The first point appears after the first epoch" in words(app)

    @pytest.mark.parametrize("text", ["{nonsense", "[]", "null", '{"recipe": 5, "counts": [], "created": "x"}'])
    def test_a_damaged_run_harms_only_itself(self, full, text):
        (runs_folder(full) / "slow" / "run.json").write_text(text)
        (runs_folder(full) / "slow" / "metrics.jsonl").write_text('{"epoch": 1, "val_top1": "x"}\n{"ep')
        app = opened("slow", "fast")
        assert "fast reached" in words(app)
        assert table(app).loc["fast", "state"] == "Done"
        assert not opened("slow").exception

    def test_a_damaged_run_is_told_as_such(self, full):
        folder = set_state(full, "slow", "stopped")
        (folder / "run.json").write_text("{nonsense")
        app = opened("slow")
        assert "is damaged: it is no complete JSON" in words(app)
        assert "Other runs are not affected" in words(app)
        assert {"Rename", "Delete"} <= set(buttons(app))
        assert not {"Resume", "Try again"} & set(buttons(app))

    def test_names_are_never_markup(self, full):
        set_state(full, "slow", "failed", error=NASTY, dataset=NASTY)
        app = opened("slow")
        assert NASTY in words(app)
        assert not any("**x**" in element.value for element in app.markdown)


class TestOne:
    def test_figures_and_curves(self, full):
        app = opened("fast")
        assert {metric.label for metric in app.metric} == {"Top-1", "Top-3", "Calibration error"}
        assert "fast reached" in words(app)
        assert "Lowest validation loss" in words(app)

    def test_more_about_it(self, full):
        app = opened("fast")
        more = app.segmented_control(key=Key.RUN_MORE.of("fast"))
        more.set_value(CARD)
        assert "Model card: fast" in words(again(app))
        app.segmented_control(key=Key.RUN_MORE.of("fast")).set_value(SETTINGS)
        assert "Learning rate" in str(again(app).table[0].value)
        app.segmented_control(key=Key.RUN_MORE.of("fast")).set_value(LOG)
        assert "The log is empty" in words(again(app))
        put_job(runs_folder(full) / "fast", "", end={"state": "done"}, **{"log.txt": "epoch 1\nepoch 2"})
        assert "epoch 2" in words(again(app))

    def test_note(self, full):
        app = opened("fast")
        app.text_area(key=Key.RUN_NOTE.of("fast")).set_value("a *fine* one")
        click(app, Key.RUN_NOTE_SAVE)
        assert find_run(full, "fast").note == "a *fine* one"
        assert opened("fast").text_area(key=Key.RUN_NOTE.of("fast")).value == "a *fine* one"

    def test_the_card_holds_the_note(self, full):
        write_note(full, "fast", "keep this one")
        app = opened("fast")
        app.segmented_control(key=Key.RUN_MORE.of("fast")).set_value(CARD)
        assert "Note: keep this one" in words(again(app))

    def test_use_in_identify(self, full):
        app = follow_link(opened("fast"), "Use in Identify")
        assert app.title[0].value == "What are those?"
        assert app.selectbox(key=MODEL_PARAM).value == "fast"

    def test_rename(self, full):
        app = opened("slow")
        click(app, item_button_key(RUNS, Action.RENAME))
        app.text_input(key=KitKey.DIALOG_NAME.of("slow")).set_value("fast")
        click(app, KitKey.DIALOG_DO)
        assert "There is already a run named 'fast'" in words(app)
        app.text_input(key=KitKey.DIALOG_NAME.of("slow")).set_value("  steady   one ")
        click(app, KitKey.DIALOG_DO)
        assert chosen_names(app) == ["steady one"]
        assert {run.name for run in list_runs(full)} == {"fast", "steady one"}

    def test_delete_asks_first_and_can_be_taken_back(self, full):
        app = click(opened("slow"), item_button_key(RUNS, Action.DELETE))
        assert "slow** will be moved to the bin with curves, notes and models" in words(app)
        click(app, KitKey.DIALOG_CANCEL)
        assert len(list_runs(full)) == 2
        click(app, item_button_key(RUNS, Action.DELETE))
        click(app, KitKey.DIALOG_DO)
        assert [run.name for run in list_runs(full)] == ["fast"]
        assert chosen_names(app) == []
        click(app, KitKey.DIALOG_BIN)
        click(app, restore_key(RUNS, runs_of(full).deleted()[0]))
        assert chosen_names(app) == ["slow"]
        assert not runs_of(full).deleted()
        assert "Bin (1)" not in buttons(app)

    def test_bin_tells_those_of_one_name_apart(self, full):
        for _ in range(2):
            shutil.copytree(runs_folder(full) / "fast", runs_folder(full) / "again")
            delete_run(full, "again")
        app = click(opened(), KitKey.DIALOG_BIN)
        newer, older = runs_of(full).deleted()
        assert words(app).count("Quick on shoes, started ") == 2
        click(app, restore_key(RUNS, older))
        assert [run.id for run in runs_of(full).deleted()] == [newer.id]
        click(app, KitKey.DIALOG_BIN)
        click(app, restore_key(RUNS, newer))
        assert chosen_names(app) == ["again (2)"]
        assert {run.name for run in list_runs(full)} == {"fast", "slow", "again", "again (2)"}

    def test_go_on(self, full):
        """A real process, which finds that its photos are gone."""
        folder = set_state(full, "slow", "stopped", source=str(full / "gone"))
        app = click(opened("slow"), KitKey.JOB_AGAIN.of("run"))
        assert read_job(run_job_folder(folder)).kind == "train"
        wait_until(lambda: find_run(full, "slow").state.ended)
        assert find_run(full, "slow").state is JobState.FAILED
        assert str(find_run(full, "slow").error) in words(again(app))

    def test_what_cannot_be_done_is_said(self, full):
        set_state(full, "slow", "stopped")
        app = opened("slow")
        put_job(runs_folder(full) / "slow", "Epoch 1 of 2")  # started in another window meanwhile
        assert "is running" in told(click(app, KitKey.JOB_AGAIN.of("run")))


class TestSeveral:
    def test_curves_figures_and_settings(self, full):
        app = opened("slow", "fast")
        best = max(("slow", "fast"), key=lambda name: read_metrics(runs_folder(full) / name)["val_top1"].max())
        shown = words(app)
        assert f"{best} is best" in shown or "are equally good" in shown
        assert "test accuracy" in shown
        assert "1 setting differs" in shown
        figures, settings = (element.value for element in app.table)
        assert list(figures.columns) == ["slow", "fast"]
        assert figures.loc["Epochs", "slow"] == "2"
        assert list(settings.index) == ["Learning rate"]
        assert list(settings.loc["Learning rate"]) == ["0.0001", "0.005"]

    def test_the_same_settings(self, full):
        shutil.copytree(runs_folder(full) / "fast", runs_folder(full) / "twin")
        assert "All settings are the same" in words(opened("twin", "fast"))

    def test_with_a_built_in_model(self, full):
        assert f"No curves: {DEFAULT_MODEL}" in words(opened("fast", DEFAULT_MODEL))

    def test_with_one_that_knows_nothing(self, home):
        put_job(runs_folder(home) / "fresh", "Reading photos")
        put_job(runs_folder(home) / "fresher", "Reading photos")
        shown = words(opened("fresh", "fresher"))
        assert "None of these runs has been evaluated" in shown
        assert "Settings can't be compared" in shown

    def test_delete_all_of_them(self, full):
        app = click(opened("slow", "fast"), Key.RUN_DELETE)
        click(app, KitKey.DIALOG_DO)
        assert {run.name for run in runs_of(full).deleted()} == {"slow", "fast"}


class TestSearch:
    def test_without_photos(self, home):
        app = searching()
        assert "No photos yet" in words(app)

    def test_ended(self, full):
        app = searching()
        study = find_study(full, "first")
        assert "first**: done. Resume it, or run a full training with the best settings." in words(app)
        trials = app.dataframe[0].value
        assert len(trials) == 3
        assert trials["val_top1"].iloc[0] == pytest.approx(100 * study.best["val_top1"])
        assert f"Best settings so far: {spoken.share(study.best['val_top1'])}" in words(app)
        assert "Trial" in words(app)
        assert "search --study first -- " in words(app)

    def test_train_fully(self, full):
        """A real training, on the settings that were found."""
        app = searching()
        app.text_input(key=Key.STUDY_FULL_NAME.of("first-best")).set_value("fast")
        assert "already" in told(click(app, Key.STUDY_FULL))
        app.text_input(key=Key.STUDY_FULL_NAME.of("first-best")).set_value("winner")
        click(app, Key.STUDY_FULL)
        assert chosen_names(app) == ["winner"]
        wait_until(lambda: find_run(full, "winner").state.ended)
        run = find_run(full, "winner")
        assert (run.state, run.error) == (JobState.DONE, None)
        assert run.recipe["learning_rate"] == pytest.approx(find_study(full, "first").best["learning_rate"])
        assert table(again(app)).loc["winner", "state"] == "Done"

    def test_start_and_stop(self, full):
        """A real search."""
        app = searching()
        app.text_input(key=Key.STUDY_NAME.of("search-1")).set_value("first")
        assert "There is already a search named first" in words(click(app, Key.STUDY_START))
        app.text_input(key=Key.STUDY_NAME.of("search-1")).set_value("second")
        app.selectbox(key=Key.STUDY_RECIPE).set_value("quick")
        app.number_input(key=Key.STUDY_MINUTES).set_value(1)
        again(app)
        click(app, Key.STUDY_START)
        assert app.selectbox(key=Key.STUDY).value == "second"
        study = find_study(full, "second")
        assert (study.dataset, study.recipe_name, study.minutes) == ("shoes", "quick", 1)
        assert "Stop" in buttons(app)
        click(app, KitKey.JOB_STOP.of("search"))
        wait_until(lambda: find_study(full, "second").state.ended)
        assert find_study(full, "second").state is JobState.STOPPED
        assert "Stopped" in words(again(app))

    @pytest.mark.parametrize("recipe_name", ["quick", "finetune", "scratch"])
    def test_each_recipe_asks_what_it_needs(self, full, recipe_name):
        app = searching()
        app.selectbox(key=Key.STUDY_RECIPE).set_value(recipe_name)
        asked = {widget.label for widget in (*again(app).selectbox, *app.multiselect)}
        assert ("Pretrained weights" in asked) == (recipe_name != "scratch")
        # Only one network fits the bundled model's weights.
        assert ("Networks to try" in asked) == (recipe_name == "scratch")

    def test_other_networks_are_tried_from_general_weights(self, full):
        app = searching()
        app.selectbox(key=Key.STUDY_RECIPE).set_value("finetune")
        again(app).selectbox(key=Key.STUDY_INIT.of("finetune")).set_value("imagenet")
        assert "Networks to try" in {widget.label for widget in again(app).multiselect}

    @pytest.mark.parametrize(("step", "shown"), [("Waiting for its turn", "Queued"), ("Trial 1, epoch 1 of 2", "")])
    def test_at_work(self, full, step, shown):
        folder = studies_folder(full) / "first"
        (folder / TRIALS_FILE).unlink()
        put_job(folder, step)
        app = searching()
        assert shown in words(app)
        assert "The first trial starts when the photos are prepared" in words(app)
        assert "Stop" in buttons(app)
        assert "Delete" not in buttons(app)

    def test_no_trial_at_all(self, full):
        folder = studies_folder(full) / "first"
        (folder / TRIALS_FILE).unlink()
        put_job(folder, "", end={"state": "done"})
        assert "No trial was started" in words(searching())

    def test_failed(self, full):
        put_job(studies_folder(full) / "first", "", end={"state": "failed", "error": "The photos are gone."})
        assert "The photos are gone." in words(searching())

    def test_a_damaged_search_harms_only_itself(self, full):
        shutil.copytree(studies_folder(full) / "first", studies_folder(full) / "broken")
        (studies_folder(full) / "broken" / STUDY_FILE).write_text("{nonsense")
        app = searching(study="broken")
        assert "is damaged: it is no complete JSON" in words(app)
        assert "Delete" in buttons(app)
        app.selectbox(key=Key.STUDY).set_value("first")
        assert "Best settings so far" in words(again(app))

    def test_rename(self, full):
        app = click(searching(), item_button_key(SEARCHES, Action.RENAME))
        app.text_input(key=KitKey.DIALOG_NAME.of("first")).set_value("wide")
        click(app, KitKey.DIALOG_DO)
        assert app.selectbox(key=Key.STUDY).value == "wide" and find_study(full, "wide").id == "first"

    def test_two_processes_at_work(self, full):
        folder = studies_folder(full) / "first"
        put_job(folder, "Trial 4, epoch 1 of 2")
        shutil.copytree(run_job_folder(folder), folder / "job-other")
        (folder / "job-other" / "progress.json").write_text(json.dumps({"step": "Trial 5, epoch 2 of 2"}))
        app = searching()
        assert sorted(bar.proto.text for bar in app.get("progress")) == [
            "Trial 4, epoch 1 of 2 · 3 of 10", "Trial 5, epoch 2 of 2",
        ]  # fmt: skip
        click(app, KitKey.JOB_STOP.of("search"))
        assert all((folder / job / "stop").exists() for job in ("job", "job-other"))

    def test_delete_and_restore(self, full):
        app = click(searching(), item_button_key(SEARCHES, Action.DELETE))
        click(app, KitKey.DIALOG_DO)
        assert [study.name for study in studies_of(full).deleted()] == ["first"]
        click(app, KitKey.DIALOG_BIN)
        click(app, restore_key(SEARCHES, studies_of(full).deleted()[0]))
        assert app.selectbox(key=Key.STUDY).value == "first"
        assert find_study(full, "first").best


def metrics(**columns: list[object]) -> pd.DataFrame:
    length = max(len(values) for values in columns.values())
    empty = {name: [None] * length for name in ("loss", "val_loss", "val_top1")}
    return pd.DataFrame({"epoch": range(1, length + 1), **empty, **columns})


class TestFigures:
    def test_the_best_is_in_the_title(self):
        chart = accuracy_curves({"a": metrics(val_top1=[0.5, 0.93]), "b": metrics(val_top1=[0.6, 0.7])})
        assert chart.title == "a is best: 93% validation accuracy"
        assert "a: best 93.0% after epoch 2" in chart.alt
        assert len({(line.line.dash, line.marker.symbol) for line in chart.figure.data}) == 2

    def test_a_draw_is_a_draw(self):
        chart = accuracy_curves({"a": metrics(val_top1=[0.931]), "b": metrics(val_top1=[0.929])})
        assert chart.title == "a and b are equally good: 93% validation accuracy"

    def test_loss(self):
        assert loss_curves({"a": metrics(val_loss=[2, 1, 1.2])}).title == "Lowest validation loss 1.00, after epoch 2"
        rising = loss_curves({"a": metrics(val_loss=[2, 1, 1.2, 1.3, 1.4])})
        assert rising.title.endswith("it has risen since")
        both = loss_curves({"a": metrics(val_loss=[2, 1]), "b": metrics(val_loss=[2, 0.5])})
        assert both.title == "b has the lowest validation loss 0.50"
        assert loss_curves({"a": metrics(val_loss=[2]), "b": metrics(loss=[2])}).title.startswith("Only a has recorded")
        assert "training loss" in loss_curves({"a": metrics(loss=[2]), "b": metrics(loss=[1])}).title

    def test_nothing_to_draw(self):
        assert accuracy_curves({"a": metrics(val_top1=[None, "x", float("inf")])}) is None
        assert loss_curves({"a": metrics(val_top1=[1])}) is None

    def test_trials(self):
        trials = pd.DataFrame(
            {
                "number": [0, 1, 2],
                "state": ["complete", "complete", "pruned"],
                "val_top1": [0.5, 0.75, 0.9],
                "learning_rate": [1e-3, 1e-2, 1.0],
                "augmentation": ["light", "none", "none"],
                "weight_decay": [0.1, 0.1, 0.1],
            }
        )
        chart = trials_plot(trials, ["learning_rate", "augmentation", "weight_decay"])
        assert chart.title == "Trial 2 is best: 75% validation accuracy, 25.0 points more than the unchanged recipe"
        rate, words_axis, decay, right = chart.figure.data[0].dimensions
        assert list(rate["values"]) == pytest.approx([-3, -2])
        assert list(words_axis.ticktext) == ["light", "none"]
        assert decay.range[0] < decay["values"][0] < decay.range[1]
        assert list(right["values"]) == [0.5, 0.75]
        assert trials_plot(trials.head(1), ["learning_rate"]) is None

    @pytest.mark.parametrize(
        ("numbers", "ending"),
        [
            ([0], "with the unchanged recipe"),
            ([1], "validation accuracy"),
            ([0, 1], "the same as the unchanged recipe"),
        ],
    )
    def test_finding_of_trials(self, numbers, ending):
        trials = pd.DataFrame({"number": numbers, "val_top1": [0.5] * len(numbers)})
        if ending.startswith("the same"):
            trials.loc[1, "val_top1"] = 0.50001
        assert best_finding(trials).endswith(ending)


class TestWords:
    def test_values(self):
        assert spoken.setting_value("init", "C:\\weights\\a.safetensors") == "a.safetensors"
        assert spoken.setting_value("network", "resnet18") == "ResNet-18"
        assert spoken.setting_value("network", "unheard of") == "unheard of"
        assert spoken.setting_value("freeze", False) == "no"
        assert spoken.setting_value("seed", None) == "–"
        assert spoken.photo_counts({}, None) == "–"
        assert spoken.photo_counts({"train": 1200}, 130.0) == "1,200 / 130"

    def test_every_setting_of_a_recipe_has_a_name(self):
        fields = {*make_recipe("finetune").to_dict(), "augmentation"}
        assert {field for field in fields if spoken.setting_name(field) == field} == set()
        assert spoken.settings_in_order({"seed", "network", "unheard of"}) == ["network", "seed", "unheard of"]
