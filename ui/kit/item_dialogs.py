"""The dialogs of collections: new, rename, delete and restore, for datasets, runs, studies, evaluations and others.

Which dialog is open is kept with the session, so that it stays open when the page reruns, as when a job ends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.workspace.clean_names import clean_name
from sneaker_core.workspace.paths import workspace
from ui.kit.address import USUAL, choose_next
from ui.kit.changes import can_change
from ui.kit.page_frame import draw_error
from ui.kit.state_keys import KitKey
from ui.kit.text import escape_markdown, truncate_middle

LONGEST_NAME = 80


class NamedItem(Protocol):
    """An item of a collection."""

    @property
    def id(self) -> str:
        """The name of its folder."""

    @property
    def name(self) -> str:
        """The display name."""


class Items(Protocol):
    """A collection, such as `sneaker_core.workspace.collection.Collection`."""

    def list(self) -> Any:
        """All items."""

    def damaged(self) -> dict[str, str]:
        """What is wrong with damaged items, by id."""

    def create(self, name: str) -> Any:
        """Make a new item."""

    def rename(self, item: Any, new: str) -> Any:
        """Change the display name of an item."""

    def delete(self, item: Any) -> Any:
        """Move an item to the bin."""

    def deleted(self) -> Any:
        """The items in the bin."""

    def restore(self, item: Any) -> Any:
        """Bring an item back from the bin, and return it."""


class Action(StrEnum):
    """What can be done with the items of a collection, as menus say it."""

    NEW = "New"
    RENAME = "Rename"
    DELETE = "Delete"
    RESTORE = "Restore from the bin"


_ICONS = {Action.NEW: "add", Action.RENAME: "edit", Action.DELETE: "delete", Action.RESTORE: "restore_from_trash"}


@dataclass(frozen=True)
class ItemKind:
    """One kind of item, as the interface shows and manages it.

    Attributes
    ----------
    param : str
        The parameter of the address that names the chosen item; also tells kinds apart.
    noun : str
        "dataset"
    collection : callable
        Workspace -> its collection.
    about : callable
        Item -> what it is, in a line of the bin: "120 photos in 4 classes".
    contents : str
        What goes to the bin with an item: "all its photos, decisions and splits".
    create, rename, delete, restore : callable, optional
        As the methods of the collection; those are used if they are not given.
    show : callable, optional
        Shows an item in the next run, given its name and, after renaming, the name before; by default it is chosen in
        the address.
    longest_name : int
        Most characters of a name.
    """

    param: str
    noun: str
    collection: Callable[[Path], Items]
    about: Callable[[Any], str]
    contents: str
    create: Callable[[Path, str], object] | None = None
    rename: Callable[[Path, Any, str], object] | None = None
    delete: Callable[[Path, Any], object] | None = None
    restore: Callable[[Path, Any], Any] | None = None
    show: Callable[[str, str | None], None] | None = None
    longest_name: int = LONGEST_NAME

    def show_next(self, name: str, before: str | None = None) -> None:
        """Show an item in the next run."""
        if self.show:
            self.show(name, before)
        else:
            choose_next(self.param, name)


@dataclass(frozen=True)
class OpenDialog:
    """The dialog that is open.

    Attributes
    ----------
    action : str
        An `Action`, or a page's own name for a dialog of its own.
    param : str
        Of the kind that it is about; empty for several kinds.
    ids : tuple of str
        Items that it is about.
    """

    action: str
    param: str = ""
    ids: tuple[str, ...] = ()


def open_dialog(action: str, kind: ItemKind | None = None, *items: NamedItem) -> None:
    """Open a dialog in the next run.

    Parameters
    ----------
    action : str
    kind : ItemKind, optional
        None for the bin of all kinds of a page, and for a page's own dialogs.
    *items : NamedItem
        To rename one, or delete one or more.
    """
    ids = tuple(item.id for item in items)
    st.session_state[KitKey.DIALOG] = OpenDialog(action, kind.param if kind else "", ids)


def opened_dialog() -> OpenDialog | None:
    """The open dialog; a page draws its own ones, and `draw_dialogs` the others."""
    dialog = st.session_state.get(KitKey.DIALOG)
    return dialog if isinstance(dialog, OpenDialog) else None


def close_dialog() -> None:
    """Close the dialog in the next run."""
    st.session_state.pop(KitKey.DIALOG, None)


def finish_dialog(message: str) -> None:
    """Close the dialog now and say what was done."""
    st.toast(message, icon=":material/check:")
    close_dialog()
    st.rerun()


def draw_item_menu(kind: ItemKind, item: NamedItem | None, actions: Sequence[Action] = tuple(Action)) -> None:
    """Draw the menu of what can be done with an item and its collection.

    Parameters
    ----------
    kind : ItemKind
    item : NamedItem or None
        The chosen one; Rename and Delete need one.
    actions : sequence of Action
        What the menu offers; the bin only while something is in it.
    """
    if not can_change():
        return
    offered = [action for action in actions if item is not None or action in (Action.NEW, Action.RESTORE)]
    if Action.RESTORE in offered and not kind.collection(workspace()).deleted():
        offered.remove(Action.RESTORE)
    if not offered:
        return
    chosen = st.menu_button(
        "More",
        [action.value for action in offered],
        key=KitKey.DIALOG_MENU.of(kind.param),
        icon=":material/more_horiz:",
        format_func=lambda name: f":material/{_ICONS[Action(name)]}: {_menu_text(Action(name), kind)}",
    )
    if chosen:
        needs_item = Action(chosen) in (Action.RENAME, Action.DELETE)
        open_dialog(chosen, kind, *([item] if needs_item and item is not None else []))


def _menu_text(action: Action, kind: ItemKind) -> str:
    return f"New {kind.noun}" if action is Action.NEW else action.value


def draw_item_buttons(
    kind: ItemKind, item: NamedItem, actions: Sequence[Action] = (Action.RENAME, Action.DELETE)
) -> None:
    """Draw a button for each thing that can be done with an item, in a row with others.

    Parameters
    ----------
    kind : ItemKind
    item : NamedItem
    actions : sequence of Action
    """
    for action in actions if can_change() else ():
        st.button(
            action.value,
            key=item_button_key(kind, action),
            icon=f":material/{_ICONS[action]}:",
            on_click=open_dialog,
            args=(action, kind, item),
        )


def item_button_key(kind: ItemKind, action: Action) -> str:
    """The key of a button that `draw_item_buttons` draws."""
    return KitKey.DIALOG_OPEN.of(f"{kind.param}-{action.name.lower()}")


def draw_bin_button(*kinds: ItemKind) -> None:
    """Draw a button that opens the bin of some kinds, while something is in it."""
    count = sum(len(kind.collection(workspace()).deleted()) for kind in kinds)
    if count and can_change():
        st.button(
            f"Bin ({count})",
            key=KitKey.DIALOG_BIN,
            type="tertiary",
            icon=":material/restore_from_trash:",
            on_click=open_dialog,
            args=(Action.RESTORE,),
        )


def draw_dialogs(*kinds: ItemKind) -> None:
    """Draw the dialog that is open, if it is one of these kinds'; once per page, after the choice is drawn."""
    dialog = opened_dialog()
    if dialog is None or dialog.action not in list(Action):
        return
    concerned = [kind for kind in kinds if dialog.param in ("", kind.param)]
    if not concerned:
        return
    if dialog.action == Action.RESTORE:
        _draw_bin(concerned)
        return
    kind = concerned[0]
    items = [item for item in kind.collection(workspace()).list() if item.id in dialog.ids]
    if dialog.action == Action.NEW:
        _titled(f"New {kind.noun}", _draw_new)(kind)
    elif not items:
        close_dialog()  # deleted or moved in another window
    elif dialog.action == Action.RENAME:
        _titled(f"Rename {kind.noun}", _draw_rename)(kind, items[0])
    else:
        what = kind.noun if len(items) == 1 else f"{len(items)} {kind.noun}s"
        _titled(f"Delete {what}?", _draw_delete)(kind, items)


