"""Import: layouts of folders and archives, malicious archives, and a record of every file."""

import os
import struct
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest

from sneaker_core.datasets.importer import Importer
from sneaker_core.datasets.index import (
    Dataset,
    create_index,
    open_index,
    read_classes,
    read_provenance,
    read_rejects,
    read_samples,
)
from sneaker_core.datasets.photo_folder import read_labeled_folder, sample_id
from sneaker_core.datasets.sources.photo_import import ImportResult, import_photos
from sneaker_core.datasets.sources.source_files import directory_bytes
from sneaker_core.errors import DatasetError, SneakerError
from tests.factories import jpeg, photo, write
from tests.odd_sources import Link, archive_of, make_archive, make_folder, set_flag

PHOTOS = [jpeg(photo(seed, (24, 16))) for seed in range(12)]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return create_index(tmp_path / "workspace" / "shoes", "Shoes")


def listed(result: ImportResult) -> dict[str, int]:
    return {"added": result.added, "known": result.known, "rejected": len(result.rejected), "waiting": result.waiting}


def filed(dataset: Dataset) -> set[tuple[str, str, str | None]]:
    """Name, label and split of every photo."""
    rows = read_samples(dataset)
    return set(zip(rows["name"], rows["label"], rows["split"], strict=True))


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


# Each layout: its files, and the label and split of each photo.
LAYOUTS = {
    "class folders": (
        {"boot/1.jpg": 0, "boot/2.jpg": 1, "clog/1.jpg": 2},
        {"boot/1.jpg": ("boot", None), "boot/2.jpg": ("boot", None), "clog/1.jpg": ("clog", None)},
    ),
    "one class": ({"boot/1.jpg": 0, "boot/2.jpg": 1}, {"boot/1.jpg": ("boot", None), "boot/2.jpg": ("boot", None)}),
    "deeper folders": (
        {"boot/left/old/1.jpg": 0, "boot/2.jpg": 1, "clog/x/3.jpg": 2},
        {"boot/left/old/1.jpg": ("boot", None), "boot/2.jpg": ("boot", None), "clog/x/3.jpg": ("clog", None)},
    ),
    "split folders": (
        {"Train/boot/1.jpg": 0, "valid/boot/2.jpg": 1, "testing/clog/3.jpg": 2, "test/x.jpg": 3},
        {"Train/boot/1.jpg": ("boot", "train"), "valid/boot/2.jpg": ("boot", "val"),
         "testing/clog/3.jpg": ("clog", "test")},
    ),
    "only train": (
        {"train/boot/1.jpg": 0, "train/clog/2.jpg": 1},
        {"train/boot/1.jpg": ("boot", "train"), "train/clog/2.jpg": ("clog", "train")},
    ),
    "a class called like a split among others": (
        {"test/1.jpg": 0, "boot/2.jpg": 1},
        {"test/1.jpg": ("test", None), "boot/2.jpg": ("boot", None)},
    ),
    "wrapping folders": (
        {"all/my shoes/boot/1.jpg": 0, "all/my shoes/clog/2.jpg": 1},
        {"all/my shoes/boot/1.jpg": ("boot", None), "all/my shoes/clog/2.jpg": ("clog", None)},
    ),
    "a wrapping folder with splits": (
        {"shoes/train/boot/1.jpg": 0, "shoes/dev/clog/2.jpg": 1},
        {"shoes/train/boot/1.jpg": ("boot", "train"), "shoes/dev/clog/2.jpg": ("clog", "val")},
    ),
    "a wrapping folder with a note in it": (
        {"shoes/README.md": "notes", "shoes/boot/1.jpg": 0, "shoes/clog/2.jpg": 1},
        {"shoes/boot/1.jpg": ("boot", None), "shoes/clog/2.jpg": ("clog", None)},
    ),
    "a note beside a wrapping folder": (
        {"LICENSE": "notes", "shoes/boot/1.jpg": 0, "shoes/clog/2.jpg": 1},
        {"shoes/boot/1.jpg": ("boot", None), "shoes/clog/2.jpg": ("clog", None)},
    ),
    "folders named by SKU": (
        {"skus.csv": "SKU,Name\nDD1391,Dunk Low\ncw2288,Air Force 1\n", "dd1391/1.jpg": 0, "CW2288/2.jpg": 1, "zz/3.jpg": 2},  # noqa: E501
        {"dd1391/1.jpg": ("Dunk Low", None), "CW2288/2.jpg": ("Air Force 1", None), "zz/3.jpg": ("zz", None)},
    ),
    "folders named by SKU, wrapped": (
        {"d/skus.csv": "sku,name\na1,Dunk, \n", "d/a1/1.jpg": 0, "d/a1/2.jpg": 1},
        {"d/a1/1.jpg": ("Dunk", None), "d/a1/2.jpg": ("Dunk", None)},
    ),
    "a table with commas": (
        {"labels.csv": 'file,label\n1.jpg,"Boot, high"\n2.jpg,clog\n', "1.jpg": 0, "2.jpg": 1},
        {"1.jpg": ("Boot, high", None), "2.jpg": ("clog", None)},
    ),
    "a table with semicolons, a BOM and backslashes": (
        {"labels.csv": "\ufeffLabel;File\nBoot;in\\1.jpg\nclög;.\\2.jpg\n\n", "in/1.jpg": 0, "2.jpg": 1},
        {"in/1.jpg": ("Boot", None), "2.jpg": ("clög", None)},
    ),
    "a table with tabs and other columns": (
        {"t.csv": "id\tfile\tlabel\tsize\n1\ta.jpg\tboot\t9\n2\tb.jpg\tclog\n", "sub/a.jpg": 0, "sub/b.jpg": 1},
        {"sub/a.jpg": ("boot", None), "sub/b.jpg": ("clog", None)},
    ),
    "a table with splits": (
        {"t.csv": "file,label,split\na.jpg,boot,train\nb.jpg,clog,Validation\nc.jpg,clog,\nd.jpg,clog,trn\n",
         "a.jpg": 0, "b.jpg": 1, "c.jpg": 2, "d.jpg": 3},
        {"a.jpg": ("boot", "train"), "b.jpg": ("clog", "val"), "c.jpg": ("clog", None), "d.jpg": ("clog", "train")},
    ),
    "a table of something else": (
        {"notes.csv": "day,weather\n1,rain\n", "boot/1.jpg": 0, "clog/2.jpg": 1},
        {"boot/1.jpg": ("boot", None), "clog/2.jpg": ("clog", None)},
    ),
}  # fmt: skip


