"""The Evaluate page in AppTest: every section and every state of an evaluation, with real folders and jobs."""

import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sneaker_core.datasets.dataset_collection import create_dataset, find_dataset
from sneaker_core.datasets.review_log import Action as ReviewAction
from sneaker_core.datasets.review_log import decide, history
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.datasets.split import write_split
from sneaker_core.evaluation import evaluation_collection
from sneaker_core.evaluation.comparison import compare
from sneaker_core.evaluation.confusion_matrix import confusion_matrix, photos_in_cell
from sneaker_core.evaluation.evaluation_collection import evaluations_of, find_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.evaluation_job import evaluate
from sneaker_core.evaluation.evaluation_record import EVALUATION_FILE, Evaluation
from sneaker_core.evaluation.metric_text import key_metrics, pair_text, verdict
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.reliability import coverage_at
from sneaker_core.evaluation.robustness_job import robustness_job_folder
from sneaker_core.evaluation.table_columns import misclassified
from sneaker_core.networks.bundled_models import DEFAULT_MODEL, SYNTHETIC_MODEL
from sneaker_core.networks.checkpoint import read_spec, save_model
from sneaker_core.networks.decision import Decision
from sneaker_core.number_text import percent
from sneaker_core.workspace.jobs import JobState
from sneaker_core.workspace.paths import (
    BUNDLED_MODELS,
    PREDICTIONS_FILE,
    cache_folder,
    evaluation_job_folder,
    evaluations_folder,
    run_model_folder,
    runs_folder,
)
from tests.app_pages import again, open_page, plain, words
from tests.factories import draw_dataset, jpeg, lively_model, photo_of_class, write
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluate_sections import ALL_EVALUATIONS, OLD_SECTIONS, SECTIONS
from ui.evaluate.mistakes_view import BY_PAIR, NEAR_MISSES, by_pair
from ui.evaluate.prediction_review import NOT_IN_DATASET
from ui.kit.item_dialogs import Action, OpenDialog
from ui.kit.photo_detail import PHOTO_PARAM
from ui.kit.state_keys import KitKey

PROJECT = Path(__file__).resolve().parent.parent
PATIENCE = 120.0
BUILT_IN, WITH_PICTURES = "street72, built in", "synthetic12, built in"
FIRST, SECOND = "first", "second"
# An evaluation can't have the name of a run.
FIRST_RUN, SECOND_RUN = "first run", "second run"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a dataset, two models and an evaluation of each. Don't change it; copy it."""
    root = tmp_path_factory.mktemp("made")
    workspace = root / "workspace"
    photos = draw_dataset(root / "photos", {"boot": 8, "clog": 8, "sandal": 6, "stiletto": 2})
    import_photos(create_dataset(workspace, "shoes"), photos)
    for name, run, seed in ((FIRST, FIRST_RUN, 0), (SECOND, SECOND_RUN, 3)):
        folder = run_model_folder(runs_folder(workspace) / run)
        save_model(lively_model(decision=Decision(confidence_threshold=0.7), seed=seed), folder)
        table = evaluate(folder, "shoes", workspace).table
        write_split(folder, table.assign(split=np.where(np.arange(len(table)) % 2, "test", "train")))
        evaluate(folder, "shoes", workspace, "all", name=name)
    return workspace


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace, as on a new machine."""
    monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(tmp_path / "workspace"))
    st.cache_data.clear()
    st.cache_resource.clear()
    return tmp_path / "workspace"


@pytest.fixture
def full(home: Path, made: Path) -> Path:
    """A copy of the workspace `made`; its evaluations know the new paths of their photos."""
    shutil.copytree(made, home)
    for file in evaluations_folder(home).glob(f"*/{EVALUATION_FILE}"):
        file.write_text(file.read_text().replace(str(made), str(home)))
    return home


def opened(view: str | None = None, evaluation: str | None = None, **query: str) -> AppTest:
    asked = {Key.EVALUATION: evaluation, Key.SECTION: view, **query}
    return open_page("evaluate", **{key: value for key, value in asked.items() if value is not None})


def click(app: AppTest, label: str, number: int = 0) -> AppTest:
    """Press a button by its label."""
    pressed = [button for button in app.button if plain(button.label) == label]
    assert pressed, [button.label for button in app.button]
    pressed[number].click()
    return again(app)


def buttons(app: AppTest) -> list[str]:
    return [plain(button.label) for button in app.button]


def boxes(app: AppTest) -> dict[str, object]:
    return {box.label: box for box in app.selectbox}


def tiles(app: AppTest) -> int:
    return buttons(app).count("Look closer")


def photo_of(app: AppTest) -> str:
    """The photo in the address; AppTest returns a list if the test has set it."""
    value = app.query_params[PHOTO_PARAM]
    return value if isinstance(value, str) else value[0]


def table_of(name: str, workspace: Path):
    return read_table(find_evaluation(workspace, name))


def errors_of(name: str, workspace: Path):
    return misclassified(table_of(name, workspace))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The photos of the bundled evaluation, drawn once: a workspace keeps them in its cache."""
    workspace = tmp_path_factory.mktemp("drawn")
    read_table(find_evaluation(workspace, SYNTHETIC_MODEL))
    return cache_folder(workspace) / "synthetic"


