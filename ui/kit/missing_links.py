"""Sentences about links, and earlier choices, that name something that isn't here or is damaged."""

from collections.abc import Sequence

import streamlit as st

from ui.kit.damaged_links import damage_of_links
from ui.kit.text import escape_markdown, truncate_middle

_MISSING = "address_missing"


def report_missing(param: str, noun: str, *values: str) -> None:
    """Say, as long as the same thing is shown, that a link leads to something that isn't here or is damaged.

    Parameters
    ----------
    param : str
    noun : str
        "photo"
    *values : str
        What the link named; at least one.
    """
    damage = damage_of_links(noun, values)
    sentences = [
        f"The link leads to the {noun} {_quoted([value])}, which is damaged. {escape_markdown(reason)}"
        for value, reason in damage.items()
    ]
    gone = [value for value in values if value not in damage]
    if gone:
        one = len(gone) == 1
        sentences.append(
            f"The link leads to the {noun if one else f'{noun}s'} {_quoted(gone)}, which {'is' if one else 'are'}n't "
            f"here. {'It' if one else 'They'} may have been renamed or deleted."
        )
    _missing()[param] = " ".join(sentences)


def report_gone(param: str, noun: str, value: str) -> None:
    """Say that what was shown has gone, as when it is deleted in another window, or that it is damaged."""
    damage = damage_of_links(noun, [value])
    _missing()[param] = (
        f"The {noun} {_quoted([value])} is damaged. {escape_markdown(damage[value])}"
        if damage
        else f"The {noun} {_quoted([value])} isn't here anymore. It may have been renamed or deleted."
    )


def forget_missing(param: str) -> None:
    """Say nothing more about what a parameter named."""
    _missing().pop(param, None)


def forget_all_missing() -> None:
    """Say nothing more about any link."""
    _missing().clear()


def draw_missing() -> None:
    """Draw a sentence for each link that leads to something that is gone."""
    for sentence in _missing().values():
        st.warning(sentence, icon=":material/link_off:")


def _quoted(names: Sequence[str]) -> str:
    return " and ".join(f"“{escape_markdown(truncate_middle(name))}”" for name in names)


def _missing() -> dict[str, str]:
    sentences: dict[str, str] = st.session_state.setdefault(_MISSING, {})
    return sentences
