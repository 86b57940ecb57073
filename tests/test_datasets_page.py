"""The Datasets page, run as Streamlit runs it: every state of a dataset, every way in and out, real jobs."""

import io
import json
import os
import re
import time
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sneaker_core.datasets.dataset_collection import (
    create_dataset,
    datasets_of,
    delete_dataset,
    list_datasets,
    rename_dataset,
)
from sneaker_core.datasets.dataset_split import make_split
from sneaker_core.datasets.index import INDEX_FILE, Dataset, read_classes, read_samples
from sneaker_core.datasets.quality.scan import scan
from sneaker_core.datasets.review_log import Action, decide
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.workspace.jobs import Job, JobState, Progress, list_jobs, read_job
from tests.app_pages import again, click, open_page, words
from tests.factories import draw_dataset, jpeg, photo, photo_of_class, write
from tests.links import follow_link
from ui.datasets import collect_form, import_forms
from ui.datasets.dataset_charts import MOST_ROWS, class_bars, shape_bars, side_bars
from ui.datasets.dataset_dialogs import ADD_PHOTOS
from ui.datasets.datasets_keys import Key
from ui.datasets.rejects_view import safe_csv
from ui.kit import dataset_work, synthetic_photos
from ui.kit.dataset_work import outcome_text
from ui.kit.item_dialogs import OpenDialog
from ui.kit.job_panel import progress_text
from ui.kit.state_keys import KitKey

opened = partial(open_page, "datasets")

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parent.parent
PATIENCE = 120.0
NASTY = "<script>alert(1)</script> **x** [a](http://b) 👟"


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty workspace."""
    monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(tmp_path / "workspace"))
    st.cache_data.clear()
    st.cache_resource.clear()
    return tmp_path / "workspace"


@pytest.fixture
def three(home, tmp_path) -> Dataset:
    return imported(home, "three", draw_dataset(tmp_path / "photos", {"boot": 12, "clog": 6, "sandal": 4}))


def test_an_empty_dataset_offers_the_ways_in_once(home):
    create_dataset(home, "bare")
    app = again(opened(dataset="bare"))
    assert Key.DATASET_ADD not in [button.key for button in app.button]
    app.session_state[KitKey.DIALOG] = OpenDialog(ADD_PHOTOS)  # opened while the last photo was still there
    assert "bare has no photos yet" in words(again(app))


def imported(home: Path, name: str, source: Path) -> Dataset:
    dataset = create_dataset(home, name)
    import_photos(dataset, source)
    return dataset


def more(app: AppTest, option: str) -> AppTest:
    app.menu_button(key=KitKey.DIALOG_MENU.of("dataset")).click(option)
    return again(app)


def pick(app: AppTest, key: str, value: str) -> AppTest:
    app.segmented_control(key=key).set_value(value)
    return again(app)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def ended(dataset: Dataset) -> Job:
    """The newest job, when it has ended."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        job = list_jobs(dataset.jobs)[0]
        if job.state.ended:
            return job
        time.sleep(0.1)
    raise AssertionError("the job does not end")


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def job_on_disk(dataset: Dataset, end: dict | None = None, silent: float = 0, **job: object) -> Path:
    """A job's folder as a process leaves it."""
    folder = dataset.jobs / f"{time.time_ns():020}-abcdef"
    described = {
        "format": 2,
        "kind": "dataset_scan",
        "params": {"dataset": dataset.folder.name},
        "title": "Some work",
        "workspace": str(dataset.folder.parent.parent),
        "started": time.time(),
        **job,
    }
    progress = described.pop("progress", None)
    write(folder / "job.json", json.dumps(described).encode())
    if progress:
        write(folder / "progress.json", json.dumps(progress).encode())
    if end:
        write(folder / "end.json", json.dumps({"error": None, "result": {}, **end}).encode())
    beat = write(folder / "heartbeat", b"")
    os.utime(beat, (time.time() - silent, time.time() - silent))
    return folder


@pytest.fixture
def started(monkeypatch) -> list[tuple[str, str, dict]]:
    """Jobs that would have been started: dataset, kind, params."""
    jobs: list[tuple[str, str, dict]] = []

    def start(dataset, kind, params=None, *, title):
        jobs.append((dataset.name, kind, params or {}))

    for module in (collect_form, dataset_work, import_forms, synthetic_photos):
        monkeypatch.setattr(module, "start_work", start)
    return jobs


