"""CSV tables that give files their labels: find their columns, and match their rows to files.

A table speaks of the files in its own folder and below. Columns are recognized by their usual names. A row names its
file by a path whose end fits, by a bare name that one file has, or by a name without an ending that one file has.
"""

import csv
import io
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from sneaker_core.csv_cells import unescape_formula
from sneaker_core.datasets.sources.split_names import split_of_name
from sneaker_core.workspace.clean_names import clean_name

_FILE_COLUMNS = (
    "file", "filename", "file_name", "filepath", "file_path", "path", "image", "image_path", "image_name",
    "image_file", "img", "img_path", "photo", "picture", "image_id", "img_id", "photo_id", "id",
)  # fmt: skip
_LABEL_COLUMNS = ("label", "class", "category", "target", "label_name", "class_name", "category_name")
_SPLIT_COLUMNS = ("split", "subset", "partition", "set")
_SEPARATORS = ",;\t|"
_SHOWN = 3


@dataclass(frozen=True)
class Row:
    """A row of a table: the file it names, its label, and its split if the table gives one."""

    file: str
    label: str
    split: str | None


@dataclass(frozen=True)
class LabelTable:
    """A table of labels.

    Attributes
    ----------
    name : str
        Its path in the source.
    rows : list of Row
    incomplete : int
        Rows without a file or a label.
    """

    name: str
    rows: list[Row]
    incomplete: int = 0

    @property
    def folder(self) -> tuple[str, ...]:
        """The folder that it lies in."""
        return PurePosixPath(self.name).parts[:-1]


@dataclass
class TableClaims:
    """What all tables say about the files.

    Attributes
    ----------
    labels : dict
        File -> (label, split).
    rejected : dict of str to str
        Files whose label can't be told -> reason.
    missing : dict of str to str
        Names in rows for which there is no file -> reason; only of tables that name other files rightly.
    counts : dict of str to int
        Table -> number of files that it names.
    """

    labels: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def read_label_table(name: str, text: str) -> LabelTable | None:
    """A table of labels; None if it has no column of files and of labels.

    Parameters
    ----------
    name : str
        Path of the table in its source. If it is called like a split, such as train.csv, its rows belong to it.
    text : str
    """
    columns, rows = read_rows(text)
    file, label = (_first(names, columns) for names in (_FILE_COLUMNS, _LABEL_COLUMNS))
    if file is None or label is None:
        return None
    split, usual = _first(_SPLIT_COLUMNS, columns), split_of_name(PurePosixPath(name).stem)
    found = [Row(row[file], row[label], (split_of_name(row[split]) if split and row[split] else usual)) for row in rows]
    complete = [row for row in found if row.file and row.label]
    return LabelTable(name, complete, len(found) - len(complete))


def read_sku_table(text: str) -> dict[str, str]:
    """Names of sneakers by SKU in lower case, from a table with the columns sku and name; empty if it has others."""
    columns, rows = read_rows(text)
    if not {"sku", "name"} <= set(columns):
        return {}
    return {clean_name(row["sku"]).lower(): row["name"] for row in rows if row["sku"] and row["name"]}


def _first(names: Iterable[str], columns: Sequence[str]) -> str | None:
    return next((name for name in names if name in columns), None)


def read_rows(text: str) -> tuple[list[str], list[dict[str, str]]]:
    """Column names, in lower case with underscores, and the rows below them; nothing if it is no table.

    The separator is that of a first line ``sep=…``, as spreadsheets write it, or the most frequent in the header.
    """
    first, _, rest = text.partition("\n")
    said = first.rstrip("\r").strip(' "')
    told = said.removeprefix("sep=")[:1] if said.startswith("sep=") else ""
    body = rest if told else text
    separator = told or max(_SEPARATORS, key=body.partition("\n")[0].count)
    table = csv.reader(io.StringIO(body), delimiter=separator)
    try:
        columns = ["_".join(cell.strip().lower().replace("-", " ").split()) for cell in next(table, [])]
        rows = [
            dict(zip(columns, [unescape_formula(cell.strip()) for cell in row], strict=False)) for row in table if row
        ]
    except csv.Error:
        return [], []
    empty = dict.fromkeys(columns, "")
    return columns, [{**empty, **row} for row in rows]


