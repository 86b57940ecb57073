"""Which step comes next on the way from photos to a better model: a function of how far a dataset and its runs are."""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.quality.findings import read_findings
from sneaker_core.datasets.review_log import last_change
from sneaker_core.training.run_collection import Run, list_runs
from sneaker_core.training.run_gains import run_before, trained_on

_FEWEST_CLASSES = 2


class Step(StrEnum):
    """A step, in the order of the way."""

    ADD = "add"
    CHECK = "check"
    REVIEW = "review"
    SPLIT = "split"
    TRAIN = "train"
    WATCH = "watch"
    GAIN = "gain"
    MISTAKES = "mistakes"
    RETRAIN = "retrain"


@dataclass(frozen=True)
class PathState:
    """How far a dataset and its newest run are.

    Attributes
    ----------
    photos, classes : int
        Those that are not excluded.
    is_checked : bool
    to_review : int
        Photos with open findings.
    has_split : bool
        Whether a split is stored.
    is_training : bool
        Whether the run is training or waits for its turn.
    has_model : bool
        Whether the run has a model.
    has_before : bool
        Whether an earlier run on the same photos has one.
    is_changed : bool
        Whether photos were added or decided on since the run began.
    run, before : str or None
        Names of the run and of the one before it.
    """

    photos: int = 0
    classes: int = 0
    is_checked: bool = False
    to_review: int = 0
    has_split: bool = False
    is_training: bool = False
    has_model: bool = False
    has_before: bool = False
    is_changed: bool = False
    run: str | None = None
    before: str | None = None


def next_steps(state: PathState) -> tuple[Step, ...]:
    """What is left to do, in the order of the way; at least one step.

    Parameters
    ----------
    state : PathState
    """
    if not state.photos:
        return (Step.ADD,)
    steps = [] if state.is_checked else [Step.CHECK]
    steps += [Step.REVIEW] if state.to_review else []
    if state.classes < _FEWEST_CLASSES:
        return (Step.ADD, *steps)
    begun = state.is_training or state.has_model
    # Each training makes its own split if none is stored, so after the first one it is no step anymore.
    steps += [] if begun or state.has_split else [Step.SPLIT]
    if state.is_training:
        return (*steps, Step.WATCH)
    if not state.has_model:
        return (*steps, Step.TRAIN)
    if state.is_changed:
        return (*steps, Step.RETRAIN)
    return (*steps, *([Step.GAIN] if state.has_before else []), Step.MISTAKES)


def steps_from(steps: tuple[Step, ...], here: Step | None) -> tuple[tuple[Step, ...], bool]:
    """The steps that lie ahead of a place on the way, and whether the step of that place is still to be done.

    Parameters
    ----------
    steps : tuple of Step
        From `next_steps`.
    here : Step or None
        The step that is done where the user is; None beside the way, from where every step lies ahead.
    """
    order = list(Step)
    ahead = tuple(step for step in steps if here is None or order.index(step) > order.index(here))
    return ahead, here in steps


def dataset_state(workspace: Path, dataset: Dataset) -> PathState:
    """How far a dataset is, with its newest run that trains or has a model.

    Raises
    ------
    DatasetError
        The dataset can't be read.
    """
    mine = [run for run in list_runs(workspace) if trained_on(run, dataset)]
    return _with_photos(_run_state(workspace, next(filter(_counts, mine), None), dataset), dataset)


def run_state(workspace: Path, run: Run, dataset: Dataset | None) -> PathState:
    """How far a run and its dataset are; without a dataset, only what concerns the run.

    Raises
    ------
    DatasetError
        The dataset can't be read.
    """
    state = _run_state(workspace, run if _counts(run) else None, dataset)
    # Nothing can be done about photos that are in no dataset, but the run can be looked at.
    return replace(state, photos=1, classes=2, is_checked=True) if dataset is None else _with_photos(state, dataset)


def _counts(run: Run) -> bool:
    # Nothing was trained here for a model that was taught by example, corrected or installed.
    return run.was_trained and (run.has_model or not run.state.ended)


def _run_state(workspace: Path, run: Run | None, dataset: Dataset | None) -> PathState:
    if run is None:
        return PathState()
    before = run_before(workspace, run)
    return PathState(
        is_training=not run.state.ended,
        has_model=run.has_model,
        has_before=before is not None,
        is_changed=dataset is not None and last_change(dataset) > run.created,
        run=run.name,
        before=None if before is None else before.name,
    )


def _with_photos(state: PathState, dataset: Dataset) -> PathState:
    kept = read_samples(dataset)
    kept = kept[~kept["excluded"]]
    findings = read_findings(dataset)
    return replace(
        state,
        photos=len(kept),
        classes=kept["label"].nunique(),
        is_checked=dataset.fact("scan") is not None,
        to_review=findings["sample"].nunique(),
        has_split=bool(dataset.fact("split")),
    )
