"""Make the bundled model street72: ``python -m benchmarks.street72 STEP --home FOLDER`` in the project folder.

Steps, each of which can be repeated:

prepare
    Import the photos of three worlds (shop, web and phone) into one dataset, apply the decisions in
    ``mended_labels.csv``, find near-duplicates across all worlds and split the photos by near-duplicate group. Photos
    of the bundled model keep its split, so that models can be compared on photos that neither was trained on.
prune
    Exclude training photos whose label is contradicted, by confident learning, on the embeddings of the pretrained
    weights (``--init``) and on those of a model (``--run``), if both suggest the same other label.
train
    Train with the project's own command, and resume it if it was interrupted. ``--without`` holds out classes, to
    measure how a model treats sneakers that it doesn't know.
finish
    Take the input size that is best on validation photos, fit thresholds and temperature to the validation photos of
    all worlds, evaluate the test photos, and write the model with its evaluation to ``--out``.

Needs ``SOLESCOPE_REAL_DATA``, the folder with sneakers40, sneakers50, phone, other_footwear, other_things and
not_sneakers, and for ``train`` a file of ImageNet weights (``--init``).
"""

import argparse
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.corrected_labels import AUTHOR, DECISIONS
from benchmarks.final_size import at_size
from sneaker_core.datasets.dataset_collection import find_dataset, find_or_create, open_samples
from sneaker_core.datasets.index import Dataset, read_samples, set_fact
from sneaker_core.datasets.photo_folder import read_negatives
from sneaker_core.datasets.photo_worlds import read_worlds
from sneaker_core.datasets.quality.findings import read_near_duplicate_groups
from sneaker_core.datasets.quality.label_errors import suspected_labels
from sneaker_core.datasets.quality.photo_embeddings import embed_photos
from sneaker_core.datasets.quality.scan import scan
from sneaker_core.datasets.review_log import Action, decide, history
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.datasets.split import Split, read_split, split_by_group, write_split
from sneaker_core.evaluation.evaluation_job import evaluate, keep_with_model
from sneaker_core.evaluation.prediction_table import evaluate_photos
from sneaker_core.evaluation.worlds import world_metrics
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.checkpoint import ModelSpec, SneakerModel, load_model, save_model
from sneaker_core.networks.model_registry import find_model, open_model
from sneaker_core.training.model_calibration import calibrate_and_evaluate
from sneaker_core.training.model_card import model_card
from sneaker_core.training.recipe import make_recipe
from sneaker_core.training.training_setup import build_pretrained

NAME = "street72 photos"
# Folder -> what its photos are like.
WORLDS = {"sneakers40": "shop", "sneakers50": "web", "phone": "phone"}
# Probability of the suggested label minus that of the given one, from which a label may be pruned.
LEAST_SCORE = 0.3
NEGATIVES = ("not_sneakers", "other_things", "other_footwear")
VAL_SHARE, TEST_SHARE, SEED = 0.08, 0.10, 0
SETTINGS = {
    "network": "efficientnet_lite0",
    "size": 176,
    "small_size": 128,
    "small_share": 0.7,
    "epochs": 11,
    "batch": 32,
    "learning_rate": 2e-3,
    "backbone_rate": 0.5,
    "ema_decay": 0.999,
    "class_balance_exponent": 0.6,
    "negatives_share": 0.08,
    "footwear_share": 0.08,
    "crop": 0.35,
    "color_jitter": 0.4,
    "background_swap": 0.35,
    "mixup": 0.2,
}


def real_data() -> Path:
    """The folder of real photos."""
    return Path(os.environ["SOLESCOPE_REAL_DATA"])


