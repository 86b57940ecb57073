"""Train on a hundred photos per class: ``python -m benchmarks.few_photos`` in the project folder.

Ten classes with 80 photos each for training (a tenth of them for validation) and 20 for testing, sampled by seed; a
MobileNetV2 with a head of 64 units, like that of VGG16. Needs ``SOLESCOPE_REAL_DATA`` and ``SOLESCOPE_IMAGENET``, as
``benchmarks.data_quality`` does.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data_quality import JORDAN10, SEEDS, real_photos
from sneaker_core.datasets.photo_folder import read_labeled_folder
from sneaker_core.training.recipe import make_recipe
from sneaker_core.training.train_model import train

PER_CLASS = 100
SHARES = {"test_share": 0.2, "val_share": 0.08}
RECIPES: dict[str, dict[str, float]] = {
    "quick": {"size": 192},
    "finetune": {"size": 160, "epochs": 20, "small_size": 112, "small_share": 0.5},
}


def choose(target: Path, seed: int) -> Path:
    """Create a folder of links to a hundred random photos of each class."""
    rng = np.random.default_rng(seed)
    for label, rows in read_labeled_folder(real_photos(), JORDAN10).groupby("label"):
        folder = target / str(label)
        folder.mkdir(parents=True)
        for path in rng.choice(rows["path"].to_numpy(), PER_CLASS, replace=False):
            (folder / Path(path).name).symlink_to(Path(path).resolve())
    return target


def main() -> None:
    """Print the test accuracy of each recipe and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", choices=list(RECIPES), action="append")
    chosen = parser.parse_args().recipe or list(RECIPES)
    init = os.environ.get("SOLESCOPE_IMAGENET", "imagenet")
    for name in chosen:
        for seed in SEEDS:
            with tempfile.TemporaryDirectory() as folder:
                workspace, started = Path(folder), time.perf_counter()
                photos = choose(workspace / "photos", seed)
                changes: dict[str, Any] = {**RECIPES[name], **SHARES, "init": init, "head": "hidden", "seed": seed}
                metrics = train(photos, make_recipe(name, changes), workspace / "run", workspace)["test"]
                print(
                    f"{name:9} seed {seed}: top-1 {metrics['top1']:.3f}, top-3 {metrics['top3']:.3f} "
                    f"on {metrics['n']} photos, {time.perf_counter() - started:.0f} s",
                    flush=True,
                )


if __name__ == "__main__":
    main()
