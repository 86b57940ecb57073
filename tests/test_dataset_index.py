"""The dataset on disk: names, the index, incoming photos, crashes, and the list of datasets."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
import unicodedata
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sneaker_core.datasets.dataset_collection import (
    create_dataset,
    damaged_datasets,
    datasets_of,
    delete_dataset,
    find_dataset,
    find_or_create,
    list_datasets,
    rename_dataset,
    restore_dataset,
)
from sneaker_core.datasets.importer import Importer, ImportStatus, IncomingPhoto
from sneaker_core.datasets.index import (
    INDEX_FILE,
    Dataset,
    create_index,
    import_lock,
    open_index,
    read_classes,
    read_provenance,
    read_rejects,
    read_samples,
    remember_link,
    tried_links,
    web_provenance,
)
from sneaker_core.datasets.photo_folder import sample_id
from sneaker_core.datasets.quality.findings import read_findings, read_near_duplicate_groups
from sneaker_core.datasets.quality.stored_measures import read_embeddings
from sneaker_core.datasets.review_log import Action, decide, history
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.datasets.thumbnails import ensure_thumbnail, thumbnail_path
from sneaker_core.errors import DatasetError, ImageError
from sneaker_core.settings import ImageLimits
from sneaker_core.workspace.paths import PROJECT, datasets_folder
from sneaker_core.workspace.safe_names import safe_folder_name
from tests.factories import draw_dataset, jpeg, photo, write

DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³")}
# The bytes of small photos, all different.
PHOTOS = [jpeg(photo(seed, (24, 16))) for seed in range(12)]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return create_index(tmp_path / "shoes", "Shoes")


def add(dataset: Dataset, *photos: IncomingPhoto, source: str = "test") -> list[ImportStatus]:
    with Importer(dataset, source) as importer:
        return [importer.add(incoming).status for incoming in photos]


def filled(dataset: Dataset, count: int, label: str = "boot") -> list[str]:
    """Import this many photos under one label; returns their ids."""
    add(dataset, *(IncomingPhoto(f"{number}.jpg", label, PHOTOS[number]) for number in range(count)))
    return [sample_id(data) for data in PHOTOS[:count]]


def in_background(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Run code in another process, whose standard output can be read line by line."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )


def assert_whole(dataset: Dataset) -> None:
    """Rows and files agree, the hash of every file matches its name, and no photo is incoming."""
    rows = read_samples(dataset)
    assert [sample_id(Path(path).read_bytes()) for path in rows["path"]] == list(rows["sample"])
    assert {str(path) for path in dataset.images.rglob("*") if path.is_file()} == set(rows["path"])
    assert list(dataset.incoming.iterdir()) == []


def assert_safe(name: str) -> None:
    assert 1 <= len(name) <= 80
    assert len(name.encode()) <= 255
    assert not set(name) & set('/\\:*?"<>|\0')
    assert name.isprintable()
    assert name == name.strip(". ")
    assert name.partition(".")[0].strip().upper() not in DEVICES
    assert unicodedata.is_normalized("NFC", name)


class TestNames:
    @pytest.mark.parametrize("name", ["Air Jordan 1", "a_b", "Größe 42", "エア", "A&B (2.0) +x-y", "context", "com10"])
    def test_safe_names_stay(self, name):
        assert safe_folder_name(name) == name

    @pytest.mark.parametrize(
        "name",
        ["", " ", ".", "..", "../..", "/etc/passwd", "C:\\x", "CON", "con.txt", "NUL .jpg", "COM¹", "lpt²", "a/b", "a\\b", "👟"]  # noqa: E501, RUF005
        + ["x" * 300, "𝐀" * 80, "<script>alert(1)</script>", "dot.", " space ", "a\0b", "a\nb", "\udce9", "~", "-" * 300]  # noqa: E501
        + ["ᄀ$ᅡ", "e\u0301", "A\u200b", "CON."],
    )  # fmt: skip
    def test_other_names_are_made_safe(self, name):
        made = safe_folder_name(name)
        assert_safe(made)
        assert made != name
        assert safe_folder_name(made) == made

    def test_names_that_look_alike_get_folders_of_their_own(self):
        taken: set[str] = set()
        for name in (
            "a/b",
            "a_b",
            "ab",
            "a\\b",
            "AB",
            "é",
            "e\u0301",
            "É",
            "👟",
            "🥾",
            "..",
            "...",
            "x" * 300,
            "x" * 301,
        ):
            made = safe_folder_name(name, taken)
            assert_safe(made)
            assert made.lower() not in taken
            taken.add(made.lower())

    @given(st.lists(st.text(max_size=120) | st.text("aA.é \u0301/ßſ", max_size=6), unique=True, max_size=8))
    @settings(max_examples=150, deadline=None)
    def test_any_names_get_safe_folders_of_their_own(self, names):
        taken: set[str] = set()
        for name in names:
            made = safe_folder_name(name, taken)
            assert_safe(made)
            assert made.lower() not in taken
            assert safe_folder_name(made) == made
            taken.add(made.lower())

    def test_the_longest_names_fit_into_a_folder(self, tmp_path):
        for name in ("𝐀" * 80, "鞋" * 80, "é" * 300):
            (tmp_path / safe_folder_name(name)).mkdir()


# The parts of an index before format 2 that have other names today.
FORMAT_1 = """
CREATE TABLE facts(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO facts VALUES ('format', '1'), ('name', '"Old shoes"'), ('created', '1.5'), ('revision', '3');
CREATE TABLE classes(
  class INTEGER PRIMARY KEY, label TEXT NOT NULL UNIQUE, folder TEXT NOT NULL UNIQUE COLLATE NOCASE);
INSERT INTO classes VALUES (1, 'boot', 'boot'), (2, 'clog', 'clog');
CREATE TABLE samples(
  sample TEXT PRIMARY KEY, file TEXT NOT NULL UNIQUE, name TEXT NOT NULL, filed INTEGER NOT NULL REFERENCES classes,
  label INTEGER NOT NULL REFERENCES classes, excluded INTEGER NOT NULL DEFAULT 0, split TEXT,
  width INTEGER NOT NULL, height INTEGER NOT NULL, bytes INTEGER NOT NULL, added REAL NOT NULL) WITHOUT ROWID;
INSERT INTO samples VALUES ('a', 'boot/a.jpg', '1.jpg', 1, 1, 0, NULL, 9, 9, 9, 1), ('b', 'boot/b.jpg', '2.jpg', 1, 2, 0, 'val', 9, 9, 9, 1);
CREATE TABLE filings(
  sample TEXT NOT NULL REFERENCES samples, label INTEGER NOT NULL REFERENCES classes, name TEXT NOT NULL,
  source TEXT NOT NULL, split TEXT, url TEXT, query TEXT, time REAL NOT NULL,
  PRIMARY KEY(sample, label, source, name)) WITHOUT ROWID;
INSERT INTO filings VALUES ('a', 1, '1.jpg', 'drawn', NULL, NULL, NULL, 1), ('b', 1, '2.jpg', 'folder drawn', NULL, NULL, NULL, 2);
CREATE TABLE rejects(
  source TEXT NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL, time REAL NOT NULL,
  PRIMARY KEY(source, name)) WITHOUT ROWID;
INSERT INTO rejects VALUES ('drawn', '3.jpg', 'why', 1);
CREATE TABLE links(url TEXT PRIMARY KEY, reason TEXT NOT NULL, time REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE decisions(
  decision INTEGER PRIMARY KEY AUTOINCREMENT, batch TEXT NOT NULL, time REAL NOT NULL, author TEXT NOT NULL,
  sample TEXT NOT NULL REFERENCES samples, action TEXT NOT NULL, label INTEGER REFERENCES classes,
  kinds TEXT NOT NULL, undone REAL);
INSERT INTO decisions VALUES (1, 'x', 1, 'me', 'b', 'relabel', 2, '[]', NULL), (2, 'x', 1, 'me', 'a', 'keep', NULL, '["odd_shape", "bright"]', NULL);
CREATE TABLE embeddings(
  sample TEXT PRIMARY KEY REFERENCES samples, vector BLOB NOT NULL, strangeness REAL NOT NULL,
  x REAL, y REAL) WITHOUT ROWID;
INSERT INTO embeddings VALUES ('a', x'003c', 2.5, NULL, NULL);
CREATE TABLE findings(
  sample TEXT NOT NULL REFERENCES samples, kind TEXT NOT NULL, score REAL NOT NULL, family INTEGER, suggestion TEXT,
  advice TEXT, PRIMARY KEY(sample, kind)) WITHOUT ROWID;
INSERT INTO findings VALUES ('a', 'near_copy', 1, 7, NULL, NULL), ('a', 'bright', 1, NULL, NULL, NULL), ('a', 'odd_shape', 1, NULL, NULL, NULL);
CREATE TABLE families(sample TEXT PRIMARY KEY REFERENCES samples, family INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO families VALUES ('a', 7), ('b', 7);
"""  # noqa: E501


class TestIndex:
    def test_a_new_dataset_is_empty(self, dataset):
        assert (dataset.name, len(read_samples(dataset)), read_classes(dataset)) == ("Shoes", 0, [])
        assert open_index(dataset.folder).fact("created") > 0
        assert dataset.fact("nothing") is None

    def test_a_place_in_use_is_refused_and_left_as_it_is(self, tmp_path):
        write(tmp_path / "used" / "mine.txt", b"mine")
        with pytest.raises(DatasetError, match="choose another name"):
            create_index(tmp_path / "used", "Used")
        assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == [
            "used",
            "used/mine.txt",
        ]

    def test_without_an_index_it_is_no_dataset(self, tmp_path):
        with pytest.raises(DatasetError, match="not a dataset"):
            open_index(tmp_path)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("damage", [b"", b"not a database, but long enough to be read as one" * 40])
    def test_a_damaged_index_has_a_clear_error(self, dataset, damage):
        (dataset.folder / INDEX_FILE).write_bytes(damage)
        for leftover in dataset.folder.glob(f"{INDEX_FILE}-*"):
            leftover.unlink()
        with pytest.raises(DatasetError, match="shoes"):
            open_index(dataset.folder)

    def test_a_database_of_something_else_has_a_clear_error(self, tmp_path):
        (tmp_path / "other").mkdir()
        with sqlite3.connect(tmp_path / "other" / INDEX_FILE) as db:
            db.execute("CREATE TABLE recipes(name TEXT)")
        with pytest.raises(DatasetError, match="other"):
            open_index(tmp_path / "other")

    def test_a_newer_index_has_a_clear_error(self, dataset):
        with dataset.changing() as db:
            db.execute("UPDATE facts SET value = 999 WHERE key = 'format'")
        with pytest.raises(DatasetError, match="another version of SoleScope"):
            open_index(dataset.folder)

    def test_an_index_of_format_1_is_upgraded_with_everything_in_it(self, tmp_path):
        old = tmp_path / "old"
        old.mkdir()
        with contextlib.closing(sqlite3.connect(old / INDEX_FILE)) as db:
            db.executescript(FORMAT_1)
        dataset = open_index(old)
        findings = read_findings(dataset, dismissed=True).set_index("kind")
        assert findings["group_id"].dropna().to_dict() == {"near_duplicate": 7}
        assert findings["open"].to_dict() == {"near_duplicate": True, "overexposed": False, "odd_aspect_ratio": False}
        assert read_near_duplicate_groups(dataset).to_dict() == {"a": 7, "b": 7}
        assert history(dataset)["kinds"].tolist() == [("odd_aspect_ratio", "overexposed"), ()]
        assert read_provenance(dataset)[["name", "source"]].to_numpy().tolist() == [
            ["1.jpg", "synthetic"], ["2.jpg", "folder drawn"],
        ]  # fmt: skip
        assert read_rejects(dataset)["source"].tolist() == ["synthetic"]
        rows = read_samples(dataset).set_index("sample")
        assert rows["original_label"].to_dict() == {"a": "boot", "b": "boot"}
        assert rows["label"].to_dict() == {"a": "boot", "b": "clog"}
        assert read_embeddings(dataset, pd.Series(["a"]))["ood_score"].tolist() == [2.5]
        assert (dataset.fact("format"), dataset.name) == (2, "Old shoes")

    def test_a_change_that_fails_changes_nothing(self, dataset):
        before = dataset.revision
        with pytest.raises(ZeroDivisionError), dataset.changing() as db:
            db.execute("INSERT INTO classes VALUES (1, 'boot', 'boot')")
            raise ZeroDivisionError
        assert (read_classes(dataset), dataset.revision) == ([], before)

    def test_the_revision_grows_with_every_change_and_with_no_look(self, dataset):
        seen = [dataset.revision]
        samples = filled(dataset, 2)
        seen.append(dataset.revision)
        decide(dataset, samples, Action.EXCLUDE)
        seen.append(dataset.revision)
        remember_link(dataset, "https://example.org/x", "gone")
        seen.append(dataset.revision)
        assert seen == sorted(set(seen))
        read_samples(dataset)
        history(open_index(dataset.folder))
        assert dataset.revision == seen[-1]

    def test_links_are_remembered(self, dataset):
        for reason in ("gone", "no photo"):
            remember_link(dataset, "https://example.org/x", reason)
        assert tried_links(dataset) == {"https://example.org/x"}

    def test_opening_finishes_what_a_crash_left(self, dataset):
        first, second = filled(dataset, 2)
        place = Path(read_samples(dataset).set_index("sample")["path"][first])
        place.rename(dataset.incoming / place.name)
        (dataset.incoming / f"{'f' * 16}.jpg").write_bytes(b"half a photo")
        assert_whole(open_index(dataset.folder))
        assert place.is_file()
        assert set(read_samples(dataset)["sample"]) == {first, second}

    def test_opening_leaves_photos_alone_that_are_on_their_way(self, dataset):
        with import_lock(dataset):
            (dataset.incoming / f"{'f' * 16}.jpg").write_bytes(b"half a photo")
            open_index(dataset.folder)
            assert len(list(dataset.incoming.iterdir())) == 1


class TestImporter:
    def test_a_photo_is_stored_as_it_came(self, dataset):
        data = jpeg(photo(1, (60, 40)))
        assert add(dataset, IncomingPhoto("my shoe.jpeg", " Boot ", data, "val", "https://x.org/1", "boot")) == [
            ImportStatus.ADDED
        ]
        (row,) = read_samples(dataset).to_dict("records")
        assert Path(row["path"]) == dataset.images / "Boot" / f"{sample_id(data)}.jpg"
        assert Path(row["path"]).read_bytes() == data
        told = {
            key: row[key]
            for key in ("label", "original_label", "split", "width", "height", "bytes", "name", "excluded")
        }
        assert told == {
            "label": "Boot", "original_label": "Boot", "split": "val", "width": 60, "height": 40, "bytes": len(data),
            "name": "my shoe.jpeg", "excluded": False,
        }  # fmt: skip
        (entry,) = web_provenance(dataset).to_dict("records")
        assert (entry["url"], entry["query"], entry["source"]) == ("https://x.org/1", "boot", "test")

    def test_the_ending_and_size_are_those_of_the_bytes(self, dataset):
        buffer = BytesIO()
        photo(1, (60, 40)).save(buffer, "PNG")
        turned = BytesIO()
        exif = Image.Exif()
        exif[0x0112] = 6  # a quarter turn
        photo(2, (60, 40)).save(turned, "JPEG", exif=exif)
        add(dataset, IncomingPhoto("a.jpg", "x", buffer.getvalue()), IncomingPhoto("b.png", "x", turned.getvalue()))
        rows = read_samples(dataset)
        assert [Path(path).suffix for path in rows["path"]] == [".png", ".jpg"]
        assert list(zip(rows["width"], rows["height"], strict=True)) == [(60, 40), (40, 60)]

    def test_identical_bytes_are_stored_once_with_every_provenance(self, dataset):
        data = PHOTOS[0]
        arrived = add(
            dataset, *(IncomingPhoto(name, label, data) for name, label in (("a", "x"), ("b", "x"), ("c", "y")))
        )
        arrived += add(dataset, IncomingPhoto("a", "x", data), source="another")
        assert arrived == [ImportStatus.ADDED, *[ImportStatus.KNOWN] * 3]
        assert list(read_samples(dataset)["label"]) == ["x"]
        provenance = read_provenance(dataset)
        assert set(zip(provenance["name"], provenance["label"], provenance["source"], strict=True)) == {
            ("a", "x", "test"), ("b", "x", "test"), ("c", "y", "test"), ("a", "x", "another"),
        }  # fmt: skip
        assert_whole(dataset)

    def test_what_is_no_photo_is_listed_with_the_reason(self, dataset):
        large = Importer(dataset, "test", ImageLimits(max_bytes=100, max_pixels=10**6))
        with large as importer:
            outcomes = [
                importer.add(incoming)
                for incoming in (
                    IncomingPhoto("text.jpg", "x", b"hello"),
                    IncomingPhoto("empty.jpg", "x", b""),
                    IncomingPhoto("cut.jpg", "x", PHOTOS[0][:90]),
                    IncomingPhoto("large.jpg", "x", PHOTOS[0]),
                    IncomingPhoto("nameless.jpg", " \t", PHOTOS[0]),
                )
            ]
        assert {outcome.status for outcome in outcomes} == {ImportStatus.REJECTED}
        rejects = read_rejects(dataset)
        assert sorted(rejects["name"]) == ["cut.jpg", "empty.jpg", "large.jpg", "nameless.jpg", "text.jpg"]
        assert all(reason.endswith(".") for reason in rejects["reason"])
        assert set(rejects["reason"]) == {outcome.reason for outcome in outcomes}
        assert len(read_samples(dataset)) == 0
        assert_whole(dataset)

    def test_a_file_that_comes_in_at_last_is_no_reject_any_more(self, dataset):
        add(dataset, IncomingPhoto("a.jpg", "x", b"cut off"))
        assert add(dataset, IncomingPhoto("a.jpg", "x", PHOTOS[0])) == [ImportStatus.ADDED]
        assert list(read_rejects(dataset)["name"]) == []

    def test_threads_with_the_same_bytes_store_them_once(self, dataset):
        with Importer(dataset, "test") as importer, ThreadPoolExecutor(8) as pool:
            waiting = [
                pool.submit(importer.add, IncomingPhoto(f"{number}-{copy}", "x", data))
                for copy in range(6)
                for number, data in enumerate([*PHOTOS[:5], b"no photo"])
            ]
            kinds = Counter(future.result().status for future in waiting)
        assert kinds == {ImportStatus.ADDED: 5, ImportStatus.KNOWN: 25, ImportStatus.REJECTED: 6}
        assert len(read_provenance(dataset)) == 30
        assert_whole(dataset)

    def test_a_second_importer_is_refused_until_the_first_has_ended(self, dataset):
        with Importer(dataset, "first"):
            with pytest.raises(DatasetError, match="already being added to 'Shoes'"), Importer(dataset, "second"):
                pass
            code = (
                "import sys; from pathlib import Path; from sneaker_core.datasets.index import open_index\n"
                "from sneaker_core.datasets.importer import Importer; from sneaker_core.errors import DatasetError\n"
                "try:\n with Importer(open_index(Path(sys.argv[1])), 'other'): print('in')\n"
                "except DatasetError as error: print(error)"
            )
            assert "being added" in in_background(code, dataset.folder).communicate()[0]
        assert in_background(code, dataset.folder).communicate()[0].strip() == "in"

    def test_an_error_in_the_body_keeps_what_had_arrived_and_lets_go(self, dataset):
        with pytest.raises(ZeroDivisionError), Importer(dataset, "test") as importer:
            importer.add(IncomingPhoto("a", "x", PHOTOS[0]))
            raise ZeroDivisionError
        assert add(dataset, IncomingPhoto("a", "x", PHOTOS[0])) == [ImportStatus.KNOWN]
        assert_whole(dataset)

    def test_a_class_that_a_review_makes_meanwhile_is_the_same_class(self, dataset):
        (sample,) = filled(dataset, 1)
        with Importer(dataset, "test") as importer:
            importer.add(IncomingPhoto("1", "clog", PHOTOS[1]))
            decide(dataset, [sample], Action.RELABEL, "sandal")
            decide(dataset, [sample], Action.RELABEL, "clog")
            importer.add(IncomingPhoto("2", "sandal", PHOTOS[2]))
            importer.add(IncomingPhoto("3", "heel", PHOTOS[3]))
        assert read_classes(dataset) == ["boot", "clog", "heel", "sandal"]
        rows = read_samples(dataset)
        assert dict(zip(rows["name"], rows["label"], strict=True)) == {
            "0.jpg": "clog", "1": "clog", "2": "sandal", "3": "heel",
        }  # fmt: skip
        assert_whole(dataset)

    def test_classes_that_differ_in_case_alone_have_folders_of_their_own(self, dataset):
        add(
            dataset,
            IncomingPhoto("a", "Boot", PHOTOS[0]),
            IncomingPhoto("b", "boot", PHOTOS[1]),
            IncomingPhoto("c", "BOOT", PHOTOS[2]),
        )
        folders = [path.name.lower() for path in dataset.images.iterdir()]
        assert read_classes(dataset) == ["BOOT", "Boot", "boot"]
        assert len(set(folders)) == 3
        assert_whole(dataset)

    def test_a_dataset_that_lost_its_empty_folders_still_works(self, dataset):
        for folder in (dataset.incoming, dataset.images, dataset.folder / "thumbnails", dataset.jobs):
            folder.rmdir()
        assert add(dataset, IncomingPhoto("a", "x", PHOTOS[0])) == [ImportStatus.ADDED]
        assert_whole(open_index(dataset.folder))

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
    def test_a_photo_that_cannot_be_written_has_a_clear_error(self, dataset, tmp_path):
        write(tmp_path / "large.jpg", jpeg(photo(1, (900, 900)), quality=100))
        code = (
            "import resource, signal, sys; from pathlib import Path\n"
            "from sneaker_core.datasets.index import open_index\n"
            "from sneaker_core.datasets.importer import IncomingPhoto, Importer\n"
            "from sneaker_core.errors import DatasetError\n"
            "data = Path(sys.argv[2]).read_bytes()\n"
            "try:\n"
            " with Importer(open_index(Path(sys.argv[1])), 'x') as importer:\n"
            "  resource.setrlimit(resource.RLIMIT_FSIZE, (len(data) // 2,) * 2)\n"
            "  importer.add(IncomingPhoto('large', 'x', data))\n"
            "except DatasetError as error: print(error)"
        )
        assert "Can't write photos" in in_background(code, dataset.folder, tmp_path / "large.jpg").communicate()[0]
        assert_whole(open_index(dataset.folder))
        assert add(dataset, IncomingPhoto("a", "x", PHOTOS[0])) == [ImportStatus.ADDED]


class TestThumbnails:
    def test_are_made_on_the_way_in(self, dataset):
        data = jpeg(photo(3, (900, 300)))
        add(dataset, IncomingPhoto("a", "x", data))
        path = thumbnail_path(dataset, sample_id(data))
        with Image.open(path) as small:
            assert (small.format, small.size) == ("JPEG", (256, 85))

    def test_are_made_again_if_missing(self, dataset):
        (sample,) = filled(dataset, 1)
        path, source = thumbnail_path(dataset, sample), Path(read_samples(dataset)["path"][0])
        before = path.read_bytes()
        path.unlink()
        assert ensure_thumbnail(dataset, sample, source) == path
        assert path.read_bytes() == before
        source.unlink()
        assert ensure_thumbnail(dataset, sample, source) == path
        path.unlink()
        with pytest.raises(ImageError):
            ensure_thumbnail(dataset, sample, source)


IMPORTING = """
import sys
from pathlib import Path
from sneaker_core.datasets.index import open_index
from sneaker_core.datasets.sources.photo_import import import_photos
import_photos(open_index(Path(sys.argv[1])), Path(sys.argv[2]))
"""
REVIEWING = """
import sys
from pathlib import Path
from sneaker_core.datasets.index import open_index
from sneaker_core.datasets.review_log import Action, decide
dataset, author = open_index(Path(sys.argv[1])), sys.argv[2]
for number in range(int(sys.argv[3])):
    action, label = [(Action.EXCLUDE, None), (Action.KEEP, None), (Action.RELABEL, f"class {number % 5}")][number % 3]
    print(decide(dataset, sys.argv[4:], action, label, author=author), flush=True)
"""


class TestCrashes:
    def test_an_import_killed_anywhere_leaves_a_whole_dataset(self, dataset, tmp_path):
        draw_dataset(tmp_path / "photos", {"boot": 60, "clog": 50, "sandal": 50})

        def files(folder: Path) -> int:
            return sum(len(names) for _, _, names in os.walk(folder))

        # Photos in incoming or in their places: before a commit, and between the commit and the last move.
        for part, more in ((dataset.incoming, 40), (dataset.images, 1), (dataset.incoming, 5), (dataset.images, 15)):
            enough = files(part) + more
            process = in_background(IMPORTING, dataset.folder, tmp_path / "photos")
            while process.poll() is None and files(part) < enough:
                time.sleep(0.0005)
            process.kill()
            process.wait()
            process.stdout.close()
            opened = open_index(dataset.folder)
            assert_whole(opened)
        result = import_photos(opened, tmp_path / "photos")
        assert (result.added + result.known, result.rejected) == (160, {})
        assert len(read_samples(opened)) == 160
        assert len(read_provenance(opened)) == 160
        assert_whole(opened)

    def test_decisions_that_were_answered_outlive_a_kill(self, dataset):
        samples = filled(dataset, 4)
        told: list[str] = []
        for lines in (3, 17):
            process = in_background(REVIEWING, dataset.folder, "me", 10_000, *samples)
            told += [process.stdout.readline().strip() for _ in range(lines)]
            process.kill()
            told += process.communicate()[0].split()
        table = history(open_index(dataset.folder))
        assert set(told) <= set(table["batch"])
        assert set(table.groupby("batch").size()) == {4}
        assert set(table.groupby("batch")["action"].nunique()) == {1}
        rows, last = read_samples(dataset), table.iloc[0]
        assert set(rows["excluded"]) == {last["action"] == "exclude"}
        assert set(rows["label"]) == {table.loc[table["action"] == "relabel", "label"].iloc[0]}

    def test_concurrent_reviews_lose_nothing(self, dataset):
        samples = filled(dataset, 3)
        before = dataset.revision
        processes = [in_background(REVIEWING, dataset.folder, author, 30, *samples) for author in ("ann", "bob")]
        with ThreadPoolExecutor(3) as pool:
            mine = [pool.submit(decide, dataset, samples, Action.KEEP, author="eve") for _ in range(30)]
            batches = [future.result() for future in mine]
        for process in processes:
            batches += process.communicate()[0].split()
            assert process.returncode == 0
        table = history(dataset)
        assert table["author"].value_counts().to_dict() == {"ann": 90, "bob": 90, "eve": 90}
        assert set(table["batch"]) == set(batches)
        assert len(set(batches)) == 90
        assert dataset.revision == before + 90


class TestLibrary:
    def test_is_found_by_its_name_and_its_path(self, tmp_path):
        made = create_dataset(tmp_path, "  My:  Shoes ")
        assert made.name == "My: Shoes"
        for way in ("My: Shoes", " My:  Shoes", str(made.folder)):
            assert find_dataset(tmp_path, way).folder == made.folder
        with pytest.raises(DatasetError, match="No dataset named"):
            find_dataset(tmp_path, made.folder.name)

    @pytest.mark.parametrize("name", ["nope", "", "x" * 300, "a/" * 200, "\0", "..", "\udce9", "~"])
    def test_a_name_that_nothing_has_is_an_error_that_lists_the_existing_ones(self, tmp_path, name):
        create_dataset(tmp_path, "Shoes")
        with pytest.raises(DatasetError, match="Available datasets: 'Shoes'"):
            find_dataset(tmp_path, name)

    @pytest.mark.parametrize("name", ["", "   ", "x" * 101])
    def test_a_name_has_1_to_100_characters(self, tmp_path, name):
        with pytest.raises(DatasetError, match="1 to 100 characters"):
            create_dataset(tmp_path, name)
        assert list_datasets(tmp_path) == []

    def test_a_name_is_given_once_whatever_its_case(self, tmp_path):
        create_dataset(tmp_path, "Shoes")
        with pytest.raises(DatasetError, match="already a dataset named 'SHOES'"):
            create_dataset(tmp_path, "SHOES")
        other = create_dataset(tmp_path, "Other")
        with pytest.raises(DatasetError, match="already a dataset named 'shoes'"):
            rename_dataset(tmp_path, other, "shoes")
        assert other.name == "Other"

    @pytest.mark.parametrize("name", ["Shoes", " Shoes ", "My  shoes", "../Shoes", "a\nb"])
    def test_find_or_create_makes_it_once(self, tmp_path, name):
        assert find_or_create(tmp_path, name).folder == find_or_create(tmp_path, name).folder
        assert len(list_datasets(tmp_path)) == 1
        assert [path.parent for path in tmp_path.rglob(INDEX_FILE)] == [list_datasets(tmp_path)[0].folder]
        assert list_datasets(tmp_path)[0].folder.parent == datasets_folder(tmp_path)

    def test_the_list_counts_photos_and_classes_that_are_in(self, tmp_path):
        create_dataset(tmp_path, "b")
        made = create_dataset(tmp_path, "A")
        add(made, *(IncomingPhoto(str(number), "xxyz"[number], PHOTOS[number]) for number in range(4)))
        decide(made, [sample_id(PHOTOS[3])], Action.EXCLUDE)
        first, second = list_datasets(tmp_path)
        assert (first.name, first.photos, first.classes, first.folder) == ("A", 3, 2, made.folder)
        assert (second.name, second.photos, second.classes) == ("b", 0, 0)

    def test_a_rename_leaves_the_folder_where_it_is(self, tmp_path):
        made = create_dataset(tmp_path, "Shoes")
        rename_dataset(tmp_path, made, "Boots / all")
        assert find_dataset(tmp_path, "Boots / all").folder == made.folder
        # Its folder keeps the old name, which is free nevertheless.
        assert create_dataset(tmp_path, "Shoes").folder != made.folder

    def test_a_name_goes_before_a_folder_of_that_name(self, tmp_path):
        first = create_dataset(tmp_path, "Shoes")
        rename_dataset(tmp_path, first, "Boots")
        second = create_dataset(tmp_path, "Shoes")
        assert find_dataset(tmp_path, "Shoes").folder == second.folder
        assert find_dataset(tmp_path, "Boots").folder == first.folder

    def test_a_deleted_dataset_waits_in_the_bin(self, tmp_path):
        made = create_dataset(tmp_path, "Shoes")
        (sample,) = filled(made, 1)
        kept = delete_dataset(tmp_path, made)
        assert list_datasets(tmp_path) == []
        (entry,) = datasets_of(tmp_path).deleted()
        assert (entry.name, entry.folder, entry.photos) == ("Shoes", kept, 1)
        back = restore_dataset(tmp_path, kept.name)
        assert (back.name, back.folder) == ("Shoes", made.folder)
        assert list(read_samples(back)["sample"]) == [sample]
        assert_whole(back)
        assert datasets_of(tmp_path).deleted() == []

    def test_is_restored_under_a_free_name(self, tmp_path):
        for _ in range(2):
            delete_dataset(tmp_path, create_dataset(tmp_path, "Shoes"))
        create_dataset(tmp_path, "shoes")
        assert [restore_dataset(tmp_path, "Shoes").name for _ in range(2)] == ["Shoes (2)", "Shoes (3)"]
        assert len({entry.folder for entry in list_datasets(tmp_path)}) == 3
        with pytest.raises(DatasetError, match="There is no dataset named 'Shoes' in the bin"):
            restore_dataset(tmp_path, "Shoes")

    def test_nothing_is_deleted_while_photos_are_added(self, tmp_path):
        made = create_dataset(tmp_path, "Shoes")
        with Importer(made, "test") as importer:
            with pytest.raises(DatasetError, match="being added"):
                delete_dataset(tmp_path, made)
            assert importer.add(IncomingPhoto("a", "x", PHOTOS[0])).status is ImportStatus.ADDED
        assert (list_datasets(tmp_path)[0].photos, datasets_of(tmp_path).deleted()) == (1, [])

    def test_a_damaged_dataset_is_named_and_does_not_affect_others(self, tmp_path):
        create_dataset(tmp_path, "Good")
        write(datasets_folder(tmp_path) / "bad" / INDEX_FILE, b"garbage" * 1000)
        write(datasets_folder(tmp_path) / "folder" / "notes.txt", b"no dataset at all")
        assert [entry.name for entry in list_datasets(tmp_path)] == ["Good"]
        ((folder, reason),) = damaged_datasets(tmp_path).items()
        assert folder == "bad"
        assert "damaged" in reason
        assert find_dataset(tmp_path, "Good").name == "Good"

    def test_a_workspace_that_is_not_there_has_no_datasets(self, tmp_path):
        assert list_datasets(tmp_path / "none") == datasets_of(tmp_path / "none").deleted() == []
        assert damaged_datasets(tmp_path / "none") == {}
