"""The importer: all photos enter a dataset through it, from folders, archives, the web or the synthetic generator."""

import contextlib
import json
import os
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType

from sneaker_core.datasets.index import Dataset, import_lock, move_into_place, recover_incoming
from sneaker_core.datasets.index_schema import ensure_class
from sneaker_core.datasets.photo_folder import sample_id
from sneaker_core.datasets.thumbnails import THUMBNAIL_SIDE, make_thumbnail, thumbnail_path
from sneaker_core.decoding import photo_decoder
from sneaker_core.errors import DatasetError, ImageError
from sneaker_core.settings import ImageLimits
from sneaker_core.workspace.clean_names import clean_name

_NEW_SAMPLE = "INSERT INTO samples VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)"
_NEW_PROVENANCE = "INSERT OR IGNORE INTO provenance VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
# Photos, or seconds, between commits: what a crash may lose is imported again.
_BATCH = 128
_SECONDS = 2.0


class ImportStatus(StrEnum):
    """What happened to a file."""

    ADDED = "added"
    KNOWN = "known"
    REJECTED = "rejected"


@dataclass(frozen=True)
class IncomingPhoto:
    """A file to import.

    Attributes
    ----------
    name : str
        Its name in the source.
    label : str
        Its class.
    data : bytes
    split : str, optional
        "train", "val" or "test", if the source defines a split.
    url, query : str, optional
        Web address it was downloaded from, and the search that found it.
    """

    name: str
    label: str
    data: bytes
    split: str | None = None
    url: str | None = None
    query: str | None = None


@dataclass(frozen=True)
class ImportOutcome:
    """What happened to a file, and the reason if it was rejected."""

    status: ImportStatus
    sample: str | None = None
    reason: str | None = None


class Importer:
    """Adds photos to a dataset, from several threads at once; a dataset has one importer at a time.

    Identical bytes are stored once, with the provenance of every file. Rows are committed in small batches: if the
    process dies, the dataset opens with everything imported up to the last commit.

    Parameters
    ----------
    dataset : Dataset
    source : str
        Where the photos come from, as shown to the user: "folder /photos", "archive shoes.zip", "web".
    limits : ImageLimits, optional

    Raises
    ------
    DatasetError
        On entering: another importer is adding photos to this dataset.
    """

    def __init__(self, dataset: Dataset, source: str, limits: ImageLimits | None = None) -> None:
        self.dataset = dataset
        self.source = source
        self.limits = limits or ImageLimits.from_environment()
        self._state = threading.Condition()
        self._in_progress: set[str] = set()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "Importer":
        self._stack.enter_context(import_lock(self.dataset))
        try:
            recover_incoming(self.dataset)
            with self.dataset.reading() as db:
                self._known = {sample for (sample,) in db.execute("SELECT sample FROM samples")}
        except BaseException:
            self._stack.close()
            raise
        self._start_batch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._state:
                self._commit()
        finally:
            self._stack.close()

    def add(self, photo: IncomingPhoto) -> ImportOutcome:
        """Import one file; safe to call from several threads.

        Raises
        ------
        DatasetError
            The disk is full or the dataset can't be written.
        """
        label = clean_name(photo.label)
        if not label:
            return self.reject(photo.name, "It has no class name.")
        sample = sample_id(photo.data)
        with self._state:
            # Another thread may be decoding the same bytes: wait until it is known whether they are a photo.
            self._state.wait_for(lambda: sample not in self._in_progress)
            if sample in self._known:
                return self._record(photo, label, ImportOutcome(ImportStatus.KNOWN, sample))
            self._in_progress.add(sample)
        try:
            return self._store(photo, label, sample)
        finally:
            with self._state:
                self._in_progress.discard(sample)
                self._state.notify_all()

    def _store(self, photo: IncomingPhoto, label: str, sample: str) -> ImportOutcome:
        try:
            decoded = photo_decoder.decode_photo(photo.data, self.limits, shrink_to=2 * THUMBNAIL_SIDE)
        except ImageError as error:
            return self.reject(photo.name, str(error))
        waiting = self.dataset.incoming / f"{sample}{decoded.extension}"
        self._write(waiting, photo.data, make_thumbnail(decoded.image), sample)
        with self._state:
            self._known.add(sample)
            size = (decoded.width, decoded.height, len(photo.data))
            return self._record(photo, label, ImportOutcome(ImportStatus.ADDED, sample), waiting, size)

    def reject(self, name: str, reason: str) -> ImportOutcome:
        """Record that a file can't be imported, with the reason."""
        with self._state:
            self._rejects.append((self.source, name, reason, time.time()))
            self._commit_when_due()
        return ImportOutcome(ImportStatus.REJECTED, None, reason)

    def _write(self, waiting: Path, data: bytes, thumbnail: bytes, sample: str) -> None:
        try:
            with waiting.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            small = thumbnail_path(self.dataset, sample)
            small.parent.mkdir(parents=True, exist_ok=True)
            small.write_bytes(thumbnail)
        except OSError as error:
            raise DatasetError(f"Can't write photos to {self.dataset.folder}: {error.strerror}.") from error

    def _record(
        self,
        photo: IncomingPhoto,
        label: str,
        outcome: ImportOutcome,
        waiting: Path | None = None,
        size: tuple[int, int, int] = (0, 0, 0),
    ) -> ImportOutcome:
        now, sample = time.time(), outcome.sample
        if waiting is not None:
            self._samples.append((waiting, label, (sample, photo.name, photo.split, *size, now)))
        self._provenance.append((label, (sample, photo.name, self.source, photo.split, photo.url, photo.query, now)))
        self._commit_when_due()
        return outcome

    def _start_batch(self) -> None:
        # Rows keep labels, not class numbers, until they are committed: a review may add classes meanwhile.
        self._samples: list[tuple[Path, str, tuple[object, ...]]] = []
        self._provenance: list[tuple[str, tuple[object, ...]]] = []
        self._rejects: list[tuple[object, ...]] = []
        self._due = time.monotonic() + _SECONDS

    def _commit_when_due(self) -> None:
        if len(self._provenance) + len(self._rejects) >= _BATCH or time.monotonic() > self._due:
            self._commit()

    def _commit(self) -> None:
        if not (self._provenance or self._rejects):
            return
        moves = []
        with self.dataset.changing() as db:
            for waiting, label, (sample, name, *rest) in self._samples:
                number, folder = ensure_class(db, label)
                file = f"{folder}/{waiting.name}"
                db.execute(_NEW_SAMPLE, (sample, file, name, number, number, *rest))
                moves.append((waiting, self.dataset.images / file))
            for label, (sample, *rest) in self._provenance:
                db.execute(_NEW_PROVENANCE, (sample, ensure_class(db, label)[0], *rest))
                db.execute("DELETE FROM rejects WHERE name = ? AND source = ?", rest[:2])
            db.executemany("INSERT OR REPLACE INTO rejects VALUES (?, ?, ?, ?)", self._rejects)
            if any(split for _, _, (_, _, split, *_) in self._samples):
                db.execute("INSERT OR IGNORE INTO facts VALUES ('split', ?)", (json.dumps({"kind": "given"}),))
        for waiting, place in moves:
            move_into_place(waiting, place)
        self._start_batch()
