"""The quiz's core: which photos it asks for, how a round is scored, and what everybody's answers say."""

import io
import json
import threading
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sneaker_core.errors import SpaceError
from sneaker_core.evaluation.evaluation_record import Evaluation, Kind
from sneaker_core.evaluation.quiz.people_chart import people_chart, people_title
from sneaker_core.evaluation.quiz.questions import Question, Round, choose_questions, read_round
from sneaker_core.evaluation.quiz.score_card import draw_score_card
from sneaker_core.evaluation.quiz.votes import add_vote, people_and_model, read_votes
from sneaker_core.evaluation.table_columns import PROBABILITY_PREFIX
from sneaker_core.workspace.paths import votes_file
from tests.corruptions import json_damage
from tests.factories import jpeg, photo

NAMES = [f"shoe {letter}" for letter in "abcdefgh"]


def table_of(photos: int, classes: int, seed: int = 0, wrong: float = 0.2) -> pd.DataFrame:
    """A prediction table of random answers; a class that is taken for another one is taken for the next one."""
    random = np.random.default_rng(seed)
    names = NAMES[:classes]
    truth = random.integers(0, classes, photos)
    answers = np.where(random.random(photos) < wrong, (truth + 1) % classes, truth)
    chances = random.random((photos, classes)) + 5 * np.eye(classes)[answers]
    chances /= chances.sum(axis=1, keepdims=True)
    table = pd.DataFrame(chances, columns=[PROBABILITY_PREFIX + name for name in names])
    return table.assign(
        sample=[f"{number:04}" for number in range(photos)],
        path=[f"/photos/{number}.jpg" for number in range(photos)],
        label=[names[number] for number in truth],
        predicted=[names[number] for number in answers],
        probability=chances.max(axis=1),
        brightness=random.random(photos),
    )