class TestOnAFreshMachine:
    @pytest.fixture(autouse=True)
    def drawn_before(self, home, drawn):
        cache_folder(home).mkdir(parents=True)
        (cache_folder(home) / "synthetic").symlink_to(drawn)

    def test_the_bundled_evaluation_is_shown_at_once(self, home):
        app = opened()
        table = read_table(find_evaluation(home, SYNTHETIC_MODEL))
        assert app.selectbox(key=Key.EVALUATION).value == WITH_PICTURES
        figures = {metric.label: metric.value for metric in app.metric}
        assert figures == {
            **{one.title: one.value_text for one in key_metrics(summary(table))},
            "Baseline": percent(summary(table)["majority"], 1),
        }
        assert "are not included" not in words(app)
        assert "are not included" in words(opened("Summary", BUILT_IN))

    def test_its_mistakes_have_pictures(self, home):
        app = opened("Mistakes")
        assert tiles(app) == len(misclassified(read_table(find_evaluation(home, SYNTHETIC_MODEL))))
        assert "not included" not in words(app) and len(app.get("image")) >= tiles(app)

    @pytest.mark.parametrize("view", [*SECTIONS, ALL_EVALUATIONS])
    def test_every_section_has_an_address(self, home, view):
        app = opened(view)
        assert app.segmented_control(key=Key.SECTION).value == view
        assert not app.error

    @pytest.mark.parametrize(("old", "new"), list(OLD_SECTIONS.items()))
    def test_a_section_in_an_old_address_is_found(self, home, old, new):
        assert opened(old).segmented_control(key=Key.SECTION).value == new

    def test_a_photo_that_is_not_included_shows_its_properties(self, home):
        app = opened("Mistakes", BUILT_IN)
        wrong = misclassified(read_table(find_evaluation(home, DEFAULT_MODEL)))
        text = words(app)
        assert "This photo is not included with the evaluation." in text
        assert f"{wrong['width'].iloc[0]:.0f} × {wrong['height'].iloc[0]:.0f} pixels" in text
        assert tiles(app) == min(len(wrong), 24)
        case = words(click(app, "Look closer"))
        assert NOT_IN_DATASET in case
        assert "saved without training photos" in case

    def test_there_is_nothing_to_compare_with(self, home, tmp_path, monkeypatch):
        shutil.copytree(BUNDLED_MODELS / SYNTHETIC_MODEL, tmp_path / "models" / SYNTHETIC_MODEL)
        monkeypatch.setattr(evaluation_collection, "BUNDLED_MODELS", tmp_path / "models")
        assert "no other evaluation" in words(opened("Compare"))


class TestSummary:
    def test_every_metric_has_a_description_and_an_interval(self, full):
        app = opened("Summary", FIRST)
        text = words(app)
        figures = summary(table_of(FIRST, full))
        for one in key_metrics(figures):
            assert f"{one.title} {one.value_text}" in text
            assert one.interval_text in text
            assert one.description in text
        assert f"Baseline {percent(figures['majority'], 1)}" in text

    def test_classes_that_the_model_does_not_know_are_named(self, full):
        assert "stiletto (2 photos)" in words(opened("Summary", FIRST))
        assert "could not be evaluated" not in words(opened("Summary", BUILT_IN))

    def test_unreadable_photos_are_reported(self, full):
        file = evaluations_folder(full) / FIRST / EVALUATION_FILE
        told = json.loads(file.read_text()) | {"rejected": {"/x/odd.jpg": "The file is no image."}}
        file.write_text(json.dumps(told))
        assert "1 photo could not be read. The file is no image." in words(opened("Summary", FIRST))


