"""The search for the best recipe: short trainings within a time budget, each with other values, by Optuna.

Every trial learns from the same photos in the same split, decoded once; the one that answers most validation photos
right is the best. Several processes, on machines that share the workspace, may search together: each runs `tune`
with the name of the study.
"""

import json
import math
import time
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from sneaker_core import process_group
from sneaker_core.errors import BusyError, DatasetError, RecipeError, RunError
from sneaker_core.networks.architectures import ARCHITECTURES, SneakerNetwork
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.training.head_training import CROPPED_VIEWS, embedded_views, head_logits, train_head
from sneaker_core.training.network_setup import begin, fresh_head, starting_network
from sneaker_core.training.prepared_data import Materials
from sneaker_core.training.recipe import AUGMENTATIONS, RANGES, Recipe, make_recipe
from sneaker_core.training.study_collection import (
    STORED_NAME,
    STUDY_FILE,
    TRIALS_FILE,
    Study,
    read_study,
    storage,
    study_folder,
    trial_row,
)
from sneaker_core.training.trainer import Trainer
from sneaker_core.training.training_jobs import source_of
from sneaker_core.training.validation import Validation
from sneaker_core.workspace.jobs import Worker, start_job_in
from sneaker_core.workspace.locks import take_lock
from sneaker_core.workspace.paths import queue_folder, run_job_folder, write_atomically

if TYPE_CHECKING:
    import optuna

FORMAT = 1
MINUTES = 30.0
DEFAULT_RECIPE = "finetune"
# A trial is shorter and sees smaller photos than the full run: a third of the epochs, four fifths of the pixels a
# side. One that trains the head alone takes seconds, and is as the full run.
_EPOCHS_SHARE, _SIZE_SHARE, _SIZE_STEP = 1 / 3, 0.8, 32
# Trials before the search learns from them, and complete ones before it gives up those that lag behind.
_RANDOM_TRIALS, _JUDGED_FROM = 6, 3
# A trial is judged after this share of its epochs.
_JUDGED_AFTER = 0.25
# A process that sees so many trials fail in a row gives up.
_MOST_FAILURES = 5
# Where no trial is complete when the time is up, the present one may take so many times the budget in all.
_GRACE = 2.0
_LOCK_PATIENCE = 60.0

Report = Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True)
class Span:
    """Numbers to search between.

    Attributes
    ----------
    low, high : float
    log : bool
        Whether their sizes count rather than their differences.
    """

    low: float
    high: float
    log: bool = True


def search_space(
    full: Recipe, fixed: Collection[str], networks: tuple[str, ...] = ()
) -> dict[str, Span | tuple[str, ...]]:
    """What a study tries.

    Parameters
    ----------
    full : Recipe
        The full run that it begins with.
    fixed : collection of str
        Settings that were chosen already.
    networks : tuple of str
        To choose from.

    Returns
    -------
    dict
        Setting -> numbers to search between, or words to choose from.
    """
    lowest, highest = RANGES["learning_rate"]
    rate, head = full.learning_rate, full.trainable == "head"
    space: dict[str, Span | tuple[str, ...]] = {
        "learning_rate": Span(max(rate / 10, lowest), min(rate * 5, highest)),
        "weight_decay": Span(1e-3, 0.3),
        "label_smoothing": Span(0.0, 0.2, log=False),
    }
    if not {"augmentation", *AUGMENTATIONS["none"]} & set(fixed):
        # The head learns from embeddings, which know crops and mirror images only.
        space["augmentation"] = tuple(word for word in AUGMENTATIONS if not (head and word == "strong"))
    if not head and full.init != "none":
        space["trainable"] = ("last_stage", "all")
        space["backbone_rate"] = Span(0.05, 1.0)
    if len(networks) > 1:
        space["network"] = networks
    return {name: choice for name, choice in space.items() if name not in fixed}


