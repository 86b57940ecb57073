"""Keys of widgets: no two pages share one by accident."""

import importlib
from collections import Counter
from pathlib import Path

import pytest

from ui.kit.state_keys import KitKey, StateKey

PAGES = ("identify", "clips", "catalog", "datasets", "train", "runs", "evaluate", "explain", "quiz")


def keys_of(page: str) -> type[StateKey]:
    found: type[StateKey] = importlib.import_module(f"ui.{page}.{page}_keys").Key
    return found


def test_no_two_keys_are_the_same():
    values = Counter(key.value for page in PAGES for key in keys_of(page)) + Counter(key.value for key in KitKey)
    assert [value for value, count in values.items() if count > 1] == []


@pytest.mark.parametrize("page", [*PAGES, "kit"])
def test_every_key_is_used(page):
    enum = KitKey if page == "kit" else keys_of(page)
    folder = Path(__file__).resolve().parent.parent
    files = [*folder.glob("ui/**/*.py"), folder / "pages" / f"{page}.py"]
    sources = "\n".join(file.read_text(encoding="utf-8") for file in files if file.is_file())
    assert [key.name for key in enum if f"Key.{key.name}" not in sources] == []


def test_a_key_for_each_item():
    assert KitKey.TICK.of("a") != KitKey.TICK.of("b")
