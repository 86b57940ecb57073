"""Find links to photos with Bing's image search.

Only the request for a page of results is taken from bing-image-downloader. Its own loop is not used: it counts pages
where Bing counts photos, so every page after the first gives only one new link; it prints; and it downloads from any
address. Requests use `urllib.request.urlopen`, as in that package.
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
# Bing's own value for excluding adult content; the package would send "on".
_ADULT_FILTER = "strict"
_LINK = re.compile("murl&quot;:&quot;(.*?)&quot;")
_PAGE = 100  # links to request at once; Bing may return fewer or more
_MOST_PAGES = 40
_MOST_BYTES = 8_000_000
_LONGEST_LINK = 2000
_TOO_SLOW = "Bing didn't answer in time. Check your internet connection or try again later."


def find_links(query: str, limit: int, timeout: float = SEARCH_TIMEOUT) -> list[str]:
    """Find links to photos.

    Parameters
    ----------
    query : str
        As typed into the search field; ``-word`` excludes results.
    limit : int
        Maximum number of links.
    timeout : float
        Seconds to wait for a page of results.

    Returns
    -------
    list of str
        At least one distinct http or https address, best first.

    Raises
    ------
    CollectError
        Nothing was found, or Bing can't be reached, answers with an error or in an unknown form.
    """
    found: list[str] = []
    try:
        for page in search_pages(query, timeout):
            found += page
            if len(found) >= limit:
                break
    except CollectError:
        if not found:  # links found before the error are good
            raise
    return found[:limit]


def search_pages(query: str, timeout: float = SEARCH_TIMEOUT) -> Iterator[list[str]]:
    """Find links page by page, requesting each page when it is needed.

    Yields
    ------
    list of str
        New links of one page, as in `find_links`; empty only if none of the page's links can be downloaded.

    Raises
    ------
    CollectError
        As for `find_links`; after the first page, only if Bing can't be reached.
    """
    return _Search(query, timeout).pages()


def is_unreachable(error: CollectError) -> bool:
    """Return whether Bing couldn't be reached or refused, which will happen to the next search too."""
    return isinstance(error.__cause__, OSError | http.client.HTTPException)


class _Search(Bing):  # type: ignore[misc]
    """One search with the package's request and headers, but without downloading, saving and printing."""

    def __init__(self, query: str, timeout: float) -> None:
        super().__init__(query, _PAGE, Path(), _ADULT_FILTER, math.ceil(timeout), verbose=False)
        self.timeout = timeout  # the package only accepts whole seconds

    def download_image(self, link: str) -> None:
        """Do nothing: downloads go through `Downloader`, which checks where a link leads."""

    def save_image(self, link: str, file_path: Path) -> None:
        """Do nothing."""

    def run(self) -> None:
        """Read all pages; the links are in `seen` afterwards."""
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
            if not new:  # after the last page, Bing repeats it
                return
            self.seen.update(new)
            listed += len(links)
            yield [link for link in new if _can_be_fetched(link)]

    def _check_first(self, page: str, links: list[str]) -> None:
        if not page.strip():
            raise CollectError(f"Bing found no photos for “{self.query}”.")
        if not links:
            raise CollectError(
                "Bing's answer has no photo links: it found nothing, asks for a captcha, or has changed its format."
            )

    def _page(self, first: int) -> str:
        """Return one page of results as HTML, starting at photo number `first`."""
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
            raise CollectError(f"Bing refused the search with error {error.code}. Try again later.") from error
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError):
                raise CollectError(_TOO_SLOW) from error
            raise CollectError("Can't reach Bing. Check your internet connection.") from error


def _read(response: http.client.HTTPResponse, seconds: float) -> bytes:
    """Return the body up to a size limit; raises an error if it arrives too slowly."""
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
    """Undo the JSON and HTML escaping of a link."""
    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), html.unescape(link))
    return plain.replace("\\/", "/").replace(" ", "%20")


def _can_be_fetched(link: str) -> bool:
    try:
        link.encode()  # a lone surrogate can't be stored as text
        parts = urllib.parse.urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and len(link) <= _LONGEST_LINK
