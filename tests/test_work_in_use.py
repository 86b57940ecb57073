"""What a job uses can't be deleted, and the error names the job and how to stop it."""

import json
import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sneaker_core.__main__ import main
from sneaker_core.datasets.dataset_collection import (
    create_dataset,
    datasets_of,
    delete_dataset,
    find_dataset,
    rename_dataset,
)
from sneaker_core.datasets.dataset_split import make_split
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.errors import DatasetError, SneakerError
from sneaker_core.evaluation.evaluation_collection import evaluations_of
from sneaker_core.training.run_collection import runs_of
from sneaker_core.training.study_collection import studies_of
from sneaker_core.workspace.collection import Collection
from sneaker_core.workspace.job_record import HEARTBEAT_FILE, WAITING, write_job
from sneaker_core.workspace.job_worker import Worker
from sneaker_core.workspace.jobs_in_use import SHELL_WORK, jobs_using, living_jobs
from sneaker_core.workspace.paths import path_to_text
from sneaker_core.workspace.shell_work import shell_work
from tests.factories import draw_dataset, write


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A workspace with two datasets, two runs, two evaluations and two studies that know each other by id."""
    home = tmp_path / "home"
    for name in ("a", "b"):
        create_dataset(home, f"set {name}")
        rename_dataset(home, f"set {name}", f"shown {name}")
        write(home / "runs" / f"run {name}" / "run.json", json.dumps({"format": 2, "source": f"set {name}"}).encode())
        write(home / "runs" / f"run {name}" / "about.json", json.dumps({"name": f"model {name}"}).encode())
        places = {"dataset_folder": f"datasets/set {name}", "model_folder": f"runs/run {name}/model"}
        write(home / "evaluations" / f"eval {name}" / "evaluation.json", json.dumps(places).encode())
        study = {
            "format": 2,
            "source": f"set {name}",
            "dataset": "?",
            "recipe": {"init": f"model {name}"},
            "created": 1,
        }
        write(home / "studies" / f"study {name}" / "study.json", json.dumps({**study, "created": 1}).encode())
    return home


def collections(home: Path) -> dict[str, Collection]:
    found = (datasets_of(home), runs_of(home), evaluations_of(home), studies_of(home))
    return {one.spec.noun: one for one in found}


def used(home: Path) -> set[str]:
    """What can't be deleted, as noun and id."""
    return {
        f"{noun} {folder.name}"
        for noun, collection in collections(home).items()
        for folder, name in collection.names().items()
        if jobs_using(home, collection.spec.kind, folder.name, name)
    }


# Place of the job, its kind, its params, and what it uses.
JOBS = {
    "scan": (
        "datasets/set a/jobs/1",
        "dataset_scan",
        {"dataset": "set a", "model": "model b"},
        "dataset set a, run run b",
    ),
    "import from the photos of another": (
        "datasets/set a/jobs/1",
        "dataset_import",
        {"dataset": "set a", "source": "datasets/set b/images"},
        "dataset set a, dataset set b",
    ),
    "training": (
        "runs/run a/job",
        "train",
        {"run": "run a", "dataset": "set a", "recipe": {"init": "model b"}, "classes": ["set b"], "negatives": None},
        "run run a, run run b, dataset set a",
    ),
    "training on a folder of a dataset": (
        "runs/run a/job",
        "train",
        {"run": "run a", "dataset": "{home}/datasets/set b", "negatives": "datasets/set a/images"},
        "run run a, dataset set a, dataset set b",
    ),
    "training on a name in an old record": (
        "runs/run a/job",
        "train",
        {"run": "run a", "dataset": "name:shown b"},
        "run run a, dataset set b",
    ),
    "search": ("studies/study a/job", "search", {"study": "study a"}, "study study a, dataset set a, run run a"),
    "search by a second process": (
        "studies/study a/job-host-1",
        "search",
        {"study": "study a"},
        "study study a, dataset set a, run run a",
    ),
    "learning rate": ("rates/1", "find_lr", {"dataset": "set a", "recipe": {"init": "imagenet"}}, "dataset set a"),
    "evaluation": (
        "evaluations/eval a/job",
        "evaluate",
        {"evaluation": "eval a", "model": "run b", "dataset": "set b"},
        "evaluation eval a, dataset set a, dataset set b, run run a, run run b",
    ),
    "evaluation of worlds": (
        f"{SHELL_WORK}/1",
        "evaluate",
        {"model": "street72", "worlds": {"set b": "set a"}},
        "dataset set a",
    ),
    "robustness": (
        "evaluations/eval a/robustness-job",
        "robustness",
        {"evaluation": "eval a"},
        "evaluation eval a, dataset set a, run run a",
    ),
    "explanations": (
        "explanations/many/1",
        "explain_photos",
        {"model": "run a", "dataset": "set b"},
        "dataset set b, run run a",
    ),
    "class maps": (
        "explanations/means/1/job",
        "class_maps",
        {"evaluation": "eval b", "evaluation_kind": "stored", "dataset": None},
        "evaluation eval b, dataset set b, run run b",
    ),
    "class maps of a run": (
        "explanations/means/1/job",
        "class_maps",
        {"evaluation": "run a", "evaluation_kind": "run"},
        "run run a, dataset set a",
    ),
    "nothing": ("rates/1", "find_lr", {"dataset": "/elsewhere", "labels": ["set a"], "negatives": ""}, ""),
}