def _titled(title: str, draw: Callable[..., None]) -> Callable[..., None]:
    decorated: Callable[..., None] = st.dialog(title, on_dismiss=close_dialog)(draw)
    return decorated


def _draw_new(kind: ItemKind) -> None:
    with st.form(KitKey.DIALOG_FORM, border=False):
        name = st.text_input("Name", key=KitKey.DIALOG_NAME, max_chars=kind.longest_name)
        if st.form_submit_button("Create", type="primary", key=KitKey.DIALOG_DO):
            create = kind.create or (lambda folder, new: kind.collection(folder).create(new))
            wanted = clean_name(name or "")
            if _done(lambda: create(workspace(), wanted)):
                kind.show_next(wanted)
                finish_dialog(f"Created the {kind.noun} {escape_markdown(truncate_middle(wanted))}.")


def _draw_rename(kind: ItemKind, item: Any) -> None:
    with st.form(KitKey.DIALOG_FORM, border=False):
        name = st.text_input("Name", item.name, key=KitKey.DIALOG_NAME.of(item.id), max_chars=kind.longest_name)
        if st.form_submit_button("Rename", type="primary", key=KitKey.DIALOG_DO):
            wanted = clean_name(name or "")
            rename = kind.rename or (lambda folder, one, new: kind.collection(folder).rename(one, new))
            if _done(lambda: rename(workspace(), item, wanted)):
                kind.show_next(wanted, item.name)
                finish_dialog(f"Renamed to {escape_markdown(truncate_middle(wanted))}.")