class TestMatrix:
    def test_every_pair_opens_exactly_its_photos(self, full):
        app = opened("Mistakes", FIRST)
        confusions = summary(table_of(FIRST, full))["confusions"]
        assert confusions
        for row in confusions:
            click(app, pair_text(row))
            assert app.selectbox(key=Key.MATRIX_TRUE).value == row["label"]
            assert app.selectbox(key=Key.MATRIX_PREDICTED).value == row["predicted"]
            assert tiles(app) == row["count"]
            assert f"{row['count']} of {row['of']} photos of {row['label']} predicted as {row['predicted']}" in words(
                app
            )

    def test_the_boxes_open_every_cell(self, full):
        app = opened("Mistakes", FIRST)
        counts = confusion_matrix(table_of(FIRST, full))
        label = counts.index[0]
        app.selectbox(key=Key.MATRIX_TRUE).set_value(label)
        assert tiles(again(app)) == counts.loc[label].sum()
        for predicted in counts.columns:
            app.selectbox(key=Key.MATRIX_PREDICTED).set_value(predicted)
            assert tiles(again(app)) == counts.loc[label, predicted]

    def test_the_selection_survives_every_setting(self, full):
        row = summary(table_of(FIRST, full))["confusions"][0]
        app = opened("Mistakes", FIRST, true=row["label"], predicted=row["predicted"])
        app.segmented_control(key=Key.MATRIX_UNIT).set_value("Percentages")
        again(app).selectbox(key=Key.MATRIX_ORDER).set_value("Confused classes together")
        again(app).selectbox(key=Key.MATRIX_WORST).set_value("5 worst")
        again(app).toggle(key=Key.MATRIX_ERRORS).set_value(True)
        again(app)
        assert app.selectbox(key=Key.MATRIX_TRUE).value == row["label"]
        assert tiles(app) == row["count"]
        assert tiles(click(app, "Clear selection")) == len(errors_of(FIRST, full))

    def test_classes_of_another_evaluation_are_deselected(self, full):
        app = opened("Mistakes", FIRST, true="boot")
        assert tiles(app) == summary(table_of(FIRST, full))["per_class"]["boot"]["n"]
        app.selectbox(key=Key.EVALUATION).set_value(BUILT_IN)
        assert app.selectbox(key=Key.MATRIX_TRUE).value in (None, "boot")
        again(app)
        assert app.selectbox(key=Key.MATRIX_TRUE).value is None


class TestClassesAndSlices:
    @pytest.mark.parametrize("figure", ["recall", "precision", "f1"])
    def test_the_table_has_every_class_the_worst_first(self, full, figure):
        app = opened("Classes", FIRST)
        title = next(name for name in app.segmented_control(key=Key.CLASS_METRIC).options if figure in name.casefold())
        app.segmented_control(key=Key.CLASS_METRIC).set_value(title)
        shown = again(app).dataframe[0].value.set_index("class")
        per_class = summary(table_of(FIRST, full))["per_class"]
        assert set(shown.index) == set(per_class)
        assert list(shown[figure]) == sorted(100 * row[figure] for row in per_class.values())

    def test_slices_show_the_split_of_the_model(self, full):
        shown = opened("Classes", FIRST).dataframe[-1].value
        split = shown[shown["slice"] == "split"]
        assert set(split["value"]) == {"test"}  # training photos don't count
        assert split["n"].sum() == find_evaluation(full, FIRST).n


def test_robustness_is_checked_once_at_a_time(full):
    assert "Check robustness" in buttons(opened("Trust", FIRST))
    put_job(full, "busy").rename(robustness_job_folder(find_evaluation(full, FIRST)))
    assert "Check robustness" not in buttons(opened("Trust", FIRST))


