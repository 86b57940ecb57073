"""Several photos of one sneaker: one answer, calibrated for that many, and how far the photos agree."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sneaker_core as sc
from sneaker_core.catalog.entries import Sneaker
from sneaker_core.catalog.lookup import find_entry, read_catalog
from sneaker_core.catalog.telling_views import telling_view
from sneaker_core.datasets.quality.photo_advice import photo_advice
from sneaker_core.evaluation.calibration import fit_temperature
from sneaker_core.evaluation.metrics import calibration_error
from sneaker_core.evaluation.pooling_fit import FEWEST_GROUPS, fit_pooling_exponent, photo_groups
from sneaker_core.images import DecodedPhoto
from sneaker_core.inference.predictor import PhotoReading, answer_of
from sneaker_core.inference.same_sneaker import DISAGREEMENT, Role, SameSneakerAnswer, same_sneaker_answer
from sneaker_core.networks.checkpoint import SneakerModel, load_model, save_model, save_pooling_exponent, with_spec
from sneaker_core.networks.decision import Decision, Outputs, Reason, Status, probabilities
from sneaker_core.networks.pooling import MOST_POOLED, pooled_temperature, same_ratio
from tests.drawing import draw_sneaker
from tests.factories import lively_model, run_command

CLASSES = ("Nike Air Max 90", "Nike Air Max 95", "Nike Dunk", "Vans Old Skool")
DECISION = Decision(confidence_threshold=0.8, ood_threshold=5, logit_weight=0, pooling_exponent=0.5)
NINETY, NINETY_FIVE, DUNK = [3.0, 1.0, 0.0, 0.0], [1.0, 3.0, 0.0, 0.0], [0.0, 0.0, 9.0, 0.0]


@pytest.fixture(scope="module")
def model() -> SneakerModel:
    return lively_model(CLASSES, has_negatives_class=True, footwear_types=("Loafers",), decision=DECISION)


def reading(model: SneakerModel, logits: list[float] | None, *, none: float = -9, types: float = -9) -> PhotoReading:
    """A photo with these logits of the classes, of no shoe and of loafers; None can't be read."""
    if logits is None:
        return PhotoReading("bad.jpg", None, "The file is empty.", 1.0)
    footwear = None if not model.spec.footwear_types else np.array([[types]], np.float32)
    values, odds = np.array([logits], np.float32), np.array([none], np.float32)
    return PhotoReading("x.jpg", Outputs(values, odds, model.references[:1], footwear), None, 1.0)


def fused(model: SneakerModel, *readings: PhotoReading, digests: str = "abcdefgh") -> SameSneakerAnswer:
    return same_sneaker_answer(model, readings, digests[: len(readings)], top=4)


def top(found: SameSneakerAnswer) -> dict[str, float]:
    return {guess.label: guess.probability for guess in found.answer.top}


class TestOneAnswer:
    def test_logits_are_averaged_and_sharpened_by_the_number_of_photos(self, model):
        logits = [NINETY, [2.0, 1.5, 0.0, 0.0], [2.5, 0.0, 1.0, 0.0]]
        found = fused(model, *(reading(model, one) for one in logits))
        exponents = np.exp(np.mean(logits, axis=0) * np.sqrt(3))
        assert list(top(found)) == [CLASSES[place] for place in np.argsort(-exponents, kind="stable")]
        assert sorted(top(found).values()) == pytest.approx(sorted(exponents / exponents.sum()), abs=1e-6)
        assert found.answer.status is Status.KNOWN
        assert (found.answer.sentence(), found.answer.photos) == ("Almost certainly a Nike Air Max 90", 3)

    def test_the_order_of_the_photos_does_not_matter(self, model):
        rng = np.random.default_rng(0)
        photos = [reading(model, list(rng.normal(size=4))) for _ in range(5)]
        first = fused(model, *photos)
        for _ in range(5):
            order = rng.permutation(5)
            assert fused(model, *(photos[place] for place in order)).answer == first.answer

    @pytest.mark.parametrize("logits", [NINETY, [1.0, 0.9, 0.0, 0.0], DUNK])
    @pytest.mark.parametrize("none", [-9, 20])
    def test_one_photo_gives_the_single_answer(self, model, logits, none):
        photo = reading(model, logits, none=none)
        found, alone = fused(model, photo).answer, answer_of(model, photo, 4)
        assert replace(found, image="", milliseconds=0) == replace(alone, image="", milliseconds=0)

    def test_copies_count_once(self, model):
        photo = reading(model, NINETY)
        once, copied = fused(model, photo), fused(model, photo, photo, photo, digests="aaa")
        assert copied.answer.top == once.answer.top
        assert copied.roles == (Role.COUNTED, Role.COPY, Role.COPY)
        assert copied.left_out() == "Left out: 2 photos that are copies of another one"
        assert fused(model, photo, photo).answer.top[0].probability > once.answer.top[0].probability

    def test_a_model_without_the_fit_is_no_more_certain_than_its_photos(self, model):
        old = with_spec(model, decision=replace(DECISION, pooling_exponent=0.0))
        photos = [reading(old, NINETY)] * 5
        assert fused(old, *photos).answer.top == fused(old, photos[0]).answer.top

    def test_more_photos_than_were_fitted_are_as_certain_as_the_most(self):
        assert pooled_temperature(DECISION, 40) == pooled_temperature(DECISION, MOST_POOLED) < DECISION.temperature


