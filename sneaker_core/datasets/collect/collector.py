"""Collect photos from the web, class by class: search, download and import, until each class has enough."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from sneaker_core.datasets.collect.download import Downloader
from sneaker_core.datasets.collect.image_search import SEARCH_HOST, is_unreachable, search_pages
from sneaker_core.datasets.collect.search_queries import (
    DEFAULT_EXCLUDED,
    DEFAULT_TEMPLATES,
    CollectClass,
    clean_excluded,
    clean_templates,
    queries_for,
)
from sneaker_core.datasets.importer import Importer, ImportOutcome, ImportStatus, IncomingPhoto
from sneaker_core.datasets.index import Dataset, read_provenance, remember_link, tried_links, web_provenance
from sneaker_core.errors import CollectError

SOURCE = "web"
MOST_PER_CLASS = 1000

_TICK = 0.2  # seconds between checks for a stop while nothing arrives
_MOST_UNREACHABLE = 3  # failed searches in a row after which the others are skipped

Report = Callable[[int, int, str, dict[str, dict[str, Any]]], None]


@dataclass(frozen=True)
class CollectPlan:
    """What to collect.

    Attributes
    ----------
    classes : tuple of CollectClass
        At least one; names must differ in more than case.
    per_class : int
        Number of photos wanted for each, 1 to 1000, including those collected before.
    templates : tuple of str
        See `clean_templates`.
    excluded : tuple of str
        See `clean_excluded`.

    Raises
    ------
    CollectError
        A value is out of range; the message names it.
    """

    classes: tuple[CollectClass, ...]
    per_class: int
    templates: tuple[str, ...] = DEFAULT_TEMPLATES
    excluded: tuple[str, ...] = DEFAULT_EXCLUDED

    def __post_init__(self) -> None:
        if not self.classes:
            raise CollectError("Add at least one class to collect photos of.")
        names = Counter(item.name.casefold() for item in self.classes)
        for item in self.classes:
            if names[item.name.casefold()] > 1:
                raise CollectError(f"The class “{item.name}” is listed more than once.")
        if type(self.per_class) is not int or not 1 <= self.per_class <= MOST_PER_CLASS:
            raise CollectError(
                f"Photos per class must be a whole number from 1 to {MOST_PER_CLASS}, not {self.per_class!r}."
            )
        object.__setattr__(self, "templates", clean_templates(self.templates))
        object.__setattr__(self, "excluded", clean_excluded(self.excluded))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "classes": [{"name": item.name, "terms": item.terms} for item in self.classes],
            "per_class": self.per_class,
            "templates": list(self.templates),
            "excluded": list(self.excluded),
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "CollectPlan":
        """Restore a plan from `to_dict`.

        Raises
        ------
        CollectError
            A value is missing, of the wrong type or out of range.
        """
        try:
            classes = tuple(CollectClass(_text(item["name"]), _text(item["terms"])) for item in content["classes"])
            templates = tuple(map(_text, content["templates"]))
            return cls(classes, content["per_class"], templates, tuple(map(_text, content["excluded"])))
        except (KeyError, TypeError, AttributeError) as error:
            raise CollectError(
                "Can't read the settings for collecting: a value is missing or of the wrong type."
            ) from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise CollectError(f"Can't read the settings for collecting: {value!r} should be text.")
    return value


@dataclass
class ClassResult:
    """Result for one class.

    Attributes
    ----------
    wanted, have : int
        Photos wanted, and photos collected from the web so far, including earlier runs.
    found : int
        Links found by this run's searches.
    added, known : int
        Photos that this run added, and photos that were already in the dataset.
    rejected : dict of str to int
        Number of links that gave no photo, by reason.
    message : str
        Why there are fewer photos than wanted; otherwise empty.
    """

    wanted: int
    have: int = 0
    found: int = 0
    added: int = 0
    known: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    message: str = ""

    @property
    def missing(self) -> int:
        """Number of photos still wanted."""
        return max(self.wanted - self.have, 0)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**vars(self), "rejected": dict(self.rejected)}


@dataclass(frozen=True)
class CollectResult:
    """Result of collecting.

    Attributes
    ----------
    classes : dict of str to ClassResult
        By class name, in the order of the plan.
    stopped : bool
        Whether it was stopped before the end.
    """

    classes: dict[str, ClassResult]
    stopped: bool

    @property
    def added(self) -> int:
        """Number of photos that this run added."""
        return sum(result.added for result in self.classes.values())

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"classes": {name: result.to_dict() for name, result in self.classes.items()}, "stopped": self.stopped}


def collect(
    dataset: Dataset,
    plan: CollectPlan,
    *,
    report: Report,
    stopped: Callable[[], bool],
    downloader: Downloader | None = None,
    connections: int = 4,
    delay: float = 0.5,
) -> CollectResult:
    """Collect photos until each class has enough from the web, or no links are left.

    Running it again continues with what is missing. Links that were tried before are not tried again.

    Parameters
    ----------
    dataset : Dataset
    plan : CollectPlan
    report : callable
        Called in this thread when a class begins and after each link, with the photos collected, the photos wanted, a
        note, and a dict of class name -> `ClassResult` as a dict.
    stopped : callable
        Checked in this thread between photos and while waiting. Downloads in progress are still imported.
    downloader : Downloader, optional
    connections : int
        Number of parallel downloads.
    delay : float
        Seconds between requests to the same host.

    Returns
    -------
    CollectResult

    Raises
    ------
    CollectError
        No search succeeded: Bing can't be reached or refuses.
    DatasetError
        Photos are already being added to the dataset, or it can't be written.
    """
    downloader = downloader or Downloader()
    with Importer(dataset, SOURCE, downloader.limits) as importer:
        fetcher = _Fetcher(downloader, importer, _RateLimit(delay))
        return _CollectRun(dataset, plan, fetcher, report, stopped).run(max(connections, 1))


class _RateLimit:
    """Minimum delay between requests to the same host."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._guard = threading.Lock()
        self._next: dict[str, float] = {}
        self._ended = threading.Event()

    def wait(self, host: str) -> bool:
        """Wait for this host's turn; return False if collecting ended meanwhile."""
        now = time.monotonic()
        with self._guard:
            turn = max(now, self._next.get(host, now))
            self._next[host] = turn + self._delay
        return not self._ended.wait(turn - now)

    def end(self) -> None:
        """End all waits."""
        self._ended.set()


