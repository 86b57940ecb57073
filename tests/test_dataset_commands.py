"""``dataset …`` on the command line: what it prints, as JSON and as text, and its exit status."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sneaker_core.__main__ import main
from sneaker_core.datasets.photo_folder import sample_id
from sneaker_core.workspace.paths import PROJECT
from tests.factories import draw_dataset, jpeg, photo, write

COMMANDS = (
    "import", "demo", "collect", "list", "stats", "scan", "findings", "review", "merge-classes", "undo", "history",
    "split", "export", "rename", "delete", "restore",
)  # fmt: skip
COUNTS = {"boot": 8, "clog": 8}


class Shell:
    """Run the command line on one workspace, in this process."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace

    def run(self, *arguments: object) -> Result:
        return CliRunner().invoke(main, ["--workspace", str(self.workspace), "dataset", *map(str, arguments)])

    def json(self, *arguments: object) -> Any:
        done = self.run(*arguments, "--json")
        assert (done.exit_code, done.stderr) == (0, ""), done.output
        assert len(done.stdout.splitlines()) == 1
        return json.loads(done.stdout, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))

    def failed(self, *arguments: object) -> str:
        done = self.run(*arguments)
        assert (done.exit_code, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        assert line.startswith("Error: ")
        return line.removeprefix("Error: ")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "workspace")


@pytest.fixture
def filled(shell: Shell, tmp_path: Path) -> Shell:
    """A workspace with a dataset, Shoes: two classes, an exact duplicate, a near-duplicate and a rejected file."""
    photos = draw_dataset(tmp_path / "photos", COUNTS)
    write(photos / "boot" / "copy of 00.jpg", (photos / "boot" / "00.jpg").read_bytes())
    write(photos / "clog" / "also 00.jpg", (photos / "boot" / "00.jpg").read_bytes())
    blobs = photo(50, (160, 120))
    write(photos / "clog" / "blobs.jpg", jpeg(blobs))
    write(photos / "clog" / "blobs again.jpg", jpeg(blobs, 50))
    write(photos / "clog" / "text.jpg", b"no photo")
    shell.json("import", photos, "--name", "Shoes")
    return shell


def ids(tmp_path: Path, *names: str) -> list[str]:
    return [sample_id((tmp_path / "photos" / name).read_bytes()) for name in names]


def test_every_command_has_help_and_json(shell):
    for name in COMMANDS:
        assert name in shell.run("--help").stdout
        described = shell.run(name, "--help")
        assert (described.exit_code, "--json" in described.stdout) == (0, True)


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["fly"], ["import"], ["import", "x"], ["import", "--name", "x"], ["stats"], ["scan"], ["demo", "--per-class", "3"],  # noqa: E501
        ["demo", "--per-class", "many"], ["collect"], ["collect", "--name", "x", "--per-class", "0"],
        ["review", "x"], ["review", "x", "burn", "y"], ["export", "x"], ["export", "x", "--out", "y", "--format", "rar"],  # noqa: E501
        ["findings", "x", "--kind", "ugly"], ["undo", "x", "--decision", "first"], ["rename", "x"], ["restore"],
        ["split", "x", "--seed", "-1"],
    ],
)  # fmt: skip
def test_wrong_usage_exits_with_2(shell, arguments):
    done = shell.run(*arguments)
    assert done.exit_code == 2
    assert not shell.workspace.exists()


@pytest.mark.parametrize(
    "arguments",
    [["stats"], ["scan"], ["findings"], ["review", "keep", "x"], ["undo"], ["history"], ["split"], ["rename", "y"], ["delete"],  # noqa: E501
     ["export", "--out", "y"]],
)  # fmt: skip
def test_an_unknown_dataset_is_a_one_line_error(shell, arguments):
    command, *rest = arguments
    assert shell.failed(command, "nope", *rest) == "No dataset named 'nope'. Available datasets: none yet."


def test_import_counts_every_file(filled, tmp_path):
    values = filled.json("import", tmp_path / "photos", "--name", "Shoes")
    assert values["dataset"] == "Shoes"
    assert {key: values[key] for key in ("files", "added", "known", "stopped", "waiting")} == {
        "files": 21, "added": 0, "known": 20, "stopped": False, "waiting": 0,
    }  # fmt: skip
    assert list(values["rejected"]) == ["clog/text.jpg"]
    assert sum(values["reasons"].values()) == 1
    said = filled.run("import", tmp_path / "photos", "--name", "Shoes")
    assert (said.exit_code, said.stderr) == (0, "")
    assert "21 files, 0 new photos, 20 already known, 1 rejected" in said.stdout
    assert "clog/text.jpg: " in said.stdout


