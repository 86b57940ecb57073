"""Teach a model new sneakers by example, in seconds and without training; and make it forget them again.

A few photos of a sneaker become a class of a copy of a model; see `networks.imprinting`. The copy is an item among the
runs, with a model and without a training, so it is listed, renamed, deleted and restored like one.
"""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sneaker_core.datasets.photo_folder import sample_id
from sneaker_core.decoding import photo_decoder
from sneaker_core.errors import DatasetError, ImageError, RunError, UnknownLabelError
from sneaker_core.images import Photo, read_bytes
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.decision import Floats
from sneaker_core.networks.model_registry import find_model
from sneaker_core.number_text import counted
from sneaker_core.training.lesson import Lesson, lesson_of
from sneaker_core.training.run_collection import Run, runs_of
from sneaker_core.training.run_record import FORMAT
from sneaker_core.training.taught_model import (
    TaughtModel,
    TaughtSneaker,
    changing,
    is_taught,
    read_taught,
    taught_summary,
    write_taught,
)
from sneaker_core.workspace.atomic_files import write_json
from sneaker_core.workspace.clean_names import clean_name, name_key
from sneaker_core.workspace.paths import RUN_FILE, run_model_folder, runs_folder

FEWEST_PHOTOS, RECOMMENDED_PHOTOS, MOST_PHOTOS = 3, 10, 50
LONGEST_NAME = 100

# Called after each photo that was looked at.
Progress = Callable[[], None]


