"""Compare models on photos of several worlds: ``python -m benchmarks.world_results MODEL… --home FOLDER``.

FOLDER is the workspace that ``benchmarks.street72 prepare`` has made; each MODEL is a name, or a folder, such as a copy
of an earlier bundled model. Only photos that none of the models was trained or tuned on are used: the test photos of
sneakers, and the negatives that are in no model's training or validation split. Prints a Markdown table with 95%
intervals. ``--split val`` compares on validation photos instead, to choose between models.
"""

import argparse
from pathlib import Path

import pandas as pd

from benchmarks.data_quality import STREET22
from benchmarks.street72 import NAME, negatives_folder
from sneaker_core.datasets.dataset_collection import open_samples
from sneaker_core.datasets.photo_folder import read_negatives
from sneaker_core.datasets.photo_worlds import WORLD
from sneaker_core.datasets.split import Split, read_split
from sneaker_core.evaluation.prediction_table import evaluate_photos
from sneaker_core.evaluation.worlds import Share, WorldMetrics, world_metrics
from sneaker_core.networks.checkpoint import load_model
from sneaker_core.networks.model_registry import find_model

# Only these two models have phone photos: a network that looks at the scene would see them everywhere.
PHONE_MODELS = ("Nike Air Force 1", "Air Jordan 1")
OLD = "shop, the 22 models of street22"
_HEAD = ("photos of", "model", "photos", "top-1", "top-3", "refused", "right when named", "named", "ECE")


def photo_sets(home: Path, folders: list[Path], split: Split) -> pd.DataFrame:
    """The photos of all sets that no model has seen: columns sample, path, label, world (the set)."""
    splits = [read_split(folder) for folder in folders]
    seen = {sample for table in splits for sample in table.loc[table["split"] == Split.TRAIN, "sample"]}
    tuned = {sample for table in splits for sample in table.loc[table["split"] != split, "sample"]}
    photos = open_samples(home, NAME)
    photos = photos[(photos["split"] == split) & ~photos["sample"].isin(seen)]
    negatives = read_negatives(negatives_folder(home))
    unlabeled = pd.concat([table[table["label"].isna()] for table in splits])
    negatives = negatives[negatives["sample"].isin(unlabeled["sample"]) & ~negatives["sample"].isin(tuned)]
    kinds = negatives["footwear"].notna().map({True: "other footwear", False: "other things"})
    old = photos[photos["label"].isin(STREET22) & (photos[WORLD] == "shop")]
    sets = [old.assign(**{WORLD: OLD}), photos, negatives.assign(**{WORLD: kinds})]
    return pd.concat(sets, ignore_index=True)[["sample", "path", "label", WORLD]]


def cells(one: WorldMetrics) -> list[str]:
    """The figures of a set, with intervals."""
    if not one.known:
        return [str(one.photos), "", "", with_interval(one.refused), "", with_interval(one.named_unknown), ""]
    named = with_interval(one.named_unknown) if one.named_unknown.n else ""
    shares = [with_interval(share) for share in (one.top1, one.top3, one.refused, one.right_when_named)]
    return [str(one.known), *shares, named, f"{one.ece:.3f}"]


def with_interval(share: Share) -> str:
    """For example "0.934 (0.912 to 0.951)"."""
    return f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f})" if share.n else ""


def phone_model_shares(table: pd.DataFrame) -> str:
    """How often other sneakers are taken for the two that have phone photos, in each world."""
    others = table[~table["label"].isin(PHONE_MODELS) & table[WORLD].isin(("shop", "web"))]
    shares = others["predicted"].isin(PHONE_MODELS).groupby(others[WORLD])
    return ", ".join(f"{world} {with_interval(Share.of(hits.to_numpy()))}" for world, hits in shares)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--split", choices=(Split.VAL.value, Split.TEST.value), default=Split.TEST.value)
    asked = parser.parse_args()
    folders = [find_model(asked.home, name) for name in asked.models]
    photos = photo_sets(asked.home, folders, Split(asked.split))
    rows: list[list[str]] = []
    notes = []
    for folder in folders:
        model = load_model(folder)
        table, _ = evaluate_photos(model, photos)
        rows += [[one.world, model.spec.name, *cells(one)] for one in world_metrics(table)]
        notes.append(f"{model.spec.name}: {', '.join(PHONE_MODELS)} named for others: {phone_model_shares(table)}")
    for row in (_HEAD, ["---"] * len(_HEAD), *sorted(rows, key=lambda row: row[0])):
        print(f"| {' | '.join(row)} |")
    print("\n".join(notes))


if __name__ == "__main__":
    main()
