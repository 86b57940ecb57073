"""A training run: from folders of photos to a finished model, kept in one folder."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from sneaker_core.datasets.library import open_samples
from sneaker_core.datasets.split import Split, write_split
from sneaker_core.errors import DatasetError, RecipeError
from sneaker_core.evaluation.calibration import fit_decision, fit_references
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.predictions import evaluate_photos, prediction_table, read_outputs
from sneaker_core.networks.architectures import SneakerNetwork, build_network
from sneaker_core.networks.arithmetic import fast_arithmetic
from sneaker_core.networks.checkpoint import ModelSpec, SneakerModel, library_versions, load_model, save_model
from sneaker_core.networks.decision import Status
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.paths import run_model_folder, runs_folder, write_atomically
from sneaker_core.training.head import train_head
from sneaker_core.training.initial import initialise
from sneaker_core.training.loop import EpochReport, Trainer, TrainingData
from sneaker_core.training.materials import BATCH, Materials, prepare, shrunk
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.state import load_state, remove_state, save_state

RUN_FILE = "run.json"
METRICS_FILE = "metrics.jsonl"
PREDICTIONS_FILE = "predictions.parquet"

Report = Callable[[str, dict[str, Any]], None]


def train(
    dataset: str | Path,
    recipe: Recipe,
    folder: Path,
    workspace: Path,
    *,
    only: Iterable[str] = (),
    others: Path | None = None,
    report: Report = lambda event, values: None,
    resume: bool = False,
) -> dict[str, Any]:
    """Train a model and keep everything about it in one folder.

    Parameters
    ----------
    dataset : str or Path
        The name of a dataset, or a folder laid out as ``<class>/*``.
    recipe : Recipe
    folder : Path
        The run's folder; its last part is the model's name.
    workspace : Path
        Where the dataset, and a model that `recipe.init` names, are looked up.
    only : iterable of str
        Classes to use; all when empty.
    others : Path, optional
        A folder with photos of anything but sneakers: the model learns to say "not a sneaker I know".
    report : callable
        Called with the name of an event ("prepared", "epoch", "done") and its values.
    resume : bool
        Go on with the run in that folder, with the recipe that it was started with.

    Returns
    -------
    dict
        The model's metrics: "test", "val" and, with `others`, "others".

    Raises
    ------
    DatasetError, RecipeError
        The photos or the recipe cannot be used; or the run exists and `resume` is False, or the other way round.
    """
    recipe, started_on = _check_folder(folder, recipe, resume)
    torch.manual_seed(recipe.seed)
    network = build_network(recipe.network, outputs=2)
    tells_copies = initialise(network, recipe.network, recipe.init, workspace)
    samples = open_samples(str(dataset), workspace, tuple(only))
    materials = prepare(str(dataset), samples, recipe, network if tells_copies else None, others)
    if started_on not in (None, materials.fingerprint):
        # Another split would follow, and a photo that was trained on could be judged by.
        raise DatasetError(f"The photos have changed since the run {folder.name!r} was started; start a new run.")
    data = materials.training_data()
    torch.manual_seed(recipe.seed)
    network.head = torch.nn.Linear(network.head.in_features, data.outputs)
    run = {
        "dataset": Path(dataset).name,
        "recipe": recipe.to_dict(),
        "photos": materials.fingerprint,
        "rejected": materials.rejected,
    }
    _write_run(folder, {**run, "state": "running"})
    report("prepared", materials.describe())
    write_split(run_model_folder(folder), materials.samples)
    network = _fit(network, data, recipe, folder, materials, report)
    metrics = _finish(network, materials, recipe, folder)
    _write_run(folder, {**run, "state": "done"})
    remove_state(folder)
    report("done", metrics)
    return metrics


def default_run_name(dataset: str | Path, recipe_name: str, workspace: Path) -> str:
    """A name that no run has yet: ``<dataset>-<recipe>-<number>``."""
    base = f"{Path(dataset).resolve().name}-{recipe_name}"
    return next(name for n in count(1) if not (runs_folder(workspace) / (name := f"{base}-{n}")).exists())


def _check_folder(folder: Path, recipe: Recipe, resume: bool) -> tuple[Recipe, str | None]:
    """The recipe to train by and the fingerprint of the photos: a run's own when it is resumed, else none."""
    file = folder / RUN_FILE
    if resume:
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
            kept, photos, state = Recipe(**values["recipe"]), str(values["photos"]), values["state"]
        except (OSError, ValueError, KeyError, TypeError):
            raise RecipeError(f"There is no run in {folder} to go on with.") from None
        if state == "done":
            raise RecipeError(f"The run in {folder} is done already; its model is ready to use.")
        return kept, photos
    if file.exists():
        raise RecipeError(f"There is a run in {folder} already; go on with it with --resume or choose another name.")
    return recipe, None


def _write_run(folder: Path, values: dict[str, Any]) -> None:
    write_atomically(folder / RUN_FILE, json.dumps(values, indent=1, ensure_ascii=False).encode())


def _fit(
    network: SneakerNetwork, data: TrainingData, recipe: Recipe, folder: Path, materials: Materials, report: Report
) -> SneakerNetwork:
    validation = materials.sneakers(Split.VAL)
    kept: list[dict[str, Any]] = []

    def after(epoch: EpochReport) -> None:
        values = _finite(asdict(epoch))
        if not recipe.freeze:
            model = _unfitted(trainer.average, materials.classes, recipe, folder.name)
            values["val_top1"] = _accuracy(model, validation, materials)
        kept.append(values)
        write_atomically(folder / METRICS_FILE, "".join(json.dumps(row) + "\n" for row in kept).encode())
        if not recipe.freeze:
            save_state(trainer, folder)
        report("epoch", values)

    if recipe.freeze:
        return train_head(network, data, recipe, after)
    trainer = Trainer(network, data, recipe)
    if load_state(trainer, folder):
        kept += _metrics_until(folder, trainer.epochs_done)
    return trainer.run(after)


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
        classes=classes,
        knows_others=network.head.out_features > len(classes),
        preprocessing=Preprocessing(recipe.size, recipe.size),
        # A model travels; the path of a file on the machine that trained it does not.
        recipe={**recipe.to_dict(), "init": Path(recipe.init).name},
        versions=library_versions(),
    )
    return SneakerModel(spec, network.eval(), np.zeros((1, network.head.in_features), np.float32))


def _accuracy(model: SneakerModel, samples: pd.DataFrame, materials: Materials) -> float:
    """Top-1 accuracy on photos that are in memory already."""
    right = 0
    for start in range(0, len(samples), BATCH):
        rows = samples.iloc[start : start + BATCH]
        small = shrunk(materials.pixels[rows.index.to_numpy()], model.spec.preprocessing)
        with fast_arithmetic():
            outputs = model.outputs(model.spec.preprocessing.standardise(small))
        right += sum(
            model.spec.classes[index] == label
            for index, label in zip(outputs.logits.argmax(1), rows["label"], strict=True)
        )
    return right / len(samples)


def _finish(network: SneakerNetwork, materials: Materials, recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Calibrate, measure and save; every figure is of the weights as they are stored."""
    target = run_model_folder(folder)
    save_model(_unfitted(network, materials.classes, recipe, folder.name), target)
    model = load_model(target)
    train_samples, val_samples = materials.sneakers(Split.TRAIN), materials.sneakers(Split.VAL)
    learned, _ = read_outputs(model, list(train_samples["path"]))
    references = fit_references(learned.embeddings, _numbers(train_samples, materials.classes), recipe.seed)
    outputs, _ = read_outputs(model, list(val_samples["path"]))
    decision = fit_decision(outputs, _numbers(val_samples, materials.classes), references)
    model = SneakerModel(replace(model.spec, decision=decision), model.network, references)
    test_table, _ = evaluate_photos(model, materials.sneakers(Split.TEST))
    metrics = {"test": summary(test_table), "val": _headline(prediction_table(model, val_samples, outputs))}
    others = materials.others(Split.TEST)
    if len(others):
        table, _ = evaluate_photos(model, others)
        metrics["others"] = {"n": len(table), "found": float((table["status"] == Status.UNKNOWN).mean())}
    test_table.drop(columns="path").to_parquet(folder / PREDICTIONS_FILE)
    save_model(replace(model, spec=replace(model.spec, metrics=metrics, data=materials.describe())), target)
    return metrics


def _headline(table: pd.DataFrame) -> dict[str, Any]:
    return {key: value for key, value in summary(table).items() if isinstance(value, (int, float))}


def _numbers(samples: pd.DataFrame, classes: tuple[str, ...]) -> NDArray[np.int64]:
    number = {name: index for index, name in enumerate(classes)}
    return samples["label"].map(number).to_numpy(dtype=float).astype(np.int64)
