"""What a model was taught by example, as it lies in the model's folder.

::

    <run>/model/taught.json           the base model, and the taught sneakers with the hashes of their photos
    <run>/model/taught.safetensors    the embeddings of these photos; the photos are not kept

A taught model is a copy of its base: the base's classes come first, then the taught ones; the base's references come
first, then a reference for each taught photo. So the base model isn't needed to add photos or to forget a sneaker.
"""

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from sneaker_core.errors import BusyError, DamagedError, RunError
from sneaker_core.evaluation.calibration import fit_decision
from sneaker_core.networks.checkpoint import SneakerModel, load_model, save_model, weights_version
from sneaker_core.networks.decision import Decision, Floats, unit_length
from sneaker_core.networks.imprinting import (
    KnownSneakers,
    Row,
    head_outputs,
    last_inputs,
    mean_length,
    rows_alone,
    with_classes,
)
from sneaker_core.number_text import counted
from sneaker_core.records.model_records import TaughtFile
from sneaker_core.records.reading import damaged, find_record
from sneaker_core.workspace.atomic_files import write_atomically, write_json
from sneaker_core.workspace.folder_exchange import EXCHANGE_LOCK, bring_back, exchange_folder, replaced_folder
from sneaker_core.workspace.locks import take_lock
from sneaker_core.workspace.paths import run_model_folder
from sneaker_core.workspace.read_only import check_changeable

TAUGHT_FILE = "taught.json"
EMBEDDINGS_FILE = "taught.safetensors"
# Which photos the base model was trained on; `evaluate` leaves them out.
_SPLIT_FILE = "split.csv"
_FORMAT = 1
_PATIENCE = 30.0


@dataclass(frozen=True)
class TaughtSneaker:
    """A sneaker that a model was taught.

    Attributes
    ----------
    name : str
    samples : tuple of str
        Hashes of its photos, as `photo_folder.sample_id` makes them.
    embeddings : float32 array (N, D)
        One per photo, averaged over the photo and its mirror image, not of unit length.
    """

    name: str
    samples: tuple[str, ...]
    embeddings: Floats

    def without(self, number: int) -> "TaughtSneaker":
        """The sneaker without one of its photos."""
        samples = self.samples[:number] + self.samples[number + 1 :]
        return TaughtSneaker(self.name, samples, np.delete(self.embeddings, number, axis=0))

    def every_second(self, start: int) -> "TaughtSneaker":
        """The sneaker with every second of its photos."""
        return TaughtSneaker(self.name, self.samples[start::2], self.embeddings[start::2])

    def with_photos_of(self, other: "TaughtSneaker") -> "TaughtSneaker":
        """The sneaker with the photos of another one, too; each counts once."""
        new = [number for number, sample in enumerate(other.samples) if sample not in self.samples]
        samples = (*self.samples, *(other.samples[number] for number in new))
        return TaughtSneaker(self.name, samples, np.concatenate([self.embeddings, other.embeddings[new]]))


@dataclass(frozen=True)
class TaughtSummary:
    """What a model was taught, in figures.

    Attributes
    ----------
    base : str
        Name of the model that it is a copy of.
    started_empty : bool
        Whether all its sneakers were taught.
    sneakers, forgotten : dict of str to int
        Name -> number of photos.
    """

    base: str
    started_empty: bool
    sneakers: dict[str, int]
    forgotten: dict[str, int]

    def sentence(self) -> str:
        """What kind of model it is."""
        if not self.sneakers:
            return f"A copy of {self.base} that was taught sneakers by example and forgot them."
        names = ", ".join(f"{name} ({counted(photos, 'photo')})" for name, photos in self.sneakers.items())
        if self.started_empty:
            return f"A model that knows only what it was taught by example: {names}. It sees like {self.base}."
        return f"A copy of {self.base} that was taught by example: {names}."


