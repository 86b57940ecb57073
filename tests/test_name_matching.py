"""Evaluating photos whose classes the model knows under another spelling: offered, accepted, and recorded."""

import json
import time
from pathlib import Path

import pytest
import streamlit as st
from click.testing import CliRunner, Result
from streamlit.testing.v1 import AppTest

import sneaker_core
from sneaker_core.__main__ import main
from sneaker_core.datasets.dataset_collection import create_dataset, open_samples
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.errors import DatasetError
from sneaker_core.evaluation.class_matching import renamed_classes, with_renamed_classes
from sneaker_core.evaluation.evaluation_collection import find_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.html_report import report_html
from tests.factories import draw_dataset
from ui.evaluate.evaluate_keys import Key

COUNTS = {"Comet Low": 2, "comet_low": 2, "orbit-high": 1, "Boot": 1}
NEAR = {"comet_low": "Comet Low", "orbit-high": "Orbit High"}


@pytest.fixture
def home(models_home, tmp_path) -> Path:
    """A workspace with the model "tiny", and photos beside it."""
    models_home.install("tiny", bundled=False)
    draw_dataset(tmp_path / "photos", COUNTS)
    return models_home.workspace


def evaluate(home: Path, *options: str) -> Result:
    photos = str(home.parent / "photos")
    return CliRunner().invoke(main, ["--workspace", str(home), "evaluate", "tiny", "--data", photos, *options])


def values(home: Path, *options: str) -> dict:
    done = evaluate(home, *options, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_near_names_are_offered_and_not_taken(home):
    told = evaluate(home).stdout
    assert "comet_low -> Comet Low, orbit-high -> Orbit High? To count these photos, evaluate again" in told
    found = values(home)
    assert (found["n"], found["near_names"], found["renamed"]) == (2, NEAR, {})
    assert found["left_out"] == {"comet_low": 2, "orbit-high": 1, "Boot": 1}


@pytest.mark.parametrize("options", ["--match-names", "--rename,comet_low=Comet Low,--rename,orbit-high=Orbit High"])
def test_accepted_names_are_counted_and_recorded(home, options):
    found = values(home, *options.split(","), "--name", "matched")
    assert (found["n"], found["near_names"], found["renamed"]) == (5, {}, NEAR)
    assert found["left_out"] == {"Boot": 1}
    kept = find_evaluation(home, "matched")
    assert kept.renamed == NEAR == kept.to_dict()["renamed"]
    assert set(read_table(kept)["label"]) == {"Comet Low", "Orbit High", "Boot"}
    assert "comet_low was counted as Comet Low" in report_html(kept, read_table(kept))
    shown = CliRunner().invoke(main, ["--workspace", str(home), "evaluations", "show", "matched"]).stdout
    assert "orbit-high was counted as Orbit High, the model's name" in shown


def test_a_chosen_name_goes_before_a_near_one(home):
    found = values(home, "--match-names", "--rename", "orbit-high=Astro Court", "--rename", "Boot=Astro Court")
    assert found["renamed"] == {"comet_low": "Comet Low", "orbit-high": "Astro Court", "Boot": "Astro Court"}
    assert found["left_out"] == {}


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("boot=Astro Court", r"The photos have no class named 'boot'. Did you mean boot -> Boot\?"),
        ("Boot=astro_court", r"The model has no class named 'astro_court'. Did you mean astro_court -> Astro Court\?"),
        ("nothing=Comet Low", r"The photos have no class named 'nothing'.$"),
    ],
)
def test_wrong_names_are_one_line_errors(home, pair, message):
    done = evaluate(home, "--rename", pair)
    assert done.exit_code == 1
    with pytest.raises(DatasetError, match=message):
        old, _, new = pair.partition("=")
        sneaker_core.evaluate("tiny", home.parent / "photos", rename={old: new}, workspace=home)
    assert evaluate(home, "--rename", "no pair").exit_code == 2


def test_if_nothing_is_known_the_error_offers_the_names(home, tmp_path):
    (tmp_path / "photos" / "Comet Low").rename(tmp_path / "photos" / "COMET LOW")
    done = evaluate(home)
    assert done.exit_code == 1
    assert "Did you mean COMET LOW -> Comet Low" in done.stderr and "--match-names" in done.stderr
    result = sneaker_core.evaluate("tiny", tmp_path / "photos", match_names=True, workspace=home)
    assert result.metrics["n"] == 5


def test_a_photo_in_two_spellings_counts_once(home, tmp_path):
    photos = tmp_path / "photos"
    (photos / "comet_low" / "copy.jpg").write_bytes((photos / "Comet Low" / "00.jpg").read_bytes())
    samples = open_samples(home, str(photos))
    renamed = renamed_classes(samples["label"], ("Comet Low",), None, True)
    assert list(with_renamed_classes(samples, renamed)["label"]).count("Comet Low") == 4
    assert with_renamed_classes(samples, {}) is samples


def form() -> None:
    from ui.evaluate.new_evaluation_form import draw_form

    start = draw_form()
    if start is not None:
        start()


def test_the_page_offers_them_before_it_starts(home, tmp_path):
    st.cache_data.clear()
    st.cache_resource.clear()
    dataset = create_dataset(home, "mine")
    import_photos(dataset, tmp_path / "photos")
    app = AppTest.from_function(form, default_timeout=60).run()
    assert any("comet_low → Comet Low" in caption.value.replace("\\", "") for caption in app.caption)
    app.toggle(key=Key.MATCH_NAMES).set_value(True)
    app.text_input(key=Key.NAME).input("from the page")
    app.run()
    app.button(key=Key.START).click().run()
    assert not app.exception
    until = time.monotonic() + 120
    while not (found := find_evaluation(home, "from the page")).state.ended and time.monotonic() < until:
        time.sleep(0.2)
    assert (found.problem, found.renamed, found.n) == (None, NEAR, 5)
