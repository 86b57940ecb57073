"""The synthetic dataset: the same for the same seed, with exactly the flaws that it records."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from sneaker_core.datasets.index import create_index
from sneaker_core.datasets.near_duplicates import MAX_HASH_DISTANCE, perceptual_hashes
from sneaker_core.datasets.synthetic.colors import choose_colorway
from sneaker_core.datasets.synthetic.demo_dataset import planted_path, read_planted
from sneaker_core.datasets.synthetic.redrawn_photos import redraw_photos
from sneaker_core.datasets.synthetic.rendering import draw_photo, take_photo
from sneaker_core.datasets.synthetic.sample_plan import CLASSES, Flaw, SyntheticPhoto, generate_photos
from sneaker_core.datasets.synthetic.shoe_outlines import SHOES
from sneaker_core.datasets.synthetic.sneaker_painter import paint_sneaker, silhouette
from sneaker_core.errors import DatasetError
from sneaker_core.images import decode

pytestmark = pytest.mark.slow

PAIR = ("Air Runner One", "Air Runner Zero")


@pytest.fixture(scope="module")
def photos() -> list[SyntheticPhoto]:
    return list(generate_photos(per_class=23, seed=3))


@pytest.fixture(scope="module")
def pictures(photos: list[SyntheticPhoto]) -> dict[str, Image.Image]:
    return {photo.name: decode(photo.data) for photo in photos}


def flawed(photos: list[SyntheticPhoto], flaw: Flaw | None) -> list[SyntheticPhoto]:
    return [photo for photo in photos if photo.flaw == flaw]


def hashes(images: list[Image.Image]) -> np.ndarray:
    return np.concatenate([perceptual_hashes(np.asarray(image)[None]) for image in images])


def sharpness(image: Image.Image) -> float:
    gray = image.convert("L").resize((192, 144))
    return float(np.asarray(gray.filter(ImageFilter.FIND_EDGES), dtype=float)[2:-2, 2:-2].var())


class TestSeed:
    def test_same_numbers_same_bytes(self):
        assert list(generate_photos(4, seed=5)) == list(generate_photos(4, seed=5))

    def test_other_seed_other_bytes(self):
        first, second = list(generate_photos(4, seed=5)), list(generate_photos(4, seed=6))
        assert not {photo.data for photo in first} & {photo.data for photo in second}

    def test_a_photo_does_not_depend_on_how_many_there_are(self):
        small, large = ({p.name: p for p in generate_photos(n, seed=1)} for n in (4, 6))
        same = [name for name in small if name in large and small[name].flaw is None and large[name].flaw is None]
        assert len(same) > 10
        assert all(small[name].data == large[name].data for name in same)

    def test_negative_seed(self):
        assert next(generate_photos(4, seed=-1)).data != next(generate_photos(4, seed=1)).data


class TestPlan:
    @pytest.mark.parametrize("per_class", [4, 23])
    def test_counts(self, per_class, photos):
        photos = photos if per_class == 23 else list(generate_photos(per_class, seed=per_class))
        counts = Counter(photo.label for photo in photos)
        assert set(counts) == set(CLASSES)
        assert max(counts.values()) == per_class
        assert 2 <= min(counts.values()) <= per_class * 0.5
        flaws = Counter(photo.flaw for photo in photos)
        for flaw, share in ((Flaw.NEAR_DUPLICATE, 0.06), (Flaw.WRONG_LABEL, 0.04)):
            assert flaws[flaw] == max(round(len(photos) * share), 1)
        for flaw in (Flaw.BLURRY, Flaw.DARK, Flaw.OVEREXPOSED, Flaw.TOO_SMALL, Flaw.NOT_SNEAKER):
            assert flaws[flaw] == max(round(len(photos) * 0.01), 1)
        assert {photo.label for photo in flawed(photos, None)} == set(CLASSES)

    def test_names(self, photos):
        assert len({photo.name for photo in photos}) == len(photos)
        for photo in photos:
            assert photo.name.startswith(photo.label.lower().replace(" ", "-"))

    def test_truth(self, photos):
        for photo in photos:
            if photo.flaw == Flaw.WRONG_LABEL:
                assert photo.true_label in CLASSES
                assert photo.true_label != photo.label
            elif photo.flaw == Flaw.NOT_SNEAKER:
                assert photo.true_label is None
            elif photo.flaw != Flaw.NEAR_DUPLICATE:
                assert photo.true_label == photo.label

    def test_copies_are_of_good_photos(self, photos):
        by_name = {photo.name: photo for photo in photos}
        copies = flawed(photos, Flaw.NEAR_DUPLICATE)
        assert [photo for photo in photos if photo.copy_of] == copies
        sources = [by_name[photo.copy_of] for photo in copies]
        assert len({source.name for source in sources}) == len(sources)
        assert all(source.flaw is None for source in sources)
        assert all(copy.true_label == source.label for copy, source in zip(copies, sources, strict=True))

    def test_some_copies_are_filed_elsewhere(self, photos):
        copies = flawed(photos, Flaw.NEAR_DUPLICATE)
        assert len(copies) >= 12
        assert 1 <= sum(photo.label != photo.true_label for photo in copies) <= 3

    @pytest.mark.parametrize("per_class", [3, 501, -1])
    def test_out_of_range(self, per_class):
        with pytest.raises(DatasetError, match="4 to 500"):
            generate_photos(per_class)


class TestPictures:
    def test_every_photo_is_a_jpeg_of_its_size(self, photos, pictures):
        sizes = {pictures[photo.name].size for photo in flawed(photos, None)}
        assert sizes <= {(384, 288), (400, 300), (360, 360), (320, 240)}
        assert len(sizes) > 1
        assert all(photo.data.startswith(b"\xff\xd8\xff") for photo in photos)
        assert all(pictures[photo.name].size == (72, 54) for photo in flawed(photos, Flaw.TOO_SMALL))

    def test_camera_flaws_show(self, photos, pictures):
        def brightness(flaw):
            return [np.asarray(pictures[photo.name]).mean() / 255 for photo in flawed(photos, flaw)]

        assert max(brightness(Flaw.DARK)) < 0.12
        assert min(brightness(Flaw.OVEREXPOSED)) > 0.88
        assert 0.2 < min(brightness(None)) <= max(brightness(None)) < 0.92
        good = [sharpness(pictures[photo.name]) for photo in flawed(photos, None)]
        assert max(sharpness(pictures[photo.name]) for photo in flawed(photos, Flaw.BLURRY)) < min(good) / 2

    def test_copies_are_near_and_all_others_apart(self, photos, pictures):
        images = [pictures[photo.name] for photo in photos]
        straight, mirrored = hashes(images), hashes([ImageOps.mirror(image) for image in images])
        place = {photo.name: number for number, photo in enumerate(photos)}
        apart = np.minimum(
            (straight[:, None] != straight[None]).sum(-1),
            (straight[:, None] != mirrored[None]).sum(-1),
        )
        np.fill_diagonal(apart, 256)
        for photo in flawed(photos, Flaw.NEAR_DUPLICATE):
            pair = (place[photo.name], place[photo.copy_of])
            assert apart[pair] <= MAX_HASH_DISTANCE
            apart[pair] = apart[pair[::-1]] = 256
        assert apart.min() > MAX_HASH_DISTANCE + 4


class TestDrawing:
    def test_enough_models(self):
        assert set(PAIR) <= set(CLASSES)
        assert len(CLASSES) >= 11

    @pytest.mark.parametrize("label", CLASSES)
    def test_nothing_is_cut_off(self, label):
        """The sneaker is inside the picture, and nothing is painted outside its area."""
        shoe, size, painted = SHOES[label], (192, 144), []

        def paint(canvas):
            paint_sneaker(canvas, shoe, choose_colorway(np.random.default_rng(0)), bow=1.15)
            painted.append(canvas)

        for seed in range(12):
            take_photo(silhouette(shoe), paint, (200, 200, 200), np.random.default_rng(seed), size)
            canvas = painted[-1]
            places = canvas.view.at(silhouette(shoe))
            assert (places > 0).all()
            assert (places < size).all()
            cover = canvas.finished()[1][..., 2]
            assert cover.mean() > 0.3
            assert max(cover[0].max(), cover[-1].max(), cover[:, 0].max(), cover[:, -1].max()) == 0, seed

    def test_any_size(self):
        for size in ((40, 40), (72, 54), (300, 500)):
            assert draw_photo("Court Low", np.random.default_rng(0), size).size == size

    def test_the_pair_differs_in_the_heel_window_alone(self):
        for seed in range(6):
            one, zero = (np.asarray(draw_photo(label, np.random.default_rng(seed)), dtype=float) for label in PAIR)
            changed = np.abs(one - zero).max(-1) > 12
            rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
            assert changed.sum() > 150
            # A window is about 30 of the 100 units that the sneaker is long, and 10 high.
            assert columns[-1] - columns[0] < 384 * 0.36
            assert rows[-1] - rows[0] < 288 * 0.34
            outside = np.abs(one - zero).max(-1)
            outside[max(rows[0] - 8, 0) : rows[-1] + 9, max(columns[0] - 8, 0) : columns[-1] + 9] = 0
            assert outside.max() <= 12

    def test_models_of_one_seed_look_different(self):
        images = [draw_photo(label, np.random.default_rng(2), (200, 150)) for label in CLASSES]
        bits = hashes(images)
        apart = (bits[:, None] != bits[None]).sum(-1) + 256 * np.eye(len(CLASSES), dtype=int)
        pair = tuple(CLASSES.index(label) for label in PAIR)
        assert apart[pair] < 40
        apart[pair] = apart[pair[::-1]] = 256
        assert apart.min() > 8

    def test_unknown_label(self):
        with pytest.raises(DatasetError, match="Wellington"):
            draw_photo("Wellington", np.random.default_rng(0))

    def test_classes_are_the_shapes(self):
        assert tuple(sorted(SHOES)) == CLASSES


def test_planted_flaws_of_an_older_version_have_their_new_names(tmp_path):
    dataset = create_index(tmp_path / "drawn", "drawn")
    planted_path(dataset).write_text(
        "sample,name,label,true_label,flaw,copy_of\na,1.jpg,x,x,near_copy,2.jpg\nb,3.jpg,x,x,bright,\nc,4.jpg,x,x,dark,\n"
    )
    assert read_planted(dataset)["flaw"].tolist() == [Flaw.NEAR_DUPLICATE, Flaw.OVEREXPOSED, Flaw.DARK]


class TestRedrawing:
    def test_photos_are_drawn_again_byte_for_byte(self, tmp_path: Path):
        photos = {photo.name: photo.data for photo in generate_photos(6, 3)}
        wanted = list(photos)[::9]
        files = redraw_photos(tmp_path, [*wanted, "no-such-shoe-0001.jpg", "../outside.jpg"], 6, 3)
        assert list(files) == wanted
        assert [file.read_bytes() for file in files.values()] == [photos[name] for name in wanted]

    def test_only_what_is_missing_is_drawn(self, tmp_path: Path):
        first, second = [photo.name for photo in generate_photos(6, 3)][:2]
        kept = redraw_photos(tmp_path, [first], 6, 3)[first]
        kept.write_bytes(b"kept")
        assert redraw_photos(tmp_path, [first, second], 6, 3)[first].read_bytes() == b"kept"
