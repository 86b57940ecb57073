"""Corrections: photos saved with the class that a user gave them."""

from pathlib import Path

import pytest

from sneaker_core.datasets.corrections import CORRECTIONS, save_correction
from sneaker_core.datasets.dataset_collection import find_dataset
from sneaker_core.datasets.index import read_samples
from sneaker_core.datasets.review_log import history
from sneaker_core.errors import DatasetError
from sneaker_core.images import Photo


def labels(workspace: Path) -> list[str]:
    return list(read_samples(find_dataset(workspace, CORRECTIONS))["label"])


def test_each_photo_is_kept_once_with_its_last_class(tmp_path, sneaker_jpeg):
    for seed, label in ((1, "Air Max 90"), (2, "My own"), (1, "air  max 95"), (1, "air max 95")):
        save_correction(tmp_path, Photo("a.jpg", sneaker_jpeg(seed)), label)
    assert sorted(labels(tmp_path)) == ["My own", "air max 95"]
    assert len(history(find_dataset(tmp_path, CORRECTIONS))) == 1


def test_what_cannot_be_saved_is_said_and_changes_nothing(tmp_path, sneaker_jpeg):
    with pytest.raises(DatasetError, match="has no name"):
        save_correction(tmp_path, Photo("a.jpg", sneaker_jpeg(1)), " \u200b ")
    assert not (tmp_path / "datasets").exists()
    save_correction(tmp_path, Photo("a.jpg", sneaker_jpeg(1)), "Boot")
    with pytest.raises(DatasetError):
        save_correction(tmp_path, Photo("b.jpg", b"no photo"), "Boot")
    assert labels(tmp_path) == ["Boot"]