def prepare(home: Path) -> None:
    """Import, correct, compare and split the photos; copy the negatives into one folder."""
    dataset = find_or_create(home, NAME)
    for folder, world in WORLDS.items():
        result = import_photos(dataset, real_data() / folder, world=world)
        print(f"{folder}: {result}"[:300], flush=True)
    present = set(read_samples(dataset)["sample"])
    rows = pd.read_csv(DECISIONS, dtype=str).fillna("").loc[lambda table: table["sample"].isin(present)]
    decided = len(history(dataset)) > 0
    for action, label in () if decided else rows[["action", "label"]].drop_duplicates().to_numpy(dtype=str):
        group = rows[(rows["action"] == action) & (rows["label"] == label)]
        decide(dataset, list(group["sample"]), Action(action), label or None, author=AUTHOR)
    scan(dataset, open_model(home, DEFAULT_MODEL))
    split_photos(home, dataset)
    for folder in NEGATIVES:
        shutil.copytree(real_data() / folder, negatives_folder(home) / folder, dirs_exist_ok=True)


def negatives_folder(home: Path) -> Path:
    """Photos of anything but the 72 models."""
    return home / "negatives"


def split_photos(home: Path, dataset: Dataset) -> None:
    """Store the split: that of the bundled model for its photos, and a new one, by class and world, for the others."""
    photos = read_samples(dataset).loc[lambda rows: ~rows["excluded"]].reset_index(drop=True)
    groups = read_near_duplicate_groups(dataset)
    alone = pd.Series(range(len(photos))) + int(groups.max()) + 1
    group = photos["sample"].map(groups).fillna(alone).astype("int64")
    world = photos["sample"].map(read_worlds(dataset))
    # A group with photos of two worlds stays in training, as one with two labels does.
    split = split_by_group(world + " " + photos["label"], group, VAL_SHARE, TEST_SHARE, SEED)
    earlier = read_split(find_model(home, DEFAULT_MODEL)).drop_duplicates("sample").set_index("sample")["split"]
    kept = photos["sample"].map(earlier)
    by_group = kept.groupby(group).agg(lambda values: Split.TRAIN if (values == Split.TRAIN).any() else values.max())
    final = group.map(by_group).fillna(split)
    with dataset.changing() as db:
        db.execute("UPDATE samples SET split = NULL")
        db.executemany("UPDATE samples SET split = ? WHERE sample = ?", zip(final, photos["sample"], strict=True))
        set_fact(db, "split", {"kind": "made", "val_share": VAL_SHARE, "test_share": TEST_SHARE, "seed": SEED})
    print(pd.crosstab(world, final).to_string(), flush=True)


def prune(home: Path, init: str, run: str) -> None:
    """Exclude training photos with labels that two kinds of embeddings contradict."""
    dataset = find_dataset(home, NAME)
    photos = open_samples(home, NAME)
    photos = photos[photos["split"] == Split.TRAIN].reset_index(drop=True)
    groups = photos["sample"].map(read_near_duplicate_groups(dataset))
    groups = groups.fillna(pd.Series(-1 - np.arange(len(photos)))).astype("int64")
    found = []
    for model in (pretrained_model(home, init), open_model(home, run)):
        parts = list(embed_photos(model, list(photos["path"])))
        readable = np.concatenate([part.readable for part in parts])
        rows = photos.iloc[readable]
        suspected = suspected_labels(
            np.concatenate([part.vectors for part in parts]), rows["label"], groups.iloc[readable]
        )
        print(f"{model.spec.name}: {len(suspected)} labels contradicted", flush=True)
        found.append(suspected.loc[suspected["score"] >= LEAST_SCORE, "suggestion"])
    both = found[0].to_frame("one").join(found[1].rename("other"), how="inner")
    pruned = photos.loc[both.index[both["one"] == both["other"]], "sample"]
    decide(dataset, list(pruned), Action.EXCLUDE, None, author="confident learning")
    print(f"{len(pruned)} of {len(photos)} training photos excluded")


def pretrained_model(home: Path, init: str) -> SneakerModel:
    """The network with its pretrained weights and without a useful head, to embed photos."""
    recipe = make_recipe("finetune", {"network": SETTINGS["network"], "init": init, "size": SETTINGS["size"]})
    network, _ = build_pretrained(recipe, home)
    preprocessing = recipe.preprocessing(recipe.size)
    spec = ModelSpec("pretrained", recipe.network, ("a", "b"), False, preprocessing, recipe=recipe.to_dict())
    return SneakerModel(spec, network.eval(), np.zeros((1, network.embedding_size), np.float32))