@settings(max_examples=25, deadline=None)
@given(
    photos=st.integers(1, 90),
    classes=st.integers(1, 8),
    seed=st.integers(0, 2**31),
    wrong=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_every_round_is_fair_balanced_and_the_same_by_seed(photos, classes, seed, wrong):
    table = table_of(photos, classes, seed % 97, wrong)
    asked = choose_questions(table, seed)
    assert asked == choose_questions(table.sample(frac=1, random_state=1), seed)
    assert bool(asked) == (classes > 1)
    assert len(asked) <= 10 and len({one.sample for one in asked}) == len(asked)
    assert max(Counter(one.label for one in asked).values(), default=0) <= 2
    truth = table.set_index("sample")
    confused = Counter()
    for label, predicted in table[["label", "predicted"]].itertuples(index=False):
        confused[frozenset((label, predicted))] += label != predicted
    for one in asked:
        row = truth.loc[one.sample]
        assert (one.label, one.predicted, one.path) == (row["label"], row["predicted"], row["path"])
        assert len(set(one.options)) == len(one.options) == min(3, classes)
        assert {one.label, one.predicted} <= set(one.options)
        rivals = [confused[frozenset((one.label, other))] for other in NAMES if other != one.label]
        assert one.is_hard == (max(rivals) > 0)
        assert max(confused[frozenset((one.label, other))] for other in one.options if other != one.label) == max(
            rivals
        )
    hardest = [max(confused[frozenset((one.label, other))] for other in NAMES if other != one.label) for one in asked]
    assert hardest == sorted(hardest, reverse=True)


def test_the_model_gets_about_three_of_ten_wrong_and_another_seed_asks_for_others():
    table = table_of(600, 8)
    rounds = [choose_questions(table, seed) for seed in range(6)]
    assert {sum(not one.model_is_right for one in asked) for asked in rounds} == {3}
    assert all(len(asked) == 10 for asked in rounds)
    photos = [{one.sample for one in asked} for asked in rounds]
    assert all(len(one & other) <= 3 for one, other in pairwise(photos))
    places = Counter(one.options.index(one.label) for asked in rounds for one in asked)
    assert set(places) == {0, 1, 2}


def test_photos_that_cannot_be_asked_for_are_left_out():
    table = table_of(60, 4)
    gone, used, strange = (set(table["sample"][start : start + 10]) for start in (0, 10, 20))
    table.loc[table["sample"].isin(gone), "path"] = None
    table.loc[table["sample"].isin(strange), "label"] = "unheard of"
    table["used_for"] = np.where(table["sample"].isin(used), "train", "")
    # The same photo under two labels has no right answer; in two worlds, it is one photo.
    twice = table.iloc[30:40].assign(label=lambda rows: rows["predicted"].map(lambda name: NAMES[name == NAMES[0]]))
    table = pd.concat([table, twice, table.iloc[40:60]], ignore_index=True)
    ambiguous = set(table.groupby("sample")["label"].nunique().loc[lambda count: count > 1].index)
    asked = {one.sample for seed in range(30) for one in choose_questions(table, seed)}
    assert asked and not asked & (gone | used | strange | ambiguous)


def test_copies_of_a_photo_are_not_asked_for_together():
    table = table_of(12, 2, wrong=0.0)
    copies = table.assign(sample=table["sample"] + "b", brightness=table["brightness"] + 0.001)
    both = pd.concat([table, copies], ignore_index=True)
    for seed in range(20):
        originals = [one.sample[:4] for one in choose_questions(both, seed)]
        assert len(originals) == len(set(originals)) == 4


QUESTIONS = (
    Question("1", "/1.jpg", "boot", "boot", 0.9, ("clog", "boot", "mule"), True),
    Question("2", "/2.jpg", "clog", "boot", 0.6, ("boot", "mule", "clog"), True),
    Question("3", "/3.jpg", "mule", "mule", 0.7, ("mule", "clog"), False),
)


@pytest.mark.parametrize(
    ("answers", "chosen"),
    [
        ("", ()), ("231", ("boot", "clog", "mule")), ("2", ("boot",)), ("2311111", ("boot", "clog", "mule")),
        ("24", ("boot",)), ("0", ()), ("x21", ()), ("2²1", ("boot",)), ("２", ()), ("233", ("boot", "clog")),
    ],
)  # fmt: skip
def test_answers_in_an_address_count_up_to_the_first_that_is_none(answers, chosen):
    played = read_round(QUESTIONS, answers)
    assert played.answers == chosen
    assert played.is_over == (len(chosen) == 3)


def test_the_score_counts_what_was_answered():
    assert read_round(QUESTIONS, "").score.title == "You 0, the model 0"
    score = read_round(QUESTIONS, "21").score
    assert (score.you, score.model, score.of) == (1, 1, 2)
    assert read_round(QUESTIONS, "231").score.title == "You 3, the model 2"


class TestScoreCard:
    @pytest.mark.parametrize("name", ["boot", "x" * 300, "靴 <b>&amp;</b>", "a\nb", "👟", "حذاء", "", "W" * 40])
    def test_it_is_a_picture_with_a_line_for_each_photo(self, name):
        asked = tuple(Question(str(n), "", name, "clog", 0.5, (name, "clog"), True) for n in range(3))
        png = draw_score_card(Round(asked, (name, "clog", name)), {"1": jpeg(photo(1))}, name)
        with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
            assert picture.width == 1080
            # Nothing is written over the right edge.
            assert len(picture.crop((1060, 20, 1080, picture.height)).getcolors()) == 1
            taller = draw_score_card(Round(asked[:1], ("clog",)), {}, name)
            with Image.open(io.BytesIO(taller), formats=("PNG",)) as one:
                assert picture.height - one.height > 200


@pytest.fixture
def evaluation() -> Evaluation:
    return Evaluation("shoes", Kind.STORED, Path("evaluations/id-1"), "model")


class TestVotes:
    def test_they_are_kept_with_what_was_shown_and_no_name(self, tmp_path, evaluation):
        for vote in ("boot", "clog"):
            add_vote(tmp_path, evaluation, QUESTIONS[0], vote)
        other = Evaluation("shoes", Kind.RUN, Path("runs/id-1"), "model")
        add_vote(tmp_path, other, QUESTIONS[1], "clog")
        rows = read_votes(tmp_path, evaluation)
        assert [(row.sample, row.vote, row.options) for row in rows] == [
            ("1", vote, list(QUESTIONS[0].options)) for vote in ("boot", "clog")
        ]
        assert [row.sample for row in read_votes(tmp_path, other)] == ["2"]
        line = json.loads(votes_file(tmp_path).read_text().splitlines()[0])
        assert set(line) == {"kind", "evaluation", "sample", "options", "vote", "time"}

    def test_any_character_may_be_in_a_name(self, tmp_path, evaluation):
        question = replace(QUESTIONS[0], options=("bo\u2028ot", "cl\x85og"))
        add_vote(tmp_path, evaluation, question, "bo\u2028ot")
        assert [row.vote for row in read_votes(tmp_path, evaluation)] == ["bo\u2028ot"]

    def test_damaged_lines_harm_no_others(self, tmp_path, evaluation):
        add_vote(tmp_path, evaluation, QUESTIONS[0], "boot")
        file = votes_file(tmp_path)
        good = file.read_bytes()
        damages = [damage for _, damage in json_damage(good)]
        assert len(damages) > 50
        # The last line was cut off, so the next vote must not be written on it.
        file.write_bytes(good + b"\n".join([*damages, good[:30]]))
        add_vote(tmp_path, evaluation, QUESTIONS[1], "clog")
        rows = read_votes(tmp_path, evaluation)
        assert (rows[0].sample, rows[-1].sample) == ("1", "2")
        assert all(row.vote in row.options for row in rows)
        people_and_model(rows, table_of(5, 2))

    def test_votes_at_the_same_time_are_all_there(self, tmp_path, evaluation):
        def vote() -> None:
            for _ in range(5):
                add_vote(tmp_path, evaluation, QUESTIONS[0], "boot")

        threads = [threading.Thread(target=vote) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(read_votes(tmp_path, evaluation)) == 20

    def test_a_log_that_cannot_be_written_says_so(self, tmp_path, evaluation):
        (tmp_path / "quiz").write_text("a file where the folder should be")
        with pytest.raises(SpaceError, match="wasn't counted"):
            add_vote(tmp_path, evaluation, QUESTIONS[0], "boot")
        assert read_votes(tmp_path, evaluation) == []

    def test_people_and_the_model_are_compared_on_the_same_photos(self, tmp_path, evaluation):
        table = pd.DataFrame(
            [(one.sample, one.label, one.predicted) for one in QUESTIONS], columns=["sample", "label", "predicted"]
        )
        votes = [(0, "boot"), (0, "mule"), (1, "clog"), (1, "clog"), (1, "boot"), (2, "mule")]
        for number, vote in votes:
            add_vote(tmp_path, evaluation, QUESTIONS[number], vote)
        add_vote(tmp_path, evaluation, Question("gone", "", "x", "x", 1.0, ("x", "y"), False), "x")
        rows = people_and_model(read_votes(tmp_path, evaluation), table)
        assert rows.to_dict("records") == [
            {"label": "boot", "votes": 2, "people": 0.5, "model": 1.0},
            {"label": "clog", "votes": 3, "people": pytest.approx(2 / 3), "model": 0.0},
            {"label": "mule", "votes": 1, "people": 1.0, "model": 1.0},
        ]
        chart = people_chart(rows)
        assert chart.title == "People beat the model on 1 of 3 sneakers"
        # Where people are furthest ahead comes first.
        assert list(chart.figure.layout.yaxis.ticktext) == ["clog", "mule", "boot"]
        assert people_title(rows[rows["label"] != "clog"]) == "The model beats people on 1 of 2 sneakers"
        assert people_title(rows[rows["label"] == "mule"]) == (
            "People and the model were right equally often, on 1 sneaker"
        )
        assert people_and_model([], table).empty
