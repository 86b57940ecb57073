"""Links to photos, from Bing's image search.

Of bing-image-downloader only the part that asks for a page of results is used. Its own loop is not: it counts pages
where Bing counts photos, so that each page but the first brings one new link; it prints; and what it finds it fetches
from any address at all. Requests go through `urllib.request.urlopen`, like the package's own.
"""

import html
import http.client
import math
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bing_image_downloader.bing import Bing

from sneaker_core.errors import CollectError

SEARCH_HOST = "www.bing.com"
SEARCH_TIMEOUT = 15.0

_ADDRESS = f"https://{SEARCH_HOST}/images/async?"
# The value that Bing itself knows for "leave adult pictures out"; the package would send "on".
_ADULT_FILTER = "strict"
_LINK = re.compile("murl&quot;:&quot;(.*?)&quot;")
_PAGE = 100  # links to ask for at once; Bing gives as many as it likes
_MOST_PAGES = 40
_MOST_BYTES = 8_000_000
_LONGEST_LINK = 2000
_TOO_SLOW = "Bing did not answer in time; check the connection or try again later."


def find_links(query: str, limit: int, timeout: float = SEARCH_TIMEOUT) -> list[str]:
    """Find links to photos.

    Parameters
    ----------
    query : str
        As typed into the search; ``-word`` leaves results out.
    limit : int
        At most so many.
    timeout : float
        Seconds to wait for one page of results.

    Returns
    -------
    list of str
        Addresses with http or https, each once, the best first; at least one.

    Raises
    ------
    CollectError
        Nothing was found, Bing cannot be reached, answers with an error or with a page of another form.
    """
    found: list[str] = []
    try:
        for page in search_pages(query, timeout):
            found += page
            if len(found) >= limit:
                break
    except CollectError:
        if not found:  # what came before the trouble is good
            raise
    return found[:limit]


def search_pages(query: str, timeout: float = SEARCH_TIMEOUT) -> Iterator[list[str]]:
    """Find links page by page, each page asked for when it is wanted.

    Yields
    ------
    list of str
        New links of one page, as in `find_links`; not empty but where a page held nothing that can be fetched.

    Raises
    ------
    CollectError
        As `find_links`; on a later page only when Bing cannot be reached.
    """
    return _Search(query, timeout).pages()


def is_unreachable(error: CollectError) -> bool:
    """Whether Bing could not be asked at all, or refused: what the next search will meet too."""
    return isinstance(error.__cause__, OSError | http.client.HTTPException)


class _Search(Bing):  # type: ignore[misc]
    """One search: the package's request and headers, without its fetching, saving and printing."""

    def __init__(self, query: str, timeout: float) -> None:
        super().__init__(query, _PAGE, Path(), _ADULT_FILTER, math.ceil(timeout), verbose=False)
        self.timeout = timeout  # the package insists on whole seconds, urllib does not

    def download_image(self, link: str) -> None:
        """Nothing is fetched here: that is `Downloader`'s, which looks where a link leads."""

    def save_image(self, link: str, file_path: Path) -> None:
        """Nothing is saved here."""

    def run(self) -> None:
        """Read all pages; `seen` holds the links then."""
        for _ in self.pages():
            pass

    def pages(self) -> Iterator[list[str]]:
        listed = 0
        for number in range(_MOST_PAGES):
            page = self._page(listed)
            links = [_cleaned(link) for link in _LINK.findall(page)]
            if number == 0:
                self._check_first(page, links)
            new = [link for link in dict.fromkeys(links) if link not in self.seen]
            if not new:  # past its last page Bing gives that one again and again
                return
            self.seen.update(new)
            listed += len(links)
            yield [link for link in new if _can_be_fetched(link)]

    def _check_first(self, page: str, links: list[str]) -> None:
        if not page.strip():
            raise CollectError(f"Bing found no photos for “{self.query}”.")
        if not links:
            raise CollectError(
                "Bing answered with a page without photo links: it found nothing, asks who is there, or has changed."
            )

    def _page(self, first: int) -> str:
        """One page of results, from photo number `first` on, as HTML."""
        fields = {
            "q": self.query,
            "first": first,
            "count": self.limit,
            "adlt": self.adult,
            "qft": self.get_filter(self.filter),
        }
        request = urllib.request.Request(_ADDRESS + urllib.parse.urlencode(fields), headers=self.headers)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:
                return _read(response, self.timeout).decode("utf-8", errors="replace")
        except urllib.error.HTTPError as error:
            error.close()
            raise CollectError(f"Bing refused the search with error {error.code}; try again later.") from error
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError):
                raise CollectError(_TOO_SLOW) from error
            raise CollectError("Bing cannot be reached; check that this computer is on the internet.") from error


def _read(response: http.client.HTTPResponse, seconds: float) -> bytes:
    """The body, given up on when it comes too slowly; nothing past a cap is looked at."""
    until = time.monotonic() + seconds
    body = bytearray()
    while len(body) < _MOST_BYTES:
        part = response.read1(65536)
        if not part:
            break
        if time.monotonic() > until:
            raise CollectError(_TOO_SLOW) from TimeoutError()
        body += part
    return bytes(body)


def _cleaned(link: str) -> str:
    """A link as it was before it was put into JSON and that into HTML."""
    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), html.unescape(link))
    return plain.replace("\\/", "/").replace(" ", "%20")


def _can_be_fetched(link: str) -> bool:
    try:
        link.encode()  # half of a surrogate pair is no text that can be kept
        parts = urllib.parse.urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and len(link) <= _LONGEST_LINK
