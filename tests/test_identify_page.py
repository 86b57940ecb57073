"""The Identify page in AppTest, with real photos, a real network and every kind of input."""

import csv
import io
import json
import re
import tomllib
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from sneaker_core.datasets.corrections import CORRECTIONS
from sneaker_core.datasets.dataset_collection import find_dataset, list_datasets
from sneaker_core.datasets.index import read_samples
from sneaker_core.evaluation import evaluation_collection
from sneaker_core.evaluation.evaluation_job import evaluate, keep_with_model
from sneaker_core.evaluation.worlds import Share, WorldMetrics, worlds_sentence
from sneaker_core.images import Photo
from sneaker_core.inference import model_service
from sneaker_core.inference.predictor import Answer, Guess, predict_bytes
from sneaker_core.inference.same_sneaker import predict_same
from sneaker_core.networks.bundled_models import SYNTHETIC_MODEL
from sneaker_core.networks.checkpoint import MODEL_FILE, WEIGHTS_FILE, load_model
from sneaker_core.networks.decision import Status
from sneaker_core.workspace.paths import SAMPLE_PHOTOS
from sneaker_core.workspace.safe_names import natural_order
from tests.app_pages import words
from tests.conftest import CLASSES, KNOWN, PROBABLE, UNKNOWN, UNSURE
from tests.drawing import draw_sneaker
from tests.factories import draw_dataset, jpeg, slow_photo
from tests.links import follow_link
from ui.identify.answer_downloads import answers_csv, answers_json
from ui.identify.answer_text import confidence_text, summary_text
from ui.identify.identify_keys import Key
from ui.identify.probability_bars import finding, guess_bars
from ui.kit import explanation_cache, model_cache, photo_previews
from ui.kit.address import EVALUATION_PARAM
from ui.kit.kept_uploads import UploadStore
from ui.kit.model_picker import MODEL_PARAM
from ui.kit.state_keys import KitKey
from ui.kit.text import escape_markdown

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parent.parent


def opened() -> AppTest:
    return AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).run()


def uploaded(app: AppTest, **files: bytes) -> AppTest:
    for name, data in files.items():
        app.file_uploader(key=Key.UPLOADS).upload(name.replace("_jpg", ".jpg"), data)
    app.run()
    assert not app.exception
    return app


