"""The form that collects photos from the web."""

import streamlit as st
from streamlit.typing import UploadedFile

from sneaker_core.datasets.collect.collector import MOST_PER_CLASS, CollectPlan
from sneaker_core.datasets.collect.search_queries import (
    DEFAULT_EXCLUDED,
    DEFAULT_TEMPLATES,
    read_names,
    read_skus,
)
from sneaker_core.datasets.index import Dataset
from sneaker_core.errors import SneakerError
from sneaker_core.number_text import counted
from ui.datasets.datasets_keys import Key
from ui.kit.changes import change_button
from ui.kit.dataset_work import start_work
from ui.kit.page_frame import draw_error

_PER_CLASS = 100


def draw_collect_form(dataset: Dataset) -> bool:
    """Draw the form; return whether it has started a job."""
    st.markdown(
        "Searches the web with Bing for each class, skips duplicates and files that aren't photos, and records where "
        "each photo came from. Check the license before you share photos."
    )
    names = st.text_area(
        "Classes, one per line", key=Key.COLLECT_NAMES, placeholder="Air Jordan 1\nAdidas Samba", height=120
    )
    listed = st.file_uploader(
        "Or a list of SKUs",
        max_upload_size=1,
        key=Key.COLLECT_LIST,
        help="A text file with one SKU per line, or a CSV file with the columns sku and name. A SKU is the "
        "manufacturer's number of a shoe model.",
    )
    wanted = st.number_input("Photos per class", 1, MOST_PER_CLASS, _PER_CLASS, key=Key.COLLECT_PER_CLASS, width=200)
    with st.expander("Search terms"):
        templates = st.text_area(
            "Searches, one per line; {model} is replaced by the class",
            "\n".join(DEFAULT_TEMPLATES),
            key=Key.COLLECT_TEMPLATES,
        )
        excluded = st.text_area(
            "Skip results that contain these words, one per line",
            "\n".join(DEFAULT_EXCLUDED),
            key=Key.COLLECT_EXCLUDED,
        )
    if not change_button(
        "Collect photos", type="primary", key=Key.ADD_START.of("web"), icon=":material/travel_explore:"
    ):
        return False
    skus = listed.getvalue() if isinstance(listed, UploadedFile) else b""
    try:
        plan = CollectPlan(
            (*read_names((names or "").splitlines()), *(read_skus(skus) if skus else ())),
            int(wanted or 0),
            tuple((templates or "").splitlines()),
            tuple((excluded or "").splitlines()),
        )
    except SneakerError as error:
        draw_error(error)
        return False
    title = f"Collecting photos of {counted(len(plan.classes), 'class', 'classes')}"
    start_work(dataset, "dataset_collect", plan.to_dict(), title=title)
    return True