class TestWhatCounts:
    def test_a_photo_without_a_shoe_is_told_and_left_out(self, model):
        shoes = [reading(model, NINETY), reading(model, [2.0, 1.5, 0.0, 0.0])]
        nothing = reading(model, DUNK, none=25)
        found = fused(model, shoes[0], nothing, shoes[1])
        assert found.photos[1].reason is Reason.NOT_FOOTWEAR
        assert found.answer.top == fused(model, *shoes).answer.top
        assert found.roles == (Role.COUNTED, Role.NO_SHOE, Role.COUNTED)
        assert found.left_out() == "Left out: 1 photo without a shoe"
        assert found.warning() is None

    def test_photos_that_cannot_be_read_are_left_out(self, model):
        found = fused(model, reading(model, NINETY), reading(model, None))
        assert found.answer.top == fused(model, reading(model, NINETY)).answer.top
        assert found.left_out() == "Left out: 1 photo that can't be read"
        none = fused(model, reading(model, None), reading(model, None))
        assert (none.answer.status, none.answer.top, none.agreement()) == (Status.ERROR, (), "")
        assert none.answer.sentence() == "2 photos: None of them can be read."

    def test_only_photos_without_a_shoe(self, model):
        found = fused(model, *(reading(model, DUNK, none=25) for _ in range(2)))
        assert (found.answer.status, found.answer.reason) == (Status.UNKNOWN, Reason.NOT_FOOTWEAR)
        assert found.answer.sentence() == "There is no shoe in these photos, or the model can't see it"
        assert (found.left_out(), found.agreement()) == ("", "")

    def test_other_footwear_counts_and_refuses(self, model):
        found = fused(model, *(reading(model, NINETY, types=30) for _ in range(2)))
        assert (found.answer.reason, found.answer.footwear_type) == (Reason.OTHER_FOOTWEAR, "Loafers")
        assert found.agreement() == "Both photos are unknown to the model"

    def test_a_model_that_gives_no_reasons_leaves_a_few_odd_photos_out(self):
        plain = lively_model(CLASSES, has_negatives_class=True, decision=DECISION)
        shoe, odd = reading(plain, NINETY), reading(plain, NINETY, none=40)
        found = fused(plain, shoe, odd, shoe)
        assert found.roles == (Role.COUNTED, Role.UNLIKE, Role.COUNTED)
        assert found.answer.status is Status.KNOWN
        assert fused(plain, shoe, odd).answer.status is Status.UNKNOWN


