"""A drawn clip as a video file: something to try on a fresh machine, and what following is measured on."""

from pathlib import Path

from sneaker_core.datasets.synthetic.drawn_clips import ClipPlan, DrawnFrame, Scene, draw_clip, plan_clip
from sneaker_core.video.video_writer import written_video

SAMPLE_NAME = "Sample clip.mp4"
_SAMPLE_LABELS = ("Chunky Runner", "Court Low")
_SAMPLE_SIZE, _SAMPLE_SEED, _SAMPLE_FPS = (480, 360), 5, 20.0


def write_drawn_clip(path: Path, plan: ClipPlan) -> list[DrawnFrame]:
    """Draw a clip into a video file; returns its frames with the boxes around the sneakers.

    Raises
    ------
    ClipError
        The file can't be written.
    """
    frames = []
    with written_video(path, plan.fps, plan.size, quick=True) as video:
        for frame in draw_clip(plan):
            video.write(frame.pixels)
            frames.append(frame)
    return frames


def write_sample_clip(path: Path) -> None:
    """Draw two sneakers that pass each other."""
    write_drawn_clip(
        path, plan_clip(Scene.CROSSING, _SAMPLE_LABELS, seed=_SAMPLE_SEED, fps=_SAMPLE_FPS, size=_SAMPLE_SIZE)
    )
