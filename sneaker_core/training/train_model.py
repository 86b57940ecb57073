"""A training run: from photos to a finished model, kept in one folder."""

import contextlib
import copy
import io
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from sneaker_core import process_group
from sneaker_core.datasets.split import Split, write_split
from sneaker_core.errors import DatasetError, RecipeError, SneakerError, SpaceError, StoppedError
from sneaker_core.networks.architectures import SneakerNetwork
from sneaker_core.networks.checkpoint import ModelSpec, SneakerModel, as_stored, library_versions, save_model
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.training.final_fit import fit_and_measure
from sneaker_core.training.head_training import CROPPED_VIEWS, embedded_views, head_logits, train_head
from sneaker_core.training.model_card import model_card
from sneaker_core.training.network_setup import begin
from sneaker_core.training.planning.time_estimate import remember_speed
from sneaker_core.training.prepared_data import Materials
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.run_collection import CARD_FILE, METRICS_FILE, WATCH_FILE
from sneaker_core.training.trainer import EpochReport, Trainer
from sneaker_core.training.training_jobs import source_of
from sneaker_core.training.training_state import best_epoch, load_best, load_state, remove_state, save_best, save_state
from sneaker_core.training.validation import Validation
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.jobs import Worker
from sneaker_core.workspace.paths import PREDICTIONS_FILE, RUN_FILE, run_model_folder, runs_folder

FORMAT = 2
# Of several processes the first asks whether to stop, and tells the others, every so many steps.
_ASK_EVERY = 10
_THUMBNAIL = 112

Report = Callable[[str, dict[str, Any]], None]


def train(
    dataset: str | Path,
    recipe: Recipe,
    folder: Path,
    workspace: Path,
    *,
    recipe_name: str = "",
    only: Iterable[str] = (),
    others: Path | None = None,
    worker: Worker | None = None,
    report: Report = lambda event, values: None,
    resume: bool = False,
) -> dict[str, Any]:
    """Train a model and keep everything about it in one folder.

    Of several processes (torchrun) all must call this with the same arguments; the first one writes.

    Parameters
    ----------
    dataset : str or Path
        The name of a dataset, or a folder laid out as ``<class>/*``.
    recipe : Recipe
    folder : Path
        The run's folder; its last part is the model's name.
    workspace : Path
        Where the dataset, and a model that `recipe.init` names, are looked up.
    recipe_name : str
        Which of `RECIPES` it was made of, for people.
    only : iterable of str
        Classes to use; all when empty.
    others : Path, optional
        A folder with photos of anything but sneakers: the model learns to say "not a sneaker I know".
    worker : Worker, optional
        Hears how far it is, and tells when to stop: the best weights so far then become the model.
    report : callable
        Called with the name of an event ("prepared", "epoch", "warning", "done") and its values.
    resume : bool
        Go on with the run in that folder, with the recipe that it was started with.

    Returns
    -------
    dict
        The model's metrics: "test", "val" and, with `others`, "others"; empty where it was stopped before there was
        a model.

    Raises
    ------
    DatasetError, RecipeError
        The photos or the recipe cannot be used; or the run exists and `resume` is False, or the other way round.
    SpaceError
        The disk is full.
    """
    if not process_group.is_first():
        worker, report = None, lambda event, values: None
    record = _Record(folder, resume)
    recipe = _recipe_of(record.values) if resume else recipe
    only = tuple(only)
    source, shown = source_of(workspace, str(dataset))
    if not resume:
        record.values = {
            "format": FORMAT,
            "dataset": shown,
            "source": source,
            "only": list(only),
            "others": None if others is None else str(others.absolute()),
            "recipe": recipe.to_dict(),
            "recipe_name": recipe_name,
            "photos": None,
            "rejected": {},
            "counts": {},
            "created": time.time(),
        }
    with record.kept():
        run = _Run(recipe, folder, workspace, worker or Worker(), report, record)
        try:
            network, materials = run.begin(str(dataset), only, others)
            fitted = run.fit(network, materials)
        except StoppedError:
            run.stopped, fitted = True, None
        metrics = {} if fitted is None else run.finish(fitted, materials)
        # A stop that comes after the last epoch comes too late to stop anything.
        complete = fitted is not None and not run.stopped
        record.write(state="done" if complete else "stopped")
        if complete and process_group.is_first():
            remove_state(folder)
    report("done", metrics)
    return metrics


