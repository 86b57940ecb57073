"""Read a model pack. Its bytes are untrusted: nothing is believed that isn't checked, and nothing is ever unpickled.

A pack may hold files of known names only, none twice, none larger than its kind may be, however well it is compressed;
each must have the size and the checksum that ``pack.json`` states. What the files mean is checked in `pack_checks`.
"""

import contextlib
import hashlib
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sneaker_core.datasets.sources.source_files import directory_bytes
from sneaker_core.errors import CheckpointError, DamagedError
from sneaker_core.networks.checkpoint import MODEL_FILE, ONNX_FILE, WEIGHTS_FILE
from sneaker_core.records.model_records import PackedFileRecord, PackFile
from sneaker_core.records.reading import checked, parsed
from sneaker_core.training.model_pack import EXPORT_ENDING, MOST_EXPORTS, PACK_FILE, PACKED_FILES, most_bytes

_MOST_ENTRIES = len(PACKED_FILES) + MOST_EXPORTS
_MOST_DIRECTORY_BYTES = 1_000_000
_MOST_BYTES = 4_000_000_000
# Weights hardly compress, and text not that much; below this many bytes a high ratio is harmless.
_MOST_RATIO, _SMALL = 200, 1_000_000
_CHUNK = 1 << 20
_COPY_AGAIN = "Copy the file again, or ask for a new one."


class PackReader:
    """A pack whose list of files is in order.

    Attributes
    ----------
    record : PackFile
    name : str
        Of the file, for messages.
    """

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self.name = name
        self._archive = archive
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in archive.infolist():
            self._list(entry)
        if PACK_FILE not in self._entries:
            raise self.refused(f"it isn't a model pack: it has no {PACK_FILE}")
        self.record = self._read_record()
        self._files = {one.name: one for one in self.record.files}
        self._check_list()

    @property
    def total_bytes(self) -> int:
        """Size of all files, unpacked."""
        return sum(entry.file_size for entry in self._entries.values())

    def refused(self, why: str) -> CheckpointError:
        """The error for a pack that can't be installed; `why` completes the sentence."""
        return CheckpointError(f"Can't install {self.name}: {why}.")

    def unpack(self, folder: Path) -> None:
        """Write all files but ``pack.json`` to a new folder, and check their sizes and checksums.

        Raises
        ------
        CheckpointError
            One of them is damaged.
        OSError
            A file can't be written.
        """
        for name, row in self._files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("xb") as target:
                for chunk in self._chunks(name, row):
                    target.write(chunk)

    def _list(self, entry: zipfile.ZipInfo) -> None:
        name, limit = entry.filename, most_bytes(entry.filename)
        if limit is None or stat.S_ISLNK(entry.external_attr >> 16):
            raise self.refused(f"it holds {name[:80]!r}, which no model pack has")
        if name in self._entries:
            raise self.refused(f"it holds {name!r} twice")
        too_dense = entry.file_size > max(_SMALL, _MOST_RATIO * entry.compress_size)
        if entry.file_size > limit or too_dense:
            raise self.refused(f"{name} would be {entry.file_size / 1e6:,.0f} MB, more than such a file can be")
        self._entries[name] = entry

    def _read_record(self) -> PackFile:
        data = b"".join(self._chunks(PACK_FILE))
        try:
            return checked(parsed(data, PACK_FILE), PackFile, PACK_FILE)
        except DamagedError as error:
            raise self.refused(str(error).removesuffix(".")) from None

    def _check_list(self) -> None:
        """Check that the pack holds what its record lists, and nothing else."""
        listed, there = [one.name for one in self.record.files], self._entries.keys() - {PACK_FILE}
        for name in sorted(there - set(listed)):
            raise self.refused(f"it holds {name!r}, which its {PACK_FILE} doesn't list")
        for name in listed:
            if name not in there:
                raise self.refused(f"{name[:80]!r} is missing from it. {_COPY_AGAIN}".removesuffix("."))
        if len(listed) != len(there):
            raise self.refused(f"its {PACK_FILE} lists a file twice")
        weights = ONNX_FILE if ONNX_FILE in there else WEIGHTS_FILE
        if missing := [name for name in (MODEL_FILE, weights) if name not in there]:
            raise self.refused(f"it has no {missing[0]}, so it holds no model")
        if sum(name.endswith(EXPORT_ENDING) for name in there) > MOST_EXPORTS or self.total_bytes > _MOST_BYTES:
            raise self.refused("it holds more than a model")

    def _chunks(self, name: str, row: PackedFileRecord | None = None) -> Iterator[bytes]:
        """The content of a file, checked against its row; the sizes that the archive states are not trusted."""
        entry = self._entries[name]
        checksum, size, most = hashlib.sha256(), 0, entry.file_size if row is None else row.size
        damaged = self.refused(f"{name} in it is damaged. {_COPY_AGAIN}".removesuffix("."))
        with contextlib.ExitStack() as stack:
            try:
                opened = stack.enter_context(self._archive.open(entry))
            except Exception:  # each kind of damage has its own error, as in `source_files`
                raise damaged from None
            while True:
                try:
                    chunk = opened.read(_CHUNK)
                except Exception:
                    raise damaged from None
                if not chunk:
                    break
                checksum.update(chunk)
                size += len(chunk)
                if size > most:
                    raise damaged
                yield chunk
        if row is not None and (size != row.size or checksum.hexdigest() != row.sha256):
            raise damaged


@contextmanager
def open_pack(file: BinaryIO, name: str) -> Iterator[PackReader]:
    """Open a pack and check its list of files.

    Parameters
    ----------
    file : BinaryIO
    name : str
        Of the file, for messages.

    Raises
    ------
    CheckpointError
        It isn't a pack, is damaged or from a newer version, or holds something that no pack has.
    """
    try:
        if directory_bytes(file) > _MOST_DIRECTORY_BYTES:
            raise CheckpointError(f"Can't install {name}: it lists far more files than a model pack.")
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error):
        raise CheckpointError(f"Can't install {name}: it isn't a zip archive. Choose another file.") from None
    with archive:
        if len(archive.infolist()) > _MOST_ENTRIES:
            entries = [entry.filename for entry in archive.infolist()]
            strange = next((one for one in entries if most_bytes(one) is None), entries[0])
            raise CheckpointError(f"Can't install {name}: it holds {strange[:80]!r}, which no model pack has.")
        yield PackReader(archive, name)
