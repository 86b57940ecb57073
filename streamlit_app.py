"""The app's door: its name, its look in the browser's tab and its pages. All else is in pages/."""

from pathlib import Path

import streamlit as st

UI = Path(__file__).with_name("ui")

st.set_page_config(
    page_title="SoleScope: what are those?",
    page_icon=str(UI / "icon.svg"),
    layout="wide",
    menu_items={
        "Get help": None,
        "Report a bug": None,
        "About": "**SoleScope** says which sneaker is on a photo, how sure it is, and why.",
    },
)
st.logo(str(UI / "logo.svg"), size="large")

page = st.navigation(
    [
        st.Page("pages/identify.py", title="Identify", icon=":material/search:", default=True),
        st.Page("pages/datasets.py", title="Datasets", icon=":material/photo_library:"),
        st.Page("pages/train.py", title="Train", icon=":material/model_training:"),
        st.Page("pages/runs.py", title="Runs", icon=":material/leaderboard:"),
        st.Page("pages/evaluate.py", title="Evaluate", icon=":material/grid_on:"),
        st.Page("pages/explain.py", title="Explain", icon=":material/center_focus_strong:"),
    ],
    position="top",
)
page.run()
