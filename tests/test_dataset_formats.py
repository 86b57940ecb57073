"""Datasets to and from other programs: each format is read back with the same photos, classes and splits."""

import json
from pathlib import Path

import pytest

from sneaker_core.datasets.dataset_collection import create_dataset
from sneaker_core.datasets.dataset_export import export_dataset
from sneaker_core.datasets.export_layouts import ExportFormat
from sneaker_core.datasets.importer import Importer, IncomingPhoto
from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.photo_folder import sample_id
from sneaker_core.datasets.sources.folder_layout import lay_out
from sneaker_core.datasets.sources.photo_import import import_photos
from tests.factories import jpeg, photo

# Names that are no folders everywhere, that look alike, or that mean something else as a folder.
NAMES = ("boot", "Boot", "re/la:beled", "train", "=1+1", "CON", "_unlabeled", "Ünï 鞋", ".hidden", "a, b")
SPLITS = ("train", "val", "test")
CLASS_FOLDERS = (ExportFormat.IMAGEFOLDER, ExportFormat.FIFTYONE)


@pytest.fixture(scope="module")
def photos() -> list[bytes]:
    return [jpeg(photo(seed, size=(24, 16))) for seed in range(3 * len(NAMES))]


@pytest.fixture(scope="module")
def datasets(photos: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    """Datasets of three photos in each class, which have all a split, some, or none; and one with a single class."""
    made = {}
    for kind in ("all", "some", "none", "one class"):
        dataset = made[kind] = create_dataset(tmp_path_factory.mktemp("formats"), kind)
        with Importer(dataset, "here") as importer:
            for place, data in enumerate(photos if kind != "one class" else photos[:3]):
                label = "boot" if kind == "one class" else NAMES[place // 3]
                has_split = kind in ("all", "one class") or (kind == "some" and place % 2)
                split = ("train" if kind == "one class" else SPLITS[place % 3]) if has_split else None
                importer.add(IncomingPhoto(f"{place}.jpg", label, data, split))
    return made


def told(dataset: Dataset) -> dict[str, tuple[str, str | None]]:
    rows = read_samples(dataset)
    splits = rows["split"].astype(object).where(rows["split"].notna(), None)
    return dict(zip(rows["sample"], zip(rows["label"], splits, strict=True), strict=True))


@pytest.mark.parametrize("splits", ["all", "some", "none", "one class"])
@pytest.mark.parametrize("kind", list(ExportFormat))
def test_an_export_is_read_back_as_it_was(
    datasets: dict[str, Dataset], photos: list[bytes], tmp_path: Path, kind: ExportFormat, splits: str
) -> None:
    source = datasets[splits]
    # Some as a folder, some as an archive.
    out = tmp_path / ("out.zip" if splits == "some" else "out")
    assert export_dataset(source, out, kind) == len(read_samples(source))
    back = create_dataset(tmp_path, "back")
    result = import_photos(back, out)
    assert (result.added, result.rejected) == (len(read_samples(source)), {})
    expected = told(source)
    if splits == "some" and kind in CLASS_FOLDERS:  # which can't hold a split of some photos only
        expected = {sample: (label, None) for sample, (label, _) in expected.items()}
    assert told(back) == expected
    files = list(out.rglob("*.jpg")) if out.is_dir() else []
    assert {sample_id(file.read_bytes()) for file in files} <= {sample_id(data) for data in photos}


def test_huggingface_and_coco_are_laid_out_as_others_expect(datasets: dict[str, Dataset], tmp_path: Path) -> None:
    export_dataset(datasets["all"], tmp_path / "hf", ExportFormat.HUGGINGFACE)
    assert {path.name for path in (tmp_path / "hf").iterdir()} == {"train", "validation", "test"}
    header, first = (tmp_path / "hf" / "validation" / "metadata.csv").read_text().splitlines()[:2]
    assert header == "file_name,label" and (tmp_path / "hf" / "validation" / first.split(",")[0]).is_file()
    export_dataset(datasets["all"], tmp_path / "coco", ExportFormat.COCO)
    values = json.loads((tmp_path / "coco" / "annotations" / "test.json").read_text())
    assert len(values["images"]) == len(values["annotations"]) == len(NAMES) == len(values["categories"])
    assert {"id", "file_name", "width", "height"} == set(values["images"][0])
    assert (tmp_path / "coco" / "images" / values["images"][0]["file_name"]).is_file()
    export_dataset(datasets["all"], tmp_path / "tree", ExportFormat.IMAGEFOLDER)
    assert {path.name for path in (tmp_path / "tree").iterdir()} == {*SPLITS, "classes.csv"}


def coco(categories: list[str], **labels: list[int]) -> str:
    """A JSON file with boxes: photo -> the categories of its annotations."""
    names = list(labels)
    return json.dumps(
        {
            "images": [{"id": place, "file_name": f"{name}.jpg"} for place, name in enumerate(names)],
            "categories": [{"id": place, "name": name} for place, name in enumerate(categories)],
            "annotations": [
                {"id": 0, "image_id": names.index(name), "category_id": label, "bbox": [0, 0, 1, 1]}
                for name, given in labels.items()
                for label in given
            ],
        }
    )


class TestOtherPrograms:
    def test_boxes_of_one_category_give_a_class_and_others_are_told(self) -> None:
        text = coco(["boot", "clog"], a=[0, 0], b=[0, 1], c=[], d=[1])
        layout = lay_out([f"train2017/{name}.jpg" for name in "abcde"], {"annotations/instances_train2017.json": text})
        assert {file.name: (file.label, file.split) for file in layout.files} == {
            "train2017/a.jpg": ("boot", "train"),
            "train2017/d.jpg": ("clog", "train"),
        }
        assert "contradict each other" in layout.rejected["train2017/b.jpg"]
        assert set(layout.rejected) == {"train2017/b.jpg", "train2017/c.jpg", "train2017/e.jpg"}
        assert any("with 2 categories; " in note and "their 5 boxes are not used" in note for note in layout.notes)

    def test_a_json_file_in_each_split_speaks_of_its_own_folder(self) -> None:
        tables = {f"{split}/_annotations.coco.json": coco(["boot"], a=[0]) for split in ("train", "valid")}
        layout = lay_out(["train/a.jpg", "valid/a.jpg"], tables)
        assert {(file.name, file.split) for file in layout.files} == {("train/a.jpg", "train"), ("valid/a.jpg", "val")}

    def test_json_lines_name_files(self) -> None:
        lines = '{"file_name": "a.jpg", "label": "boot"}\n{"file_name": "b.jpg", "label": "clog", "text": "x"}\n'
        layout = lay_out(["test/a.jpg", "test/b.jpg"], {"test/metadata.jsonl": lines})
        assert {(file.label, file.split) for file in layout.files} == {("boot", "test"), ("clog", "test")}

    @pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_a_line_of_json_ends_where_lines_end(self, mark: str, end: str) -> None:
        lines = [
            json.dumps({"file_name": f"{n}.jpg", "label": n, "text": f"x{mark}y"}, ensure_ascii=False) for n in "ab"
        ]
        layout = lay_out(["a.jpg", "b.jpg"], {"metadata.jsonl": end.join(lines)})
        assert {file.name: file.label for file in layout.files} == {"a.jpg": "a", "b.jpg": "b"}

    @pytest.mark.parametrize("value", ["NaN", '"\\ud83d"', "[[[]]]"])
    def test_what_a_file_of_coco_holds_besides_does_not_matter(self, value: str) -> None:
        text = coco(["boot", "clog"], a=[0], b=[1]).replace('"images"', f'"more": {value}, "images"')
        assert {file.label for file in lay_out(["a.jpg", "b.jpg"], {"t.json": text}).files} == {"boot", "clog"}

    def test_photos_without_a_label_are_told(self) -> None:
        layout = lay_out(["boot/a.jpg", "clog/b.jpg", "_unlabeled/c.jpg"], {})
        assert [file.name for file in layout.files] == ["boot/a.jpg", "clog/b.jpg"]
        assert layout.rejected == {"_unlabeled/c.jpg": "It has no label: it lies in _unlabeled."}

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", '{"images": 3}', '{"images": [], "categories": [], "annotations": []}']
    )
    def test_other_json_files_are_left_out(self, text: str) -> None:
        layout = lay_out(["boot/a.jpg", "clog/b.jpg"], {"info.json": text, "info.jsonl": text})
        assert len(layout.files) == 2 and layout.notes == ["No labels were taken from info.json, info.jsonl."]
