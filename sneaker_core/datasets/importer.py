"""The one way for a photo into a dataset, whether from a folder, an archive, the web or the drawing board."""

import contextlib
import json
import os
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType

from sneaker_core import images
from sneaker_core.datasets.index import Dataset, ensure_class, import_lock, move_into_place, recover_incoming
from sneaker_core.datasets.photo_folder import sample_id
from sneaker_core.datasets.thumbnails import THUMBNAIL_SIDE, make_thumbnail, thumbnail_path
from sneaker_core.errors import DatasetError, ImageError
from sneaker_core.settings import ImageLimits

_NEW_SAMPLE = "INSERT INTO samples VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)"
_NEW_PROVENANCE = "INSERT OR IGNORE INTO provenance VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
# So many photos, or so many seconds' worth, are committed at once: what a crash may cost is brought in again.
_BATCH = 128
_SECONDS = 2.0


class ImportStatus(StrEnum):
    """What became of a file."""

    ADDED = "added"
    KNOWN = "known"
    REJECTED = "rejected"


@dataclass(frozen=True)
class IncomingPhoto:
    """A file that asks to come in.

    Attributes
    ----------
    name : str
        As its source calls it.
    label : str
        The class it is filed under, as written.
    data : bytes
    split : str, optional
        "train", "val" or "test", where its source says so.
    url, query : str, optional
        Where on the web it was found, and by which search.
    """

    name: str
    label: str
    data: bytes
    split: str | None = None
    url: str | None = None
    query: str | None = None


@dataclass(frozen=True)
class ImportOutcome:
    """What became of a file, and why if it was rejected."""

    kind: ImportStatus
    sample: str | None = None
    reason: str | None = None


class Importer:
    """Brings photos into a dataset, from several threads at once; one intake at a time for each dataset.

    Identical bytes are stored once, with a note of every place they came from. Rows are committed in small batches:
    whatever ends the process, the dataset opens with what had arrived until then.

    Parameters
    ----------
    dataset : Dataset
    source : str
        Where the photos come from, for people: "folder /photos", "archive shoes.zip", "web".
    limits : ImageLimits, optional

    Raises
    ------
    DatasetError
        On entering: another intake is at work on this dataset.
    """

    def __init__(self, dataset: Dataset, source: str, limits: ImageLimits | None = None) -> None:
        self.dataset = dataset
        self.source = source
        self.limits = limits or ImageLimits.from_environment()
        self._arriving = threading.Condition()
        self._at_work: set[str] = set()
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
        self._forget()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._arriving:
                self._commit()
        finally:
            self._stack.close()

    def add(self, photo: IncomingPhoto) -> ImportOutcome:
        """Take in one file; safe to call from several threads.

        Raises
        ------
        DatasetError
            The disk is full or the dataset cannot be written to.
        """
        label = photo.label.strip()
        if not label:
            return self.reject(photo.name, "It has no class name.")
        sample = sample_id(photo.data)
        with self._arriving:
            # Another thread may be at work on the same bytes: whether they are a photo is known when it is done.
            self._arriving.wait_for(lambda: sample not in self._at_work)
            if sample in self._known:
                return self._note(photo, label, ImportOutcome(ImportStatus.KNOWN, sample))
            self._at_work.add(sample)
        try:
            return self._take_in(photo, label, sample)
        finally:
            with self._arriving:
                self._at_work.discard(sample)
                self._arriving.notify_all()

    def _take_in(self, photo: IncomingPhoto, label: str, sample: str) -> ImportOutcome:
        try:
            read = images.read(photo.data, self.limits, shrink_to=2 * THUMBNAIL_SIDE)
        except ImageError as error:
            return self.reject(photo.name, str(error))
        waiting = self.dataset.incoming / f"{sample}{read.extension}"
        self._write(waiting, photo.data, make_thumbnail(read.image), sample)
        with self._arriving:
            self._known.add(sample)
            size = (read.width, read.height, len(photo.data))
            return self._note(photo, label, ImportOutcome(ImportStatus.ADDED, sample), waiting, size)

    def reject(self, name: str, reason: str) -> ImportOutcome:
        """Note that a file cannot come in, and why."""
        with self._arriving:
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
            raise DatasetError(f"Photos cannot be written to {self.dataset.folder}: {error.strerror}.") from error

    def _note(
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

    def _forget(self) -> None:
        # Photos and filings wait with their labels: a review may make classes meanwhile.
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
        self._forget()
