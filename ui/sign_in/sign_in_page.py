"""The page that asks people to sign in, before they see anything else."""

import streamlit as st

from ui.sign_in.providers import provider_names

SIGN_IN, SIGN_OUT = "Sign in", "Sign out"


def require_sign_in() -> None:
    """If a provider is configured and this visitor has not signed in, ask for it, and draw nothing else."""
    names = provider_names()
    if not names or st.user.is_logged_in:
        return
    st.title("Sign in to SoleScope")
    st.caption("This SoleScope is for people with an account.")
    for name in names:
        label = SIGN_IN if len(names) == 1 else f"{SIGN_IN} with {name.capitalize()}"
        st.button(label, type="primary", key=f"sign_in_{name}", on_click=st.login, args=(name,))
    st.stop()


def sign_out_pages() -> list[st.Page]:
    """An entry of the navigation that signs out; none for visitors who have not signed in."""
    if not provider_names():
        return []
    return [st.Page(st.logout, title=SIGN_OUT, icon=":material/logout:", url_path="sign_out")]
