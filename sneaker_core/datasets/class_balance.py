"""Summary of a dataset: photos per class, their balance, and one sentence of advice."""

from typing import Any

import pandas as pd

from sneaker_core.datasets.index import Dataset, read_provenance, read_rejects, read_samples
from sneaker_core.datasets.quality.class_spellings import class_spellings
from sneaker_core.datasets.quality.findings import Kind, read_findings, read_near_duplicate_groups
from sneaker_core.datasets.split import Split

UNASSIGNED = "unassigned"
BALANCE_COLUMNS = ["label", *(split.value for split in Split), UNASSIGNED, "total"]

# Below _FEW photos, a class can hardly be learned; beyond _ENOUGH, more photos help little.
_FEW, _ENOUGH = 20, 100
_EVEN, _UNEVEN = 1.5, 5.0
_NAMED = 3


def balance(samples: pd.DataFrame) -> pd.DataFrame:
    """Count the photos of each class by split, without excluded photos.

    Parameters
    ----------
    samples : DataFrame
        From `index.read_samples`.

    Returns
    -------
    DataFrame
        Columns label, train, val, test, unassigned, total; largest class first.
    """
    kept = samples[~samples["excluded"]]
    counts = pd.crosstab(kept["label"], kept["split"].fillna(UNASSIGNED))
    counts = counts.reindex(columns=BALANCE_COLUMNS[1:-1], fill_value=0)
    counts["total"] = counts.sum(axis=1)
    table = counts.rename_axis("label").reset_index().rename_axis(columns=None)
    return table.sort_values(["total", "label"], ascending=[False, True], ignore_index=True)[BALANCE_COLUMNS]


def imbalance_ratio(samples: pd.DataFrame) -> float | None:
    """Return the size of the largest class divided by that of the smallest; None for fewer than two classes."""
    totals = samples.loc[~samples["excluded"], "label"].value_counts()
    return float(totals.max() / totals.min()) if len(totals) > 1 else None


def advice(samples: pd.DataFrame) -> str:
    """Return one sentence of advice about the balance."""
    totals = samples.loc[~samples["excluded"], "label"].value_counts()
    ratio = imbalance_ratio(samples)
    if totals.empty:
        return (
            "No photos yet. Import a folder or archive, collect photos from the web, or create the synthetic dataset."
        )
    if ratio is None:
        return f"There is only one class, {totals.index[0]}. Add a second class to train a model."
    thin = totals[totals < _FEW].sort_values()
    if len(thin):
        named = ", ".join(f"{label} ({count})" for label, count in thin.head(_NAMED).items())
        more = f" and {len(thin) - _NAMED} more" if len(thin) > _NAMED else ""
        return f"Some classes have very few photos: {named}{more}. Collect at least {_FEW} of each, ideally {_ENOUGH}."
    if ratio <= _EVEN:
        return "The classes are well balanced."
    smallest = totals.idxmin()
    if ratio <= _UNEVEN:
        return f"The classes differ in size. Training can compensate, but more photos of {smallest} would help most."
    return (
        f"The largest class has {ratio:.0f} times as many photos as the smallest. Collect more photos of {smallest}, "
        "and oversample rare classes in training."
    )


def stats(dataset: Dataset) -> dict[str, Any]:
    """Return counts, balance, sizes and findings of a dataset as plain values for JSON."""
    samples = read_samples(dataset)
    kept = samples[~samples["excluded"]]
    provenance, groups, findings = read_provenance(dataset), read_near_duplicate_groups(dataset), read_findings(dataset)
    labels = provenance.groupby("sample")["label"].nunique()
    open_kinds = findings["kind"].value_counts()
    return {
        "name": dataset.name,
        "photos": len(kept),
        "excluded": int(samples["excluded"].sum()),
        "classes": {
            row.label: {
                "train": row.train,
                "val": row.val,
                "test": row.test,
                "unassigned": row.unassigned,
                "total": row.total,
            }
            for row in balance(samples).itertuples()
        },
        "imbalance_ratio": imbalance_ratio(samples),
        "advice": advice(samples),
        "files": len(provenance) + len(read_rejects(dataset)),
        "rejects": len(read_rejects(dataset)),
        "exact_duplicates": len(provenance) - len(samples),
        "exact_under_two_labels": int((labels > 1).sum()),
        "near_duplicates": int(groups[groups.duplicated(keep=False)].size),
        "spellings": [one.to_dict() for one in class_spellings(dataset, samples)],
        "findings": {kind.value: int(open_kinds.get(kind.value, 0)) for kind in Kind},
        "median_size": [int(kept["width"].median()), int(kept["height"].median())] if len(kept) else None,
        "split": dataset.fact("split"),
        "scan": dataset.fact("scan"),
    }
