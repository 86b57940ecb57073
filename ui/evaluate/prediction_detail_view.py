"""Detail view of an evaluated photo: explanation, similar training photos, and review actions."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_files import read_embeddings
from sneaker_core.evaluation.metric_text import rank_text
from sneaker_core.evaluation.table_columns import PROBABILITY_PREFIX, misclassified
from sneaker_core.images import Photo
from sneaker_core.inference.similar_photos import nearest
from sneaker_core.number_text import percent
from ui.evaluate import evaluation_metrics_cache
from ui.evaluate.evaluation_text import properties_text
from ui.evaluate.loaded_evaluation import LoadedEvaluation, missing_photo_text, read_thumbnail
from ui.evaluate.prediction_grid import clear_notice
from ui.evaluate.prediction_review import draw_review
from ui.kit import model_cache, photo_previews
from ui.kit.identify_link import draw_identify_link
from ui.kit.labels import evaluation_title
from ui.kit.page_links import Page, draw_page_link
from ui.kit.photo_detail import draw_photo_dialog
from ui.kit.photo_files import stored_photo
from ui.kit.small_heat_map import HEAT_MAP_LEGEND, draw_heat_map
from ui.kit.text import escape_markdown, probability_text, truncate

_SIMILAR = 3
_SIMILAR_WIDTH = 104


def draw_detail(loaded: LoadedEvaluation) -> None:
    """Draw the photo that is open, or that the address names, if any."""

    def mistakes() -> tuple[str, ...]:
        return tuple(misclassified(loaded.table)["sample"])

    draw_photo_dialog(loaded.place(), partial(_draw_photo, loaded), mistakes, partial(clear_notice, loaded))


def _draw_photo(loaded: LoadedEvaluation, sample: str) -> None:
    found = loaded.table[loaded.table["sample"] == sample]
    if found.empty:
        st.warning("This photo is not part of the evaluation.", icon=":material/broken_image:")
        return
    row = {str(name): value for name, value in found.iloc[0].items()}
    st.markdown(_headline(row))
    draw_review(loaded, row)
    _draw_explanations(loaded, row)
    _draw_similar(loaded, row)
    _draw_facts(row)


def _headline(row: dict[str, Any]) -> str:
    label, predicted = (escape_markdown(truncate(str(row[key]))) for key in ("label", "predicted"))
    confidence = f"{probability_text(row['probability'])} confidence"
    if row["label"] == row["predicted"]:
        return f":green[:material/check:] **{label}**, predicted correctly with {confidence}."
    return f"**{label}** was predicted as **{predicted}** with {confidence}; {rank_text(row['rank'])}."


def _explained_classes(row: dict[str, Any], classes: Sequence[str]) -> list[tuple[str, str]]:
    """Captions and classes to explain: the prediction, and the true class if it is another one the model knows."""
    predicted, label = str(row["predicted"]), str(row["label"])
    explained = [("Evidence for the predicted class", predicted)]
    if label != predicted and label in classes:
        explained.append(("Evidence for the true class", label))
    return explained


def _draw_explanations(loaded: LoadedEvaluation, row: dict[str, Any]) -> None:
    photo = _photo(row["sample"], row["path"])
    if photo is None:
        st.info(
            f"{missing_photo_text(row['path'])} Only its properties are known: {properties_text(row)}.",
            icon=":material/image_not_supported:",
        )
        return
    key = loaded.model_key()
    model = None if key is None else model_cache.load_model(key).spec.name
    draw_identify_link(replace(photo, name=Path(str(row["path"])).name), model)
    classes = list(loaded.metrics["per_class"]) if key is None else list(model_cache.load_model(key).spec.classes)
    explained = [] if key is None else _explained_classes(row, classes)
    with st.grid(1 + len(explained), min_column_width=200) as grid:
        with grid.cell():
            st.image(photo_previews.preview(photo), width="stretch", alt=f"The photo: {truncate(str(row['label']))}")
            st.markdown("Photo")
        for caption, label in explained:
            with grid.cell():
                if key is not None and draw_heat_map(key, photo, label):
                    st.markdown(f"{caption}, **{escape_markdown(truncate(label))}**")
    if key is None:
        st.caption("The evaluated model was deleted or trained again, so its predictions can’t be explained.")
        return
    st.caption(HEAT_MAP_LEGEND)
    draw_page_link(
        "Open in Explain",
        Page.EXPLAIN,
        evaluation=evaluation_title(loaded.evaluation),
        sample=str(row["sample"]),
        target=explained[0][1],
        versus=explained[1][1] if len(explained) > 1 else None,
    )


def _photo(sample: str, path: object) -> Photo | None:
    """The photo file; None if it is missing."""
    if not isinstance(path, str):
        return None
    try:
        return stored_photo(Path(path), sample)
    except (SneakerError, OSError):
        return None


def _draw_similar(loaded: LoadedEvaluation, row: dict[str, Any]) -> None:
    """The most similar training photos of the predicted and of the true class."""
    st.markdown(
        "**Most similar training photos**",
        help="By the cosine similarity of their embeddings; 100% is identical. They show what the model may have "
        "learned its answer from, and reveal wrong labels.",
    )
    known = evaluation_metrics_cache.evaluation_neighbors(loaded.key, loaded.evaluation)
    embeddings = None if loaded.evaluation.folder is None else read_embeddings(loaded.evaluation)
    if known is None or embeddings is None or not 0 <= int(row["embedding_row"]) < len(embeddings):
        st.caption(
            "This evaluation was saved without training photos. To see them, evaluate again with “Find similar "
            "training photos” switched on."
        )
        return
    labels = dict.fromkeys((str(row["predicted"]), str(row["label"])))
    with st.grid(len(labels), min_column_width=330) as grid:
        for label in labels:
            similar = nearest(embeddings[int(row["embedding_row"])], known, label, _SIMILAR, exclude=row["sample"])
            with grid.cell():
                st.markdown(f":small[Labeled **{escape_markdown(truncate(label))}**]")
                _draw_similar_row(loaded, similar, label)


def _draw_similar_row(loaded: LoadedEvaluation, similar: pd.DataFrame, label: str) -> None:
    if similar.empty:
        st.caption("No training photo of this class is known.")
        return
    with st.container(horizontal=True, gap="small"):
        for photo in similar.to_dict("records"):
            with st.container(width=_SIMILAR_WIDTH, gap="xxsmall"):
                try:
                    picture = read_thumbnail(loaded, photo["sample"], photo["path"])
                    st.image(picture, width=_SIMILAR_WIDTH, alt=f"Training photo of {truncate(label)}")
                except (SneakerError, OSError):
                    st.caption(f":material/image_not_supported: {missing_photo_text(photo['path'])}")
                st.caption(f"{percent(max(photo['similarity'], 0.0))} similar")


def _draw_facts(row: dict[str, Any]) -> None:
    predictions = ", ".join(
        f"{escape_markdown(truncate(str(name)))} {probability_text(float(row[f'{PROBABILITY_PREFIX}{name}']))}"
        for name in row["top"]
    )
    facts = [("Top predictions", predictions)]
    if properties_text(row):
        facts.append(("Photo", properties_text(row)))
    if isinstance(row["path"], str):
        facts.append(("File", escape_markdown(Path(row["path"]).name)))
    st.markdown("  \n".join(f":gray[{name}] {text}" for name, text in facts))
