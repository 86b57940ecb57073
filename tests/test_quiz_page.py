"""The Quiz page in AppTest: rounds, addresses, everybody's votes, and evaluations without photos or a model."""

import re
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sneaker_core.catalog.lookup import find_entry
from sneaker_core.datasets.dataset_collection import create_dataset
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.datasets.synthetic.sample_plan import generate_photos, photo_names
from sneaker_core.evaluation import evaluation_collection
from sneaker_core.evaluation.evaluation_collection import delete_evaluation, find_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.evaluation_job import evaluate, keep_with_model
from sneaker_core.evaluation.evaluation_record import EVALUATION_FILE
from sneaker_core.evaluation.quiz.questions import Question, choose_questions
from sneaker_core.evaluation.quiz.votes import add_vote, read_votes
from sneaker_core.networks import model_registry
from sneaker_core.networks.checkpoint import save_model
from sneaker_core.records.evaluation_records import SyntheticRecord
from sneaker_core.workspace.paths import (
    PREDICTIONS_FILE,
    evaluations_folder,
    run_model_folder,
    runs_folder,
    votes_file,
)
from tests.app_pages import again, open_page, plain, words
from tests.factories import draw_dataset, lively_model, write
from tests.links import link_labels
from ui.quiz.quiz_keys import Key

opened = partial(open_page, "quiz")

