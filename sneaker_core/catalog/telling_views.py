"""From where to look at two sneakers that look alike, by the marks that the catalog gives for them."""

import re
from collections import Counter

from sneaker_core.catalog.entries import Sneaker

# View -> words of the marks that are seen best from there. Of views with equally many marks, the first counts.
_VIEWS = {
    "from the side": {"side", "sides", "sole", "midsole", "swoosh", "stripe", "stripes", "panel", "panels"},
    "of the heel": {"heel", "back", "tab"},
    "of the toe": {"toe", "front", "forefoot"},
    "from above": {"tongue", "lace", "laces"},
}


def telling_view(one: Sneaker, other: Sneaker) -> str | None:
    """The view that shows most marks of two look-alikes, such as "from the side".

    Returns
    -------
    str or None
        None if the catalog doesn't call them look-alikes, or if no mark says where it is.
    """
    if other.name not in one.look_alikes and one.name not in other.look_alikes:
        return None
    votes: Counter[str] = Counter()
    for mark in (*one.marks, *other.marks):
        words = set(re.findall(r"\w+", mark.lower()))
        votes.update(view for view, own in _VIEWS.items() if words & own)
    return max(_VIEWS, key=lambda view: votes[view]) if votes else None
