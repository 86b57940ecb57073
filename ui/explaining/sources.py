"""Which photo to explain: one of a dataset, a mistake of an evaluation, or an upload."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.datasets.index import Dataset, open_index
from sneaker_core.datasets.library import list_datasets
from sneaker_core.datasets.thumbnails import ensure_thumbnail
from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.library import Evaluation, list_evaluations
from sneaker_core.evaluation.table import misclassified
from sneaker_core.networks.library import ModelEntry
from sneaker_core.paths import workspace
from ui import caches
from ui.datasets.chooser import by_name
from ui.datasets.tiles import cut
from ui.datasets.words import counted_photos
from ui.explaining.address import notice, use_model_of
from ui.explaining.parts import Source
from ui.photos import Photo, gathered, stored_photo, upload_cap
from ui.state import Key
from ui.text import natural_order, percent, plain, shortened

ALL_CLASSES = ""
_A_PAGE = 12
_COLUMNS, _NARROWEST = 6, 130
_ICONS = {
    Source.DATASET: ":material/photo_library:",
    Source.EVALUATION: ":material/rule:",
    Source.UPLOAD: ":material/upload:",
}
# Photos of all shapes in tiles of one shape.
_STYLE = """<style>
[class*="st-key-explain_tile"] img {aspect-ratio: 4 / 3; object-fit: contain; background: rgba(143, 147, 163, 0.12);}
[class*="st-key-explain_tile"] button {padding-left: 0; padding-right: 0; min-height: 2rem;}
</style>"""


@dataclass(frozen=True)
class Looked:
    """The photo that is looked at.

    Attributes
    ----------
    photo : Photo
    label : str or None
        The class that it is filed under, where somebody said so.
    query : dict of str to str
        What leads to it in an address; empty for an upload, which no address can name.
    """

    photo: Photo
    label: str | None = None
    query: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Shelf:
    """Photos to choose from.

    Attributes
    ----------
    home : str
        Tells the photos of one dataset or evaluation from all others.
    name : str
        For people.
    photos : DataFrame
        Columns sample, path, label; all that may be shown.
    offered : DataFrame
        Those of them to choose among.
    note : callable
        Markdown under a photo, from its row.
    small : callable
        A small JPEG, from its row.
    query : dict of str to str
    """

    home: str
    name: str
    photos: pd.DataFrame
    offered: pd.DataFrame
    note: Callable[[pd.Series], str]
    small: Callable[[pd.Series], bytes]
    query: dict[str, str]


def choose_photo(models: Sequence[ModelEntry]) -> Looked | None:
    """Have a photo chosen; None while none is.

    Parameters
    ----------
    models : sequence of ModelEntry
        Those there are: with an evaluation comes the model that was measured.
    """
    choices = list(Source)
    if st.session_state.get(Key.EXPLAIN_SOURCE) not in choices:
        there = bool(list_datasets(workspace())) and Key.EXPLAIN_HANDED not in st.session_state
        st.session_state[Key.EXPLAIN_SOURCE] = Source.DATASET if there else Source.UPLOAD
    source = st.segmented_control(
        "Photo from",
        choices,
        required=True,
        format_func=lambda choice: f"{_ICONS[choice]} {choice.value}",
        key=Key.EXPLAIN_SOURCE,
        wrap=True,
        persist_state="session",
    )
    if source == Source.UPLOAD:
        return _uploaded()
    shelf = _dataset_shelf() if source == Source.DATASET else _evaluation_shelf(models)
    return None if shelf is None else _take(shelf)


def _uploaded() -> Looked | None:
    upload = st.file_uploader(
        "A photo of a sneaker",
        key=Key.EXPLAIN_UPLOAD,
        max_upload_size=upload_cap(),
        help="Any photo; it is looked at and not kept.",
    )
    if upload is not None:
        return Looked(gathered([upload], None)[0])
    handed: Photo | None = st.session_state.get(Key.EXPLAIN_HANDED)
    if handed is None:
        st.caption("Drop a photo here, or take one from a dataset, to see what the network looks at.")
        return None
    st.caption(f"On show is {plain(shortened(handed.name))}, from the page Identify.")
    return Looked(handed)


def choose_dataset() -> Dataset | None:
    """The dataset whose photos are offered; None where there is none, which is said."""
    entries = by_name(list_datasets(workspace()))
    _sanitise(
        Key.EXPLAIN_DATASET, {name: (name, entry.name, entry.folder.name) for name, entry in entries.items()}, "dataset"
    )
    if not entries:
        st.info("There is no dataset yet. Upload a photo here, or make a dataset first.", icon=":material/inbox:")
        st.page_link("pages/datasets.py", label="Make a dataset", icon=":material/photo_library:")
        return None
    name = st.selectbox("Dataset", list(entries), key=Key.EXPLAIN_DATASET, persist_state="session", width=320)
    return open_index(entries[str(name)].folder)


def _dataset_shelf() -> _Shelf | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        dataset = choose_dataset()
        if dataset is None:
            return None
        key = caches.review_key(dataset)
        photos = caches.reviewed_photos(key)
        offered = photos[~photos["excluded"]]
        label = choose_class(sorted(set(offered["label"]), key=natural_order), "All classes")
    name = str(st.session_state[Key.EXPLAIN_DATASET])
    return _Shelf(
        f"dataset/{name}",
        dataset.name,
        photos,
        offered if label == ALL_CLASSES else offered[offered["label"] == label],
        lambda row: plain(cut(row["label"])),
        lambda row: ensure_thumbnail(dataset, row["sample"], Path(row["path"])).read_bytes(),
        {"dataset": name},
    )


def choose_class(labels: Sequence[str], every: str | None = None) -> str:
    """One of the classes, or `ALL_CLASSES` where `every` names that choice."""
    choices = [*([ALL_CLASSES] if every else []), *labels]
    if st.session_state.get(Key.EXPLAIN_CLASS) not in choices:
        st.session_state.pop(Key.EXPLAIN_CLASS, None)
    label = st.selectbox(
        "Class",
        choices,
        format_func=lambda label: str(label) or str(every),
        key=Key.EXPLAIN_CLASS,
        persist_state="session",
        width=320,
    )
    return str(label or ALL_CLASSES)


def choose_evaluation(models: Sequence[ModelEntry]) -> Evaluation | None:
    """The evaluation whose photos are offered; None where there is none, which is said.

    Parameters
    ----------
    models : sequence of ModelEntry
        As in `choose_photo`.
    """

    def changed() -> None:
        use_model_of(there[str(st.session_state[Key.EXPLAIN_EVALUATION])], models)

    # Those of stored evaluations, models and runs may have one name.
    there = {f"{one.kind.value}/{one.name}": one for one in list_evaluations(workspace()) if one.is_ready}
    _sanitise(Key.EXPLAIN_EVALUATION, {key: (key, f"/{one.name}") for key, one in there.items()}, "evaluation")
    if not there:
        st.info("There is no evaluation yet: measure a model, then its mistakes are here.", icon=":material/rule:")
        return None
    chosen = st.selectbox(
        "Evaluation",
        list(there),
        format_func=lambda key: _evaluation_words(there[key]) if key in there else str(key),
        key=Key.EXPLAIN_EVALUATION,
        on_change=changed,
        persist_state="session",
        width=420,
    )
    return there[str(chosen)]


def _sanitise(key: Key, names: Mapping[str, Sequence[str]], kind: str) -> None:
    """A choice that is gone is dropped, and that is said; one by another name is taken for what it means.

    Parameters
    ----------
    key : Key
        Of the choice.
    names : mapping
        Each choice there is -> the names that it goes by.
    kind : str
        For people.
    """
    wanted = st.session_state.get(key)
    if wanted is None or wanted in names:
        return
    meant = next((choice for choice, known in names.items() if wanted in known), None)
    if meant is not None:
        st.session_state[key] = meant
        return
    notice(f"There is no {kind} {plain(shortened(str(wanted).rpartition('/')[2]))} here (any more).")
    st.session_state.pop(key)
    st.session_state.pop(Key.EXPLAIN_SAMPLE, None)


def _evaluation_words(one: Evaluation) -> str:
    kind = {"bundled": " (comes with the model)", "run": " (test photos of the run)"}.get(one.kind.value, "")
    return f"{one.name}{kind}"


def evaluated_photos(evaluation: Evaluation) -> tuple[caches.EvaluationKey, pd.DataFrame]:
    """Its prediction table; only the photos that are on this machine have a path.

    Raises
    ------
    SneakerError
        It is missing or damaged.
    """
    key = caches.evaluation_key(evaluation, list_datasets(workspace()))
    return key, caches.evaluation_table(key, evaluation)


NOT_HERE = (
    "The photos of this evaluation are not on this machine: some may not be passed on with a model. Evaluate the model "
    "on a dataset of yours, and its mistakes can be looked at here."
)


def _evaluation_shelf(models: Sequence[ModelEntry]) -> _Shelf | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        evaluation = choose_evaluation(models)
        if evaluation is None:
            return None
        _, table = evaluated_photos(evaluation)
        here = table[table["path"].notna()]
        if here.empty:
            st.info(NOT_HERE, icon=":material/hide_image:")
            return None
        wrong = misclassified(here)
        label = choose_class(sorted(set(wrong["label"]), key=natural_order), "All classes")
    return _Shelf(
        f"evaluation/{st.session_state[Key.EXPLAIN_EVALUATION]}",
        evaluation.name,
        here,
        wrong if label == ALL_CLASSES else wrong[wrong["label"] == label],
        _mistake,
        lambda row: caches.small_photo(row["path"]),
        {"evaluation": evaluation.name, "kind": evaluation.kind.value},
    )


def _mistake(row: pd.Series) -> str:
    """What was said of a photo, in markdown."""
    sure = percent(float(row["probability"]))
    if row["label"] == row["predicted"]:
        return f"{plain(cut(row['label']))}, answered right ({sure})"
    return f"{plain(cut(row['label']))}, taken for {plain(cut(row['predicted']))} ({sure})"


def _take(shelf: _Shelf) -> Looked | None:
    """The photo that was chosen from a shelf; the shelf itself until one is."""
    home, sample = st.session_state.get(Key.EXPLAIN_SAMPLE, (None, ""))
    if home == "":
        home = shelf.home
        st.session_state[Key.EXPLAIN_SAMPLE] = (home, sample)
    found = shelf.photos[shelf.photos["sample"] == sample] if home == shelf.home else shelf.photos.iloc[:0]
    if home == shelf.home and found.empty:
        notice(f"The photo that was asked for is not in {plain(shortened(shelf.name))} (any more). Choose another one.")
    if found.empty or st.session_state.get(Key.EXPLAIN_CHOOSING):
        _draw_shelf(shelf)
        return None
    row = found.iloc[0]
    _draw_steps(shelf, row)
    photo = stored_photo(Path(row["path"]), _name(row))
    return Looked(photo, str(row["label"]), {**shelf.query, "sample": str(row["sample"])})


def _name(row: pd.Series) -> str:
    return str(row["name"]) if "name" in row else Path(row["path"]).name


def _choose(home: str, sample: str) -> None:
    st.session_state[Key.EXPLAIN_SAMPLE] = (home, sample)
    st.session_state[Key.EXPLAIN_CHOOSING] = False


def _draw_steps(shelf: _Shelf, row: pd.Series) -> None:
    """The photo's name, those before and after it, and the way back to all."""
    order = list(shelf.offered["sample"])
    place = order.index(row["sample"]) if row["sample"] in order else None
    with st.container(horizontal=True, vertical_alignment="center"):
        for name, icon, step in (("Previous", "chevron_left", -1), ("Next", "chevron_right", 1)):
            to = -1 if place is None else place + step
            st.button(
                name,
                key=Key.EXPLAIN_STEP.of(name),
                icon=f":material/{icon}:",
                disabled=not 0 <= to < len(order),
                on_click=_choose,
                args=(shelf.home, order[to] if 0 <= to < len(order) else row["sample"]),
            )
        st.button(
            "Choose another",
            key=Key.EXPLAIN_STEP.of("choose"),
            icon=":material/grid_view:",
            on_click=partial(st.session_state.__setitem__, Key.EXPLAIN_CHOOSING, True),
        )
        of = f" · {place + 1:,} of {len(order):,}" if place is not None else ""
        st.caption(f"{plain(cut(_name(row)))}{of}", width="content")