def default_run_name(workspace: Path, dataset: str | Path, recipe_name: str) -> str:
    """A name that no run has yet: ``<dataset>-<recipe>-<number>``."""
    base = f"{Path(dataset).resolve().name}-{recipe_name}"
    return next(name for n in count(1) if not (runs_folder(workspace) / (name := f"{base}-{n}")).exists())


class _Record:
    """What ``run.json`` says; written by the first process alone."""

    def __init__(self, folder: Path, resume: bool) -> None:
        self.file = folder / RUN_FILE
        self.values: dict[str, Any] = {}
        self._since = time.time()
        self.values, refused = process_group.of_first(
            self._opened(folder, resume) if process_group.is_first() else ({}, "")
        )
        if refused:
            raise RecipeError(refused)

    def _opened(self, folder: Path, resume: bool) -> tuple[dict[str, Any], str]:
        """What is there to go on with, and why the run cannot be done."""
        try:
            values = json.loads(self.file.read_text(encoding="utf-8"))
            _recipe_of(values)
            state, began = values["state"], values["photos"] is not None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecipeError):
            values, state, began = {}, "none", self.file.exists()
        if not resume:
            # A run that never came to its photos has nothing to lose.
            free = not began and state != "running"
            there = f"There is a run in {folder} already; go on with it with --resume or choose another name."
            return {}, "" if free else there
        if not values:
            return {}, f"There is no run in {folder} to go on with."
        if state != "done":
            return values, ""
        remove_state(folder)  # it may have been killed just before it did
        return values, f"The run in {folder} is done already; its model is ready to use."

    def write(self, **changes: Any) -> None:
        now = time.time()
        self.values["seconds"] = self.values.get("seconds", 0.0) + now - self._since
        self._since = now
        self.values.update(changes)
        if process_group.is_first():
            write_atomically(self.file, json.dumps(self.values, indent=1, ensure_ascii=False).encode())

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Say how the body ended, whatever happens."""
        self.write(state="running", error=None)
        try:
            yield
        except BaseException as error:
            told = {"state": "failed", "error": f"A fault in the program: {type(error).__name__}. The log says more."}
            if isinstance(error, SneakerError):
                told["error"] = str(error)
            elif not isinstance(error, Exception):  # Ctrl-C
                told = {"state": "stopped"}
            with contextlib.suppress(OSError):  # what went wrong matters more than that it cannot be written
                self.write(**told)
            raise


class _Run:
    """The work on one run, step by step."""

    def __init__(
        self, recipe: Recipe, folder: Path, workspace: Path, worker: Worker, report: Report, record: _Record
    ) -> None:
        self.recipe = recipe
        self.folder = folder
        self.workspace = workspace
        self.worker = worker
        self.report = report
        self.record = record
        self.stopped = False
        self.best = -1.0
        self.rows: list[dict[str, Any]] = []

    def begin(self, dataset: str, only: tuple[str, ...], others: Path | None) -> tuple[SneakerNetwork, Materials]:
        """The network to train and the photos; also tells the folder."""
        started_on = self.record.values.get("photos")
        network, materials = begin(
            dataset, self.recipe, self.workspace, only, others, self._progress, resumed=started_on is not None
        )
        if started_on not in (None, materials.fingerprint):
            # Another split would follow, and a photo that was trained on could be judged by.
            name = self.folder.name
            raise DatasetError(f"The photos have changed since the run {name!r} was started; start a new run.")
        counts = {str(split): len(materials.sneakers(split)) for split in (Split.TRAIN, Split.VAL, Split.TEST)}
        self.record.write(photos=materials.fingerprint, rejected=materials.rejected, counts=counts)
        if process_group.is_first():
            write_split(run_model_folder(self.folder), materials.samples)
        self.report("prepared", materials.describe())
        return network, materials

    def _progress(self, done: int, total: int, step: str) -> None:
        """Of what comes before the training; several processes can be stopped between the steps only."""
        self.worker.report(done, total, step)
        if process_group.count() == 1 and self.worker.stopped():
            raise StoppedError("It was stopped.")

    def fit(self, network: SneakerNetwork, materials: Materials) -> SneakerNetwork | None:
        """The trained network; None where it was stopped before there was one."""
        validation = Validation(materials, self.recipe.seed)
        if process_group.is_first():
            _keep_watched(validation, self.folder)
        if self.recipe.trainable == "head":
            return self._fit_head(network, materials, validation)
        return self._fit_all(Trainer(network, materials.training_data(), self.recipe), validation)

    def _fit_head(self, network: SneakerNetwork, materials: Materials, validation: Validation) -> SneakerNetwork | None:
        data = materials.training_data()
        assert data.rows is not None
        judged, learned = (
            embedded_views(network, materials, rows, crops, self.recipe, self.workspace, self._progress)
            for rows, crops in ((validation.rows, 0), (data.rows, CROPPED_VIEWS))
        )
        best = copy.deepcopy(network.head.state_dict())
        for epoch in train_head(network, learned, data, self.recipe):
            logits = head_logits(network, judged)[:, : data.classes]
            # Every process trains the same head; what the first one says holds for all.
            self._after(epoch, process_group.of_first(validation.figures(logits)))
            if self.rows[-1]["val_top1"] >= self.best:
                self.best, best = self.rows[-1]["val_top1"], copy.deepcopy(network.head.state_dict())
            self.report("epoch", self.rows[-1])
            self.worker.report(epoch.epoch, self.recipe.epochs, "Training the head", **self._details(epoch))
            if self._asked_to_stop() or self._is_enough():
                network.head.load_state_dict(best)
                break
        network.head.load_state_dict(process_group.of_first(network.head.state_dict()))
        return network

    def _fit_all(self, trainer: Trainer, validation: Validation) -> SneakerNetwork | None:
        recipe = self.recipe
        warning = load_state(trainer, self.folder)
        if warning:
            self.report("warning", {"text": warning})
        self.rows = process_group.of_first(_metrics_until(self.folder, trainer.epochs_done))
        preprocessing = Preprocessing(recipe.size, recipe.size)
        kept = process_group.of_first(best_epoch(self.folder) if process_group.is_first() else None)
        self.best = max((row["val_top1"] for row in self.rows if row["epoch"] == kept), default=-1.0)
        ended_early = self._is_enough()
        while trainer.epochs_done < recipe.epochs and not ended_early:
            epoch = trainer.epoch(self._live(trainer))
            if epoch is None:
                self.stopped = True
                break
            figures = validation.figures(validation.logits(trainer.average, preprocessing))
            self._after(epoch, figures)
            self._keep(trainer)
            self.report("epoch", self.rows[-1])
            place = trainer.epochs_done - 1
            full_step = recipe.size_of(place) == recipe.size and not recipe.trains_head_only(place)
            if process_group.count() == 1 and full_step:
                remember_speed(recipe, epoch.images_per_second, self.workspace)
            ended_early = self._is_enough()
        if (
            (self.stopped or ended_early)
            and load_best(trainer.average, self.folder) is None
            and not trainer.epochs_done
        ):
            return None
        return trainer.average.cpu()

    def _live(self, trainer: Trainer) -> Callable[[int, float, float], bool]:
        """Tells after each step how far the training is, and stops it when asked to."""
        work, steps = self.recipe.work(), trainer.steps_per_epoch
        epoch, started = trainer.epochs_done, time.perf_counter()

        def on_step(done: int, loss: float, speed: float) -> bool:
            share = done / steps - epoch
            pace = (time.perf_counter() - started) / (share * work[epoch])
            details = {
                "epoch": epoch + 1,
                "epochs": self.recipe.epochs,
                "images_per_second": speed,
                "loss": loss,
                "seconds_left": pace * (sum(work[epoch:]) - share * work[epoch]),
            }
            self.worker.report(done, trainer.steps, f"Epoch {epoch + 1} of {self.recipe.epochs}", **details)
            return (process_group.count() > 1 and done % _ASK_EVERY != 0) or not self._asked_to_stop()

        return on_step

    def _details(self, epoch: EpochReport) -> dict[str, Any]:
        left = (self.recipe.epochs - epoch.epoch) * epoch.seconds
        told = {"epoch": epoch.epoch, "epochs": self.recipe.epochs, "loss": epoch.loss, "seconds_left": left}
        return {**told, "images_per_second": epoch.images_per_second}

    def _asked_to_stop(self) -> bool:
        self.stopped = process_group.of_first(self.worker.stopped())
        return self.stopped

    def _is_enough(self) -> bool:
        """Whether validation has not improved for as long as the recipe's patience."""
        patience, told = self.recipe.patience, [row["val_top1"] for row in self.rows]
        return 0 < patience < len(told) and max(told[-patience:]) <= max(told[:-patience])

    def _after(self, epoch: EpochReport, figures: Mapping[str, Any]) -> None:
        """Keep what an epoch came to."""
        values = {**_finite(asdict(epoch)), **figures}
        self.rows.append(values)
        if not process_group.is_first():
            return
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.rows)
        with contextlib.suppress(OSError):  # a full disk; the next epoch writes all of it again
            write_atomically(self.folder / METRICS_FILE, lines.encode())
            self.record.write()

    def _keep(self, trainer: Trainer) -> None:
        """Keep the state after an epoch; a disk that is full for a while costs the state, not the training.

        The best weights come first: a state that tells of a better epoch than they are of would lose that one.
        """
        if not process_group.is_first():
            return
        try:
            if self.rows[-1]["val_top1"] >= self.best:
                save_best(trainer.average, self.folder, trainer.epochs_done)
                self.best = self.rows[-1]["val_top1"]
            save_state(trainer, self.folder)
        except OSError as error:
            text = (
                f"The training state after epoch {trainer.epochs_done} could not be kept in {self.folder}: "
                f"{error.strerror}. The training goes on; the one before is still there."
            )
            self.report("warning", {"text": text})

    def finish(self, network: SneakerNetwork, materials: Materials) -> dict[str, Any]:
        """Calibrate, measure and save; every figure is of the weights as they are stored."""
        model = as_stored(_unfitted(network, materials.classes, self.recipe, self.folder.name))
        split = {part: materials.sneakers(part) for part in Split}

        def told(done: int, total: int) -> None:
            self.worker.report(done, total, "Measuring the model")

        finished = fit_and_measure(model, split, materials.others(Split.TEST), self.recipe.seed, told)
        if process_group.is_first():
            spec = replace(finished.model.spec, data=materials.describe())
            self._save(replace(finished.model, spec=spec), finished.test_table)
        process_group.wait_for_all()
        return finished.model.spec.metrics

    def _save(self, model: SneakerModel, test_table: pd.DataFrame) -> None:
        try:
            write_atomically(self.folder / PREDICTIONS_FILE, test_table.drop(columns="path").to_parquet())
            write_atomically(self.folder / CARD_FILE, model_card(model.spec, self.record.values).encode())
            save_model(model, run_model_folder(self.folder))
        except OSError as error:
            raise SpaceError(
                f"The model could not be written to {self.folder}: {error.strerror}; make room and go on with the run."
            ) from None