class TestLayouts:
    @pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_each_photo_gets_its_label_and_split(self, dataset, tmp_path, layout, packed):
        given, expected = LAYOUTS[layout]
        files = {name: PHOTOS[data] if isinstance(data, int) else data for name, data in given.items()}
        source = make_archive(tmp_path / "shoes.zip", files) if packed else make_folder(tmp_path / "photos", files)
        result = import_photos(dataset, source)
        assert filed(dataset) == {(name, *said) for name, said in expected.items()}
        others = {name for name in files if name not in expected and not name.endswith(".csv")}
        assert (set(result.rejected), result.added, result.stopped) == (others, len(expected), False)
        assert result.files == len(files) - sum(name.endswith(".csv") for name in files)
        assert dataset.fact("split") == ({"kind": "given"} if any(split for _, split in expected.values()) else None)

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_a_folder_is_read_as_it_is_imported(self, tmp_path, layout):
        given, expected = LAYOUTS[layout]
        files = {name: PHOTOS[data] if isinstance(data, int) else data for name, data in given.items()}
        folder = make_folder(tmp_path / "photos", files)
        read = {
            Path(row.path).relative_to(folder).as_posix(): (row.label, row.split)
            for row in read_labeled_folder(folder).itertuples()
        }
        assert read == expected

    @pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
    def test_links_are_read_in_place_and_never_imported(self, dataset, tmp_path):
        folder = make_folder(tmp_path / "photos", {"boot/1.jpg": PHOTOS[0]})
        (folder / "clog").mkdir()
        (folder / "clog" / "2.jpg").symlink_to(write(tmp_path / "elsewhere.jpg", PHOTOS[1]))
        os.mkfifo(folder / "clog" / "pipe.jpg")
        assert list(read_labeled_folder(folder)["label"]) == ["boot", "clog"]
        assert set(import_photos(dataset, folder).rejected) == {"clog/2.jpg", "clog/pipe.jpg"}

    @pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
    @pytest.mark.parametrize(
        "files",
        [
            {},
            {"1.jpg": PHOTOS[0], "2.jpg": PHOTOS[1]},
            {"labels.csv": "file,label\n"},
            {"labels.csv": "file,label\nother.jpg,boot\n", "1.jpg": PHOTOS[0]},
            {"train/1.jpg": PHOTOS[0], "test/2.jpg": PHOTOS[1]},
            {".hidden/1.jpg": PHOTOS[0], "__MACOSX/2.jpg": PHOTOS[1]},
            {"labels.csv": '"' * 200_000, "1.jpg": PHOTOS[0]},
        ],
    )
    def test_nothing_usable_has_a_clear_error(self, dataset, tmp_path, files, packed):
        (tmp_path / "photos").mkdir()
        source = make_archive(tmp_path / "shoes.zip", files) if packed else make_folder(tmp_path / "photos", files)
        with pytest.raises(DatasetError, match=r"(photos|shoes\.zip) has no photos in a supported layout"):
            import_photos(dataset, source)
        assert len(read_samples(dataset)) == 0

    def test_a_missing_path_has_a_clear_error(self, dataset, tmp_path):
        with pytest.raises(DatasetError, match="no folder or archive"):
            import_photos(dataset, tmp_path / "nowhere")

    def test_hidden_and_system_files_are_no_photos(self, dataset, tmp_path):
        names = (
            ".DS_Store",
            "boot/.DS_Store",
            "boot/Thumbs.db",
            "boot/desktop.ini",
            "__MACOSX/boot/._1.jpg",
            ".git/x/1.jpg",
        )
        files = {"boot/1.jpg": PHOTOS[0], **dict.fromkeys(names, PHOTOS[1])}
        for source in (make_archive(tmp_path / "shoes.zip", files), make_folder(tmp_path / "photos", files)):
            result = import_photos(dataset, source)
            assert (result.files, result.rejected) == (1, {})
        assert filed(dataset) == {("boot/1.jpg", "boot", None)}

    def test_rows_and_files_without_each_other_are_listed(self, dataset, tmp_path):
        files = {
            "labels.csv": "file,label\n1.jpg,boot\ngone.jpg,boot\n3.jpg,\n",
            "1.jpg": PHOTOS[0],
            "3.jpg": PHOTOS[1],
        }
        result = import_photos(dataset, make_folder(tmp_path / "photos", files))
        assert result.added == 1
        assert "no row" in result.rejected["3.jpg"]
        assert "doesn't exist" in result.rejected["gone.jpg"]

    @pytest.mark.parametrize("label", ["../up", "a/b", "CON", "x" * 400, "👟", "=1+1", "<b>", "'quoted'", "..", "-1"])
    def test_odd_class_names_in_a_table_stay_as_they_are(self, dataset, tmp_path, label):
        table = pd.DataFrame({"file": ["1.jpg"], "label": [label]}).to_csv(index=False)
        import_photos(dataset, make_folder(tmp_path / "photos", {"labels.csv": table, "1.jpg": PHOTOS[0]}))
        assert read_classes(dataset) == [label]
        (path,) = read_samples(dataset)["path"]
        assert Path(path).resolve().parent.parent == dataset.images

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
    @pytest.mark.parametrize("name", ["CON", "a:b", "dot.", " x", "👟", "<script>", "x..."])
    def test_odd_class_folders_stay_as_they_are(self, dataset, tmp_path, name):
        import_photos(dataset, make_folder(tmp_path / "photos", {f"{name}/1.jpg": PHOTOS[0], "boot/2.jpg": PHOTOS[1]}))
        assert set(read_classes(dataset)) == {name.strip(), "boot"}

    @pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
    def test_names_in_another_encoding_come_in(self, dataset, tmp_path):
        folder = os.fsencode(tmp_path / "photos") + b"/caf\xe9"
        os.makedirs(folder)  # noqa: PTH103
        for name, data in ((b"gr\xfcn.jpg", PHOTOS[0]), (b"gr\xf6n.jpg", b"no photo")):
            Path(os.fsdecode(folder + b"/" + name)).write_bytes(data)
        result = import_photos(dataset, tmp_path / "photos")
        assert listed(result) == {"added": 1, "known": 0, "rejected": 1, "waiting": 0}
        ((name, label, _),) = filed(dataset)
        assert name.encode().startswith(b"caf")
        assert label.encode().startswith(b"caf")
        assert next(iter(result.rejected)).encode()
        import_photos(dataset, Path(os.fsdecode(folder)).parent)
        assert len(read_provenance(dataset)) == 1


