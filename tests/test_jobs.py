"""Jobs: real processes, described by their folders."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from sneaker_core.commands.run_job_command import RUNNERS, run_job, runner
from sneaker_core.datasets.dataset_collection import create_dataset, find_dataset
from sneaker_core.datasets.dataset_jobs import import_params, start_dataset_job
from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.errors import BusyError, DamagedError, SneakerError, StoppedError
from sneaker_core.workspace import job_record, job_worker
from sneaker_core.workspace.jobs import (
    WAITING,
    Job,
    JobState,
    Progress,
    Worker,
    end_if_open,
    find_job,
    list_jobs,
    log_tail,
    new_job_folder,
    read_job,
    restart_job,
    start_job,
    stop_job,
    waiting_turn,
    working,
)
from sneaker_core.workspace.locks import take_lock
from sneaker_core.workspace.paths import PROJECT
from tests.factories import draw_dataset

pytestmark = pytest.mark.slow

PATIENCE = 120  # seconds, for a machine that is very busy


def until(folder: Path, wanted: Callable[[Job], bool]) -> Job:
    """Wait until the job meets a condition; returns it."""
    for _ in range(PATIENCE * 50):
        job = read_job(folder)
        if wanted(job):
            return job
        time.sleep(0.02)
    raise AssertionError(f"{read_job(folder)}\n{(folder / 'log.txt').read_text()}")


def ended(folder: Path) -> Job:
    return until(folder, lambda job: job.state.ended)


def dataset_of(workspace: Path, name: str = "drawn") -> Dataset:
    try:
        return find_dataset(workspace, name)
    except SneakerError:
        return create_dataset(workspace, name)


def demo(workspace: Path, per_class: int = 4) -> dict[str, object]:
    """The params of a job that draws photos, and its dataset."""
    return {"dataset": dataset_of(workspace).folder.name, "per_class": per_class}


def draw(workspace: Path, folder: Path | None = None, per_class: int = 4, title: str = "Drawing") -> Path:
    """Start drawing photos."""
    folder = folder or new_job_folder(workspace / "jobs")
    return start_job(folder, "dataset_demo", demo(workspace, per_class), title=title, workspace=workspace)


def bring(workspace: Path, source: Path, folder: Path | None = None) -> Path:
    """Start an import."""
    params = {"dataset": dataset_of(workspace, "x").folder.name, **import_params(workspace, source)}
    folder = folder or new_job_folder(workspace / "jobs")
    return start_job(folder, "dataset_import", params, title="Importing", workspace=workspace)


def process_of(folder: Path) -> int:
    """The id of a job's process, found by its command line."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"run-job" in words and str(folder).encode() in words:
                return int(entry.name)
    raise AssertionError(f"no process works for {folder}")


needs_proc = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="only Linux has /proc")


