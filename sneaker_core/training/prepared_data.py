"""What a training run works on: its photos, decoded once, and what each of them is for."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from sneaker_core import process_group
from sneaker_core.datasets.near_duplicates import group_by_hash, perceptual_hashes
from sneaker_core.datasets.photo_folder import fingerprint, scan_photos
from sneaker_core.datasets.split import Split, split_by_group
from sneaker_core.errors import DatasetError
from sneaker_core.networks.architectures import SneakerNetwork
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.training.array_cache import ArrayCache
from sneaker_core.training.frozen_embeddings import Views, embed
from sneaker_core.training.photo_cache import LoadedPhotos, load_photos
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.trainer import STORED_OVER_SEEN, TrainingData

# Photos done, their number, what is done to them.
Progress = Callable[[int, int, str], None]

# Photos that go through the network at once.
BATCH = 32
# Of the photos of other things this share is kept from training, to measure how many are recognised as such.
OTHERS_TEST_SHARE = 0.3
# Pixels a side at which photos are compared to find copies.
COPY_SIZE = 160


@dataclass(frozen=True)
class Materials:
    """The photos of a run, decoded, and what each is for.

    Attributes
    ----------
    samples : DataFrame
        Columns sample, path, label (None for photos of other things), group, split.
    pixels : uint8 array (N, H, W, 3)
        One row for each row of `samples`; mapped from a file.
    rejected : dict of str to str
        Path -> why it could not be read.
    classes : tuple of str
    """

    samples: pd.DataFrame
    pixels: NDArray[np.uint8]
    rejected: dict[str, str]
    classes: tuple[str, ...]

    def training_data(self) -> TrainingData:
        """The photos to learn from, as arrays."""
        chosen = np.flatnonzero((self.samples["split"] == Split.TRAIN).to_numpy())
        number = {name: index for index, name in enumerate(self.classes)}
        targets = self.samples["label"].map(number).fillna(len(self.classes)).to_numpy(dtype=float).astype(np.int64)
        return TrainingData(self.pixels, targets[chosen], len(self.classes), rows=chosen)

    def sneakers(self, split: Split) -> pd.DataFrame:
        """The labelled photos of one split."""
        return self.samples[(self.samples["split"] == split) & self.samples["label"].notna()]

    def others(self, split: Split) -> pd.DataFrame:
        """The photos of other things of one split."""
        return self.samples[(self.samples["split"] == split) & self.samples["label"].isna()]

    @property
    def fingerprint(self) -> str:
        """One name for exactly these photos, those of other things included, and what each is for."""
        used = self.samples["label"].astype(str) + " " + self.samples["split"].astype(str)
        return fingerprint(self.samples.assign(label=used))

    def describe(self) -> dict[str, Any]:
        """Fingerprint and counts, for the checkpoint."""
        labelled = self.samples[self.samples["label"].notna()]
        counts = labelled.groupby(["label", "split"]).size().unstack(fill_value=0)
        groups = labelled.groupby("group")["label"]
        return {
            "fingerprint": fingerprint(labelled),
            "photos": len(labelled),
            "rejected": len(self.rejected),
            "classes": {label: {str(k): int(v) for k, v in row.items()} for label, row in counts.iterrows()},
            "in_duplicate_groups": int((groups.transform("size") > 1).sum()),
            "under_two_labels": int((groups.transform("nunique") > 1).sum()),
            "others": {
                str(k): int(v) for k, v in self.samples[self.samples["label"].isna()]["split"].value_counts().items()
            },
        }


def prepare(
    dataset: str,
    samples: pd.DataFrame,
    recipe: Recipe,
    network: SneakerNetwork | None,
    workspace: Path,
    others: Path | None = None,
    progress: Progress = lambda done, total, step: None,
) -> Materials:
    """Decode the photos, find copies and split.

    Parameters
    ----------
    dataset : str
        What the photos are called, in sentences about them.
    samples : DataFrame
        From `datasets.library.open_samples`. A split that is stored there is kept; what it lacks (validation, or test)
        is taken from its training photos by the recipe's shares.
    recipe : Recipe
    network : SneakerNetwork or None
        Its embeddings help to find copies; None where it has not seen enough, or has been taught classes.
    workspace : Path
        Keeps what is worked out here for the next run.
    others : Path, optional
        A folder with photos of other things.
    progress : callable, optional
        Called with the photos done, their number and what is done to them.

    Raises
    ------
    DatasetError
        There are too few photos or classes.
    SpaceError
        The disk is full.
    """
    classes = tuple(sorted(samples["label"].unique()))
    if len(classes) < 2:
        raise DatasetError(f"{dataset} has one class only; there must be two or more to tell apart.")
    if others is not None:
        known = set(samples["sample"])
        samples = pd.concat(
            [samples, scan_photos(others).loc[lambda rows: ~rows["sample"].isin(known)]], ignore_index=True
        )
    photos = _photos(samples, recipe, workspace, progress)
    samples = samples[photos.readable].reset_index(drop=True)
    lost = sorted(set(classes) - set(samples["label"].dropna()))
    if lost:
        raise DatasetError(f"No photo of {', '.join(map(repr, lost))} in {dataset} can be read.")
    samples["group"] = _copies(samples, photos.pixels, network, workspace, progress)
    samples["split"] = _split(samples, recipe)
    for split in (Split.VAL, Split.TEST):
        if not (samples["label"].notna() & (samples["split"] == split)).any():
            raise DatasetError(
                f"{dataset} has too few photos to keep any for {split}; add some or raise {split}_share."
            )
    untaught = sorted(set(classes) - set(samples.loc[samples["split"] == Split.TRAIN, "label"].dropna()))
    if untaught:
        raise DatasetError(
            f"{dataset} has no photos of {', '.join(map(repr, untaught))} to train on; make a new split."
        )
    return Materials(samples, photos.pixels, photos.rejected, classes)


def _photos(samples: pd.DataFrame, recipe: Recipe, workspace: Path, progress: Progress) -> LoadedPhotos:
    """Decoded by one process on each machine; the others map what it wrote."""

    def told(done: int) -> None:
        progress(done, len(samples), "Reading photos")

    side = round(recipe.size * STORED_OVER_SEEN)
    if process_group.local_rank() == 0:
        load_photos(samples, side, workspace, told)
    process_group.wait_for_all()
    return load_photos(samples, side, workspace)


def _copies(
    samples: pd.DataFrame,
    pixels: NDArray[np.uint8],
    network: SneakerNetwork | None,
    workspace: Path,
    progress: Progress,
) -> NDArray[np.int64]:
    """The group of each photo: copies of one photo have the same."""
    names, step = list(samples["sample"]), "Looking for copies"
    progress(0, len(names), step)
    embeddings = None
    if network is not None:
        views = Views(COPY_SIZE, 0, Recipe())
        rows = np.arange(len(names))
        told = embed(network, names, pixels, rows, views, workspace, lambda done: progress(done, len(names), step))
        embeddings = told.astype(np.float32).mean(1)
    cache = ArrayCache(workspace, "copies")
    key = cache.key(pixels.shape[1], b"" if embeddings is None else embeddings.tobytes(), *names)
    if process_group.local_rank() == 0 and cache.read(key) is None:
        groups = group_by_hash(perceptual_hashes(pixels), embeddings)
        cache.write(key, [groups], (), np.int64, {})
    process_group.wait_for_all()
    kept = cache.read(key)
    assert kept is not None
    return np.array(kept[0])


def shrunk(pixels: NDArray[np.uint8], preprocessing: Preprocessing) -> torch.Tensor:
    """Photos in memory (B, H, W, 3) at the size of a preprocessing, as floats from 0 to 255."""
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    side = (preprocessing.height, preprocessing.width)
    small = torch.nn.functional.interpolate(images, side, mode="bilinear", antialias=True, align_corners=False)
    return small.permute(0, 2, 3, 1)


def _split(samples: pd.DataFrame, recipe: Recipe) -> pd.Series:
    labelled = samples[samples["label"].notna()]
    split = _complete(labelled, recipe)
    rest = samples.index.difference(labelled.index)
    # A photo of something else that is a copy of a sneaker photo, or of another such photo, moves with its group.
    groups = samples.loc[rest, "group"]
    order = np.random.default_rng(recipe.seed).permutation(groups.unique())
    tested = groups.isin(order[: round(OTHERS_TEST_SHARE * len(order))])
    drawn = pd.Series(np.where(tested, Split.TEST.value, Split.TRAIN.value), index=rest)
    other_split = groups.map(split.groupby(labelled["group"]).first()).fillna(drawn)
    together: pd.Series = pd.concat([split, other_split]).reindex(samples.index)
    return together


def _complete(labelled: pd.DataFrame, recipe: Recipe) -> pd.Series:
    """The stored split, with what it lacks taken from its training photos; a new one where none is stored."""
    stored = labelled["split"]
    # A photo that came after the split was made goes where its copies are, else to training.
    stored = stored.fillna(stored.groupby(labelled["group"]).transform("first")).fillna(Split.TRAIN.value)
    shares = {Split.VAL: recipe.val_share, Split.TEST: recipe.test_share}
    lacking = {part: 0.0 if (stored == part).any() else share for part, share in shares.items()}
    learned = labelled[stored == Split.TRAIN]
    divided = split_by_group(learned["label"], learned["group"], lacking[Split.VAL], lacking[Split.TEST], recipe.seed)
    return divided.reindex(labelled.index).fillna(stored)
