"""The parts of the page, one of which is drawn."""

import streamlit as st

from sneaker_core.errors import SneakerError
from ui.evaluation.case import draw_case
from ui.evaluation.classes import draw_classes
from ui.evaluation.compare import draw_compare
from ui.evaluation.figures import draw_style
from ui.evaluation.gallery import draw_gallery
from ui.evaluation.groups import draw_slices
from ui.evaluation.headline import draw_headline
from ui.evaluation.matrix import draw_matrix
from ui.evaluation.opened import Opened
from ui.evaluation.sureness import draw_sureness
from ui.text import plain

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
