"""New, rename, delete and restore, for any collection."""

from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from sneaker_core.errors import DatasetError
from ui.kit.item_dialogs import Action
from ui.kit.state_keys import KitKey


class Shelf:
    """A collection in memory."""

    def __init__(self, *names: str) -> None:
        self.items = [SimpleNamespace(id=f"id-{name}", name=name) for name in names]
        self.bin: list[SimpleNamespace] = []

    def list(self):
        return list(self.items)

    def deleted(self):
        return list(self.bin)

    def create(self, name):
        if name in [item.name for item in self.items]:
            raise DatasetError(f"There is already a box named '{name}'.")
        self.items.append(SimpleNamespace(id=f"id-{name}", name=name))

    def rename(self, item, new):
        next(one for one in self.items if one.id == item.id).name = new

    def delete(self, item):
        self.items.remove(item)
        self.bin.append(item)

    def restore(self, item):
        self.bin.remove(item)
        self.items.append(item)
        return item


def shelf_page(shelf) -> None:
    import streamlit as st

    from ui.kit.address import choose_item
    from ui.kit.item_dialogs import ItemKind, draw_bin_button, draw_dialogs, draw_item_menu, open_dialog

    kind = ItemKind("box", "box", lambda workspace: shelf, lambda item: f"about {item.name}", "all its shoes")
    chosen = None
    if shelf.items:
        name = choose_item("box", [item.name for item in shelf.items], noun="box")
        chosen = next(item for item in shelf.items if item.name == name)
        st.markdown(f"shown {name}")
    draw_item_menu(kind, chosen)
    draw_bin_button(kind)
    for action in st.session_state.pop("ask", []):
        open_dialog(action, kind, *([chosen] if chosen else []))
    draw_dialogs(kind)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf("a", "b")


def opened(shelf: Shelf, *ask: Action) -> AppTest:
    app = AppTest.from_function(shelf_page, kwargs={"shelf": shelf})
    app.session_state["ask"] = list(ask)
    return app.run()


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception
    return app


def shown(app: AppTest) -> str:
    return next(one.value.removeprefix("shown ") for one in app.markdown if one.value.startswith("shown "))


def test_new_shows_what_was_created(shelf):
    app = opened(shelf, Action.NEW)
    app.text_input(key=KitKey.DIALOG_NAME).set_value("  c  d ")
    press(app, KitKey.DIALOG_DO)
    assert shown(app.run()) == "c d" and not app.text_input


def test_a_name_that_is_taken_is_said_in_the_dialog(shelf):
    app = opened(shelf, Action.NEW)
    app.text_input(key=KitKey.DIALOG_NAME).set_value("b")
    press(app, KitKey.DIALOG_DO)
    assert "There is already a box named 'b'." in app.error[0].value
    assert app.text_input(key=KitKey.DIALOG_NAME).value == "b"


def test_rename_stays_with_the_item(shelf):
    app = opened(shelf, Action.RENAME)
    app.text_input(key=KitKey.DIALOG_NAME.of("id-a")).set_value("new")
    press(app, KitKey.DIALOG_DO)
    assert shown(app.run()) == "new" and [item.name for item in shelf.items] == ["new", "b"]


def test_delete_and_restore(shelf):
    app = opened(shelf, Action.DELETE)
    assert "**a** will be moved to the bin with all its shoes." in "".join(one.value for one in app.markdown)
    press(app, KitKey.DIALOG_DO)
    assert shown(app.run()) == "b"
    press(app, KitKey.DIALOG_BIN)
    assert "about a" in [one.value for one in app.caption]
    press(app, KitKey.DIALOG_RESTORE.of("box-id-a"))
    assert shown(app.run()) == "a" and not shelf.bin


def test_cancel_changes_nothing(shelf):
    app = press(opened(shelf, Action.DELETE), KitKey.DIALOG_CANCEL)
    assert len(shelf.items) == 2 and shown(app.run()) == "a"


def test_the_last_one_can_be_deleted(shelf):
    del shelf.items[1]
    press(opened(shelf, Action.DELETE), KitKey.DIALOG_DO)
    assert not shelf.items and len(shelf.bin) == 1


def test_a_dialog_about_an_item_that_is_gone_closes(shelf):
    app = opened(shelf, Action.RENAME)
    shelf.items.clear()
    app.run()
    assert not app.exception and not app.text_input
