"""ONNX Runtime for browsers: fetched with npm, checked, and copied with its license. None of it is in the project."""

import hashlib
import importlib.util
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import IO, NamedTuple

from sneaker_core.errors import SneakerError

VERSION = "1.30.0"
_PACKAGE = f"onnxruntime-web@{VERSION}"
_LONGEST = 300.0


class _File(NamedTuple):
    size: int
    sha256: str


# What the page needs of the package: the interface, and the WebAssembly with what loads it.
_FILES = {
    "ort.wasm.min.mjs": _File(50_126, "219e6a1fc8a9938268d18efca3c91d310bd2f4a59bbd13744df5b2b7fc6cee3b"),
    "ort-wasm-simd-threaded.mjs": _File(24_381, "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b"),
    "ort-wasm-simd-threaded.wasm": _File(
        14_239_897, "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2"
    ),
}
# The package for browsers brings no licenses; the one for Python, from the same source, does.
_LICENSES = {"LICENSE": "onnxruntime-LICENSE.txt", "ThirdPartyNotices.txt": "onnxruntime-ThirdPartyNotices.txt"}
RUNTIME_LICENSES = tuple(_LICENSES.values())


def add_runtime(folder: Path) -> None:
    """Put the runtime and its licenses into a folder.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    SneakerError
        npm is missing or can't fetch the package, or the package isn't the one that is expected.
    """
    with tempfile.TemporaryDirectory() as temporary:
        archive = _fetched(Path(temporary))
        with tarfile.open(archive) as package:
            for name, expected in _FILES.items():
                data = package.extractfile(f"package/dist/{name}")
                (folder / name).write_bytes(_checked(name, data, expected))
    home = _python_package()
    for name, copy in _LICENSES.items():
        shutil.copyfile(home / name, folder / copy)


def _fetched(folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise SneakerError(f"The page needs {_PACKAGE}, which npm fetches. Install Node.js, which brings npm.")
    command = [npm, "pack", _PACKAGE, "--json", "--prefer-offline", "--pack-destination", str(folder)]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_LONGEST, check=False)
    except subprocess.TimeoutExpired:
        raise SneakerError(f"npm didn't fetch {_PACKAGE} within {_LONGEST:g} seconds. Try again.") from None
    if done.returncode:
        raise SneakerError(f"npm can't fetch {_PACKAGE}: {_reason(done.stdout, done.stderr)}. Is there a network?")
    return next(folder.glob("onnxruntime-web-*.tgz"))


def _reason(output: str, errors: str) -> str:
    """What npm says went wrong, in one line."""
    try:
        return str(json.loads(output)["error"]["summary"]).strip().splitlines()[0].rstrip(".")
    except (ValueError, LookupError, TypeError):
        lines = errors.strip().splitlines()
        return lines[0].rstrip(".") if lines else "it gave no reason"


def _checked(name: str, data: IO[bytes] | None, expected: _File) -> bytes:
    found = b"" if data is None else data.read(expected.size + 1)
    if _File(len(found), hashlib.sha256(found).hexdigest()) != expected:
        raise SneakerError(f"{name} in {_PACKAGE} isn't the file that this version of SoleScope was tested with.")
    return found


def _python_package() -> Path:
    found = importlib.util.find_spec("onnxruntime")
    if found is None or found.origin is None:
        raise SneakerError("The Python package onnxruntime is missing. Install what requirements.txt lists.")
    return Path(found.origin).parent