def charts(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def bars(app: AppTest) -> list[int]:
    """Number of guesses in each chart."""
    return [len(chart["data"][1]["y"]) for chart in charts(app)]


def downloads(app: AppTest) -> list[str]:
    """The downloads of all answers; each card offers its picture, too."""
    labels = [button.label for button in app.get("download_button")]
    return [label for label in labels if label != "Download a picture"]


def photo_of(data: bytes, name: str = "photo.jpg") -> Photo:
    return Photo(name, data, "key")


@pytest.fixture
def calls(monkeypatch):
    counted = {"read_photo": 0, "explain_bytes": 0, "load_model": 0}

    def counting(module, name):
        real = getattr(module, name)

        def call(*args, **kwargs):
            counted[name] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(module, name, call)

    counting(model_cache, "read_photo")
    counting(explanation_cache, "explain_bytes")
    counting(model_service, "load_model")
    return counted


class TestNothing:
    def test_says_which_sneakers_it_knows(self, models_home):
        models_home.install()
        app = opened()
        assert not app.exception
        assert "The 4 sneakers the model knows" in words(app)
        assert all(label in words(app) for label in CLASSES)
        assert not app.get("plotly_chart") and not app.error and not app.warning

    def test_says_how_often_the_model_is_right_in_each_world(self, models_home, tmp_path, monkeypatch):
        folder = models_home.install()
        worlds = {name: draw_dataset(tmp_path / name, {CLASSES[0]: 2, CLASSES[1]: 1}) for name in ("shop", "phone")}
        result = evaluate(folder, worlds, models_home.workspace)
        assert "Right on" not in words(opened())
        keep_with_model(result, folder)
        app = opened()
        assert f"{worlds_sentence(list(result.evaluation.worlds))}." in words(app)
        monkeypatch.setattr(evaluation_collection, "BUNDLED_MODELS", models_home.bundled)
        follow_link(app, "How often the model is right")
        assert not app.warning
        assert "street72" in app.selectbox(key=EVALUATION_PARAM).value
        assert result.evaluation.worlds[0].world in app.dataframe[0].value.to_string()

    def test_worlds_of_an_installed_model_are_told_and_shown(self, models_home, tmp_path):
        folder = models_home.install("mine", bundled=False)
        worlds = {name: draw_dataset(tmp_path / name, {CLASSES[0]: 2, CLASSES[1]: 1}) for name in ("shop", "phone")}
        keep_with_model(evaluate(folder, worlds, models_home.workspace), folder)
        app = opened()
        assert "Right on" in words(app)
        follow_link(app, "How often the model is right")
        assert not app.warning
        assert "mine" in app.selectbox(key=EVALUATION_PARAM).value

    def test_does_not_load_the_model(self, models_home, monkeypatch):
        models_home.install()
        monkeypatch.setattr(model_service, "load_model", None)
        assert not opened().exception

    def test_asks_for_no_camera_and_offers_no_choice_of_one(self, models_home):
        models_home.install()
        app = opened()
        assert not app.camera_input
        assert not app.selectbox


class TestSamples:
    def test_a_tap_shows_the_answer_of_the_model_that_knows_it(self, models_home, sneaker_jpeg):
        models_home.install()
        models_home.install(SYNTHETIC_MODEL)
        app = opened()
        assert {file.stem for file in SAMPLE_PHOTOS.glob("*.jpg")} <= {button.label for button in app.button}
        self.tap(app, "High-Top")
        assert "High-Top.jpg" in words(app) and bars(app) == [3]
        assert app.selectbox(key=MODEL_PARAM).value == SYNTHETIC_MODEL
        # Another tap after Remove; then a photo of one's own, which the usual model answers.
        app.button(key=Key.REMOVE_BEFORE).click().run()
        assert app.selectbox(key=MODEL_PARAM).value == "street72"
        self.tap(app, "Mug")
        uploaded(app, a_jpg=sneaker_jpeg())
        assert app.selectbox(key=MODEL_PARAM).value == "street72"
        assert "a.jpg" in words(app) and "Mug.jpg" not in words(app) and bars(app) == [3]

    def test_without_that_model_the_usual_one_answers(self, models_home):
        models_home.install()
        app = opened()
        self.tap(app, "Mug")
        assert bars(app) == [3]

    def tap(self, app: AppTest, name: str) -> None:
        next(button for button in app.button if button.label == name).click().run()
        assert not app.exception


class TestSharing:
    def test_as_text_without_asking_the_network(self, models_home, sneaker_jpeg, calls):
        models_home.install()
        app = uploaded(opened(), a_jpg=sneaker_jpeg())
        (text,) = [block.value for block in app.code]
        assert text == f"{app.header[0].value} (street72, SoleScope)".replace("\\", "")
        assert calls["explain_bytes"] == 0


class TestCorrections:
    def test_nothing_is_stored_before_it_is_saved(self, models_home, sneaker_jpeg):
        models_home.install()
        app = uploaded(opened(), a_jpg=sneaker_jpeg())
        self.say(app, "Yes")
        self.say(app, "No")
        next(box for box in app.selectbox if box.label == "It is").select(CLASSES[1]).run()
        assert not list_datasets(models_home.workspace)
        next(button for button in app.button if button.label == "Save correction").click().run()
        assert not app.exception
        samples = read_samples(find_dataset(models_home.workspace, CORRECTIONS))
        assert samples["label"].tolist() == [CLASSES[1]]
        assert "You have 1 correction." in words(app)
        follow_link(app, "Review your corrections")
        assert not app.exception and not app.warning

    def say(self, app: AppTest, answer: str) -> None:
        next(one for one in app.segmented_control if one.label == "Was the model right?").set_value(answer).run()
        assert not app.exception


class TestOnePhoto:
    def test_answer_is_the_core_s(self, models_home, sneaker_jpeg):
        folder = models_home.install()
        expected = predict_bytes(load_model(folder), "a.jpg", sneaker_jpeg(1), top=10)
        app = uploaded(opened(), a_jpg=sneaker_jpeg(1))
        assert app.header[0].value == escape_markdown(expected.sentence())
        assert confidence_text(expected, len(load_model(folder).spec.classes)) in words(app)
        shown = charts(app)[0]["data"][1]["x"]
        assert shown == pytest.approx([guess.probability for guess in expected.top[:3]])
        assert "a.jpg" in words(app)
        assert not downloads(app)

    @pytest.mark.parametrize(
        ("decision", "badge", "start"),
        [
            (KNOWN, "Recognized", "Almost certainly a"),
            (PROBABLE, "Probable", "Probably a"),
            (UNSURE, "Not sure", "Not sure: "),
            (UNKNOWN, "Unknown", "This doesn't look like a sneaker the model knows"),
        ],
    )
    def test_three_answers(self, models_home, sneaker_jpeg, decision, badge, start):
        models_home.install(decision=decision)
        app = uploaded(opened(), a_jpg=sneaker_jpeg())
        assert badge in words(app)
        assert words(app).splitlines()[1].startswith(start)

    def test_no_percentages_stand_under_a_refusal(self, models_home, sneaker_jpeg):
        models_home.install(decision=UNKNOWN)
        app = uploaded(opened(), a_jpg=sneaker_jpeg())
        assert not charts(app)
        assert "%" not in words(app)
        models_home.install(decision=KNOWN)
        chart = charts(uploaded(opened(), a_jpg=sneaker_jpeg()))[0]
        assert len(set(chart["data"][1]["marker"]["color"])) == 2

    def test_camera_is_asked_for_only_when_wanted_and_answered(self, models_home, sneaker_jpeg):
        models_home.install()
        app = opened()
        app.button(key=Key.CAMERA_BUTTON).click().run()
        assert "Allow this page to use the camera" in words(app)
        app.camera_input(key=Key.CAMERA).upload("shot.jpg", sneaker_jpeg()).run()
        assert not app.exception
        assert "Camera photo.jpg" in words(app) and bars(app) == [3]
        app.button(key=Key.CAMERA_BUTTON).click().run()
        assert not app.camera_input and not app.get("plotly_chart")

    def test_removed_again(self, models_home, sneaker_jpeg):
        models_home.install()
        app = uploaded(opened(), a_jpg=sneaker_jpeg())
        app.file_uploader(key=Key.UPLOADS).clear().run()
        assert not app.exception and "sneakers the model knows" in words(app)
        assert app.session_state[KitKey.UPLOADED] == {}


class TestKept:
    """Photos outlive page changes and reloads, for whoever has the address and for nobody else."""

    def token(self, app: AppTest) -> str:
        (script,) = [one.proto.body for one in app.get("html") if "replaceState" in one.proto.body]
        return re.findall(r"photos=([\w-]+)", script)[-1]

    def visit(self, app: AppTest, page: str, **params: str) -> AppTest:
        app.query_params.clear()
        for name, value in params.items():
            app.query_params[name] = value
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        return app

    def reloaded(self, **params: str) -> AppTest:
        app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60)
        for name, value in params.items():
            app.query_params[name] = value
        return app.run()

    def test_over_page_changes_with_their_answers(self, models_home, sneaker_jpeg, calls):
        models_home.install()
        app = uploaded(opened(), a_jpg=sneaker_jpeg(), b_jpg=sneaker_jpeg(1), bad_jpg=b"no photo")
        next(one for one in app.toggle if one.label == "Why?").set_value(True).run()
        seen = calls.copy()
        for params in ({}, {"model": "street72"}):
            self.visit(app, "datasets")
            self.visit(app, "identify", **params)
            assert app.header[0].value == "3 photos: 2 recognized, 1 unreadable"
            assert [one.value for one in app.toggle if one.label == "Why?"] == [True, False]
        assert calls == seen

    def test_over_a_reload_and_unlike_other_visitors(self, models_home, sneaker_jpeg):
        models_home.install()
        app = uploaded(opened(), a_jpg=sneaker_jpeg(), b_jpg=sneaker_jpeg(1))
        token = self.token(app)
        again = self.reloaded(photos=token)
        assert "2 photos: 2 recognized" in words(again) and len(token) >= 22
        assert ":material/image: a.jpg, b.jpg." in words(again)
        assert "sneakers the model knows" in words(opened())
        # A new photo is added to them; those from before can be removed.
        uploaded(again, c_jpg=sneaker_jpeg(2))
        assert "3 photos: 3 recognized" in words(again)
        again.button(key=Key.REMOVE_BEFORE).click().run()
        assert len(bars(again)) == 1 and ":material/image:" not in words(again)
        # What is changed after a reload, or by somebody with the address, leaves the address's photos as they are.
        assert self.token(again) != token
        assert "2 photos: 2 recognized" in words(self.reloaded(photos=token))

    @pytest.mark.parametrize("token", ["gone", "../../etc", "a" * 5000])
    def test_an_address_that_leads_to_none_says_so(self, models_home, sneaker_jpeg, token):
        models_home.install()
        app = self.reloaded(photos=token)
        assert "no longer kept" in app.info[0].value and "sneakers the model knows" in words(app)
        uploaded(app, a_jpg=sneaker_jpeg())
        assert not app.info and len(bars(app)) == 1

    def test_bounds(self):
        time, photos = [0.0], [Photo(f"{name}.jpg", name.encode() * 4, name) for name in "abcdef"]
        store = UploadStore(10, 60, lambda: time[0])
        store.keep(photos[:3], "big")
        assert [photo.name for photo in store.find("big").photos] == ["a.jpg", "b.jpg"]
        assert store.find("big").left_out == 1
        store.keep(photos[3:4], "small")  # no room for both: the one shown last stays
        assert store.find("big") is None and store.find("small").photos
        time[0] = 50
        assert store.find("small") and store.find("smal") is None
        time[0] = 100
        assert store.find("small")
        time[0] = 161
        assert store.find("small") is None
        store.keep(photos[:1], "removed")
        store.keep([], "removed")
        assert store.find("removed") is None


