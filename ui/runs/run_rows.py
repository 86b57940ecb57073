"""Runs and built-in models as rows of one table."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sneaker_core.networks.model_registry import ModelEntry, list_models
from sneaker_core.training.recipe_fields import current_fields
from sneaker_core.training.run_collection import Run, list_runs
from sneaker_core.workspace.paths import workspace
from ui.runs import run_labels, run_metrics_cache

BUNDLED = "Built in"


@dataclass(frozen=True)
class Row:
    """A run or a built-in model.

    Attributes
    ----------
    name : str
        Unique.
    run : Run or None
    model : ModelEntry or None
        None for a run that has none yet.
    """

    name: str
    run: Run | None = None
    model: ModelEntry | None = None

    @property
    def folder(self) -> Path:
        """Its folder."""
        return self._one.folder

    @property
    def _one(self) -> Run | ModelEntry:
        one = self.run or self.model
        assert one is not None
        return one

    @property
    def state(self) -> str:
        """Its state in one word."""
        return run_labels.state_label(self.run).word if self.run else BUNDLED

    @property
    def recipe(self) -> dict[str, Any]:
        """Its settings; empty if unknown."""
        return self.run.recipe if self.run else {"network": self._spec.network, **current_fields(self._spec.recipe)}

    @property
    def figures(self) -> dict[str, Any]:
        """Test metrics of the finished model; empty if there are none."""
        return dict(self.run.headline) if self.run else dict(self._spec.metrics.get("test", {}))

    @property
    def counts(self) -> dict[str, int]:
        """Photos by split, as far as known."""
        return self.run.counts if self.run else dict(self._spec.photo_counts)

    @property
    def network(self) -> str:
        """Title of its network."""
        name = self.recipe.get("network") or (self.model.spec.network if self.model else None)
        return run_labels.network_title(str(name)) if name else run_labels.NONE

    @property
    def metrics(self) -> pd.DataFrame:
        """Metrics of each epoch."""
        return run_metrics_cache.run_metrics(self.folder)

    @property
    def _spec(self) -> Any:
        assert self.model is not None
        return self.model.spec


def all_rows() -> list[Row]:
    """Runs, newest first, then the built-in models."""
    models = list_models(workspace())
    bundled = [entry for entry in models if entry.bundled]
    taken = {entry.name for entry in bundled}
    trained = {entry.name: entry for entry in models if not entry.bundled}
    # A folder copied there by hand may have the name of a built-in model, which takes precedence.
    runs = [Row(run.name, run, trained.get(run.name)) for run in list_runs(workspace()) if run.name not in taken]
    return [*runs, *(Row(entry.name, model=entry) for entry in bundled)]


def table(rows: Iterable[Row]) -> pd.DataFrame:
    """The rows for `st.dataframe`, with numbers as numbers so that they sort."""
    return pd.DataFrame([_cells(row) for row in rows])


def _cells(row: Row) -> dict[str, Any]:
    run, figures = row.run, row.figures
    return {
        "name": row.name,
        "state": row.state,
        "top1": _percent(figures.get("top1")),
        "top3": _percent(figures.get("top3")),
        "ece": _percent(figures.get("ece")),
        "dataset": (run.dataset if run else "") or run_labels.NONE,
        "recipe": run_labels.NONE if run is None else run_labels.origin(run),
        "network": row.network,
        "train": row.counts.get("train"),
        "test": row.counts.get("test", figures.get("n")),
        "epochs": epochs(row),
        "minutes": run.seconds / 60 if run and run.seconds else None,
        "created": pd.Timestamp(run.created, unit="s", tz="UTC") if run and run.created else None,
    }


def _percent(value: Any) -> float | None:
    return 100 * value if isinstance(value, (int, float)) else None


def epochs(row: Row) -> int | None:
    """Number of epochs trained, which may be fewer than planned."""
    done = len(row.metrics)
    if done or (row.run and row.run.recipe and not row.run.is_done):
        return done
    planned = row.recipe.get("epochs")
    return planned if isinstance(planned, int) else None
