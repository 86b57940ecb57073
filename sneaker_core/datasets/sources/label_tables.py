"""Tables that give files their labels, in CSV or JSON: find their columns, and match their rows to files.

A table speaks of the files in its own folder and below; one in the form of COCO that names none there, of those in the
folder above, and so on. Columns are recognized by their usual names. A row names its
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
from sneaker_core.datasets.sources.json_tables import JSON_ENDINGS, read_coco, read_json_lines
from sneaker_core.datasets.sources.split_names import split_of_name
from sneaker_core.number_text import counted
from sneaker_core.workspace.clean_names import clean_name

_FILE_COLUMNS = (
    "file", "filename", "file_name", "filepath", "file_path", "path", "image", "image_path", "image_name",
    "image_file", "img", "img_path", "photo", "picture", "image_id", "img_id", "photo_id", "id",
)  # fmt: skip
_LABEL_COLUMNS = ("label", "class", "category", "target", "label_name", "class_name", "category_name")
_SPLIT_COLUMNS = ("split", "subset", "partition", "set")
_SEPARATORS = ",;\t|"
_YES, _NO = {"1", "1.0", "true", "yes", "x"}, {"0", "0.0", "false", "no", ""}
_PHOTO_ENDINGS = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".bmp", ".avif", ".heic", ".heif")
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
        read = _named_columns(*read_json_lines(text))
    elif coco is not None:
        read = _Reading([(file, label, "") for file, label in coco[0]])
    elif not name.lower().endswith(JSON_ENDINGS):
        header, body = read_cells(text)
        read = _named_columns(header, body) or _column_for_each_class(header, body) or _no_header([header, *body])
    if read is None:
        return None
    usual = split_of_name(PurePosixPath(name).stem)
    found = [Row(file, label, split_of_name(split) if split else usual) for file, label, split in read.rows]
    complete = [row for row in found if row.file and row.label]
    notes = [*([f"{name} {read.note}"] if read.note else []), *(coco[1] if coco is not None else [])]
    if incomplete := len(found) - len(complete):
        notes.append(f"{counted(incomplete, 'row')} of {name} without a file or a label.")
    return LabelTable(name, complete, notes, looks_above=coco is not None)


@dataclass(frozen=True)
class _Reading:
    """File, label and split (empty if there is none) of each row, and what was assumed to read them."""

    rows: list[tuple[str, str, str]]
    note: str = ""


def _named_columns(header: Sequence[str], body: Sequence[Sequence[str]]) -> _Reading | None:
    """A table whose header names a column of files and a column of labels in a usual way."""
    file, label, split = (_place(names, header) for names in (_FILE_COLUMNS, _LABEL_COLUMNS, _SPLIT_COLUMNS))
    if file is None or label is None:
        return None
    return _Reading([(row[file], row[label], "" if split is None else row[split]) for row in body])


def _column_for_each_class(header: Sequence[str], body: Sequence[Sequence[str]]) -> _Reading | None:
    """A table with a column of files, and a column of 0 and 1 for each class."""
    file, split = (_place(names, header) for names in (_FILE_COLUMNS, _SPLIT_COLUMNS))
    classes = [place for place in range(len(header)) if place not in (file, split) and header[place]]
    flags = {row[place].lower() for row in body for place in classes}
    if file is None or len(classes) < 2 or not flags or not flags <= _NO | _YES:
        return None
    rows = []
    for row in body:
        labels = [header[place] for place in classes if row[place].lower() in _YES] or [""]
        rows += [(row[file], label, "" if split is None else row[split]) for label in labels]
    return _Reading(rows, "has a column of 0 and 1 for each class; the one with 1 is the label.")


def _no_header(rows: Sequence[Sequence[str]]) -> _Reading | None:
    """A table of two columns without a header, one of which holds photo files."""
    if any(len(row) != 2 or not all(row) for row in rows):
        return None
    files = [place for place in (0, 1) if all(row[place].lower().endswith(_PHOTO_ENDINGS) for row in rows)]
    if len(files) != 1:
        return None
    place = files[0]
    which = "first" if place == 0 else "second"
    return _Reading(
        [(row[place], row[1 - place], "") for row in rows], f"has no header; its {which} column names files."
    )


def read_sku_table(text: str) -> dict[str, str]:
    """Names of sneakers by SKU or folder, in lower case; empty for a table without sku (or folder) and name."""
    header, body = read_cells(text)
    sku, name = _place(("sku", "folder"), header), _place(("name",), header)
    if sku is None or name is None:
        return {}
    return {clean_name(row[sku]).lower(): row[name] for row in body if row[sku] and row[name]}


def _place(names: Iterable[str], header: Sequence[str]) -> int | None:
    """The column that has the first of these names that any has, whatever its case and separators."""
    columns = ["_".join(cell.lower().replace("-", " ").split()) for cell in header]
    return next((columns.index(name) for name in names if name in columns), None)


def read_cells(text: str) -> tuple[list[str], list[list[str]]]:
    """The header and the rows below it, all of its length; nothing if it is no table.

    The separator is that of a first line ``sep=…``, as spreadsheets write it, or the most frequent in the header.
    """
    first, _, rest = text.partition("\n")
    said = first.rstrip("\r").strip(' "')
    told = said.removeprefix("sep=")[:1] if said.startswith("sep=") else ""
    body = rest if told else text
    separator = told or max(_SEPARATORS, key=body.partition("\n")[0].count)
    try:
        rows = [
            [unescape_formula(cell.strip()) for cell in row]
            for row in csv.reader(io.StringIO(body), delimiter=separator)
        ]
    except csv.Error:
        return [], []
    header, *below = rows or [[]]
    return header, [[*row, *[""] * (len(header) - len(row))][: len(header)] for row in below if any(row)]


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
        by_name, named, missing = _files_of(table, files), set(), {}
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
