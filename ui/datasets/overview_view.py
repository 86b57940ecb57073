"""The overview of a dataset: how much there is, how evenly, and what may be wrong."""

import pandas as pd
import streamlit as st

from sneaker_core.datasets.class_balance import advice, balance, imbalance_ratio
from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.quality.findings import Kind
from sneaker_core.datasets.split import Split
from ui.datasets.add_photos_view import draw_rejects
from ui.datasets.dataset_charts import class_bars, shape_bars, side_bars
from ui.datasets.datasets_keys import Key
from ui.kit import dataset_cache
from ui.kit.charts import Chart
from ui.kit.dataset_work import is_busy, start_work
from ui.kit.labels import FINDING_LABELS
from ui.kit.moments import moment
from ui.kit.quantities import counted_photos, size_words
from ui.kit.text import plain

FINDINGS = "Findings"


def draw_overview(dataset: Dataset) -> None:
    """Draw the section.

    Parameters
    ----------
    dataset : Dataset
        With at least one photo.
    """
    key = dataset_cache.review_key(dataset)
    photos = dataset_cache.reviewed_photos(key)
    found = dataset_cache.dataset_findings(key)
    found = found[found["open"]]
    kept = photos[~photos["excluded"]]
    _draw_figures(dataset, photos, kept, found)
    _draw_problems(dataset, photos, found)
    if kept.empty:
        st.info("Every photo is excluded. Bring some back under **Photos** or **History**.")
    else:
        with st.container(border=True):
            _draw_chart(class_bars(balance(kept), imbalance_ratio(kept)), Key.CLASSES_CHART)
            st.markdown(f":material/lightbulb: {plain(advice(kept))}")
        with st.grid(2, min_column_width=320) as grid:
            with grid.cell(), st.container(border=True, height="stretch"):
                _draw_chart(side_bars(kept), Key.SIZES_CHART)
                st.caption(
                    "In pixels. The networks here look at photos about 200 pixels wide; smaller ones lack detail."
                )
            with grid.cell(), st.container(border=True, height="stretch"):
                _draw_chart(shape_bars(kept), Key.SHAPES_CHART)
                st.caption("Width against height: square is within a tenth, very tall and very wide are twice as long.")
    draw_rejects(dataset)


def _draw_figures(dataset: Dataset, photos: pd.DataFrame, kept: pd.DataFrame, found: pd.DataFrame) -> None:
    """The four figures at the top."""
    scanned, split = dataset.fact("scan") is not None, dataset.fact("split")
    excluded = len(photos) - len(kept)
    figures = [
        ("Photos", f"{len(kept):,}", f"{excluded:,} excluded" if excluded else size_words(int(kept["bytes"].sum()))),
        ("Classes", f"{kept['label'].nunique():,}", _per_class(kept)),
        (
            "Worth a look",
            f"{found['sample'].nunique():,}" if scanned else "–",
            "photos with a finding" if scanned else "not looked yet",
        ),
        ("Split", _parts(kept) if split else "–", _origin(split)),
    ]
    with st.grid(4, min_column_width=140):
        for label, value, note in figures:
            with st.container(border=True, gap=None, height="stretch"):
                st.metric(label, value)
                st.caption(note)


def _parts(kept: pd.DataFrame) -> str:
    """Shares of the sides in per cent: "70/15/15"."""
    shares = kept["split"].value_counts(normalize=True)
    return "/".join(f"{100 * shares.get(side, 0):.0f}" for side in Split if shares.get(side, 0)) or "–"


def _origin(split: dict[str, object] | None) -> str:
    if not split:
        return "none yet"
    return "made here" if split.get("kind") == "made" else "came with the photos"


def _per_class(kept: pd.DataFrame) -> str:
    counts = kept["label"].value_counts()
    if counts.empty:
        return "none"
    low, high = int(counts.min()), int(counts.max())
    return f"{low:,} photos each" if low == high else f"{low:,} to {high:,} photos each"


def _draw_problems(dataset: Dataset, photos: pd.DataFrame, found: pd.DataFrame) -> None:
    """What the last look for problems found, and the button for the next one."""
    scan = dataset.fact("scan")
    with st.container(border=True):
        st.markdown(f"**{_headline(scan, found)}**")
        if scan:
            st.caption(_looked(scan, len(photos)))
        else:
            st.caption(
                "I look for copies, wrong labels, photos of other things, and blurred, dark or tiny ones. Nothing is "
                "changed: you decide on each."
            )
        counts = found["kind"].value_counts()
        shown = [kind for kind in Kind if counts.get(kind.value, 0)]
        if shown:
            st.markdown(
                " ".join(f":orange-badge[{counts[kind.value]:,} {FINDING_LABELS[kind].badge}]" for kind in shown)
            )
        with st.container(horizontal=True):
            if shown:
                st.button(
                    "See the findings",
                    key=Key.SEE_FINDINGS,
                    type="primary",
                    icon=":material/rule:",
                    on_click=st.session_state.update,
                    args=({Key.SECTION_WANTED: FINDINGS},),
                )
            if st.button(
                "Look again" if scan else "Look for problems",
                key=Key.SCAN_START,
                type="secondary" if shown else "primary",
                icon=":material/troubleshoot:",
                disabled=is_busy(dataset),
            ):
                start_work(dataset, "dataset_scan", title="Checking photos")
                st.rerun()


def _headline(scan: dict[str, object] | None, found: pd.DataFrame) -> str:
    if not scan:
        return "Nobody has looked for problems yet"
    if found.empty:
        return "Nothing stands out"
    of_kinds = found["kind"].nunique()
    kinds = "one kind" if of_kinds == 1 else f"{of_kinds} kinds"
    return f"{counted_photos(found['sample'].nunique())} may have a problem, of {kinds}"


def _looked(scan: dict[str, object], photos: int) -> str:
    """When it was looked, and what came since."""
    looked = int(str(scan.get("photos", 0)))
    words = f"Last looked through {counted_photos(looked)}: {moment(float(str(scan.get('time', 0))))}."
    since = photos - looked
    if since > 0:
        words += f" {counted_photos(since)} came since: look again."
    if not scan.get("model"):
        words += " Without a model, wrong labels and photos of other things were not looked for."
    return words


def _draw_chart(chart: Chart, key: Key) -> None:
    st.markdown(f"**{plain(chart.title)}**")
    # No toolbar, no dragging: on a phone, a chart that can be dragged keeps the page from scrolling.
    st.plotly_chart(chart.figure, key=key, config={"displayModeBar": False}, alt=chart.alt)
