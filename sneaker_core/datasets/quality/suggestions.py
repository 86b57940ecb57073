"""Suggested decisions: what can safely be done about findings without looking at each photo."""

import pandas as pd

from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.quality.findings import Kind, read_findings, read_near_duplicate_groups
from sneaker_core.datasets.review_log import Action, decide


def suggested_decisions(dataset: Dataset) -> pd.DataFrame:
    """Return suggested decisions about the open findings.

    Probably wrong labels become the suggested label. Of near-duplicates, the largest photo stays. Near-duplicates with
    two labels and photos that show no sneaker are excluded. Blurry, dark, small and odd photos stay: training on some
    of them helps a model.

    Returns
    -------
    DataFrame
        Columns sample, action, label (None except for relabeling), kinds (tuple of the findings that are resolved).
    """
    findings = read_findings(dataset)
    near = findings["kind"] == Kind.NEAR_DUPLICATE
    doubtful = findings["kind"].isin([Kind.TWO_LABELS, Kind.NOT_SNEAKER])
    smaller = near & (findings["score"] > 0.5) & ~findings["sample"].isin(_largest_left(dataset, findings[near]))
    excluded = findings[doubtful | smaller].groupby("sample")["kind"].agg(tuple)
    moved = findings[(findings["kind"] == Kind.WRONG_LABEL) & ~findings["sample"].isin(excluded.index)]
    moved = moved[moved["suggestion"].isin(set(read_samples(dataset)["label"]))]
    return pd.concat(
        [
            pd.DataFrame(
                {"sample": excluded.index, "action": Action.EXCLUDE, "label": None, "kinds": excluded.to_numpy()}
            ),
            pd.DataFrame(
                {
                    "sample": moved["sample"],
                    "action": Action.RELABEL,
                    "label": moved["suggestion"],
                    "kinds": [(Kind.WRONG_LABEL.value,)] * len(moved),
                }
            ),
        ],
        ignore_index=True,
    )


def _largest_left(dataset: Dataset, near_duplicates: pd.DataFrame) -> set[str]:
    """The largest photo of each group whose largest one was excluded since the scan."""
    samples = read_samples(dataset)
    left = samples[~samples["excluded"]]
    left = left.assign(
        group_id=left["sample"].map(read_near_duplicate_groups(dataset)), pixels=left["width"] * left["height"]
    )
    smaller = left["sample"].isin(near_duplicates.loc[near_duplicates["score"] > 0.5, "sample"])
    left = left[~left["group_id"].isin(left.loc[~smaller, "group_id"])]
    left = left.sort_values(["pixels", "bytes"], ascending=False)
    return set(left.drop_duplicates("group_id")["sample"])


def apply_suggestions(dataset: Dataset, suggested: pd.DataFrame | None = None, author: str = "") -> str | None:
    """Apply suggested decisions as one batch.

    Parameters
    ----------
    dataset : Dataset
    suggested : DataFrame, optional
        Rows of `suggested_decisions`; all of them by default.
    author : str

    Returns
    -------
    str or None
        The batch, for `review_log.undo`; None if there was nothing to do.
    """
    rows = suggested_decisions(dataset) if suggested is None else suggested
    together: dict[tuple[Action, str | None, tuple[str, ...]], list[str]] = {}
    columns = (rows[column] for column in ("sample", "action", "label", "kinds"))
    for sample, action, label, kinds in zip(*columns, strict=True):
        moved_to = label if action == Action.RELABEL else None
        together.setdefault((Action(action), moved_to, kinds), []).append(sample)
    batch = None
    for (action, label, kinds), samples in together.items():
        batch = decide(dataset, samples, action, label, kinds, author, batch)
    return batch
