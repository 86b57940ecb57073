"""Ways for photos to get into a dataset, and what could not come in."""

import uuid
from pathlib import Path

import pandas as pd
import streamlit as st
from streamlit.typing import UploadedFile

from sneaker_core.csv_cells import escape_formula
from sneaker_core.datasets.collect.collector import MOST_PER_CLASS, CollectPlan
from sneaker_core.datasets.collect.search_queries import (
    DEFAULT_EXCLUDED,
    DEFAULT_TEMPLATES,
    read_names,
    read_skus,
)
from sneaker_core.datasets.dataset_jobs import import_params
from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.synthetic.sample_plan import CLASSES, FEWEST_PER_CLASS
from sneaker_core.datasets.synthetic.sample_plan import MOST_PER_CLASS as MOST_DRAWN
from sneaker_core.errors import SneakerError
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.paths import workspace
from ui.datasets import dataset_details_cache
from ui.datasets.dataset_dialogs import close_dialog
from ui.datasets.datasets_keys import Key
from ui.kit import dataset_cache
from ui.kit.dataset_work import UPLOADS, is_busy, start_work
from ui.kit.quantities import counted_classes
from ui.kit.text import counted, plain

_ZIP, _FOLDER, _WEB, _DRAWN = "Zip file", "Folder", "From the web", "Drawn example"
_MOST_MEGABYTES = 2000
_LAYOUTS = (
    ("One folder a class", "`Air Jordan 1/photo.jpg`"),
    ("A split that came with the photos", "`train/Air Jordan 1/photo.jpg`, and `val`, `test` beside it; it is kept"),
    ("Folders named by SKU", "`555088-101/photo.jpg`, with a CSV of `sku,name` beside the folders"),
    ("All photos in one folder", "`photo.jpg`, with a CSV of `file,label` beside the photos"),
)


@st.dialog("Add photos", width="medium", on_dismiss=close_dialog)
def open_arrivals(dataset: Dataset) -> None:
    """Offer every way in."""
    draw_arrivals(dataset)


def draw_arrivals(dataset: Dataset) -> None:
    """Offer every way in, one at a time."""
    if is_busy(dataset):
        st.info("Something is at work in this dataset. Wait until it has ended, or stop it; then add photos.")
        return
    way = st.segmented_control(
        "Where are the photos?",
        [_ZIP, _FOLDER, _WEB, _DRAWN],
        default=_ZIP,
        required=True,
        wrap=True,
        key=Key.ARRIVAL_WAY,
    )
    draw = {_ZIP: _draw_zip, _FOLDER: _draw_folder, _WEB: _draw_web, _DRAWN: _draw_drawn}
    draw[way or _ZIP](dataset)


def _leave() -> None:
    close_dialog()
    st.rerun()


def _draw_layouts() -> None:
    st.markdown("I understand these layouts; files that are there already are not taken twice:")
    st.markdown("\n".join(f"- **{title}**: {example}" for title, example in _LAYOUTS))


def _draw_zip(dataset: Dataset) -> None:
    upload = st.file_uploader(
        "A zip file of photos",
        # The server refuses more than it is set to, whatever the page allows.
        max_upload_size=min(_MOST_MEGABYTES, int(st.get_option("server.maxUploadSize"))),
        key=Key.ARRIVAL_ZIP,
        help="A larger one can be brought in under “Folder”, from the computer that SoleScope runs on.",
    )
    if st.button(
        "Bring them in", type="primary", key=Key.ARRIVAL_START.of("zip"), disabled=upload is None
    ) and isinstance(upload, UploadedFile):
        with st.spinner("Putting the file where the work finds it…"):
            path = dataset.folder / UPLOADS / f"{uuid.uuid4().hex}.zip"
            try:
                write_atomically(path, upload.getvalue())
            except OSError as error:
                st.error(f"The file could not be kept: {plain(error.strerror or 'the disk said no')}.")
                return
        params = import_params(workspace(), path, upload.name)
        start_work(dataset, "dataset_import", params, title=f"Importing {upload.name}")
        _leave()
    _draw_layouts()


def _draw_folder(dataset: Dataset) -> None:
    text = st.text_input(
        "A folder or zip file on the computer that SoleScope runs on",
        key=Key.ARRIVAL_FOLDER,
        placeholder="/home/me/sneakers",
        help="The photos are copied; the folder stays as it is.",
    )
    if st.button("Bring them in", type="primary", key=Key.ARRIVAL_START.of("folder")):
        path = Path((text or "").strip()).expanduser()
        if not _there(path):
            st.error("There is no such folder or file on the computer that SoleScope runs on. Write its full path.")
            return
        params = import_params(workspace(), path.resolve())
        start_work(dataset, "dataset_import", params, title=f"Importing {path.name}")
        _leave()
    _draw_layouts()


