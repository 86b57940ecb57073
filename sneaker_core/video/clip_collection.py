"""The clips of a workspace, each a folder.

::

    <workspace>/clips/<id>/
      source/<name>      the clip itself
      clip.json          what was found; written last
      answers.csv        a row per frame and track
      marked.webm        the marked video
      best/              the frames that answers rest on
      job/               the job that follows the sneakers
    <workspace>/bin/clips/<id>/     a deleted clip
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import to_builtins

from sneaker_core.errors import ClipError, DamagedError, SpaceError
from sneaker_core.records.clip_records import ClipFile, TrackRecord
from sneaker_core.records.reading import find_record
from sneaker_core.workspace.atomic_files import write_atomically, write_json
from sneaker_core.workspace.clean_names import clean_name
from sneaker_core.workspace.collection import Collection
from sneaker_core.workspace.collection_spec import CollectionSpec, read_name
from sneaker_core.workspace.job_record import JOB_FILE
from sneaker_core.workspace.jobs import Job, Worker, find_job, start_job
from sneaker_core.workspace.paths import clip_job_folder
from sneaker_core.workspace.read_only import check_changeable
from sneaker_core.workspace.safe_names import safe_folder_name

CLIP_FILE, ANSWERS_FILE, VIDEO_FILE = "clip.json", "answers.csv", "marked.webm"
_SOURCE, _BEST = "source", "best"
_COPIED = 1 << 20


@dataclass(frozen=True)
class Clip:
    """A clip of the workspace.

    Attributes
    ----------
    folder : Path
    name : str
        Its display name.
    job : Job or None
        The job that follows the sneakers.
    found : ClipFile or None
        What was found; None while it isn't finished.
    """

    folder: Path
    name: str
    job: Job | None
    found: ClipFile | None

    @property
    def id(self) -> str:
        """The name of its folder: the same for life."""
        return self.folder.name

    @property
    def is_running(self) -> bool:
        """Whether its job is."""
        return self.job is not None and not self.job.state.ended

    @property
    def video(self) -> Path:
        """The marked video."""
        return self.folder / VIDEO_FILE

    @property
    def answers(self) -> Path:
        """The table of answers."""
        return self.folder / ANSWERS_FILE

    def pictures(self, track: TrackRecord) -> list[Path]:
        """The pictures of a track's best frames."""
        return [self.folder / _BEST / Path(frame.picture).name for frame in track.best]


def _read(folder: Path) -> Clip:
    try:
        found = find_record(folder / CLIP_FILE, ClipFile)
    except DamagedError as error:
        raise ClipError(f"{error} Follow the clip again.") from None
    job = find_job(clip_job_folder(folder))
    return Clip(folder, read_name(folder), job, None if job is not None and not job.state.ended else found)


def _started(clip: Clip) -> float:
    return clip.found.created if clip.found else clip.job.started if clip.job else 0.0


_SPEC = CollectionSpec[Clip](
    kind="clips",
    noun="clip",
    plural="clips",
    error=ClipError,
    holds_item=lambda folder: (folder / CLIP_FILE).exists() or (clip_job_folder(folder) / JOB_FILE).exists(),
    read=_read,
    is_busy=lambda clip: clip.is_running,
    order=lambda clip: (-_started(clip), clip.id),
)


def clips_of(workspace: Path) -> Collection[Clip]:
    """The clips of a workspace as a collection."""
    return Collection(workspace, _SPEC)


def start_following(workspace: Path, file_name: str, source: BinaryIO | None, model: str) -> str:
    """Store a clip in the workspace and follow the sneakers in it, in the background.

    Parameters
    ----------
    workspace : Path
    file_name : str
        Name of the clip's file.
    source : binary file or None
        The clip; None to draw a sample.
    model : str
        From `model_registry.model_reference`.

    Returns
    -------
    str
        The clip's display name.

    Raises
    ------
    ClipError
        The file isn't a video, or too large.
    SpaceError
        It can't be stored.
    ReadOnlyError
        SoleScope is read-only.
    """
    check_changeable()
    clips = clips_of(workspace)
    name = clips.free_name(safe_folder_name(clean_name(Path(file_name).stem)).lstrip("-") or "clip")
    folder = clips.create(name)
    try:
        if source is not None:
            _store(folder / _SOURCE / _stored_name(file_name), source)
        params = {"clip": folder.name, "model": model}
        start_job(clip_job_folder(folder), "follow", params, title=f"Following {name}", workspace=workspace)
    except BaseException:
        _withdraw(folder)
        raise
    return name


def _stored_name(file_name: str) -> str:
    suffix = Path(file_name).suffix.casefold()
    return f"clip{suffix}" if suffix[1:].isalnum() and suffix.isascii() else "clip"


def _store(path: Path, source: BinaryIO) -> None:
    """Store the clip if it may be one."""
    from sneaker_core.video.clip_reader import check_file

    try:
        path.parent.mkdir(parents=True)
        with path.open("wb") as file:
            while part := source.read(_COPIED):
                file.write(part)
    except OSError as error:
        raise SpaceError(f"Can't store the clip in {path.parent}: {error.strerror}.") from error
    check_file(path)


def _withdraw(folder: Path) -> None:
    """Remove the folder of a clip that was never followed: what was uploaded is still where it came from."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def run_follow_job(workspace: Path, params: Mapping[str, Any], worker: Worker) -> None:
    """Follow the sneakers in a clip; params: "clip", its id, and "model"."""
    from sneaker_core.networks.bundled_models import DEFAULT_MODEL
    from sneaker_core.networks.checkpoint import load_model
    from sneaker_core.networks.model_registry import find_model_by_reference
    from sneaker_core.video.clip_results import answers_csv, picture_name, summary
    from sneaker_core.video.follow_clip import follow_clip
    from sneaker_core.video.marked_video import write_marked_video

    clip = clips_of(workspace).find_by_id(params["clip"])
    worker.report(0, 0, "Loading the model")
    model = load_model(find_model_by_reference(workspace, params.get("model") or DEFAULT_MODEL))
    source = _source(clip.folder, worker)
    found = follow_clip(model, source, report=worker.report, stopped=worker.stopped)
    write_marked_video(found, source, clip.video, report=worker.report, stopped=worker.stopped)
    for track in found.tracks:
        for place, look in enumerate(track.best):
            write_atomically(clip.folder / _BEST / picture_name(track, place), look.picture)
    write_atomically(clip.answers, answers_csv(found))
    record = summary(found, source.name, model.spec.name)
    write_json(clip.folder / CLIP_FILE, to_builtins(record))
    worker.result = {"tracks": len(found.tracks), "seconds": record.seconds}
    for track in found.tracks:
        worker.log(f"Track {track.number}: {track.answer.answer.sentence()}")


def _source(folder: Path, worker: Worker) -> Path:
    """The clip's file; a sample is drawn first."""
    from sneaker_core.video.sample_clip import SAMPLE_NAME, write_sample_clip

    with contextlib.suppress(OSError):
        files = sorted((folder / _SOURCE).iterdir())
        if files:
            return files[0]
    worker.report(0, 0, "Drawing the sample clip")
    path = folder / _SOURCE / SAMPLE_NAME
    path.parent.mkdir(exist_ok=True)
    write_sample_clip(path)
    return path