def train_command(home: Path, run: str, init: str, settings: dict[str, str], without: list[str]) -> list[str]:
    """The command that trains, or resumes, the run; without the classes whose names start so."""
    labels = sorted(set(open_samples(home, NAME)["label"]))
    classes = [label for label in labels if not label.startswith(tuple(without))] if without else []
    values = {**SETTINGS, **settings}
    plain = [f"--{name}={values.pop(name)}" for name in ("network", "size", "batch")]
    changes = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    resume = ["--resume"] if (home / "runs" / run / "run.json").exists() else []
    start = [sys.executable, "-m", "sneaker_core", "--workspace", str(home), "train", NAME, "--recipe", "finetune"]
    only = [word for label in classes for word in ("--class", label)]
    rest = ["--init", init, "--negatives", str(negatives_folder(home)), "--run", run, *resume]
    return [*start, *plain, *changes, *only, *rest]


def photos_of(home: Path, folder: Path) -> tuple[dict[Split, pd.DataFrame], dict[Split, pd.DataFrame]]:
    """The photos of a model's split, and its negatives: split -> columns sample, path, label, world or footwear."""
    split = read_split(folder)[["sample", "split"]].drop_duplicates("sample")
    labeled = open_samples(home, NAME).drop(columns="split").merge(split, on="sample")
    negatives = read_negatives(negatives_folder(home)).merge(split, on="sample")
    by_split = [{part: rows[rows["split"] == part] for part in Split} for rows in (labeled, negatives)]
    return by_split[0], by_split[1]


def finish(home: Path, run: str, sizes: list[int], out: Path) -> None:
    """Choose the input size on validation photos, calibrate, evaluate and write the model."""
    folder = find_model(home, run)
    model, (labeled, negatives) = load_model(folder), photos_of(home, folder)
    model = replace(model, spec=replace(model.spec, name=out.name))
    accuracy = {}
    for size in sizes:
        table, _ = evaluate_photos(at_size(model, size), labeled[Split.VAL])
        worlds = world_metrics(table)
        accuracy[size] = float(np.mean([one.top1.value for one in worlds]))
        print(f"{size} px: " + ", ".join(f"{one.world} {one.top1.text}" for one in worlds), flush=True)
    best = at_size(model, max(accuracy, key=lambda size: accuracy[size]) if sizes else model.spec.preprocessing.height)
    done = calibrate_and_evaluate(best, labeled, negatives, int(model.spec.recipe.get("seed", 0))).model
    save_model(done, out)
    write_split(out, read_split(folder))
    keep_with_model(evaluate(out, NAME, home, Split.TEST), out)
    print(model_card(done.spec, {}))


def main() -> None:
    """Carry out one step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("prepare", "prune", "train", "finish"))
    parser.add_argument("--home", type=Path, required=True, help="workspace")
    parser.add_argument("--run", default="street72")
    parser.add_argument("--init", default="imagenet")
    parser.add_argument("--sizes", default="", help="input sizes to try when finishing, separated by commas")
    parser.add_argument("--out", type=Path, help="folder of the finished model")
    parser.add_argument(
        "--without", action="append", default=[], metavar="START", help="hold out the classes whose names start so"
    )
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change a setting")
    asked = parser.parse_args()
    if asked.step == "prepare":
        prepare(asked.home)
    elif asked.step == "prune":
        prune(asked.home, asked.init, asked.run)
    elif asked.step == "finish":
        finish(asked.home, asked.run, [int(size) for size in asked.sizes.split(",") if size], asked.out)
    else:
        settings = dict(text.split("=", 1) for text in asked.set)
        command = train_command(asked.home, asked.run, asked.init, settings, asked.without)
        os.execv(command[0], command)


if __name__ == "__main__":
    main()
