"""How the folders and tables of a source are understood: usual forms, what is said of them, and that files add up."""

import os
import sys
import zipfile
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sneaker_core.datasets.index import create_index
from sneaker_core.datasets.sources.folder_layout import LayoutKind, lay_out
from sneaker_core.datasets.sources.photo_import import import_photos, preview_source
from sneaker_core.datasets.sources.source_files import open_source
from sneaker_core.datasets.sources.split_names import split_of_name, splits_of_folders
from sneaker_core.datasets.sources.text_encoding import table_text
from sneaker_core.errors import DatasetError
from tests.factories import jpeg, photo, write
from tests.odd_sources import (
    ODD_FORMS,
    PHOTO,
    SKIPPED,
    Damaged,
    Link,
    Locked,
    UnflaggedEntry,
    make_archive,
    make_folder,
    spoil,
)

# Files -> what is said, and file -> label, or label and split; files that are missing there are rejected.
FOLDERS = {
    "two splits beside samples": (
        ["train/c/1.jpg", "train/d/4.jpg", "test/c/2.jpg", "samples/x.jpg"],
        "Read as 2 splits with 2 classes in all.",
        {"train/c/1.jpg": "c/train", "train/d/4.jpg": "d/train", "test/c/2.jpg": "c/test"},
    ),
    "splits with a suffix": (
        ["training_set/c/1.jpg", "test_set/c/2.jpg"],
        "Read as 2 splits with 1 class each.",
        {"training_set/c/1.jpg": "c/train", "test_set/c/2.jpg": "c/test"},
    ),
    "splits with a prefix, each wrapped, beside unlabeled photos": (
        ["seg_train/seg_train/c/1.jpg", "seg_train/seg_train/d/1.jpg", "seg_test/seg_test/c/2.jpg",
         "seg_test/seg_test/d/3.jpg", "seg_pred/seg_pred/9.jpg"],
        "Read as 2 splits with 2 classes each.",
        {"seg_train/seg_train/c/1.jpg": "c/train", "seg_train/seg_train/d/1.jpg": "d/train",
         "seg_test/seg_test/c/2.jpg": "c/test", "seg_test/seg_test/d/3.jpg": "d/test"},
    ),
    "a split in itself": (
        ["train/train/c/1.jpg", "train/train/d/2.jpg"],
        "Read as 1 split with 2 classes.",
        {"train/train/c/1.jpg": "c/train", "train/train/d/2.jpg": "d/train"},
    ),
    "the name of the dataset beside the split": (
        ["shoes-train/c/1.jpg", "shoes-val/c/2.jpg", "shoes-eval/c/3.jpg"],
        "Read as 3 splits with 1 class each.",
        {"shoes-train/c/1.jpg": "c/train", "shoes-val/c/2.jpg": "c/val", "shoes-eval/c/3.jpg": "c/test"},
    ),
    "images in each split": (
        ["train/images/c/1.jpg", "train/images/d/2.jpg", "test/images/c/3.jpg"],
        "Read as 2 splits with 2 classes in all.",
        {"train/images/c/1.jpg": "c/train", "train/images/d/2.jpg": "d/train", "test/images/c/3.jpg": "c/test"},
    ),
    "brand and model": (
        ["Nike/Air Max 90/1.jpg", "Nike/Dunk/2.jpg", "adidas/Samba/3.jpg"],
        "Read as 3 classes.",
        {"Nike/Air Max 90/1.jpg": "Nike Air Max 90", "Nike/Dunk/2.jpg": "Nike Dunk",
         "adidas/Samba/3.jpg": "adidas Samba"},
    ),
    "brand and model in splits": (
        ["train/Nike/Dunk/1.jpg", "train/Nike/Max/1.jpg", "train/adidas/Samba/1.jpg", "test/Nike/Dunk/2.jpg"],
        "Read as 2 splits with 3 classes in all.",
        {"train/Nike/Dunk/1.jpg": "Nike Dunk/train", "train/Nike/Max/1.jpg": "Nike Max/train",
         "train/adidas/Samba/1.jpg": "adidas Samba/train", "test/Nike/Dunk/2.jpg": "Nike Dunk/test"},
    ),
    "the brand again in the model": (
        ["Nike/Nike Dunk/2.jpg", "Nike/Nike Cortez/2.jpg", "adidas/Samba/3.jpg"],
        "Read as 3 classes.",
        {"Nike/Nike Dunk/2.jpg": "Nike Dunk", "Nike/Nike Cortez/2.jpg": "Nike Cortez",
         "adidas/Samba/3.jpg": "adidas Samba"},
    ),
    "views in each class": (
        ["boot/front/1.jpg", "boot/side/2.jpg", "clog/front/3.jpg", "clog/side/1.jpg"],
        "Read as 2 classes.",
        {"boot/front/1.jpg": "boot", "boot/side/2.jpg": "boot", "clog/front/3.jpg": "clog", "clog/side/1.jpg": "clog"},
    ),
    "a photo beside the wrapping folder": (
        ["data/boot/1.jpg", "data/clog/2.jpg", "readme.jpg"],
        "Read as 2 classes.",
        {"data/boot/1.jpg": "boot", "data/clog/2.jpg": "clog"},
    ),
    "brand, line and model": (
        ["Nike/Air Max/90/1.jpg", "Nike/Air Max/95/2.jpg", "adidas/Yeezy/350/3.jpg", "adidas/Yeezy/500/4.jpg"],
        "Read as 4 classes.",
        {"Nike/Air Max/90/1.jpg": "Nike Air Max 90", "Nike/Air Max/95/2.jpg": "Nike Air Max 95",
         "adidas/Yeezy/350/3.jpg": "adidas Yeezy 350", "adidas/Yeezy/500/4.jpg": "adidas Yeezy 500"},
    ),
    "one folder in each class": (
        ["boot/2019/1.jpg", "clog/2020/2.jpg"],
        "Read as 2 classes.",
        {"boot/2019/1.jpg": "boot", "clog/2020/2.jpg": "clog"},
    ),
    "splits in each class": (
        ["boot/train/1.jpg", "boot/test/2.jpg", "clog/train/3.jpg", "clog/test/4.jpg"],
        "Read as 2 splits with 2 classes each.",
        {"boot/train/1.jpg": "boot/train", "boot/test/2.jpg": "boot/test", "clog/train/3.jpg": "clog/train",
         "clog/test/4.jpg": "clog/test"},
    ),
    "two wrapping folders with a photo between them": (
        ["archive/Sneakers/train/a/1.jpg", "archive/Sneakers/test/a/2.jpg", "archive/readme.jpg"],
        "Read as 2 splits with 1 class each.",
        {"archive/Sneakers/train/a/1.jpg": "a/train", "archive/Sneakers/test/a/2.jpg": "a/test"},
    ),
    "a class that is called like training": (
        ["Train shoes/1.jpg", "boots/2.jpg"],
        "Read as 2 classes.",
        {"Train shoes/1.jpg": "Train shoes", "boots/2.jpg": "boots"},
    ),
}  # fmt: skip

