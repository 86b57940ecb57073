"""Runs: reading, naming, deleting and restoring them; background trainings; ``runs …``."""

import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sneaker_core.commands.runs_command import runs
from sneaker_core.errors import DatasetError, RecipeError, RunError, SpaceError
from sneaker_core.networks.architectures import ARCHITECTURES
from sneaker_core.networks.checkpoint import load_model
from sneaker_core.networks.model_registry import find_named_model
from sneaker_core.training.recipe import RECIPES, make_recipe
from sneaker_core.training.run_collection import (
    check_run_name,
    delete_run,
    find_run,
    list_runs,
    read_run,
    rename_run,
    restore_run,
    runs_of,
    write_note,
)
from sneaker_core.training.run_metrics import read_metrics, read_watch
from sneaker_core.training.training_jobs import (
    check_space,
    needed_bytes,
    recipe_in,
    resume_training,
    start_training,
    stop_training,
)
from sneaker_core.workspace import jobs
from sneaker_core.workspace.jobs import Job, JobState, is_alive, read_job, stop_job, working
from sneaker_core.workspace.locks import take_lock
from sneaker_core.workspace.paths import queue_folder, run_job_folder, run_model_folder, runs_folder
from tests.factories import draw_dataset, in_new_python

pytestmark = pytest.mark.slow

PATIENCE = 120
RUN = {
    "format": 1,
    "dataset": "Shoes",
    "source": "Shoes",
    "only": ["boot"],
    "others": None,
    "recipe": RECIPES["finetune"].to_dict(),
    "recipe_name": "finetune",
    "photos": "abc",
    "rejected": {},
    "counts": {"train": 8, "val": 1, "test": 1},
    "state": "done",
    "created": 1000.0,
    "error": None,
    "seconds": 12.5,
}  # fmt: skip


def make_run(workspace: Path, name: str, **changes: Any) -> Path:
    folder = runs_folder(workspace) / name
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({**RUN, **changes}))
    return folder


def make_job(folder: Path, state: str | None, error: str | None = None, step: str = "", age: float = 0.0) -> None:
    """A job's folder as its process leaves it; without a state, the process is alive or died `age` seconds ago."""
    job = run_job_folder(folder)
    job.mkdir(parents=True)
    arguments = ["--workspace", "/old", "train", "--recipe", "quick", "--run", "old", "--queue", "--", "Shoes"]
    (job / "job.json").write_text(json.dumps({"title": "Training", "arguments": arguments, "started": 2000.0}))
    (job / "progress.json").write_text(json.dumps(vars(jobs.Progress(step=step))))
    (job / "heartbeat").touch()
    os.utime(job / "heartbeat", (time.time() - age,) * 2)
    if state:
        (job / "end.json").write_text(json.dumps({"state": state, "error": error, "result": {}}))


def put_model(folder: Path, tiny_model_folder: Path, **test: float) -> None:
    shutil.copytree(tiny_model_folder, run_model_folder(folder))
    file = run_model_folder(folder) / "model.json"
    values = json.loads(file.read_text())
    file.write_text(json.dumps({**values, "metrics": {"test": test} if test else {}}))


def ended(folder: Path) -> Job:
    for _ in range(PATIENCE * 50):
        job = read_job(run_job_folder(folder))
        if job.state.ended:
            return job
        time.sleep(0.02)
    raise AssertionError(job)