def test_identify_stays_the_first_page(home):
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).run()
    assert app.title[0].value == "What are those?"
    assert opened().title[0].value == "Datasets"


class TestNoDataset:
    def test_invites(self, home):
        app = opened()
        assert not app.exception and not app.error
        assert "Create a synthetic dataset" in labels(app) and "Use my own photos" in labels(app)
        assert not any(label.startswith("Bin") for label in labels(app))
        assert "A model is only as good as the photos it was trained on" in words(app)
        assert len(app.get("image")) == 6
        assert not app.selectbox and not app.segmented_control

    def test_drawn_dataset_is_started_stopped_and_goes_on(self, home, monkeypatch):
        real = synthetic_photos.start_synthetic
        monkeypatch.setattr(synthetic_photos, "start_synthetic", lambda dataset: real(dataset, per_class=200))
        app = click(opened(), Key.DATASET_SYNTHETIC)
        assert app.selectbox(key=Key.DATASET).value == "drawn"
        assert "Generating synthetic photos" in words(app) and "Photos are being added" in words(app)
        click(app, KitKey.JOB_STOP)
        (entry,) = list_datasets(home)
        assert ended(Dataset(entry.folder)).state is JobState.STOPPED
        again(app)
        assert "was stopped" in words(app)
        click(app, KitKey.JOB_AGAIN)
        assert len(list_jobs(Dataset(entry.folder).jobs)) == 1
        click(app, KitKey.JOB_STOP)
        assert ended(Dataset(entry.folder)).state is JobState.STOPPED

    def test_bin_is_offered(self, three, home):
        delete_dataset(home, three)
        app = click(opened(), KitKey.DIALOG_BIN)
        assert "22 photos in 3 classes" in words(app)
        click(app, KitKey.DIALOG_RESTORE.of(f"dataset-{datasets_of(home).deleted()[0].id}"))
        assert app.selectbox(key=Key.DATASET).value == "three" and not datasets_of(home).deleted()

    def test_a_link_to_a_dataset_that_is_gone(self, home):
        app = opened(dataset="*gone*")
        assert "The link leads to the dataset “*gone*”, which isn't here." in words(app)
        assert "Create a synthetic dataset" in labels(app) and not app.selectbox
        assert "which isn't here" in words(again(app))
        click(app, Key.DATASET_NEW.of("first"))
        app.text_input(key=KitKey.DIALOG_NAME).set_value("Mine")
        click(app, KitKey.DIALOG_DO)
        assert "Mine has no photos yet" in words(app) and "which isn't here" not in words(app)

    def test_first_dataset_by_name(self, home):
        app = click(opened(), Key.DATASET_NEW.of("first"))
        app.text_input(key=KitKey.DIALOG_NAME).set_value("Mine")
        click(app, KitKey.DIALOG_DO)
        assert "Mine has no photos yet" in words(app)


