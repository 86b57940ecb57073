"""Reads the catalog's files: a TOML file per brand in ``sneakers/``, and ``shoe_types.toml``."""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from sneaker_core.catalog.entries import ShoeCategory, ShoeType, Sneaker, SneakerCategory, Source
from sneaker_core.errors import SneakerError

SNEAKERS_FOLDER = "sneakers"
SHOE_TYPES_FILE = "shoe_types.toml"
MARKS = 3

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True)
class _Table:
    """A table of a TOML file, whose values are checked as they are read."""

    file: Path
    values: dict[str, Any]

    def message(self, problem: str) -> str:
        """What is wrong, in which file and entry."""
        name = self.values.get("name")
        return f"Can't read {self.file}: {f'{name}: ' if name else ''}{problem}. Correct the file."

    def text(self, key: str, default: str | None = None) -> str:
        """A text; required unless there is a default."""
        value = self.values.get(key, default)
        if not isinstance(value, str) or (not value.strip() and value != default):
            raise SneakerError(self.message(f"{key} must be a text"))
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty if it is missing."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
            raise SneakerError(self.message(f"{key} must be a list of texts"))
        return tuple(value)

    def number(self, key: str) -> int | None:
        """A whole number; None if it is missing."""
        value = self.values.get(key)
        if value is not None and type(value) is not int:
            raise SneakerError(self.message(f"{key} must be a whole number"))
        return value

    def choice(self, key: str, choices: type[Choice]) -> Choice:
        """One of the values of an enum."""
        value = self.text(key)
        if value not in list(choices):
            raise SneakerError(self.message(f"{key} is {value!r}, but must be one of {', '.join(choices)}"))
        return choices(value)

    def tables(self, key: str) -> "list[_Table]":
        """A list of tables."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
            raise SneakerError(self.message(f"{key} must be a list of tables"))
        return [_Table(self.file, table) for table in value]

    def sources(self) -> tuple[Source, ...]:
        """The sources, written "Publisher: Title"."""
        return tuple(self._source(text) for text in self.texts("sources"))

    def _source(self, text: str) -> Source:
        publisher, _, title = text.partition(": ")
        if not publisher.strip() or not title.strip():
            raise SneakerError(self.message(f"the source {text!r} must read 'Publisher: Title'"))
        return Source(publisher, title)

    def only(self, *keys: str) -> None:
        """Reject keys that mean nothing, such as misspelled ones."""
        if unknown := sorted(self.values.keys() - set(keys)):
            raise SneakerError(self.message(f"unknown: {', '.join(unknown)}"))


def read_sneakers(folder: Path) -> tuple[Sneaker, ...]:
    """All sneakers, brand by brand.

    Parameters
    ----------
    folder : Path
        The catalog.

    Raises
    ------
    SneakerError
        A file is missing or damaged; the message names it.
    """
    files = sorted((folder / SNEAKERS_FOLDER).glob("*.toml"))
    if not files:
        raise SneakerError(f"There are no sneakers in {folder / SNEAKERS_FOLDER}. Restore the folder from SoleScope.")
    return tuple(sneaker for file in files for sneaker in _brand(_read(file)))


def read_shoe_types(folder: Path) -> tuple[ShoeType, ...]:
    """All types of shoes.

    Parameters
    ----------
    folder : Path
        The catalog.

    Raises
    ------
    SneakerError
        The file is missing or damaged; the message names it.
    """
    table = _read(folder / SHOE_TYPES_FILE)
    table.only("types")
    return tuple(_shoe_type(entry) for entry in table.tables("types"))


def _read(file: Path) -> _Table:
    try:
        return _Table(file, tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise SneakerError(f"Can't read {file}: {error.strerror}. Restore it from SoleScope.") from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise SneakerError(f"Can't read {file}: {error}. Correct the file.") from error


def _brand(table: _Table) -> list[Sneaker]:
    table.only("brand", "sources", "sneakers")
    brand, shared = table.text("brand"), table.sources()
    return [_sneaker(entry, brand, shared) for entry in table.tables("sneakers")]


def _sneaker(table: _Table, brand: str, shared: tuple[Source, ...]) -> Sneaker:
    table.only(*(Sneaker.__dataclass_fields__.keys() - {"brand"}))
    marks = table.texts("marks")
    if len(marks) != MARKS:
        raise SneakerError(table.message(f"there must be {MARKS} marks, not {len(marks)}"))
    sources = (*table.sources(), *shared)
    if not sources:
        raise SneakerError(table.message("there must be a source"))
    return Sneaker(
        name=table.text("name"),
        aliases=table.texts("aliases"),
        brand=brand,
        line=table.text("line"),
        year=table.number("year"),
        designers=table.texts("designers"),
        category=table.choice("category", SneakerCategory),
        drawing=table.text("drawing"),
        look_alikes=table.texts("look_alikes"),
        marks=marks,
        strengths=table.text("strengths"),
        weaknesses=table.text("weaknesses"),
        note=table.text("note", ""),
        sources=sources,
    )


def _shoe_type(table: _Table) -> ShoeType:
    table.only(*ShoeType.__dataclass_fields__)
    return ShoeType(
        name=table.text("name"),
        aliases=table.texts("aliases"),
        category=table.choice("category", ShoeCategory),
        pros=table.text("pros"),
        cons=table.text("cons"),
        distinction=table.text("distinction"),
    )
