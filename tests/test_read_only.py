"""Read-only: every kind of change is refused in one sentence, nothing on disk changes, and answering goes on."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import sneaker_core as sc
from sneaker_core.__main__ import main
from sneaker_core.datasets.corrections import save_correction
from sneaker_core.datasets.dataset_collection import create_dataset, delete_dataset, find_dataset
from sneaker_core.datasets.dataset_export import export_folder, export_zip
from sneaker_core.datasets.index import read_samples
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.datasets.synthetic.drawn_clips import ClipPlan
from sneaker_core.errors import ReadOnlyError
from sneaker_core.evaluation.evaluation_collection import delete_evaluation, find_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.evaluation_job import evaluate
from sneaker_core.evaluation.quiz.questions import choose_questions
from sneaker_core.evaluation.quiz.votes import add_vote, read_votes
from sneaker_core.evaluation.robustness_job import start_robustness_check
from sneaker_core.images import Photo
from sneaker_core.inference.explanation.explanation_jobs import start_photo_explanation
from sneaker_core.networks.checkpoint import save_confidence_threshold, save_model
from sneaker_core.settings import READ_ONLY_VARIABLE
from sneaker_core.training.run_collection import delete_run
from sneaker_core.training.study_collection import delete_study
from sneaker_core.training.study_setup import open_study
from sneaker_core.training.teaching import teach
from sneaker_core.video.clip_collection import clips_of
from sneaker_core.video.sample_clip import write_drawn_clip
from sneaker_core.workspace.atomic_files import write_json
from sneaker_core.workspace.job_record import HEARTBEAT_FILE, write_job
from sneaker_core.workspace.jobs import restart_job, stop_job
from sneaker_core.workspace.paths import (
    evaluation_job_folder,
    evaluations_folder,
    run_job_folder,
    run_model_folder,
    runs_folder,
    studies_folder,
    votes_file,
)
from sneaker_core.workspace.read_only import READ_ONLY_TEXT
from tests.factories import draw_dataset, jpeg, lively_model, photo, photo_of_class, write

pytestmark = pytest.mark.slow

CLASSES = ("574", "Air Jordan 1")
# What follows each command; words in capitals stand for paths. These change the workspace …
CHANGING = {
    "dataset review": "shoes exclude SAMPLE",
    "dataset merge-classes": "shoes 574 --into Other",
    "dataset undo": "shoes",
    "dataset import": "PHOTOS --name more",
    "dataset demo": "",
    "dataset collect": "--name more --class 574 --per-class 1",
    "dataset scan": "shoes",
    "dataset split": "shoes",
    "dataset rename": "shoes boots",
    "dataset delete": "shoes",
    "dataset restore": "gone",
    "dataset repair": "damaged",
    "train": "shoes --recipe quick",
    "teach": "Neo PHOTOS/574/00.jpg PHOTOS/574/01.jpg PHOTOS/574/02.jpg --model run --as neo",
    "forget": "Astro --model taught",
    "correct": "--model run --as better",
    "models install": "PHOTO",
    "runs repeat": "idle",
    "runs note": "run text",
    "runs rename": "run other",
    "runs delete": "run",
    "runs restore": "gone",
    "runs stop": "busy",
    "runs retry": "idle",
    "evaluate": "run --data shoes --name again",
    "evaluations rename": "kept other",
    "evaluations delete": "kept",
    "evaluations restore": "former",
    "evaluations stop": "busy",
    "search": "shoes --study wide",
    "tune": "shoes --study wide",
    "studies stop": "busy",
    "studies delete": "wide",
    "studies restore": "gone",
    "clips rename": "walk other",
    "clips delete": "walk",
    "clips restore": "gone",
    "jobs stop": "runs/busy/job",
    "run-job": "FOLDER",
}
# … and these don't.
LOOKING = {
    "models": "",
    "models show": "run",
    "follow": "CLIP --model run",
    "clips list": "",
    "clips show": "walk",
    "models pack": "run --out OUT.zip",
    "predict": "PHOTO --model run",
    "export": "run --format onnx --out OUT.onnx",
    "dataset export": "shoes --out OUT",
    "dataset findings": "shoes",
    "dataset history": "shoes",
    "dataset list": "",
    "dataset stats": "shoes",
    "dataset worth": "shoes",
    "catalog": "samba",
    "runs compare": "run --with taught",
    "runs list": "",
    "runs show": "run",
    "evaluations list": "",
    "evaluations show": "kept",
    "evaluations compare": "kept second",
    "evaluations report": "kept OUT.html",
    "evaluations class-maps": "kept --label 574 --out OUT.png",
    "evaluations means": "kept --label 574 --out OUT.png",
    "estimate": "shoes --recipe scratch --size 32 --batch 4",
    "find-lr": "shoes --recipe quick --size 64",
    "rates": "shoes --recipe quick --size 64",
    "augment": "shoes --recipe quick --out OUT.png",
    "studies list": "",
    "studies show": "wide",
    "explain": "PHOTO --model run --out OUT.png",
    "jobs list": "",
}
EMPTY_CLIP = {
    "format": 1, "file": "clip.mp4", "model": "run", "created": 1, "seconds": 1, "fps": 25, "width": 64, "height": 48,
    "frames": 25, "tracks": [],
}  # fmt: skip
# Tested with a server of its own, and with a package from the network.
SERVING = {"phone", "phone-page"}
# Computed from photos, and stored beside them.
CACHES = ("cache", "thumbnails")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with something of each kind, and something of each kind in the bin."""
    root = tmp_path_factory.mktemp("read-only")
    home = root / "workspace"
    model = run_model_folder(runs_folder(home) / "run")
    save_model(lively_model(CLASSES), model)
    shutil.copytree(model.parent, runs_folder(home) / "gone")
    import_photos(create_dataset(home, "shoes"), draw_dataset(root / "photos", dict.fromkeys(CLASSES, 12)))
    for name in ("gone", "spare"):
        create_dataset(home, name)
    for name in ("kept", "second", "former"):
        evaluate(model, "shoes", home, "all", name=name, neighbors=False)
    astro = [Photo(f"{n}.jpg", jpeg(photo_of_class(9, n))) for n in range(3)]
    teach(home, {"Astro": astro}, "run", new_name="taught")
    for name, dataset in (("wide", "shoes"), ("gone", "shoes"), ("busy", "spare")):
        open_study(home, dataset, name, minutes=1)
    for name in ("walk", "gone"):
        write_json(home / "clips" / name / "clip.json", EMPTY_CLIP)
    clips_of(home).delete("gone")
    delete_dataset(home, "gone")
    delete_run(home, "gone")
    delete_evaluation(home, find_evaluation(home, "former"))
    delete_study(home, "gone")
    record_job(run_job_folder(runs_folder(home) / "busy"), home, "train", run="busy", dataset="spare")
    record_job(evaluation_job_folder(evaluations_folder(home) / "busy"), home, "evaluate", model="elsewhere")
    record_job(run_job_folder(studies_folder(home) / "busy"), home, "search", study="busy")
    idle = record_job(run_job_folder(runs_folder(home) / "idle"), home, "train", run="idle", dataset="shoes")
    os.utime(idle / HEARTBEAT_FILE, (0, 0))  # its process has died
    damaged = create_dataset(home, "damaged")
    damaged.index.write_bytes(b"damaged")
    return home


