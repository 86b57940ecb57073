"""The pages of a Parquet file, counted without unpacking one: how many values a foreign file really holds.

The figures at the end of the file are only a claim, and a page of a few bytes may hold a hundred million values. Each
page says in its header how many there are; readers go by these. The headers are structs in Thrift's compact protocol:
https://parquet.apache.org/docs/file-format and https://github.com/apache/thrift/blob/master/doc/specs.
"""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sneaker_core.errors import DamagedError
from sneaker_core.records.reading import damaged

if TYPE_CHECKING:
    from pyarrow.parquet import ColumnChunkMetaData, FileMetaData

# Others read beyond a column's end or pack values against each other.
_WRITER = "parquet-cpp-arrow version "
_ENCODINGS = {0: "plain", 2: "dictionary", 3: "run lengths", 8: "dictionary"}
_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
# Of a page header: where the header of each type of page is; and in that, the place of the encoding.
_OWN_HEADER, _ENCODING = {_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}, {_DATA: 2, _DICTIONARY: 2, _DATA_V2: 4}
_TYPE, _UNPACKED, _PACKED, _VALUES = 1, 2, 3, 1
_TRUE, _FALSE, _BYTE, _INT16, _INT32, _INT64, _DOUBLE, _BINARY, _STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 12
_LARGEST_INT, _DEEPEST = 2**31, 5
_BROKEN = "the header of a page is broken"

_Struct = dict[int, "int | _Struct | None"]


class PageTotals(NamedTuple):
    """What the pages of a column chunk hold.

    Attributes
    ----------
    values : int
        Without those in the dictionary.
    size : int
        In bytes, unpacked.
    """

    values: int
    size: int


def column_totals(file: Path, head: "FileMetaData") -> list[list[PageTotals]]:
    """What the pages hold: for each group of rows, for each column.

    Parameters
    ----------
    file : Path
    head : FileMetaData
        Of that file.

    Raises
    ------
    DamagedError
        The pages aren't such as SoleScope writes, or the file's figures contradict them.
    """
    try:
        return _totals(file, head)
    except DamagedError as error:
        raise damaged(file.name, str(error)) from None


def _totals(file: Path, head: "FileMetaData") -> list[list[PageTotals]]:
    if not str(head.created_by).startswith(_WRITER):
        raise DamagedError("it was written by another program")
    data = memoryview(file.read_bytes())
    groups = [head.row_group(number) for number in range(head.num_row_groups)]
    if sum(group.num_rows for group in groups) != head.num_rows:
        raise DamagedError("its numbers of rows contradict each other")
    return [[_chunk_totals(data, group.column(place)) for place in range(head.num_columns)] for group in groups]


def _chunk_totals(data: memoryview, chunk: "ColumnChunkMetaData") -> PageTotals:
    start, dictionary = chunk.data_page_offset, chunk.dictionary_page_offset
    if dictionary is not None and 0 < dictionary < start:
        start = dictionary
    end = start + chunk.total_compressed_size
    if not 0 <= start <= end <= len(data):
        raise DamagedError("a column is outside it")
    reader, values, size = _Reader(data[start:end]), 0, 0
    while reader.place < end - start:
        header = reader.struct()
        kind = _number(header, _TYPE)
        own = header.get(_OWN_HEADER.get(kind, -1))
        if not isinstance(own, dict) or _number(own, _ENCODING[kind]) not in _ENCODINGS:
            raise DamagedError("it has pages that no table of SoleScope has")
        reader.skip(_number(header, _PACKED))
        count, unpacked = _number(own, _VALUES), _number(header, _UNPACKED)
        if kind == _DICTIONARY and count > unpacked:
            raise DamagedError("a dictionary has more words than bytes")
        values += 0 if kind == _DICTIONARY else count
        size += unpacked
    if values != chunk.num_values:
        raise DamagedError("its numbers of values contradict each other")
    return PageTotals(values, size)


def _number(struct: _Struct, field: int) -> int:
    value = struct.get(field)
    if not isinstance(value, int) or not 0 <= value < _LARGEST_INT:
        raise DamagedError(_BROKEN)
    return value


class _Reader:
    """Reads structs of Thrift's compact protocol; stricter than Thrift where readers could differ."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self.place = 0

    def skip(self, count: int) -> None:
        """Go on by a number of bytes."""
        self.place += count
        if self.place > len(self._data):
            raise DamagedError("a page is cut off")

    def struct(self, depth: int = 0) -> _Struct:
        """A struct: field -> its number or struct; None for anything else."""
        found: _Struct = {}
        field = 0
        while head := self._byte():
            field = field + (head >> 4) if head >> 4 else self._integer()
            if field in found or not 0 < field < 2**15 or depth > _DEEPEST:
                raise DamagedError(_BROKEN)
            found[field] = self._value(head & 15, depth)
        return found

    def _value(self, kind: int, depth: int) -> "int | _Struct | None":
        if kind == _INT32:
            return self._integer()
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind in (_INT16, _INT64):
            self._integer()
        elif kind == _BINARY:
            self.skip(self._varint())
        elif kind in (_BYTE, _DOUBLE):
            self.skip(1 if kind == _BYTE else 8)
        elif kind not in (_TRUE, _FALSE):
            raise DamagedError(_BROKEN)
        return None

    def _byte(self) -> int:
        self.skip(1)
        return self._data[self.place - 1]

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise DamagedError(_BROKEN)

    def _integer(self) -> int:
        """A signed number: 0, -1, 1, -2, 2, … are written as 0, 1, 2, 3, 4, …."""
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