class TestChoice:
    def test_address_says_dataset_and_section(self, three, home):
        create_dataset(home, "another")
        app = opened(dataset="three", section="Splits")
        assert app.selectbox(key=Key.DATASET).value == "three"
        assert app.segmented_control(key=Key.SECTION).value == "Splits"
        assert "There is no split yet" in words(app)
        app.selectbox(key=Key.DATASET).set_value("another")
        again(app)
        assert "another has no photos yet" in words(app)
        assert app.selectbox(key=Key.DATASET).value == "another"

    @pytest.mark.parametrize("query", [{"section": "Nowhere"}, {"dataset": "", "section": ""}])
    def test_address_of_nothing(self, three, query):
        app = opened(**query)
        assert not app.exception and "Photos 22" in words(app)

    def test_address_of_a_dataset_that_is_gone_shows_no_other(self, three, home):
        delete_dataset(home, create_dataset(home, "gone"))
        app = opened(dataset="gone", section="Photos")
        assert "The link leads to the dataset “gone”, which isn't here." in words(app)
        assert "Photos 22" not in words(app) and "Look closer" not in labels(app)
        more(app, "Restore from the bin")
        click(app, KitKey.DIALOG_RESTORE.of(f"dataset-{datasets_of(home).deleted()[0].id}"))
        assert "gone has no photos yet" in words(app) and not app.warning

    def test_a_dataset_deleted_in_another_window_gives_its_place_to_no_other(self, three, home):
        create_dataset(home, "another")
        app = pick(opened(dataset="three"), Key.SECTION, "Photos")
        delete_dataset(home, three)
        click(app, next(button.key for button in app.button if button.label == "Look closer"))
        assert "The dataset “three” isn't here anymore." in words(app) and "another has no photos" not in words(app)
        app.selectbox(key=Key.DATASET).set_value("another")
        assert "another has no photos yet" in words(again(app)) and not app.warning

    def test_each_section_twice(self, three):
        app = opened()
        for _ in range(2):
            for section in ("Photos", "Findings", "Map", "Splits", "History", "Export", "Overview"):
                pick(app, Key.SECTION, section)
                assert app.segmented_control(key=Key.SECTION).value == section
                assert not app.error

    def test_new(self, three):
        app = click(opened(), Key.DATASET_NEW.of("more"))
        app.text_input(key=KitKey.DIALOG_NAME).set_value("three")
        click(app, KitKey.DIALOG_DO)
        assert "There is already a dataset named 'three'" in words(app)
        app.text_input(key=KitKey.DIALOG_NAME).set_value(NASTY)
        click(app, KitKey.DIALOG_DO)
        assert app.selectbox(key=Key.DATASET).value == NASTY
        assert f"{NASTY[:44]}" in words(app) and "<script>" not in app.header[0].value.replace(r"\<", "")

    def test_rename(self, three):
        app = more(opened(), "Rename")
        name = app.text_input(key=KitKey.DIALOG_NAME.of(three.folder.name))
        assert name.value == "three"
        name.set_value("  ")
        click(app, KitKey.DIALOG_DO)
        assert "a name has 1 to 100 characters." in words(app) and three.name == "three"
        app.text_input(key=KitKey.DIALOG_NAME.of(three.folder.name)).set_value("Four")
        click(app, KitKey.DIALOG_DO)
        assert three.name == "Four" and app.selectbox(key=Key.DATASET).value == "Four"

    def test_delete_asks_first_and_can_be_taken_back(self, three, home):
        app = more(opened(), "Delete")
        assert "**three** will be moved to the bin with all its photos, decisions and splits." in words(app)
        click(app, KitKey.DIALOG_CANCEL)
        assert list_datasets(home)
        click(more(app, "Delete"), KitKey.DIALOG_DO)
        assert not list_datasets(home) and len(datasets_of(home).deleted()) == 1
        assert "Create a synthetic dataset" in labels(app) and "which isn't here" not in words(app)

    def test_a_photo_of_a_dataset_that_is_gone_is_not_a_second_notice(self, three):
        app = opened(dataset="gone", section="Photos", photo="gone")
        assert "which isn't here" in words(app) and "This photo isn't in the dataset" not in words(app)
        app.selectbox(key=Key.DATASET).set_value("three")
        again(app)
        click(app, next(button.key for button in app.button if button.label == "Look closer"))
        assert "1 of 22" in words(app)

    def test_a_photo_opens_in_explain(self, three):
        samples = read_samples(three)
        photo = samples[samples["label"] == samples["label"].iloc[-1]].iloc[-1]
        app = opened(dataset="three", section="Photos", photo=photo["sample"])
        follow_link(app, "Open in Explain")
        assert app.title[0].value == "Explain" and f"labeled **{photo['label']}**" in words(app)
        assert app.query_params == {"dataset": "three", "sample": photo["sample"]} and not app.warning

    def test_a_dialog_closes_the_photo(self, three):
        app = opened(dataset="three", section="Photos", photo=read_samples(three)["sample"][0])
        assert "1 of 22" in words(app)
        more(app, "Delete")  # as when Back leads to the photo while the dialog is open
        assert "will be moved to the bin" in words(app) and "1 of 22" not in words(app)
        assert "photo" not in app.query_params

    def test_delete_waits_for_work(self, three, home):
        job_on_disk(three)
        app = more(opened(), "Delete")
        click(app, KitKey.DIALOG_DO)
        assert "is in use by a running job" in words(app) and list_datasets(home) and not datasets_of(home).deleted()

    def test_restore(self, three, home):
        create_dataset(home, "other")
        delete_dataset(home, three)
        app = more(opened(), "Restore from the bin")
        click(app, KitKey.DIALOG_RESTORE.of(f"dataset-{datasets_of(home).deleted()[0].id}"))
        assert app.selectbox(key=Key.DATASET).value == "three"

    def test_damaged_is_said_and_the_others_work(self, three, home):
        broken = create_dataset(home, "broken")
        (broken.folder / INDEX_FILE).write_bytes(b"x" * 5000)
        app = opened()
        assert not app.exception
        assert "rebuild the index from them" in words(app) and "Photos 22" in words(app)

    def test_from_a_newer_program(self, three):
        with three.changing() as db:
            db.execute("UPDATE facts SET value = '99' WHERE key = 'format'")
        app = opened()
        assert not app.exception and "another version of SoleScope" in words(app)


