"""The Explain page, run as Streamlit runs it: every way to a photo, every request, real jobs, what is not there."""

import io
import json
import shutil
import threading
import time
import zipfile
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from sneaker_core import images
from sneaker_core.datasets.dataset_collection import create_dataset, find_dataset
from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.errors import DatasetError
from sneaker_core.evaluation.evaluation_collection import find_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.evaluation_job import evaluate
from sneaker_core.evaluation.table_columns import misclassified
from sneaker_core.images import Photo
from sneaker_core.inference.explanation.attributions import attribute
from sneaker_core.inference.explanation.class_average_maps import class_average_maps
from sneaker_core.inference.explanation.explanation_files import CLASS_MAPS_FILE, TABLE_FILE
from sneaker_core.inference.explanation.explanation_jobs import ARCHIVE, UPLOADS
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest, Method
from sneaker_core.inference.explanation.heat_maps import describe_location, strongest_area
from sneaker_core.inference.explanation.sanity_checks import run_sanity_check
from sneaker_core.inference.model_service import BoundedQueue
from sneaker_core.inference.predictor import predict_file
from sneaker_core.networks import model_registry as library
from sneaker_core.networks.checkpoint import WEIGHTS_FILE, SneakerModel, load_model, save_model
from sneaker_core.number_text import counted
from sneaker_core.settings import ServiceLimits
from sneaker_core.workspace.jobs import list_jobs, stop_job
from sneaker_core.workspace.paths import explanations_folder, run_model_folder, runs_folder
from tests.app_pages import again, click, open_page, words
from tests.factories import CLASSES, draw_dataset, jpeg, lively_model, photo_of_class
from tests.links import change_address, follow_link
from ui.explain import map_pictures, sanity_cache
from ui.explain.batch_view import FROM_UPLOADS
from ui.explain.explain_keys import Key
from ui.explain.explain_views import Section, Source
from ui.explain.sanity_charts import deletion_chart, insertion_chart, randomization_chart
from ui.identify.identify_keys import Key as IdentifyKey
from ui.kit import explanation_cache, model_cache
from ui.kit.page_links import Page, page_address
from ui.kit.photo_files import stored_photo
from ui.kit.state_keys import KitKey

opened = partial(open_page, "explain")

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parent.parent
PATIENCE = 180.0
COUNTS = {"boot": 7, "clog": 5, "sandal": 14}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A workspace with a run's model, a dataset and an evaluation of the one on the other."""
    root = tmp_path_factory.mktemp("house")
    workspace = root / "workspace"
    folder = run_model_folder(runs_folder(workspace) / "lively")
    save_model(lively_model(size=64), folder)
    dataset = create_dataset(workspace, "shoes")
    import_photos(dataset, draw_dataset(root / "photos", COUNTS))
    evaluate(folder, "shoes", workspace, name="kept", neighbors=False)
    return workspace


@pytest.fixture
def home(made, tmp_path, monkeypatch) -> Path:
    """A copy of it, and no model beside."""
    workspace = tmp_path / "workspace"
    shutil.copytree(made, workspace)
    monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(workspace))
    monkeypatch.setattr(library, "BUNDLED_MODELS", tmp_path / "models")
    # The evaluation remembers where its dataset was.
    described = workspace / "evaluations" / "kept" / "evaluation.json"
    values = json.loads(described.read_text())
    values["dataset_folder"] = str(workspace / "datasets" / Path(values["dataset_folder"]).name)
    values["model_folder"] = str(run_model_folder(runs_folder(workspace) / "lively"))
    described.write_text(json.dumps(values))
    st.cache_data.clear()
    st.cache_resource.clear()
    return workspace


@pytest.fixture
def dataset(home) -> Dataset:
    return find_dataset(home, "shoes")


@pytest.fixture
def model(home) -> SneakerModel:
    return load_model(run_model_folder(runs_folder(home) / "lively"))


def go_to(app: AppTest, query: dict[str, str]) -> AppTest:
    """Another address of the page, as after Back."""
    return change_address(app, query)


def pick(app: AppTest, key: str, value: object) -> AppTest:
    app.segmented_control(key=key).set_value(value)
    return again(app)


