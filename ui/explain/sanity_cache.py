"""Sanity checks of maps, run in the background and kept."""

from concurrent.futures import Future

import streamlit as st

from sneaker_core.decoding import photo_decoder
from sneaker_core.images import Photo
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest
from sneaker_core.inference.explanation.sanity_checks import SanityCheck, run_sanity_check
from sneaker_core.inference.model_service import shared_queue, slow_queue
from ui.kit.explanation_cache import explain
from ui.kit.model_cache import ModelKey, load_model


class RunningCheck:
    """The sanity check of one map, running or finished.

    Attributes
    ----------
    share : float
        Progress, 0 to 1.
    future : Future of SanityCheck
    """

    future: "Future[SanityCheck]"

    def __init__(self) -> None:
        self.share = 0.0

    def report(self, share: float) -> None:
        """Note the progress, and let photos that wait for an answer go first."""
        self.share = share
        shared_queue().wait_until_idle()


def sanity_check(key: ModelKey, photo: Photo, request: ExplanationRequest) -> RunningCheck:
    """The sanity check of a map, started in the background on the first call.

    Raises
    ------
    BusyError
        Too many checks are waiting.
    SneakerError
        The check failed; the next call starts it again.
    """
    cached = (key.folder, key.version, photo.digest, request.map_only())
    running = _sanity_check(*cached, photo)
    if running.future.done() and running.future.exception() is not None:
        _sanity_check.clear(*cached, photo)
        running.future.result()
    return running


@st.cache_resource(max_entries=100, show_spinner=False)
def _sanity_check(folder: str, version: str, digest: str, request: ExplanationRequest, _photo: Photo) -> RunningCheck:
    key, running = ModelKey(folder, version), RunningCheck()
    heat = explain(key, _photo, request).heat
    assert heat is not None
    model = load_model(key)
    seen = photo_decoder.decode(_photo.data, shrink_to=model.spec.preprocessing.shrink_to)
    running.future = slow_queue().submit(run_sanity_check, model, seen, request, heat, running.report)
    return running