def _draw_delete(kind: ItemKind, items: Sequence[Any]) -> None:
    names = ", ".join(f"**{escape_markdown(truncate_middle(item.name))}**" for item in items)
    one = len(items) == 1
    st.markdown(
        f"{names} will be moved to the bin with {kind.contents}. You can restore {'it' if one else 'them'} from there."
    )
    with st.container(horizontal=True):
        if st.button("Delete", type="primary", key=KitKey.DIALOG_DO, icon=":material/delete:"):
            delete = kind.delete or (lambda folder, item: kind.collection(folder).delete(item))
            if all(_done(partial(delete, workspace(), item)) for item in items):
                choose_next(kind.param, USUAL)
                finish_dialog("Moved to the bin.")
        if st.button("Cancel", key=KitKey.DIALOG_CANCEL):
            close_dialog()
            st.rerun()


@st.dialog("Bin", on_dismiss=close_dialog)
def _draw_bin(kinds: Sequence[ItemKind]) -> None:
    """List what was deleted, each with a button that restores it."""
    deleted = [(kind, item) for kind in kinds for item in kind.collection(workspace()).deleted()]
    if not deleted:
        st.markdown("The bin is empty.")
    for kind, item in deleted:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(gap=None, width=260):
                st.markdown(f"**{escape_markdown(truncate_middle(item.name))}**")
                st.caption(escape_markdown(kind.about(item)))
            if st.button("Restore", key=KitKey.DIALOG_RESTORE.of(f"{kind.param}-{item.id}")):
                _restore(kind, item)
    st.caption("Nothing is removed from the bin automatically. It is the folder **bin** of the workspace.")


def _restore(kind: ItemKind, item: Any) -> None:
    restore = kind.restore or (lambda folder, one: kind.collection(folder).restore(one))
    try:
        restored = restore(workspace(), item)
    except SneakerError as error:
        draw_error(error)
        return
    kind.show_next(restored.name)
    finish_dialog(f"Restored {escape_markdown(truncate_middle(restored.name))}.")


def _done(action: Callable[[], object]) -> bool:
    """Do what a dialog asks for; if that fails, say why in the dialog. Returns whether it worked."""
    try:
        action()
    except SneakerError as error:
        draw_error(error)
        return False
    return True
