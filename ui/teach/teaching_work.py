"""Teaching in the background: it goes on while the page reruns or is left."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.images import Photo
from sneaker_core.inference.model_service import shared_queue, slow_queue
from sneaker_core.number_text import counted
from sneaker_core.training.teaching import Teaching, teach
from sneaker_core.workspace.clean_names import clean_name
from sneaker_core.workspace.paths import workspace
from ui.kit.job_panel import poll
from ui.teach.photo_tray import photos_in, take_out
from ui.teach.teach_choices import Target
from ui.teach.teach_keys import Key

_LOOK_EVERY = 0.5
_SAME_NAME = "Both sneakers have the same name. Give each its own."


@dataclass
class Work:
    """Teaching that was started.

    Attributes
    ----------
    given : dict of str to tuple of Photo
        Tray -> the photos that were in it.
    photos : int
        Number of photos to look at.
    done : int
        Those that were looked at so far.
    result : Future of Teaching, once it is queued
    """

    given: dict[str, tuple[Photo, ...]]
    photos: int
    done: int = 0
    result: "Future[Teaching] | None" = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self) -> None:
        """Count a photo; then answers to other photos go first, so that nobody waits for this."""
        with self._lock:
            self.done += 1
        shared_queue().wait_until_idle()


def start_teaching(target: Target) -> None:
    """Teach what was given on the page; only from a callback."""
    for key in (Key.RESULT, Key.PROBLEM):
        st.session_state.pop(key, None)
    # The current texts: the page may have been drawn before they were entered.
    given = [(clean_name(st.session_state.get(place.name) or ""), photos_in(place.tray)) for place in target.places]
    names = [name for name, _ in given if name]
    if len(set(names)) != len(names):
        st.session_state[Key.PROBLEM] = _SAME_NAME
        return
    try:
        st.session_state[Key.WORK] = _start(target, dict(given))
    except SneakerError as error:  # the queue is full
        st.session_state[Key.PROBLEM] = str(error)


def _start(target: Target, sneakers: Mapping[str, Sequence[Photo]]) -> Work:
    work = Work({place.tray: photos_in(place.tray) for place in target.places}, sum(map(len, sneakers.values())))

    def run() -> Teaching:
        return teach(workspace(), sneakers, target.base, new_name=target.name, empty=target.empty, progress=work.count)

    work.result = slow_queue().submit(run)
    return work


def follow_teaching() -> bool:
    """Draw the progress while a model is taught; returns whether it is."""
    work: Work | None = st.session_state.get(Key.WORK)
    if work is None or work.result is None:
        return False
    if not work.result.done():
        poll(lambda: _draw_progress(work), _LOOK_EVERY)
        return True
    del st.session_state[Key.WORK]
    try:
        st.session_state[Key.RESULT] = work.result.result()
    except SneakerError as error:
        st.session_state[Key.PROBLEM] = str(error)
    else:
        for tray, photos in work.given.items():
            take_out(tray, photos)
        st.rerun()
    return False


def _draw_progress(work: Work) -> bool:
    """Draw how far it is; returns whether it has ended."""
    done = min(work.done, work.photos)
    text = f"Looking at {counted(work.photos, 'photo')}: {done} done" if done < work.photos else "Making the model…"
    st.progress(done / max(work.photos, 1), text=text)
    return work.result is None or work.result.done()