class TestManyPhotos:
    def test_every_one_is_answered_and_counted(self, models_home, sneaker_jpeg):
        models_home.install()
        app = uploaded(opened(), **{f"p{seed}_jpg": sneaker_jpeg(seed) for seed in range(3)})
        assert "3 photos: 3 recognized" in words(app)
        assert bars(app) == [3, 3, 3]
        assert downloads(app) == ["Download CSV", "Download JSON"]

    def test_same_photo_twice(self, models_home, sneaker_jpeg):
        models_home.install()
        app = opened()
        for _ in range(2):
            app.file_uploader(key=Key.UPLOADS).upload("same.jpg", sneaker_jpeg())
        app.run()
        assert not app.exception
        assert "2 photos: 2 recognized" in words(app) and bars(app) == [3, 3]
        for toggle in app.toggle:
            toggle.set_value(True)
        app.run()
        assert not app.exception and len(app.slider) == 2

    def test_pages_of_six(self, models_home, sneaker_jpeg):
        models_home.install()
        app = uploaded(opened(), **{f"p{seed}_jpg": sneaker_jpeg(seed) for seed in range(8)})
        assert len(bars(app)) == 6 and "p0.jpg" in words(app) and "p7.jpg" not in words(app)
        app.get("pagination")[0].select(2).run()
        assert len(bars(app)) == 2 and "p7.jpg" in words(app)
        app.get("pagination")[0].select(1).run()
        assert len(bars(app)) == 6 and "p7.jpg" not in words(app)
        assert not app.exception

    def test_fewer_photos_while_on_the_last_page(self, models_home, sneaker_jpeg):
        models_home.install()
        app = uploaded(opened(), **{f"p{seed}_jpg": sneaker_jpeg(0) for seed in range(13)})
        app.get("pagination")[0].select(3).run()
        assert len(bars(app)) == 1
        app.file_uploader(key=Key.UPLOADS).clear()
        for number in range(7):
            app.file_uploader(key=Key.UPLOADS).upload(f"q{number}.jpg", sneaker_jpeg(0))
        app.run()
        assert not app.exception and bars(app)


