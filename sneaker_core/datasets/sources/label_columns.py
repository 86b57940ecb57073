"""Which columns of a table hold files, labels and splits: by their usual names, or by what is in them."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sneaker_core.csv_cells import unescape_formula
from sneaker_core.datasets.sources.split_names import splits_of_cells

_FILE_COLUMNS = (
    "file", "filename", "file_name", "filepath", "file_path", "path", "image", "image_path", "image_name",
    "image_file", "img", "img_path", "photo", "picture", "image_id", "img_id", "photo_id", "id",
)  # fmt: skip
_LABEL_COLUMNS = ("label", "class", "category", "target")
# Names of classes, beside columns that may hold the numbers of classes.
_LABEL_NAME_COLUMNS = (
    "label_name", "class_name", "category_name", "target_name", "labelname", "classname", "categoryname", "label_text",
)  # fmt: skip
_SPLIT_COLUMNS = ("split", "subset", "partition", "set", "data_split", "dataset_split", "split_name", "split_set")
# Columns that hold splits only if every value in them names one: "usage" may also be what a sneaker is for.
_POSSIBLE_SPLIT_COLUMNS = ("usage", "phase", "fold")
_NUMBER = re.compile(r"[-+]?\d+(\.0*)?")
_SEPARATORS = ",;\t|"
_YES, _NO = {"1", "1.0", "true", "yes", "x"}, {"0", "0.0", "false", "no", ""}
_PHOTO_ENDINGS = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".bmp", ".avif", ".heic", ".heif")

Cells = Sequence[Sequence[str]]


@dataclass(frozen=True)
class TableReading:
    """A table whose columns were recognized.

    Attributes
    ----------
    rows : list of (str, str, str)
        File, label and split of each row as they are written; the split is empty if there is none.
    notes : list of str
        What was assumed, as the rest of sentences that begin with the table's name.
    """

    rows: list[tuple[str, str, str]]
    notes: Sequence[str] = ()


def recognized_columns(header: Sequence[str], body: Cells) -> TableReading | None:
    """Read a table by the names of its columns, or by what is in them; None if it has no files or no labels."""
    return named_columns(header, body) or _column_for_each_class(header, body) or _no_header([header, *body])


def named_columns(header: Sequence[str], body: Cells) -> TableReading | None:
    """Read a table whose header names a column of files and a column of labels in a usual way."""
    file, split = column_named(_FILE_COLUMNS, header), _split_column(header, body)
    label, notes = _label_column(header, body)
    if file is None or label is None:
        return None
    return TableReading([(row[file], row[label], "" if split is None else row[split]) for row in body], notes)


def _label_column(header: Sequence[str], body: Cells) -> tuple[int | None, list[str]]:
    """The column of labels, and what to say of others: names are better than the numbers of classes beside them."""
    usual, names = (_columns_named(one, header) for one in (_LABEL_COLUMNS, _LABEL_NAME_COLUMNS))
    if not (places := [*usual, *names]):
        return None, []
    used = places[0]
    if _are_numbers(body, used):
        texts = [place for place in (*names, *usual) if not _are_numbers(body, place)]
        used = next((place for place in texts if place in names or _are_one_to_one(body, used, place)), used)
    others = [place for place in places if any(row[place] != row[used] for row in body)]
    told = [f"{header[place]!r}{' (numbers)' if _are_numbers(body, place) else ''}" for place in others]
    several = f"has several columns of labels: {header[used]!r} was used, not {' or '.join(told)}."
    return used, [several] if told else []


def _are_one_to_one(body: Cells, first: int, second: int) -> bool:
    """Whether each value of one column has a value of its own in another one."""
    pairs = {(row[first], row[second]) for row in body}
    return len(pairs) == len({one for one, _ in pairs}) == len({other for _, other in pairs})


def _are_numbers(body: Cells, place: int) -> bool:
    return all(_NUMBER.fullmatch(row[place]) for row in body if row[place])


def _split_column(header: Sequence[str], body: Cells) -> int | None:
    """The column of splits."""
    place = column_named(_SPLIT_COLUMNS, header)
    if place is not None or (possible := column_named(_POSSIBLE_SPLIT_COLUMNS, header)) is None:
        return place
    values = {row[possible] for row in body if row[possible]}
    return possible if values and values == set(splits_of_cells(values)) else None


def _column_for_each_class(header: Sequence[str], body: Cells) -> TableReading | None:
    """A table with a column of files, and a column of 0 and 1 for each class."""
    file, split = column_named(_FILE_COLUMNS, header), _split_column(header, body)
    classes = [place for place in range(len(header)) if place not in (file, split) and header[place]]
    flags = {row[place].lower() for row in body for place in classes}
    if file is None or len(classes) < 2 or not flags or not flags <= _NO | _YES:
        return None
    rows = []
    for row in body:
        labels = [header[place] for place in classes if row[place].lower() in _YES] or [""]
        rows += [(row[file], label, "" if split is None else row[split]) for label in labels]
    return TableReading(rows, ["has a column of 0 and 1 for each class; the one with 1 is the label."])


def _no_header(rows: Cells) -> TableReading | None:
    """A table of two columns without a header, one of which holds photo files."""
    if any(len(row) != 2 or not all(row) for row in rows):
        return None
    files = [place for place in (0, 1) if all(row[place].lower().endswith(_PHOTO_ENDINGS) for row in rows)]
    if len(files) != 1:
        return None
    place = files[0]
    which = "first" if place == 0 else "second"
    return TableReading(
        [(row[place], row[1 - place], "") for row in rows], [f"has no header; its {which} column names files."]
    )


def _columns_named(names: Iterable[str], header: Sequence[str]) -> list[int]:
    """All columns that have one of these names."""
    return [place for name in names if (place := column_named((name,), header)) is not None]


def column_named(names: Iterable[str], header: Sequence[str]) -> int | None:
    """The column that has the first of these names that any has, whatever its case and separators."""
    columns = ["_".join(cell.lower().replace("-", " ").split()) for cell in header]
    return next((columns.index(name) for name in names if name in columns), None)


def read_cells(text: str) -> tuple[list[str], list[list[str]]]:
    """The header and the rows below it, all of its length; nothing if it is no table.

    The separator is that of a first line ``sep=…``, as spreadsheets write it, or the most frequent in the header.
    """
    text = io.StringIO(text, newline=None).read()  # ends of lines of every system become "\n"
    first, _, rest = text.partition("\n")
    said = first.strip(' "')
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
