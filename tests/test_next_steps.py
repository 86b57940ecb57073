"""The way from photos to a better model: which step comes next, and what a run gained over the one before."""

import json
import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sneaker_core.datasets.dataset_collection import create_dataset, find_dataset
from sneaker_core.datasets.dataset_split import make_split
from sneaker_core.datasets.index import read_samples
from sneaker_core.datasets.review_log import Action, decide, last_change, undo
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.errors import DatasetError, RunError
from sneaker_core.training.next_steps import PathState, Step, dataset_state, next_steps, run_state, steps_from
from sneaker_core.training.pretrained_weights import split_of
from sneaker_core.training.recipe import make_recipe
from sneaker_core.training.run_collection import delete_run, find_run, list_runs
from sneaker_core.training.run_gains import gain_of, run_before
from sneaker_core.training.train_model import train
from sneaker_core.workspace.jobs import stop_job
from sneaker_core.workspace.paths import RUN_FILE, run_model_folder, runs_folder
from tests.factories import PROJECT, draw_dataset, run_command
from tests.links import follow_link, link_labels
from ui.runs.runs_keys import Key as RunsKey
from ui.train.train_keys import Key as TrainKey

SMALL = {"init": "none", "size": 32, "small_size": 32, "batch": 8, "epochs": 1}
READY = PathState(photos=20, classes=2, is_checked=True, has_split=True)


def with_(**changes: object) -> PathState:
    return PathState(**{**vars(READY), **changes})


@pytest.mark.parametrize(
    ("state", "steps"),
    [
        (PathState(), [Step.ADD]),
        (with_(classes=1), [Step.ADD]),
        (with_(is_checked=False, has_split=False), [Step.CHECK, Step.SPLIT, Step.TRAIN]),
        (with_(to_review=3, has_split=False), [Step.REVIEW, Step.SPLIT, Step.TRAIN]),
        (READY, [Step.TRAIN]),
        (with_(is_training=True, has_split=False), [Step.WATCH]),
        (with_(has_model=True), [Step.MISTAKES]),
        (with_(has_model=True, is_changed=True, has_before=True), [Step.RETRAIN]),
        (with_(has_model=True, has_before=True), [Step.GAIN, Step.MISTAKES]),
    ],
)
def test_the_steps_follow_from_the_state(state, steps):
    assert list(next_steps(state)) == steps