def _draw_shelf(shelf: _Shelf) -> None:
    if shelf.offered.empty:
        st.caption("There is no such photo here.")
        return
    pages = math.ceil(len(shelf.offered) / _A_PAGE)
    key = Key.EXPLAIN_PAGE.of(f"{shelf.home}-{st.session_state.get(Key.EXPLAIN_CLASS)}")
    if int(st.session_state.get(key, 1)) > pages:
        del st.session_state[key]
    page = int(st.session_state.get(key, 1))
    st.caption(f"{counted_photos(len(shelf.offered))} to choose from")
    st.html(_STYLE)
    with st.grid(_COLUMNS, min_column_width=_NARROWEST, gap="small", key=Key.EXPLAIN_TILE.of("grid")):
        for _, row in shelf.offered.iloc[(page - 1) * _A_PAGE : page * _A_PAGE].iterrows():
            with st.container(border=True, height="stretch", gap="xsmall"):
                _draw_tile(shelf, row)
    if pages > 1:
        with st.container(horizontal_alignment="center"):
            st.pagination(pages, key=key, persist_state="session")


def _draw_tile(shelf: _Shelf, row: pd.Series) -> None:
    try:
        small = shelf.small(row)
    except (SneakerError, OSError):
        st.caption(":material/broken_image: The file of this photo has gone.")
        return
    st.image(small, width="stretch", alt=f"{cut(row['label'])}: {cut(_name(row))}")
    st.markdown(shelf.note(row))
    st.space("stretch")
    st.button(
        "Explain",
        key=Key.EXPLAIN_TILE.of(str(row["sample"])),
        icon=":material/center_focus_strong:",
        type="tertiary",
        on_click=_choose,
        args=(shelf.home, row["sample"]),
    )
