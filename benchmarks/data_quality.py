"""Measure what the scan finds and what cleaning gains: ``python -m benchmarks.data_quality`` in the project folder.

Needs ``SOLESCOPE_REAL_DATA`` (a folder with ``sneakers40/<class>/*``) and, for the last part, ImageNet weights of
MobileNetV2 as a safetensors file, named by ``SOLESCOPE_IMAGENET``. ``--keep FOLDER`` keeps the datasets and continues
an earlier run.
"""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np

from sneaker_core.datasets.class_balance import stats
from sneaker_core.datasets.dataset_collection import find_or_create
from sneaker_core.datasets.dataset_split import make_split
from sneaker_core.datasets.importer import Importer, IncomingPhoto
from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.photo_folder import read_labeled_folder
from sneaker_core.datasets.quality.findings import Kind, read_findings, read_near_duplicate_groups
from sneaker_core.datasets.quality.scan import scan
from sneaker_core.datasets.quality.suggestions import apply_suggestions, suggested_decisions
from sneaker_core.datasets.review_log import Action, decide, undo
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.datasets.split import Split
from sneaker_core.datasets.synthetic.demo_dataset import make_synthetic, read_planted
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.checkpoint import SneakerModel, read_spec
from sneaker_core.networks.model_registry import open_model
from sneaker_core.training.recipe import make_recipe
from sneaker_core.training.train_model import train
from sneaker_core.workspace.paths import runs_folder

MISLABELED = 0.05
# The classes of street22, the first bundled model.
STREET22 = (
    *(f"Air Jordan {number}" for number in range(1, 15)),
    *("Nike Air Force 1", "Nike Air Max 1", "Nike Air Max 90", "Nike Air Max 95"),
    *("adidas NMD R1", "adidas Ultraboost", "adidas Yeezy 350", "adidas Yeezy 500"),
)
JORDAN10 = [f"Air Jordan {number}" for number in range(1, 11)]
# Classes that the bundled model was not trained on: representative of other people's photos.
NEW_TO_MODEL = [f"Air Jordan {number}" for number in (*range(15, 24), 2009, 2010, 2011, 2012, *range(28, 33))]
SEEDS = (0, 1, 2)


def real_photos() -> Path:
    folder = os.environ.get("SOLESCOPE_REAL_DATA")
    if not folder:
        raise SystemExit("Set SOLESCOPE_REAL_DATA to a folder with sneakers40/<class>/*.")
    return Path(folder) / "sneakers40"


def imported(workspace: Path, name: str, classes: list[str], wrong_labels_seed: int | None = None) -> Dataset:
    """Import some classes; with a seed, 5% of the photos get the label of another class."""
    dataset = find_or_create(workspace, name)
    rows = read_labeled_folder(real_photos(), classes)
    labels = rows["label"].tolist()
    if wrong_labels_seed is not None:
        rng = np.random.default_rng(wrong_labels_seed)
        for position in rng.choice(len(labels), round(MISLABELED * len(labels)), replace=False):
            labels[position] = rng.choice([label for label in classes if label != labels[position]])
    with Importer(dataset, "benchmark") as importer:
        for path, true, label in zip(rows["path"], rows["label"], labels, strict=True):
            # The name records the original label.
            importer.add(IncomingPhoto(f"{true}/{Path(path).name}", label, Path(path).read_bytes()))
    return dataset


def scanned(dataset: Dataset, model: SneakerModel) -> Dataset:
    if (dataset.fact("scan") or {}).get("photos") != len(read_samples(dataset)):
        scan(dataset, model)
    return dataset


def whole_collection(workspace: Path, model: SneakerModel) -> None:
    dataset = find_or_create(workspace, "sneakers40")
    result = import_photos(dataset, real_photos())
    values = stats(scanned(dataset, model))
    print("## All photos\n\n| what | count |\n| --- | --- |")
    print(f"| files | {result.files} |\n| photos | {values['photos']} |\n| rejected | {values['rejects']} |")
    print(f"| exact duplicates (same bytes, stored once) | {values['exact_duplicates']} |")
    print(f"| … of them with two labels | {values['exact_under_two_labels']} |")
    print(f"| photos with a near-duplicate | {values['near_duplicates']} |")
    for kind, count in values["findings"].items():
        print(f"| {kind} | {count} |")


def planted_labels(workspace: Path, model: SneakerModel, name: str, classes: list[str], seed: int) -> None:
    """Measure how many planted wrong labels are found, before any review of the original ones."""
    dataset = scanned(imported(workspace, f"{name}-wrong-labels-{seed}", classes, seed), model)
    samples = read_samples(dataset).set_index("sample")
    planted = samples.index[samples["name"].str.rpartition("/")[0] != samples["original_label"]]
    findings = read_findings(dataset)
    suspected = findings[findings["kind"] == Kind.WRONG_LABEL].set_index("sample")
    hits = suspected.index.intersection(planted)
    right = (suspected.loc[hits, "suggestion"] == samples.loc[hits, "name"].str.rpartition("/")[0]).mean()
    print(
        f"| {name}, seed {seed} | {len(samples)} | {len(planted)} | {len(suspected)} | {len(hits) / len(planted):.3f} "
        f"| {len(hits) / max(len(suspected), 1):.3f} | {right:.3f} |"
    )