class TestCalibration:
    def test_the_threshold_is_explored_saved_and_reset(self, full):
        app = opened("Trust", FIRST)
        folder = run_model_folder(runs_folder(full) / FIRST_RUN)
        slider = app.slider[0]
        assert slider.value == 70.0
        slider.set_value(55.0)
        text = words(again(app))
        there = coverage_at(table_of(FIRST, full), 0.55)
        assert f"{there.answered} of {there.n} photos are answered ({percent(there.coverage)})" in text
        assert read_spec(folder).decision.confidence_threshold == 0.7
        text = words(click(app, "Save 55% to the model"))
        assert read_spec(folder).decision.confidence_threshold == 0.55
        assert "uses a threshold of 55% (set by hand)" in text.replace("**", "")
        click(app, "Reset to 70%")
        assert read_spec(folder).decision.confidence_threshold == 0.7
        assert app.slider[0].value == 70.0

    def test_each_world_has_its_own_curves(self, full, tmp_path):
        for seed in range(4):
            write(tmp_path / "phone" / "boot" / f"{seed}.jpg", jpeg(photo_of_class(1, 50 + seed)))
        folder = run_model_folder(runs_folder(full) / FIRST_RUN)
        sources = {"shop": "shoes", "phone": str(tmp_path / "phone")}
        table = evaluate(folder, sources, full, "all", name="both").table
        assert "Photos" not in [one.label for one in opened("Trust", FIRST).segmented_control]
        app = opened("Trust", "both")
        for world, rows in (("", table), ("phone", table[table["world"] == "phone"])):
            control = next(one for one in app.segmented_control if one.label == "Photos")
            assert set(control.options) == {"All photos", "phone", "shop"}
            control.set_value(world)
            again(app)
            there = coverage_at(rows, 0.7)
            assert f"{there.answered} of {there.n} photo" in words(app)

    def test_without_its_model_nothing_can_be_saved(self, full):
        shutil.rmtree(runs_folder(full) / FIRST_RUN)
        app = opened("Trust", FIRST)
        assert "no longer exists or has been retrained" in words(app)
        assert not [label for label in buttons(app) if label.startswith("Save")]


class TestMistakes:
    def test_all_mistakes_the_most_confident_first(self, full):
        wrong = errors_of(FIRST, full)
        app = opened("Mistakes", FIRST)
        assert tiles(app) == len(wrong) > 0
        assert f"0 of {len(wrong)} mistakes reviewed" in [str(bar.proto.text) for bar in app.get("progress")]
        first = photo_of(click(app, "Look closer"))
        assert first == wrong["sample"].iloc[0]

    @pytest.mark.parametrize("order", [NEAR_MISSES, BY_PAIR])
    def test_other_orders(self, full, order):
        app = opened("Mistakes", FIRST)
        app.segmented_control(key=Key.MISTAKES_ORDER).set_value(order)
        again(app)
        table = table_of(FIRST, full)
        expected = misclassified(table, near_misses=True) if order == NEAR_MISSES else by_pair(misclassified(table))
        first = photo_of(click(app, "Look closer"))
        assert first == expected["sample"].iloc[0]

    def test_filters(self, full):
        wrong = errors_of(FIRST, full)
        app = opened("Mistakes", FIRST)
        label, predicted = wrong[["label", "predicted"]].iloc[0]
        app.multiselect[0].set_value([label])
        assert tiles(again(app)) == (wrong["label"] == label).sum()
        app.multiselect[1].set_value([predicted])
        both = wrong[(wrong["label"] == label) & (wrong["predicted"] == predicted)]
        assert tiles(again(app)) == len(both)
        app.slider[0].set_value((0, 1))
        assert "No mistakes match" in words(again(app))

    def test_without_mistakes_it_says_so(self, full):
        table = table_of(FIRST, full)
        right = table[table["label"] == table["predicted"]]
        right.to_parquet(evaluations_folder(full) / FIRST / PREDICTIONS_FILE)
        assert "No photo was misclassified" in words(opened("Mistakes", FIRST))


