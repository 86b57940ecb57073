"""What was found in a clip, for people and programs: a table with a row per frame and track, and a summary."""

import csv
import io
import time
from typing import TYPE_CHECKING, Any

from sneaker_core.csv_cells import escape_formula
from sneaker_core.records.clip_records import ClipFile
from sneaker_core.records.reading import checked

if TYPE_CHECKING:
    from sneaker_core.inference.predictor import Answer
    from sneaker_core.video.follow_clip import FollowedClip, FollowedTrack

FORMAT = 1
_COLUMNS = ("frame", "time", "track", "left", "top", "right", "bottom", "status", "label", "probability")
NOTHING_FOUND = "No sneaker was found in this clip."
_MOST_GUESSES = 3


def answer_rows(clip: "FollowedClip") -> list[dict[str, Any]]:
    """A row per frame and track: the box in pixels of the clip, and the answer as it was at that time."""
    width, height = clip.facts.width, clip.facts.height
    rows = []
    for number, moment in enumerate(clip.times):
        for track in clip.tracks:
            if (box := track.boxes.get(number)) is None:
                continue
            answer = track.vote_at(moment).answer.answer
            edges = (box.left * width, box.top * height, box.right * width, box.bottom * height)
            best = None if answer.refused or not answer.top else answer.top[0]
            values = (
                number,
                round(moment, 3),
                track.number,
                *(round(edge, 1) for edge in edges),
                answer.status.value,
                best.label if best else "",
                round(best.probability, 4) if best else "",
            )
            rows.append(dict(zip(_COLUMNS, values, strict=True)))
    return rows


def answers_csv(clip: "FollowedClip") -> bytes:
    """The rows of `answer_rows` as a CSV file, in UTF-8."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "label": escape_formula(row["label"])} for row in answer_rows(clip))
    return text.getvalue().encode(errors="replace")


def picture_name(track: "FollowedTrack", place: int) -> str:
    """The file name of a best frame."""
    return f"track-{track.number}-{place + 1}.jpg"


def summary(clip: "FollowedClip", file: str, model: str) -> ClipFile:
    """What was found, as it is stored and printed.

    Parameters
    ----------
    clip : FollowedClip
    file : str
        Name of the clip's file.
    model : str
        Name of the model.
    """
    values = {
        "format": FORMAT,
        "file": file,
        "model": model,
        "created": time.time(),
        "seconds": round(clip.seconds, 3),
        "fps": round(clip.facts.fps, 3),
        "width": clip.facts.width,
        "height": clip.facts.height,
        "frames": len(clip.times),
        "tracks": [_track(clip, track) for track in clip.tracks],
    }
    return checked(values, ClipFile, file)


def _track(clip: "FollowedClip", track: "FollowedTrack") -> dict[str, Any]:
    answer, frames = track.answer, sorted(track.boxes)
    return {
        "number": track.number,
        "first": round(clip.times[frames[0]], 3),
        "last": round(clip.times[frames[-1]], 3),
        "frames": len(frames),
        "status": answer.answer.status.value,
        "sentence": answer.answer.sentence(),
        "votes": [{"time": round(vote.time, 3), **_vote(vote.answer.answer)} for vote in track.votes],
        "best": [
            {
                "time": round(look.time, 3),
                "picture": picture_name(track, place),
                "box": [round(edge, 4) for edge in look.box.inside()],
            }
            for place, look in enumerate(track.best)
        ],
        "agreement": answer.agreement(),
        "warning": answer.warning(),
    }


def _vote(answer: "Answer") -> dict[str, Any]:
    top = [{"label": one.label, "probability": round(min(one.probability, 1.0), 4)} for one in answer.top]
    return {"status": answer.status.value, "sentence": answer.sentence(), "top": top[:_MOST_GUESSES]}
