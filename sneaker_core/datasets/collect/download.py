"""Download photos from untrusted addresses.

A link from the web may lead anywhere: to the router, to a service on this machine, to a cloud's metadata. A host name
is therefore resolved once, all its addresses must be public, and the connection uses one of the checked addresses, so
that a name that resolves differently the next time gains nothing. The same applies to every redirect.
"""

import contextlib
import http.client
import io
import ipaddress
import socket
import ssl
import string
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from sneaker_core.errors import CollectError
from sneaker_core.settings import ImageLimits

MOST_REDIRECTS = 3
USER_AGENT = "SoleScope (collects sneaker photos)"

_MOST_ADDRESSES = 3  # tried per host name
_CHUNK = 65536
_TOO_SLOW = "The download took too long."
_CUT_OFF = "The download was incomplete."
_REDIRECTS = {301, 302, 303, 307, 308}
_PORTS = {"http": 80, "https": 443}
# Characters allowed in a path or query, including the percent sign of escapes.
_PLAIN = "%/:@!$&'()*+,;=~?[]|"

# Special-purpose addresses of IANA's registries that are not hosts on the internet; listed here because only newer
# versions of `ipaddress` know some of them.
_SPECIAL_4 = [IPv4Network(net) for net in ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15")]
_GLOBAL_6 = IPv6Network("2000::/3")
_SPECIAL_6 = [IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "3fff::/20")]
_NAT64 = IPv6Network("64:ff9b::/96")


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _connect(address: str, port: int, timeout: float) -> socket.socket:
    return socket.create_connection((address, port), timeout)


@dataclass(frozen=True)
class Network:
    """Access to the network; tests replace it.

    Attributes
    ----------
    resolve : callable
        (host, port) -> addresses, as text; raises OSError when the host has none.
    connect : callable
        (address, port, seconds) -> a connected socket; raises OSError.
    """

    resolve: Callable[[str, int], list[str]] = _resolve
    connect: Callable[[str, int, float], socket.socket] = _connect


def is_public(address: str) -> bool:
    """Return whether an IP address is a public host on the internet.

    Parameters
    ----------
    address : str
        IPv4 or IPv6. An IPv6 address that embeds an IPv4 address (mapped, 6to4, NAT64) is judged by it.

    Returns
    -------
    bool
        False for private, shared (100.64/10), loopback, link-local, multicast, reserved, documentation and
        unspecified addresses, and for invalid addresses.
    """
    try:
        parsed: IPv4Address | IPv6Address = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour
        if parsed in _NAT64:
            inner = IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is None:
            special = any(parsed in net for net in _SPECIAL_6)
            return parsed in _GLOBAL_6 and parsed.is_global and not special and parsed.scope_id is None
        parsed = inner
    refused = parsed.is_multicast or parsed.is_reserved or any(parsed in net for net in _SPECIAL_4)
    return parsed.is_global and not refused


