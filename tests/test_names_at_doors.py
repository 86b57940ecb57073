"""Class names are cleaned wherever they come in, and names stored by older versions are cleaned when they are read."""

import json
import unicodedata
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from sneaker_core.commands.evaluate_command import _sources
from sneaker_core.datasets.collect.search_queries import CollectClass, read_names, read_skus
from sneaker_core.datasets.dataset_collection import find_dataset, find_or_create, open_samples
from sneaker_core.datasets.importer import Importer, IncomingPhoto
from sneaker_core.datasets.index import Dataset, create_index, read_classes, read_provenance, read_samples
from sneaker_core.datasets.photo_folder import read_labeled_folder
from sneaker_core.datasets.photo_worlds import read_worlds
from sneaker_core.datasets.review_log import Action, decide, history
from sneaker_core.datasets.sources.folder_layout import lay_out
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.datasets.split import SPLIT_FILE, read_split
from sneaker_core.errors import DatasetError, UnknownLabelError
from sneaker_core.evaluation.table_columns import class_columns, with_all_columns
from sneaker_core.inference.explanation.attributions import class_number
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest
from sneaker_core.networks.checkpoint import ModelSpec
from sneaker_core.records.model_records import ModelFile
from sneaker_core.records.reading import checked
from tests.factories import jpeg, photo, write