class TestCounting:
    FILES = {  # noqa: RUF012
        **{f"boot/{number}.jpg": PHOTOS[number] for number in range(6)},
        "boot/again.jpg": PHOTOS[0],
        "clog/other label.jpg": PHOTOS[1],
        "clog/text.jpg": b"text",
        "clog/empty.jpg": b"",
        "clog/cut.jpg": PHOTOS[7][:100],
        "loose.jpg": PHOTOS[8],
    }

    @pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
    def test_every_file_is_accounted_for(self, dataset, tmp_path, packed):
        source = (
            make_archive(tmp_path / "a.zip", self.FILES) if packed else make_folder(tmp_path / "photos", self.FILES)
        )
        told: list[tuple[int, int]] = []
        result = import_photos(dataset, source, report=lambda done, total: told.append((done, total)))
        assert listed(result) == {"added": 6, "known": 2, "rejected": 4, "waiting": 0}
        assert result.files == len(self.FILES)
        assert set(result.rejected) == {"clog/text.jpg", "clog/empty.jpg", "clog/cut.jpg", "loose.jpg"}
        assert set(read_rejects(dataset)["name"]) == set(result.rejected)
        assert len(read_provenance(dataset)) == 8
        assert told == [(done, 11) for done in range(1, 12)]
        values = result.to_dict()
        assert values["files"] == 12
        assert sum(values["reasons"].values()) == 4

    def test_again_adds_only_what_is_new(self, dataset, tmp_path):
        source = make_folder(tmp_path / "photos", self.FILES)
        import_photos(dataset, source)
        before = tree(dataset.images)
        assert listed(import_photos(dataset, source)) == {"added": 0, "known": 8, "rejected": 4, "waiting": 0}
        assert tree(dataset.images) == before
        assert len(read_provenance(dataset)) == 8
        make_folder(source, {"clog/new.jpg": PHOTOS[9], "clog/text.jpg": PHOTOS[10]})
        assert listed(import_photos(dataset, source)) == {"added": 2, "known": 8, "rejected": 3, "waiting": 0}
        assert len(read_rejects(dataset)) == 3

    @pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
    def test_stopped_it_keeps_its_photos_and_continues(self, dataset, tmp_path, packed):
        files = {f"boot/{number:03}.jpg": jpeg(photo(number, (16, 16))) for number in range(60)}
        source = make_archive(tmp_path / "a.zip", files) if packed else make_folder(tmp_path / "photos", files)
        done: list[int] = []
        first = import_photos(
            dataset, source, report=lambda number, total: done.append(number), stopped=lambda: len(done) >= 7
        )
        assert first.stopped
        assert first.waiting > 0
        assert first.files == 60
        assert 7 <= first.added == len(read_samples(dataset)) == 60 - first.waiting
        second = import_photos(dataset, source)
        assert listed(second) == {"added": first.waiting, "known": first.added, "rejected": 0, "waiting": 0}
        assert not second.stopped
        assert len(read_samples(dataset)) == 60

    def test_files_over_a_cap_are_rejected(self, dataset, tmp_path, monkeypatch):
        monkeypatch.setenv("SOLESCOPE_MAX_UPLOAD_MB", "0.002")
        large = jpeg(photo(1, (200, 200)))
        files = {"boot/large.jpg": large, "boot/1.jpg": PHOTOS[0]}
        for source in (make_folder(tmp_path / "photos", files), make_archive(tmp_path / "a.zip", files)):
            result = import_photos(dataset, source)
            assert "MB" in result.rejected.pop("boot/large.jpg")
            assert result.rejected == {}

    @pytest.mark.skipif(sys.platform == "win32", reason="links and pipes need rights there")
    def test_links_and_pipes_are_not_followed(self, dataset, tmp_path):
        secret = write(tmp_path / "secret" / "x.jpg", PHOTOS[5])
        source = make_folder(tmp_path / "photos", {"boot/1.jpg": PHOTOS[0]})
        (source / "boot" / "link.jpg").symlink_to(secret)
        (source / "folder").symlink_to(secret.parent)
        os.mkfifo(source / "boot" / "pipe.jpg")
        result = import_photos(dataset, source)
        assert set(result.rejected) == {"boot/link.jpg", "boot/pipe.jpg", "folder"}
        assert list(read_samples(dataset)["sample"]) == [sample_id(PHOTOS[0])]

    def test_a_second_import_is_refused_while_one_is_running(self, dataset, tmp_path):
        source = make_folder(tmp_path / "photos", {"boot/1.jpg": PHOTOS[0]})
        with Importer(dataset, "test"), pytest.raises(DatasetError, match="being added"):
            import_photos(dataset, source)

    def test_the_source_is_left_as_it_was(self, dataset, tmp_path):
        source = make_folder(tmp_path / "photos", self.FILES)
        import_photos(dataset, source)
        assert tree(source) == self.FILES

    def test_an_uploaded_archive_goes_by_its_own_name(self, dataset, tmp_path):
        source = make_archive(tmp_path / "tmp8f3a", {"boot/1.jpg": PHOTOS[0], "boot/2.jpg": b"text"})
        import_photos(dataset, source, name="my shoes.zip")
        assert set(read_provenance(dataset)["source"]) | set(read_rejects(dataset)["source"]) == {
            "archive my shoes.zip"
        }


