"""The split of a dataset: which photos are to learn from, which to tune with, which to judge by."""

import pandas as pd
import streamlit as st

from sneaker_core.datasets.class_balance import UNASSIGNED, balance
from sneaker_core.datasets.dataset_split import make_split
from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.split import PRESETS
from sneaker_core.errors import SneakerError
from ui.datasets import dataset_details_cache
from ui.datasets.datasets_keys import Key
from ui.kit import dataset_cache
from ui.kit.text import counted, plain

_OWN = "Own shares"
_LONGEST_TABLE = 500


def draw_splits(dataset: Dataset) -> None:
    """Draw the section.

    Parameters
    ----------
    dataset : Dataset
    """
    st.markdown(
        "A model must be judged by photos that it did not learn from. **Train** photos are to learn from, **val** "
        "photos to tune with while it learns, **test** photos are kept for the final judgement."
    )
    key = dataset_cache.review_key(dataset)
    split = dataset.fact("split")
    _draw_stored(split, dataset_cache.reviewed_photos(key))
    if split:
        _draw_leaks(dataset, dataset_details_cache.dataset_leaks(key))
    _draw_maker(dataset, split)


def _draw_stored(split: dict[str, object] | None, photos: pd.DataFrame) -> None:
    if not split:
        st.info("There is no split yet. Make one below; training makes one of its own otherwise.")
        return
    table = balance(photos)
    st.subheader("The split as it stands", anchor=False)
    st.markdown(_origin(split))
    if table.empty:
        return
    if table[UNASSIGNED].any():
        late = int(table[UNASSIGNED].sum())
        st.warning(f"{counted(late, 'photo')} came later and belong to no side. Make the split again to place them.")
    columns = {"label": "Class", "train": "Train", "val": "Val", "test": "Test", UNASSIGNED: "No side", "total": "All"}
    used = [name for name in columns if name in ("label", "total") or table[name].any()]
    st.dataframe(
        table[used],
        hide_index=True,
        column_config={name: columns[name] for name in used},
        height=min(35 * (len(table) + 1) + 3, 640),
        alt="Photos of each class on each side of the split",
    )


def _origin(split: dict[str, object]) -> str:
    if split.get("kind") != "made":
        return "It came with the photos."
    val, test = float(str(split.get("val_share", 0))), float(str(split.get("test_share", 0)))
    return f"Made here with {_shares(val, test)}; seed {split.get('seed', 0)}."


def _shares(val: float, test: float) -> str:
    parts = [f"{1 - val - test:.0%} to learn from"]
    parts += [f"{val:.0%} to tune with"] if val else []
    parts += [f"{test:.0%} to judge by"] if test else []
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _draw_leaks(dataset: Dataset, leaks: pd.DataFrame) -> None:
    """Whether copies sit on both sides, and what that would mean."""
    if dataset.fact("scan") is None:
        st.caption(
            "I can check whether copies of one photo sit on both sides once you have looked for problems (see "
            "Overview); until then I only know of files that came in twice."
        )
    if leaks.empty:
        if dataset.fact("scan") is not None:
            st.success(
                "No copies of one photo sit on both sides: the judgement will be fair.", icon=":material/balance:"
            )
        return
    st.warning(
        f"Copies of {counted(leaks['group_id'].nunique(), 'photo')} sit on more than one side. A model that is judged "
        "by what it learned from looks better than it is. Make a split here: copies then stay together.",
        icon=":material/content_copy:",
    )
    if st.toggle("Show these copies", key=Key.LEAKS, persist_state="session"):
        st.dataframe(
            leaks.head(_LONGEST_TABLE)[["group_id", "label", "split", "sample"]],
            hide_index=True,
            column_config={"group_id": "Copies", "label": "Class", "split": "Side", "sample": "Photo"},
            alt="Copies of one photo that sit on different sides of the split",
        )


def _draw_maker(dataset: Dataset, split: dict[str, object] | None) -> None:
    st.subheader("Make a new split" if split else "Make a split", anchor=False)
    with st.container(border=True):
        preset = st.segmented_control(
            "Shares",
            [*PRESETS, _OWN],
            default=next(iter(PRESETS)),
            required=True,
            wrap=True,
            key=Key.SPLIT_PRESET,
            help="70:30 is train against test; 70/15/15 is train, val and test.",
        )
        val, test = _own_shares() if preset == _OWN else PRESETS[preset or next(iter(PRESETS))]
        st.markdown(
            f"{_shares(val, test)}, the same in every class." if val + test < 1 else "Nothing is left to learn from."
        )
        if not val:
            st.caption("Without val photos, training sets some of the train photos aside by itself.")
        seed = st.number_input(
            "Seed",
            0,
            1_000_000,
            0,
            key=Key.SPLIT_SEED,
            width=160,
            help="The same seed gives the same split again; another number deals the photos out anew.",
        )
        st.caption("Copies of one photo always stay on one side. " + _replaces(split))
        if st.button("Make the split", type="primary", key=Key.SPLIT_MAKE, icon=":material/call_split:"):
            _make(dataset, val, test, int(seed or 0))


def _replaces(split: dict[str, object] | None) -> str:
    if not split:
        return ""
    if split.get("kind") == "made":
        return "The new split takes the place of the one above."
    return "The new split takes the place of the one that came with the photos."


def _own_shares() -> tuple[float, float]:
    with st.container(horizontal=True):
        val = st.number_input("To tune with (val), %", 0, 90, 10, key=Key.SPLIT_VAL, width=180)
        test = st.number_input("To judge by (test), %", 0, 90, 20, key=Key.SPLIT_TEST, width=180)
    return int(val or 0) / 100, int(test or 0) / 100


def _make(dataset: Dataset, val: float, test: float, seed: int) -> None:
    try:
        with st.spinner("Dealing the photos out…"):
            make_split(dataset, val, test, seed)
    except SneakerError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.toast("The split is made and kept.", icon=":material/check:")
    st.rerun()