class TestReading:
    def test_all_that_is_known(self, tmp_path, tiny_model_folder):
        folder = make_run(tmp_path, "one")
        put_model(folder, tiny_model_folder, n=20, top1=0.9, top3=1, ece=0.05, macro_f1=0.8)
        run = find_run(tmp_path, "one")
        assert (run.name, run.folder, run.dataset, run.source, run.only, run.negatives) == (
            "one", folder, "Shoes", "name:Shoes", ("boot",), None,
        )  # fmt: skip
        assert (run.recipe_name, run.recipe["network"], run.state) == ("finetune", "efficientnet_lite0", JobState.DONE)
        assert (run.created, run.seconds, run.counts) == (1000.0, 12.5, {"train": 8, "val": 1, "test": 1})
        assert (run.error, run.note, run.job, run.has_model, run.is_damaged) == (None, "", None, True, False)
        assert run.headline == {"n": 20, "top1": 0.9, "top3": 1, "ece": 0.05}
        assert json.loads(json.dumps(run.to_dict()))["top1"] == 0.9

    def test_the_newest_first_and_what_is_no_run_is_passed_over(self, tmp_path):
        make_run(tmp_path, "old", created=1.0)
        make_run(tmp_path, "new", created=3.0)
        make_run(tmp_path, "between", created=2.0)
        (runs_folder(tmp_path) / "no run").mkdir()
        (runs_folder(tmp_path) / "a file").touch()
        make_run(tmp_path, ".hidden")
        assert [run.name for run in list_runs(tmp_path)] == ["new", "between", "old"]
        assert list_runs(tmp_path / "none") == []

    def test_a_model_alone_is_a_run_that_is_done(self, tmp_path, tiny_model_folder):
        put_model(runs_folder(tmp_path) / "copied", tiny_model_folder)
        (run,) = list_runs(tmp_path)
        assert (run.state, run.has_model, run.headline, run.created > 0) == (JobState.DONE, True, {}, True)
        assert run.to_dict()["top1"] is None

    def test_a_damaged_one_does_not_affect_others(self, tmp_path, tiny_model_folder):
        make_run(tmp_path, "sound")
        make_run(tmp_path, "odd", created="yesterday", recipe=[1], counts={"train": "x"}, only="boot", state=5, error=7)
        (make_run(tmp_path, "cut off") / "run.json").write_text('{"format": 1, "sta')
        for number, text in enumerate(("", "{", "[]", "{}")):
            folder = make_run(tmp_path, f"model {number}")
            put_model(folder, tiny_model_folder)
            (run_model_folder(folder) / "model.json").write_text(text)
            (folder / "about.json").write_text(text)
        make_job(make_run(tmp_path, "job"), None)
        for file in ("job.json", "progress.json"):
            (run_job_folder(runs_folder(tmp_path) / "job") / file).write_text('{"started": [], "wrong": 1}')
        found = {run.name: run for run in list_runs(tmp_path)}
        assert len(found) == 8
        assert found["sound"].state is JobState.DONE
        assert (found["cut off"].state, found["cut off"].is_damaged) == (JobState.FAILED, True)
        assert "run.json is damaged" in found["cut off"].error
        odd = found["odd"]
        assert (odd.state, odd.recipe, odd.counts, odd.only, odd.is_damaged) == (JobState.FAILED, {}, {}, (), True)
        assert "run.json is damaged: only: expected array, got str." in odd.error
        assert [found[f"model {number}"].is_damaged for number in range(4)] == [True] * 4
        assert "model.json is damaged" in found["model 0"].error
        assert (found["job"].job, found["job"].is_damaged) == (None, False)
        assert [run.note for run in found.values()] == [""] * 8

    def test_a_queued_one_has_no_file_of_its_own_yet(self, tmp_path):
        make_job(runs_folder(tmp_path) / "queued", None, step=jobs.WAITING)
        (run,) = list_runs(tmp_path)
        assert (run.name, run.state, run.created) == ("queued", JobState.QUEUED, 2000.0)
        assert (run.dataset, run.recipe_name, run.recipe) == ("Shoes", "quick", {})

    @pytest.mark.parametrize(
        ("kept", "job", "state", "error"),
        [
            ("running", {"state": None}, JobState.RUNNING, None),
            ("stopped", {"state": None}, JobState.RUNNING, None),
            ("failed", {"state": None, "step": jobs.WAITING}, JobState.QUEUED, None),
            ("running", {"state": None, "age": 60}, JobState.INTERRUPTED, None),
            ("running", None, JobState.INTERRUPTED, None),
            ("running", {"state": "failed", "error": "It broke."}, JobState.FAILED, "It broke."),
            ("running", {"state": "stopped"}, JobState.STOPPED, None),
            ("running", {"state": "done"}, JobState.INTERRUPTED, None),
            ("stopped", {"state": "stopped"}, JobState.STOPPED, None),
            ("stopped", {"state": "failed", "error": "Stopped."}, JobState.STOPPED, None),
            ("failed", {"state": "failed", "error": "Same."}, JobState.FAILED, "As kept."),
            ("done", {"state": "failed", "error": "Late."}, JobState.DONE, None),
            ("done", {"state": "done"}, JobState.DONE, None),
            (None, {"state": "failed", "error": "Early."}, JobState.FAILED, "Early."),
            (None, {"state": "stopped"}, JobState.STOPPED, None),
            (None, {"state": None, "age": 60}, JobState.INTERRUPTED, None),
        ],
    )
    def test_where_it_stands(self, tmp_path, kept, job, state, error):
        folder = runs_folder(tmp_path) / "one"
        if kept:
            make_run(tmp_path, "one", state=kept, error="As kept." if kept == "failed" else None)
        if job:
            make_job(folder, **job)
        run = read_run(folder)
        assert (run.state, run.error) == (state, error)

    def test_a_resume_that_fails_immediately_is_reported(self, tmp_path):
        folder = make_run(tmp_path, "one", state="stopped")
        os.utime(folder / "run.json", (1000, 1000))  # long before the job was started
        make_job(folder, "failed", "The photos have changed.")
        assert (read_run(folder).state, read_run(folder).error) == (JobState.FAILED, "The photos have changed.")

    def test_names_are_never_paths(self, tmp_path):
        make_run(tmp_path, "one")
        make_run(tmp_path / "elsewhere", "two")
        for name in ("../runs/one", str(runs_folder(tmp_path) / "one"), "", ".", "..", "\0", "x" * 5000, "two"):
            with pytest.raises(RunError, match=r"No run named .*Available runs: 'one'"):
                find_run(tmp_path, name)

    def test_it_takes_no_torch_to_look(self, tmp_path, tiny_model_folder):
        put_model(make_run(tmp_path, "one"), tiny_model_folder, top1=0.5)
        code = (
            "import sys; from pathlib import Path\n"
            "import sneaker_core.commands.runs_command, sneaker_core.training.training_jobs\n"
            "from sneaker_core.training.run_collection import list_runs\n"
            f"print(list_runs(Path({str(tmp_path)!r}))[0].headline, 'torch' in sys.modules, 'pandas' in sys.modules)"
        )
        assert in_new_python(code) == "{'top1': 0.5} False False"

    def test_a_better_model_is_seen(self, tmp_path, tiny_model_folder):
        folder = make_run(tmp_path, "one")
        put_model(folder, tiny_model_folder, top1=0.5)
        assert find_run(tmp_path, "one").headline == {"top1": 0.5}
        shutil.rmtree(run_model_folder(folder))
        put_model(folder, tiny_model_folder, top1=0.75)
        assert find_run(tmp_path, "one").headline == {"top1": 0.75}


