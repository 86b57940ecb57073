"""Keys of the widgets of the Catalog page."""

from ui.kit.state_keys import StateKey


class Key(StateKey):
    """Keys without a prefix are parameters of the address, too."""

    LIST = "list"
    SEARCH = "search"
    BRAND = "brand"
    CATEGORY = "category"
    PAGE = "page"
    PAGES = "catalog_pages"
    CLEAR = "catalog_clear"
    OTHER_LIST = "catalog_other_list"
    OPEN = "catalog_open"
    CLOSE = "catalog_close"
    LOOK_ALIKE = "catalog_look_alike"
    CARDS = "catalog_cards"