PROJECT = Path(__file__).resolve().parent.parent
MARKUP = 'Air "One" <b>&amp;</b> $x$ :joy: **50%**'.replace("/", "∕")
CLASSES = (MARKUP, "574", "Air Jordan 1")
NAME, SEED = "kept", "3"
Address = Mapping[str, str]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a model and its evaluation on a dataset. Don't change it; copy it."""
    root = tmp_path_factory.mktemp("made")
    home = root / "workspace"
    model = run_model_folder(runs_folder(home) / "run")
    save_model(lively_model(CLASSES), model)
    import_photos(create_dataset(home, "shoes"), draw_dataset(root / "photos", dict.fromkeys(CLASSES, 5)))
    evaluate(model, "shoes", home, "all", name=NAME, neighbors=False)
    return home


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace of an app that comes without models; its models would be in the folder beside it."""
    monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(tmp_path / "workspace"))
    for module in (evaluation_collection, model_registry):
        monkeypatch.setattr(module, "BUNDLED_MODELS", tmp_path / "models")
    st.cache_data.clear()
    st.cache_resource.clear()
    return tmp_path / "workspace"


@pytest.fixture
def home(empty: Path, made: Path) -> Path:
    """A copy of the workspace `made`; its evaluation knows where its photos and its model are now."""
    shutil.copytree(made, empty)
    file = evaluations_folder(empty) / NAME / EVALUATION_FILE
    file.write_text(file.read_text().replace(str(made), str(empty)))
    table = file.with_name(PREDICTIONS_FILE)
    pd.read_parquet(table).drop(columns="path").to_parquet(table)
    return empty


@pytest.fixture
def questions(home: Path) -> list[Question]:
    return choose_questions(read_table(find_evaluation(home, NAME)), int(SEED))


def address(app: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def progress(app: AppTest) -> str:
    return plain(app.get("progress")[0].proto.text)


def options(app: AppTest) -> list[str]:
    return [plain(button.label) for button in app.button if str(button.key).startswith(Key.QUIZ_OPTION)]


def press(app: AppTest, label: str, number: int = 0) -> AppTest:
    [button for button in app.button if plain(button.label) == label][number].click()
    return again(app)


def alts(app: AppTest) -> list[str]:
    return [picture.alt for image in app.get("image") for picture in image.proto.imgs]


def test_a_round_from_the_first_photo_to_another_round(home, questions):
    app = opened(evaluation=NAME, seed=SEED)
    assert len(questions) == 6  # two photos of each class
    chosen = [question.options[number % 3] for number, question in enumerate(questions)]
    you = model = 0
    for number, (question, choice) in enumerate(zip(questions, chosen, strict=True), start=1):
        assert options(app) == list(question.options)
        assert progress(app).startswith(f"**{number} of 6**")
        assert alts(app) == ["The photo in question"]
        assert question.label not in words(app).replace(question.predicted, "")
        app = press(app, choice)
        you, model = you + (choice == question.label), model + question.model_is_right
        text = words(app)
        right = {True: "right", False: "wrong"}
        assert f"**You** said {choice}: {right[choice == question.label]}." in text
        assert re.search(rf"The model\*\* said {re.escape(question.predicted)} with <?>?\d+% confidence: ", text)
        assert alts(app) == [f"Heat map of the photo for {question.predicted}"[: len(alts(app)[0])]]
        assert progress(app) == f"**{number} of 6** · You {you}, the model {model}"
        assert options(app) == []
        app = press(app, "Next" if number < 6 else "See the score")
    assert app.header[0].value == f"You {you}, the model {model}"
    assert [button.label for button in app.button].count("Look again") == len(alts(app)) == 6
    assert [button.label for button in app.get("download_button")] == ["Save as a picture"]
    votes = read_votes(home, find_evaluation(home, NAME))
    assert [(vote.sample, vote.vote) for vote in votes] == [
        (question.sample, choice) for question, choice in zip(questions, chosen, strict=True)
    ]

    # The address alone restores the score, in another session too, and nothing is counted again.
    assert words(opened(**address(app))) == words(app)
    assert len(read_votes(home, find_evaluation(home, NAME))) == 6
    assert progress(press(app, "Look again", 2)).startswith("**3 of 6**")
    app = press(press(app, "Back to the score"), "Play again with other photos")
    assert (address(app)["seed"], address(app).get("answers")) == ("4", None)
    assert progress(app) == "**1 of 6**"


def test_an_answer_that_is_taken_back_counts_once(home, questions):
    app = press(opened(evaluation=NAME, seed=SEED), questions[0].options[0])
    assert (address(app)["answers"], address(app)["question"]) == ("1", "1")
    before = {name: value for name, value in address(app).items() if name not in ("answers", "question")}
    # By way of another page, since AppTest has no Back.
    again(app.switch_page("pages/runs.py"))
    app.query_params.clear()
    for name, value in before.items():
        app.query_params[name] = value
    assert options(again(app.switch_page("pages/quiz.py"))) == list(questions[0].options)
    app = press(app, questions[0].options[1])
    assert address(app)["answers"] == "2"
    assert [vote.vote for vote in read_votes(home, find_evaluation(home, NAME))] == [questions[0].options[0]]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"question": "3"}, 1), ({"question": "2", "answers": "11"}, 2), ({"answers": "1x1"}, 2), ({"answers": "9"}, 1),
        ({"question": "0", "answers": "1"}, 1), ({"question": "-1"}, 1), ({"question": "²"}, 1),
        ({"question": "9" * 40, "answers": "12"}, 3),
    ],
)  # fmt: skip
def test_any_address_shows_a_question(home, query, shown):
    app = opened(evaluation=NAME, seed=SEED, **query)
    assert progress(app).startswith(f"**{shown} of 6**")


@pytest.mark.parametrize("seed", ["x", "-1", "9" * 50, "1.5", "²"])
def test_a_seed_that_is_none_is_replaced(home, seed):
    assert progress(opened(evaluation=NAME, seed=seed)) == "**1 of 6**"


def test_the_marks_of_a_class_that_the_catalog_knows(home, questions):
    known = find_entry("Air Jordan 1")
    for number, question in enumerate(questions, start=1):
        app = opened(evaluation=NAME, seed=SEED, question=str(number), answers="1" * number)
        assert all((mark in words(app)) == (question.label == "Air Jordan 1") for mark in known.marks)


def test_everybodys_votes_once_there_are_ten(home, questions):
    over = {"evaluation": NAME, "seed": SEED, "answers": "1" * 6}
    evaluation = find_evaluation(home, NAME)
    for question in [*questions, *questions][:9]:
        add_vote(home, evaluation, question, question.label)
    assert "Everybody" not in words(opened(**over))
    add_vote(home, evaluation, questions[0], questions[0].label)
    better = {one.label for one in questions if not one.model_is_right}
    text = words(opened(**over))
    assert f"People beat the model on {len(better)} of 3 sneakers" in text
    assert "From 10 answers" in text


def test_the_round_goes_on_if_votes_cannot_be_kept(home, questions):
    votes_file(home).parent.write_text("a file where the folder should be")
    app = press(opened(evaluation=NAME, seed=SEED), questions[0].options[0])
    assert "Your answer wasn't counted" in words(app)
    assert "counted" not in words(press(app, "Next"))


def test_without_the_model_there_is_no_heat_map_and_all_else(home, questions):
    shutil.rmtree(runs_folder(home))
    app = press(opened(evaluation=NAME, seed=SEED), questions[0].options[0])
    assert alts(app) == [f"The photo: {questions[0].label}"[: len(alts(app)[0])]]
    assert "The model** said" in words(app) and not app.toggle


def test_the_heat_map_can_be_taken_off(home, questions):
    app = press(opened(evaluation=NAME, seed=SEED), questions[0].options[0])
    app.toggle[0].set_value(False)
    assert alts(again(app))[0].startswith("The photo: ")
    app = press(press(app, "Next"), questions[1].options[0])
    assert not app.toggle[0].value


class TestWithoutPhotos:
    def test_no_evaluation_at_all(self, empty):
        app = opened()
        assert "no evaluation with photos yet" in words(app)
        assert link_labels(app)[-2:] == ["Evaluate a model", "Get photos"]

    def test_an_evaluation_whose_photos_are_gone(self, home):
        shutil.rmtree(next((home / "datasets").iterdir()))
        assert "no evaluation with photos yet" in words(opened())
        app = opened(evaluation=NAME)
        assert "aren’t on this computer" in words(app)
        assert link_labels(app)[-2:] == ["Evaluate a model", "Get photos"]

    def test_a_photo_that_goes_during_the_round(self, home, questions):
        app = opened(evaluation=NAME, seed=SEED)
        Path(questions[0].path).unlink()
        assert "The file of this photo is missing" in words(again(app))
        assert "The model** said" in words(press(app, questions[0].options[0]))

    def test_an_evaluation_that_is_deleted_during_the_round(self, home, questions):
        app = press(opened(evaluation=NAME, seed=SEED), questions[0].options[0])
        delete_evaluation(home, NAME)
        assert "“kept”" in words(again(app)) and options(app) == []

    def test_a_model_of_one_class_makes_no_quiz(self, home, tmp_path):
        model = run_model_folder(runs_folder(home) / "one")
        save_model(lively_model(("574",)), model)
        evaluate(model, "shoes", home, "all", name="of one class", neighbors=False)
        assert "at least two classes" in words(opened(evaluation="of one class"))


def test_a_model_that_comes_with_synthetic_photos_is_shown_first(home, tmp_path):
    plan, model = SyntheticRecord(per_class=6, seed=3), tmp_path / "models" / "drawn6"
    drawn = tmp_path / "drawn"
    names = sorted(photo_names(plan.per_class, plan.seed))[::9]
    for photo in generate_photos(plan.per_class, plan.seed, only=names):
        write(drawn / photo.label / photo.name, photo.data)
    classes = tuple(sorted(folder.name for folder in drawn.iterdir()))
    save_model(lively_model(classes), model)
    result = evaluate(model, str(drawn), home, neighbors=False)
    photo_of = dict(result.table[["sample", "path"]].to_numpy(dtype=str).tolist())
    keep_with_model(result, model, plan, {sample: Path(path).name for sample, path in photo_of.items()})
    app = opened(seed="1")
    assert app.selectbox(key="evaluation").value == "drawn6, built in"
    assert set(options(app)) <= set(classes)
    assert alts(app) == ["The photo in question"]
