"""The metrics of a run: of its model, of each epoch, and of the validation photos it watches."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sneaker_core.workspace.atomic_files import read_json
from sneaker_core.workspace.paths import MODEL_FILE, run_model_folder

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
    """The key metrics of a run's model on its test photos; None if the run has no valid model.

    Parameters
    ----------
    folder : Path
        The run's.
    """
    file = run_model_folder(folder) / MODEL_FILE
    try:
        status = file.stat()
    except OSError:
        return None
    return _headline(str(file), status.st_mtime_ns, status.st_size)


# Pages read all runs every two seconds; a model's description is long and rarely changes.
@lru_cache(maxsize=1000)
def _headline(file: str, changed: int, size: int) -> dict[str, float] | None:
    values = read_json(Path(file))
    if values is None:
        return None
    metrics = values.get("metrics")
    test = metrics.get("test") if isinstance(metrics, dict) else None
    return {key: test[key] for key in HEADLINE if isinstance(test, dict) and isinstance(test.get(key), (int, float))}


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

    rows = {row["epoch"]: row for row in _lines(folder / METRICS_FILE) if isinstance(row.get("epoch"), int)}
    table = pd.DataFrame([rows[epoch] for epoch in sorted(rows)])
    missing = [column for column in _METRICS if column not in table]
    return table.reindex(columns=[*table.columns, *missing])


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            values = json.loads(line)
            if isinstance(values, dict):
                yield values


def read_watch(folder: Path) -> list[WatchedPhoto]:
    """The validation photos that a run watches, in the order of the column "watched" of its metrics."""
    try:
        rows = json.loads((folder / WATCH_FILE).read_text(encoding="utf-8"))
        return [
            WatchedPhoto(str(row["sample"]), str(row["label"]), folder / "watch" / Path(row["thumbnail"]).name)
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []
