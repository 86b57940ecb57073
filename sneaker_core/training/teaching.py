"""Teach a model new sneakers by example, in seconds and without training; and make it forget them again.

A few photos of a sneaker become a class of a copy of a model; see `networks.imprinting`. The copy is an item among the
runs, with a model and without a training, so it is listed, renamed, deleted and restored like one.
"""

import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
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
from sneaker_core.networks.imprinting import KnownSneakers, head_outputs, mean_length
from sneaker_core.networks.model_registry import find_model
from sneaker_core.number_text import counted, percent
from sneaker_core.training.run_collection import Run, runs_of
from sneaker_core.training.run_record import FORMAT
from sneaker_core.training.taught_model import (
    TaughtModel,
    TaughtSneaker,
    changing,
    is_taught,
    read_taught,
    write_taught,
)
from sneaker_core.workspace.atomic_files import write_json
from sneaker_core.workspace.clean_names import clean_name, name_key
from sneaker_core.workspace.paths import RUN_FILE, run_model_folder, runs_folder

FEWEST_PHOTOS, RECOMMENDED_PHOTOS, MOST_PHOTOS = 3, 10, 50
_LONGEST_NAME = 100
_BATCH = 8


@dataclass(frozen=True)
class Lesson:
    """What came of teaching a model one sneaker.

    Attributes
    ----------
    name : str
    photos : tuple of str
        Those that were used now.
    rejected : dict of str to str
        Photo -> why it was left out: it can't be read, or it is a copy of another one.
    total : int
        All photos of the sneaker that the model has been taught, earlier ones included.
    recognized : int
        How many of them the model would name correctly if it had been taught the others only.
    taken_for : dict of str to int
        The class that it would name instead -> how often.
    endangered : dict of str to float
        Known class -> share of its references that would now get the new name, for those of which any would. The
        references that a model is stored with have no labels: each counts as the class that the model took it for.
    """

    name: str
    photos: tuple[str, ...]
    rejected: dict[str, str]
    total: int
    recognized: int
    taken_for: dict[str, int]
    endangered: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**vars(self), "photos": list(self.photos)}

    def sentences(self) -> list[str]:
        """The result in words."""
        lines = [
            f"{self.name}: taught with {counted(self.total, 'photo')}.",
            f"{self.recognized} of {counted(self.total, 'photo')} would have been recognized without being taught.",
        ]
        if self.taken_for:
            others = ", ".join(f"{label} ({count})" for label, count in self.taken_for.items())
            lines.append(f"The others would have been taken for: {others}.")
        if self.endangered:
            shares = ", ".join(f"{label} ({percent(share)})" for label, share in self.endangered.items())
            lines.append(f"Photos like some of these may now be called {self.name}: {shares}.")
        lines += [f"Left out: {photo}: {reason}" for photo, reason in self.rejected.items()]
        return lines


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
        Whether the new model shall know these sneakers only: only the embeddings of `model` are used.

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
        learned = _learn(before, sneakers, empty)
        return _write_new(workspace, learned, source, new_name)
    folder = source.parent if run is None else run.folder
    with changing(folder):
        own = run_model_folder(folder)
        mine = read_taught(own)
        if run is not None and mine.base_weights != before.base_weights:
            raise RunError(
                f"The model {run.name!r} was taught from {mine.base!r}, not from {model!r}. Choose another name."
            )
        return _write(_learn(mine, sneakers, empty=False), own, folder, mine.model.spec.name)


