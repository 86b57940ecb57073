"""One judged photo looked at closely: what spoke for either class, what it resembles, and what to do about it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_collection import read_embeddings
from sneaker_core.evaluation.table_columns import misclassified
from sneaker_core.inference.similar_photos import nearest
from sneaker_core.number_text import percent
from ui.evaluate import figures_cache
from ui.evaluate.chart_frames import draw_style
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_labels import photo_facts, place
from ui.evaluate.mistake_actions import draw_acts
from ui.evaluate.mistake_grid import open_case
from ui.evaluate.opened_evaluation import Opened, draw_missing, missing_words, picture_of
from ui.kit import explanation_cache, model_cache, photo_previews
from ui.kit.explain_links import draw_explain_link
from ui.kit.photo_files import Photo, stored_photo
from ui.kit.photo_grid import cut
from ui.kit.text import plain

_STRENGTH = 0.6
_ALIKE = 3
_ALIKE_WIDTH = 104
_SENTENCES = 5


def draw_case(opened: Opened) -> None:
    """Draw the photo that was opened, or that the address names, if any."""
    key = opened.widget(Key.EVALUATION_CASE)
    addressed = st.query_params.get(Key.EVALUATION_PHOTO)
    if addressed and key not in st.session_state:
        st.session_state[key] = (addressed, tuple(misclassified(opened.table)["sample"]))
    if key in st.session_state:
        dialog = st.dialog("A closer look", width="large", on_dismiss=partial(_close, opened))
        dialog(_draw_opened)(opened)


def _close(opened: Opened) -> None:
    st.session_state.pop(opened.widget(Key.EVALUATION_CASE), None)
    st.query_params.pop(Key.EVALUATION_PHOTO, None)


def _draw_opened(opened: Opened) -> None:
    try:
        _draw(opened)
    except SneakerError as error:
        st.error(plain(str(error)), icon=":material/error:")


def _draw(opened: Opened) -> None:
    sample, order = st.session_state[opened.widget(Key.EVALUATION_CASE)]
    found = opened.table[opened.table["sample"] == sample]
    if found.empty:
        st.warning("This photo is not in the evaluation.", icon=":material/broken_image:")
        return
    row = {str(name): value for name, value in found.iloc[0].items()}
    draw_style()
    _draw_steps(opened, sample, order)
    st.markdown(_said(row))
    draw_acts(opened, row)
    _draw_pictures(opened, row)
    _draw_alike(opened, row)
    _draw_facts(row)


def _draw_steps(opened: Opened, sample: str, order: Sequence[str]) -> None:
    at = order.index(sample) if sample in order else 0
    with st.container(horizontal=True, vertical_alignment="center"):
        for name, icon, shortcut, to in (
            ("Previous", ":material/chevron_left:", "Left", at - 1),
            ("Next", ":material/chevron_right:", "Right", at + 1),
        ):
            there = 0 <= to < len(order)
            st.button(
                name,
                key=opened.widget(Key.EVALUATION_STEP, name),
                icon=icon,
                shortcut=shortcut,
                disabled=not there,
                on_click=open_case,
                args=(opened, order[to] if there else sample, order),
            )
        st.caption(f"{at + 1:,} of {max(len(order), 1):,}", width="content")


def _said(row: dict[str, Any]) -> str:
    label, predicted = (plain(cut(str(row[key]))) for key in ("label", "predicted"))
    sure = f"{percent(row['probability'])} sure"
    if row["label"] == row["predicted"]:
        return f":green[:material/check:] **{label}** recognised, {sure}."
    return f"**{label}** was taken for **{predicted}**, {sure}; {place(row['rank'])}."


def _asked(row: dict[str, Any], classes: Sequence[str]) -> list[tuple[str, str]]:
    """The classes to explain: what was said, and the truth where that is another and the model knows it."""
    predicted, label = str(row["predicted"]), str(row["label"])
    asked = [("What spoke for", predicted)]
    if label != predicted and label in classes:
        asked.append(("What spoke for the truth,", label))
    return asked


def _draw_pictures(opened: Opened, row: dict[str, Any]) -> None:
    path = row["path"]
    photo = _photo(row["sample"], path)
    if photo is None:
        st.info(
            f"{missing_words(path)} So there is nothing to look at here but its facts: {photo_facts(row)}.",
            icon=":material/image_not_supported:",
        )
        return
    key = opened.model_key()
    classes = list(opened.figures["per_class"]) if key is None else list(model_cache.load_model(key).spec.classes)
    asked = [] if key is None else _asked(row, classes)
    with st.grid(1 + len(asked), min_column_width=200) as grid:
        with grid.cell():
            st.image(photo_previews.preview(photo), width="stretch", alt=f"The photo: {cut(str(row['label']))}")
            st.markdown("The photo")
        for words, label in asked:
            with grid.cell():
                _draw_heat(key, photo, words, label)
    if key is None:
        st.caption("The model that was measured is gone or was trained anew, so nobody can ask where it looked.")
        return
    st.caption("Yellow parts spoke most for the class, violet ones a little, clear ones not. It shows where, not what.")
    draw_explain_link(
        "Look into it further",
        {
            "evaluation": opened.evaluation.name,
            "kind": opened.evaluation.kind.value,
            "sample": str(row["sample"]),
            "target": asked[0][1],
            "versus": asked[1][1] if len(asked) > 1 else None,
        },
    )


def _photo(sample: str, path: object) -> Photo | None:
    """The photo's own bytes; None where they are not there."""
    if not isinstance(path, str):
        return None
    try:
        photo = stored_photo(Path(path), sample)
        photo_previews.preview(photo)  # fails here if the file is no photo
    except SneakerError:
        return None
    return photo