class TestMetrics:
    def test_damaged_lines_are_left_out(self, tmp_path):
        lines = [
            {"epoch": 2, "loss": 0.5, "watched": [{"label": "boot", "probability": 0.7}]},
            {"epoch": 1, "loss": 1.5, "extra": "more"},
            {"loss": 3},
            [1],
            {"epoch": "x"},
        ]
        text = "\n".join(map(json.dumps, lines)) + '\n\n{"epoch": 3, "lo'
        (tmp_path / "metrics.jsonl").write_bytes(text.encode() + b"\xff")
        table = read_metrics(tmp_path)
        assert list(table["epoch"]) == [1, 2]
        assert list(table["loss"]) == [1.5, 0.5]
        assert table["watched"][1] == [{"label": "boot", "probability": 0.7}]
        assert (table["extra"][0], table["val_top1"].isna().all()) == ("more", True)

    def test_none_is_an_empty_table(self, tmp_path):
        table = read_metrics(tmp_path)
        assert len(table) == 0
        assert {"epoch", "loss", "val_top1", "confusions"} <= set(table.columns)

    def test_watched_photos(self, tmp_path):
        assert read_watch(tmp_path) == []
        rows = [{"sample": "a", "label": "boot", "thumbnail": name} for name in ("watch/a.jpg", "../../../etc/passwd")]
        (tmp_path / "watch.json").write_text(json.dumps(rows))
        assert [photo.thumbnail for photo in read_watch(tmp_path)] == [
            tmp_path / "watch" / "a.jpg",
            tmp_path / "watch" / "passwd",
        ]
        assert (read_watch(tmp_path)[0].sample, read_watch(tmp_path)[0].label) == ("a", "boot")
        for text in ("[{}]", "{", "[1]", "5"):
            (tmp_path / "watch.json").write_text(text)
            assert read_watch(tmp_path) == []


