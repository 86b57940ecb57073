"""What `make app` serves: the pages and the JSON API in one process."""

from pathlib import Path

import streamlit as st

from sneaker_core.api import routes
from sneaker_core.paths import workspace

app = st.App(str(Path(__file__).with_name("streamlit_app.py")), routes=routes(workspace()))
