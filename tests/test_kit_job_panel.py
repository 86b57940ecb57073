"""The panel of a job in every state, with its buttons."""

import os
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from sneaker_core.workspace import jobs
from sneaker_core.workspace.atomic_files import write_json
from sneaker_core.workspace.job_record import END_FILE, HEARTBEAT_FILE, STOP_FILE, write_job
from sneaker_core.workspace.jobs import JobState, read_job
from ui.kit.state_keys import KitKey


def panel_page(folder: str, question: str, resumable: bool) -> None:
    from pathlib import Path

    import streamlit as st

    from ui.kit.job_panel import JobPanel, draw_job

    panel = JobPanel(
        resumable=resumable,
        stop_question=question,
        outcome=lambda job: "12 photos." if job.result else "",
        details=lambda job: st.markdown("details"),
    )
    draw_job(Path(folder), panel)


def item_page(folder: str, state: str) -> None:
    from pathlib import Path

    import streamlit as st

    from sneaker_core.workspace.jobs import JobState, find_job
    from ui.kit.job_panel import JobPanel, draw_job, item_job

    restarted = st.session_state.setdefault("restarted", [])
    changes = st.session_state.setdefault("changes", [])
    panel = JobPanel(
        place="item",
        find=lambda job: item_job(find_job(job), job, kind="train", title="my *run*", state=JobState(state)),
        stop_question="Stop?",
        stop_text="Stop and keep the model",
        restart=lambda job: restarted.append(job.title),
        restart_text="Resume for 5 minutes",
        buttons=lambda job: st.button("Use it"),
        outcome=lambda job: "There is a model.",
        lasting=True,
        has_changed=lambda: bool(changes) and changes.pop() is None,
    )
    st.write("drawn" if draw_job(Path(folder), panel) else "nothing")


@pytest.fixture
def folder(tmp_path) -> Path:
    job = tmp_path / "job"
    job.mkdir()
    write_job(job, "dataset_scan", {"dataset": "a"}, title="Checking *photos*", workspace=tmp_path)
    (job / "log.txt").write_text("first line\nlast line\n")
    return job


def opened(folder: Path, question: str = "", resumable: bool = True) -> AppTest:
    return AppTest.from_function(
        panel_page, kwargs={"folder": str(folder), "question": question, "resumable": resumable}
    ).run()


def ended(folder: Path, state: JobState, **end: object) -> None:
    write_json(folder / END_FILE, {"state": state.value, "error": None, "result": {}, **end})


def labels(app: AppTest) -> list[str]:
    assert not app.exception
    return [button.label for button in app.button]


def test_no_job_draws_nothing(tmp_path):
    app = opened(tmp_path / "nowhere")
    assert not app.exception and not app.markdown


def test_running_then_done_then_dismissed(folder):
    app = opened(folder)
    assert labels(app) == ["Stop"] and r"Checking \*photos\*" in app.markdown[0].value
    assert app.get("progress")[0].proto.text == "Starting"
    ended(folder, JobState.DONE, result={"added": 12})
    app.run()
    assert "done. 12 photos." in app.success[0].value and labels(app) == ["Dismiss"]
    app.button(key=KitKey.JOB_DISMISS).click().run()
    assert not app.success and not app.exception


def test_done_is_not_shown_to_a_session_that_did_not_see_it_run(folder):
    ended(folder, JobState.DONE)
    assert not opened(folder).success


def test_stop_is_asked_once(folder):
    app = opened(folder)
    app.button(key=KitKey.JOB_STOP).click().run()
    assert (folder / STOP_FILE).exists() and labels(app) == ["Stopping…"]


def test_a_question_before_stopping(folder):
    app = opened(folder, "The best model so far is kept.")
    assert "The best model so far is kept." in [one.value for one in app.markdown]
    app.button(key=KitKey.JOB_STOP).click().run()
    assert (folder / STOP_FILE).exists()


@pytest.mark.parametrize(
    ("state", "resumable", "button", "text"),
    [
        (JobState.STOPPED, True, "Resume", "was stopped. What was done is kept, and you can resume."),
        (JobState.STOPPED, False, "Try again", "was stopped. Nothing was kept."),
        (JobState.FAILED, True, "Try again", "failed. The disk is full."),
    ],
)
def test_ends_that_can_be_started_again(folder, monkeypatch, state, resumable, button, text):
    started = []
    monkeypatch.setattr(jobs, "_spawn", started.append)
    ended(folder, state, error="The disk is full.")
    app = opened(folder, resumable=resumable)
    assert text in (app.info or app.error)[0].value and labels(app) == [button, "Dismiss"]
    app.button(key=KitKey.JOB_AGAIN).click().run()
    assert started == [folder] and read_job(folder).params == {"dataset": "a"}
    assert labels(app) == ["Stop"]


def test_interrupted(folder):
    old = time.time() - 1000
    os.utime(folder / HEARTBEAT_FILE, (old, old))
    app = opened(folder)
    assert "was interrupted; the process is no longer running" in app.warning[0].value
    assert labels(app) == ["Resume", "Dismiss"]


def test_the_log_is_read_only_when_it_is_open(folder):
    app = opened(folder)
    assert not app.code
    app.session_state[KitKey.JOB_LOG] = True
    app.run()
    assert "last line" in app.code[0].value


def test_a_start_that_fails_is_said(folder, monkeypatch):
    def refuse(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(jobs, "_spawn", refuse)
    ended(folder, JobState.STOPPED)
    app = opened(folder)
    app.button(key=KitKey.JOB_AGAIN).click().run()
    assert "Can't start: No space left on device." in app.toast[0].value


@pytest.mark.parametrize("recorded", [True, False])
def test_an_item_says_how_it_stands_whatever_its_job_recorded(folder, tmp_path, recorded):
    job = folder if recorded else tmp_path / "nowhere"
    app = AppTest.from_function(item_page, kwargs={"folder": str(job), "state": "interrupted"}).run()
    assert r"**my \*run\*** was interrupted" in app.warning[0].value
    assert "There is a model. What was done is kept" in app.warning[0].value
    assert labels(app) == ["Use it", "Resume for 5 minutes"] and app.markdown[-1].value == "drawn"
    app.button(key=KitKey.JOB_AGAIN.of("item")).click().run()
    assert app.session_state["restarted"] == ["my *run*"]
    app.session_state[KitKey.JOB_LOG.of("item")] = True
    assert (app.run().code[0].value == "The log is empty.") is not recorded


def test_an_item_that_is_done_stays_and_offers_its_log(folder):
    app = AppTest.from_function(item_page, kwargs={"folder": str(folder), "state": "done"}).run()
    assert "done. There is a model." in app.success[0].value and "Dismiss" not in labels(app)
    assert KitKey.JOB_LOG.of("item") in app.session_state


def test_an_item_at_work_has_more_buttons_and_notices_changes(folder):
    app = AppTest.from_function(item_page, kwargs={"folder": str(folder), "state": "running"}).run()
    assert labels(app) == ["Use it", "Stop and keep the model"]
    app.session_state["changes"] = [None]
    assert labels(app.run()) == ["Use it", "Stop and keep the model"]
    assert app.session_state["changes"] == []