class TestArrivals:
    def test_zip(self, home):
        dataset = create_dataset(home, "Zipped")
        app = pick(opened(), Key.ADD_SOURCE, "Zip file")
        assert app.button(key=Key.ADD_START.of("zip")).disabled
        files = {f"boot/{seed}.jpg": jpeg(photo(seed)) for seed in range(5)}
        data = zipped({**files, "boot/=bad.jpg": b"no photo"})
        app.file_uploader(key=Key.ADD_ZIP).upload("<b>mine</b>.zip", data)
        again(app)
        click(app, Key.ADD_START.of("zip"))
        assert "Importing <b>mine</b>.zip" in words(app)
        assert ended(dataset).state is JobState.DONE
        again(app)
        assert "done. 5 photos imported, 1 file rejected." in words(app) and "Photos 5" in words(app)
        assert not list((dataset.folder / "uploads").iterdir())
        assert "1 file was not imported" in words(app)
        app.toggle(key=Key.REJECTS).set_value(True)
        again(app)
        assert "This is not a photo" in app.dataframe[0].value["reason"][0]
        assert b"'=bad.jpg" in safe_csv(pd.DataFrame({"name": ["=bad.jpg"]}))
        click(app, KitKey.JOB_DISMISS)
        assert "done." not in words(app)

    def test_folders_and_photos_of_the_browser(self, three):
        app = click(opened(), Key.DATASET_ADD)
        folder = [(f"shoes/{label}/{seed}.jpg", jpeg(photo(seed))) for seed, label in enumerate(("boot", "clog"))]
        for name, data in folder:
            app.file_uploader(key=Key.ADD_DROPPED).upload(name, data)
        app.file_uploader(key=Key.ADD_PHOTOS).upload("mine.jpg", jpeg(photo(9)))
        again(app)
        assert app.button(key=Key.ADD_START.of("drop")).disabled  # which class the photo shows isn't said yet
        app.selectbox(key=Key.ADD_CLASS).select("sandal")
        again(app)
        click(app, Key.ADD_START.of("drop"))
        assert ended(three).state is JobState.DONE
        counts = read_samples(three)["label"].value_counts()
        assert dict(counts) == {"boot": 13, "clog": 7, "sandal": 5}

    def test_folder(self, home, tmp_path):
        dataset = create_dataset(home, "-json")
        app = pick(opened(), Key.ADD_SOURCE, "Folder")
        for wrong in ("", "relative", str(tmp_path / "nowhere"), "/\0"):
            app.text_input(key=Key.ADD_FOLDER).set_value(wrong)
            click(app, Key.ADD_START.of("folder"))
            assert "No folder or file was found there" in words(app) and not list_jobs(dataset.jobs)
        source = draw_dataset(tmp_path / "photos", {"boot": 3, "clog": 2})
        app.text_input(key=Key.ADD_FOLDER).set_value(str(source))
        click(app, Key.ADD_START.of("folder"))
        assert ended(dataset).error is None
        assert "Photos 5" in words(again(app))

    def test_folder_of_nothing_is_an_error_in_one_sentence(self, home, tmp_path):
        dataset = create_dataset(home, "none")
        (tmp_path / "nothing").mkdir()
        app = pick(opened(), Key.ADD_SOURCE, "Folder")
        app.text_input(key=Key.ADD_FOLDER).set_value(str(tmp_path / "nothing"))
        again(app)
        assert "nothing has no photos in a supported layout" in words(app)
        assert app.button(key=Key.ADD_START.of("folder")).disabled
        assert not list_jobs(dataset.jobs)

    def test_before_anything_is_copied_it_says_how_the_folder_is_read(self, home, tmp_path):
        dataset = create_dataset(home, "brands")
        for number, name in enumerate(("Nike/Dunk", "Nike/Cortez", "adidas/Samba")):
            write(tmp_path / "photos" / name / "1.jpg", jpeg(photo_of_class(number, 1)))
        write(tmp_path / "photos" / "stray.jpg", b"x")
        app = pick(opened(), Key.ADD_SOURCE, "Folder")
        app.text_input(key=Key.ADD_FOLDER).set_value(str(tmp_path / "photos"))
        again(app)
        assert "**Read as 3 classes.** 3 photos." in words(app)
        assert "Nested folders are joined to one name" in words(app)
        assert "1 file will be left out. stray.jpg: It isn't in a class folder" in words(app)
        app.selectbox(key=Key.ADD_LAYOUT.of("folder")).set_value("classes")
        assert "**Read as 2 classes.**" in words(again(app))
        click(app, Key.ADD_START.of("folder"))
        assert ended(dataset).error is None
        assert set(read_classes(dataset)) == {"Nike", "adidas"}
        assert "done. 3 photos imported, 1 file rejected. Read as 2 classes." in words(again(app))

    def test_drawn(self, home, started):
        create_dataset(home, "mine")
        app = pick(opened(), Key.ADD_SOURCE, "Synthetic photos")
        app.number_input(key=Key.SYNTHETIC_PER_CLASS).set_value(4)
        app.number_input(key=Key.SYNTHETIC_SEED).set_value(3)
        click(app, Key.ADD_START.of("synthetic"))
        assert started == [("mine", "dataset_demo", {"per_class": 4, "seed": 3})]

    def test_web(self, home, started):
        create_dataset(home, "mine")
        app = pick(opened(), Key.ADD_SOURCE, "Web search")
        click(app, Key.ADD_START.of("web"))
        assert "Add at least one class" in words(app) and not started
        app.text_area(key=Key.COLLECT_NAMES).set_value("Air Jordan 1\n\n-odd one")
        app.text_area(key=Key.COLLECT_TEMPLATES).set_value("on feet")
        click(app, Key.ADD_START.of("web"))
        assert "needs {model} in place of the class" in words(app) and not started
        app.text_area(key=Key.COLLECT_TEMPLATES).set_value("{model} on feet")
        app.text_area(key=Key.COLLECT_EXCLUDED).set_value("kids\nbaby")
        app.number_input(key=Key.COLLECT_PER_CLASS).set_value(7)
        click(app, Key.ADD_START.of("web"))
        ((dataset, kind, params),) = started
        assert (dataset, kind) == ("mine", "dataset_collect")
        assert [one["name"] for one in params["classes"]] == ["Air Jordan 1", "-odd one"]
        assert params["per_class"] == 7 and params["templates"] == ["{model} on feet"]
        assert params["excluded"] == ["kids", "baby"]

    def test_web_by_sku(self, home, started):
        create_dataset(home, "mine")
        app = pick(opened(), Key.ADD_SOURCE, "Web search")
        app.file_uploader(key=Key.COLLECT_LIST).upload("list.csv", b"sku,name\nCW2288-111,Air Force 1\n")
        again(app)
        click(app, Key.ADD_START.of("web"))
        ((_, kind, params),) = started
        assert kind == "dataset_collect"
        (wanted,) = params["classes"]
        assert wanted["name"] == "Air Force 1" and "CW2288-111" in wanted["terms"]

    def test_more_photos_in_a_dialog(self, three):
        app = click(opened(), Key.DATASET_ADD)
        assert app.segmented_control(key=Key.ADD_SOURCE).value == "Photos and folders"
        pick(app, Key.ADD_SOURCE, "Folder")
        assert app.text_input(key=Key.ADD_FOLDER)

    def test_one_at_a_time(self, three):
        job_on_disk(three)
        app = click(opened(), Key.DATASET_ADD)
        assert "A job is running for this dataset" in words(app) and not app.file_uploader
        assert app.button(key=Key.CHECK_START).disabled


