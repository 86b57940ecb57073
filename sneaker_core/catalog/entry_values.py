"""An entry of the catalog as plain values, for JSON."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sneaker_core.catalog.entries import ShoeType, Sneaker
from sneaker_core.catalog.lookup import search_link

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# What an entry is -> its class.
ENTRY_KINDS: dict[str, type[Sneaker] | type[ShoeType]] = {"sneaker": Sneaker, "shoe type": ShoeType}


def entry_values(entry: Sneaker | ShoeType, result: "DataclassInstance | None" = None) -> dict[str, Any]:
    """An entry with what it is, where to look for it, and how the bundled model does on it.

    Parameters
    ----------
    entry : Sneaker or ShoeType
    result : ClassResult, optional
        From the model's evaluation.
    """
    return {
        "kind": next(kind for kind, cls in ENTRY_KINDS.items() if isinstance(entry, cls)),
        **asdict(entry),
        "search": search_link(entry.name),
        "result": None if result is None else asdict(result),
    }
