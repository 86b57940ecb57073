"""Measures and embeddings that a dataset stores, so that each photo is measured once."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from sneaker_core.datasets.index import Dataset, checked_rows, read_samples
from sneaker_core.datasets.quality.measures import Measures, measure
from sneaker_core.datasets.thumbnails import load_thumbnail
from sneaker_core.errors import ImageError
from sneaker_core.records.dataset_records import EmbeddingRow, MeasuresRow
from sneaker_core.records.reading import damaged

# Photos whose measures are committed together; an interrupted scan continues from there.
BATCH = 256

Report = Callable[[int, int, str], None]
_Row = tuple[str, str]


def measure_new_photos(
    dataset: Dataset,
    samples: pd.DataFrame,
    report: Report = lambda done, total, step: None,
    stopped: Callable[[], bool] = lambda: False,
) -> bool:
    """Measure the photos that have no measures yet; return False if stopped before the end."""
    new = samples_missing_from(dataset, samples, "measures")

    def measure_one(row: tuple[str, str]) -> tuple[str, Measures] | None:
        try:
            return row[0], measure(load_thumbnail(dataset, row[0], Path(row[1])))
        except (ImageError, OSError):
            return None  # deleted or damaged since the import; the other photos can still be compared

    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        done = 0
        for batch in _batches(list(zip(new["sample"], new["path"], strict=True))):
            measured = [found for found in pool.map(measure_one, batch) if found is not None]
            with dataset.changing() as db:
                db.executemany(
                    "INSERT OR REPLACE INTO measures VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [(sample, *_measure_row(values)) for sample, values in measured],
                )
            done += len(batch)
            report(done, len(new), "Measuring photos")
            if stopped():
                return False
    return True


def _measure_row(values: Measures) -> tuple[bytes | float, ...]:
    blobs = (np.packbits(values.hash), np.packbits(values.mirrored_hash), values.sketch)
    return (*(blob.tobytes() for blob in blobs), values.brightness, values.light, values.dark, values.sharpness)


def _batches(items: Sequence[_Row]) -> Iterator[list[_Row]]:
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch


def samples_missing_from(dataset: Dataset, samples: pd.DataFrame, table: str) -> pd.DataFrame:
    """Return the samples that have no row in a table of the index."""
    with dataset.reading() as db:
        present = {sample for (sample,) in db.execute(f"SELECT sample FROM {table}")}
    return samples[~samples["sample"].isin(present)].reset_index(drop=True)


def read_measures(dataset: Dataset) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the measured photos, as from `index.read_samples`, and their measures in the same order."""
    columns = list(MeasuresRow.__struct_fields__)
    with dataset.reading() as db:
        rows = checked_rows(db, f"SELECT {', '.join(columns)} FROM measures", MeasuresRow)
    measures = pd.DataFrame.from_records(rows, columns=columns)
    samples = read_samples(dataset)
    samples = samples[samples["sample"].isin(measures["sample"])].reset_index(drop=True)
    return samples, measures.set_index("sample").loc[samples["sample"]].reset_index()


def read_embeddings(dataset: Dataset, samples: pd.Series) -> pd.DataFrame:
    """Return the columns vector (float32 arrays of unit length) and ood_score, indexed by sample."""
    query = "SELECT sample, vector, ood_score FROM embeddings WHERE sample IN (SELECT value FROM json_each(?))"
    with dataset.reading() as db:
        rows = checked_rows(db, query, EmbeddingRow, json.dumps(list(samples)))
        if len({len(vector) for _, vector, _ in rows}) > 1 or any(len(vector) % 2 for _, vector, _ in rows):
            raise damaged(dataset.index, "its embeddings differ in length")
    vectors = [np.frombuffer(vector, np.float16).astype(np.float32) for _, vector, _ in rows]
    values = {"vector": vectors, "ood_score": [score for _, _, score in rows]}
    return pd.DataFrame(values, index=[sample for sample, _, _ in rows])