def claims_of(tables: Sequence[LabelTable], files: Sequence[str]) -> TableClaims:
    """Match the rows of all tables to files. Rows that contradict each other leave their file without a label.

    Parameters
    ----------
    tables : sequence of LabelTable
    files : sequence of str
        Paths of all files that are no tables.
    """
    found = TableClaims()
    said: dict[str, dict[tuple[str, str | None], str]] = defaultdict(dict)
    written: dict[str, str] = {}
    for table in tables:
        by_name, named, missing = _FilesByName(table.folder, files), set(), {}
        for row in table.rows:
            matching = by_name.matching(row.file)
            named.update(matching)
            if len(matching) == 1:
                said[matching[0]].setdefault((clean_name(row.label), row.split), table.name)
                written.setdefault(matching[0], row.label)
            elif matching:
                others = f"{table.name} names {row.file}, and {len(matching)} files are called that."
                found.rejected |= dict.fromkeys(matching, f"{others} Write their folders in the table.")
            else:
                missing[row.file] = f"{table.name} lists it, but the file doesn't exist."
        found.counts[table.name] = len(named)
        found.missing |= missing if named else {}
    for file, claims in said.items():
        found.rejected.pop(file, None)
        if len(claims) == 1:
            found.labels[file] = (written[file], next(iter(claims))[1])
        else:
            found.rejected[file] = _contradiction(claims)
    return found


def _contradiction(claims: Mapping[tuple[str, str | None], str]) -> str:
    labels = list(dict.fromkeys(label for label, _ in claims))
    if len(labels) == 1:
        splits = " and ".join(dict.fromkeys(str(split) for _, split in claims))
        return f"{_and(dict.fromkeys(claims.values()))} puts it into two splits: {splits}."
    told = [f"{table} says {label!r}" for (label, _), table in claims.items()]
    return f"Its labels contradict each other: {', '.join(told[:_SHOWN])}."


def _and(names: Iterable[str]) -> str:
    return " and ".join(names)


class _FilesByName:
    """The files in a table's folder and below, by name, in any case, and by name without ending."""

    def __init__(self, folder: tuple[str, ...], files: Sequence[str]) -> None:
        self._by_name: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        self._by_folded: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        self._by_stem: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        for file in files:
            parts = PurePosixPath(_composed(file)).parts
            if parts[: len(folder)] == folder:
                inner = parts[len(folder) :]
                self._by_name[inner[-1]].append((inner, file))
                self._by_folded[inner[-1].casefold()].append((inner, file))
                self._by_stem[PurePosixPath(inner[-1]).stem].append((inner, file))

    def matching(self, named: str) -> list[str]:
        """The files that a row may mean: one, if it is clear."""
        wanted = _parts(named)
        if not wanted:
            return []
        by_name, folded = self._by_name.get(wanted[-1], []), self._by_folded.get(wanted[-1].casefold(), [])
        if not by_name and len(folded) == 1:
            wanted = (*wanted[:-1], folded[0][0][-1])
            by_name = folded
        for candidates in (by_name, self._by_stem.get(wanted[-1], [])):
            same = [file for inner, file in candidates if inner == wanted or _without_ending(inner) == wanted]
            if len(same) == 1:
                return same
            fitting = [file for inner, file in candidates if _is_tail(inner, wanted) or _is_tail(wanted, inner)]
            longest = [file for inner, file in candidates if _is_tail(inner, wanted) and len(inner) > 1]
            if len(longest) == 1:
                return longest
            if fitting:
                return fitting
        return []


def _parts(named: str) -> tuple[str, ...]:
    """The parts of a path that may be absolute, begin with a drive, or be written with backslashes."""
    parts = PurePosixPath(_composed(named).replace("\\", "/")).parts
    return tuple(part for part in parts if part not in ("/", "//", ".") and not part.endswith(":"))


def _composed(name: str) -> str:
    """A path with composed characters: macOS takes names apart, and tables don't."""
    return unicodedata.normalize("NFC", name)


def _without_ending(parts: tuple[str, ...]) -> tuple[str, ...]:
    return (*parts[:-1], PurePosixPath(parts[-1]).stem)


def _is_tail(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    """Whether a path ends with another; a last part without an ending stands for one with any."""
    if len(short) > len(long):
        return False
    tail = long[len(long) - len(short) :]
    return short == tail or _without_ending(short) == _without_ending(tail)
