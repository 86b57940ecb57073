"""Damaged items of a collection: what is wrong with them, and the buttons that repair or delete them."""

from collections.abc import Callable, Mapping

import streamlit as st

from sneaker_core.workspace.collection_spec import DamagedItem
from sneaker_core.workspace.paths import workspace
from ui.kit.changes import change_button
from ui.kit.item_dialogs import ItemKind
from ui.kit.job_panel import attempt
from ui.kit.state_keys import KitKey
from ui.kit.text import escape_markdown


def draw_unread_items(kind: ItemKind) -> None:
    """Draw the items of a collection that can't be read at all, so that no list has them."""
    found = kind.collection(workspace())
    damaged = found.damaged()
    unread = damaged.keys() - ({item.id for item in found.list()} if damaged else set())
    draw_damaged(kind, {id_: damaged[id_] for id_ in sorted(unread)})


def draw_damaged(
    kind: ItemKind, damaged: Mapping[str, str], repair: Callable[[DamagedItem], object] | None = None
) -> None:
    """Draw damaged items.

    Parameters
    ----------
    kind : ItemKind
    damaged : mapping of str to str
        Id -> what is wrong.
    repair : callable, optional
        Repairs one.
    """
    for id_, reason in damaged.items():
        item = DamagedItem(id_)
        with st.container(border=True):
            st.error(escape_markdown(reason), icon=":material/heart_broken:")
            with st.container(horizontal=True):
                if repair is not None:
                    change_button(
                        "Repair",
                        key=KitKey.DAMAGED_REPAIR.of(f"{kind.param}-{id_}"),
                        icon=":material/healing:",
                        on_click=_do,
                        args=(repair, item),
                    )
                change_button(
                    "Delete",
                    key=KitKey.DAMAGED_DELETE.of(f"{kind.param}-{id_}"),
                    icon=":material/delete:",
                    on_click=_do,
                    args=(_deleter(kind), item),
                    help=f"Move the {kind.noun} to the bin.",
                )


def _deleter(kind: ItemKind) -> Callable[[DamagedItem], object]:
    if kind.delete is not None:
        delete = kind.delete
        return lambda item: delete(workspace(), item)
    return lambda item: kind.collection(workspace()).delete(item)


def _do(action: Callable[[DamagedItem], object], item: DamagedItem) -> None:
    attempt(lambda: action(item))
