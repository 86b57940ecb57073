"""Install a model from a pack, as an item among the runs: all of it, or nothing."""

import contextlib
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import to_builtins

from sneaker_core.errors import CheckpointError, SpaceError
from sneaker_core.networks.architectures import ARCHITECTURES
from sneaker_core.networks.checkpoint import MODEL_FILE, ModelSpec
from sneaker_core.number_text import counted, percent
from sneaker_core.records.model_records import InstalledRecord
from sneaker_core.records.reading import read_values
from sneaker_core.training.pack_checks import check_pack
from sneaker_core.training.pack_reading import PackReader, open_pack
from sneaker_core.training.run_collection import CARD_FILE, runs_of
from sneaker_core.training.run_record import FORMAT
from sneaker_core.workspace.atomic_files import write_json
from sneaker_core.workspace.collection_spec import ABOUT_FILE
from sneaker_core.workspace.paths import RUN_FILE, run_model_folder
from sneaker_core.workspace.read_only import check_changeable

# Disk space that must be left.
_SPARE_BYTES = 50_000_000
# Where a pack is unpacked until it has been checked; what a crash left there is removed after a day.
_STAGED, _STALE_SECONDS = ".install-", 86_400


@dataclass(frozen=True)
class InstalledModel:
    """A model that was installed.

    Attributes
    ----------
    name : str
        Its display name here.
    folder : Path
        Of the model.
    spec : ModelSpec
    origin : InstalledRecord
    """

    name: str
    folder: Path
    spec: ModelSpec
    origin: InstalledRecord

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        test = self.spec.metrics.get("test") or {}
        return {
            "name": self.name,
            "folder": str(self.folder),
            "network": self.spec.network,
            "classes": list(self.spec.classes),
            "n": test.get("n"),
            "top1": test.get("top1"),
            "installed": to_builtins(self.origin),
            "text": self.sentence(),
        }

    def sentence(self) -> str:
        """What was understood: "12 sneakers, MobileNet V2, top-1 accuracy 91.9% on 210 test photos. …"."""
        network, test = ARCHITECTURES.get(self.spec.network), self.spec.metrics.get("test") or {}
        parts = [counted(len(self.spec.classes), "sneaker"), network.title if network else self.spec.network]
        if test.get("n") and test.get("top1") is not None:
            parts.append(f"top-1 accuracy {percent(test['top1'], 1)} on {counted(test['n'], 'test photo')}")
        return f"{', '.join(parts)}. {origin_text(self.origin)}."


def origin_text(origin: InstalledRecord) -> str:
    """Where an installed model comes from, as a clause: "Installed from air.zip: …"."""
    packed = f"packed on {datetime.fromtimestamp(origin.packed, UTC):%Y-%m-%d} by SoleScope {origin.solescope}"
    return f"Installed from {origin.file}: the model {origin.name}, weights {origin.weights}, {packed}"


def install_model(workspace: Path, file: BinaryIO, file_name: str, name: str | None = None) -> InstalledModel:
    """Install the model of a pack. Nothing is left behind if anything in it is wrong.

    Parameters
    ----------
    workspace : Path
    file : BinaryIO
        The pack; untrusted.
    file_name : str
        Its name, for messages and as the origin of the model.
    name : str, optional
        Name of the model here; by default the one it has in the pack.

    Raises
    ------
    RunError
        The model can't have that name; another one can be given.
    CheckpointError
        It isn't a pack, or something in it is damaged or not allowed.
    SpaceError
        There is not enough disk space.
    ReadOnlyError
        SoleScope was started read-only.
    """
    check_changeable()
    file_name = Path(file_name).name[:200] or "the file"
    with open_pack(file, file_name) as pack:
        wanted = runs_of(workspace).check_name(pack.record.name if name is None else name)
        _check_space(workspace, pack)
        _remove_stale(workspace)
        staged = Path(tempfile.mkdtemp(dir=workspace, prefix=_STAGED))
        try:
            return _install(workspace, pack, staged / "item", wanted)
        except OSError as error:
            raise SpaceError(f"Can't install {file_name} in {workspace}: {error.strerror or error}.") from error
        finally:
            shutil.rmtree(staged, ignore_errors=True)


def _check_space(workspace: Path, pack: PackReader) -> None:
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(workspace).free
    except OSError as error:
        raise SpaceError(f"Can't write to {workspace}: {error.strerror}.") from error
    if free < pack.total_bytes + _SPARE_BYTES:
        needed, there = (f"{size / 1e6:,.0f} MB" for size in (pack.total_bytes, free))
        raise SpaceError(f"Can't install {pack.name}: it needs {needed}, and {there} are free in {workspace}.")


def _remove_stale(workspace: Path) -> None:
    for folder in workspace.glob(f"{_STAGED}*"):
        with contextlib.suppress(OSError):
            if folder.stat().st_mtime < time.time() - _STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _install(workspace: Path, pack: PackReader, item: Path, name: str) -> InstalledModel:
    """Make the item in a folder beside the runs, check it, and move it among them."""
    folder = run_model_folder(item)
    pack.unpack(folder)
    try:
        spec = check_pack(folder, pack.record).spec
    except CheckpointError as error:
        raise pack.refused(str(error).removesuffix(".")) from None
    write_json(folder / MODEL_FILE, {**read_values(folder / MODEL_FILE), "name": name}, indent=1)
    if (folder / CARD_FILE).exists():
        (folder / CARD_FILE).rename(item / CARD_FILE)
    record = pack.record
    origin = InstalledRecord(pack.name, record.name, record.weights, record.packed, record.solescope)
    about = {
        "format": FORMAT,
        "state": "done",
        "created": time.time(),
        "dataset": record.data,
        "recipe": spec.recipe,
        "counts": spec.photo_counts,
        "taught_from": record.taught_from,
        "installed": to_builtins(origin),
    }
    write_json(item / RUN_FILE, about, indent=1)
    # So that the item has its name from the moment on at which it is there.
    write_json(item / ABOUT_FILE, {"name": name})
    _flush(item)
    placed = runs_of(workspace).create(name, item)
    return InstalledModel(name, run_model_folder(placed), spec, origin)


def _flush(folder: Path) -> None:
    """Write all files of a folder to disk, so that a crash after the move leaves no part of them."""
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("rb+") as opened:
                os.fsync(opened.fileno())
