"""Watched validation photos of a run, and its most frequent confusions."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from sneaker_core.training.run_metrics import WatchedPhoto, read_watch
from sneaker_core.training.training_notes import finite
from ui.kit.text import escape_markdown, probability_text, truncate_middle

# Number of predictions shown per photo, evenly spread over the epochs.
_HISTORY = 6
_RIGHT, _WRONG = "✓", "✗"


def draw_confusions(metrics: pd.DataFrame) -> None:
    """Draw the most frequent confusions of the latest epoch."""
    pairs = [pair for pair in _rows(metrics["confusions"].iloc[-1]) if finite(pair.get("count")) > 0]
    if not pairs:
        return
    st.markdown(
        "**Most frequent confusions, latest epoch**", help="On validation photos, which are not used in training."
    )
    lines = [
        f"- **{escape_markdown(truncate_middle(str(pair.get('label'))))}** predicted as "
        f"**{escape_markdown(truncate_middle(str(pair.get('predicted'))))}**: {_share(pair)}"
        for pair in pairs
    ]
    st.markdown("\n".join(lines))


def _share(pair: dict[str, Any]) -> str:
    count, of = finite(pair.get("count")), finite(pair.get("of"))
    return f"{count:.0f} of {of:.0f}" if of > 0 else f"{count:.0f}"


def draw_watched(folder: Path, metrics: pd.DataFrame) -> None:
    """Draw a few photos with their predictions, epoch by epoch.

    Parameters
    ----------
    folder : Path
        The run's.
    metrics : DataFrame
        From `library.read_metrics`; at least one row.
    """
    photos = read_watch(folder)
    told = {int(epoch): _rows(answers) for epoch, answers in zip(metrics["epoch"], metrics["watched"], strict=True)}
    told = {epoch: answers for epoch, answers in told.items() if len(answers) == len(photos)}
    if not photos or not told:
        return
    newest = max(told)
    right = sum(_is_right(photo, answer) for photo, answer in zip(photos, told[newest], strict=True))
    st.markdown(
        f"**{right} of these {len(photos)} photos are recognized correctly after epoch {newest}**",
        help="The same validation photos after each epoch, so you can see the model learn.",
    )
    with st.grid(4, min_column_width=160, gap="small"):
        for place, photo in enumerate(photos):
            _draw_photo(photo, {epoch: answers[place] for epoch, answers in told.items()})


def _draw_photo(photo: WatchedPhoto, answers: dict[int, dict[str, Any]]) -> None:
    newest = answers[max(answers)]
    label, answer = truncate_middle(photo.label), truncate_middle(str(newest.get("label")))
    with st.container(border=True, gap="xsmall", height="stretch"):
        if photo.thumbnail.is_file():
            st.image(str(photo.thumbnail), width=112, alt=f"A photo of {photo.label}")
        st.markdown(f"**{escape_markdown(label)}**")
        confidence = (
            probability_text(finite(newest.get("probability"))) if finite(newest.get("probability")) >= 0 else ""
        )
        if _is_right(photo, newest):
            st.markdown(f":green[:material/check_circle:] Correct · {confidence}")
        else:
            st.markdown(f":orange[:material/cancel:] {escape_markdown(answer)} · {confidence}")
        st.caption(_history(photo, answers))


def _is_right(photo: WatchedPhoto, answer: dict[str, Any]) -> bool:
    return answer.get("label") == photo.label


def _history(photo: WatchedPhoto, answers: dict[int, dict[str, Any]]) -> str:
    """Predictions over time as marks: "Epochs 1 to 16: ✗ ✗ ✓ ✓"."""
    every = sorted(answers)
    steps = min(len(every), _HISTORY)
    epochs = [every[round((step + 1) * len(every) / steps) - 1] for step in range(1, steps)]
    epochs = [every[0], *epochs]
    marks = " ".join(_RIGHT if _is_right(photo, answers[epoch]) else _WRONG for epoch in epochs)
    span = f"Epochs {epochs[0]} to {epochs[-1]}" if len(epochs) > 1 else f"Epoch {epochs[0]}"
    return f"{span}: {marks}"


def _rows(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; empty for anything else, as a damaged line may hold anything."""
    rows = value if isinstance(value, list) else []
    return [row for row in rows if isinstance(row, dict)]
