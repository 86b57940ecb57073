"""Scripts that run in the browser, for the few things that Streamlit has no element for."""

import streamlit as st

from ui.kit.state_keys import KitKey


def draw_script(name: str, code: str) -> None:
    """Run a script in the page, once for each text that it has.

    Parameters
    ----------
    name : str
        Tells it from other scripts of the page.
    code : str
        JavaScript without "<", which could end the script. Text from outside must be in it as JSON of what `urlencode`
        returns, or as a number.
    """
    key = KitKey.SCRIPT.of(name)
    # Otherwise the empty element would take up space.
    st.html(f"<style>div:has(> .st-key-{key}) {{display: none;}}</style>")
    with st.container(key=key):
        st.html(f"<script>(() => {{ {code} }})();</script>", unsafe_allow_javascript=True)
