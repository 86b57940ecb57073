"""The search for the best recipe: short trainings within a time budget, each with other values, by Optuna.

Every trial learns from the same photos in the same split, decoded once; the one that answers most validation photos
right is the best. Several processes, on machines that share the workspace, may search together: each runs `tune`
with the name of the study.
"""

import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from sneaker_core import process_group
from sneaker_core.errors import DatasetError, RecipeError, RunError
from sneaker_core.networks.architectures import SneakerNetwork
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.training.head_training import CROPPED_VIEWS, embed_views, head_logits, train_head
from sneaker_core.training.prepared_photos import PreparedPhotos
from sneaker_core.training.recipe import Recipe, make_recipe
from sneaker_core.training.search_space import Span, search_space, short
from sneaker_core.training.study_collection import (
    STORED_NAME,
    TRIALS_FILE,
    Study,
    read_study,
    storage,
    trial_row,
)
from sneaker_core.training.study_setup import checked_minutes, locked_study, open_study
from sneaker_core.training.trainer import Trainer
from sneaker_core.training.training_setup import build_pretrained, reset_head, set_up_training
from sneaker_core.training.validation import Validation
from sneaker_core.workspace.jobs import Worker

if TYPE_CHECKING:
    import optuna

# Trials before the search learns from them, and complete ones before it gives up those that lag behind.
_RANDOM_TRIALS, _JUDGED_FROM = 6, 3
# A trial is judged after this share of its epochs.
_JUDGED_AFTER = 0.25
# A process that sees so many trials fail in a row gives up.
_MOST_FAILURES = 5
# Where no trial is complete when the time is up, the present one may take so many times the budget in all.
_GRACE = 2.0

Report = Callable[[str, dict[str, Any]], None]


def tune(
    dataset: str | Path,
    workspace: Path,
    name: str,
    recipe_name: str | None = None,
    changes: Mapping[str, Any] | None = None,
    *,
    minutes: float | None = None,
    trials: int | None = None,
    networks: Iterable[str] = (),
    only: Iterable[str] = (),
    others: Path | None = None,
    trial_epochs: int | None = None,
    trial_size: int | None = None,
    worker: Worker | None = None,
    report: Report = lambda event, values: None,
) -> Study:
    """Search for the best recipe, or join a search; returns when the time is up.

    Parameters
    ----------
    dataset : str or Path
        The name of a dataset, or a folder laid out as ``<class>/*``.
    workspace : Path
    name : str
        Of the study. Where there is one already, this process joins it: what is left out is as it was begun with.
    recipe_name : str, optional
        The recipe to begin with; "finetune" for a new study.
    changes : mapping, optional
        Settings of that recipe that are to be others; these are not searched.
    minutes : float, optional
        This process searches so long, once the photos are read; a trial under way is then stopped, unless none is
        complete and this one soon will be.
    trials : int, optional
        This process ends after so many, even earlier.
    networks : iterable of str
        To choose from; the recipe's own when empty.
    only : iterable of str
        Classes to use; all when empty.
    others : Path, optional
        A folder with photos of anything but sneakers.
    trial_epochs, trial_size : int, optional
        Of a trial; see `short`.
    worker : Worker, optional
        Hears how far it is, and tells when to stop.
    report : callable
        Called with the name of an event ("prepared", "trial", "done") and its values.

    Raises
    ------
    DatasetError
        The photos cannot be used, or are no longer those that the study began with.
    RecipeError
        The recipe cannot be used.
    RunError
        The study's name cannot be used, it is damaged, or searches something else.
    """
    if process_group.count() > 1:
        raise RecipeError("A study is not shared by torchrun; start the same command several times instead.")
    study = open_study(
        workspace, dataset, name, recipe_name, changes,
        minutes=minutes, networks=networks, only=only, others=others, trial_epochs=trial_epochs, trial_size=trial_size,
    )  # fmt: skip
    budget = checked_minutes(study.minutes if minutes is None else minutes)
    with storage(study.folder / TRIALS_FILE, writable=True) as opened:
        search = _Search(str(dataset), study, workspace, worker or Worker(), report)
        search.run(_joined(opened, study, search), 60 * budget, trials)
    found = read_study(study.folder)
    report("done", {"best": found.best})
    return found


