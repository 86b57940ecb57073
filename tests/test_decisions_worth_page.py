"""What decisions are worth on the Datasets page, in AppTest, with a dataset of planted wrong labels."""

import re
import shutil

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sneaker_core.datasets.quality.findings import Kind, finding_rows, store_findings
from sneaker_core.training.decisions_worth import NO_DECISIONS, NOT_CHECKED
from tests.factories import PROJECT
from tests.planted import Planted, plant
from ui.kit import review_worth
from ui.kit.state_keys import KitKey

pytestmark = pytest.mark.slow


@pytest.fixture
def planted(tmp_path, monkeypatch) -> Planted:
    """With a finding for each of the twenty wrong labels that nobody has repaired."""
    monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(tmp_path))
    monkeypatch.setattr(review_worth, "_PATIENCE", 60.0)  # AppTest runs no timer that would look again
    st.cache_resource.clear()
    planted = plant(tmp_path / "datasets" / "planted")
    left = planted.wrong[:20]
    rows = finding_rows(left, Kind.WRONG_LABEL, [0.9] * 20, None, planted.truth[left], ["odd"] * 20)
    groups = pd.Series(range(len(planted.truth)), index=planted.truth.index)
    store_findings(planted.dataset, rows, groups, {"time": 1.0, "photos": 600, "model": "tiny", "seconds": 1.0})
    return planted


def opened(section: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60)
    for key, value in {"dataset": "planted", "section": section, **query}.items():
        app.query_params[key] = value
    return ran(app.switch_page("pages/datasets.py"))


def ran(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label.startswith(label)).click()
    return ran(app)


def words(app: AppTest) -> str:
    return "\n".join(element.value for kind in (app.markdown, app.caption, app.warning) for element in kind)


def figures(app: AppTest) -> list[str]:
    return re.findall(r"\d+ decisions?: .* → .*%", words(app))


def test_a_decision_says_what_it_is_worth_and_undo_takes_it_back(planted):
    app = opened("Findings")
    assert NO_DECISIONS in words(app)
    press(app, "Select this page")
    press(app, "Accept suggestion")
    assert len(figures(app)) == 1
    assert figures(app)[0].startswith("20 decisions: ")
    explained = next(element.help for element in app.markdown if "20 decisions" in element.value)
    assert "validation photos that no decision touched" in explained
    assert figures(opened("Photos")) == figures(app)
    press(app, "Undo")
    assert figures(app) == []


def test_the_closer_look_shows_photos_of_the_suggested_class(planted):
    sample = planted.wrong[0]
    app = opened("Findings", photo=sample)
    label = planted.truth[sample]
    assert f"Suggested: **{label}**" in words(app)
    assert words(app).count("The file of this photo is missing") >= 6  # the examples; planted photos have no files
    app.button(key=KitKey.SUGGESTED.of(f"findings-planted-{label}")).click()
    ran(app)
    assert figures(app)[0].startswith("1 decision: ")
    assert "Suggested:" not in words(app)


def test_a_dataset_that_no_check_has_seen_offers_one(planted, monkeypatch):
    started = []
    monkeypatch.setattr(review_worth, "start_check", lambda dataset: started.append(dataset.name))
    with planted.dataset.changing() as db:
        db.execute("DELETE FROM facts WHERE key = 'scan'")
    assert NOT_CHECKED not in words(opened("Photos"))
    planted.repair(planted.wrong[:1])
    app = opened("Photos")
    assert NOT_CHECKED in words(app)
    # The next step has the same words.
    next(button for button in app.button if (button.key or "").startswith(KitKey.WORTH_CHECK)).click()
    ran(app)
    assert started == ["planted"]


def test_a_dataset_that_is_deleted_meanwhile_is_told_in_words(planted, tmp_path):
    planted.repair(planted.wrong[:1])
    app = opened("Photos")
    assert len(figures(app)) == 1
    shutil.move(planted.dataset.folder, tmp_path / "elsewhere")
    ran(app)
    assert figures(app) == []
