"""Sanity checks, computed by hand for a network that uses one corner of the photo."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from sneaker_core.errors import UnknownLabelError
from sneaker_core.inference.explanation.attributions import attribute
from sneaker_core.inference.explanation.deletion_insertion import DeletionInsertion, deletion_insertion
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest, Method
from sneaker_core.inference.explanation.sanity_checks import run_sanity_check
from sneaker_core.inference.explanation.weight_randomization import (
    RandomizationStep,
    RandomizationTest,
    randomization_test,
    rank_correlation,
)
from sneaker_core.networks.architectures import SneakerNetwork
from sneaker_core.networks.checkpoint import ModelSpec, SneakerModel
from sneaker_core.networks.decision import Decision
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.number_text import percent
from tests.factories import CLASSES, lively_model, photo

SIDE = 32
BRIGHTNESS = 0.75


class Corner(nn.Module):
    """The mean color of the upper left quarter."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images[:, :, : SIDE // 2, : SIDE // 2].mean((2, 3))


def corner_model() -> SneakerModel:
    """Boot's logit is the red in the corner, clog's the green minus one; sandal's is never the highest."""
    network = SneakerNetwork(_with_weights(Corner()), 3, 3)
    with torch.no_grad():
        network.head.weight.copy_(torch.tensor([[4.0, 0, 0], [0, 1, 0], [0, 0, 0]]))
        network.head.bias.copy_(torch.tensor([0.0, -1, -9]))
    # Standardized colors are those of the photo, 0 to 1, so that covered pixels are black.
    seen = Preprocessing(SIDE, SIDE, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), mirrored=False)
    spec = ModelSpec("corner", "resnet18", CLASSES, False, seen, Decision(temperature=0.5))
    return SneakerModel(spec, network.eval().requires_grad_(False), np.ones((1, 3), np.float32))


def _with_weights(module: nn.Module) -> nn.Module:
    module.unused = nn.Parameter(torch.zeros(1))  # a backbone's device is that of its weights
    return module


def chance_of_boot(left: float) -> float:
    """Probability when this share of the corner is uncovered, for a photo of one color."""
    logits = np.array([4 * BRIGHTNESS * left, BRIGHTNESS * left - 1, -9]) / 0.5
    return float(np.exp(logits[0]) / np.exp(logits).sum())


def flat_photo() -> Image.Image:
    level = round(BRIGHTNESS * 255)
    return Image.new("RGB", (90, 70), (level, level, level))


