"""Photos of a dataset in one section of a page: which are chosen, and the review actions on them."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from sneaker_core.datasets.index import INDEX_FILE, Dataset
from sneaker_core.datasets.quality.suggestions import apply_suggestions, suggested_decisions
from sneaker_core.datasets.review_log import Action, decide, undo
from sneaker_core.errors import SneakerError
from sneaker_core.number_text import counted
from ui.kit.changes import change_button
from ui.kit.page_frame import draw_error
from ui.kit.state_keys import KitKey, StateKey
from ui.kit.text import escape_markdown, truncate_middle

GONE = "This dataset no longer exists. It may have been deleted in another window."


@dataclass(frozen=True)
class Section:
    """A section of a page that shows photos of a dataset.

    Attributes
    ----------
    name : str
    dataset : Dataset
    """

    name: str
    dataset: Dataset

    def key(self, key: StateKey, item: str = "") -> str:
        """The key of a widget that each section of each dataset has for itself."""
        return key.of(self.place(item))

    def place(self, item: str = "") -> str:
        """Tells this section of this dataset, and something in it, from all others."""
        return f"{self.name}-{self.dataset.folder.name}-{item}"

    @property
    def chosen(self) -> set[str]:
        """The ticked photos; change the set in place."""
        chosen: set[str] = st.session_state.setdefault(self.key(KitKey.CHOSEN), set())
        return chosen

    def first_page(self) -> None:
        """Go back to the first page of photos."""
        self.go_to_page(1)

    def go_to_page(self, page: int) -> None:
        """Show another page in the next run, counted from 1."""
        # A widget with a default can't be set by code, so another one takes its place.
        st.session_state[self.key(KitKey.PAGES)] = (self.page_start[0] + 1, page)

    @property
    def page_start(self) -> tuple[int, int]:
        """Number of page widgets before this one, and the page that it starts with."""
        start: tuple[int, int] = st.session_state.get(self.key(KitKey.PAGES), (0, 1))
        return start

    @property
    def page_key(self) -> str:
        """The key of the page numbers."""
        return self.key(KitKey.SHOWN_PAGE, str(self.page_start[0]))


@dataclass(frozen=True)
class Change:
    """One review action on some photos.

    Attributes
    ----------
    samples : tuple of str
    action : Action
    label : str or None
        The new class of the photos.
    kinds : tuple of str
        Kinds of findings that it resolves.
    """

    samples: tuple[str, ...]
    action: Action
    label: str | None = None
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Notice:
    """The result of a review action, or why it failed.

    Attributes
    ----------
    text : str
        Markdown.
    batches : tuple of str
        What Undo reverts.
    failed : bool
    """

    text: str
    batches: tuple[str, ...] = ()
    failed: bool = False


@contextmanager
def reported_errors(dataset: Dataset) -> Iterator[None]:
    """Show an error of the body as one sentence; also that the dataset is gone."""
    try:
        yield
    except SneakerError as error:
        if (dataset.folder / INDEX_FILE).is_file():
            draw_error(error)
        else:
            st.warning(GONE, icon=":material/folder_off:")


def author() -> str:
    """A unique name of this session, kept with its review actions."""
    name: str = st.session_state.setdefault(KitKey.AUTHOR, uuid.uuid4().hex)
    return name


def changes_by_kinds(photos: pd.DataFrame, action: Action, label: str | None = None) -> list[Change]:
    """The same action on all photos; on each, it resolves the findings that are open there.

    Parameters
    ----------
    photos : DataFrame
        Columns sample, kinds.
    action, label
        As in `Change`.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for sample, kinds in zip(photos["sample"], photos["kinds"], strict=True):
        groups.setdefault(kinds, []).append(sample)
    return [Change(tuple(samples), action, label, kinds) for kinds, samples in groups.items()]


def apply(section: Section, changes: Iterable[Change]) -> None:
    """Save review actions, and note them with an Undo."""
    batches: list[str] = []
    changes = list(changes)
    with _noting(section, batches) as notes:
        for change in changes:
            # One batch, so that one Undo reverts all of it, even if a later change fails.
            together = batches[0] if batches else None
            batches[:] = [
                decide(section.dataset, change.samples, change.action, change.label, change.kinds, author(), together)
            ]
        notes.append(_changes_text(changes))


