"""Where photos come from: a drop zone for files and pasted pictures, the camera, and sample photos."""

import streamlit as st

from sneaker_core.images import FORMATS, Photo
from ui.identify.chosen_photos import arrive, leave_samples, with_photos_before
from ui.identify.identify_keys import Key
from ui.kit.kept_uploads import KEPT_NOTE
from ui.kit.paste_photos import accept_pasted_photos
from ui.kit.photo_files import upload_cap, uploaded_photos
from ui.kit.visit import camera_note

_LABEL = "Drop a photo here, paste it, or choose one"
# The camera's button is round, and before the drop zone on a phone. The drop zone's height is reserved, as the browser
# loads it late. The choice of a model comes after the answers, which would move it.
_STYLE = f"""<style>
.st-key-{Key.CAMERA_BUTTON} button {{width: 3.5rem; height: 3.5rem; padding: 0; border-radius: 50%;}}
.st-key-{Key.CAMERA_BUTTON} {{position: relative;}}
.st-key-{Key.CAMERA_BUTTON} button [data-testid=stMarkdownContainer] {{
    position: absolute; width: 1px; height: 1px; overflow: hidden;}}
.st-key-{Key.DROP} {{flex: 1 1 60%; min-height: 10.75rem;}}
.st-key-{Key.DROP} section {{min-height: 9rem; align-items: center;}}
@media (max-width: 640px) {{.st-key-{Key.CAMERA_BUTTON} {{order: -1; margin: 0 auto;}}}}
body:not(:has(.st-key-{Key.STATUS} [role=status]))
    .st-key-{Key.MODEL_CHOICE}:not(:has([data-testid=stAlert])):not(:focus-within) {{display: none;}}
</style>"""
# Once there are photos, the answer needs the space; what was there goes before it comes, or it would move the answer.
_STRIP = f"""
.st-key-{Key.HOME} {{display: none;}}
.st-key-{Key.DROP} {{min-height: 0;}}
.st-key-{Key.DROP} section {{min-height: 0; padding: 0.25rem 0.75rem;}}
.st-key-{Key.DROP} [data-testid=stFileUploaderDropzoneInstructions] {{display: none;}}
.st-key-{Key.DROP} [data-testid=stWidgetLabel] {{height: 0; min-height: 0; overflow: hidden;}}
.st-key-{Key.CAMERA_BUTTON} button {{width: 2.75rem; height: 2.75rem; min-height: 2.75rem;}}
@media (max-width: 640px) {{.st-key-{Key.CAMERA_BUTTON} {{order: 0; margin: 0;}}}}
"""
# From the moment on in which the browser lists a file that it can send.
_LISTED = f"""<style>
body:has(.st-key-{Key.DROP} [data-testid=stFileChip]):not(:has([data-testid=stFileChipIconError])) {{
{_STRIP}}}
</style>"""


def choose_photos() -> list[Photo]:
    """Draw the drop zone and the camera; returns the photos to answer."""
    arrive()
    st.html(_STYLE + _LISTED)
    accept_pasted_photos(Key.DROP)
    with st.container(horizontal=True, vertical_alignment="center", key=Key.INPUT):
        with st.container(key=Key.DROP):
            uploads = st.file_uploader(
                _LABEL,
                # No `type=`: it checks the file name only. `images` checks the content and explains what is wrong.
                accept_multiple_files=True,
                max_upload_size=upload_cap(),
                key=Key.UPLOADS,
                on_change=leave_samples,
                help=f"One or more photos: {', '.join(FORMATS)}. {KEPT_NOTE}",
            )
        _draw_camera_button()
    camera = None
    if st.session_state.get(Key.CAMERA_ON):
        camera = st.camera_input("Take a photo of the sneaker", key=Key.CAMERA, on_change=leave_samples)
        st.caption(camera_note())
    photos = with_photos_before(uploaded_photos(uploads, camera))
    if photos:
        st.html(f"<style>{_STRIP}</style>")
    return photos


def _draw_camera_button() -> None:
    is_on = bool(st.session_state.get(Key.CAMERA_ON))
    st.button(
        # Unseen: the button is round.
        "Close the camera" if is_on else "Use the camera",
        key=Key.CAMERA_BUTTON,
        icon=":material/close:" if is_on else ":material/photo_camera:",
        type="secondary" if is_on else "primary",
        # The browser asks for permission only after this.
        on_click=_switch_camera,
    )


def _switch_camera() -> None:
    st.session_state[Key.CAMERA_ON] = not st.session_state.get(Key.CAMERA_ON)
