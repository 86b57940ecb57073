"""The scan: measures every photo, compares them, and stores what may be wrong."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from sneaker_core.datasets.duplicates import copy_families
from sneaker_core.datasets.index import Dataset, read_filings, read_samples, set_fact
from sneaker_core.datasets.quality.embedding import embed_photos
from sneaker_core.datasets.quality.findings import (
    Thresholds,
    copy_findings,
    label_findings,
    plain_findings,
    store_findings,
    strange_findings,
)
from sneaker_core.datasets.quality.labels import suspected_labels
from sneaker_core.datasets.quality.measures import SKETCH_SIDE, Measures, measure
from sneaker_core.datasets.quality.neighbours import lay_out_map, neighbour_distance
from sneaker_core.datasets.thumbnails import ensure_thumbnail
from sneaker_core.errors import DatasetError, ImageError
from sneaker_core.networks.checkpoint import SneakerModel

Report = Callable[[int, int, str], None]
_Row = tuple[str, str]

# So many photos' measures are committed at once; a scan that is ended goes on from there.
_BATCH = 256
_MEASURING, _LOOKING, _COMPARING = "Measuring photos", "Looking at photos", "Comparing photos"
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
        The dataset has no photos.
    """
    started = time.time()
    samples = read_samples(dataset)
    if samples.empty:
        raise DatasetError(f"The dataset {dataset.name!r} has no photos to look at; import some first.")
    if not _measure_new(dataset, samples, report, stopped):
        return False
    if model is not None and not _embed_new(dataset, samples, model, report, stopped):
        return False
    _compare(dataset, model, thresholds or Thresholds(), started, report)
    return True


def _measure_new(dataset: Dataset, samples: pd.DataFrame, report: Report, stopped: Callable[[], bool]) -> bool:
    new = _without(dataset, samples, "measures")

    def look(row: tuple[str, str]) -> tuple[str, Measures] | None:
        try:
            with Image.open(ensure_thumbnail(dataset, row[0], Path(row[1])), formats=("JPEG",)) as thumbnail:
                return row[0], measure(thumbnail.convert("RGB"))
        except (ImageError, OSError):
            return None  # gone or damaged since it came in: the other findings are still worth having

    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        done = 0
        for batch in _batches(list(zip(new["sample"], new["path"], strict=True))):
            measured = [found for found in pool.map(look, batch) if found is not None]
            with dataset.changing() as db:
                db.executemany(
                    "INSERT OR REPLACE INTO measures VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [(sample, *_measure_row(values)) for sample, values in measured],
                )
            done += len(batch)
            report(done, len(new), _MEASURING)
            if stopped():
                return False
    return True


def _measure_row(values: Measures) -> tuple[bytes | float, ...]:
    blobs = (np.packbits(values.hash), np.packbits(values.mirrored_hash), values.sketch)
    return (*(blob.tobytes() for blob in blobs), values.brightness, values.light, values.dark, values.sharpness)


def _batches(items: Sequence[_Row]) -> Iterator[list[_Row]]:
    rest = iter(items)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _without(dataset: Dataset, samples: pd.DataFrame, table: str) -> pd.DataFrame:
    """The photos that have no row in a table yet."""
    with dataset.reading() as db:
        there = {sample for (sample,) in db.execute(f"SELECT sample FROM {table}")}
    return samples[~samples["sample"].isin(there)].reset_index(drop=True)


def _embed_new(
    dataset: Dataset, samples: pd.DataFrame, model: SneakerModel, report: Report, stopped: Callable[[], bool]
) -> bool:
    # Embeddings of two models cannot be compared.
    version = {"name": model.spec.name, "data": model.spec.data.get("fingerprint"), "recipe": model.spec.recipe}
    if dataset.fact("embedded_by") != version:
        with dataset.changing() as db:
            db.execute("DELETE FROM embeddings")
            set_fact(db, "embedded_by", version)
    new = _without(dataset, samples, "embeddings")
    names, waiting, done = list(new["sample"]), [], 0
    for seen in embed_photos(model, list(new["path"])):
        done = seen.readable[-1] + 1
        vectors = seen.vectors.astype(np.float16)
        waiting += [
            (names[position], vector.tobytes(), float(strange))
            for position, vector, strange in zip(seen.readable, vectors, seen.strangeness, strict=True)
        ]
        ended = stopped()
        if len(waiting) >= _BATCH or ended:
            _store_embeddings(dataset, waiting)
            waiting = []
        report(done, len(names), _LOOKING)
        if ended:
            return False
    _store_embeddings(dataset, waiting)
    return True


