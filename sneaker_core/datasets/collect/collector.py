"""Collecting photos from the web: search, fetch, hand in; class after class, until each has as many as wanted."""

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

_TICK = 0.2  # seconds between two questions whether to stop, while nothing arrives
_MOST_UNREACHABLE = 3  # searches in a row, after which the rest is not tried

Report = Callable[[int, int, str, dict[str, dict[str, Any]]], None]


@dataclass(frozen=True)
class CollectPlan:
    """What to collect.

    Attributes
    ----------
    classes : tuple of CollectClass
        At least one; no name twice, whether in capitals or not.
    per_class : int
        Photos wanted for each, 1 to 1000, with those that were collected before.
    templates : tuple of str
        See `clean_templates`.
    excluded : tuple of str
        See `clean_excluded`.

    Raises
    ------
    CollectError
        A value is out of its range; the message names it.
    """

    classes: tuple[CollectClass, ...]
    per_class: int
    templates: tuple[str, ...] = DEFAULT_TEMPLATES
    excluded: tuple[str, ...] = DEFAULT_EXCLUDED

    def __post_init__(self) -> None:
        if not self.classes:
            raise CollectError("Give at least one class to collect photos of.")
        names = Counter(item.name.casefold() for item in self.classes)
        for item in self.classes:
            if names[item.name.casefold()] > 1:
                raise CollectError(f"The class “{item.name}” is given more than once.")
        if type(self.per_class) is not int or not 1 <= self.per_class <= MOST_PER_CLASS:
            raise CollectError(
                f"Photos for each class: {self.per_class!r} is no whole number from 1 to {MOST_PER_CLASS}."
            )
        object.__setattr__(self, "templates", clean_templates(self.templates))
        object.__setattr__(self, "excluded", clean_excluded(self.excluded))

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "classes": [{"name": item.name, "terms": item.terms} for item in self.classes],
            "per_class": self.per_class,
            "templates": list(self.templates),
            "excluded": list(self.excluded),
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "CollectPlan":
        """What `to_dict` gave.

        Raises
        ------
        CollectError
            Something is missing, of another kind or out of its range.
        """
        try:
            classes = tuple(CollectClass(_text(item["name"]), _text(item["terms"])) for item in content["classes"])
            templates = tuple(map(_text, content["templates"]))
            return cls(classes, content["per_class"], templates, tuple(map(_text, content["excluded"])))
        except (KeyError, TypeError, AttributeError) as error:
            raise CollectError("What to collect is not written in a form that can be read.") from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise CollectError(f"What to collect holds {value!r} where a text belongs.")
    return value


@dataclass
class ClassResult:
    """How collecting went for one class.

    Attributes
    ----------
    wanted, have : int
        Photos asked for, and collected from the web so far, in earlier runs too.
    found : int
        Links that this run's searches gave.
    added, copies : int
        Photos that this run brought, and those that were in the dataset already.
    rejected : dict of str to int
        How many links gave no photo, by the reason.
    message : str
        Why there are fewer than wanted; empty when there are not.
    """

    wanted: int
    have: int = 0
    found: int = 0
    added: int = 0
    copies: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    message: str = ""

    @property
    def missing(self) -> int:
        """How many photos are still wanted."""
        return max(self.wanted - self.have, 0)

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {**vars(self), "rejected": dict(self.rejected)}


@dataclass(frozen=True)
class CollectResult:
    """How collecting went.

    Attributes
    ----------
    classes : dict of str to ClassResult
        By the classes' names, in the plan's order.
    stopped : bool
        A person ended it.
    """

    classes: dict[str, ClassResult]
    stopped: bool

    @property
    def added(self) -> int:
        """Photos that this run brought."""
        return sum(result.added for result in self.classes.values())

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
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
    """Collect photos until each class has as many from the web as wanted, or no link is left.

    A second run counts what is there and goes on; a link that was tried is not tried again, whatever came of it.

    Parameters
    ----------
    dataset : Dataset
    plan : CollectPlan
    report : callable
        (photos there, photos wanted, note, class name -> `ClassResult` as a dict); called in this thread when a class
        begins and after each link.
    stopped : callable
        Asked in this thread between photos and while waiting; photos on their way are still taken in.
    downloader : Downloader, optional
    connections : int
        Photos fetched at once.
    delay : float
        Seconds between two requests to one host.

    Returns
    -------
    CollectResult

    Raises
    ------
    CollectError
        Not one search could be made: Bing cannot be reached or refuses.
    DatasetError
        Photos are being added to the dataset already, or it cannot be written to.
    """
    downloader = downloader or Downloader()
    with Importer(dataset, SOURCE, downloader.limits) as intake:
        fetcher = _Fetcher(downloader, intake, _Pace(delay))
        return _Collection(dataset, plan, fetcher, report, stopped).run(max(connections, 1))


