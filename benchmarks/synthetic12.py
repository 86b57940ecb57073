"""Make the bundled model synthetic12: ``python -m benchmarks.synthetic12 --init FILE --out FOLDER``.

Draws the synthetic dataset and things that are no shoes, and trains on them with the planted flaws. Temperature and
thresholds are fitted to the validation photos under their true names: with the planted wrong ones, no threshold would
reach the accuracy that "known" promises. Then the test photos, wrong names included, are evaluated, and the model is
written with its evaluation. The photos are not stored: their names and the seed are, so that they can be drawn again.
FILE holds ImageNet weights of MobileNetV2.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from sneaker_core.datasets.dataset_collection import create_dataset, find_dataset, open_samples
from sneaker_core.datasets.index import read_samples
from sneaker_core.datasets.photo_folder import read_negatives
from sneaker_core.datasets.split import Split, read_split, write_split
from sneaker_core.datasets.synthetic.demo_dataset import make_synthetic, read_planted
from sneaker_core.datasets.synthetic.negatives import draw_negative
from sneaker_core.evaluation.evaluation_job import evaluate, keep_with_model
from sneaker_core.networks.checkpoint import load_model, save_model, with_spec
from sneaker_core.records.evaluation_records import SyntheticRecord
from sneaker_core.training.model_calibration import calibrate_and_evaluate
from sneaker_core.training.recipe import make_recipe
from sneaker_core.training.train_model import train
from sneaker_core.workspace.paths import run_model_folder, runs_folder

PLAN = SyntheticRecord(per_class=100, seed=12)
DATASET, NEGATIVES, MOST_NEGATIVES = "drawn", "negatives", 150
SETTINGS = {"size": 160, "small_size": 128, "small_share": 0.6, "epochs": 6, "val_share": 0.1, "test_share": 0.2}


def make_model(home: Path, init: str, out: Path) -> None:
    """Train in a workspace and write the model with its evaluation."""
    draw(home)
    run = runs_folder(home) / out.name
    train(DATASET, make_recipe("finetune", {"init": init, **SETTINGS}), run, home, negatives=home / NEGATIVES)
    finish(home, run_model_folder(run), out)


def draw(home: Path) -> None:
    """Draw the dataset and the negatives in a workspace."""
    make_synthetic(create_dataset(home, DATASET), PLAN.per_class, PLAN.seed)
    (home / NEGATIVES).mkdir()
    for number in range(MOST_NEGATIVES):
        draw_negative(np.random.default_rng([PLAN.seed, number])).save(home / NEGATIVES / f"{number}.jpg")


def finish(home: Path, trained: Path, out: Path) -> None:
    """Calibrate a trained model, evaluate it and write it with its evaluation."""
    dataset, model, used = find_dataset(home, DATASET), load_model(trained), read_split(trained)
    split = used[["sample", "split"]].drop_duplicates("sample")
    planted = read_planted(dataset).dropna(subset="true_label").drop_duplicates("sample").set_index("sample")
    labeled = open_samples(home, DATASET).drop(columns="split").merge(split, on="sample")
    is_val = labeled["split"] == Split.VAL
    truth = labeled["sample"].map(planted["true_label"]).fillna(labeled["label"])
    labeled["label"] = truth.where(is_val, labeled["label"])
    negatives = read_negatives(home / NEGATIVES).merge(split, on="sample")
    photos, others = ({part: rows[rows["split"] == part] for part in Split} for rows in (labeled, negatives))
    done = calibrate_and_evaluate(model, photos, others, int(model.spec.recipe.get("seed", 0))).model
    save_model(with_spec(done, name=out.name), out)
    write_split(out, used)
    names = dict(read_samples(dataset)[["sample", "name"]].to_numpy(dtype=str).tolist())
    keep_with_model(evaluate(out, DATASET, home, Split.TEST), out, PLAN, names)
    print({key: done.spec.metrics["test"][key] for key in ("n", "top1", "top3", "ece")}, done.spec.decision)


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