class TestWork:
    CLASSES = MappingProxyType(
        {
            "Air Jordan 1": {"wanted": 9, "have": 5, "rejected": {"gone": 2, "small": 1}, "message": ""},
            "<b>x</b>": {"wanted": 9, "have": 0, "rejected": {}, "message": "No photos were found."},
        }
    )

    def test_running_and_stopped(self, three):
        progress = {"done": 50, "total": 200, "step": "Measuring photos", "rate": 2.5, "details": {}}
        folder = job_on_disk(three, title="**Look**", progress=progress)
        app = opened()
        assert "**Look**" in words(app)
        bar = app.get("progress")[0].proto
        assert bar.value == 25
        assert bar.text == "Measuring photos · 50 of 200 · 2.5 per second · about 1 minute left"
        click(app, KitKey.JOB_STOP)
        assert (folder / "stop").exists()
        assert app.button(key=KitKey.JOB_STOP).disabled and "Stopping…" in labels(app)
        write(folder / "end.json", b'{"state": "stopped", "error": null, "result": {"added": 1}}')
        again(app)
        assert "was stopped. 1 photo imported. What was done is kept" in words(app) and "Resume" in labels(app)

    def test_collecting_class_by_class(self, three):
        job_on_disk(
            three, progress={"done": 5, "total": 18, "step": "x", "rate": 0, "details": {"classes": dict(self.CLASSES)}}
        )
        table = opened().dataframe[0].value
        assert table.to_dict("list") == {
            "class": ["Air Jordan 1", "<b>x</b>"],
            "photos": [5, 0],
            "unusable": [3, 0],
            "note": ["", "No photos were found."],
        }

    def test_done_is_told_to_those_who_waited_only(self, three):
        folder = job_on_disk(three)
        app = opened()
        write(folder / "end.json", b'{"state": "done", "error": null, "result": {"added": 2, "known": 1}}')
        assert "done. 2 photos imported, 1 file already in the dataset." in words(again(app))
        assert "done." not in words(opened())

    def test_interrupted(self, three):
        job_on_disk(three, silent=1000)
        assert "was interrupted; the process is no longer running" in words(opened())

    def test_failed_and_dismissed(self, three):
        job_on_disk(three, {"state": "failed", "error": "The <b>disk</b> is full."})
        app = opened()
        assert "**Some work** failed. The <b>disk</b> is full." in words(app)
        assert "Try again" in labels(app)
        click(app, KitKey.JOB_DISMISS)
        assert not app.error

    def test_a_job_without_a_kind_cannot_be_tried_again(self, three):
        job_on_disk(three, {"state": "failed", "error": "No."}, kind="", params={})
        assert "Try again" not in labels(opened())

    def test_resuming_repeats_kind_and_params_under_the_name_of_today(self, three, home, monkeypatch):
        runs = []
        monkeypatch.setattr("sneaker_core.workspace.jobs._spawn", lambda folder: runs.append(read_job(folder)))
        folder = job_on_disk(
            three, {"state": "stopped"}, kind="dataset_import", params={"dataset": "x", "source": "/x"}
        )
        rename_dataset(home, three.folder.name, "four")
        app = click(opened(), KitKey.JOB_AGAIN)
        (job,) = runs
        assert (job.folder, job.kind, job.params) == (folder, "dataset_import", {"dataset": "x", "source": "/x"})
        assert app.selectbox(key=Key.DATASET).value == "four"

    @pytest.mark.parametrize(
        ("progress", "said"),
        [
            (Progress(), "Starting"),
            (Progress(3, 0, "Looking"), "Looking"),
            (
                Progress(1500, 3000, "Looking", 120.0),
                "Looking · 1,500 of 3,000 · 120 per second · about 10 seconds left",
            ),
            (Progress(3, 3, "Looking", 1.0), "Looking · 3 of 3 · 1.0 per second"),
        ],
    )
    def test_progress_in_words(self, progress, said):
        assert progress_text(progress) == said

    @pytest.mark.parametrize(
        ("result", "said"),
        [
            ({}, ""),
            ({"added": 1}, "1 photo imported."),
            (
                {"added": 0, "known": 2, "rejected": {"a": "b"}},
                "0 photos imported, 2 files already in the dataset, 1 file rejected.",
            ),
            ({"classes": {"a": {"added": 2}, "b": {"added": 3}}}, "5 photos added."),
            ({"finished": True, "findings": {"dark": 2, "blurry": 1}}, "3 findings to review."),
            ({"finished": True, "findings": {"dark": 0}}, "No problems found."),
            ({"finished": False, "findings": {"dark": 2}}, ""),
        ],
    )
    def test_outcome_in_words(self, result, said):
        assert outcome_text(result) == said


