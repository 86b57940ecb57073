"""Findings: measures of generated pictures, comparisons, and the whole scan."""

import functools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageOps
from threadpoolctl import threadpool_limits

from sneaker_core.datasets.dataset_split import find_leaks, make_split
from sneaker_core.datasets.importer import Importer, IncomingPhoto
from sneaker_core.datasets.index import Dataset, create_index, open_index, read_samples
from sneaker_core.datasets.near_duplicates import MIN_SKETCH_CORRELATION, group_near_duplicates
from sneaker_core.datasets.quality.finding_rules import Thresholds
from sneaker_core.datasets.quality.findings import Kind, read_findings, read_near_duplicate_groups
from sneaker_core.datasets.quality.label_errors import MIN_PHOTOS, out_of_fold, suspected_labels
from sneaker_core.datasets.quality.measures import SKETCH_SIDE, measure, sketch
from sneaker_core.datasets.quality.outliers import lay_out_map, neighbor_distance
from sneaker_core.datasets.quality.scan import read_map, scan
from sneaker_core.datasets.review_log import Action, decide
from sneaker_core.datasets.synthetic.demo_dataset import make_synthetic, read_planted
from sneaker_core.datasets.thumbnails import thumbnail_path
from sneaker_core.errors import DatasetError
from sneaker_core.networks.checkpoint import SneakerModel
from tests.drawing import draw_sneaker
from tests.factories import jpeg, lively_model, photo

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Use one thread: with so few photos on busy cores, threads mostly wait for each other."""
    with threadpool_limits(1):
        yield


SHARP, BLURRED = Thresholds().min_sharpness, 0.4


@functools.cache
def scene(seed: int = 0, size: tuple[int, int] = (256, 192)) -> Image.Image:
    """A picture with edges and texture, as sharp as a thumbnail can be."""
    return draw_sneaker(seed, (size[0] * 2, size[1] * 2)).resize(size, Image.Resampling.LANCZOS)


def toned(picture: Image.Image, low: int, high: int) -> Image.Image:
    """The same picture with its tones limited to a range."""
    return picture.point(lambda value: round(low + value * (high - low) / 255))


class TestMeasures:
    @pytest.mark.parametrize("seed", range(3))
    def test_sharpness_falls_with_every_blur(self, seed):
        values = [measure(scene(seed).filter(ImageFilter.GaussianBlur(sigma))).sharpness for sigma in (0, 1, 2, 4, 6)]
        assert values == sorted(values, reverse=True)
        assert values[0] > SHARP
        assert values[3] < BLURRED

    def test_sharpness_does_not_depend_on_contrast(self):
        sharp, blurred = scene(1), scene(1).filter(ImageFilter.GaussianBlur(4))
        for picture in (sharp, blurred):
            whole, pale = measure(picture).sharpness, measure(toned(picture, 100, 180)).sharpness
            assert pale == pytest.approx(whole, abs=0.1)
        assert measure(toned(sharp, 100, 180)).sharpness > measure(blurred).sharpness

    def test_sharpness_does_not_depend_on_how_much_is_empty(self):
        small = Image.new("RGB", (256, 256), "white")
        small.paste(scene(1, (96, 72)), (80, 90))
        assert measure(small).sharpness > SHARP
        blurred = Image.new("RGB", (256, 256), "white")
        blurred.paste(scene(1, (96, 72)), (80, 90))
        assert measure(blurred.filter(ImageFilter.GaussianBlur(4))).sharpness < BLURRED

    def test_light_and_dark_are_those_of_the_lightest_and_darkest_parts(self):
        picture = scene(2)
        assert measure(toned(picture, 0, 30)).light < Thresholds().min_light < measure(picture).light
        assert measure(toned(picture, 240, 255)).dark > Thresholds().max_dark > measure(picture).dark
        white = Image.new("RGB", (100, 100), "white")
        white.paste(Image.new("RGB", (100, 20), "black"))
        found = measure(white)
        assert (found.dark, found.light, round(found.brightness, 2)) == (0.0, 1.0, 0.8)

    @pytest.mark.parametrize("size", [(256, 192), (1, 1), (2, 1), (1, 300), (3, 3), (12, 12)])
    @pytest.mark.parametrize("color", ["black", "white", "red"])
    def test_one_tone_and_tiny_pictures_can_be_measured(self, size, color):
        found = measure(Image.new("RGB", size, color))
        assert found.sharpness == 0
        assert found.light == found.dark == pytest.approx(found.brightness, abs=1e-6)
        assert found.hash.shape == found.mirrored_hash.shape == (256,)
        assert found.sketch.shape == (SKETCH_SIDE, SKETCH_SIDE, 3)

    def test_the_mirrored_hash_is_that_of_the_mirror_image(self):
        found, mirrored = measure(scene(3)), measure(ImageOps.mirror(scene(3)))
        assert (found.mirrored_hash == mirrored.hash).all()
        assert (found.hash != mirrored.hash).sum() > 30


def on_ground(shoe: Image.Image, size: tuple[int, int], ground: str = "white") -> Image.Image:
    picture = Image.new("RGB", size, ground)
    outline = Image.new("L", shoe.size)
    ImageDraw.Draw(outline).ellipse((0, 0, shoe.width, shoe.height), fill=255)
    picture.paste(shoe, ((size[0] - shoe.width) // 2, (size[1] - shoe.height) // 2), outline)
    return picture


def block(seed: int, color: tuple[int, int, int] = (190, 60, 40)) -> Image.Image:
    """A shape that stands out from the background, with one main color and its own pattern."""
    pattern = np.random.default_rng(seed).uniform(0.3, 1, (4, 6, 1))
    return Image.fromarray((pattern * color).astype(np.uint8)).resize((160, 100), Image.Resampling.BICUBIC)


class TestSketch:
    @pytest.mark.parametrize("ground", ["white", "black", "skyblue"])
    def test_is_the_same_on_a_wide_and_on_a_narrow_ground(self, ground):
        wide, narrow = sketch(on_ground(block(1), (256, 192), ground)), sketch(on_ground(block(1), (180, 120), ground))
        assert np.abs(wide.astype(int) - narrow.astype(int)).mean() < 12

    def test_differs_for_another_color_and_shape(self):
        first = sketch(on_ground(block(1), (256, 192))).astype(int)
        assert np.abs(first - sketch(on_ground(block(1, (40, 60, 190)), (256, 192)))).mean() > 30
        assert (
            np.corrcoef(first.ravel(), sketch(on_ground(block(2), (256, 192))).ravel())[0, 1] < MIN_SKETCH_CORRELATION
        )

    def test_without_an_even_ground_it_is_of_the_whole(self):
        noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (192, 256, 3), dtype=np.uint8))
        whole = np.asarray(noise.resize((SKETCH_SIDE, SKETCH_SIDE), Image.Resampling.BOX))
        assert (sketch(noise) == whole).all()


def group_photos(pictures: list[Image.Image], embeddings: np.ndarray | None = None) -> list[int]:
    found = [measure(picture) for picture in pictures]
    arrays = (np.stack([getattr(one, name) for one in found]) for name in ("hash", "mirrored_hash", "sketch"))
    return group_near_duplicates(*arrays, embeddings).tolist()


def reopened(picture: Image.Image, tmp_path: Path, quality: int) -> Image.Image:
    picture.save(tmp_path / "copy.jpg", quality=quality)
    return Image.open(tmp_path / "copy.jpg").convert("RGB")


class TestCopies:
    def test_recompressed_resized_and_mirrored_photos_are_one_group(self, tmp_path):
        first, second = photo(1, (200, 150)), photo(2, (200, 150))
        pictures = [first, reopened(first, tmp_path, 30), first.resize((120, 90)), ImageOps.mirror(first)]
        groups = group_photos([*pictures, second, ImageOps.mirror(second)])
        assert groups == [groups[0]] * 4 + [groups[4]] * 2
        assert groups[0] != groups[4]

    def test_different_photos_stay_apart(self):
        count = 30
        alike = np.full((count, 8), 8**-0.5, np.float32)
        assert len(set(group_photos([photo(seed, (100, 75)) for seed in range(count)], alike))) == count

    def test_reframed_photos_with_similar_embeddings_are_found(self):
        pictures = [on_ground(block(1), (256, 192)), on_ground(block(1), (180, 120)), on_ground(block(2), (256, 192))]
        alike, unlike = np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32)
        alike[1] = alike[0]
        first, again, other = group_photos(pictures, alike)
        assert first == again != other
        assert len(set(group_photos(pictures, unlike))) == 3
        assert len(set(group_photos(pictures))) == 3

    def test_no_photos_have_no_groups(self):
        empty = np.zeros((0, 256), np.bool_)
        assert len(group_near_duplicates(empty, empty, np.zeros((0, SKETCH_SIDE, SKETCH_SIDE, 3), np.uint8))) == 0


def clusters(
    per_class: int, classes: int = 3, dimensions: int = 24, spread: float = 0.35, seed: int = 0
) -> tuple[np.ndarray, pd.Series]:
    """Unit-length embeddings around one center per class, and their labels."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(classes, dimensions))
    numbers = np.repeat(np.arange(classes), per_class)
    vectors = centers[numbers] + spread * rng.normal(size=(len(numbers), dimensions))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit.astype(np.float32), pd.Series([f"class {number}" for number in numbers])


