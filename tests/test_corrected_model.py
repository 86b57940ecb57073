"""Models that are retrained with corrections: what is trained on, what is kept out, and what is said about it."""

import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from sneaker_core.datasets.corrections import find_corrections, save_correction, waiting_for_review
from sneaker_core.datasets.dataset_collection import create_dataset, find_dataset
from sneaker_core.datasets.index import read_samples
from sneaker_core.datasets.review_log import Action, decide
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.datasets.split import read_split, write_split
from sneaker_core.errors import DatasetError
from sneaker_core.images import Photo
from sneaker_core.networks.checkpoint import load_model, save_model
from sneaker_core.training.corrected_head import corrected_model
from sneaker_core.training.corrected_model import Change, Correction, correct_model
from sneaker_core.training.model_install import install_model
from sneaker_core.training.model_pack import save_pack
from sneaker_core.training.recipe import make_recipe
from sneaker_core.training.run_collection import find_run
from sneaker_core.training.train_model import train
from sneaker_core.workspace.jobs import JobState, list_jobs
from sneaker_core.workspace.paths import run_model_folder, runs_folder
from tests.factories import CLASSES, PROJECT, draw_dataset, jpeg, lively_model, photo, run_command
from tests.links import follow_link, link_labels
from ui.kit.model_picker import MODEL_PARAM
from ui.kit.state_keys import KitKey


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a model and corrections of it. Don't change it: copy it."""
    workspace = tmp_path_factory.mktemp("corrected")
    save_model(lively_model(), run_model_folder(runs_folder(workspace) / "mine"))
    for seed in range(12):
        save_correction(workspace, Photo(f"{seed}.jpg", jpeg(photo(seed))), CLASSES[seed % 3])
    save_correction(workspace, Photo("other.jpg", jpeg(photo(99))), "stiletto")
    return workspace


@pytest.fixture
def workspace(corrected: Path, tmp_path: Path) -> Path:
    shutil.copytree(corrected, tmp_path / "workspace")
    return tmp_path / "workspace"


def test_a_copy_learns_from_the_corrections_and_the_model_stays(workspace):
    base = run_model_folder(runs_folder(workspace) / "mine")
    weights = (base / "weights.safetensors").read_bytes()
    done = correct_model(workspace, "mine")
    assert done.model == "lively corrected"
    assert (base / "weights.safetensors").read_bytes() == weights
    assert done.trained + done.kept_out.photos == 12
    assert done.unknown == {"stiletto": 1}
    run = find_run(workspace, done.model)
    assert run.has_model and run.taught_from == "lively"
    assert "trained on" in run.note
    split = read_split(done.folder)
    assert dict(split["split"].value_counts()) == {"train": done.trained, "test": done.kept_out.photos}
    assert len(load_model(done.folder).references) == 4 + done.trained


def test_a_corrected_copy_is_installed_elsewhere(workspace, tmp_path):
    done = correct_model(workspace, "mine")
    save_pack(workspace, done.model, tmp_path / "copy.zip")
    with (tmp_path / "copy.zip").open("rb") as file:
        there = install_model(tmp_path / "home", file, "copy.zip")
    here, copy = find_run(workspace, done.model), find_run(tmp_path / "home", done.model)
    assert copy.has_model and copy.is_retrained and (copy.taught_from, copy.dataset) == (here.taught_from, here.dataset)
    assert here.note and not copy.note and not copy.source
    assert read_split(there.folder).equals(read_split(done.folder))
    mine, theirs = load_model(done.folder), load_model(there.folder)
    pixels = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    assert np.array_equal(mine.outputs(pixels).logits, theirs.outputs(pixels).logits)
    assert np.array_equal(mine.references, theirs.references)
    assert {path.name for path in (tmp_path / "home").iterdir()} == {"runs"}  # the corrected photos stay


def test_what_was_kept_out_once_is_kept_out_again(workspace):
    first = read_split(correct_model(workspace, "mine").folder).set_index("sample")["split"]
    for seed in range(20, 26):
        save_correction(workspace, Photo(f"{seed}.jpg", jpeg(photo(seed))), CLASSES[0])
    second = read_split(correct_model(workspace, "mine").folder).set_index("sample")["split"]
    assert second[first.index].equals(first)


def test_a_photo_that_the_model_was_trained_on_is_never_kept_out(workspace):
    samples = read_samples(find_corrections(workspace))
    write_split(run_model_folder(runs_folder(workspace) / "mine"), samples.assign(split="train"))
    done = correct_model(workspace, "mine")
    assert (done.trained, done.kept_out.photos) == (12, 0)
    assert any("can't be measured with so few" in line for line in done.sentences())


