"""A workspace of an older version opens with everything in place.

``fixtures/old_workspace.zip`` was made by SoleScope e13f3ee, and ``old_workspace.json`` is what that version reported
about it after it was moved: commands and their output with ``--json``, and under ``kept`` what no command prints. The
older version used other names for files, records, columns and folders; the tests read everything with current code.
"""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sneaker_core.datasets.class_balance import stats
from sneaker_core.datasets.dataset_collection import (
    datasets_of,
    find_dataset,
    find_dataset_by_id,
    list_datasets,
    restore_dataset,
    source_folder,
)
from sneaker_core.datasets.index import read_rejects, read_samples, tried_links
from sneaker_core.datasets.review_log import history
from sneaker_core.evaluation.evaluation_collection import (
    evaluations_of,
    find_evaluation,
    list_evaluations,
    restore_evaluation,
)
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.evaluation_record import Kind
from sneaker_core.inference.explanation.explanation_files import read_class_maps
from sneaker_core.inference.explanation.explanation_jobs import class_maps_folder, list_explanations
from sneaker_core.networks.checkpoint import load_model
from sneaker_core.networks.model_registry import find_model, list_models
from sneaker_core.settings import READ_ONLY_VARIABLE
from sneaker_core.training.run_collection import find_run, list_runs, rename_run, restore_run, runs_of
from sneaker_core.training.run_metrics import read_metrics
from sneaker_core.training.study_collection import find_study, list_studies, restore_study, studies_of
from sneaker_core.training.training_jobs import resume_training, stop_training
from sneaker_core.workspace.jobs import JobState, list_jobs, log_tail, read_job, restart_job
from sneaker_core.workspace.paths import lr_finder_folder, run_job_folder
from tests.test_jobs import ended, until
from tests.test_read_only import contents

pytestmark = pytest.mark.slow

