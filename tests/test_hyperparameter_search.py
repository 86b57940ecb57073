"""Studies: search space, time budget, several processes, and damaged files."""

import json
import re
import shlex
import sqlite3
import subprocess
import sys
import time

import optuna
import pytest
from click.testing import CliRunner

from sneaker_core.__main__ import main
from sneaker_core.commands.search_command import search as search_command
from sneaker_core.commands.search_command import studies as studies_command
from sneaker_core.errors import DatasetError, RecipeError, RunError
from sneaker_core.networks.architectures import ARCHITECTURES
from sneaker_core.training.hyperparameter_search import _Clock, run_search
from sneaker_core.training.recipe import RECIPES, former_recipe, make_recipe
from sneaker_core.training.search_jobs import start_study
from sneaker_core.training.search_space import Span, best_recipe, search_space, trial_recipe
from sneaker_core.training.study_collection import (
    STUDY_FILE,
    delete_study,
    find_study,
    list_studies,
    read_study,
    restore_study,
    stop_study,
    studies_of,
)
from sneaker_core.training.study_trials import STORED_NAME, TRIALS_FILE, storage
from sneaker_core.workspace.jobs import JobState, Worker, log_tail, working
from sneaker_core.workspace.paths import bin_folder, run_job_folder, studies_folder
from tests.factories import PROJECT, draw_dataset

pytestmark = pytest.mark.slow

# Small enough for a trial to take a second.
SMALL = {
    "network": "mobilenet_v3_small", "init": "none", "size": 32, "batch": 8, "val_share": 0.2, "test_share": 0.2,
    "epochs": 6,
}  # fmt: skip


def search(photos, workspace, name, preset=None, changes=None, **choices):
    """Search with a preset and the settings that are not searched."""
    recipe = None if preset is None and changes is None else make_recipe(preset or "scratch", changes)
    return run_search(workspace, photos, name, recipe, fixed=changes, **choices)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return draw_dataset(tmp_path_factory.mktemp("photos") / "shoes", {"boot": 12, "clog": 12})


@pytest.fixture(scope="module")
def made(photos, tmp_path_factory):
    """A study with two trials, and its reports. Don't change it."""
    told = []
    workspace = tmp_path_factory.mktemp("workspace ?#%")
    study = search(
        photos, workspace, "first", "scratch", SMALL, minutes=5, trials=2, report=lambda *event: told.append(event)
    )
    return workspace, study, told


@pytest.fixture
def workspace(tmp_path):
    """A separate workspace, in which the photos have not been decoded yet."""
    return tmp_path / "workspace"


