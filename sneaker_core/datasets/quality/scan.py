"""Scan a dataset: measure every photo, compare them, and store the findings."""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.datasets.index import Dataset, checked_rows, read_provenance, read_samples, set_fact
from sneaker_core.datasets.quality.finding_rules import (
    Thresholds,
    embedding_findings,
    label_findings,
    near_duplicate_findings,
    pixel_findings,
)
from sneaker_core.datasets.quality.findings import store_findings
from sneaker_core.datasets.quality.label_errors import suspected_labels
from sneaker_core.datasets.quality.near_duplicate_groups import group_photos
from sneaker_core.datasets.quality.outliers import in_deviations, lay_out_map, neighbor_distance
from sneaker_core.datasets.quality.photo_embeddings import embed_photos
from sneaker_core.datasets.quality.stored_measures import (
    BATCH,
    Report,
    measure_new_photos,
    read_embeddings,
    read_measures,
    samples_missing_from,
)
from sneaker_core.datasets.review_log import relabeled_samples
from sneaker_core.errors import DatasetError
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.records.dataset_records import MapRow

_EMBEDDING, _COMPARING = "Embedding photos", "Comparing photos"
_COMPARISONS = 4


def scan(
    dataset: Dataset,
    model: SneakerModel | None,
    *,
    thresholds: Thresholds | None = None,
    report: Report = lambda done, total, step: None,
    stopped: Callable[[], bool] = lambda: False,
) -> bool:
    """Check the photos of a dataset and store the findings. Photos measured by an earlier scan are not measured again.

    Parameters
    ----------
    dataset : Dataset
    model : SneakerModel or None
        Embeds the photos. Without a model, wrong labels, outliers and the map are omitted, and near-duplicates are
        found by their hashes only.
    thresholds : Thresholds, optional
    report : callable
        Called with the photos done, their total, and the step.
    stopped : callable
        Checked between photos. When it returns True, the findings stay as they were and the next scan continues.

    Returns
    -------
    bool
        Whether the scan was completed.

    Raises
    ------
    DatasetError
        The dataset has no photos, or none that can be read.
    """
    started = time.time()
    samples = read_samples(dataset)
    if samples.empty:
        raise DatasetError(f"The dataset {dataset.name!r} has no photos to check. Import some first.")
    if not measure_new_photos(dataset, samples, report, stopped):
        return False
    if model is not None and not _embed_new(dataset, samples, model, report, stopped):
        return False
    _compare(dataset, model, thresholds or Thresholds(), started, report)
    return True


def _embed_new(
    dataset: Dataset, samples: pd.DataFrame, model: SneakerModel, report: Report, stopped: Callable[[], bool]
) -> bool:
    # Embeddings of different models can't be compared.
    version = {"name": model.spec.name, "data": model.spec.data.get("fingerprint"), "recipe": model.spec.recipe}
    if dataset.fact("embedded_by") != version:
        with dataset.changing() as db:
            db.execute("DELETE FROM embeddings")
            set_fact(db, "embedded_by", version)
    new = samples_missing_from(dataset, samples, "embeddings")
    names, waiting, done = list(new["sample"]), [], 0
    for embedded in embed_photos(model, list(new["path"])):
        done = embedded.readable[-1] + 1
        vectors = embedded.vectors.astype(np.float16)
        waiting += [
            (names[position], vector.tobytes(), float(score))
            for position, vector, score in zip(embedded.readable, vectors, embedded.ood_scores, strict=True)
        ]
        ending = stopped()
        if len(waiting) >= BATCH or ending:
            _store_embeddings(dataset, waiting)
            waiting = []
        report(done, len(names), _EMBEDDING)
        if ending:
            return False
    _store_embeddings(dataset, waiting)
    return True


def _store_embeddings(dataset: Dataset, rows: list[tuple[str, bytes, float]]) -> None:
    with dataset.changing() as db:
        db.executemany("INSERT OR REPLACE INTO embeddings(sample, vector, ood_score) VALUES (?, ?, ?)", rows)


