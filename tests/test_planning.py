"""Planning a training: time estimate, learning-rate finder and augmentation preview."""

import json
import math
from io import BytesIO
from pathlib import Path

import click
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from sneaker_core.commands.common import Commands
from sneaker_core.commands.planning_commands import augment, estimate, find_lr
from sneaker_core.datasets.dataset_collection import open_samples
from sneaker_core.datasets.photo_folder import read_unlabeled_folder
from sneaker_core.errors import DatasetError, RecipeError
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.training.photo_cache import load_photos
from sneaker_core.training.planning import time_estimate as trial
from sneaker_core.training.planning.augmentation_preview import augmented_preview, contact_sheet
from sneaker_core.training.planning.duration_text import in_words
from sneaker_core.training.planning.lr_finder import LossCurve, find_learning_rate, suggested_rate
from sneaker_core.training.prepared_photos import resize_batch
from sneaker_core.training.recipe import RANGES, Recipe, make_recipe
from sneaker_core.workspace.jobs import Worker
from sneaker_core.workspace.paths import cache_folder
from tests.factories import draw_dataset, write

# Small enough to train in a moment.
TINY = {
    "network": "mobilenet_v3_small", "init": "none", "size": 32, "batch": 8, "val_share": 0.2, "test_share": 0.2,
}  # fmt: skip
SCRATCH = make_recipe("scratch", {**TINY, "epochs": 4})
HEAD = make_recipe("quick", {**TINY, "epochs": 4})


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_dataset(tmp_path_factory.mktemp("trials") / "photos", {"boot": 12, "clog": 12, "sandal": 12})


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace where all speeds of the two recipes are known."""
    folder = tmp_path_factory.mktemp("measured")
    for made in (SCRATCH, HEAD):
        trial.estimate(made, 100, 3, folder)
    return folder


class TestEstimate:
    @pytest.mark.parametrize("made", [SCRATCH, HEAD], ids=["all", "head"])
    def test_each_part_takes_its_time(self, made: Recipe, measured: Path) -> None:
        found = trial.estimate(made, 1000, 3, measured)
        parts = (found.reading, found.learning, found.measuring)
        assert all(math.isfinite(seconds) and seconds > 0 for seconds in parts)
        assert found.total == pytest.approx(sum(parts)) == found.to_dict()["total"]
        assert found.speed == trial.measure_speed(made, 3, measured)

    @pytest.mark.parametrize("made", [SCRATCH, HEAD], ids=["all", "head"])
    def test_twice_the_photos_take_twice_the_time(self, made: Recipe, measured: Path) -> None:
        one, two = (trial.estimate(made, photos, 3, measured).to_dict() for photos in (1000, 2000))
        assert {key: two[key] / one[key] for key in one} == pytest.approx(
            {"reading": 2, "learning": 2, "measuring": 2, "total": 2, "speed": 1}
        )

    def test_three_times_the_epochs_take_three_times_the_learning(self, measured: Path) -> None:
        longer = make_recipe("scratch", {**TINY, "epochs": 12})
        short, long = (trial.estimate(made, 1000, 3, measured) for made in (SCRATCH, longer))
        assert long.learning == pytest.approx(3 * short.learning)
        assert (long.reading, long.measuring) == (short.reading, short.measuring)

    def test_more_epochs_of_a_head_embed_no_photo_again(self, measured: Path) -> None:
        longer = make_recipe("quick", {**TINY, "epochs": 8})
        short, long = (trial.estimate(made, 1000, 3, measured) for made in (HEAD, longer))
        assert short.learning < long.learning < 2 * short.learning

    def test_photos_that_are_decoded_need_no_reading(self, measured: Path) -> None:
        assert trial.estimate(SCRATCH, 1000, 3, measured, already_read=True).reading == 0

    def test_a_speed_is_measured_once(self, measured: Path) -> None:
        before = (cache_folder(measured) / trial.SPEEDS_FILE).read_bytes()
        assert trial.measure_speed(SCRATCH, 3, measured) == trial.measure_speed(SCRATCH, 3, measured)
        assert (cache_folder(measured) / trial.SPEEDS_FILE).read_bytes() == before

    def test_a_real_trainings_speed_counts_at_once(self, tmp_path: Path) -> None:
        for speed in (50.0, 125.0, 25.0):
            trial.remember_speed(SCRATCH, speed, tmp_path)
            assert trial.measure_speed(SCRATCH, 3, tmp_path) == speed
        other = make_recipe("scratch", {**TINY, "batch": 16})
        trial.remember_speed(other, 7.0, tmp_path)
        assert trial.measure_speed(other, 3, tmp_path) == 7.0
        assert trial.measure_speed(SCRATCH, 3, tmp_path) == 25.0

    def test_an_old_trial_is_done_again_and_the_faster_one_counts(self, tmp_path: Path) -> None:
        trial.remember_speed(SCRATCH, 1e9, tmp_path)
        file = cache_folder(tmp_path) / trial.SPEEDS_FILE
        kept = {key: [speed, 1.0] for key, (speed, _) in json.loads(file.read_text()).items()}
        file.write_text(json.dumps(kept))
        assert trial.measure_speed(SCRATCH, 3, tmp_path) == 1e9
        assert all(until > 1.0 for _, until in json.loads(file.read_text()).values())

    @pytest.mark.parametrize("speed", [0.0, -3.0, math.nan, math.inf])
    def test_what_is_no_speed_is_not_kept(self, speed: float, tmp_path: Path) -> None:
        trial.remember_speed(SCRATCH, 50.0, tmp_path)
        trial.remember_speed(SCRATCH, speed, tmp_path)
        assert trial.measure_speed(SCRATCH, 3, tmp_path) == 50.0

    @pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b"[1, 2]", b"null"])
    def test_a_damaged_file_is_as_none(self, damage: bytes, tmp_path: Path) -> None:
        write(cache_folder(tmp_path) / trial.SPEEDS_FILE, damage)
        trial.remember_speed(SCRATCH, 50.0, tmp_path)
        assert trial.measure_speed(SCRATCH, 3, tmp_path) == 50.0

    def test_damaged_entries_are_measured_again(self, tmp_path: Path) -> None:
        trial.remember_speed(HEAD, 50.0, tmp_path)
        file = cache_folder(tmp_path) / trial.SPEEDS_FILE
        ((key, kept),) = json.loads(file.read_text()).items()
        damaged = [None, "fast", True, 60, [], [60], [-1, 1e12], ["60", 1e12], [60, None], [True, 1e12]]
        others = {str(number): value for number, value in enumerate(damaged)}
        file.write_text(json.dumps({**others, key: kept}))
        assert trial.measure_speed(HEAD, 3, tmp_path) == 50.0
        file.write_text(json.dumps({**others, key: "fast"}))
        assert trial.measure_speed(HEAD, 3, tmp_path) > 0
        assert set(json.loads(file.read_text())) == {key}

    def test_a_cache_that_cannot_be_written_costs_nothing_else(self, tmp_path: Path) -> None:
        cache_folder(tmp_path).write_text("a file where the folder should be")
        assert trial.measure_speed(HEAD, 3, tmp_path) > 0

    def test_random_numbers_of_others_stay_what_they_were(self, tmp_path: Path) -> None:
        torch.manual_seed(5)
        expected = torch.rand(3)
        torch.manual_seed(5)
        trial.measure_speed(SCRATCH, 3, tmp_path)
        assert torch.equal(torch.rand(3), expected)

    @pytest.mark.parametrize(
        ("seconds", "said"),
        [(3, "a few seconds"), (41, "about 40 seconds"), (700, "about 12 minutes"), (7000, "about 2 hours")],
    )
    def test_in_words(self, seconds: float, said: str) -> None:
        assert in_words(seconds) == said


class StoppedWorker(Worker):
    """Worker of a job that was asked to stop before it started."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        folder.mkdir()
        (folder / "stop").touch()


