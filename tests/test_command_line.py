"""The command line: output and exit status of its commands, some in processes of their own."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pandas as pd
import pytest
from PIL import Image

from sneaker_core.__main__ import main
from sneaker_core.evaluation.model_facts import model_facts
from sneaker_core.number_text import percent
from sneaker_core.workspace.paths import BUNDLED_MODELS, PROJECT, run_model_folder, runs_folder
from tests.conftest import CLASSES as LABELS
from tests.factories import run_command as run

pytestmark = pytest.mark.slow


def run_process(workspace: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sneaker_core", "--workspace", str(workspace), *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        timeout=240,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    Image.effect_noise((90, 60), 80).convert("RGB").save(folder / "good.jpg")
    Image.new("RGB", (70, 50), "navy").save(folder / "ünïcode name.png")
    (folder / "text.jpg").write_text("this is no photo")
    (folder / "empty.jpg").touch()
    return folder


def test_predict_prints_a_json_line_per_image_in_order(workspace: Path, photos: Path) -> None:
    names = ["good.jpg", "text.jpg", "ünïcode name.png", "missing.jpg", "empty.jpg"]
    done = run_process(workspace, "predict", *(photos / name for name in names), "--model", "tiny", "--top", "2")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(answer["image"]).name for answer in answers] == names
    assert done.returncode == 1
    assert "Can't read 3 of 5 images." in done.stderr
    assert len(done.stderr.splitlines()) == 1
    for answer, readable in zip(answers, [True, False, True, False, False], strict=True):
        assert set(answer) == {
            "image", "status", "sentence", "top", "reason", "footwear_type", "look_alikes", "group", "error", "ms"
        }  # fmt: skip
        assert (answer["status"] != "error") == readable
        assert (answer["error"] is None) == readable
        assert len(answer["top"]) == (2 if readable else 0)
        assert answer["ms"] >= 0
    best, second = answers[0]["top"]
    assert best["label"] in LABELS
    assert 1 >= best["probability"] >= second["probability"] >= 0


def test_predict_prints_json_with_the_option_and_when_it_is_piped(workspace: Path, photos: Path) -> None:
    piped = json.loads(run_process(workspace, "predict", photos / "good.jpg", "--model", "tiny").stdout)
    asked = json.loads(run(workspace, "predict", photos / "good.jpg", "--model", "tiny", "--json").stdout)
    assert {**piped, "ms": 0} == {**asked, "ms": 0}


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_predict_prints_a_readable_line_on_a_terminal_unless_json_is_asked_for(workspace: Path, photos: Path) -> None:
    image = photos / "good.jpg"
    answer = json.loads(run(workspace, "predict", image, "--model", "tiny").stdout)
    first, bad = on_a_terminal(workspace, "predict", image, photos / "text.jpg", "--model", "tiny")[:2]
    best = answer["top"][0]
    assert first.startswith(f"{image}: ")
    assert f"{best['label']} {percent(best['probability'])}" in first
    assert bad.startswith(f"{photos / 'text.jpg'}: This ")
    (line,) = on_a_terminal(workspace, "predict", image, "--model", "tiny", "--json")
    assert {**json.loads(line), "ms": 0} == {**answer, "ms": 0}


def on_a_terminal(workspace: Path, *arguments: str | Path) -> list[str]:
    """The lines that a command prints on a terminal; the little that it prints fits the terminal's buffer."""
    import pty

    reader, terminal = pty.openpty()
    with open(terminal, "w") as output, contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        assert sys.stdout.isatty()
        main(["--workspace", str(workspace), *map(str, arguments)])
    printed = b""
    with contextlib.suppress(OSError):  # Linux reports the end of the output as an error
        while part := os.read(reader, 65_536):
            printed += part
    os.close(reader)
    return printed.decode().splitlines()


def test_predict_of_good_images_exits_with_0(workspace: Path, photos: Path) -> None:
    done = run(workspace, "predict", photos / "good.jpg", "--model", "tiny")
    assert done.returncode == 0
    assert done.stderr == ""


def test_a_model_may_be_a_folder(workspace: Path, photos: Path, tiny_model_folder: Path) -> None:
    by_name = run(workspace, "predict", photos / "good.jpg", "--model", "tiny")
    by_folder = run(workspace, "predict", photos / "good.jpg", "--model", tiny_model_folder)
    assert json.loads(by_folder.stdout)["top"] == json.loads(by_name.stdout)["top"]


def test_an_unknown_model_is_a_one_line_error(workspace: Path, photos: Path) -> None:
    done = run_process(workspace, "predict", photos / "good.jpg", "--model", "nope")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: No model named 'nope'. Available models: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict"],
        ["predict", "x.jpg", "--top", "0"],
        ["predict", "x.jpg", "--top", "11"],
        ["evaluate", "tiny"],
        ["explain", "x.jpg"],
        ["train", "x", "--recipe", "magic"],
        ["train", "x", "--recipe", "quick", "--set", "epochs"],
        ["fly"],
    ],
)
def test_wrong_usage_exits_with_2(workspace: Path, arguments: list[str]) -> None:
    assert run(workspace, *arguments).returncode == 2


def test_every_command_has_help_and_json(workspace: Path) -> None:
    commands = run(workspace, "--help").stdout
    for name in ("models", "predict", "evaluate", "explain", "train"):
        assert name in commands
        described = run(workspace, name, "--help")
        assert described.returncode == 0
        assert "--json" in described.stdout