class TestBadFiles:
    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            (b"", "bad.jpg: The file is empty."),
            (b"I am a text", "bad.jpg: This is not a photo"),
            ("half", "bad.jpg: The photo is incomplete or damaged"),
        ],
    )
    def test_one_sentence_names_the_file_and_the_others_are_answered(self, models_home, sneaker_jpeg, data, sentence):
        models_home.install()
        bad = sneaker_jpeg()[:3000] if data == "half" else data
        app = uploaded(opened(), good_jpg=sneaker_jpeg(), bad_jpg=bad, fine_jpg=sneaker_jpeg(2))
        assert len(app.warning) == 1
        assert sentence in words(app)
        assert "3 photos: 2 recognized, 1 unreadable" in words(app)
        assert bars(app) == [3, 3]

    def test_a_photo_that_takes_too_long_is_named_and_the_others_answered(self, models_home, sneaker_jpeg, monkeypatch):
        monkeypatch.setenv("SOLESCOPE_MAX_MEGAPIXELS", "1000")
        monkeypatch.setenv("SOLESCOPE_MAX_DECODE_SECONDS", "1")
        models_home.install()
        app = uploaded(opened(), slow_jpg=slow_photo(), a_jpg=sneaker_jpeg())
        assert "takes too long to decode; the limit is 1 second" in words(app)
        assert "Almost certainly" in words(app)

    def test_alone(self, models_home):
        models_home.install()
        app = uploaded(opened(), bad_jpg=b"no photo")
        assert "bad.jpg: This is not a photo" in words(app)
        assert not bars(app) and not app.error

    def test_too_large(self, models_home, sneaker_jpeg, monkeypatch):
        monkeypatch.setenv("SOLESCOPE_MAX_UPLOAD_MB", "0.003")
        models_home.install()
        app = uploaded(opened(), big_jpg=sneaker_jpeg())
        assert re.search(r"big\.jpg: The file is [\d.]+ MB; the limit is 0\.003 MB\.", words(app))

    def test_names_are_shown_literally(self, models_home, sneaker_jpeg):
        models_home.install()
        app = opened()
        app.file_uploader(key=Key.UPLOADS).upload("<b>*x*</b>.jpg", sneaker_jpeg())
        app.file_uploader(key=Key.UPLOADS).upload("[a](http://b).txt", b"x")
        app.run()
        assert r"\<b\>\*x\*\</b\>.jpg" in [caption.value for caption in app.caption]
        assert app.warning[0].value.startswith("\\[a\\](http:\u2060//b).txt: This is not")


