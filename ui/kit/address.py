"""Choices that live in the page's address: links, reload, Back and Forward restore them.

A choice is a widget whose key is the parameter's name. The widgets are not bound to their parameters by Streamlit
(`bind="query-params"`): the browser adds bound parameters to every link to another page, and taking them away again
would leave one more address in its history. `page_address` says when a choice adds an address to the history.

What the address or an earlier choice names is shown, or nothing is: no other thing takes its place unasked.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import streamlit as st

from ui.kit import page_address
from ui.kit.missing_links import forget_all_missing, forget_missing, report_gone, report_missing

# Parameters that several pages share.
DATASET_PARAM, EVALUATION_PARAM, CLASS_PARAM = "dataset", "evaluation", "class"
# Chosen by code: what is shown without a choice.
USUAL = ""
_ON = "yes"
_NEXT, _SHOWN = "address_next", "address_shown"
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
) -> str | None:
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
    str or None
        One of the names; None while a link or an earlier choice names something that isn't here, until the user
        chooses.
    """
    fallback = usual if usual is not None and usual in names else names[0]
    _settle(param, names, noun, fallback, old or {})
    name = st.selectbox(
        noun.capitalize(),
        list(names),
        # Only a box without a choice may be empty.
        index=0 if st.session_state[param] is not None else None,
        key=param,
        placeholder=f"Choose {'an' if noun[0] in 'aeiou' else 'a'} {noun}",
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
    if st.session_state.setdefault(_NEXT, {}).pop(param, None) == USUAL:  # the last one was deleted here
        set_address_value(param, None)
    linked = address_value(param)
    if linked is not None:
        report_missing(param, noun, linked)
    else:
        forget_missing(param)


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
    chosen: list[str] = st.multiselect(
        label, list(names), key=param, max_selections=most, placeholder=f"Choose {noun}s", help=help
    )
    _remember(param, chosen)
    return chosen


def choose_section(
    param: str,
    sections: Sequence[str],
    *,
    label: str,
    usual: str | None = None,
    old: Mapping[str, str] | None = None,
    icons: Mapping[str, str] | None = None,
) -> str:
    """Draw the sections of a page as buttons; the choice is in the address.

    Parameters
    ----------
    param : str
        Name of the parameter, and key of the widget.
    sections : sequence of str
        Titles.
    label : str
        For people who use a screen reader.
    usual : str, optional
        Shown until the user chooses; the first if it is not given.
    old : mapping, optional
        Old title -> new title, for addresses written by earlier versions.
    icons : mapping, optional
        Title -> its icon.
    """
    _settle(param, sections, "section", usual or sections[0], old or {}, or_usual=True)
    section = st.segmented_control(
        label,
        list(sections),
        required=True,
        format_func=lambda title: f"{icons[title]} {title}" if icons else title,
        key=param,
        label_visibility="collapsed",
        wrap=True,
    )
    section = section or sections[0]
    _remember(param, section, pinned=usual is not None)
    return section


def choose_switch(param: str, label: str, *, help: str) -> bool:
    """Draw a switch that is off until the user turns it on; the choice is in the address.

    Parameters
    ----------
    param : str
        Name of the parameter, and key of the widget.
    label, help : str
    """
    _note_drawn(param)
    st.session_state[param] = address_value(param) == _ON
    return st.toggle(label, key=param, help=help, on_change=_write_switch, args=(param,))


def _write_switch(param: str) -> None:
    set_address_value(param, _ON if st.session_state[param] else None)


def choose_next(param: str, value: str | list[str]) -> None:
    """Choose for the next run; works from a callback, a dialog and below the widget.

    Parameters
    ----------
    param : str
    value : str or list of str
        Ignored if it is not offered then; `USUAL` for what is shown without a choice.
    """
    st.session_state.setdefault(_NEXT, {})[param] = value


def address_value(param: str) -> str | None:
    """A value of the address that belongs to no widget, such as the photo that is open."""
    values = page_address.params().get(param)
    return values[-1] or None if values else None


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
        forget_missing(param)
        return value
    report_missing(param, noun, value)
    return None


def set_address_value(param: str, value: str | None) -> None:
    """Write a value that belongs to no widget into the address; None removes it."""
    set_address_values({param: value})


def set_address_values(values: page_address.Values) -> None:
    """Write what the user chose into the address; all of a run becomes one address of the browser's history.

    Parameters
    ----------
    values : mapping
        Parameter -> its value or values; None or no values remove it.
    """
    page_address.change(values, chosen=True)
    for name in values:
        if address_value(name) is not None:
            forget_missing(name)


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
        forget_missing(param)
    elif linked == _shown_for(param):
        page_address.change({param: None}, chosen=False)  # no link, but an earlier choice that is no longer offered
    else:
        report_missing(param, noun, linked)
    value = usual if linked is None or linked not in options else linked
    _shown()[param] = (address_value(param), value)
    st.session_state[key] = value


def follow_choices(param: str, key: str, options: Collection[str], *, noun: str) -> None:
    """Like `follow_address`, for a widget with which several values can be chosen.

    Parameters
    ----------
    param, key, options, noun
        As in `follow_address`.
    """
    linked = page_address.params().get(param, [])
    shown = [value for value in linked if value in options]
    if shown == linked:
        forget_missing(param)
    elif linked == _shown_for(param):
        page_address.change({param: shown}, chosen=False)
    else:
        report_missing(param, noun, *(value for value in linked if value not in options))
    st.session_state[key] = shown
    _shown()[param] = (None, shown)


def write_choice(param: str, key: str) -> None:
    """Write what was chosen in a widget that follows the address; only from its callback."""
    set_address_values({param: st.session_state[key] or None})


def start_page() -> None:
    """Forget the choices of the page before; call this before a page draws its widgets."""
    page_address.enter()
    st.session_state[_DRAWN] = set()
    page_before, drawn_before = st.session_state.get(_DRAWN_BEFORE, ("", set()))
    if page_before != page_address.page():
        forget_all_missing()
        for param in drawn_before:
            _shown().pop(param, None)
            st.session_state.pop(param, None)


def finish_page() -> None:
    """Remove the parameters of widgets that this page drew on its previous run and no longer draws."""
    page_before, drawn_before = st.session_state.get(_DRAWN_BEFORE, ("", set()))
    drawn = st.session_state.get(_DRAWN, set())
    if page_before == page_address.page():
        page_address.change(dict.fromkeys(drawn_before - drawn), chosen=False)
    st.session_state[_DRAWN_BEFORE] = (page_address.page(), drawn)


def _note_drawn(param: str) -> None:
    st.session_state.setdefault(_DRAWN, set()).add(param)


def _settle(
    param: str, names: Sequence[str], noun: str, usual: str, old: Mapping[str, str], *, or_usual: bool = False
) -> None:
    """Set the widget's value before it is drawn, where the code or the address decides.

    The value is None, or the usual one with `or_usual`, if what the address or an earlier choice names isn't here.
    """
    _note_drawn(param)
    linked = address_value(param)
    meant = old.get(linked, linked) if linked is not None and linked not in names else linked
    wanted = st.session_state.setdefault(_NEXT, {}).pop(param, None)
    before = st.session_state.get(param)
    missing = usual if or_usual else None
    if wanted in names:
        st.session_state[param] = wanted
    elif wanted == USUAL:
        st.session_state[param] = usual
    elif _is_new(param, linked) or (before is None and meant in names):
        if meant is None or meant in names:
            forget_missing(param)
        else:
            report_missing(param, noun, meant)
        st.session_state[param] = usual if meant is None else meant if meant in names else missing
        _shown()[param] = (linked, st.session_state[param])
    elif before not in names:
        if before is not None:  # deleted or renamed, here or in another window
            report_gone(param, noun, str(before))
        st.session_state[param] = missing
        _shown()[param] = (linked, missing)


def _settle_many(param: str, names: Sequence[str], noun: str, most: int) -> None:
    _note_drawn(param)
    linked = page_address.params().get(param, [])
    wanted = st.session_state.setdefault(_NEXT, {}).pop(param, None)
    if wanted is not None and wanted != USUAL:
        chosen = wanted
    elif _is_new(param, linked):
        chosen = linked
        forget_missing(param)
        if gone := [name for name in linked if name not in names]:
            report_missing(param, noun, *gone)
        _shown()[param] = (linked, [name for name in linked if name in names][:most])
    else:
        chosen = st.session_state[param]
    st.session_state[param] = [name for name in chosen if name in names][:most]


def _is_new(param: str, linked: str | list[str] | None) -> bool:
    """Whether the address names something else than when its choice was last drawn: by a link, Back or Forward."""
    return param not in st.session_state or _shown().get(param, (linked, None))[0] != linked


def _remember(param: str, value: str | list[str] | None, *, pinned: bool = True) -> None:
    """Write what is shown into the address; the sentence about a link goes once something else is chosen.

    Parameters
    ----------
    param, value
    pinned : bool
        Whether to write it even if the user didn't choose it.
    """
    if value is None:
        return
    if value != _shown_for(param):
        set_address_values({param: value})
        forget_missing(param)
    elif pinned and address_value(param) is None:
        page_address.change({param: value}, chosen=False)
    linked = address_value(param) if isinstance(value, str) else page_address.params().get(param, [])
    _shown()[param] = (linked, value)


def _shown() -> dict[str, tuple[Any, Any]]:
    """Parameter -> what the address named, and what was shown for it."""
    values: dict[str, tuple[Any, Any]] = st.session_state.setdefault(_SHOWN, {})
    return values


def _shown_for(param: str) -> Any:
    return _shown().get(param, (None, None))[1]
