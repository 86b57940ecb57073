"""The part "Gallery": all mistakes as photos, the most telling first."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from sneaker_core.datasets.safe_names import natural_order
from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_job import start_evaluation
from sneaker_core.evaluation.table_columns import as_csv, misclassified
from sneaker_core.workspace.paths import workspace
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_picker import go_to
from ui.evaluate.mistake_grid import draw_tiles
from ui.evaluate.opened_evaluation import Opened, reviews_of
from ui.kit.quantities import counted_photos
from ui.kit.review_section import on_whole_page
from ui.kit.text import plain

CONFIDENT, NEAR, BY_PAIR = "Most confidently wrong", "Near misses", "By pair"
_HELP = (
    "Mistakes that the model is sure of are often wrong labels or classes that look alike. Near misses are those where "
    "the true class was almost as probable. By pair: the most frequent mix-ups first."
)


@dataclass(frozen=True)
class Filter:
    """Which mistakes to show.

    Attributes
    ----------
    labels, predicted : tuple of str
        True classes, and those they were taken for; empty for all.
    low, high : float
        Probability of the predicted class, 0 to 1.
    """

    labels: tuple[str, ...] = ()
    predicted: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0

    def apply(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows that match, in their order."""
        matching = (rows["probability"] >= self.low) & (rows["probability"] <= self.high)
        if self.labels:
            matching &= rows["label"].isin(self.labels)
        if self.predicted:
            matching &= rows["predicted"].isin(self.predicted)
        return rows[matching]


def by_pair(wrong: pd.DataFrame) -> pd.DataFrame:
    """Mistakes with those of the most frequent pair first, each pair together, its most confident first."""
    count = wrong.groupby(["label", "predicted"])["sample"].transform("size")
    order = ["pairs", "label", "predicted", "probability"]
    ordered = wrong.assign(pairs=count).sort_values(order, ascending=[False, True, True, False], kind="stable")
    return ordered.drop(columns="pairs")


def draw_gallery(opened: Opened) -> None:
    """Draw the part."""
    order = st.segmented_control(
        "Which first",
        [CONFIDENT, NEAR, BY_PAIR],
        default=CONFIDENT,
        required=True,
        key=Key.GALLERY_ORDER,
        persist_state="session",
        wrap=True,
        help=_HELP,
    )
    wrong = misclassified(opened.table, near_misses=order == NEAR)
    if wrong.empty:
        st.success("No photo was taken for another class. There is nothing to look into.", icon=":material/verified:")
        return
    if order == BY_PAIR:
        wrong = by_pair(wrong)
    shown = _draw_filters(opened, wrong)
    reviewed = _draw_counter(opened, wrong)
    if reviewed:
        _draw_again(opened)
    if reviewed and st.toggle(
        "Only those that nobody has decided on", key=opened.widget(Key.GALLERY_OPEN_ONLY), persist_state="session"
    ):
        shown = shown[~shown["sample"].isin(reviewed)]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{counted_photos(len(shown))}**", width="content")
        st.download_button(
            "Save as table (CSV)",
            lambda: as_csv(shown),
            f"{opened.evaluation.name} mistakes.csv",
            "text/csv",
            key=opened.widget(Key.GALLERY_CSV),
            icon=":material/table:",
            on_click="ignore",
        )
    if shown.empty:
        st.caption("No mistake matches: widen the filters.")
    else:
        draw_tiles(opened, shown, f"gallery-{order}")


def _draw_again(opened: Opened) -> None:
    """The way to see what the decisions have changed."""
    if opened.evaluation.dataset_folder is not None:
        st.button(
            "Evaluate again with these decisions",
            key=opened.widget(Key.EVALUATION_AGAIN),
            icon=":material/restart_alt:",
            type="tertiary",
            on_click=on_whole_page(_again),
            args=(opened,),
            help="The same model on the same photos as they are filed now. Then compare the two.",
        )


def _again(opened: Opened) -> None:
    evaluation = opened.evaluation
    try:
        model, data = str(opened.model_folder()), str(evaluation.dataset_folder)
        go_to(start_evaluation(workspace(), model, data, evaluation.split))
    except SneakerError as error:
        st.toast(plain(str(error)), icon=":material/error:", duration="long")


def _draw_filters(opened: Opened, wrong: pd.DataFrame) -> pd.DataFrame:
    chosen = []
    with st.grid(3, min_column_width=220):
        for key, column, name in (
            (Key.GALLERY_TRUE, "label", "True class"),
            (Key.GALLERY_PREDICTED, "predicted", "Taken for"),
        ):
            chosen.append(
                st.multiselect(
                    name,
                    sorted(wrong[column].unique(), key=natural_order),
                    key=opened.widget(key),
                    placeholder="Any",
                    persist_state="session",
                )
            )
        low, high = st.slider(
            "How sure it was",
            0,
            100,
            (0, 100),
            format="%d%%",
            key=opened.widget(Key.GALLERY_SURE),
            persist_state="session",
        )
    return Filter(tuple(chosen[0]), tuple(chosen[1]), low / 100, high / 100).apply(wrong)


def _draw_counter(opened: Opened, wrong: pd.DataFrame) -> set[str]:
    """How many mistakes somebody has decided on; gives their samples."""
    reviews = reviews_of(opened)
    if reviews is None:
        return set()
    reviewed = set(wrong["sample"]) & set(reviews.last)
    text = f"{len(reviewed):,} of {len(wrong):,} mistakes reviewed"
    st.progress(len(reviewed) / len(wrong), text, width=320)
    return reviewed
