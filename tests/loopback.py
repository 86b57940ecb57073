"""A small web on 127.0.0.1: a search page like Bing's, and servers with valid photos and all kinds of bad files."""

import contextlib
import html
import itertools
import json
import socket
import ssl
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

from sneaker_core.datasets.collect.download import Network
from tests.factories import jpeg, photo

PUBLIC = "93.184.216.34"
_PAUSE = 0.02

Answer = bytes | int
Search = Callable[[dict[str, str]], Answer]


def png(seed: int) -> bytes:
    buffer = BytesIO()
    photo(seed).save(buffer, "PNG")
    return buffer.getvalue()


def results_page(links: Sequence[str]) -> bytes:
    """A page of results; like Bing, it has JSON in an attribute of each result."""
    tiles = [html.escape(json.dumps({"sid": "x", "murl": link, "turl": "https://thumbs"})) for link in links]
    # Bing's JSON has no spaces after its colons.
    tiles = [tile.replace("&quot;: &quot;", "&quot;:&quot;") for tile in tiles]
    return "".join(f'<a class="iusc" m="{tile}"></a>' for tile in tiles).encode() or b"<html>"


def paged(links: Mapping[str, Sequence[str]], size: int = 10) -> Search:
    """Results by query; after the end, the last page repeats, as with Bing."""

    def search(fields: dict[str, str]) -> Answer:
        mine = links.get(fields["q"], [])
        first = min(int(fields["first"]), max(len(mine) - 1, 0) // size * size)
        return results_page(mine[first : first + size]) if mine else b""

    return search


class Web:
    """All servers in one; `asked` and `searched` record the requests, in order."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.searched: list[dict[str, str]] = []
        self.search: Search = paged({})
        self.closing = threading.Event()
        web = self

        class Handler(_Handler):
            pass

        Handler.web = web
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Names:
    """Name resolution and connections: every address leads to the loopback server.

    Attributes
    ----------
    addresses : dict of str to list
        Name -> its successive answers; the last one repeats.
    resolved, connected : list of str
        Names and addresses, in order.
    """

    port: int
    addresses: dict[str, list[list[str]]] = field(default_factory=dict)
    resolved: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)

    def resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append(host)
        answers = self.addresses.get(host)
        if answers is None:
            raise socket.gaierror("no such host")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def connect(self, address: str, port: int, timeout: float) -> socket.socket:
        self.connected.append(address)
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    @property
    def network(self) -> Network:
        return Network(self.resolve, self.connect)


@contextlib.contextmanager
def bing_at(port: int) -> Iterator[None]:
    """Redirect requests to https://www.bing.com to a loopback port, for the whole process."""

    class ToLoopback(urllib.request.HTTPSHandler):
        def https_open(self, request: urllib.request.Request) -> object:
            assert request.host == "www.bing.com"

            def connection(host: str, timeout: float) -> HTTPConnection:
                return HTTPConnection("127.0.0.1", port, timeout=timeout)

            return self.do_open(connection, request)

    before = urllib.request._opener
    urllib.request.install_opener(urllib.request.build_opener(urllib.request.ProxyHandler({}), ToLoopback))
    try:
        yield
    finally:
        urllib.request.install_opener(before)


def closed_port() -> int:
    """A port without a server."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class _Handler(BaseHTTPRequestHandler):
    web: Web
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        address = urllib.parse.urlsplit(self.path)
        self.close_connection = True
        with contextlib.suppress(OSError):  # the client has disconnected
            if address.path == "/images/async":
                fields = dict(urllib.parse.parse_qsl(address.query, keep_blank_values=True))
                self.web.searched.append(fields)
                self.reply(self.web.search(fields), "text/html")
                return
            self.web.asked.append(self.headers["Host"] + self.path)
            self.web.headers.append(dict(self.headers))
            kind, _, rest = address.path[1:].partition("/")
            getattr(self, f"give_{kind}", self.give_missing)(rest, urllib.parse.unquote(address.query))

    def reply(self, answer: Answer, kind: str = "image/jpeg") -> None:
        status, body = (answer, b"") if isinstance(answer, int) else (200, answer)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def give_photo(self, name: str, _: str) -> None:
        seed = int(name.split(".")[0])
        self.reply(png(seed) if name.endswith("png") else jpeg(photo(seed)))

    def give_slow(self, *_: str) -> None:
        data = jpeg(photo(1))
        self.reply(data[:2] + b"\xff\xda\x00\x02" * 101 + data[2:])  # scans

    def give_truncated(self, *_: str) -> None:
        self.reply(jpeg(photo(1, (640, 480)))[:400])

    def give_html(self, *_: str) -> None:
        self.reply(b"<html><body>no photo</body></html>")

    def give_missing(self, *_: str) -> None:
        self.reply(404)

    def give_broken(self, *_: str) -> None:
        self.reply(500)

    def give_redirect(self, left: str, _: str) -> None:
        if left == "0":
            return self.reply(jpeg(photo(0)))
        return self.pass_on(f"/redirect/{int(left) - 1}")

    def give_to(self, _: str, address: str) -> None:
        self.pass_on(address)

    def pass_on(self, address: str) -> None:
        self.send_response(302)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def give_huge(self, *_: str) -> None:
        self.head("Content-Length: 1000000000000")
        self.wfile.write(b"x" * 100)

    def give_short(self, *_: str) -> None:
        self.head("Content-Length: 5000")
        self.wfile.write(b"x" * 100)

    def give_more(self, *_: str) -> None:
        self.head("Content-Length: 10")
        self.wfile.write(b"x" * 100_000)

    def give_endless(self, *_: str) -> None:
        self.head("Content-Type: image/jpeg")
        self.forever(b"x" * 100_000, 0)

    def give_chunked(self, *_: str) -> None:
        self.head("Transfer-Encoding: chunked")
        self.forever(b"186A0\r\n" + b"x" * 100_000 + b"\r\n", 0)

    def give_brokenchunk(self, *_: str) -> None:
        self.head("Transfer-Encoding: chunked")
        self.wfile.write(b"100\r\nonly this")

    def give_drip(self, *_: str) -> None:
        self.head("Content-Length: 5000")
        self.forever(b"x", _PAUSE)

    def give_dripheaders(self, *_: str) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        self.forever(b"x", _PAUSE)

    def give_silence(self, *_: str) -> None:
        self.web.closing.wait()

    def give_garbage(self, *_: str) -> None:
        self.wfile.write(b"220 mail.example ready\r\n")

    def give_nothing(self, *_: str) -> None:
        """Close the connection without a response."""

    def head(self, line: str) -> None:
        self.wfile.write(f"HTTP/1.1 200 OK\r\n{line}\r\n\r\n".encode())

    def forever(self, piece: bytes, pause: float) -> None:
        for _ in itertools.count():
            self.wfile.write(piece)
            if self.web.closing.wait(pause):
                return