class TestNames:
    @pytest.mark.parametrize("name", ["a", "Air Jordan_1.v2-b", "Größe", "x" * 80, "ранг"])
    def test_good(self, tmp_path, name):
        check_run_name(tmp_path, name)

    @pytest.mark.parametrize(
        "name",
        ["", " ", ".", "..", "a/b", "a\\b", "../x", "-x", ".x", "x.", "x" * 81, "CON", "a:b", "\0"],
    )
    def test_bad(self, tmp_path, name):
        with pytest.raises(RunError, match="can't be the name of a run"):
            check_run_name(tmp_path, name)

    def test_taken(self, tmp_path):
        make_run(tmp_path, "One")
        for name in ("One", "one"):
            with pytest.raises(RunError, match="already a run named"):
                check_run_name(tmp_path, name)
        for name in ("street72", "STREET72"):
            with pytest.raises(RunError, match="comes with SoleScope"):
                check_run_name(tmp_path, name)


class TestChanging:
    def test_renamed_its_model_goes_along(self, tmp_path, tiny_model_folder):
        put_model(make_run(tmp_path, "old"), tiny_model_folder, top1=0.5)
        assert rename_run(tmp_path, "old", "new").name == "new"
        assert [run.name for run in list_runs(tmp_path)] == ["new"]
        model = load_model(find_named_model(tmp_path, "new"))
        assert (model.spec.name, model.spec.metrics) == ("new", {"test": {"top1": 0.5}})
        assert rename_run(tmp_path, "new", "New").name == "New"
        assert rename_run(tmp_path, "New", "New").name == "New"

    def test_what_cannot_be_renamed_stays(self, tmp_path):
        make_run(tmp_path, "one")
        make_run(tmp_path, "two")
        for name, new in (("one", "two"), ("one", "../x"), ("one", "street72"), ("none", "x")):
            with pytest.raises(RunError):
                rename_run(tmp_path, name, new)
        assert {run.name for run in list_runs(tmp_path)} == {"one", "two"}

    def test_while_it_is_running_it_stays_where_it_is(self, tmp_path):
        folder = make_run(tmp_path, "zero")
        make_job(folder, None)
        with pytest.raises(RunError, match="running"):
            delete_run(tmp_path, "zero")
        assert rename_run(tmp_path, "zero", "one").folder == folder
        write_note(tmp_path, "one", "still")
        assert find_run(tmp_path, "one").note == "still"

    def test_notes(self, tmp_path):
        folder = make_run(tmp_path, "one")
        write_note(tmp_path, "one", "  *Best* so far ✓ \n")
        assert find_run(tmp_path, "one").note == "*Best* so far ✓"
        write_note(tmp_path, "one", "")
        assert find_run(tmp_path, "one").note == ""
        (folder / "about.json").write_text("{")
        write_note(tmp_path, "one", "again \ud800")
        assert find_run(tmp_path, "one").note == "again \ud800".encode(errors="replace").decode()
        with pytest.raises(RunError, match="at most 10,000"):
            write_note(tmp_path, "one", "x" * 10_001)

    def test_deleted_and_brought_back(self, tmp_path, tiny_model_folder):
        put_model(make_run(tmp_path, "one", created=1.0), tiny_model_folder)
        delete_run(tmp_path, "one")
        assert list_runs(tmp_path) == []
        make_run(tmp_path, "one", created=2.0)
        delete_run(tmp_path, "one")
        make_run(tmp_path, "ONE", created=3.0)
        assert [(run.name, run.created) for run in runs_of(tmp_path).deleted()] == [("one", 2.0), ("one", 1.0)]
        assert restore_run(tmp_path, "one").name == "one (2)"
        restored = restore_run(tmp_path, "one")
        assert (restored.name, restored.created) == ("one (3)", 1.0)
        assert load_model(run_model_folder(restored.folder)).spec.name == "one (3)"
        assert runs_of(tmp_path).deleted() == []
        assert list((tmp_path / "bin" / "runs").iterdir()) == []
        for name in ("one", "../runs/ONE"):
            with pytest.raises(RunError, match=r"There is no run named .* in the bin"):
                restore_run(tmp_path, name)