def test_a_test_photo_that_became_a_correction_is_not_tested_on(tmp_path):
    import_photos(create_dataset(tmp_path, "shoes"), draw_dataset(tmp_path / "photos", dict.fromkeys(CLASSES[:2], 12)))
    small = {"init": "none", "size": 32, "small_size": 32, "batch": 8, "epochs": 1, "test_share": 0.4}
    train("shoes", make_recipe("quick", small), runs_folder(tmp_path) / "mine", tmp_path)
    samples = read_samples(find_dataset(tmp_path, "shoes")).set_index("sample")
    split = read_split(run_model_folder(runs_folder(tmp_path) / "mine")).set_index("sample")["split"]
    tested = samples.loc[split.index[split == "test"]]
    for row in tested.to_dict("records"):
        save_correction(tmp_path, Photo("again.jpg", Path(row["path"]).read_bytes()), row["label"])
    done = correct_model(tmp_path, "mine")
    assert done.trained > 0 and done.tested.photos == len(tested) - done.trained


def test_the_head_learns_and_is_held_to_its_memory():
    model = lively_model()
    rng = np.random.default_rng(0)
    memory = rng.normal(size=(60, 1280)).astype(np.float32)
    new = rng.normal(size=(6, 1280)).astype(np.float32)
    before = memory @ model.network.head.weight.numpy().T + model.network.head.bias.numpy()
    labels = np.arange(6) % 3
    after = corrected_model(model, new, labels, memory, model.references).network.head
    answers = [rows @ after.weight.numpy().T + after.bias.numpy() for rows in (memory, new)]
    assert (answers[0].argmax(1) == before.argmax(1)).mean() > 0.9
    assert (answers[1].argmax(1) == labels).all()


def test_the_sentences_say_what_was_measured_and_what_was_not():
    change, none = Change(40, 30, 34, 0.125), Change(0, 0, 0, 1.0)
    told = Correction("new", "old", Path(), 20, Change(6, 0, 3, 0.25), change, none, {}).sentences()
    assert told[1:] == [
        "On the same 6 corrections that were kept out: 0.0% → 50.0% right, +50.0 points; may be luck (p = 0.250).",
        "On the same 40 test photos: 75.0% → 85.0% right, +10.0 points; may be luck (p = 0.125).",
    ]
    without = Correction("new", "old", Path(), 2, none, none, Change(144, 144, 143, 1.0), {}).sentences()
    assert "143 get the same answer as before" in without[2]


def test_reviewed_corrections_wait_no_longer(workspace):
    dataset = find_corrections(workspace)
    assert waiting_for_review(dataset) == 13
    decide(dataset, list(read_samples(dataset)["sample"][:3]), Action.KEEP)
    assert waiting_for_review(dataset) == 10


def test_nothing_to_train_on_is_said(tmp_path, workspace):
    with pytest.raises(DatasetError, match="no corrections yet"):
        correct_model(tmp_path / "empty", "mine")
    dataset = find_corrections(workspace)
    samples = read_samples(dataset)
    decide(dataset, list(samples.loc[samples["label"] != "stiletto", "sample"]), Action.EXCLUDE)
    with pytest.raises(DatasetError, match="None of your corrections"):
        correct_model(workspace, "mine")


def test_the_command_line_does_the_same(workspace):
    done = run_command(workspace, "correct", "--model", "mine", "--as", "better")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("better: the last layer of lively, trained on ")


def test_the_pages_count_the_corrections_and_retrain(workspace, monkeypatch):
    monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(workspace))
    st.cache_data.clear()
    st.cache_resource.clear()
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=120)
    app.switch_page("pages/identify.py").run()
    assert any("13 corrections wait for your review" in text.value for text in app.markdown)
    app = follow_link(app, "Review your corrections")
    assert any("13 corrections wait for your review" in text.value for text in app.markdown)
    app.selectbox(key=MODEL_PARAM).select("mine").run()
    app.button(key=KitKey.CORRECT).click().run()
    assert not app.exception
    deadline = time.monotonic() + 120
    while not (job := list_jobs(find_corrections(workspace).jobs)[0]).state.ended and time.monotonic() < deadline:
        time.sleep(0.2)
    assert job.state is JobState.DONE, job.error
    app.run()
    assert any("the last layer of lively" in text.value for text in app.success)
    assert {"Use in Identify", "Show in Runs"} <= set(link_labels(app))