GOOD = ("boot/good.jpg", PHOTOS[0])


class TestHostileArchives:
    @pytest.fixture(autouse=True)
    def nothing_is_written_outside(self, tmp_path, dataset):
        """In every test here, only the dataset's own folder changes."""
        yield
        kept = {name for name in tree(tmp_path) if not name.startswith("workspace/shoes/")}
        assert kept == {path.name for path in tmp_path.glob("*.zip")}
        assert {path.parent.parent for path in map(Path, read_samples(dataset)["path"])} <= {dataset.images}
        assert not list(open_index(dataset.folder).incoming.iterdir())

    @pytest.mark.parametrize(
        "name",
        ["../evil.jpg", "boot/../../evil.jpg", "/evil.jpg", "C:/evil.jpg", "..\\..\\evil.jpg", "//host/evil.jpg"],
    )
    def test_a_name_that_leads_out_is_rejected(self, dataset, tmp_path, name):
        result = import_photos(dataset, archive_of(tmp_path / "a.zip", GOOD, (name, PHOTOS[1])))
        assert listed(result) == {"added": 1, "known": 0, "rejected": 1, "waiting": 0}
        (reason,) = result.rejected.values()
        assert "leads out of the archive" in reason or "only paths inside the archive are read" in reason
        assert list(read_samples(dataset)["name"]) == [GOOD[0]]

    def test_a_rejected_file_that_a_table_names_is_counted_once(self, dataset, tmp_path):
        table = ("labels.csv", b"file,label\ngood.jpg,boot\n../evil.jpg,boot\n")
        source = archive_of(tmp_path / "a.zip", table, ("good.jpg", PHOTOS[0]), ("../evil.jpg", PHOTOS[1]))
        result = import_photos(dataset, source)
        assert listed(result) == {"added": 1, "known": 0, "rejected": 1, "waiting": 0}
        assert not result.stopped

    def test_a_link_is_rejected(self, dataset, tmp_path):
        source = make_archive(tmp_path / "a.zip", {GOOD[0]: GOOD[1], "boot/link.jpg": Link("/etc/passwd")})
        result = import_photos(dataset, source)
        assert (result.added, list(result.rejected)) == (1, ["boot/link.jpg"])
        assert "link" in result.rejected["boot/link.jpg"]

    def test_an_archive_in_the_archive_is_no_photo(self, dataset, tmp_path):
        inner = make_archive(tmp_path / "inner.zip", {"boot/1.jpg": PHOTOS[1]}).read_bytes()
        result = import_photos(dataset, archive_of(tmp_path / "a.zip", GOOD, ("boot/inner.zip", inner)))
        assert (result.added, list(result.rejected)) == (1, ["boot/inner.zip"])

    def test_an_entry_with_a_password_is_rejected(self, dataset, tmp_path):
        source = archive_of(tmp_path / "a.zip", GOOD, ("boot/locked.jpg", PHOTOS[1]))
        result = import_photos(dataset, set_flag(source, "boot/locked.jpg", 0x1))
        assert (result.added, list(result.rejected)) == (1, ["boot/locked.jpg"])
        assert "password" in result.rejected["boot/locked.jpg"]

    @pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    @pytest.mark.parametrize("place", [5, 200])
    def test_a_damaged_entry_is_rejected(self, dataset, tmp_path, method, place):
        source = archive_of(tmp_path / "a.zip", GOOD, ("boot/bad.jpg", PHOTOS[1]), method=method)
        with zipfile.ZipFile(source) as archive:
            start = archive.getinfo("boot/bad.jpg").header_offset + 30 + len("boot/bad.jpg")
        data = bytearray(source.read_bytes())
        for at in range(start + place, start + place + 40):
            data[at] ^= 0xFF
        source.write_bytes(data)
        result = import_photos(dataset, source)
        assert (result.added, list(result.rejected)) == (1, ["boot/bad.jpg"])
        assert "damaged" in result.rejected["boot/bad.jpg"]

    def test_every_entry_of_one_name_is_accounted_for(self, dataset, tmp_path):
        with pytest.warns(UserWarning, match="Duplicate name"):
            source = archive_of(tmp_path / "a.zip", *((GOOD[0], PHOTOS[number]) for number in range(3)))
        result = import_photos(dataset, source)
        assert listed(result) == {"added": 1, "known": 0, "rejected": 2, "waiting": 0}
        assert all("same name" in reason for reason in result.rejected.values())

    def test_a_bomb_is_not_unpacked(self, dataset, tmp_path):
        source = archive_of(tmp_path / "a.zip", GOOD, ("boot/bomb.jpg", bytes(5_000_000)), method=zipfile.ZIP_DEFLATED)
        result = import_photos(dataset, source)
        assert (result.added, list(result.rejected)) == (1, ["boot/bomb.jpg"])
        assert "zip bomb" in result.rejected["boot/bomb.jpg"]

    def test_all_files_together_have_a_cap(self, dataset, tmp_path, monkeypatch):
        monkeypatch.setenv("SOLESCOPE_MAX_ARCHIVE_GB", str(3.5 * len(PHOTOS[0]) / 1e9))
        source = archive_of(tmp_path / "a.zip", *((f"boot/{number}.jpg", PHOTOS[number]) for number in range(8)))
        result = import_photos(dataset, source)
        assert 1 <= result.added <= 4
        assert result.added + len(result.rejected) == 8
        assert all("unpacks to more than" in reason for reason in result.rejected.values())

    def test_too_many_entries_are_refused(self, dataset, tmp_path):
        # Made by hand: the same entry 200,001 times in the central directory.
        name = b"b/x.jpg"
        item = (
            struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0) + name
        )
        count = 200_001
        end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count % 65536, count % 65536, count * len(item), 0, 0)
        write(tmp_path / "a.zip", item * count + end)
        with pytest.raises(DatasetError, match=r"a\.zip has 200001 files; the limit is 200000"):
            import_photos(dataset, tmp_path / "a.zip")

    def test_an_endless_list_of_contents_is_refused_before_it_is_read(self, dataset, tmp_path):
        end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, 2_000_000_000, 0, 0)
        write(tmp_path / "a.zip", b"PK\x03\x04" + bytes(500) + end)
        with pytest.raises(DatasetError, match="lists too many files"):
            import_photos(dataset, tmp_path / "a.zip")

    @pytest.mark.parametrize("stated", [46, 0xFFFFFFFF, 0])
    @pytest.mark.parametrize("comment", [b"", b"about the photos"])
    def test_the_record_for_large_archives_states_the_size_too(self, dataset, tmp_path, stated, comment):
        large = 2_000_000_000
        wide = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 9, 9, large, 0)
        locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 504, 1)
        end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, stated, 0, len(comment)) + comment
        write(tmp_path / "a.zip", b"PK\x03\x04" + bytes(500) + wide + locator + end)
        with (tmp_path / "a.zip").open("rb") as file:
            assert directory_bytes(file) == large
        with pytest.raises(DatasetError, match="lists too many files"):
            import_photos(dataset, tmp_path / "a.zip")

    def test_the_last_record_is_found_where_zipfile_finds_it(self, tmp_path):
        # The signature again, as the place of the directory.
        end = struct.pack("<4s4H2L2s", b"PK\x05\x06", 0, 0, 9, 9, 2_000_000_000, 0, b"\0\0")
        end = end[:16] + b"PK\x05\x06" + end[20:]
        assert directory_bytes(BytesIO(bytes(500) + end)) == 2_000_000_000

    @pytest.mark.parametrize(
        "data",
        [b"", b"no zip at all", PHOTOS[0], b"PK\x05\x06", b"PK\x03\x04" + bytes(99), b"PK\x05\x06" + b"\xff" * 18],
    )
    def test_a_file_that_is_no_archive_has_a_clear_error(self, dataset, tmp_path, data):
        write(tmp_path / "a.zip", data)
        with pytest.raises(DatasetError, match=r"a\.zip(: it isn't a zip archive| lists too many)"):
            import_photos(dataset, tmp_path / "a.zip")

    def test_an_archive_cut_off_anywhere_has_a_clear_error(self, dataset, tmp_path):
        whole = archive_of(tmp_path / "a.zip", GOOD, ("boot/2.jpg", PHOTOS[1])).read_bytes()
        for length in range(0, len(whole) - 1, 37):
            write(tmp_path / "a.zip", whole[:length])
            with pytest.raises(DatasetError, match=r"a\.zip"):
                import_photos(dataset, tmp_path / "a.zip")

    def test_an_archive_mangled_anywhere_raises_nothing_unplanned(self, dataset, tmp_path):
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(*GOOD)
            archive.writestr("labels.csv", "file,label\nboot/good.jpg,boot\n")
        whole = buffer.getvalue()
        central = whole.index(b"PK\x01\x02")
        for at in (*range(30), *range(central, len(whole), 3)):
            write(tmp_path / "a.zip", whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
            try:
                import_photos(dataset, tmp_path / "a.zip")
            except SneakerError as error:
                assert "a.zip" in str(error)