@dataclass(frozen=True)
class TaughtModel:
    """A base model and what a copy of it was taught.

    Attributes
    ----------
    base : str
        Name of the base model.
    base_weights : str
        Its `weights_version`.
    model : SneakerModel
        The base model itself, or a copy of it that was taught before: its first classes and references are the base's.
    known, references : int
        How many classes and references are the base's; 0 for a model whose sneakers were all taught.
    sneakers : tuple of TaughtSneaker
    alone : tuple of float or None
        For a model whose sneakers were all taught: length and typical logit of its rows; see `rows_alone`.
    forgotten : tuple of TaughtSneaker
        Sneakers that it was made to forget; it can recall them.
    """

    base: str
    base_weights: str
    model: SneakerModel
    known: int
    references: int
    sneakers: tuple[TaughtSneaker, ...]
    alone: tuple[float, float] | None = None
    forgotten: tuple[TaughtSneaker, ...] = ()

    @property
    def base_classes(self) -> tuple[str, ...]:
        """The sneakers that the base model was trained on."""
        return self.model.spec.classes[: self.known]

    def base_model(self) -> SneakerModel:
        """The base model, with the head and the references that it had."""
        return with_classes(self.model, self.known, [], [], self.model.references[: self.references], self.model.spec)

    def emptied(self, embeddings: Floats) -> "TaughtModel":
        """The same network without any sneaker.

        Parameters
        ----------
        embeddings : float32 array (N, D)
            Of the photos that it will be taught.
        """
        every = KnownSneakers(self.base_model(), mean_length(embeddings))
        alone = (every.row_length, float(every.logits.max(1).mean()))
        return replace(self, known=0, references=0, sneakers=(), alone=alone, forgotten=())

    def features(self, embeddings: Floats) -> Floats:
        """Inputs of the last layer for embeddings."""
        return last_inputs(self.model.network.head, embeddings)

    def rows(self, sneakers: Sequence[TaughtSneaker]) -> list[Row]:
        """The rows of sneakers in the last layer; those of all, if the base knows none."""
        features = [self.features(one.embeddings) for one in sneakers]
        if self.alone is not None:
            return rows_alone(features, *self.alone)
        base = self.base_model()
        return [
            KnownSneakers(base, mean_length(one.embeddings)).row(own)
            for one, own in zip(sneakers, features, strict=True)
        ]

    def rows_without_each(self, place: int) -> list[Row]:
        """The rows that a sneaker would have without its first photo, without its second, and so on.

        Parameters
        ----------
        place : int
            Of the sneaker.
        """
        sneaker = self.sneakers[place]
        each = [sneaker.without(number) for number in range(len(sneaker.samples))]
        if self.alone is not None:
            others = list(self.sneakers)
            return [self.rows([*others[:place], one, *others[place + 1 :]])[place] for one in each]
        known = KnownSneakers(self.base_model(), mean_length(sneaker.embeddings))
        return [known.row(self.features(one.embeddings)) for one in each]

    def taught(self, sneakers: Sequence[TaughtSneaker]) -> SneakerModel:
        """The copy of the base model that knows these sneakers, too."""
        references = [self.model.references[: self.references], *(unit_length(one.embeddings) for one in sneakers)]
        # Metrics of the base model are not those of the copy.
        spec = replace(self.model.spec, metrics={})
        names = [one.name for one in sneakers]
        return with_classes(self.model, self.known, names, self.rows(sneakers), np.concatenate(references), spec)

    def fitted_decision(self, sneakers: Sequence[TaughtSneaker]) -> Decision:
        """Thresholds for a model whose sneakers were all taught: fitted to every second photo, taught the others."""
        halves = [[one.every_second(start) for one in sneakers] for start in (0, 1)]
        model = self.taught(halves[0])
        outputs = head_outputs(model, np.concatenate([one.embeddings for one in halves[1]]))
        truth = np.repeat(np.arange(len(sneakers)), [len(one.samples) for one in halves[1]])
        return fit_decision(outputs, truth, model.references)


def taught_summary(folder: Path) -> TaughtSummary | None:
    """What a model was taught, by its folder; None if it wasn't.

    Raises
    ------
    DamagedError
        The record can't be read.
    """
    record = find_record(folder / TAUGHT_FILE, TaughtFile)
    if record is None:
        return None
    counts = [{one.name: len(one.samples) for one in group} for group in (record.sneakers, record.forgotten)]
    return TaughtSummary(record.base, record.alone is not None, *counts)


def is_taught(folder: Path) -> bool:
    """Whether a model's folder holds a copy that can be taught more, or forget."""
    return (folder / TAUGHT_FILE).is_file()