CLEAN = "Café 1"
WRITTEN = ("Café 1", "Cafe\u0301 1", "Café\u00a01", " Café\u30001 ", "Ca\u200bfé\t1", "\ufeffCafé  1", "Café 1\u202c")
PHOTOS = [jpeg(photo(seed, (24, 16))) for seed in range(len(WRITTEN) + 1)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one photo for each way to write the class, and one of another class."""
    for number, name in enumerate(WRITTEN):
        write(tmp_path / "photos" / name / f"{number}.jpg", PHOTOS[number])
    write(tmp_path / "photos" / "boot" / "9.jpg", PHOTOS[-1])
    return tmp_path / "photos"


def test_folders_that_look_the_same_are_one_class_and_the_import_says_so(folder, tmp_path):
    dataset = create_index(tmp_path / "datasets" / "shoes", "shoes")
    result = import_photos(dataset, folder, world=" pho\u200bne ")
    assert read_classes(dataset) == [CLEAN, "boot"]
    assert (result.added, result.rejected) == (len(PHOTOS), {})
    assert result.understood == "Read as 2 classes."
    assert any("'Café 1'" in note and "one class" in note for note in result.notes)
    assert set(read_worlds(dataset)) == {"phone"}
    assert set(read_labeled_folder(folder)["label"]) == {CLEAN, "boot"}
    for typed in WRITTEN:
        assert len(open_samples(tmp_path, str(folder), (typed,))) == len(WRITTEN)
        assert len(open_samples(tmp_path, "shoes\u00a0", (typed,))) == len(WRITTEN)


@pytest.mark.parametrize("source", ["photos", "shoes"])
def test_a_class_that_is_asked_for_under_another_spelling_is_offered(folder, tmp_path, source):
    import_photos(create_index(tmp_path / "datasets" / "shoes", "shoes"), folder)
    with pytest.raises(DatasetError, match=r"Did you mean café_1 -> Café 1\?"):
        open_samples(tmp_path, str(folder) if source == "photos" else source, ("café_1",))


def test_tables_are_cleaned_too_and_contradict_each_other_only_visibly():
    files = ["a/1.jpg", "a/2.jpg", "Cafe\u0301/3.jpg", "4.jpg", "5.jpg"]
    rows = [("a/1.jpg", WRITTEN[0]), ("a/1.jpg", WRITTEN[1]), ("2.jpg", WRITTEN[2]), ("Café/3.jpg", "boot")]
    rows += [("4.jpg", "boot"), ("4.jpg", "clog"), ("5.jpg", "\u200b\u2060")]
    table = "".join(f"{file},{label}\n" for file, label in rows)
    layout = lay_out(files, {"labels.csv": f"file,label\n{table}"})
    assert {file.name: file.label for file in layout.files} == {
        "a/1.jpg": CLEAN,
        "a/2.jpg": CLEAN,
        "Cafe\u0301/3.jpg": "boot",
    }
    assert "contradict" in layout.rejected["4.jpg"]
    assert layout.rejected["5.jpg"] == "The name of its class, '\\u200b\\u2060', has no visible character."
    assert any("one class" in note for note in layout.notes)


def test_folders_without_a_visible_name_are_rejected_by_name():
    layout = lay_out(["\u200b/1.jpg", "boot/2.jpg", "\u3000/3.jpg"], {})
    assert [file.label for file in layout.files] == ["boot"]
    assert {name: "'" in why and "visible" in why for name, why in layout.rejected.items()} == {
        "\u200b/1.jpg": True,
        "\u3000/3.jpg": True,
    }
    assert layout.notes == []


def test_skus_are_matched_apart_from_what_cannot_be_seen():
    layout = lay_out(["DC\u00a01/1.jpg", "dc2\u200b/2.jpg"], {"skus.csv": "sku,name\ndc 1,Dunk\nDC2,Cafe\u0301\n"})
    assert [file.label for file in layout.files] == ["Dunk", "Café"]


def test_every_other_door(tmp_path, tiny_model):
    dataset = find_or_create(tmp_path, "My\u00a0 shoes\u200b")
    assert dataset.name == "My shoes"
    assert find_or_create(tmp_path, " My shoes") == find_dataset(tmp_path, "My\u2003shoes") == dataset
    with Importer(dataset, "test") as importer:
        for number, name in enumerate(WRITTEN):
            importer.add(IncomingPhoto(f"{number}.jpg", name, PHOTOS[number]))
        nameless = importer.add(IncomingPhoto("8.jpg", "\u200b \ufeff", PHOTOS[-1]))
    assert nameless.reason == "It has no class name."
    assert read_classes(dataset) == [CLEAN]
    samples = list(read_samples(dataset)["sample"])
    for sample, name in zip(samples, WRITTEN, strict=True):
        decide(dataset, [sample], Action.RELABEL, name.replace("1", "2"))
    assert read_classes(dataset) == [CLEAN, "Café 2"]
    assert set(history(dataset)["label"]) == {"Café 2"}
    with pytest.raises(DatasetError, match="needs a class name"):
        decide(dataset, samples, Action.RELABEL, "\u200b\u2060")
    assert {CollectClass(name).name for name in WRITTEN} == {CLEAN}
    assert [item.name for item in read_names(WRITTEN)] == [CLEAN]
    assert [item.name for item in read_skus("A1\u200b,Cafe\u0301\n".encode())] == ["Café"]
    assert {ExplanationRequest(name, name).target for name in WRITTEN} == {CLEAN}
    assert {ExplanationRequest.from_dict({"versus": name}).versus for name in WRITTEN} == {CLEAN}
    assert _sources((" sh\u200bop=a", "phone\u00a0=b")) == {"shop": "a", "phone": "b"}
    with pytest.raises(UnknownLabelError, match=r"Did you mean orbit_high -> Orbit High\?"):
        class_number(tiny_model, "orbit_high")


def stored_as(dataset: Dataset, names: dict[str, str]) -> None:
    """Store names of classes as older versions did."""
    with dataset.changing() as db:
        db.executemany("UPDATE classes SET label = ? WHERE label = ?", [(old, new) for new, old in names.items()])


def test_datasets_of_older_versions_work_as_if_their_names_were_clean(tmp_path):
    dataset = create_index(tmp_path / "datasets" / "old", "old")
    with Importer(dataset, "test") as importer:
        for number, name in enumerate(["A", "B", "boot", "hidden"]):
            importer.add(IncomingPhoto(f"{number}.jpg", name, PHOTOS[number]))
    stored_as(dataset, {"A": WRITTEN[1], "B": WRITTEN[2], "hidden": "\u200b"})
    assert read_classes(dataset) == [CLEAN, "boot", "\u200b"]
    samples = read_samples(dataset)
    assert list(samples["label"]) == list(samples["original_label"]) == [CLEAN, CLEAN, "boot", "\u200b"]
    assert set(read_provenance(dataset)["label"]) == {CLEAN, "boot", "\u200b"}
    assert len(open_samples(tmp_path, "old", (WRITTEN[3],))) == 2
    with Importer(dataset, "more") as importer:
        importer.add(IncomingPhoto("5.jpg", WRITTEN[4], PHOTOS[5]))
    decide(dataset, [samples["sample"][2]], Action.RELABEL, CLEAN)
    assert list(read_samples(dataset)["label"]) == [CLEAN] * 4 + ["\u200b"]
    with dataset.reading() as db:
        assert db.execute("SELECT count(*) FROM classes").fetchone() == (4,)


def spec_of(values: dict[str, object]) -> ModelSpec:
    """What ``model.json`` with these values describes."""
    values = json.loads(json.dumps({**values, "format": 1, "weights_sha256": "0" * 64}))
    return ModelSpec.from_record(checked(values, ModelFile, "model.json"), ModelFile.current(values))


def test_models_and_evaluations_of_older_versions_are_read_with_clean_names(tiny_model, tmp_path):
    old = replace(tiny_model.spec, classes=(WRITTEN[1], "boot", "a", "b")).to_dict()
    assert spec_of(old).classes == (CLEAN, "boot", "a", "b")
    # Two outputs can't have one name.
    twins = replace(tiny_model.spec, classes=(WRITTEN[1], CLEAN, "a", "b")).to_dict()
    assert spec_of(twins).classes == (WRITTEN[1], CLEAN, "a", "b")
    write(tmp_path / SPLIT_FILE, f"sample,label,split\n1,{WRITTEN[2]},train\n".encode())
    assert list(read_split(tmp_path)["label"]) == [CLEAN]
    table = pd.DataFrame(
        {"sample": ["1", "2"], "label": [WRITTEN[1], "boot"], "predicted": ["boot", WRITTEN[1]]}
        | {
            "probability": [0.7, 0.6],
            "status": "known",
            "loss": 1.0,
            f"p:{WRITTEN[1]}": [0.3, 0.6],
            "p:boot": [0.7, 0.4],
        }
    )
    read = with_all_columns(table.assign(top=[["boot", WRITTEN[1]], [WRITTEN[1], "boot"]]))
    assert list(class_columns(read)) == [CLEAN, "boot"]
    assert (list(read["label"]), list(read["predicted"])) == ([CLEAN, "boot"], ["boot", CLEAN])
    assert list(read["top"]) == [["boot", CLEAN], [CLEAN, "boot"]]
    assert list(read["rank"]) == [2, 2]
    assert all(unicodedata.is_normalized("NFC", str(column)) for column in read.columns)
