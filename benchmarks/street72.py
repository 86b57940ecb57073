"""Make the bundled model street72: ``python -m benchmarks.street72 STEP --home FOLDER`` in the project folder.

Steps, each of which can be repeated:

prepare
    Import the photos of three worlds (shop, web and phone) into one dataset, apply the decisions in
    ``mended_labels.csv``, find near-duplicates across all worlds and split the photos by near-duplicate group. Photos
    of street22 keep its split, so that both models can be compared on photos that neither was trained on.
train
    Train with the project's own command, and resume it if it was interrupted.

Needs ``SOLESCOPE_REAL_DATA``, the folder with sneakers40, sneakers50, phone, other_footwear, other_things and
not_sneakers, and for ``train`` a file of ImageNet weights (``--init``).
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

import pandas as pd

from benchmarks.corrected_labels import AUTHOR, DECISIONS
from sneaker_core.datasets.dataset_collection import find_dataset, find_or_create
from sneaker_core.datasets.index import Dataset, read_provenance, read_samples, set_fact
from sneaker_core.datasets.quality.findings import read_near_duplicate_groups
from sneaker_core.datasets.quality.scan import scan
from sneaker_core.datasets.review_log import Action, decide, history
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.datasets.split import Split, read_split, split_by_group
from sneaker_core.networks.model_registry import find_model, open_model

NAME = "street72 photos"
# Folder -> what its photos are like.
WORLDS = {"sneakers40": "shop", "sneakers50": "web", "phone": "phone"}
NEGATIVES = ("not_sneakers", "other_things", "other_footwear")
VAL_SHARE, TEST_SHARE, SEED = 0.08, 0.10, 0
SETTINGS = {
    "network": "efficientnet_lite0",
    "size": 176,
    "small_size": 144,
    "small_share": 0.6,
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


def worlds_of(dataset: Dataset) -> pd.Series:
    """The world of each photo, by sample; a photo of two worlds counts as the first of `WORLDS`."""
    provenance = read_provenance(dataset)
    # A source reads "folder /path/to/sneakers40".
    folders = provenance["source"].map(lambda source: Path(source).name)
    order = {folder: place for place, folder in enumerate(WORLDS)}
    first = folders.map(order).groupby(provenance["sample"]).min()
    return first.map(dict(enumerate(WORLDS.values())))


def prepare(home: Path) -> None:
    """Import, correct, compare and split the photos; copy the negatives into one folder."""
    dataset = find_or_create(home, NAME)
    for folder in WORLDS:
        result = import_photos(dataset, real_data() / folder)
        print(f"{folder}: {result}"[:300], flush=True)
    present = set(read_samples(dataset)["sample"])
    rows = pd.read_csv(DECISIONS, dtype=str).fillna("").loc[lambda table: table["sample"].isin(present)]
    decided = len(history(dataset)) > 0
    for action, label in () if decided else rows[["action", "label"]].drop_duplicates().to_numpy(dtype=str):
        group = rows[(rows["action"] == action) & (rows["label"] == label)]
        decide(dataset, list(group["sample"]), Action(action), label or None, author=AUTHOR)
    scan(dataset, open_model(home, "street22"))
    split_photos(home, dataset)
    for folder in NEGATIVES:
        shutil.copytree(real_data() / folder, negatives_folder(home) / folder, dirs_exist_ok=True)


def negatives_folder(home: Path) -> Path:
    """Photos of anything but the 72 models."""
    return home / "negatives"


def split_photos(home: Path, dataset: Dataset) -> None:
    """Store the split: that of street22 for its photos, and a new one, for each class and world, for the others."""
    photos = read_samples(dataset).loc[lambda rows: ~rows["excluded"]].reset_index(drop=True)
    groups = read_near_duplicate_groups(dataset)
    alone = pd.Series(range(len(photos))) + int(groups.max()) + 1
    group = photos["sample"].map(groups).fillna(alone).astype("int64")
    world = photos["sample"].map(worlds_of(dataset))
    # A group with photos of two worlds stays in training, as one with two labels does.
    split = split_by_group(world + " " + photos["label"], group, VAL_SHARE, TEST_SHARE, SEED)
    earlier = read_split(find_model(home, "street22")).drop_duplicates("sample").set_index("sample")["split"]
    kept = photos["sample"].map(earlier)
    by_group = kept.groupby(group).agg(lambda values: Split.TRAIN if (values == Split.TRAIN).any() else values.max())
    final = group.map(by_group).fillna(split)
    with dataset.changing() as db:
        db.execute("UPDATE samples SET split = NULL")
        db.executemany("UPDATE samples SET split = ? WHERE sample = ?", zip(final, photos["sample"], strict=True))
        set_fact(db, "split", {"kind": "made", "val_share": VAL_SHARE, "test_share": TEST_SHARE, "seed": SEED})
    print(pd.crosstab(world, final).to_string(), flush=True)


def train_command(home: Path, run: str, init: str, settings: dict[str, str]) -> list[str]:
    """The command that trains, or resumes, the run."""
    find_dataset(home, NAME)
    values = {**SETTINGS, **settings}
    plain = [f"--{name}={values.pop(name)}" for name in ("network", "size", "batch")]
    changes = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    resume = ["--resume"] if (home / "runs" / run / "run.json").exists() else []
    start = [sys.executable, "-m", "sneaker_core", "--workspace", str(home), "train", NAME, "--recipe", "finetune"]
    return [*start, *plain, *changes, "--init", init, "--negatives", str(negatives_folder(home)), "--run", run, *resume]


def main() -> None:
    """Carry out one step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("prepare", "train"))
    parser.add_argument("--home", type=Path, required=True, help="workspace")
    parser.add_argument("--run", default="street72")
    parser.add_argument("--init", default="imagenet")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change a setting")
    asked = parser.parse_args()
    if asked.step == "prepare":
        prepare(asked.home)
    else:
        settings = dict(text.split("=", 1) for text in asked.set)
        command = train_command(asked.home, asked.run, asked.init, settings)
        os.execv(command[0], command)


if __name__ == "__main__":
    main()
