"""One shoe of the catalog with all that is known of it."""

from collections.abc import Mapping

import streamlit as st

from sneaker_core.catalog.entries import ShoeType, Sneaker
from sneaker_core.catalog.lookup import search_link
from sneaker_core.evaluation.class_results import ClassResult
from sneaker_core.evaluation.metric_text import mix_up_texts, right_text
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.number_text import counted
from ui.catalog.catalog_cache import photos_of
from ui.catalog.catalog_choices import open_entry
from ui.catalog.catalog_keys import Key
from ui.catalog.entry_cards import draw_drawing, scroll_up
from ui.kit.address import CLASS_PARAM
from ui.kit.catalog_text import facts_text, points_text, wearing_text
from ui.kit.labels import bundled_title
from ui.kit.page_links import Page, draw_page_link
from ui.kit.text import escape_markdown, truncate_middle


def draw_details(entry: Sneaker | ShoeType, list_name: str, results: Mapping[str, ClassResult]) -> None:
    """Draw a shoe.

    Parameters
    ----------
    entry : Sneaker or ShoeType
    list_name : str
        Of the list that it is in.
    results : mapping of str to ClassResult
        How often the bundled model is right on each sneaker.
    """
    st.button(
        f"All {list_name.lower()}",
        key=Key.CLOSE,
        type="tertiary",
        icon=":material/arrow_back:",
        on_click=open_entry,
        args=(None,),
    )
    with st.container(border=True):
        if isinstance(entry, Sneaker):
            left, right = st.columns([5, 6], gap="medium")
            with left:
                draw_drawing(entry)
            with right:
                _draw_facts(entry)
        else:
            _draw_facts(entry)
        _draw_links(entry, results.get(entry.name))
        if isinstance(entry, Sneaker):
            sources = "; ".join(f"{source.publisher}: {source.title}" for source in entry.sources)
            st.caption(f"Sources: {escape_markdown(sources)}")
    scroll_up(entry.name)


def _draw_facts(entry: Sneaker | ShoeType) -> None:
    st.header(escape_markdown(entry.name), anchor=False)
    st.markdown(facts_text(entry))
    if isinstance(entry, Sneaker) and entry.designers:
        st.caption(f"Designed by {escape_markdown(' and '.join(entry.designers))}")
    st.markdown(f"**What to look for**\n\n{points_text(entry)}")
    if isinstance(entry, Sneaker):
        _draw_look_alikes(entry)
    st.markdown(wearing_text(entry))
    if isinstance(entry, Sneaker) and entry.note:
        st.markdown(f":material/info: {escape_markdown(entry.note)}")


def _draw_look_alikes(sneaker: Sneaker) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("Look-alikes:", width="content")
        for name in sneaker.look_alikes:
            label = escape_markdown(name)
            st.button(label, key=Key.LOOK_ALIKE.of(name), on_click=open_entry, args=(name,))


def _draw_links(entry: Sneaker | ShoeType, result: ClassResult | None) -> None:
    """Links to what the model makes of it, to the user's photos of it, and to the web."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if result is not None:
            _draw_cell_link(right_text(result), entry.name, None)
            for other, text in mix_up_texts(result).items():
                _draw_cell_link(text, entry.name, other)
        for dataset, label, count in photos_of(entry):
            where = escape_markdown(truncate_middle(dataset))
            named = "" if label == entry.name else f", class {escape_markdown(truncate_middle(label))}"
            draw_page_link(
                f"{counted(count, 'photo')} in {where}{named}",
                Page.DATASETS,
                dataset=dataset,
                section="Photos",
                **{CLASS_PARAM: label},
            )
        st.link_button("Search the web", search_link(entry.name), icon=":material/travel_explore:")


def _draw_cell_link(text: str, label: str, predicted: str | None) -> None:
    """A link to the photos that a sentence counts, in the confusion matrix."""
    draw_page_link(
        escape_markdown(text[0].upper() + text[1:]),
        Page.EVALUATE,
        help=f"Of the model {DEFAULT_MODEL}. Opens these photos in its confusion matrix.",
        evaluation=bundled_title(DEFAULT_MODEL),
        view="Mistakes",
        true=label,
        predicted=predicted,
    )
