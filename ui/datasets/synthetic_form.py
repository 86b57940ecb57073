"""The form that adds synthetic photos."""

import streamlit as st

from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.synthetic.sample_plan import CLASSES, FEWEST_PER_CLASS, MOST_PER_CLASS
from ui.datasets.datasets_keys import Key
from ui.kit.changes import change_button
from ui.kit.synthetic_photos import PER_CLASS, draw_examples, start_synthetic


def draw_synthetic_form(dataset: Dataset) -> bool:
    """Draw the form; return whether it has started a job."""
    st.markdown(
        f"Generates photos of {len(CLASSES)} imaginary sneakers in seconds, without a network. Some have typical "
        "problems: near-duplicates, wrong labels, blurry and dark photos. Good for trying out everything here."
    )
    draw_examples()
    with st.container(horizontal=True):
        count = st.number_input(
            "Photos in the largest class",
            FEWEST_PER_CLASS,
            MOST_PER_CLASS,
            PER_CLASS,
            key=Key.SYNTHETIC_PER_CLASS,
            width=220,
        )
        seed = st.number_input(
            "Seed", 0, 10_000, 0, key=Key.SYNTHETIC_SEED, width=160, help="Another seed gives other photos."
        )
    if not change_button("Generate photos", type="primary", key=Key.ADD_START.of("synthetic"), icon=":material/brush:"):
        return False
    start_synthetic(dataset, int(count or FEWEST_PER_CLASS), int(seed or 0))
    return True
