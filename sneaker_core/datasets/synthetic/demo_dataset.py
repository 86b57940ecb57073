"""The synthetic dataset, imported into a workspace."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pandas as pd

from sneaker_core.datasets.importer import Importer, ImportStatus, IncomingPhoto
from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.index_schema import RENAMED_KINDS
from sneaker_core.datasets.synthetic.sample_plan import count_photos, generate_photos
from sneaker_core.workspace.atomic_files import write_atomically

PLANTED_FILE = "planted.csv"


def make_synthetic(
    dataset: Dataset,
    per_class: int = 60,
    seed: int = 0,
    *,
    report: Callable[[int, int], None] = lambda done, total: None,
    stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Generate photos of fictional sneakers in a dataset; existing photos are not added again.

    The planted flaws are listed in ``planted.csv`` next to the index; see `read_planted`.

    Parameters
    ----------
    dataset : Dataset
    per_class : int
        Photos of the largest class, 4 to 500.
    seed : int
    report : callable
        Called with the number of photos generated and the total.
    stopped : callable
        Checked between photos; when it returns True, the photos generated so far stay.

    Returns
    -------
    int
        Number of photos added.
    """
    total, added, planted = count_photos(per_class, seed), 0, []
    with Importer(dataset, "synthetic") as importer:
        for done, photo in enumerate(generate_photos(per_class, seed), start=1):
            outcome = importer.add(IncomingPhoto(photo.name, photo.label, photo.data))
            added += outcome.status is ImportStatus.ADDED
            if photo.flaw:
                row = (outcome.sample, photo.name, photo.label, photo.true_label, photo.flaw, photo.copy_of)
                planted.append(row)
            report(done, total)
            if stopped():
                break
    table = pd.DataFrame(planted, columns=["sample", "name", "label", "true_label", "flaw", "copy_of"])
    text = StringIO()
    table.to_csv(text, index=False, lineterminator="\n")
    write_atomically(planted_path(dataset), text.getvalue().encode())
    return added


def planted_path(dataset: Dataset) -> Path:
    """Return the path of the list of planted flaws."""
    return dataset.folder / PLANTED_FILE


def read_planted(dataset: Dataset) -> pd.DataFrame:
    """Return the planted flaws: columns sample, name, label, true_label, flaw (a value of `Flaw`), copy_of."""
    table = pd.read_csv(planted_path(dataset))
    return table.assign(flaw=table["flaw"].replace(RENAMED_KINDS))
