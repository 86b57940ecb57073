"""Every record of a small workspace is damaged in every field: nothing raises, and the others are there."""

import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sneaker_core.datasets.class_balance import stats
from sneaker_core.datasets.dataset_collection import (
    create_dataset,
    damaged_datasets,
    delete_dataset,
    find_dataset,
    list_datasets,
    repair_dataset,
    restore_dataset,
)
from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.index_repair import index_problem
from sneaker_core.datasets.quality.scan import scan
from sneaker_core.datasets.review_log import Action, decide, history
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.datasets.split import read_split
from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_collection import list_evaluations
from sneaker_core.evaluation.evaluation_files import read_embeddings, read_neighbors, read_table
from sneaker_core.evaluation.evaluation_job import evaluate
from sneaker_core.evaluation.evaluation_record import Evaluation, Kind, read_run_evaluation, read_stored
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.model_facts import described_models
from sneaker_core.evaluation.robustness import robustness_metrics
from sneaker_core.evaluation.robustness_job import ROBUSTNESS_FILE, read_robustness
from sneaker_core.evaluation.worlds import world_metrics
from sneaker_core.inference.explanation.explanation_files import read_class_maps
from sneaker_core.inference.explanation.explanation_jobs import list_explanations
from sneaker_core.networks.checkpoint import read_spec, save_model
from sneaker_core.networks.model_registry import list_models
from sneaker_core.training.array_cache import ArrayCache
from sneaker_core.training.recipe import RECIPES
from sneaker_core.training.run_collection import list_runs, read_run, runs_of
from sneaker_core.training.run_metrics import read_metrics, read_watch
from sneaker_core.training.study_collection import list_studies, read_study
from sneaker_core.training.study_setup import open_study
from sneaker_core.workspace.job_record import write_job
from sneaker_core.workspace.jobs import list_jobs, read_job
from sneaker_core.workspace.paths import PROJECT, run_model_folder
from tests.corruptions import index_damage, json_damage, table_damage
from tests.factories import draw_dataset, jpeg, lively_model, photo, run_command, write

pytestmark = pytest.mark.slow

