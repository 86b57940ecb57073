"""Choices that live in the page's address: links, reload, Back and Forward restore them.

A choice is a widget whose key is the parameter's name. Streamlit writes it into the address and takes it over from
there; this module adds what it lacks: the address names the choice even when nobody has made one, the code can choose
for the next run, old values stay valid, and a link to something that is gone says so.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.kit.text import escape_markdown, truncate_middle

# Parameters that several pages share.
DATASET_PARAM, EVALUATION_PARAM = "dataset", "evaluation"
_NEXT, _MISSING, _SHOWN = "address_next", "address_missing", "address_shown"
_DRAWN, _DRAWN_BEFORE = "address_drawn", "address_drawn_before"
_LINK = "to"  # parameter and key: what a link to another page names


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
    _unbind(param)
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
    linked, shown = address_value(param), _shown().pop(param, None)
    if linked not in (None, shown):
        report_missing(param, noun, str(linked))
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
    _unbind(param)
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
    _unbind(param)
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


def address_item(param: str, options: Collection[str], *, noun: str) -> str | None:
    """The one of these things that the address names without a widget; None if there is none.

    Parameters
    ----------
    param : str
    options : collection of str
    noun : str
        What they are, for links to something that is gone.
    """
    value = address_value(param)
    if value is None or value in options:
        _missing().pop(param, None)
        return value
    report_missing(param, noun, value)
    return None


def set_address_value(param: str, value: str | None) -> None:
    """Write a value that belongs to no widget into the address; None removes it."""
    if value is None:
        st.query_params.pop(param, None)
        return
    _missing().pop(param, None)
    if st.query_params.get(param) != value:
        st.query_params[param] = value


def follow_address(param: str, key: str, options: Collection[str], *, noun: str, usual: str) -> None:
    """Set a widget to the value that the address names, before it is drawn.

    For widgets whose options depend on what else is shown, so that they can't be bound to a parameter. Give the widget
    `write_choice` as its callback.

    Parameters
    ----------
    param, key : str
        The parameter, and the key of the widget.
    options : collection of str
    noun : str
        What is chosen, for links to something that is gone.
    usual : str
        Chosen unless the address names something.
    """
    linked = address_value(param)
    if linked is None or linked in options:
        _missing().pop(param, None)
    elif linked == _shown().get(param):
        set_address_value(param, None)  # no link, but an earlier choice that is no longer offered
    else:
        report_missing(param, noun, linked)
    value = usual if linked is None or linked not in options else linked
    _shown()[param] = value
    st.session_state[key] = value


def write_choice(param: str, key: str) -> None:
    """Write what was chosen in a widget that follows the address; only from its callback."""
    set_address_value(param, st.session_state[key] or None)


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


def packed(params: Mapping[str, str]) -> dict[str, str]:
    """Parameters of a link as one that no widget has; on the page that it leads to, `start_page` unpacks it.

    A link from page to page loses every parameter that a widget of the first page has, too.
    """
    return {_LINK: urlencode(params)} if params else {}


def pass_params(params: Mapping[str, str]) -> None:
    """Pass parameters to the page that opens next, which has them in its address."""
    st.session_state[_LINK] = dict(params)


def start_page() -> None:
    """Settle the address before a page draws its widgets."""
    st.session_state[_DRAWN] = set()
    context = get_script_run_ctx()
    if context is None:
        return
    page_before, drawn_before = st.session_state.get(_DRAWN_BEFORE, (context.page_script_hash, set()))
    link, passed = st.query_params.get(_LINK), st.session_state.pop(_LINK, None)
    if passed is not None:
        values = passed
    elif link is not None:
        values = dict(parse_qsl(link))
    elif page_before != context.page_script_hash and not context.is_history_navigation:
        # The browser takes the parameters of the page before along.
        values = {name: value for name, value in st.query_params.items() if name not in drawn_before}
    else:
        return
    with context.session_state.query_params() as params:
        if context.is_history_navigation:
            params.populate_from_query_string(urlencode(values))  # a new address here would lead forward again
        elif values != params.to_dict():
            params.from_dict(values)
        params.set_initial_query_params_from_current()


def finish_page() -> None:
    """Remove the parameters of widgets that this page drew on its previous run and no longer draws."""
    context = get_script_run_ctx()
    page = "" if context is None else context.page_script_hash
    page_before, drawn_before = st.session_state.get(_DRAWN_BEFORE, ("", set()))
    drawn = st.session_state.get(_DRAWN, set())
    if page == page_before:
        for param in drawn_before - drawn:
            set_address_value(param, None)
    st.session_state[_DRAWN_BEFORE] = (page, drawn)


def _unbind(param: str) -> None:
    """Let go of a parameter once its widget has its value.

    As long as a parameter is bound to a widget of one page, Streamlit removes it from links and from Back to another
    page, and refuses to set it there; but pages share parameters.
    """
    st.session_state.setdefault(_DRAWN, set()).add(param)
    context = get_script_run_ctx()
    if context is None:
        return
    with context.session_state.query_params() as params:
        binding = params.get_binding_for_param(param)
        if binding is not None:
            params.unbind_widget(binding.widget_id)


def _settle(param: str, names: Sequence[str], noun: str, usual: str, old: Mapping[str, str]) -> None:
    """Set the widget's value before it is drawn, where the code or an old address decides."""
    linked, shown = st.query_params.get(param), _shown().get(param)
    wanted = st.session_state.setdefault(_NEXT, {}).pop(param, None)
    if wanted in names:
        st.session_state[param] = wanted
        _missing().pop(param, None)
    elif linked in old and old[str(linked)] in names:
        _translate(param, old[str(linked)])
    elif linked is not None and linked not in names and linked != shown:
        report_missing(param, noun, linked)
        _shown()[param] = usual
        st.session_state[param] = usual
    elif param in st.session_state and st.session_state[param] not in names:
        # What was shown is gone: deleted or renamed, here or in another window.
        st.session_state[param] = usual
    elif param not in st.session_state and linked in names:
        st.session_state[param] = linked


def _translate(param: str, value: str) -> None:
    """Take an old value of the address for a current one; its widget then takes it over as any other."""
    context = get_script_run_ctx()
    if context is not None:
        with context.session_state.query_params() as params:
            params.set_with_no_forward_msg(param, value)
            params.set_initial_query_params_from_current()


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