class TestAgreement:
    @pytest.mark.parametrize(
        ("logits", "sentence"),
        [
            ([NINETY], "The photo says Nike Air Max 90"),
            ([NINETY] * 2, "Both photos say Nike Air Max 90"),
            ([NINETY] * 3, "All 3 photos say Nike Air Max 90"),
            ([NINETY] * 4 + [NINETY_FIVE], "4 of 5 photos say Nike Air Max 90; the fifth says Nike Air Max 95"),
            ([DUNK, NINETY], "1 of 2 photos says Nike Dunk; the second says Nike Air Max 90"),
            (
                [DUNK, NINETY, NINETY, NINETY_FIVE],
                "1 of 4 photos says Nike Dunk; 2 say Nike Air Max 90 and 1 says Nike Air Max 95",
            ),
            (
                [[2.0, 0.0, 1.9, 0.0], [0.0, 2.0, 1.9, 0.0]],
                "Neither photo says Nike Dunk by itself; 1 says Nike Air Max 90 and 1 says Nike Air Max 95",
            ),
        ],
    )
    def test_in_one_sentence(self, model, logits, sentence):
        assert fused(model, *(reading(model, one) for one in logits)).agreement() == sentence

    def test_photos_of_two_sneakers_give_a_warning(self, model):
        sure = reading(model, [9.0, 0.0, 0.0, 0.0])
        assert fused(model, sure, reading(model, DUNK)).warning() == DISAGREEMENT
        assert fused(model, sure, reading(model, [0.0] * 4)).warning() is None

    def test_where_only_a_few_say_the_same_the_answer_is_not_sure(self, model):
        strong, weak = reading(model, [0.0, 0.0, 20.0, 0.0]), reading(model, [4.0, 0.0, 0.0, 0.0])
        few, most = fused(model, strong, weak, weak), fused(model, strong, strong, weak)
        assert few.warning() == most.warning() == DISAGREEMENT
        assert min(found.answer.top[0].probability for found in (few, most)) > DECISION.confidence_threshold
        assert (few.answer.status, most.answer.status) == (Status.UNSURE, Status.KNOWN)

    def test_a_photo_that_says_nothing_neither_agrees_nor_disagrees(self):
        certain, other, flat = np.eye(4)[0], np.eye(4)[1], np.full(4, 0.25)
        groups = np.array([[certain] * 3, [certain, flat, flat], [certain, flat, other]], np.float32)
        assert list(same_ratio(groups)) == pytest.approx([4, 1, 0])
        assert same_ratio(groups[:, :1]).min() == np.inf


