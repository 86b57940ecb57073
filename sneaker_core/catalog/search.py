"""Searches the catalog."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TypeVar

from sneaker_core.catalog.entries import ShoeType, Sneaker
from sneaker_core.catalog.lookup import Catalog, Entry
from sneaker_core.workspace.clean_names import name_key

# Names at least so similar, 0 to 1, are near ones; longer texts than any name are cut, since comparing takes long.
_ALIKE = 0.75
_LONGEST = 100

Found = TypeVar("Found", Sneaker, ShoeType)


def search_all(catalog: Catalog, text: str) -> list[Entry]:
    """The sneakers, then the shoe types, that a text names, as for `search`."""
    return [*search(catalog.sneakers, text), *search(catalog.shoe_types, text)]


def search(entries: Sequence[Found], text: str) -> list[Found]:
    """The entries that a text names: by name, alias, brand, line or designer, however it is spelled.

    Parameters
    ----------
    entries : sequence of Sneaker or ShoeType
    text : str
        If it is empty, all entries are found.

    Returns
    -------
    list of Sneaker or ShoeType
        Entries of exactly that name first; otherwise in their order. If no entry contains the text as a whole, those
        that contain each of its words.
    """
    wanted = name_key(text)
    if not wanted:
        return list(entries)
    if whole := [entry for entry in entries if _holds(entry, {wanted})]:
        return sorted(whole, key=lambda entry: wanted not in map(name_key, _names(entry)))
    words = _words(text)
    return [entry for entry in entries if _holds(entry, words)]


def near_entries(entries: Sequence[Sneaker | ShoeType], text: str, most: int = 3) -> list[str]:
    """Names that a text which is no entry's name or alias may be meant for, nearest first.

    Parameters
    ----------
    entries : sequence of Sneaker or ShoeType
    text : str
    most : int
        How many names at most.
    """
    keys = {name_key(name): entry.name for entry in entries for name in _names(entry)}
    # Names that are written alike; where there are none, those that hold every word.
    alike = [keys[key] for key in get_close_matches(name_key(text[:_LONGEST]), keys, 2 * most, _ALIKE)]
    words = _words(text[:_LONGEST])
    holding = [entry.name for entry in entries if words and _holds(entry, words)]
    return list(dict.fromkeys([*alike, *holding]))[:most]


def _words(text: str) -> set[str]:
    return {key for word in text.split() if (key := name_key(word))}


def _holds(entry: Sneaker | ShoeType, wanted: set[str]) -> bool:
    """Whether each wanted key is part of a text of the entry."""
    keys = [name_key(text) for text in (*_names(entry), *_makers(entry))]
    return all(any(one in key for key in keys) for one in wanted)


def _names(entry: Sneaker | ShoeType) -> tuple[str, ...]:
    return (entry.name, *entry.aliases)


def _makers(entry: Sneaker | ShoeType) -> tuple[str, ...]:
    return (entry.brand, entry.line, *entry.designers) if isinstance(entry, Sneaker) else ()
