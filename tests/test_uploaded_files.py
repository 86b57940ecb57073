"""Files that a browser uploads one by one, read as an archive."""

import io

import pytest

from sneaker_core.datasets.sources.photo_import import preview_archive
from sneaker_core.datasets.sources.uploaded_files import packed
from sneaker_core.errors import DatasetError
from tests.factories import jpeg, photo


def labels(files: list[tuple[str, bytes]], label: str = "") -> dict[str, str]:
    layout = preview_archive(io.BytesIO(packed(files, label)), "photos")
    return {file.name: file.label for file in layout.files}


def test_folders_are_classes_and_loose_photos_get_the_one_given():
    data = jpeg(photo(1))
    assert labels([("boot/a.jpg", data), ("b.jpg", data)], "clog") == {"boot/a.jpg": "boot", "clog/b.jpg": "clog"}


@pytest.mark.parametrize("label", ["Nike/Air Max 90", "Nike\\Dunk", "/", "..", " . "])
def test_a_class_never_becomes_a_path_or_another_class(label):
    with pytest.raises(DatasetError, match="without /"):
        packed([("a.jpg", jpeg(photo(1)))], label)


def test_a_class_of_loose_photos_lies_next_to_the_classes_of_a_folder():
    data = jpeg(photo(1))
    found = labels([("shoes/boot/a.jpg", data), ("b.jpg", data)], "clog")
    assert found == {"shoes/boot/a.jpg": "boot", "shoes/clog/b.jpg": "clog"}


def test_two_files_of_one_name_are_both_there():
    found = labels([("a.jpg", jpeg(photo(1))), ("a.jpg", jpeg(photo(2)))], "boot")
    assert sorted(found) == ["boot/a (2).jpg", "boot/a.jpg"]


def test_a_path_out_of_the_archive_is_not_read():
    assert labels([("../boot/a.jpg", jpeg(photo(1))), ("clog/b.jpg", jpeg(photo(2)))]) == {"clog/b.jpg": "clog"}
