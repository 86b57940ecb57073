"""Check the robustness of a saved evaluation, at once or as a background job."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from sneaker_core.errors import SneakerError, SpaceError, StoppedError
from sneaker_core.evaluation.changed_photos import robustness_table
from sneaker_core.evaluation.evaluation_collection import find_evaluation_by_id
from sneaker_core.evaluation.evaluation_files import find_model_of, read_parquet, read_table
from sneaker_core.evaluation.evaluation_record import Evaluation, Kind
from sneaker_core.evaluation.robustness import robustness_metrics, robustness_sentence
from sneaker_core.networks.checkpoint import load_model
from sneaker_core.records.reading import damaged
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.jobs import Worker, start_job

ROBUSTNESS_FILE = "robustness.parquet"
_STEP = "Changing photos"
_TEXTS = ("sample", "label", "change", "predicted")
_COLUMNS = {*_TEXTS, "path", "probability"}


def robustness_job_folder(evaluation: Evaluation) -> Path:
    """Folder of the job that checks an evaluation's robustness."""
    return evaluation.saved_in / "robustness-job"


def read_robustness(evaluation: Evaluation) -> pd.DataFrame | None:
    """The table of `changed_photos.robustness_table` that was saved with an evaluation; None if there is none.

    Raises
    ------
    SneakerError
        The file is damaged.
    """
    if evaluation.folder is None or not (evaluation.folder / ROBUSTNESS_FILE).is_file():
        return None
    file = evaluation.folder / ROBUSTNESS_FILE
    remedy = "Check the robustness again."
    table = read_parquet(file, remedy)
    if not set(table) >= _COLUMNS or not all(isinstance(value, str) for name in _TEXTS for value in table[name]):
        raise SneakerError(f"{damaged(file, 'it holds no predictions for changed photos')} {remedy}")
    numbers = pd.to_numeric(table["probability"], errors="coerce")
    if not numbers.between(0, 1.001).all():
        raise SneakerError(f"{damaged(file, 'probability is not always from 0 to 1')} {remedy}")
    return table


def save_robustness(evaluation: Evaluation, table: pd.DataFrame) -> None:
    """Save a robustness table with its evaluation.

    Raises
    ------
    SpaceError
        It can't be written.
    """
    file = evaluation.saved_in / ROBUSTNESS_FILE
    try:
        write_atomically(file, table.to_parquet(index=False))
    except OSError as error:
        raise SpaceError(f"Can't write {file}: {error.strerror or error}. Free some space and check again.") from error


def start_robustness_check(workspace: Path, evaluation: Evaluation) -> None:
    """Start a check in the background.

    Raises
    ------
    SneakerError
        The evaluation wasn't saved in the workspace.
    BusyError
        The check is running already.
    """
    if evaluation.kind is not Kind.STORED:
        raise SneakerError("Robustness can be checked for evaluations of your own. Start a new evaluation first.")
    start_job(
        robustness_job_folder(evaluation),
        "robustness",
        {"evaluation": evaluation.id},
        title=f"Robustness of {evaluation.name}",
        workspace=workspace,
    )


def run_robustness_job(workspace: Path, params: Mapping[str, Any], worker: Worker) -> None:
    """Check the robustness of an evaluation; params: evaluation."""
    evaluation = find_evaluation_by_id(workspace, params["evaluation"])
    model = load_model(find_model_of(workspace, evaluation))

    def progress(done: int, total: int) -> None:
        worker.report(done, total, _STEP)
        if worker.stopped():
            raise StoppedError("The check was stopped. Nothing was saved.")

    table = robustness_table(model, read_table(evaluation), progress)
    save_robustness(evaluation, table)
    sentence = robustness_sentence(robustness_metrics(table))
    worker.result = {"evaluation": params["evaluation"], "finding": sentence}
    worker.log(sentence)