def _joined(opened: "optuna.storages.RDBStorage", study: Study, search: "_Search") -> "optuna.Study":
    """Optuna's study, made where there is none; the recipe itself is the first that it tries."""
    import optuna

    with locked_study(study.folder):
        new = not optuna.get_all_study_names(opened)
        made = optuna.create_study(
            storage=opened,
            study_name=STORED_NAME,
            direction="maximize",
            load_if_exists=True,
            # Who joins must not draw what the first one draws.
            sampler=optuna.samplers.TPESampler(
                n_startup_trials=_RANDOM_TRIALS, constant_liar=True, seed=search.full.seed if new else None
            ),
            pruner=optuna.pruners.MedianPruner(_JUDGED_FROM, n_warmup_steps=search.judged_after),
        )
        if new:
            made.enqueue_trial(search.usual())
    return made


class _Clock:
    """The time that a process has for its trials."""

    def __init__(self, seconds: float) -> None:
        self.started = time.monotonic()
        self.seconds = seconds

    @property
    def spent(self) -> float:
        return time.monotonic() - self.started

    def allows(self, began: float, share: float, needed: bool) -> bool:
        """Whether a trial may go on.

        Parameters
        ----------
        began : float
            What was spent when it began.
        share : float
            Of its work that is done, 0 to 1.
        needed : bool
            Whether no other trial is complete.
        """
        spent = self.spent
        if spent < self.seconds:
            return True
        whole = began + (spent - began) / share if share else spent
        return needed and whole <= _GRACE * self.seconds


class _Search:
    """The work of one process on a study."""

    def __init__(self, dataset: str, study: Study, workspace: Path, worker: Worker, report: Report) -> None:
        self.dataset = dataset
        self.study = study
        self.workspace = workspace
        self.worker = worker
        self.report = report
        self.full = self.recipe({})
        self.space = search_space(self.full, study.changes, study.networks)
        self.judged_after = max(1, round(_JUDGED_AFTER * self.shortened(self.full).epochs))

    def recipe(self, values: Mapping[str, Any]) -> Recipe:
        """Of a full run."""
        network = {"network": self.study.networks[0]} if self.study.networks else {}
        return make_recipe(self.study.recipe_name, {**network, **self.study.changes, **values})

    def shortened(self, full: Recipe) -> Recipe:
        """Of a trial."""
        return short(full, self.study.trial_epochs, self.study.trial_size)

    def usual(self) -> dict[str, Any]:
        """The recipe's own values of what is searched, as far as the search may try them."""
        own = {name: getattr(self.full, name) for name in self.space}
        return {name: value for name, value in own.items() if _within(value, self.space[name])}

    def run(self, found: "optuna.Study", seconds: float, trials: int | None) -> None:
        """Trial after trial, until the time is up."""
        materials = self._materials()
        if found.user_attrs.setdefault("photos", materials.fingerprint) != materials.fingerprint:
            raise DatasetError(
                f"The photos have changed since the study {self.study.name!r} was begun; begin a new study."
            )
        found.set_user_attr("photos", materials.fingerprint)
        self.report("prepared", materials.describe())
        clock, done, failures = _Clock(seconds), 0, 0
        while (not done or clock.spent < seconds) and done != trials and not self.worker.stopped():
            trial = _Trial(self, materials, clock, done)
            self._one(found, trial)
            row = trial.row()
            self.report("trial", row)
            done, failures = done + 1, failures + 1 if row["state"] == "failed" else 0
            if failures == _MOST_FAILURES:
                raise RunError(f"{failures} trials in a row have failed, the last one so: {row['note']}")

    def _materials(self) -> PreparedPhotos:
        """Stored at the largest size that a trial asks for, and split in one way for all."""
        every = [self.shortened(self.recipe({"network": network})) for network in self.study.networks]
        largest = max(every or [self.shortened(self.full)], key=lambda made: made.size)
        for made in every:
            build_pretrained(made, self.workspace)  # weights that are missing are told before hours are spent
        others = None if self.study.others is None else Path(self.study.others)
        return set_up_training(self.dataset, largest, self.workspace, self.study.only, others, self.worker.report)[1]

    def _one(self, found: "optuna.Study", trial: "_Trial") -> None:
        import optuna

        try:
            found.optimize(trial, n_trials=1, catch=(RecipeError,))
        except optuna.exceptions.UpdateFinishedTrialError:
            pass
        except ValueError as error:
            # This process slept for so long that another one took it for dead and settled its trial.
            if not str(error).startswith("Cannot tell a "):
                raise


def _within(value: Any, choice: Span | tuple[str, ...]) -> bool:
    return choice.low <= value <= choice.high if isinstance(choice, Span) else value in choice


