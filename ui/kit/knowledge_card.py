"""What the catalog knows of a shoe, in a few lines, for pages that show or name it."""

import streamlit as st

from sneaker_core.catalog.entries import ShoeType
from sneaker_core.catalog.lookup import find_entry
from sneaker_core.errors import SneakerError
from ui.kit.catalog_text import SHOE_PARAM, facts_text, points_text, wearing_text
from ui.kit.page_links import Page, draw_page_link
from ui.kit.text import escape_markdown


def draw_knowledge(class_name: str) -> None:
    """Draw what to look for in a shoe, and a link to the catalog; nothing if the catalog doesn't know the class.

    Parameters
    ----------
    class_name : str
        The name of a class, or of a type of footwear, however it is spelled.
    """
    try:
        entry = find_entry(class_name)
    except SneakerError as error:
        st.caption(escape_markdown(str(error)))
        return
    if entry is None:
        return
    with st.container(gap="xsmall"):
        st.markdown(f"**What to look for**  \n:small[:gray[{facts_text(entry)}]]")
        st.markdown(points_text(entry, small=True))
        if isinstance(entry, ShoeType):
            st.markdown(wearing_text(entry, small=True))
        draw_page_link(f"{escape_markdown(entry.name)} in the catalog", Page.CATALOG, **{SHOE_PARAM: entry.name})
