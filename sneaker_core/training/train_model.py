"""Train a model: from photos and a recipe to a finished model, all in one run folder."""

import copy
import io
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from sneaker_core import process_group
from sneaker_core.datasets.split import Split, write_split
from sneaker_core.errors import DatasetError, SpaceError, StoppedError
from sneaker_core.networks.architectures import SneakerNetwork
from sneaker_core.networks.checkpoint import ModelSpec, SneakerModel, as_stored, library_versions, save_model
from sneaker_core.training.head_training import CROPPED_VIEWS, embed_views, head_logits, train_head
from sneaker_core.training.model_calibration import calibrate_and_evaluate
from sneaker_core.training.model_card import model_card
from sneaker_core.training.planning.time_estimate import remember_speed
from sneaker_core.training.prepared_photos import PreparedPhotos
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.run_collection import CARD_FILE, runs_of
from sneaker_core.training.run_metrics import WATCH_FILE
from sneaker_core.training.run_record import FORMAT, RunRecord, recipe_of
from sneaker_core.training.trainer import EpochReport, Trainer
from sneaker_core.training.training_jobs import source_of
from sneaker_core.training.training_setup import set_up_training
from sneaker_core.training.training_state import best_epoch, load_best, load_state, remove_state, save_best, save_state
from sneaker_core.training.validation import Validation
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.clean_names import clean_name
from sneaker_core.workspace.collection_spec import read_name
from sneaker_core.workspace.jobs import Worker
from sneaker_core.workspace.paths import PREDICTIONS_FILE, run_model_folder, runs_folder
from sneaker_core.workspace.safe_names import safe_folder_name

# With several processes, the first one checks for a stop request every this many steps and tells the others.
_CHECK_STOP_EVERY = 10
_THUMBNAIL = 112

Report = Callable[[str, dict[str, Any]], None]


def train(
    dataset: str | Path,
    recipe: Recipe,
    folder: Path,
    workspace: Path,
    *,
    only: Iterable[str] = (),
    negatives: Path | None = None,
    repeats: str | None = None,
    worker: Worker | None = None,
    report: Report = lambda event, values: None,
    resume: bool = False,
) -> dict[str, Any]:
    """Train a model and store everything about it in one folder.

    With several processes (torchrun), all must call this with the same arguments; only the first one writes.

    Parameters
    ----------
    dataset : str or Path
        Name of a dataset, or a folder laid out as ``<class>/*``.
    recipe : Recipe
    folder : Path
        The run's folder; the model gets the run's display name.
    workspace : Path
        Where the dataset, and a model named by `recipe.init`, are looked up.
    only : iterable of str
        Classes to use; empty for all.
    negatives : Path, optional
        Folder of photos that show no sneaker: with them the model learns to recognize such photos.
    repeats : str, optional
        Id of a run in the workspace; photos that it has used stay in its split, unless the dataset has one of its own.
    worker : Worker, optional
        Receives the progress, and says when to stop: the best weights so far then become the model.
    report : callable
        Called with an event ("prepared", "epoch", "warning", "done") and its values.
    resume : bool
        Resume the run in that folder with its own recipe; `recipe` is ignored.

    Returns
    -------
    dict
        The model's metrics: "test", "val" and, with `negatives`, "negatives"; empty if the run was stopped before
        there was a model.

    Raises
    ------
    DatasetError, RecipeError
        The photos or the recipe cannot be used; or the run exists and `resume` is False, or the other way round.
    SpaceError
        The disk is full.
    """
    if not process_group.is_first():
        worker, report = None, lambda event, values: None
    record = RunRecord(folder, resume)
    recipe = recipe_of(record.values) if resume else recipe
    only = tuple(map(clean_name, only))
    source, shown = source_of(workspace, str(dataset))
    if not resume:
        record.values = {
            "format": FORMAT,
            "dataset": shown,
            "source": source,
            "only": list(only),
            "negatives": None if negatives is None else str(negatives.absolute()),
            "repeats": repeats,
            "recipe": recipe.to_dict(),
            "recipe_name": recipe.name,
            "photos": None,
            "rejected": {},
            "counts": {},
            "created": time.time(),
        }
    with record.tracked():
        run = _TrainingRun(recipe, folder, workspace, worker or Worker(), report, record)
        try:
            network, photos = run.set_up(str(dataset), only, negatives)
            trained = run.train(network, photos)
        except StoppedError:
            run.stopped, trained = True, None
        metrics = {} if trained is None else run.finalize(trained, photos)
        # A stop request after the last epoch has no effect.
        is_complete = trained is not None and not run.stopped
        record.write(state="done" if is_complete else "stopped")
        if is_complete and process_group.is_first():
            remove_state(folder)
    report("done", metrics)
    return metrics


