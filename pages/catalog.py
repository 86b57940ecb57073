"""Catalog: what is known of each sneaker and shoe type, and how well the bundled model recognizes it."""

import streamlit as st

from sneaker_core.catalog.lookup import read_catalog
from sneaker_core.errors import SneakerError
from ui.catalog.catalog_cache import bundled_results
from ui.catalog.catalog_choices import SNEAKERS, choose_list, choose_shoe_types, choose_sneakers, opened_entry
from ui.catalog.entry_cards import draw_cards, page_of
from ui.catalog.entry_details import draw_details
from ui.catalog.list_head import draw_head
from ui.kit.page_frame import page_body
from ui.kit.text import escape_markdown

with page_body("Catalog", "What tells one sneaker from the next, and how often the model gets each one right."):
    catalog = read_catalog()
    opened = opened_entry()
    try:
        results = bundled_results()
    except SneakerError as error:
        st.warning(escape_markdown(str(error)), icon=":material/heart_broken:")
        results = {}
    shown = choose_list(opened)
    found = choose_sneakers(catalog) if shown == SNEAKERS else choose_shoe_types(catalog)
    page = page_of(found)
    if opened is not None:
        draw_details(opened, shown, results)
    else:
        draw_head(catalog, shown, found)
        draw_cards(found, page, results)
