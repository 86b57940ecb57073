"""The drawn dataset in the workspace."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pandas as pd

from sneaker_core.datasets.importer import Importer, ImportStatus, IncomingPhoto
from sneaker_core.datasets.index import Dataset
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
    """Draw made-up sneakers into a dataset; what is there already is not added again.

    The flaws that were planted are listed in ``planted.csv`` beside the index: columns sample, name, label, true_label,
    flaw, copy_of.

    Returns
    -------
    int
        How many photos were added.
    """
    total, added, planted = count_photos(per_class, seed), 0, []
    with Importer(dataset, "synthetic") as intake:
        for done, photo in enumerate(generate_photos(per_class, seed), start=1):
            outcome = intake.add(IncomingPhoto(photo.name, photo.label, photo.data))
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
    """Where the list of planted flaws lies."""
    return dataset.folder / PLANTED_FILE
