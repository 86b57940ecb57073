"""The scan: measures every photo, compares them, and stores what may be wrong."""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.datasets.index import Dataset, read_provenance, read_samples, set_fact
from sneaker_core.datasets.quality.findings import (
    Thresholds,
    embedding_findings,
    label_findings,
    near_duplicate_findings,
    pixel_findings,
    store_findings,
)
from sneaker_core.datasets.quality.label_errors import suspected_labels
from sneaker_core.datasets.quality.near_duplicate_groups import (
    BATCH,
    Report,
    group_photos,
    measure_new,
    read_embeddings,
    read_measures,
    without,
)
from sneaker_core.datasets.quality.outliers import in_deviations, lay_out_map, neighbour_distance
from sneaker_core.datasets.quality.photo_embeddings import embed_photos
from sneaker_core.errors import DatasetError
from sneaker_core.networks.checkpoint import SneakerModel

_LOOKING, _COMPARING = "Looking at photos", "Comparing photos"
_COMPARISONS = 4


def scan(
    dataset: Dataset,
    model: SneakerModel | None,
    *,
    thresholds: Thresholds | None = None,
    report: Report = lambda done, total, step: None,
    stopped: Callable[[], bool] = lambda: False,
) -> bool:
    """Look for what is wrong with a dataset and store the findings; what was measured before is not measured again.

    Parameters
    ----------
    dataset : Dataset
    model : SneakerModel or None
        Sees the photos; without one, labels, outliers and the map are left out, and only exact and plain copies found.
    thresholds : Thresholds, optional
    report : callable
        Called with how many photos of how many are done, and with the step.
    stopped : callable
        Asked between photos; once it says True, findings stay as they were and the next scan goes on.

    Returns
    -------
    bool
        Whether the scan came to its end.

    Raises
    ------
    DatasetError
        The dataset has no photos, or none that can be read.
    """
    started = time.time()
    samples = read_samples(dataset)
    if samples.empty:
        raise DatasetError(f"The dataset {dataset.name!r} has no photos to look at; import some first.")
    if not measure_new(dataset, samples, report, stopped):
        return False
    if model is not None and not _embed_new(dataset, samples, model, report, stopped):
        return False
    _compare(dataset, model, thresholds or Thresholds(), started, report)
    return True


def _embed_new(
    dataset: Dataset, samples: pd.DataFrame, model: SneakerModel, report: Report, stopped: Callable[[], bool]
) -> bool:
    # Embeddings of two models cannot be compared.
    version = {"name": model.spec.name, "data": model.spec.data.get("fingerprint"), "recipe": model.spec.recipe}
    if dataset.fact("embedded_by") != version:
        with dataset.changing() as db:
            db.execute("DELETE FROM embeddings")
            set_fact(db, "embedded_by", version)
    new = without(dataset, samples, "embeddings")
    names, waiting, done = list(new["sample"]), [], 0
    for seen in embed_photos(model, list(new["path"])):
        done = seen.readable[-1] + 1
        vectors = seen.vectors.astype(np.float16)
        waiting += [
            (names[position], vector.tobytes(), float(strange))
            for position, vector, strange in zip(seen.readable, vectors, seen.ood_scores, strict=True)
        ]
        ended = stopped()
        if len(waiting) >= BATCH or ended:
            _store_embeddings(dataset, waiting)
            waiting = []
        report(done, len(names), _LOOKING)
        if ended:
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
        raise DatasetError(
            f"None of the photos of {dataset.name!r} can be read any more; they are gone from its folder."
        )
    seen = read_embeddings(dataset, samples["sample"]) if model is not None else None
    groups = group_photos(samples, measures, seen)
    report(1, _COMPARISONS, _COMPARING)
    kept = samples[~samples["excluded"]]
    findings = [
        pixel_findings(kept, measures, thresholds),
        near_duplicate_findings(kept, _unsettled_provenance(dataset, kept), groups),
    ]
    if model is not None and seen is not None:
        findings += _judge(kept, seen, groups, model, thresholds)
        report(2, _COMPARISONS, _COMPARING)
        _store_map(dataset, seen)
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
    """Where photos came from, but for those that a person gave another label: what they were filed as is settled."""
    provenance = read_provenance(dataset)
    return provenance[provenance["sample"].isin(samples.loc[samples["label"] == samples["original_label"], "sample"])]


def _judge(
    kept: pd.DataFrame, seen: pd.DataFrame, groups: pd.Series, model: SneakerModel, thresholds: Thresholds
) -> list[pd.DataFrame]:
    """Findings that need eyes: wrong labels, outliers, other things."""
    table = kept[kept["sample"].isin(seen.index)].reset_index(drop=True)
    if table.empty:
        return []
    vectors = np.stack(list(seen["vector"].loc[table["sample"]]))
    group = table["sample"].map(groups)
    suspected = suspected_labels(vectors, table["label"], group)
    distance = neighbour_distance(vectors, table["label"].to_numpy(dtype=object), group.to_numpy())
    ood_scores = seen["ood_score"].loc[table["sample"]].to_numpy()
    unknown = ood_scores > model.spec.decision.ood_threshold
    return [
        label_findings(suspected, table["sample"], thresholds),
        embedding_findings(table["sample"], distance, in_deviations(ood_scores), unknown, thresholds),
    ]


def _store_map(dataset: Dataset, seen: pd.DataFrame) -> None:
    if seen.empty:
        return
    places: NDArray[np.float32] = lay_out_map(np.stack(list(seen["vector"])))
    rows = [(float(x), float(y), sample) for (x, y), sample in zip(places, seen.index, strict=True)]
    with dataset.changing() as db:
        db.executemany("UPDATE embeddings SET x = ?, y = ? WHERE sample = ?", rows)


def read_map(dataset: Dataset) -> pd.DataFrame:
    """Where photos lie on the map: columns sample, x, y (-1 to 1); empty before a scan with a model."""
    with dataset.reading() as db:
        rows = db.execute("SELECT sample, x, y FROM embeddings WHERE x IS NOT NULL").fetchall()
    return pd.DataFrame.from_records(rows, columns=["sample", "x", "y"])
