"""What `make app` serves: the pages and the JSON API in one process."""

from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from sneaker_core.api import routes
from sneaker_core.workspace.paths import workspace

# A folder named pages once meant something else to Streamlit: without this, the first visitor who comes by a deep link
# gets the bare file of that page, without streamlit_app.py around it.
PagesManager.uses_pages_directory = False

app = st.App(str(Path(__file__).with_name("streamlit_app.py")), routes=routes(workspace()))
