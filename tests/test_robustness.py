"""Changes of photos by exact pixels, and what the robustness of a model is computed from."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sneaker_core.datasets.cutout import cutout_mask
from sneaker_core.evaluation.changed_photos import robustness_table
from sneaker_core.evaluation.evaluation_charts import robustness_chart
from sneaker_core.evaluation.evaluation_collection import find_evaluation
from sneaker_core.evaluation.evaluation_job import evaluate
from sneaker_core.evaluation.photo_changes import BY_KEY, PHOTO_CHANGES, textured_background
from sneaker_core.evaluation.robustness import (
    ORIGINAL,
    flipped_photos,
    robustness_metrics,
    robustness_sentence,
)
from sneaker_core.evaluation.robustness_job import read_robustness, run_robustness_job
from sneaker_core.networks.checkpoint import load_model, save_model
from tests.factories import draw_dataset, lively_model, photo, run_command

RED, WHITE = (200, 10, 20), (250, 250, 250)
SIDE = 64
INSIDE = (slice(24, 40), slice(14, 50))


def shop_photo() -> Image.Image:
    """A red block on white."""
    pixels = np.full((SIDE, SIDE, 3), 250, np.uint8)
    pixels[20:44, 10:54] = RED
    return Image.fromarray(pixels)


def changed(key: str, image: Image.Image) -> np.ndarray | None:
    result = BY_KEY[key].apply(image, np.random.default_rng(1))
    return None if result is None else np.asarray(result)


class TestCutout:
    def test_what_stands_on_an_even_light_background(self):
        mask = cutout_mask(np.asarray(shop_photo()))
        assert (mask[INSIDE] == 255).all()
        outside = np.ones((SIDE, SIDE), bool)
        outside[20:44, 10:54] = False
        assert (mask[outside] == 0).all()

    @pytest.mark.parametrize("background", ["dark", "busy", "empty"])
    def test_nothing_else(self, background):
        pixels = np.asarray(shop_photo()).copy()
        if background == "dark":
            pixels[pixels == 250] = 20
        elif background == "busy":
            pixels = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
        else:
            pixels[:] = 250
        assert cutout_mask(pixels) is None


class TestChanges:
    def test_a_swapped_background_leaves_the_shoe_and_nothing_of_the_old_background(self):
        found = changed("swapped", shop_photo())
        assert (found[INSIDE] == RED).all()
        expected = np.asarray(textured_background((SIDE, SIDE), np.random.default_rng(1)))
        outside = np.ones((SIDE, SIDE), bool)
        outside[20:44, 10:54] = False
        assert (found[outside] == expected[outside]).all()

    def test_a_removed_background_is_gray(self):
        found = changed("removed", shop_photo())
        assert (found[INSIDE] == RED).all()
        assert (found[:18] == 128).all()

    def test_backgrounds_that_are_not_found_are_left_alone(self):
        busy = Image.fromarray(np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8))
        assert [changed(key, busy) for key in ("swapped", "removed", "background_blurred")] == [None] * 3

    def test_rotated_on_the_background_color(self):
        assert (changed("rotated_90", shop_photo()) == np.rot90(np.asarray(shop_photo()))).all()
        tilted = changed("rotated_15", shop_photo())
        assert tilted.shape[0] > SIDE and (tilted[0, 0] == WHITE).all()

    def test_mirrored_and_cropped(self):
        pixels = np.asarray(photo(3))
        assert (changed("mirrored", photo(3)) == pixels[:, ::-1]).all()
        assert (changed("left", photo(3)) == pixels[:, :38]).all()
        assert (changed("right", photo(3)) == pixels[:, 64 - 38 :]).all()

    def test_light_and_quality(self):
        pixels = np.asarray(photo(3)).astype(int)
        assert np.abs(changed("darkened", photo(3)) - 0.4 * pixels).max() <= 1
        for key in ("blurred", "compressed"):
            found = changed(key, photo(3))
            assert found.shape == pixels.shape
            assert 0 < np.abs(found - pixels).mean() < 40

    def test_shrunk_keeps_its_proportions(self):
        assert changed("shrunk", photo(3, (400, 300))).shape == (72, 96, 3)

    def test_recolored_keeps_gray_and_turns_red_to_another_hue(self):
        pixels = np.full((8, 8, 3), 128, np.uint8)
        pixels[:4] = (200, 0, 0)
        found = changed("recolored", Image.fromarray(pixels))
        assert (found[4:] == 128).all()
        assert found[0, 0, 0] < 50 < found[0, 0, 1:].max()

    def test_every_change_has_words(self):
        assert len({change.key for change in PHOTO_CHANGES}) == len({change.title for change in PHOTO_CHANGES}) == 13
        assert all(change.when.split()[0] in ("when", "in") for change in PHOTO_CHANGES)


def table() -> pd.DataFrame:
    """Four photos: all right as they are, one right when darkened; two could be cut out, both stay right."""
    rows = [(str(number), "boot", ORIGINAL, "boot", 0.9) for number in range(4)]
    rows += [(str(number), "boot", "darkened", "boot" if number == 0 else "clog", 0.1 * number) for number in range(4)]
    rows += [(str(number), "boot", "swapped", "boot", 0.9) for number in range(2)]
    return pd.DataFrame(rows, columns=["sample", "label", "change", "predicted", "probability"])


class TestMetrics:
    def test_by_hand_largest_loss_first(self):
        darkened, swapped = robustness_metrics(table())
        assert (darkened.change.key, darkened.n, darkened.flipped) == ("darkened", 4, 3)
        assert (darkened.before.value, darkened.after.value) == (1.0, 0.25)
        assert (swapped.n, swapped.before.value, swapped.after.value, swapped.flipped) == (2, 1.0, 1.0, 0)

    def test_flipped_photos_by_confidence(self):
        assert list(flipped_photos(table(), "darkened")["sample"]) == ["3", "2", "1"]

    def test_in_one_sentence(self):
        metrics = robustness_metrics(table())
        said = "Right on 100%, on 25% in poor light: the model depends on good light"
        assert robustness_sentence(metrics) == robustness_chart(metrics).title == said
        assert robustness_sentence(metrics[1:]) == "Right on 100%; no change of the photos costs more than 0%"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("robustness")
    save_model(lively_model(), folder / "model")
    draw_dataset(folder / "photos", {"boot": 3, "clog": 2, "lamp": 1})
    (folder / "photos" / "boot" / "broken.jpg").write_bytes(b"no photo")
    return folder


class _Worker:
    """Records what a job reports."""

    def __init__(self) -> None:
        self.result, self.lines, self.steps = {}, [], []

    def report(self, done, total, step):
        self.steps.append((done, total, step))

    def stopped(self):
        return False

    def log(self, line):
        self.lines.append(line)


class TestWholeWay:
    def test_every_known_photo_is_changed(self, place):
        done = evaluate(place / "model", place / "photos", place)
        found = robustness_table(load_model(place / "model"), done.table)
        assert found.groupby("change").size().to_dict()[ORIGINAL] == 5
        assert set(found["label"]) == {"boot", "clog"}
        original = found[found["change"] == ORIGINAL].set_index("sample")["predicted"]
        assert (done.table.set_index("sample")["predicted"].loc[original.index] == original).all()

    def test_command_saves_it_and_the_job_finds_the_same(self, place):
        arguments = ("evaluate", place / "model", "--data", place / "photos", "--name", "mine", "--robustness")
        listed = json.loads(run_command(place, *arguments, "--json").stdout)["robustness"]
        assert {one["change"] for one in listed} >= {"darkened", "rotated_90", "mirrored"}
        evaluation = find_evaluation(place, "mine")
        saved = read_robustness(evaluation)
        worker = _Worker()
        run_robustness_job(place, {"evaluation": evaluation.id}, worker)
        pd.testing.assert_frame_equal(read_robustness(evaluation), saved)
        assert worker.steps[-1][:2] == (5, 5)
        assert worker.lines == [worker.result["finding"]]
