"""The parts of the page, one of which is drawn."""

import streamlit as st

from sneaker_core.errors import SneakerError
from ui.evaluate.calibration_view import draw_sureness
from ui.evaluate.chart_frames import draw_style
from ui.evaluate.classes_view import draw_classes
from ui.evaluate.compare_view import draw_compare
from ui.evaluate.gallery_view import draw_gallery
from ui.evaluate.matrix_view import draw_matrix
from ui.evaluate.mistake_view import draw_case
from ui.evaluate.opened_evaluation import Opened
from ui.evaluate.slices_view import draw_slices
from ui.evaluate.summary_view import draw_headline
from ui.kit.text import plain

ALL = "All evaluations"
PARTS = {
    "Headline": draw_headline,
    "Matrix": draw_matrix,
    "Classes": draw_classes,
    "Sureness": draw_sureness,
    "Slices": draw_slices,
    "Gallery": draw_gallery,
    "Compare": draw_compare,
}


@st.fragment
def draw_part(name: str, opened: Opened) -> None:
    """Draw one part of an evaluation, and the photo that is looked at; whatever is clicked inside reruns it alone.

    Parameters
    ----------
    name : str
        A key of `PARTS`.
    opened : Opened
    """
    draw_style()
    try:
        PARTS[name](opened)
        draw_case(opened)
    except SneakerError as error:
        st.error(plain(str(error)), icon=":material/error:")