def middle_of(vectors: np.ndarray) -> np.ndarray:
    return vectors.mean(0) / np.linalg.norm(vectors.mean(0))


def alone(labels: pd.Series) -> pd.Series:
    return pd.Series(range(len(labels)), index=labels.index)


class TestNeighbors:
    def test_a_planted_outlier_is_farthest(self):
        vectors, labels = clusters(20)
        vectors[7] = -vectors[7]
        distance = neighbor_distance(vectors, labels.to_numpy(dtype=object), np.arange(60))
        assert distance.argmax() == 7
        assert distance[7] > Thresholds().outlier_distance
        assert (np.delete(distance, 7) < Thresholds().outlier_distance).all()
        assert abs(np.median(distance)) < 1e-9

    def test_near_duplicates_do_not_count_as_neighbors(self):
        vectors, labels = clusters(20)
        vectors[:7] = -vectors[0]
        names = labels.to_numpy(dtype=object)
        groups = np.arange(60)
        assert neighbor_distance(vectors, names, groups)[:7].max() < 1
        groups[:7] = 0
        assert neighbor_distance(vectors, names, groups)[:7].min() > Thresholds().outlier_distance

    @pytest.mark.parametrize("count", range(6))
    def test_few_photos_are_not_judged(self, count):
        vectors, labels = clusters(count, classes=1)
        assert neighbor_distance(vectors, labels.to_numpy(dtype=object), np.arange(count)).tolist() == [0.0] * count

    def test_classes_too_small_are_left_alone(self):
        vectors, labels = clusters(20)
        labels[:3] = "rare"
        distance = neighbor_distance(vectors, labels.to_numpy(dtype=object), np.arange(60))
        assert (distance[:3] == 0).all()
        assert (distance[3:] != 0).sum() > 50