class TestPhotoDetails:
    def test_the_address_opens_it(self, full):
        row = errors_of(FIRST, full).iloc[0]
        app = opened("Mistakes", FIRST, photo=row["sample"])
        text = words(app)
        assert (
            f"**{row['label']}** was predicted as **{row['predicted']}** with {percent(row['probability'])} confidence"
            in text
        )
        assert f"Evidence for the predicted class, **{row['predicted']}**" in text
        assert f"Evidence for the true class, **{row['label']}**" in text
        assert text.count("% similar") == 6

    def test_a_photo_that_is_not_in_it(self, full):
        assert "is not part of the evaluation" in words(opened("Summary", FIRST, photo="nothing"))

    def test_next_and_previous(self, full):
        order = list(errors_of(FIRST, full)["sample"])
        app = opened("Mistakes", FIRST, photo=order[0])
        assert photo_of(click(app, "Next")) == order[1]
        assert photo_of(click(app, "Previous")) == order[0]

    @pytest.mark.parametrize(
        ("button", "action"),
        [("Bad photo: exclude", ReviewAction.EXCLUDE), ("Label is right: keep", ReviewAction.KEEP)],
    )
    def test_decisions_are_logged_and_can_be_undone(self, full, button, action):
        wrong = errors_of(FIRST, full)
        sample = wrong["sample"].iloc[0]
        app = opened("Mistakes", FIRST, photo=sample)
        click(app, button)
        log = history(find_dataset(full, "shoes"))
        assert list(log[["sample", "action"]].iloc[0]) == [sample, action.value]
        assert f"1 of {len(wrong)} mistakes reviewed" in [str(bar.proto.text) for bar in again(app).get("progress")]
        click(app, "Undo")
        assert history(find_dataset(full, "shoes"))["undone"].notna().all()

    def test_relabel_as_the_predicted_class(self, full):
        row = errors_of(FIRST, full).iloc[0]
        app = opened("Mistakes", FIRST, photo=row["sample"])
        box = next(box for box in app.selectbox if box.label == "New class")
        assert box.value == row["predicted"]
        text = words(click(app, "Relabel"))
        log = history(find_dataset(full, "shoes"))
        assert list(log[["sample", "action", "label"]].iloc[0]) == [row["sample"], "relabel", row["predicted"]]
        assert f"Its class is now **{row['predicted']}**" in text

    def test_reviewed_photos_can_be_hidden(self, full):
        wrong = errors_of(FIRST, full)
        decide(find_dataset(full, "shoes"), list(wrong["sample"][:2]), ReviewAction.KEEP)
        app = opened("Mistakes", FIRST)
        next(one for one in app.toggle if one.label == "Hide reviewed").set_value(True)
        assert tiles(again(app)) == len(wrong) - 2

    def test_evaluate_again_with_the_corrections(self, full):
        wrong = errors_of(FIRST, full)
        decide(find_dataset(full, "shoes"), list(wrong["sample"]), ReviewAction.EXCLUDE)
        app = opened("Mistakes", FIRST)
        click(app, "Evaluate again with these corrections")
        again = find_evaluation(full, str(app.selectbox(key=Key.EVALUATION).value))
        deadline = time.monotonic() + PATIENCE
        while not again.state.ended and time.monotonic() < deadline:
            time.sleep(0.2)
            again = find_evaluation(full, again.name)
        assert again.top1 == 1.0
        assert again.n == find_evaluation(full, FIRST).n - len(wrong)

    def test_a_photo_in_no_dataset_cannot_be_reviewed(self, full):
        photos = draw_dataset(full.parent / "elsewhere", {"boot": 6, "clog": 6})
        for file in photos.rglob("*.jpg"):
            file.write_bytes(file.read_bytes() + b"\0")
        model = run_model_folder(runs_folder(full) / FIRST_RUN)
        evaluate(model, photos, full, name="folder")
        sample = errors_of("folder", full)["sample"].iloc[0]
        app = opened("Mistakes", "folder", photo=sample)
        assert NOT_IN_DATASET in words(app)
        assert "Bad photo: exclude" not in buttons(app)

    def test_photos_of_a_folder_that_are_in_a_dataset_can_be_reviewed(self, full, made):
        model = run_model_folder(runs_folder(full) / FIRST_RUN)
        evaluate(model, made.parent / "photos", full, name="folder")
        sample = errors_of("folder", full)["sample"].iloc[0]
        assert "Bad photo: exclude" in buttons(opened("Mistakes", "folder", photo=sample))

    def test_a_model_that_is_gone(self, full):
        shutil.rmtree(runs_folder(full) / FIRST_RUN)
        sample = errors_of(FIRST, full)["sample"].iloc[0]
        text = words(opened("Mistakes", FIRST, photo=sample))
        assert "can’t be explained" in text
        assert "Evidence for" not in text

    def test_photos_that_are_gone(self, full):
        sample = errors_of(FIRST, full)["sample"].iloc[0]
        shutil.rmtree(find_dataset(full, "shoes").images)
        assert "is missing or can’t be read" in words(opened("Mistakes", FIRST, photo=sample))


