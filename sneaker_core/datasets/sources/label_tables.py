"""Tables that give files their labels, in CSV or JSON: find their columns, and match their rows to files.

A table speaks of the files in its own folder and below; one in the form of COCO that names none there, of those in the
folder above, and so on. Columns are recognized by their usual names. A row names its
file by a path whose end fits, by a bare name that one file has, or by a name without an ending that one file has.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from sneaker_core.datasets.sources.json_tables import JSON_ENDINGS, read_coco, read_json_lines
from sneaker_core.datasets.sources.label_columns import (
    TableReading,
    column_named,
    named_columns,
    read_cells,
    recognized_columns,
)
from sneaker_core.datasets.sources.split_names import split_of_name, splits_of_cells, states_no_split
from sneaker_core.number_text import counted
from sneaker_core.workspace.clean_names import clean_name

# Words for splits that need no explanation.
_USUAL_WORDS = {"train", "training", "val", "valid", "validation", "test", "testing"}
_SHOWN = 3


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes
    ----------
    file : str
        The file it names.
    label : str
    split : str or None
        "train", "val" or "test", if the table gives one.
    unclear_split : str
        What the table says instead, if it isn't known which split that is.
    """

    file: str
    label: str
    split: str | None
    unclear_split: str = ""


@dataclass(frozen=True)
class LabelTable:
    """A table of labels.

    Attributes
    ----------
    name : str
        Its path in the source.
    rows : list of Row
    notes : list of str
        What was assumed to read it, and how many of its rows are incomplete, as sentences.
    looks_above : bool
        Whether it may lie beside the folder of its files.
    """

    name: str
    rows: list[Row]
    notes: list[str] = field(default_factory=list)
    looks_above: bool = False

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


@dataclass(frozen=True)
class Tables:
    """The tables of a source.

    Attributes
    ----------
    labels : list of LabelTable
    skus : dict
        Folder -> the names that a table in it gives to its SKUs.
    others : list of str
        Files that hold neither.
    """

    labels: list[LabelTable] = field(default_factory=list)
    skus: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)


def read_tables(texts: Mapping[str, str], *, with_labels: bool) -> Tables:
    """Understand the tables of a source, one after another: together their texts may not fit into memory.

    Parameters
    ----------
    texts : mapping of str to str
        Path -> text.
    with_labels : bool
        Whether to look for labels of files.
    """
    found = Tables()
    for name, text in texts.items():
        labels = read_label_table(name, text) if with_labels else None
        skus = {} if name.lower().endswith(JSON_ENDINGS) else read_sku_table(text)
        if labels is not None:
            found.labels.append(labels)
        if skus:
            found.skus[PurePosixPath(name).parts[:-1]] = skus
        if labels is None and not skus:
            found.others.append(name)
    return found


def read_label_table(name: str, text: str) -> LabelTable | None:
    """A table of labels; None if it has no column of files and of labels.

    Without such columns, a table is understood if it has a column of files and one column of 0 and 1 for each class, or
    if it has no header, but one column of photo files and one of labels.

    Parameters
    ----------
    name : str
        Path of the table in its source. If it is called like a split, such as train.csv, its rows belong to it.
    text : str
    """
    read, coco = None, read_coco(name, text) if name.lower().endswith(JSON_ENDINGS[0]) else None
    if name.lower().endswith(JSON_ENDINGS[1]):
        read = named_columns(*read_json_lines(text))
    elif coco is not None:
        read = TableReading([(file, label, "") for file, label in coco[0]])
    elif not name.lower().endswith(JSON_ENDINGS):
        read = recognized_columns(*read_cells(text))
    if read is None:
        return None
    found, about_splits = _rows(name, read)
    complete = [row for row in found if row.file and row.label]
    notes = [*(f"{name} {note}" for note in read.notes), *(coco[1] if coco is not None else []), *about_splits]
    if incomplete := len(found) - len(complete):
        notes.append(f"{counted(incomplete, 'row')} of {name} without a file or a label.")
    return LabelTable(name, complete, notes, looks_above=coco is not None)


