"""How many shoes match, and what to do if none does."""

from collections.abc import Sequence

import streamlit as st

from sneaker_core.catalog.entries import ShoeType, Sneaker
from sneaker_core.catalog.lookup import Catalog
from sneaker_core.number_text import counted
from ui.catalog.catalog_choices import SNEAKERS, clear_filters, found_elsewhere, is_filtered, show_list
from ui.catalog.catalog_keys import Key


def draw_head(catalog: Catalog, shown: str, found: Sequence[Sneaker | ShoeType]) -> None:
    """Draw the number of shoes that match.

    Parameters
    ----------
    catalog : Catalog
    shown : str
        Name of the list.
    found : sequence of Sneaker or ShoeType
        Those of the list that match.
    """
    total = len(catalog.sneakers if shown == SNEAKERS else catalog.shoe_types)
    other, elsewhere = found_elsewhere(catalog, shown)
    with st.container(horizontal=True, vertical_alignment="center"):
        few = f"{len(found):,} of {counted(total, _noun(shown))}"
        st.header(counted(total, _noun(shown)) if len(found) == total else few, anchor=False, width="content")
        if is_filtered():
            st.button(
                "Show all", key=Key.CLEAR, type="tertiary", icon=":material/filter_alt_off:", on_click=clear_filters
            )
        if elsewhere:
            st.button(
                f"{counted(elsewhere, _noun(other))} found",
                key=Key.OTHER_LIST,
                type="tertiary",
                icon=":material/arrow_forward:",
                on_click=show_list,
                args=(other,),
            )
    if not found:
        st.info(f"No {_noun(shown)} matches. Try fewer words, or another filter.", icon=":material/search_off:")


def _noun(shown: str) -> str:
    return "sneaker" if shown == SNEAKERS else "shoe type"