class TestSelectors:
    """Each is changed twice, because a choice that is stored wrongly is lost at the second change."""

    def test_more_guesses_of_one_photo(self, models_home, sneaker_jpeg):
        models_home.install()
        app = uploaded(opened(), a_jpg=sneaker_jpeg(), b_jpg=sneaker_jpeg(1))
        for label, shown in (("Show more", [4, 3]), ("Show fewer", [3, 3]), ("Show more", [4, 3])):
            next(button for button in app.button if button.label == label).click().run()
            assert not app.exception
            assert bars(app) == shown

    def test_model(self, models_home, sneaker_jpeg):
        models_home.install()
        models_home.install("mine", UNKNOWN, bundled=False)
        app = uploaded(opened(), a_jpg=sneaker_jpeg())
        assert app.selectbox(key=MODEL_PARAM).value == "street72"
        for name, badge in (("mine", "Unknown"), ("street72", "Recognized"), ("mine", "Unknown")):
            app.selectbox(key=MODEL_PARAM).select(name).run()
            assert app.selectbox(key=MODEL_PARAM).value == name
            assert badge in words(app)
            assert not app.exception

    def test_why_class_and_strength(self, models_home, sneaker_jpeg):
        models_home.install()
        app = uploaded(opened(), a_jpg=sneaker_jpeg())
        app.toggle[-1].set_value(True).run()
        best = app.selectbox[0].value
        assert f"for **{best}**" in words(app)
        for label in [label for label in CLASSES if label != best][:2]:
            app.selectbox[0].set_value(label).run()
            assert app.selectbox[0].value == label
            assert f"**{label}**" in words(app) and f"**{best}**" not in words(app)
        pictures = []
        for strength in (0, 100, 20):
            app.slider[-1].set_value(strength).run()
            assert app.slider[-1].value == strength
            pictures.append(app.get("image")[-1].proto.imgs[0].url)
        assert not app.exception
        assert len(set(pictures)) == 3

    def test_why_twice(self, models_home, sneaker_jpeg):
        models_home.install()
        app = uploaded(opened(), a_jpg=sneaker_jpeg())
        for wanted in (True, False, True):
            app.toggle[-1].set_value(wanted).run()
            assert bool(app.selectbox) is wanted
            assert not app.exception


