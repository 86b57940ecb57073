"""The address of the page that is shown: its parameters, when they change, and what it was when the page was left.

Streamlit adds an address to the browser's history with every change of `st.query_params`, which is right for a choice:
Back undoes it. What a page shows without being asked (the first dataset, or what was shown when the page was left) must
be in its address too, or the same address would show something else later. But it must not add to the history, or Back
would lead to the same page. So such values are *pinned*: a script replaces the present address in the browser. The
browser may go on reporting the address from before the script to the server, which remembers what it stands for.

Only a navigation (a link, Back, Forward, a reload) tells the server an address. With anything else the browser reports
where it was when the user clicked, which may be from before the last choice; the address that the server wrote is right
then.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.kit.page_script import draw_script

Params = dict[str, list[str]]
Values = Mapping[str, str | Sequence[str] | None]
_PRESENT, _LEFT, _FRAMED = "address_present", "address_left", "address_framed"
_NAVIGATED = "address_navigated"
_PAGE_BEFORE = "address_page_before"


@dataclass(frozen=True)
class _Present:
    """The address of the page, where it is another than the browser reports.

    Attributes
    ----------
    page : str
    reported : dict
        What the browser reports.
    params : dict
        What that stands for.
    chosen : bool
        Whether the user chose something since, which adds an address to the history.
    pinned : tuple of str
        What scripts replaced it with since, without the browser reporting it.
    """

    page: str
    reported: Params
    params: Params
    chosen: bool = False
    pinned: tuple[str, ...] = ()


def params() -> Params:
    """The parameters of the page's address with their values."""
    present = _present()
    return dict(_reported() if present is None else present.params)


def change(values: Values, *, chosen: bool) -> None:
    """Change parameters; all changes of a run of the page become one address.

    Parameters
    ----------
    values : mapping
        Parameter -> its value or values; None or no values remove it.
    chosen : bool
        Whether the user chose this, so that Back should undo it.
    """
    before = params()
    after = before | {name: [value] if isinstance(value, str) else list(value or ()) for name, value in values.items()}
    after = {name: given for name, given in after.items() if given}
    if after == before:
        return
    present = _present() or _Present(page(), _reported(), before)
    st.session_state[_PRESENT] = replace(present, params=after, chosen=present.chosen or chosen)
    if chosen and not _is_framed():
        _write()


def enter() -> None:
    """Begin a run of a page; one that the user returns to without a link is shown as it was left."""
    st.session_state[_FRAMED] = True
    context = get_script_run_ctx()
    # No widget has been drawn yet, so these are from the browser, which sends none when it navigates.
    st.session_state[_NAVIGATED] = context is None or not context.session_state.get_widget_states()
    by_history = context is not None and context.is_history_navigation
    if not by_history and _present() is not None:
        return
    st.session_state.pop(_PRESENT, None)
    if not by_history and not _reported() and page() != _page_before():
        st.session_state[_PRESENT] = _Present(page(), {}, _left().get(page(), {}))


def leave() -> None:
    """End a run of a page: tell the browser what the address is, and remember it."""
    _left()[page()] = params()
    st.session_state[_PAGE_BEFORE] = page()
    present = _present()
    if present is not None and present.chosen:
        _write()
    elif present is not None and present.params != present.reported:
        _draw_script(present)


def page() -> str:
    """Identifies the page that runs."""
    context = get_script_run_ctx()
    return "" if context is None else context.page_script_hash


def _page_before() -> str | None:
    before: str | None = st.session_state.get(_PAGE_BEFORE)
    return before


def _reported() -> Params:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def _present() -> _Present | None:
    found: _Present | None = st.session_state.get(_PRESENT)
    reported = _reported()
    if found is not None and found.page == page() and (found.reported == reported or not _has_navigated()):
        return replace(found, reported=reported)
    if page() == _page_before() and not _has_navigated() and _left().get(page()) != reported:
        return _Present(page(), reported, _left()[page()])
    return None


def _left() -> dict[str, Params]:
    """Page -> its address when it was shown last."""
    addresses: dict[str, Params] = st.session_state.setdefault(_LEFT, {})
    return addresses


def _is_framed() -> bool:
    """Whether this run ends with `leave`; that of a fragment doesn't."""
    return bool(st.session_state.get(_FRAMED)) and not _is_in_fragment()


def _has_navigated() -> bool:
    """Whether this run was requested by a link, a reload or the history; that of a fragment never is."""
    return bool(st.session_state.get(_NAVIGATED, True)) and not _is_in_fragment()


def _is_in_fragment() -> bool:
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)


def _write() -> None:
    """Add the address to the browser's history."""
    present = st.session_state.pop(_PRESENT)
    _left()[page()] = present.params
    st.query_params.from_dict(present.params)


def _draw_script(present: _Present) -> None:
    """Replace the address in the browser, unless it has changed meanwhile."""
    before, after = (urlencode(values, doseq=True) for values in (present.reported, present.params))
    known = list(dict.fromkeys([before, *present.pinned]))
    st.session_state[_PRESENT] = replace(present, pinned=(*known[1:], after))
    # No name can end the script: urlencode leaves no angle brackets.
    draw_script(
        "address",
        "const url = new URL(location.href);"
        "const text = query => new URLSearchParams(query).toString();"
        f"if ({json.dumps(known)}.some(query => text(query) === text(url.search))) "
        f"{{ url.search = {json.dumps(after)}; history.replaceState({{}}, '', url); }}",
    )
