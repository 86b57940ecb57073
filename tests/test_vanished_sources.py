"""If photos vanish under the work that reads them, the error says so, and nothing half-done is kept as a result."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sneaker_core.datasets.dataset_collection import create_dataset, find_source
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.datasets.vanished_sources import check_there, sources_of_job, told_if_vanished
from sneaker_core.errors import DatasetError, SneakerError, StoppedError
from sneaker_core.evaluation.evaluation_collection import evaluations_of, list_evaluations
from sneaker_core.evaluation.evaluation_job import evaluate
from sneaker_core.training.recipe import make_recipe
from sneaker_core.training.training_setup import set_up_training
from sneaker_core.workspace.jobs import log_tail, read_job, start_job
from sneaker_core.workspace.locks import take_lock
from sneaker_core.workspace.paths import queue_folder
from tests.factories import draw_dataset, write

COUNTS = {"Comet Low": 6, "Orbit High": 6}


@pytest.fixture
def home(models_home, tmp_path) -> Path:
    """A workspace with the model "tiny" and a dataset, and the same photos beside it."""
    models_home.install("tiny", bundled=False)
    photos = draw_dataset(tmp_path / "photos", COUNTS)
    import_photos(create_dataset(models_home.workspace, "shoes"), photos)
    return models_home.workspace


def vanishing(folder: Path) -> Callable[..., None]:
    """A progress callback that removes a folder before the first photo is read."""
    return lambda *progress: shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize(
    ("part", "data", "told"),
    [
        ("workspace/datasets/shoes", "shoes", "The dataset 'shoes' was deleted or moved while it was in use"),
        ("workspace/datasets/shoes/images", "shoes", "The dataset 'shoes' was deleted or moved while it was in use"),
        ("photos", "{folder}", "photos was deleted or moved while in use"),
    ],
)
class TestUnderWork:
    def test_an_evaluation_says_so_and_saves_nothing(self, home, tmp_path, part, data, told):
        data = data.format(folder=tmp_path / "photos")
        before = [one.name for one in list_evaluations(home)]
        with pytest.raises(DatasetError, match=told):
            evaluate(home / "runs" / "tiny" / "model", data, home, name="kept", report=vanishing(tmp_path / part))
        assert [one.name for one in list_evaluations(home)] == before

    def test_a_training_says_so(self, home, tmp_path, part, data, told):
        data = data.format(folder=tmp_path / "photos")
        recipe = make_recipe("scratch", {"epochs": 1})
        with pytest.raises(DatasetError, match=told):
            set_up_training(data, recipe, home, progress=vanishing(tmp_path / part))


def test_an_evaluation_that_is_renamed_while_it_runs_is_saved_once_under_its_new_name(home):
    evaluations_of(home).create("before")

    def rename(*progress: object) -> None:
        if "before" in evaluations_of(home).names().values():
            evaluations_of(home).rename("before", "after")

    write(home / "evaluations" / "before" / "job" / "job.json", b'{"kind": "evaluate", "started": 1}')
    evaluate(home / "runs" / "tiny" / "model", "shoes", home, name="before", report=rename)
    assert [(one.name, one.n) for one in evaluations_of(home).list()] == [("after", 12)]


def test_other_errors_stay_as_they_are(home):
    source = find_source(home, "shoes")
    check_there([source])
    with pytest.raises(SneakerError, match="another"), told_if_vanished([source]):
        raise SneakerError("another")
    shutil.rmtree(source.folder)
    with pytest.raises(StoppedError), told_if_vanished([source]):
        raise StoppedError("stopped")
    with pytest.raises(DatasetError, match="'shoes' was deleted"), told_if_vanished([source]):
        raise FileNotFoundError("a photo")
    with told_if_vanished([source]):
        pass  # what was done before it vanished is done


def test_the_sources_of_a_job_are_those_it_refers_to(home, tmp_path):
    params = {"worlds": {"shop": "shoes", "phone": str(tmp_path / "photos")}, "dataset": "gone"}
    assert [source.name for source in sources_of_job(home, params)] == ["shoes", "photos"]


def test_a_job_whose_dataset_vanishes_while_it_waits_says_so(home):
    queue = queue_folder(home)
    queue.mkdir(parents=True)
    turn = take_lock(queue / "lock")
    assert turn is not None
    with turn:
        params = {"dataset": "shoes", "with_model": False}
        folder = start_job(home / "rates" / "1", "dataset_scan", params, title="Scan", workspace=home, queue=True)
        for _ in range(1200):
            if read_job(folder).progress.details.get("before") or read_job(folder).state.ended:
                break
            time.sleep(0.1)
        shutil.rmtree(home / "datasets" / "shoes")
    for _ in range(1200):
        if read_job(folder).state.ended:
            break
        time.sleep(0.1)
    assert read_job(folder).error == (
        "The dataset 'shoes' was deleted or moved while it was in use. Restore it, then try again."
    ), log_tail(folder)
