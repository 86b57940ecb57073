"""What the catalog holds: sneakers, types of shoes, and where their facts come from."""

from dataclasses import dataclass
from enum import StrEnum


class SneakerCategory(StrEnum):
    """What a sneaker was made for."""

    BASKETBALL = "basketball"
    RUNNING = "running"
    TRAIL_RUNNING = "trail running"
    TENNIS = "tennis"
    SOCCER = "soccer"
    SKATEBOARDING = "skateboarding"
    TRAINING = "training"
    LIFESTYLE = "lifestyle"


class ShoeCategory(StrEnum):
    """The five groups of shoe types."""

    ATHLETIC = "athletic"
    BOOTS = "boots"
    CASUAL = "casual"
    DRESS = "dress"
    HEELS = "heels"


@dataclass(frozen=True)
class Source:
    """Where facts can be checked.

    Attributes
    ----------
    publisher : str
        For example "Wikipedia".
    title : str
    """

    publisher: str
    title: str


@dataclass(frozen=True)
class Sneaker:
    """A sneaker model. What isn't known for certain is None or empty.

    Attributes
    ----------
    name : str
        As the bundled model calls the class.
    aliases : tuple of str
        Other names of classes that mean this sneaker.
    brand : str
    line : str
        The maker's line or series, for example "Air Max".
    year : int or None
        Of the first release.
    designers : tuple of str
    category : SneakerCategory
    drawing : str
        The synthetic class whose shape is closest, to draw in place of a photo.
    look_alikes : tuple of str
        Names of the sneakers that it is most easily taken for, nearest first.
    marks : tuple of str
        Three things to look for that tell it from its look-alikes.
    strengths, weaknesses : str
        Of wearing it, in one line each.
    note : str
        What a bare year or name would leave wrong.
    sources : tuple of Source
    """

    name: str
    aliases: tuple[str, ...]
    brand: str
    line: str
    year: int | None
    designers: tuple[str, ...]
    category: SneakerCategory
    drawing: str
    look_alikes: tuple[str, ...]
    marks: tuple[str, ...]
    strengths: str
    weaknesses: str
    note: str
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class ShoeType:
    """A type of shoe.

    Attributes
    ----------
    name : str
    aliases : tuple of str
        Other names of classes that mean this type.
    category : ShoeCategory
    pros, cons : str
        Of wearing it, in one line each.
    distinction : str
        What tells it from similar types.
    """

    name: str
    aliases: tuple[str, ...]
    category: ShoeCategory
    pros: str
    cons: str
    distinction: str
