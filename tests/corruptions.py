"""Ways in which a record may be damaged: wrong types, no numbers, huge and negative ones, deep, cut off, missing."""

import copy
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

_HUGE = 1e300
# Maps with more keys, such as recipes, get a few kinds of damage in each key, in turn.
_MANY, _FEW = 20, 3
_NOT_TEXT = b"\xff\xfe\x80"


def _deep(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


def _wrong(value: Any) -> list[Any]:
    """Values in place of another one: of every other type, and out of its range."""
    return [None, float("nan"), _HUGE, -1, 1.5, "x", "\ud800", [value], {"x": value}, _deep(40)]


def _places(values: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a record; of a list, only the first value counts."""
    if path:
        yield path
    if isinstance(values, dict):
        for key in values:
            yield from _places(values[key], (*path, key))
    elif isinstance(values, list) and values:
        yield from _places(values[0], (*path, 0))


def _parent(values: Any, path: tuple[Any, ...]) -> Any:
    for step in path[:-1]:
        values = values[step]
    return values


def _with(values: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    changed = copy.deepcopy(values)
    change(_parent(changed, path), path[-1])
    return changed


def json_damage(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What is done to a JSON file, and what it holds then."""
    yield from (
        ("empty", b""), ("cut off", data[: len(data) // 2]), ("no text", _NOT_TEXT), ("null", b"null"),
        ("a list", b"[[]]"), ("a word", b'"x"'), ("a number", b"1e999"), ("deep list", b"[" * 100_000),
        ("deep map", b'{"a":' * 100_000), ("other version", _edited(data, "format", 99)),
        ("no version", _edited(data, "format", None)),
    )  # fmt: skip
    values = json.loads(data)
    for number, path in enumerate(_places(values)):
        kinds = _wrong(values)
        is_one_of_many = len(_parent(values, path)) > _MANY
        for wrong in kinds[number % _FEW :: _FEW] if is_one_of_many else kinds:
            yield (
                f"{path} is {str(wrong)[:20]!r}",
                _dumped(_with(values, path, lambda at, key, w=wrong: _set(at, key, w))),
            )
        yield f"no {path}", _dumped(_with(values, path, lambda at, key: at.__delitem__(key)))


def _set(at: Any, key: Any, value: Any) -> None:
    at[key] = value


def _edited(data: bytes, key: str, value: Any) -> bytes:
    values = json.loads(data)
    return _dumped({**values, key: value}) if isinstance(values, dict) else _dumped(values)


def _dumped(values: Any) -> bytes:
    return json.dumps(values).encode()


def table_damage(file: Path) -> Iterator[tuple[str, pd.DataFrame | bytes]]:
    """What is done to a Parquet file, and the table or the bytes that it holds then."""
    data, table = file.read_bytes(), pd.read_parquet(file)
    yield from (
        ("empty", b""),
        ("cut off", data[: len(data) // 2]),
        ("no table", _NOT_TEXT),
        ("only ends", b"PAR1PAR1"),
    )
    yield "no rows", table.iloc[:0]
    yield "rows twice", pd.concat([table, table], ignore_index=True)
    yield "no columns", pd.DataFrame(index=range(3))
    for column in table:
        yield f"no {column}", table.drop(columns=column)
        for wrong in (None, np.nan, np.inf, _HUGE, -1, 1.5, "x", True, [1], {"x": 1}):
            yield f"{column} is {wrong!r}", table.assign(**{column: pd.Series([wrong] * len(table), dtype=object)})


def index_damage(file: Path) -> Iterator[tuple[str, Callable[[Path], None]]]:
    """What is done to an SQLite index, as functions of the file."""
    data = file.read_bytes()
    for what, damaged in (
        ("empty", b""),
        ("cut off", data[:5000]),
        ("no database", _NOT_TEXT * 50),
        ("zeros", bytes(9000)),
    ):
        yield what, lambda path, damaged=damaged: _overwritten(path, damaged)
    yield "one page of zeros", lambda path: _overwritten(path, data[:8192] + bytes(4096) + data[12288:])
    yield "missing", lambda path: path.unlink()
    with sqlite3.connect(file) as db:
        tables = [
            name
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        ]
        columns = {table: [row[1] for row in db.execute(f"PRAGMA table_info({table})")] for table in tables}
        facts = [key for (key,) in db.execute("SELECT key FROM facts")]
    db.close()
    for table in tables:
        yield f"no table {table}", lambda path, table=table: _run(path, f"DROP TABLE {table}")
        for number, column in enumerate(columns[table]):
            values = (None, _HUGE, float("inf"), -1, "x", b"\xff\xfe", "../../x", "\x00")
            # Every kind of value in every table, but not in every column.
            for wrong in values[number % 4 :: 4]:
                yield (
                    f"{table}.{column} is {wrong!r}",
                    lambda path, table=table, column=column, wrong=wrong: _run(
                        path, f"UPDATE OR IGNORE {table} SET {column} = ?", wrong
                    ),
                )
    for number, key in enumerate(facts):
        yield f"no fact {key}", lambda path, key=key: _run(path, "DELETE FROM facts WHERE key = ?", key)
        values = (
            "{no JSON",
            "null",
            "[]",
            "{}",
            '"x"',
            "NaN",
            "-1",
            "1e300",
            "99",
            "[" * 100_000,
            '{"kind": 5, "photos": "x"}',
        )
        for wrong in values[number % 3 :: 3]:
            yield (
                f"the fact {key} is {wrong[:20]}",
                lambda path, key=key, wrong=wrong: _run(path, "UPDATE facts SET value = ? WHERE key = ?", wrong, key),
            )


def _overwritten(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _run(path: Path, statement: str, *values: Any) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("PRAGMA synchronous = OFF")  # hundreds of times: don't wait for the disk
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute(statement, values)
    except sqlite3.IntegrityError:
        pass  # the table itself refuses such a value
    finally:
        db.close()