class TestOverview:
    def test_never_scanned(self, three, started):
        app = opened()
        assert "Photos 22" in words(app) and "Classes 3" in words(app) and "To review –" in words(app)
        assert "Not checked yet" in words(app)
        assert "boot has 3.0 times as many photos as sandal" in words(app)
        assert "Some classes have very few photos" in words(app)
        assert len(app.get("plotly_chart")) == 3
        click(app, Key.CHECK_START)
        assert started == [("three", "dataset_scan", {})]

    def test_scanned(self, three, home, tmp_path):
        write(tmp_path / "more" / "boot" / "tiny.jpg", jpeg(photo(1, (40, 20))))
        scan(three, None)
        import_photos(three, tmp_path / "more")
        app = opened()
        assert re.search(r"22 photos may have problems \(\d kinds?\)", words(app))
        assert "Checked 22 photos on " in words(app) and "1 photo added since: check again." in words(app)
        assert "No model was used" in words(app) and "Too small" in words(app)
        click(app, Key.REVIEW_FINDINGS)
        assert app.segmented_control(key=Key.SECTION).value == "Findings"

    def test_scanned_and_sound(self, home, tmp_path):
        source = tmp_path / "photos"
        for seed in range(4):
            write(source / "boot" / f"{seed}.jpg", jpeg(photo(seed, (300, 220))))
        dataset = imported(home, "sound", source)
        scan(dataset, None)
        decide(dataset, list(read_samples(dataset)["sample"]), Action.KEEP, kinds=("blurry", "dark", "overexposed"))
        app = opened()
        assert "No problems found" in words(app) and "To review 0" in words(app)
        assert Key.REVIEW_FINDINGS not in [button.key for button in app.button]

    def test_one_class(self, home, tmp_path):
        imported(home, "one", draw_dataset(tmp_path / "photos", {"boot": 3}))
        app = opened()
        assert "All photos belong to one class" in words(app) and "There is only one class, boot" in words(app)

    def test_everything_excluded(self, three):
        decide(three, list(read_samples(three)["sample"]), Action.EXCLUDE)
        app = opened()
        assert not app.exception
        assert "All photos are excluded" in words(app) and "Photos 0" in words(app) and "22 excluded" in words(app)
        pick(app, Key.SECTION, "Splits")
        click(app, Key.SPLIT_CREATE)
        pick(app, Key.SECTION, "Export")
        assert not app.exception

    def test_names_are_shown_literally(self, home, tmp_path):
        source, rows = tmp_path / "photos", ["file,label"]
        for number, name in enumerate((NASTY, "L" * 300, "=1+1")):
            for seed in range(2 + 6 * number):
                write(source / f"{number}-{seed}.jpg", jpeg(photo(100 * number + seed)))
                rows.append(f'{number}-{seed}.jpg,"{name}"')
        write(source / "labels.csv", "\n".join(rows).encode())
        imported(home, NASTY, source)
        app = opened()
        assert not app.exception and NASTY in words(app)
        assert all("<script>" not in text.value.replace(r"\<", "") for text in app.markdown)
        spec = app.get("plotly_chart")[0].proto.spec
        assert "&lt;script&gt;" in spec and "<script>" not in spec
        for section in ("Splits", "Export"):
            assert not pick(app, Key.SECTION, section).error


