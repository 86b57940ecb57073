"""Teach a model sneakers that it has never seen: ``python -m benchmarks.teach --model FOLDER --workspace DIR``.

Draws classes of a dataset that the model doesn't know and that have enough test photos, and a few training photos
of each; teaches them to the model; and measures it on the test photos of these classes and of those that it
was trained on. Repeated with several seeds. Each photo is embedded once.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.datasets.dataset_collection import open_samples
from sneaker_core.evaluation.photo_uses import photo_uses
from sneaker_core.evaluation.prediction_table import read_outputs
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.decision import Floats, ood_score
from sneaker_core.networks.imprinting import head_outputs
from sneaker_core.training.taught_model import TaughtSneaker, read_taught

# Photos per class, so that there are at most 1,500.
TEST, TRAIN, KNOWN_TEST = 15, 25, 22


def drawn_photos(model: SneakerModel, folder: Path, samples: pd.DataFrame) -> pd.DataFrame:
    """The photos to embed, with a column "kind": test or train photos of new classes, or test photos of known ones."""
    known = samples["label"].isin(model.spec.classes)
    # Validation photos of a new class have had no part in the model either.
    test = (samples["split"] == "test") | (samples["split"] == "val") & ~known
    train = samples["split"] == "train"
    enough = samples[test & ~known]["label"].value_counts()
    new = samples["label"].isin(enough[enough >= TEST].index)
    unused = photo_uses(samples["sample"], folder) == ""
    drawn = (
        ("test", samples[new & test], TEST),
        ("train", samples[new & train], TRAIN),
        ("known", samples[known & test & unused], KNOWN_TEST),
    )
    parts = [
        own.sample(min(most, len(own)), random_state=0).assign(kind=kind)
        for kind, part, most in drawn
        for _, own in part.groupby("label")
    ]
    return pd.concat(parts, ignore_index=True)


def measured(
    folder: Path, photos: pd.DataFrame, embeddings: Floats, seeds: int, count: int, shown: int
) -> pd.DataFrame:
    """A row per seed: accuracies and refusals with `count` new classes of `shown` photos each."""
    base = read_taught(folder)
    classes = base.model.spec.classes
    known = (photos["kind"] == "known").to_numpy()
    before = (_answers(base.model, embeddings[known]) == photos["label"][known]).mean()
    names = np.unique(photos.loc[~known, "label"].astype(str))
    rows = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        chosen = rng.choice(names, count, replace=False)
        sneakers = []
        for name in chosen:
            places = np.flatnonzero((photos["label"] == name) & (photos["kind"] == "train"))
            own = rng.choice(places, shown, replace=False)
            sneakers.append(TaughtSneaker(str(name), tuple(photos["sample"][own]), embeddings[own]))
        model = base.taught(sneakers)
        test = (photos["label"].isin(chosen) & (photos["kind"] == "test")).to_numpy()
        answers, truth = _answers(model, embeddings[test]), photos["label"][test].to_numpy()
        scores = ood_score(head_outputs(model, embeddings[test]), model.references, model.spec.decision)
        rows.append(
            {
                "new": (answers == truth).mean(),
                "new taken for another new": ((answers != truth) & ~np.isin(answers, classes)).mean(),
                "new refused": (scores > model.spec.decision.ood_threshold).mean(),
                "known before": before,
                "known after": (_answers(model, embeddings[known]) == photos["label"][known]).mean(),
            }
        )
    return pd.DataFrame(rows)


def _answers(model: SneakerModel, embeddings: Floats) -> NDArray[np.object_]:
    """The most probable class of each photo."""
    classes: NDArray[np.object_] = np.array(model.spec.classes, dtype=object)
    return np.asarray(classes[head_outputs(model, embeddings).logits.argmax(1)])


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--dataset", default="street72 photos")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--classes", type=int, nargs="+", default=[1, 3, 10], help="How many are taught at once.")
    parser.add_argument("--photos", type=int, default=5, help=f"Photos that each is taught with, at most {TRAIN}.")
    parser.add_argument("--embeddings", type=Path, help="File to keep the embeddings in for another run.")
    given = parser.parse_args()
    model = read_taught(given.model).model
    samples = open_samples(given.workspace, given.dataset)
    photos = drawn_photos(model, given.model, samples[samples["label"].notna()])
    if given.embeddings is not None and given.embeddings.exists():
        stored = np.load(given.embeddings)
        photos = photos.set_index("sample").loc[stored["samples"]].reset_index()
        embeddings = stored["embeddings"]
    else:
        outputs, rejected = read_outputs(model, list(photos["path"]))
        photos, embeddings = photos[~photos["path"].isin(rejected)].reset_index(drop=True), outputs.embeddings
        if given.embeddings is not None:
            np.savez(given.embeddings, samples=photos["sample"].to_numpy(str), embeddings=embeddings)
    print(f"{len(photos)} photos, {given.seeds} seeds, taught with {given.photos} each\n")
    for row, count in enumerate(given.classes):
        table = measured(given.model, photos, embeddings, given.seeds, count, given.photos)
        if not row:
            print(f"| new classes | {' | '.join(map(str, table.columns))} |\n|{' --- |' * (len(table.columns) + 1)}")
        cells = (f"{table[one].mean():.3f} ({table[one].min():.3f} to {table[one].max():.3f})" for one in table)
        print(f"| {count} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
