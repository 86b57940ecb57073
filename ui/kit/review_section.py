"""A section of the page: its own choice of photos, its own page of them, and what was just done."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from sneaker_core.datasets.index import INDEX_FILE, Dataset
from sneaker_core.datasets.quality.findings import apply_suggestions, suggested_decisions
from sneaker_core.datasets.review_log import Action, decide, undo
from sneaker_core.errors import SneakerError
from ui.kit.quantities import counted_photos
from ui.kit.state_keys import KitKey, StateKey
from ui.kit.text import plain, shortened

GONE = "This dataset is not there any more: it was deleted or renamed meanwhile, perhaps in another window."


@dataclass(frozen=True)
class Section:
    """A part of the page that shows photos of a dataset.

    Attributes
    ----------
    name : str
    dataset : Dataset
    """

    name: str
    dataset: Dataset

    def key(self, key: StateKey, item: str = "") -> str:
        """The key of a widget that each section of each dataset has for itself."""
        return key.of(f"{self.name}-{self.dataset.folder.name}-{item}")

    @property
    def chosen(self) -> set[str]:
        """The photos that are ticked; change it in place."""
        chosen: set[str] = st.session_state.setdefault(self.key(KitKey.CHOSEN), set())
        return chosen

    def first_page(self) -> None:
        """Go back to the first page of photos."""
        self.go_to_page(1)

    def go_to_page(self, page: int) -> None:
        """Show another page next, counted from 1."""
        # A widget with a default may not be set from outside: another one takes its place.
        st.session_state[self.key(KitKey.PAGES)] = (self.page_start[0] + 1, page)

    @property
    def page_start(self) -> tuple[int, int]:
        """How many widgets for the page there were before, and the page that this one began with."""
        start: tuple[int, int] = st.session_state.get(self.key(KitKey.PAGES), (0, 1))
        return start

    @property
    def page_key(self) -> str:
        """The key of the widget that tells the page."""
        return self.key(KitKey.SHOWN_PAGE, str(self.page_start[0]))


@dataclass(frozen=True)
class Change:
    """One decision on some photos.

    Attributes
    ----------
    samples : tuple of str
    action : Action
    label : str or None
        The class that photos move to.
    kinds : tuple of str
        Kinds of findings that it settles.
    """

    samples: tuple[str, ...]
    action: Action
    label: str | None = None
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Notice:
    """What was just done, or why it could not be done.

    Attributes
    ----------
    text : str
        Markdown.
    batches : tuple of str
        What "Undo" takes back.
    failed : bool
    """

    text: str
    batches: tuple[str, ...] = ()
    failed: bool = False


@contextmanager
def said_kindly(dataset: Dataset) -> Iterator[None]:
    """Whatever cannot be done is said in one sentence; so is a dataset that has gone."""
    try:
        yield
    except SneakerError as error:
        if (dataset.folder / INDEX_FILE).is_file():
            st.error(plain(str(error)), icon=":material/error:")
        else:
            st.warning(GONE, icon=":material/folder_off:")


def author() -> str:
    """Who decides: a name for this session, which nobody else has."""
    name: str = st.session_state.setdefault(KitKey.AUTHOR, uuid.uuid4().hex)
    return name


def changes_by_kinds(photos: pd.DataFrame, action: Action, label: str | None = None) -> list[Change]:
    """The same decision on all photos; each settles the findings that are open on that photo, and no others.

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
    """Save decisions at once, and say so beside a way back."""
    batches: list[str] = []
    changes = list(changes)
    with _noting(section, batches) as notes:
        for change in changes:
            # What was saved can be taken back even when the next cannot be saved, and all of it at once.
            together = batches[0] if batches else None
            batches[:] = [
                decide(section.dataset, change.samples, change.action, change.label, change.kinds, author(), together)
            ]
        notes.append(_said(changes))


def apply_told(section: Section) -> None:
    """Do what can be told without a person, and say so beside a way back."""
    batches: list[str] = []
    with _noting(section, batches) as notes:
        # Told anew: somebody else may have decided on some of them meanwhile.
        told = suggested_decisions(section.dataset)
        batch = apply_suggestions(section.dataset, suggested=told, author=author())
        batches += [batch] if batch else []
        groups = told.groupby("action")["sample"].agg(tuple)
        notes.append(_said([Change(samples, Action(str(action)), None) for action, samples in groups.items()]))


@contextmanager
def _noting(section: Section, batches: list[str]) -> Iterator[list[str]]:
    """Keeps what was done, or why it could not be done, for `draw_notice`."""
    notes: list[str] = []
    try:
        yield notes
        notice = Notice(" ".join(notes), tuple(batches))
        section.chosen.clear()
    except SneakerError as error:
        notice = Notice(_reason(section.dataset, error), tuple(batches), failed=True)
    st.session_state[section.key(KitKey.NOTICE)] = notice


def _reason(dataset: Dataset, error: SneakerError) -> str:
    return plain(str(error)) if (dataset.folder / INDEX_FILE).is_file() else GONE


def _said(changes: Sequence[Change]) -> str:
    """What was done, in one line: "3 photos excluded."."""
    said = []
    for action, done in ((Action.KEEP, "kept"), (Action.EXCLUDE, "excluded"), (Action.RELABEL, "moved")):
        mine = [change for change in changes if change.action is action]
        photos = counted_photos(len({sample for change in mine for sample in change.samples}))
        where = ""
        if action is Action.RELABEL:
            labels = {change.label for change in mine}
            label = labels.pop() if len(labels) == 1 else None
            where = f" to {plain(shortened(label))}" if label else " to the suggested classes"
        said += [f"{photos} {done}{where}"] if mine else []
    return f"{', '.join(said)}."


def draw_notice(section: Section, place: str = "", *, brief: bool = False) -> None:
    """What was just done here, with a way back.

    Parameters
    ----------
    section : Section
    place : str
        Tells one notice of a section from another.
    brief : bool
        Leave out what needs nobody's attention any more.
    """
    notice: Notice | None = st.session_state.get(section.key(KitKey.NOTICE))
    if notice is None or (brief and not notice.batches and not notice.failed):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        icon, colour = ("error", "red") if notice.failed else ("check_circle", "green")
        st.markdown(f":{colour}[:material/{icon}:] {notice.text}", width="content")
        if notice.batches:
            st.button(
                "Undo",
                key=section.key(KitKey.UNDO, place),
                icon=":material/undo:",
                on_click=on_whole_page(_take_back),
                args=(section, notice),
                type="tertiary",
            )


def _take_back(section: Section, notice: Notice) -> None:
    said = Notice("Taken back: everything is as it was before.")
    try:
        photos = sum(undo(section.dataset, batch=batch) for batch in notice.batches)
        said = Notice(f"Taken back: {counted_photos(photos)} as before.")
    except SneakerError as error:
        said = Notice(_reason(section.dataset, error), failed=True)
    st.session_state[section.key(KitKey.NOTICE)] = said


def on_whole_page(work: Callable[..., None]) -> Callable[..., None]:
    """A callback after which the whole page is drawn anew, not only the section: counts stand elsewhere too."""

    def callback(*arguments: object) -> None:
        work(*arguments)
        st.rerun()

    return callback
