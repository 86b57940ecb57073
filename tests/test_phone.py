"""What `make phone` is made of: addresses, the certificate, the QR code, and the checks in front of the app."""

import asyncio
import base64
import html
import os
import ssl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import segno
from cryptography import x509
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from sneaker_core.errors import SneakerError
from sneaker_core.phone.access import (
    COOKIE,
    MESSAGE_MARK,
    TOO_MANY,
    WRONG,
    OwnAddress,
    PasswordGate,
    access_middleware,
)
from sneaker_core.phone.certificate import ensure_certificate
from sneaker_core.phone.lan_addresses import checked_address, lan_addresses, ranked
from sneaker_core.phone.password_tries import MOST_TRIES, PAUSE, PasswordTries
from sneaker_core.phone.phone_server import PhoneServer, prepare_server
from sneaker_core.phone.qr_code import qr_lines
from sneaker_core.settings import ADDRESS_VARIABLE, PASSWORD_VARIABLE, AccessSettings
from sneaker_core.workspace.paths import PROJECT, WORKSPACE_VARIABLE, certificate_file

ADDRESS, PASSWORD = "https://192.168.1.20:8501", "Größe 42 & more"
NOW = datetime(2026, 5, 1, tzinfo=UTC)
PAGE = f"<form>{MESSAGE_MARK}</form>"
HTML = {"accept": "text/html"}
FORM = {**HTML, "content-type": "application/x-www-form-urlencoded"}


def test_the_likeliest_address_is_first_and_each_is_there_once():
    found = ["9.9.9.9", "172.17.0.1", "192.168.1.20", "10.8.0.2", "127.0.1.1", "192.168.1.20", "169.254.3.4"]
    assert ranked(found) == ["192.168.1.20", "10.8.0.2", "172.17.0.1", "9.9.9.9"]
    assert ranked(["127.0.0.1"]) == []
    assert ranked(lan_addresses()) == lan_addresses()


@pytest.mark.parametrize("text", ["localhost", "::1", "300.1.1.1", ""])
def test_an_address_is_an_ipv4_address(text):
    with pytest.raises(SneakerError, match="isn't an IPv4 address"):
        checked_address(text)


def test_the_certificate_is_private_names_the_address_and_stays(tmp_path):
    file = ensure_certificate(tmp_path / "phone" / "certificate.pem", "192.168.1.20", NOW)
    assert file.stat().st_mode & 0o777 == 0o600
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["192.168.1.20"]
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= timedelta(days=398)
    before = file.read_bytes()
    file.chmod(0o644)  # as a copy may be
    ensure_certificate(file, "192.168.1.20", NOW + timedelta(days=300))
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (before, 0o600)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:300])


def _mix(file: Path) -> None:
    other = ensure_certificate(file.with_name("other.pem"), "192.168.1.20", NOW).read_bytes()
    file.write_bytes(file.read_bytes().partition(b"-----BEGIN PRIVATE")[0] + other[other.index(b"-----BEGIN PRIV") :])


@pytest.mark.parametrize(
    ("address", "later", "damage"),
    [
        ("192.168.1.21", 0, None),  # the computer has another address
        ("192.168.1.20", 360, None),  # about to expire
        ("192.168.1.20", 999, None),  # expired
        ("192.168.1.20", -30, None),  # from the future: the clock was wrong
        ("192.168.1.20", 0, _cut),
        ("192.168.1.20", 0, _mix),  # the key of another one
        ("192.168.1.20", 0, lambda file: file.write_bytes(b"")),
    ],
)
def test_a_certificate_that_does_not_serve_is_replaced(tmp_path, address, later, damage):
    file = ensure_certificate(tmp_path / "certificate.pem", "192.168.1.20", NOW)
    if damage is not None:
        damage(file)
    before = file.read_bytes()
    ensure_certificate(file, address, NOW + timedelta(days=later))
    assert file.read_bytes() != before
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file)
    kept = file.read_bytes()
    assert ensure_certificate(file, address, NOW + timedelta(days=later)).read_bytes() == kept


def test_the_code_holds_the_address():
    lines = qr_lines(ADDRESS)
    modules = [[int(char in chars) for char in line] for line in lines for chars in ("▀█", "▄█")]
    code = segno.make_qr(ADDRESS, error="l")
    rows = [list(row) for row in code.matrix_iter(border=2)]
    assert modules[: len(rows)] == rows and len({len(line) for line in lines}) == 1
    assert max(map(len, lines)) <= 40 and len(lines) <= 20  # fits the smallest terminals


