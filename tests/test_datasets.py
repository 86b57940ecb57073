"""Folders of photos, near-duplicate groups and splits."""

import itertools
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from sneaker_core.datasets import near_duplicates as duplicates
from sneaker_core.datasets.near_duplicates import group_by_hash, perceptual_hashes
from sneaker_core.datasets.photo_folder import (
    fingerprint,
    read_labeled_folder,
    read_negatives,
    read_unlabeled_folder,
    sample_id,
)
from sneaker_core.datasets.split import SPLIT_FILE, read_split, split_by_group, write_split
from sneaker_core.errors import DatasetError
from tests.factories import draw_dataset, jpeg, photo, write


class TestScanning:
    def test_classes_are_the_folders_sorted(self, tmp_path):
        draw_dataset(tmp_path, {"sandal": 2, "boot": 1})
        write(tmp_path / "boot" / "deeper" / "x.jpg", b"x")
        write(tmp_path / "readme.txt", b"not in a class folder")
        table = read_labeled_folder(tmp_path)
        assert list(table.columns) == ["sample", "path", "label", "split"]
        assert table["split"].isna().all()
        assert list(table["label"]) == ["boot", "boot", "sandal", "sandal"]
        names = [Path(path).relative_to(tmp_path).as_posix() for path in table["path"]]
        assert names == ["boot/00.jpg", "boot/deeper/x.jpg", "sandal/00.jpg", "sandal/01.jpg"]
        assert [sample_id(Path(path).read_bytes()) for path in table["path"]] == list(table["sample"])
        pd.testing.assert_frame_equal(table, read_labeled_folder(tmp_path))

    def test_same_bytes_count_once_a_class(self, tmp_path):
        for name in ("a/1.jpg", "a/2.jpg", "b/3.jpg"):
            write(tmp_path / name, b"same")
        table = read_labeled_folder(tmp_path)
        assert [Path(path).name for path in table["path"]] == ["1.jpg", "3.jpg"]
        assert [Path(path).name for path in read_unlabeled_folder(tmp_path)["path"]] == ["1.jpg"]

    def test_hidden_files_and_folders_are_no_photos(self, tmp_path):
        for name in ("a/1.jpg", "a/.DS_Store", "a/.cache/2.jpg", ".git/3.jpg"):
            write(tmp_path / name, name.encode())
        assert [Path(path).name for path in read_labeled_folder(tmp_path)["path"]] == ["1.jpg"]
        assert [Path(path).name for path in read_unlabeled_folder(tmp_path)["path"]] == ["1.jpg"]

    def test_a_hidden_folder_above_does_not_matter(self, tmp_path):
        write(tmp_path / ".data" / "a" / "1.jpg", b"1")
        assert len(read_labeled_folder(tmp_path / ".data")) == 1

    def test_only_some_classes(self, tmp_path):
        draw_dataset(tmp_path, {"boot": 1, "clog": 1, "sandal": 1})
        assert list(read_labeled_folder(tmp_path, ["sandal", "boot"])["label"]) == ["boot", "sandal"]
        with pytest.raises(DatasetError, match="no class named 'heel', 'pump'"):
            read_labeled_folder(tmp_path, ["pump", "boot", "heel"])

    def test_photos_have_no_label(self, tmp_path):
        write(tmp_path / "b.jpg", b"b")
        write(tmp_path / "a" / "c.jpg", b"c")
        table = read_unlabeled_folder(tmp_path)
        assert [Path(path).name for path in table["path"]] == ["c.jpg", "b.jpg"]
        assert table["label"].isna().all()

    def test_negatives_know_their_type_of_footwear(self, tmp_path):
        for name in ("lamp.jpg", "other_footwear/stray.jpg", "other_footwear/Loafer/1.jpg", "x/other_footwear/a/2.jpg"):
            write(tmp_path / name, name.encode())
        table = read_negatives(tmp_path)
        types = {Path(path).name: kind for path, kind in zip(table["path"], table["footwear"], strict=True)}
        assert types == {"lamp.jpg": None, "stray.jpg": None, "1.jpg": "Loafer", "2.jpg": None}
        assert table["label"].isna().all()

    @pytest.mark.parametrize("scan", [read_labeled_folder, read_unlabeled_folder])
    def test_missing_and_empty_folders_are_named(self, tmp_path, scan):
        (tmp_path / "empty" / "class").mkdir(parents=True)
        for name in ("missing", "empty"):
            with pytest.raises(DatasetError, match=name):
                scan(tmp_path / name)

    def test_fingerprint_is_of_photos_and_labels_in_any_order(self):
        table = pd.DataFrame({"sample": ["a", "b", "c"], "label": ["x", "y", "y"]})
        assert fingerprint(table) == fingerprint(table.iloc[[2, 0, 1]])
        assert fingerprint(table) != fingerprint(table.assign(label=["y", "x", "y"]))
        assert fingerprint(table) != fingerprint(table.iloc[:2])


