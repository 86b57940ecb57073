"""Finds entries of the catalog by the name of a class, and where to look for a shoe."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from sneaker_core.catalog.catalog_files import read_shoe_types, read_sneakers
from sneaker_core.catalog.entries import ShoeType, Sneaker
from sneaker_core.errors import SneakerError
from sneaker_core.workspace.clean_names import name_key
from sneaker_core.workspace.paths import CATALOG

Entry = Sneaker | ShoeType


@dataclass(frozen=True)
class Catalog:
    """The whole catalog.

    Attributes
    ----------
    sneakers : tuple of Sneaker
        Brand by brand.
    shoe_types : tuple of ShoeType
        Category by category.
    by_key : dict of str to Sneaker or ShoeType
        Each entry under the keys of its name and aliases.
    """

    sneakers: tuple[Sneaker, ...]
    shoe_types: tuple[ShoeType, ...]
    by_key: dict[str, Entry]


def read_catalog(folder: Path | None = None) -> Catalog:
    """The catalog, read on first use and then kept for the life of the process.

    Parameters
    ----------
    folder : Path, optional
        By default the catalog that comes with SoleScope.

    Raises
    ------
    SneakerError
        A file is missing or damaged, or a name or alias is given twice.
    """
    return _read(folder or CATALOG)


@cache
def _read(folder: Path) -> Catalog:
    sneakers, shoe_types = read_sneakers(folder), read_shoe_types(folder)
    entries: tuple[Entry, ...] = (*sneakers, *shoe_types)
    by_key: dict[str, Entry] = {}
    for entry in entries:
        for name in (entry.name, *entry.aliases):
            if other := by_key.get(name_key(name)):
                problem = f"{name!r} stands for {other.name} and again for {entry.name}"
                raise SneakerError(f"Can't read {folder}: {problem}. Remove one of the two names.")
            by_key[name_key(name)] = entry
    return Catalog(sneakers, shoe_types, by_key)


def find_entry(class_name: str) -> Entry | None:
    """What the catalog knows of a class, or None.

    Parameters
    ----------
    class_name : str
        A name or alias; case, spaces, hyphens and underscores don't matter.

    Raises
    ------
    SneakerError
        The catalog is damaged.

    Examples
    --------
    >>> find_entry("air_jordan_iv").name
    'Air Jordan 4'
    """
    return read_catalog().by_key.get(name_key(class_name))


def search_link(name: str) -> str:
    """Address of a plain web search for a shoe, without affiliation.

    Parameters
    ----------
    name : str
        Of an entry, or of any class.

    Examples
    --------
    >>> search_link("Puma Suede")
    'https://duckduckgo.com/?q=Puma+Suede+shoes'
    """
    query = name if "shoes" in name.lower() else f"{name} shoes"
    return f"https://duckduckgo.com/?{urlencode({'q': query})}"