TABLES = {
    "a table in each class folder": (
        ["a/p0.jpg", "b/p0.jpg"],
        {"a/index.csv": "file,label\np0.jpg,boot", "b/index.csv": "file,label\np0.jpg,clog"},
        {"a/p0.jpg": "boot", "b/p0.jpg": "clog"},
    ),
    "a stray table in one class folder": (
        ["a/p0.jpg", "a/p1.jpg", "b/p0.jpg"],
        {"a/index.csv": "file,label\np0.jpg,odd"},
        {"a/p0.jpg": "odd", "a/p1.jpg": "a", "b/p0.jpg": "b"},
    ),
    "a table for each split": (
        ["p0.jpg", "p1.jpg"],
        {"train.csv": "filename,class\np0.jpg,boot", "test.csv": "filename,class\np1.jpg,clog"},
        {"p0.jpg": "boot/train", "p1.jpg": "clog/test"},
    ),
    "rows that disagree": (
        ["p0.jpg", "p1.jpg"],
        {"t.csv": "image;category\np0.jpg;boot\np0.jpg;clog\np1.jpg;boot"},
        {"p1.jpg": "boot"},
    ),
    "rows that agree twice": (["p0.jpg"], {"t.csv": "file,label\np0.jpg,boot\np0.jpg,boot"}, {"p0.jpg": "boot"}),
    "a name that two files have": (
        ["x/p0.jpg", "y/p0.jpg", "y/p1.jpg"],
        {"t.csv": "image,target\np0.jpg,boot\np1.jpg,clog"},
        {"y/p1.jpg": "clog"},
    ),
    "absolute paths of another machine": (
        ["boot/1.jpg", "clog/2.jpg"],
        {"t.csv": "sep=;\nPath;Target\n/home/x/boot/1.jpg;A\nC:\\data\\clog\\2.jpg;B"},
        {"boot/1.jpg": "A", "clog/2.jpg": "B"},
    ),
    "a path of another folder": (
        ["test/1.jpg", "train/2.jpg"],
        {"t.csv": "path,label\nother/1.jpg,A\ntrain/2.jpg,B"},
        {"train/2.jpg": "B/train"},
    ),
    "numbers without an ending": (
        ["img/17.jpg", "img/18.jpg"],
        {"t.csv": "id,label\n17,A\n18,B"},
        {"img/17.jpg": "A", "img/18.jpg": "B"},
    ),
    "an ending in another case": (
        ["x/1.JPG", "x/2.jpg"],
        {"t.csv": "file,label\n1.jpg,A\n2.JPG,B"},
        {"x/1.JPG": "A", "x/2.jpg": "B"},
    ),
    "a separator that is told to be a tab": (
        ["1.jpg"],
        {"t.csv": "sep=\t\r\nfile\tlabel\r\n1.jpg\tA, B\r\n"},
        {"1.jpg": "A, B"},
    ),
    "a column for each class": (
        ["1.jpg", "2.jpg", "3.jpg", "4.jpg"],
        {"t.csv": "filename, Air Max 90,Dunk\n1.jpg,1,0\n2.jpg,0,1\n3.jpg,1,1\n4.jpg,0,0\n"},
        {"1.jpg": "Air Max 90", "2.jpg": "Dunk"},
    ),
    "no header": (
        ["a/1.jpg", "a/2.png"],
        {"t.csv": "a/1.jpg,boot\na/2.png,clog\n"},
        {"a/1.jpg": "boot", "a/2.png": "clog"},
    ),
    "no header, the label first": (
        ["1.jpg", "2.jpg"],
        {"t.csv": "boot\t1.jpg\nclog\t2.jpg"},
        {"1.jpg": "boot", "2.jpg": "clog"},
    ),
    "no header, pairs of photos": (
        ["boot/1.jpg", "clog/2.jpg"],
        {"t.csv": "1.jpg,2.jpg\n"},
        {"boot/1.jpg": "boot", "clog/2.jpg": "clog"},
    ),
    "a split in other words": (
        [f"{number}.jpg" for number in range(7)],
        {
            "t.csv": "file,label,split\n0.jpg,A,holdout\n1.jpg,A,trn\n2.jpg,A,vld\n3.jpg,A,PublicTest\n4.jpg,A,te\n"
            "5.jpg,A,NaN\n6.jpg,A,Hold-out set\n"
        },
        {
            "0.jpg": "A/test",
            "1.jpg": "A/train",
            "2.jpg": "A/val",
            "3.jpg": "A/test",
            "4.jpg": "A/test",
            "5.jpg": "A",
            "6.jpg": "A/test",
        },
    ),
    "splits in a column that may hold something else": (
        ["1.jpg", "2.jpg"],
        {"t.csv": "file,label,Usage\n1.jpg,A,Training\n2.jpg,A,PrivateTest\n"},
        {"1.jpg": "A/train", "2.jpg": "A/test"},
    ),
    "something else in such a column": (
        ["1.jpg", "2.jpg"],
        {"t.csv": "file,label,usage\n1.jpg,A,Training\n2.jpg,A,Running\n"},
        {"1.jpg": "A", "2.jpg": "A"},
    ),
    "splits that nobody knows": (
        ["A/1.jpg", "A/2.jpg", "A/3.jpg"],
        {"t.csv": "file,label,split\n1.jpg,A,train\n2.jpg,A,3\n3.jpg,A,for later\n"},
        {"A/1.jpg": "A/train"},
    ),
    "a table for all and one for each split": (
        ["1.jpg", "2.jpg", "3.jpg"],
        {
            "labels.csv": "file,label\n1.jpg,A\n2.jpg,B\n3.jpg,B\n",
            "train.csv": "file,label\n1.jpg,A\n",
            "test.csv": "file,label\n2.jpg,B\n",
        },
        {"1.jpg": "A/train", "2.jpg": "B/test", "3.jpg": "B"},
    ),
    "a table for each split that agree on the label only": (
        ["1.jpg", "2.jpg"],
        {
            "labels.csv": "file,label\n1.jpg,A\n2.jpg,A\n",
            "train.csv": "file,label\n1.jpg,A\n2.jpg,A\n",
            "test.csv": "file,label\n2.jpg,A\n",
        },
        {"1.jpg": "A/train"},
    ),
    "numbers of classes beside their names": (
        ["1.jpg", "2.jpg"],
        {"t.csv": "image,class,class_name\n1.jpg,0,boot\n2.jpg,1,clog\n"},
        {"1.jpg": "boot", "2.jpg": "clog"},
    ),
    "numbers that are names of classes": (
        ["1.jpg", "2.jpg"],
        {"t.csv": "image,label\n1.jpg,574\n2.jpg,990\n"},
        {"1.jpg": "574", "2.jpg": "990"},
    ),
    "numbers of classes beside their names in another usual column": (
        ["1.jpg", "2.jpg", "3.jpg"],
        {"t.csv": "image,label,category\n1.jpg,0,boot\n2.jpg,1,clog\n3.jpg,0,boot\n"},
        {"1.jpg": "boot", "2.jpg": "clog", "3.jpg": "boot"},
    ),
    "numbers that are names of classes, beside what is no name of them": (
        ["1.jpg", "2.jpg"],
        {"t.csv": "image,label,category\n1.jpg,574,shoe\n2.jpg,990,shoe\n"},
        {"1.jpg": "574", "2.jpg": "990"},
    ),
    "words beside the numbers of classes": (
        ["1.jpg", "2.jpg"],
        {"t.csv": "image,label,label_name\n1.jpg,boot,0\n2.jpg,clog,1\n"},
        {"1.jpg": "boot", "2.jpg": "clog"},
    ),
    "lines that end as on an old Mac": (
        ["1.jpg", "2.jpg"],
        {"t.csv": "file,label\r1.jpg,A\r2.jpg,B\r"},
        {"1.jpg": "A", "2.jpg": "B"},
    ),
    "a table of other photos": (
        ["boot/1.jpg", "clog/2.jpg"],
        {"prices.csv": "file,label\nx.jpg,9"},
        {"boot/1.jpg": "boot", "clog/2.jpg": "clog"},
    ),
}