class TestWork:
    """Nothing is computed unless it is needed, and nothing is computed twice."""

    def test_why_costs_nothing_while_closed(self, models_home, sneaker_jpeg, calls):
        models_home.install()
        app = uploaded(opened(), a_jpg=sneaker_jpeg())
        assert calls["explain_bytes"] == 0
        app.toggle[-1].set_value(True).run()
        app.slider[-1].set_value(20).run()
        assert calls["explain_bytes"] == 1

    def test_a_rerun_asks_the_network_nothing(self, models_home, sneaker_jpeg, calls):
        models_home.install()
        app = uploaded(opened(), a_jpg=sneaker_jpeg(), b_jpg=sneaker_jpeg(), c_jpg=sneaker_jpeg(1))
        next(button for button in app.button if button.label == "Show more").click().run()
        assert calls == {"read_photo": 2, "explain_bytes": 0, "load_model": 1}

    def test_a_retrained_model_is_loaded_again(self, models_home, sneaker_jpeg, calls):
        models_home.install()
        app = uploaded(opened(), a_jpg=sneaker_jpeg())
        models_home.install(decision=UNKNOWN)
        app.run()
        assert "Unknown" in words(app) and calls["load_model"] == 2

    def test_browser_gets_a_small_jpeg(self):
        buffer = io.BytesIO()
        Image.new("RGB", (3000, 2000), "teal").save(buffer, "PNG")
        small = Image.open(io.BytesIO(photo_previews.preview(photo_of(buffer.getvalue()))))
        assert small.format == "JPEG" and small.size == (640, 427)


class TestModels:
    def test_none_installed(self, models_home):
        app = opened()
        assert not app.exception
        assert "There is no model yet" in words(app)
        assert not app.file_uploader

    def test_damaged_weights(self, models_home, sneaker_jpeg):
        weights = models_home.install() / WEIGHTS_FILE
        weights.write_bytes(weights.read_bytes()[:-1])
        app = uploaded(opened(), a_jpg=sneaker_jpeg())
        assert len(app.error) == 1
        assert "is damaged: its checksum doesn't match" in words(app)

    def test_damaged_description_is_not_ignored(self, models_home):
        (models_home.install() / MODEL_FILE).write_text("{")
        app = opened()
        assert not app.exception
        assert "is damaged: it is no complete JSON" in words(app)

    def test_a_run_alone_is_used(self, models_home, sneaker_jpeg):
        models_home.install("mine", bundled=False)
        assert bars(uploaded(opened(), a_jpg=sneaker_jpeg())) == [3]


def answer(name: str = "a.jpg", status: Status = Status.KNOWN, *chances: float) -> Answer:
    guesses = tuple(Guess(f"Label {place}", chance) for place, chance in enumerate(chances or (0.9, 0.1)))
    return Answer(name, status, guesses, None, 1.0)


def world_of(name: str, right: int, photos: int) -> WorldMetrics:
    share, nothing = Share.counted(right, photos), Share.counted(0, 0)
    return WorldMetrics(name, photos, photos, share, share, nothing, share, nothing, 0.0)


