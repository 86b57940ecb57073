"""Datasets: photos gathered, looked through, split and taken along."""

import streamlit as st

from sneaker_core.errors import SneakerError
from ui.caches import is_empty
from ui.datasets.balance import FINDINGS, draw_overview
from ui.datasets.chooser import choose_dataset, choose_section
from ui.datasets.embedding_map import draw_map
from ui.datasets.export import draw_export
from ui.datasets.history import draw_history
from ui.datasets.photos import draw_photos
from ui.datasets.review import draw_findings
from ui.datasets.splits import draw_splits
from ui.datasets.welcome import draw_empty, draw_welcome
from ui.datasets.work import draw_work
from ui.layout import page_body
from ui.text import plain

SECTIONS = {
    "Overview": draw_overview,
    "Photos": draw_photos,
    FINDINGS: draw_findings,
    "Map": draw_map,
    "Splits": draw_splits,
    "History": draw_history,
    "Export": draw_export,
}

with page_body(1200):
    st.title("Datasets", anchor=False)
    try:
        dataset = choose_dataset()
        if dataset is None:
            draw_welcome()
            st.stop()
        draw_work(dataset)
        if is_empty(dataset):
            draw_empty(dataset)
        else:
            SECTIONS[choose_section(list(SECTIONS))](dataset)
    except SneakerError as error:
        st.error(plain(str(error)), icon=":material/error:")