@dataclass(frozen=True)
class _Fetcher:
    """Downloads and imports photos; used by several threads."""

    downloader: Downloader
    importer: Importer
    rate_limit: _RateLimit

    def fetch(self, label: str, query: str, url: str) -> ImportOutcome | None:
        """Download and import a photo; return None if collecting ended before the download began."""
        host, _, rest = url.partition("://")[2].partition("/")
        if not self.rate_limit.wait(host.lower()):
            return None
        try:
            data = self.downloader.fetch(url)
        except CollectError as error:
            return ImportOutcome(ImportStatus.REJECTED, None, str(error))
        # The name is the full address: two photos of a host may share the last part of their addresses.
        return self.importer.add(IncomingPhoto(f"{host}/{rest}", label, data, url=url, query=query))


class _CollectRun:
    """One run of `collect`, in the thread that called it; only `_Fetcher` runs in other threads."""

    def __init__(
        self, dataset: Dataset, plan: CollectPlan, fetcher: _Fetcher, report: Report, stopped: Callable[[], bool]
    ) -> None:
        self.dataset = dataset
        self.plan = plan
        self.fetcher = fetcher
        self.report = report
        self.stopped = stopped
        self.ended = False
        self.answered = False  # whether Bing answered at least once
        self.unreachable = 0  # failed searches in a row
        self.tried = tried_links(dataset) | set(web_provenance(dataset)["url"])
        have = _collected(dataset)
        self.results = {item.name: ClassResult(plan.per_class, have[item.name]) for item in plan.classes}

    def run(self, connections: int) -> CollectResult:
        with ThreadPoolExecutor(connections, thread_name_prefix="collect") as pool:
            try:
                for item in self.plan.classes:
                    self._class(item, pool, connections)
            finally:
                self.fetcher.rate_limit.end()
        return CollectResult(self.results, self.ended)

    def _class(self, item: CollectClass, pool: ThreadPoolExecutor, connections: int) -> None:
        result = self.results[item.name]
        self._tell(item.name)
        links = self._links(item, result)
        running: dict[Future[ImportOutcome | None], str] = {}
        more = True
        while running or (more and result.missing):
            # Never more downloads than missing photos: each may give a new one.
            while more and len(running) < min(connections, result.missing) and not self._asked_to_stop():
                query, url = next(links, ("", ""))
                more = bool(url)
                if url:
                    running[pool.submit(self.fetcher.fetch, item.name, query, url)] = url
            if self._asked_to_stop():
                more = False
            done, _ = wait(running, timeout=_TICK, return_when=FIRST_COMPLETED)
            for future in done:
                self._note(item.name, running.pop(future), future.result())
        result.message = self._message(result)

    def _asked_to_stop(self) -> bool:
        if not self.ended and self.stopped():
            self.ended = True
            self.fetcher.rate_limit.end()
        return self.ended

    def _links(self, item: CollectClass, result: ClassResult) -> Iterator[tuple[str, str]]:
        """Yield queries with the links they found; each link once, and none that was tried before."""
        for query in queries_for(item, self.plan.templates, self.plan.excluded):
            for page in self._pages(query, result):
                for url in page:
                    if url not in self.tried:
                        self.tried.add(url)
                        yield query, url

    def _pages(self, query: str, result: ClassResult) -> Iterator[list[str]]:
        if self.unreachable >= _MOST_UNREACHABLE:
            return
        pages = search_pages(query)
        try:
            while self.fetcher.rate_limit.wait(SEARCH_HOST):
                page = next(pages, None)
                self.answered, self.unreachable = True, 0
                if page is None:
                    return
                result.found += len(page)
                yield page
        except CollectError as error:
            if not is_unreachable(error):
                self.answered, self.unreachable = True, 0
            elif not self.answered:
                raise
            else:
                self.unreachable += 1
            result.message = result.message or str(error)

    def _note(self, name: str, url: str, outcome: ImportOutcome | None) -> None:
        result = self.results[name]
        if outcome is None:  # not downloaded; the next run may try it
            return
        if outcome.status == ImportStatus.ADDED:
            result.added += 1
            result.have += 1
        elif outcome.status == ImportStatus.KNOWN:
            result.known += 1
        else:
            reason = outcome.reason or "It is not a photo."
            result.rejected[reason] = result.rejected.get(reason, 0) + 1
            remember_link(self.dataset, url, reason)
        self._tell(name)

    def _tell(self, name: str) -> None:
        there = sum(min(result.have, result.wanted) for result in self.results.values())
        wanted = sum(result.wanted for result in self.results.values())
        result = self.results[name]
        note = f"{name}: {result.have} of {result.wanted} photos"
        self.report(there, wanted, note, {name: result.to_dict() for name, result in self.results.items()})

    def _message(self, result: ClassResult) -> str:
        if not result.missing:
            return ""
        there = f"{result.have} of {result.wanted} photos"
        if self.ended:
            return f"Stopped at {there}."
        if self.unreachable:
            return f"{there}: Bing couldn't be reached or refused the search."
        if not result.found:
            return result.message or "No photos were found."
        return f"{there}: the searches found no more links."


def _collected(dataset: Dataset) -> Counter[str]:
    """Number of photos of each class that were first imported from the web."""
    first = read_provenance(dataset).drop_duplicates("sample")
    return Counter(first.loc[first["url"].notna(), "label"])