def test_the_server_keeps_its_checks_and_tells_nobody_the_password(tmp_path):
    server = PhoneServer(tmp_path, "192.168.1.20", 8501, tmp_path / "c.pem", True, PASSWORD)
    command = server.command()
    assert {"--server.address=192.168.1.20", f"--server.corsAllowedOrigins={ADDRESS}"} <= set(command)
    assert {"--server.enableCORS=true", "--server.enableXsrfProtection=true"} <= set(command)
    assert PASSWORD not in " ".join(command)
    assert (server.environment()["SOLESCOPE_PASSWORD"], server.environment()["SOLESCOPE_READ_ONLY"]) == (PASSWORD, "1")


def test_a_server_that_cannot_start_says_why(tmp_path):
    with pytest.raises(SneakerError, match="too short"):
        prepare_server(tmp_path, host="127.0.0.1", password="short")
    with pytest.raises(SneakerError, match="--address"):
        prepare_server(tmp_path, host="192.0.2.77")  # not an address of this computer
    assert not certificate_file(tmp_path).exists()


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (ADDRESS, ADDRESS),
        ("HTTPS://Shoes.Example:443/", "https://shoes.example"),
        ("http://[fe80::1]:80", "http://[fe80::1]"),
        ("http://localhost:8501/", "http://localhost:8501"),
        ("", None),
    ],
)
def test_the_only_address_is_read_as_browsers_send_it(given, read, monkeypatch):
    monkeypatch.setenv(ADDRESS_VARIABLE, given)
    assert AccessSettings.from_environment().address == read


UNREACHABLE = ["192.168.1.20", "192.168.1.20:8501", "https://", "https://a:port", "https://a:99999", "https://[a"]


@pytest.mark.parametrize("given", [*UNREACHABLE, "ftp://a", "https://a/b", "https://a?b", "https://a b", "https://u@a"])
def test_an_address_that_no_request_can_have_is_refused(given, monkeypatch):
    monkeypatch.setenv(ADDRESS_VARIABLE, given)
    with pytest.raises(SneakerError, match=f"^{ADDRESS_VARIABLE} is .*must be like https://192.168.1.20:8501"):
        AccessSettings.from_environment()


def test_a_server_with_a_short_password_ends_with_one_line(tmp_path):
    environment = {**os.environ, PASSWORD_VARIABLE: "short", WORKSPACE_VARIABLE: str(tmp_path)}
    command = [sys.executable, "-c", "import asgi"]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: The password is too short. Use at least 6 characters.\n"


def test_without_settings_nothing_is_checked():
    assert access_middleware(AccessSettings(None, None), lambda: pytest.fail("no page is needed")) == []
    assert PASSWORD not in repr(AccessSettings(None, PASSWORD))


async def _echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse("inside")


INSIDE = Starlette(routes=[Route("/{rest:path}", _echo, methods=["GET", "POST"])])


class Client:
    """A client on the network that keeps cookies, as a browser does."""

    def __init__(self, app: ASGIApp, address: str) -> None:
        self.transport, self.cookies = httpx.ASGITransport(app, client=(address, 40000)), httpx.Cookies()

    def ask(self, method: str, url: str, **options: Any) -> httpx.Response:
        async def answered() -> httpx.Response:
            async with httpx.AsyncClient(transport=self.transport, base_url=ADDRESS, cookies=self.cookies) as client:
                answer = await client.request(method, url, **options)
                self.cookies.update(client.cookies)
                return answer

        with ThreadPoolExecutor(1) as thread:  # a browser test may have left an event loop in this one
            return thread.submit(asyncio.run, answered()).result()


