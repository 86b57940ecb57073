"""Background swap on made pictures, by exact pixels."""

import numpy as np
import pytest
import torch

from sneaker_core.training.background_swap import swap_backgrounds
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.trainer import Trainer, TrainingData
from tests.factories import draw_arrays

SIDE = 64
RED, GREEN = (200, 30, 30), (20, 160, 40)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def block_on(background: tuple[int, int, int]) -> np.ndarray:
    """A red block of a sneaker's proportions."""
    photo = np.full((SIDE, SIDE, 3), background, np.uint8)
    photo[24:44, 12:52] = RED
    return photo


def nearer_to_red(photo: np.ndarray) -> np.ndarray:
    to_red, to_green = (np.abs(photo.astype(int) - color).sum(2) for color in (RED, GREEN))
    return to_red < to_green


class TestSwap:
    scene = np.full((1, SIDE, SIDE, 3), GREEN, np.uint8)

    def test_only_red_and_green_are_left(self):
        white = block_on((255, 255, 255))
        for seed in range(20):
            changed = swap_backgrounds(white[None], self.scene, 1.0, rng(seed))[0]
            # Of white nothing is left: every pixel is red, green or between them, in some light.
            assert changed[..., 2].max() < 80
            red = nearer_to_red(changed)
            rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
            # The block keeps its shape, 2 : 1, and fills half of the side or more.
            width, height = np.ptp(columns) + 1, np.ptp(rows) + 1
            assert 0.4 * SIDE <= width <= SIDE
            assert width / height == pytest.approx(2, abs=0.35)

    def test_place_and_size_vary_with_the_seed_only(self):
        white = block_on((255, 255, 255))[None]
        first, again, other = (swap_backgrounds(white, self.scene, 1.0, rng(seed)) for seed in (1, 1, 2))
        assert (first == again).all()
        assert (first != other).any()

    @pytest.mark.parametrize("photo", [block_on((40, 40, 60)), draw_arrays(1).pixels[0]], ids=["dark", "busy"])
    def test_photos_without_an_even_light_background_stay(self, photo):
        scene = np.zeros((1, *photo.shape), np.uint8)
        assert (swap_backgrounds(photo[None], scene, 1.0, rng()) == photo).all()

    def test_the_probability_is_kept(self):
        many = np.stack([block_on((255, 255, 255))] * 200)
        changed = swap_backgrounds(many, np.repeat(self.scene, 200, 0), 0.3, rng())
        assert 0.2 < (changed != many).any((1, 2, 3)).mean() < 0.4
        assert (swap_backgrounds(many, np.repeat(self.scene, 200, 0), 0.0, rng()) == many).all()


class TestTrainer:
    def trainer(self, targets: list[int], background_swap: float) -> Trainer:
        from sneaker_core.networks.architectures import build_network

        photos = np.stack([block_on((255, 255, 255)), block_on((250, 250, 250)), *np.repeat(TestSwap.scene, 2, 0)])
        data = TrainingData(photos, np.array(targets), 2)
        recipe = Recipe(batch=2, size=32, small_size=32, background_swap=background_swap)
        return Trainer(build_network("mobilenet_v2", data.outputs), data, recipe)

    def test_backgrounds_come_from_the_negatives(self):
        shown = self.trainer([0, 1, 2, 2], 1.0)._with_backgrounds(np.array([0, 1]), rng())
        assert shown[..., 2].max() < 80

    @pytest.mark.parametrize(("targets", "probability"), [([0, 1, 1, 1], 1.0), ([0, 1, 2, 2], 0.0)])
    def test_without_negatives_or_by_choice_nothing_changes(self, targets, probability):
        trainer = self.trainer(targets, probability)
        assert (trainer._with_backgrounds(np.array([0, 1]), rng()) == trainer.data.pixels[:2]).all()
