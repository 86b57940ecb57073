"""At which size a finished model sees best: ``python -m benchmarks.final_size MODEL…`` from the project's folder.

Judges models at several sizes on the photos that they were tuned with (found by their bytes), so that the choice costs
no test photo. ``--finish SIZE`` then fits references, temperature and thresholds at that size, measures the test photos
and writes the model with its split to the folder ``--out``. Needs ``SOLESCOPE_REAL_DATA``, as
``benchmarks.data_quality`` does.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import pandas as pd

from benchmarks.data_quality import real_photos
from sneaker_core.datasets.photo_folder import read_labelled_folder, read_unlabelled_folder
from sneaker_core.datasets.split import Split, read_split, write_split
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.prediction_table import evaluate_photos
from sneaker_core.networks.checkpoint import SneakerModel, load_model, save_model
from sneaker_core.networks.model_registry import find_model
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.training.model_calibration import calibrate_and_evaluate
from sneaker_core.workspace.paths import workspace

RATIOS = (1.0, 1.15, 1.25)


def at_size(model: SneakerModel, size: int) -> SneakerModel:
    """The model as it answers at another size."""
    return replace(model, spec=replace(model.spec, preprocessing=Preprocessing(size, size)))


def photos_of(folder: Path) -> pd.DataFrame:
    """The photos of a model's split: columns sample, label, split, path."""
    split = read_split(folder)
    there = [read_labelled_folder(real_photos(), split["label"].dropna().unique()).drop(columns="split")]
    if split["label"].isna().any():
        there.append(read_unlabelled_folder(real_photos().parent / "not_sneakers"))
    return split.merge(pd.concat(there), on=["sample", "label"]).sort_values(["label", "path"])


def finish(model: SneakerModel, photos: pd.DataFrame, out: Path) -> None:
    """Fit and measure a model at the size that it has, and write it."""
    sneakers, negatives = (
        photos[photos["label"].notna()],
        photos[photos["label"].isna() & (photos["split"] == Split.TEST)],
    )
    split = {part: sneakers[sneakers["split"] == part] for part in Split}
    done = calibrate_and_evaluate(model, split, negatives, int(model.spec.recipe.get("seed", 0))).model
    save_model(done, out)
    write_split(out, photos)
    for part, figures in done.spec.metrics.items():
        print(f"  {part:6} {', '.join(f'{key} {figures[key]:.3f}' for key in figures if key in _SHOWN)}", flush=True)


_SHOWN = ("n", "top1", "top3", "ece", "macro_f1", "refused", "found")


def main() -> None:
    """Print top-1 on validation photos at each size, and finish the model where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--sizes", help="parted by commas; else the size of training times 1, 1.15 and 1.25")
    parser.add_argument("--finish", type=int, metavar="SIZE")
    parser.add_argument("--out", type=Path, help="a folder for the finished model, for one MODEL only")
    asked = parser.parse_args()
    if asked.finish and (asked.out is None or len(asked.models) > 1):
        parser.error("--finish takes one MODEL and --out")
    for name in asked.models:
        folder = find_model(workspace(), name)
        model, photos = load_model(folder), photos_of(folder)
        if asked.finish:
            finish(at_size(model, asked.finish), photos, asked.out)
            continue
        trained = int(model.spec.recipe["size"])
        sizes = (
            map(int, asked.sizes.split(",")) if asked.sizes else (round(trained * ratio / 8) * 8 for ratio in RATIOS)
        )
        judged = photos[(photos["split"] == Split.VAL) & photos["label"].notna()]
        for size in sizes:
            figures = summary(evaluate_photos(at_size(model, size), judged)[0])
            print(f"{name} at {size} px: top-1 {figures['top1']:.3f} on {figures['n']} validation photos", flush=True)


if __name__ == "__main__":
    main()
