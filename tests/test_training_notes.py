"""Training notes and model cards."""

import math
import re
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sneaker_core.networks.checkpoint import ModelSpec, read_spec
from sneaker_core.networks.decision import Decision
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.training.model_card import escaped, model_card
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.training_notes import MAX_NOTES, Note, NoteKind, notes
from sneaker_core.workspace.paths import BUNDLED_MODELS

FALLING = [3.0, 2.2, 1.7, 1.4, 1.2, 1.05, 0.95, 0.9, 0.86, 0.83]
RISING = [0.40, 0.55, 0.63, 0.70, 0.74, 0.77, 0.79, 0.81, 0.82, 0.83]


def course(val_top1: list[float | None], loss: list[float] | None = None, **columns: Any) -> pd.DataFrame:
    """A metrics table; the learning rate is past its warm-up."""
    count = len(val_top1)
    table = {
        "epoch": list(range(1, count + 1)),
        "loss": (loss or FALLING)[:count],
        "learning_rate": [0.002 - 0.0001 * epoch for epoch in range(count)],
        "images_per_second": [60.0] * count,
        "val_top1": val_top1,
    }
    return pd.DataFrame({**table, **columns})


def told(metrics: pd.DataFrame, classes: int = 22, epochs: int = 20, recipe: Recipe | None = None) -> list[str]:
    return [note.text for note in notes(metrics, classes, epochs, recipe)]


# --- progress of a training -----


@pytest.mark.parametrize(("rows", "words"), [([], "No results yet"), ([0.31], "31%"), ([None], "only one epoch")])
def test_it_does_not_judge_too_early(rows: list[float | None], words: str) -> None:
    (note,) = notes(course(rows), 22, 20)
    assert note.kind == NoteKind.INFO
    assert words in note.text


def test_learning_well() -> None:
    assert notes(course([0.62, 0.70, 0.81]), 22, 20) == [
        Note(NoteKind.GOOD, "Training is going well: validation accuracy was 62% after epoch 1 and is 81% now.")
    ]
    assert "81% at the end" in told(course([0.62, 0.70, 0.81]), epochs=3)[0]


def test_almost_all_right_from_the_start_is_good_news_and_no_standstill() -> None:
    assert told(course([0.98] * 10))[0].startswith("Training is going well")


def test_overfitting() -> None:
    (note,) = notes(course([0.5, 0.7, 0.8, 0.8, 0.79, 0.8, 0.8]), 22, 20)
    assert note.kind == NoteKind.WARNING
    assert note.text.startswith("Overfitting: the training loss still falls") and "for 4 epochs" in note.text


def test_a_validation_loss_that_still_falls_is_no_overfitting() -> None:
    stuck = [0.5, 0.7, 0.8, 0.8, 0.8, 0.8, 0.8]
    assert "Overfitting" in told(course(stuck))[0]
    assert "Training is going well" in told(course(stuck, val_loss=FALLING[:7]))[0]


def test_a_standstill_of_both() -> None:
    (note,) = notes(course([0.5, 0.8, 0.8, 0.8, 0.8, 0.8], [2.0, 1.0, 1.0, 1.0, 1.0, 1.0]), 22, 20)
    assert note.kind == NoteKind.INFO
    assert "neither validation (accuracy 80%) nor training has improved for 4 epochs" in note.text


def test_almost_only_one_class() -> None:
    favourite = [{"label": "Air Jordan 4", "share": 0.84}] * 3
    note = notes(course([0.08, 0.1, 0.1], favourite=favourite), 22, 20)[0]
    assert note == Note(
        NoteKind.WARNING,
        "The model predicts Air Jordan 4 for 84% of the validation photos; an equal share would be 5%.",
    )


@pytest.mark.parametrize(
    ("classes", "share", "right"),
    [
        (2, 0.6, 0.6),  # with two classes, guessing easily gets more than half right
        (22, 0.3, 0.5),
        (5, 0.84, 0.95),  # most photos are of that class
    ],
)
def test_a_favourite_class_that_is_nothing_strange(classes: int, share: float, right: float) -> None:
    metrics = course([0.4, 0.4, right], favourite=[{"label": "a", "share": share}] * 3)
    assert not any("The model predicts" in text for text in told(metrics, classes))


def test_no_better_than_guessing() -> None:
    note = notes(course([0.04, 0.05, 0.04, 0.05]), 22, 20)[0]
    assert note.kind == NoteKind.WARNING
    assert "No better than guessing after 4 epochs: validation accuracy is 5%" in note.text
    # In a long training, this is early.
    assert not any("guessing" in text for text in told(course([0.04, 0.05, 0.04, 0.05]), epochs=60))
    assert not any("guessing" in text for text in told(course([0.5, 0.6, 0.7, 0.7]), classes=2))


