"""Compare two starts on sneakers that neither has seen: ``python -m benchmarks.better_start RUN --home FOLDER``.

FOLDER is the workspace that ``benchmarks.street72 prepare`` has made, and RUN was trained there without some of its
classes (``benchmarks.street72 train --without``). The quick recipe learns those classes from RUN's backbone, and from
ImageNet weights of the same network (``--imagenet FILE``); the split is the dataset's own. With ``--photos N`` only the
first N training photos of each class are used, as if somebody had no more. Intervals are those of the first seed: the
others are tested on the same photos.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.street72 import NAME
from sneaker_core.datasets.dataset_collection import open_samples
from sneaker_core.datasets.split import Split
from sneaker_core.evaluation.worlds import Share
from sneaker_core.networks.checkpoint import load_model
from sneaker_core.networks.model_registry import find_model
from sneaker_core.training.recipe import make_recipe
from sneaker_core.training.train_model import train
from sneaker_core.workspace.paths import PREDICTIONS_FILE

SEEDS = (0, 1, 2)


def link_photos(home: Path, classes: list[str], most: int, folder: Path) -> Path:
    """Make a folder of links to the photos of some classes, laid out as train|val|test/<class>/*."""
    photos = open_samples(home, NAME)
    photos = photos[photos["label"].isin(classes)]
    few = photos["split"].eq(Split.TRAIN) & (photos.groupby(["label", "split"]).cumcount() >= most)
    for split, label, path in photos.loc[~few, ["split", "label", "path"]].itertuples(index=False):
        target = folder / str(split) / str(label) / Path(path).name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(Path(path).resolve())
    return folder


def hits(home: Path, photos: Path, network: str, init: str, seed: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """For each test photo, whether the model trained from that start is right."""
    with tempfile.TemporaryDirectory() as folder:
        recipe = make_recipe("quick", {"network": network, "init": init, "seed": seed})
        train(photos, recipe, Path(folder) / "run", home)
        tested = pd.read_parquet(Path(folder) / "run" / PREDICTIONS_FILE)
    return (tested["label"] == tested["predicted"]).to_numpy()


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--imagenet", type=Path, required=True, metavar="FILE")
    parser.add_argument("--photos", type=int, nargs="*", default=[5, 20, 1000])
    asked = parser.parse_args()
    spec = load_model(find_model(asked.home, asked.run)).spec
    unseen = sorted(set(open_samples(asked.home, NAME)["label"]) - set(spec.classes))
    print(f"{len(unseen)} classes that {asked.run} never saw: {', '.join(unseen)}\n")
    print("| training photos per class | start | test top-1 of each seed | mean | 95% interval |")
    print("| --- | --- | --- | --- | --- |")
    for most in asked.photos:
        with tempfile.TemporaryDirectory() as folder:
            photos = link_photos(asked.home, unseen, most, Path(folder))
            for start, init in ((f"backbone of {asked.run}", asked.run), ("ImageNet weights", str(asked.imagenet))):
                found = [hits(asked.home, photos, spec.network, init, seed) for seed in SEEDS]
                first = Share.of(found[0])
                seeds = ", ".join(f"{one.mean():.3f}" for one in found)
                print(
                    f"| {most if most < 1000 else 'all'} | {start} | {seeds} | {np.mean(found):.3f} | "
                    f"{first.interval_text} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