class TestCompare:
    def test_fixed_means_correct_in_the_newer_one_whichever_is_open(self, full):
        found = compare(table_of(FIRST, full), table_of(SECOND, full))
        for one, other in ((FIRST, SECOND), (SECOND, FIRST)):
            app = opened("Compare", one, against=other)
            changed = next(control for control in app.segmented_control if control.label == "Photos that changed")
            assert changed.options == [f"Fixed ({len(found.fixed)})", f"Broken ({len(found.broken)})"]
            assert f"fixes {len(found.fixed)} photo" in words(app)

    def test_two_models_on_the_same_photos(self, full):
        app = opened("Compare", FIRST, against=SECOND)
        found = compare(table_of(FIRST, full), table_of(SECOND, full))
        text = words(app)
        assert verdict(found, FIRST, SECOND) in text
        assert f"Fixed ({len(found.fixed)})" in app.segmented_control[-1].options
        shown = app.table[0].value
        assert shown.loc["Top-1 accuracy"].str.contains("%").all()
        app.segmented_control[-1].set_value("Broken")
        assert tiles(again(app)) == min(len(found.broken), 24)

    def test_nothing_is_shared(self, full):
        app = opened("Compare", FIRST, against=BUILT_IN)
        assert "no photo with the same label in common" in words(app)


class TestList:
    def test_all_kinds_are_listed(self, full):
        table_of(FIRST, full).to_parquet(runs_folder(full) / FIRST_RUN / PREDICTIONS_FILE)
        shown = opened(ALL_EVALUATIONS).dataframe[0].value.set_index("name")
        assert set(shown.index) == {FIRST, SECOND, BUILT_IN, WITH_PICTURES, f"{FIRST_RUN}, training run"}
        assert shown.loc[FIRST, "top1"] == pytest.approx(100 * find_evaluation(full, FIRST).top1)

    def test_the_evaluation_of_a_run_is_found_by_its_old_name(self, full):
        table_of(FIRST, full).to_parquet(runs_folder(full) / FIRST_RUN / PREDICTIONS_FILE)
        app = opened("Summary", f"{FIRST_RUN}, after its training")
        assert app.selectbox(key=Key.EVALUATION).value == f"{FIRST_RUN}, training run"

    def test_a_damaged_one_says_what_is_wrong_and_does_not_affect_others(self, full):
        (evaluations_folder(full) / FIRST / EVALUATION_FILE).write_text("{")
        assert "is damaged: it is no" in words(opened("Summary", FIRST))
        assert "Top-1 accuracy" in words(opened("Summary", SECOND))
        (evaluations_folder(full) / SECOND / PREDICTIONS_FILE).write_bytes(b"PAR1")
        assert "is damaged: it is no" in words(opened("Summary", SECOND))

    def test_rename(self, full):
        app = opened("Summary", FIRST)
        menu(app, Action.RENAME, FIRST)
        box = next(box for box in app.text_input if box.label == "Name")
        box.set_value("a better name")
        click(app, "Rename")
        assert app.selectbox(key=Key.EVALUATION).value == "a better name"
        assert find_evaluation(full, "a better name").is_ready

    def test_delete_and_restore(self, full):
        app = opened("Summary", FIRST)
        menu(app, Action.DELETE, FIRST)
        click(app, "Delete")
        assert [one.name for one in evaluations_of(full).deleted()] == [FIRST]
        assert app.selectbox(key=Key.EVALUATION).value != FIRST
        menu(app, Action.RESTORE)
        click(app, "Restore")
        assert app.selectbox(key=Key.EVALUATION).value == FIRST


