"""Sanity checks of attribution maps, run in the background and kept."""

from concurrent.futures import Future

import streamlit as st

from sneaker_core import images
from sneaker_core.inference.explanation.explanation_request import Question
from sneaker_core.inference.explanation.sanity_checks import Trust, check_trust
from sneaker_core.inference.model_service import shared_queue, slow_queue
from ui.kit.explanation_cache import heat_map
from ui.kit.model_cache import ModelKey, load_model
from ui.kit.photo_files import Photo


class SanityCheck:
    """Sanity checks of one map, running or finished.

    Attributes
    ----------
    share : float
        Progress, 0 to 1.
    future : Future of Trust
    """

    future: "Future[Trust]"

    def __init__(self) -> None:
        self.share = 0.0

    def report(self, share: float) -> None:
        """Note the progress, and let photos that wait for an answer go first."""
        self.share = share
        shared_queue().give_way()


def sanity_check(key: ModelKey, photo: Photo, question: Question) -> SanityCheck:
    """Sanity checks of a map, started in the background on the first call.

    Raises
    ------
    BusyError
        Too many checks are waiting.
    SneakerError
        The checks failed; the next call starts them again.
    """
    asked = (key.folder, key.version, photo.digest, question)
    found = _sanity_check(*asked, photo)
    if found.future.done() and found.future.exception() is not None:
        _sanity_check.clear(*asked, photo)
        found.future.result()
    return found


@st.cache_resource(max_entries=100, show_spinner=False)
def _sanity_check(folder: str, version: str, digest: str, question: Question, _photo: Photo) -> SanityCheck:
    key, found = ModelKey(folder, version), SanityCheck()
    heat = heat_map(key, _photo, question.target or "", question.method, question.versus, question.layer)
    model = load_model(key)
    seen = images.decode(_photo.data, shrink_to=model.spec.preprocessing.shrink_to)
    found.future = slow_queue().submit(check_trust, model, seen, question, heat, found.report)
    return found