class TestRates:
    tried = np.geomspace(1e-6, 1, 81)

    def curve(self, fall: float, rise: float) -> np.ndarray:
        """Losses that fall around one rate and rise from another one; both as base-10 logarithms."""
        place = np.log10(self.tried)
        return 0.3 + 2 / (1 + np.exp(4 * (place - fall))) + np.exp(4 * (place - rise))

    @pytest.mark.parametrize("fall", [-4.0, -3.0, -2.0])
    def test_the_steepest_place_is_suggested(self, fall: float) -> None:
        found = suggested_rate(self.tried, self.curve(fall, fall + 1.5))
        assert found is not None
        assert math.log10(found) == pytest.approx(fall, abs=0.2)

    def test_noise_does_not_carry_it_away(self) -> None:
        noise = np.random.default_rng(0).normal(0, 0.1, len(self.tried))
        found = suggested_rate(self.tried, self.curve(-3, -1) + noise)
        assert found is not None
        assert math.log10(found) == pytest.approx(-3, abs=0.7)

    def test_a_second_fall_beyond_the_lowest_loss_does_not_count(self) -> None:
        losses = self.curve(-4, -1)
        losses[70:] = np.linspace(40, 5, 11)
        found = suggested_rate(self.tried, losses)
        assert found is not None
        assert found < 1e-3

    @pytest.mark.parametrize("losses", [np.full(81, 2.0), np.linspace(1, 9, 81), np.full(5, 1.0), np.empty(0)])
    def test_a_loss_that_does_not_fall_suggests_nothing(self, losses: np.ndarray) -> None:
        assert suggested_rate(self.tried[: len(losses)], losses) is None

    def test_an_easy_problem_is_searched_until_the_loss_runs_away(self, photos: Path, workspace: Path) -> None:
        worker = Worker()
        plain = make_recipe("scratch", {**TINY, "augmentation": "none", "small_size": 48, "small_share": 0.5})
        found = find_learning_rate(str(photos), plain, workspace, worker, steps=40)
        assert found.suggestion is not None
        assert 1e-5 < found.suggestion < 0.1
        assert len(found.rates) == len(found.losses) <= 40
        np.testing.assert_allclose(found.rates, np.geomspace(*RANGES["learning_rate"], 40)[: len(found.rates)])
        assert np.isfinite(found.losses).all()
        best = np.minimum.accumulate(found.losses)
        # All but the last are within bounds; if the search ended early, the last is the reason.
        assert (found.losses[:-1] <= 4 * best[:-1]).all()
        assert len(found.rates) == 40 or found.losses[-1] > 4 * best[-1]
        assert worker.progress.step == "Trying learning rates"
        assert json.loads(json.dumps(found.to_dict()))["suggestion"] == found.suggestion

    def test_the_mean_of_equal_losses_is_that_loss_from_the_start(self) -> None:
        curve = LossCurve(5, Worker())
        assert all(curve.add(2.0) for _ in range(5))
        assert curve.smoothed == pytest.approx([2.0] * 5)

    def test_divergence_ends_the_search(self) -> None:
        curve = LossCurve(100, Worker())
        assert all(curve.add(loss) for loss in (2.0, 1.5, 1.0, 1.0))
        best = min(curve.smoothed)
        while curve.add(30.0):
            pass
        assert len(curve.losses) < 20
        assert curve.smoothed[-1] > 4 * best >= curve.smoothed[-2]

    @pytest.mark.parametrize("loss", [math.nan, math.inf])
    def test_what_is_no_number_ends_it_and_is_not_kept(self, loss: float) -> None:
        curve = LossCurve(100, Worker())
        assert curve.add(1.0)
        assert not curve.add(loss)
        assert (curve.losses, curve.smoothed) == ([1.0], [pytest.approx(1.0)])

    def test_the_head_alone_is_searched_on_its_embeddings(self, photos: Path, workspace: Path) -> None:
        found = [find_learning_rate(str(photos), HEAD, workspace, Worker(), steps=30) for _ in range(2)]
        np.testing.assert_array_equal(found[0].losses, found[1].losses)
        assert found[0].losses[0] == pytest.approx(math.log(3), abs=0.5)

    def test_a_stop_gives_what_there_is(self, photos: Path, workspace: Path, tmp_path: Path) -> None:
        found = find_learning_rate(str(photos), HEAD, workspace, StoppedWorker(tmp_path / "job"), steps=30)
        assert len(found.rates) == len(found.losses) == 1
        assert found.suggestion is None

    def test_too_few_steps_are_reported(self, photos: Path, workspace: Path) -> None:
        with pytest.raises(RecipeError, match=r"steps is 5; .* at least 20"):
            find_learning_rate(str(photos), HEAD, workspace, Worker(), steps=5)

    def test_only_some_classes(self, photos: Path, workspace: Path) -> None:
        with pytest.raises(DatasetError, match="has only one class"):
            find_learning_rate(str(photos), HEAD, workspace, Worker(), only=("boot",))