def _store_embeddings(dataset: Dataset, rows: list[tuple[str, bytes, float]]) -> None:
    with dataset.changing() as db:
        db.executemany("INSERT OR REPLACE INTO embeddings(sample, vector, strangeness) VALUES (?, ?, ?)", rows)


def _compare(
    dataset: Dataset, model: SneakerModel | None, thresholds: Thresholds, started: float, report: Report
) -> None:
    report(0, _COMPARISONS, _COMPARING)
    samples = read_samples(dataset)
    measures = _read_measures(dataset)
    samples = samples[samples["sample"].isin(measures["sample"])].reset_index(drop=True)
    measures = measures.set_index("sample").loc[samples["sample"]].reset_index()
    seen = _read_embeddings(dataset, samples["sample"]) if model is not None else None
    families = _families(samples, measures, seen)
    report(1, _COMPARISONS, _COMPARING)
    kept = samples[~samples["excluded"]]
    findings = [
        plain_findings(kept, measures, thresholds),
        copy_findings(kept, read_filings(dataset), families),
    ]
    if model is not None and seen is not None:
        findings += _judge(kept, seen, families, model, thresholds)
        report(2, _COMPARISONS, _COMPARING)
        _store_map(dataset, seen)
        report(3, _COMPARISONS, _COMPARING)
    facts = {
        "time": time.time(),
        "photos": len(samples),
        "model": model.spec.name if model is not None else None,
        "seconds": round(time.time() - started, 1),
    }
    store_findings(dataset, pd.concat(findings, ignore_index=True), families, facts)
    report(_COMPARISONS, _COMPARISONS, _COMPARING)


def _families(samples: pd.DataFrame, measures: pd.DataFrame, seen: pd.DataFrame | None) -> pd.Series:
    hashes, mirrored = (
        np.unpackbits(np.frombuffer(b"".join(measures[column]), np.uint8).reshape(len(measures), -1), axis=1) == 1
        for column in ("hash", "mirrored_hash")
    )
    sketches = np.frombuffer(b"".join(measures["sketch"]), np.uint8).reshape(-1, SKETCH_SIDE, SKETCH_SIDE, 3)
    embeddings = None
    if seen is not None:
        # A photo without an embedding gets zeros, which are like nothing.
        nothing = np.zeros_like(seen["vector"].iloc[0]) if len(seen) else np.zeros(1, np.float32)
        vectors = dict(zip(seen.index, seen["vector"], strict=True))
        embeddings = np.stack([vectors.get(sample, nothing) for sample in samples["sample"]])
    return pd.Series(copy_families(hashes, mirrored, sketches, embeddings), index=samples["sample"])


def _judge(
    kept: pd.DataFrame, seen: pd.DataFrame, families: pd.Series, model: SneakerModel, thresholds: Thresholds
) -> list[pd.DataFrame]:
    """Findings that need eyes: wrong labels, outliers, other things."""
    table = kept[kept["sample"].isin(seen.index)].reset_index(drop=True)
    if table.empty:
        return []
    vectors = np.stack(list(seen["vector"].loc[table["sample"]]))
    family = table["sample"].map(families)
    suspected = suspected_labels(vectors, table["label"], family)
    distance = neighbour_distance(vectors, family.to_numpy())
    unknown = seen["strangeness"].loc[table["sample"]].to_numpy() > model.spec.decision.unknown_threshold
    return [
        label_findings(suspected, table["sample"], thresholds),
        strange_findings(table["sample"], distance, unknown, thresholds),
    ]


def _read_measures(dataset: Dataset) -> pd.DataFrame:
    columns = ["sample", "hash", "mirrored_hash", "sketch", "brightness", "light", "dark", "sharpness"]
    with dataset.reading() as db:
        return pd.DataFrame.from_records(
            db.execute(f"SELECT {', '.join(columns)} FROM measures").fetchall(), columns=columns
        )


def _read_embeddings(dataset: Dataset, samples: pd.Series) -> pd.DataFrame:
    """Columns vector (float32 arrays of unit length) and strangeness, by sample."""
    wanted = set(samples)
    with dataset.reading() as db:
        rows = [row for row in db.execute("SELECT sample, vector, strangeness FROM embeddings") if row[0] in wanted]
    vectors = [np.frombuffer(vector, np.float16).astype(np.float32) for _, vector, _ in rows]
    values = {"vector": vectors, "strangeness": [strange for _, _, strange in rows]}
    return pd.DataFrame(values, index=[sample for sample, _, _ in rows])


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
