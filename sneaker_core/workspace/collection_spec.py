"""The interface of items in a collection, and what distinguishes one kind of collection from another."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from sneaker_core.errors import SneakerError
from sneaker_core.workspace.atomic_files import read_json, write_json
from sneaker_core.workspace.safe_names import safe_folder_name

# What the user says about an item (display name and note), and when it was deleted.
ABOUT_FILE = "about.json"


class Item(Protocol):
    """What every item of a collection provides."""

    @property
    def id(self) -> str:
        """The name of its folder."""

    @property
    def name(self) -> str:
        """Its display name."""


I = TypeVar("I", bound=Item)  # noqa: E741


def read_name(folder: Path) -> str:
    """The display name in an item's ``about.json``, or else the name of its folder."""
    name = (read_json(folder / ABOUT_FILE) or {}).get("name")
    return name if isinstance(name, str) and name else folder.name


def write_name(folder: Path, name: str) -> None:
    """Store a display name in ``about.json``; not if it is the folder's name, so a copied folder gets its own name."""
    update_about(folder, name=None if name == folder.name else name)


def update_about(folder: Path, **changes: object) -> None:
    """Change values of an item's ``about.json``; None removes one."""
    about = {**(read_json(folder / ABOUT_FILE) or {}), **changes}
    write_json(folder / ABOUT_FILE, {key: value for key, value in about.items() if value is not None})


def check_plain_name(name: str) -> str:
    """Check that a name can also be a folder's name on every system, and return it.

    Raises
    ------
    SneakerError
        It can't; the message says what is allowed.
    """
    if name.startswith("-") or safe_folder_name(name) != name:
        raise SneakerError(
            "use 1 to 80 letters, digits, spaces, dots, dashes or underscores, beginning with a letter or a digit."
        )
    return name


@dataclass(frozen=True)
class CollectionSpec(Generic[I]):
    """What distinguishes one kind of collection from another.

    Attributes
    ----------
    kind : str
        Name of its folder in the workspace and in the bin.
    noun, plural : str
        What messages call one item, and several.
    error : type of SneakerError
        Raised for items of this kind.
    holds_item : callable
        Whether a folder holds an item, intact or damaged.
    read : callable
        Reads the item in a folder; raises `error` if it cannot be read.
    is_busy : callable
        Whether an item's job is running, so that it cannot be deleted.
    order : callable
        Key to sort items by.
    read_name, write_name : callable
        Read and store the display name of the item in a folder.
    check_name : callable
        Returns a name from `clean_names.clean_name` if it is allowed; raises SneakerError if it is not.
    reserved : callable
        Names in a workspace that items can't have: name -> what has it.
    """

    kind: str
    noun: str
    plural: str
    error: type[SneakerError]
    holds_item: Callable[[Path], bool]
    read: Callable[[Path], I]
    is_busy: Callable[[I], bool]
    order: Callable[[I], tuple[object, ...]]
    read_name: Callable[[Path], str] = read_name
    write_name: Callable[[Path, str], None] = write_name
    check_name: Callable[[str], str] = check_plain_name
    reserved: Callable[[Path], dict[str, str]] = lambda workspace: {}
