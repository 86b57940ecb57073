"""The rules that turn measures into findings, and all their thresholds."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.datasets.quality.findings import Kind, finding_rows
from sneaker_core.workspace.clean_names import name_key


@dataclass(frozen=True)
class Thresholds:
    """Limits beyond which a measure becomes a finding.

    Attributes
    ----------
    min_side : int
        Pixels of the shorter side.
    max_aspect : float
        Longer side divided by shorter side.
    min_sharpness : float
        0 to 1. Photos from shops and phones measure 0.6 and more; thumbnails blurred over two pixels, 0.4 and less.
    min_light : float
        Luma of the 95th percentile, 0 to 1; darker photos are findings.
    max_dark : float
        Luma of the 5th percentile, 0 to 1; brighter photos are findings.
    outlier_distance : float
        Distance to the nearest photos of the class, in robust standard deviations above the dataset's median.
    not_sneaker_ood_score : float
        Out-of-distribution score, in robust standard deviations above the dataset's median.
    min_label_score : float
        Probability of the suggested label minus that of the given one, 0 to 1.
    """

    min_side: int = 100
    max_aspect: float = 2.5
    min_sharpness: float = 0.5
    min_light: float = 0.2
    max_dark: float = 0.88
    outlier_distance: float = 4.0
    not_sneaker_ood_score: float = 4.0
    min_label_score: float = 0.5


def pixel_findings(samples: pd.DataFrame, measures: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    """Find photos that are too small, blurry, dark, overexposed or of an odd aspect ratio.

    Parameters
    ----------
    samples : DataFrame
        Columns sample, width, height.
    measures : DataFrame
        Columns sample, light, dark, sharpness.
    thresholds : Thresholds

    Returns
    -------
    DataFrame
        Findings; the score is 0 at the threshold and 1 at worst.
    """
    table = samples.merge(measures, on="sample")
    side = table[["width", "height"]].min(axis=1)
    aspect = table[["width", "height"]].max(axis=1) / side
    found = [
        _below(table, Kind.TOO_SMALL, side, thresholds.min_side, "only {value:.0f} pixels on the shorter side"),
        _below(table, Kind.BLURRY, table["sharpness"], thresholds.min_sharpness, "no part of the photo is sharp"),
        _below(table, Kind.DARK, table["light"], thresholds.min_light, "even the lightest parts are dark"),
        _below(table, Kind.OVEREXPOSED, 1 - table["dark"], 1 - thresholds.max_dark, "almost everything is white"),
        _below(
            table, Kind.ODD_ASPECT_RATIO, 1 / aspect, 1 / thresholds.max_aspect, "one side is far longer than the other"
        ),
    ]
    return pd.concat(found, ignore_index=True)


def _below(table: pd.DataFrame, kind: Kind, value: pd.Series, least: float, advice: str) -> pd.DataFrame:
    """One finding for each photo whose value is below the minimum."""
    bad = (value < least).to_numpy()
    texts = [advice.format(value=number) for number in value[bad]]
    return finding_rows(table["sample"][bad], kind, 1 - value[bad] / least, advice=texts)


def near_duplicate_findings(samples: pd.DataFrame, provenance: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    """Find near-duplicates, and photos that occur with two labels.

    In a group with one label, the largest photo is worth keeping. In a group with two labels, every photo is in doubt.

    Parameters
    ----------
    samples : DataFrame
        Columns sample, label, width, height, bytes; without excluded photos.
    provenance : DataFrame
        Columns sample, label: every label that the same bytes were imported with.
    groups : Series of int
        Near-duplicate group, indexed by sample.
    """
    table = samples.assign(group_id=samples["sample"].map(groups), pixels=samples["width"] * samples["height"])
    labels = pd.concat([table[["sample", "label"]], provenance[["sample", "label"]]]).drop_duplicates()
    labels["group_id"] = labels["sample"].map(groups)
    of_group = labels[labels["sample"].isin(table["sample"])].groupby("group_id")["label"].agg(_different)
    in_doubt = table[table["group_id"].map(of_group.map(len)) > 1]
    two = finding_rows(
        in_doubt["sample"],
        Kind.TWO_LABELS,
        [1.0] * len(in_doubt),
        in_doubt["group_id"],
        advice=[f"the same photo is labeled {' and '.join(of_group[number])}" for number in in_doubt["group_id"]],
    )
    size = table.groupby("group_id")["sample"].transform("size")
    order = ["group_id", "pixels", "bytes", "sample"]
    duplicates = table[size > 1].sort_values(order, ascending=[True, False, False, True])
    best = ~duplicates.duplicated("group_id")
    advice = [
        f"the largest of {n} near-duplicates: keep this one" if first else f"one of {n} near-duplicates"
        for n, first in zip(size[duplicates.index], best, strict=True)
    ]
    scores = np.where(best, 0.5, 1.0)
    near = finding_rows(duplicates["sample"], Kind.NEAR_DUPLICATE, scores, duplicates["group_id"], advice=advice)
    return pd.concat([two, near], ignore_index=True)


def _different(labels: pd.Series) -> list[str]:
    """Different labels, sorted; spellings of one name count as one, because they are a finding of their own."""
    return sorted({name_key(label): label for label in sorted(labels, reverse=True)}.values())


def embedding_findings(
    samples: pd.Series,
    distance: NDArray[np.float64],
    ood_scores: NDArray[np.float64],
    unknown: NDArray[np.bool_],
    thresholds: Thresholds,
) -> pd.DataFrame:
    """Find photos that show no sneaker, and outliers of their class.

    Parameters
    ----------
    samples : Series of str
    distance : float array (N,)
        To the nearest photos of the class, in robust standard deviations of the dataset.
    ood_scores : float array (N,)
        Out-of-distribution scores, in robust standard deviations of the dataset.
    unknown : bool array (N,)
        Whether the score exceeds the model's own OOD threshold.
    thresholds : Thresholds
    """
    # In a dataset of sneakers that the model was not trained on, every photo exceeds the model's threshold. Photos that
    # show no sneaker still score higher than the rest of the dataset.
    not_sneaker = unknown & (ood_scores > thresholds.not_sneaker_ood_score)
    outlier = (distance > thresholds.outlier_distance) & ~not_sneaker
    parts = (
        (Kind.NOT_SNEAKER, not_sneaker, ood_scores, "it doesn't look like a sneaker"),
        (Kind.OUTLIER, outlier, distance, "it looks unlike the other photos of its class"),
    )
    return pd.concat(
        [
            finding_rows(samples[found], kind, 1 - np.exp(-values[found] / 4), advice=[advice] * found.sum())
            for kind, found, values, advice in parts
        ],
        ignore_index=True,
    )


def label_findings(suspected: pd.DataFrame, samples: pd.Series, thresholds: Thresholds) -> pd.DataFrame:
    """Find labels that are probably wrong.

    Parameters
    ----------
    suspected : DataFrame
        From `label_errors.suspected_labels`.
    samples : Series of str
        Same index.
    thresholds : Thresholds
    """
    likely = suspected[suspected["score"] >= thresholds.min_label_score]
    advice = [f"it looks like {label}" for label in likely["suggestion"]]
    return finding_rows(samples[likely.index], Kind.WRONG_LABEL, likely["score"], None, likely["suggestion"], advice)
