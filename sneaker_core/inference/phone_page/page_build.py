"""The build of the page: its sources, an ONNX file, what it reads, and the runtime, in one folder for any web host."""

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sneaker_core.errors import SneakerError
from sneaker_core.inference.export.export_formats import ExportFormat
from sneaker_core.inference.export.export_model import Report, export_model
from sneaker_core.inference.phone_page.page_values import model_values, page_values
from sneaker_core.inference.phone_page.web_runtime import RUNTIME_LICENSES, add_runtime
from sneaker_core.networks.checkpoint import ModelSpec, onnx_file, read_spec
from sneaker_core.number_text import some_of
from sneaker_core.workspace.folder_exchange import exchange_folder
from sneaker_core.workspace.paths import ICON, PHONE_PAGE, PROJECT
from sneaker_core.workspace.read_only import check_changeable

# Read by the service worker: the files to keep, and a version that changes with any of them. Written last.
_BUILT = "built.js"
_MODEL = "model.onnx"
_SOURCES = (".html", ".css", ".js", ".png", ".webmanifest")
_LICENSE = "LICENSE.txt"
# Beside the page, but not kept on the phone.
_LICENSES = (_LICENSE, *RUNTIME_LICENSES)
# Written, but not listed in `_BUILT`; the page itself is asked for as "./".
_UNLISTED = (_BUILT, "index.html", "service-worker.js", *_LICENSES)
_FILES_LINE = "self.FILES = "
# Files that an error names.
_NAMED = 5


@dataclass(frozen=True)
class BuiltPage:
    """A page that was built.

    Attributes
    ----------
    folder : Path
    version : str
        Of all its files.
    size : int
        What a phone stores, in bytes.
    """

    folder: Path
    version: str
    size: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"folder": str(self.folder), "version": self.version, "bytes": self.size}


def build_page(
    workspace: Path,
    model: Path,
    folder: Path,
    chosen: ExportFormat = ExportFormat.ONNX,
    *,
    is_change: bool = False,
    report: Report = lambda done, total, step: None,
) -> BuiltPage:
    """Build the page for a model; an earlier build in the folder is replaced when the new one is complete.

    Parameters
    ----------
    workspace : Path
    model : Path
        The model's folder, or an ONNX file that was exported before.
    folder : Path
        A new or empty one, or one with an earlier build and nothing else.
    chosen, report
        As for `export_model`.
    is_change : bool
        Whether the folder is part of the workspace, which may be read-only.

    Raises
    ------
    SneakerError
        The folder holds something else, or can't be written; the model can't be exported; or the runtime can't be
        fetched.
    """
    if is_change:
        check_changeable()
    folder = folder.absolute()
    _check_replaceable(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".phone-page-", dir=folder.parent) as temporary:
            new, old = Path(temporary) / "new", Path(temporary) / "old"
            new.mkdir()
            given = onnx_file(model)
            if given is None:
                export_model(workspace, model, new / _MODEL, chosen, report=report)
            else:
                shutil.copyfile(given, new / _MODEL)
            report(0, 0, "Fetching ONNX Runtime for browsers")
            _fill(new, read_spec(model))
            built = _finished(new, folder)
            _check_replaceable(folder)  # again: the build takes a while
            exchange_folder(new, folder, old)
            return built
    except OSError as error:
        raise SneakerError(
            f"Can't write {error.filename or folder}: {error.strerror}. Choose another folder."
        ) from error


def _check_replaceable(folder: Path) -> None:
    """Check that a folder holds nothing that isn't from an earlier build."""
    if folder.is_dir():
        written = {*_UNLISTED, *_listed_files(folder / _BUILT)}
        others = sorted(item.name for item in folder.iterdir() if item.name not in written or item.is_dir())
    elif folder.exists():
        raise SneakerError(f"{folder} is a file. Choose a folder.")
    else:
        return
    if others:
        raise SneakerError(
            f"{folder} holds what no build of the page wrote: {some_of(others, _NAMED)}. A build would delete it. "
            "Choose another folder, or move it elsewhere."
        )


def _listed_files(built: Path) -> list[str]:
    """The files of an earlier build, as far as it lists them."""
    try:
        text = built.read_text(encoding="utf-8").partition(_FILES_LINE)[2]
        return list(map(str, json.loads(text.strip().removesuffix(";"))))
    except (OSError, ValueError, TypeError):  # there is none
        return []


def _fill(folder: Path, spec: ModelSpec) -> None:
    """Add everything to the model."""
    for source in PHONE_PAGE.iterdir():
        if source.suffix in _SOURCES:
            shutil.copyfile(source, folder / source.name)
    shutil.copyfile(ICON, folder / "icon.svg")
    shutil.copyfile(PROJECT / "LICENSE", folder / _LICENSE)
    _write_json(folder / "model.json", model_values(spec))
    _write_json(folder / "page.json", page_values(spec, (folder / _MODEL).stat().st_size))
    add_runtime(folder)


def _write_json(file: Path, values: dict[str, Any]) -> None:
    file.write_text(json.dumps(values, ensure_ascii=False, allow_nan=False), encoding="utf-8")


def _finished(new: Path, folder: Path) -> BuiltPage:
    """Write what the service worker reads."""
    files = sorted(file for file in new.iterdir() if file.name not in _LICENSES)
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    version = digest.hexdigest()[:16]
    kept = ["./", *(file.name for file in files if file.name not in _UNLISTED)]
    text = f"self.VERSION = {json.dumps(version)};\n{_FILES_LINE}{json.dumps(kept, indent=1)};\n"
    (new / _BUILT).write_text(text, encoding="utf-8")
    return BuiltPage(folder, version, sum(file.stat().st_size for file in files))