@dataclass(frozen=True)
class Teaching:
    """A model that was taught, and what came of it."""

    model: str
    folder: Path
    base: str
    lessons: tuple[Lesson, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        lessons = [lesson.to_dict() for lesson in self.lessons]
        return {"model": self.model, "folder": str(self.folder), "base": self.base, "sneakers": lessons}


@dataclass(frozen=True)
class _Learned:
    """A model that was shown photos, with those that were used and rejected, by sneaker."""

    taught: TaughtModel
    used: dict[str, tuple[str, ...]]
    rejected: dict[str, dict[str, str]]


def teach(
    workspace: Path,
    sneakers: Mapping[str, Sequence[Photo | Path]],
    model: str = DEFAULT_MODEL,
    *,
    new_name: str | None = None,
    empty: bool = False,
    progress: Progress = lambda: None,
) -> Teaching:
    """Teach a copy of a model new sneakers, or a taught model more.

    Photos of a sneaker that was taught before are added to those from then.

    Parameters
    ----------
    workspace : Path
    sneakers : mapping
        Name -> photos: 3 to 10 are recommended, at most 50 are used.
    model : str
        As for `find_model`; it is not changed, unless it was taught itself and there is no other name.
    new_name : str, optional
        Name of the taught model. If there is one of that name, taught from the same base, the sneakers are added to it.
    empty : bool
        Whether the model shall know only what it is taught: only the embeddings of `model` are used.
    progress : callable, optional

    Raises
    ------
    DatasetError
        A sneaker has too few or too many photos, or its name can't be used.
    RunError
        The model can't have that name.
    ModelNotFoundError, CheckpointError, DamagedError
        The model can't be read.
    """
    source = find_model(workspace, model)
    _check_target(workspace, source, model, new_name, empty)
    before = read_taught(source)
    run = None if new_name is None else _taught_run(workspace, new_name)
    if run is None and new_name is not None:
        learned = _learn(before, sneakers, empty, progress)
        return _write_new(workspace, learned, source, new_name)
    folder = source.parent if run is None else run.folder
    with changing(folder):
        own = run_model_folder(folder)
        mine = read_taught(own)
        if run is not None:
            _check_same_start(run.name, mine, before, model, empty)
        return _write(_learn(mine, sneakers, False, progress), own, folder, mine.model.spec.name)


def forget(workspace: Path, name: str, model: str) -> tuple[str, ...]:
    """Make a taught model forget a sneaker: it then answers as if it had never been taught. `recall` undoes this.

    Returns
    -------
    tuple of str
        The sneakers that it was taught and still knows.

    Raises
    ------
    UnknownLabelError
        The model was not taught a sneaker of that name.
    DatasetError
        It would know fewer than two sneakers.
    ModelNotFoundError, CheckpointError, DamagedError
        The model can't be read.
    """
    source = find_model(workspace, model)
    if not is_taught(source):
        raise UnknownLabelError(f"{model} was not taught any sneakers; what it knows, it was trained on.")
    with changing(source.parent):
        taught = read_taught(source)
        wanted = clean_name(name)
        left = tuple(one for one in taught.sneakers if one.name != wanted)
        gone = next((one for one in taught.sneakers if one.name == wanted), None)
        if gone is None:
            known = ", ".join(one.name for one in taught.sneakers) or "none"
            raise UnknownLabelError(f"{model} was not taught {name!r}. Sneakers that it was taught: {known}.")
        if taught.known + len(left) < 2:
            raise DatasetError(f"{model} would know fewer than two sneakers. Delete the whole model instead.")
        kept = {one.name: one for one in taught.forgotten}
        kept[wanted] = gone.with_photos_of(kept[wanted]) if wanted in kept else gone
        changed = replace(taught, sneakers=left, forgotten=tuple(kept.values()))
        write_taught(changed, _finished(taught, left), source, source)
    return tuple(one.name for one in left)


def recall(workspace: Path, name: str, model: str) -> tuple[str, ...]:
    """Undo `forget`; if the sneaker was taught again meanwhile, it has the photos from before, too.

    Returns
    -------
    tuple of str
        The sneakers that the model was taught and knows.

    Raises
    ------
    UnknownLabelError
        The model was not made to forget a sneaker of that name.
    DatasetError
        The sneaker would have too many photos, or a name that is too like one that the model was taught since.
    ModelNotFoundError, CheckpointError, DamagedError
        The model can't be read.
    """
    source = find_model(workspace, model)
    wanted = clean_name(name)
    if not (summary := taught_summary(source)) or wanted not in summary.forgotten:
        raise UnknownLabelError(f"{model} was not made to forget {name!r}.")
    with changing(source.parent):
        taught = read_taught(source)
        back = next(one for one in taught.forgotten if one.name == wanted)
        known = {one.name: one for one in taught.sneakers}
        _checked_name(wanted, taught.base_classes, taught, tuple(known))
        known[wanted] = known[wanted].with_photos_of(back) if wanted in known else back
        _check_count(wanted, len(known[wanted].samples), {})
        left, every = tuple(one for one in taught.forgotten if one is not back), tuple(known.values())
        write_taught(replace(taught, sneakers=every, forgotten=left), _finished(taught, every), source, source)
    return tuple(known)


def _check_target(workspace: Path, source: Path, model: str, new_name: str | None, empty: bool) -> None:
    """Check that there is a place for the taught model."""
    if new_name is None:
        if empty or not is_taught(source) or source.parent.parent != runs_folder(workspace):
            raise RunError(f"{model!r} stays as it is: its copy needs a name of its own.")
    elif _taught_run(workspace, new_name) is None:
        runs_of(workspace).check_name(new_name)


def _check_same_start(name: str, mine: TaughtModel, before: TaughtModel, model: str, empty: bool) -> None:
    """Check that a taught model is what this teaching would have begun with."""
    started_empty = mine.alone is not None
    if mine.base_weights != before.base_weights:
        raise RunError(f"The model {name!r} was taught from {mine.base!r}, not from {model!r}. Choose another name.")
    if started_empty != (empty or before.alone is not None):
        start = f"an empty model, not from {model!r}" if started_empty else f"{mine.base!r}, not from an empty model"
        raise RunError(f"The model {name!r} was taught from {start}. Choose another name.")


def _taught_run(workspace: Path, name: str) -> Run | None:
    """The taught model of a name, if there is one."""
    runs = runs_of(workspace)
    if not (named := runs.named(name)) or not is_taught(run_model_folder(named[0])):
        return None
    return runs.find(name)


def _learn(
    taught: TaughtModel, sneakers: Mapping[str, Sequence[Photo | Path]], empty: bool, progress: Progress
) -> _Learned:
    """What a model knows after it was shown the photos; nothing is written."""
    if empty and len(sneakers) < 2:
        raise DatasetError("A model that starts empty needs two sneakers or more.")
    known: dict[str, TaughtSneaker] = {} if empty else {one.name: one for one in taught.sneakers}
    used: dict[str, tuple[str, ...]] = {}
    rejected: dict[str, dict[str, str]] = {}
    for given, photos in sneakers.items():
        name = _checked_name(given, () if empty else taught.model.spec.classes, taught, tuple(known))
        if name in used:
            raise DatasetError(f"{name!r} is given twice.")
        shown, rejected[name] = _read(taught.model, photos, known.get(name), progress)
        old = known.get(name, TaughtSneaker(name, (), np.zeros((0, taught.model.references.shape[1]), np.float32)))
        used[name] = tuple(photo for photo, _, _ in shown)
        samples = (*old.samples, *(sample for _, sample, _ in shown))
        _check_count(name, len(samples), rejected[name])
        known[name] = TaughtSneaker(name, samples, np.stack([*old.embeddings, *(one for _, _, one in shown)]))
    every = tuple(known.values())
    if empty:
        taught = taught.emptied(np.concatenate([one.embeddings for one in every]))
    return _Learned(replace(taught, sneakers=every), used, rejected)


def _checked_name(given: str, classes: Sequence[str], taught: TaughtModel, known: Sequence[str]) -> str:
    """A sneaker's name as it is stored."""
    name = clean_name(given)
    if not name or len(name) > LONGEST_NAME:
        raise DatasetError(f"A sneaker needs a name of 1 to {LONGEST_NAME} characters, not {given[:80]!r}.")
    if name in known:
        return name
    for label in (*classes, *known, *taught.model.spec.footwear_types):
        if name_key(label) == name_key(name):
            was = "was taught" if label in known else "was trained on"
            how = "Give exactly that name to add photos" if label in known else "It can only learn more by training"
            raise DatasetError(f"{taught.base} {was} {label!r} already. {how}, or choose a name that differs more.")
    return name


def _check_count(name: str, count: int, rejected: Mapping[str, str]) -> None:
    if count < FEWEST_PHOTOS:
        left_out = "".join(f" {photo}: {reason}" for photo, reason in rejected.items())
        raise DatasetError(
            f"{name} has {counted(count, 'photo')} that can be used; it needs {FEWEST_PHOTOS} or more.{left_out}"
        )
    if count > MOST_PHOTOS:
        raise DatasetError(
            f"{name} would have {count} photos; a sneaker can be taught with at most {MOST_PHOTOS}, and "
            f"{FEWEST_PHOTOS} to {RECOMMENDED_PHOTOS} are enough. With more photos, train a model."
        )


def _read(
    model: SneakerModel, photos: Sequence[Photo | Path], before: TaughtSneaker | None, progress: Progress
) -> tuple[list[tuple[str, str, Floats]], dict[str, str]]:
    """Name, hash and embedding of each photo that can be used, and why the others can't."""
    seen = {} if before is None else dict.fromkeys(before.samples, "a photo that it was taught earlier")
    rejected: dict[str, str] = {}
    found, pixels = [], []
    preprocessing = replace(model.spec.preprocessing, mirrored=True)
    for photo in photos:
        name = str(photo) if isinstance(photo, Path) else photo.name
        try:
            data = read_bytes(photo) if isinstance(photo, Path) else photo.data
            sample = sample_id(data)
            if sample not in seen:
                pixels.append(preprocessing([photo_decoder.decode(data, shrink_to=preprocessing.shrink_to)]))
                seen[sample] = name
                found.append((name, sample))
            else:
                rejected[name] = f"It is a copy of {seen[sample]}, so it counts once."
        except ImageError as error:
            rejected[name] = str(error)
        if name in rejected:
            progress()
        if len(found) > MOST_PHOTOS:
            break
    both = replace(model, spec=replace(model.spec, preprocessing=preprocessing))
    embeddings = []
    for one in pixels:
        embeddings += list(both.outputs(one).embeddings)
        progress()
    return [(name, sample, row) for (name, sample), row in zip(found, embeddings, strict=True)], rejected


def _finished(taught: TaughtModel, sneakers: Sequence[TaughtSneaker]) -> SneakerModel:
    model = taught.taught(sneakers)
    if taught.alone is None:
        return model
    return replace(model, spec=replace(model.spec, decision=taught.fitted_decision(sneakers)))


def _write_new(workspace: Path, learned: _Learned, source: Path, name: str) -> Teaching:
    """Make the item of a new model."""
    folder = runs_of(workspace).create(name)
    try:
        with changing(folder):
            done = _write(learned, source, folder, clean_name(name))
            about = {"format": FORMAT, "state": "done", "created": time.time(), "taught_from": learned.taught.base}
            write_json(folder / RUN_FILE, about, indent=1)
            return done
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise RunError(f"Can't save the model in {folder}: {error.strerror}. Check the free disk space.") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _write(learned: _Learned, source: Path, folder: Path, name: str) -> Teaching:
    taught = learned.taught
    model = _finished(taught, taught.sneakers)
    model = replace(model, spec=replace(model.spec, name=name))
    write_taught(taught, model, source, run_model_folder(folder))
    lessons = tuple(
        lesson_of(taught, model, place, learned.used[one.name], learned.rejected[one.name])
        for place, one in enumerate(taught.sneakers)
        if one.name in learned.used
    )
    return Teaching(name, run_model_folder(folder), taught.base, lessons)
