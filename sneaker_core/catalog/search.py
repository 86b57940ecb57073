"""Searches the catalog."""

from collections.abc import Sequence
from typing import TypeVar

from sneaker_core.catalog.entries import ShoeType, Sneaker
from sneaker_core.workspace.clean_names import name_key

Found = TypeVar("Found", Sneaker, ShoeType)


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
    whole = [entry for entry in entries if _holds(entry, wanted)]
    if whole:
        return sorted(whole, key=lambda entry: wanted not in map(name_key, _names(entry)))
    words = [key for word in text.split() if (key := name_key(word))]
    return [entry for entry in entries if all(_holds(entry, word) for word in words)]


def _holds(entry: Sneaker | ShoeType, wanted: str) -> bool:
    return any(wanted in name_key(text) for text in (*_names(entry), *_makers(entry)))


def _names(entry: Sneaker | ShoeType) -> tuple[str, ...]:
    return (entry.name, *entry.aliases)


def _makers(entry: Sneaker | ShoeType) -> tuple[str, ...]:
    return (entry.brand, entry.line, *entry.designers) if isinstance(entry, Sneaker) else ()
