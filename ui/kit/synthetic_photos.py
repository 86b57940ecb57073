"""Synthetic photos: examples to look at, and jobs that generate them."""

import numpy as np
import streamlit as st

from sneaker_core.datasets.dataset_collection import create_dataset
from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.synthetic.rendering import draw_photo
from sneaker_core.datasets.synthetic.sample_plan import CLASSES
from sneaker_core.errors import SneakerError
from sneaker_core.workspace.paths import workspace
from ui.kit.dataset_work import start_work
from ui.kit.photo_previews import jpeg_bytes
from ui.kit.text import escape_markdown

PER_CLASS = 60
_NAME = "drawn"
_SMALL = (256, 192)


def draw_examples(number: int = 6) -> None:
    """Draw a row of synthetic photos."""
    with st.grid(number, min_column_width=88, gap="small"):
        for seed, label in enumerate(CLASSES[:: max(len(CLASSES) // number, 1)][:number]):
            st.image(synthetic_photo(label, seed, _SMALL), width="stretch", alt=f"Synthetic photo: {label}")


@st.cache_data(max_entries=150, show_spinner=False)
def synthetic_photo(label: str, seed: int, size: tuple[int, int] = (480, 360)) -> bytes:
    """A JPEG of one of the synthetic classes; the same seed gives the same picture."""
    return jpeg_bytes(draw_photo(label, np.random.default_rng(seed), size))


def start_synthetic(dataset: Dataset, per_class: int = PER_CLASS, seed: int = 0) -> None:
    """Start a job that adds synthetic photos to a dataset.

    Parameters
    ----------
    dataset : Dataset
    per_class : int
        Photos in the largest class.
    seed : int
    """
    start_work(dataset, "dataset_demo", {"per_class": per_class, "seed": seed}, title="Generating synthetic photos")


def create_synthetic_dataset() -> Dataset | None:
    """Create a dataset and start the job that fills it with synthetic photos; None, after a toast, if that failed."""
    try:
        dataset = create_dataset(workspace(), _NAME)
    except SneakerError as error:
        st.toast(escape_markdown(str(error)), icon=":material/error:", duration="long")
        return None
    start_synthetic(dataset)
    return dataset