def _rows(name: str, read: TableReading) -> tuple[list[Row], list[str]]:
    """The rows of a table with their splits, and what to say about the splits."""
    usual = split_of_name(PurePosixPath(name).stem)
    stated = Counter(split for _, _, split in read.rows if not states_no_split(split))
    known = splits_of_cells(stated)
    rows = [
        Row(
            file, label, known.get(split) if split in stated else usual, split if split in stated.keys() - known else ""
        )
        for file, label, split in read.rows
    ]
    notes = []
    if unusual := [f"{word!r} is {split}" for word, split in known.items() if word.lower() not in _USUAL_WORDS]:
        notes.append(f"Names of splits in {name} were understood: {listed(unusual)}.")
    if unclear := {word: count for word, count in stated.items() if word not in known}:
        words = listed(f"{word!r} ({count:,})" for word, count in unclear.items())
        rest = "a split that isn't known and were left out"
        notes.append(f"{counted(sum(unclear.values()), 'row')} of {name} with {rest}: {words}.")
    return rows, notes


def read_sku_table(text: str) -> dict[str, str]:
    """Names of sneakers by SKU or folder, in lower case; empty for a table without sku (or folder) and name."""
    header, body = read_cells(text)
    sku, name = column_named(("sku", "folder"), header), column_named(("name",), header)
    if sku is None or name is None:
        return {}
    return {clean_name(row[sku]).lower(): row[name] for row in body if row[sku] and row[name]}


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
    unclear: dict[str, str] = {}
    for table in tables:
        by_name, named, missing = _files_of(table, files), set(), {}
        for row in table.rows:
            matching = by_name.matching(row.file)
            named.update(matching)
            if len(matching) == 1 and row.unclear_split:
                told = f"{table.name} puts it into the split {row.unclear_split!r}, which isn't known."
                unclear[matching[0]] = f"{told} Write train, val or test there, or nothing."
            elif len(matching) == 1:
                said[matching[0]].setdefault((clean_name(row.label), row.split), table.name)
                written.setdefault(matching[0], row.label)
            elif matching:
                others = f"{table.name} names {row.file}, and {len(matching)} files are called that."
                found.rejected |= dict.fromkeys(matching, f"{others} Write their folders in the table.")
            else:
                missing[row.file] = f"{table.name} lists it, but the file doesn't exist."
        found.counts[table.name] = len(named)
        found.missing |= missing if named else {}
    for file, all_claims in said.items():
        found.rejected.pop(file, None)
        claims = _without_vague(all_claims)
        if file in unclear:
            continue
        if len(claims) == 1:
            found.labels[file] = (written[file], next(iter(claims))[1])
        else:
            found.rejected[file] = _contradiction(claims)
    found.rejected |= unclear
    return found


def _without_vague(claims: Mapping[tuple[str, str | None], str]) -> dict[tuple[str, str | None], str]:
    """Without claims that give a label and no split, where another one gives the same label and a split."""
    with_split = {label for label, split in claims if split is not None}
    return {
        (label, split): table
        for (label, split), table in claims.items()
        if split is not None or label not in with_split
    }


def _contradiction(claims: Mapping[tuple[str, str | None], str]) -> str:
    labels = list(dict.fromkeys(label for label, _ in claims))
    if len(labels) == 1:
        splits = " and ".join(dict.fromkeys(str(split) for _, split in claims))
        return f"{_and(dict.fromkeys(claims.values()))} puts it into two splits: {splits}."
    told = [f"{table} says {label!r}" for (label, _), table in claims.items()]
    return f"Its labels contradict each other: {', '.join(told[:_SHOWN])}."


def listed(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more


def _and(names: Iterable[str]) -> str:
    return " and ".join(names)


def _files_of(table: LabelTable, files: Sequence[str]) -> "_FilesByName":
    """The files that a table may speak of."""
    folder = table.folder
    found = _FilesByName(folder, files)
    while table.looks_above and folder and not any(found.matching(row.file) for row in table.rows):
        folder = folder[:-1]
        found = _FilesByName(folder, files)
    return found


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