class TestLabels:
    @pytest.mark.parametrize("seed", range(3))
    def test_wrong_labels_are_found_with_few_false_positives(self, seed):
        vectors, labels = clusters(40, classes=4, seed=seed)
        flipped = np.random.default_rng(seed).choice(160, 12, replace=False)
        given = labels.copy()
        given[flipped] = [f"class {(int(label[-1]) + 1) % 4}" for label in labels[flipped]]
        suspected = suspected_labels(vectors, given, alone(given))
        hits = set(suspected.index) & set(flipped)
        assert len(hits) >= 11
        assert len(hits) / len(suspected) >= 0.8
        assert (suspected.loc[sorted(hits), "suggestion"] == labels[sorted(hits)]).all()
        assert suspected["score"].is_monotonic_decreasing
        assert suspected["score"].between(0, 1).all()

    def test_right_labels_are_rarely_suspected(self):
        vectors, labels = clusters(40, classes=4)
        suspected = suspected_labels(vectors, labels, alone(labels))
        assert (suspected["score"] >= Thresholds().min_label_score).sum() == 0

    def test_a_mislabeled_near_duplicate_does_not_support_its_label(self):
        vectors, labels = clusters(30)
        given = labels.copy()
        given[:3] = "class 1"
        vectors[:3] = middle_of(vectors[:30])
        groups = alone(labels)
        groups[:3] = 0
        assert {0, 1, 2} <= set(suspected_labels(vectors, given, groups).index)

    def test_no_classifier_was_trained_on_the_photos_it_judges(self):
        # Random vectors with random labels: only a classifier that has seen the labels could be right.
        rng = np.random.default_rng(0)
        vectors, numbers = rng.normal(size=(120, 40)).astype(np.float32), np.arange(120) % 2
        groups = np.arange(120) // 4
        numbers[:] = rng.integers(0, 2, 30)[groups]
        vectors = vectors[groups * 4] + 0.01 * vectors
        chances = out_of_fold(vectors, numbers, groups, 0)
        assert (chances.argmax(1) == numbers).mean() < 0.75
        assert np.allclose(chances.sum(1), 1)

    def test_classes_too_small_are_left_alone(self):
        vectors, labels = clusters(20)
        rare = MIN_PHOTOS - 1
        given = labels.copy()
        given[:rare] = "rare"
        assert not set(suspected_labels(vectors, given, alone(given)).index) & set(range(rare))
        one = pd.Series(["class 0"] * 60)
        assert len(suspected_labels(vectors, one, alone(one))) == 0

    def test_the_index_of_the_labels_is_kept(self):
        vectors, labels = clusters(30)
        labels[5], vectors[5] = "class 2", middle_of(vectors[:30])
        labels.index = labels.index[::-1] + 1000
        assert labels.index[5] in suspected_labels(vectors, labels, alone(labels)).index