def _compare(
    dataset: Dataset, model: SneakerModel | None, thresholds: Thresholds, started: float, report: Report
) -> None:
    report(0, _COMPARISONS, _COMPARING)
    samples, measures = read_measures(dataset)
    if samples.empty:
        raise DatasetError(f"Can't read any photo of {dataset.name!r}. Check that its folder still has the photos.")
    embedded = read_embeddings(dataset, samples["sample"]) if model is not None else None
    groups = group_photos(samples, measures, embedded)
    report(1, _COMPARISONS, _COMPARING)
    kept = samples[~samples["excluded"]]
    findings = [
        pixel_findings(kept, measures, thresholds),
        near_duplicate_findings(kept, _unsettled_provenance(dataset, kept), groups),
    ]
    if model is not None and embedded is not None:
        findings += _embedding_findings(kept, embedded, groups, model, thresholds)
        report(2, _COMPARISONS, _COMPARING)
        _store_map(dataset, embedded)
        report(3, _COMPARISONS, _COMPARING)
    facts = {
        "time": time.time(),
        "photos": len(samples),
        "model": model.spec.name if model is not None else None,
        "seconds": round(time.time() - started, 1),
    }
    store_findings(dataset, pd.concat(findings, ignore_index=True), groups, facts)
    report(_COMPARISONS, _COMPARISONS, _COMPARING)


def _unsettled_provenance(dataset: Dataset, samples: pd.DataFrame) -> pd.DataFrame:
    """Provenance of the photos that nobody has relabeled, with the present names of classes that were merged.

    A new label overrides what a photo was imported as.
    """
    provenance, own = read_provenance(dataset), samples[~samples["sample"].isin(relabeled_samples(dataset))]
    merged = dict(zip(own["original_label"], own["label"], strict=True))
    unsettled = provenance[provenance["sample"].isin(own["sample"])]
    return unsettled.assign(label=unsettled["label"].map(lambda label: merged.get(label, label)))


def _embedding_findings(
    kept: pd.DataFrame, embedded: pd.DataFrame, groups: pd.Series, model: SneakerModel, thresholds: Thresholds
) -> list[pd.DataFrame]:
    """Findings that need embeddings: wrong labels, outliers, photos that show no sneaker."""
    table = kept[kept["sample"].isin(embedded.index)].reset_index(drop=True)
    if table.empty:
        return []
    vectors = np.stack(list(embedded["vector"].loc[table["sample"]]))
    group = table["sample"].map(groups)
    suspected = suspected_labels(vectors, table["label"], group)
    distance = neighbor_distance(vectors, table["label"].to_numpy(dtype=object), group.to_numpy())
    ood_scores = embedded["ood_score"].loc[table["sample"]].to_numpy()
    unknown = ood_scores > model.spec.decision.ood_threshold
    return [
        label_findings(suspected, table["sample"], thresholds),
        embedding_findings(table["sample"], distance, in_deviations(ood_scores), unknown, thresholds),
    ]


def _store_map(dataset: Dataset, embedded: pd.DataFrame) -> None:
    if embedded.empty:
        return
    places: NDArray[np.float32] = lay_out_map(np.stack(list(embedded["vector"])))
    rows = [(float(x), float(y), sample) for (x, y), sample in zip(places, embedded.index, strict=True)]
    with dataset.changing() as db:
        db.executemany("UPDATE embeddings SET x = ?, y = ? WHERE sample = ?", rows)


def read_map(dataset: Dataset) -> pd.DataFrame:
    """Return the map: columns sample, x, y (-1 to 1); empty before a scan with a model."""
    with dataset.reading() as db:
        rows = checked_rows(db, "SELECT sample, x, y FROM embeddings WHERE x IS NOT NULL", MapRow)
    return pd.DataFrame.from_records(rows, columns=["sample", "x", "y"])
