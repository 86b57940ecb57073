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
from sneaker_core.inference.phone_page.web_runtime import add_runtime
from sneaker_core.networks.checkpoint import ModelSpec, onnx_file, read_spec
from sneaker_core.workspace.paths import ICON, PHONE_PAGE, PROJECT
from sneaker_core.workspace.read_only import check_changeable

# Read by the service worker: the files to keep, and a version that changes with any of them. Written last.
_BUILT = "built.js"
_MODEL = "model.onnx"
_SOURCES = (".html", ".css", ".js", ".png", ".webmanifest")
# Beside the page, but not kept on the phone.
_NOT_KEPT = (".txt",)


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
        A new or empty one, or one with an earlier build.
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
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
            return built
    except OSError as error:
        raise SneakerError(
            f"Can't write {error.filename or folder}: {error.strerror}. Choose another folder."
        ) from error


def _check_replaceable(folder: Path) -> None:
    if folder.is_dir():
        found = {file.name for file in folder.iterdir()}
        if not found or _BUILT in found:
            return
    elif not folder.exists():
        return
    raise SneakerError(f"{folder} holds something other than a page that was built. Choose another folder.")


def _fill(folder: Path, spec: ModelSpec) -> None:
    """Add everything to the model."""
    for source in PHONE_PAGE.iterdir():
        if source.suffix in _SOURCES:
            shutil.copyfile(source, folder / source.name)
    shutil.copyfile(ICON, folder / "icon.svg")
    shutil.copyfile(PROJECT / "LICENSE", folder / "LICENSE.txt")
    _write_json(folder / "model.json", model_values(spec))
    _write_json(folder / "page.json", page_values(spec, (folder / _MODEL).stat().st_size))
    add_runtime(folder)


def _write_json(file: Path, values: dict[str, Any]) -> None:
    file.write_text(json.dumps(values, ensure_ascii=False, allow_nan=False), encoding="utf-8")


def _finished(new: Path, folder: Path) -> BuiltPage:
    """Write what the service worker reads."""
    files = sorted(file for file in new.iterdir() if file.suffix not in _NOT_KEPT)
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    version = digest.hexdigest()[:16]
    # The page itself is asked for as "./".
    kept = ["./", *(file.name for file in files if file.name not in ("index.html", "service-worker.js"))]
    text = f"self.VERSION = {json.dumps(version)};\nself.FILES = {json.dumps(kept, indent=1)};\n"
    (new / _BUILT).write_text(text, encoding="utf-8")
    return BuiltPage(folder, version, sum(file.stat().st_size for file in files))
