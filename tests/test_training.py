"""Training: recipes, augmentation, the training loop, and runs that survive interruptions."""

import json
import os
import re
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator

from benchmarks.crash_recovery import DATASET, train_with_kills
from sneaker_core.datasets.dataset_collection import find_or_create, open_samples
from sneaker_core.datasets.dataset_split import make_split
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.datasets.split import read_split
from sneaker_core.errors import DatasetError, RecipeError, SpaceError
from sneaker_core.networks.architectures import build_network
from sneaker_core.networks.checkpoint import load_model, save_model
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.training.array_cache import ArrayCache
from sneaker_core.training.augmentation import color_jitter, mix_batch, random_erasing, random_views
from sneaker_core.training.photo_cache import load_photos
from sneaker_core.training.prepared_photos import prepare_photos
from sneaker_core.training.pretrained_weights import load_pretrained
from sneaker_core.training.recipe import RANGES, RECIPES, Recipe, make_recipe
from sneaker_core.training.recipe_fields import AUGMENTATIONS, OLD_FIELDS
from sneaker_core.training.run_collection import CARD_FILE
from sneaker_core.training.run_metrics import METRICS_FILE, WATCH_FILE, read_watch
from sneaker_core.training.train_model import default_run_name, train
from sneaker_core.training.trainer import Trainer, TrainingData, one_cycle, sampling_weights
from sneaker_core.training.training_state import load_state, save_state
from sneaker_core.workspace.jobs import JobState, Worker, read_job, stop_job, working
from sneaker_core.workspace.paths import PREDICTIONS_FILE, RUN_FILE, run_model_folder, runs_folder
from tests.factories import PROJECT, draw_arrays, draw_dataset, jpeg, lively_model, photo_of_class, write

pytestmark = pytest.mark.slow

LABELS = {"boot": 12, "clog": 12}
# Small enough to train in seconds.
SMALL = {"init": "none", "size": 32, "small_size": 32, "batch": 8, "val_share": 0.2, "test_share": 0.2}
QUICK = make_recipe("quick", {**SMALL, "epochs": 2})
FINETUNE = make_recipe("finetune", {**SMALL, "epochs": 3})


def save_alike_model(folder):
    """A model whose embeddings are nearly the same for every photo."""
    model = lively_model()
    with torch.no_grad():
        last_norm = model.network.backbone.features[18][1]
        last_norm.weight.mul_(0.001)
        last_norm.bias.fill_(1.0)
    save_model(model, folder)
    return folder


