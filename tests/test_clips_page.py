"""The Clips page: empty, with a clip, while one is followed, failed, and read-only."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from sneaker_core.commands.run_job_command import run_job
from sneaker_core.datasets.synthetic.drawn_clips import ClipPlan, Scene, plan_clip
from sneaker_core.networks.bundled_models import SYNTHETIC_MODEL
from sneaker_core.video.clip_collection import clips_of, start_following
from sneaker_core.video.clip_results import NOTHING_FOUND
from sneaker_core.video.sample_clip import write_drawn_clip
from sneaker_core.workspace.atomic_files import write_json
from sneaker_core.workspace.paths import clip_job_folder
from ui.clips.clips_keys import Key

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a clip of one sneaker, which was followed, and one whose job hasn't begun."""
    home = tmp_path_factory.mktemp("clips")
    plan = plan_clip(Scene.PANNING, ("Court Low",), seed=3, fps=8.0, size=(240, 180))
    file = home / "source.mp4"
    write_drawn_clip(file, ClipPlan(**{**vars(plan), "seconds": 0.75}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sneaker_core.workspace.jobs._spawn", lambda folder: None)
        for name in ("waiting.mp4", "walk.mp4"):
            with file.open("rb") as source:
                start_following(home, name, source, SYNTHETIC_MODEL)
    run_job.callback(clip_job_folder(clips_of(home).find("walk").folder))
    return home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Path) -> Path:
    shutil.copytree(made, tmp_path / "workspace")
    monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(tmp_path / "workspace"))
    return tmp_path / "workspace"


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.switch_page("pages/clips.py").run()
    assert not app.exception
    return app


def text_of(app: AppTest) -> str:
    parts = [*app.markdown, *app.header, *app.subheader, *app.caption, *app.error, *app.warning, *app.info]
    return " ".join(part.value for part in parts)


def test_an_empty_workspace_offers_a_sample(tmp_path, monkeypatch):
    monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(tmp_path))
    app = opened()
    assert "Draw a sample clip" in text_of(app)
    assert app.button(Key.CLIP_START).disabled and not app.button(Key.CLIP_SAMPLE).disabled


def test_a_clip_shows_its_verdict_chart_and_video(home):
    clip = clips_of(home).find("walk")
    app = opened(clip="walk")
    (track,) = clip.found.tracks
    assert app.header[0].value == f"{track.sentence}."
    assert f"in {track.frames} frames" in text_of(app)
    assert app.query_params["clip"] in ("walk", ["walk"])
    (clip.folder / "marked.webm").unlink()
    assert "The marked video is missing." in text_of(opened(clip="walk"))


def test_a_clip_without_a_sneaker_says_so(home):
    clip = clips_of(home).find("walk")
    values = (clip.folder / "clip.json").read_text()
    start = values.index('"tracks"')
    (clip.folder / "clip.json").write_text(values[:start] + '"tracks": []}')
    assert opened(clip="walk").header[0].value == NOTHING_FOUND


def test_a_failed_clip_says_why_and_can_be_tried_again(home):
    folder = clip_job_folder(clips_of(home).find("waiting").folder)
    write_json(folder / "end.json", {"state": "failed", "error": "Can't read clip.mp4: it is damaged.", "result": {}})
    app = opened(clip="waiting")
    assert "it is damaged" in text_of(app)
    assert "Try again" in [button.label for button in app.button]


def test_a_damaged_record_is_listed_and_harms_no_other(home):
    (clips_of(home).find("walk").folder / "clip.json").write_text('{"format": 1, "tracks": 7}')
    app = opened(clip="waiting")
    assert "walk" in text_of(app)


def test_read_only_nothing_can_be_started(home, monkeypatch):
    monkeypatch.setenv("SOLESCOPE_READ_ONLY", "1")
    app = opened(clip="walk")
    assert app.button(Key.CLIP_SAMPLE).disabled
    assert app.header[0].value