def started(home: Path, case: str) -> Path:
    """A job's folder as its process leaves it."""
    place, kind, params, _ = JOBS[case]
    text = json.dumps(params).replace("{home}", str(home))
    (home / place).mkdir(parents=True, exist_ok=True)
    write_job(home / place, kind, json.loads(text), title=f"The {case}", workspace=home)
    return home / place


@pytest.mark.parametrize("case", JOBS)
def test_the_items_that_a_job_uses_are_found_by_identity(home, case):
    folder = started(home, case)
    assert used(home) == {one for one in JOBS[case][3].split(", ") if one}
    write(folder / "end.json", b'{"state": "done"}')
    assert used(home) == set()


@pytest.mark.parametrize("case", [case for case in JOBS if JOBS[case][3]])
def test_deleting_them_is_refused_and_the_job_is_named(home, case):
    folder = started(home, case)
    for one in JOBS[case][3].split(", "):
        noun, _, item = one.partition(" ")
        collection = collections(home)[noun]
        with pytest.raises(SneakerError, match=f"is in use by a running job, “The {case}”") as told:
            collection.delete(collection.spec.read_name(collection.folder / item))
        how = "Ctrl-C" if SHELL_WORK in str(folder) else f"jobs stop {folder.relative_to(home)}"
        assert how in str(told.value)
    assert all((home / "datasets" / f"set {name}").is_dir() for name in "ab")


def test_a_job_in_the_queue_counts_and_a_lost_one_does_not(home):
    folder = started(home, "training")
    Worker(folder).report(0, 0, WAITING)
    with pytest.raises(DatasetError, match="in use by a job in the queue, “The training”"):
        delete_dataset(home, "shown a")
    started(home, "explanations")
    with pytest.raises(SneakerError, match="“The training” and 1 more"):
        runs_of(home).delete("model a")
    for job in living_jobs(home):
        os.utime(job.folder / HEARTBEAT_FILE, (time.time() - 500, time.time() - 500))
        write(
            job.folder / "job.json",
            json.dumps({**json.loads((job.folder / "job.json").read_text()), "started": 1}).encode(),
        )
    delete_dataset(home, "shown a")


def test_a_workspace_behind_a_link_is_the_same(home, tmp_path):
    (tmp_path / "link").symlink_to(home)
    started(tmp_path / "link", "training on a folder of a dataset")
    assert "dataset set b" in used(home)
    assert path_to_text(home, home / "datasets") == "datasets"


def test_a_split_is_not_replaced_under_a_training(home, tmp_path):
    other = create_dataset(home, "c")
    import_photos(other, draw_dataset(tmp_path / "photos", {"boot": 4, "clog": 4}))
    started(home, "training")
    with pytest.raises(DatasetError, match="“The training”"):
        make_split(find_dataset(home, "shown a"), 0.2, 0.2)
    make_split(other, 0.25, 0.25)
    rename_dataset(home, "shown a", "renamed")  # nothing refers to its name


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--workspace", str(home), *arguments])


def test_the_command_line_refuses_lists_and_stops(home):
    folder = started(home, "training")
    done = run(home, "dataset", "delete", "shown a")
    assert done.exit_code == 1 and "jobs stop runs/run a/job" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert run(home, "runs", "delete", "model b").exit_code == 1
    assert run(home, "jobs", "list").stdout == "runs/run a/job  running: The training\n"
    assert json.loads(run(home, "jobs", "list", "--json").stdout)[0]["id"] == "runs/run a/job"
    assert "Running jobs: runs/run a/job." in run(home, "jobs", "stop", "../x").stderr
    assert run(home, "jobs", "stop", "runs/run a/job").stdout == "Stopping “The training”.\n"
    assert (folder / "stop").exists()
    assert "a job that is stopping" in run(home, "dataset", "delete", "shown a").stderr


def test_work_in_a_shell_is_recorded_while_it_lasts(home):
    with shell_work(home, "evaluate", {"dataset": "set a", "model": "run a"}, "Evaluating in a shell"):
        with pytest.raises(DatasetError, match=r"“Evaluating in a shell”.*Ctrl-C"):
            delete_dataset(home, "shown a")
        with pytest.raises(SneakerError, match="“Evaluating in a shell”"):
            runs_of(home).delete("model a")
    with pytest.raises(ValueError), shell_work(home, "evaluate", {}, "x"):
        raise ValueError
    assert list((home / SHELL_WORK).iterdir()) == []
    delete_dataset(home, "shown a")
    with shell_work(Path("/proc/nowhere"), "evaluate", {}, "in a workspace that can't be written"):
        pass