def record_job(folder: Path, home: Path, kind: str, **params: str) -> Path:
    folder.mkdir(parents=True)
    write_job(folder, kind, params, title="Work", workspace=home)
    return folder


@pytest.fixture
def read_only(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same workspace, with jobs that seem to run; nothing in it may change."""
    for heartbeat in home.glob(f"*/busy/job/{HEARTBEAT_FILE}"):
        heartbeat.touch()
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    before = contents(home)
    yield home
    assert contents(home) == before


def contents(home: Path) -> dict[str, str]:
    """What each file holds and which folders there are. SQLite's shared memory changes when an index is read."""
    return {
        path.relative_to(home).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(home.rglob("*"))
        if not set(CACHES) & set(path.parts) and not path.name.endswith(("-shm", "-wal"))
    }


def run(home: Path, tmp_path: Path, command: str, rest: str) -> Result:
    image = write(tmp_path / "photo.jpg", jpeg(photo(3)))
    job = run_job_folder(runs_folder(home) / "busy")
    sample = read_samples(find_dataset(home, "shoes"))["sample"].iloc[0]
    if "CLIP" in rest:
        write_drawn_clip(tmp_path / "clip.mp4", ClipPlan((), (), 0.2, size=(64, 48)))
    for name, value in (
        ("CLIP", tmp_path / "clip.mp4"),
        ("PHOTOS", home.parent / "photos"),
        ("PHOTO", image),
        ("OUT", tmp_path / "out"),
        ("SAMPLE", sample),
        ("FOLDER", job),
    ):
        rest = rest.replace(name, str(value))
    return CliRunner().invoke(main, ["--workspace", str(home), *command.split(), *rest.split()])


def commands(group: click.Group, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield before + name


def test_each_command_is_known_to_change_something_or_not():
    assert set(commands(main)) == CHANGING.keys() | LOOKING.keys() | SERVING


@pytest.mark.parametrize("command", CHANGING)
def test_commands_that_change_something_are_refused(command, read_only, tmp_path):
    done = run(read_only, tmp_path, command, CHANGING[command])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: {READ_ONLY_TEXT}") and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", LOOKING)
def test_commands_that_look_still_work(command, read_only, tmp_path):
    done = run(read_only, tmp_path, command, LOOKING[command])
    # The models of these runs were never tested, so there is nothing to compare.
    expected = "nothing to compare" if command == "runs compare" else ""
    assert (done.exit_code, expected in done.output) == (int(bool(expected)), True), done.output


@pytest.mark.parametrize("kind", ["zip", "csv"])
def test_a_file_that_a_user_named_is_written(kind, read_only, tmp_path):
    done = run(read_only, tmp_path, "dataset export", f"shoes --format {kind} --out OUT")
    assert done.exit_code == 0 and (tmp_path / "out").stat().st_size > 0


def test_what_only_pages_do_is_refused(read_only, tmp_path):
    shoes, shown = find_dataset(read_only, "shoes"), Photo("x.jpg", jpeg(photo(1)))
    busy = run_job_folder(runs_folder(read_only) / "busy")
    model = run_model_folder(runs_folder(read_only) / "run")
    for change in (
        lambda: save_correction(read_only, shown, "574", "me"),
        lambda: save_confidence_threshold(model, 0.5),
        lambda: start_robustness_check(read_only, find_evaluation(read_only, "kept")),
        lambda: start_photo_explanation(read_only, {}, "Photos", {"x.jpg": shown.data}),
        lambda: stop_job(busy),
        lambda: restart_job(run_job_folder(runs_folder(read_only) / "idle")),
        lambda: export_folder(shoes, tmp_path / "folder"),
        lambda: export_zip(shoes, tmp_path / "photos.zip"),
        lambda: sc.train("shoes", recipe="quick", workspace=read_only),
    ):
        with pytest.raises(ReadOnlyError, match=READ_ONLY_TEXT):
            change()
    assert list(tmp_path.iterdir()) == []


def test_the_quiz_goes_on_without_storing_votes(read_only):
    evaluation = find_evaluation(read_only, "kept")
    question = choose_questions(read_table(evaluation), seed=1)[0]
    add_vote(read_only, evaluation, question, question.options[0])
    assert read_votes(read_only, evaluation) == []
    assert not votes_file(read_only).exists()