def as_pixels(*images: Image.Image) -> np.ndarray:
    return np.stack([np.asarray(image.resize((96, 72))) for image in images])


def reopened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")


def mirror_proof_embeddings(pixels: np.ndarray) -> np.ndarray:
    """Stand-in for embeddings: similar for a photo and its mirror image, different for two photos."""
    thumbnails = np.stack([np.asarray(Image.fromarray(image).resize((8, 6))) for image in pixels]).astype(np.float32)
    both = (thumbnails + thumbnails[:, :, ::-1]).reshape(len(pixels), -1)
    return both - both.mean(1, keepdims=True)


def grouped(groups: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(groups == number).tolist()) for number in np.unique(groups)}


class TestDuplicates:
    @pytest.mark.parametrize("seed", range(3))
    def test_recompressed_and_resized_photos_are_one_group(self, seed):
        first, second = photo(seed, (300, 220)), photo(100 + seed, (300, 220))
        pixels = as_pixels(first, second, reopened(jpeg(first, quality=25)), first.resize((130, 95)))
        assert grouped(group_by_hash(perceptual_hashes(pixels))) == {frozenset({0, 2, 3}), frozenset({1})}

    def test_unrelated_photos_stay_apart(self):
        pixels = as_pixels(*(photo(seed) for seed in range(40)))
        groups = group_by_hash(perceptual_hashes(pixels), mirror_proof_embeddings(pixels))
        assert len(np.unique(groups)) == 40

    def test_mirrored_photos_are_found_by_embeddings(self):
        first, second = photo(1), photo(2)
        pixels = as_pixels(first, second, ImageOps.mirror(first))
        hashes = perceptual_hashes(pixels)
        assert grouped(group_by_hash(hashes)) == {frozenset({0}), frozenset({1}), frozenset({2})}
        groups = group_by_hash(hashes, mirror_proof_embeddings(pixels))
        assert grouped(groups) == {frozenset({0, 2}), frozenset({1})}

    def test_near_duplicates_of_near_duplicates_are_in_the_group(self):
        hashes = np.zeros((3, 256), np.bool_)
        hashes[1, : duplicates.MAX_HASH_DISTANCE] = True
        hashes[2, : 2 * duplicates.MAX_HASH_DISTANCE] = True
        assert grouped(group_by_hash(hashes)) == {frozenset({0, 1, 2})}
        assert grouped(group_by_hash(hashes[[0, 2]])) == {frozenset({0}), frozenset({1})}

    def test_one_bit_too_many_is_no_near_duplicate(self):
        hashes = np.zeros((2, 256), np.bool_)
        hashes[1, : duplicates.MAX_HASH_DISTANCE + 1] = True
        assert grouped(group_by_hash(hashes)) == {frozenset({0}), frozenset({1})}

    def test_near_duplicates_are_found_across_blocks(self):
        count = 2 * duplicates._BLOCK + 5
        rng = np.random.default_rng(0)
        hashes = rng.random((count, 256)) < 0.5
        embeddings = rng.normal(size=(count, 64)).astype(np.float32)
        by_hash = [(0, count - 1), (duplicates._BLOCK - 1, duplicates._BLOCK), (3, 4)]
        by_embedding = [(1, count - 2), (duplicates._BLOCK - 2, 2 * duplicates._BLOCK)]
        for first, second in by_hash:
            hashes[second] = hashes[first]
        for first, second in by_embedding:
            embeddings[second] = 3 * embeddings[first]
        pairs = {group for group in grouped(group_by_hash(hashes, embeddings)) if len(group) > 1}
        assert pairs == {frozenset(pair) for pair in by_hash + by_embedding}

    def test_no_photos_make_no_groups(self):
        assert len(group_by_hash(perceptual_hashes(np.empty((0, 8, 8, 3), np.uint8)))) == 0


