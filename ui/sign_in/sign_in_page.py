"""The page that asks people to sign in, before they see anything else."""

import streamlit as st

from sneaker_core.errors import SneakerError
from ui.kit.text import escape_markdown
from ui.sign_in.providers import provider_names

SIGN_IN, SIGN_OUT = "Sign in", "Sign out"
_WIDTH = 360


def require_sign_in() -> None:
    """If a provider is configured and this visitor has not signed in, ask for it, and draw nothing else."""
    try:
        names = provider_names()
    except SneakerError as error:
        st.error(escape_markdown(str(error)), icon=":material/lock:")
        st.stop()
    if not names or st.user.is_logged_in:
        return
    with st.container(horizontal_alignment="center"), st.container(width=_WIDTH):
        st.space("large")
        st.title("Sign in to SoleScope", anchor=False)
        st.caption("This SoleScope is for people with an account.")
        for name in names:
            label = SIGN_IN if len(names) == 1 else f"{SIGN_IN} with {name.capitalize()}"
            key = f"sign_in_{name}"
            st.button(label, type="primary", key=key, on_click=st.login, args=(name,), width="stretch")
    st.stop()


def sign_out_pages() -> list[st.Page]:
    """An entry of the navigation that signs out; none for visitors who have not signed in."""
    if not provider_names():
        return []
    return [st.Page(st.logout, title=SIGN_OUT, icon=":material/logout:", url_path="sign_out")]