class TestSplits:
    def test_made_twice(self, three):
        app = opened(section="Splits")
        assert "70% training, 30% test" in words(app)
        pick(app, Key.SPLIT_SHARES, "70/15/15")
        click(app, Key.SPLIT_CREATE)
        assert "Created here: 70% training, 15% validation, 15% test; seed 0." in words(app)
        assert app.dataframe[0].value["total"].sum() == 22
        assert "once the photos are checked" in words(app)
        first = read_samples(three)["split"].tolist()
        app.number_input(key=Key.SPLIT_SEED).set_value(5)
        click(app, Key.SPLIT_CREATE)
        assert "seed 5." in words(app) and read_samples(three)["split"].tolist() != first

    def test_own_shares(self, three):
        app = pick(opened(section="Splits"), Key.SPLIT_SHARES, "Custom")
        app.number_input(key=Key.SPLIT_VAL).set_value(50)
        app.number_input(key=Key.SPLIT_TEST).set_value(60)
        again(app)
        assert "No photos are left for training." in words(app)
        click(app, Key.SPLIT_CREATE)
        assert "leave no photos to train on" in words(app) and three.fact("split") is None
        app.number_input(key=Key.SPLIT_TEST).set_value(25)
        click(app, Key.SPLIT_CREATE)
        assert three.fact("split")["val_share"] == 0.5

    def test_photos_that_came_later(self, three, tmp_path):
        make_split(three, 0, 0.3)
        write(tmp_path / "more" / "boot" / "late.jpg", jpeg(photo(77)))
        import_photos(three, tmp_path / "more")
        assert "1 photo was added later" in words(opened(section="Splits"))

    def test_given_with_leaks(self, home, tmp_path):
        source = tmp_path / "given"
        for side, seeds in (("train", range(4)), ("test", range(3, 6))):
            for label in ("boot", "clog"):
                for seed in seeds:
                    write(source / side / label / f"{seed}.jpg", jpeg(photo(seed + 50 * (label == "clog"))))
        dataset = imported(home, "given", source)
        app = opened(section="Splits")
        assert "Imported with the photos." in words(app)
        assert "2 near-duplicate groups are spread over several splits" in words(app)
        app.toggle(key=Key.LEAKS).set_value(True)
        again(app)
        assert len(app.dataframe[1].value) == 4
        scan(dataset, None)
        click(again(app), Key.SPLIT_CREATE)
        assert "No near-duplicates are in different splits" in words(app)


