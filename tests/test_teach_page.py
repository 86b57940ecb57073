"""The Teach page: photos that are kept, what is taught and told, what goes wrong, and the ways there and back."""

import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.checkpoint import SneakerModel, save_model, with_spec
from sneaker_core.networks.model_registry import find_named_model
from sneaker_core.training.run_collection import delete_run
from tests.app_pages import again, click, open_page, words
from tests.conftest import ModelsHome
from tests.factories import jpeg, photo_of_class, taught_names, teachable_model
from tests.links import follow_link, link_labels
from ui.identify.identify_keys import Key as IdentifyKey
from ui.kit.kept_uploads import UPLOADS_PARAM
from ui.kit.model_picker import MODEL_PARAM
from ui.runs.runs_keys import Key as RunsKey
from ui.teach.teach_choices import EMPTY
from ui.teach.teach_keys import Key

opened = partial(open_page, "teach")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PROJECT = Path(__file__).resolve().parent.parent
NAME, COPY = "Astro *Runner* 9", "street72 plus mine"


def photos(number: int, count: int, first: int = 0) -> list[tuple[str, bytes, str]]:
    """Photos of one color, as uploads."""
    shown = [photo_of_class(number, seed) for seed in range(first, first + count)]
    return [(f"{number}-{first + place}.jpg", jpeg(one), "image/jpeg") for place, one in enumerate(shown)]


@pytest.fixture(scope="module")
def model() -> SneakerModel:
    return with_spec(teachable_model(), name=DEFAULT_MODEL)


@pytest.fixture
def home(models_home: ModelsHome, model: SneakerModel) -> ModelsHome:
    """A workspace without runs, and one bundled model."""
    save_model(model, models_home.bundled / DEFAULT_MODEL)
    return models_home


def give(app: AppTest, files: list[tuple[str, bytes, str]], tray: str = UPLOADS_PARAM) -> AppTest:
    uploader = next(one for one in app.file_uploader if one.key.startswith(Key.UPLOADS.of(tray)))
    uploader.set_value(files)
    return again(app)


def call_it(app: AppTest, name: str, key: Key = Key.SNEAKER) -> AppTest:
    app.text_input(key=key).input(name)
    return again(app)


def teach(app: AppTest) -> AppTest:
    """Click the button, and look until the model is taught or the page says why not."""
    click(app, Key.TEACH)
    while Key.WORK in app.session_state:
        again(app)
    return app


def thumbnails(app: AppTest) -> int:
    return len([one for one in app.button if one.key.startswith(Key.REMOVE.value)])


def given(app: AppTest, name: str = NAME, number: int = 0, count: int = 4) -> AppTest:
    return give(call_it(app, name), photos(number, count))


class TestTeaching:
    def test_a_few_photos_make_a_class_that_identify_knows(self, home):
        app = teach(given(opened()))
        assert f"{NAME}: taught with 4 photos." in words(app)
        assert "of 4 photos would have been recognized" in words(app)
        assert thumbnails(app) == 0 and not app.error
        assert taught_names(find_named_model(home.workspace, COPY)) == (NAME,)
        follow_link(app, "Try it")
        assert app.selectbox(key=MODEL_PARAM).value == COPY
        app.file_uploader(key=IdentifyKey.UPLOADS).set_value(photos(0, 1))
        assert NAME in words(again(app))

    def test_the_same_copy_is_taught_more_forgets_and_recalls(self, home):
        app = teach(given(opened()))
        click(app, Key.MORE)
        assert (app.selectbox(key=MODEL_PARAM).value, app.text_input(key=Key.COPY).value) == (COPY, COPY)
        assert (app.text_input(key=Key.SNEAKER).value, "taught with" in words(app)) == ("", False)
        teach(given(app, "Other Shoe", 1))
        folder = find_named_model(home.workspace, COPY)
        assert taught_names(folder) == (NAME, "Other Shoe")
        click(app, Key.FORGET.of(NAME))
        assert taught_names(folder) == ("Other Shoe",) and "forgotten, 4 photos" in words(app)
        click(app, Key.RECALL.of(NAME))
        assert set(taught_names(folder)) == {NAME, "Other Shoe"} and "forgotten" not in words(app)
        follow_link(app, "Rename or delete it on Runs")
        assert app.query_params[RunsKey.RUNS_CHOSEN] in (COPY, [COPY])
        assert f"A copy of street72 that was taught by example: Other Shoe (4 photos), {NAME} (4 photos)." in words(app)
        assert "No curves" not in words(app)
        row = app.dataframe[0].value.set_index("name").loc[COPY]
        assert (row["recipe"], row["network"]) == ("Taught by example", "MobileNetV2")

    def test_two_sneakers_make_a_model_that_started_empty(self, home):
        app = opened(start=EMPTY)
        call_it(app, "Red Shoe")
        call_it(app, "Blue Shoe", Key.SECOND_SNEAKER)
        give(give(app, photos(0, 4)), photos(1, 4), Key.SECOND_PHOTOS)
        teach(app)
        assert "Red Shoe: taught with 4 photos." in words(app) and "Blue Shoe: taught with 4 photos." in words(app)
        name = app.text_input(key=Key.COPY).value
        assert taught_names(find_named_model(home.workspace, name)) == ("Red Shoe", "Blue Shoe")
        give(give(app, photos(0, 1, 7)), photos(1, 1, 7), Key.SECOND_PHOTOS)
        assert "Red Shoe: taught with 5 photos." in words(teach(app))

    def test_photos_that_are_added_meanwhile_stay(self, home):
        app = click(given(opened()), Key.TEACH)
        assert Key.WORK in app.session_state
        give(app, photos(0, 2, 20))
        while Key.WORK in app.session_state:
            again(app)
        assert f"{NAME}: taught with 4 photos." in words(app) and thumbnails(app) == 2