class TestWords:
    def test_confidence(self):
        assert confidence_text(answer("a", Status.KNOWN, 0.934), 72) == (
            "If this is one of the 72 sneakers it knows, the model is right about 93 times in 100 when it is this "
            "confident."
        )
        # Some test labels are wrong, so a higher accuracy can't be shown.
        assert "about 97 times" in confidence_text(answer("a", Status.KNOWN, 0.9999), 72)
        assert confidence_text(answer("a", Status.UNSURE, 0.41), 72) == "The best guess is right about 41 times in 100."
        assert "100" not in confidence_text(answer("a", Status.UNKNOWN, 0.9), 72)

    def test_the_world_where_the_model_is_weaker(self):
        worlds = [world_of("shop", 95, 100), world_of("phone*", 60, 100), world_of("web", 85, 100)]
        said = confidence_text(answer("a", Status.KNOWN, 0.9), 72, worlds)
        assert said.endswith(" It is weaker on phone\\* photos, of which it gets 60% right.")
        # With few photos, the difference may be chance.
        few = [world_of("shop", 95, 100), world_of("phone", 8, 10)]
        assert "weaker" not in confidence_text(answer("a", Status.KNOWN, 0.9), 72, few)
        assert "weaker" not in confidence_text(answer("a", Status.UNSURE, 0.4), 72, worlds)

    def test_summary(self):
        broken = Answer("b", Status.ERROR, (), "The file is empty.", 1.0)
        answers = [answer(), answer(), answer("c", Status.UNSURE), answer("d", Status.UNKNOWN), broken]
        assert summary_text(answers) == ("5 photos: 2 recognized, 1 not sure, 1 unknown, 1 unreadable")

    @pytest.mark.parametrize(
        ("chances", "status", "title"),
        [
            ((0.9, 0.1), Status.KNOWN, "A is far ahead"),
            ((0.5, 0.4), Status.KNOWN, "A and B are close"),
            ((0.5, 0.4), Status.UNSURE, "A and B are close"),
            ((0.6, 0.1), Status.UNSURE, "A is ahead, but not far enough"),
            ((0.5,), Status.KNOWN, "A: 50%"),
        ],
    )
    def test_finding(self, chances, status, title):
        guesses = [Guess(label, chance) for label, chance in zip("AB", chances, strict=False)]
        assert finding(guesses, status) == title

    def test_natural_order(self):
        names = ["adidas NMD", "Air Jordan 10", "Air Jordan 2", "Air Jordan 1", "9"]
        assert sorted(names, key=natural_order) == ["9", "adidas NMD", "Air Jordan 1", "Air Jordan 2", "Air Jordan 10"]

    def test_labels_are_no_markup_in_a_chart(self):
        figure = guess_bars([Guess("<b>x</b>", 0.9)], Status.KNOWN)
        assert "<b>" not in json.dumps(figure.to_plotly_json()["layout"], default=str)


class TestDownloads:
    def test_csv(self):
        broken = Answer("b.jpg", Status.ERROR, (), "The file is empty.", 1.0)
        rows = list(csv.DictReader(io.StringIO(answers_csv([answer("ä.jpg"), broken], 1).decode())))
        assert list(rows[0]) == ["image", "status", "answer", "error", "label_1", "probability_1"]
        assert rows[0]["image"] == "ä.jpg" and rows[0]["label_1"] == "Label 0" and rows[0]["probability_1"] == "0.9"
        assert rows[1]["error"] == "The file is empty." and rows[1]["label_1"] == ""

    @pytest.mark.parametrize("name", ['=HYPERLINK("x")', "+1", "-1", "@sum", " =1", "\t=1", "＝1"])
    def test_csv_holds_no_formula(self, name):
        row = next(csv.DictReader(io.StringIO(answers_csv([answer(name)], 2).decode())))
        assert row["image"] == f"'{name}"

    def test_the_answer_does_not_depend_on_the_number_of_guesses(self):
        unsure = answer("a", Status.UNSURE, 0.4, 0.3, 0.2)
        row = next(csv.DictReader(io.StringIO(answers_csv([unsure], 1).decode())))
        assert row["answer"] == unsure.sentence()

    def test_json_is_the_command_line_s_object(self):
        (found,) = json.loads(answers_json([answer("a.jpg", Status.KNOWN, 0.7, 0.2, 0.1)], 2))
        assert found["image"] == "a.jpg" and len(found["top"]) == 2
        assert set(found) == {
            "image", "status", "sentence", "top", "reason", "footwear_type", "look_alikes", "group", "error", "ms"
        }  # fmt: skip


# Streamlit's captions are the text color at this opacity.
CAPTION_OPACITY = 0.6


