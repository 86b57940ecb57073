"""Import photos from a folder or an archive: every file is added, already known, or listed with the reason."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from sneaker_core.datasets.importer import Importer, ImportOutcome, ImportStatus, IncomingPhoto
from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.photo_worlds import set_world
from sneaker_core.datasets.sources.folder_layout import LabeledFile, Layout, LayoutKind, read_layout
from sneaker_core.datasets.sources.source_files import Source, open_archive, open_source
from sneaker_core.errors import ImageError
from sneaker_core.settings import ImageLimits
from sneaker_core.workspace.clean_names import clean_name


@dataclass
class ImportResult:
    """Outcome of an import; every file is counted once.

    Attributes
    ----------
    added, known : int
        New photos, and files whose bytes were already in the dataset.
    rejected : dict of str to str
        Name -> reason.
    stopped : bool
        Whether the import was stopped before all files were read. Importing again continues.
    waiting : int
        Number of files that were not read because of that.
    understood : str
        How the source was read, as a sentence: "Read as 3 splits with 12 classes each.".
    notes : list of str
        What else a careful reader should know of it; see `folder_layout.Layout`.
    """

    added: int = 0
    known: int = 0
    rejected: dict[str, str] = field(default_factory=dict)
    stopped: bool = False
    waiting: int = 0
    understood: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def files(self) -> int:
        """Total number of files."""
        return self.added + self.known + len(self.rejected) + self.waiting

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "files": self.files,
            "added": self.added,
            "known": self.known,
            "rejected": self.rejected,
            "reasons": dict(Counter(self.rejected.values()).most_common()),
            "stopped": self.stopped,
            "waiting": self.waiting,
            "understood": self.understood,
            "notes": self.notes,
        }


def import_photos(
    dataset: Dataset,
    path: Path,
    *,
    name: str | None = None,
    world: str | None = None,
    layout: LayoutKind = LayoutKind.AUTO,
    report: Callable[[int, int], None] = lambda done, total: None,
    stopped: Callable[[], bool] = lambda: False,
) -> ImportResult:
    """Import the photos of a folder or zip archive into a dataset. Importing again adds only what is new.

    Parameters
    ----------
    dataset : Dataset
    path : Path
        A folder or a zip archive in one of the layouts of `folder_layout`.
    name : str, optional
        Original name of an uploaded archive.
    world : str, optional
        What its photos are like, such as "shop" or "phone"; see `photo_worlds`.
    layout : LayoutKind
        How to read its folders; found out by default.
    report : callable
        Called with the number of files processed and the total.
    stopped : callable
        Checked between files. When it returns True, imported photos stay and the remaining files are skipped.

    Raises
    ------
    DatasetError
        The path is neither a folder nor an archive, its layout is not supported, or the dataset can't be written.
    """
    limits = ImageLimits.from_environment()
    result = ImportResult()
    with open_source(path, name, limits) as source:
        read = _read(source, name or str(path), layout)
        result.understood, result.notes = read.sentence, read.notes
        if world and clean_name(world):
            set_world(dataset, source.title, clean_name(world))
        with Importer(dataset, source.title, limits) as importer:
            for file, reason in read.rejected.items():
                importer.reject(file, reason)
                result.rejected[file] = reason
            total = len(read.files)
            for done, (file, outcome) in enumerate(_outcomes(source, importer, read.files, stopped), start=1):
                _count(result, file, outcome)
                report(done, total)
            result.waiting = total + len(read.rejected) - result.files
            result.stopped = result.waiting > 0
    return result


def preview_source(path: Path, name: str | None = None, layout: LayoutKind = LayoutKind.AUTO) -> Layout:
    """How `import_photos` would read a folder or an archive; raises the errors that it would raise right away."""
    with open_source(path, name) as source:
        return _read(source, name or str(path), layout)


def preview_archive(file: BinaryIO, name: str, layout: LayoutKind = LayoutKind.AUTO) -> Layout:
    """As `preview_source`, for an archive that is not on disk yet."""
    return _read(open_archive(file, name), name, layout)


def _read(source: Source, name: str, layout: LayoutKind) -> Layout:
    read = read_layout(source, name, layout)
    read.rejected.update(source.rejected)
    return read


def _count(result: ImportResult, file: str, outcome: ImportOutcome) -> None:
    if outcome.status is ImportStatus.ADDED:
        result.added += 1
    elif outcome.status is ImportStatus.KNOWN:
        result.known += 1
    else:
        result.rejected[file] = outcome.reason or ""


def _outcomes(
    source: Source, importer: Importer, files: Sequence[LabeledFile], stopped: Callable[[], bool]
) -> Iterator[tuple[str, ImportOutcome]]:
    """Read and import files in several threads, a few ahead of the consumer."""

    def import_file(file: LabeledFile) -> tuple[str, ImportOutcome]:
        try:
            data = source.read(file.name)
        except ImageError as error:
            return file.name, importer.reject(file.name, str(error))
        return file.name, importer.add(IncomingPhoto(file.name, file.label, data, file.split))

    workers = os.cpu_count() or 2
    remaining = iter(files)
    with ThreadPoolExecutor(workers) as pool:
        pending = {pool.submit(import_file, file) for _, file in zip(range(4 * workers), remaining, strict=False)}
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
                if not stopped() and (file := next(remaining, None)) is not None:
                    pending.add(pool.submit(import_file, file))
