"""The form that starts following: a clip, or a drawn sample, and the model."""

import math

import streamlit as st
from streamlit.typing import UploadedFile

from sneaker_core.networks.bundled_models import SYNTHETIC_MODEL
from sneaker_core.networks.model_registry import ModelEntry, model_reference
from sneaker_core.settings import ClipLimits
from sneaker_core.video.clip_collection import start_following
from sneaker_core.video.sample_clip import SAMPLE_NAME
from sneaker_core.workspace.paths import workspace
from ui.clips.clips_keys import Key
from ui.kit.address import choose_next
from ui.kit.changes import change_button
from ui.kit.job_panel import attempt
from ui.kit.model_picker import choose_model

_ENDINGS = ["mp4", "m4v", "mov", "webm", "mkv", "avi", "3gp"]


def draw_start(models: list[ModelEntry], *, is_first: bool) -> None:
    """Draw the form.

    Parameters
    ----------
    models : list of ModelEntry
        At least one.
    is_first : bool
        Whether there is no clip yet, so the form is what the page is about.
    """
    with st.expander("New clip", icon=":material/add:", expanded=is_first, key=Key.CLIP_NEW):
        limits = ClipLimits.from_environment()
        upload = st.file_uploader(
            "Clip with sneakers",
            type=_ENDINGS,
            # In units of 2**20 bytes; the core checks the exact limit, which is set in millions.
            max_upload_size=math.ceil(limits.max_bytes / 1e6),
            key=Key.CLIP_UPLOAD,
            help=f"At most {limits.max_seconds:g} seconds. The clip is kept in the workspace until you delete it.",
        )
        model = choose_model(models)
        with st.container(horizontal=True):
            change_button(
                "Follow the sneakers",
                key=Key.CLIP_START,
                type="primary",
                icon=":material/play_arrow:",
                disabled=upload is None,
                on_click=_start,
                args=(model, upload),
            )
            change_button(
                "Draw a sample clip",
                key=Key.CLIP_SAMPLE,
                icon=":material/draw:",
                help=f"Draws a few seconds with two sneakers and follows them with {SYNTHETIC_MODEL}.",
                on_click=_start,
                args=(model, None),
            )


def _start(model: ModelEntry, upload: UploadedFile | None) -> None:
    def start() -> None:
        name = SAMPLE_NAME if upload is None else upload.name
        # The drawn sneakers are those that the synthetic model knows.
        reference = SYNTHETIC_MODEL if upload is None else model_reference(workspace(), model.folder)
        choose_next(Key.CLIP, start_following(workspace(), name, upload, reference))

    attempt(start)