class TestExport:
    def test_zip_and_folder(self, three, tmp_path):
        app = opened(section="Export")
        assert [button.label for button in app.get("download_button")] == ["Download CSV"]
        click(app, Key.EXPORT_ZIP)
        assert app.get("download_button")[1].label.startswith("Download zip file (")
        (packed,) = (three.folder / "exports").iterdir()
        assert len(zipfile.ZipFile(packed).namelist()) == 23
        for text, said in (("here", "Enter the full path"), (str(three.folder), "already exists")):
            app.text_input(key=Key.EXPORT_FOLDER).set_value(text)
            click(app, Key.EXPORT_FOLDER_START)
            assert said in words(app)
        app.text_input(key=Key.EXPORT_FOLDER).set_value(str(tmp_path / "out"))
        click(app, Key.EXPORT_FOLDER_START)
        assert f"Exported 22 photos to {tmp_path / 'out'}." in words(app)
        assert len(list((tmp_path / "out").rglob("*.jpg"))) == 22

    def test_packed_anew_after_a_decision(self, three):
        click(opened(section="Export"), Key.EXPORT_ZIP)
        decide(three, [read_samples(three)["sample"][0]], Action.EXCLUDE)
        app = opened(section="Export")
        assert len(app.get("download_button")) == 1
        click(app, Key.EXPORT_ZIP)
        (packed,) = (three.folder / "exports").iterdir()
        assert len(zipfile.ZipFile(packed).namelist()) == 22


def table_of(totals: Mapping[str, int]) -> pd.DataFrame:
    table = pd.DataFrame({"label": totals.keys(), "total": totals.values()})
    return table.assign(train=table["total"], val=0, test=0, unassigned=0)


class TestFigures:
    def test_many_classes_are_cut_to_both_ends(self):
        chart = class_bars(table_of({f"Class {n}": 200 - n for n in range(100)}), 2.0)
        assert len(chart.figure.data[0].x) == MOST_ROWS
        assert "24 largest and 24 smallest classes shown" in chart.title
        assert chart.figure.data[0].x[-1] == 101

    @pytest.mark.parametrize(
        ("totals", "ratio", "title"),
        [
            ({"a": 4}, None, "All photos belong to one class"),
            ({"a": 4, "b": 4}, 1.0, "Both classes have about the same number of photos"),
            ({"a": 30, "b": 4}, 7.5, "a has 7.5 times as many photos as b"),
            ({"a": 3000, "b": 4}, 750.0, "a has 750 times as many photos as b"),
        ],
    )
    def test_balance(self, totals, ratio, title):
        assert class_bars(table_of(totals), ratio).title == title

    def test_sizes_and_shapes(self):
        sizes = pd.DataFrame({"width": [50] + [300] * 9 + [900], "height": [50] + [200] * 9 + [900]})
        assert side_bars(sizes).title == "90% of the photos are at least 200 pixels on the shorter side"
        assert list(side_bars(sizes).figure.data[0].y) == [1, 0, 9, 0, 1, 0]
        assert side_bars(sizes.head(2)).title == "The shorter side of the smallest photo is 50 pixels"
        assert shape_bars(sizes).title == "Most photos are wide (82%)"
        assert shape_bars(sizes.iloc[[0, 1, 10]]).title == "Most photos are square (67%)"
        assert shape_bars(sizes.iloc[[0, 1]]).title.startswith("Aspect ratios are mixed; the most common is ")
