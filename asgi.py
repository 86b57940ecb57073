"""The ASGI app that `make app` serves: the pages and the JSON API in one process."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from sneaker_core.api import HangUps, routes
from sneaker_core.workspace.paths import workspace

# Streamlit used to treat a folder named pages as a multipage app. Without this line, the first visit to a deep link
# runs the page's file alone, without streamlit_app.py.
PagesManager.uses_pages_directory = False

app = st.App(
    str(Path(__file__).with_name("streamlit_app.py")), routes=routes(workspace()), middleware=[Middleware(HangUps)]
)
