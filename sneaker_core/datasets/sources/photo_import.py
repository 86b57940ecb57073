"""Import photos from a folder or an archive: every file is added, already known, or listed with the reason."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sneaker_core.datasets.importer import Importer, ImportOutcome, ImportStatus, IncomingPhoto
from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.photo_worlds import set_world
from sneaker_core.datasets.sources.folder_layout import LabeledFile, read_layout
from sneaker_core.datasets.sources.source_files import Source, open_source
from sneaker_core.errors import ImageError
from sneaker_core.settings import ImageLimits


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
    """

    added: int = 0
    known: int = 0
    rejected: dict[str, str] = field(default_factory=dict)
    stopped: bool = False
    waiting: int = 0

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
        }


def import_photos(
    dataset: Dataset,
    path: Path,
    *,
    name: str | None = None,
    world: str | None = None,
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
        layout = read_layout(source, name or str(path))
        if world and world.strip():
            set_world(dataset, source.title, world.strip())
        with Importer(dataset, source.title, limits) as importer:
            rejected = {**layout.rejected, **source.rejected}
            for file, reason in rejected.items():
                importer.reject(file, reason)
                result.rejected[file] = reason
            total = len(layout.files)
            for done, (file, outcome) in enumerate(_outcomes(source, importer, layout.files, stopped), start=1):
                _count(result, file, outcome)
                report(done, total)
            result.waiting = total + len(rejected) - result.files
            result.stopped = result.waiting > 0
    return result


def check_source(path: Path, name: str | None = None) -> None:
    """Raise the errors that `import_photos` would raise right away for this folder or archive."""
    with open_source(path, name) as source:
        read_layout(source, name or str(path))


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