class TestRecipe:
    @pytest.mark.parametrize("name", RANGES)
    @pytest.mark.parametrize("end", [0, 1])
    def test_a_value_out_of_range_names_field_and_range(self, name, end):
        bound = RANGES[name][end]
        kind = type(getattr(Recipe(), name))
        assert getattr(make_recipe("finetune", {name: bound}), name) == bound
        with pytest.raises(RecipeError, match=rf"^{name} is .*; it must be from .* to .*\.$"):
            make_recipe("finetune", {name: bound + kind(2 * end - 1)})

    def test_every_number_has_a_range(self):
        numbers = {field.name for field in fields(Recipe) if type(field.default) in (int, float)}
        assert numbers == set(RANGES)

    @given(st.data())
    @settings(max_examples=60, deadline=None)
    def test_any_values_in_range_are_kept(self, data):
        wanted = {}
        for name, (low, high) in RANGES.items():
            of_kind = st.integers if isinstance(getattr(Recipe(), name), int) else st.floats
            wanted[name] = data.draw(of_kind(low, high), name)
        made = make_recipe("scratch", wanted)
        assert {name: getattr(made, name) for name in wanted} == wanted
        assert Recipe.from_dict(json.loads(json.dumps(made.to_dict()))) == made

    def test_old_field_names_are_read(self):
        old = {
            "part": "last_stage", "average_decay": 0.9, "rare_power": 0.25, "others_share": 0.2, "mirror": 0.1,
            "colour": 0.3, "erase": 0.4, "trivial": 0.6, "mix": 0.7, "head": "usual",
        }  # fmt: skip
        new = {
            "trainable": "last_stage", "ema_decay": 0.9, "class_balance_exponent": 0.25, "negatives_share": 0.2,
            "horizontal_flip": 0.1, "color_jitter": 0.3, "random_erasing": 0.4, "trivial_augment": 0.6, "mixup": 0.7,
            "head": "default",
        }  # fmt: skip
        assert Recipe.from_dict(old) == Recipe(**new) == Recipe().changed(old)
        assert Recipe.from_dict({"mix": 0.7, "mixup": 0.2}).mixup == 0.2
        assert {*OLD_FIELDS, "head"} == set(old)

    @pytest.mark.parametrize("values", [{"speed": 1}, {"epochs": "many"}, {"epochs": 0}, {"trainable": None}])
    def test_a_damaged_record_is_no_recipe(self, values):
        with pytest.raises(RecipeError):
            Recipe.from_dict(values)

    def test_differences_are_the_changed_settings(self):
        changed = make_recipe("finetune", {"epochs": 3, "part": "head", "crop": 0.4})
        assert changed.differences(RECIPES["finetune"]) == {"epochs": 3, "trainable": "head"}
        assert changed.name == "finetune"

    def test_text_becomes_the_fields_type(self):
        changes = {"epochs": "3", "mixup": "0.5", "trainable": "last_stage", "init": "none", "seed": None}
        made = make_recipe("finetune", changes)
        assert (made.epochs, made.mixup, made.trainable, made.init, made.seed) == (3, 0.5, "last_stage", "none", 0)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"epochs": "many"}, "epochs is 'many'; it must be a number"),
            ({"epochs": "2.5"}, "epochs is '2.5'; it must be a number"),
            ({"epochs": float("inf")}, "epochs is inf; it must be a number"),
            ({"mixup": "nan"}, "mixup is nan; it must be from 0 to 1"),
            ({"trainable": "some"}, "trainable is 'some'; choose one of: head, last_stage, all"),
            ({"augmentation": "wild"}, "augmentation is 'wild'; choose one of: none, light, standard, strong"),
            ({"network": "sneaker_cnn", "size": 160}, "size is 160; sneaker_cnn takes exactly 224 pixels"),
            ({"network": "inception_v3", "size": 64}, "size is 64; inception_v3 needs at least 75 pixels"),
            ({"speed": 3}, "no setting 'speed'. Available settings: .*epochs, "),
            ({"network": "resnet1"}, "network is 'resnet1'; choose one of: .*mobilenet_v2"),
        ],
    )
    def test_what_cannot_be_used_is_reported(self, changes, message):
        with pytest.raises(RecipeError, match=message):
            make_recipe("finetune", changes)

    def test_unknown_recipe_lists_the_known(self):
        with pytest.raises(RecipeError, match="no recipe 'slow'; choose one of: quick, finetune, scratch"):
            make_recipe("slow")
        assert [make_recipe(name) for name in RECIPES] == list(RECIPES.values())

    def test_a_word_stands_for_settings_of_augmentation(self):
        strong = make_recipe("finetune", {"augmentation": "strong", "crop": "0.5"})
        assert (strong.mixup, strong.trivial_augment, strong.crop, strong.augmentation) == (0.5, 0.5, 0.5, "custom")
        assert [make_recipe("scratch", {"augmentation": word}).augmentation for word in AUGMENTATIONS] == list(
            AUGMENTATIONS
        )
        assert Recipe().augmentation == "standard"

    def test_another_network_brings_the_size_it_usually_sees(self):
        assert (make_recipe("finetune", {"network": "inception_v3"}).size, make_recipe("finetune").size) == (299, 160)
        assert make_recipe("finetune", {"network": "resnet18", "size": 128}).small_size == 128

    def test_another_network_brings_weights_that_fit_it(self):
        networks = ("efficientnet_lite0", "resnet18", "sneaker_cnn")
        assert [make_recipe("quick", {"network": name}).init for name in networks] == ["street72", "imagenet", "none"]
        assert make_recipe("scratch", {"network": "resnet18"}).init == "none"
        assert make_recipe("finetune", {"network": "resnet18", "init": "mine"}).init == "mine"

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, 184),
            ({"size": 208}, 240),
            ({"final_scale": 1}, 160),
            ({"final_scale": 1.01}, 160),
            ({"augmentation": "none"}, 160),
            ({"network": "sneaker_cnn"}, 224),
            ({"network": "inception_v3"}, 344),
        ],
    )
    def test_the_finished_model_sees_larger_photos_where_crops_were_shown(self, changes, expected):
        assert make_recipe("finetune", changes).final_size == expected

    def test_a_head_alone_answers_at_the_size_of_its_embeddings(self):
        assert make_recipe("quick").final_size == make_recipe("quick").size

    def test_what_an_epoch_costs(self):
        made = make_recipe(
            "finetune", {"epochs": 4, "size": 160, "small_size": 80, "small_share": 0.5, "head_epochs": 1}
        )
        assert made.work() == pytest.approx([0.25 * 0.35, 0.25, 1, 1])
        assert [Recipe(epochs=1).trains_head_only(0), Recipe(epochs=2).trains_head_only(0)] == [False, True]


class TestSchedule:
    def test_one_cycle_rises_and_falls(self):
        rates = [one_cycle(step / 100, 0.25) for step in range(101)]
        assert rates[0] == pytest.approx(0.04)
        assert rates[25] == max(rates) == pytest.approx(1)
        assert rates[-1] == pytest.approx(0, abs=1e-9)
        assert rates[:26] == sorted(rates[:26])
        assert rates[25:] == sorted(rates[25:], reverse=True)

    @pytest.mark.parametrize("warmup", [0.0, 1.0])
    def test_one_cycle_at_its_ends(self, warmup):
        assert all(0 <= one_cycle(step / 10, warmup) <= 1 for step in range(11))

    def test_draw_weights_by_hand(self):
        # 4 photos of class 0, 1 of class 1, 2 negatives.
        data = TrainingData(np.zeros((7, 2, 2, 3), np.uint8), np.array([0, 0, 0, 0, 1, 2, 2]), classes=2)
        weights = sampling_weights(
            data, make_recipe("scratch", {"class_balance_exponent": 0.5, "negatives_share": 0.1})
        )
        # The classes share what the negatives leave, 0.9, in proportion to the square roots of 4 and 1: 2 to 1.
        np.testing.assert_allclose(weights, [0.15, 0.15, 0.15, 0.15, 0.3, 0.05, 0.05])
        # With a type of footwear of 2 photos (class 2), the negatives are number 3.
        with_footwear = replace(data, targets=np.array([0, 0, 0, 0, 1, 2, 2, 3]), footwear_types=1)
        shares = {"class_balance_exponent": 0.5, "negatives_share": 0.1, "footwear_share": 0.3}
        weights = sampling_weights(with_footwear, make_recipe("scratch", shares))
        np.testing.assert_allclose(weights, [0.1, 0.1, 0.1, 0.1, 0.2, 0.15, 0.15, 0.1])
        as_it_comes = sampling_weights(
            replace(data, targets=np.array([0, 0, 0, 0, 1, 1, 1])), Recipe(class_balance_exponent=1.0)
        )
        np.testing.assert_allclose(as_it_comes, np.full(7, 1 / 7))


