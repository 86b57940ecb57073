"""Compare scores that tell unknown things from known sneakers: ``python -m benchmarks.ood_scores MODEL --home FOLDER``.

FOLDER is the workspace that ``benchmarks.street72 prepare`` has made, and MODEL a run that was trained without some of
its classes (``benchmarks.street72 train --without``): what a model was trained on would flatter it. Three kinds of
unknown photos are told apart: sneakers of the classes that were held out, other footwear, and things. Thresholds are
set so that 3% of known validation sneakers are refused; the shares below are of test photos, and of all photos of the
classes that were held out. "Named" are answers that are neither refused nor unsure.

References
----------
Maximum softmax probability: Hendrycks and Gimpel (2017). Maximum logit: Hendrycks et al. (2022), Scaling
Out-of-Distribution Detection. Energy: Liu et al. (2020). k nearest neighbors: Sun et al. (2022). Relative Mahalanobis
distance: Ren et al. (2021), A Simple Fix to Mahalanobis Distance.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.street72 import NAME, photos_of
from sneaker_core.datasets.dataset_collection import open_samples
from sneaker_core.datasets.split import Split
from sneaker_core.evaluation.calibration import FALSE_REJECTION_RATE, fit_decision, fit_references
from sneaker_core.evaluation.prediction_table import read_outputs
from sneaker_core.networks.checkpoint import SneakerModel, load_model
from sneaker_core.networks.decision import (
    Outputs,
    embedding_distance,
    negatives_log_odds,
    ood_score,
    probabilities,
    unit_length,
)
from sneaker_core.networks.model_registry import find_model
from sneaker_core.training.model_calibration import validation_worlds

TRAINING_PER_CLASS = 100
NEIGHBORS = 5
Score = Callable[[Outputs], NDArray[np.float64]]


def read(model: SneakerModel, photos: pd.DataFrame) -> tuple[Outputs, NDArray[np.int64]]:
    """Outputs for photos, and the number of each photo's class; -1 if the model doesn't know it."""
    outputs, rejected = read_outputs(model, list(photos["path"]))
    number = {name: index for index, name in enumerate(model.spec.classes)}
    labels = photos.loc[~photos["path"].isin(rejected), "label"]
    return outputs, np.asarray(labels.map(number).fillna(-1), dtype=np.int64)


def relative_mahalanobis(train: Outputs, truth: NDArray[np.int64]) -> Score:
    """Squared Mahalanobis distance to the nearest class, minus that to all training photos together."""
    unit = unit_length(train.embeddings).astype(np.float64)
    means = np.stack([unit[truth == number].mean(0) for number in np.unique(truth)])
    within = np.linalg.pinv(np.cov((unit - means[truth]).T) + 1e-6 * np.eye(unit.shape[1]))
    around, overall = np.linalg.pinv(np.cov(unit.T) + 1e-6 * np.eye(unit.shape[1])), unit.mean(0)

    def score(outputs: Outputs) -> NDArray[np.float64]:
        own = unit_length(outputs.embeddings).astype(np.float64)
        # (x - m)' P (x - m) for all means at once.
        projected = own @ within
        squares = (projected * own).sum(1)[:, None] - 2 * projected @ means.T + ((means @ within) * means).sum(1)
        offset = own - overall
        return np.asarray(squares.min(1) - ((offset @ around) * offset).sum(1))

    return score


def scores_of(model: SneakerModel, train: Outputs, truth: NDArray[np.int64], validation: Outputs) -> dict[str, Score]:
    """All scores by name: higher means less like a known sneaker."""
    decision, references = model.spec.decision, model.references
    bank = unit_length(train.embeddings)

    def neighbors(outputs: Outputs) -> NDArray[np.float64]:
        near = np.partition(unit_length(outputs.embeddings) @ bank.T, -NEIGHBORS, axis=1)[:, -NEIGHBORS]
        return np.asarray(1 - near, dtype=np.float64)

    def energy(outputs: Outputs) -> NDArray[np.float64]:
        wide = outputs.logits.astype(np.float64)
        highest = wide.max(1)
        return np.asarray(-(highest + np.log(np.exp(wide - highest[:, None]).sum(1))))

    def fusion(outputs: Outputs) -> NDArray[np.float64]:
        return ood_score(outputs, references, decision).astype(float)

    mahalanobis = relative_mahalanobis(train, truth)
    usual = mahalanobis(validation)

    return {
        "maximum probability": lambda outputs: (
            -probabilities(outputs.logits, decision.temperature).max(1).astype(float)
        ),
        "maximum logit": lambda outputs: -outputs.logits.max(1).astype(float),
        "energy": energy,
        "distance to the nearest reference": lambda outputs: embedding_distance(outputs.embeddings, references).astype(
            float
        ),
        f"distance to neighbor {NEIGHBORS}": neighbors,
        "relative Mahalanobis distance": mahalanobis,
        "log-odds of negatives and other footwear": lambda outputs: np.asarray(
            negatives_log_odds(outputs), dtype=float
        ),
        "logistic fusion (used)": fusion,
        "logistic fusion plus standardized relative Mahalanobis distance": lambda outputs: (
            fusion(outputs) + (mahalanobis(outputs) - usual.mean()) / usual.std()
        ),
    }


def auroc(known: NDArray[np.float64], unknown: NDArray[np.float64]) -> float:
    """The probability that an unknown photo scores higher than a known one."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(np.repeat([0, 1], [len(known), len(unknown)]), np.concatenate([known, unknown])))


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--home", type=Path, required=True)
    asked = parser.parse_args()
    folder = find_model(asked.home, asked.model)
    model, (labeled, negatives) = load_model(folder), photos_of(asked.home, folder)
    some = labeled[Split.TRAIN].groupby("label").head(TRAINING_PER_CLASS)
    train, truth = read(model, some)
    validation, validated = read(model, labeled[Split.VAL])
    held_out, _ = read(model, negatives[Split.VAL])
    references = fit_references(train.embeddings, truth, 0)
    decision = fit_decision(validation, validated, references, held_out, validation_worlds(labeled[Split.VAL]))
    model = replace(model, spec=replace(model.spec, decision=decision), references=references)
    everything = open_samples(asked.home, NAME)
    foreign = everything[~everything["label"].isin(model.spec.classes)]
    is_footwear = negatives[Split.TEST]["footwear"].notna()
    sets = {
        "unknown sneakers": foreign,
        "other footwear": negatives[Split.TEST][is_footwear],
        "things": negatives[Split.TEST][~is_footwear],
    }
    known, _ = read(model, labeled[Split.TEST])
    unknown = {name: read(model, photos)[0] for name, photos in sets.items()}
    print(
        f"{len(known.logits)} known test photos; " + ", ".join(f"{len(photos)} {name}" for name, photos in sets.items())
    )
    print("| score | known refused | " + " | ".join(f"{name} refused | named | AUROC" for name in sets) + " |")
    print("| --- | --- |" + " --- | --- | --- |" * len(sets))
    for name, score in scores_of(model, train, truth, validation).items():
        threshold = np.quantile(score(validation), 1 - FALSE_REJECTION_RATE)
        own = score(known)
        cells = [f"{(own > threshold).mean():.3f}"]
        for outputs in unknown.values():
            values, sure = score(outputs), probabilities(outputs.logits, decision.temperature).max(1)
            refused, named = values > threshold, sure >= decision.confidence_threshold
            cells += [f"{refused.mean():.3f}", f"{(named & ~refused).mean():.3f}", f"{auroc(own, values):.3f}"]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