FIXTURES = Path(__file__).resolve().parent / "fixtures"
EXPECTED: dict[str, Any] = json.loads((FIXTURES / "old_workspace.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace, for tests that only read it (which migrates it)."""
    place = tmp_path_factory.mktemp("old") / "moved here"
    with zipfile.ZipFile(FIXTURES / "old_workspace.zip") as archive:
        archive.extractall(place)
    return place


@pytest.fixture
def workspace(opened: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    shutil.copytree(opened, tmp_path / "workspace")
    return tmp_path / "workspace"


def test_while_read_only_everything_is_listed_and_nothing_is_migrated(tmp_path, monkeypatch):
    with zipfile.ZipFile(FIXTURES / "old_workspace.zip") as archive:
        archive.extractall(tmp_path)
    before = contents(tmp_path)
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    entries = {entry.name: entry for entry in list_datasets(tmp_path)}
    for name, row in by_name(EXPECTED["datasets"]).items():
        assert entries[name].photos == row["photos"]
        assert len(read_samples(find_dataset(tmp_path, name))) >= row["photos"]
    for listed in (list_runs, list_evaluations, list_studies, list_explanations):
        listed(tmp_path)
    datasets_of(tmp_path).deleted()
    assert contents(tmp_path) == before


def by_name(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in rows}


class TestDatasets:
    def test_all_are_listed_under_their_names_and_ids(self, opened):
        found = {entry.name: entry for entry in list_datasets(opened)}
        for name, row in by_name(EXPECTED["datasets"]).items():
            assert (found[name].photos, found[name].classes) == (row["photos"], row["classes"])
            assert found[name].id == Path(row["folder"]).name
        assert len(found) == len(EXPECTED["datasets"])
        assert find_dataset_by_id(opened, "alpha").name == "Beta shoes"

    @pytest.mark.parametrize("name", ["drawn", "Beta shoes"])
    def test_photos_labels_splits_rejects_and_links_are_kept(self, opened, name):
        dataset = find_dataset(opened, name)
        kept = EXPECTED["kept"]["datasets"][dataset.folder.name]
        samples = read_samples(dataset).astype(object)
        samples = samples.where(samples.notna(), None)
        for row, old in zip(samples.to_dict("records"), kept["samples"], strict=True):
            same = ("sample", "label", "excluded", "split", "width", "height", "bytes", "name")
            assert {key: row[key] for key in same} == {key: old[key] for key in same}
            assert row["original_label"] == old["filed"]
            assert row["path"] == old["path"].replace("<workspace>", str(opened))
            assert Path(row["path"]).is_file()
        assert list(read_rejects(dataset)["reason"]) == [row["reason"] for row in kept["rejects"]]
        assert sorted(tried_links(dataset)) == kept["links"]
        assert dataset.fact("split") == kept["split"]

    @pytest.mark.parametrize("name", ["drawn", "Beta shoes"])
    def test_decisions_and_findings_are_kept(self, opened, name):
        dataset, old = find_dataset(opened, name), EXPECTED["dataset"][name]
        table = history(dataset).astype(object)
        rows = table.where(table.notna(), None).to_dict("records")
        same = ("decision", "sample", "action", "label", "author", "batch")
        assert [tuple(row[key] for key in same) for row in rows] == [
            tuple(row[key] for key in same) for row in old["history"]
        ]
        told = stats(dataset)
        assert (told["photos"], told["excluded"], told["rejects"]) == tuple(
            old["stats"][key] for key in ("photos", "excluded", "rejects")
        )
        assert sum(told["findings"].values()) == sum(old["stats"]["findings"].values())

    def test_the_bin_is_listed_and_restored(self, workspace):
        assert [entry.name for entry in datasets_of(workspace).deleted()] == ["gamma"]
        assert [path.name for path in (workspace / "bin").iterdir() if path.name.startswith("gamma")] == []
        restored = restore_dataset(workspace, "gamma")
        assert (restored.name, restored.folder) == ("gamma", workspace / "datasets" / "gamma")
        assert len(read_samples(restored)) == EXPECTED["datasets_in_bin"][0]["photos"]
        assert datasets_of(workspace).deleted() == []


class TestRuns:
    def test_all_are_listed_with_state_note_and_metrics(self, opened):
        found = {run.name: run.to_dict() for run in list_runs(opened)}
        for name, row in by_name(EXPECTED["runs"]).items():
            same = ("dataset", "recipe_name", "seconds", "counts", "note", "has_model", "state", "n", "top1", "ece")
            assert {key: found[name][key] for key in same} == {key: row[key] for key in same}
            assert (found[name]["error"] is None) == (row["error"] is None)
            epochs = read_metrics(find_run(opened, name).folder)
            assert len(epochs) == len(EXPECTED["run"][name]["epochs"])
        assert len(found) == len(EXPECTED["runs"])

    def test_their_recipes_are_read_by_todays_names(self, opened):
        recipe = find_run(opened, "first shoes").recipe
        assert (recipe["trainable"], recipe["ema_decay"], recipe["size"]) == ("head", 0.998, 48)

    def test_their_datasets_are_found_by_the_names_in_their_records(self, opened):
        run = find_run(opened, "first shoes")
        assert (run.dataset, source_folder(opened, run.source)) == ("drawn", opened / "datasets" / "drawn")

    def test_their_models_load(self, opened):
        names = [entry.name for entry in list_models(opened) if not entry.bundled]
        assert names == [row["name"] for row in EXPECTED["models"] if not row["bundled"]]
        found = find_model(opened, "first shoes")
        spec = load_model(found).spec
        assert (spec.name, spec.decision.confidence_threshold) == ("first shoes", 0.35)

    def test_the_bin_is_listed_and_restored(self, workspace):
        (run,) = runs_of(workspace).deleted()
        assert (run.name, run.id, run.dataset) == ("thrown away", "thrown away", "drawn")
        assert [path.name for path in (workspace / "bin" / "runs").iterdir()] == ["thrown away"]
        assert restore_run(workspace, "thrown away").headline["n"] == EXPECTED["runs_in_bin"][0]["n"]
        assert load_model(find_model(workspace, "thrown away")).spec.name == "thrown away"

    def test_one_that_was_stopped_is_resumed(self, workspace):
        rename_run(workspace, "half way", "renamed since")
        assert resume_training(workspace, "renamed since") == workspace / "runs" / "half way"
        job = run_job_folder(workspace / "runs" / "half way")
        until(job, lambda job: job.state.ended or "epoch" in job.progress.details)
        if not read_job(job).state.ended:
            stop_training(workspace, "renamed since")
        assert ended(job).state in (JobState.STOPPED, JobState.DONE), log_tail(job)

    def test_the_job_of_one_that_failed_is_retried_with_the_same_settings(self, workspace):
        job = run_job_folder(workspace / "runs" / "no start")
        old = read_job(job)
        assert (old.kind, old.queue, old.workspace, old.params["run"]) == ("train", True, workspace, "no start")
        assert old.params["changes"]["init"] == "nowhere"
        restart_job(job)
        assert "'nowhere'" in (ended(job).error or "")


class TestStudies:
    def test_all_are_listed_with_their_trials(self, opened):
        (study,) = list_studies(opened)
        old = EXPECTED["study"]["wide"]
        assert (study.name, study.dataset, study.state.value) == ("wide", "drawn", old["state"])
        assert len(study.trials) == len(old["trials"])
        assert study.best is not None
        assert study.best["val_top1"] == old["best"]["val_top1"]
        assert source_folder(opened, study.source) == opened / "datasets" / "drawn"
        assert study.jobs[0].params == {"study": "wide", "trials": 2, "minutes": 5.0}

    def test_the_bin_is_listed_and_restored(self, workspace):
        assert [study.name for study in studies_of(workspace).deleted()] == ["narrow"]
        assert restore_study(workspace, "narrow").folder == workspace / "studies" / "narrow"
        assert len(find_study(workspace, "narrow").trials) == 1


class TestEvaluations:
    def test_all_are_listed_with_their_tables(self, opened):
        found = {(one.kind.value, one.name): one for one in list_evaluations(opened)}
        for row in EXPECTED["evaluations"]:
            if row["kind"] == Kind.BUNDLED.value:
                continue
            one = found[row["kind"], row["name"]].to_dict()
            same = ("model", "data", "split", "n", "top1", "state", "left_out")
            assert {key: one[key] for key in same} == {key: row[key] for key in same}
            assert one["with_neighbors"] == row["with_neighbours"]
            assert (one["problem"] is None) == (row["problem"] is None)
        for name, old in EXPECTED["evaluation"].items():
            table = read_table(find_evaluation(opened, name))
            assert (table["true"].notna().sum() if "true" in table else len(table)) > 0
            assert find_evaluation(opened, name).n == old["n"]

    def test_the_bin_is_listed_and_restored(self, workspace):
        assert [one.name for one in evaluations_of(workspace).deleted()] == ["not wanted"]
        assert restore_evaluation(workspace, "not wanted").folder == workspace / "evaluations" / "not wanted"
        assert find_evaluation(workspace, "not wanted").is_ready

    def test_a_job_is_retried(self, workspace):
        folder = find_evaluation(workspace, "other shoes").folder
        assert folder is not None
        job = restart_job(folder / "job")
        assert read_job(job).params["dataset"] == "alpha"
        assert ended(job).state is JobState.FAILED
        assert "none of the classes" in (read_job(job).error or "")


class TestJobs:
    def test_every_job_reads_as_one_of_today(self, opened):
        kinds = set()
        for place, old in EXPECTED["kept"]["jobs"].items():
            if place.startswith("bin/"):
                continue
            job = read_job(opened / place)
            assert (job.title, job.state.value, job.error, job.result) == (
                old["title"], old["state"], old["error"], old["result"],
            )  # fmt: skip
            assert (job.workspace, job.can_restart) == (opened, True)
            assert "/tmp/solescope-old-workspace" not in json.dumps(job.params)
            kinds.add(job.kind)
        assert kinds == {
            "dataset_import", "dataset_scan", "train", "search", "find_lr", "evaluate", "explain_photos", "class_maps",
        }  # fmt: skip

    def test_an_import_is_retried_in_its_dataset_whatever_that_is_called_now(self, workspace):
        failed = next(job for job in list_jobs(workspace / "datasets" / "alpha" / "jobs") if job.error)
        assert failed.params["dataset"] == "alpha"
        assert Path(failed.params["source"]).is_file()
        restart_job(failed.folder)
        assert "nothing.zip" in (ended(failed.folder).error or "")
        assert {entry.name for entry in list_datasets(workspace)} == {"Beta shoes", "drawn"}

    def test_the_learning_rate_finder_is_retried(self, workspace):
        (job,) = list_jobs(lr_finder_folder(workspace))
        assert (job.params["recipe_name"], job.params["classes"]) == (
            "quick",
            ["Court Low", "Hoops Mid", "Retro Runner"],
        )
        before = job.result
        restart_job(job.folder)
        job = ended(job.folder)
        assert job.state is JobState.DONE, log_tail(job.folder)
        assert len(job.result["rates"]) == len(before["rates"])


class TestExplanations:
    def test_archives_and_class_average_maps_are_kept(self, opened):
        saved = list_explanations(opened)
        assert sorted(one.id for one in saved) == EXPECTED["kept"]["many"]
        assert all(zipfile.is_zipfile(one.archive) for one in saved)
        for name, old in EXPECTED["kept"]["means"].items():
            means = read_class_maps(class_maps_folder(opened) / name) or []
            assert [(each.label, each.right, each.count, each.available, each.share) for each in means] == [
                tuple(row[key] for key in ("label", "right", "n", "of", "share")) for row in old
            ]

    def test_both_kinds_are_made_again(self, workspace):
        for job in list_jobs(workspace / "explanations" / "many"):
            (job.folder / "maps.zip").unlink()
            restart_job(job.folder)
            assert ended(job.folder).state is JobState.DONE, log_tail(job.folder)
            assert zipfile.is_zipfile(job.folder / "maps.zip")
