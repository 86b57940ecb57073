"""Photos with the class that a user gave them, because the model's answer was wrong."""

from pathlib import Path

from sneaker_core.datasets.dataset_collection import datasets_of, find_dataset, find_or_create
from sneaker_core.datasets.importer import Importer, ImportStatus, IncomingPhoto
from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.review_log import Action, decide, history
from sneaker_core.errors import DatasetError
from sneaker_core.images import Photo
from sneaker_core.workspace.clean_names import clean_name

CORRECTIONS = "My corrections"


def find_corrections(workspace: Path) -> Dataset | None:
    """The dataset of corrections; None if there are none."""
    return find_dataset(workspace, CORRECTIONS) if datasets_of(workspace).named(CORRECTIONS) else None


def waiting_for_review(dataset: Dataset) -> int:
    """How many corrections nobody has decided on: kept, relabeled or excluded."""
    decisions = history(dataset)
    decided = set(decisions.loc[decisions["undone"].isna() & (decisions["action"] != Action.MERGE), "sample"])
    return len(set(read_samples(dataset)["sample"]) - decided)


def save_correction(workspace: Path, photo: Photo, label: str, author: str = "") -> Dataset:
    """Save a photo with its right class in the dataset of corrections, which is created for the first one.

    A photo that is corrected again gets the new class; the review log keeps both decisions.

    Parameters
    ----------
    workspace : Path
    photo : Photo
    label : str
        What it shows.
    author : str
        Who says so, for the review log.

    Raises
    ------
    DatasetError
        The class has no name, the photo can't be read, or the dataset can't be written.
    """
    if not clean_name(label):
        raise DatasetError("The correction has no name. Choose a sneaker or type its name.")
    dataset = find_or_create(workspace, CORRECTIONS)
    with Importer(dataset, "corrections") as importer:
        outcome = importer.add(IncomingPhoto(photo.name, label, photo.data))
    if outcome.status is ImportStatus.REJECTED or outcome.sample is None:
        raise DatasetError(outcome.reason or "The photo can't be saved.")
    samples = read_samples(dataset).set_index("sample")
    if samples.at[outcome.sample, "label"] != clean_name(label):
        decide(dataset, [outcome.sample], Action.RELABEL, clean_name(label), author=author)
    return dataset
