"""The section "Overview": how many photos there are, how balanced the classes are, and what needs a review."""

import pandas as pd
import streamlit as st

from sneaker_core.datasets.class_balance import advice, balance, imbalance_ratio
from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.quality.findings import Kind
from sneaker_core.datasets.split import Split
from sneaker_core.number_text import counted
from sneaker_core.training.next_steps import Step
from ui.datasets.class_strips import draw_class_strips
from ui.datasets.dataset_charts import class_bars, shape_bars, side_bars
from ui.datasets.datasets_keys import Key
from ui.datasets.rejects_view import draw_rejects
from ui.datasets.spellings_view import draw_spellings
from ui.kit import dataset_cache
from ui.kit.address import choose_next
from ui.kit.changes import change_button
from ui.kit.charts import draw_chart
from ui.kit.dataset_work import is_busy, start_check
from ui.kit.labels import FINDING_LABELS
from ui.kit.next_step import draw_dataset_steps
from ui.kit.page_links import Page
from ui.kit.text import escape_markdown, size_text, timestamp_text

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
    draw_dataset_steps(dataset, Page.DATASETS, Step.CHECK)
    _draw_metrics(dataset, photos, kept, found)
    draw_spellings(dataset)
    _draw_check(dataset, photos, found)
    if kept.empty:
        st.info("All photos are excluded. Include some again under **Photos** or **History**.")
    else:
        draw_class_strips(dataset, key, kept)
        _draw_charts(kept)
    draw_rejects(dataset)


def _draw_metrics(dataset: Dataset, photos: pd.DataFrame, kept: pd.DataFrame, found: pd.DataFrame) -> None:
    checked, split = dataset.fact("scan") is not None, dataset.fact("split")
    excluded = len(photos) - len(kept)
    metrics = [
        ("Photos", f"{len(kept):,}", f"{excluded:,} excluded" if excluded else size_text(int(kept["bytes"].sum()))),
        ("Classes", f"{kept['label'].nunique():,}", _per_class(kept)),
        (
            "To review",
            f"{found['sample'].nunique():,}" if checked else "–",
            "photos with findings" if checked else "not checked yet",
        ),
        ("Split", _shares(kept) if split else "–", _split_origin(split)),
    ]
    with st.grid(4, min_column_width=140):
        for label, value, note in metrics:
            with st.container(border=True, gap=None, height="stretch"):
                st.metric(label, value)
                st.caption(note)


def _shares(kept: pd.DataFrame) -> str:
    """Percentages of training, validation and test photos: "70/15/15"."""
    shares = kept["split"].value_counts(normalize=True)
    return "/".join(f"{100 * shares.get(split, 0):.0f}" for split in Split if shares.get(split, 0)) or "–"


def _split_origin(split: dict[str, object] | None) -> str:
    if not split:
        return "no split yet"
    return "created here" if split.get("kind") == "made" else "imported with the photos"


def _per_class(kept: pd.DataFrame) -> str:
    counts = kept["label"].value_counts()
    if counts.empty:
        return "no photos"
    low, high = int(counts.min()), int(counts.max())
    return f"{counted(low, 'photo')} per class" if low == high else f"{low:,} to {high:,} photos per class"


def _draw_check(dataset: Dataset, photos: pd.DataFrame, found: pd.DataFrame) -> None:
    """The result of the last check for problems, and the button for the next one."""
    check = dataset.fact("scan")
    counts = found["kind"].value_counts()
    kinds = [kind for kind in Kind if counts.get(kind.value, 0)]
    with st.container(border=True):
        st.markdown(f"**{_check_title(check, found)}**")
        if check:
            st.caption(_check_text(check, len(photos)))
        else:
            st.caption(
                "Finds near-duplicates, wrong labels, photos that show no sneaker, and blurry, dark or tiny photos. "
                "Nothing is changed: you decide on every finding."
            )
        if kinds:
            st.markdown(
                " ".join(f":orange-badge[{FINDING_LABELS[kind].title} · {counts[kind.value]:,}]" for kind in kinds)
            )
        _draw_check_buttons(dataset, checked=bool(check), has_findings=bool(kinds))


def _draw_check_buttons(dataset: Dataset, *, checked: bool, has_findings: bool) -> None:
    with st.container(horizontal=True):
        if has_findings:
            st.button(
                "Review findings",
                key=Key.REVIEW_FINDINGS,
                icon=":material/rule:",
                on_click=choose_next,
                args=(Key.SECTION, FINDINGS),
            )
        if change_button(
            "Check again" if checked else "Check photos",
            key=Key.CHECK_START,
            type="secondary" if has_findings else "primary",
            icon=":material/troubleshoot:",
            disabled=is_busy(dataset),
        ):
            start_check(dataset)


def _check_title(check: dict[str, object] | None, found: pd.DataFrame) -> str:
    if not check:
        return "Not checked yet"
    if found.empty:
        return "No problems found"
    kinds = counted(found["kind"].nunique(), "kind")
    return f"{counted(found['sample'].nunique(), 'photo')} may have problems ({kinds})"


def _check_text(check: dict[str, object], photos: int) -> str:
    """When the photos were checked, and what was added since."""
    checked = int(str(check.get("photos", 0)))
    sentences = [f"Checked {counted(checked, 'photo')} on {timestamp_text(float(str(check.get('time', 0))))}."]
    added = photos - checked
    if added > 0:
        sentences.append(f"{counted(added, 'photo')} added since: check again.")
    if not check.get("model"):
        sentences.append("No model was used, so wrong labels and photos that show no sneaker could not be found.")
    return " ".join(sentences)


def _draw_charts(kept: pd.DataFrame) -> None:
    with st.container(border=True):
        draw_chart(class_bars(balance(kept), imbalance_ratio(kept)), Key.CLASSES_CHART)
        st.markdown(f":material/lightbulb: {escape_markdown(advice(kept))}")
    with st.grid(2, min_column_width=320) as grid:
        with grid.cell(), st.container(border=True, height="stretch"):
            draw_chart(side_bars(kept), Key.SIZES_CHART)
            st.caption("In pixels. Models look at photos about 200 pixels wide; smaller photos lack detail.")
        with grid.cell(), st.container(border=True, height="stretch"):
            draw_chart(shape_bars(kept), Key.SHAPES_CHART)
            st.caption("Width to height. Square: within 10%. Very wide or very tall: at least 2 to 1.")