class TestTheme:
    CONFIG = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text())

    @staticmethod
    def contrast(one: str, other: str) -> float:
        def luminance(color: str) -> float:
            parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
            red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
            return 0.2126 * red + 0.7152 * green + 0.0722 * blue

        low, high = sorted((luminance(one), luminance(other)))
        return (high + 0.05) / (low + 0.05)

    @staticmethod
    def mixed(color: str, background: str, opacity: float) -> str:
        pairs = [(int(color[at : at + 2], 16), int(background[at : at + 2], 16)) for at in (1, 3, 5)]
        return "#" + "".join(f"{round(opacity * front + (1 - opacity) * back):02x}" for front, back in pairs)

    @pytest.mark.parametrize("mode", ["light", "dark"])
    def test_text_can_be_read(self, mode):
        theme = self.CONFIG["theme"][mode]
        pairs = [
            (theme["textColor"], theme["backgroundColor"]),
            (theme["textColor"], theme["secondaryBackgroundColor"]),
        ]
        pairs += [(theme[name], theme["backgroundColor"]) for name in ("linkColor", "grayTextColor")]
        for background in (theme["backgroundColor"], theme["secondaryBackgroundColor"]):
            pairs.append((self.mixed(theme["textColor"], background, CAPTION_OPACITY), background))
        pairs.append(("#ffffff", theme["primaryColor"]))  # buttons
        for color in ("gray", "green", "orange", "red", "yellow", "blue"):
            pairs.append((theme[f"{color}TextColor"], theme[f"{color}BackgroundColor"]))
        assert {pair: round(self.contrast(*pair), 2) for pair in pairs if self.contrast(*pair) < 4.5} == {}

    def test_nothing_comes_from_the_network_and_no_trace_is_shown(self):
        assert "http" not in (PROJECT / ".streamlit" / "config.toml").read_text()
        assert self.CONFIG["client"]["showErrorDetails"] == "none"
        assert self.CONFIG["browser"]["gatherUsageStats"] is False
        assert self.CONFIG["server"]["address"] == "localhost"


def test_a_link_to_a_model_that_is_gone_says_so_before_any_photo_is_there(models_home):
    models_home.install()
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60)
    app.query_params["model"] = "gone"
    app.run()
    assert "The link leads to the model “gone”" in app.warning[0].value
    # No other model answers in its place.
    assert app.selectbox(key="model").value is None and not app.header
    app.selectbox(key="model").set_value("street72").run()
    assert app.header and not app.warning


class TestSameSneaker:
    def test_one_verdict_above_the_answers(self, models_home, sneaker_jpeg, calls):
        folder = models_home.install(decision=UNSURE)
        app = uploaded(opened(), a_jpg=sneaker_jpeg(), b_jpg=sneaker_jpeg(1), c_jpg=sneaker_jpeg())
        assert len(app.header) == 1
        app.toggle(key=Key.SAME).set_value(True).run()
        assert not app.exception and calls["read_photo"] == 2
        photos = [Photo(f"{name}.jpg", sneaker_jpeg(seed)) for name, seed in (("a", 0), ("b", 1), ("c", 0))]
        expected = predict_same(load_model(folder), photos, top=10)
        assert app.header[1].value == expected.answer.sentence()
        assert f"{expected.agreement()}." in words(app)
        assert "1 photo that is a copy of another one" in words(app)
        assert "3. A copy" in words(app)
        # The address keeps it over a reload.
        assert app.query_params[Key.SAME] == "yes"
        app.toggle(key=Key.SAME).set_value(False).run()
        assert len(app.header) == 1 and Key.SAME not in app.query_params

    def test_the_address_turns_it_on(self, models_home, sneaker_jpeg):
        models_home.install()
        app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60)
        app.query_params[Key.SAME] = "yes"
        uploaded(app.run(), a_jpg=sneaker_jpeg(), b_jpg=b"no photo")
        assert app.toggle(key=Key.SAME).value
        assert "1 photo that can't be read" in words(app)

    def test_an_unsure_answer_says_which_photo_would_help(self, models_home):
        models_home.install(decision=UNSURE)
        dark = draw_sneaker(0, (240, 180)).point(lambda value: value // 8)
        app = uploaded(opened(), a_jpg=jpeg(dark))
        assert "A brighter photo would help" in words(app)
        models_home.install(decision=KNOWN)
        assert "would help" not in words(uploaded(opened(), a_jpg=jpeg(dark)))