def told(label: str, split: str | None) -> str:
    return label if split is None else f"{label}/{split}"


class TestFolders:
    @pytest.mark.parametrize("form", FOLDERS)
    def test_the_usual_forms(self, form):
        files, sentence, expected = FOLDERS[form]
        layout = lay_out(files, {})
        assert {file.name: told(file.label, file.split) for file in layout.files} == expected
        assert layout.sentence == sentence
        assert set(layout.rejected) == set(files) - set(expected)

    def test_each_reading_can_be_asked_for(self):
        splits = ["train/a/1.jpg", "test/a/2.jpg"]
        assert {file.label for file in lay_out(splits, {}, LayoutKind.CLASSES).files} == {"train", "test"}
        views = ["boot/front/1.jpg", "clog/front/2.jpg"]
        assert {file.label for file in lay_out(views, {}, LayoutKind.NESTED).files} == {"boot front", "clog front"}
        brands = ["Nike/Dunk/1.jpg", "Nike/Max/2.jpg", "adidas/Samba/3.jpg"]
        assert {file.label for file in lay_out(brands, {}, LayoutKind.CLASSES).files} == {"Nike", "adidas"}
        table = {"t.csv": "file,label\n1.jpg,odd"}
        assert {file.label for file in lay_out(["boot/1.jpg"], table, LayoutKind.CLASSES).files} == {"boot"}

    def test_strays_are_rejected_by_name_with_the_reason(self):
        layout = lay_out(["data/boot/1.jpg", "data/clog/2.jpg", "readme.jpg"], {})
        assert layout.rejected == {"readme.jpg": "It lies beside the folder data, which holds the class folders."}
        assert layout.notes == ["The folder data holds the class folders."]

    @pytest.mark.parametrize(
        ("name", "split"),
        [
            ("train", "train"), ("TRAINING", "train"), ("training_set", "train"), ("train2017", "train"),
            ("images-train", "train"), ("valid", "val"), ("Validation", "val"), ("val_images", "val"), ("dev", "val"),
            ("test", "test"), ("testing data", "test"), ("eval", "test"), ("Train shoes", None), ("trainers", None),
            ("latest", None), ("train_test", None), ("TestSet", "test"), ("trainVal", None), ("holdout", "test"),
            ("Hold out", "test"), ("PrivateTest", "test"), ("public", None), ("TR", None), ("", None), ("1", None),
        ],
    )  # fmt: skip
    def test_words_for_splits(self, name, split):
        assert split_of_name(name) == split

    def test_beside_a_test_folder_evaluation_means_validation(self):
        assert splits_of_folders(["train", "eval", "test"]) == {"train": "train", "eval": "val", "test": "test"}
        assert splits_of_folders(["train", "eval"]) == {"train": "train", "eval": "test"}


