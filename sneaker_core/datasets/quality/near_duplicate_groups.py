"""Which photos of a dataset are copies of one another, by measures that are kept for the next time."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.near_duplicates import group_near_duplicates
from sneaker_core.datasets.quality.findings import read_near_duplicate_groups, store_near_duplicate_groups
from sneaker_core.datasets.quality.measures import SKETCH_SIDE, Measures, measure
from sneaker_core.datasets.thumbnails import load_thumbnail
from sneaker_core.errors import ImageError

# So many photos' measures are committed at once; a scan that is ended goes on from there.
BATCH = 256

Report = Callable[[int, int, str], None]
_Row = tuple[str, str]


def find_near_duplicate_groups(dataset: Dataset) -> pd.Series:
    """The near-duplicate group of every photo, by sample; found anew when photos came since they were last found."""
    samples = read_samples(dataset)
    known = read_near_duplicate_groups(dataset)
    if samples["sample"].isin(known.index).all():
        return known
    measure_new(dataset, samples)
    samples, measures = read_measures(dataset)
    seen = read_embeddings(dataset, samples["sample"])
    groups = group_photos(samples, measures, seen if len(seen) else None)
    with dataset.changing() as db:
        store_near_duplicate_groups(db, groups)
    return groups


def measure_new(
    dataset: Dataset,
    samples: pd.DataFrame,
    report: Report = lambda done, total, step: None,
    stopped: Callable[[], bool] = lambda: False,
) -> bool:
    """Measure the photos that were not measured yet; False when it was stopped before the end."""
    new = without(dataset, samples, "measures")

    def look(row: tuple[str, str]) -> tuple[str, Measures] | None:
        try:
            return row[0], measure(load_thumbnail(dataset, row[0], Path(row[1])))
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


def without(dataset: Dataset, samples: pd.DataFrame, table: str) -> pd.DataFrame:
    """The photos that have no row in a table yet."""
    with dataset.reading() as db:
        there = {sample for (sample,) in db.execute(f"SELECT sample FROM {table}")}
    return samples[~samples["sample"].isin(there)].reset_index(drop=True)


def read_measures(dataset: Dataset) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The photos that were measured, as from `index.read_samples`, and their measures, row for row."""
    columns = ["sample", "hash", "mirrored_hash", "sketch", "brightness", "light", "dark", "sharpness"]
    with dataset.reading() as db:
        rows = db.execute(f"SELECT {', '.join(columns)} FROM measures").fetchall()
    measures = pd.DataFrame.from_records(rows, columns=columns)
    samples = read_samples(dataset)
    samples = samples[samples["sample"].isin(measures["sample"])].reset_index(drop=True)
    return samples, measures.set_index("sample").loc[samples["sample"]].reset_index()


def read_embeddings(dataset: Dataset, samples: pd.Series) -> pd.DataFrame:
    """Columns vector (float32 arrays of unit length) and ood_score, by sample."""
    wanted = set(samples)
    with dataset.reading() as db:
        rows = [row for row in db.execute("SELECT sample, vector, ood_score FROM embeddings") if row[0] in wanted]
    vectors = [np.frombuffer(vector, np.float16).astype(np.float32) for _, vector, _ in rows]
    values = {"vector": vectors, "ood_score": [strange for _, _, strange in rows]}
    return pd.DataFrame(values, index=[sample for sample, _, _ in rows])


def group_photos(samples: pd.DataFrame, measures: pd.DataFrame, seen: pd.DataFrame | None) -> pd.Series:
    """The family of each photo, by sample.

    Parameters
    ----------
    samples, measures : DataFrame
        From `read_measures`.
    seen : DataFrame or None
        From `read_embeddings`.
    """
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
    return pd.Series(group_near_duplicates(hashes, mirrored, sketches, embeddings), index=samples["sample"])