class TestSpace:
    @pytest.mark.parametrize("network", sorted(ARCHITECTURES))
    def test_every_network_is_counted(self, network):
        chosen = make_recipe("finetune", {"network": network, "init": "none"})
        none, some = needed_bytes(chosen, 0, 10), needed_bytes(chosen, 1000, 10)
        assert none > 4_000_000
        assert some - none == pytest.approx(1000 * chosen.size**2 * 4, rel=0.01)
        assert needed_bytes(make_recipe("quick", {"network": network}), 0, 10) * 10 == pytest.approx(none, rel=0.01)

    def test_a_full_disk_is_reported(self, tmp_path):
        check_space(tmp_path / "not" / "there yet", 1)
        with pytest.raises(
            SpaceError, match=r"needs about 1,000,000,000\.0 GB of disk space at .*, but only .* are free"
        ):
            check_space(tmp_path, 10**18)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return draw_dataset(tmp_path / "photos", {"boot": 6, "clog": 6})


class TestStarting:
    def test_as_a_command_would(self, tmp_path, photos):
        home = tmp_path / "home"
        changes = {"init": "none", "epochs": 1, "size": 32, "horizontal_flip": 0.25, "seed": None}
        with_lock = queue_folder(home)
        with_lock.mkdir(parents=True)
        with take_lock(with_lock / "lock"):
            folder = start_training(
                home, str(photos), make_recipe("finetune", changes), "my run", ["boot", "clog"], photos
            )
            assert folder == runs_folder(home) / "my run"
            job = read_job(run_job_folder(folder))
            assert (job.kind, job.queue, job.workspace) == ("train", True, home)
            assert recipe_in(job.params) == make_recipe("finetune", changes)
            given = {key: value for key, value in job.params.items() if key != "recipe"}
            assert given == {
                "run": "my run", "dataset": str(photos), "classes": ["boot", "clog"], "negatives": str(photos),
            }  # fmt: skip
            run = find_run(home, "my run")
            assert (run.dataset, run.recipe_name) == ("photos", "finetune")
            with pytest.raises(RunError, match="already a run named"):
                start_training(home, str(photos), make_recipe("finetune", changes), "my run")
            stop_job(run_job_folder(folder))
            ended(folder)

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"changes": {"epochs": 0}}, RecipeError),
            ({"changes": {"wrong": 1}}, RecipeError),
            ({"recipe": "best"}, RecipeError),
            ({"name": "a/b"}, RunError),
            ({"name": "street72"}, RunError),
            ({"dataset": "nowhere"}, DatasetError),
            ({"only": ["sandal"]}, DatasetError),
        ],
    )
    def test_what_cannot_work_leaves_nothing_behind(self, tmp_path, photos, changed, error):
        wanted = {"dataset": str(photos), "recipe": "quick", "changes": {}, "name": "one", **changed}
        with pytest.raises(error):
            recipe = make_recipe(wanted.pop("recipe"), wanted.pop("changes"))
            start_training(tmp_path / "home", recipe=recipe, **wanted)
        assert not (tmp_path / "home").exists()

    def test_what_cannot_be_written_leaves_the_name_free(self, tmp_path, photos):
        home = tmp_path / "home"
        home.mkdir()
        (home / "queue").touch()  # in place of the queue's folder
        for _ in range(2):
            with pytest.raises(RunError, match="can't be started"):
                start_training(home, str(photos), make_recipe("quick", {}), "one")
        assert list_runs(home) == []

    def test_of_two_clicks_one_starts(self, tmp_path, photos):
        home = tmp_path / "home"

        def click(_: int) -> bool:
            try:
                start_training(
                    home, str(photos), make_recipe("quick", {"epochs": 1, "init": "none", "size": 32}), "one"
                )
            except RunError:
                return False
            return True

        queue_folder(home).mkdir(parents=True)
        with take_lock(queue_folder(home) / "lock"), ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(click, range(4))) == 1
            stop_job(run_job_folder(runs_folder(home) / "one"))
            ended(runs_folder(home) / "one")

    def test_queued_stopped_and_gone_on_with_until_it_is_done(self, tmp_path, photos):
        home = tmp_path / "home"
        changes = {"epochs": 1, "init": "none", "size": 32, "val_share": 0.2, "test_share": 0.2}
        queue_folder(home).mkdir(parents=True)
        with take_lock(queue_folder(home) / "lock"):
            folder = start_training(home, str(photos), make_recipe("quick", changes), "one")
            assert find_run(home, "one").state is JobState.QUEUED
            with pytest.raises(RunError, match="running"):
                resume_training(home, "one")
            stop_training(home, "one")
            assert ended(folder).state is JobState.STOPPED
            assert find_run(home, "one").state is JobState.STOPPED
        assert resume_training(home, "one") == folder
        assert (ended(folder).state, find_run(home, "one").state) == (JobState.DONE, JobState.DONE)
        assert find_run(home, "one").has_model
        with pytest.raises(RunError, match="already done"):
            resume_training(home, "one")
        with pytest.raises(RunError, match="nothing to stop"):
            stop_training(home, "one")