class TestTables:
    @pytest.mark.parametrize("form", TABLES)
    def test_the_usual_forms(self, form):
        files, tables, expected = TABLES[form]
        layout = lay_out(files, tables)
        assert {file.name: told(file.label, file.split) for file in layout.files} == expected
        assert set(files) - set(expected) <= set(layout.rejected)

    def test_the_reason_names_the_table_and_what_to_do(self):
        files, tables, _ = TABLES["a name that two files have"]
        reason = lay_out(files, tables).rejected["x/p0.jpg"]
        assert reason == "t.csv names p0.jpg, and 2 files are called that. Write their folders in the table."
        files, tables, _ = TABLES["rows that disagree"]
        reason = lay_out(files, tables).rejected["p0.jpg"]
        assert reason == "Its labels contradict each other: t.csv says 'boot', t.csv says 'clog'."

    def test_what_was_used_and_what_was_not_is_said(self):
        files, tables, _ = TABLES["a stray table in one class folder"]
        assert lay_out(files, tables).notes == [
            "Labels are from a/index.csv (1 file).",
            "2 files without a row in a table got the label of the folder.",
        ]
        files, tables, _ = TABLES["a column for each class"]
        assert lay_out(files, tables).notes == [
            "Labels are from t.csv (3 files).",
            "t.csv has a column of 0 and 1 for each class; the one with 1 is the label.",
            "1 row of t.csv without a file or a label.",
        ]
        files, tables, _ = TABLES["numbers of classes beside their names"]
        assert lay_out(files, tables).notes == [
            "Labels are from t.csv (2 files).",
            "t.csv has several columns of labels: 'class_name' was used, not 'class' (numbers).",
        ]
        files, tables, _ = TABLES["no header"]
        assert "t.csv has no header; its first column names files." in lay_out(files, tables).notes
        files, tables, _ = TABLES["a table of other photos"]
        assert lay_out(files, tables).notes == ["No labels were taken from prices.csv."]

    def test_a_split_that_is_not_known_is_told_and_its_photos_are_left_out(self):
        files, tables, _ = TABLES["splits that nobody knows"]
        layout = lay_out(files, tables)
        reason = "t.csv puts it into the split '3', which isn't known. Write train, val or test there, or nothing."
        assert layout.rejected["A/2.jpg"] == reason
        assert (
            "2 rows of t.csv with a split that isn't known and were left out: '3' (1), 'for later' (1)." in layout.notes
        )
        files, tables, _ = TABLES["a split in other words"]
        (note,) = [note for note in lay_out(files, tables).notes if "Names of splits" in note]
        assert note.startswith("Names of splits in t.csv were understood: 'holdout' is test, 'trn' is train, ")

    def test_tables_whose_splits_are_all_unknown_say_so(self, tmp_path):
        make_folder(tmp_path, {"1.jpg": PHOTO, "t.csv": "file,label,split\n1.jpg,A,2\n"})
        with pytest.raises(DatasetError, match=r"1\.jpg: t\.csv puts it into the split '2', which isn't known"):
            preview_source(tmp_path)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
    def test_encodings(self, encoding):
        text = "file,label\n1.jpg,Größe café\n"
        assert table_text(text.encode(encoding)) == text