def short(full: Recipe, epochs: int | None = None, size: int | None = None) -> Recipe:
    """The recipe of a trial for that of a full run.

    Parameters
    ----------
    full : Recipe
    epochs, size : int, optional
        Of the trial; what is usual when left out. A network that sees one size only keeps it.
    """
    network, head = ARCHITECTURES[full.network], full.trainable == "head"
    if epochs is None:
        epochs = full.epochs if head else math.ceil(_EPOCHS_SHARE * full.epochs)
    if size is None:
        smaller = max(_SIZE_STEP, _SIZE_STEP * round(_SIZE_SHARE * full.size / _SIZE_STEP))
        size = full.size if head else min(full.size, smaller)
    size = network.size if network.fixed_size else max(network.smallest, size)
    return replace(
        full,
        epochs=epochs,
        head_epochs=max(0, min(full.head_epochs, epochs - 1)),
        size=size,
        small_size=size,
        small_share=0.0,
        patience=0,
    )


def start_study(
    dataset: str | Path, workspace: Path, name: str, recipe_name: str | None = None, **choices: Any
) -> Path:
    """Start a search in the background, or go on with one; it waits for what was started before.

    Parameters
    ----------
    dataset, workspace, name, recipe_name, **choices
        As for `tune`, without worker and report.

    Returns
    -------
    Path
        The study's folder.

    Raises
    ------
    DatasetError, RecipeError, RunError
        As for `tune`.
    BusyError
        It is at work already.
    """
    trials, minutes = choices.pop("trials", None), choices.get("minutes")
    study = _opened(dataset, workspace, name, recipe_name, **choices)
    arguments = [
        *("--workspace", str(workspace.absolute()), "tune", "--study", name, "--queue"),
        *([] if trials is None else ["--trials", str(trials)]),
        *([] if minutes is None else ["--minutes", str(minutes)]),
        *("--", study.source),  # last, as a dataset's name may begin with a dash
    ]
    start_job_in(run_job_folder(study.folder), f"Searching {name}", arguments, queue_folder(workspace))
    return study.folder


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
    study = _opened(
        dataset, workspace, name, recipe_name, changes,
        minutes=minutes, networks=networks, only=only, others=others, trial_epochs=trial_epochs, trial_size=trial_size,
    )  # fmt: skip
    budget = _minutes(study.minutes if minutes is None else minutes)
    with storage(study.folder / TRIALS_FILE, writable=True) as opened:
        search = _Search(str(dataset), study, workspace, worker or Worker(), report)
        search.run(_joined(opened, study, search), 60 * budget, trials)
    found = read_study(study.folder)
    report("done", {"best": found.best})
    return found


def _minutes(minutes: float) -> float:
    if not 0 < minutes < math.inf:
        raise RecipeError(f"minutes is {minutes:g}; it must be above 0.")
    return minutes


def _opened(
    dataset: str | Path,
    workspace: Path,
    name: str,
    recipe_name: str | None = None,
    changes: Mapping[str, Any] | None = None,
    *,
    minutes: float | None = None,
    networks: Iterable[str] = (),
    only: Iterable[str] = (),
    others: Path | None = None,
    trial_epochs: int | None = None,
    trial_size: int | None = None,
) -> Study:
    """The study of that name, made where there is none; its settings are sound."""
    folder = study_folder(workspace, name)
    source, shown = source_of(str(dataset), workspace)
    given = {
        "recipe_name": recipe_name,
        "changes": {key: value for key, value in (changes or {}).items() if value is not None},
        "networks": list(dict.fromkeys(networks)),
        "only": sorted(set(only)),
        "others": None if others is None else str(others.absolute()),
        "trial_epochs": trial_epochs,
        "trial_size": trial_size,
    }
    with _locked(folder):
        if not (folder / STUDY_FILE).exists():
            begun = {"format": FORMAT, "dataset": shown, "source": source, **given, "created": time.time()}
            begun |= {"recipe_name": recipe_name or DEFAULT_RECIPE, "minutes": _minutes(minutes or MINUTES)}
            _check(begun)
            with storage(folder / TRIALS_FILE, writable=True):
                pass  # its tables are made here, where nobody else makes them too
            write_atomically(folder / STUDY_FILE, json.dumps(begun, indent=1, ensure_ascii=False).encode())
        study = read_study(folder)
    if study.error and not study.source:
        raise RunError(f"{study.error} Delete the study or choose another name.")
    _compare(study, shown, given)
    return study