def choose(app: AppTest, label: str, value: str) -> AppTest:
    select(app, label).set_value(value)
    return again(app)


def select(app: AppTest, label: str):
    return next(box for box in app.selectbox if box.label == label)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def alts(app: AppTest) -> list[str]:
    """What pictures say to someone who does not see them."""
    return [picture.alt for image in app.get("image") for picture in image.proto.imgs]


def explained(app: AppTest) -> list[str]:
    return [alt for alt in alts(app) if "colored by evidence for" in alt]


def address(app: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def samples_of(dataset: Dataset, label: str) -> list[str]:
    table = read_samples(dataset)
    return list(table[table["label"] == label]["sample"])


def path_of(dataset: Dataset, sample: str) -> Path:
    table = read_samples(dataset).set_index("sample")
    return Path(table["path"][sample])


def seen_by(model: SneakerModel, path: Path) -> Image.Image:
    return images.load(path, shrink_to=model.spec.preprocessing.shrink_to)


def ended(parent: Path) -> Path:
    """The folder of the newest work, when it has ended."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        jobs = list_jobs(parent)
        if jobs and jobs[0].state.ended:
            assert jobs[0].error is None, jobs[0].error
            return jobs[0].folder
        time.sleep(0.2)
    raise AssertionError("the work does not end")


class TestChoosing:
    def test_a_class_its_photos_and_one_of_them(self, home, dataset):
        app = opened()
        assert "26 photos to choose from" in words(app)
        assert labels(app).count("Explain") == 24
        choose(app, "Class", "clog")
        assert "5 photos to choose from" in words(app)
        assert labels(app).count("Explain") == 5
        clogs = samples_of(dataset, "clog")
        click(app, KitKey.OPEN.of(f"explain-{clogs[1]}"))
        assert "The photo is labeled **clog**" in words(app)
        assert "2 of 5" in words(app)
        assert len(explained(app)) == 4  # the picture, and three classes side by side
        assert address(app)["sample"] == clogs[1]
        click(app, KitKey.STEP.of("explain-Next"))
        assert address(app)["sample"] == clogs[2]
        click(app, Key.EXPLAIN_ALL)
        assert labels(app).count("Explain") == 5
        assert not explained(app)

    def test_pages(self, home):
        app = opened()
        first = set(alts(app))
        app.get("pagination")[0].select(2).run()
        assert labels(app).count("Explain") == 2
        assert not first & set(alts(app))
        choose(app, "Class", "boot")
        assert labels(app).count("Explain") == 7

    def test_upload(self, home, model):
        app = pick(opened(), Key.EXPLAIN_SOURCE, Source.UPLOAD)
        assert "Upload a photo, or choose one" in words(app)
        app.file_uploader(key=Key.EXPLAIN_UPLOAD).upload("mine.jpg", jpeg(photo_of_class(1, 77)))
        again(app)
        assert len(explained(app)) == 4
        assert "is labeled" not in words(app) and "mine.jpg" in words(app)
        # The address leads to the photo again, here and after a reload.
        there = address(app)
        pick(app, Key.EXPLAIN_SOURCE, Source.DATASET)
        assert address(app) == {"source": "Dataset", "dataset": "shoes"} and not explained(app)
        go_to(app, there)
        assert app.segmented_control(key=Key.EXPLAIN_SOURCE).value == Source.UPLOAD
        assert len(explained(app)) == 4
        assert len(explained(opened(**there))) == 4
        app = opened(**{**there, "upload": "guessed"})
        assert "This uploaded photo is no longer kept" in words(app) and not app.warning
        assert app.segmented_control(key=Key.EXPLAIN_SOURCE).value == Source.UPLOAD
        app.file_uploader[0].upload("mine.jpg", jpeg(photo_of_class(1, 77)))
        assert len(explained(again(app))) == 4

    def test_mistakes_of_an_evaluation_and_the_question_they_raise(self, home):
        table = read_table(find_evaluation(home, "kept"))
        wrong = misclassified(table)
        assert 0 < len(wrong) < len(table)
        app = pick(opened(), Key.EXPLAIN_SOURCE, Source.EVALUATION)
        assert f"{len(wrong)} photo" in words(app)
        worst = wrong.iloc[0]
        assert f"{worst['label']}, predicted as {worst['predicted']}" in words(app)
        click(app, KitKey.OPEN.of(f"explain-{worst['sample']}"))
        assert app.session_state["evaluation"] == "kept"
        request = f"Why {worst['predicted']} and not {worst['label']}?"
        app.button[labels(app).index(request)].click()
        again(app)
        assert address(app)["versus"] == worst["label"]
        assert request not in labels(app)
        assert f"{worst['predicted']}** compared with **{worst['label']}" in words(app)

    def test_an_evaluation_whose_photos_are_elsewhere(self, home):
        app = pick(opened(), Key.EXPLAIN_SOURCE, Source.EVALUATION)
        choose(app, "Evaluation", "street72, built in")
        assert "aren't on this machine" in words(app)
        assert "Explain" not in labels(app)

    def test_without_a_dataset_it_asks_for_an_upload(self, home):
        shutil.rmtree(home / "datasets")
        app = opened()
        assert app.file_uploader(key=Key.EXPLAIN_UPLOAD)
        pick(app, Key.EXPLAIN_SOURCE, Source.DATASET)
        assert "There are no datasets yet" in words(app)


class TestLinks:
    def test_an_address_says_it_all(self):
        link = page_address(
            Page.EXPLAIN, model="m", dataset="a & b", sample="s", target="Air Max 90", versus=None, method="occlusion"
        )
        assert parse_qs(urlsplit(link).query) == {
            "model": ["m"], "dataset": ["a & b"], "sample": ["s"], "target": ["Air Max 90"], "method": ["occlusion"],
        }  # fmt: skip
        assert urlsplit(link).path == "explain" == page_address(Page.EXPLAIN)

    def test_it_is_all_taken_over_and_written_back(self, home, dataset):
        query = {
            "dataset": "shoes", "sample": samples_of(dataset, "boot")[0], "model": "lively", "target": "sandal",
            "versus": "clog", "method": "guided_gradcam",
        }  # fmt: skip
        app = opened(**query)
        assert not app.warning
        assert select(app, "Class to explain").value == "sandal"
        assert select(app, "Compare with").value == "clog"
        assert app.segmented_control(key=Key.EXPLAIN_METHOD).value == Method.GUIDED_GRADCAM
        assert "sandal compared with clog" in explained(app)[0]
        assert address(app) == query

    def test_a_choice_goes_before_the_address_that_led_here(self, home, dataset):
        app = opened(dataset="shoes", sample=samples_of(dataset, "boot")[0], target="sandal")
        choose(app, "Class to explain", "clog")
        again(app)
        assert select(app, "Class to explain").value == "clog"
        assert address(app)["target"] == "clog"
        click(app, KitKey.STEP.of("explain-Next"))
        best = predict_file(
            load_model(run_model_folder(runs_folder(home) / "lively")), path_of(dataset, samples_of(dataset, "boot")[1])
        ).top[0]
        assert select(app, "Class to explain").value == best.label

    def test_another_link_in_the_same_session_is_taken_over_too(self, home, dataset):
        boot, clog = samples_of(dataset, "boot")[0], samples_of(dataset, "clog")[0]
        app = opened(dataset="shoes", sample=boot)
        go_to(app, {"evaluation": "kept", "sample": clog, "method": "guided_gradcam"})
        assert address(app)["sample"] == clog
        assert app.session_state["evaluation"] == "kept"
        assert "The photo is labeled **clog**" in words(app)

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ({"dataset": "gone"}, "The link leads to the dataset “gone”, which isn't here."),
            ({"dataset": "shoes", "sample": "gone"}, "The link leads to the photo “gone”, which isn't here."),
            # The photo goes without saying.
            ({"dataset": "gone", "sample": "gone"}, "The link leads to the dataset “gone”, which isn't here."),
            ({"evaluation": "gone", "sample": "gone"}, "The link leads to the evaluation “gone”, which isn't here."),
            ({"evaluation": "gone"}, "The link leads to the evaluation “gone”, which isn't here."),
            ({"evaluation": "kept", "sample": "gone"}, "The link leads to the photo “gone”, which isn't here."),
            ({"model": "../gone"}, "The link leads to the model “../gone”, which isn't here"),
            ({"show": "nothing"}, "The link leads to the section “nothing”, which isn't here."),
        ],
    )
    def test_a_link_to_nothing_says_so_and_offers_what_there_is(self, home, query, said):
        app = opened(**query)
        assert [said in words(app), len(app.warning)] == [True, 1]
        for box, item in (("Dataset", "shoes"), ("Evaluation", "kept"), ("Model", "lively")):
            if [one for one in app.selectbox if one.label == box and one.value is None]:
                choose(app, box, item)
        assert ("Explain" in labels(app) and said not in words(app)) or "sample" in query or "show" in query
        click(app, next(button.key for button in app.button if button.label == "Explain"))
        assert explained(app)

    @pytest.mark.parametrize(
        ("param", "item", "file"),
        [
            ("dataset", "datasets/shoes", "index.sqlite"),
            ("evaluation", "evaluations/kept", "evaluation.json"),
            ("model", "runs/lively", "model/model.json"),
        ],
    )
    def test_a_link_to_something_damaged_says_so_and_why(self, home, param, item, file):
        copy = (home / item).with_name("other")
        shutil.copytree(home / item, copy)
        (copy / file).write_bytes(b"{" * 5_000)
        (said,) = [one.value for one in opened(**{param: "other"}).warning]
        assert said.startswith(f"The link leads to the {param} “other”, which is damaged. ")
        assert "isn't here" not in said and Path(file).name.replace("_", r"\_") in said

    def test_what_a_link_names_wrongly_is_said_until_something_else_is_chosen(self, home, dataset):
        app = opened(dataset="shoes", sample="gone", method="magic")
        assert "the photo “gone”" in words(app)
        click(app, next(button.key for button in app.button if button.label == "Explain"))
        assert "the photo “gone”" not in words(app)
        assert "the method “magic”" in words(app)
        pick(app, Key.EXPLAIN_METHOD, Method.GUIDED_GRADCAM.value)
        assert not app.warning

    def test_an_evaluation_of_another_kind_as_older_links_name_it(self, home):
        app = opened(evaluation="street72", kind="bundled")
        assert select(app, "Evaluation").value == "street72, built in"
        assert not app.warning

    def test_classes_that_the_model_does_not_know(self, home, dataset):
        sample = samples_of(dataset, "boot")[0]
        app = opened(dataset="shoes", sample=sample, target="<b>pump</b>", versus="clog")
        assert "The link leads to the class “<b>pump</b>”, which isn't here." in words(app)
        assert select(app, "Compare with").value in ("clog", "")
        assert len(explained(app)) == 4
        choose(app, "Class to explain", "sandal")
        assert not app.warning

    def test_parts_have_addresses_too(self, home):
        app = opened(show="means", evaluation="kept", kind="stored")  # an address of an older version
        assert app.segmented_control(key=Key.SHOW).value == Section.CLASS_AVERAGES
        pick(app, Key.SHOW, Section.MANY)
        assert "Explain all photos of a class" in words(app)
        assert "kind" not in address(opened(show="many"))


class TestMaps:
    @pytest.mark.parametrize("method", list(Method))
    def test_the_map_is_the_core_s(self, home, dataset, model, method):
        path = path_of(dataset, samples_of(dataset, "boot")[0])
        request = ExplanationRequest("sandal", "clog", method, opacity=0.7, max_side=100)
        found = explanation_cache.explain(key_of(home), stored_photo(path, "a.jpg"), request)
        expected = attribute(model, [seen_by(model, path)], "sandal", method, "clog")[0]
        np.testing.assert_allclose(found.heat, expected, atol=1e-5)
        assert (found.image, found.request) == ("a.jpg", request)
        assert max(found.overlay().size) <= 100

    def test_what_is_seen_is_said(self, home, dataset, model):
        sample = samples_of(dataset, "boot")[0]
        app = opened(dataset="shoes", sample=sample, target="sandal", method="occlusion")
        heat = attribute(model, [seen_by(model, path_of(dataset, sample))], "sandal", Method.OCCLUSION)[0]
        assert described("**sandal**", heat) in words(app)
        assert Method.OCCLUSION.about in words(app)
        assert any(alt.startswith("Color scale") for alt in alts(app))

    def test_layers_are_offered_where_the_method_has_one(self, home, dataset, model):
        sample = samples_of(dataset, "boot")[0]
        app = opened(dataset="shoes", sample=sample, target="sandal")
        usual = pictures(app)
        choose(app, "Layer", "features.6")
        assert pictures(app) != usual
        heat = attribute(model, [seen_by(model, path_of(dataset, sample))], "sandal", layer="features.6")[0]
        assert described("**sandal**", heat) in words(app)
        pick(app, Key.EXPLAIN_METHOD, Method.INTEGRATED_GRADIENTS)
        assert "Layer" not in [box.label for box in app.selectbox]

    def test_strength(self, home, dataset):
        app = opened(dataset="shoes", sample=samples_of(dataset, "boot")[0])
        shown = set()
        for strength in (0, 100, 30):
            app.slider(key=Key.EXPLAIN_OPACITY).set_value(strength)
            shown.add(tuple(pictures(again(app))))
        assert len(shown) == 3

    def test_classes_side_by_side_and_one_of_them_chosen(self, home, dataset):
        app = opened(dataset="shoes", sample=samples_of(dataset, "boot")[0])
        shown = [alt.removeprefix("The photo, colored by evidence for ") for alt in explained(app)[1:]]
        assert sorted(shown) == sorted(CLASSES)
        assert select(app, "Class to explain").value == shown[0]
        app.button[[at for at, label in enumerate(labels(app)) if label == "Explain this class"][2]].click()
        again(app)
        assert select(app, "Class to explain").value == shown[2]
        assert address(app)["target"] == shown[2]

    def test_a_slow_method_compares_classes_only_when_asked(self, home, dataset):
        app = opened(dataset="shoes", sample=samples_of(dataset, "boot")[0], method="occlusion")
        assert len(explained(app)) == 1
        app.toggle(key=Key.EXPLAIN_STRIP.of("slow")).set_value(True)
        assert len(explained(again(app))) == 4

    def test_nothing_is_asked_twice(self, home, dataset, monkeypatch):
        app = opened(dataset="shoes", sample=samples_of(dataset, "boot")[0])
        monkeypatch.setattr(explanation_cache, "explain_bytes", None)
        monkeypatch.setattr(model_cache, "read_photo", None)
        again(app)
        assert len(explained(app)) == 4


def described(subject: str, heat: np.ndarray) -> str:
    area, share = strongest_area(heat)
    return describe_location(subject, f"**{area}**", share)


def key_of(home: Path) -> model_cache.ModelKey:
    folder = run_model_folder(runs_folder(home) / "lively")
    return model_cache.ModelKey(str(folder), library.model_version(folder))


def pictures(app: AppTest) -> list[str]:
    """The addresses of the explained pictures, which follow from their bytes."""
    return [
        picture.url
        for image in app.get("image")
        for picture in image.proto.imgs
        if "colored by evidence for" in picture.alt
    ]


class TestSanityCheck:
    def test_the_checks_are_made_when_asked_for_and_said_in_plain_words(self, home, dataset, model):
        sample = samples_of(dataset, "boot")[0]
        app = opened(dataset="shoes", sample=sample, target="sandal")
        assert "Sanity check" in words(app)
        assert not app.get("plotly_chart")
        app.toggle(key=Key.EXPLAIN_TRUST).set_value(True)
        again(app)
        deadline = time.monotonic() + PATIENCE
        while not app.get("plotly_chart") and time.monotonic() < deadline:
            time.sleep(0.2)
            again(app)
        path = path_of(dataset, sample)
        request = ExplanationRequest("sandal")
        heat = attribute(model, [seen_by(model, path)], "sandal")[0]
        check = run_sanity_check(model, seen_by(model, path), request, heat)
        for sentence in check.sentences:
            assert sentence in words(app)
        charts = (
            randomization_chart(check.randomization),
            deletion_chart(check.curves),
            insertion_chart(check.curves),
        )
        for chart in charts:
            assert f"**{chart.title}**" in words(app)
        assert [chart.proto.alt for chart in app.get("plotly_chart")] == [chart.alt for chart in charts]

    def test_they_are_made_once_for_everybody(self, home, dataset):
        photo = stored_photo(path_of(dataset, samples_of(dataset, "boot")[0]), "a.jpg")
        first = sanity_cache.sanity_check(key_of(home), photo, ExplanationRequest("clog"))
        assert sanity_cache.sanity_check(key_of(home), photo, ExplanationRequest("clog")) is first
        assert sanity_cache.sanity_check(key_of(home), photo, ExplanationRequest("boot")) is not first
        assert first.future.result(PATIENCE).curves.label == "clog"

    def test_what_failed_is_said_and_made_again(self, home, dataset, monkeypatch):
        def fail(*args: object) -> None:
            raise DatasetError("It did not work.")

        photo = stored_photo(path_of(dataset, samples_of(dataset, "boot")[0]), "a.jpg")
        with monkeypatch.context() as broken:
            broken.setattr(sanity_cache, "run_sanity_check", fail)
            found = sanity_cache.sanity_check(key_of(home), photo, ExplanationRequest("clog"))
            assert found.future.exception(PATIENCE) is not None
        with pytest.raises(DatasetError, match="did not work"):
            sanity_cache.sanity_check(key_of(home), photo, ExplanationRequest("clog"))
        assert (
            sanity_cache.sanity_check(key_of(home), photo, ExplanationRequest("clog")).future.result(PATIENCE).sentences
        )

    def test_photos_go_first(self):
        queue, gate, passed = BoundedQueue(ServiceLimits(4)), threading.Event(), threading.Event()
        working = queue.submit(gate.wait)
        assert not queue.wait_until_idle(0.05)

        def slow() -> None:
            queue.wait_until_idle(PATIENCE)
            passed.set()

        threading.Thread(target=slow).start()
        assert not passed.wait(0.2)
        gate.set()
        working.result(PATIENCE)
        assert passed.wait(PATIENCE)
        assert queue.wait_until_idle(0)


class TestClassAverages:
    def test_made_by_a_job_shown_and_found_again(self, home, model):
        app = opened(show="means", evaluation="kept")
        table = read_table(find_evaluation(home, "kept"))
        wrong = table[table["label"] != table["predicted"]]["label"].value_counts()
        assert app.multiselect(key=Key.EXPLAIN_MEANS_CLASSES).value == [wrong.index[0]]
        app.multiselect(key=Key.EXPLAIN_MEANS_CLASSES).set_value(["clog", "boot"])
        again(app)
        assert "Average 12 photos" in labels(app)
        click(app, Key.EXPLAIN_MEANS_START)
        (folder,) = (explanations_folder(home) / "means").iterdir()
        ended(folder)
        again(app)
        means = class_average_maps(model, table, ["boot", "clog"])
        for mean in means:
            if mean.count:
                assert f"Average of {counted(mean.count, 'photo')} predicted " in words(app)
                assert mean.area in words(app)
        kinds = {True: "correctly", False: "as another class"}
        assert [alt for alt in alts(app) if alt.startswith("Average ")] == [
            f"Average {what} of {counted(mean.count, 'photo')} of {mean.label} predicted {kinds[mean.right]}"
            for mean in means
            if mean.count
            for what in ("map", "photo")
        ]
        # Somebody else asks the same.
        assert Key.EXPLAIN_MEANS_START not in [button.key for button in app.button]
        other = opened(show="means", evaluation="kept")
        other.multiselect(key=Key.EXPLAIN_MEANS_CLASSES).set_value(["boot", "clog"])
        again(other)
        assert [alt for alt in alts(other) if alt.startswith("Average ")]

        (folder / CLASS_MAPS_FILE).write_text("{")
        assert "Create the class-average maps again" in words(again(app))
        assert "Average 12 photos" in labels(app)

    def test_none_chosen(self, home):
        app = opened(show="means", evaluation="kept")
        app.multiselect(key=Key.EXPLAIN_MEANS_CLASSES).set_value([])
        assert "Choose at least one class." in words(again(app))

    def test_photos_that_are_not_here(self, home):
        app = opened(show="means", evaluation="street72", kind="bundled")
        assert "aren't on this machine" in words(app)

    def test_a_model_that_is_gone(self, home, tmp_path):
        save_model(lively_model(size=64, seed=1), run_model_folder(runs_folder(home) / "lively"))
        app = opened(show="means", evaluation="kept")
        assert "no longer exists or has been retrained" in app.error[0].value

    def test_a_job_that_failed_says_why_and_can_be_tried_again(self, home):
        app = opened(show="means", evaluation="kept")
        shutil.rmtree(home / "datasets" / "shoes" / "images")
        click(app, Key.EXPLAIN_MEANS_START)
        (folder,) = (explanations_folder(home) / "means").iterdir()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and not list_jobs(folder)[0].state.ended:
            time.sleep(0.2)
        again(app)
        assert "was deleted or moved while it was in use" in words(app)
        assert "Try again" in labels(app)


class TestMany:
    def test_a_class_as_a_zip_file(self, home, dataset):
        app = pick(opened(), Key.SHOW, Section.MANY)
        choose(app, "Class", "clog")
        choose(app, "Class to explain", "boot")
        click(app, Key.EXPLAIN_MANY_START)
        folder = ended(explanations_folder(home) / "many")
        again(app)
        assert "5 pictures" in words(app)
        with zipfile.ZipFile(folder / ARCHIVE) as archive:
            names = archive.namelist()
            table = archive.read(TABLE_FILE).decode()
        assert len([name for name in names if name.endswith(".png")]) == 5
        assert table.count(",boot,,gradcam,") == 5
        assert str(home) not in table
        assert len(explained(app)) == 5
        assert [button.label.split(" (")[0] for button in app.get("download_button")] == ["Download zip file"]
        click(app, Key.EXPLAIN_WORK_REMOVE.of(folder.name))
        assert not folder.exists()
        assert not app.get("download_button")

    def test_uploads_are_kept_only_until_they_are_explained(self, home):
        app = pick(opened(), Key.SHOW, Section.MANY)
        pick(app, Key.EXPLAIN_SOURCE.of("many"), FROM_UPLOADS)
        assert app.button(key=Key.EXPLAIN_MANY_START).disabled
        for name, data in (("../a.jpg", jpeg(photo_of_class(0, 50))), ("bad.jpg", b"no photo")):
            app.file_uploader(key=Key.EXPLAIN_MANY_UPLOADS).upload(name, data)
        again(app)
        click(app, Key.EXPLAIN_MANY_START)
        folder = ended(explanations_folder(home) / "many")
        again(app)
        assert "1 picture" in words(app)
        assert "1 photo couldn't be read" in words(app)
        assert not (folder / UPLOADS).exists()

    def test_stopped_work_keeps_what_it_has(self, home):
        app = pick(opened(), Key.SHOW, Section.MANY)
        choose(app, "Class", "sandal")
        click(app, Key.EXPLAIN_MANY_START)
        stop_job(list_jobs(explanations_folder(home) / "many")[0].folder)
        ended(explanations_folder(home) / "many")
        again(app)
        assert any(
            said in words(app) for said in ("Stopped before all photos were explained", "was stopped", "14 pictures")
        )

    def test_a_damaged_archive_is_said(self, home):
        app = pick(opened(), Key.SHOW, Section.MANY)
        choose(app, "Class", "clog")
        click(app, Key.EXPLAIN_MANY_START)
        folder = ended(explanations_folder(home) / "many")
        (folder / ARCHIVE).write_bytes(b"no zip")
        assert "The zip file is damaged" in words(again(app))


class TestWhatIsNotThere:
    def test_no_model(self, home):
        shutil.rmtree(home / "runs")
        app = opened()
        assert "There is no model yet" in words(app)
        assert not app.segmented_control

    def test_damaged_model(self, home, dataset):
        weights = run_model_folder(runs_folder(home) / "lively") / WEIGHTS_FILE
        weights.write_bytes(weights.read_bytes()[:-1])
        app = opened(dataset="shoes", sample=samples_of(dataset, "boot")[0])
        assert "is damaged: its checksum doesn't match" in app.error[0].value
        assert "All photos" in labels(app)

    @pytest.mark.parametrize("data", [b"", b"I am a text", "half"])
    def test_broken_photo(self, home, data):
        app = pick(opened(), Key.EXPLAIN_SOURCE, Source.UPLOAD)
        broken = jpeg(photo_of_class(1, 5))[:300] if data == "half" else data
        app.file_uploader(key=Key.EXPLAIN_UPLOAD).upload("*bad*.jpg", broken)
        again(app)
        assert len(app.warning) == 1
        assert "*bad*.jpg: " in words(app)
        assert not explained(app)

    def test_photo_that_has_gone(self, home, dataset):
        boots = samples_of(dataset, "boot")
        path_of(dataset, boots[0]).unlink()
        app = opened(dataset="shoes", sample=boots[0])
        assert "The file of this photo is missing." in app.error[0].value
        click(app, KitKey.STEP.of("explain-Next"))
        assert not app.error
        assert explained(app)


class TestIdentify:
    def test_compare_with_another_one_and_more_on_this_page(self, home):
        app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=120).run()
        app.file_uploader(key=IdentifyKey.UPLOADS).upload("shoe.jpg", jpeg(photo_of_class(2, 9)))
        again(app)
        app.toggle[-1].set_value(True)
        again(app)
        target, versus = app.selectbox[0], app.selectbox[1]
        first = target.value
        other = next(option for option in CLASSES if option != first)
        versus.set_value(other)
        again(app)
        assert f"**{first}** instead of **{other}**" in words(app)
        assert any(f"speaks for {first} instead of {other}" in alt for alt in alts(app))
        # What it is held against cannot be the class itself.
        app.selectbox[0].set_value(other)
        again(app)
        assert app.selectbox[1].value in ("", None)
        app.selectbox[1].set_value(first)
        again(app)
        follow_link(app, "More on the Explain page")
        assert app.title[0].value == "Explain"
        assert "shoe.jpg" in words(app)
        assert select(app, "Class to explain").value == other
        assert select(app, "Compare with").value == first


class TestWords:
    def test_location(self):
        heat = np.zeros((30, 30), np.float32)
        assert described("**x**", heat) == "Nothing in this photo counts toward **x**."
        heat[12:18, 0:9] = 1
        assert described("**x**", heat) == "The evidence for **x** is mostly at the **center left** (100% of the map)."
        assert "spread over the photo" in described("**x**", np.ones((30, 30), np.float32))
        assert strongest_area(np.ones((31, 31), np.float32))[1] == pytest.approx(1 / 9)
        heat[:] = 0.3
        heat[22:30, 22:30] = 0.9
        assert "in several areas, mainly at the **bottom right**" in described("**x**", heat)

    def test_stored_photo_reads_no_more_than_it_may(self, tmp_path, monkeypatch):
        monkeypatch.setenv("SOLESCOPE_MAX_UPLOAD_MB", "0.001")
        file = tmp_path / "big.jpg"
        file.write_bytes(bytes(5_000))
        photo = stored_photo(file, "big.jpg")
        assert isinstance(photo, Photo)
        assert len(photo.data) == 1_001
        with pytest.raises(images.ImageError, match="is missing"):
            stored_photo(tmp_path, "folder")

    def test_pictures_over_each_other(self, tmp_path):
        Image.new("RGB", (20, 10), "white").save(tmp_path / "photo.png")
        Image.new("L", (20, 10), 255).save(tmp_path / "map.png")
        full = Image.open(io.BytesIO(map_pictures.overlay_preview(tmp_path / "photo.png", tmp_path / "map.png", 1.0)))
        clear = Image.open(io.BytesIO(map_pictures.overlay_preview(tmp_path / "photo.png", tmp_path / "map.png", 0.0)))
        assert np.asarray(full)[5, 10, 2] < 100  # yellow
        assert np.asarray(clear).min() > 250