def read_taught(folder: Path) -> TaughtModel:
    """What a model was taught; a model that wasn't is a base itself.

    Parameters
    ----------
    folder : Path
        Of the model.

    Raises
    ------
    CheckpointError, DamagedError
        The model, or what it was taught, can't be read.
    """
    model = load_model(folder)
    file = folder / TAUGHT_FILE
    record = find_record(file, TaughtFile)
    if record is None:
        classes, references = len(model.spec.classes), len(model.references)
        return TaughtModel(model.spec.name, weights_version(folder), model, classes, references, ())
    every = _read_sneakers(folder, record)
    sneakers, forgotten = every[: len(record.sneakers)], every[len(record.sneakers) :]
    names = tuple(one.name for one in sneakers)
    taught_photos = sum(len(one.samples) for one in sneakers)
    fits = model.spec.classes[record.base_classes :] == names
    if not fits or record.base_references + taught_photos != len(model.references):
        raise damaged(file, "it doesn't fit the classes of the model next to it")
    known, references = record.base_classes, record.base_references
    return TaughtModel(record.base, record.base_weights, model, known, references, sneakers, record.alone, forgotten)


def _read_sneakers(folder: Path, record: TaughtFile) -> tuple[TaughtSneaker, ...]:
    """The sneakers that the model knows, then those that it was made to forget."""
    file = folder / EMBEDDINGS_FILE
    records = [*record.sneakers, *record.forgotten]
    try:
        data = file.read_bytes()
    except OSError:
        raise DamagedError(f"Can't read {file}. Copy the model's folder again.") from None
    if hashlib.sha256(data).hexdigest() != record.embeddings_sha256:
        raise DamagedError(f"{file} is damaged: its checksum doesn't match. Copy the model's folder again.")
    try:
        arrays = safetensors.numpy.load(data)
        found = tuple(
            TaughtSneaker(one.name, tuple(one.samples), arrays[str(number)].astype(np.float32))
            for number, one in enumerate(records)
        )
    except (KeyError, safetensors.SafetensorError):
        found = ()
    if len(found) != len(records) or any(len(one.samples) != len(one.embeddings) for one in found):
        raise damaged(file, f"it doesn't fit {TAUGHT_FILE}")
    return found


def write_taught(taught: TaughtModel, model: SneakerModel, source: Path, folder: Path) -> None:
    """Write a taught model's folder in place of the one that is there, if any.

    It is made next to it and then exchanged, so that readers see either the old model or the new.

    Parameters
    ----------
    taught : TaughtModel
        With the sneakers that the model has been taught now.
    model : SneakerModel
        From `TaughtModel.taught`.
    source : Path
        Folder of the model that was taught.
    folder : Path
        Of the new model; may be the same.

    Raises
    ------
    RunError
        The folder can't be written; a model that was there is there still.
    """
    new = folder.with_name(f".{folder.name}.new")
    embeddings = safetensors.numpy.save(
        {
            str(number): np.ascontiguousarray(one.embeddings)
            for number, one in enumerate([*taught.sneakers, *taught.forgotten])
        }
    )
    record = {
        "format": _FORMAT,
        "base": taught.base,
        "base_weights": taught.base_weights,
        "base_classes": taught.known,
        "base_references": taught.references,
        "alone": taught.alone,
        "embeddings_sha256": hashlib.sha256(embeddings).hexdigest(),
        "sneakers": _records(taught.sneakers),
        "forgotten": _records(taught.forgotten),
    }
    try:
        shutil.rmtree(new, ignore_errors=True)
        write_atomically(new / EMBEDDINGS_FILE, embeddings)
        write_json(new / TAUGHT_FILE, record, indent=1)
        if (source / _SPLIT_FILE).is_file():
            shutil.copyfile(source / _SPLIT_FILE, new / _SPLIT_FILE)
        save_model(model, new)
        exchange_folder(new, folder, replaced_folder(folder))
        shutil.rmtree(replaced_folder(folder), ignore_errors=True)
    except OSError as error:
        raise RunError(f"Can't write the model to {folder}: {error.strerror}.") from error


def _records(sneakers: Sequence[TaughtSneaker]) -> list[dict[str, object]]:
    return [{"name": one.name, "samples": list(one.samples)} for one in sneakers]


@contextmanager
def changing(run_folder: Path) -> Iterator[None]:
    """Prevent other processes from teaching the same model while the body runs.

    Raises
    ------
    BusyError
        Another one has been doing so for half a minute.
    """
    check_changeable()
    lock = take_lock(run_folder / EXCHANGE_LOCK, _PATIENCE)
    if lock is None:
        raise BusyError("This model is being taught by another process. Try again shortly.")
    with lock:
        folder = run_model_folder(run_folder)
        bring_back(folder, replaced_folder(folder))
        yield
