"""`python -m sneaker_core phone` for real: a server over HTTPS, its password, and a phone that asks about a photo."""

import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from sneaker_core.phone.access import COOKIE, WRONG
from sneaker_core.settings import ORIGINS_VARIABLE, PASSWORD_VARIABLE
from sneaker_core.workspace.paths import PROJECT, SAMPLE_PHOTOS
from tests.browser import PHONE, settle
from ui.kit.changes import READ_ONLY_NOTE

PASSWORD = "correct horse"
NAMED = "https://shoes.example"
HTML = {"accept": "text/html"}


@dataclass(frozen=True)
class Served:
    """A running server: its address, and a context that trusts its certificate and no other."""

    address: str
    trust: ssl.SSLContext

    def client(self, **options: object) -> httpx.Client:
        return httpx.Client(base_url=self.address, verify=self.trust, timeout=60, **options)

    def websocket(self, **options: object) -> ClientConnection:
        uri = self.address.replace("https:", "wss:") + "/_stcore/stream"
        return connect(uri, ssl=self.trust, subprotocols=["streamlit"], **options)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("phone")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "sneaker_core", "--workspace", str(home), "phone"]
    process = subprocess.Popen(
        [*command, "--address", "127.0.0.1", "--port", str(port), "--json"],
        cwd=PROJECT,
        env={**os.environ, PASSWORD_VARIABLE: PASSWORD, ORIGINS_VARIABLE: NAMED},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        about = json.loads(process.stdout.readline())
        assert (about["address"], about["read_only"], about["password"]) == (f"https://127.0.0.1:{port}", True, True)
        trust = ssl.create_default_context(cafile=about["certificate"])
        yield Served(about["address"], trust)
    finally:
        process.terminate()
        process.wait(30)
    with socket.socket() as gone:
        assert gone.connect_ex(("127.0.0.1", port)) != 0  # the server ends with the command
    assert sorted(path.name for path in home.rglob("*") if path.is_file()) == ["certificate.pem"]


def test_the_connection_is_encrypted_with_its_own_certificate(served):
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(served.address)
    with served.client() as client:
        assert client.get("/api/health").status_code == 401


def test_another_host_and_another_site_are_refused(served):
    with served.client(headers={"authorization": f"Bearer {PASSWORD}"}) as client:
        assert client.get("/api/health").status_code == 200
        for headers in ({"host": "rebound.example"}, {"origin": "https://example.com"}):
            assert [client.get(path, headers=headers).status_code for path in ("/", "/api/health")] == [403, 403]
        # A website that is named for the API may ask, but not here: the page is for this address alone.
        named = {"origin": NAMED, "access-control-request-method": "GET"}
        assert client.options("/api/models", headers=named).headers["access-control-allow-origin"] == NAMED
        assert client.get("/api/models", headers=named).status_code == 403
    token = {"Authorization": f"Bearer {PASSWORD}"}
    with pytest.raises(InvalidStatus, match="403"):
        served.websocket(origin="https://example.com", additional_headers=token)


def test_the_password_is_in_front_of_the_page_the_api_and_the_websocket(served):
    photo = next(iter(sorted(SAMPLE_PHOTOS.glob("*.jpg"))))
    with served.client() as client:
        page = client.get("/", headers=HTML)
        assert page.status_code == 401 and 'type="password"' in page.text and "<script" not in page.text
        for path in ("/_stcore/health", "/favicon.png", "/api/models", "/phone", "/phone/", "/phone/service-worker.js"):
            assert client.get(path).status_code == 401
        with pytest.raises(InvalidStatus, match="403"):
            served.websocket(origin=served.address)

        form = {**HTML, "origin": served.address}
        assert client.post("/", data={"password": "wrong horse"}, headers=form).status_code == 401
        assert client.post("/", data={"password": PASSWORD}, headers=form).status_code == 303
        page = client.get("/", headers=HTML)
        assert page.status_code == 200 and 'type="password"' not in page.text
        assert "phone-page" in client.get("/phone/", headers=HTML, follow_redirects=True).text  # how to build it
        answer = client.post("/api/predict", files={"file": (photo.name, photo.read_bytes())})
        assert answer.json()["status"] in ("known", "unsure", "unknown")
        cookie = {"Cookie": f"{COOKIE}={client.cookies[COOKIE]}"}
    with served.websocket(origin=served.address, additional_headers=cookie) as socket_:
        assert socket_.subprotocol == "streamlit"


def test_a_phone_logs_in_uploads_a_photo_and_gets_an_answer(served, browser: Browser):
    photo: Path = SAMPLE_PHOTOS / "High-Top.jpg"
    width, height = PHONE
    context = browser.new_context(ignore_https_errors=True, viewport={"width": width, "height": height})
    page = context.new_page()
    try:
        page.goto(served.address)
        page.get_by_label("Password").fill("wrong horse")
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("alert")).to_have_text(WRONG)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("heading", name="What are those?")).to_be_visible()
        settle(page)
        page.locator("input[type=file]").first.set_input_files(photo)
        question = page.get_by_text("Was the model right?")
        expect(question).to_be_visible()
        settle(page)
        page.get_by_role("radio", name="No").or_(page.get_by_role("button", name="No", exact=True)).first.click()
        expect(page.get_by_text(f"Thank you. {READ_ONLY_NOTE}")).to_be_visible()
        assert page.evaluate("window.isSecureContext")  # the camera is allowed
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    finally:
        context.close()