class _Trial:
    """One trial: what Optuna calls to have its value."""

    def __init__(self, search: _Search, materials: PreparedPhotos, clock: _Clock, before: int) -> None:
        self.search = search
        self.materials = materials
        self.clock = clock
        self.before = before
        self.validation = Validation(materials, search.full.seed)
        self.began, self.needed = clock.spent, False
        self.ended_by = ""
        self.trial: optuna.Trial | None = None

    def row(self) -> dict[str, Any]:
        """As the storage has it."""
        assert self.trial is not None
        stored = self.trial.study.get_trials(deepcopy=False)[self.trial.number]
        return {key: value for key, value in trial_row(stored).items() if value is not None}

    def __call__(self, trial: "optuna.Trial") -> float:
        """The share of validation photos answered right after the last epoch."""
        import optuna

        self.trial = trial
        self.needed = not trial.study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
        made = self.search.shortened(self.search.recipe(_suggested(trial, self.search.space)))
        right, epoch = 0.0, 0
        try:
            # Closed at once, not when it is collected: a cut-off trial holds a network.
            with closing(self._epochs(made)) as epochs:
                for epoch, right in enumerate(epochs, 1):
                    trial.report(right, epoch)
                    if epoch < made.epochs and trial.should_prune():
                        self.ended_by = "It lagged behind the others."
                        break
        except RecipeError as error:
            trial.set_user_attr("note", str(error))
            raise
        if epoch < made.epochs:
            trial.set_user_attr("note", self.ended_by)
            raise optuna.TrialPruned
        return right

    def _epochs(self, made: Recipe) -> Generator[float, None, None]:
        """The share answered right after each epoch; ends early where there is no time for more."""
        network, _ = build_pretrained(made, self.search.workspace)
        reset_head(network, made, self.materials.training_data().outputs)
        return self._of_head(network, made) if made.trainable == "head" else self._of_all(network, made)

    def _of_all(self, network: SneakerNetwork, made: Recipe) -> Generator[float, None, None]:
        trainer = Trainer(network, self.materials.training_data(), made)
        preprocessing, work = Preprocessing(made.size, made.size), made.work()

        def on_step(done: int, loss: float, speed: float) -> bool:
            epoch, step = divmod(done - 1, trainer.steps_per_epoch)
            share = sum(work[:epoch]) + work[epoch] * (step + 1) / trainer.steps_per_epoch
            return self._goes_on(f"epoch {epoch + 1} of {made.epochs}", share / sum(work), loss=loss)

        while trainer.epochs_done < made.epochs and trainer.train_epoch(on_step) is not None:
            yield self._right(self.validation.logits(trainer.average, preprocessing))

    def _of_head(self, network: SneakerNetwork, made: Recipe) -> Generator[float, None, None]:
        data = self.materials.training_data()
        assert data.rows is not None
        looked_at = self._embedded(network, made, self.validation.rows, 0)
        learned_from = self._embedded(network, made, data.rows, CROPPED_VIEWS)
        for epoch in train_head(network, learned_from, data, made):
            yield self._right(head_logits(network, looked_at)[:, : data.classes])
            share = epoch.epoch / made.epochs
            if share < 1 and not self._goes_on(f"epoch {epoch.epoch} of {made.epochs}", share, loss=epoch.loss):
                return

    def _embedded(self, network: SneakerNetwork, made: Recipe, rows: Any, crops: int) -> Tensor:
        import optuna

        def told(done: int, total: int, _step: str) -> None:
            if not self._goes_on("embedding photos", 0.5 * done / total):
                assert self.trial is not None
                self.trial.set_user_attr("note", self.ended_by)
                raise optuna.TrialPruned

        return embed_views(network, self.materials, rows, crops, made, self.search.workspace, told)

    def _right(self, logits: Any) -> float:
        return float(self.validation.metrics(logits)["val_top1"])

    def _goes_on(self, step: str, share: float, **details: Any) -> bool:
        """Tells how much of the time is spent, and whether there is more for this trial."""
        assert self.trial is not None
        total = max(1, round(self.clock.seconds))
        done = min(int(self.clock.spent), total - 1)
        told = {"trial": self.trial.number, "trials_done": self.before, **details}
        self.search.worker.report(done, total, f"Trial {self.trial.number + 1}, {step}", **told)
        if self.search.worker.stopped():
            self.ended_by = "It was stopped."
        elif not self.clock.allows(self.began, share, self.needed):
            self.ended_by = "The time was up."
        return not self.ended_by


def _suggested(trial: "optuna.Trial", space: dict[str, Span | tuple[str, ...]]) -> dict[str, Any]:
    return {
        name: trial.suggest_float(name, choice.low, choice.high, log=choice.log)
        if isinstance(choice, Span)
        else trial.suggest_categorical(name, choice)
        for name, choice in space.items()
    }