class TestJobs:
    def test_runs_reports_progress_and_ends_with_a_result(self, tmp_path):
        folder = draw(tmp_path, title="Drawing ünïcode")
        assert read_job(folder).state is JobState.RUNNING
        job = ended(folder)
        photos = len(read_samples(find_dataset(tmp_path, "drawn")))
        assert (job.state, job.error, job.title) == (JobState.DONE, None, "Drawing ünïcode")
        assert (job.kind, job.params, job.workspace) == ("dataset_demo", demo(tmp_path), tmp_path)
        assert job.result == {"added": photos}
        assert (job.progress.done, job.progress.total, job.progress.step) == (photos, photos, "Generating photos")
        assert job.progress.share == 1
        assert "new photos" in (folder / "log.txt").read_text()

    def test_a_failure_is_recorded_with_its_message(self, tmp_path):
        job = ended(bring(tmp_path, tmp_path / "nowhere"))
        assert job.state is JobState.FAILED
        assert job.error == f"There is no folder or archive at {tmp_path / 'nowhere'}."

    def test_stopped_it_keeps_what_it_has_and_restarted_it_finishes(self, tmp_path):
        folder = draw(tmp_path, per_class=30)
        until(folder, lambda job: job.progress.done > 0)
        stop_job(folder)
        assert read_job(folder).state in (JobState.STOPPING, JobState.STOPPED)
        job = ended(folder)
        assert job.state is JobState.STOPPED
        first = len(read_samples(find_dataset(tmp_path, "drawn")))
        assert 0 < first == job.result["added"] < job.progress.total
        assert restart_job(folder) == folder
        until(folder, lambda job: job.progress.done > first)
        stop_job(folder)
        assert ended(folder).state in (JobState.STOPPED, JobState.DONE)
        assert len(read_samples(find_dataset(tmp_path, "drawn"))) == first + read_job(folder).result["added"] > first

    @needs_proc
    def test_killed_it_is_interrupted(self, tmp_path, monkeypatch):
        folder = draw(tmp_path, per_class=60)
        until(folder, lambda job: job.progress.done > 0)
        os.kill(process_of(folder), signal.SIGKILL)
        monkeypatch.setattr(job_record, "_LOST_AFTER", 2.5)
        assert ended(folder).state is JobState.INTERRUPTED
        assert not (folder / "end.json").exists()
        assert find_dataset(tmp_path, "drawn").name == "drawn"

    @needs_proc
    def test_alive_it_is_running_however_long_it_takes(self, tmp_path):
        folder = draw(tmp_path, per_class=60)
        until(folder, lambda job: job.progress.done > 0)
        first = (folder / "heartbeat").stat().st_mtime
        until(folder, lambda job: (folder / "heartbeat").stat().st_mtime > first)
        assert read_job(folder).state is JobState.RUNNING
        os.kill(process_of(folder), signal.SIGKILL)

    def test_outlives_the_process_that_started_it(self, tmp_path):
        code = (
            "import json, sys, os, signal; from pathlib import Path\n"
            "from sneaker_core.workspace.jobs import start_job\n"
            "home = Path(sys.argv[1])\n"
            "params = json.loads(sys.argv[2])\n"
            "print(start_job(home / 'job', 'dataset_import', params, title='Importing', workspace=home), flush=True)\n"
            # As if a terminal were closed: the whole process group of the starter is terminated.
            "os.killpg(os.getpgrp(), signal.SIGKILL)"
        )
        photos = draw_dataset(tmp_path / "photos", {"boot": 2})
        params = {"dataset": dataset_of(tmp_path, "x").folder.name, **import_params(tmp_path, photos)}
        arguments = [sys.executable, "-c", code, str(tmp_path), json.dumps(params)]
        started = subprocess.run(arguments, cwd=PROJECT, capture_output=True, text=True, start_new_session=True)
        assert started.returncode == -signal.SIGKILL
        assert ended(Path(started.stdout.strip())).state is JobState.DONE

    def test_imports_return_their_counts(self, tmp_path):
        draw_dataset(tmp_path / "photos", {"boot": 3, "clog": 2})
        (tmp_path / "photos" / "boot" / "bad.jpg").write_bytes(b"no photo")
        folder = bring(tmp_path, tmp_path / "photos")
        job = ended(folder)
        assert (job.state, job.result["added"], list(job.result["rejected"])) == (JobState.DONE, 5, ["boot/bad.jpg"])
        assert (job.progress.done, job.progress.total) == (6, 6)
        assert "boot/bad.jpg: " in log_tail(folder)

    def test_of_one_dataset_one_job_runs_at_a_time(self, tmp_path):
        drawn = dataset_of(tmp_path)
        folder = start_dataset_job(tmp_path, drawn, "dataset_demo", {"per_class": 60}, title="Drawing")
        with pytest.raises(BusyError, match="running in the dataset 'drawn'"):
            start_dataset_job(tmp_path, drawn, "dataset_scan", title="Checking photos")
        stop_job(folder)
        ended(folder)
        again = start_dataset_job(tmp_path, drawn, "dataset_scan", {"with_model": False}, title="Checking photos")
        assert ended(again).state is JobState.DONE
        assert read_job(again).result["finished"]


