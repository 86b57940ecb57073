"""What was found in a clip: the verdict on each sneaker, its best frames, a timeline and the marked video."""

from functools import partial
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from sneaker_core.number_text import counted
from sneaker_core.records.clip_records import ClipFile, TrackRecord
from sneaker_core.video.clip_collection import ANSWERS_FILE, VIDEO_FILE, Clip
from sneaker_core.video.clip_results import NOTHING_FOUND
from sneaker_core.video.timeline_chart import timeline
from ui.clips.clips_keys import Key
from ui.kit.charts import PALETTE, draw_chart
from ui.kit.page_frame import draw_finding
from ui.kit.text import escape_markdown, probability_text, size_text

_HOW = (
    "The answer rests on the clearest frames. It is calibrated like one to several photos of a sneaker; frames of one "
    "clip have more in common, so take it with care."
)
_NOTHING_HELP = "Sneakers that are small, blurred or seen for less than half a second aren't followed."


def draw_clip(clip: Clip, found: ClipFile) -> None:
    """Draw the section.

    Parameters
    ----------
    clip : Clip
    found : ClipFile
        What was found in it.
    """
    draw_finding(escape_markdown(_finding(found)), help=_HOW if found.tracks else None)
    st.caption(escape_markdown(_facts(found)))
    if not found.tracks:
        st.info(_NOTHING_HELP, icon=":material/info:")
    columns = st.columns([3, 2], gap="large") if found.tracks else [st.container()]
    with columns[0]:
        _draw_video(clip)
    if not found.tracks:
        return
    with columns[1]:
        for track in found.tracks:
            _draw_track(clip, track, alone=len(found.tracks) == 1)
    draw_chart(timeline(found, PALETTE), Key.CLIP_CHART)


def _finding(found: ClipFile) -> str:
    if not found.tracks:
        return NOTHING_FOUND
    if len(found.tracks) == 1:
        return f"{found.tracks[0].sentence}."
    return f"{len(found.tracks)} sneakers in this clip"


def _facts(found: ClipFile) -> str:
    size = f"{found.width} x {found.height}"
    return f"{found.seconds:.1f} seconds · {size} · {counted(found.frames, 'frame')} · answers by {found.model}"


def _draw_video(clip: Clip) -> None:
    with st.container(gap="small"):
        if clip.video.is_file():
            st.video(str(clip.video), format="video/webm", loop=True)
        else:
            st.warning("The marked video is missing.", icon=":material/error:")
        with st.container(horizontal=True):
            _draw_download("Marked video", clip.video, f"{clip.name} {VIDEO_FILE}", "video/webm", Key.CLIP_SAVE_VIDEO)
            answers = f"{clip.name} {ANSWERS_FILE}"
            _draw_download("Answers (CSV)", clip.answers, answers, "text/csv", Key.CLIP_SAVE_ANSWERS)


def _draw_download(label: str, path: Path, name: str, mime: str, key: Key) -> None:
    if not path.is_file():
        return
    st.download_button(
        f"{label}, {size_text(path.stat().st_size)}",
        partial(_open, path),
        name,
        mime,
        key=key,
        on_click="ignore",
        icon=":material/download:",
    )


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


def _draw_track(clip: Clip, track: TrackRecord, *, alone: bool) -> None:
    with st.container(border=True, gap="small"):
        if not alone:
            st.subheader(f"{track.number}: {escape_markdown(track.sentence)}", anchor=False)
        guesses = track.votes[-1].top if track.status != "unknown" else []
        if guesses:
            chances = (f"{escape_markdown(one.label)} {probability_text(one.probability)}" for one in guesses)
            st.markdown(" · ".join(chances))
        seen = f"Seen from {track.first:.1f} to {track.last:.1f} s, in {counted(track.frames, 'frame')}."
        st.caption(escape_markdown(" ".join(filter(None, [seen, track.agreement and f"{track.agreement}."]))))
        if track.warning:
            st.warning(escape_markdown(track.warning), icon=":material/warning:")
        pictures = [
            (frame, picture)
            for frame, picture in zip(track.best, clip.pictures(track), strict=True)
            if picture.is_file()
        ]
        if pictures:
            with st.grid(len(pictures), min_column_width=56, gap="small"):
                for frame, picture in pictures:
                    st.image(str(picture), width="stretch", caption=f"{frame.time:.1f} s", alt=f"At {frame.time:.1f} s")
