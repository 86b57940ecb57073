"""A process that decodes a clip with OpenCV's FFmpeg, frame by frame as it is asked to.

It ends when its input ends, which also happens if the process that started it is killed. FFmpeg may open files only,
and only as one of a few kinds: a playlist, for example, could name other files, or addresses.
"""

import faulthandler
import os
from typing import Any

from sneaker_core.decoding.decoder_messages import Message, read_message, write_message
from sneaker_core.decoding.worker_setup import set_up_worker

# Time, in seconds beyond the limit, after which it ends by itself: whoever should have ended it is gone.
_GRACE = 2.0
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi"
_OPTIONS = f"protocol_whitelist;file|format_whitelist;{_FORMATS}"


class _Clip:
    """An opened clip."""

    def __init__(self, path: str, longest_side: int, max_pixels: int) -> None:
        import cv2

        self._cv2 = cv2
        self._capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        self._side, self._max_pixels = longest_side, max_pixels
        self._read, self._last, self._rate = 0, -1.0, 0.0

    def facts(self) -> dict[str, Any]:
        cv2, found = self._cv2, self._capture
        if not found.isOpened():
            return {"error": "unreadable"}
        width, height = int(found.get(cv2.CAP_PROP_FRAME_WIDTH)), int(found.get(cv2.CAP_PROP_FRAME_HEIGHT))
        rate = found.get(cv2.CAP_PROP_FPS)
        self._rate = rate if 0.1 < rate < 1000 else 25.0
        frames = found.get(cv2.CAP_PROP_FRAME_COUNT)
        return {"size": [width, height], "fps": self._rate, "frames": max(int(frames), 0) if frames < 1e9 else 0}

    def next(self, not_before: float) -> Message:
        """The next frame from a time on, and the times of those before it."""
        cv2, skipped = self._cv2, list[float]()
        while True:
            if not self._capture.grab():
                return Message({"end": True, "skipped": skipped})
            time = self._time()
            if time >= not_before:
                break
            skipped.append(time)
        worked, pixels = self._capture.retrieve()
        if not worked or pixels is None or pixels.ndim != 3:
            return Message({"end": True, "skipped": skipped})
        height, width = pixels.shape[:2]
        if height * width > self._max_pixels:  # the size may change within a clip
            return Message({"error": "pixels"})
        share = self._side / max(height, width)
        if share < 1:
            size = (max(round(width * share), 1), max(round(height * share), 1))
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
        shown = [rgb.shape[1], rgb.shape[0]]
        return Message({"time": time, "skipped": skipped, "size": shown}, rgb.tobytes())

    def _time(self) -> float:
        """The time of the frame that was grabbed, in seconds; of broken timestamps, by the frame rate."""
        told = self._capture.get(self._cv2.CAP_PROP_POS_MSEC) / 1000
        counted = self._last + 1 / self._rate if self._read else 0.0
        time = told if self._last < told < self._last + 3600 else counted
        self._read, self._last = self._read + 1, time
        return time


def main() -> None:
    """Decode until the input ends."""
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = _OPTIONS
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    requests, answers = set_up_worker()
    clip: _Clip | None = None
    while (request := read_message(requests)) is not None:
        head = request.head
        # A thread in C, which ends the process even while a decoder holds Python's lock.
        faulthandler.dump_traceback_later(float(head["seconds"]) + _GRACE, exit=True)
        if "path" in head:
            clip = _Clip(head["path"], head["side"], head["max_pixels"])
            answer = Message(clip.facts())
        else:
            answer = clip.next(head["not_before"]) if clip is not None else Message({"error": "unreadable"})
        faulthandler.cancel_dump_traceback_later()
        write_message(answers, answer)


if __name__ == "__main__":
    main()
