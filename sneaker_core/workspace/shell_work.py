"""Work in a shell or a notebook that has no item of its own, recorded while it lasts, so that what it uses is kept."""

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sneaker_core.errors import ReadOnlyError
from sneaker_core.workspace.jobs import new_job_folder, working
from sneaker_core.workspace.jobs_in_use import SHELL_WORK


@contextlib.contextmanager
def shell_work(workspace: Path, kind: str, params: Mapping[str, Any], title: str) -> Iterator[None]:
    """Record work while the body runs; a workspace that can't be written to is no reason not to do it.

    Parameters
    ----------
    workspace : Path
    kind, params, title
        As for `jobs.start_job`.
    """
    folder = new_job_folder(workspace / SHELL_WORK)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        with contextlib.suppress(OSError, ReadOnlyError):
            stack.enter_context(working(folder, kind, params, title=title, workspace=workspace))
        yield