def test_a_loss_that_jumps_up_comes_first() -> None:
    favourite = [{"label": "Air Jordan 4", "share": 1.0}] * 4
    found = notes(course([0.4, 0.5, 0.6, 0.1], [2.0, 1.2, 1.0, 2.6], favourite=favourite), 22, 20)
    assert [note.kind for note in found] == [NoteKind.WARNING] * 2
    assert "jumped from 1.00 to 2.60" in found[0].text and "learning rate is probably too high" in found[0].text
    assert "predicts Air Jordan 4 for 100%" in found[1].text


def test_falling_back() -> None:
    assert told(course([0.4, 0.8, 0.3]))[0].startswith(
        "Accuracy dropped: validation accuracy was 80% after epoch 2 and is 30% now"
    )


def test_warming_up_explains_a_standstill() -> None:
    metrics = course([0.5, 0.8, 0.8, 0.8, 0.8, 0.8], learning_rate=[0.0001 * n for n in range(6)])
    found = told(metrics)
    assert found[0].startswith("Training is going well") and found[1].startswith("Still warming up: the learning rate ")


def test_a_busy_machine() -> None:
    speed = [60.0, 61.0, 25.0]
    found = told(course([0.5, 0.6, 0.7], images_per_second=speed))
    assert found[1].startswith("Slow: 25 photos per second now, 60 at first")
    assert len(told(course([0.5, 0.6, 0.7], images_per_second=[60.0, 61.0, 35.0]))) == 1


def test_epochs_that_are_more_work_are_not_taken_for_a_busy_machine() -> None:
    recipe = Recipe(epochs=6, head_epochs=1, size=208, small_size=144, small_share=0.5)
    planned = course(RISING[:6], images_per_second=[300.0, 120.0, 120.0, 55.0, 55.0, 54.0])
    assert len(told(planned, epochs=6, recipe=recipe)) == 1
    busy = course(RISING[:6], images_per_second=[300.0, 120.0, 120.0, 55.0, 55.0, 20.0])
    assert "20 photos per second at the end, 55 at first" in told(busy, epochs=6, recipe=recipe)[1]


def test_without_validation_the_training_loss_is_reported() -> None:
    (note,) = notes(course([None, None, None]), 22, 20)
    assert "fell from 3.00 to 1.70" in note.text


def test_a_label_stays_on_one_line() -> None:
    favourite = [{"label": "Air\n\n# Jordan", "share": 0.9}] * 3
    assert "Air # Jordan" in told(course([0.1, 0.1, 0.1], favourite=favourite))[0]


ANYTHING = st.one_of(
    st.none(),
    st.floats(),
    st.integers(),
    st.booleans(),
    st.text(max_size=5),
    st.just({}),
    st.fixed_dictionaries({"label": st.sampled_from(["a", "b\n", None, 3]), "share": st.floats()}),
)
SENSIBLE = st.one_of(st.none(), st.floats(0, 1), st.floats(0, 100))
COLUMNS = ("epoch", "loss", "learning_rate", "images_per_second", "val_loss", "val_top1", "favourite")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_it_makes_something_of_any_figures(data: st.DataObject) -> None:
    values = data.draw(st.sampled_from([ANYTHING, SENSIBLE]))
    columns = data.draw(st.lists(st.sampled_from(COLUMNS), unique=True))
    count = data.draw(st.integers(0, 12))
    rows = st.lists(values, min_size=count, max_size=count)
    metrics = pd.DataFrame({name: data.draw(rows) for name in columns}, index=range(count))
    recipe = data.draw(st.sampled_from([None, Recipe()]))
    found = notes(metrics, data.draw(st.integers(0, 50)), data.draw(st.integers(0, 100)), recipe)
    assert 1 <= len(found) <= MAX_NOTES
    for note in found:
        assert note.text.endswith(".") and "\n" not in note.text and "nan" not in note.text


# --- the model card ---

STREET72 = read_spec(BUNDLED_MODELS / "street72")
MINIMAL = ModelSpec("tiny", "mobilenet_v2", ("a", "b"), False, Preprocessing(64, 64))
RUN = {
    "dataset": "street photos",
    "recipe_name": "finetune",
    "only": ["Air Jordan 1"],
    "state": "done",
    "created": 1_780_000_000.0,
    "seconds": 3300.0,
}


def section(card: str, title: str) -> str:
    return card.split(f"## {title}\n")[1].split("\n## ")[0]


