"""Find the best input size of finished models: ``python -m benchmarks.final_size MODEL…`` in the project folder.

Evaluates models at several sizes on their validation photos (found by the hash of their bytes), so that no test photo
influences the choice. ``--recalibrate SIZE`` then fits references, temperature and thresholds at that size, evaluates
the test photos and writes the model with its split to the folder ``--out``. Needs ``SOLESCOPE_REAL_DATA``, as
``benchmarks.data_quality`` does.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import pandas as pd

from benchmarks.data_quality import real_photos
from sneaker_core.datasets.photo_folder import read_labeled_folder, read_unlabeled_folder
from sneaker_core.datasets.split import Split, read_split, write_split
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.prediction_table import evaluate_photos
from sneaker_core.networks.checkpoint import SneakerModel, load_model, save_model
from sneaker_core.networks.model_registry import find_model
from sneaker_core.training.model_calibration import calibrate_and_evaluate
from sneaker_core.workspace.paths import workspace

RATIOS = (1.0, 1.15, 1.25)


def at_size(model: SneakerModel, size: int) -> SneakerModel:
    """Return the model with another input size."""
    preprocessing = replace(model.spec.preprocessing, height=size, width=size)
    return replace(model, spec=replace(model.spec, preprocessing=preprocessing))


def photos_of(folder: Path) -> pd.DataFrame:
    """Return the photos of a model's split: columns sample, label, split, path."""
    split = read_split(folder)
    found = [read_labeled_folder(real_photos(), split["label"].dropna().unique()).drop(columns="split")]
    if split["label"].isna().any():
        found.append(read_unlabeled_folder(real_photos().parent / "not_sneakers"))
    return split.merge(pd.concat(found), on=["sample", "label"]).sort_values(["label", "path"])


def recalibrate(model: SneakerModel, photos: pd.DataFrame, out: Path) -> None:
    """Calibrate and evaluate a model at its input size, and write it."""
    split, negatives = (
        {part: rows[rows["split"] == part] for part in Split}
        for rows in (photos[photos["label"].notna()], photos[photos["label"].isna()])
    )
    done = calibrate_and_evaluate(model, split, negatives, int(model.spec.recipe.get("seed", 0))).model
    save_model(done, out)
    write_split(out, photos)
    for part, figures in done.spec.metrics.items():
        print(f"  {part:6} {', '.join(f'{key} {figures[key]:.3f}' for key in figures if key in _SHOWN)}", flush=True)


_SHOWN = ("n", "top1", "top3", "ece", "macro_f1", "refused", "found")


def main() -> None:
    """Print the validation accuracy at each size, or recalibrate a model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--sizes", help="separated by commas; by default the training size times 1, 1.15 and 1.25")
    parser.add_argument("--recalibrate", type=int, metavar="SIZE", help="calibrate, evaluate and write at this size")
    parser.add_argument("--out", type=Path, help="folder for the recalibrated model")
    asked = parser.parse_args()
    if asked.recalibrate and (asked.out is None or len(asked.models) > 1):
        parser.error("--recalibrate needs exactly one MODEL, and --out")
    for name in asked.models:
        folder = find_model(workspace(), name)
        model, photos = load_model(folder), photos_of(folder)
        if asked.recalibrate:
            recalibrate(at_size(model, asked.recalibrate), photos, asked.out)
            continue
        trained = int(model.spec.recipe["size"])
        sizes = (
            map(int, asked.sizes.split(",")) if asked.sizes else (round(trained * ratio / 8) * 8 for ratio in RATIOS)
        )
        validation = photos[(photos["split"] == Split.VAL) & photos["label"].notna()]
        for size in sizes:
            figures = summary(evaluate_photos(at_size(model, size), validation)[0])
            print(f"{name} at {size} px: top-1 {figures['top1']:.3f} on {figures['n']} validation photos", flush=True)


if __name__ == "__main__":
    main()