def _recipe_of(record: Mapping[str, Any]) -> Recipe:
    """The recipe in a run's record; older records keep the preset's name beside it."""
    return Recipe.from_dict({"name": record.get("recipe_name", ""), **record["recipe"]})


def _keep_watched(validation: Validation, folder: Path) -> None:
    """Small pictures of the photos to watch, and what they show."""
    watched = []
    for place in validation.watched:
        sample = validation.samples.iloc[place]
        picture, data = Image.fromarray(validation.pixels[validation.rows[place]]), io.BytesIO()
        picture.resize((_THUMBNAIL, _THUMBNAIL)).save(data, "JPEG", quality=85)
        name = f"watch/{sample['sample']}.jpg"
        write_atomically(folder / name, data.getvalue())
        watched.append({"sample": sample["sample"], "label": sample["label"], "thumbnail": name})
    write_atomically(folder / WATCH_FILE, json.dumps(watched, ensure_ascii=False).encode())


def _metrics_until(folder: Path, epoch: int) -> list[dict[str, Any]]:
    """What was kept of the epochs up to this one; those after it will be made anew."""
    file = folder / METRICS_FILE
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [row for row in map(json.loads, lines) if row["epoch"] <= epoch]


def _finite(values: Mapping[str, float]) -> dict[str, Any]:
    return {key: value if value == value else None for key, value in values.items()}


def _unfitted(network: SneakerNetwork, classes: tuple[str, ...], recipe: Recipe, name: str) -> SneakerModel:
    """A model whose temperature, thresholds and references are still to be fitted."""
    spec = ModelSpec(
        name=name,
        network=recipe.network,
        head=network.head_kind,
        classes=classes,
        has_negatives_class=network.outputs > len(classes),
        preprocessing=Preprocessing(recipe.final_size, recipe.final_size),
        # A model travels; the path of a file on the machine that trained it does not.
        recipe={**recipe.to_dict(), "init": Path(recipe.init).name},
        versions=library_versions(),
    )
    return SneakerModel(spec, network.eval(), np.zeros((1, network.embedding_size), np.float32))