def _locked(folder: Path) -> Any:
    """Nobody else makes the study's files meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = take_lock(folder / "lock", _LOCK_PATIENCE)
    if lock is None:
        raise BusyError(f"Another process holds {folder} for too long; try again shortly.")
    return lock


def _check(begun: dict[str, Any]) -> None:
    """Every recipe that may come of it can be made; also gives the settings their types."""
    changes, networks = begun["changes"], begun["networks"]
    if networks and "network" in changes:
        raise RecipeError("Give the network as a setting or as networks to choose from, not both.")
    if len(networks) == 1:
        changes["network"] = networks[0]
        begun["networks"] = []
    for network in networks or [None]:
        full = make_recipe(begun["recipe_name"], {**changes, "network": network or changes.get("network")})
        short(full, begun["trial_epochs"], begun["trial_size"])
        begun["changes"] = _typed(full, changes)


def _typed(full: Recipe, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as the recipe has them; a word for the augmentation may stand beside settings that differ from it."""
    return {key: value if key == "augmentation" else getattr(full, key) for key, value in changes.items()}


def _compare(study: Study, shown: str, given: dict[str, Any]) -> None:
    """Who joins may leave out settings, but not have others."""
    if shown != study.dataset:
        raise RunError(f"The study {study.name!r} is of {study.dataset!r}, not of {shown!r}; choose another name.")
    if len(given["networks"]) == 1:
        given["changes"] = {**given["changes"], "network": given["networks"].pop()}
    told = {
        "recipe_name": study.recipe_name,
        "changes": study.changes,
        "networks": list(study.networks),
        "only": list(study.only),
        "others": study.others,
        "trial_epochs": study.trial_epochs,
        "trial_size": study.trial_size,
    }
    if given["changes"]:
        given["changes"] = _typed(make_recipe(study.recipe_name, given["changes"]), given["changes"])
    for key, value in given.items():
        if value and value != told[key]:
            raise RunError(
                f"The study {study.name!r} was begun with other {key.replace('_', ' ')}; leave that out to join it, or "
                "choose another name."
            )


def _joined(opened: "optuna.storages.RDBStorage", study: Study, search: "_Search") -> "optuna.Study":
    """Optuna's study, made where there is none; the recipe itself is the first that it tries."""
    import optuna

    with _locked(study.folder):
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

    def _materials(self) -> Materials:
        """Stored at the largest size that a trial asks for, and split in one way for all."""
        every = [self.shortened(self.recipe({"network": network})) for network in self.study.networks]
        largest = max(every or [self.shortened(self.full)], key=lambda made: made.size)
        for made in every:
            starting_network(made, self.workspace)  # weights that are missing are told before hours are spent
        others = None if self.study.others is None else Path(self.study.others)
        return begin(self.dataset, largest, self.workspace, self.study.only, others, self.worker.report)[1]

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

    def __init__(self, search: _Search, materials: Materials, clock: _Clock, before: int) -> None:
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
        network, _ = starting_network(made, self.search.workspace)
        fresh_head(network, made, self.materials.training_data().outputs)
        return self._of_head(network, made) if made.trainable == "head" else self._of_all(network, made)

    def _of_all(self, network: SneakerNetwork, made: Recipe) -> Generator[float, None, None]:
        trainer = Trainer(network, self.materials.training_data(), made)
        preprocessing, work = Preprocessing(made.size, made.size), made.work()

        def on_step(done: int, loss: float, speed: float) -> bool:
            epoch, step = divmod(done - 1, trainer.steps_per_epoch)
            share = sum(work[:epoch]) + work[epoch] * (step + 1) / trainer.steps_per_epoch
            return self._goes_on(f"epoch {epoch + 1} of {made.epochs}", share / sum(work), loss=loss)

        while trainer.epochs_done < made.epochs and trainer.epoch(on_step) is not None:
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

        return embedded_views(network, self.materials, rows, crops, made, self.search.workspace, told)

    def _right(self, logits: Any) -> float:
        return float(self.validation.figures(logits)["val_top1"])

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