def corner_map(inside: float, outside: float) -> np.ndarray:
    heat = np.full((SIDE, SIDE), outside, np.float32)
    heat[: SIDE // 2, : SIDE // 2] = inside
    return heat


class TestCurves:
    def test_a_map_of_the_right_place(self):
        curves = deletion_insertion(corner_model(), flat_photo(), corner_map(1, 0), "boot", steps=8)
        np.testing.assert_allclose(curves.shares, np.arange(9) / 8)
        # The corner is a quarter of the photo, so it is covered after two of eight steps.
        expected = [chance_of_boot(left) for left in (1, 0.5, 0, 0, 0, 0, 0, 0, 0)]
        np.testing.assert_allclose(curves.deletion, expected, atol=2e-3)
        # Blurring doesn't change a photo of one color.
        np.testing.assert_allclose(curves.insertion, chance_of_boot(1), atol=2e-3)
        np.testing.assert_allclose(curves.random_insertion, chance_of_boot(1), atol=2e-3)
        assert (np.diff(curves.random_deletion) < 1e-6).all()
        assert curves.areas["deletion"] == pytest.approx(np.trapezoid(expected, dx=1 / 8), abs=2e-3)
        assert curves.gains[0] > 0.05
        assert curves.gains[1] == pytest.approx(0, abs=1e-6)

    def test_a_map_of_the_wrong_place(self):
        curves = deletion_insertion(corner_model(), flat_photo(), corner_map(0, 1), "boot", steps=8)
        expected = [chance_of_boot(left) for left in (1, 1, 1, 1, 1, 1, 1, 0.5, 0)]
        np.testing.assert_allclose(curves.deletion, expected, atol=2e-3)
        assert curves.gains[0] < 0
        assert curves.sentences[2] == (
            "The areas that the map marks matter no more than random ones. Don't rely on this map."
        )

    def test_insertion_puts_the_sharp_photo_back(self):
        """A red spot in the corner that blurring removes."""
        pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
        pixels[4:8, 4:8, 0] = 255
        heat = np.zeros((SIDE, SIDE), np.float32)
        heat[4:8, 4:8] = 1
        curves = deletion_insertion(corner_model(), Image.fromarray(pixels), heat, "boot", steps=4)
        np.testing.assert_allclose(curves.insertion[1:], curves.insertion[-1], rtol=0.2)
        assert curves.insertion[0] <= curves.insertion[1]
        np.testing.assert_allclose([curves.deletion[0], curves.deletion[-1]], [curves.insertion[-1], chance_of_boot(0)])

    def test_words(self):
        curves = deletion_insertion(corner_model(), flat_photo(), corner_map(1, 0), "boot")
        covering, showing, verdict = curves.sentences
        areas = curves.areas
        assert covering == (
            "While the photo is covered, the map's strongest areas first, the probability of boot averages "
            f"{percent(areas['deletion'])}. That is lower than in random order ({percent(areas['random_deletion'])})."
        )
        assert showing.startswith("While the blurred photo comes into focus, the strongest areas first, it averages ")
        assert "That is about the same as in random order" in showing
        assert verdict.endswith("by only one measure. Use it with caution.")
        both = replace(curves, insertion=np.ones(11), random_insertion=np.zeros(11))
        assert both.sentences[2] == "The areas that the map marks matter more than random ones, by both measures."

    def test_sentences_never_contradict_the_verdict(self):
        """Also where the curves cross, so that single points say the opposite of the whole course."""
        rng = np.random.default_rng(0)
        for _ in range(300):
            courses = [np.sort(rng.random(11) ** rng.uniform(0.2, 5)) for _ in range(4)]
            curves = DeletionInsertion(
                "boot", None, np.linspace(0, 1, 11), courses[0][::-1], courses[1], courses[2][::-1], courses[3]
            )
            deletion, insertion = curves.better
            assert ("lower than" in curves.sentences[0]) == deletion
            assert ("higher than" in curves.sentences[1]) == insertion

    def test_against_another_class_it_is_the_share_of_the_two(self):
        model, heat = corner_model(), corner_map(1, 0)
        alone = deletion_insertion(model, flat_photo(), heat, "boot", steps=2)
        other = deletion_insertion(model, flat_photo(), heat, "clog", steps=2)
        pair = deletion_insertion(model, flat_photo(), heat, "boot", "clog", steps=2)
        np.testing.assert_allclose(pair.deletion, alone.deletion / (alone.deletion + other.deletion))
        assert "the probability of boot compared with clog" in pair.sentences[0]

    def test_squares_that_are_alike_go_in_random_order(self):
        flat = corner_map(1, 1)
        curves = [deletion_insertion(corner_model(), flat_photo(), flat, "boot", seed=seed) for seed in (0, 1)]
        assert (curves[0].deletion != curves[1].deletion).any()

    def test_is_the_same_again_and_tells_how_far_it_is(self):
        model, told = lively_model(), []
        heat = np.random.default_rng(4).random((32, 32), dtype=np.float32)
        one = deletion_insertion(
            model, photo(0), heat, CLASSES[0], steps=4, random_orders=2, progress=lambda *far: told.append(far)
        )
        two = deletion_insertion(model, photo(0), heat, CLASSES[0], steps=4, random_orders=2)
        assert one.to_dict() == two.to_dict()
        other = deletion_insertion(model, photo(0), heat, CLASSES[0], steps=4, random_orders=2, seed=1)
        np.testing.assert_array_equal(other.deletion, one.deletion)
        assert (other.random_deletion != one.random_deletion).any()
        assert told[-1] == (30, 30)
        assert told == sorted(told)
        # In any order, the curves start and end with the whole photo or without it.
        assert one.deletion[0] == one.random_deletion[0] == pytest.approx(one.insertion[-1], abs=1e-5)
        assert one.deletion[-1] == pytest.approx(one.random_deletion[-1], abs=1e-6)

    def test_unknown_class(self):
        with pytest.raises(UnknownLabelError):
            deletion_insertion(corner_model(), flat_photo(), corner_map(1, 0), "pump")


class TestSanity:
    def test_a_map_of_a_network_that_learnt_changes_with_its_weights(self):
        model, told = lively_model(size=64), []
        label = max(CLASSES, key=lambda label: attribute(model, [photo(0)], label)[0].mean())
        check = randomization_test(
            model, photo(0), ExplanationRequest(label), seed=3, progress=lambda *far: told.append(far)
        )
        assert [step.share for step in check.steps] == [0, 0.5, 1]
        assert check.passed
        assert check.sentence.startswith("With shuffled weights the map changes (rank correlation ")
        assert told[-1] == (15, 15)
        assert check == randomization_test(model, photo(0), ExplanationRequest(label), seed=3)

    def test_a_map_that_stays_is_found_out(self):
        """All weights of the network are equal, so shuffling them changes nothing, and neither does the map."""
        model = corner_model()
        with torch.no_grad():
            model.network.head.weight.fill_(1)
            model.network.head.bias.zero_()
        request = ExplanationRequest("boot", method=Method.INTEGRATED_GRADIENTS)
        check = randomization_test(model, photo(0), request, shares=(1.0,), draws=2)
        assert check.steps == (RandomizationStep(1.0, pytest.approx(1.0)),)
        assert not check.passed
        assert "the map hardly changes (rank correlation 1.00, where 1 means identical)" in check.sentence

    @pytest.mark.parametrize(("value", "passed"), [(0.49, True), (0.5, False), (-1.0, True)])
    def test_the_largest_share_decides(self, value, passed):
        assert RandomizationTest((RandomizationStep(0, 0.9), RandomizationStep(1, value))).passed is passed

    def test_an_empty_map_passes_nothing(self):
        check = randomization_test(
            lively_model(), photo(0), ExplanationRequest(CLASSES[0], CLASSES[0]), shares=(1.0,), draws=1
        )
        assert not check.passed
        assert check.sentence == "The map is the same everywhere, so there is nothing to check."

    def test_rank_correlation(self):
        rising = np.arange(12, dtype=np.float32).reshape(3, 4)
        assert rank_correlation(rising, rising**3) == pytest.approx(1)
        assert rank_correlation(rising, -rising) == pytest.approx(-1)
        assert rank_correlation(rising, np.zeros_like(rising)) == 0

    def test_both_checks_together(self):
        model, told = lively_model(), []
        request = ExplanationRequest(CLASSES[0], CLASSES[1], Method.GUIDED_GRADCAM, "features.6")
        heat = attribute(model, [photo(0)], CLASSES[0], request.method, CLASSES[1], "features.6")[0]
        trust = run_sanity_check(model, photo(0), request, heat, told.append)
        assert len(trust.sentences) == 4
        assert trust.to_dict()["sanity"]["sentence"] == trust.sentences[0]
        assert trust.to_dict()["curves"]["versus"] == CLASSES[1]
        assert told == sorted(told)
        assert told[-1] == 1