def views(images, size=24, seed=0, **changes):
    return random_views(images, size, Recipe(**changes), Generator().manual_seed(seed))


class TestAugmentation:
    images = torch.rand(16, 3, 24, 24, generator=Generator().manual_seed(0)) * 255

    def test_without_crop_and_rotation_only_the_mirror_is_left(self):
        changed = views(self.images, crop=1.0, rotation=0.0)
        kept = [torch.allclose(new, old, atol=0.05) for new, old in zip(changed, self.images, strict=True)]
        mirrored = [torch.allclose(new, old.flip(2), atol=0.05) for new, old in zip(changed, self.images, strict=True)]
        assert [a != b for a, b in zip(kept, mirrored, strict=True)] == [True] * 16
        assert any(kept)
        assert any(mirrored)

    @pytest.mark.parametrize("crop", [0.3, 0.8])
    def test_a_crop_keeps_at_least_its_share_of_the_photo(self, crop):
        """On two ramps, the range of values gives the width and height of the crop."""
        ramp = torch.linspace(0, 1, 64)
        images = torch.stack([ramp.expand(64, 64), ramp[:, None].expand(64, 64), torch.zeros(64, 64)])
        kept = views(images.expand(200, 3, 64, 64), size=64, crop=crop, rotation=0.0)
        spread = kept[:, :2].amax((2, 3)) - kept[:, :2].amin((2, 3))
        area = spread.prod(1)
        assert area.min() >= crop * 0.97
        assert area.min() < crop + 0.1
        assert area.max() <= 1.001

    def test_a_quarter_turn_is_a_rotation(self):
        half = torch.zeros(1, 3, 32, 32)
        half[:, :, :16] = 100
        turned = [views(half, size=32, seed=seed, crop=1.0, rotation=90.0) for seed in range(8)]
        assert max(float((image[0, 0, :, :16].mean() - image[0, 0, :, 16:].mean()).abs()) for image in turned) > 50

    def test_no_strength_leaves_the_colors(self):
        changed = color_jitter(self.images, 0.0, Generator().manual_seed(0))
        torch.testing.assert_close(changed, self.images, atol=0.01, rtol=0)

    @given(st.floats(0, 1), st.integers(0, 1000))
    @settings(max_examples=30, deadline=None)
    def test_colors_stay_colors(self, strength, seed):
        changed = color_jitter(self.images, strength, Generator().manual_seed(seed))
        assert changed.shape == self.images.shape
        assert changed.min() >= 0
        assert changed.max() <= 255

    def test_colors_change_photo_by_photo(self):
        same = self.images[:1].expand(8, 3, 24, 24)
        changed = color_jitter(same, 0.5, Generator().manual_seed(0))
        assert len({float(image.mean()) for image in changed}) == 8

    def test_erasing_blanks_one_small_rectangle(self):
        images = torch.ones(100, 3, 40, 40)
        assert torch.equal(random_erasing(images, 0.0, Generator().manual_seed(0)), images)
        erased = random_erasing(images, 1.0, Generator().manual_seed(0))
        blank = erased[:, 0] == 0
        share = blank.float().mean((1, 2))
        boxes = blank.any(2).sum(1) * blank.any(1).sum(1)
        assert torch.equal(boxes, blank.sum((1, 2)))
        assert share.max() <= 0.22
        assert share.mean() > 0.03
        some = random_erasing(images, 0.5, Generator().manual_seed(0))
        assert 30 < int((some == 0).flatten(1).any(1).sum()) < 70

    @given(st.integers(0, 500))
    @settings(max_examples=40, deadline=None)
    def test_mixed_targets_are_the_shares_of_the_pixels(self, seed):
        """Each photo has its own color, so that the shares of a mixture can be measured."""
        colors = torch.eye(3)
        images = colors[:, :, None, None].expand(3, 3, 10, 12).clone()
        mixed, targets = mix_batch(images, torch.eye(3), 1.0, Generator().manual_seed(seed))
        torch.testing.assert_close(targets.sum(1), torch.ones(3))
        torch.testing.assert_close(mixed.mean((2, 3)), targets, atol=1e-5, rtol=0)
        assert torch.equal(images, colors[:, :, None, None].expand(3, 3, 10, 12))

    def test_nothing_is_mixed_without_a_chance(self):
        images, targets = mix_batch(self.images, torch.eye(16), 0.0, Generator().manual_seed(0))
        assert images is self.images
        assert torch.equal(targets, torch.eye(16))

    def test_the_seed_alone_decides(self):
        def all_of_them(seed):
            rng = Generator().manual_seed(seed)
            images = random_erasing(color_jitter(random_views(self.images, 20, Recipe(), rng), 0.4, rng), 0.5, rng)
            return mix_batch(images, torch.eye(16), 1.0, rng)

        for first, again, other in zip(all_of_them(1), all_of_them(1), all_of_them(2), strict=True):
            assert torch.equal(first, again)
            assert not torch.equal(first, other)


EASY = make_recipe(
    "scratch",
    {
        "epochs": 6,
        "size": 32,
        "batch": 16,
        "ema_decay": 0.5,
        "color_jitter": 0,
        "random_erasing": 0,
        "crop": 0.7,
        "small_size": 32,
    },
)