NAMES = st.sampled_from(
    ["boot", "clog", "Nike", "train", "test", "val set", "data", "front", "1.jpg", "2.jpg", "x.csv"]
)


@given(
    st.sets(st.lists(NAMES, min_size=1, max_size=4).map(tuple), max_size=12),
    st.lists(st.tuples(st.sampled_from(["1.jpg", "boot/1.jpg", "2", "gone.jpg", ""]), st.sampled_from(["A", "B", ""]))),
    st.sampled_from(list(LayoutKind)),
)
@settings(max_examples=300, deadline=None)
def test_every_file_is_a_photo_of_one_class_or_rejected(paths, rows, kind):
    files = sorted({"/".join((*path, "p.jpg")) for path in paths})
    tables = {"t.csv": "file,label\n" + "".join(f"{file},{label}\n" for file, label in rows)} if rows else {}
    layout = lay_out(files, tables, kind)
    read = [file.name for file in layout.files]
    assert len(read) == len(set(read))
    assert set(read) | (set(layout.rejected) & set(files)) == set(files)
    assert not set(read) & set(layout.rejected)
    assert all(file.label for file in layout.files)
    assert all(note.endswith(".") for note in (*layout.notes, *layout.rejected.values()))


class TestSources:
    ROWS = "file,label\n" + "".join(f"{number}.jpg,{'Air Jordan 1' if number else 'boot'}\n" for number in range(200))

    @pytest.mark.parametrize("packed", [False, True])
    def test_a_table_is_read_whole_whatever_the_limit_for_photos(self, tmp_path, monkeypatch, packed):
        monkeypatch.setenv("SOLESCOPE_MAX_UPLOAD_MB", "0.001")
        content = {"t.csv": self.ROWS, **{f"c/{number}.jpg": b"x" for number in range(200)}}
        made = make_archive(tmp_path / "a.zip", content) if packed else make_folder(tmp_path / "photos", content)
        assert len(self.ROWS) > 2000 and Counter(file.label for file in preview_source(made).files) == {
            "boot": 1,
            "Air Jordan 1": 199,
        }

    @pytest.mark.parametrize("packed", [False, True])
    @pytest.mark.parametrize(("ending", "limit"), [("csv", 20), ("json", 200)])
    def test_a_table_over_the_limit_is_named_and_no_folder_takes_its_place(self, tmp_path, ending, limit, packed):
        folder = make_folder(tmp_path / "photos", {"boot/1.jpg": PHOTO, "clog/2.jpg": PHOTO})
        with (folder / f"t.{ending}").open("wb") as file:
            file.truncate(limit * 1_000_000 + 1)
        made = folder
        if packed:
            made = tmp_path / "a.zip"
            with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                for path in folder.rglob("*.*"):
                    archive.write(path, path.relative_to(folder))
        told = rf"t\.{ending} may hold the labels of .* It has {limit}\.0 MB; the limit for such tables is {limit} MB\."
        with pytest.raises(DatasetError, match=told):
            preview_source(made)
        assert {file.label for file in preview_source(made, layout=LayoutKind.CLASSES).files} == {"boot", "clog"}

    @pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
    @pytest.mark.parametrize("table", [Link("boot/1.jpg"), Locked(b"x"), Damaged(b"xyz")])
    def test_a_table_that_cannot_be_read_is_named(self, tmp_path, table):
        content = {"boot/1.jpg": PHOTO, "clog/2.jpg": PHOTO, "t.csv": table}
        unpacked = isinstance(table, Link)
        made = make_folder(tmp_path / "a", content) if unpacked else make_archive(tmp_path / "a.zip", content)
        with pytest.raises(DatasetError, match=r"t\.csv may hold the labels of .*(link|password|damaged)"):
            preview_source(made if unpacked else spoil(made, content))

    @pytest.mark.skipif(sys.platform == "win32", reason="links and pipes need rights there")
    @pytest.mark.parametrize(
        ("form", "packed"),
        [(form, False) for form, odd in ODD_FORMS.items() if odd.unpacked]
        + [(form, True) for form, odd in ODD_FORMS.items() if odd.packed],
    )
    def test_everything_odd_is_accounted_for(self, tmp_path, form, packed):
        odd = ODD_FORMS[form]
        content = {"boot/1.jpg": PHOTO, **odd.content}
        made = make_archive(tmp_path / "a.zip", content) if packed else make_folder(tmp_path / "photos", content)
        result = import_photos(create_index(tmp_path / "shoes", "Shoes"), spoil(made, content) if packed else made)
        rejected = {name: reason for name, reason in odd.reasons.items() if reason != SKIPPED}
        assert (result.added, result.known, set(result.rejected)) == (1, 0, set(rejected))
        assert all(words in result.rejected[name] for name, words in rejected.items())
        skipped = len(odd.reasons) - len(rejected)
        assert sum(int(note.split()[0]) for note in result.notes if "system file" in note) == skipped

    @pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="this user may open everything")
    def test_a_folder_that_cannot_be_opened_is_rejected(self, tmp_path):
        write(tmp_path / "photos" / "boot" / "1.jpg", jpeg(photo(1)))
        closed = tmp_path / "photos" / "closed"
        closed.mkdir(mode=0)
        with open_source(tmp_path / "photos") as source:
            assert "can't be opened" in source.rejected["closed"]

    @pytest.mark.parametrize(
        ("encoding", "name"),
        [
            ("utf-8", "Größe/1.jpg"),
            ("cp437", "grün/Größe 42.jpg"),
            ("cp1252", "café/crème brûlée.jpg"),
            ("cp932", "スニーカー/赤い靴.jpg"),
            ("gb18030", "运动鞋/红色.jpg"),
            ("euc_kr", "운동화/빨강.jpg"),
            ("cp866", "кроссовки/1.jpg"),
            ("cp1251", "кроссовки/1.jpg"),
        ],
    )
    def test_names_of_archives_in_usual_code_pages(self, tmp_path, encoding, name):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr(UnflaggedEntry(name, encoding), b"x")
        with open_source(tmp_path / "a.zip") as source:
            assert source.files == [name]
            assert bool(source.notes) == (encoding != "utf-8")