def apply_safe_suggestions(section: Section) -> None:
    """Apply the suggestions that are safe without review, and note them with an Undo."""
    batches: list[str] = []
    with _noting(section, batches) as notes:
        # Computed again: someone else may have reviewed some of the photos.
        suggestions = suggested_decisions(section.dataset)
        batch = apply_suggestions(section.dataset, suggested=suggestions, author=author())
        batches += [batch] if batch else []
        groups = suggestions.groupby("action")["sample"].agg(tuple)
        notes.append(_changes_text([Change(samples, Action(str(action)), None) for action, samples in groups.items()]))


@contextmanager
def _noting(section: Section, batches: list[str]) -> Iterator[list[str]]:
    """Keep the result of the body, or why it failed, for `draw_notice`."""
    notes: list[str] = []
    try:
        yield notes
        notice = Notice(" ".join(notes), tuple(batches))
        section.chosen.clear()
    except SneakerError as error:
        notice = Notice(_reason(section.dataset, error), tuple(batches), failed=True)
    st.session_state[section.key(KitKey.NOTICE)] = notice


def _reason(dataset: Dataset, error: SneakerError) -> str:
    return escape_markdown(str(error)) if (dataset.folder / INDEX_FILE).is_file() else GONE


_DONE = {
    Action.KEEP: "kept",
    Action.EXCLUDE: "excluded",
    Action.RELABEL: "relabeled",
    Action.MERGE: "merged",
}


def _changes_text(changes: Sequence[Change]) -> str:
    """The changes in one line: "3 photos excluded, 2 photos relabeled to boot."."""
    parts = []
    for action, done in _DONE.items():
        mine = [change for change in changes if change.action is action]
        photos = counted(len({sample for change in mine for sample in change.samples}), "photo")
        where = ""
        if action in (Action.RELABEL, Action.MERGE):
            labels = {change.label for change in mine}
            label, word = labels.pop() if len(labels) == 1 else None, "to" if action is Action.RELABEL else "into"
            where = f" {word} {escape_markdown(truncate_middle(label)) if label else 'the suggested classes'}"
        parts += [f"{photos} {done}{where}"] if mine else []
    return f"{', '.join(parts)}."


def clear_notice(section: Section) -> None:
    """Drop the result of the last action, before another photo is opened."""
    st.session_state.pop(section.key(KitKey.NOTICE), None)


def draw_notice(section: Section, place: str = "", *, brief: bool = False) -> None:
    """Draw the result of the last action, with Undo.

    Parameters
    ----------
    section : Section
    place : str
        Tells one notice of a section from another.
    brief : bool
        Leave out a result that can't be undone.
    """
    notice: Notice | None = st.session_state.get(section.key(KitKey.NOTICE))
    if notice is None or (brief and not notice.batches and not notice.failed):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        icon, color = ("error", "red") if notice.failed else ("check_circle", "green")
        st.markdown(f":{color}[:material/{icon}:] {notice.text}", width="content")
        if notice.batches:
            change_button(
                "Undo",
                key=section.key(KitKey.UNDO, place),
                icon=":material/undo:",
                on_click=on_whole_page(_take_back),
                args=(section, notice),
                type="tertiary",
            )


def _take_back(section: Section, notice: Notice) -> None:
    result = Notice("Undone.")
    try:
        photos = sum(undo(section.dataset, batch=batch) for batch in notice.batches)
        result = Notice(f"Undone for {counted(photos, 'photo')}.")
    except SneakerError as error:
        result = Notice(_reason(section.dataset, error), failed=True)
    st.session_state[section.key(KitKey.NOTICE)] = result


def on_whole_page(work: Callable[..., None]) -> Callable[..., None]:
    """A callback that reruns the whole page and not only the section, because counts are elsewhere too."""

    def callback(*arguments: object) -> None:
        work(*arguments)
        st.rerun()

    return callback
