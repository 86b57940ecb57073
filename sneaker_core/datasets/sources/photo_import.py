"""Import: every file of a folder or an archive comes in, is there already, or is listed with the reason why not."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sneaker_core.datasets.importer import Importer, ImportOutcome, ImportStatus, IncomingPhoto
from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.sources.folder_layout import LabelledFile, Layout, lay_out
from sneaker_core.datasets.sources.source_files import Source, open_source, read_table
from sneaker_core.errors import DatasetError, ImageError
from sneaker_core.settings import ImageLimits

_NO_LAYOUT = (
    "holds no photos in a layout I know: one folder a class, train|val|test folders with one folder a class in each, "
    "or photos with a CSV of file,label beside them."
)


@dataclass
class ImportResult:
    """What became of every file.

    Attributes
    ----------
    added, known : int
        New photos, and files whose bytes were there already.
    rejected : dict of str to str
        Name -> reason.
    stopped : bool
        Whether it was ended before all files were looked at; importing again goes on.
    waiting : int
        Files that were not looked at because of that.
    """

    added: int = 0
    known: int = 0
    rejected: dict[str, str] = field(default_factory=dict)
    stopped: bool = False
    waiting: int = 0

    @property
    def files(self) -> int:
        """How many files there were in all."""
        return self.added + self.known + len(self.rejected) + self.waiting

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
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
    report: Callable[[int, int], None] = lambda done, total: None,
    stopped: Callable[[], bool] = lambda: False,
) -> ImportResult:
    """Bring the photos of a folder or a zip archive into a dataset; importing again adds only what is new.

    Parameters
    ----------
    dataset : Dataset
    path : Path
        A folder or a zip archive, laid out as `layout` says.
    name : str, optional
        What an uploaded archive is called.
    report : callable
        Called with the number of files looked at and of all files.
    stopped : callable
        Asked between files; once it says True, what is there stays and the rest is left.

    Raises
    ------
    DatasetError
        There is no such folder or archive, it has no layout that is known, or the dataset cannot be written to.
    """
    limits = ImageLimits.from_environment()
    result = ImportResult()
    with open_source(path, name, limits) as source:
        layout = _laid_out(source, name or str(path))
        with Importer(dataset, source.title, limits) as intake:
            rejected = {**layout.rejected, **source.rejected}
            for file, reason in rejected.items():
                intake.reject(file, reason)
                result.rejected[file] = reason
            total = len(layout.files)
            for done, (file, outcome) in enumerate(_arrivals(source, intake, layout.files, stopped), start=1):
                _count(result, file, outcome)
                report(done, total)
            result.waiting = total + len(rejected) - result.files
            result.stopped = result.waiting > 0
    return result


def check_source(path: Path, name: str | None = None) -> None:
    """Raise what `import_photos` would raise at once for a folder or an archive that it cannot import."""
    with open_source(path, name) as source:
        _laid_out(source, name or str(path))


def _laid_out(source: Source, name: str) -> Layout:
    tables = {file: read_table(source, file) for file in source.files if file.lower().endswith(".csv")}
    layout = lay_out([file for file in source.files if file not in tables], tables)
    if not layout.files:
        raise DatasetError(f"{name} {_NO_LAYOUT}")
    return layout


def _count(result: ImportResult, file: str, outcome: ImportOutcome) -> None:
    if outcome.kind is ImportStatus.ADDED:
        result.added += 1
    elif outcome.kind is ImportStatus.KNOWN:
        result.known += 1
    else:
        result.rejected[file] = outcome.reason or ""


def _arrivals(
    source: Source, intake: Importer, files: Sequence[LabelledFile], stopped: Callable[[], bool]
) -> Iterator[tuple[str, ImportOutcome]]:
    """Read and take in files in several threads, a few ahead of what is asked for."""

    def take(filing: LabelledFile) -> tuple[str, ImportOutcome]:
        try:
            data = source.read(filing.name)
        except ImageError as error:
            return filing.name, intake.reject(filing.name, str(error))
        return filing.name, intake.add(IncomingPhoto(filing.name, filing.label, data, filing.split))

    workers = os.cpu_count() or 2
    remaining = iter(files)
    with ThreadPoolExecutor(workers) as pool:
        ahead = {pool.submit(take, filing) for _, filing in zip(range(4 * workers), remaining, strict=False)}
        while ahead:
            ready, ahead = wait(ahead, return_when=FIRST_COMPLETED)
            for future in ready:
                yield future.result()
                if not stopped() and (filing := next(remaining, None)) is not None:
                    ahead.add(pool.submit(take, filing))
