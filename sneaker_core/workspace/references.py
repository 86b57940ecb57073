"""References: how records refer to a dataset, a run or a folder, independently of display names.

A reference is the id of an item (the name of its folder), or the absolute path of a folder outside the workspace.
Records of older versions hold display names; when they are read, they are marked as such.
"""

from pathlib import Path

_NAME = "name:"  # Ids and absolute paths never begin like this, because they have no colon there.


def by_name(name: str) -> str:
    """The reference for the value in an old record: a display name or an absolute path."""
    return name if not name or Path(name).is_absolute() else f"{_NAME}{name}"


def name_in(reference: str) -> str | None:
    """The display name that a reference holds; None if it holds an id or a path."""
    return reference.removeprefix(_NAME) if reference.startswith(_NAME) else None


def text_of(reference: str) -> str:
    """What to call a reference if nothing else is known: the last part of a path, an id or a name."""
    return name_in(reference) or Path(reference).name
