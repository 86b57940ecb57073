"""The plan of the synthetic dataset: its photos and the flaws planted among them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from io import BytesIO

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from sneaker_core.datasets.synthetic.negatives import draw_negative
from sneaker_core.datasets.synthetic.rendering import draw_photo
from sneaker_core.datasets.synthetic.shoe_outlines import SHOES
from sneaker_core.errors import DatasetError

__all__ = ["CLASSES", "Flaw", "SyntheticPhoto", "generate_photos"]

CLASSES: tuple[str, ...] = tuple(sorted(SHOES))

FEWEST_PER_CLASS, MOST_PER_CLASS = 4, 500

# Photos of each class as a share of the largest class; assigned to classes by the seed.
_SHARES = (1.0, 1.0, 0.95, 0.95, 0.9, 0.9, 0.85, 0.8, 0.7, 0.6, 0.45, 0.35)
_FEWEST = 2
_SIZES = ((384, 288), (400, 300), (360, 360), (320, 240))
_SMALL = (72, 54)
# With at least this many near-duplicates, some get another label than their original.
_DUPLICATES_WITH_MISLABELED, _MISLABELED = 12, 3


class Flaw(StrEnum):
    """What is wrong with a photo; values are those of the findings."""

    NEAR_DUPLICATE = "near_duplicate"
    WRONG_LABEL = "wrong_label"
    BLURRY = "blurry"
    DARK = "dark"
    OVEREXPOSED = "overexposed"
    TOO_SMALL = "too_small"
    NOT_SNEAKER = "not_sneaker"


# Share of all photos; each flaw occurs at least once.
_FLAW_SHARES = {
    Flaw.NEAR_DUPLICATE: 0.06,
    Flaw.WRONG_LABEL: 0.04,
    Flaw.BLURRY: 0.01,
    Flaw.DARK: 0.01,
    Flaw.OVEREXPOSED: 0.01,
    Flaw.TOO_SMALL: 0.01,
    Flaw.NOT_SNEAKER: 0.01,
}


@dataclass(frozen=True)
class SyntheticPhoto:
    """A photo of the synthetic dataset with its ground truth.

    Attributes
    ----------
    name : str
        File name, unique in the dataset.
    label : str
        The label in the dataset.
    true_label : str or None
        What it shows; None if it shows no sneaker.
    flaw : str or None
        A value of `Flaw`; None for a good photo.
    copy_of : str or None
        Name of the photo that it duplicates.
    data : bytes
        JPEG.
    """

    name: str
    label: str
    true_label: str | None
    flaw: str | None
    copy_of: str | None
    data: bytes


@dataclass(frozen=True)
class _Slot:
    """A planned photo; `place` is the number of its label and its number within that label."""

    place: tuple[int, int]
    true_label: str | None
    flaw: Flaw | None = None
    source: tuple[int, int] | None = None

    @property
    def label(self) -> str:
        return CLASSES[self.place[0]]


def generate_photos(
    per_class: int = 60, seed: int = 0, *, only: Collection[str] | None = None
) -> Iterator[SyntheticPhoto]:
    """Generate the photos of a small, flawed dataset one by one.

    Parameters
    ----------
    per_class : int
        Photos of the largest class, 4 to 500; the smallest has about a third.
    seed : int
        The same seed and size give the same bytes.
    only : collection of str, optional
        Names of the photos to generate; by default all.

    Yields
    ------
    SyntheticPhoto
        Class by class.

    Raises
    ------
    DatasetError
        `per_class` is out of range; raised immediately, not at the first photo.
    """
    _check(per_class)
    slots = _plan(per_class, seed)
    return (_render(slot, seed) for slot in slots if only is None or _name(slot.place) in only)


def photo_names(per_class: int, seed: int = 0) -> set[str]:
    """Return the names of the photos that `generate_photos` generates."""
    _check(per_class)
    return {_name(slot.place) for slot in _plan(per_class, seed)}


def count_photos(per_class: int, seed: int = 0) -> int:
    """Return the number of photos that `generate_photos` generates."""
    _check(per_class)
    return len(_plan(per_class, seed))


def _check(per_class: int) -> None:
    if not FEWEST_PER_CLASS <= per_class <= MOST_PER_CLASS:
        raise DatasetError(
            f"A synthetic dataset has {FEWEST_PER_CLASS} to {MOST_PER_CLASS} photos per class, not {per_class}."
        )


def _generator(seed: int, *numbers: int) -> np.random.Generator:
    # Generators don't accept negative seeds, so these become large ones.
    return np.random.default_rng([seed % 2**63, *numbers])


def _plan(per_class: int, seed: int) -> list[_Slot]:
    rng = _generator(seed, len(CLASSES))  # no label has this number, so no photo uses this generator
    shares = rng.permutation(_SHARES)
    counts = [max(round(per_class * share), _FEWEST) for share in shares.tolist()]
    slots = {
        (label, number): _Slot((label, number), CLASSES[label])
        for label, count in enumerate(counts)
        for number in range(count)
    }
    wanted = {flaw: max(round(share * len(slots)), 1) for flaw, share in _FLAW_SHARES.items()}
    pool = _Pool(counts, rng)
    _plant_duplicates(slots, wanted.pop(Flaw.NEAR_DUPLICATE), pool, rng)
    for flaw, count in wanted.items():
        for _ in range(count):
            place = pool.take()
            slots[place] = replace(slots[place], flaw=flaw, true_label=_true_label(flaw, place[0], rng))
    return list(slots.values())


def _true_label(flaw: Flaw, label: int, rng: np.random.Generator) -> str | None:
    """Choose what a photo with this flaw shows."""
    if flaw is Flaw.NOT_SNEAKER:
        return None
    if flaw is Flaw.WRONG_LABEL:
        return CLASSES[(label + int(rng.integers(1, len(CLASSES)))) % len(CLASSES)]
    return CLASSES[label]


class _Pool:
    """Photos without a flaw that no other photo duplicates; each is taken once.

    The last one of a class is never taken, so that every class has a flawless photo.
    """

    def __init__(self, counts: list[int], rng: np.random.Generator) -> None:
        self._free = [rng.permutation(count).tolist() for count in counts]
        self._rng = rng

    def take(self, label: int | None = None, spare: int = 1) -> tuple[int, int]:
        """Take a photo of a label, or of any label that keeps at least `spare` photos."""
        if label is None:
            chances = np.array([max(len(numbers) - spare, 0) for numbers in self._free], dtype=np.float64)
            label = int(self._rng.choice(len(chances), p=chances / chances.sum()))
        return (label, int(self._free[label].pop()))


def _plant_duplicates(slots: dict[tuple[int, int], _Slot], count: int, pool: _Pool, rng: np.random.Generator) -> None:
    mislabeled = _MISLABELED if count >= _DUPLICATES_WITH_MISLABELED else 0
    for number in range(count):
        source = pool.take(spare=2)
        place = pool.take() if number < mislabeled else pool.take(source[0])
        slots[place] = replace(slots[place], flaw=Flaw.NEAR_DUPLICATE, true_label=CLASSES[source[0]], source=source)


def _name(place: tuple[int, int]) -> str:
    return f"{CLASSES[place[0]].lower().replace(' ', '-')}-{place[1] + 1:04d}.jpg"


def _render(slot: _Slot, seed: int) -> SyntheticPhoto:
    copy_of = None if slot.source is None else _name(slot.source)
    flaw = None if slot.flaw is None else slot.flaw.value
    return SyntheticPhoto(_name(slot.place), slot.label, slot.true_label, flaw, copy_of, _data(slot, seed))


def _data(slot: _Slot, seed: int) -> bytes:
    rng = _generator(seed, *slot.place)
    if slot.source is not None:
        label, number = slot.source
        return _near_duplicate(_data(_Slot((label, number), CLASSES[label]), seed), rng)
    size = _SMALL if slot.flaw is Flaw.TOO_SMALL else _SIZES[int(rng.choice(len(_SIZES), p=(0.5, 0.2, 0.15, 0.15)))]
    quality = int(rng.integers(82, 95))
    image = draw_negative(rng, size) if slot.true_label is None else draw_photo(slot.true_label, rng, size)
    return _jpeg(_add_flaw(image, slot.flaw, rng), quality)


def _add_flaw(image: Image.Image, flaw: Flaw | None, rng: np.random.Generator) -> Image.Image:
    """Apply a photographic flaw."""
    if flaw is Flaw.BLURRY:
        return image.filter(ImageFilter.GaussianBlur(image.width * rng.uniform(0.02, 0.03)))
    if flaw is Flaw.DARK:
        mean = float(np.asarray(image, dtype=np.float32).mean()) / 255
        return ImageEnhance.Brightness(image).enhance(rng.uniform(0.05, 0.09) / mean)
    if flaw is Flaw.OVEREXPOSED:
        veil = rng.uniform(0.84, 0.9)
        return Image.blend(image, Image.new("RGB", image.size, (255, 255, 255)), veil)
    return image


def _near_duplicate(data: bytes, rng: np.random.Generator) -> bytes:
    """Modify a photo as sharing does: recompress, resize, crop, brighten or mirror it."""
    with Image.open(BytesIO(data), formats=["JPEG"]) as opened:
        image = opened.convert("RGB")
    way = int(rng.integers(5))
    if way == 1:
        scale = rng.uniform(0.6, 0.85)
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    elif way == 2:
        left, top, right, bottom = rng.uniform(0.004, 0.016, 4) * np.array([image.width, image.height] * 2)
        image = image.crop((round(left), round(top), round(image.width - right), round(image.height - bottom)))
    elif way == 3:
        image = ImageEnhance.Brightness(image).enhance(float(rng.choice((0.82, 0.88, 1.08, 1.12))))
    elif way == 4:
        image = ImageOps.mirror(image)
    return _jpeg(image, int(rng.integers(55, 80)))


def _jpeg(image: Image.Image, quality: int) -> bytes:
    stream = BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()