@pytest.fixture
def one_thread(monkeypatch):
    """Environment of started processes: one thread each, because more would slow each other down."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


class TestSpace:
    def test_what_was_set_is_not_searched(self):
        full = make_recipe("finetune")
        assert set(search_space(full, ())) == {
            "learning_rate", "weight_decay", "label_smoothing", "augmentation", "trainable", "backbone_rate",
        }  # fmt: skip
        assert set(search_space(full, {"learning_rate", "trainable", "crop"})) == {
            "weight_decay", "label_smoothing", "backbone_rate",
        }  # fmt: skip

    def test_weights_from_nothing_are_not_frozen(self):
        assert not {"trainable", "backbone_rate"} & set(search_space(make_recipe("scratch"), ()))

    def test_the_head_alone_has_no_backbone_to_tune(self):
        space = search_space(make_recipe("quick"), ())
        assert set(space) == {"learning_rate", "weight_decay", "label_smoothing", "augmentation"}
        assert space["augmentation"] == ("none", "light", "standard")

    def test_networks_are_a_choice_when_there_are_several(self):
        networks = ("resnet18", "mobilenet_v2")
        assert search_space(make_recipe("finetune"), (), networks)["network"] == networks

    @pytest.mark.parametrize("rate", [1e-6, 1.0])
    def test_rates_stay_in_their_range(self, rate):
        span = search_space(make_recipe("finetune", {"learning_rate": rate}), ())["learning_rate"]
        assert isinstance(span, Span)
        assert 1e-6 <= span.low < span.high <= 1

    @pytest.mark.parametrize("name", RECIPES)
    @pytest.mark.parametrize("network", ARCHITECTURES)
    def test_a_trial_of_any_recipe_can_be_made(self, name, network):
        full = make_recipe(name, {"network": network})
        trial = trial_recipe(full)
        assert (trial.epochs, trial.size) <= (full.epochs, full.size)
        assert trial.size == full.size or not ARCHITECTURES[network].fixed_size
        assert trial_recipe(full, epochs=1).head_epochs == 0

    def test_a_trial_is_short_and_small(self):
        assert (trial_recipe(make_recipe("finetune")).epochs, trial_recipe(make_recipe("finetune")).size) == (6, 128)
        assert (trial_recipe(make_recipe("scratch")).epochs, trial_recipe(make_recipe("quick")).epochs) == (20, 40)
        assert (
            trial_recipe(make_recipe("finetune"), 3, 96).epochs,
            trial_recipe(make_recipe("finetune"), 3, 96).size,
        ) == (3, 96)


class TestSearch:
    def test_trials_are_reported(self, made):
        _, study, told = made
        assert list(study.trials["number"]) == [0, 1]
        assert list(study.trials["state"]) == ["complete"] * 2
        assert list(study.trials["epochs"]) == [2, 2]
        assert study.trials["val_top1"].between(0, 1).all()
        assert (study.trials["seconds"] > 0).all()
        assert study.searched == ("augmentation", "label_smoothing", "learning_rate", "weight_decay")
        assert [event for event, _ in told] == ["prepared", "trial", "trial", "done"]
        assert told[1][1]["number"] == 0
        assert study.state is JobState.DONE

    def test_the_recipe_itself_is_tried_first(self, made):
        first = made[1].trials.iloc[0]
        full = make_recipe("scratch", SMALL)
        for name in ("learning_rate", "weight_decay", "label_smoothing", "augmentation"):
            assert first[name] == getattr(full, name)

    def test_the_best_is_a_recipe(self, made):
        study = made[1]
        best = best_recipe(study)
        assert best.learning_rate == study.best["learning_rate"]
        assert (best.epochs, best.network) == (6, "mobilenet_v3_small")
        assert json.loads(json.dumps(study.to_dict()))["trials"]["complete"] == 2

    def test_reading_writes_nothing(self, made):
        folder = made[1].folder
        before = {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in folder.rglob("*") if file.is_file()}
        assert read_study(folder).trials.equals(made[1].trials)
        assert {
            file: (file.stat().st_mtime_ns, file.read_bytes()) for file in folder.rglob("*") if file.is_file()
        } == before

    def test_a_study_is_read_while_another_writes(self, made):
        folder = made[1].folder
        with sqlite3.connect(folder / TRIALS_FILE) as writing:
            writing.execute("BEGIN IMMEDIATE")
            assert len(read_study(folder).trials) == 2
            writing.rollback()

    def test_a_head_is_tuned_among_networks(self, photos, workspace):
        changes = {key: value for key, value in SMALL.items() if key != "network"}
        networks = ["mobilenet_v3_small", "sneaker_cnn"]
        with pytest.raises(RecipeError, match="sneaker_cnn takes exactly 224"):
            search(photos, workspace, "sizes", "quick", changes, networks=networks)
        assert not list_studies(workspace)
        networks = ["mobilenet_v3_small", "mobilenet_v3_large"]
        study = search(photos, workspace, "heads", "quick", changes, networks=networks, trials=2)
        assert study.trials["network"].isin(networks).all()
        assert study.trials["epochs"].tolist() == [6, 6]
        assert best_recipe(study).trainable == "head"

    def test_networks_without_their_weights_are_reported_immediately(self, photos, workspace):
        changes = {**SMALL, "init": "street72"}
        with pytest.raises(RecipeError, match="street72"):
            search(photos, workspace, "weights", "finetune", changes)
        assert find_study(workspace, "weights").trials.empty


class TestSharing:
    def test_a_joining_process_may_omit_settings_but_not_change_them(self, made, photos, tmp_path):
        workspace, study, _ = made
        for values, told in (
            ({"preset": "quick"}, "recipe"),
            ({"changes": {**SMALL, "epochs": 7}}, "settings"),
            ({"changes": {"epochs": 6}}, "settings"),
            ({"only": ["boot", "clog"]}, "classes"),
            ({"trial_size": 64}, "trial size"),
        ):
            with pytest.raises(RunError, match=f"was started with different {told}"):
                search(photos, workspace, "first", trials=1, **values)
        other = draw_dataset(tmp_path / "others", {"boot": 1})
        with pytest.raises(RunError, match="'first' uses another dataset, 'shoes'"):
            search(other, workspace, "first", trials=1)
        assert len(read_study(study.folder).trials) == 2

    def test_two_processes_share_one_study(self, photos, workspace, one_thread):
        code = (
            "import sys, json; from pathlib import Path; from sneaker_core.training.recipe import make_recipe;"
            "from sneaker_core.training.hyperparameter_search import run_search;"
            "recipe = make_recipe('scratch', json.loads(sys.argv[3]));"
            "run_search(Path(sys.argv[2]), sys.argv[1], 'shared', recipe, trials=1, minutes=5)"
        )
        command = [sys.executable, "-c", code, str(photos), str(workspace), json.dumps(SMALL)]
        pair = [subprocess.Popen(command, cwd=PROJECT, stdout=-1, stderr=-1, text=True) for _ in range(2)]
        assert [process.communicate() for process in pair] == [("", "")] * 2
        study = find_study(workspace, "shared")
        assert list(study.trials["number"]) == [0, 1]
        assert list(study.trials["state"]) == ["complete"] * 2
        assert study.trials["learning_rate"].nunique() == 2

    def test_other_photos_are_no_longer_the_same_study(self, tmp_path):
        folder = draw_dataset(tmp_path / "shoes", {"boot": 8, "clog": 8})
        search(folder, tmp_path, "old", "scratch", SMALL, trials=1)
        (folder / "boot" / "00.jpg").unlink()
        with pytest.raises(DatasetError, match="photos have changed since the study 'old' was started"):
            search(folder, tmp_path, "old", trials=1)

    @pytest.mark.filterwarnings("ignore:Heartbeat of storage")
    def test_a_trial_of_a_dead_process_is_marked_failed(self, photos, workspace):
        search(photos, workspace, "dead", "scratch", SMALL, trials=1)
        file = find_study(workspace, "dead").folder / TRIALS_FILE
        with storage(file, writable=True) as opened:
            trial = optuna.load_study(study_name=STORED_NAME, storage=opened).ask()
            opened.record_heartbeat(trial._trial_id)
        with sqlite3.connect(file) as db:
            db.execute("UPDATE trial_heartbeats SET heartbeat = datetime('now', '-1 hour')")
        db.close()
        assert list(find_study(workspace, "dead").trials["state"]) == ["complete", "running"]
        study = search(photos, workspace, "dead", trials=1)
        assert list(study.trials["state"]) == ["complete", "failed", "complete"]


class TestEnd:
    def test_a_lagging_trial_is_pruned(self, photos, workspace):
        changes = {**SMALL, "learning_rate": 1e-6}
        search(photos, workspace, "slow", "scratch", changes, trial_epochs=8, minutes=1e-6)
        with storage(studies_folder(workspace) / "slow" / TRIALS_FILE, writable=True) as opened:
            stored = optuna.load_study(study_name=STORED_NAME, storage=opened)
            for _ in range(3):
                good = dict.fromkeys(range(1, 9), 1.0)
                stored.add_trial(optuna.trial.create_trial(value=1.0, intermediate_values=good))
        study = search(photos, workspace, "slow", trials=1, minutes=5)
        last = study.trials.iloc[-1]
        assert (last["state"], last["note"]) == ("pruned", "Pruned: behind the other trials.")
        assert 0 < last["epochs"] < 8

    def test_the_time_is_up(self, photos, workspace):
        study = search(photos, workspace, "brief", "scratch", SMALL, minutes=1e-6)
        assert list(study.trials["state"]) == ["pruned"]
        assert list(study.trials["note"]) == ["Out of time."]
        assert study.best is None
        with pytest.raises(RunError, match="No trial of the study 'brief' is complete"):
            best_recipe(study)

    def test_the_first_trial_may_take_longer_when_it_will_soon_be_done(self):
        clock = _Clock(100)
        assert clock.allows(began=0, share=0.0, needed=False)
        clock.started -= 110
        assert not clock.allows(began=0, share=0.9, needed=False)
        assert clock.allows(began=0, share=0.9, needed=True)
        assert not clock.allows(began=0, share=0.3, needed=True)

    def test_it_stops_when_asked_to(self, photos, workspace):
        class Impatient(Worker):
            def report(self, done, total, step="", **details):
                super().report(done, total, step, **details)
                if step.startswith("Trial 1"):
                    (self.folder / "stop").touch()

        job = workspace / "job"
        job.mkdir(parents=True)
        study = search(photos, workspace, "long", "scratch", SMALL, trial_epochs=500, worker=Impatient(job))
        assert list(study.trials["state"]) == ["pruned"]
        assert list(study.trials["note"]) == ["Stopped."]

    @pytest.mark.parametrize("minutes", [0.0, -1.0, float("nan")])
    def test_no_time_at_all_is_reported(self, photos, workspace, minutes):
        with pytest.raises(RecipeError, match="must be above 0"):
            search(photos, workspace, "none", minutes=minutes)


class TestFolders:
    @pytest.fixture
    def kept(self, photos, workspace):
        """A study without trials."""
        folder = studies_folder(workspace) / "kept"
        folder.mkdir(parents=True)
        values = {"dataset": "shoes", "source": str(photos), "recipe_name": "finetune", "minutes": 5, "created": 5.0}
        (folder / STUDY_FILE).write_text(json.dumps(values))
        return folder

    def test_a_study_of_an_earlier_version_is_read(self, kept):
        changes = {"part": "head", "rare_power": 0.25, "augmentation": "light"}
        values = {**json.loads((kept / STUDY_FILE).read_text()), "changes": changes, "others": "/photos/other"}
        (kept / STUDY_FILE).write_text(json.dumps(values))
        study = read_study(kept)
        assert (study.recipe_name, study.negatives) == ("finetune", "/photos/other")
        assert study.changes == {"augmentation": "light", "class_balance_exponent": 0.25, "trainable": "head"}
        assert study.recipe == former_recipe("finetune", changes).to_dict()

    @pytest.mark.parametrize("text", ["", "[]", '{"dataset": "shoes"}', "\0"])
    def test_damage_affects_one_study_only(self, photos, workspace, kept, text):
        damaged = kept.with_name("damaged")
        damaged.mkdir()
        (damaged / STUDY_FILE).write_text(text)
        by_name = {study.name: study for study in list_studies(workspace)}
        assert by_name["kept"].error is None
        assert by_name["damaged"].state is JobState.FAILED
        assert "study.json is damaged" in by_name["damaged"].error
        with pytest.raises(RunError, match="Delete the study or choose another name"):
            search(photos, workspace, "damaged")
        delete_study(workspace, "damaged")

    def test_damaged_trials_are_reported(self, photos, workspace, kept):
        (kept / TRIALS_FILE).write_bytes(b"no database" * 1000)
        study = read_study(kept)
        assert study.state is JobState.FAILED
        assert "Can't read or write" in study.error
        with pytest.raises(RunError, match="Can't read or write"):
            search(photos, workspace, "kept")

    def test_delete_and_restore(self, workspace, kept):
        deleted = delete_study(workspace, "kept")
        assert deleted.is_relative_to(bin_folder(workspace) / "studies")
        assert [study.name for study in studies_of(workspace).deleted()] == ["kept"]
        kept.mkdir()
        (kept / STUDY_FILE).write_bytes((deleted / STUDY_FILE).read_bytes())
        assert restore_study(workspace, "kept").name == "kept (2)"
        assert studies_of(workspace).deleted() == []
        with pytest.raises(RunError, match="There is no study named 'kept' in the bin"):
            restore_study(workspace, "kept")

    def test_a_running_study_cannot_be_deleted_but_can_be_stopped(self, workspace, kept):
        with working(run_job_folder(kept), "search", {"study": "kept"}, title="Searching", workspace=workspace):
            study = find_study(workspace, "kept")
            assert study.state is JobState.RUNNING
            with pytest.raises(RunError, match="running"):
                delete_study(workspace, "kept")
            stop_study(study)
            assert find_study(workspace, "kept").state is JobState.STOPPING
        assert find_study(workspace, "kept").state is JobState.STOPPED

    @pytest.mark.parametrize("name", ["", "..", "a/b", "-x", "CON"])
    def test_names_never_become_other_paths(self, photos, workspace, name):
        with pytest.raises(RunError, match="can't be the name of a study"):
            search(photos, workspace, name)
        with pytest.raises(RunError, match="No study named"):
            find_study(workspace, name)


class TestCommands:
    def test_search_reports_each_trial_and_the_full_run(self, photos, workspace):
        settings = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
        words = ["--study", "one", "--recipe", "scratch", "--minutes", "5", "--trials", "1", "--json", *settings]
        done = CliRunner().invoke(search_command, [*words, str(photos)], obj=workspace)
        assert done.exit_code == 0, done.output
        events = [json.loads(line) for line in done.output.splitlines()]
        assert [event["event"] for event in events] == ["prepared", "trial", "done"]
        study = find_study(workspace, "one")
        assert (study.state, study.jobs[0].result["best"]["number"]) == (JobState.DONE, 0)
        command = shlex.split(events[-1]["full_run"])
        assert command[3:6] == ["train", "--recipe", "scratch"]
        assert command[-1] == str(photos)
        told = dict(word.split("=") for word in command if "=" in word)
        assert make_recipe("scratch", told) == best_recipe(study)

    def test_the_former_names_still_work(self):
        assert {"rates", "tune"} <= set(main.commands)
        help_text = CliRunner().invoke(main, ["--help"]).output
        assert "find-lr" in help_text and not re.search(r"^  (rates|tune) ", help_text, re.MULTILINE)
        for command in ("tune", "search", "train", "find-lr", "rates"):
            listed = CliRunner().invoke(main, [command, "--help"]).output
            assert "--negatives" in listed and "--others" not in listed
            (option,) = (parameter for parameter in main.commands[command].params if parameter.name == "negatives")
            assert "--others" in option.opts

    def test_studies_are_listed_shown_deleted_and_restored(self, made):
        workspace, _, _ = made
        for words, told in (
            (["list"], "first  done: scratch on shoes, 2 trials, best"),
            (["show", "first"], "Full training: python -m sneaker_core train"),
            (["delete", "first"], "Moved first to the bin"),
            (["restore"], "first  done"),
            (["restore", "first"], "Restored first"),
        ):
            done = CliRunner().invoke(studies_command, words, obj=workspace)
            assert told in done.output
            assert done.exit_code == 0
        shown = CliRunner().invoke(studies_command, ["show", "first", "--json"], obj=workspace)
        assert len(json.loads(shown.output)["trials"]) == 2
        missing = CliRunner().invoke(studies_command, ["show", "second"], obj=workspace)
        assert (missing.exit_code, "Available studies: 'first'" in missing.output) == (1, True)

    def test_a_study_is_started_in_the_background(self, photos, workspace, one_thread):
        folder = start_study(workspace, photos, "far", make_recipe("scratch", SMALL), minutes=5, trials=1)
        while not read_study(folder).state.ended:
            time.sleep(0.2)
        study = read_study(folder)
        assert study.state is JobState.DONE, log_tail(run_job_folder(folder))
        assert list(study.trials["state"]) == ["complete"]
