"""Fetching a photo from an address that nobody has vouched for.

A link from the web may lead anywhere: to the router, to a service on this machine, to the metadata of a cloud. So a
name is resolved once, every address it has must be a public one, and the connection is made to exactly an address that
was checked: a name that answers otherwise the next time gains nothing. The same holds at every redirect.
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

_MOST_ADDRESSES = 3  # of one name are tried
_CHUNK = 65536
_TOO_SLOW = "The photo took too long to come."
_CUT_OFF = "The photo was cut off on its way."
_REDIRECTS = {301, 302, 303, 307, 308}
_PORTS = {"http": 80, "https": 443}
# All that may stand in a path or a query, with the percent sign of what is written in full already.
_PLAIN = "%/:@!$&'()*+,;=~?[]|"

# Set aside for uses other than hosts on the internet (IANA's registries of special-purpose addresses); listed here
# for `ipaddress` knows some of them only in newer Pythons.
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
    """The two things that are asked of the network.

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
    """Whether an IP address is a host's on the internet.

    Parameters
    ----------
    address : str
        IPv4 or IPv6. An IPv6 address that stands for an IPv4 one (mapped, 6to4, NAT64) is judged by that.

    Returns
    -------
    bool
        False for private, shared (100.64/10), loopback, link-local, multicast, reserved, documentation and
        unspecified addresses, and for what is no address.
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
    """Fetches photos over http and https from public addresses only; safe to use from several threads.

    Parameters
    ----------
    limits : ImageLimits
        Its cap on bytes is kept while a photo comes in.
    timeout : float
        Seconds that the server may be silent.
    deadline : float
        Seconds for a photo in all, redirects included (but for the system's own patience with a name server).
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
        """Fetch one photo.

        Parameters
        ----------
        url : str

        Returns
        -------
        bytes
            As they came, at most ``limits.max_bytes``; whether they are a photo is the decoder's to say.

        Raises
        ------
        CollectError
            The address is none to fetch photos from, leads to a network that is not public or passes on too often;
            the server cannot be reached, answers with an error, sends too much or too slowly.
        """
        clock = _Clock(self.timeout, time.monotonic() + self.deadline)
        with _told_plainly():
            for _ in range(MOST_REDIRECTS + 1):
                answer = self._ask(_target(url), clock)
                if isinstance(answer, bytes):
                    return answer
                url = urllib.parse.urljoin(url, answer)
        raise CollectError(f"The address passes on to another one more than {MOST_REDIRECTS} times.")

    def _ask(self, target: "_Target", clock: "_Clock") -> bytes | str:
        """Ask one server once: the photo, or the address that it passes on to."""
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
                    # What is not ASCII came as Latin-1 letters that stand for bytes.
                    return urllib.parse.quote(location.strip(), safe=string.punctuation, encoding="latin-1")
                if response.status != 200:
                    raise CollectError(f"The server answered with code {response.status} instead of a photo.")
                return self._body(response)

    def _addresses(self, target: "_Target") -> list[str]:
        try:
            addresses = self.network.resolve(target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise CollectError("The server's name cannot be found.") from error
        if not addresses:
            raise CollectError("The server's name cannot be found.")
        if not all(map(is_public, addresses)):
            raise CollectError("The address leads into a network that is not public, where no photos are fetched.")
        return addresses[:_MOST_ADDRESSES]

    def _body(self, response: http.client.HTTPResponse) -> bytes:
        body = bytearray()
        # A length that is promised is checked first, but not believed: the bytes are counted as they come.
        while (response.length or 0) + len(body) <= self.limits.max_bytes:
            part = response.read(_CHUNK)
            if part:
                body += part
                continue
            if response.length:
                raise CollectError(_CUT_OFF)
            return bytes(body)
        raise CollectError(f"The photo is over {self.limits.max_bytes / 1e6:g} MB.")


@dataclass(frozen=True)
class _Target:
    """An address taken apart: the host as it is resolved, the path as it is sent."""

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
        raise CollectError("The address of the photo is not a valid one.") from None
    if parts.scheme not in _PORTS:
        raise CollectError("The address of the photo is not one of the web (http or https).")
    if "@" in parts.netloc:
        raise CollectError("The address of the photo holds a user name, which is never sent.")
    if not host or port == 0 or not set(host) <= set(string.ascii_letters + string.digits + "-._:"):
        raise CollectError("The address of the photo is not a valid one.")
    query = f"?{parts.query}" if parts.query else ""
    path = urllib.parse.quote((parts.path or "/") + query, safe=_PLAIN, errors="replace")
    return _Target(parts.scheme, host, port or _PORTS[parts.scheme], path)


@dataclass(frozen=True)
class _Clock:
    """How long may still be waited: for one piece, and until the end."""

    timeout: float
    end: float

    def left(self) -> float:
        left = min(self.timeout, self.end - time.monotonic())
        if left <= 0:
            raise CollectError(_TOO_SLOW)
        return left


class _PinnedConnection(http.client.HTTPConnection):
    """A connection to one of the addresses that were checked, on the clock from the first byte to the last."""

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
        # http.client asks of a socket no more than `_TimedSocket` has.
        self.sock = _TimedSocket(plain, self._clock)

    def _reached(self) -> socket.socket:
        trouble: OSError | None = None
        for address in self._pinned:
            try:
                return self._network.connect(address, self._target.port, self._clock.left())
            except OSError as error:
                trouble = error
        raise CollectError("The server cannot be reached.") from trouble


class _TimedSocket:
    """A socket that looks at the clock before each piece: a server may send a byte now and then for ever."""

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
        # The response outlives the connection: a socket closes when its last file does.
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
def _told_plainly() -> Iterator[None]:
    """Make one plain sentence of whatever the network raises."""
    try:
        yield
    except TimeoutError as error:
        raise CollectError(_TOO_SLOW) from error
    except ssl.SSLCertVerificationError as error:
        raise CollectError("The server's certificate is not valid, so it may be another server.") from error
    except OSError as error:
        raise CollectError("The connection to the server broke off.") from error
    except http.client.IncompleteRead as error:
        raise CollectError(_CUT_OFF) from error
    except (http.client.HTTPException, ValueError) as error:
        raise CollectError("The server's answer cannot be understood.") from error
