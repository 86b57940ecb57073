"""Which drawn photos there are, and which flaws are planted among them for the app to find."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from io import BytesIO

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from sneaker_core.datasets.synthetic.negatives import draw_negative
from sneaker_core.datasets.synthetic.rendering import draw_photo
from sneaker_core.datasets.synthetic.shapes import SHOES
from sneaker_core.errors import DatasetError

__all__ = ["CLASSES", "Flaw", "SyntheticPhoto", "generate_photos"]

CLASSES: tuple[str, ...] = tuple(sorted(SHOES))

FEWEST_PER_CLASS, MOST_PER_CLASS = 4, 500

# How many photos a class gets, as a share of the largest; dealt out to the classes by the seed.
_SHARES = (1.0, 1.0, 0.95, 0.95, 0.9, 0.9, 0.85, 0.8, 0.7, 0.6, 0.45, 0.35)
_FEWEST = 2
_SIZES = ((384, 288), (400, 300), (360, 360), (320, 240))
_SMALL = (72, 54)
# With so many copies in all, some of them are filed under another label than their original.
_COPIES_WITH_STRAYS, _STRAYS = 12, 3


class Flaw(StrEnum):
    """What is wrong with a photo."""

    NEAR_DUPLICATE = "near_duplicate"
    WRONG_LABEL = "wrong_label"
    BLURRY = "blurry"
    DARK = "dark"
    OVEREXPOSED = "overexposed"
    TOO_SMALL = "too_small"
    NOT_SNEAKER = "not_sneaker"


# Share of all photos; of each flaw there is at least one.
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
    """One photo of the drawn dataset, with what is true of it.

    Attributes
    ----------
    name : str
        File name, unique in the whole dataset.
    label : str
        What it is filed under.
    true_label : str or None
        What is drawn; None for a drawing of something else.
    flaw : str or None
        A value of `Flaw`; None for a good photo.
    copy_of : str or None
        Name of the photo that it is a copy of.
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
    """A photo before it is drawn; `place` is the number of its label and its own number under that label."""

    place: tuple[int, int]
    true_label: str | None
    flaw: Flaw | None = None
    source: tuple[int, int] | None = None

    @property
    def label(self) -> str:
        return CLASSES[self.place[0]]


def generate_photos(per_class: int = 60, seed: int = 0) -> Iterator[SyntheticPhoto]:
    """Draw the photos of a small, flawed dataset, one after the other.

    Parameters
    ----------
    per_class : int
        Photos of the largest class, 4 to 500; others have down to about a third of it.
    seed : int
        Chooses everything; the same numbers give the same bytes.

    Yields
    ------
    SyntheticPhoto
        Class by class.

    Raises
    ------
    DatasetError
        `per_class` is out of range. Told at once, not at the first photo.
    """
    _check(per_class)
    return (_drawn(slot, seed) for slot in _plan(per_class, seed))


def count_photos(per_class: int, seed: int = 0) -> int:
    """How many photos `generate_photos` draws."""
    _check(per_class)
    return len(_plan(per_class, seed))


def _check(per_class: int) -> None:
    if not FEWEST_PER_CLASS <= per_class <= MOST_PER_CLASS:
        raise DatasetError(
            f"A drawn dataset has {FEWEST_PER_CLASS} to {MOST_PER_CLASS} photos a class, not {per_class}."
        )


def _generator(seed: int, *numbers: int) -> np.random.Generator:
    # A generator takes no negative seeds: they become large ones.
    return np.random.default_rng([seed % 2**63, *numbers])


def _plan(per_class: int, seed: int) -> list[_Slot]:
    rng = _generator(seed, len(CLASSES))  # no label has this number, so no photo shares this generator
    shares = rng.permutation(_SHARES)
    counts = [max(round(per_class * share), _FEWEST) for share in shares.tolist()]
    slots = {
        (label, number): _Slot((label, number), CLASSES[label])
        for label, count in enumerate(counts)
        for number in range(count)
    }
    wanted = {flaw: max(round(share * len(slots)), 1) for flaw, share in _FLAW_SHARES.items()}
    pool = _Pool(counts, rng)
    _plant_copies(slots, wanted.pop(Flaw.NEAR_DUPLICATE), pool, rng)
    for flaw, count in wanted.items():
        for _ in range(count):
            place = pool.take()
            slots[place] = replace(slots[place], flaw=flaw, true_label=_truth(flaw, place[0], rng))
    return list(slots.values())


