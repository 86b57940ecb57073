"""How records refer to a dataset, a run or a folder: by something that a rename does not change.

A reference is the id of an item (the name of its folder), or the absolute path of a folder outside the workspace.
Records of older versions hold display names; they become references that say so when they are read.
"""

from pathlib import Path

_NAME = "name:"  # no id and no absolute path begins like this: neither has a colon there


def by_name(name: str) -> str:
    """The reference that stands for what an old record holds: a display name, or an absolute path."""
    return name if not name or Path(name).is_absolute() else f"{_NAME}{name}"


def name_in(reference: str) -> str | None:
    """The display name that a reference holds; None if it holds an id or a path."""
    return reference.removeprefix(_NAME) if reference.startswith(_NAME) else None


def text_of(reference: str) -> str:
    """What a reference is called, for people, if nothing else is known: the last part of a path, an id or a name."""
    return name_in(reference) or Path(reference).name