class TestMap:
    @pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7, 60])
    def test_every_photo_has_a_position(self, count):
        vectors, _ = clusters(count, classes=1)
        places = lay_out_map(vectors)
        assert (places.shape, places.dtype) == ((count, 2), np.float32)
        assert np.abs(places).max(initial=0) <= 1

    def test_the_same_photos_give_the_same_map(self):
        vectors, _ = clusters(15)
        np.testing.assert_array_equal(lay_out_map(vectors), lay_out_map(vectors))

    def test_similar_photos_are_close(self):
        vectors, labels = clusters(20, spread=0.1)
        places = lay_out_map(vectors)
        apart = np.linalg.norm(places[:, None] - places[None], axis=2)
        np.fill_diagonal(apart, np.inf)
        assert (labels.to_numpy()[apart.argmin(1)] == labels.to_numpy()).all()

    def test_photos_that_all_look_the_same_have_places_too(self):
        places = lay_out_map(np.ones((8, 16), np.float32) / 4)
        assert np.isfinite(places).all()


@pytest.fixture(scope="module")
def model() -> SneakerModel:
    return lively_model()


@pytest.fixture(scope="module")
def drawn_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "drawn"
    make_synthetic(create_index(folder, "drawn"), per_class=12, seed=3)
    return folder


@pytest.fixture
def drawn(drawn_once: Path, tmp_path: Path) -> Dataset:
    shutil.copytree(drawn_once, tmp_path / "drawn")
    return open_index(tmp_path / "drawn")


@pytest.fixture
def noise(tmp_path: Path) -> Callable[[int], Dataset]:
    """A dataset with this many small photos in two classes, generated quickly."""

    def made(count: int) -> Dataset:
        dataset = create_index(tmp_path / "noise", "noise")
        add_noise(dataset, range(count))
        return dataset

    return made


def add_noise(dataset: Dataset, seeds: range) -> None:
    with Importer(dataset, "test") as importer:
        for seed in seeds:
            importer.add(IncomingPhoto(f"{seed:04}.jpg", f"class {seed % 2}", jpeg(photo(seed, (32, 24)))))


def counted(dataset: Dataset, table: str) -> int:
    with dataset.reading() as db:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