def new_trainer(chosen: Recipe = EASY) -> Trainer:
    torch.manual_seed(chosen.seed)
    network = lively_model(("red", "blue")).network.requires_grad_(True)
    torch.nn.init.zeros_(network.head.weight)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.1
    return Trainer(network, draw_arrays(32), chosen)


def comparable(reports):
    return [replace(report, images_per_second=0, seconds=0) for report in reports]


def same_weights(first, second):
    second = second.state_dict()
    return all(torch.equal(value, second[name]) for name, value in first.state_dict().items())


@pytest.fixture(scope="module")
def uninterrupted():
    trainer, reports = new_trainer(), []
    trainer.train(reports.append)
    return trainer, reports


@pytest.fixture
def interrupted(tmp_path):
    """A training that was stopped after its states of epochs 1 and 2 were saved."""
    trainer, reports = new_trainer(), []

    def stop_after_two(report):
        reports.append(report)
        save_state(trainer, tmp_path)
        if report.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer.train(stop_after_two)
    return tmp_path, reports


def flipped_in_the_middle(data):
    place = len(data) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


class TestLoop:
    def test_learns_to_tell_two_classes_apart(self, uninterrupted):
        trainer, reports = uninterrupted
        fresh = draw_arrays(32, size=32, first_seed=1000)
        images = Preprocessing(32, 32).standardize(torch.from_numpy(fresh.pixels))
        with torch.inference_mode():
            predicted = trainer.average(images).argmax(1).numpy()
        assert [report.epoch for report in reports] == [1, 2, 3, 4, 5, 6]
        assert reports[-1].loss < reports[0].loss
        # By chance, 44 or more of 64 predictions are right in one of a thousand trainings.
        assert (predicted == fresh.targets).sum() >= 44

    def test_goes_on_exactly_where_it_was(self, uninterrupted, interrupted):
        whole, reports = uninterrupted
        folder, first_reports = interrupted
        resumed, later_reports = new_trainer(), []
        assert load_state(resumed, folder) is None
        assert resumed.epochs_done == 2
        resumed.train(later_reports.append)
        assert comparable(first_reports + later_reports) == comparable(reports)
        assert same_weights(resumed.network, whole.network)
        assert same_weights(resumed.average, whole.average)

    @pytest.mark.parametrize(
        "damage",
        [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"x" * 99, flipped_in_the_middle],
    )
    def test_a_damaged_state_falls_back_to_the_one_before(self, interrupted, damage):
        folder, _ = interrupted
        newest = folder / "state-even.safetensors"
        newest.write_bytes(damage(newest.read_bytes()))
        trainer = new_trainer()
        told = load_state(trainer, folder)
        assert told == (
            f"The training state {newest.name} in {folder} is damaged. Training resumes from the state after epoch 1."
        )
        assert trainer.epochs_done == 1

    def test_a_state_whose_description_is_not_there_is_not_taken(self, interrupted):
        folder, _ = interrupted
        (folder / "state-even.json").unlink()
        trainer = new_trainer()
        load_state(trainer, folder)
        assert trainer.epochs_done == 1

    def test_both_states_damaged_starts_over(self, interrupted):
        folder, _ = interrupted
        for file in folder.glob("state-*.safetensors"):
            file.write_bytes(flipped_in_the_middle(file.read_bytes()))
        trainer = new_trainer()
        assert load_state(trainer, folder).endswith("Training resumes from the start.")
        assert trainer.epochs_done == 0

    def test_without_a_state_it_starts_over(self, tmp_path):
        trainer = new_trainer()
        before = {name: value.clone() for name, value in trainer.network.state_dict().items()}
        assert load_state(trainer, tmp_path) is None
        assert trainer.epochs_done == 0
        assert all(torch.equal(value, before[name]) for name, value in trainer.network.state_dict().items())

    def test_a_loss_that_is_no_number_is_reported(self):
        trainer = new_trainer()
        with torch.no_grad():
            trainer.network.head.bias.fill_(float("nan"))
        with pytest.raises(RecipeError, match=r"became infinite or NaN in epoch 1; try a learning_rate below 0\.003"):
            trainer.train(lambda report: None)

    def test_the_first_epochs_may_be_smaller(self):
        trainer = new_trainer(replace(EASY, epochs=2, size=40, small_share=0.5))
        seen = []
        trainer.network.backbone.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].shape[-1]))
        trainer.train(lambda report: None)
        assert seen == [32] * trainer.steps_per_epoch + [40] * trainer.steps_per_epoch


@pytest.fixture
def dataset(tmp_path):
    return draw_dataset(tmp_path / "shoes", LABELS)


@pytest.fixture
def others(tmp_path):
    for seed in range(6):
        write(tmp_path / "things" / f"{seed}.jpg", jpeg(photo_of_class(2, seed)))
    return tmp_path / "things"


def metrics_of(folder):
    return [json.loads(line) for line in (folder / METRICS_FILE).read_text().splitlines()]