def test_models_lists_bundled_models_and_runs(workspace: Path) -> None:
    listed = json.loads(run(workspace, "models", "--json").stdout)
    tiny = next(entry for entry in listed if entry["name"] == "tiny")
    assert tiny["classes"] == list(LABELS)
    assert tiny["bundled"] is False
    assert "tiny" in run(workspace, "models").stdout


def test_a_model_is_shown_as_the_api_describes_it(workspace: Path, tmp_path: Path) -> None:
    facts = json.loads(json.dumps(model_facts(workspace, "street72")))
    for words in (("street72", "--json"), ("--json", "street72"), ("show", "--json", str(BUNDLED_MODELS / "street72"))):
        assert json.loads(run(workspace, "models", *words).stdout) == facts
    told = run(workspace, "models", "street72").stdout
    assert "look-alikes: Vans (" in told
    assert all(f"\n{world['world']}: {world['photos']:,} photos, top-1 " in told for world in facts["worlds"])
    assert run(workspace, "models", "nope").stderr.startswith("Error: No model named 'nope'. Available models: ")
    # A model that is named like a command doesn't take its place, and can be shown.
    shutil.copytree(run_model_folder(runs_folder(workspace) / "tiny"), run_model_folder(runs_folder(tmp_path) / "pack"))
    assert run(tmp_path, "models", "pack").returncode == 2
    assert json.loads(run(tmp_path, "models", "--json", "show", "pack").stdout)["name"] == "pack"


def test_evaluate_measures_a_folder(workspace: Path, tmp_path: Path) -> None:
    for index, label in enumerate((*LABELS, "A class unheard of")):
        (tmp_path / "data" / label).mkdir(parents=True)
        for copy in range(2):
            Image.new("RGB", (64, 64), (40 * index, 90 * copy, 120)).save(tmp_path / "data" / label / f"{copy}.png")
    (tmp_path / "data" / LABELS[0] / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    done = run(
        workspace, "evaluate", "tiny", "--data", tmp_path / "data", "--out", tmp_path / "table.parquet", "--json"
    )
    figures = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert figures["n"] == 8
    assert figures["left_out"] == {"A class unheard of": 2}
    assert [Path(path).name for path in figures["rejected"]] == ["broken.jpg"]
    assert {"n", "top1", "top3", "ece", "macro_f1", "per_class", "confusions"} <= set(figures)
    wrong = sum(pair["count"] for pair in figures["confusions"])
    assert figures["top1"] == pytest.approx(1 - wrong / 8)
    table = pd.read_parquet(tmp_path / "table.parquet")
    judged = table[table["label"].isin(LABELS)]
    assert (judged["label"] == judged["predicted"]).mean() == pytest.approx(figures["top1"])
    assert "8 photos" in run(workspace, "evaluate", "tiny", "--data", tmp_path / "data").stdout


def test_evaluate_of_a_missing_folder_says_so(workspace: Path, tmp_path: Path) -> None:
    done = run(workspace, "evaluate", "tiny", "--data", tmp_path / "nowhere")
    assert done.returncode == 1
    assert "There is no folder" in done.stderr


def test_explain_writes_a_picture_of_the_photos_size(workspace: Path, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "heat.png"
    done = run(
        workspace, "explain", photos / "good.jpg", "--out", out, "--model", "tiny",
        "--target", LABELS[1], "--versus", LABELS[0], "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["target"] == LABELS[1]
    with Image.open(out) as picture:
        assert (picture.format, picture.size) == ("PNG", (90, 60))


@pytest.mark.parametrize(
    ("image", "target", "said"),
    [
        ("text.jpg", LABELS[0], "text.jpg: This is not a photo"),
        ("good.jpg", "Air Nothing", "The model has no class 'Air Nothing'"),
    ],
)
def test_explain_says_what_is_wrong(
    workspace: Path, photos: Path, tmp_path: Path, image: str, target: str, said: str
) -> None:
    out = tmp_path / "heat.png"
    done = run(workspace, "explain", photos / image, "--out", out, "--model", "tiny", "--target", target)
    assert done.returncode == 1
    assert said in done.stderr
    assert not out.exists()


def test_train_makes_a_model_that_predicts(tmp_path: Path, photos: Path) -> None:
    for label, color in (("Dark", 40), ("Light", 210)):
        (tmp_path / "shoes" / label).mkdir(parents=True)
        for index in range(14):
            noise = Image.effect_noise((48, 40), 30 + index).point(lambda value, shift=color - 128: value + shift)
            noise.convert("RGB").save(tmp_path / "shoes" / label / f"{index}.png")
    workspace = tmp_path / "workspace"
    done = run(
        workspace, "train", tmp_path / "shoes", "--recipe", "scratch", "--epochs", "1", "--size", "32",
        "--batch", "4", "--set", "val_share=0.2", "--set", "test_share=0.2", "--run", "tones", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in events] == ["prepared", "epoch", "done"]
    answered = run(workspace, "predict", photos / "good.jpg", "--model", "tones")
    assert {guess["label"] for guess in json.loads(answered.stdout)["top"]} == {"Dark", "Light"}
    again = run(workspace, "train", tmp_path / "shoes", "--recipe", "scratch", "--run", "tones")
    assert again.returncode == 1
    assert "There is already a run" in again.stderr


def test_every_command_is_documented():
    page = (PROJECT / "docs" / "COMMAND_LINE.md").read_text(encoding="utf-8")
    shown = [command for command in main.commands.values() if not command.hidden]
    groups = [command for command in shown if isinstance(command, click.Group)]
    shown += [command for group in groups for command in group.commands.values() if not command.hidden]
    assert len(shown) > 40
    assert [command.name for command in shown if not re.search(rf"\b{command.name}\b", page)] == []
