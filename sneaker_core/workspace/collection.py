"""Collections: datasets, runs, studies, evaluations and saved explanations, each item a folder.

::

    <workspace>/<kind>/<id>/        an item
    <workspace>/bin/<kind>/<id>/    a deleted item, until it is restored

An item's id is the name of its folder. It never changes, and no other item gets it while this one exists or is in the
bin, so records refer to items by id. Users see and type the display name. It must be unique when it is set, can
be changed at any time, is matched exactly, and is never used as a path.
"""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Generic

from sneaker_core.errors import BusyError, SneakerError
from sneaker_core.workspace.clean_names import clean_name
from sneaker_core.workspace.collection_spec import (
    ABOUT_FILE,
    CollectionSpec,
    DamagedItem,
    I,
    damage_of,
    deleted_at,
    update_about,
    write_name,
)
from sneaker_core.workspace.jobs_in_use import in_use_text, jobs_using
from sneaker_core.workspace.locks import take_lock
from sneaker_core.workspace.old_bin import old_items
from sneaker_core.workspace.paths import bin_folder
from sneaker_core.workspace.read_only import check_changeable
from sneaker_core.workspace.references import name_in, text_of
from sneaker_core.workspace.safe_names import free_folder_name, is_text, name_as_text, names_in, safe_folder_name

_LOCK_FILE, _LOCK_PATIENCE, _LONGEST_SHOWN = ".lock", 10.0, 80

_List = list  # inside the class, `list` is a method