def _truth(flaw: Flaw, label: int, rng: np.random.Generator) -> str | None:
    """What is drawn on a photo with this flaw."""
    if flaw is Flaw.NOT_SNEAKER:
        return None
    if flaw is Flaw.WRONG_LABEL:
        return CLASSES[(label + int(rng.integers(1, len(CLASSES)))) % len(CLASSES)]
    return CLASSES[label]


class _Pool:
    """Photos without a flaw that are not the original of a copy either; each is taken once.

    The last of a class stays, so that every class has a good photo.
    """

    def __init__(self, counts: list[int], rng: np.random.Generator) -> None:
        self._free = [rng.permutation(count).tolist() for count in counts]
        self._rng = rng

    def take(self, label: int | None = None, spare: int = 1) -> tuple[int, int]:
        """Take a photo of one label, or of any that keeps at least `spare` photos."""
        if label is None:
            chances = np.array([max(len(numbers) - spare, 0) for numbers in self._free], dtype=np.float64)
            label = int(self._rng.choice(len(chances), p=chances / chances.sum()))
        return (label, int(self._free[label].pop()))


def _plant_copies(slots: dict[tuple[int, int], _Slot], count: int, pool: _Pool, rng: np.random.Generator) -> None:
    strays = _STRAYS if count >= _COPIES_WITH_STRAYS else 0
    for number in range(count):
        source = pool.take(spare=2)
        place = pool.take() if number < strays else pool.take(source[0])
        slots[place] = replace(slots[place], flaw=Flaw.NEAR_DUPLICATE, true_label=CLASSES[source[0]], source=source)


def _name(place: tuple[int, int]) -> str:
    return f"{CLASSES[place[0]].lower().replace(' ', '-')}-{place[1] + 1:04d}.jpg"


def _drawn(slot: _Slot, seed: int) -> SyntheticPhoto:
    copy_of = None if slot.source is None else _name(slot.source)
    flaw = None if slot.flaw is None else slot.flaw.value
    return SyntheticPhoto(_name(slot.place), slot.label, slot.true_label, flaw, copy_of, _data(slot, seed))


def _data(slot: _Slot, seed: int) -> bytes:
    rng = _generator(seed, *slot.place)
    if slot.source is not None:
        label, number = slot.source
        return _copied(_data(_Slot((label, number), CLASSES[label]), seed), rng)
    size = _SMALL if slot.flaw is Flaw.TOO_SMALL else _SIZES[int(rng.choice(len(_SIZES), p=(0.5, 0.2, 0.15, 0.15)))]
    quality = int(rng.integers(82, 95))
    image = draw_negative(rng, size) if slot.true_label is None else draw_photo(slot.true_label, rng, size)
    return _jpeg(_spoilt(image, slot.flaw, rng), quality)


def _spoilt(image: Image.Image, flaw: Flaw | None, rng: np.random.Generator) -> Image.Image:
    """Take the photo badly, for the flaws that are the camera's."""
    if flaw is Flaw.BLURRY:
        return image.filter(ImageFilter.GaussianBlur(image.width * rng.uniform(0.02, 0.03)))
    if flaw is Flaw.DARK:
        mean = float(np.asarray(image, dtype=np.float32).mean()) / 255
        return ImageEnhance.Brightness(image).enhance(rng.uniform(0.05, 0.09) / mean)
    if flaw is Flaw.OVEREXPOSED:
        veil = rng.uniform(0.84, 0.9)
        return Image.blend(image, Image.new("RGB", image.size, (255, 255, 255)), veil)
    return image


def _copied(data: bytes, rng: np.random.Generator) -> bytes:
    """Do to a photo what happens to photos that are passed on."""
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
