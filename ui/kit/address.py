"""Choices that live in the page's address: links, reload, Back and Forward restore them.

A choice is a widget whose key is the parameter's name. Streamlit writes it into the address and takes it over from
there; this module adds what it lacks: the address names the choice even when nobody has made one, the code can choose
for the next run, old values stay valid, and a link to something that is gone says so.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from ui.kit.text import escape_markdown, truncate_middle

_NEXT, _MISSING, _SHOWN = "address_next", "address_missing", "address_shown"


def choose_item(
    param: str,
    names: Sequence[str],
    *,
    noun: str,
    usual: str | None = None,
    old: Mapping[str, str] | None = None,
    width: int = 420,
    show_label: bool = False,
    help: str | None = None,
    on_change: Callable[[], None] | None = None,
) -> str:
    """Draw a select box of named things, such as datasets; the choice is in the address.

    Parameters
    ----------
    param : str
        Name of the parameter, and key of the widget.
    names : sequence of str
        At least one; no two are the same.
    noun : str
        What is chosen, for the label and for links to something that is gone: "dataset".
    usual : str, optional
        Chosen until the user chooses; the first if it is not given.
    old : mapping, optional
        Old value -> new value, for addresses written by earlier versions.
    width : int
    show_label : bool
    help : str, optional
        Shown beside the label.
    on_change : callable, optional

    Returns
    -------
    str
        One of the names.
    """
    fallback = usual if usual is not None and usual in names else names[0]
    _settle(param, names, noun, fallback, old or {})
    # Not chosen by `index`: a default is not written into the address.
    st.session_state.setdefault(param, fallback)
    name = st.selectbox(
        noun.capitalize(),
        list(names),
        index=None,
        required=True,
        key=param,
        label_visibility="visible" if show_label else "collapsed",
        help=help,
        bind="query-params",
        width=width,
        on_change=on_change,
    )
    if name is None or name not in names:
        # Back led to an address without the parameter, or with one that is gone: Streamlit empties the choice.
        choose_next(param, fallback)
        st.rerun()
    _remember(param, name)
    return name


def choose_none(param: str, *, noun: str) -> None:
    """In place of `choose_item` where there is nothing to choose: say so if a link names something.

    Parameters
    ----------
    param, noun
        As in `choose_item`.
    """
    linked = address_value(param)
    if linked is not None and linked != _shown().get(param):
        report_missing(param, noun, linked)
    _shown().pop(param, None)
    set_address_value(param, None)


def choose_items(param: str, names: Sequence[str], *, noun: str, most: int, label: str, help: str) -> list[str]:
    """Draw a list of named things of which several can be chosen; the choice is in the address.

    Parameters
    ----------
    param, names, noun
        As in `choose_item`.
    most : int
        Number of things that can be chosen at most.
    label, help : str

    Returns
    -------
    list of str
        The chosen names, in the order they were chosen.
    """
    _settle_many(param, names, noun, most)
    chosen = st.multiselect(label, list(names), key=param, max_selections=most, help=help, bind="query-params")
    return [name for name in chosen if name in names]


def choose_section(param: str, sections: Sequence[str], *, label: str, old: Mapping[str, str] | None = None) -> str:
    """Draw the sections of a page as buttons; the choice is in the address.

    Parameters
    ----------
    param : str
        Name of the parameter, and key of the widget.
    sections : sequence of str
        Titles; the first is shown until the user chooses.
    label : str
        For people who use a screen reader.
    old : mapping, optional
        Old title -> new title, for addresses written by earlier versions.
    """
    _settle(param, sections, "section", sections[0], old or {})
    section = st.segmented_control(
        label,
        list(sections),
        default=sections[0],
        required=True,
        key=param,
        label_visibility="collapsed",
        wrap=True,
        bind="query-params",
    )
    section = section if section in sections else sections[0]
    _remember(param, section)
    return section


def choose_next(param: str, value: str | list[str]) -> None:
    """Choose for the next run; works from a callback, a dialog and below the widget.

    Parameters
    ----------
    param : str
    value : str or list of str
        Ignored if it is not offered then.
    """
    st.session_state.setdefault(_NEXT, {})[param] = value


def address_value(param: str) -> str | None:
    """A value of the address that belongs to no widget, such as the photo that is open."""
    return st.query_params.get(param) or None


def set_address_value(param: str, value: str | None) -> None:
    """Write a value that belongs to no widget into the address; None removes it."""
    if value is None:
        st.query_params.pop(param, None)
    elif st.query_params.get(param) != value:
        st.query_params[param] = value


def report_missing(param: str, noun: str, value: str) -> None:
    """Say, as long as the same thing is shown, that a link leads to something that is gone.

    Parameters
    ----------
    param : str
    noun : str
        "photo"
    value : str
        What the link named.
    """
    name = escape_markdown(truncate_middle(value))
    _missing()[param] = f"The link leads to the {noun} “{name}”, which isn't here. It may have been renamed or deleted."


def draw_missing() -> None:
    """Draw a sentence for each link that leads to something that is gone."""
    for sentence in _missing().values():
        st.warning(sentence, icon=":material/link_off:")


def _settle(param: str, names: Sequence[str], noun: str, usual: str, old: Mapping[str, str]) -> None:
    """Set the widget's value before it is drawn, where the code or an old address decides."""
    linked, shown = st.query_params.get(param), _shown().get(param)
    wanted = st.session_state.setdefault(_NEXT, {}).pop(param, None)
    if wanted in names:
        st.session_state[param] = wanted
        _missing().pop(param, None)
    elif linked in old and old[str(linked)] in names:
        st.session_state[param] = old[str(linked)]
    elif linked is not None and linked not in names and linked != shown:
        report_missing(param, noun, linked)
        _shown()[param] = usual
        st.session_state[param] = usual
    elif param in st.session_state and st.session_state[param] not in names:
        # What was shown is gone: deleted or renamed, here or in another window.
        st.session_state[param] = usual
    elif param not in st.session_state and linked in names:
        st.session_state[param] = linked


def _settle_many(param: str, names: Sequence[str], noun: str, most: int) -> None:
    linked, shown = st.query_params.get_all(param), _shown().get(param, [])
    wanted = st.session_state.setdefault(_NEXT, {}).pop(param, None)
    if wanted is not None:
        st.session_state[param] = [name for name in wanted if name in names][:most]
        _missing().pop(param, None)
    elif param in st.session_state:
        kept = [name for name in st.session_state[param] if name in names][:most]
        if kept != st.session_state[param]:
            st.session_state[param] = kept
    gone = [name for name in linked if name not in names and name not in shown]
    if gone:
        report_missing(param, noun, gone[0])
    _shown()[param] = [name for name in linked if name in names]


def _remember(param: str, value: str) -> None:
    """Note what is shown, and drop the sentence about a link once something else is shown."""
    if _shown().get(param) != value:
        _missing().pop(param, None)
    _shown()[param] = value


def _missing() -> dict[str, str]:
    sentences: dict[str, str] = st.session_state.setdefault(_MISSING, {})
    return sentences


def _shown() -> dict[str, Any]:
    values: dict[str, Any] = st.session_state.setdefault(_SHOWN, {})
    return values
