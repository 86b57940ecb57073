"""Addresses of the Explain page: what of it, asked how."""

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

PAGE = "pages/explain.py"
# What an address may name; the page itself writes all of them, so that it can be reloaded and passed on.
QUERY = ("show", "dataset", "evaluation", "kind", "sample", "model", "target", "versus", "method")


def explain_query(**query: str | None) -> dict[str, str]:
    """The parameters that lead to a photo and a question about it, without those left open.

    Parameters
    ----------
    **query : str or None
        Of `QUERY`: dataset or evaluation (its name; `kind` tells evaluations of one name apart), sample, model (by its
        name), target and versus (classes), method (a name of `question.Method`), show (a part of the page).
    """
    unknown = query.keys() - set(QUERY)
    assert not unknown, f"no such parameters: {unknown}"
    return {name: value for name in QUERY if (value := query.get(name))}


def explain_link(**query: str | None) -> str:
    """The address of the Explain page, relative to the app's; parameters as in `explain_query`."""
    asked = explain_query(**query)
    return f"explain?{urlencode(asked)}" if asked else "explain"


def draw_explain_link(label: str, query: Mapping[str, str | None]) -> None:
    """A link that leads to the Explain page without leaving the session.

    Parameters
    ----------
    label : str
        Markdown.
    query : mapping
        As in `explain_query`.
    """
    st.page_link(PAGE, label=label, icon=":material/center_focus_strong:", query_params=explain_query(**query))