def default_run_name(workspace: Path, dataset: str | Path, recipe_name: str) -> str:
    """A name that no run has yet: ``<dataset>-<recipe>-<number>``."""
    runs = runs_of(workspace)
    folders = runs.folder.iterdir() if runs.folder.is_dir() else ()
    taken = {name.casefold() for name in (*runs.names().values(), *(folder.name for folder in folders))}
    base = safe_folder_name(f"{Path(dataset).resolve().name}-{recipe_name}".lstrip("-"))
    return next(name for n in count(1) if (name := f"{base}-{n}").casefold() not in taken)


class _TrainingRun:
    """Training of one run: set up, train, finalize."""

    def __init__(
        self, recipe: Recipe, folder: Path, workspace: Path, worker: Worker, report: Report, record: RunRecord
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

    def set_up(
        self, dataset: str, only: tuple[str, ...], negatives: Path | None
    ) -> tuple[SneakerNetwork, PreparedPhotos]:
        """Build the network, prepare the photos and record them in the folder."""
        recorded = self.record.values.get("photos")
        repeats = self.record.values.get("repeats")
        network, photos = set_up_training(
            dataset,
            self.recipe,
            self.workspace,
            only,
            negatives,
            self._on_setup,
            resumes=None if recorded is None else self.folder,
            repeats=None if repeats is None else runs_folder(self.workspace) / repeats,
        )
        if recorded not in (None, photos.fingerprint):
            # The split would change too, and training photos could end up in the test split.
            name = read_name(self.folder)
            raise DatasetError(f"The photos have changed since the run {name!r} was started. Start a new run.")
        counts = {str(split): len(photos.labeled(split)) for split in (Split.TRAIN, Split.VAL, Split.TEST)}
        if process_group.is_first():
            write_split(run_model_folder(self.folder), photos.samples)
        self.record.write(photos=photos.fingerprint, rejected=photos.rejected, counts=counts)
        self.report("prepared", photos.describe())
        return network, photos

    def _on_setup(self, done: int, total: int, step: str) -> None:
        """Report set-up progress. Only a single process can be stopped here."""
        self.worker.report(done, total, step)
        if process_group.count() == 1 and self.worker.stopped():
            raise StoppedError("Training was stopped.")

    def train(self, network: SneakerNetwork, photos: PreparedPhotos) -> SneakerNetwork | None:
        """Train the network; returns None if stopped before there was a model."""
        validation = Validation(photos, self.recipe.seed)
        if process_group.is_first():
            _write_watched(validation, self.folder)
        if self.recipe.trainable == "head":
            return self._train_head(network, photos, validation)
        return self._train_layers(Trainer(network, photos.training_data(), self.recipe), validation)

    def _train_head(
        self, network: SneakerNetwork, photos: PreparedPhotos, validation: Validation
    ) -> SneakerNetwork | None:
        data = photos.training_data()
        assert data.rows is not None
        val_views, train_views = (
            embed_views(network, photos, rows, crops, self.recipe, self.workspace, self._on_setup)
            for rows, crops in ((validation.rows, 0), (data.rows, CROPPED_VIEWS))
        )
        best = copy.deepcopy(network.head.state_dict())
        for epoch in train_head(network, train_views, data, self.recipe):
            logits = head_logits(network, val_views)[:, : data.classes]
            # Every process trains the same head; the metrics of the first one are used by all.
            self._record_epoch(epoch, process_group.broadcast(validation.metrics(logits)))
            if self.rows[-1]["val_top1"] >= self.best:
                self.best, best = self.rows[-1]["val_top1"], copy.deepcopy(network.head.state_dict())
            self.report("epoch", self.rows[-1])
            self.worker.report(epoch.epoch, self.recipe.epochs, "Training the head", **self._details(epoch))
            if self._stop_requested() or self._out_of_patience():
                network.head.load_state_dict(best)
                break
        network.head.load_state_dict(process_group.broadcast(network.head.state_dict()))
        return network

    def _train_layers(self, trainer: Trainer, validation: Validation) -> SneakerNetwork | None:
        recipe = self.recipe
        warning = load_state(trainer, self.folder)
        if warning:
            self.report("warning", {"text": warning})
        self.rows = process_group.broadcast(self.record.read_metrics(trainer.epochs_done))
        preprocessing = recipe.preprocessing(recipe.size)
        saved_epoch = process_group.broadcast(best_epoch(self.folder) if process_group.is_first() else None)
        self.best = max((row["val_top1"] for row in self.rows if row["epoch"] == saved_epoch), default=-1.0)
        ended_early = self._out_of_patience()
        while trainer.epochs_done < recipe.epochs and not ended_early:
            epoch = trainer.train_epoch(self._step_callback(trainer))
            if epoch is None:
                self.stopped = True
                break
            self._record_epoch(epoch, validation.metrics(validation.logits(trainer.average, preprocessing)))
            self._save_state(trainer)
            self.report("epoch", self.rows[-1])
            index = trainer.epochs_done - 1
            is_full_step = recipe.size_of(index) == recipe.size and not recipe.trains_head_only(index)
            if process_group.count() == 1 and is_full_step:
                remember_speed(recipe, epoch.images_per_second, self.workspace)
            ended_early = self._out_of_patience()
        if (
            (self.stopped or ended_early)
            and load_best(trainer.average, self.folder) is None
            and not trainer.epochs_done
        ):
            return None
        return trainer.average.cpu()

    def _step_callback(self, trainer: Trainer) -> Callable[[int, float, float], bool]:
        """Callback that reports the progress after each step and says whether to continue."""
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
            return (process_group.count() > 1 and done % _CHECK_STOP_EVERY != 0) or not self._stop_requested()

        return on_step

    def _details(self, epoch: EpochReport) -> dict[str, Any]:
        left = (self.recipe.epochs - epoch.epoch) * epoch.seconds
        details = {"epoch": epoch.epoch, "epochs": self.recipe.epochs, "loss": epoch.loss, "seconds_left": left}
        return {**details, "images_per_second": epoch.images_per_second}

    def _stop_requested(self) -> bool:
        self.stopped = process_group.broadcast(self.worker.stopped())
        return self.stopped

    def _out_of_patience(self) -> bool:
        """Whether validation accuracy has not improved for `recipe.patience` epochs."""
        patience, accuracies = self.recipe.patience, [row["val_top1"] for row in self.rows]
        return 0 < patience < len(accuracies) and max(accuracies[-patience:]) <= max(accuracies[:-patience])

    def _record_epoch(self, epoch: EpochReport, metrics: Mapping[str, Any]) -> None:
        self.rows.append({**_nan_as_none(asdict(epoch)), **metrics})
        if process_group.is_first():
            self.record.write_metrics(self.rows)

    def _save_state(self, trainer: Trainer) -> None:
        """Save the state after an epoch. A disk that is full for a while costs the state, not the training.

        The best weights are saved first: a resumed run must find the weights of the best epoch its state knows.
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
                f"Can't save the training state after epoch {trainer.epochs_done} in {self.folder}: "
                f"{error.strerror}. Training continues; the previous state is intact."
            )
            self.report("warning", {"text": text})

    def finalize(self, network: SneakerNetwork, photos: PreparedPhotos) -> dict[str, Any]:
        """Calibrate, evaluate and save the model; its metrics are those of the weights as stored."""
        model = as_stored(_uncalibrated(network, photos, self.recipe, read_name(self.folder)))
        split = {part: photos.labeled(part) for part in Split}
        negatives = {part: photos.negatives(part) for part in Split}

        def on_progress(done: int, total: int) -> None:
            self.worker.report(done, total, "Evaluating the model")

        done = calibrate_and_evaluate(model, split, negatives, self.recipe.seed, on_progress)
        if process_group.is_first():
            spec = replace(done.model.spec, data=photos.describe())
            self._save(replace(done.model, spec=spec), done.test_table)
        process_group.wait_for_all()
        return done.model.spec.metrics

    def _save(self, model: SneakerModel, test_table: pd.DataFrame) -> None:
        try:
            write_atomically(self.folder / PREDICTIONS_FILE, test_table.drop(columns="path").to_parquet())
            write_atomically(self.folder / CARD_FILE, model_card(model.spec, self.record.values).encode())
            save_model(model, run_model_folder(self.folder))
        except OSError as error:
            raise SpaceError(
                f"Can't write the model to {self.folder}: {error.strerror}. Free some disk space and resume the run."
            ) from None


def _write_watched(validation: Validation, folder: Path) -> None:
    """Write thumbnails and labels of the watched photos."""
    watched = []
    for place in validation.watched:
        sample = validation.samples.iloc[place]
        picture, data = Image.fromarray(validation.pixels[validation.rows[place]]), io.BytesIO()
        picture.resize((_THUMBNAIL, _THUMBNAIL)).save(data, "JPEG", quality=85)
        name = f"watch/{sample['sample']}.jpg"
        write_atomically(folder / name, data.getvalue())
        watched.append({"sample": sample["sample"], "label": sample["label"], "thumbnail": name})
    write_atomically(folder / WATCH_FILE, json.dumps(watched, ensure_ascii=False).encode())


def _nan_as_none(values: Mapping[str, float]) -> dict[str, Any]:
    return {key: value if value == value else None for key, value in values.items()}


def _uncalibrated(network: SneakerNetwork, photos: PreparedPhotos, recipe: Recipe, name: str) -> SneakerModel:
    """A model without fitted temperature, thresholds and references."""
    spec = ModelSpec(
        name=name,
        network=recipe.network,
        head=network.head_kind,
        classes=photos.classes,
        footwear_types=photos.footwear_types,
        has_negatives_class=network.outputs > len(photos.classes) + len(photos.footwear_types),
        preprocessing=recipe.preprocessing(recipe.final_size),
        # The model may be copied to another machine, where the path of a weights file means nothing.
        recipe={**recipe.to_dict(), "init": Path(recipe.init).name},
        versions=library_versions(),
    )
    return SneakerModel(spec, network.eval(), np.zeros((1, network.embedding_size), np.float32))
