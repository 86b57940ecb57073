"""The interface of items in a collection, and what distinguishes one kind of collection from another."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from msgspec import to_builtins

from sneaker_core.errors import DamagedError, SneakerError
from sneaker_core.records.reading import find_record
from sneaker_core.records.workspace_records import AboutFile
from sneaker_core.workspace.atomic_files import write_json
from sneaker_core.workspace.safe_names import is_text, name_as_text, safe_folder_name

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


@dataclass(frozen=True)
class DamagedItem:
    """An item that can't be read, to delete or restore it.

    Attributes
    ----------
    id : str
        The name of its folder, as `Collection.damaged` gives it.
    """

    id: str

    @property
    def name(self) -> str:
        """What to call it: the name of its folder."""
        return self.id


I = TypeVar("I", bound=Item)  # noqa: E741


def read_about(folder: Path) -> AboutFile:
    """An item's ``about.json``; empty if there is none, or if it is damaged, which `about_damage` says."""
    try:
        return find_record(folder / ABOUT_FILE, AboutFile) or AboutFile()
    except DamagedError:
        return AboutFile()


def about_damage(folder: Path) -> str | None:
    """What is wrong with an item's ``about.json``; None if nothing is."""
    try:
        find_record(folder / ABOUT_FILE, AboutFile)
    except DamagedError as error:
        return f"{error} Until you rename it, {folder.name!r} goes by the name of its folder, without its note."
    return None


def deleted_at(folder: Path) -> tuple[float, str]:
    """When an item was deleted, in seconds since 1970, and its folder's name; a key to sort by."""
    return read_about(folder).deleted or 0.0, folder.name


def read_name(folder: Path) -> str:
    """The display name in an item's ``about.json``, or else the name of its folder."""
    return read_about(folder).name or folder.name


def write_name(folder: Path, name: str) -> None:
    """Store a display name in ``about.json``; not if it is the folder's name, so a copied folder gets its own name."""
    update_about(folder, name=None if name == folder.name else name)


def update_about(folder: Path, **changes: object) -> None:
    """Change values of an item's ``about.json``; None removes one."""
    about = {**to_builtins(read_about(folder)), **changes}
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

    @property
    def a_noun(self) -> str:
        """What messages call any item: "a run"."""
        return f"{'an' if self.noun[0] in 'aeiou' else 'a'} {self.noun}"


def damage_of(spec: CollectionSpec[I], folder: Path) -> str | None:
    """What is wrong with the item in a folder; None if nothing is."""
    if not is_text(folder.name):
        return (
            f"The name of the folder {name_as_text(str(folder))} is no text that this system can read. Rename the "
            f"folder; or delete the {spec.noun} and restore it, which gives the folder another name."
        )
    try:
        spec.read(folder)
    except spec.error as error:
        return str(error)
    return about_damage(folder)
