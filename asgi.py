"""The ASGI app that `make app` serves: the pages and the JSON API in one process."""

import sys
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from sneaker_core.api.api_routes import routes
from sneaker_core.api.cross_origin import cross_origin
from sneaker_core.api.hang_ups import HangUps
from sneaker_core.errors import SneakerError
from sneaker_core.phone.access import access_middleware
from sneaker_core.phone.page_route import page_routes
from sneaker_core.settings import AccessSettings, ApiSettings
from sneaker_core.workspace.paths import workspace
from ui.sign_in.providers import provider_names
from ui.sign_in.signed_in_only import SignedInOnly

# Streamlit used to treat a folder named pages as a multipage app. Without this line, the first visit to a deep link
# runs the page's file alone, without streamlit_app.py.
PagesManager.uses_pages_directory = False

PROJECT = Path(__file__).parent
try:
    access, api = AccessSettings.from_environment(), ApiSettings.from_environment()
    api_routes = routes(workspace(), api)
    provider_names()  # says at once if people can't sign in
except SneakerError as error:
    sys.exit(f"Error: {error}")
checks = access_middleware(access, lambda: (PROJECT / "ui" / "login.html").read_text(encoding="utf-8"))
page = page_routes(workspace, lambda: (PROJECT / "ui" / "phone_page.html").read_text(encoding="utf-8"))
app = st.App(
    str(PROJECT / "streamlit_app.py"),
    routes=[*api_routes, *page],
    middleware=[Middleware(HangUps), *cross_origin(api.origins), *checks, Middleware(SignedInOnly)],
)