def _there(path: Path) -> bool:
    try:
        return path.is_absolute() and path.exists()
    except (OSError, ValueError):
        return False


def _draw_web(dataset: Dataset) -> None:
    st.markdown(
        "I search the web with Bing for each class, take what is a sound photo and no copy, and note where it came "
        "from. Check the licence of photos before you pass them on."
    )
    names = st.text_area(
        "Classes, one a line", key=Key.COLLECT_NAMES, placeholder="Air Jordan 1\nAdidas Samba", height=120
    )
    listed = st.file_uploader(
        "Or a list of SKUs",
        max_upload_size=1,
        key=Key.COLLECT_LIST,
        help="A text file with one SKU a line, or a CSV of sku,name. A SKU is the maker's number of a model.",
    )
    wanted = st.number_input("Photos for each class", 1, MOST_PER_CLASS, 100, key=Key.COLLECT_PER_CLASS, width=200)
    with st.expander("Search words"):
        templates = st.text_area(
            "Searches, one a line; {model} stands for the class",
            "\n".join(DEFAULT_TEMPLATES),
            key=Key.COLLECT_TEMPLATES,
        )
        without = st.text_area(
            "Leave out results with these words, one a line", "\n".join(DEFAULT_EXCLUDED), key=Key.COLLECT_WITHOUT
        )
    if not st.button("Collect", type="primary", key=Key.ARRIVAL_START.of("web"), icon=":material/travel_explore:"):
        return
    skus = listed.getvalue() if isinstance(listed, UploadedFile) else b""
    try:
        plan = CollectPlan(
            (*read_names((names or "").splitlines()), *(read_skus(skus) if skus else ())),
            int(wanted or 0),
            tuple((templates or "").splitlines()),
            tuple((without or "").splitlines()),
        )
    except SneakerError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    title = f"Collecting photos of {counted_classes(len(plan.classes))}"
    start_work(dataset, "dataset_collect", plan.to_dict(), title=title)
    _leave()


def _draw_drawn(dataset: Dataset) -> None:
    st.markdown(
        f"I draw photos of {len(CLASSES)} made-up sneakers, in seconds and without a network, with flaws planted among "
        "them: copies, wrong labels, blurred and dark photos. Good for a first look at everything here."
    )
    draw_examples()
    with st.container(horizontal=True):
        count = st.number_input(
            "Photos of the largest class",
            FEWEST_PER_CLASS,
            MOST_DRAWN,
            60,
            key=Key.ARRIVAL_PER_CLASS,
            width=220,
        )
        seed = st.number_input(
            "Seed", 0, 10_000, 0, key=Key.ARRIVAL_SEED, width=160, help="Another number gives other photos."
        )
    if st.button("Draw them", type="primary", key=Key.ARRIVAL_START.of("drawn"), icon=":material/brush:"):
        start_drawing(dataset, int(count or FEWEST_PER_CLASS), int(seed or 0))
        _leave()


def start_drawing(dataset: Dataset, per_class: int = 60, seed: int = 0) -> None:
    """Have the drawn photos made in the background."""
    start_work(dataset, "dataset_demo", {"per_class": per_class, "seed": seed}, title="Drawing sneakers")


def draw_examples(number: int = 6) -> None:
    """A strip of drawn sneakers."""
    with st.grid(number, min_column_width=88, gap="small"):
        for seed, label in enumerate(CLASSES[:: max(len(CLASSES) // number, 1)][:number]):
            st.image(
                dataset_details_cache.synthetic_example(label, seed), width="stretch", alt=f"A drawn sneaker, {label}"
            )


def draw_rejects(dataset: Dataset) -> None:
    """Files that did not come in, with the reasons, behind a switch."""
    rejects = dataset_details_cache.dataset_rejects(dataset_cache.review_key(dataset))
    if rejects.empty:
        return
    reasons = rejects["reason"].nunique()
    with st.container(border=True):
        st.markdown(f":material/broken_image: **{counted(len(rejects), 'file')} did not come in**")
        st.caption(f"For {'one reason' if reasons == 1 else f'{reasons} reasons'}; the originals are untouched.")
        if not st.toggle("Show them", key=Key.REJECTS, persist_state="session"):
            return
        table = rejects[["name", "reason", "source"]]
        st.dataframe(
            table,
            hide_index=True,
            column_config={"name": "File", "reason": "Why", "source": "Came with"},
            alt="Files that did not come in, each with the reason",
        )
        st.download_button(
            "Save as table (CSV)",
            lambda: safe_csv(table),
            "files-that-did-not-come-in.csv",
            "text/csv",
            key=Key.REJECTS_CSV,
            on_click="ignore",
            icon=":material/table:",
        )


def safe_csv(table: pd.DataFrame) -> bytes:
    """A table of texts as CSV in UTF-8, safe to open in a spreadsheet."""
    return table.map(lambda cell: escape_formula(str(cell))).to_csv(index=False).encode()