def test_the_card_of_the_model_that_ships() -> None:
    card, test = model_card(STREET72, RUN), STREET72.metrics["test"]
    assert "An efficientnet\\_lite0 that recognizes 72 sneaker models and rejects photos that show none" in card
    data, making, results = (section(card, title) for title in ("Data", "Training", "Results"))
    counts = STREET72.data["classes"]["Air Jordan 1"]
    assert f"| Air Jordan 1 | {counts['train']} | {counts['val']} | {counts['test']} |" in data
    negatives = STREET72.data["negatives"]
    assert f"| negatives (no sneaker) | {negatives['train']} | {negatives['val']} | {negatives['test']} |" in data
    assert "| other footwear |" in data
    assert f"{STREET72.data['photos']:,} sneaker photos (fingerprint {STREET72.data['fingerprint']})" in data
    assert "55 minutes" in making and "torch 2" in making and "swapped backgrounds" in making
    size = STREET72.preprocessing.height
    assert f"The finished model uses photos of {size} × {size} pixels." in making
    validated = STREET72.metrics["val"]
    assert f"test ({test['n']:,} photos) | validation ({validated['n']:,} photos)" in results
    assert f"| top-1 accuracy | {test['top1']:.3f} | {validated['top1']:.3f} |" in results
    worlds = {one["world"]: one for one in STREET72.metrics["worlds"]}
    assert set(worlds) == {"phone", "shop", "web"}
    assert all(f"| {world} | {one['known']} | {one['top1']['value']:.1%} (" in results for world, one in worlds.items())
    refused = STREET72.metrics["other_footwear"]
    assert f"Share of {refused['n']} test photos of other footwear rejected: {refused['found']:.3f}." in results
    assert f"{STREET72.decision.confidence_threshold:.2f} or more" in section(card, "Answers")
    limits = section(card, "Limits")
    assert "selected classes" in limits and "distance from known" not in limits


def test_the_card_of_a_model_of_which_nothing_is_known() -> None:
    card = model_card(MINIMAL, {})
    assert "Classes: a, b." in card
    assert "The recipe was not recorded." in card
    assert "The model was not evaluated." in card
    assert "**Not a sneaker I know**: never answered" in card
    assert "depends only on the distance from known sneakers" in card
    assert "photos that show no sneaker was not measured" in card
    assert "nan" not in card and "None" not in card


def test_few_photos_are_reported() -> None:
    counts = {"a": {"train": 300, "val": 6, "test": 8}, "b": {"train": 9, "val": 1, "test": 2}}
    spec = replace(
        MINIMAL,
        decision=Decision(ood_threshold=2.0),
        metrics={"test": {"n": 10, "top1": 0.9}},
        data={"photos": 326, "classes": counts, "under_two_labels": 4},
    )
    limits = section(model_card(spec, {}), "Limits")
    assert "only 10 test photos: each photo changes top-1 accuracy by 10.0 percentage points" in limits
    assert "less reliable: b." in limits and "test photos mean little: b." in limits
    assert "4 photos are in near-duplicate groups" in limits


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({"freeze": True, "epochs": 40}, "Only the head"),
        ({"trainable": "head"}, "Only the head"),
        ({"trainable": "last_stage"}, "The head and the last stage"),
        ({"trainable": "all"}, "All layers"),
        ({"epochs": 9, "patience": 3}, "At most 9 epochs; training stops after 3 epochs without"),
        ({"crop": 1, "horizontal_flip": 0, "color_jitter": 0}, "Augmentation: none."),
        ({"init": "none"}, "from scratch, with random weights"),
        ({"init": "imagenet"}, "ImageNet"),
        ({"init": "street72"}, "the model street72"),
        ({"init": "/home/somebody/start.safetensors"}, "the file start.safetensors"),
    ],
)
def test_how_it_was_made_in_words(recipe: dict[str, Any], words: str) -> None:
    card = model_card(replace(MINIMAL, recipe=recipe), {})
    assert words in card
    assert "/home" not in card


def test_a_run_that_was_stopped_says_so() -> None:
    assert "Training is not finished (state: stopped)." in model_card(MINIMAL, {"dataset": "x", "state": "stopped"})


def test_names_and_notes_are_never_markup() -> None:
    evil = "a|b\n# <b>*x*_y_ [z](http://w) `q` $k$"
    spec = replace(
        STREET72,
        name=evil,
        classes=(evil, *STREET72.classes[1:]),
        metrics={"test": {"n": 3, "per_class": {evil: {"recall": 0.5, "precision": 1.0, "n": 3}}}},
        data={"classes": {evil: {"train": 3}}},
    )
    card = model_card(spec, {"dataset": evil, "note": evil, "recipe_name": evil})
    assert evil not in card
    assert escaped(evil) == "a\\|b \\# \\<b\\>\\*x\\*\\_y\\_ \\[z\\](http://w) \\`q\\` \\$k\\$"
    for line in card.splitlines():
        assert not re.search(r"(?<!\\)[<`$]", line)
        if line.startswith("| a"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 5
    assert [line for line in card.splitlines() if line.startswith("# ")] == [f"# Model card: {escaped(evil)}"]


@pytest.mark.parametrize("value", [None, "x", [], {}, math.nan, math.inf, -1, True])
def test_a_damaged_run_still_gets_a_card(value: Any) -> None:
    run = dict.fromkeys(("dataset", "recipe", "recipe_name", "created", "seconds", "note", "only", "state"), value)
    settings = dict.fromkeys(
        ("epochs", "size", "small_size", "crop", "init", "patience", "trainable", "horizontal_flip"), value
    )
    figures = dict.fromkeys(("n", "top1", "top3", "per_class", "confusions"), value)
    spec = replace(
        STREET72, recipe=settings, metrics={"test": figures, "val": value, "negatives": value}, data={"classes": value}
    )
    assert model_card(spec, run).startswith("# Model card: street72\n")
