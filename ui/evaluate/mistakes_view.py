"""All misclassified photos, to review."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.datasets.index import open_index
from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_job import start_evaluation
from sneaker_core.evaluation.evaluation_plan import ALL_PHOTOS
from sneaker_core.evaluation.table_columns import as_csv, misclassified
from sneaker_core.number_text import counted
from sneaker_core.workspace.paths import workspace
from sneaker_core.workspace.safe_names import natural_order
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_picker import go_to
from ui.evaluate.loaded_evaluation import LoadedEvaluation, reviews_of
from ui.evaluate.prediction_grid import draw_predictions
from ui.kit import dataset_cache
from ui.kit.changes import change_button
from ui.kit.review_section import on_whole_page, reported_errors
from ui.kit.review_worth import draw_worth
from ui.kit.text import escape_markdown

CONFIDENT, NEAR_MISSES, BY_PAIR = "Most confident", "Near misses", "By class pair"
_GRIDS = {CONFIDENT: "confident", NEAR_MISSES: "near-misses", BY_PAIR: "by-pair"}
_ABOUT = (
    "Mistakes made with high confidence often reveal wrong labels or classes that look alike. Near misses are photos "
    "whose true class was almost as probable. By class pair: the most common confusions first."
)


@dataclass(frozen=True)
class Filter:
    """Which mistakes to show.

    Attributes
    ----------
    labels, predicted : tuple of str
        True classes and predicted classes; empty for all.
    low, high : float
        Range of the confidence, 0 to 1.
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
    """Mistakes grouped by class pair, most common pair first; within a pair, most confident first."""
    count = wrong.groupby(["label", "predicted"])["sample"].transform("size")
    order = ["pairs", "label", "predicted", "probability"]
    ordered = wrong.assign(pairs=count).sort_values(order, ascending=[False, True, True, False], kind="stable")
    return ordered.drop(columns="pairs")


def draw_mistakes(loaded: LoadedEvaluation) -> None:
    """Draw this part of the page."""
    order = st.segmented_control(
        "Order",
        list(_GRIDS),
        default=CONFIDENT,
        required=True,
        key=Key.MISTAKES_ORDER,
        persist_state="session",
        wrap=True,
        help=_ABOUT,
    )
    wrong = misclassified(loaded.table, near_misses=order == NEAR_MISSES)
    if wrong.empty:
        st.success("No photo was misclassified.", icon=":material/verified:")
        return
    if order == BY_PAIR:
        wrong = by_pair(wrong)
    shown = _draw_filters(loaded, wrong)
    reviewed = _draw_review_progress(loaded, wrong)
    if reviewed:
        _draw_evaluate_again(loaded)
    if loaded.section is not None:
        with reported_errors(loaded.section.dataset):
            draw_worth(loaded.section.dataset, loaded.section.place("mistakes"))
    if reviewed and st.toggle("Hide reviewed", key=loaded.widget(Key.MISTAKES_HIDE_REVIEWED), persist_state="session"):
        shown = shown[~shown["sample"].isin(reviewed)]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{counted(len(shown), 'photo')}**", width="content")
        st.download_button(
            "Download table (CSV)",
            lambda: as_csv(shown),
            f"{loaded.evaluation.name} mistakes.csv",
            "text/csv",
            key=loaded.widget(Key.MISTAKES_CSV),
            icon=":material/table:",
            on_click="ignore",
        )
    if shown.empty:
        st.caption("No mistakes match the filters.")
    else:
        draw_predictions(loaded, shown, _GRIDS[str(order)])


def _draw_evaluate_again(loaded: LoadedEvaluation) -> None:
    if loaded.evaluation.dataset_folder is not None:
        change_button(
            "Evaluate again with these corrections",
            key=loaded.widget(Key.AGAIN),
            icon=":material/restart_alt:",
            type="tertiary",
            on_click=on_whole_page(_evaluate_again),
            args=(loaded,),
            help="Evaluates the same model on the corrected dataset. Then compare the two evaluations.",
        )


def _evaluate_again(loaded: LoadedEvaluation) -> None:
    evaluation = loaded.evaluation
    try:
        model, data = str(loaded.model_folder()), str(evaluation.dataset_folder)
        # The corrections may have merged a class that had another name.
        there = set(dataset_cache.class_names(dataset_cache.review_key(open_index(Path(data)))))
        renamed = {old: new for old, new in evaluation.renamed.items() if old in there}
        go_to(start_evaluation(workspace(), model, data, evaluation.split or ALL_PHOTOS, rename=renamed))
    except SneakerError as error:
        st.toast(escape_markdown(str(error)), icon=":material/error:", duration="long")


def _draw_filters(loaded: LoadedEvaluation, wrong: pd.DataFrame) -> pd.DataFrame:
    with st.grid(3, min_column_width=220):
        labels, predicted = (
            st.multiselect(
                title,
                sorted(wrong[column].unique(), key=natural_order),
                key=loaded.widget(key),
                placeholder="Any",
                persist_state="session",
            )
            for key, column, title in (
                (Key.MISTAKES_TRUE, "label", "Only true classes"),
                (Key.MISTAKES_PREDICTED, "predicted", "Only predicted classes"),
            )
        )
        low, high = st.slider(
            "Confidence",
            0,
            100,
            (0, 100),
            format="%d%%",
            key=loaded.widget(Key.MISTAKES_CONFIDENCE),
            persist_state="session",
        )
    return Filter(tuple(labels), tuple(predicted), low / 100, high / 100).apply(wrong)


def _draw_review_progress(loaded: LoadedEvaluation, wrong: pd.DataFrame) -> set[str]:
    """Draw how many mistakes were reviewed; returns their samples."""
    reviews = reviews_of(loaded)
    if reviews is None:
        return set()
    reviewed = set(wrong["sample"]) & set(reviews.last)
    text = f"{len(reviewed):,} of {len(wrong):,} mistakes reviewed"
    st.progress(len(reviewed) / len(wrong), text, width=320)
    return reviewed