class TestCalibration:
    def table(self, shared: float, count: int = 1200, classes: int = 6):
        """Made logits of known quality; `shared` is the part of the noise that all photos of a class have in common."""
        rng = np.random.default_rng(3)
        truth = np.repeat(np.arange(count // 20), 20)
        noise = rng.normal(size=(count, classes)) * np.sqrt(1 - shared)
        noise += (rng.normal(size=(count // 20, classes)) * np.sqrt(shared))[truth]
        logits = noise + 1.5 * np.eye(classes)[truth % classes]
        return logits.astype(np.float32), truth % classes, truth

    def test_independent_photos_add_up_and_dependent_ones_do_not(self):
        fitted = []
        for shared in (0.0, 1.0):
            logits, truth, sneakers = self.table(shared)
            temperature = fit_temperature(logits, truth)
            fitted.append(fit_pooling_exponent(logits, truth, sneakers, temperature))
        assert fitted[0] > 0.9
        assert fitted[1] < 0.1

    def test_groups_are_calibrated_afterwards(self):
        logits, truth, sneakers = self.table(0.0)
        temperature = fit_temperature(logits, truth)
        decision = Decision(temperature=temperature)
        fitted = replace(decision, pooling_exponent=fit_pooling_exponent(logits, truth, sneakers, temperature))
        groups = photo_groups(truth, sneakers, 3, seed=1)
        errors = []
        for one in (decision, fitted):
            chances = probabilities(logits[groups].mean(1), pooled_temperature(one, 3))
            errors.append(calibration_error(chances.max(1), chances.argmax(1) == truth[groups[:, 0]]))
        assert errors[1] < 0.04 < errors[0]

    def test_groups_are_of_one_class_and_world_and_seeded(self):
        truth, worlds = np.repeat([0, 1], 10), np.tile([0, 1], 10)
        groups = photo_groups(truth, worlds, 3, seed=0)
        assert len(groups) == 4 * 1 * 10
        assert all(len(set(values[rows])) == 1 for rows in groups for values in (truth, worlds))
        assert all(len(set(rows)) == 3 for rows in groups)
        assert (groups == photo_groups(truth, worlds, 3, seed=0)).all()
        assert photo_groups(truth, worlds, 6, seed=0).shape == (0, 6)

    def test_too_few_photos_give_no_gain(self):
        logits, truth, sneakers = self.table(0.0, count=40)
        assert len(photo_groups(truth, sneakers, MOST_POOLED, 0)) < FEWEST_GROUPS
        assert fit_pooling_exponent(logits, truth, sneakers, 1.0) == 0

    def test_a_model_keeps_it(self, model, tmp_path: Path):
        save_model(model, tmp_path)
        checksum = json.loads((tmp_path / "model.json").read_text())["weights_sha256"]
        save_pooling_exponent(tmp_path, 0.7)
        assert load_model(tmp_path).spec.decision == replace(DECISION, pooling_exponent=0.7)
        assert checksum == hashlib.sha256((tmp_path / "weights.safetensors").read_bytes()).hexdigest()
        values = json.loads((tmp_path / "model.json").read_text())
        del values["decision"]["pooling_exponent"]
        (tmp_path / "model.json").write_text(json.dumps(values))
        assert load_model(tmp_path).spec.decision.pooling_exponent == 0


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("same")
    for number in range(2):
        draw_sneaker(number, (120, 90)).save(folder / f"{number}.jpg")
    (folder / "copy.jpg").write_bytes((folder / "0.jpg").read_bytes())
    (folder / "bad.jpg").write_text("no photo")
    return [folder / name for name in ("0.jpg", "1.jpg", "copy.jpg", "bad.jpg")]


def test_the_command_adds_a_line(workspace: Path, files: list[Path]):
    alone = run_command(workspace, "predict", *files, "--model", "tiny")
    done = run_command(workspace, "predict", *files, "--model", "tiny", "--same-sneaker")
    *lines, last = map(json.loads, done.stdout.splitlines())
    assert [{**line, "ms": 0} for line in lines] == [{**json.loads(x), "ms": 0} for x in alone.stdout.splitlines()]
    assert last["images"] == [line["image"] for line in lines] == list(map(str, files))
    assert set(last) == set(lines[0]) - {"image"} | {"images", "roles", "agreement", "warning"}
    assert last["roles"] == ["counted", "counted", "copy", "unreadable"]
    assert last["agreement"]["counted"] == 2
    assert done.returncode == alone.returncode == 1


def test_the_python_interface_gives_the_same(workspace: Path, files: list[Path]):
    found = sc.predict_same(files, model="tiny", workspace=workspace)
    done = run_command(workspace, "predict", *files, "--model", "tiny", "--same-sneaker")
    assert {**found.to_dict(), "ms": 0} == {**json.loads(done.stdout.splitlines()[-1]), "ms": 0}
    for bad in ([files[-1]], []):
        with pytest.raises(sc.ImageError):
            sc.predict_same(bad, model="tiny", workspace=workspace)


class TestWhichPhotoWouldHelp:
    def advice(self, image: Image.Image, size: tuple[int, int] = (640, 480)) -> str | None:
        return photo_advice(DecodedPhoto(image, *size, ".jpg"))

    def test_what_is_measurably_wrong_is_said(self):
        good = draw_sneaker(0, (256, 192))
        assert self.advice(good) is None
        assert self.advice(good, (90, 70)).startswith("A larger photo would help: this one has only 70 pixels")
        assert self.advice(good.point(lambda value: value // 8)).startswith("A brighter photo")
        assert self.advice(good.resize((20, 15)).resize((256, 192))).startswith("A sharper photo")
        far = Image.new("RGB", (256, 192), "white")
        far.paste(good.resize((80, 60)), (90, 60))
        assert self.advice(far).startswith("A photo from closer up would help: the shoe fills only 1")

    def test_look_alikes_are_told_apart_by_their_marks(self):
        assert telling_view(self.sneaker("Nike Air Max 1"), self.sneaker("Nike Air Max 90")) is not None
        assert telling_view(self.sneaker("Nike Air Max 1"), self.sneaker("Vans Sk8-Hi")) is None
        pairs = [(one, self.sneaker(name)) for one in read_catalog().sneakers for name in one.look_alikes]
        views = [telling_view(one, other) for one, other in pairs]
        assert views == [telling_view(other, one) for one, other in pairs]
        assert {"from the side", "of the heel", "of the toe"} <= set(views)

    def sneaker(self, name: str) -> Sneaker:
        found = find_entry(name)
        assert isinstance(found, Sneaker)
        return found
