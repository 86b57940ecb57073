"""The story that ships: its record and pictures against the model that made them, its words, and what damage does."""

import json
import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from docs import make_story
from sneaker_core.datasets.synthetic.sample_plan import CLASSES
from sneaker_core.errors import DamagedError
from sneaker_core.evaluation import told_story
from sneaker_core.evaluation.told_story import STORY_FILE, read_story
from sneaker_core.inference.predictor import predict_images
from sneaker_core.networks.model_registry import open_model
from sneaker_core.workspace.paths import PROJECT, STORY
from tests.links import link_labels
from ui.kit.page_links import STORY_PARAMS
from ui.story import story_cache
from ui.story.story_text import story_text

LARGEST = 1_500_000
TOLD = read_story()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the story."""
    return shutil.copytree(STORY, tmp_path / "story")


def picture(name: str) -> Image.Image:
    return Image.open(BytesIO(TOLD.pictures[name])).convert("RGB")


def test_the_story_is_small_and_holds_nothing_else():
    files = {file.name: file.stat().st_size for file in STORY.iterdir()}
    assert set(files) == {STORY_FILE, *TOLD.pictures}
    assert sum(files.values()) < LARGEST
    assert all(picture(name).width >= 320 for name in TOLD.pictures)


def test_the_model_answers_the_pictures_as_the_story_says(tmp_path):
    facts = TOLD.facts
    shown = [facts.photo, facts.swap.shown]
    said = predict_images(open_model(tmp_path, facts.model), [picture(one.file) for one in shown])
    assert [one.top[0].label for one in said] == [one.answer.label for one in shown]
    for one, now in zip(shown, said, strict=True):
        # The pictures are compressed, the photos weren't.
        assert now.top[0].probability == pytest.approx(one.answer.probability, abs=0.15)
    assert facts.photo.answer.label == facts.truth != facts.swap.shown.answer.label


def test_the_figures_fit_together():
    names, gain, swap = TOLD.facts.names, TOLD.facts.gain, TOLD.facts.swap
    assert {photo.label for photo in names.photos} <= set(CLASSES)
    assert names.suggestion == names.photos[names.odd].label
    assert 0 < swap.flipped <= swap.tried
    assert (gain.fixed - gain.broken) / gain.n == pytest.approx(gain.after.value - gain.before.value)
    assert 0 < gain.low <= gain.after.value - gain.before.value <= gain.high


def test_each_step_has_its_words_and_the_page_to_print_has_the_same():
    texts = story_text(TOLD.facts)
    assert len(texts) == 7
    assert all(text.title[-1] in ".?" and 20 < len(text.title) < 90 for text in texts)
    assert all(2 <= text.notes.count(". ") + text.notes.count("? ") + 1 <= 4 for text in texts)
    assert make_story.words() == (PROJECT / "docs" / "STORY.md").read_text(encoding="utf-8")


def same_answer(folder: Path) -> None:
    change(folder, lambda values: values["swap"].update(shown=values["photo"]))


def two_odd(folder: Path) -> None:
    change(folder, lambda values: values["names"]["photos"][0].update(label="Boot"))


def outside(folder: Path) -> None:
    change(folder, lambda values: values["photo"].update(file="../photo.webp"))


def change(folder: Path, how: Callable[[dict], object]) -> None:
    values = json.loads((folder / STORY_FILE).read_text(encoding="utf-8"))
    how(values)
    (folder / STORY_FILE).write_text(json.dumps(values), encoding="utf-8")


def cut(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:400])


def lost(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


DAMAGES = [same_answer, two_odd, outside, cut(STORY_FILE), cut("photo.webp"), lost("heat.webp"), lost(STORY_FILE)]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_story_is_said_to_be_damaged(folder, damage):
    damage(folder)
    with pytest.raises(DamagedError, match=r"^The story can't be told: .*docs/make_story\.py$"):
        read_story(folder)


def opened(**address: str) -> AppTest:
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


@pytest.mark.slow
class TestPage:
    @pytest.fixture(autouse=True)
    def home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(tmp_path / "workspace"))
        st.cache_data.clear()

    def test_identify_leads_to_it(self):
        app = opened()
        assert "Start the story" in link_labels(app)
        (link,) = (link.proto for link in app.get("page_link") if link.proto.label == "Start the story")
        assert link.query_string == "story=1"

    def test_it_is_one_component_with_all_steps(self):
        app = opened(**STORY_PARAMS)
        (stage,) = app.get("bidi_component")
        markup = json.loads(stage.proto.json)["markup"]
        assert markup.count('class="step"') == 7
        assert not app.title and not app.error

    def test_a_damaged_one_leads_back(self, folder, monkeypatch):
        cut("photo.webp")(folder)
        monkeypatch.setattr(story_cache, "STORY", folder)
        monkeypatch.setattr(story_cache, "read_story", lambda: told_story.read_story(folder))
        app = opened(**STORY_PARAMS)
        (error,) = app.error
        assert error.value.startswith("The story can't be told") and link_labels(app) == ["Identify a sneaker"]
