"""Sources of photos that vanish under the work that reads them: then that is the error, not the first missing photo."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sneaker_core.datasets.dataset_collection import PhotoSource, find_source, source_folder
from sneaker_core.datasets.index import INDEX_FILE
from sneaker_core.errors import DatasetError, SneakerError, StoppedError
from sneaker_core.workspace.jobs_in_use import references

_KEYS = ("dataset", "source", "worlds", "dataset_folder")


def check_there(sources: Iterable[PhotoSource]) -> None:
    """Check that sources that were there when the work began still are.

    Raises
    ------
    DatasetError
        One isn't.
    """
    if text := _gone_text(sources):
        raise DatasetError(text)


def _gone_text(sources: Iterable[PhotoSource]) -> str | None:
    """What to say of the first source that isn't there anymore; None if all are."""
    for source in sources:
        if source.dataset is None:
            if not source.folder.is_dir():
                return f"The folder {source.folder} was deleted or moved while in use. Bring it back, then try again."
        elif not (source.folder / INDEX_FILE).is_file() or not source.dataset.images.is_dir():
            return f"The dataset {source.name!r} was deleted or moved while it was in use. Restore it, then try again."
    return None


@contextlib.contextmanager
def told_if_vanished(sources: Iterable[PhotoSource]) -> Iterator[None]:
    """Run the body; if it fails because a source has vanished, that is the error.

    Raises
    ------
    DatasetError
        The body failed, and a source isn't there anymore.
    """
    try:
        yield
    except StoppedError:
        raise
    except Exception as error:
        if text := _gone_text(sources):
            raise DatasetError(text) from error
        raise


def sources_of_job(workspace: Path, params: Mapping[str, Any]) -> list[PhotoSource]:
    """The sources of photos that a job refers to and that are there."""
    found = {}
    for key, value in references(workspace, params):
        if key in _KEYS and value:
            with contextlib.suppress(SneakerError, OSError, ValueError):
                folder = source_folder(workspace, value)
                found[folder] = find_source(workspace, str(folder))
    return list(found.values())