def synthetic(workspace: Path, model: SneakerModel) -> None:
    dataset = find_or_create(workspace, "drawn")
    make_synthetic(dataset)
    scanned(dataset, model)
    planted = read_planted(dataset)
    groups, samples = read_near_duplicate_groups(dataset), read_samples(dataset).set_index("name")["sample"]
    copies = planted[planted["flaw"] == "near_duplicate"]
    pairs = list(zip(copies["sample"], samples[copies["copy_of"]], strict=True))
    found = sum(groups[copy] == groups[original] for copy, original in pairs)
    members = set(groups.index[groups.duplicated(keep=False)])
    false = members - {sample for pair in pairs for sample in pair}
    print(f"\n## The synthetic dataset: {len(samples)} photos\n")
    print(
        f"Near-duplicates: {found} of {len(pairs)} planted found; {len(false)} of {len(members)} photos in groups "
        "are false positives.\n"
    )
    print("| flaw | planted | found | findings that were planted |\n| --- | --- | --- | --- |")
    findings = read_findings(dataset)
    for flaw in sorted(set(planted["flaw"]) & set(Kind) - {Kind.NEAR_DUPLICATE}):
        there = set(planted.loc[planted["flaw"] == flaw, "sample"])
        seen = set(findings.loc[findings["kind"] == flaw, "sample"])
        print(f"| {flaw} | {len(there)} | {len(there & seen)} | {len(there & seen)} of {len(seen)} |")


def cleaning(
    workspace: Path, model: SneakerModel, name: str, classes: list[str], wrong_labels_seed: int | None
) -> None:
    """Run the same quick training before and after cleaning; test photos and their labels stay the same."""
    weights = os.environ.get("SOLESCOPE_IMAGENET")
    if not weights:
        print("Set SOLESCOPE_IMAGENET to measure what cleaning gains.")
        return
    dataset = scanned(imported(workspace, name, classes, wrong_labels_seed), model)
    make_split(dataset, 0.15, 0.15)
    samples = read_samples(dataset).set_index("sample")
    tested = samples.index[samples["split"] == Split.TEST]
    if wrong_labels_seed is not None:
        # Test photos get their original labels back before both trainings.
        for label, rows in samples.loc[tested].groupby(samples.loc[tested, "name"].str.rpartition("/")[0]):
            decide(dataset, list(rows.index), Action.RELABEL, str(label))
    figures = {"before": accuracies(workspace, dataset, weights, "before")}
    suggested = suggested_decisions(dataset)
    suggested = suggested[~suggested["sample"].isin(tested)]
    batch = apply_suggestions(dataset, suggested)
    figures["after"] = accuracies(workspace, dataset, weights, "after")
    undo(dataset, batch)
    count = suggested["action"].value_counts()
    print(
        f"| {name} | {len(samples)} | {len(tested)} | {count.get(Action.RELABEL, 0)} | {count.get(Action.EXCLUDE, 0)} "
        f"| {figures['before']} | {figures['after']} |",
        flush=True,
    )


def accuracies(workspace: Path, dataset: Dataset, weights: str, when: str) -> str:
    """Return the test accuracy of quick trainings: mean over seeds (smallest to largest)."""
    top1 = []
    for seed in SEEDS:
        run = runs_folder(workspace) / f"{dataset.folder.name}-{when}-{seed}"
        if not (run / "model").exists():
            train(dataset.name, make_recipe("quick", {"init": weights, "seed": seed}), run, workspace)
        top1.append(read_spec(run / "model").metrics["test"]["top1"])
    return f"{np.mean(top1):.3f} ({min(top1):.3f} to {max(top1):.3f})"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", type=Path, help="keep the workspace in this folder, and continue there")
    kept = parser.parse_args().keep
    with tempfile.TemporaryDirectory() as temporary:
        workspace = kept or Path(temporary)
        model = open_model(workspace, DEFAULT_MODEL)
        synthetic(workspace, model)
        print("\n## Wrong labels planted among real photos\n")
        print("| photos | count | planted | suspected | recall | precision | right suggestion |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for seed in SEEDS:
            planted_labels(workspace, model, "jordan10", JORDAN10, seed)
        planted_labels(workspace, model, "new to the model", NEW_TO_MODEL, 0)
        print("\n## What cleaning gains\n")
        print("| photos | count | test | relabeled | excluded | top-1 before | top-1 after |")
        print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
        cleaning(workspace, model, "jordan10-natural", JORDAN10, None)
        cleaning(workspace, model, "jordan10-wrong-labels-0", JORDAN10, 0)
        print()
        whole_collection(workspace, model)


if __name__ == "__main__":
    main()