def made_samples(per_class: int, group_size: int = 1) -> pd.DataFrame:
    """Three classes whose photos come in groups of one size."""
    rows = [
        (label, number * 1000 + index // group_size) for number, label in enumerate("abc") for index in range(per_class)
    ]
    return pd.DataFrame(rows, columns=["label", "group"])


class TestSplit:
    @given(
        st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12)), min_size=1, max_size=60),
        st.floats(0, 0.4),
        st.floats(0, 0.4),
        st.integers(0, 5),
    )
    @example([("b", 0), ("b", 0), ("b", 1), ("b", 1)], 0.375, 0.375, 0)
    @settings(max_examples=80, deadline=None)
    def test_groups_stay_together_whatever_the_photos(self, rows, val_share, test_share, seed):
        samples = pd.DataFrame(rows, columns=["label", "group"], index=range(10, 10 + len(rows)))
        try:
            split = split_by_group(samples["label"], samples["group"], val_share, test_share, seed)
        except DatasetError:
            # Only a class that the two shares would use up may be rejected.
            sizes = samples["label"].value_counts()
            assert any(round(val_share * size) + round(test_share * size) >= size for size in sizes)
            return
        assert list(split.index) == list(samples.index)
        assert set(split) <= {"train", "val", "test"}
        assert split.groupby(samples["group"]).nunique().max() == 1
        labels_of_group = samples.groupby("group")["label"].transform("nunique")
        assert set(split[labels_of_group > 1]) <= {"train"}
        assert set(samples["label"][split == "train"]) == set(samples["label"])
        sizes = samples["label"].value_counts()
        for name, share in (("val", val_share), ("test", test_share)):
            taken = samples["label"][split == name].value_counts()
            assert all(count <= round(share * sizes[label]) for label, count in taken.items())

    @pytest.mark.parametrize("group_size", [1, 2])
    def test_every_class_gives_its_share(self, group_size):
        samples = made_samples(40, group_size)
        split = split_by_group(samples["label"], samples["group"], 0.1, 0.25, seed=3)
        counts = samples.groupby(["label", split]).size().unstack()
        assert counts.to_dict("index") == {label: {"train": 26, "val": 4, "test": 10} for label in "abc"}

    def test_the_seed_alone_decides(self):
        samples = made_samples(30)
        first, again, other = (split_by_group(samples["label"], samples["group"], 0.2, 0.2, seed) for seed in (1, 1, 2))
        pd.testing.assert_series_equal(first, again)
        assert not first.equals(other)

    def test_a_group_under_two_labels_stays_in_training(self):
        samples = made_samples(20)
        samples.loc[[0, 20], "group"] = 7777
        splits = [split_by_group(samples["label"], samples["group"], 0.3, 0.3, seed) for seed in range(10)]
        assert {split[index] for split in splits for index in (0, 20)} == {"train"}
        assert {split[1] for split in splits} == {"train", "val", "test"}

    @pytest.mark.parametrize(("val_share", "test_share"), [(0.5, 0.5), (-0.1, 0.1), (0.1, -0.1), (1.0, 0.0)])
    def test_shares_must_leave_something(self, val_share, test_share):
        samples = made_samples(10)
        with pytest.raises(DatasetError, match="leave no photos to train on"):
            split_by_group(samples["label"], samples["group"], val_share, test_share, 0)

    def test_a_class_too_small_is_named(self):
        samples = pd.DataFrame({"label": ["a"] * 10 + ["b"], "group": range(11)})
        with pytest.raises(DatasetError, match="'b' has too few photos to split: 1"):
            split_by_group(samples["label"], samples["group"], 0.1, 0.6, 0)

    def test_is_kept_and_read_again(self, tmp_path):
        names = ["b, 'quoted' \"twice\"", "NA", None, "Aß"]
        rows = [(f"{number:016x}", name, "test") for number, name in enumerate(names)]
        samples = pd.DataFrame(rows, columns=["sample", "label", "split"]).assign(path="elsewhere")
        write_split(tmp_path, samples)
        kept = read_split(tmp_path)
        assert list(kept.columns) == ["sample", "label", "split"]
        back = dict(zip(kept["sample"], kept["label"].astype(object).where(kept["label"].notna(), None), strict=True))
        assert back == dict(zip(samples["sample"], names, strict=True))

    def test_is_kept_in_one_order(self, tmp_path):
        samples = pd.DataFrame(
            itertools.product(["3", "1", "2"], ["a"], ["val", "test"]), columns=["sample", "label", "split"]
        )
        for folder, rows in (("one", samples), ("two", samples.iloc[::-1])):
            write_split(tmp_path / folder, rows)
        assert (tmp_path / "one" / SPLIT_FILE).read_bytes() == (tmp_path / "two" / SPLIT_FILE).read_bytes()

    def test_a_model_without_its_split_is_named(self, tmp_path):
        with pytest.raises(DatasetError, match=r"no readable split.csv"):
            read_split(tmp_path)