class TestGoingOn:
    """Their jobs end by themselves, because their datasets don't exist."""

    def params(self, workspace: Path, name: str) -> dict[str, Any]:
        folder = resume_training(workspace, name)
        job = read_job(run_job_folder(folder))
        assert (job.kind, job.queue, job.workspace) == ("train", True, workspace)
        assert is_alive(run_job_folder(folder)) or job.state is JobState.FAILED
        assert ended(folder).state is JobState.FAILED
        return job.params

    def test_a_run_continues_with_its_own_recipe_whatever_its_name(self, tmp_path):
        make_job(make_run(tmp_path, "one", state="stopped", others="/x/others"), "stopped")
        rename_run(tmp_path, "one", "other name")
        assert self.params(tmp_path, "other name") == {
            "run": "one", "dataset": "name:Shoes", "recipe": RUN["recipe"], "classes": ["boot"],
            "negatives": "/x/others",
        }  # fmt: skip

    def test_one_of_an_old_version_that_never_began_starts_as_it_was_asked_for(self, tmp_path):
        make_job(runs_folder(tmp_path) / "new name", "failed", "Too early.")
        assert self.params(tmp_path, "new name") == {
            "run": "new name", "dataset": "name:Shoes", "recipe_name": "quick", "changes": {}, "classes": [],
            "negatives": None,
        }  # fmt: skip

    def test_one_from_a_shell_waits_in_the_queue_from_then_on(self, tmp_path):
        job, params = run_job_folder(runs_folder(tmp_path) / "one"), {"run": "one", "dataset": "shoes", "recipe": {}}
        with working(job, "train", params, title="Training", workspace=tmp_path):
            stop_job(job)
        assert not read_job(job).queue
        assert self.params(tmp_path, "one") == params

    def test_what_cannot_be_resumed_is_reported(self, tmp_path):
        make_run(tmp_path, "done")
        make_job(make_run(tmp_path, "alive"), None)
        (make_run(tmp_path, "damaged") / "run.json").write_text("{")
        (make_run(tmp_path, "both damaged") / "run.json").write_text("{")
        make_job(runs_folder(tmp_path) / "both damaged", "failed")
        told = {"done": "already done", "alive": "running", "damaged": "Nothing is left", "none": "No run"}
        for name, words in {**told, "both damaged": "Nothing is left"}.items():
            with pytest.raises(RunError, match=words):
                resume_training(tmp_path, name)

    def test_a_training_in_a_shell_can_be_stopped_from_outside(self, tmp_path):
        folder = make_run(tmp_path, "one", state="running")
        with working(
            run_job_folder(folder), "train", {"run": "one"}, title="Training one", workspace=tmp_path
        ) as worker:
            assert find_run(tmp_path, "one").state is JobState.RUNNING
            stop_training(tmp_path, "one")
            assert worker.stopped()
            assert find_run(tmp_path, "one").state is JobState.STOPPING


