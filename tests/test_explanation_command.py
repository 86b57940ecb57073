"""The commands `explain` and `evaluations class-maps`, run as by other programs."""

import csv
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_collection import find_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.evaluation_job import evaluate
from sneaker_core.inference.explanation.class_average_maps import class_average_maps
from sneaker_core.inference.explanation.explanation_files import CLASS_MAPS_FILE, read_class_maps
from sneaker_core.inference.explanation.explanation_jobs import JOB, run_class_maps_job
from sneaker_core.inference.explanation.heat_maps import strongest_area
from sneaker_core.networks.checkpoint import SneakerModel, load_model, save_model
from sneaker_core.workspace.jobs import Worker
from sneaker_core.workspace.paths import run_model_folder, runs_folder
from tests.conftest import CLASSES as LABELS
from tests.factories import draw_dataset, jpeg, photo, write
from tests.test_command_line import run


@pytest.fixture(scope="module")
def shoes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shoes")
    write(folder / "a" / "shoe.jpg", jpeg(photo(1, (90, 60))))
    write(folder / "b" / "shoe.jpg", jpeg(photo(2, (50, 70))))
    write(folder / "text.jpg", b"this is no photo")
    return folder


def test_several_images_go_into_a_folder_and_a_bad_one_does_not_affect_others(
    workspace: Path, shoes: Path, tmp_path: Path
) -> None:
    done = run(
        workspace, "explain", shoes / "a" / "shoe.jpg", shoes / "text.jpg", shoes / "b" / "shoe.jpg",
        "--out", tmp_path / "maps", "--model", "tiny", "--method", "guided_gradcam", "--layer", "features.6",
        "--opacity", "0.8", "--json",
    )  # fmt: skip
    assert done.returncode == 1
    assert "Can't read 1 of 3 images. The first is " in done.stderr
    assert "text.jpg: This is not a photo" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    first, bad, second = [json.loads(line) for line in done.stdout.splitlines()]
    assert (bad["out"], bad["error"] is None) == (None, False)
    assert (first["method"], first["layer"], first["error"]) == ("guided_gradcam", "features.6", None)
    assert first["target"] in LABELS
    assert sorted(path.name for path in (tmp_path / "maps").iterdir()) == ["shoe-2.png", "shoe.png"]
    for line, size in ((first, (90, 60)), (second, (50, 70))):
        with Image.open(line["out"]) as picture:
            assert (picture.format, picture.size) == ("PNG", size)


@pytest.mark.parametrize("option", ["--sanity-check", "--check"])
def test_sanity_check_adds_its_sentences(workspace: Path, shoes: Path, tmp_path: Path, option: str) -> None:
    out = tmp_path / "x.png"
    done = run(workspace, "explain", shoes / "a" / "shoe.jpg", "--out", out, "--model", "tiny", option)
    assert done.returncode == 0, done.stderr
    first, sanity, covering, showing, verdict = done.stdout.splitlines()
    assert first.startswith(f"{out}: ")
    assert sanity.startswith(("  With shuffled weights the map ", "  The map is the same everywhere"))
    assert covering.startswith("  While the photo is covered, the map's strongest areas first, ")
    (label,) = [label for label in LABELS if label in covering]
    assert label in first
    assert showing.startswith("  While the blurred photo comes into focus")
    assert verdict.endswith(".")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--layer", "nowhere"], 1, "No layer named 'nowhere'. Available layers: features.1, "),
        (["--method", "occlusion", "--layer", "features.6"], 1, "Occlusion doesn't use a layer"),
        (["--method", "magic"], 2, "'gradcam', 'guided_gradcam', 'integrated_gradients', 'occlusion'"),
        (["--opacity", "1.5"], 2, "opacity"),
    ],
)
def test_invalid_requests_are_errors(
    workspace: Path, shoes: Path, tmp_path: Path, arguments: list[str], status: int, said: str
) -> None:
    out = tmp_path / "x.png"
    done = run(workspace, "explain", shoes / "a" / "shoe.jpg", "--out", out, "--model", "tiny", *arguments)
    assert done.returncode == status
    assert said in done.stderr
    assert not out.exists()


def test_a_folder_and_a_zip_file(workspace: Path, shoes: Path, tmp_path: Path) -> None:
    out = tmp_path / "maps.zip"
    folder = tmp_path / "photos"
    for number, part in enumerate(("a", "b")):
        write(folder / f"{number} shoe.jpg", (shoes / part / "shoe.jpg").read_bytes())
    write(folder / "SHOE.jpg", (shoes / "b" / "shoe.jpg").read_bytes())
    write(folder / ".hidden", b"no photo")
    done = run(
        workspace, "explain", folder, shoes / "text.jpg", shoes / "a" / "shoe.jpg",
        "--out", out, "--model", "tiny", "--target", LABELS[1], "--largest", "40", "--json",
    )  # fmt: skip
    assert done.returncode == 1
    assert "Can't read 1 of 5 images" in done.stderr
    assert [json.loads(line)["error"] is None for line in done.stdout.splitlines()] == [True] * 3 + [False, True]
    with zipfile.ZipFile(out) as archive:
        # Names that some file systems treat as the same are numbered.
        assert sorted(archive.namelist()) == ["0 shoe.png", "1 shoe.png", "SHOE.png", "explanations.csv", "shoe-2.png"]
        with archive.open("0 shoe.png") as file, Image.open(file) as picture:
            assert picture.size == (40, 27)
        rows = list(csv.DictReader(archive.read("explanations.csv").decode().splitlines()))
    assert [row["file"] for row in rows] == ["0 shoe.png", "1 shoe.png", "SHOE.png", "", "shoe-2.png"]
    assert [row["image"] for row in rows][3:] == ["text.jpg", "shoe.jpg"]
    assert rows[3]["error"].startswith("This is not a photo")
    assert {row["target"] for row in rows if row["file"]} == {LABELS[1]}


