"""The sections of the Evaluate page."""

from collections.abc import Callable

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.training.next_steps import Step
from sneaker_core.training.run_gains import run_of
from sneaker_core.workspace.paths import workspace
from ui.evaluate.calibration_view import draw_calibration
from ui.evaluate.classes_view import draw_classes
from ui.evaluate.compare_view import draw_compare
from ui.evaluate.loaded_evaluation import LoadedEvaluation
from ui.evaluate.matrix_view import draw_matrix
from ui.evaluate.mistakes_view import draw_mistakes
from ui.evaluate.prediction_detail_view import draw_detail
from ui.evaluate.prediction_grid import draw_style
from ui.evaluate.robustness_view import draw_robustness
from ui.evaluate.slices_view import draw_slices
from ui.evaluate.summary_view import draw_summary
from ui.evaluate.worlds_view import draw_worlds
from ui.kit.next_step import draw_dataset_steps, draw_run_steps
from ui.kit.page_links import Page
from ui.kit.run_gain import draw_gain
from ui.kit.text import escape_markdown

ALL_EVALUATIONS = "All evaluations"


def _draw_mistakes(loaded: LoadedEvaluation) -> None:
    has_selection = draw_matrix(loaded)
    if not has_selection:
        _draw_part("All mistakes", draw_mistakes, loaded)


def _draw_classes(loaded: LoadedEvaluation) -> None:
    draw_classes(loaded)
    _draw_part("Slices", draw_slices, loaded)


def _draw_trust(loaded: LoadedEvaluation) -> None:
    _draw_part("Worlds", draw_worlds, loaded)
    _draw_part("Calibration", draw_calibration, loaded)
    _draw_part("Robustness", draw_robustness, loaded)


def _draw_part(title: str, draw: Callable[[LoadedEvaluation], None], loaded: LoadedEvaluation) -> None:
    st.header(title, anchor=False)
    draw(loaded)


SUMMARY, MISTAKES, CLASSES, TRUST, COMPARE = "Summary", "Mistakes", "Classes", "Trust", "Compare"
SECTIONS = {
    SUMMARY: draw_summary,
    MISTAKES: _draw_mistakes,
    CLASSES: _draw_classes,
    TRUST: _draw_trust,
    COMPARE: draw_compare,
}
# The steps of the way that are done in a section.
_STEPS = {MISTAKES: Step.MISTAKES, COMPARE: Step.GAIN}
_WITH_GAIN = (SUMMARY, COMPARE)
# Names of sections in addresses of older versions.
OLD_SECTIONS = {
    "Headline": SUMMARY,
    **dict.fromkeys(("Matrix", "Confusion matrix", "Gallery"), MISTAKES),
    "Slices": CLASSES,
    **dict.fromkeys(("Sureness", "Calibration", "Worlds", "Robustness"), TRUST),
}


@st.fragment
def draw_section(name: str, loaded: LoadedEvaluation) -> None:
    """Draw a section and the photo that is open, if any. Clicks inside rerun only this fragment.

    Parameters
    ----------
    name : str
        A key of `SECTIONS`.
    loaded : LoadedEvaluation
    """
    draw_style()
    try:
        _draw_next_steps(name, loaded)
        SECTIONS[name](loaded)
        draw_detail(loaded)
    except SneakerError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")


def _draw_next_steps(section: str, loaded: LoadedEvaluation) -> None:
    """What comes next for the run that was evaluated, or else for the photos."""
    run = run_of(workspace(), loaded.evaluation)
    if run is not None:
        draw_run_steps(run, Page.EVALUATE, _STEPS.get(section, Step.WATCH))
        if section in _WITH_GAIN:
            draw_gain(run)
    elif loaded.dataset is not None:
        draw_dataset_steps(loaded.dataset, Page.EVALUATE, Step.SPLIT)
