"""Record of a run while it trains: ``run.json`` and ``metrics.jsonl``."""

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sneaker_core import process_group
from sneaker_core.errors import DamagedError, RecipeError, SneakerError
from sneaker_core.records.reading import checked, read_values
from sneaker_core.records.training_records import RunFile
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.run_metrics import METRICS_FILE, metrics_rows
from sneaker_core.training.training_state import remove_state
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.paths import RUN_FILE

FORMAT = 2


class RunRecord:
    """The contents of ``run.json``; only the first process writes it.

    Parameters
    ----------
    folder : Path
        The run's folder.
    resume : bool
        Whether the run is resumed.

    Raises
    ------
    RecipeError
        The run exists already, or there is no run to resume, or it is done.
    """

    def __init__(self, folder: Path, resume: bool) -> None:
        self.folder = folder
        self.file = folder / RUN_FILE
        self.values: dict[str, Any] = {}
        self._last_written = time.time()
        self.values, problem = process_group.broadcast(
            self._open(folder, resume) if process_group.is_first() else ({}, "")
        )
        if problem:
            raise RecipeError(problem)

    def _open(self, folder: Path, resume: bool) -> tuple[dict[str, Any], str]:
        """The values to resume from, and why the run cannot be trained."""
        try:
            values = read_values(self.file)
            record = checked(values, RunFile, self.file)
            recipe_of(values)
            state, has_photos = record.state, record.photos is not None
        except (DamagedError, KeyError, RecipeError):
            values, state, has_photos = {}, None, self.file.exists()
        if not resume:
            # A run that never read its photos has nothing to lose.
            is_free = not has_photos and state != "running"
            taken = f"There is already a run in {folder}. Resume it with --resume, or choose another name."
            return {}, "" if is_free else taken
        if not values:
            return {}, f"There is no run to resume in {folder}."
        if state != "done":
            return values, ""
        remove_state(folder)  # in case the process was killed just before it did so
        return values, f"The run in {folder} is already done; its model is ready to use."

    def write(self, **changes: Any) -> None:
        """Update values and the training time, and write them."""
        now = time.time()
        self.values["seconds"] = self.values.get("seconds", 0.0) + now - self._last_written
        self._last_written = now
        self.values.update(changes)
        if process_group.is_first():
            write_atomically(self.file, json.dumps(self.values, indent=1, ensure_ascii=False).encode())

    def write_metrics(self, rows: list[dict[str, Any]]) -> None:
        """Write the metrics of all epochs; if the disk is full, the next epoch tries again."""
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        with contextlib.suppress(OSError):
            write_atomically(self.folder / METRICS_FILE, lines.encode())
            self.write()

    def read_metrics(self, epoch: int) -> list[dict[str, Any]]:
        """Metrics of the epochs up to this one; later epochs will be trained again."""
        return [row for row in metrics_rows(self.folder) if row["epoch"] <= epoch]

    @contextlib.contextmanager
    def tracked(self) -> Iterator[None]:
        """Record that the run is running, and how the body ended if it raises."""
        self.write(state="running", error=None)
        try:
            yield
        except BaseException as error:
            outcome = {"state": "failed", "error": f"Internal error: {type(error).__name__}. See the log for details."}
            if isinstance(error, SneakerError):
                outcome["error"] = str(error)
            elif not isinstance(error, Exception):  # Ctrl-C
                outcome = {"state": "stopped"}
            with contextlib.suppress(OSError):  # the original error matters more
                self.write(**outcome)
            raise


def recipe_of(values: Mapping[str, Any]) -> Recipe:
    """The recipe in a run's record; old records keep the preset's name next to it.

    Raises
    ------
    KeyError, RecipeError
        There is none, or it is damaged.
    """
    return Recipe.from_dict({"name": values.get("recipe_name") or "", **values["recipe"]})
