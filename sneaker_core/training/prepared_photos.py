"""Photos prepared for a training: decoded once, grouped by near-duplicates, and split."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from sneaker_core import process_group
from sneaker_core.datasets.near_duplicates import group_by_hash, perceptual_hashes
from sneaker_core.datasets.photo_folder import fingerprint, read_negatives
from sneaker_core.datasets.split import Split, complete_split, split_by_group
from sneaker_core.errors import DatasetError
from sneaker_core.networks.architectures import SneakerNetwork
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.training.array_cache import ArrayCache
from sneaker_core.training.frozen_embeddings import Views, embed_photos
from sneaker_core.training.photo_cache import LoadedPhotos, load_photos
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.trainer import STORED_OVER_SEEN, TrainingData

# Photos done, their total, current step.
Progress = Callable[[int, int, str], None]

# Photos per forward pass.
BATCH = 32
# Shares of the negatives that are kept out of training: to fit the OOD score, and to measure how many are recognized.
NEGATIVES_VAL_SHARE, NEGATIVES_TEST_SHARE = 0.1, 0.2
_HELD_OUT_SHARES = (NEGATIVES_TEST_SHARE, NEGATIVES_TEST_SHARE + NEGATIVES_VAL_SHARE)
# Width and height in pixels at which photos are compared to find near-duplicates.
DUPLICATE_SIZE = 160


@dataclass(frozen=True)
class PreparedPhotos:
    """The photos of a run, decoded and split.

    Attributes
    ----------
    samples : DataFrame
        Columns sample, path, label (None for negatives), footwear (the type, for negatives that show other footwear),
        group, split.
    pixels : uint8 array (N, H, W, 3)
        One row per row of `samples`; memory-mapped.
    rejected : dict of str to str
        Path -> why it could not be read.
    classes : tuple of str
    footwear_types : tuple of str
        Types of other footwear among the negatives.
    """

    samples: pd.DataFrame
    pixels: NDArray[np.uint8]
    rejected: dict[str, str]
    classes: tuple[str, ...]
    footwear_types: tuple[str, ...] = ()

    def training_data(self) -> TrainingData:
        """The training photos as arrays."""
        rows = np.flatnonzero((self.samples["split"] == Split.TRAIN).to_numpy())
        classes, types = len(self.classes), len(self.footwear_types)
        number = {name: index for index, name in enumerate(self.classes)}
        footwear = {name: classes + index for index, name in enumerate(self.footwear_types)}
        numbers = self.samples["label"].map(number).fillna(self.samples["footwear"].map(footwear))
        targets = numbers.fillna(classes + types).to_numpy(dtype=float).astype(np.int64)
        return TrainingData(self.pixels, targets[rows], classes, rows, types)

    def labeled(self, split: Split) -> pd.DataFrame:
        """The sneaker photos of a split."""
        return self.samples[(self.samples["split"] == split) & self.samples["label"].notna()]

    def negatives(self, split: Split) -> pd.DataFrame:
        """The negatives of a split, other footwear included."""
        return self.samples[(self.samples["split"] == split) & self.samples["label"].isna()]

    @property
    def fingerprint(self) -> str:
        """Hash of all photos, negatives included, with their labels and splits."""
        used = self.samples["label"].astype(str) + " " + self.samples["split"].astype(str)
        return fingerprint(self.samples.assign(label=used))

    def describe(self) -> dict[str, Any]:
        """Fingerprint and counts, for the checkpoint."""
        labeled = self.samples[self.samples["label"].notna()]
        counts = labeled.groupby(["label", "split"]).size().unstack(fill_value=0)
        groups = labeled.groupby("group")["label"]
        negatives = self.samples[self.samples["label"].isna()]
        is_footwear = negatives["footwear"].notna()
        return {
            "fingerprint": fingerprint(labeled),
            "photos": len(labeled),
            "rejected": len(self.rejected),
            "classes": {label: {str(k): int(v) for k, v in row.items()} for label, row in counts.iterrows()},
            "in_duplicate_groups": int((groups.transform("size") > 1).sum()),
            "under_two_labels": int((groups.transform("nunique") > 1).sum()),
            "negatives": _by_split(negatives[~is_footwear]),
            **({"other_footwear": _by_split(negatives[is_footwear])} if is_footwear.any() else {}),
        }


def _by_split(samples: pd.DataFrame) -> dict[str, int]:
    return {str(split): int(count) for split, count in samples["split"].value_counts().items()}


def prepare_photos(
    dataset: str,
    samples: pd.DataFrame,
    recipe: Recipe,
    embedder: SneakerNetwork | None,
    workspace: Path,
    negatives: Path | None = None,
    progress: Progress = lambda done, total, step: None,
    earlier: Mapping[str, str] = MappingProxyType({}),
) -> PreparedPhotos:
    """Decode the photos, find near-duplicates and split.

    Parameters
    ----------
    dataset : str
        Name of the dataset in error messages.
    samples : DataFrame
        From `open_samples`. A stored split is kept; a missing validation or test split is taken from its training
        photos, in the shares that the recipe gives.
    recipe : Recipe
    embedder : SneakerNetwork or None
        Network whose embeddings help to find near-duplicates; None to use perceptual hashes only.
    workspace : Path
        Caches the results for the next run.
    negatives : Path, optional
        Folder of photos that show none of the classes; see `read_negatives`.
    progress : callable, optional
        Called with the number of photos done, their total and the current step.
    earlier : mapping of str to str
        Sample -> split of the model that the training starts from. Photos of a dataset without a split, and negatives,
        keep it: the model would otherwise be tested on what it has seen.

    Raises
    ------
    DatasetError
        There are too few photos or classes.
    SpaceError
        The disk is full.
    """
    classes = tuple(sorted(samples["label"].unique()))
    if len(classes) < 2:
        raise DatasetError(f"{dataset} has only one class; training needs two or more.")
    samples = samples.assign(footwear=None)
    if negatives is not None:
        known = set(samples["sample"])
        samples = pd.concat(
            [samples, read_negatives(negatives).loc[lambda rows: ~rows["sample"].isin(known)]],
            ignore_index=True,
        )
    photos = _load_photos(samples, recipe, workspace, progress)
    samples = samples[photos.readable].reset_index(drop=True)
    unreadable = sorted(set(classes) - set(samples["label"].dropna()))
    if unreadable:
        raise DatasetError(f"No photo of {', '.join(map(repr, unreadable))} in {dataset} can be read.")
    samples["group"] = _duplicate_groups(samples, photos.pixels, embedder, recipe.network, workspace, progress)
    samples["split"] = _split(samples, recipe, samples["sample"].map(earlier).astype(object))
    _check_split(dataset, samples, classes)
    types = tuple(sorted(set(samples["footwear"].dropna())))
    return PreparedPhotos(samples, photos.pixels, photos.rejected, classes, types)


def _check_split(dataset: str, samples: pd.DataFrame, classes: tuple[str, ...]) -> None:
    for split in (Split.VAL, Split.TEST):
        if not (samples["label"].notna() & (samples["split"] == split)).any():
            raise DatasetError(f"{dataset} has too few photos for a {split} split; add photos or raise {split}_share.")
    missing = sorted(set(classes) - set(samples.loc[samples["split"] == Split.TRAIN, "label"].dropna()))
    if missing:
        raise DatasetError(f"{dataset} has no training photos of {', '.join(map(repr, missing))}; make a new split.")


def _load_photos(samples: pd.DataFrame, recipe: Recipe, workspace: Path, progress: Progress) -> LoadedPhotos:
    """Decode the photos in one process per machine; the others map the file that it wrote."""

    def on_progress(done: int) -> None:
        progress(done, len(samples), "Reading photos")

    side = round(recipe.size * STORED_OVER_SEEN)
    if process_group.local_rank() == 0:
        load_photos(samples, side, workspace, on_progress)
    process_group.wait_for_all()
    return load_photos(samples, side, workspace)


def _duplicate_groups(
    samples: pd.DataFrame,
    pixels: NDArray[np.uint8],
    embedder: SneakerNetwork | None,
    network: str,
    workspace: Path,
    progress: Progress,
) -> NDArray[np.int64]:
    """Near-duplicate group of each photo."""
    names, step = list(samples["sample"]), "Looking for near-duplicates"
    progress(0, len(names), step)
    embeddings = None
    if embedder is not None:
        views = Views(DUPLICATE_SIZE, 0, Recipe(network=network))
        rows = np.arange(len(names))
        embedded = embed_photos(
            embedder, names, pixels, rows, views, workspace, lambda done: progress(done, len(names), step)
        )
        embeddings = embedded.astype(np.float32).mean(1)
    cache = ArrayCache(workspace, "copies")
    key = cache.key(pixels.shape[1], b"" if embeddings is None else embeddings.tobytes(), *names)
    if process_group.local_rank() == 0 and cache.read(key) is None:
        groups = group_by_hash(perceptual_hashes(pixels), embeddings)
        cache.write(key, [groups], (), np.int64, {})
    process_group.wait_for_all()
    stored = cache.read(key)
    assert stored is not None
    return np.array(stored[0])


def resize_batch(pixels: NDArray[np.uint8], preprocessing: Preprocessing) -> torch.Tensor:
    """Resize photos (B, H, W, 3) to the input size of a preprocessing: float tensor (B, h, w, 3), values 0 to 255."""
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    side = (preprocessing.height, preprocessing.width)
    small = torch.nn.functional.interpolate(images, side, mode="bilinear", antialias=True, align_corners=False)
    return small.permute(0, 2, 3, 1)


def _split(samples: pd.DataFrame, recipe: Recipe, earlier: pd.Series) -> pd.Series:
    # A near-duplicate of a photo that was trained on is as good as that photo.
    trained = (earlier == Split.TRAIN).groupby(samples["group"]).transform("any")
    earlier = earlier.groupby(samples["group"]).transform("first").mask(trained, Split.TRAIN.value)
    labeled = samples[samples["label"].notna()]
    known = earlier[labeled.index]
    if labeled["split"].isna().all() and known.notna().any():
        new = labeled[known.isna()]
        drawn = split_by_group(new["label"], new["group"], recipe.val_share, recipe.test_share, recipe.seed)
        labeled = labeled.assign(split=known.fillna(drawn))
    split = complete_split(labeled, recipe.val_share, recipe.test_share, recipe.seed)
    rest = samples.index.difference(labeled.index)
    # A negative that is a near-duplicate of a sneaker photo, or of another negative, follows its group.
    groups = samples.loc[rest, "group"]
    order = np.random.default_rng(recipe.seed).permutation(groups.unique())
    tested, held_out = (round(share * len(order)) for share in _HELD_OUT_SHARES)
    is_test, is_val = groups.isin(order[:tested]), groups.isin(order[tested:held_out])
    shuffled = np.select([is_test, is_val], [Split.TEST.value, Split.VAL.value], Split.TRAIN.value)
    drawn = earlier[rest].fillna(pd.Series(shuffled, index=rest))
    negatives_split = groups.map(split.groupby(labeled["group"]).first()).fillna(drawn)
    combined: pd.Series = pd.concat([split, negatives_split]).reindex(samples.index)
    return combined