class TestRun:
    @pytest.mark.parametrize("chosen", [QUICK, replace(FINETUNE, epochs=1)], ids=["quick", "finetune"])
    def test_makes_a_model_and_keeps_everything(self, dataset, others, tmp_path, chosen):
        write(dataset / "boot" / "broken.jpg", b"no photo")
        folder, events = runs_folder(tmp_path) / "mine", []
        metrics = train(
            dataset,
            chosen,
            folder,
            tmp_path,
            negatives=others,
            report=lambda event, values: events.append((event, values)),
        )
        model, split = load_model(run_model_folder(folder)), read_split(run_model_folder(folder))
        assert [event for event, _ in events] == ["prepared"] + ["epoch"] * chosen.epochs + ["done"]
        kept = {METRICS_FILE, "model", PREDICTIONS_FILE, RUN_FILE, CARD_FILE, WATCH_FILE, "watch"}
        assert {file.name for file in folder.iterdir()} == kept
        run = json.loads((folder / RUN_FILE).read_text())
        assert (run["dataset"], run["state"], run["recipe"]) == ("shoes", "done", chosen.to_dict())
        assert len(run["rejected"]) == 1
        assert all(why.endswith(".") for why in run["rejected"].values())
        assert metrics_of(folder) == [values for event, values in events if event == "epoch"]
        assert (model.spec.name, model.spec.classes, model.spec.has_negatives_class) == ("mine", ("boot", "clog"), True)
        assert model.spec.metrics == json.loads(json.dumps(metrics))
        assert model.spec.data["rejected"] == events[0][1]["rejected"] == 1
        assert split["split"].value_counts().to_dict() == {"train": 20, "val": 5, "test": 5}
        assert metrics["test"]["n"] == len(pd.read_parquet(folder / PREDICTIONS_FILE)) == 4
        assert metrics["negatives"]["n"] == 1

    def test_learns_types_of_other_footwear(self, dataset, others, tmp_path):
        for number, kind in ((3, "Loafer"), (4, "Heel")):
            for seed in range(6):
                write(others / "other_footwear" / kind / f"{seed}.jpg", jpeg(photo_of_class(number, seed)))
        folder = runs_folder(tmp_path) / "mine"
        metrics = train(dataset, QUICK, folder, tmp_path, negatives=others)
        spec = load_model(run_model_folder(folder)).spec
        assert (spec.footwear_types, spec.has_negatives_class, spec.outputs) == (("Heel", "Loafer"), True, 5)
        assert sum(spec.data["negatives"].values()) == 6
        assert sum(spec.data["other_footwear"].values()) == 12
        for kind in ("negatives", "other_footwear"):
            assert metrics.get(kind, {"n": 0})["n"] == spec.data[kind].get("test", 0)
        card = (folder / CARD_FILE).read_text()
        assert "| other footwear |" in card
        assert "of other footwear rejected: " in card

    def test_knows_no_others_without_photos_of_them(self, dataset, tmp_path):
        metrics = train(dataset, QUICK, tmp_path / "run", tmp_path)
        assert set(metrics) == {"test", "val"}
        assert not load_model(run_model_folder(tmp_path / "run")).spec.has_negatives_class

    def test_copies_of_a_sneaker_among_the_others_move_with_it(self, dataset, others, tmp_path):
        for seed in range(12):
            write(others / f"copy{seed}.jpg", jpeg(photo_of_class(0, seed), quality=80))
        samples = prepare_photos("shoes", open_samples(tmp_path, str(dataset)), QUICK, None, tmp_path, others).samples
        assert samples.groupby("group").size().value_counts().to_dict() == {1: 18, 2: 12}
        assert samples.groupby("group")["split"].nunique().max() == 1
        assert set(samples["split"][samples["label"].isna()]) == {"train", "val", "test"}

    def test_what_the_model_it_starts_from_was_trained_on_stays_in_training(self, dataset, others, tmp_path):
        train(dataset, QUICK, tmp_path / "runs" / "first", tmp_path, negatives=others)
        first = read_split(run_model_folder(tmp_path / "runs" / "first")).set_index("sample")["split"]
        # With more photos, the same seed draws others.
        for number in range(7):
            write(dataset / "boot" / f"new{number}.jpg", jpeg(photo_of_class(0, 100 + number)))
            write(others / f"new{number}.jpg", jpeg(photo_of_class(2, 200 + number)))
        train(dataset, replace(QUICK, init="first", seed=5), tmp_path / "runs" / "second", tmp_path, negatives=others)
        second = read_split(run_model_folder(tmp_path / "runs" / "second")).set_index("sample")["split"]
        assert second[first.index].equals(first)
        assert len(second) == len(first) + 14

    def test_starting_from_a_model_makes_no_copies_of_photos_that_it_holds_alike(self, dataset, tmp_path):
        """A trained network puts the photos of a class close together, so its embeddings would match all of them."""
        folder = save_alike_model(tmp_path / "alike")
        train(dataset, replace(QUICK, init=str(folder)), tmp_path / "run", tmp_path)
        data = load_model(run_model_folder(tmp_path / "run")).spec.data
        assert data["in_duplicate_groups"] == 0

    def test_the_same_seed_gives_the_same_model(self, dataset, tmp_path):
        first, again, other = (
            train(dataset, replace(QUICK, seed=seed), tmp_path / name, tmp_path)
            for name, seed in (("first", 1), ("again", 1), ("other", 2))
        )
        weights = [load_model(run_model_folder(tmp_path / name)).network for name in ("first", "again", "other")]
        assert first == again
        assert same_weights(weights[0], weights[1])
        assert not same_weights(weights[0], weights[2])
        assert other.keys() == first.keys()

    def test_goes_on_after_its_process_was_killed(self, dataset, tmp_path):
        folder = runs_folder(tmp_path) / "killed"
        changes = [f"--set={name}={getattr(FINETUNE, name)}" for name in SMALL]
        command = [sys.executable, "-m", "sneaker_core", "--workspace", str(tmp_path), "train", str(dataset)]
        command += ["--recipe=finetune", "--epochs=3", "--run=killed", "--json", *changes]
        with subprocess.Popen(
            command, cwd=PROJECT, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True
        ) as process:
            for line in process.stdout:
                if json.loads(line)["event"] == "epoch":
                    break
            process.kill()
        before = metrics_of(folder)
        assert json.loads((folder / RUN_FILE).read_text())["state"] == "running"
        with pytest.raises(RecipeError, match=r"There is already a run in "):
            train(dataset, FINETUNE, folder, tmp_path)

        events = []
        train(dataset, QUICK, folder, tmp_path, resume=True, report=lambda event, values: events.append(event))
        after = metrics_of(folder)
        assert [row["epoch"] for row in after] == [1, 2, 3]
        assert after[: len(before)] == before
        assert events.count("epoch") == 3 - len(before)
        assert load_model(run_model_folder(folder)).spec.recipe == FINETUNE.to_dict()
        assert not list(folder.glob("state-*"))
        with pytest.raises(RecipeError, match="is already done"):
            train(dataset, FINETUNE, folder, tmp_path, resume=True)

    def test_killed_at_random_moments_it_gives_the_same_result(self, tmp_path):
        draw_dataset(tmp_path / "shoes", LABELS)
        import_photos(find_or_create(tmp_path, DATASET), tmp_path / "shoes")
        arguments = ["--recipe=finetune", "--epochs=6", *(f"--set={name}={value}" for name, value in SMALL.items())]
        whole, killed = (
            train_with_kills(tmp_path, name, arguments, kills, 2.0, 9.0) for name, kills in (("a", 0), ("b", 2))
        )
        assert len(whole.epochs) == 6
        assert (whole.epochs, whole.metrics) == (killed.epochs, killed.metrics)

    def test_stopped_it_keeps_the_best_so_far_and_can_be_resumed(self, dataset, tmp_path):
        folder, told = tmp_path / "run", []

        def report(event, values):
            told.append(event)
            if event == "epoch" and values["epoch"] == 2:
                stop_job(job)

        job = tmp_path / "job"
        with working(job, "train", {"run": "run"}, title="Training") as worker:
            metrics = train(dataset, replace(FINETUNE, epochs=6), folder, tmp_path, worker=worker, report=report)
        run = json.loads((folder / RUN_FILE).read_text())
        done = len(metrics_of(folder))
        assert (run["state"], told.count("epoch")) == ("stopped", done)
        assert 2 <= done < 6  # the worker checks for a stop request twice a second
        assert load_model(run_model_folder(folder)).spec.metrics == json.loads(json.dumps(metrics))
        assert read_job(job).state is JobState.STOPPED
        train(dataset, FINETUNE, folder, tmp_path, resume=True)
        assert json.loads((folder / RUN_FILE).read_text())["state"] == "done"
        assert [row["epoch"] for row in metrics_of(folder)] == [1, 2, 3, 4, 5, 6]

    def test_stopped_before_the_first_epoch_there_is_no_model(self, dataset, tmp_path):
        job = tmp_path / "job"
        with working(job, "train", {"run": "run"}, title="Training") as worker:
            stop_job(job)
            assert train(dataset, FINETUNE, tmp_path / "run", tmp_path, worker=worker) == {}
        assert json.loads((tmp_path / "run" / RUN_FILE).read_text())["state"] == "stopped"
        assert not list(run_model_folder(tmp_path / "run").glob("*.safetensors"))

    def test_patience_ends_a_training_that_no_longer_improves(self, dataset, tmp_path):
        still = replace(FINETUNE, epochs=9, patience=2, learning_rate=1e-6, ema_decay=0.99999)
        train(dataset, still, tmp_path / "run", tmp_path)
        told = [row["val_top1"] for row in metrics_of(tmp_path / "run")]
        assert len(told) < 9
        assert max(told[-2:]) <= max(told[:-2])
        assert json.loads((tmp_path / "run" / RUN_FILE).read_text())["state"] == "done"

    def test_patience_is_remembered_when_it_continues(self, dataset, tmp_path):
        still = replace(FINETUNE, epochs=9, patience=2, learning_rate=1e-6, ema_decay=0.99999)

        class Interrupted(Worker):
            def report(self, done, total, step="", **details):
                if step == "Evaluating the model":
                    raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train(dataset, still, tmp_path / "run", tmp_path, worker=Interrupted())
        before = metrics_of(tmp_path / "run")
        train(dataset, still, tmp_path / "run", tmp_path, resume=True)
        assert metrics_of(tmp_path / "run") == before

    def test_a_hidden_head_learns_from_embeddings(self, dataset, tmp_path):
        train(dataset, replace(QUICK, head="hidden"), tmp_path / "run", tmp_path)
        model = load_model(run_model_folder(tmp_path / "run"))
        assert (model.spec.head, model.network.head_kind) == ("hidden", "hidden")

    def test_photos_that_go_while_it_trains_are_left_out(self, dataset, tmp_path):
        def lose_some(event, values):
            if event == "epoch" and values["epoch"] == 1:
                split = read_split(run_model_folder(tmp_path / "run"))
                gone = set(split.groupby(["split", "label"])["sample"].first())
                for row in open_samples(tmp_path, str(dataset)).itertuples():
                    if row.sample in gone:
                        Path(row.path).unlink()

        metrics = train(dataset, FINETUNE, tmp_path / "run", tmp_path, report=lose_some)
        assert (metrics["val"]["n"], metrics["test"]["n"]) == (2, 2)

    def test_it_does_not_go_on_after_a_new_split(self, tmp_path):
        dataset = find_or_create(tmp_path, "shoes")
        import_photos(dataset, draw_dataset(tmp_path / "photos", LABELS))
        make_split(dataset, 0.2, 0.2, seed=0)

        def stop(event, values):
            if event == "epoch":
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train("shoes", FINETUNE, tmp_path / "run", tmp_path, report=stop)
        make_split(dataset, 0.2, 0.2, seed=1)
        with pytest.raises(DatasetError, match="photos have changed"):
            train("shoes", FINETUNE, tmp_path / "run", tmp_path, resume=True)

    def test_a_class_without_photos_to_train_on_is_reported(self, dataset, tmp_path):
        samples = open_samples(tmp_path, str(dataset))
        samples["split"] = np.where(samples["label"] == "clog", "test", "train")
        with pytest.raises(DatasetError, match="has no training photos of 'clog'; make a new split"):
            prepare_photos("shoes", samples, QUICK, None, tmp_path)

    def test_photos_over_a_cap_are_read_once_it_is_raised(self, dataset, tmp_path, monkeypatch):
        samples = open_samples(tmp_path, str(dataset))
        monkeypatch.setenv("SOLESCOPE_MAX_MEGAPIXELS", "0.001")
        assert not load_photos(samples, 32, tmp_path).readable.any()
        monkeypatch.delenv("SOLESCOPE_MAX_MEGAPIXELS")
        assert load_photos(samples, 32, tmp_path).readable.all()

    def test_decoded_photos_are_taken_from_their_file_the_next_time(self, dataset, tmp_path):
        samples = open_samples(tmp_path, str(dataset))
        first = load_photos(samples, 32, tmp_path)
        for path in samples["path"]:
            Path(path).unlink()
        again = load_photos(samples, 32, tmp_path)
        assert isinstance(again.pixels, np.memmap)
        np.testing.assert_array_equal(first.pixels, again.pixels)
        assert not again.rejected

    def test_the_cache_keeps_to_its_cap(self, tmp_path, monkeypatch):
        monkeypatch.setenv("SOLESCOPE_CACHE_GB", "0.000003")
        cache = ArrayCache(tmp_path, "numbers")
        for number in range(5):
            cache.write(cache.key(number), [np.full((1000,), number, np.uint8)], (), np.uint8, {"number": number})
            os.utime(cache.folder / f"{cache.key(number)}.raw", (number, number))
        kept = [number for number in range(5) if cache.read(cache.key(number))]
        assert kept == [2, 3, 4]
        assert cache.read(cache.key(4))[1] == {"number": 4}

    def test_what_the_validation_photos_say_is_kept_for_each_epoch(self, dataset, tmp_path):
        train(dataset, QUICK, tmp_path / "run", tmp_path)
        watched = read_watch(tmp_path / "run")
        assert len(watched) == 4
        assert {photo.label for photo in watched} == set(LABELS)
        assert all(photo.thumbnail.is_file() for photo in watched)
        for row in metrics_of(tmp_path / "run"):
            assert 0 <= row["val_top1"] <= row["val_top3"] == 1
            assert [set(answer) for answer in row["watched"]] == [{"label", "probability"}] * 4
            wrong = sum(pair["count"] for pair in row["confusions"])
            assert wrong == round((1 - row["val_top1"]) * 4)
            assert row["favourite"]["label"] in LABELS

    @pytest.mark.skipif(sys.platform == "win32", reason="the limit on file sizes is of Unix")
    def test_a_full_disk_costs_the_state_and_not_the_training(self, dataset, tmp_path):
        # A system limit on file sizes: states exceed it, the model doesn't.
        limit = "import resource, runpy, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000_000,) * 2); "
        limit += "sys.argv[0] = 'x'; runpy.run_module('sneaker_core', run_name='__main__')"
        command = [sys.executable, "-c", limit, "--workspace", str(tmp_path), "train", str(dataset), "--run=full"]
        command += ["--recipe=finetune", "--epochs=2", *(f"--set={name}={value}" for name, value in SMALL.items())]
        ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300)
        assert ended.returncode == 0, ended.stderr
        assert "Can't save the training state after epoch 2 in" in ended.stderr
        assert "the previous state is intact" in ended.stderr
        assert load_model(run_model_folder(runs_folder(tmp_path) / "full")).spec.classes == ("boot", "clog")

    def test_no_room_for_the_photos_is_reported_before_it_begins(self, dataset, tmp_path, monkeypatch):
        monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1_000_000))
        with pytest.raises(SpaceError, match=r"needs about .* MB of disk space at .*, but only 1 MB are free"):
            train(dataset, FINETUNE, tmp_path / "run", tmp_path)

    def test_epochs_after_the_last_good_state_are_reported_once(self, dataset, tmp_path):
        folder = tmp_path / "run"

        def stop_after_two(event, values):
            if values.get("epoch") == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train(dataset, FINETUNE, folder, tmp_path, report=stop_after_two)
        (folder / "state-even.safetensors").write_bytes(b"cut off")
        warned = []
        train(
            dataset,
            FINETUNE,
            folder,
            tmp_path,
            resume=True,
            report=lambda event, values: warned.append(values["text"]) if event == "warning" else None,
        )
        assert len(warned) == 1
        assert warned[0].endswith("is damaged. Training resumes from the state after epoch 1.")
        assert [row["epoch"] for row in metrics_of(folder)] == [1, 2, 3]

    def test_a_run_is_not_resumed_on_other_photos(self, dataset, tmp_path):
        def stop(event, values):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train(dataset, FINETUNE, tmp_path / "run", tmp_path, report=stop)
        write(dataset / "boot" / "new.jpg", jpeg(photo_of_class(0, 99)))
        with pytest.raises(DatasetError, match="photos have changed"):
            train(dataset, FINETUNE, tmp_path / "run", tmp_path, resume=True)

    @pytest.mark.parametrize("content", [None, "{", "[]", '{"recipe": {"speed": 3}, "state": "running"}'])
    def test_nothing_to_resume_is_reported(self, dataset, tmp_path, content):
        if content:
            write(tmp_path / "run" / RUN_FILE, content.encode())
        with pytest.raises(RecipeError, match=r"no run to resume in "):
            train(dataset, QUICK, tmp_path / "run", tmp_path, resume=True)

    def test_photos_that_cannot_be_used_are_reported(self, dataset, tmp_path):
        write(dataset / "pump" / "broken.jpg", b"no photo")
        for only, message in (
            (["boot"], "only one class"),
            (["boot", "pump"], "No photo of 'pump' in .* can be read"),
            (["boot", "heel"], "no class named 'heel'"),
        ):
            with pytest.raises(DatasetError, match=message):
                train(dataset, QUICK, tmp_path / "run", tmp_path, only=only)

    def test_too_few_photos_to_judge_by_are_reported(self, tmp_path):
        data = draw_dataset(tmp_path / "few", {"boot": 4, "clog": 4})
        with pytest.raises(DatasetError, match="too few photos for a val split; add photos or raise val_share"):
            train(data, replace(QUICK, val_share=0.1), tmp_path / "run", tmp_path)
        with pytest.raises(DatasetError, match="too few photos for a test split; add photos or raise test_share"):
            train(data, replace(QUICK, test_share=0.1, val_share=0.3), tmp_path / "run", tmp_path)

    def test_default_names_are_new(self, dataset, tmp_path):
        assert default_run_name(tmp_path, dataset, "quick") == "shoes-quick-1"
        (runs_folder(tmp_path) / "shoes-quick-1").mkdir(parents=True)
        assert default_run_name(tmp_path, dataset, "quick") == "shoes-quick-2"


