"""What batch norm and augmentation give a small network: ``python -m benchmarks.sneaker_cnn_study --home FOLDER``.

``sneaker_cnn`` and ``sneaker_cnn_plain`` (without batch norm) are trained from random weights on ten classes of
sneakers50, without and with augmentation. Each of these rows gets the same search for its learning rate: a short
training with each rate, of which the one with the best validation accuracy is kept. It is then trained with three
seeds, each with its own split, until validation accuracy has not improved for `PATIENCE` epochs, `EPOCHS` at most.
Finished trainings are kept in FOLDER, so an interrupted study continues. Needs ``SOLESCOPE_REAL_DATA``.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sneaker_core.evaluation.worlds import Share
from sneaker_core.training.recipe import make_recipe
from sneaker_core.training.run_metrics import METRICS_FILE
from sneaker_core.training.train_model import train
from sneaker_core.workspace.paths import PREDICTIONS_FILE

CLASSES = 10
ROWS = (
    ("sneaker_cnn_plain", "none"),
    ("sneaker_cnn_plain", "standard"),
    ("sneaker_cnn", "none"),
    ("sneaker_cnn", "standard"),
)
RATES = (1e-4, 3e-4, 1e-3, 3e-3)
SEARCH_EPOCHS, EPOCHS, PATIENCE = 10, 60, 12
SEEDS = (0, 1, 2)
SHARES = {"val_share": 0.1, "test_share": 0.2}


def real_photos() -> Path:
    """The folder with sneakers50's classes."""
    return Path(os.environ["SOLESCOPE_REAL_DATA"]) / "sneakers50"


def classes() -> list[str]:
    """The ten classes in the middle by number of photos, so that none is tiny and the study stays short."""
    sizes = {folder.name: sum(1 for _ in folder.iterdir()) for folder in real_photos().iterdir() if folder.is_dir()}
    order = sorted(sizes, key=lambda name: (sizes[name], name))
    first = (len(order) - CLASSES) // 2
    return sorted(order[first : first + CLASSES])


def trained(home: Path, network: str, augmentation: str, rate: float, seed: int, epochs: int) -> Path:
    """The folder of a finished training, which is made if it doesn't exist yet."""
    folder = home / f"{network} {augmentation} {rate:g} {seed} {epochs}"
    if not (folder / PREDICTIONS_FILE).exists():
        changes: dict[str, Any] = {
            **SHARES,
            "network": network,
            "augmentation": augmentation,
            "learning_rate": rate,
            "seed": seed,
            "epochs": epochs,
            "patience": PATIENCE if epochs == EPOCHS else 0,
        }
        resume = (folder / "run.json").exists()
        train(real_photos(), make_recipe("scratch", changes), folder, home, only=classes(), resume=resume)
    return folder


def metrics_of(folder: Path) -> pd.DataFrame:
    """The metrics of all epochs."""
    lines = (folder / METRICS_FILE).read_text(encoding="utf-8").splitlines()
    return pd.DataFrame([json.loads(line) for line in lines])


def best_rate(home: Path, network: str, augmentation: str) -> float:
    """The learning rate with the best validation accuracy after a short training."""
    found = {}
    for rate in RATES:
        metrics = metrics_of(trained(home, network, augmentation, rate, SEEDS[0], SEARCH_EPOCHS))
        found[rate] = float(metrics["val_top1"].max())
    print(
        f"{network}, {augmentation}: " + ", ".join(f"{rate:g}: {top1:.3f}" for rate, top1 in found.items()), flush=True
    )
    return max(found, key=lambda rate: found[rate])


def main() -> None:
    """Print a line per training, and a Markdown table of all rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True)
    home = parser.parse_args().home
    print("Classes: " + ", ".join(classes()), flush=True)
    table = []
    for network, augmentation in ROWS:
        rate = best_rate(home, network, augmentation)
        hits, accuracies, epochs = [], [], []
        for seed in SEEDS:
            folder = trained(home, network, augmentation, rate, seed, EPOCHS)
            tested = pd.read_parquet(folder / PREDICTIONS_FILE)
            hits.append((tested["label"] == tested["predicted"]).to_numpy())
            accuracies.append(float(hits[-1].mean()))
            epochs.append(len(metrics_of(folder)))
            print(
                f"  seed {seed}: top-1 {accuracies[-1]:.3f} on {len(tested)} photos after {epochs[-1]} epochs",
                flush=True,
            )
        together = Share.of(np.concatenate(hits))
        seeds = ", ".join(f"{accuracy:.3f}" for accuracy in accuracies)
        cells = (
            network,
            augmentation,
            f"{rate:g}",
            seeds,
            f"{together.value:.3f}",
            together.interval_text,
            f"{np.mean(epochs):.0f}",
        )
        table.append(f"| {' | '.join(cells)} |")
    print("| network | augmentation | learning rate | test top-1 of each seed | mean | 95% interval | epochs |")
    print("\n".join(["| --- | --- | --- | --- | --- | --- | --- |", *table]))


if __name__ == "__main__":
    main()
