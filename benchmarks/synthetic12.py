"""Make the bundled model synthetic12: ``python -m benchmarks.synthetic12 --init FILE --out FOLDER``.

Draws the synthetic dataset and things that are no shoes, trains on them with the planted flaws, evaluates the test
photos and writes the model with its evaluation. The photos are not stored: their names and the seed are, so that they
can be drawn again. FILE holds ImageNet weights of MobileNetV2.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from sneaker_core.datasets.dataset_collection import create_dataset
from sneaker_core.datasets.index import read_samples
from sneaker_core.datasets.split import Split, read_split, write_split
from sneaker_core.datasets.synthetic.demo_dataset import make_synthetic
from sneaker_core.datasets.synthetic.negatives import draw_negative
from sneaker_core.evaluation.evaluation_job import evaluate, keep_with_model
from sneaker_core.networks.checkpoint import load_model, save_model, with_spec
from sneaker_core.records.evaluation_records import SyntheticRecord
from sneaker_core.training.recipe import make_recipe
from sneaker_core.training.train_model import train
from sneaker_core.workspace.paths import run_model_folder, runs_folder

PLAN = SyntheticRecord(per_class=100, seed=12)
DATASET, NEGATIVES = "drawn", 150
SETTINGS = {"size": 160, "small_size": 128, "small_share": 0.6, "epochs": 6, "val_share": 0.1, "test_share": 0.2}


def make_model(home: Path, init: str, out: Path) -> None:
    """Train in a workspace and write the model with its evaluation."""
    dataset = create_dataset(home, DATASET)
    make_synthetic(dataset, PLAN.per_class, PLAN.seed)
    negatives, run = home / "negatives", runs_folder(home) / out.name
    negatives.mkdir()
    for number in range(NEGATIVES):
        draw_negative(np.random.default_rng([PLAN.seed, number])).save(negatives / f"{number}.jpg")
    recipe = make_recipe("finetune", {"init": init, **SETTINGS})
    metrics = train(DATASET, recipe, run, home, negatives=negatives)
    folder = run_model_folder(run)
    save_model(with_spec(load_model(folder), name=out.name), out)
    write_split(out, read_split(folder))
    names = dict(read_samples(dataset)[["sample", "name"]].to_numpy(dtype=str).tolist())
    keep_with_model(evaluate(out, DATASET, home, Split.TEST), out, PLAN, names)
    print({key: metrics["test"][key] for key in ("n", "top1", "top3", "ece")}, metrics.get("negatives"))


def main() -> None:
    """Make the model in a temporary workspace."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--init", required=True, help="file of ImageNet weights")
    parser.add_argument("--out", type=Path, required=True, help="folder of the finished model, named as the model")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        make_model(Path(home), asked.init, asked.out)


if __name__ == "__main__":
    main()
