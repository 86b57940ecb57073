"""What the Catalog page shows, all of it in the address: list, filters, page and the shoe that is open."""

from collections.abc import Collection, Sequence

import streamlit as st

from sneaker_core.catalog.entries import ShoeCategory, ShoeType, Sneaker, SneakerCategory
from sneaker_core.catalog.lookup import Catalog, find_entry
from sneaker_core.catalog.search import search
from ui.catalog.catalog_keys import Key
from ui.kit.address import address_item, address_value, follow_address, set_address_value, set_address_values
from ui.kit.catalog_text import SHOE_PARAM

SNEAKERS, SHOE_TYPES = "Sneakers", "Shoe types"
_LONGEST_SEARCH = 80
_FILTERS = (Key.SEARCH, Key.BRAND, Key.CATEGORY)


def opened_entry() -> Sneaker | ShoeType | None:
    """The shoe that the address names, by any of its names; None if it names none, or one that isn't there."""
    named = address_value(SHOE_PARAM)
    entry = find_entry(named) if named is not None else None
    address_item(SHOE_PARAM, () if entry is None else (named or "",), noun="shoe")
    return entry


def open_entry(name: str | None) -> None:
    """Open a shoe, or close the one that is open; for callbacks."""
    set_address_value(SHOE_PARAM, name)


def choose_list(opened: Sneaker | ShoeType | None) -> str:
    """Draw the choice of the list; the shoe that is open decides which one it is in."""
    follow_address(Key.LIST, Key.LIST, (SNEAKERS, SHOE_TYPES), noun="section", usual=SNEAKERS)
    if opened is not None:
        st.session_state[Key.LIST] = SNEAKERS if isinstance(opened, Sneaker) else SHOE_TYPES
    chosen = st.segmented_control(
        "Section",
        [SNEAKERS, SHOE_TYPES],
        required=True,
        key=Key.LIST,
        label_visibility="collapsed",
        on_change=_choose,
        args=(Key.LIST,),
    )
    return str(chosen)


def choose_sneakers(catalog: Catalog) -> list[Sneaker]:
    """Draw the search and the filters of sneakers; returns those that match."""
    with st.grid(3, min_column_width=220):
        text = _search_box("Name, nickname, line or designer")
        brand = _filter(Key.BRAND, list(dict.fromkeys(one.brand for one in catalog.sneakers)))
        category = _filter(Key.CATEGORY, list(SneakerCategory))
    return [
        one for one in search(catalog.sneakers, text) if brand in (None, one.brand) and category in (None, one.category)
    ]


def choose_shoe_types(catalog: Catalog) -> list[ShoeType]:
    """Draw the search and the filter of shoe types; returns those that match."""
    with st.grid(3, min_column_width=220):
        text = _search_box("Name, such as loafers")
        category = _filter(Key.CATEGORY, list(ShoeCategory))
    return [one for one in search(catalog.shoe_types, text) if category in (None, one.category)]


def found_elsewhere(catalog: Catalog, shown: str) -> tuple[str, int]:
    """The other list, and how many of its shoes the search finds; 0 without a search."""
    other = SHOE_TYPES if shown == SNEAKERS else SNEAKERS
    text = address_value(Key.SEARCH)
    found = 0
    if text is not None:
        found = len(search(catalog.sneakers, text) if other == SNEAKERS else search(catalog.shoe_types, text))
    return other, found


def show_list(name: str) -> None:
    """Show another list with the same search; for callbacks."""
    set_address_values({**dict.fromkeys((Key.BRAND, Key.CATEGORY, Key.PAGE, SHOE_PARAM)), Key.LIST: name})


def clear_filters() -> None:
    """Show the whole list; for callbacks."""
    set_address_values(dict.fromkeys((*_FILTERS, Key.PAGE, SHOE_PARAM)))


def is_filtered() -> bool:
    """Whether the list is searched or filtered."""
    return any(address_value(key) is not None for key in _FILTERS)


def shown_page(pages: int) -> int:
    """The page that the address names, from 1; known before the page numbers are drawn below the cards."""
    follow_address(Key.PAGE, Key.PAGE, [str(page) for page in range(1, pages + 1)], noun="page", usual="1")
    return int(st.session_state[Key.PAGE])


def draw_pages(page: int, pages: int) -> None:
    """Draw the page numbers, if there is more than one page."""
    if pages > 1:
        # A widget with a default can't be set by code, so each page has its own.
        key = Key.PAGES.of(str(page))
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.pagination(pages, default=page, key=key, on_change=_choose_page, args=(key,))


def _choose_page(key: str) -> None:
    page = int(st.session_state[key])
    set_address_value(Key.PAGE, str(page) if page > 1 else None)


def _choose(key: Key) -> None:
    """Write what was chosen; it is shown from the first page, and not behind the shoe that is open."""
    chosen = st.session_state[key]
    set_address_values({Key.PAGE: None, SHOE_PARAM: None, key: chosen.strip() if chosen else None})


def _search_box(placeholder: str) -> str:
    text = address_value(Key.SEARCH) or ""
    follow_address(Key.SEARCH, Key.SEARCH, (text,), noun="text", usual="")
    return st.text_input(
        "Search",
        max_chars=_LONGEST_SEARCH,
        key=Key.SEARCH,
        placeholder=placeholder,
        icon=":material/search:",
        on_change=_choose,
        args=(Key.SEARCH,),
    )


def _filter(key: Key, options: Sequence[str]) -> str | None:
    """Draw a filter of one of some options; None for all."""
    names: Collection[str] = [str(option) for option in options]
    follow_address(key, key, names, noun=key.value, usual=None)
    return st.selectbox(
        key.value.capitalize(),
        names,
        index=None,
        key=key,
        format_func=str.capitalize if key is Key.CATEGORY else str,
        placeholder="Any",
        on_change=_choose,
        args=(key,),
    )
