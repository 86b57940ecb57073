"""What a run gained over the run before it, on test photos that neither of the two has used."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sneaker_core.datasets.index import Dataset
from sneaker_core.errors import RunError
from sneaker_core.evaluation.comparison import Comparison, compare, same_classes
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.evaluation_record import Evaluation, read_run_evaluation
from sneaker_core.evaluation.metric_text import NEW_TO_BOTH, OTHER_CLASSES, gain_text
from sneaker_core.evaluation.photo_uses import model_and_ancestors, photo_uses
from sneaker_core.training.run_collection import Run, list_runs, read_run
from sneaker_core.workspace.paths import run_model_folder, runs_folder
from sneaker_core.workspace.references import name_in


@dataclass(frozen=True)
class Gain:
    """Two runs on the same untouched photos.

    Attributes
    ----------
    before, after : str
        Names of the runs.
    comparison : Comparison
        The second against the first.
    has_same_classes : bool
        Whether both know the same classes.
    """

    before: str
    after: str
    comparison: Comparison
    has_same_classes: bool

    def text(self) -> str:
        """The gain in a sentence, which photos it counts, and whether the models are alike."""
        alike = [] if self.has_same_classes else [OTHER_CLASSES]
        return " ".join([gain_text(self.comparison), NEW_TO_BOTH, *alike])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        same = self.has_same_classes
        return {"before": self.before, "after": self.after, "same_classes": same, **self.comparison.to_dict()}


def trained_on(run: Run, dataset: Dataset) -> bool:
    """Whether a run was trained on a dataset of the workspace."""
    named = name_in(run.source)
    return run.source == dataset.folder.name if named is None else named == dataset.name


def run_of(workspace: Path, evaluation: Evaluation) -> Run | None:
    """The run whose model was evaluated; None if it is no run's, or is gone."""
    folder = None if evaluation.model_folder is None else evaluation.model_folder.parent
    if folder is None or folder.parent.absolute() != runs_folder(workspace).absolute():
        return None
    try:
        return read_run(folder)
    except RunError:
        return None


def run_before(workspace: Path, run: Run) -> Run | None:
    """The run that a run continues or repeats: an earlier one on the same photos, with a model; None without one.

    The one that it started from goes first, then one with the same settings, then the newest.
    """
    earlier = [
        one
        for one in list_runs(workspace)
        if one.has_model and one.was_trained and one.created < run.created and one.source == run.source
    ]
    start = run.recipe.get("init")
    if not run.source or not run.was_trained or not earlier:
        return None
    return max(earlier, key=lambda one: (one.name == start, one.recipe == run.recipe, one.created))


def gain_of(workspace: Path, run: Run, before: Run | None = None) -> Gain:
    """What a run gained over another one.

    Parameters
    ----------
    workspace : Path
    run : Run
    before : Run, optional
        By default the one that `run_before` finds.

    Raises
    ------
    RunError
        There is no run before it, or one of them has no test photos or no model.
    DatasetError
        They share no test photo that neither of them has used.
    SneakerError
        A table is damaged.
    """
    before = before or run_before(workspace, run)
    if before is None:
        raise RunError(f"There is no earlier run on the photos of {run.name!r}. Name the run to compare it with.")
    used = [folder for one in (before, run) for folder in model_and_ancestors(workspace, run_model_folder(one.folder))]
    tables = [_untouched(_table(one), used) for one in (before, run)]
    return Gain(before.name, run.name, compare(*tables), same_classes(*tables))


def _table(run: Run) -> pd.DataFrame:
    found = read_run_evaluation(run.folder)
    if found is None:
        raise RunError(f"The run {run.name!r} has no model that was tested, so there is nothing to compare.")
    return read_table(found[0])


def _untouched(table: pd.DataFrame, models: list[Path]) -> pd.DataFrame:
    """The photos of a table that none of these models was trained on or tuned with."""
    return table[photo_uses(table["sample"], *models) == ""]
