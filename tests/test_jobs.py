"""Jobs: real processes, told by their folders."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sneaker_core import jobs
from sneaker_core.datasets.index import read_samples
from sneaker_core.datasets.library import find_dataset
from sneaker_core.errors import SneakerError
from sneaker_core.jobs import Job, JobState, Worker, list_jobs, read_job, start_job, stop_job, working
from sneaker_core.paths import PROJECT
from tests.factories import draw_dataset

PATIENCE = 120  # seconds, for a machine that is very busy


def until(folder: Path, wanted: Callable[[Job], bool]) -> Job:
    """The job once it is as wanted."""
    for _ in range(PATIENCE * 50):
        job = read_job(folder)
        if wanted(job):
            return job
        time.sleep(0.02)
    raise AssertionError(f"{read_job(folder)}\n{(folder / 'log.txt').read_text()}")


def ended(folder: Path) -> Job:
    return until(folder, lambda job: job.state.ended)


def demo(workspace: Path, per_class: int = 4) -> list[str]:
    return ["--workspace", str(workspace), "dataset", "demo", "--per-class", str(per_class)]


def process_of(folder: Path) -> int:
    """The id of the process that works for a job, by its environment."""
    mark = f"{jobs.JOB_VARIABLE}={folder}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    return int(entry.name)
            except OSError:
                continue
    raise AssertionError(f"no process works for {folder}")


needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux tells processes' variables")


class TestJobs:
    def test_runs_tells_how_far_it_is_and_ends_with_a_result(self, tmp_path):
        folder = start_job(tmp_path / "jobs", "Drawing ünïcode", demo(tmp_path))
        assert read_job(folder).state is JobState.RUNNING
        job = ended(folder)
        photos = len(read_samples(find_dataset("drawn", tmp_path)))
        assert (job.state, job.error, job.title) == (JobState.DONE, None, "Drawing ünïcode")
        assert job.result == {"added": photos}
        assert (job.progress.done, job.progress.total, job.progress.step) == (photos, photos, "Drawing sneakers")
        assert job.progress.share == 1
        assert "new drawings" in (folder / "log.txt").read_text()

    def test_a_failure_is_told_in_its_sentence(self, tmp_path):
        arguments = ["--workspace", str(tmp_path), "dataset", "import", str(tmp_path / "nowhere"), "--name", "x"]
        job = ended(start_job(tmp_path / "jobs", "Importing", arguments))
        assert job.state is JobState.FAILED
        assert job.error == f"There is no folder and no archive at {tmp_path / 'nowhere'}."

    def test_stopped_it_keeps_what_it_has_and_started_again_it_finishes(self, tmp_path):
        folder = start_job(tmp_path / "jobs", "Drawing", demo(tmp_path, 30))
        until(folder, lambda job: job.progress.done > 0)
        stop_job(folder)
        assert read_job(folder).state in (JobState.STOPPING, JobState.STOPPED)
        job = ended(folder)
        assert job.state is JobState.STOPPED
        first = len(read_samples(find_dataset("drawn", tmp_path)))
        assert 0 < first == job.result["added"] < job.progress.total
        again = start_job(tmp_path / "jobs", "Drawing", demo(tmp_path, 30))
        until(again, lambda job: job.progress.done > first)
        stop_job(again)
        assert ended(again).state in (JobState.STOPPED, JobState.DONE)
        assert len(read_samples(find_dataset("drawn", tmp_path))) == first + read_job(again).result["added"] > first

    @needs_proc
    def test_killed_it_is_lost(self, tmp_path, monkeypatch):
        folder = start_job(tmp_path / "jobs", "Drawing", demo(tmp_path, 60))
        until(folder, lambda job: job.progress.done > 0)
        os.kill(process_of(folder), signal.SIGKILL)
        monkeypatch.setattr(jobs, "_LOST_AFTER", 2.5)
        assert ended(folder).state is JobState.LOST
        assert not (folder / "end.json").exists()
        assert find_dataset("drawn", tmp_path).name == "drawn"

    @needs_proc
    def test_alive_it_is_not_lost_however_long_it_takes(self, tmp_path, monkeypatch):
        folder = start_job(tmp_path / "jobs", "Drawing", demo(tmp_path, 60))
        until(folder, lambda job: job.progress.done > 0)
        first = (folder / "heartbeat").stat().st_mtime
        until(folder, lambda job: (folder / "heartbeat").stat().st_mtime > first)
        assert read_job(folder).state is JobState.RUNNING
        os.kill(process_of(folder), signal.SIGKILL)

    def test_outlives_the_one_who_started_it(self, tmp_path):
        code = (
            "import sys, os, signal; from pathlib import Path; from sneaker_core.jobs import start_job\n"
            "print(start_job(Path(sys.argv[1]), 'Drawing', sys.argv[2:]), flush=True)\n"
            # As when a terminal is closed: everything in the starter's group is ended.
            "os.killpg(os.getpgrp(), signal.SIGKILL)"
        )
        photos = draw_dataset(tmp_path / "photos", {"boot": 2})
        job = ["--workspace", str(tmp_path), "dataset", "import", str(photos), "--name", "x"]
        arguments = [sys.executable, "-c", code, str(tmp_path / "jobs"), *job]
        started = subprocess.run(arguments, cwd=PROJECT, capture_output=True, text=True, start_new_session=True)
        assert started.returncode == -signal.SIGKILL
        assert ended(Path(started.stdout.strip())).state is JobState.DONE

    def test_imports_tell_their_counts(self, tmp_path):
        draw_dataset(tmp_path / "photos", {"boot": 3, "clog": 2})
        (tmp_path / "photos" / "boot" / "bad.jpg").write_bytes(b"no photo")
        arguments = ["--workspace", str(tmp_path), "dataset", "import", str(tmp_path / "photos"), "--name", "Mine"]
        job = ended(start_job(tmp_path / "jobs", "Importing", arguments))
        assert (job.state, job.result["added"], list(job.result["rejected"])) == (JobState.DONE, 5, ["boot/bad.jpg"])
        assert (job.progress.done, job.progress.total) == (6, 6)


class TestFolders:
    def test_the_newest_comes_first_and_other_folders_are_passed_over(self, tmp_path):
        folders = [start_job(tmp_path, str(number), ["--version"]) for number in range(3)]
        (tmp_path / "not a job").mkdir()
        assert [job.folder for job in list_jobs(tmp_path)] == folders[::-1]
        assert list_jobs(tmp_path / "none") == []

    def test_a_folder_without_a_job_is_told(self, tmp_path):
        with pytest.raises(SneakerError, match="no job"):
            read_job(tmp_path)

    @pytest.mark.parametrize("text", ["", "{", "[1]", "nothing"])
    def test_half_written_progress_is_no_progress(self, tmp_path, text):
        (tmp_path / "job.json").write_text(json.dumps({"title": "x", "arguments": [], "started": 1}))
        (tmp_path / "progress.json").write_text(text)
        (tmp_path / "heartbeat").touch()
        assert read_job(tmp_path).progress == jobs.Progress()
        (tmp_path / "heartbeat").unlink()
        assert read_job(tmp_path).state is JobState.LOST


class TestWorker:
    def test_outside_of_a_job_nothing_is_written(self, tmp_path, monkeypatch):
        monkeypatch.delenv(jobs.JOB_VARIABLE, raising=False)
        monkeypatch.chdir(tmp_path)
        with working() as worker:
            worker.report(1, 2, "Working")
            worker.report(2, 2, "Working", more=3)
            assert not worker.stopped()
        assert (worker.progress.done, worker.progress.details) == (2, {"more": 3})
        assert list(tmp_path.iterdir()) == []

    def test_reports_are_written_now_and_then_and_always_at_the_end(self, tmp_path, monkeypatch):
        worker, seen = Worker(tmp_path), set()
        monkeypatch.setattr(jobs, "_PROGRESS_EVERY", 1000.0)
        for done in range(1, 1001):
            worker.report(done, 1000, "Working")
            seen.add(json.loads((tmp_path / "progress.json").read_text())["done"])
        assert seen == {1, 1000}
        worker.report(1, 5, "Other work")
        assert json.loads((tmp_path / "progress.json").read_text())["step"] == "Other work"

    def test_the_rate_is_that_of_the_present_step(self, tmp_path, monkeypatch):
        worker = Worker(tmp_path)
        monkeypatch.setattr(jobs, "_PROGRESS_EVERY", 0.0)
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
        assert (jobs.Progress(5, 0).share, jobs.Progress(5, 0, rate=2.0).seconds_left) == (0.0, None)

    @pytest.mark.parametrize(
        ("raised", "said"),
        [(SneakerError("It is broken."), "It is broken."), (KeyError("x"), "A fault in the program: KeyError")],
    )
    def test_the_end_is_written_whatever_happens(self, tmp_path, raised, said):
        (tmp_path / "job.json").write_text("{}")
        with pytest.raises(type(raised)), working(tmp_path):
            raise raised
        job = read_job(tmp_path)
        assert job.state is JobState.FAILED
        assert job.error.startswith(said)

    def test_a_stop_is_heard(self, tmp_path, monkeypatch):
        monkeypatch.setattr(jobs, "_PROGRESS_EVERY", 0.0)
        (tmp_path / "job.json").write_text("{}")
        with working(tmp_path) as worker:
            assert not worker.stopped()
            stop_job(tmp_path)
            assert worker.stopped()
            worker.result = {"added": 3}
        assert (read_job(tmp_path).state, read_job(tmp_path).result) == (JobState.STOPPED, {"added": 3})