class TestKinds:
    def test_every_kind_has_a_function(self):
        for kind in RUNNERS:
            assert callable(runner(kind))

    def test_an_unknown_kind_fails_with_its_name(self, tmp_path):
        folder = start_job(tmp_path / "job", "dance", {}, title="Dancing", workspace=tmp_path)
        job = ended(folder)
        assert (job.state, job.error) == (JobState.FAILED, "This version of SoleScope can't run jobs of kind 'dance'.")

    def test_the_command_is_hidden_and_runs_a_job_in_its_process(self, tmp_path):
        params = {"dataset": dataset_of(tmp_path).folder.name, "per_class": 4}
        job_record.write_job(made(tmp_path / "job"), "dataset_demo", params, title="x", workspace=tmp_path)
        done = CliRunner().invoke(run_job, [str(tmp_path / "job")])
        assert (done.exit_code, done.output, run_job.hidden) == (0, "", True)
        assert read_job(tmp_path / "job").state is JobState.DONE

    def test_a_folder_without_a_job_is_an_error(self, tmp_path):
        with pytest.raises(SneakerError, match="There is no job"):
            CliRunner().invoke(run_job, [str(tmp_path)], catch_exceptions=False, standalone_mode=False)


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


class TestRecords:
    def test_a_moved_workspace_takes_its_jobs_along(self, tmp_path):
        home = tmp_path / "home"
        photos = draw_dataset(home / "photos", {"boot": 2})
        folder = bring(home, photos)
        assert ended(folder).state is JobState.DONE
        home.rename(tmp_path / "moved")
        folder = tmp_path / "moved" / folder.relative_to(home)
        assert read_job(folder).workspace == tmp_path / "moved"
        assert ended(restart_job(folder)).result["known"] == 2

    def test_a_workspace_elsewhere_is_recorded_by_its_path(self, tmp_path):
        folder = start_job(tmp_path / "here" / "job", "dance", {}, title="x", workspace=tmp_path / "there")
        assert ended(folder).workspace == tmp_path / "there"

    def test_params_are_kept_as_they_are(self, tmp_path):
        params = {"text": "ünï", "number": 1.5, "nothing": None, "list": ["a", 2], "map": {"x": True}}
        job_record.write_job(made(tmp_path / "job"), "dance", params, title="x", workspace=tmp_path, queue=True)
        job = read_job(tmp_path / "job")
        assert (job.kind, job.params, job.queue) == ("dance", params, True)

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"kind": 3}, "kind"),
            ({"kind": "x", "params": []}, "params"),
            ({"kind": "x", "workspace": 5}, "workspace"),
            ({"kind": "x", "started": "abc"}, "started"),
            ({"kind": "train", "params": {"run": 5}}, "run"),
        ],
    )
    def test_a_damaged_record_says_which_field_is_wrong(self, tmp_path, values, field):
        (tmp_path / "job.json").write_text(json.dumps(values))
        with pytest.raises(DamagedError, match=rf"job\.json is damaged: {field}: expected"):
            read_job(tmp_path)

    def test_a_damaged_end_is_told_as_the_reason(self, tmp_path):
        (tmp_path / "job.json").write_text("{}")
        (tmp_path / "end.json").write_text(json.dumps({"state": "lost", "error": 5, "result": 3}))
        job = read_job(tmp_path)
        assert (job.params, job.result, job.state) == ({}, {}, JobState.INTERRUPTED)
        assert "end.json is damaged: error" in (job.error or "")

    def test_a_damaged_record_does_not_affect_others(self, tmp_path):
        first = draw(tmp_path, tmp_path / "jobs" / "1")
        (tmp_path / "jobs" / "2").mkdir()
        (tmp_path / "jobs" / "2" / "job.json").write_text("{")
        assert [job.folder for job in list_jobs(tmp_path / "jobs")] == [first]
        assert find_job(tmp_path / "jobs" / "2") is None
        stop_job(first)
        ended(first)


