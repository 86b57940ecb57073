"""The identity providers in Streamlit's secrets: ``[auth]`` for one, ``[auth.NAME]`` for several."""

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

# Streamlit's name for the provider whose values are in [auth] itself.
DEFAULT = "default"


def provider_names() -> list[str]:
    """The configured providers by name; none if everybody may use the app."""
    try:
        auth = st.secrets.get("auth", {})
    except StreamlitSecretNotFoundError:
        return []
    named = [name for name, value in auth.items() if hasattr(value, "get") and "client_id" in value]
    return [*([DEFAULT] if "client_id" in auth else []), *named]