WELL, HURT = "well", "hurt"
PHOTO = "{photo}"
# Of the evaluations of each: their names can't be those of runs.
TESTED = {WELL: "well tested", HURT: "hurt tested"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two of everything."""
    home = tmp_path_factory.mktemp("records") / "workspace"
    photos = draw_dataset(tmp_path_factory.mktemp("photos"), {"boot": 3, "clog": 2})
    for name in (HURT, WELL):
        dataset = create_dataset(home, name)
        import_photos(dataset, photos)
        first = read_samples(dataset)["sample"].iloc[0]
        decide(dataset, [first], Action.RELABEL, "clog", kinds=["dark"])
        scan(dataset, None)
        _make_run(home, name)
        _make_job(
            dataset.jobs / "1",
            "dataset_scan",
            {"dataset": name, "with_model": False},
            {"finished": True, "findings": {"dark": 2}},
        )
    model = run_model_folder(home / "runs" / WELL)
    for name in (HURT, WELL):
        evaluate(model, photos, home, name=TESTED[name])
        folder = home / "evaluations" / TESTED[name]
        table = pd.read_parquet(folder / "predictions.parquet")
        table.drop(columns="path").to_parquet(home / "runs" / name / "predictions.parquet")
        table[["sample", "path", "label", "predicted", "probability"]].assign(change="original").to_parquet(
            folder / ROBUSTNESS_FILE
        )
        table[["sample", "path", "label"]].to_parquet(folder / "neighbours.parquet")
        np.save(folder / "neighbours.npy", np.zeros((len(table), 4), np.float16))
        described = json.loads((folder / "evaluation.json").read_text())
        (folder / "evaluation.json").write_text(json.dumps({**described, "with_neighbors": True}))
        open_study(home, name, name, RECIPES["scratch"])
        _make_job(home / "studies" / name / "job", "search", {"study": name})
        _make_job(
            home / "explanations" / "many" / name, "explain_photos", {"model": WELL, "photos": ["x"]}, {"pictures": 2}
        )
        maps = home / "explanations" / "means" / name
        maps.mkdir(parents=True)
        row = {
            "label": "boot",
            "right": True,
            "n": 2,
            "of": 2,
            "unreadable": 0,
            "place": "center",
            "share": 0.5,
            "files": "01",
        }
        (maps / "means.json").write_text(json.dumps([row]))
        _make_job(
            home / "rates" / name,
            "find_lr",
            {"dataset": name, "recipe": {"epochs": 3}},
            {"rates": [0.1], "losses": [1.0], "suggestion": 0.1},
        )
        ArrayCache(home, "photos").write(
            name, [np.zeros((2, 3), np.uint8)], (3,), np.uint8, {"rejected": {"a": "No photo."}}
        )
    return home


def _make_run(home: Path, name: str) -> None:
    folder = home / "runs" / name
    save_model(lively_model(), run_model_folder(folder))
    test = {"n": 5, "top1": 0.8, "top3": 1.0, "ece": 0.1, "left_out": {"mule": 2}}
    share = {"value": 0.8, "low": 0.5, "high": 0.9, "n": 5}
    world = {
        "world": "shop",
        "photos": 5,
        "known": 5,
        "ece": 0.1,
        **dict.fromkeys(("top1", "top3", "refused", "right_when_named", "named_unknown"), share),
    }
    file = run_model_folder(folder) / "model.json"
    described = json.loads(file.read_text())
    described |= {
        "metrics": {"test": test, "worlds": [world]},
        "data": {"photos": 5, "classes": {"boot": {"train": 3}}},
        "recipe": RECIPES["quick"].to_dict(),
    }
    file.write_text(json.dumps(described))
    (run_model_folder(folder) / "split.csv").write_text("sample,label,split\nab,boot,test\n")
    run = {
        "format": 2, "dataset": name, "source": name, "only": ["boot"], "negatives": None, "photos": "abc",
        "rejected": {"a": "b"}, "recipe": RECIPES["quick"].to_dict(), "recipe_name": "quick",
        "counts": {"train": 3, "test": 1}, "state": "done", "created": 1e9, "seconds": 5.0, "error": None,
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(run))
    (folder / "about.json").write_text(json.dumps({"name": name, "note": "Good."}))
    epoch = {
        "epoch": 1, "loss": 0.5, "accuracy": 0.5, "learning_rate": 0.1, "images_per_second": 10.0, "seconds": 1.0,
        "val_loss": 0.5, "val_top1": 0.5, "val_top3": 1.0,
        "confusions": [{"label": "boot", "predicted": "clog", "count": 1, "of": 2}],
        "favourite": {"label": "boot", "share": 0.5}, "watched": [{"label": "boot", "probability": 0.5}],
    }  # fmt: skip
    (folder / "metrics.jsonl").write_text(json.dumps(epoch))
    (folder / "watch.json").write_text(json.dumps([{"sample": "a", "label": "boot", "thumbnail": "watch/a.jpg"}]))
    _make_job(
        folder / "job",
        "train",
        {"run": name, "dataset": name, "recipe": RECIPES["quick"].to_dict(), "classes": ["boot"], "negatives": None},
    )


def _make_job(folder: Path, kind: str, params: dict[str, Any], result: dict[str, Any] | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_job(folder, kind, params, title=folder.name, workspace=folder.parent)
    progress = {
        "done": 1,
        "total": 2,
        "step": "Working",
        "rate": 1.0,
        "details": {"epochs": 2, "classes": {"boot": {"have": 1, "wanted": 2, "rejected": {"a": 1}}}},
    }
    (folder / "progress.json").write_text(json.dumps(progress))
    (folder / "end.json").write_text(json.dumps({"state": "done", "error": None, "result": result or {}}))


def tolerant(*actions: Callable[[], object]) -> None:
    """Do what may fail with a message for the user, but with nothing else."""
    for action in actions:
        with contextlib.suppress(SneakerError):
            action()


def read_one_run(home: Path) -> None:
    folder = home / "runs" / HURT
    tolerant(
        lambda: json.dumps(read_run(folder).to_dict(), allow_nan=False), lambda: read_spec(run_model_folder(folder))
    )
    if (found := read_run_evaluation(folder)) is not None:
        json.dumps(found[0].to_dict(), allow_nan=False)


def ask_runs(home: Path) -> None:
    runs = {run.name: run for run in list_runs(home)}
    assert runs[WELL].has_model and not runs[WELL].is_damaged
    assert HURT in {*runs, *runs_of(home).damaged()}
    assert (Kind.RUN, WELL) in {(one.kind, one.name) for one in list_evaluations(home)}
    assert WELL in {entry.name for entry in list_models(home)}
    listed = {row["name"]: row for row in described_models(home)}
    assert HURT in listed and listed[WELL]["problem"] is None
    json.dumps(list(listed.values()), allow_nan=False)


def read_one_log(home: Path) -> None:
    read_metrics(home / "runs" / HURT), read_watch(home / "runs" / HURT)


def read_jobs_of_runs(home: Path) -> None:
    tolerant(lambda: read_job(home / "runs" / HURT / "job"), lambda: read_job(home / "studies" / HURT / "job"))


def read_one_evaluation(home: Path) -> None:
    hurt = read_hurt(home)
    json.dumps(hurt.to_dict(), allow_nan=False)

    def figures() -> None:
        table = read_table(hurt)
        json.dumps(summary(table)), world_metrics(table)

    tolerant(figures, lambda: read_embeddings(hurt), lambda: read_neighbors(hurt))
    read_one_robustness(home)


def read_hurt(home: Path) -> Evaluation:
    return read_stored(home / "evaluations" / TESTED[HURT])


def read_one_list_of_neighbors(home: Path) -> None:
    tolerant(lambda: read_neighbors(read_hurt(home)))


def read_one_robustness(home: Path) -> None:
    tolerant(lambda: robustness_metrics(table) if (table := read_robustness(read_hurt(home))) is not None else None)


def ask_evaluations(home: Path) -> None:
    found = {(one.kind, one.name): one for one in list_evaluations(home)}
    assert found[Kind.STORED, TESTED[WELL]].is_ready
    assert (Kind.STORED, TESTED[HURT]) in found


def read_one_study(home: Path) -> None:
    json.dumps(read_study(home / "studies" / HURT).to_dict(), allow_nan=False)


def ask_studies(home: Path) -> None:
    studies = {study.name: study for study in list_studies(home)}
    assert studies[WELL].problem is None and HURT in studies


def read_one_explanation(home: Path) -> None:
    tolerant(
        lambda: read_job(home / "explanations" / "many" / HURT),
        lambda: read_class_maps(home / "explanations" / "means" / HURT),
    )


def ask_explanations(home: Path) -> None:
    assert WELL in {saved.id for saved in list_explanations(home)}


def read_one_job(home: Path) -> None:
    tolerant(lambda: read_job(home / "rates" / HURT), lambda: read_job(home / "datasets" / HURT / "jobs" / "1"))


def ask_jobs(home: Path) -> None:
    assert WELL in {job.folder.name for job in list_jobs(home / "rates")}
    list_jobs(home / "datasets" / HURT / "jobs")


def read_one_array(home: Path) -> None:
    ArrayCache(home, "photos").read(HURT)


def ask_cache(home: Path) -> None:
    assert ArrayCache(home, "photos").read(WELL) is not None


Asked = tuple[Callable[[Path], None], Callable[[Path], None]]
RUNS: Asked = (read_one_run, ask_runs)
EVALUATIONS: Asked = (read_one_evaluation, ask_evaluations)
STUDIES: Asked = (read_one_study, ask_studies)
EXPLANATIONS: Asked = (read_one_explanation, ask_explanations)
JOBS: Asked = (read_one_job, ask_jobs)
# Every damage is read; one in so many, the first included, is looked for in all lists.
LISTED = 60


# A JSON record of the damaged item -> what reads it, and what lists it.
RECORDS: dict[str, Asked] = {
    "runs/hurt/run.json": RUNS,
    "runs/hurt/about.json": RUNS,
    "runs/hurt/metrics.jsonl": (read_one_log, ask_runs),
    "runs/hurt/watch.json": (read_one_log, ask_runs),
    "runs/hurt/job/job.json": (read_jobs_of_runs, ask_runs),
    "runs/hurt/job/progress.json": (read_jobs_of_runs, ask_runs),
    "runs/hurt/job/end.json": (read_jobs_of_runs, ask_runs),
    "runs/hurt/model/model.json": RUNS,
    "evaluations/hurt tested/evaluation.json": EVALUATIONS,
    "studies/hurt/study.json": STUDIES,
    "studies/hurt/job/job.json": (read_jobs_of_runs, ask_studies),
    "explanations/many/hurt/job.json": EXPLANATIONS,
    "explanations/many/hurt/end.json": EXPLANATIONS,
    "explanations/means/hurt/means.json": EXPLANATIONS,
    "rates/hurt/job.json": JOBS,
    "rates/hurt/end.json": JOBS,
    "datasets/hurt/jobs/1/job.json": JOBS,
    "cache/hurt.json": (read_one_array, ask_cache),
}


@contextlib.contextmanager
def kept(file: Path) -> Iterator[None]:
    """Put a file back as it was."""
    data = file.read_bytes()
    try:
        yield
    finally:
        file.write_bytes(data)


def failures(attempts: Iterator[tuple[str, Callable[[], object]]]) -> dict[str, str]:
    """What ended in an exception or was missing -> how."""
    found = {}
    for what, attempt in attempts:
        try:
            attempt()
        except Exception as error:
            found[what] = f"{type(error).__name__}: {str(error)[:100]}"
    return found


@pytest.mark.parametrize("record", RECORDS)
def test_no_json_record_is_trusted(made, record):
    file, (read, look) = made / record, RECORDS[record]
    read(made)

    def attempts() -> Iterator[tuple[str, Callable[[], object]]]:
        for number, (what, data) in enumerate(json_damage(file.read_bytes())):
            file.write_bytes(data)
            yield what, lambda: read(made)
            if number % LISTED == 0:
                yield f"{what}, listed", lambda: look(made)

    with kept(file):
        found = failures(attempts())
    assert found == {}


# A table -> what reads it and nothing else, since it is read hundreds of times.
TABLES = {
    "predictions.parquet": read_one_evaluation,
    "neighbours.parquet": read_one_list_of_neighbors,
    ROBUSTNESS_FILE: read_one_robustness,
}


@pytest.mark.parametrize("record", TABLES)
def test_no_table_is_trusted(made, record):
    file, read = made / "evaluations" / TESTED[HURT] / record, TABLES[record]
    read_one_evaluation(made)

    def attempts() -> Iterator[tuple[str, Callable[[], object]]]:
        for what, changed in list(table_damage(file)):
            try:
                changed.to_parquet(file) if isinstance(changed, pd.DataFrame) else file.write_bytes(changed)
            except ValueError:
                continue  # no Parquet file can hold that
            yield what, lambda: read(made)

    with kept(file):
        found = failures(attempts())
        read_one_evaluation(made)  # with the last damage
    assert found == {}


@pytest.mark.parametrize("record", ["embeddings.npy", "neighbours.npy"])
def test_no_array_is_trusted(made, record):
    file = made / "evaluations" / TESTED[HURT] / record
    whole = file.read_bytes()
    with kept(file):
        for data in (b"", whole[:40], whole[:-9], b"\x93NUMPY\x01\x00\xff\xff{", b"\xff" * 90):
            file.write_bytes(data)
            read_one_evaluation(made)
        for array in (
            np.zeros(3),
            np.full((5, 4), np.nan),
            np.zeros((5, 4), np.complex64),
            np.zeros((0, 4)),
            np.array(["x"]),
        ):
            np.save(file, array)
            read_one_evaluation(made)


def test_no_split_is_trusted(made):
    file = run_model_folder(made / "runs" / HURT) / "split.csv"
    with kept(file):
        for data in (
            b"",
            b"\xff\xfe",
            b"a,b\n1,2\n",
            b"sample,label,split\nab,boot,lunch\n",
            b'sample,"',
            b"sample,label,split\n1,2,3,4\n",
        ):
            file.write_bytes(data)
            tolerant(lambda: read_split(file.parent))


def ask_datasets(home: Path) -> None:
    entries = {entry.id: entry for entry in list_datasets(home)}
    assert entries[WELL].photos == 5
    assert HURT in {*entries, *damaged_datasets(home)}
    hurt = Dataset(home / "datasets" / HURT)
    try:
        find_dataset(home, entries[HURT].name if HURT in entries else HURT)
    except SneakerError as error:
        assert "No dataset named" not in str(error)
    tolerant(lambda: json.dumps(stats(hurt), allow_nan=False), lambda: index_problem(hurt))


@pytest.fixture(scope="module")
def settled(made) -> Path:
    """The same workspace, whose damaged dataset has its whole index in one file."""
    file = made / "datasets" / HURT / "index.sqlite"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
    return made


def test_no_index_is_trusted_and_every_one_can_be_rebuilt(settled):
    file = settled / "datasets" / HURT / "index.sqlite"
    whole, dataset = file.read_bytes(), Dataset(file.parent)
    before = read_samples(dataset)

    def attempts() -> Iterator[tuple[str, Callable[[], object]]]:
        for number, (what, damage) in enumerate(list(index_damage(file))):
            _clear(file, whole)
            damage(file)
            yield what, lambda: ask_datasets(settled)
            if number % 24 == 0:
                yield f"{what}, repaired", rebuilt

    def rebuilt() -> None:
        if repair_dataset(settled, dataset) is None:
            return
        assert index_problem(dataset) is None
        after = read_samples(dataset)
        assert set(after["sample"]) == set(before["sample"])

    try:
        found = failures(attempts())
    finally:
        _clear(file, whole)
    assert found == {}


def _clear(file: Path, whole: bytes) -> None:
    for path in file.parent.glob("index*"):
        path.unlink()
    file.write_bytes(whole)


class TestRepair:
    @pytest.fixture
    def home(self, settled, tmp_path) -> Path:
        shutil.copytree(settled / "datasets", tmp_path / "datasets")
        return tmp_path

    def test_rows_that_are_intact_are_kept(self, home):
        dataset = Dataset(home / "datasets" / HURT)
        before, decided = read_samples(dataset), history(dataset)
        with contextlib.closing(sqlite3.connect(dataset.index, isolation_level=None)) as db:
            db.execute("UPDATE facts SET value = '{no JSON' WHERE key = 'created'")
            db.execute("UPDATE samples SET width = 'x' WHERE sample = ?", (before["sample"].iloc[1],))
        listed = json.loads(run_command(home, "dataset", "list", "--json").stdout)
        assert [row["problem"] is None for row in listed] == [True, False]
        assert "dataset repair hurt" in run_command(home, "dataset", "list").stdout
        told = run_command(home, "dataset", "repair", HURT, "--json")
        report = json.loads(told.stdout)
        assert (report["photos"], report["read_again"], report["decisions"]) == (5, 1, 1)
        assert (dataset.folder / report["kept_as"]).is_file()
        after = read_samples(dataset)
        pd.testing.assert_frame_equal(after.drop(columns="added"), before.drop(columns="added"))
        pd.testing.assert_frame_equal(history(dataset), decided)
        assert "intact" in run_command(home, "dataset", "repair", HURT).stdout

    def test_without_any_row_the_folders_say_the_classes(self, home):
        dataset = Dataset(home / "datasets" / HURT)
        dataset.index.write_bytes(b"no database at all")
        changed = next(dataset.images.glob("clog/*"))
        changed.write_bytes(b"no photo")
        report = repair_dataset(home, HURT)
        assert report is not None and (report.photos, report.read_again) == (4, 4)
        assert list(report.unusable) == [f"clog/{changed.name}"]
        assert read_samples(dataset)["label"].value_counts().to_dict() == {"boot": 3, "clog": 1}
        assert find_dataset(home, HURT).name == HURT

    def test_a_damaged_one_is_deleted_and_restored(self, home):
        (home / "datasets" / HURT / "index.sqlite").unlink()
        assert run_command(home, "dataset", "delete", HURT).returncode == 0
        assert [entry.id for entry in list_datasets(home)] == [WELL]
        rows = json.loads(run_command(home, "dataset", "list", "--bin", "--json").stdout)
        assert [(row["name"], row["photos"]) for row in rows] == [(HURT, None)]
        with pytest.raises(SneakerError, match="dataset repair"):
            restore_dataset(home, HURT)
        assert list(damaged_datasets(home)) == [HURT]
        delete_dataset(home, HURT)


@pytest.mark.skipif(os.name == "nt", reason="the system keeps such names out")
def test_a_folder_whose_name_is_no_text(made, tmp_path):
    shutil.copytree(made / "runs", tmp_path / "runs")
    (tmp_path / "runs" / HURT).rename(os.fsdecode(os.fsencode(tmp_path / "runs") + b"/h\xff"))
    assert [run.name for run in list_runs(tmp_path)] == [WELL]
    told = run_command(tmp_path, "runs", "list").stdout
    assert "is no text that this system can read" in told
    assert [entry.name for entry in list_models(tmp_path) if not entry.bundled] == [WELL]
    assert run_command(tmp_path, "runs", "delete", "h?").returncode == 0
    (deleted,) = runs_of(tmp_path).deleted()
    assert runs_of(tmp_path).restore(deleted).has_model


@pytest.fixture(scope="module")
def ward(made, tmp_path_factory) -> tuple[Path, list[str]]:
    """A workspace with one well and many damaged items of every kind, a different damage each; and their names."""
    home = tmp_path_factory.mktemp("ward") / "workspace"
    shutil.copytree(made, home)
    names = []
    for record in RECORDS:
        first, *_ = record.split("/")
        if first not in ("runs", "evaluations", "studies"):
            continue
        damage = list(json_damage((home / record).read_bytes()))
        for number, (_, data) in enumerate(damage[:: max(len(damage) // 4, 1)]):
            name = f"{Path(record).stem} {first} {number}"
            shutil.copytree(
                home / first / (TESTED[WELL] if first == "evaluations" else WELL),
                home / first / name,
                ignore=shutil.ignore_patterns("about.json", "*.safetensors"),
            )
            (home / first / name / Path(*Path(record).parts[2:])).write_bytes(data)
            names.append(name)
    whole = (made / "datasets" / HURT / "index.sqlite").read_bytes()
    damages = list(index_damage(made / "datasets" / HURT / "index.sqlite"))
    for number, (_, damage) in enumerate(damages[:: len(damages) // 8]):
        shutil.copytree(home / "datasets" / WELL, home / "datasets" / f"index {number}")
        _clear(home / "datasets" / f"index {number}" / "index.sqlite", whole)
        damage(home / "datasets" / f"index {number}" / "index.sqlite")
    return home, names


COMMANDS = [
    ("models",), ("runs", "list"), ("evaluations", "list"), ("studies", "list"), ("dataset", "list"),
    ("runs", "restore"), ("dataset", "list", "--bin"), ("jobs", "list"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_commands_answer_among_damaged_items(ward, command, form):
    done = run_command(ward[0], *command, *form)
    assert done.returncode == 0, done.stderr
    assert WELL in done.stdout or command[-1] in ("restore", "--bin") or command[0] == "jobs"


# Commands for one item, whose name comes last, by the kind of item.
OF_ONE = {
    "runs": [
        ("runs", "show"), ("predict", PHOTO, "--model"), ("explain", PHOTO, "--out", "{home}/map.png", "--model"),
        ("evaluate", "--data", WELL),
    ],
    "evaluations": [
        ("evaluations", "show"), ("evaluations", "compare", TESTED[WELL]),
    ],
    "studies": [("studies", "show")],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "command"), [(kind, one) for kind, each in OF_ONE.items() for one in each])
def test_commands_for_a_damaged_item_answer(ward, tmp_path, kind, command):
    home, names = ward
    write(tmp_path / "photo.jpg", jpeg(photo(1)))
    told = [str(word).format(home=tmp_path, photo=tmp_path / "photo.jpg") for word in command]
    for name in [TESTED[WELL] if kind == "evaluations" else WELL, *(name for name in names if f" {kind} " in name)]:
        done = run_command(home, *told, name)
        said = done.stderr.strip().splitlines()
        assert done.returncode == 0 or (done.returncode == 1 and said and "Traceback" not in done.stderr), done.stderr


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("identify", {}), ("datasets", {"dataset": WELL}), ("datasets", {"dataset": "index 1"}), ("train", {}),
        ("runs", {}), ("evaluate", {"evaluation": TESTED[WELL]}), ("explain", {}),
    ],
)  # fmt: skip
def test_pages_answer_among_damaged_items(ward, page, query, monkeypatch):
    monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(ward[0]))
    st.cache_data.clear()
    st.cache_resource.clear()
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=120)
    app.switch_page(f"pages/{page}.py")
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception
    shown = " ".join(str(one.value) for one in (*app.markdown, *app.error, *app.header, *app.subheader, *app.selectbox))
    assert shown
    if page == "datasets":
        assert "dataset repair" in shown
        assert any(button.label == "Repair" for button in app.button)
