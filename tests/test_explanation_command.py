"""The command `explain` as other programs call it."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import CLASSES as LABELS
from tests.factories import jpeg, photo, write
from tests.test_command_line import run


@pytest.fixture(scope="module")
def shoes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shoes")
    write(folder / "a" / "shoe.jpg", jpeg(photo(1, (90, 60))))
    write(folder / "b" / "shoe.jpg", jpeg(photo(2, (50, 70))))
    write(folder / "text.jpg", b"this is no photo")
    return folder


def test_several_images_go_into_a_folder_and_a_bad_one_harms_only_itself(
    workspace: Path, shoes: Path, tmp_path: Path
) -> None:
    done = run(
        workspace, "explain", shoes / "a" / "shoe.jpg", shoes / "text.jpg", shoes / "b" / "shoe.jpg",
        "--out", tmp_path / "maps", "--model", "tiny", "--method", "guided_gradcam", "--layer", "features.6",
        "--opacity", "0.8", "--json",
    )  # fmt: skip
    assert done.returncode == 1
    assert "1 of 3 images could not be read, the first is " in done.stderr
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


def test_check_says_how_much_the_map_is_worth(workspace: Path, shoes: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.png"
    done = run(workspace, "explain", shoes / "a" / "shoe.jpg", "--out", out, "--model", "tiny", "--check")
    assert done.returncode == 0, done.stderr
    first, sanity, covering, showing, verdict = done.stdout.splitlines()
    label = first.removeprefix(f"{out}: what speaks for ")
    assert label in LABELS
    assert sanity.startswith(("  With its weights shuffled the network ", "  The map is the same everywhere"))
    assert covering.startswith("  Covering the brightest fifth of the map ")
    assert label in covering
    assert showing.startswith("  Showing only the brightest fifth sharply")
    assert verdict.endswith(".")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--layer", "nowhere"], 1, "There is no layer 'nowhere' to look at; choose one of: features.1, "),
        (["--method", "occlusion", "--layer", "features.6"], 1, "Occlusion looks at no layer"),
        (["--method", "magic"], 2, "'gradcam', 'guided_gradcam', 'integrated_gradients', 'occlusion'"),
        (["--opacity", "1.5"], 2, "opacity"),
    ],
)
def test_what_cannot_be_asked_is_said(
    workspace: Path, shoes: Path, tmp_path: Path, arguments: list[str], status: int, said: str
) -> None:
    out = tmp_path / "x.png"
    done = run(workspace, "explain", shoes / "a" / "shoe.jpg", "--out", out, "--model", "tiny", *arguments)
    assert done.returncode == status
    assert said in done.stderr
    assert not out.exists()