def _draw_heat(key: model_cache.ModelKey | None, photo: Photo, words: str, label: str) -> None:
    if key is None:
        return
    name = plain(cut(label))
    try:
        with st.skeleton(180):
            heated = explanation_cache.heat_map_preview(key, photo, label, _STRENGTH)
    except SneakerError as error:
        st.warning(plain(str(error)))
        return
    st.image(heated, width="stretch", alt=f"The photo with colours over the parts that speak for {cut(label)}")
    st.markdown(f"{words} **{name}**")


def _draw_alike(opened: Opened, row: dict[str, Any]) -> None:
    """The training photos of either class that are most alike in the eyes of the network."""
    st.markdown(
        "**The training photos that look most alike to it**",
        help="Measured by the network itself: photos that it sees as alike lie close together (cosine, 100 % is the "
        "same). What it has learned an answer from may stand here, and wrong labels show.",
    )
    known = figures_cache.evaluation_neighbours(opened.key, opened.evaluation)
    vectors = None if opened.evaluation.folder is None else read_embeddings(opened.evaluation)
    if known is None or vectors is None or not 0 <= int(row["embedding_row"]) < len(vectors):
        st.caption("No training photos were remembered with this evaluation. Evaluate again, with the switch on.")
        return
    labels = dict.fromkeys((str(row["predicted"]), str(row["label"])))
    with st.grid(len(labels), min_column_width=330) as grid:
        for label in labels:
            alike = nearest(vectors[int(row["embedding_row"])], known, label, _ALIKE, without=row["sample"])
            with grid.cell():
                st.markdown(f":small[Photos of **{plain(cut(label))}**]")
                _draw_row(opened, alike, label)


def _draw_row(opened: Opened, alike: pd.DataFrame, label: str) -> None:
    if alike.empty:
        st.caption("It has learned from no photo of this class, as far as is known.")
        return
    with st.container(horizontal=True, gap="small"):
        for photo in alike.to_dict("records"):
            with st.container(width=_ALIKE_WIDTH, gap="xxsmall"):
                picture = picture_of(opened, photo["sample"], photo["path"])
                if picture is None:
                    draw_missing(photo["path"], "")
                else:
                    st.image(picture, width=_ALIKE_WIDTH, alt=f"A training photo of {cut(label)}")
                st.caption(f"{100 * photo['similarity']:.0f} % alike")


def _draw_facts(row: dict[str, Any]) -> None:
    top = [str(name) for name in row["top"]][:_SENTENCES]
    chances = [f"{plain(cut(name))} {percent(float(row[f'p:{name}']))}" for name in top]
    facts = [("It thought of", ", ".join(chances))]
    if photo_facts(row):
        facts.append(("Photo", photo_facts(row)))
    if isinstance(row["path"], str):
        facts.append(("File", plain(Path(row["path"]).name)))
    st.markdown("  \n".join(f":gray[{name}] {text}" for name, text in facts))
