"""The section "Splits": which photos are for training, validation and test."""

import pandas as pd
import streamlit as st

from sneaker_core.datasets.class_balance import UNASSIGNED, balance
from sneaker_core.datasets.dataset_split import make_split
from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.split import PRESETS
from sneaker_core.errors import SneakerError
from sneaker_core.number_text import counted, percent_setting
from sneaker_core.training.next_steps import Step
from ui.datasets import dataset_details_cache
from ui.datasets.datasets_keys import Key
from ui.kit import dataset_cache
from ui.kit.changes import change_button
from ui.kit.labels import NO_SPLIT, SPLIT_TITLES
from ui.kit.next_step import draw_dataset_steps
from ui.kit.page_frame import draw_error
from ui.kit.page_links import Page

_CUSTOM = "Custom"
_MOST_ROWS = 500
_TABLE_HEIGHT = 640


def draw_splits(dataset: Dataset) -> None:
    """Draw the section.

    Parameters
    ----------
    dataset : Dataset
    """
    st.markdown(
        "Test a model only with photos that it was not trained on. It learns from the **training photos**, is tuned "
        "with the **validation photos**, and its accuracy is measured on the **test photos**."
    )
    draw_dataset_steps(dataset, Page.DATASETS, Step.SPLIT)
    key = dataset_cache.review_key(dataset)
    split = dataset.fact("split")
    _draw_current(split, dataset_cache.reviewed_photos(key))
    if split:
        _draw_leaks(dataset, dataset_details_cache.dataset_leaks(key))
    _draw_form(dataset, split)


def _draw_current(split: dict[str, object] | None, photos: pd.DataFrame) -> None:
    if not split:
        st.info("There is no split yet. Until one is created, each training creates its own.")
        return
    table = balance(photos)
    st.header("Current split", anchor=False)
    st.markdown(_origin(split))
    if table.empty:
        return
    if missing := int(table[UNASSIGNED].sum()):
        st.warning(
            "1 photo was added later and is in no split. Create a new split to include it."
            if missing == 1
            else f"{missing:,} photos were added later and are in no split. Create a new split to include them."
        )
    titles = {"label": "Class", **SPLIT_TITLES, UNASSIGNED: NO_SPLIT, "total": "Total"}
    used = [name for name in titles if name in ("label", "total") or table[name].any()]
    st.dataframe(
        table[used],
        hide_index=True,
        column_config={name: titles[name] for name in used},
        height=min(35 * (len(table) + 1) + 3, _TABLE_HEIGHT),
        alt="Number of training, validation and test photos of each class",
    )


def _origin(split: dict[str, object]) -> str:
    if split.get("kind") != "made":
        return "Imported with the photos."
    val, test = float(str(split.get("val_share", 0))), float(str(split.get("test_share", 0)))
    return f"Created here: {_shares_text(val, test)}; seed {split.get('seed', 0)}."


def _shares_text(val: float, test: float) -> str:
    """Shares of a split: "70% training, 15% validation, 15% test"."""
    shares = (("training", 1 - val - test), ("validation", val), ("test", test))
    return ", ".join(f"{percent_setting(share)} {name}" for name, share in shares if share)


def _draw_leaks(dataset: Dataset, leaks: pd.DataFrame) -> None:
    """Whether near-duplicates are in different splits, and why that matters."""
    checked = dataset.fact("scan") is not None
    if not checked:
        st.caption(
            "Near-duplicates in different splits can be found once the photos are checked (see Overview). Until then, "
            "only identical files are found."
        )
    if leaks.empty:
        if checked:
            st.success(
                "No near-duplicates are in different splits: test results will be fair.", icon=":material/balance:"
            )
        return
    groups = leaks["group_id"].nunique()
    verb = "is" if groups == 1 else "are"
    st.warning(
        f"{counted(groups, 'near-duplicate group')} {verb} spread over several splits. Testing a model on photos that "
        "it was trained on makes it look better than it is. Create a split below: it keeps near-duplicates together.",
        icon=":material/content_copy:",
    )
    if st.toggle("Show these photos", key=Key.LEAKS, persist_state="session"):
        shown = leaks.head(_MOST_ROWS)[["group_id", "label", "split", "sample"]]
        st.dataframe(
            shown.assign(split=shown["split"].map(SPLIT_TITLES)),
            hide_index=True,
            column_config={"group_id": "Group", "label": "Class", "split": "Split", "sample": "Photo"},
            alt="Near-duplicates that are in different splits",
        )


def _draw_form(dataset: Dataset, split: dict[str, object] | None) -> None:
    st.header("Create a new split" if split else "Create a split", anchor=False)
    with st.container(border=True):
        preset = st.segmented_control(
            "Shares",
            [*PRESETS, _CUSTOM],
            default=next(iter(PRESETS)),
            required=True,
            wrap=True,
            key=Key.SPLIT_SHARES,
            persist_state="session",
            help="70:30 means training and test; 70/15/15 means training, validation and test.",
        )
        val, test = _choose_shares() if preset == _CUSTOM else PRESETS[preset or next(iter(PRESETS))]
        st.markdown(
            f"{_shares_text(val, test)}, the same in every class."
            if val + test < 1
            else "No photos are left for training."
        )
        if not val:
            st.caption("Without validation photos, each training sets some training photos aside for validation.")
        seed = st.number_input(
            "Seed",
            0,
            1_000_000,
            0,
            key=Key.SPLIT_SEED,
            width=160,
            help="The same seed gives the same split; another seed shuffles the photos differently.",
        )
        st.caption(f"Near-duplicates always stay together. {_replaces_text(split)}")
        if change_button("Create split", type="primary", key=Key.SPLIT_CREATE, icon=":material/call_split:"):
            _create(dataset, val, test, int(seed or 0))


def _replaces_text(split: dict[str, object] | None) -> str:
    if not split:
        return ""
    if split.get("kind") == "made":
        return "The new split replaces the current one."
    return "The new split replaces the one that was imported with the photos."


def _choose_shares() -> tuple[float, float]:
    with st.container(horizontal=True):
        val = st.number_input("Validation, %", 0, 90, 10, key=Key.SPLIT_VAL, width=180)
        test = st.number_input("Test, %", 0, 90, 20, key=Key.SPLIT_TEST, width=180)
    return int(val or 0) / 100, int(test or 0) / 100


def _create(dataset: Dataset, val: float, test: float, seed: int) -> None:
    try:
        with st.spinner("Creating the split…"):
            make_split(dataset, val, test, seed)
    except SneakerError as error:
        draw_error(error)
        return
    st.toast("Split created.", icon=":material/check:")
    st.rerun()