class TestScan:
    @pytest.mark.parametrize("seeing", [False, True], ids=["without a model", "with a model"])
    def test_what_is_planted_is_found(self, drawn, model, seeing):
        steps: list[tuple[int, int, str]] = []
        assert scan(drawn, model if seeing else None, report=lambda *told: steps.append(told))
        planted = read_planted(drawn)
        findings, groups = read_findings(drawn), read_near_duplicate_groups(drawn)
        for flaw in ("blurry", "dark", "overexposed", "too_small"):
            expected = set(planted.loc[planted["flaw"] == flaw, "sample"])
            assert expected
            assert expected <= set(findings.loc[findings["kind"] == flaw, "sample"]), flaw
        samples = read_samples(drawn)
        named = dict(zip(samples["name"], samples["sample"], strict=True))
        pairs = planted[planted["copy_of"].notna()]
        originals = pairs["copy_of"].map(named)
        assert len(pairs) >= 3
        assert (groups[pairs["sample"]].to_numpy() == groups[originals].to_numpy()).all()
        copies = set(findings.loc[findings["kind"] == "near_duplicate", "sample"])
        assert copies == set(pairs["sample"]) | set(originals)
        assert drawn.fact("scan")["photos"] == len(samples) == len(groups)
        assert drawn.fact("scan")["model"] == ("lively" if seeing else None)
        assert len(read_map(drawn)) == (len(samples) if seeing else 0)
        assert {step for *_, step in steps} == {
            "Measuring photos", "Comparing photos", *(["Embedding photos"] if seeing else []),
        }  # fmt: skip
        assert all(0 <= done <= total for done, total, _ in steps)
        make_split(drawn, 0.15, 0.15)
        assert len(find_leaks(drawn)) == 0

    def test_good_photos_have_few_findings(self, drawn):
        scan(drawn, None)
        findings, planted = read_findings(drawn), read_planted(drawn)
        plain = findings[findings["kind"].isin(["blurry", "dark", "overexposed", "too_small", "odd_aspect_ratio"])]
        false = set(plain["sample"]) - set(planted["sample"])
        assert len(false) <= 0.03 * len(read_samples(drawn))

    def test_a_stopped_scan_continues(self, noise, model):
        dataset = noise(300)
        looks: list[int] = []
        assert not scan(dataset, None, stopped=lambda: True)
        first = counted(dataset, "measures")
        assert 0 < first < 300
        assert (dataset.fact("scan"), len(read_findings(dataset))) == (None, 0)
        # Photos that were measured are not measured again: their thumbnails are not even opened.
        with dataset.reading() as db:
            done = [sample for (sample,) in db.execute("SELECT sample FROM measures")]
        for sample in done:
            thumbnail_path(dataset, sample).write_bytes(b"not a picture any more")
        assert scan(dataset, None, report=lambda done, total, step: looks.append(total) if "Meas" in step else None)
        assert set(looks) == {300 - first}
        assert counted(dataset, "measures") == dataset.fact("scan")["photos"] == 300

    def test_embedding_continues_too(self, noise, model):
        dataset = noise(40)
        assert scan(dataset, None)
        asked: list[int] = []
        assert not scan(dataset, model, stopped=lambda: asked.append(1) or len(asked) >= 2)
        first = counted(dataset, "embeddings")
        assert 0 < first < 40
        totals: set[int] = set()
        assert scan(dataset, model, report=lambda done, total, step: totals.add(total) if "Embed" in step else None)
        assert totals == {40 - first}
        assert len(read_map(dataset)) == 40

    def test_a_second_scan_looks_at_new_photos_only(self, noise, model):
        dataset = noise(12)
        scan(dataset, model)
        add_noise(dataset, range(12, 20))
        assert len(read_near_duplicate_groups(dataset)) == 12
        steps: set[tuple[int, str]] = set()
        scan(dataset, model, report=lambda done, total, step: steps.add((total, step)))
        assert {step for step in steps if "photos" in step[1] and "Comp" not in step[1]} == {
            (8, "Measuring photos"), (8, "Embedding photos"),
        }  # fmt: skip
        assert (
            len(read_near_duplicate_groups(dataset)) == len(read_map(dataset)) == dataset.fact("scan")["photos"] == 20
        )

    def test_another_model_embeds_all_photos_again(self, noise, model):
        dataset = noise(12)
        scan(dataset, model)
        with dataset.reading() as db:
            first = dict(db.execute("SELECT sample, vector FROM embeddings").fetchall())
        other = lively_model(seed=5)
        scan(dataset, SneakerModel(replace(other.spec, name="other"), other.network, other.references))
        with dataset.reading() as db:
            second = dict(db.execute("SELECT sample, vector FROM embeddings").fetchall())
        assert first.keys() == second.keys()
        assert all(first[sample] != second[sample] for sample in first)
        assert dataset.fact("scan")["model"] == "other"
        scan(dataset, None)
        assert counted(dataset, "embeddings") == 12

    @pytest.mark.parametrize("seeing", [False, True])
    def test_photos_that_have_vanished_do_not_end_the_scan(self, noise, model, seeing):
        dataset = noise(12)
        rows = read_samples(dataset)
        Path(rows["path"][0]).unlink()
        Path(rows["path"][1]).unlink()
        thumbnail_path(dataset, rows["sample"][1]).unlink()
        thumbnail_path(dataset, rows["sample"][2]).write_bytes(b"damaged")
        assert scan(dataset, model if seeing else None)
        assert dataset.fact("scan")["photos"] >= 10
        assert rows["sample"][3] in read_near_duplicate_groups(dataset)

    @pytest.mark.parametrize("seeing", [False, True])
    def test_a_scan_of_nothing_but_vanished_photos_has_a_clear_error(self, noise, model, seeing):
        dataset = noise(3)
        shutil.rmtree(dataset.images)
        shutil.rmtree(dataset.folder / "thumbnails")
        with pytest.raises(DatasetError, match="Can't read any photo"):
            scan(dataset, model if seeing else None)

    @pytest.mark.parametrize("seeing", [False, True])
    def test_a_dataset_with_all_photos_excluded_has_no_findings(self, noise, model, seeing):
        dataset = noise(10)
        decide(dataset, list(read_samples(dataset)["sample"]), Action.EXCLUDE)
        assert scan(dataset, model if seeing else None)
        assert len(read_findings(dataset, dismissed=True)) == 0

    @pytest.mark.parametrize("count", [1, 2, 3, 5])
    def test_few_photos_can_be_scanned(self, noise, model, count):
        dataset = noise(count)
        assert scan(dataset, model)
        assert len(read_map(dataset)) == count
        assert set(read_findings(dataset)["kind"]) <= {Kind.TOO_SMALL, Kind.BLURRY}

    def test_an_empty_dataset_has_a_clear_error(self, tmp_path):
        with pytest.raises(DatasetError, match="no photos to check"):
            scan(create_index(tmp_path / "empty", "Empty"), None)

    def test_thresholds_decide_what_counts(self, noise):
        dataset = noise(6)
        scan(dataset, None, thresholds=Thresholds(min_side=24, min_sharpness=0))
        assert len(read_findings(dataset)) == 0
        scan(dataset, None, thresholds=Thresholds(min_side=48, min_sharpness=0, max_aspect=1.2))
        rows = read_findings(dataset)
        assert rows["kind"].value_counts().to_dict() == {"too_small": 6, "odd_aspect_ratio": 6}
        assert rows.loc[rows["kind"] == "too_small", "score"].tolist() == pytest.approx([0.5] * 6)
        assert rows.loc[rows["kind"] == "odd_aspect_ratio", "score"].tolist() == pytest.approx([0.1] * 6)

    def test_scans_do_not_lock_out_reviews(self, noise):
        dataset = noise(300)
        samples = list(read_samples(dataset)["sample"])

        def review(done: int, total: int, step: str) -> None:
            decide(dataset, samples[:1], Action.EXCLUDE)

        assert scan(dataset, None, report=review)
        assert read_samples(dataset)["excluded"].sum() == 1
        assert samples[0] not in set(read_findings(dataset)["sample"])

    def test_there_is_no_map_before_a_scan(self, noise):
        assert list(read_map(noise(2)).columns) == ["sample", "x", "y"]
