"""Clips: follow the sneakers through a clip, and name each."""

import streamlit as st

from sneaker_core.video.clip_collection import clips_of
from sneaker_core.workspace.paths import workspace
from ui.clips.clip_picker import choose_clip
from ui.clips.clip_progress import draw_unfinished
from ui.clips.clip_start import draw_start
from ui.clips.clip_view import draw_clip
from ui.kit.model_picker import installed_models
from ui.kit.page_frame import end_page, page_body

ABOUT = "Upload a clip: each sneaker in it is followed from frame to frame and named by its clearest frames."

with page_body("Clips", ABOUT, makes_changes=True):
    models = installed_models()
    if not models:
        end_page()
    clips = clips_of(workspace()).list()
    draw_start(models, is_first=not clips)
    clip = choose_clip(clips)
    if clip is None:
        if not clips:
            st.caption("No clips yet. No clip at hand? Press **Draw a sample clip**.")
        end_page()
    if clip.found is None:
        draw_unfinished(clip)
    else:
        draw_clip(clip, clip.found)