def test_a_class_of_a_dataset(workspace: Path, tmp_path: Path) -> None:
    data = draw_dataset(tmp_path / "data", {"boot": 2, "clog": 3})
    done = run(
        workspace, "explain", "--data", data, "--label", "clog", "--out", tmp_path / "maps", "--model", "tiny",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "maps").iterdir()) == ["00.png", "01.png", "02.png"]
    assert len(done.stdout.splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "Give either images or --data."),
        (["x.jpg", "--data", "y"], 2, "Give either images or --data."),
        (["--data", "nowhere"], 1, "There is no folder 'nowhere'"),
        (["EMPTY"], 1, "There are no photos in"),
    ],
)
def test_nothing_to_explain(workspace: Path, tmp_path: Path, arguments: list[str], status: int, said: str) -> None:
    (tmp_path / "EMPTY").mkdir()
    arguments = [str(tmp_path / "EMPTY") if argument == "EMPTY" else argument for argument in arguments]
    done = run(workspace, "explain", *arguments, "--out", tmp_path / "x.png", "--model", "tiny")
    assert (done.returncode, said in done.stderr) == (status, True)


def test_class_maps_of_an_evaluation(tiny_model: SneakerModel, tmp_path: Path) -> None:
    home = tmp_path / "workspace"
    folder = run_model_folder(runs_folder(home) / "tiny")
    save_model(tiny_model, folder)
    data = draw_dataset(tmp_path / "data", {LABELS[0]: 4, LABELS[1]: 3, "Unheard of": 2})
    evaluate(folder, data, home, name="kept", neighbors=False)
    out = tmp_path / "means"
    asked = ["--label", LABELS[0], "--label", LABELS[1], "--layer", "features.6", "--cap", "2"]
    done = run(home, "evaluations", "class-maps", "kept", *asked, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    table = read_table(find_evaluation(home, "kept"))
    means = class_average_maps(load_model(folder), table, LABELS[:2], layer="features.6", cap=2)
    rows = json.loads(done.stdout)
    assert [(row["label"], row["right"], row["n"], row["of"]) for row in rows] == [
        (mean.label, mean.right, mean.count, mean.available) for mean in means
    ]
    for row, mean, kept in zip(rows, means, read_class_maps(out), strict=True):
        assert (row["picture"] is None) == (mean.count == 0)
        assert kept.picture.is_file() == kept.photo.is_file() == kept.heat.is_file() == (mean.count > 0)
        if mean.count:
            assert (row["place"], kept.area) == (mean.area, mean.area)
            assert kept.share == pytest.approx(strongest_area(mean.heat)[1], abs=1e-4)
            with Image.open(kept.heat) as gray:
                np.testing.assert_allclose(np.asarray(gray) / 255, mean.heat, atol=0.003)
            with Image.open(kept.photo) as photo_:
                np.testing.assert_array_equal(np.asarray(photo_), mean.picture)
    plain = run(home, "evaluations", "means", "kept", *asked, "--out", out)
    assert len(plain.stdout.splitlines()) == 4
    assert "right predictions" in plain.stdout
    gone = run(home, "evaluations", "means", "kept", "--label", "Unheard of", "--out", out, "--kind", "run")
    assert gone.returncode == 1
    assert "No evaluation named 'kept'" in gone.stderr


def test_a_stopped_job_of_class_maps_writes_nothing(tiny_model: SneakerModel, tmp_path: Path) -> None:
    home, out = tmp_path / "workspace", tmp_path / "maps"
    folder = run_model_folder(runs_folder(home) / "tiny")
    save_model(tiny_model, folder)
    evaluate(folder, draw_dataset(tmp_path / "data", {LABELS[0]: 2}), home, name="kept", neighbors=False)
    params = {"evaluation": "kept", "evaluation_kind": "stored", "labels": [LABELS[0]]}
    write(out / JOB / "stop", b"")
    run_class_maps_job(home, params, Worker(out / JOB))
    assert read_class_maps(out) is None
    (out / JOB / "stop").unlink()
    run_class_maps_job(home, params, Worker(out / JOB))
    assert sum(each.available for each in read_class_maps(out) or []) == 2


def test_areas_as_older_versions_named_them(tmp_path: Path) -> None:
    names = {"centre left": "center left", "centre middle": "center", "top middle": "top center"}
    record = {"label": "x", "right": True, "n": 1, "of": 1, "unreadable": 0, "share": 0.5, "files": "01-right"}
    (tmp_path / CLASS_MAPS_FILE).write_text(json.dumps([{**record, "place": old} for old in names]))
    assert [each.area for each in read_class_maps(tmp_path) or []] == list(names.values())


def test_damaged_class_maps(tmp_path: Path) -> None:
    assert read_class_maps(tmp_path) is None
    for damage in ("{", "[1]", '[{"label": "x"}]', "7"):
        (tmp_path / CLASS_MAPS_FILE).write_text(damage)
        with pytest.raises(SneakerError, match=r"damaged: .*Create the class-average maps again"):
            read_class_maps(tmp_path)