class TestInitialize:
    @pytest.fixture
    def network(self):
        torch.manual_seed(1)
        return build_network("mobilenet_v2", 2)

    def start(self, network, init, workspace):
        return load_pretrained(network, "mobilenet_v2", str(init), workspace)

    def test_from_nothing(self, network, tmp_path):
        before = {name: value.clone() for name, value in network.state_dict().items()}
        self.start(network, "none", tmp_path)
        assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())

    def test_from_a_file_with_torchvisions_names(self, network, tmp_path):
        source = lively_model().network.backbone
        tensors = {name: value.contiguous() for name, value in source.state_dict().items()}
        tensors["classifier.1.weight"] = torch.zeros(1000, 1280)
        file = write(tmp_path / "weights.safetensors", safetensors.torch.save(tensors))
        head = network.head.weight.clone()
        assert self.start(network, file, tmp_path)
        assert same_weights(network.backbone, source)
        assert torch.equal(network.head.weight, head)

    def test_from_a_model_by_name(self, network, tmp_path):
        folder = run_model_folder(runs_folder(tmp_path) / "mine")
        save_model(lively_model(), folder)
        assert not self.start(network, "mine", tmp_path)
        assert same_weights(network.backbone, load_model(folder).network.backbone)

    @pytest.mark.parametrize(
        ("data", "message"),
        [(b"no tensors", "isn't a safetensors file"), (None, "do not fit mobilenet_v2: .* are missing")],
    )
    def test_a_wrong_file_is_reported(self, network, tmp_path, data, message):
        data = data or safetensors.torch.save({"features.0.0.weight": torch.zeros(32, 3, 3, 3)})
        with pytest.raises(RecipeError, match=message):
            self.start(network, write(tmp_path / "wrong.safetensors", data), tmp_path)

    def test_an_unknown_name_lists_the_models(self, network, tmp_path):
        save_model(lively_model(), run_model_folder(runs_folder(tmp_path) / "mine"))
        with pytest.raises(RecipeError, match=r"init is 'nobody', but there is no such model or file.*mine"):
            self.start(network, "nobody", tmp_path)

    @pytest.mark.parametrize("at_its_place", [None, b"cut off"])
    def test_imagenet_weights_that_cannot_be_had_name_file_and_place(
        self, network, tmp_path, monkeypatch, capfd, at_its_place
    ):
        for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")  # no server is there
        monkeypatch.setattr("urllib.request._opener", None)  # urllib creates it with the proxies of its first use
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        place = tmp_path / "hub" / "checkpoints" / "mobilenet_v2-7ebf99e0.pth"
        if at_its_place:
            write(place, at_its_place)
        with pytest.raises(
            RecipeError, match=rf"Download https://\S+/{place.name} .* save it as {re.escape(str(place))}"
        ):
            self.start(network, "imagenet", tmp_path)
        assert capfd.readouterr() == ("", "")

    def test_imagenet_weights_are_taken_from_their_place(self, network, tmp_path, monkeypatch):
        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        source = lively_model().network.backbone
        place = tmp_path / "hub" / "checkpoints" / "mobilenet_v2-7ebf99e0.pth"
        place.parent.mkdir(parents=True)
        torch.save(source.state_dict(), place)
        self.start(network, "imagenet", tmp_path)
        assert same_weights(network.backbone, source)
