"""The clip with a box around each sneaker, and what the model takes it for at that time."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from sneaker_core.card_text import write_line
from sneaker_core.errors import StoppedError
from sneaker_core.inference.predictor import Answer
from sneaker_core.number_text import percent
from sneaker_core.settings import ClipLimits
from sneaker_core.video.boxes import Box, Pixels
from sneaker_core.video.clip_reader import ClipReader
from sneaker_core.video.follow_clip import FollowedClip
from sneaker_core.video.track_colors import track_color
from sneaker_core.video.video_writer import written_video

_LONGEST_SIDE, _MOST_FPS = 640, 15.0
_UNKNOWN_TEXT = "unknown"


def write_marked_video(
    clip: FollowedClip,
    source: Path,
    target: Path,
    *,
    limits: ClipLimits | None = None,
    report: Callable[..., None] = lambda *progress: None,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Write the marked video; it plays as fast as the clip and has no sound.

    Parameters
    ----------
    clip : FollowedClip
    source : Path
        The clip.
    target : Path
        Ends in .webm or .mp4.
    limits, report, stopped
        As for `follow_clip`.

    Raises
    ------
    ClipError
        The clip can't be read any more, or the video can't be written.
    StoppedError
        It was stopped.
    """
    fps = min(clip.facts.fps, _MOST_FPS)
    share = min(_LONGEST_SIDE / max(clip.facts.width, clip.facts.height), 1.0)
    # Encoders want even sides.
    size = (max(round(clip.facts.width * share / 2), 8) * 2, max(round(clip.facts.height * share / 2), 8) * 2)
    number, written = -1, 0
    shown: Pixels | None = None
    with ClipReader(source, _LONGEST_SIDE, limits) as reader, written_video(target, fps, size) as video:
        for frame in reader.frames(1 / fps):
            if stopped():
                raise StoppedError(f"Marking {source.name} was stopped.")
            # A frame is shown until the next one: clips from phones have no even pace.
            while shown is not None and written / fps < frame.time - 0.5 / fps:
                video.write(shown)
                written += 1
            number += 1 + len(frame.skipped)
            shown = _marked(clip, number, frame.time, frame.pixels, size)
            report(number, len(clip.times), "Making the video")
        while shown is not None and written < max(round(clip.seconds * fps), 1):
            video.write(shown)
            written += 1


def _marked(clip: FollowedClip, number: int, time: float, pixels: Pixels, size: tuple[int, int]) -> Pixels:
    picture = Image.fromarray(pixels).resize(size)
    pen = ImageDraw.Draw(picture)
    for track in clip.tracks:
        if (box := track.boxes.get(number)) is not None:
            answer = track.vote_at(time).answer.answer
            _draw_box(pen, box, size, f"{track.number}  {_short(answer)}", track_color(track.number))
    return np.asarray(picture, dtype=np.uint8)


def _short(answer: Answer) -> str:
    if answer.refused or not answer.top:
        return _UNKNOWN_TEXT
    best = answer.top[0]
    doubt = "" if answer.status.value == "known" else "?"
    return f"{best.label}{doubt} {percent(min(best.probability, 0.99))}"


def _draw_box(pen: ImageDraw.ImageDraw, box: Box, size: tuple[int, int], text: str, color: str) -> None:
    left, top, right, bottom = box.pixels(*size)
    line = max(size[0] // 200, 2)
    pen.rectangle((left, top, right, bottom), outline=color, width=line)
    letters = max(min(size) // 24, 11)
    wide = min(max(right - left, 13 * letters), size[0])
    tall = letters + 6
    x = min(left, size[0] - wide)
    y = top - tall if top >= tall else min(bottom, size[1] - tall)
    pen.rectangle((x, y, x + wide, y + tall), fill=color)
    write_line(pen, (x + 4, y + tall / 2), text, letters, color="#ffffff", bold=True, most=wide - 8)