class Collection(Generic[I]):
    """The items of one kind in a workspace.

    Parameters
    ----------
    workspace : Path
    spec : CollectionSpec
    """

    def __init__(self, workspace: Path, spec: CollectionSpec[I]) -> None:
        self.workspace = workspace
        self.spec = spec
        self.folder = workspace / spec.kind
        self.bin = bin_folder(workspace) / spec.kind

    def list(self) -> _List[I]:
        """All readable items, in the collection's order; a damaged item doesn't affect the others."""
        return sorted(self._read_all(self._folders(self.folder)), key=self.spec.order)

    def damaged(self) -> dict[str, str]:
        """What is wrong with damaged items: id -> reason. Those that can be read all the same are in `list` too."""
        return self._damaged_in(self.folder)

    def damaged_in_bin(self) -> dict[str, str]:
        """What is wrong with damaged items in the bin: id -> reason."""
        return self._damaged_in(self.bin)

    def _damaged_in(self, parent: Path) -> dict[str, str]:
        found = {name_as_text(folder.name): damage_of(self.spec, folder) for folder in self._all_folders(parent)}
        return {name: reason for name, reason in found.items() if reason is not None}

    def find(self, name: str) -> I:
        """The item with exactly this display name; see `named`.

        Raises
        ------
        SneakerError
            There is none, and the message lists those that exist; or there are several.
        """
        found = self.named(name)
        if len(found) > 1:
            raise self._ambiguous(name, found)
        if found:
            with contextlib.suppress(OSError):
                return self.spec.read(found[0])
        raise self._missing(name)

    def named(self, name: str) -> _List[Path]:
        """The folders of the items with this display name, apart from differences that nobody can see."""
        names, wanted = self.names(), clean_name(name)
        exact = [folder for folder, own in names.items() if own == name]
        return exact or [folder for folder, own in names.items() if wanted and clean_name(own) == wanted]

    def find_by_id(self, reference: str) -> I:
        """The item that a record refers to.

        Parameters
        ----------
        reference : str
            An id, or a display name from an old record; see `references`.

        Raises
        ------
        SneakerError
            There is none.
        """
        name = name_in(reference)
        for folder, own in self.names().items():
            if folder.name == reference or (name is not None and own == name):
                return self.spec.read(folder)
        raise self._missing(text_of(reference) if reference else reference)

    def _missing(self, name: str) -> SneakerError:
        listed = ", ".join(sorted(map(repr, self.names().values()))) or "none yet"
        damaged = "".join(f" Damaged: {id_!r}. {reason}" for id_, reason in self.damaged().items())
        return self.spec.error(
            f"No {self.spec.noun} named {name[:_LONGEST_SHOWN]!r}. Available {self.spec.plural}: {listed}.{damaged}"
        )

    def resolve(self, item: I | str) -> I:
        """The item itself, reread, or the one with a display name."""
        return self.find(item) if isinstance(item, str) else self.find_by_id(item.id)

    def create(self, name: str, content: Path | None = None) -> Path:
        """Make the folder of a new item, with its display name in ``about.json``.

        Parameters
        ----------
        name : str
        content : Path, optional
            A finished folder on the same disk, which becomes the item in one move.

        Raises
        ------
        SneakerError
            The name cannot be used or is taken.
        """
        self.check_name(name)
        with self._locked():
            name = self.check_name(name)
            folder = self.folder / self.free_id(name)
            try:
                folder.mkdir() if content is None else content.rename(folder)
                write_name(folder, name)
            except OSError as error:
                raise self.spec.error(f"Can't create {folder}: {error.strerror}.") from error
        return folder

    def open_folder(self, name: str) -> Path:
        """The folder of the item with a display name; created if there is none.

        Raises
        ------
        SneakerError
            A new item can't have that name, or several have it.
        """
        if not self.named(name):
            with contextlib.suppress(self.spec.error):  # or another process was faster
                return self.create(name)
        found = self.named(name)
        if not found:
            self.check_name(name)
        if len(found) != 1:
            raise self._ambiguous(name, found)
        return found[0]

    def _ambiguous(self, name: str, found: _List[Path]) -> SneakerError:
        ids = ", ".join(repr(folder.name) for folder in found)
        return self.spec.error(
            f"Several {self.spec.plural} are named {name!r}, in the folders {ids}. Rename all but one of them."
        )

    def rename(self, item: I | str, new: str) -> I:
        """Change the display name of an item; its folder is unchanged, so running work is not disturbed.

        Raises
        ------
        SneakerError
            There is no such item, or the name cannot be used or is taken.
        """
        found = self.resolve(item)
        folder = self.folder / found.id
        if clean_name(new) != found.name:
            self.check_name(new, but=found.id)
            with self._locked():
                self._write_name(folder, self.check_name(new, but=found.id))
        return self.spec.read(folder)

    def _write_name(self, folder: Path, name: str) -> None:
        try:
            self.spec.write_name(folder, name)
        except OSError as error:
            raise self.spec.error(f"Can't write to {folder}: {error.strerror}.") from error

    def delete(self, item: I | DamagedItem | str) -> Path:
        """Move an item to the bin.

        Parameters
        ----------
        item : Item, DamagedItem or str
            The item, its display name, or the id of a damaged one.

        Returns
        -------
        Path
            Its folder in the bin.

        Raises
        ------
        SneakerError
            There is no such item, or a job uses it, its own or that of another item.
        """
        folder, found = self._even_if_damaged(item, self.resolve, self.folder)
        subject = f"The {self.spec.noun} {(name := found.name if found else folder.name)!r}"
        if jobs := jobs_using(self.workspace, self.spec.kind, folder.name, name):
            raise self.spec.error(in_use_text(self.workspace, subject, jobs))
        if found is not None and self.spec.is_busy(found):
            raise self.spec.error(f"{subject} is in use by a running job. Wait until it has ended, or stop it.")
        with self._locked():
            target = self.bin / free_folder_name(folder.name, names_in(self.bin))
            self._move(folder, target)
            with contextlib.suppress(OSError):  # affects only the order of the bin
                update_about(target, deleted=time.time())
            if found is not None:
                self._keep_name(target, found)
        return target

    def folder_of(self, item: I | DamagedItem | str) -> Path:
        """The folder of an item, which may be damaged.

        Raises
        ------
        SneakerError
            There is no such item.
        """
        return self._even_if_damaged(item, self.resolve, self.folder)[0]

    def _even_if_damaged(
        self, item: I | DamagedItem | str, find: Callable[[Any], I], parent: Path
    ) -> tuple[Path, I | None]:
        """The folder of an item, and the item itself; None if it is damaged."""
        try:
            found = find(item)
        except self.spec.error:
            wanted = item if isinstance(item, str) else item.id
            folders = [
                folder
                for folder in self._all_folders(parent)
                if name_as_text(folder.name) == wanted or (isinstance(item, str) and self._name_of(folder) == wanted)
            ]
            if len(folders) != 1 or damage_of(self.spec, folders[0]) is None:
                raise
            return folders[0], None
        return parent / found.id, found

    def deleted(self) -> _List[I]:
        """The items in the bin, most recently deleted first."""
        self._update_bin()
        return list(self._read_all(sorted(self._folders(self.bin), key=deleted_at, reverse=True)))

    def restore(self, item: I | DamagedItem | str) -> I:
        """Restore an item from the bin, under a free name if its own is now taken.

        Parameters
        ----------
        item : Item or str
            The item, its id, or its display name (the most recently deleted one if there are several).

        Raises
        ------
        SneakerError
            The bin has no such item.
        """
        folder, found = self._even_if_damaged(item, self._find_deleted, self.bin)
        with self._locked():
            target = self.folder / free_folder_name(folder.name, names_in(self.folder))
            name = None if found is None else self.free_name(found.name)
            self._move(folder, target)
            with contextlib.suppress(OSError):
                if (target / ABOUT_FILE).exists():
                    update_about(target, deleted=None)
            if found is not None and name is not None and name != found.name:
                self._write_name(target, name)
            elif found is not None:
                self._keep_name(target, found)
        return self.spec.read(target)

    def _find_deleted(self, item: Any) -> I:
        deleted = self.deleted()
        wanted = item if isinstance(item, str) else item.id
        found = [one for one in deleted if isinstance(item, str) and clean_name(one.name) == clean_name(wanted)]
        found += [one for one in deleted if one.id == wanted]
        if not found:
            raise self.spec.error(f"There is no {self.spec.noun} named {wanted[:_LONGEST_SHOWN]!r} in the bin.")
        return found[0]

    def _keep_name(self, target: Path, item: I) -> None:
        """Keep the display name of an item whose folder was renamed because a folder copied by hand had its id."""
        if target.name != item.id and self.spec.read_name(target) != item.name:
            self._write_name(target, item.name)

    def check_name(self, name: str, but: str = "") -> str:
        """Check a display name and return it in the form in which it is stored.

        Parameters
        ----------
        name : str
        but : str
            Id of the item that is allowed to have this name already.

        Raises
        ------
        SneakerError
            The name cannot be used, or another item has it, whatever its case.
        """
        try:
            name = self.spec.check_name(clean_name(name))
        except SneakerError as error:
            shown = name[:_LONGEST_SHOWN]
            raise self.spec.error(f"{shown!r} can't be the name of {self.spec.a_noun}: {error}") from None
        wanted = name.casefold()
        for reserved, owner in self.spec.reserved(self.workspace).items():
            if reserved.casefold() == wanted:
                raise self.spec.error(f"The name {name!r} belongs to {owner}. Choose another name.")
        if any(own.casefold() == wanted for folder, own in self.names().items() if folder.name != but):
            raise self.spec.error(f"There is already {self.spec.a_noun} named {name!r}. Choose another name.")
        return name

    def free_name(self, wanted: str) -> str:
        """The name if it is free, or else the first free one of "name (2)", "name (3)", …."""
        taken = {name.casefold() for name in (*self.names().values(), *self.spec.reserved(self.workspace))}
        name, number = wanted, 1
        while name.casefold() in taken:
            number += 1
            name = f"{wanted} ({number})"
        return name

    def free_id(self, name: str) -> str:
        """An id for a new item, derived from its name."""
        self._update_bin()
        return safe_folder_name(name, {other.lower() for other in names_in(self.folder) | names_in(self.bin)})

    def names(self) -> dict[Path, str]:
        """Folder -> display name, of all items; one whose name can't be read goes by the name of its folder."""
        return {folder: self._name_of(folder) for folder in self._folders(self.folder)}

    def _name_of(self, folder: Path) -> str:
        with contextlib.suppress(self.spec.error, OSError):
            return self.spec.read_name(folder)
        return folder.name

    def _folders(self, parent: Path) -> _List[Path]:
        return [folder for folder in self._all_folders(parent) if is_text(folder.name)]

    def _all_folders(self, parent: Path) -> _List[Path]:
        """The folders of all items, those with a name that is no text included."""
        folders = sorted(parent.iterdir()) if parent.is_dir() else []
        return [path for path in folders if not path.name.startswith(".") and self.spec.holds_item(path)]

    def _read_all(self, folders: Iterable[Path]) -> Iterable[I]:
        for folder in folders:
            with contextlib.suppress(self.spec.error):  # an item may be moved away at this moment
                yield self.spec.read(folder)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Prevent other processes from assigning names and ids while the body runs."""
        check_changeable()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self.spec.error(f"Can't write to {self.folder}: {error.strerror}.") from error
        lock = take_lock(self.folder / _LOCK_FILE, _LOCK_PATIENCE)
        if lock is None:
            raise BusyError(f"Another process is changing the {self.spec.plural}. Try again shortly.")
        with lock:
            yield

    def _move(self, source: Path, target: Path) -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(source, target)
        except OSError as error:
            raise self.spec.error(f"Can't move {source} to {target}: {error.strerror or error}.") from error

    def _update_bin(self) -> None:
        """Migrate items that older versions put into the bin to the current layout."""
        for old in old_items(bin_folder(self.workspace), self.spec.kind, self.spec.holds_item):
            target = self.bin / free_folder_name(old.id, names_in(self.bin) | names_in(self.folder))
            with contextlib.suppress(OSError, self.spec.error):
                self._move(old.folder, target)
                update_about(target, deleted=old.deleted)
                if old.name is not None and target.name != old.name:
                    write_name(target, old.name)
                if old.folder.parent != bin_folder(self.workspace):
                    old.folder.parent.rmdir()