def client_of(app: ASGIApp, address: str = "192.168.1.50") -> Client:
    return Client(app, address)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": ADDRESS}, 200),
        ({"host": "rebound.example:8501"}, 403),
        ({"host": "192.168.1.20"}, 403),
        ({"host": "192.168.1.20:8501.example"}, 403),
        ({"origin": "https://example.com"}, 403),
        ({"origin": "http://192.168.1.20:8501"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_only_requests_for_its_own_address_get_through(headers, status):
    assert client_of(OwnAddress(INSIDE, ADDRESS)).ask("GET", "/", headers=headers).status_code == status


def basic(password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"anyone:{password}".encode()).decode()}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (basic(PASSWORD), 200),
        (basic("other"), 401),
        ({"authorization": "Basic ???"}, 401),
        ({"authorization": "Bearer " + "secret"}, 401),
    ],
)
def test_programs_send_the_password_with_each_request(headers, status):
    gate = PasswordGate(INSIDE, PASSWORD, PAGE)
    answer = client_of(gate).ask("GET", "/api/health", headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.json()["error"] and answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    "headers", [{"cookie": f"{COOKIE}="}, {"cookie": f"{COOKIE}=of-an-earlier-server"}, {"sec-fetch-mode": "cors"}]
)
def test_a_page_that_is_open_never_makes_the_browser_ask_for_the_password(headers):
    gate = PasswordGate(INSIDE, PASSWORD, PAGE)
    answer = client_of(gate).ask("GET", "/api/health", headers=headers)
    assert answer.status_code == 401 and answer.json()["error"]
    assert "www-authenticate" not in answer.headers


def test_a_bearer_token_is_the_password():
    gate = PasswordGate(INSIDE, "plain-words", PAGE)
    headers = {"authorization": "Bearer plain-words"}
    assert client_of(gate).ask("GET", "/api/health", headers=headers).text == "inside"


def test_browsers_log_in_once_and_come_back_to_where_they_were():
    gate = PasswordGate(INSIDE, PASSWORD, PAGE)

    client = client_of(gate)
    first = client.ask("GET", "/evaluate?section=Matrix", headers=HTML)
    assert (first.status_code, first.text) == (401, "<form></form>")
    assert "www-authenticate" not in first.headers  # or the browser would ask in a window of its own
    wrong = client.ask("POST", "/evaluate", data={"password": "other"}, headers=FORM)
    assert wrong.status_code == 401 and html.escape(WRONG) in wrong.text and COOKIE not in client.cookies
    done = client.ask("POST", "/evaluate?section=Matrix", data={"password": PASSWORD}, headers=FORM)
    assert (done.status_code, done.headers["location"]) == (303, "/evaluate?section=Matrix")
    assert {"HttpOnly", "Secure", "SameSite=lax"} <= set(done.headers["set-cookie"].split("; "))
    assert client.ask("GET", "/anything").text == "inside"
    assert client_of(gate).ask("GET", "/anything").status_code == 401  # another browser


@pytest.mark.parametrize("path", ["//example.com/x", "/\\example.com/x"])
def test_a_login_never_leads_to_another_site(path):
    gate = PasswordGate(INSIDE, PASSWORD, PAGE)
    answer = client_of(gate).ask("POST", ADDRESS + path, data={"password": PASSWORD}, headers=FORM)
    assert answer.status_code == 303 and answer.headers["location"] == "/example.com/x"


def test_a_huge_form_is_no_password():
    gate = PasswordGate(INSIDE, PASSWORD, PAGE)
    data = {"padding": "x" * 5000, "password": PASSWORD}
    assert client_of(gate).ask("POST", "/", data=data, headers=FORM).status_code == 401


def test_after_a_few_wrong_passwords_a_client_has_to_wait():
    time = [1000.0]
    gate = PasswordGate(INSIDE, PASSWORD, PAGE, PasswordTries(lambda: time[0]))

    def status(password: str, client: str = "192.168.1.50") -> int:
        return client_of(gate, client).ask("GET", "/", headers=basic(password)).status_code

    assert [status("other") for _ in range(MOST_TRIES)] == [401] * MOST_TRIES
    assert status(PASSWORD) == 429  # even the right one, or guessing would go on
    assert status(PASSWORD, "192.168.1.51") == 200  # others aren't locked out
    page = client_of(gate).ask("POST", "/", data={"password": PASSWORD}, headers=FORM)
    assert page.status_code == 429 and html.escape(TOO_MANY) in page.text and page.headers["retry-after"] == "60"
    time[0] += PAUSE
    assert status(PASSWORD) == 200
    assert [status("other"), status(PASSWORD), *[status("other") for _ in range(MOST_TRIES)]][-1] == 401
