"""The identity providers in Streamlit's secrets: ``[auth]`` for one, ``[auth.NAME]`` for several."""

import os

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from sneaker_core.errors import SneakerError

# Streamlit's name for the provider whose values are in [auth] itself.
DEFAULT = "default"
_NOBODY = "Until that is mended, nobody can use this SoleScope."
# Filled once providers were found: from then on, secrets that are gone don't open the app to everybody.
_found: list[str] = []


def provider_names() -> list[str]:
    """The configured providers by name; none if everybody may use the app.

    Raises
    ------
    SneakerError
        There are secrets, but they can't be read, or name no provider: whether people must sign in isn't known.
    """
    try:
        secrets = st.secrets.to_dict()
    except (StreamlitSecretNotFoundError, OSError, UnicodeError) as error:
        if _found or any(os.path.lexists(path) for path in st.get_option("secrets.files")):
            reason = str(error).rstrip(".")
            raise SneakerError(f"The secrets that say who may sign in can't be read: {reason}. {_NOBODY}") from error
        return []
    if "auth" not in secrets and not _found:
        return []
    auth = secrets.get("auth")
    values = auth if isinstance(auth, dict) else {}
    named = [name for name, value in values.items() if isinstance(value, dict) and value.get("client_id")]
    names = [*([DEFAULT] if values.get("client_id") else []), *named]
    if not names:
        raise SneakerError(f"The secrets have no client_id in [auth], or in [auth.NAME]. {_NOBODY}")
    _found[:] = names
    return names
