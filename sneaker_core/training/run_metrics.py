"""The metrics of a run: of its model, of each epoch, and of the validation photos it watches."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sneaker_core.errors import DamagedError
from sneaker_core.records.model_records import ModelFile
from sneaker_core.records.reading import checked, parsed, read_record, read_rows
from sneaker_core.records.training_records import MetricsRow, WatchedRow
from sneaker_core.workspace.folder_exchange import present_model_folder
from sneaker_core.workspace.paths import MODEL_FILE

if TYPE_CHECKING:
    import pandas as pd

# Key metrics of a model on its test photos, as lists of runs show them.
HEADLINE = ("n", "top1", "top3", "ece")
METRICS_FILE = "metrics.jsonl"
WATCH_FILE = "watch.json"
_METRICS = (
    "epoch", "loss", "accuracy", "learning_rate", "images_per_second", "seconds", "val_loss", "val_top1", "val_top3",
    "confusions", "favourite", "watched",
)  # fmt: skip


@dataclass(frozen=True)
class WatchedPhoto:
    """A validation photo whose prediction is kept after each epoch, in the column "watched" of the metrics.

    Attributes
    ----------
    sample : str
    label : str
    thumbnail : Path
    """

    sample: str
    label: str
    thumbnail: Path


def read_headline(folder: Path) -> dict[str, float] | None:
    """The key metrics of a run's model on its test photos; None if the run has no model.

    Parameters
    ----------
    folder : Path
        The run's.

    Raises
    ------
    DamagedError
        The description of its model can't be read.
    """
    file = present_model_folder(folder) / MODEL_FILE
    try:
        status = file.stat()
    except OSError:
        return None
    return _headline(str(file), status.st_mtime_ns, status.st_size)


# Pages read all runs every two seconds; a model's description is long and rarely changes.
@lru_cache(maxsize=1000)
def _headline(file: str, changed: int, size: int) -> dict[str, float]:
    test = read_record(Path(file), ModelFile).metrics.test
    values = {key: getattr(test, key, None) for key in HEADLINE}
    return {key: value for key, value in values.items() if value is not None}


def read_metrics(folder: Path) -> "pd.DataFrame":
    """The metrics of each epoch.

    Parameters
    ----------
    folder : Path
        The run's.

    Returns
    -------
    DataFrame
        By epoch: epoch, loss, accuracy, learning_rate, images_per_second, seconds, val_loss, val_top1, val_top3,
        confusions, favourite, watched, and any other recorded values; damaged lines are skipped.
    """
    import pandas as pd

    rows = {row["epoch"]: row for row in metrics_rows(folder)}
    table = pd.DataFrame([rows[epoch] for epoch in sorted(rows)])
    missing = [column for column in _METRICS if column not in table]
    return table.reindex(columns=[*table.columns, *missing])


def metrics_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """The metrics of each epoch as they were written; damaged lines are left out."""
    file = folder / METRICS_FILE
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.split("\n"):
        with contextlib.suppress(DamagedError):
            values: dict[str, Any] = parsed(line, file)
            checked(values, MetricsRow, file)
            yield values


def read_watch(folder: Path) -> list[WatchedPhoto]:
    """The validation photos that a run watches, in the order of the column "watched" of its metrics."""
    try:
        rows = read_rows(folder / WATCH_FILE, WatchedRow)
    except DamagedError:
        return []
    return [WatchedPhoto(row.sample, row.label, folder / "watch" / Path(row.thumbnail).name) for row in rows]
