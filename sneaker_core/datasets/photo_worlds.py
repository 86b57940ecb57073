"""Worlds: what the photos of a source are like, such as "shop", "web" or "phone".

A model may do well in one world and badly in another. A dataset that knows the worlds of its photos lets training fit
the thresholds to all of them alike, and lets evaluations tell them apart.
"""

import pandas as pd

from sneaker_core.datasets.index import Dataset, read_provenance, set_fact

# The column of a table of photos, or of predictions, that names the world of each.
WORLD = "world"
_FACT = "worlds"


def set_world(dataset: Dataset, source: str, world: str) -> None:
    """Record the world of all photos of a source; the source is named as in `read_provenance`."""
    with dataset.changing() as db:
        set_fact(db, _FACT, {**dataset.fact(_FACT, {}), source: world})


def read_worlds(dataset: Dataset) -> pd.Series:
    """The world of each photo, by sample; of a photo with several sources, that of the first source that has one.

    Returns
    -------
    Series of str
        Indexed by sample; photos without a world are left out.
    """
    known = dataset.fact(_FACT, {})
    if not known:
        return pd.Series(dtype=object)
    provenance = read_provenance(dataset)
    worlds = provenance["source"].map(known).groupby(provenance["sample"]).first().dropna()
    return worlds.astype(object)
