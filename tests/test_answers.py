"""Answers on made outputs: two reasons to refuse, the type of other footwear, and groups of look-alikes."""

from dataclasses import replace

import numpy as np
import pytest

from sneaker_core.inference.predictor import Answer, predict_file, predictions
from sneaker_core.networks.checkpoint import load_model, save_model
from sneaker_core.networks.decision import Decision, Outputs, Reason, Status, negatives_log_odds, ood_score
from sneaker_core.networks.sneaker_groups import SneakerGroup, group_of, probable_group
from tests.factories import jpeg, lively_model, photo, write
from ui.identify.answer_text import confidence_text

CLASSES = ("Nike Air Max 90", "Nike Air Max 95", "Nike Dunk", "Vans Old Skool")
TYPES = ("Loafers", "Heels")
ALWAYS = Decision(ood_threshold=-1e9)
NEVER = Decision(confidence_threshold=0.8)


def model(decision: Decision = NEVER):
    return lively_model(CLASSES, has_negatives_class=True, footwear_types=TYPES, decision=decision)


def outputs(classes: list[float], types: list[float], none: float, size: int) -> Outputs:
    values = [np.array([row], np.float32) for row in (classes, types)]
    return Outputs(values[0], np.array([none], np.float32), np.ones((1, size), np.float32), values[1])


def answer(decision: Decision, classes: list[float], types: list[float], none: float) -> Answer:
    asked = model(decision)
    (found,) = predictions(asked, outputs(classes, types, none, asked.references.shape[1]), 2)
    return Answer(image="x.jpg", error=None, milliseconds=1.0, **vars(found))


class TestReasons:
    def test_no_shoe(self):
        found = answer(ALWAYS, [0, 0, 0, 0], [0, 0], 9)
        assert (found.status, found.reason, found.look_alikes) == (Status.UNKNOWN, Reason.NOT_FOOTWEAR, ())
        assert found.sentence() == "There is no shoe in this photo, or the model can't see it"
        assert "close up" in confidence_text(found, 4)

    def test_other_footwear_with_its_type_and_look_alikes_without_percentages(self):
        found = answer(ALWAYS, [0, 1, 3, 2], [9, 0], 0)
        assert found.reason is Reason.OTHER_FOOTWEAR
        assert found.footwear_type == "Loafers"
        assert found.look_alikes == ("Nike Dunk", "Vans Old Skool", "Nike Air Max 95")
        assert found.sentence() == "A shoe, but not a sneaker this model knows; it looks like loafers"
        assert confidence_text(found, 4) == "Closest look-alikes: Nike Dunk, Vans Old Skool, Nike Air Max 95."

    def test_a_type_is_named_only_where_it_is_probable(self):
        found = answer(ALWAYS, [3, 0, 0, 0], [3, 3], 0)
        assert (found.reason, found.footwear_type) == (Reason.OTHER_FOOTWEAR, None)
        assert found.sentence() == "A shoe, but not a sneaker this model knows"

    def test_a_model_that_learned_no_footwear_gives_no_reason(self):
        plain = lively_model(CLASSES, has_negatives_class=True, decision=ALWAYS)
        made = replace(outputs([0, 0, 0, 9], [0, 0], 0, plain.references.shape[1]), footwear_logits=None)
        (found,) = predictions(plain, made, 3)
        assert (found.status, found.reason, found.look_alikes) == (Status.UNKNOWN, None, ())

    def test_an_answer_that_names_a_model_has_no_reason(self):
        found = answer(NEVER, [9, 0, 0, 0], [0, 0], 0)
        assert (found.status, found.reason, found.group) == (Status.KNOWN, None, None)

    def test_json_has_every_field(self):
        values = answer(ALWAYS, [0, 1, 3, 2], [9, 0], 0).to_dict()
        assert values["reason"] == "other_footwear"
        assert values["footwear_type"] == "Loafers"
        assert values["look_alikes"] == ["Nike Dunk", "Vans Old Skool", "Nike Air Max 95"]
        assert values["group"] is None


class TestGroups:
    def test_two_look_alikes_are_named_as_their_group(self):
        found = answer(NEVER, [4, 3.5, 0, 0], [0, 0], 0)
        assert found.status is Status.UNSURE
        assert found.group.members == ("Nike Air Max 90", "Nike Air Max 95")
        assert found.sentence() == "A Nike Air Max, probably the 90 or the 95"
        assert found.to_dict()["group"]["name"] == "Nike Air Max"
        assert confidence_text(found, 4) == "It is one of them about 97 times in 100; the model can't tell which."

    def test_no_group_where_it_is_not_probable_enough(self):
        found = answer(NEVER, [1, 1, 1.2, 1], [0, 0], 0)
        assert (found.status, found.group) == (Status.UNSURE, None)
        assert found.sentence().startswith("Not sure: Nike Dunk")

    @pytest.mark.parametrize(
        ("label", "group"),
        [
            ("New Balance 992", "New Balance 99x"),
            ("New Balance 327", "New Balance"),
            ("Nike Air VaporMax Plus", "Nike Air VaporMax"),
            ("adidas Samba", "adidas court shoe"),
            ("Puma Suede", None),
        ],
    )
    def test_groups_by_name(self, label, group):
        assert group_of(label) == group

    def test_a_group_of_one_class_is_none(self):
        assert probable_group(("Vans Old Skool", "Puma Suede"), np.array([1, 0], np.float32), 0.5) is None

    def test_names_without_the_groups_name_are_written_out(self):
        group = SneakerGroup("adidas court shoe", 0.9, ("adidas Samba", "adidas Gazelle"))
        assert group.sentence() == "An adidas court shoe, probably the adidas Samba or the adidas Gazelle"


class TestScore:
    def test_log_odds_take_footwear_and_negatives_together(self):
        made = outputs([1.0, 1, 1, 1], [2.0, 0.5], 0.25, 4)
        expected = np.log(np.exp(2) + np.exp(0.5) + np.exp(0.25)) - np.log(4 * np.exp(1))
        assert negatives_log_odds(made)[0] == pytest.approx(expected, abs=1e-5)

    def test_weights_of_the_three_terms(self):
        made = outputs([1.0, 5, 1, 1], [2.0, 0.5], 0.25, 2)
        references = np.array([[1, 0]], np.float32)
        decision = Decision(
            distance_mean=0.1,
            distance_std=0.5,
            distance_weight=2,
            negatives_weight=0,
            logit_mean=4,
            logit_std=2,
            logit_weight=3,
        )
        expected = 2 * (1 - np.sqrt(0.5) - 0.1) / 0.5 - 3 * (5 - 4) / 2
        assert ood_score(made, references, decision)[0] == pytest.approx(expected, abs=1e-5)


def test_a_model_keeps_its_footwear_types(tmp_path):
    save_model(model(ALWAYS), tmp_path / "mine")
    loaded = load_model(tmp_path / "mine")
    assert loaded.spec.footwear_types == TYPES
    found = predict_file(loaded, write(tmp_path / "x.jpg", jpeg(photo(0))))
    assert found.status is Status.UNKNOWN
    assert found.reason in list(Reason)
