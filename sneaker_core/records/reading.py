"""Reading records: a file is checked against its schema before anything else sees what it holds.

A record is a JSON file, or a line or a database row with JSON, that SoleScope wrote: it may have been cut off, edited,
copied from elsewhere, or written by another version. What fits its schema is returned as an object whose fields have
the stated types and ranges; anything else is a `DamagedError` that names the file, the field and what is wrong with it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

import msgspec

from sneaker_core.errors import DamagedError

# Limits on a record, far above what SoleScope writes.
MAX_BYTES = 64_000_000
MAX_DEPTH = 24
_LONGEST_SHOWN = 300
# JSON can name half of a character, which no text can hold.
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")

_CELL = re.compile(r"\[(\d+)\]\[(\d+)\].*")


class Record(msgspec.Struct):
    """Base of all schemas: unknown fields are ignored, and a field with a default may be missing."""

    # The newest format that this version can read, for records that state theirs in the field "format".
    newest_format: ClassVar[int | None] = None
    # Old name of a field -> its name today; and field -> schema of the record in it, if that one has old forms too.
    old_names: ClassVar[Mapping[str, str]] = MappingProxyType({})
    nested: ClassVar[Mapping[str, "type[Record]"]] = MappingProxyType({})

    @classmethod
    def current(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values of an older record in today's form."""
        # A value that has today's name already wins over one under its old name.
        names = cls.old_names
        named = {names.get(key, key): value for key, value in values.items() if names.get(key) not in values}
        return {
            key: cls.nested[key].current(value) if key in cls.nested and isinstance(value, dict) else value
            for key, value in named.items()
        }


R = TypeVar("R", bound=Record)


def read_record(file: Path, schema: type[R]) -> R:
    """Read a JSON file that holds one record.

    Raises
    ------
    DamagedError
        It can't be read, doesn't fit the schema or is from a newer version.
    """
    return checked(read_values(file), schema, file)


def find_record(file: Path, schema: type[R]) -> R | None:
    """Read a JSON file that holds one record; None if there is no such file.

    Raises
    ------
    DamagedError
        As for `read_record`.
    """
    return read_record(file, schema) if file.exists() else None


def read_rows(file: Path, schema: type[R]) -> list[R]:
    """Read a JSON file that holds a list of records.

    Raises
    ------
    DamagedError
        As for `read_record`.
    """
    values = read_values(file)
    if not isinstance(values, list):
        raise damaged(file, "it holds no list")
    return [checked(row, schema, file) for row in values]


def read_values(file: Path) -> Any:
    """The values in a JSON file, which fit no schema yet.

    Raises
    ------
    DamagedError
        It can't be read, is no JSON, or is larger or deeper than any record.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise damaged(file, f"it can't be read ({getattr(error, 'strerror', None) or error})") from None
    if len(data) > MAX_BYTES:
        raise damaged(file, f"it is larger than {MAX_BYTES / 1e6:g} MB")
    return parsed(data, file)


def parsed(data: bytes | str, source: object) -> Any:
    """The values in a JSON text.

    Parameters
    ----------
    data : bytes or str
    source : object
        What the text is part of, for the error.

    Raises
    ------
    DamagedError
        It is no JSON, or is deeper than any record.
    """
    try:
        text = data if isinstance(data, str) else data.decode()
        values = json.loads(text)
        if _HALF_CHARACTER.search(text):
            values = json.loads(json.dumps(values, ensure_ascii=False).encode(errors="replace"))
    except UnicodeDecodeError:
        raise damaged(source, "it is no text in UTF-8") from None
    except RecursionError:
        raise damaged(source, "it is nested too deeply") from None
    except ValueError as error:
        raise damaged(source, f"it is no complete JSON ({error})") from None
    if _is_deep(values):
        raise damaged(source, "it is nested too deeply")
    return values


def _is_deep(values: Any) -> bool:
    level = [values]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for value in level
            if isinstance(value, (dict, list))
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True


def checked(values: Any, schema: type[R], source: object) -> R:
    """The record that parsed values describe.

    Parameters
    ----------
    values : object
        From `read_values` or `parsed`.
    schema : type of Record
    source : object
        What the values were read from, for the error.

    Raises
    ------
    DamagedError
        They don't fit the schema, or are from a newer version.
    """
    if not isinstance(values, dict):
        raise damaged(source, "it holds no JSON object")
    own = values.get("format", 0)
    if schema.newest_format is not None and isinstance(own, int) and own > schema.newest_format:
        raise DamagedError(f"{_shown(source)} was written by another version of SoleScope. Update SoleScope to use it.")
    try:
        return msgspec.convert(schema.current(values), schema)
    except msgspec.ValidationError as error:
        raise damaged(source, _what(str(error))) from None


def check_rows(rows: Sequence[tuple[Any, ...]], schema: type[Record], source: object) -> None:
    """Check rows of a table, which a schema describes column by column.

    Raises
    ------
    DamagedError
        A value doesn't fit its column.
    """
    try:
        msgspec.convert(rows, list[schema])  # type: ignore[valid-type]
    except msgspec.ValidationError as error:
        raise damaged(source, _what(str(error), schema.__struct_fields__)) from None


def fitting(values: Any, schema: type[R]) -> R | None:
    """The record that parsed values describe; None if they don't fit."""
    try:
        return checked(values, schema, "")
    except DamagedError:
        return None


def fitting_text(text: str, schema: type[R]) -> R | None:
    """The record that a JSON text describes; None if it is none, or doesn't fit.

    Fields that the schema lacks are passed over without being built, so a file of another program may be much larger
    than a record, as long as it is valid JSON.
    """
    try:
        return msgspec.json.decode(text, type=schema)
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, RecursionError):
        pass  # json also reads NaN, and half of a character
    try:
        return fitting(parsed(text, ""), schema) if len(text) <= MAX_BYTES else None
    except DamagedError:
        return None


def damaged(source: object, what: str) -> DamagedError:
    """The error for a damaged record.

    Parameters
    ----------
    source : object
        The file, or what else is damaged.
    what : str
        What is wrong with it.
    """
    return DamagedError(f"{_shown(source)} is damaged: {what[:_LONGEST_SHOWN]}.")


def _shown(source: object) -> str:
    return str(source).encode(errors="replace").decode()


def _what(message: str, columns: Sequence[str] = ()) -> str:
    """What msgspec says about a value: "decision.temperature: expected float, got str"."""
    plain = message.replace("`", "").replace("Object missing required field ", "there is no ")
    what, _, place = plain.rpartition(" - at ")
    if not what:
        return place[:1].lower() + place[1:]
    field = place.replace("key in ", "").lstrip("$.") or "its content"
    if columns and (cell := _CELL.fullmatch(field)):
        field = f"row {int(cell[1]) + 1}, {columns[int(cell[2])]}"
    return f"{field}: {what[:1].lower() + what[1:]}"
