"""The Dockerfile's steps, without Docker: what it copies is enough to run, is healthy, and stays as it is.

And behind a proxy: whose headers it believes.
"""

import contextlib
import fnmatch
import http.client
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.browser import PROJECT, free_port, wait_until_healthy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PORT = "8501"


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    """Instructions of the Dockerfile with their arguments."""
    text = (PROJECT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def copied(steps: list[tuple[str, str]]) -> list[str]:
    return [source for word, rest in steps if word == "COPY" for source in shlex.split(rest)[:-1]]


def command(steps: list[tuple[str, str]], word: str, port: int) -> list[str]:
    """The command of CMD or HEALTHCHECK, for this machine."""
    text = next(rest for name, rest in steps if name == word)
    parts = json.loads(text[text.index("[") :])
    return [sys.executable, *(part.replace(PORT, str(port)) for part in parts[1:])]


def files(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*")}


@contextlib.contextmanager
def running(parts: list[str], folder: Path, environment: dict[str, str], address: str, log: Path) -> Iterator[None]:
    """The app, until the body ends."""
    with log.open("wb") as output:
        server = subprocess.Popen(parts, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_until_healthy(address, server, log)
            yield
        finally:
            server.terminate()
            server.wait(20)


def _ignored(folder: str, names: list[str]) -> list[str]:
    own = {"workspace"} if Path(folder).name == "data" else set()
    return [name for name in names if name in own | {"__pycache__"}]


def test_what_is_copied_is_sent_to_docker(steps):
    rules = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_through = [rule[1:] for rule in rules if rule.startswith("!")]
    assert "*" in rules
    assert all(any(fnmatch.fnmatch(rule, f"{name}*") for rule in let_through) for name in copied(steps))


def test_the_app_runs_from_what_is_copied_and_writes_to_the_workspace_only(steps, tmp_path):
    app, home, port = tmp_path / "app", tmp_path / "workspace", free_port()
    for name in copied(steps):
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, app / name, ignore=_ignored)
        else:
            app.mkdir(exist_ok=True)
            shutil.copy(PROJECT / name, app / name)
    home.mkdir()
    before = files(app)
    environment = {**os.environ, "SOLESCOPE_WORKSPACE": str(home), "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    with running(command(steps, "CMD", port), app, environment, f"http://127.0.0.1:{port}", tmp_path / "server.log"):
        assert subprocess.run(command(steps, "HEALTHCHECK", port), timeout=60).returncode == 0
        photo = app / "data" / "samples" / "Mug.jpg"
        answer = subprocess.run(
            [sys.executable, "-m", "sneaker_core", "--workspace", str(home), "predict", str(photo), "--json"],
            cwd=app,
            env=environment,
            capture_output=True,
            timeout=120,
        )
        assert json.loads(answer.stdout)["status"] == "unknown", answer.stderr
    # The container's user may write to the workspace only.
    assert files(app) == before
    assert subprocess.run(command(steps, "HEALTHCHECK", port), capture_output=True, timeout=60).returncode != 0


# Addresses of this machine that stand for Docker's gateway and for a peer that nobody vouched for.
GATEWAY, STRANGER = "127.0.0.2", "127.0.0.3"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has more than one loopback address")
def test_headers_of_a_trusted_gateway_tell_visitors_apart(steps, tmp_path):
    port, home = free_port(), tmp_path / "workspace"
    own = {"SOLESCOPE_PASSWORD": "a long password", "FORWARDED_ALLOW_IPS": GATEWAY, "SOLESCOPE_WORKSPACE": str(home)}

    def log_in(peer: str, visitor: str, password: str) -> tuple[int, str]:
        """Status, and the cookie if there is one."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(peer, 0))
        sent = {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"}
        forwarded = {"X-Forwarded-For": visitor, "X-Forwarded-Proto": "https"}
        with contextlib.closing(connection):
            connection.request("POST", "/", urlencode({"password": password}), {**sent, **forwarded})
            answer = connection.getresponse()
            return answer.status, answer.getheader("Set-Cookie", "")

    address = f"http://127.0.0.1:{port}"
    with running(command(steps, "CMD", port), PROJECT, {**os.environ, **own}, address, tmp_path / "server.log"):
        for peer in (GATEWAY, STRANGER):
            assert [log_in(peer, "198.51.100.7", "wrong")[0] for _ in range(6)] == [401] * 5 + [429]
        status, cookie = log_in(GATEWAY, "198.51.100.8", own["SOLESCOPE_PASSWORD"])
        assert (status, "; Secure" in cookie) == (303, True)
        # A header that anybody can send frees nobody from waiting.
        assert log_in(STRANGER, "198.51.100.8", own["SOLESCOPE_PASSWORD"]) == (429, "")
