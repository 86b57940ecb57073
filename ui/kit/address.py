"""Choices that live in the page's address: links, reload, Back and Forward restore them.

A choice is a widget whose key is the parameter's name. The widgets are not bound to their parameters by Streamlit
(`bind="query-params"`): the browser adds bound parameters to every link to another page, and taking them away again
would leave one more address in its history, so that Back would lead to the same page. The address of a page that was
just opened is not changed at all; each choice then adds one address to the history.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.kit.text import escape_markdown, truncate_middle

# Parameters that several pages share.
DATASET_PARAM, EVALUATION_PARAM = "dataset", "evaluation"
_NEXT, _MISSING, _SHOWN = "address_next", "address_missing", "address_shown"
_GONE = "address_gone"
_DRAWN, _DRAWN_BEFORE = "address_drawn", "address_drawn_before"


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
    name = st.selectbox(
        noun.capitalize(),
        list(names),
        key=param,
        label_visibility="visible" if show_label else "collapsed",
        help=help,
        width=width,
        on_change=on_change,
    )
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
    if linked not in (None, _shown_for(param)):
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
    chosen: list[str] = st.multiselect(label, list(names), key=param, max_selections=most, help=help)
    _remember(param, chosen)
    return chosen


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
        label, list(sections), required=True, key=param, label_visibility="collapsed", wrap=True
    )
    section = section or sections[0]
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
    if not belongs_to_gone(param):
        report_missing(param, noun, value)
    return None


def belongs_to_gone(param: str) -> bool:
    """Whether a value, such as a photo, came with a link to a dataset or an evaluation that is gone.

    There is nothing to say about the photo then: the sentence about the dataset says it all.
    """
    return address_value(param) is not None and _gone().get(param) == address_value(param)


def set_address_value(param: str, value: str | None) -> None:
    """Write a value that belongs to no widget into the address; None removes it."""
    set_address_values({param: value})


def set_address_values(values: Mapping[str, str | Sequence[str] | None]) -> None:
    """Write several values at once, as one address of the browser's history.

    Parameters
    ----------
    values : mapping
        Parameter -> its value or values; None or no values remove it.
    """
    before = {name: st.query_params.get_all(name) for name in st.query_params}
    after = before | {name: [value] if isinstance(value, str) else list(value or ()) for name, value in values.items()}
    for name in values:
        _gone().pop(name, None)
        if after[name]:
            _missing().pop(name, None)
    after = {name: given for name, given in after.items() if given}
    if after != before:
        st.query_params.from_dict(after)


def follow_address(param: str, key: str, options: Collection[str], *, noun: str, usual: str | None) -> None:
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
    usual : str or None
        Chosen unless the address names something.
    """
    _note_drawn(param)
    linked = address_value(param)
    if linked is None or linked in options:
        _missing().pop(param, None)
    elif linked == _shown_for(param):
        set_address_value(param, None)  # no link, but an earlier choice that is no longer offered
    else:
        report_missing(param, noun, linked)
    value = usual if linked is None or linked not in options else linked
    _shown()[param] = (address_value(param), value)
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


def start_page() -> None:
    """Forget the choices of the page before; call this before a page draws its widgets."""
    st.session_state[_DRAWN] = set()
    page_before, drawn_before = st.session_state.get(_DRAWN_BEFORE, ("", set()))
    if page_before != _page():
        _missing().clear()
        _gone().clear()
        for param in drawn_before:
            _shown().pop(param, None)
            st.session_state.pop(param, None)


def finish_page() -> None:
    """Remove the parameters of widgets that this page drew on its previous run and no longer draws."""
    page_before, drawn_before = st.session_state.get(_DRAWN_BEFORE, ("", set()))
    drawn = st.session_state.get(_DRAWN, set())
    if page_before == _page():
        set_address_values(dict.fromkeys(drawn_before - drawn))
    st.session_state[_DRAWN_BEFORE] = (_page(), drawn)


def _page() -> str:
    context = get_script_run_ctx()
    return "" if context is None else context.page_script_hash


def _note_drawn(param: str) -> None:
    st.session_state.setdefault(_DRAWN, set()).add(param)


def _settle(param: str, names: Sequence[str], noun: str, usual: str, old: Mapping[str, str]) -> None:
    """Set the widget's value before it is drawn, where the code or the address decides."""
    _note_drawn(param)
    linked = address_value(param)
    meant = old.get(linked, linked) if linked is not None and linked not in names else linked
    wanted = st.session_state.setdefault(_NEXT, {}).pop(param, None)
    if wanted in names:
        st.session_state[param] = wanted
    elif _is_new(param, linked):
        if meant is None or meant in names:
            _missing().pop(param, None)
        else:
            report_missing(param, noun, meant)
            if param in (DATASET_PARAM, EVALUATION_PARAM):
                _gone().update(st.query_params.to_dict())
        st.session_state[param] = meant if meant in names else usual
        _shown()[param] = (linked, st.session_state[param])
    elif st.session_state[param] not in names:
        # What was shown is gone: deleted or renamed, here or in another window.
        st.session_state[param] = usual


def _settle_many(param: str, names: Sequence[str], noun: str, most: int) -> None:
    _note_drawn(param)
    linked = st.query_params.get_all(param)
    wanted = st.session_state.setdefault(_NEXT, {}).pop(param, None)
    if wanted is not None:
        chosen = wanted
    elif _is_new(param, linked):
        chosen = linked
        _missing().pop(param, None)
        for name in [name for name in linked if name not in names][:1]:
            report_missing(param, noun, name)
        _shown()[param] = (linked, [name for name in linked if name in names][:most])
    else:
        chosen = st.session_state[param]
    st.session_state[param] = [name for name in chosen if name in names][:most]


def _is_new(param: str, linked: str | list[str] | None) -> bool:
    """Whether the address names something else than when its choice was last drawn: by a link, Back or Forward."""
    return param not in st.session_state or _shown().get(param, (linked, None))[0] != linked


def _remember(param: str, value: str | list[str]) -> None:
    """Write what was chosen into the address; the sentence about a link goes once something else is chosen."""
    if value != _shown_for(param):
        set_address_values({param: value})
        _missing().pop(param, None)
    linked = address_value(param) if isinstance(value, str) else st.query_params.get_all(param)
    _shown()[param] = (linked, value)


def _missing() -> dict[str, str]:
    sentences: dict[str, str] = st.session_state.setdefault(_MISSING, {})
    return sentences


def _gone() -> dict[str, str]:
    """The address of the link that led to a dataset or an evaluation that is gone."""
    values: dict[str, str] = st.session_state.setdefault(_GONE, {})
    return values


def _shown() -> dict[str, tuple[Any, Any]]:
    """Parameter -> what the address named, and what was shown for it."""
    values: dict[str, tuple[Any, Any]] = st.session_state.setdefault(_SHOWN, {})
    return values


def _shown_for(param: str) -> Any:
    return _shown().get(param, (None, None))[1]