def forget(workspace: Path, name: str, model: str) -> tuple[str, ...]:
    """Make a taught model forget a sneaker: it then answers as if it had never been taught.

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
        if len(left) == len(taught.sneakers):
            known = ", ".join(one.name for one in taught.sneakers) or "none"
            raise UnknownLabelError(f"{model} was not taught {name!r}. Sneakers that it was taught: {known}.")
        if taught.known + len(left) < 2:
            raise DatasetError(f"{model} would know fewer than two sneakers. Delete the whole model instead.")
        write_taught(replace(taught, sneakers=left), _finished(taught, left), source, source)
    return tuple(one.name for one in left)


def _check_target(workspace: Path, source: Path, model: str, new_name: str | None, empty: bool) -> None:
    """Check that there is a place for the taught model."""
    if new_name is None:
        if empty or not is_taught(source) or source.parent.parent != runs_folder(workspace):
            raise RunError(f"{model!r} stays as it is: its copy needs a name of its own.")
    elif _taught_run(workspace, new_name) is None:
        runs_of(workspace).check_name(new_name)
    elif empty:
        raise RunError(f"There is already a model named {new_name!r}. Choose another name.")


def _taught_run(workspace: Path, name: str) -> Run | None:
    """The taught model of a name, if there is one."""
    runs = runs_of(workspace)
    if not (named := runs.named(name)) or not is_taught(run_model_folder(named[0])):
        return None
    return runs.find(name)


def _learn(taught: TaughtModel, sneakers: Mapping[str, Sequence[Photo | Path]], empty: bool) -> _Learned:
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
        shown, rejected[name] = _read(taught.model, photos, known.get(name))
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
    if not name or len(name) > _LONGEST_NAME:
        raise DatasetError(f"A sneaker needs a name of 1 to {_LONGEST_NAME} characters, not {given[:80]!r}.")
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
    model: SneakerModel, photos: Sequence[Photo | Path], before: TaughtSneaker | None
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
            if sample in seen:
                rejected[name] = f"It is a copy of {seen[sample]}, so it counts once."
                continue
            pixels.append(preprocessing([photo_decoder.decode(data, shrink_to=preprocessing.shrink_to)]))
        except ImageError as error:
            rejected[name] = str(error)
            continue
        seen[sample] = name
        found.append((name, sample))
        if len(found) > MOST_PHOTOS:
            break
    both = replace(model, spec=replace(model.spec, preprocessing=preprocessing))
    embeddings = [row for one in pixels for row in both.outputs(one).embeddings]
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
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _write(learned: _Learned, source: Path, folder: Path, name: str) -> Teaching:
    taught = learned.taught
    model = _finished(taught, taught.sneakers)
    model = replace(model, spec=replace(model.spec, name=name))
    write_taught(taught, model, source, run_model_folder(folder))
    lessons = tuple(
        _lesson(taught, model, place, learned.used[one.name], learned.rejected[one.name])
        for place, one in enumerate(taught.sneakers)
        if one.name in learned.used
    )
    return Teaching(name, run_model_folder(folder), taught.base, lessons)


def _lesson(
    taught: TaughtModel, model: SneakerModel, place: int, photos: tuple[str, ...], rejected: dict[str, str]
) -> Lesson:
    sneaker, own = taught.sneakers[place], taught.known + place
    logits = head_outputs(model, sneaker.embeddings).logits
    features = taught.features(sneaker.embeddings)
    for number, row in enumerate(taught.rows_without_each(place)):
        logits[number, own] = row.logits(features[number])
    named = Counter(model.spec.classes[answer] for answer in logits.argmax(1))
    recognized = named.pop(sneaker.name, 0)
    taken_for, total = dict(named.most_common()), len(sneaker.samples)
    endangered = _endangered(taught, model, own)
    return Lesson(sneaker.name, photos, rejected, total, recognized, taken_for, endangered)


def _endangered(taught: TaughtModel, model: SneakerModel, own: int) -> dict[str, float]:
    """Known class -> share of its references that get the class `own` now."""
    if not taught.known:
        return {}
    length = mean_length(taught.sneakers[own - taught.known].embeddings)
    was = KnownSneakers(taught.base_model(), length).logits.argmax(1)
    now = head_outputs(model, model.references[: taught.references] * length).logits.argmax(1)
    shares = {model.spec.classes[label]: float((now[was == label] == own).mean()) for label in np.unique(was)}
    return {label: share for label, share in sorted(shares.items(), key=lambda item: -item[1]) if share > 0}
