"""The next step on the way from photos to a better model, as a link that carries what is needed there."""

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from sneaker_core.datasets.dataset_collection import find_dataset_by_id
from sneaker_core.datasets.index import Dataset
from sneaker_core.errors import DatasetError
from sneaker_core.number_text import counted
from sneaker_core.training.next_steps import PathState, Step, dataset_state, next_steps, run_state, steps_from
from sneaker_core.training.run_collection import Run
from sneaker_core.workspace.paths import workspace
from ui.kit.address import DATASET_PARAM, EVALUATION_PARAM, choose_next, set_address_values
from ui.kit.changes import can_change
from ui.kit.dataset_work import is_busy
from ui.kit.labels import run_evaluation_title
from ui.kit.page_links import Page, draw_page_link, page_icon
from ui.kit.review_section import on_whole_page
from ui.kit.state_keys import KitKey
from ui.kit.text import escape_markdown, truncate_middle

# A link that looks like the page's main button.
_STYLE = f"""<style>
[class*="st-key-{KitKey.NEXT_STEP}-main"] a {{background: PRIMARY; border-radius: 9999px; padding: 0.4rem 1rem;}}
[class*="st-key-{KitKey.NEXT_STEP}-main"] a:hover {{filter: brightness(1.1);}}
[class*="st-key-{KitKey.NEXT_STEP}-main"] a * {{color: #FFFFFF;}}
</style>"""


class _Target(NamedTuple):
    """Where a step is done."""

    label: Callable[[PathState], str]
    page: Page
    params: Callable[[PathState], dict[str, str | None]] = lambda state: {}
    needs_dataset: bool = True
    changes: bool = True  # whether it is done by saving or starting something


def _run(state: PathState) -> str:
    return escape_markdown(truncate_middle(state.run or ""))


def _mistakes(state: PathState) -> dict[str, str | None]:
    return {EVALUATION_PARAM: run_evaluation_title(state.run or ""), "view": "Mistakes"}


def _gain(state: PathState) -> dict[str, str | None]:
    against = run_evaluation_title(state.before or "")
    return {EVALUATION_PARAM: run_evaluation_title(state.run or ""), "view": "Compare", "against": against}


_TARGETS = {
    Step.ADD: _Target(lambda state: "Add photos", Page.DATASETS),
    Step.CHECK: _Target(lambda state: "Check the photos", Page.DATASETS, lambda state: {"section": "Overview"}),
    Step.REVIEW: _Target(
        lambda state: f"Review {counted(state.to_review, 'photo')}",
        Page.DATASETS,
        lambda state: {"section": "Findings"},
    ),
    Step.SPLIT: _Target(lambda state: "Split the photos", Page.DATASETS, lambda state: {"section": "Splits"}),
    Step.TRAIN: _Target(lambda state: "Train a model", Page.TRAIN),
    Step.WATCH: _Target(lambda state: "Watch the training", Page.TRAIN, lambda state: {"run": state.run}, False, False),
    Step.GAIN: _Target(lambda state: f"See what {_run(state)} gained", Page.EVALUATE, _gain, False, False),
    Step.MISTAKES: _Target(lambda state: f"See the mistakes of {_run(state)}", Page.EVALUATE, _mistakes, False, False),
    Step.RETRAIN: _Target(
        lambda state: f"Train {_run(state)} again", Page.TRAIN, lambda state: {"do": "New training", "again": state.run}
    ),
}


def draw_dataset_steps(dataset: Dataset, page: Page, here: Step | None = None) -> None:
    """Draw what comes next for a dataset; nothing while a job works on it.

    Parameters
    ----------
    dataset : Dataset
    page : Page
        The one on show.
    here : Step, optional
        The step that is done where this is drawn.

    Raises
    ------
    DatasetError
        The dataset can't be read.
    """
    if not is_busy(dataset):
        _draw(dataset_state(workspace(), dataset), dataset.name, page, here)


def draw_run_steps(run: Run, page: Page, here: Step) -> None:
    """Draw what comes next for a run.

    Parameters
    ----------
    run : Run
    page : Page
    here : Step
        As for `draw_dataset_steps`.
    """
    dataset: Dataset | None = None
    try:
        dataset = find_dataset_by_id(workspace(), run.source)
        state = run_state(workspace(), run, dataset)
    except DatasetError:  # photos of a folder, or of a dataset that was deleted
        dataset, state = None, run_state(workspace(), run, None)
    if run.has_model or not run.state.ended:
        _draw(state, None if dataset is None else dataset.name, page, here)


def _draw(state: PathState, dataset: str | None, page: Page, here: Step | None) -> None:
    ahead, is_pending = steps_from(next_steps(state), here)
    offered = [step for step in ahead if dataset is not None or not _TARGETS[step].needs_dataset]
    offered = [step for step in offered if can_change() or not _TARGETS[step].changes][:2]
    if not offered:
        return
    light, dark = (str(st.get_option(f"theme.{kind}.primaryColor")) for kind in ("light", "dark"))
    st.html(_STYLE.replace("PRIMARY", f"light-dark({light}, {dark})"))
    with st.container(horizontal=True, vertical_alignment="center", key=KitKey.NEXT_STEP):
        st.markdown("**Next**", width="content")
        for place, step in enumerate(offered):
            # What the page itself asks for comes first, so its own button is the only one that stands out.
            look = "main" if place == 0 and not is_pending else "more"
            with st.container(width="content", key=KitKey.NEXT_STEP.of(f"{look}-{step}")):
                target = _TARGETS[step]
                named: dict[str, str | None] = {DATASET_PARAM: dataset} if target.needs_dataset else {}
                params = {**named, **target.params(state)}
                draw_way(target.label(state), target.page, params, page, stands_out=look == "main")


def draw_way(label: str, page: Page, params: dict[str, str | None], shown: Page, *, stands_out: bool = False) -> None:
    """Draw a link to a page, or a button if that page is the one on show.

    The browser would not note the address of a link from a page to itself, so Back and reload would not find it.

    Parameters
    ----------
    label : str
        Markdown.
    page : Page
    params : dict
        Parameters of the address.
    shown : Page
        The page on show.
    stands_out : bool
        Whether a button is the page's main one.
    """
    if page is not shown:
        draw_page_link(label, page, **params)
        return
    st.button(
        label,
        key=KitKey.NEXT_WAY.of(label),
        icon=page_icon(page),
        type="primary" if stands_out else "tertiary",
        on_click=on_whole_page(_go),
        args=(params,),
    )


def _go(params: dict[str, str | None]) -> None:
    """Choose what the parameters name, and write them into the address."""
    for name, value in params.items():
        choose_next(name, value or "")
    set_address_values(params)
