"""Hyperparameter search with Optuna: short trainings (trials) with different settings, within a time budget.

All trials use the same photos in the same split, decoded once; the trial with the highest validation accuracy is the
best. Several processes, on machines that share the workspace, can work on one study: each runs `run_search` with its
name.
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
from sneaker_core.training.head_training import CROPPED_VIEWS, embed_views, head_logits, train_head
from sneaker_core.training.prepared_photos import PreparedPhotos
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.search_space import Span, search_space, study_recipe, trial_recipe
from sneaker_core.training.study_collection import Study, read_study
from sneaker_core.training.study_setup import checked_minutes, locked_study, open_study
from sneaker_core.training.study_trials import STORED_NAME, TRIALS_FILE, storage, trial_row
from sneaker_core.training.trainer import Trainer
from sneaker_core.training.training_setup import build_pretrained, reset_head, set_up_training
from sneaker_core.training.validation import Validation
from sneaker_core.workspace.jobs import Worker

if TYPE_CHECKING:
    import optuna

# Random trials before Optuna models the results, and complete trials before it prunes others.
_RANDOM_TRIALS, _PRUNE_FROM = 6, 3
# A trial can be pruned after this share of its epochs.
_PRUNE_AFTER = 0.25
# A process gives up after this many failed trials in a row.
_MAX_FAILURES = 5
# If no trial is complete when the time is up, the current one may take the total up to this multiple of the budget.
_GRACE = 2.0

Report = Callable[[str, dict[str, Any]], None]


def run_search(
    workspace: Path,
    dataset: str | Path,
    name: str,
    recipe: Recipe | None = None,
    *,
    fixed: Iterable[str] | None = None,
    minutes: float | None = None,
    trials: int | None = None,
    networks: Iterable[str] = (),
    only: Iterable[str] = (),
    negatives: Path | None = None,
    trial_epochs: int | None = None,
    trial_size: int | None = None,
    worker: Worker | None = None,
    report: Report = lambda event, values: None,
) -> Study:
    """Work on a study, new or existing, until the time is up.

    Parameters
    ----------
    workspace : Path
    dataset : str or Path
        Name of a dataset, or a folder laid out as ``<class>/*``.
    name : str
        Name of the study. If it exists, this process joins it, and all settings left out are the study's.
    recipe : Recipe, optional
        Base recipe; the preset "finetune" for a new study.
    fixed : iterable of str, optional
        Settings that are not searched; by default all in which the recipe differs from its preset.
    minutes : float, optional
        Time budget of this process, not counting reading the photos. Then the current trial is stopped, unless none
        is complete and it will soon be.
    trials : int, optional
        This process ends after this many trials, even if there is time left.
    networks : iterable of str
        Architectures to choose from; by default the recipe's own.
    only : iterable of str
        Classes to use; empty for all.
    negatives : Path, optional
        Folder of photos that show no sneaker.
    trial_epochs, trial_size : int, optional
        Epochs and photo size of a trial; see `trial_recipe`.
    worker : Worker, optional
        Receives the progress, and says when to stop.
    report : callable
        Called with the name of an event ("prepared", "trial", "done") and its values.

    Raises
    ------
    DatasetError
        The photos cannot be used, or have changed since the study was started.
    RecipeError
        The recipe cannot be used.
    RunError
        The name cannot be used, or the study is damaged or has different settings.
    """
    if process_group.count() > 1:
        raise RecipeError("A search does not run under torchrun. Run the same command several times instead.")
    study = open_study(
        workspace, dataset, name, recipe, fixed=fixed, minutes=minutes, networks=networks, only=only,
        negatives=negatives, trial_epochs=trial_epochs, trial_size=trial_size,
    )  # fmt: skip
    budget = checked_minutes(study.minutes if minutes is None else minutes)
    with storage(study.folder / TRIALS_FILE, writable=True) as opened:
        search = _Search(str(dataset), study, workspace, worker or Worker(), report)
        search.run(_open_optuna_study(opened, study, search), 60 * budget, trials)
    found = read_study(study.folder)
    report("done", {"best": found.best})
    return found


def _open_optuna_study(opened: "optuna.storages.RDBStorage", study: Study, search: "_Search") -> "optuna.Study":
    """Optuna's study, created if there is none; its first trial is the base recipe."""
    import optuna

    with locked_study(study.folder):
        new = not optuna.get_all_study_names(opened)
        study_of_optuna = optuna.create_study(
            storage=opened,
            study_name=STORED_NAME,
            direction="maximize",
            load_if_exists=True,
            # A process that joins must not sample the same values as the first one.
            sampler=optuna.samplers.TPESampler(
                n_startup_trials=_RANDOM_TRIALS, constant_liar=True, seed=search.full.seed if new else None
            ),
            pruner=optuna.pruners.MedianPruner(_PRUNE_FROM, n_warmup_steps=search.prune_after),
        )
        if new:
            study_of_optuna.enqueue_trial(search.base_values())
    return study_of_optuna


class _Clock:
    """Time budget of a process."""

    def __init__(self, seconds: float) -> None:
        self.started = time.monotonic()
        self.seconds = seconds

    @property
    def spent(self) -> float:
        return time.monotonic() - self.started

    def allows(self, began: float, share: float, needed: bool) -> bool:
        """Whether a trial may continue.

        Parameters
        ----------
        began : float
            Seconds spent when it started.
        share : float
            Share of its work that is done, 0 to 1.
        needed : bool
            Whether no other trial is complete.
        """
        spent = self.spent
        if spent < self.seconds:
            return True
        whole = began + (spent - began) / share if share else spent
        return needed and whole <= _GRACE * self.seconds


class _Search:
    """Work of one process on a study."""

    def __init__(self, dataset: str, study: Study, workspace: Path, worker: Worker, report: Report) -> None:
        self.dataset = dataset
        self.study = study
        self.workspace = workspace
        self.worker = worker
        self.report = report
        self.full = study_recipe(study)
        self.space = search_space(self.full, study.fixed, study.networks)
        self.prune_after = max(1, round(_PRUNE_AFTER * self.trial_recipe().epochs))

    def trial_recipe(self, values: Mapping[str, Any] | None = None) -> Recipe:
        """Recipe of a trial with values of the searched settings."""
        return trial_recipe(study_recipe(self.study, values), self.study.trial_epochs, self.study.trial_size)

    def base_values(self) -> dict[str, Any]:
        """The base recipe's values of the searched settings, if they are in the search space."""
        own = {name: getattr(self.full, name) for name in self.space}
        return {name: value for name, value in own.items() if _within(value, self.space[name])}

    def run(self, found: "optuna.Study", seconds: float, trials: int | None) -> None:
        """Run trials until the time is up."""
        photos = self._prepare_photos()
        if found.user_attrs.setdefault("photos", photos.fingerprint) != photos.fingerprint:
            raise DatasetError(
                f"The photos have changed since the study {self.study.name!r} was started. Start a new study."
            )
        found.set_user_attr("photos", photos.fingerprint)
        self.report("prepared", photos.describe())
        clock, done, failures = _Clock(seconds), 0, 0
        while (not done or clock.spent < seconds) and done != trials and not self.worker.stopped():
            trial = _Trial(self, photos, clock, done)
            self._one(found, trial)
            row = trial.row()
            self.report("trial", row)
            done, failures = done + 1, failures + 1 if row["state"] == "failed" else 0
            if failures == _MAX_FAILURES:
                raise RunError(f"{failures} trials in a row failed. The last error: {row['note']}")

    def _prepare_photos(self) -> PreparedPhotos:
        """Photos at the largest size of any trial, with one split for all trials."""
        every = [self.trial_recipe({"network": network}) for network in self.study.networks]
        largest = max(every or [self.trial_recipe()], key=lambda recipe: recipe.size)
        for recipe in every:
            build_pretrained(recipe, self.workspace)  # fails now, not after hours, if weights are missing
        negatives = None if self.study.negatives is None else Path(self.study.negatives)
        return set_up_training(self.dataset, largest, self.workspace, self.study.only, negatives, self.worker.report)[1]

    def _one(self, found: "optuna.Study", trial: "_Trial") -> None:
        import optuna

        try:
            found.optimize(trial, n_trials=1, catch=(RecipeError,))
        except optuna.exceptions.UpdateFinishedTrialError:
            pass
        except ValueError as error:
            # This process was suspended so long that another one marked its trial as failed.
            if not str(error).startswith("Cannot tell a "):
                raise


def _within(value: Any, choice: Span | tuple[str, ...]) -> bool:
    return choice.low <= value <= choice.high if isinstance(choice, Span) else value in choice


class _Trial:
    """Objective function of one Optuna trial."""

    def __init__(self, search: _Search, photos: PreparedPhotos, clock: _Clock, before: int) -> None:
        self.search = search
        self.photos = photos
        self.clock = clock
        self.before = before
        self.validation = Validation(photos, search.full.seed)
        self.began, self.needed = clock.spent, False
        self.ended_by = ""
        self.trial: optuna.Trial | None = None

    def row(self) -> dict[str, Any]:
        """The trial as a row of the table of trials."""
        assert self.trial is not None
        stored = self.trial.study.get_trials(deepcopy=False)[self.trial.number]
        return {key: value for key, value in trial_row(stored).items() if value is not None}

    def __call__(self, trial: "optuna.Trial") -> float:
        """Train with the trial's values; returns the validation accuracy after the last epoch."""
        import optuna

        self.trial = trial
        self.needed = not trial.study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
        recipe = self.search.trial_recipe(_suggest_values(trial, self.search.space))
        accuracy, epoch = 0.0, 0
        try:
            # Closed at once, as a trial that ended early still holds a network.
            with closing(self._epochs(recipe)) as epochs:
                for epoch, accuracy in enumerate(epochs, 1):
                    trial.report(accuracy, epoch)
                    if epoch < recipe.epochs and trial.should_prune():
                        self.ended_by = "Pruned: behind the other trials."
                        break
        except RecipeError as error:
            trial.set_user_attr("note", str(error))
            raise
        if epoch < recipe.epochs:
            trial.set_user_attr("note", self.ended_by)
            raise optuna.TrialPruned
        return accuracy

    def _epochs(self, recipe: Recipe) -> Generator[float, None, None]:
        """Yield the validation accuracy after each epoch; ends early if there is no time for more."""
        network, _ = build_pretrained(recipe, self.search.workspace)
        reset_head(network, recipe, self.photos.training_data().outputs)
        return self._train_head(network, recipe) if recipe.trainable == "head" else self._train_layers(network, recipe)

    def _train_layers(self, network: SneakerNetwork, recipe: Recipe) -> Generator[float, None, None]:
        trainer = Trainer(network, self.photos.training_data(), recipe)
        preprocessing, work = recipe.preprocessing(recipe.size), recipe.work()

        def on_step(done: int, loss: float, speed: float) -> bool:
            epoch, step = divmod(done - 1, trainer.steps_per_epoch)
            share = sum(work[:epoch]) + work[epoch] * (step + 1) / trainer.steps_per_epoch
            return self._may_continue(f"epoch {epoch + 1} of {recipe.epochs}", share / sum(work), loss=loss)

        while trainer.epochs_done < recipe.epochs and trainer.train_epoch(on_step) is not None:
            yield self._accuracy(self.validation.logits(trainer.average, preprocessing))

    def _train_head(self, network: SneakerNetwork, recipe: Recipe) -> Generator[float, None, None]:
        data = self.photos.training_data()
        assert data.rows is not None
        val_views = self._embed(network, recipe, self.validation.rows, 0)
        train_views = self._embed(network, recipe, data.rows, CROPPED_VIEWS)
        for epoch in train_head(network, train_views, data, recipe):
            yield self._accuracy(head_logits(network, val_views)[:, : data.classes])
            share = epoch.epoch / recipe.epochs
            if share < 1 and not self._may_continue(f"epoch {epoch.epoch} of {recipe.epochs}", share, loss=epoch.loss):
                return

    def _embed(self, network: SneakerNetwork, recipe: Recipe, rows: Any, crops: int) -> Tensor:
        import optuna

        def on_progress(done: int, total: int, _step: str) -> None:
            if not self._may_continue("embedding photos", 0.5 * done / total):
                assert self.trial is not None
                self.trial.set_user_attr("note", self.ended_by)
                raise optuna.TrialPruned

        return embed_views(network, self.photos, rows, crops, recipe, self.search.workspace, on_progress)

    def _accuracy(self, logits: Any) -> float:
        return float(self.validation.metrics(logits)["val_top1"])

    def _may_continue(self, step: str, share: float, **details: Any) -> bool:
        """Report how much of the time is spent; returns whether the trial may continue."""
        assert self.trial is not None
        total = max(1, round(self.clock.seconds))
        done = min(int(self.clock.spent), total - 1)
        details = {"trial": self.trial.number, "trials_done": self.before, **details}
        self.search.worker.report(done, total, f"Trial {self.trial.number + 1}, {step}", **details)
        if self.search.worker.stopped():
            self.ended_by = "Stopped."
        elif not self.clock.allows(self.began, share, self.needed):
            self.ended_by = "Out of time."
        return not self.ended_by


def _suggest_values(trial: "optuna.Trial", space: dict[str, Span | tuple[str, ...]]) -> dict[str, Any]:
    return {
        name: trial.suggest_float(name, choice.low, choice.high, log=choice.log)
        if isinstance(choice, Span)
        else trial.suggest_categorical(name, choice)
        for name, choice in space.items()
    }
