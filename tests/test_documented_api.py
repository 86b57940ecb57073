"""The examples of docs/API.md run as they are written, against a real server."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from sneaker_core.api.api_routes import routes
from sneaker_core.api.operations import OPERATIONS
from sneaker_core.settings import ApiSettings
from tests.api_server import serving
from tests.browser import PROJECT

PAGE = (PROJECT / "docs" / "API.md").read_text(encoding="utf-8")
USUAL = "http://localhost:8501"
CURL = re.findall(r"^    (curl .*)$", PAGE, re.MULTILINE)
PROGRAMS = {"python": [sys.executable], "javascript": ["node", "--input-type=module"]}


@pytest.fixture(scope="module")
def address(workspace: Path) -> Iterator[str]:
    with serving(Starlette(routes=routes(workspace, ApiSettings())), log_level="error") as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the examples find their photos."""
    for name, sample in (("photo", "High-Top"), ("side", "Court Low"), ("heel", "Slip-On")):
        shutil.copy(PROJECT / "data" / "samples" / f"{sample}.jpg", tmp_path / f"{name}.jpg")
    return tmp_path


def test_there_are_examples_and_every_route_is_listed() -> None:
    assert len(CURL) >= 8
    assert all(f"`{one.method} /api{one.path}`" in PAGE for one in OPERATIONS)


def test_the_limit_is_the_one_in_use() -> None:
    assert f"may send {ApiSettings().photos_per_minute} photos a minute" in PAGE
    assert "try again after `Retry-After` seconds" in PAGE


def test_curl_examples_work(address: str, folder: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl isn't installed")
    for line in CURL:
        command = line.replace("curl ", "curl --fail-with-body --silent --show-error ", 1).replace(USUAL, address)
        done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        assert '"error":"' not in done.stdout
    assert (folder / "why.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "models.json").stat().st_size > 0


@pytest.mark.parametrize("language", PROGRAMS)
def test_programs_work(address: str, folder: Path, language: str) -> None:
    program = PROGRAMS[language]
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} isn't installed")
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    sent = code.replace(USUAL, address)
    done = subprocess.run([*program, "-"], input=sent, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