class TestPhotos:
    def test_each_is_kept_once_and_can_be_removed(self, home):
        app = give(give(opened(), photos(0, 2)), photos(0, 3))
        assert thumbnails(app) == 3 and app.toast[0].value.startswith("You have already added 2 photos")
        click(app, next(one.key for one in app.button if one.key.startswith(Key.REMOVE.value)))
        assert thumbnails(app) == 2 and "at least 3" in words(app)

    def test_they_are_there_after_another_page_and_in_another_session(self, home):
        app = given(opened())
        app.switch_page("pages/runs.py").run()
        again(app.switch_page("pages/teach.py"))
        assert (thumbnails(app), app.text_input(key=Key.SNEAKER).value) == (4, NAME)
        token = app.session_state[Key.TRAYS][UPLOADS_PARAM][0]
        other = give(opened(**{UPLOADS_PARAM: token}), photos(0, 1, 9))
        assert thumbnails(other) == 5
        assert thumbnails(opened(**{UPLOADS_PARAM: token})) == 4  # the link goes on to lead to what it led to

    def test_those_no_longer_kept_are_asked_for_again(self, home):
        assert "no longer kept" in words(opened(**{UPLOADS_PARAM: "gone"}))

    def test_one_that_cannot_be_read_says_so_and_the_others_are_used(self, home):
        app = give(given(opened()), [("notes.jpg", b"no photo", "image/jpeg")])
        assert "notes.jpg: This is not a photo" in words(app)
        assert "Left out: notes.jpg: This is not a photo" in words(teach(app))

    @pytest.mark.parametrize("together", [False, True])
    def test_identify_hands_over_photos_of_one_sneaker_that_it_does_not_recognize(self, home, model, together):
        unsure = replace(model.spec.decision, confidence_threshold=1.0, ood_threshold=math.inf)
        save_model(with_spec(model, decision=unsure), home.bundled / DEFAULT_MODEL)
        app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).run()
        assert "Teach" in link_labels(app)
        app.file_uploader(key=IdentifyKey.UPLOADS).set_value(photos(0, 2))
        again(app)
        assert link_labels(app).count("Teach it this sneaker") == 2
        if together:  # the verdict on both is drawn above the cards
            app.toggle(key=IdentifyKey.SAME).set_value(True)
            again(app)
        follow_link(app, "Teach it this sneaker")
        assert thumbnails(app) == 1 + together and "at least 3" in words(app)


class TestWhatGoesWrong:
    def test_it_is_said_and_the_photos_stay(self, home):
        app = give(opened(), photos(0, 2))
        assert "A sneaker needs a name" in words(teach(app))
        call_it(app, NAME)
        assert "has 2 photos that can be used; it needs 3 or more" in words(teach(app))
        give(app, photos(0, 1, 5))
        call_it(app, "boot")
        assert "was trained on 'boot' already" in words(teach(app))
        call_it(app, NAME)
        call_it(app, "street72", Key.COPY)
        teach(app)
        assert app.error and thumbnails(app) == 3
        call_it(app, "", Key.COPY)
        assert f"{NAME}: taught with 3 photos." in words(teach(app)) and not app.error

    def test_two_sneakers_of_one_name(self, home):
        app = call_it(call_it(opened(start=EMPTY), NAME), NAME, Key.SECOND_SNEAKER)
        assert "Both sneakers have the same name" in words(teach(app))

    def test_a_model_that_was_deleted_meanwhile(self, home):
        app = teach(given(opened()))
        click(app, Key.MORE)
        delete_run(home.workspace, COPY)
        app.button(key=Key.TEACH).click()
        again(app)
        assert f"{COPY}" in words(app) and "isn't here" in words(app)

    def test_without_any_model(self, models_home):
        assert "There is no model yet" in words(opened())