def test_import_keeps_the_split_of_an_archive_and_its_own_name(shell, tmp_path):
    with zipfile.ZipFile(tmp_path / "upload.tmp", "w") as archive:
        for number, part in enumerate(("train", "val", "test")):
            archive.writestr(f"{part}/boot/{number}.jpg", jpeg(photo(number)))
    assert shell.json("import", tmp_path / "upload.tmp", "--name", "Shoes", "--as", "my shoes.zip")["added"] == 3
    assert shell.json("stats", "Shoes")["classes"]["boot"] == {
        "train": 1,
        "val": 1,
        "test": 1,
        "unassigned": 0,
        "total": 3,
    }
    assert shell.json("stats", "Shoes")["split"] == {"kind": "given"}


@pytest.mark.parametrize("made", [None, b"no archive", "empty folder"])
def test_a_wrong_source_leaves_no_dataset_behind(shell, tmp_path, made):
    if isinstance(made, bytes):
        write(tmp_path / "source", made)
    elif made:
        (tmp_path / "source").mkdir()
    assert str(tmp_path / "source").rpartition("/")[2] in shell.failed("import", tmp_path / "source", "--name", "New")
    assert shell.json("list") == []


def test_list_shows_all_datasets(filled):
    (row,) = filled.json("list")
    assert set(row) == {"id", "name", "folder", "photos", "classes", "problem"}
    assert (row["name"], row["photos"], row["classes"]) == ("Shoes", 18, 2)
    assert filled.run("list").stdout == "Shoes  18 photos, 2 classes\n"
    assert filled.json("list", "--bin") == []
    assert filled.run("list", "--bin").stdout == "The bin is empty.\n"


def test_stats_show_the_class_balance(filled):
    values = filled.json("stats", "Shoes")
    assert values["photos"] == sum(row["total"] for row in values["classes"].values()) == 18
    assert (values["files"], values["rejects"], values["exact_duplicates"], values["exact_under_two_labels"]) == (
        21,
        1,
        2,
        1,
    )
    assert values["scan"] is None
    said = filled.run("stats", "Shoes").stdout
    assert "Shoes: 18 photos, 0 excluded, 1 rejected" in said
    assert "Not checked yet" in said


def test_scan_findings_review_undo_and_history(filled, tmp_path):
    values = filled.json("scan", "Shoes", "--no-model")
    assert (values["scan"]["photos"], values["scan"]["model"]) == (18, None)
    assert (
        values["findings"]["near_duplicate"],
        values["findings"]["two_labels"],
        values["findings"]["too_small"],
    ) == (
        2,
        1,
        16,
    )
    rows = filled.json("findings", "Shoes", "--kind", "near_duplicate", "--kind", "two_labels")
    assert [row["kind"] for row in rows] == ["two_labels", "near_duplicate", "near_duplicate"]
    assert filled.json("findings", "Shoes", "--kind", "near_copy", "--kind", "two_labels") == rows  # its former name
    assert set(rows[0]) == {"sample", "kind", "score", "group_id", "suggestion", "advice", "path", "label"}
    assert all(Path(row["path"]).is_file() and row["suggestion"] is None for row in rows)
    first, blobs = ids(tmp_path, "boot/00.jpg", "clog/blobs.jpg")
    assert rows[0]["sample"] == first
    assert "near_duplicate" in filled.run("findings", "Shoes").stdout

    batch = filled.json("review", "Shoes", "exclude", first, blobs)["batch"]
    assert filled.json("stats", "Shoes")["excluded"] == 2
    filled.json("review", "Shoes", "relabel", first, "--label", "sandal")
    assert filled.json("stats", "Shoes")["classes"]["sandal"]["total"] == 1
    log = filled.json("history", "Shoes")
    assert [row["action"] for row in log] == ["relabel", "exclude", "exclude"]
    assert {row["batch"] for row in log[1:]} == {batch}
    assert log[0]["label"] == "sandal"
    told = filled.run("history", "Shoes").stdout
    assert (
        f"{batch}: 2 photos excluded\n" in told
        and ": 1 photo relabeled to sandal\n" in told
        and "relabel sandal" in told
    )
    assert filled.json("undo", "Shoes") == {"photos": 1}
    assert filled.json("undo", "Shoes", "--decision", log[1]["decision"]) == {"photos": 1}
    assert filled.json("undo", "Shoes", "--batch", batch) == {"photos": 1}
    assert filled.failed("undo", "Shoes") == "There is no such decision to undo."
    assert filled.json("stats", "Shoes")["excluded"] == 0

    batch = filled.json("review", "Shoes", "apply-suggestions")["batch"]
    assert filled.json("stats", "Shoes")["excluded"] == 2
    assert filled.json("undo", "Shoes", "--batch", batch) == {"photos": 2}