class TestPreview:
    @pytest.mark.parametrize("word", ["none", "light", "standard", "strong"])
    def test_a_row_for_each_photo(self, word: str, photos: Path, workspace: Path) -> None:
        samples = open_samples(workspace, str(photos))
        rows = augmented_preview(samples, make_recipe("scratch", {**TINY, "augmentation": word}), workspace, 3, 5)
        assert [len(row) for row in rows] == [6, 6, 6]
        assert {(picture.shape, picture.dtype) for row in rows for picture in row} == {((32, 32, 3), np.dtype("uint8"))}
        alike = all(np.array_equal(picture, row[1]) for row in rows for picture in row[2:])
        assert alike == (word == "none")

    def test_unchanged_photos_keep_their_colors(self, photos: Path, workspace: Path) -> None:
        samples = open_samples(workspace, str(photos))
        plain = make_recipe("scratch", {**TINY, "augmentation": "none"})
        for first, second, *_ in augmented_preview(samples, plain, workspace, 6, 1):
            np.testing.assert_allclose(first.mean((0, 1)), second.mean((0, 1)), atol=4)

    def test_the_first_column_is_what_the_network_sees(self, photos: Path, workspace: Path) -> None:
        samples = open_samples(workspace, str(photos))
        rows = augmented_preview(samples, SCRATCH, workspace, photos=1, variants=0)
        seen = resize_batch(np.array(load_photos(samples, 37, workspace).pixels), Preprocessing(32, 32)).round().numpy()
        assert (seen == rows[0][0]).all((1, 2, 3)).any()

    def test_the_quick_recipe_shows_views_only(self, photos: Path, workspace: Path) -> None:
        samples = open_samples(workspace, str(photos))
        quick = make_recipe(
            "quick",
            {
                **TINY,
                "crop": 1,
                "rotation": 0,
                "horizontal_flip": 0,
                "color_jitter": 1,
                "random_erasing": 1,
                "mixup": 1,
            },
        )
        for first, *others in augmented_preview(samples, quick, workspace, 2, 3):
            for picture in others:
                np.testing.assert_allclose(first.mean((0, 1)), picture.mean((0, 1)), atol=4)

    def test_one_seed_is_one_preview(self, photos: Path, workspace: Path) -> None:
        samples = open_samples(workspace, str(photos))
        strong = make_recipe("scratch", {**TINY, "augmentation": "strong"})
        one, same, other = (augmented_preview(samples, strong, workspace, seed=seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(one, same)
        assert not np.array_equal(one, other)

    def test_batches_are_mixed_as_in_training(self, photos: Path, workspace: Path) -> None:
        samples = open_samples(workspace, str(photos))
        changes = {**TINY, "augmentation": "none", "mixup": 1}
        rows = augmented_preview(samples, make_recipe("scratch", changes), workspace, photos=4, variants=4)
        assert any(not np.array_equal(row[1], row[2]) for row in rows)

    def test_photos_that_cannot_be_read_are_passed_over(self, tmp_path: Path) -> None:
        folder = draw_dataset(tmp_path / "photos", {"boot": 2})
        for number in range(5):
            write(folder / "boot" / f"broken{number}.jpg", b"\xff\xd8\xff" + bytes([number]))
        for seed in range(3):
            assert len(augmented_preview(read_unlabeled_folder(folder), SCRATCH, tmp_path, 4, 1, seed)) == 2
        broken = read_unlabeled_folder(folder).loc[lambda rows: rows["path"].str.contains("broken")]
        with pytest.raises(DatasetError, match="None of the photos could be read"):
            augmented_preview(broken, SCRATCH, tmp_path)

    def test_the_sheet_shows_every_picture(self) -> None:
        rows = [[np.full((8, 8, 3), 10 * (4 * line + column), np.uint8) for column in range(4)] for line in range(2)]
        with Image.open(BytesIO(contact_sheet(rows))) as sheet:
            shown = np.asarray(sheet)[..., 0]
        assert set(np.unique(shown)) == {*range(0, 80, 10), 255}
        assert all((shown == value).sum() == 64 for value in range(0, 80, 10))


@click.group(cls=Commands)
@click.option("--workspace", type=click.Path(path_type=Path))
@click.pass_context
def program(ctx: click.Context, workspace: Path) -> None:
    ctx.obj = workspace


for command in (estimate, find_lr, augment):
    program.add_command(command)


class TestCommands:
    def run(self, workspace: Path, command: str, photos: Path, *arguments: object) -> Result:
        small = ["--network", "mobilenet_v3_small", "--init", "none", "--size", "32", "--batch", "8"]
        shares = ["--set", "val_share=0.2", "--set", "test_share=0.2"]
        own = [command, str(photos), "--recipe", "quick", *small, *shares, *map(str, arguments)]
        return CliRunner().invoke(program, ["--workspace", str(workspace), *own])

    def test_estimate(self, photos: Path, workspace: Path) -> None:
        done = self.run(workspace, "estimate", photos, "--class", "boot", "--class", "clog", "--json")
        values = json.loads(done.stdout)
        assert done.exit_code == 0
        assert (values["photos"], values["classes"], values["recipe"]) == (24, 2, "quick")
        assert values["total"] == pytest.approx(values["reading"] + values["learning"] + values["measuring"])
        words = self.run(workspace, "estimate", photos).stdout
        assert "training" in words and "photos per second" in words

    def test_rates(self, photos: Path, workspace: Path) -> None:
        done = self.run(workspace, "find-lr", photos, "--steps", 30, "--json")
        values = json.loads(done.stdout)
        assert done.exit_code == 0
        assert len(values["rates"]) == len(values["losses"]) > 0
        assert "suggestion" in values
        assert "loss" in self.run(workspace, "find-lr", photos, "--steps", 30).stdout

    def test_augment(self, photos: Path, workspace: Path, tmp_path: Path) -> None:
        out = tmp_path / "new folder" / "sheet.png"
        arguments = ("--out", out, "--photos", 2, "--variants", 3, "--set", "augmentation=strong")
        done = self.run(workspace, "augment", photos, *arguments, "--json")
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["augmentation"] == "strong"
        with Image.open(out) as sheet:
            assert sheet.format == "PNG"
            assert sheet.width > 4 * 32 and sheet.height > 2 * 32
        before = out.read_bytes()
        assert "2 photos with 3 variants each" in self.run(workspace, "augment", photos, *arguments).stdout
        assert out.read_bytes() == before

    @pytest.mark.parametrize("command", ["estimate", "find-lr", "augment"])
    def test_what_is_wrong_is_reported_in_one_line(self, command: str, photos: Path, workspace: Path) -> None:
        needed = ("--out", workspace / "sheet.png") if command == "augment" else ()
        for arguments, status, said in (
            (("--set", "epochs"), 2, "--set takes NAME=VALUE, not 'epochs'"),
            (("--set", "speed=3"), 1, "no setting 'speed'"),
            (("--epochs", "0"), 1, "epochs is 0"),
            (("--class", "sock"), 1, "sock"),
        ):
            done = self.run(workspace, command, photos, *needed, *arguments)
            assert done.exit_code == status
            assert said in done.stderr.splitlines()[-1]
        assert self.run(workspace, command, Path("nowhere"), *needed).exit_code == 1
