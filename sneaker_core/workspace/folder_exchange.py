"""Exchange a finished folder for the one that is there, so that an interruption loses neither.

Two renames can't be one: between them, the place is empty. A model whose exchange was interrupted there is brought back
by whoever looks for it next.
"""

import contextlib
import shutil
from pathlib import Path

from sneaker_core.errors import SneakerError
from sneaker_core.settings import read_only
from sneaker_core.workspace.locks import take_lock
from sneaker_core.workspace.paths import run_model_folder

# Held while a run's model is exchanged.
EXCHANGE_LOCK = ".teach.lock"


def exchange_folder(new: Path, folder: Path, old: Path) -> None:
    """Put a finished folder in the place of another one; all three are on the same disk.

    Parameters
    ----------
    new : Path
    folder : Path
        The place; there may be nothing yet.
    old : Path
        Where to put what is there; what it holds from an earlier exchange is deleted.

    Raises
    ------
    OSError
        A folder can't be moved. What was there is there again.
    """
    if not folder.exists():
        new.replace(folder)
        return
    shutil.rmtree(old, ignore_errors=True)
    folder.replace(old)
    try:
        new.replace(folder)
    except BaseException:
        with contextlib.suppress(OSError):
            bring_back(folder, old)
        raise


def bring_back(folder: Path, old: Path) -> None:
    """Undo an exchange that was interrupted; nothing happens if none was.

    Raises
    ------
    OSError
        The old folder can't be moved.
    """
    if not folder.exists() and old.exists():
        old.replace(folder)


def replaced_folder(folder: Path) -> Path:
    """Where a model lies while it is exchanged for a new one."""
    return folder.with_name(f".{folder.name}.old")


def present_model_folder(run_folder: Path) -> Path:
    """Folder of a run's finished model, which is brought back first if its exchange was interrupted."""
    folder = run_model_folder(run_folder)
    old = replaced_folder(folder)
    with contextlib.suppress(OSError, SneakerError):  # where nothing can be written, the model stays away
        if not folder.exists() and old.exists() and not read_only():
            lock = take_lock(run_folder / EXCHANGE_LOCK)
            if lock is not None:  # otherwise, it is being exchanged just now
                with lock:
                    bring_back(folder, old)
    return folder