def menu(app: AppTest, action: Action, *ids: str) -> AppTest:
    """Choose from the menu "More", which AppTest can't operate."""
    app.session_state[KitKey.DIALOG] = OpenDialog(action, Key.EVALUATION, ids)
    return again(app)


def put_job(workspace: Path, name: str, step: str = "Evaluating photos", end: dict[str, object] | None = None) -> Path:
    """Files of an evaluation job; it is running unless `end` is given."""
    folder = evaluation_job_folder(evaluations_folder(workspace) / name)
    folder.mkdir(parents=True)
    now = time.time()
    arguments = ["--workspace", str(workspace), "evaluate", "--data", "shoes", "--name", name, "--", FIRST_RUN]
    job = {"title": f"Evaluating {FIRST_RUN} on shoes", "arguments": arguments, "started": now}
    (folder / "job.json").write_text(json.dumps(job))
    (folder / "progress.json").write_text(json.dumps({"done": 3, "total": 22, "step": step, "rate": 2.0}))
    (folder / "heartbeat").touch()
    if end is not None:
        (folder / "end.json").write_text(json.dumps(end))
    return folder


class TestJobs:
    def test_start_follow_and_show(self, full):
        app = opened("Summary", FIRST)
        click(app, "New evaluation")
        # The model that comes with SoleScope knows none of these classes.
        assert "The photos show boot, clog, sandal, stiletto; the model knows adidas Forum" in words(app)
        assert app.button(key=Key.START).disabled
        boxes(app)["Model"].set_value(SECOND_RUN)
        assert "1 photo will be left out, of 1 class that the model doesn't know: stiletto." in words(again(app))
        box = next(box for box in app.text_input if box.label == "Name")
        box.set_value("mine")
        click(app, "Start")
        assert app.selectbox(key=Key.EVALUATION).value == "mine"
        deadline = time.monotonic() + PATIENCE
        while not find_evaluation(full, "mine").state.ended and time.monotonic() < deadline:
            time.sleep(0.2)
        assert "Top-1 accuracy" in words(again(app))
        assert find_evaluation(full, "mine").model_folder == run_model_folder(runs_folder(full) / SECOND_RUN)

    def test_a_missing_folder_is_an_error(self, full):
        app = opened("Summary", FIRST)
        click(app, "New evaluation")
        boxes(app)["Model"].set_value(SECOND_RUN)
        app.segmented_control(key=Key.SOURCE).set_value("Folder on this computer")
        again(app).text_input(key=Key.FOLDER).set_value("/nowhere/at/all")
        assert "There is no folder" in words(click(again(app), "Start"))

    def test_running_and_stopped(self, full):
        folder = put_job(full, "busy")
        app = opened("Summary", "busy")
        assert "Evaluating photos · 3 of 22" in [bar.proto.text.split(" · 2.0")[0] for bar in app.get("progress")]
        assert "**busy** is running" in words(opened("Summary", FIRST))
        click(app, "Stop")
        assert (folder / "stop").exists()
        assert "Stopping…" in buttons(again(app))

    @pytest.mark.parametrize(
        ("end", "said"),
        [
            ({"state": "failed", "error": "The disk is full."}, "The disk is full."),
            ({"state": "stopped"}, "was stopped. Nothing was kept."),
        ],
    )
    def test_failed_or_stopped(self, full, end, said):
        put_job(full, "busy", end=end)
        app = opened("Summary", "busy")
        assert said in words(app)
        assert "Try again" in buttons(app)

    def test_interrupted_and_started_again(self, full):
        folder = put_job(full, "busy")
        for file in ("heartbeat", "job.json"):
            os.utime(folder / file, (1, 1))
        assert find_evaluation(full, "busy").state is JobState.INTERRUPTED
        app = opened("Summary", "busy")
        assert "was interrupted; the process is no longer running" in words(app)
        click(app, "Try again")
        deadline = time.monotonic() + PATIENCE
        while not find_evaluation(full, "busy").is_ready and time.monotonic() < deadline:
            time.sleep(0.2)
        found: Evaluation = find_evaluation(full, "busy")
        assert found.is_ready
        assert len(photos_in_cell(read_table(found))) == found.n