class TestFolders:
    def test_the_newest_comes_first_and_other_folders_are_skipped(self, tmp_path):
        folders = [made(new_job_folder(tmp_path)) for _ in range(3)]
        for folder in folders:
            job_record.write_job(folder, "dance", {}, title="x", workspace=tmp_path)
        (tmp_path / "not a job").mkdir()
        assert [job.folder for job in list_jobs(tmp_path)] == folders[::-1]
        assert list_jobs(tmp_path / "none") == []

    def test_a_folder_without_a_job_is_reported(self, tmp_path):
        with pytest.raises(SneakerError, match="no job"):
            read_job(tmp_path)

    @pytest.mark.parametrize("text", ["", "{", "[1]", "nothing"])
    def test_half_written_progress_is_no_progress(self, tmp_path, text):
        (tmp_path / "job.json").write_text(json.dumps({"title": "x", "arguments": [], "started": 1}))
        (tmp_path / "progress.json").write_text(text)
        (tmp_path / "heartbeat").touch()
        assert read_job(tmp_path).progress == Progress()
        (tmp_path / "heartbeat").unlink()
        assert read_job(tmp_path).state is JobState.INTERRUPTED

    @pytest.mark.parametrize(
        ("silent", "beaten", "state"),
        [
            (0, True, JobState.RUNNING),
            (30, True, JobState.INTERRUPTED),
            (30, False, JobState.RUNNING),
            (99, False, JobState.INTERRUPTED),
        ],
    )
    def test_to_start_takes_longer_than_to_beat(self, tmp_path, silent, beaten, state):
        last = time.time() - silent
        started = last - 10 if beaten else last
        (tmp_path / "job.json").write_text(json.dumps({"title": "x", "arguments": [], "started": started}))
        (tmp_path / "heartbeat").touch()
        os.utime(tmp_path / "heartbeat", (last, last))
        assert read_job(tmp_path).state is state