class Downloader:
    """Downloads photos over http and https from public addresses only; safe to use from several threads.

    Parameters
    ----------
    limits : ImageLimits
        Its limit on bytes is enforced during the download.
    timeout : float
        Seconds to wait for the server to send anything.
    deadline : float
        Seconds per photo in total, including redirects (but not the system's own timeout for name servers).
    network : Network
    """

    def __init__(
        self,
        limits: ImageLimits | None = None,
        timeout: float = 10,
        deadline: float = 30,
        network: Network | None = None,
    ) -> None:
        self.limits = limits or ImageLimits.from_environment()
        self.timeout = timeout
        self.deadline = deadline
        self.network = network or Network()
        self._tls = ssl.create_default_context()

    def fetch(self, url: str) -> bytes:
        """Download one photo.

        Parameters
        ----------
        url : str

        Returns
        -------
        bytes
            At most ``limits.max_bytes``; not checked to be a photo.

        Raises
        ------
        CollectError
            The address is invalid, not public or redirects too often, or the server can't be reached, answers with an
            error, or sends too much or too slowly.
        """
        clock = _Clock(self.timeout, time.monotonic() + self.deadline)
        with _as_collect_errors():
            for _ in range(MOST_REDIRECTS + 1):
                answer = self._ask(_target(url), clock)
                if isinstance(answer, bytes):
                    return answer
                url = urllib.parse.urljoin(url, answer)
        raise CollectError(f"The address redirects more than {MOST_REDIRECTS} times.")

    def _ask(self, target: "_Target", clock: "_Clock") -> bytes | str:
        """Send one request; return the photo or the address of a redirect."""
        connection = _PinnedConnection(target, self._addresses(target), self.network, clock, self._tls)
        headers = {
            "Host": target.name_and_port,
            "User-Agent": USER_AGENT,
            "Accept": "image/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        with contextlib.closing(connection):
            connection.request("GET", target.path, headers=headers)
            with connection.getresponse() as response:
                location = response.getheader("Location")
                if response.status in _REDIRECTS and location:
                    # http.client decodes non-ASCII bytes as Latin-1.
                    return urllib.parse.quote(location.strip(), safe=string.punctuation, encoding="latin-1")
                if response.status != 200:
                    raise CollectError(f"The server answered with code {response.status} instead of a photo.")
                return self._body(response)

    def _addresses(self, target: "_Target") -> list[str]:
        try:
            addresses = self.network.resolve(target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise CollectError("The server's name can't be resolved.") from error
        if not addresses:
            raise CollectError("The server's name can't be resolved.")
        if not all(map(is_public, addresses)):
            raise CollectError("The address is not public; photos are only downloaded from the public internet.")
        return addresses[:_MOST_ADDRESSES]

    def _body(self, response: http.client.HTTPResponse) -> bytes:
        body = bytearray()
        # The declared length is checked first but not trusted: the bytes are counted as they arrive.
        while (response.length or 0) + len(body) <= self.limits.max_bytes:
            part = response.read(_CHUNK)
            if part:
                body += part
                continue
            if response.length:
                raise CollectError(_CUT_OFF)
            return bytes(body)
        raise CollectError(f"The photo is larger than {self.limits.max_bytes / 1e6:g} MB.")


@dataclass(frozen=True)
class _Target:
    """A parsed address: the host to resolve and the path to send."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def name_and_port(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _PORTS[self.scheme] else f"{name}:{self.port}"


def _target(url: str) -> _Target:
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").rstrip(".")
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except ValueError:  # UnicodeError is one
        raise CollectError("The address of the photo is not valid.") from None
    if parts.scheme not in _PORTS:
        raise CollectError("The address of the photo doesn't start with http or https.")
    if "@" in parts.netloc:
        raise CollectError("The address of the photo contains a user name, which is never sent.")
    if not host or port == 0 or not set(host) <= set(string.ascii_letters + string.digits + "-._:"):
        raise CollectError("The address of the photo is not valid.")
    query = f"?{parts.query}" if parts.query else ""
    path = urllib.parse.quote((parts.path or "/") + query, safe=_PLAIN, errors="replace")
    return _Target(parts.scheme, host, port or _PORTS[parts.scheme], path)


@dataclass(frozen=True)
class _Clock:
    """The time left: for one piece and in total."""

    timeout: float
    end: float

    def left(self) -> float:
        left = min(self.timeout, self.end - time.monotonic())
        if left <= 0:
            raise CollectError(_TOO_SLOW)
        return left


class _PinnedConnection(http.client.HTTPConnection):
    """A connection to one of the checked addresses, with a time limit from the first byte to the last."""

    def __init__(
        self, target: _Target, addresses: list[str], network: Network, clock: _Clock, tls: ssl.SSLContext
    ) -> None:
        super().__init__(target.host, target.port)
        self._target = target
        self._pinned = addresses
        self._network = network
        self._clock = clock
        self._tls = tls

    def connect(self) -> None:
        plain = self._reached()
        plain.settimeout(self._clock.left())
        if self._target.scheme == "https":
            plain = self._tls.wrap_socket(plain, server_hostname=self._target.host)
        # `_TimedSocket` has everything that http.client uses of a socket.
        self.sock = _TimedSocket(plain, self._clock)

    def _reached(self) -> socket.socket:
        trouble: OSError | None = None
        for address in self._pinned:
            try:
                return self._network.connect(address, self._target.port, self._clock.left())
            except OSError as error:
                trouble = error
        raise CollectError("The server can't be reached.") from trouble


class _TimedSocket:
    """A socket that checks the time before each piece: a server could otherwise send single bytes forever."""

    def __init__(self, plain: socket.socket, clock: _Clock) -> None:
        self._plain = plain
        self._clock = clock

    def sendall(self, data: bytes) -> None:
        self._plain.settimeout(self._clock.left())
        self._plain.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._plain, self._clock))

    def close(self) -> None:
        self._plain.close()


class _TimedReader(io.RawIOBase):
    def __init__(self, plain: socket.socket, clock: _Clock) -> None:
        self._plain = plain
        self._clock = clock
        # The response outlives the connection: a socket closes with its last file.
        self._file = plain.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        self._plain.settimeout(self._clock.left())
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


@contextlib.contextmanager
def _as_collect_errors() -> Iterator[None]:
    """Turn network errors into CollectError."""
    try:
        yield
    except TimeoutError as error:
        raise CollectError(_TOO_SLOW) from error
    except ssl.SSLCertVerificationError as error:
        raise CollectError("The server's certificate is not valid.") from error
    except OSError as error:
        raise CollectError("The connection to the server was lost.") from error
    except http.client.IncompleteRead as error:
        raise CollectError(_CUT_OFF) from error
    except (http.client.HTTPException, ValueError) as error:
        raise CollectError("The server's answer is not valid HTTP.") from error