class Shell:
    """Run ``runs …`` on one workspace, in this process."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace

    def run(self, *arguments: str) -> str:
        done = CliRunner().invoke(runs, arguments, obj=self.workspace)
        assert (done.exit_code, done.stderr) == (0, ""), done.output
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json"), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))

    def failed(self, *arguments: str) -> str:
        done = CliRunner().invoke(runs, arguments, obj=self.workspace)
        assert (done.exit_code, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        return line.removeprefix("Error: ")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


class TestCommands:
    def test_list(self, shell, tiny_model_folder):
        assert (shell.run("list"), shell.json("list")) == ("No runs yet.\n", [])
        put_model(make_run(shell.workspace, "one"), tiny_model_folder, top1=0.5, n=4)
        make_run(shell.workspace, "two", state="stopped", created=5.0)
        assert shell.run("list") == ("one  done: finetune on Shoes, top-1 0.500\ntwo  stopped: finetune on Shoes\n")
        rows = shell.json("list")
        assert [(row["name"], row["state"], row["top1"], row["has_model"]) for row in rows] == [
            ("one", "done", 0.5, True),
            ("two", "stopped", None, False),
        ]

    def test_show(self, shell):
        folder = make_run(shell.workspace, "one", state="failed", error="It broke.")
        rows = [{"epoch": 1, "loss": 1.5, "accuracy": None, "val_top1": 0.25, "confusions": [], "watched": []}]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        write_note(shell.workspace, "one", "too hot")
        words = shell.run("show", "one")
        for part in ("one  failed", "train 8", "epoch 1, loss 1.5, val_top1 0.25", "12 s", "It broke.", "too hot"):
            assert part in words
        values = shell.json("show", "one")
        assert (values["error"], values["progress"]) == ("It broke.", None)
        assert (values["epochs"][0]["loss"], values["epochs"][0]["accuracy"]) == (1.5, None)

    def test_show_while_it_works(self, shell):
        make_job(make_run(shell.workspace, "one", state="running"), None, step="Epoch 3 of 14")
        assert "Epoch 3 of 14  0/0" in shell.run("show", "one")
        assert shell.json("show", "one")["progress"]["step"] == "Epoch 3 of 14"

    def test_note_rename_delete_restore(self, shell):
        make_run(shell.workspace, "one")
        assert shell.json("note", "one", " good ") == {"name": "one", "note": "good"}
        assert shell.json("rename", "one", "two") == {"name": "two"}
        assert shell.json("delete", "two") == {"name": "two"}
        assert [row["name"] for row in shell.json("restore")] == ["two"]
        assert shell.run("restore").startswith("two  done")
        assert shell.json("restore", "two") == {"name": "two"}
        assert shell.run("restore") == "No runs in the bin.\n"
        assert find_run(shell.workspace, "two").note == "good"

    def test_stop(self, shell):
        folder = make_run(shell.workspace, "one", state="running")
        make_job(folder, None)
        assert shell.json("stop", "one") == {"name": "one"}
        assert find_run(shell.workspace, "one").state is JobState.STOPPING
        assert "runs retry one" in shell.run("stop", "one")

    def test_retry(self, shell):
        folder = make_run(shell.workspace, "one", state="stopped")
        assert shell.json("retry", "one") == {"name": "one"}
        ended(folder)

    @pytest.mark.parametrize("command", ["show", "delete", "stop", "retry"])
    def test_a_missing_run_is_reported(self, shell, command):
        assert shell.failed(command, "none") == "No run named 'none'. Available runs: none yet."
