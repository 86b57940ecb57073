"""Measure what correcting wrong labels gains: ``python -m benchmarks.corrected_labels`` in the project folder.

Uses the photos that street22 was trained and tuned on, in their split. ``mended_labels.csv`` (sample, action, label)
has the decisions of a person who saw the model's prediction, on training and validation photos that the model
misclassifies; test photos are unchanged. The same recipe is trained without and with these decisions and
evaluated on the same test photos. Needs ``SOLESCOPE_REAL_DATA`` and ``SOLESCOPE_IMAGENET``, as
``benchmarks.data_quality`` does.
"""

import argparse
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.data_quality import SEEDS, real_photos
from sneaker_core.datasets.dataset_collection import find_or_create
from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.photo_folder import read_labeled_folder
from sneaker_core.datasets.review_log import Action, decide, undo
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.datasets.split import read_split
from sneaker_core.evaluation.comparison import compare
from sneaker_core.evaluation.evaluation_collection import find_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.evaluation_record import Kind
from sneaker_core.evaluation.metric_text import verdict
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.model_registry import find_model
from sneaker_core.training.recipe import make_recipe
from sneaker_core.training.train_model import train
from sneaker_core.workspace.paths import PREDICTIONS_FILE, runs_folder

NAME = "street22 photos"
DECISIONS = Path(__file__).with_name("mended_labels.csv")
AUTHOR = "corrected_labels"
RECIPES: dict[str, dict[str, Any]] = {
    "quick": {"size": 144},
    "finetune": {"size": 144, "epochs": 8, "small_size": 104, "small_share": 0.6},
}


def import_street22(home: Path) -> Dataset:
    """Import the photos of street22 with their split."""
    dataset = find_or_create(home, NAME)
    if len(read_samples(dataset)):
        return dataset
    split = read_split(find_model(home, DEFAULT_MODEL))
    photos = read_labeled_folder(real_photos(), split["label"].dropna().unique()).drop(columns="split")
    photos = photos.merge(split, on=["sample", "label"])
    layout = home / "photos by split"
    for part, label, path in photos[["split", "label", "path"]].to_numpy(dtype=str):
        folder = layout / part / label
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder)
    import_photos(dataset, layout)
    shutil.rmtree(layout)
    return dataset


def correct_labels(dataset: Dataset) -> None:
    """Apply the decisions as one batch, so that they can be undone together."""
    batch, rows = None, pd.read_csv(DECISIONS, dtype=str).fillna("")
    for action, label in rows[["action", "label"]].drop_duplicates().to_numpy(dtype=str):
        group = rows[(rows["action"] == action) & (rows["label"] == label)]
        batch = decide(dataset, list(group["sample"]), Action(action), label or None, author=AUTHOR, batch=batch)


def evaluated(dataset: Dataset, name: str, seed: int, home: Path, corrected: bool) -> pd.DataFrame:
    """Train and return the prediction table of the test photos."""
    run = runs_folder(home) / f"{name}-{seed}-{'corrected' if corrected else 'as collected'}"
    if not (run / PREDICTIONS_FILE).exists():
        init = os.environ.get("SOLESCOPE_IMAGENET", "imagenet")
        train(dataset.name, make_recipe(name, {**RECIPES[name], "init": init, "seed": seed}), run, home)
    return read_table(find_evaluation(home, run.name, Kind.RUN))


def main() -> None:
    """Print, for each seed, top-1 and top-3 on the test photos without and with the decisions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", choices=list(RECIPES), default="quick")
    parser.add_argument("--seed", type=int, action="append", help="repeat for several")
    parser.add_argument("--only-import", action="store_true", help="only create the dataset, to review it in the app")
    parser.add_argument("--keep", type=Path, help="keep the workspace in this folder, and continue there")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = asked.keep or Path(folder)
        dataset = import_street22(home)
        if asked.only_import:
            return
        for seed in asked.seed or SEEDS:
            before = evaluated(dataset, asked.recipe, seed, home, corrected=False)
            correct_labels(dataset)
            try:
                after = evaluated(dataset, asked.recipe, seed, home, corrected=True)
            finally:
                undo(dataset, author=AUTHOR)
            found = compare(before, after)
            figures = [
                f"top-1 {side['top1']:.3f}, top-3 {side['top3']:.3f}" for side in (found.metrics_a, found.metrics_b)
            ]
            print(f"{asked.recipe} seed {seed}: as collected {figures[0]}; corrected {figures[1]} ({found.n} photos)")
            print(f"  {verdict(found, 'as collected', 'corrected')}", flush=True)


if __name__ == "__main__":
    main()