class TestWorker:
    def test_outside_of_a_job_nothing_is_written(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with working() as worker:
            worker.report(1, 2, "Working")
            worker.report(2, 2, "Working", more=3)
            worker.log("a line")
            assert not worker.stopped()
        assert (worker.progress.done, worker.progress.details) == (2, {"more": 3})
        assert list(tmp_path.iterdir()) == []

    def test_reports_are_written_now_and_then_and_always_at_the_end(self, tmp_path, monkeypatch):
        worker, seen = Worker(tmp_path), set()
        monkeypatch.setattr(job_worker, "_PROGRESS_EVERY", 1000.0)
        for done in range(1, 1001):
            worker.report(done, 1000, "Working")
            seen.add(json.loads((tmp_path / "progress.json").read_text())["done"])
        assert seen == {1, 1000}
        worker.report(1, 5, "Other work")
        assert json.loads((tmp_path / "progress.json").read_text())["step"] == "Other work"

    def test_the_rate_is_that_of_the_present_step(self, tmp_path, monkeypatch):
        worker = Worker(tmp_path)
        monkeypatch.setattr(job_worker, "_PROGRESS_EVERY", 0.0)
        worker.report(0, 100, "Slow")
        assert (worker.progress.rate, worker.progress.seconds_left) == (0, None)
        time.sleep(0.05)
        worker.report(50, 100, "Slow")
        slow = worker.progress.rate
        assert 0 < slow <= 1000
        assert worker.progress.seconds_left == pytest.approx(50 / slow)
        worker.report(0, 10, "Next")
        assert (worker.progress.rate, worker.progress.share) == (0, 0)

    def test_an_unknown_total_has_no_share(self):
        assert (Progress(5, 0).share, Progress(5, 0, rate=2.0).seconds_left) == (0.0, None)

    @pytest.mark.parametrize(
        ("raised", "said"),
        [(SneakerError("It is broken."), "It is broken."), (KeyError("x"), "Internal error: KeyError")],
    )
    def test_the_end_is_written_whatever_happens(self, tmp_path, raised, said):
        (tmp_path / "job.json").write_text("{}")
        with pytest.raises(type(raised)), working(tmp_path):
            raise raised
        job = read_job(tmp_path)
        assert job.state is JobState.FAILED
        assert job.error.startswith(said)

    def test_work_that_ends_because_it_was_stopped_has_not_failed(self, tmp_path):
        (tmp_path / "job.json").write_text("{}")
        with working(tmp_path):
            raise StoppedError("Nothing is kept.")
        assert (read_job(tmp_path).state, read_job(tmp_path).error) == (JobState.STOPPED, None)

    def test_lines_are_added_to_the_log(self, tmp_path):
        worker = Worker(tmp_path)
        worker.log("one")
        worker.log("two \udcff")
        assert log_tail(tmp_path) == "one\ntwo ?"

    def test_a_stop_request_is_noticed(self, tmp_path, monkeypatch):
        monkeypatch.setattr(job_worker, "_PROGRESS_EVERY", 0.0)
        (tmp_path / "job.json").write_text("{}")
        with working(tmp_path) as worker:
            assert not worker.stopped()
            stop_job(tmp_path)
            assert worker.stopped()
            worker.result = {"added": 3}
        assert (read_job(tmp_path).state, read_job(tmp_path).result) == (JobState.STOPPED, {"added": 3})


class TestAgainInOneFolder:
    def test_starts_over_and_keeps_the_log(self, tmp_path):
        folder = tmp_path / "job"
        assert bring(tmp_path, tmp_path / "nowhere", folder) == folder
        assert ended(folder).state is JobState.FAILED
        stop_job(folder)
        draw(tmp_path, folder, title="Second")
        job = ended(folder)
        assert (job.title, job.state, job.error) == ("Second", JobState.DONE, None)
        log = log_tail(folder)
        assert log.index("no folder or archive") < log.index("new photos")

    def test_of_concurrent_starts_one_wins(self, tmp_path):
        folder, at_once = tmp_path / "job", threading.Barrier(6)
        dataset_of(tmp_path)

        def click(number: int) -> bool:
            at_once.wait()
            try:
                draw(tmp_path, folder, title=str(number))
            except BusyError:
                return False
            return True

        with ThreadPoolExecutor(6) as pool:
            started = list(pool.map(click, range(6)))
        assert sum(started) == 1
        job = ended(folder)
        assert (job.title, job.state) == (str(started.index(True)), JobState.DONE)
        assert log_tail(folder).count("new photos") == 1

    def test_while_it_is_alive_it_is_left_alone(self, tmp_path):
        folder = draw(tmp_path, tmp_path / "job", 60)
        with pytest.raises(BusyError, match="already running"):
            draw(tmp_path, folder, title="Again")
        with pytest.raises(BusyError, match="already running"):
            restart_job(folder)
        assert read_job(folder).title == "Drawing"
        stop_job(folder)
        assert ended(folder).state is JobState.STOPPED

    def test_a_command_in_a_shell_makes_a_job_of_its_folder(self, tmp_path, monkeypatch):
        monkeypatch.setattr(job_worker, "_PROGRESS_EVERY", 0.0)
        folder, about = tmp_path / "run" / "job", {"title": "Training again", "workspace": tmp_path}
        with pytest.raises(KeyError), working(folder, "train", {"run": "x"}, title="Training", workspace=tmp_path):
            raise KeyError
        stop_job(folder)
        with working(folder, "train", {"run": "y"}, **about) as worker:
            job = read_job(folder)
            assert (job.state, job.title) == (JobState.RUNNING, "Training again")
            assert (job.kind, job.params, job.workspace) == ("train", {"run": "y"}, tmp_path)
            assert job.progress == Progress()
            assert not worker.stopped()
            stop_job(folder)
            assert worker.stopped()
        assert read_job(folder).state is JobState.STOPPED

    def test_a_stop_request_before_the_start_is_noticed(self, tmp_path):
        folder = tmp_path / "job"
        with working(folder, "train", {"run": "one"}, title="As started"):
            pass
        (folder / "end.json").unlink()
        stop_job(folder)  # before its process started the work
        with working(folder) as worker:
            assert worker.stopped()
        assert (read_job(folder).title, read_job(folder).state) == ("As started", JobState.STOPPED)

    def test_only_one_process_works_in_a_folder(self, tmp_path, monkeypatch):
        monkeypatch.setattr(job_worker, "_LOCK_PATIENCE", 0.1)
        with working(tmp_path, "train", {"run": "one"}, title="First"):
            with pytest.raises(BusyError, match="already running"), working(tmp_path):
                raise AssertionError("never")
            end_if_open(tmp_path, "The process ended before the work began.")
            assert not (tmp_path / "end.json").exists()
        assert read_job(tmp_path).state is JobState.DONE

    def test_what_an_old_record_does_not_say_cannot_be_restarted(self, tmp_path):
        (tmp_path / "job.json").write_text(json.dumps({"title": "x", "arguments": ["dance"], "started": 1}))
        assert not read_job(tmp_path).can_restart
        with pytest.raises(SneakerError, match="doesn't say what to run"):
            restart_job(tmp_path)


class TestLog:
    def test_the_last_lines(self, tmp_path):
        (tmp_path / "log.txt").write_bytes(b"one\ntwo \xff\r\nthree\n")
        assert log_tail(tmp_path, 2) == "two \ufffd\nthree"
        assert log_tail(tmp_path) == "one\ntwo \ufffd\nthree"
        assert (log_tail(tmp_path, 0), log_tail(tmp_path / "none")) == ("", "")

    def test_of_a_huge_one_the_end(self, tmp_path):
        with (tmp_path / "log.txt").open("wb") as log:
            log.truncate(2**40)  # takes no disk space
            log.seek(0, os.SEEK_END)
            log.write(b"\nlast but one\nlast\n")
        assert log_tail(tmp_path, 2) == "last but one\nlast"


# Waits for its turn, reports its start and end, and works until it is released or stopped.
QUEUED_WORK = """
import sys, time
from pathlib import Path
from sneaker_core.workspace.jobs import waiting_turn, working
home, name = Path(sys.argv[1]), sys.argv[2]

def tell(what):
    with (home / "told").open("a") as told:
        told.write(f"{what} {name}\\n")

with working(home / name, "wait", {}, title=name) as worker, waiting_turn(worker, home / "queue") as mine:
    if mine:
        tell("begin")
        while not worker.stopped() and not (home / f"{name} may go").exists():
            time.sleep(0.02)
        tell("end")
"""


class Line:
    """Processes that wait in one queue."""

    def __init__(self, home: Path) -> None:
        self.home, self.processes = home, {}

    def join(self, name: str) -> Path:
        arguments = [sys.executable, "-c", QUEUED_WORK, str(self.home), name]
        self.processes[name] = subprocess.Popen(arguments, cwd=PROJECT)
        for _ in range(PATIENCE * 50):
            if (self.home / name / "job.json").exists():
                return self.home / name
            time.sleep(0.02)
        raise AssertionError(f"{name} does not start")

    def release(self, *names: str) -> None:
        for name in names:
            (self.home / f"{name} may go").touch()

    def told(self) -> list[str]:
        return (self.home / "told").read_text().splitlines()


@pytest.fixture
def line(tmp_path):
    line = Line(tmp_path)
    yield line
    for process in line.processes.values():
        process.kill()
        process.wait()


def works(job: Job) -> bool:
    return job.state is JobState.RUNNING and job.progress.step == "Starting"


def waits(before: int) -> Callable[[Job], bool]:
    return lambda job: job.state is JobState.QUEUED and job.progress.details == {"before": before}


class TestQueue:
    def test_one_works_at_a_time_in_the_order_they_came(self, line):
        first, second, third = (
            until(line.join(name), wanted).folder
            for name, wanted in (("first", works), ("second", waits(1)), ("third", waits(2)))
        )
        assert not JobState.QUEUED.ended
        assert len(list((line.home / "queue").glob("*.ticket"))) == 2
        line.release("third")  # it must wait nevertheless
        line.release("first")
        assert ended(first).state is JobState.DONE
        until(second, works)
        until(third, waits(1))
        line.release("second")
        assert (ended(second).state, ended(third).state) == (JobState.DONE, JobState.DONE)
        assert line.told() == [f"{what} {name}" for name in ("first", "second", "third") for what in ("begin", "end")]
        assert list((line.home / "queue").glob("*.ticket")) == []

    def test_many_at_once_never_work_together(self, line):
        names = [str(number) for number in range(5)]
        line.release(*names)
        for name in names:
            line.join(name)
        assert [process.wait(PATIENCE) for process in line.processes.values()] == [0] * 5
        told = line.told()
        assert sorted(told[::2]) == [f"begin {name}" for name in names]
        assert told[1::2] == [begun.replace("begin", "end") for begun in told[::2]]

    def test_a_killed_process_frees_its_place(self, line):
        until(line.join("first"), works)
        second = until(line.join("second"), waits(1)).folder
        line.processes["first"].kill()
        until(second, works)
        line.release("second")
        assert ended(second).state is JobState.DONE
        assert line.told() == ["begin first", "begin second", "end second"]

    def test_stopped_in_the_queue_it_never_works(self, line):
        first = until(line.join("first"), works).folder
        second = until(line.join("second"), waits(1)).folder
        stop_job(second)
        assert read_job(second).state in (JobState.STOPPING, JobState.STOPPED)
        assert ended(second).state is JobState.STOPPED
        assert list((line.home / "queue").glob("*.ticket")) == []
        stop_job(first)
        assert ended(first).state is JobState.STOPPED
        assert line.told() == ["begin first", "end first"]

    def test_dead_jobs_are_skipped(self, line):
        dead = line.home / "dead"
        with working(dead, "wait", {}, title="Dead") as worker:
            worker.report(0, 0, WAITING)
        (dead / "end.json").unlink()
        os.utime(dead / "heartbeat", (1, 1))
        assert read_job(dead).state is JobState.INTERRUPTED
        queue = line.home / "queue"
        for name, text in (("00", str(dead)), ("000", ""), ("001", str(line.home / "gone")), ("002", "\0")):
            (queue / f"{name}.ticket").parent.mkdir(exist_ok=True)
            (queue / f"{name}.ticket").write_text(text)
        until(line.join("first"), works)
        assert list(queue.glob("*.ticket")) == []

    def test_a_suspended_process_gets_its_place_back(self, line):
        until(line.join("first"), works)
        second = until(line.join("second"), waits(1)).folder
        (ticket,) = (line.home / "queue").glob("*.ticket")
        ticket.unlink()
        for _ in range(PATIENCE * 50):
            if ticket.exists():
                break
            time.sleep(0.02)
        assert ticket.read_text() == str(second)

    def test_a_queued_job_gets_its_place_immediately(self, line):
        queue, early = line.home / "queue", line.home / "early"
        until(line.join("first"), works)
        start_job(early, "find_lr", {}, title="Early", workspace=line.home, queue=True)
        assert read_job(early).state is JobState.QUEUED
        (ticket,) = queue.glob("*.ticket")
        assert ticket.read_text() == str(early)
        late = line.join("late")
        until(late, waits(2))
        line.release("first")
        assert ended(early).state is JobState.FAILED  # its parameters are missing
        until(late, works)

    def test_outside_of_a_job_it_waits_until_the_queue_is_empty(self, tmp_path):
        with waiting_turn(Worker(), tmp_path / "queue") as mine:
            assert mine
            assert take_lock(tmp_path / "queue" / "lock") is None
        assert [path.name for path in (tmp_path / "queue").iterdir()] == ["lock"]


class TestLocks:
    def test_one_holds_it_and_then_the_next_may(self, tmp_path):
        held = take_lock(tmp_path / "lock")
        with held:
            assert take_lock(tmp_path / "lock") is None
            assert take_lock(tmp_path / "lock", 0.05) is None
        with take_lock(tmp_path / "lock"):
            pass

    def test_a_place_that_knows_no_locks_is_reported(self, tmp_path):
        with pytest.raises(SneakerError, match="Can't lock"):
            take_lock(tmp_path / "none" / "lock")