def test_invalid_reviews_are_one_line_errors(filled, tmp_path):
    (first,) = ids(tmp_path, "boot/00.jpg")
    assert "Choose at least one photo" in filled.failed("review", "Shoes", "exclude")
    assert "no photo 'nope'" in filled.failed("review", "Shoes", "exclude", first, "nope")
    assert "needs a class name" in filled.failed("review", "Shoes", "relabel", first)
    assert "needs a class name" in filled.failed("review", "Shoes", "keep", first, "--label", "x")
    assert filled.json("history", "Shoes") == []
    assert filled.run("history", "Shoes").stdout == "No decisions yet.\n"
    assert filled.json("findings", "Shoes") == []


def test_split_is_kept_and_checked(filled):
    values = filled.json("split", "Shoes", "--shares", "2/1/1", "--seed", "3")
    assert values["counts"]["total"] == 18
    assert values["counts"]["unassigned"] == 0
    assert values["leaks"] == []
    assert filled.json("split", "Shoes", "--check")["counts"] == values["counts"]
    filled.json("scan", "Shoes", "--no-model")
    assert filled.json("stats", "Shoes")["split"] == {"kind": "made", "val_share": 0.25, "test_share": 0.25, "seed": 3}
    assert "80:20" in filled.failed("split", "Shoes", "--shares", "half")
    assert "leave no photos to train on" in filled.failed("split", "Shoes", "--shares", "0:1")
    assert filled.json("split", "Shoes", "--check")["counts"] == values["counts"]


def test_exports_are_written_and_nothing_is_overwritten(filled, tmp_path):
    for kind, name in (
        ("folder", "folder"),
        ("zip", "zip"),
        ("csv", "table.csv"),
        ("csv", "csv"),
        ("coco", "coco.zip"),
    ):
        out = tmp_path / "out" / name
        assert filled.json("export", "Shoes", "--format", kind, "--out", out) == {"out": str(out)}
    assert len(list((tmp_path / "out" / "folder").rglob("*.jpg"))) == 18
    assert len(zipfile.ZipFile(tmp_path / "out" / "zip").namelist()) == 19
    assert (tmp_path / "out" / "table.csv").read_bytes() == (tmp_path / "out" / "folder" / "dataset.csv").read_bytes()
    assert len(list((tmp_path / "out" / "csv" / "images").iterdir())) == 18
    assert "annotations/photos.json" in zipfile.ZipFile(tmp_path / "out" / "coco.zip").namelist()
    assert "choose another folder" in filled.failed("export", "Shoes", "--out", tmp_path / "out" / "folder")


def test_an_export_that_cannot_be_written_is_a_one_line_error(filled, tmp_path):
    write(tmp_path / "file", b"in the way")
    for kind in ("folder", "zip", "csv"):
        assert "Can't write" in filled.failed("export", "Shoes", "--format", kind, "--out", tmp_path / "file" / "x")


def test_rename_delete_and_restore(filled):
    assert filled.json("rename", "Shoes", "Boots") == {"name": "Boots"}
    assert [row["name"] for row in filled.json("list")] == ["Boots"]
    kept = filled.json("delete", "Boots")["bin"]
    assert (filled.json("list"), [row["name"] for row in filled.json("list", "--bin")]) == ([], ["Boots"])
    assert filled.json("restore", kept) == {"name": "Boots"}
    assert filled.json("stats", "Boots")["photos"] == 18
    assert "in the bin" in filled.failed("restore", kept)


def test_demo_draws_a_dataset_once(shell):
    values = shell.json("demo", "--per-class", "4", "--seed", "1", "--name", "Drawn one")
    assert values["dataset"] == "Drawn one"
    assert values["added"] == shell.json("stats", "Drawn one")["photos"] > 20
    assert shell.json("demo", "--per-class", "4", "--seed", "1", "--name", "Drawn one")["added"] == 0


def test_collect_says_which_table_cannot_be_read(shell, tmp_path):
    assert "Can't read" in shell.failed("collect", "--name", "x", "--skus", tmp_path / "none.csv")
    assert shell.json("list") == []


def process(workspace: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sneaker_core", "--workspace", str(workspace), "dataset", *map(str, arguments)],
        cwd=PROJECT, capture_output=True, encoding="utf-8", env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip


def test_a_real_process_prints_json_and_nothing_else(tmp_path):
    draw_dataset(tmp_path / "Füße", {"Größe 42": 2})
    done = process(tmp_path, "import", tmp_path / "Füße", "--name", "Schuhe 👟", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["dataset"] == "Schuhe 👟"


def test_a_real_process_fails_in_one_line(tmp_path):
    done = process(tmp_path, "import", tmp_path / "nowhere", "--name", "x")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: There is no folder or archive at {tmp_path / 'nowhere'}.\n"
