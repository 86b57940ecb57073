"""The split stored in a dataset: making it and checking it for leaks."""

import pandas as pd

from sneaker_core.datasets.dataset_collection import check_unused
from sneaker_core.datasets.index import Dataset, read_provenance, read_samples, set_fact
from sneaker_core.datasets.quality.findings import read_near_duplicate_groups
from sneaker_core.datasets.split import split_by_group


def make_split(dataset: Dataset, val_share: float, test_share: float, seed: int = 0) -> None:
    """Split a dataset with the same shares for every class and store the split.

    Near-duplicates stay in the same split. If photos were added since near-duplicates were last searched for, they are
    searched for again first.

    Parameters
    ----------
    dataset : Dataset
    val_share, test_share : float
        0 to 1; their sum is below 1.
    seed : int

    Raises
    ------
    DatasetError
        The shares leave nothing to train on, a class has too few photos, or a job uses the dataset.
    """
    # Imported on use: it loads scipy, which pages that only check a split don't need.
    from sneaker_core.datasets.quality.near_duplicate_groups import find_near_duplicate_groups

    check_unused(dataset)
    find_near_duplicate_groups(dataset)
    samples = read_samples(dataset)
    kept = samples[~samples["excluded"]]
    split = split_by_group(kept["label"], group_numbers(dataset, kept), val_share, test_share, seed)
    with dataset.changing() as db:
        db.execute("UPDATE samples SET split = NULL")
        db.executemany("UPDATE samples SET split = ? WHERE sample = ?", zip(split, kept["sample"], strict=True))
        set_fact(db, "split", {"kind": "made", "val_share": val_share, "test_share": test_share, "seed": seed})


def group_numbers(dataset: Dataset, samples: pd.DataFrame) -> pd.Series:
    """The near-duplicate group of each photo; a photo that was never compared is a group of its own."""
    known = read_near_duplicate_groups(dataset)
    alone = pd.Series(range(len(samples)), index=samples.index) + int(known.max() + 1 if len(known) else 0)
    return samples["sample"].map(known).fillna(alone).astype("int64")


def find_leaks(dataset: Dataset) -> pd.DataFrame:
    """Find near-duplicates in different splits: a model would be evaluated on photos it was trained on.

    Returns
    -------
    DataFrame
        Columns group_id, sample, split, label; sorted by group_id. A photo that was imported with two splits is listed
        once for each.
    """
    samples = read_samples(dataset)
    kept = samples[~samples["excluded"] & samples["split"].notna()]
    table = kept[["sample", "split", "label"]].assign(group_id=group_numbers(dataset, kept))
    given = read_provenance(dataset)[["sample", "split"]].dropna()
    if (dataset.fact("split") or {}).get("kind") != "made":
        again = table.drop(columns="split").merge(given, on="sample")
        table = pd.concat([table, again]).drop_duplicates(["sample", "split"])
    leaks = table[table.groupby("group_id")["split"].transform("nunique") > 1]
    return leaks[["group_id", "sample", "split", "label"]].sort_values(
        ["group_id", "split", "sample"], ignore_index=True
    )