def test_what_lies_ahead_depends_on_where_you_are():
    steps = (Step.REVIEW, Step.SPLIT, Step.TRAIN)
    assert steps_from(steps, None) == (steps, False)
    assert steps_from(steps, Step.CHECK) == (steps, False)
    assert steps_from(steps, Step.REVIEW) == ((Step.SPLIT, Step.TRAIN), True)
    assert steps_from((Step.MISTAKES,), Step.MISTAKES) == ((), True)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a split dataset and two runs on it. Do not change it: copy it."""
    folder = tmp_path_factory.mktemp("trained")
    photos = draw_dataset(folder / "photos", {"boot": 12, "clog": 12})
    dataset = create_dataset(folder, "shoes")
    import_photos(dataset, photos)
    make_split(dataset, 0.2, 0.3, 0)
    for name, rate in (("first", 1e-4), ("second", 5e-3)):
        made = make_recipe("quick", {**SMALL, "learning_rate": rate})
        train("shoes", made, runs_folder(folder) / name, folder)
    return folder


@pytest.fixture
def workspace(trained: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained, tmp_path / "workspace")
    return tmp_path / "workspace"


def test_a_decision_after_the_training_asks_for_another_one(workspace):
    dataset, run = find_dataset(workspace, "shoes"), find_run(workspace, "second")
    assert next_steps(dataset_state(workspace, dataset))[-2:] == (Step.GAIN, Step.MISTAKES)
    sample = str(read_samples(dataset)["sample"].iloc[0])
    decide(dataset, [sample], Action.KEEP)
    assert last_change(dataset) < run.created
    decide(dataset, [sample], Action.EXCLUDE)
    assert run_state(workspace, run, dataset).is_changed
    assert next_steps(dataset_state(workspace, dataset))[-1] is Step.RETRAIN
    undo(dataset)
    assert last_change(dataset) > run.created  # the run may have been trained without it


def test_photos_of_no_dataset_still_lead_to_the_mistakes(workspace):
    state = run_state(workspace, find_run(workspace, "second"), None)
    assert next_steps(state) == (Step.GAIN, Step.MISTAKES)


def test_the_run_before_is_compared_on_photos_that_neither_has_used(workspace):
    first, second = find_run(workspace, "first"), find_run(workspace, "second")
    assert run_before(workspace, first) is None
    assert run_before(workspace, second).name == "first"
    gain = gain_of(workspace, second)
    samples = read_samples(find_dataset(workspace, "shoes"))
    assert gain.comparison.n == (samples["split"] == "test").sum()
    assert gain.text().startswith(f"On the same {gain.comparison.n} test photos: ")
    with pytest.raises(RunError, match="no earlier run"):
        gain_of(workspace, first)


def test_a_photo_that_one_of_the_models_was_trained_on_does_not_count(workspace):
    dataset = find_dataset(workspace, "shoes")
    before = gain_of(workspace, find_run(workspace, "second")).comparison.n
    make_split(dataset, 0.2, 0.3, 1)  # other test photos, some of which the second run was trained on
    made = make_recipe("quick", {**SMALL, "init": "second", "learning_rate": 1e-3})
    train("shoes", made, runs_folder(workspace) / "third", workspace)
    third = find_run(workspace, "third")
    assert run_before(workspace, third).name == "second"  # it started from there
    try:
        assert gain_of(workspace, third).comparison.n < before
    except DatasetError as error:  # no test photo is left that the second run hasn't seen
        assert "in common" in str(error)


def test_a_repeated_training_keeps_the_photos_in_their_split(tmp_path):
    # Without a stored split, each training draws its own, and a relabeled photo would change all of it.
    import_photos(create_dataset(tmp_path, "shoes"), draw_dataset(tmp_path / "photos", {"boot": 14, "clog": 14}))
    dataset, recipe = find_dataset(tmp_path, "shoes"), make_recipe("quick", SMALL)
    train("shoes", recipe, runs_folder(tmp_path) / "first", tmp_path)
    used = split_of(run_model_folder(runs_folder(tmp_path) / "first"))
    decide(dataset, [next(sample for sample, split in used.items() if split == "train")], Action.RELABEL, "clog")
    decide(dataset, [next(sample for sample, split in used.items() if split == "val")], Action.EXCLUDE)
    train("shoes", recipe, runs_folder(tmp_path) / "again", tmp_path, repeats="first")
    repeated = split_of(run_model_folder(runs_folder(tmp_path) / "again"))
    assert len(repeated) == len(used) - 1 and repeated.items() <= used.items()
    # A run that is resumed before its photos were read still knows.
    assert json.loads((runs_folder(tmp_path) / "again" / RUN_FILE).read_text())["repeats"] == "first"


def test_a_repeated_training_resumes_without_the_run_that_it_repeats(tmp_path):
    import_photos(create_dataset(tmp_path, "shoes"), draw_dataset(tmp_path / "photos", {"boot": 14, "clog": 14}))
    train("shoes", make_recipe("quick", SMALL), runs_folder(tmp_path) / "first", tmp_path)
    again = runs_folder(tmp_path) / "again"

    def stop(event: str, values: object) -> None:
        raise KeyboardInterrupt

    # With another seed, it would draw another split of its own.
    other = make_recipe("quick", {**SMALL, "seed": 5})
    with pytest.raises(KeyboardInterrupt):
        train("shoes", other, again, tmp_path, repeats="first", report=stop)
    used = split_of(run_model_folder(again))
    delete_run(tmp_path, "first")
    train("shoes", other, again, tmp_path, resume=True)
    assert split_of(run_model_folder(again)) == used


def test_the_command_line_compares_and_repeats(workspace):
    done = run_command(workspace, "runs", "compare", "second")
    assert done.returncode == 0
    assert done.stdout.startswith("second compared with first: On the same ")
    assert run_command(workspace, "runs", "compare", "first", "--with", "second", "--json").returncode == 0
    failed = run_command(workspace, "runs", "compare", "first")
    assert failed.returncode == 1
    assert "no earlier run" in failed.stderr


class TestPages:
    """The way, from link to link."""

    @pytest.fixture
    def home(self, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(workspace))
        st.cache_data.clear()
        st.cache_resource.clear()
        return workspace

    def opened(self, page: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=120)
        for key, value in query.items():
            app.query_params[key] = value
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        return app

    def test_from_the_photos_to_a_repeated_training(self, home):
        app = self.opened("datasets", dataset="shoes", section="Photos")
        assert "Check the photos" in [button.label for button in app.button]  # on this page
        app = follow_link(app, "See what second gained")
        assert any("first" in text.value or "second" in text.value for text in app.header)
        next(button for button in app.button if button.label == "See the mistakes of second").click().run()
        assert "Mistakes" in app.query_params["view"]
        assert "Train second again" not in link_labels(app)
        dataset = find_dataset(home, "shoes")
        decide(dataset, [str(read_samples(dataset)["sample"].iloc[0])], Action.EXCLUDE)
        app.run()
        app = follow_link(app, "Train second again")
        assert [text.value for text in app.header] == ["Train second again"]
        app.button(key=TrainKey.TRAIN_REPEAT).click()
        app.run()
        assert not app.exception
        newest, second = list_runs(home)[0], find_run(home, "second")
        stop_job(newest.job.folder)
        assert newest.name not in ("first", "second")
        assert newest.job.params["recipe"] == second.recipe
        assert newest.job.params["repeats"] == second.folder.name

    def test_a_run_says_what_it_gained(self, home):
        app = self.opened("runs", **{RunsKey.RUNS_CHOSEN: "second"})
        assert any("Compared with **first**: On the same" in text.value for text in app.markdown)
        assert "See the mistakes of second" in link_labels(app)

    def test_where_nothing_may_be_changed_steps_only_lead_to_what_can_be_seen(self, home, monkeypatch):
        monkeypatch.setenv("SOLESCOPE_READ_ONLY", "1")
        labels = link_labels(self.opened("runs", **{RunsKey.RUNS_CHOSEN: "second"}))
        assert {"See the mistakes of second", "Use in Identify"} <= set(labels)
        assert not {"Train second again", "Teach it a sneaker"} & set(labels)

    def test_a_link_chooses_the_photos_to_train_on(self, home):
        create_dataset(home, "newer")
        app = self.opened("train", dataset="shoes")
        assert app.selectbox(key="dataset").value == "shoes"

    @pytest.mark.parametrize("page", ["datasets", "evaluate", "explain"])
    def test_a_photo_that_is_shown_large_can_be_identified(self, home, page):
        sample = str(read_samples(find_dataset(home, "shoes")).query("split == 'test'")["sample"].iloc[0])
        query = {
            "datasets": {"dataset": "shoes", "section": "Photos", "photo": sample},
            "evaluate": {"evaluation": "second, training run", "view": "Mistakes", "photo": sample},
            "explain": {"dataset": "shoes", "sample": sample, "model": "second"},
        }[page]
        app = follow_link(self.opened(page, **query), "Identify this")
        assert [text.value for text in app.title] == ["What are those?"]
        assert "photos" in app.query_params
        assert any(button.label == "Remove" for button in app.button)