class _Pace:
    """Keeps requests to one host apart."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._guard = threading.Lock()
        self._next: dict[str, float] = {}
        self._ended = threading.Event()

    def wait(self, host: str) -> bool:
        """Wait for this host's turn; False when all has ended meanwhile."""
        now = time.monotonic()
        with self._guard:
            turn = max(now, self._next.get(host, now))
            self._next[host] = turn + self._delay
        return not self._ended.wait(turn - now)

    def end(self) -> None:
        """Let nobody wait any longer."""
        self._ended.set()


@dataclass(frozen=True)
class _Fetcher:
    """The part that runs in several threads."""

    downloader: Downloader
    intake: Importer
    pace: _Pace

    def take(self, label: str, query: str, url: str) -> ImportOutcome | None:
        """Fetch a photo and hand it in; None when all has ended before it was asked for."""
        host, _, rest = url.partition("://")[2].partition("/")
        if not self.pace.wait(host.lower()):
            return None
        try:
            data = self.downloader.fetch(url)
        except CollectError as error:
            return ImportOutcome(ImportStatus.REJECTED, None, str(error))
        # The whole address is the name: two photos of one host may share the last part, and both are to be noted.
        return self.intake.add(IncomingPhoto(f"{host}/{rest}", label, data, url=url, query=query))


class _Collection:
    """One run; lives in the thread that called `collect`, but for `_Fetcher`."""

    def __init__(
        self, dataset: Dataset, plan: CollectPlan, fetcher: _Fetcher, report: Report, stopped: Callable[[], bool]
    ) -> None:
        self.dataset = dataset
        self.plan = plan
        self.fetcher = fetcher
        self.report = report
        self.stopped = stopped
        self.ended = False
        self.answered = False  # by Bing, at least once
        self.unreachable = 0  # searches in a row
        self.tried = tried_links(dataset) | set(web_provenance(dataset)["url"])
        have = _collected(dataset)
        self.results = {item.name: ClassResult(plan.per_class, have[item.name]) for item in plan.classes}

    def run(self, connections: int) -> CollectResult:
        with ThreadPoolExecutor(connections, thread_name_prefix="collect") as pool:
            try:
                for item in self.plan.classes:
                    self._class(item, pool, connections)
            finally:
                self.fetcher.pace.end()
        return CollectResult(self.results, self.ended)

    def _class(self, item: CollectClass, pool: ThreadPoolExecutor, connections: int) -> None:
        result = self.results[item.name]
        self._tell(item.name)
        links = self._links(item, result)
        running: dict[Future[ImportOutcome | None], str] = {}
        more = True
        while running or (more and result.missing):
            # Never more on their way than are missing: each may be a new photo.
            while more and len(running) < min(connections, result.missing) and not self._asked_to_stop():
                query, url = next(links, ("", ""))
                more = bool(url)
                if url:
                    running[pool.submit(self.fetcher.take, item.name, query, url)] = url
            if self._asked_to_stop():
                more = False
            done, _ = wait(running, timeout=_TICK, return_when=FIRST_COMPLETED)
            for future in done:
                self._note(item.name, running.pop(future), future.result())
        result.message = self._message(result)

    def _asked_to_stop(self) -> bool:
        if not self.ended and self.stopped():
            self.ended = True
            self.fetcher.pace.end()
        return self.ended

    def _links(self, item: CollectClass, result: ClassResult) -> Iterator[tuple[str, str]]:
        """Queries and the links that they give, each link once, none that was tried before."""
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
            while self.fetcher.pace.wait(SEARCH_HOST):
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
        if outcome is None:  # not asked for: the next run may
            return
        if outcome.status == ImportStatus.ADDED:
            result.added += 1
            result.have += 1
        elif outcome.status == ImportStatus.KNOWN:
            result.copies += 1
        else:
            reason = outcome.reason or "It is no photo."
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
            return f"{there}: the search broke off, for Bing could not be reached or refused."
        if not result.found:
            return result.message or "No photos were found."
        return f"{there}: the searches gave no more links."


def _collected(dataset: Dataset) -> Counter[str]:
    """How many photos the web brought to each class: those that came from nowhere else before."""
    first = read_provenance(dataset).drop_duplicates("sample")
    return Counter(first.loc[first["url"].notna(), "label"])
