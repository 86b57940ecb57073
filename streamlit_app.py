"""The app: its title and icon, and the navigation between its pages."""

from pathlib import Path

import streamlit as st

from ui.kit.page_links import Page, page_icon
from ui.sign_in.sign_in_page import require_sign_in, sign_out_pages
from ui.story.story_view import draw_story, is_told

UI = Path(__file__).with_name("ui")
# Streamlit writes a selected choice and the value of a slider in the accent color, which is too dark in the dark theme.
TEXT_COLOR = (
    "<style>button[data-variant][data-selected=true], [data-testid=stSliderThumbValue]"
    " {color: inherit !important;}</style>"
)

st.set_page_config(
    page_title="SoleScope: what are those?",
    page_icon=str(UI / "icon.svg"),
    layout="wide",
    menu_items={
        "Get help": None,
        "Report a bug": None,
        "About": "**SoleScope** recognizes the sneaker in a photo, and shows how confident the model is and why.",
    },
)
st.logo(str(UI / "logo.svg"), size="large")
st.html(TEXT_COLOR)

require_sign_in()
pages = [
    st.Page(page.value, title=page.path.capitalize(), icon=page_icon(page), default=page is Page.IDENTIFY)
    for page in Page
]
page = st.navigation([*pages, *sign_out_pages()], position="top")
if page.url_path == "" and is_told():
    draw_story()
else:
    page.run()
