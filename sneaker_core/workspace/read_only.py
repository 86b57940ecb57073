"""The one place that refuses changes while SoleScope is read-only, as when phones use it.

Everything that writes to a workspace asks here first: atomic files, logs, collections, the index of a dataset, and
jobs. Only caches and files that are written elsewhere, because a user named them, are exempt.
"""

from sneaker_core.errors import ReadOnlyError
from sneaker_core.settings import read_only

READ_ONLY_TEXT = "This SoleScope is read-only: nothing can be saved or changed here."
_HINT = "To allow changes, start it without SOLESCOPE_READ_ONLY, or `make phone` with --allow-changes."


def check_changeable() -> None:
    """Check that a workspace may be changed.

    Raises
    ------
    ReadOnlyError
        SoleScope was started read-only.
    """
    if read_only():
        raise ReadOnlyError(f"{READ_ONLY_TEXT} {_HINT}")
