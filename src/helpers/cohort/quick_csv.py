"""Reading a CSV file that has nothing unusual in it, block by block, each distinct text once.

What may be read in two ways is not read here but left to the careful reader: a quotation mark within a field,
a field over several lines, an empty line, a record of the wrong width, bytes that are not UTF-8.
"""

import csv
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.cohort.texts import coded

if TYPE_CHECKING:
    import pyarrow as pa

SEPARATORS = (",", ";", "\t")
_BLOCK = 1 << 21  # bytes that are looked at together
_MARK = b"\xef\xbb\xbf"  # of UTF-8, at the start of a file


class UnusualError(Exception):
    """The file has something that the careful reader must look at."""


def separator_of(text: str) -> str:
    """Return the separator of a file that begins with a text."""
    first = text.lstrip().splitlines()[0]
    return "," if "," in first else max(SEPARATORS, key=first.count)


def swallows_rows(cell: str, separator: str, width: int) -> bool:
    """Tell whether a field over several lines holds whole rows: a stray quotation mark opened it."""
    lines = cell.splitlines()[1:]
    return width > 2 and any(line.count(separator) >= width - 2 for line in lines)


def read_quickly(file: BinaryIO) -> tuple[list[str], pd.DataFrame] | None:
    """Return the header of a CSV file and its cells, coded and without blanks at their ends.

    None where the careful reader has to read it. The first row of cells stands in line 2, and so on.
    """
    from pyarrow import ArrowInvalid, default_memory_pool

    try:
        return _read(file)
    except (UnusualError, ArrowInvalid, UnicodeDecodeError, csv.Error):
        return None
    finally:
        default_memory_pool().release_unused()


def _read(file: BinaryIO) -> tuple[list[str], pd.DataFrame]:
    blocks = _blocks(file)
    head, _, rest = next(blocks, b"").removeprefix(_MARK).partition(b"\n")
    text = head.removesuffix(b"\r").decode("utf-8")
    if not text.strip():
        raise UnusualError
    separator = separator_of(text)
    quoted = _has_marks(head + b"\n", separator)
    header = next(csv.reader([text], delimiter=separator, strict=True))
    if len(header) < 2:
        raise UnusualError  # empty fields cannot be told from empty lines
    columns = [_Column() for _ in header]
    for block in itertools.chain([rest] if rest else [], blocks):
        quoted |= _take(block, separator, columns)
    if not columns[0].blocks or (quoted and any(_doubtful(c, separator, len(header)) for c in columns)):
        raise UnusualError
    cells = {place: column.made() for place, column in enumerate(columns)}
    return [cell.strip() for cell in header], pd.DataFrame(cells, copy=False)


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """Yield a file in blocks of whole lines, without empty lines at its end."""
    kept = b""
    while read := file.read(_BLOCK):
        block = kept + read
        end = block.rstrip(b"\r\n")
        cut = end.rfind(b"\n") + 1
        if cut:
            yield block[:cut]
        kept = block[cut:]
    if last := kept.rstrip(b"\r\n"):
        yield last + b"\n"


def _take(block: bytes, separator: str, columns: "list[_Column]") -> bool:
    """Read a block of lines into the columns; tell whether it has quotation marks."""
    from pyarrow import BufferReader, dictionary, int32, string
    from pyarrow import csv as arrow

    if block.startswith(_MARK):  # only at the start of a file is it a mark, and Arrow skips it anywhere
        raise UnusualError
    quoted = _has_marks(block, separator)
    names = [str(place) for place in range(len(columns))]
    table = arrow.read_csv(
        BufferReader(block),
        arrow.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=names),
        arrow.ParseOptions(
            delimiter=separator, quote_char='"' if quoted else False, ignore_empty_lines=False
        ),
        arrow.ConvertOptions(
            column_types=dict.fromkeys(names, dictionary(int32(), string())),
            null_values=[],
            strings_can_be_null=False,
        ),
    )
    for column, found in zip(columns, table.columns, strict=True):
        column.add(found)
    return quoted


def _has_marks(block: bytes, separator: str) -> bool:
    """Tell whether lines have quotation marks.

    Raises:
        UnusualError: a line is empty, one ends in the middle of a field, or a mark stands within a field.
    """
    returns = block.count(b"\r")
    if b"\x00" in block or returns != block.count(b"\r\n"):
        raise UnusualError
    if block[:1] in (b"\n", b"\r") or b"\n\n" in block or (returns and b"\n\r\n" in block):
        raise UnusualError
    if b'"' not in block:
        return False
    signs = np.frombuffer(block, dtype=np.uint8)
    marks = np.flatnonzero(signs == ord('"'))
    if len(marks) % 2:
        raise UnusualError
    opening, closing = marks[::2], marks[1::2]
    ends = np.zeros(256, dtype=bool)
    ends[[ord("\n"), ord("\r"), ord(separator)]] = True
    # Two marks side by side within a field are one that belongs to it.
    again = opening[1:] == closing[:-1] + 1
    before = (opening == 0) | ends[signs[opening - 1]]
    after = ends[signs[closing + 1]]
    before[1:] |= again
    after[:-1] |= again
    lines = np.flatnonzero(signs == ord("\n"))
    if not (before.all() and after.all()) or (np.searchsorted(marks, lines) % 2).any():
        raise UnusualError
    return True


def _doubtful(column: "_Column", separator: str, width: int) -> bool:
    limit = csv.field_size_limit()
    return any(
        (separator in text and swallows_rows(text, separator, width)) or len(text) > limit
        for text in column.numbers
    )


@dataclass
class _Column:
    """The number of each distinct text, and those of the rows block by block."""

    numbers: dict[str, int] = field(default_factory=dict)
    blocks: list[NDArray[np.int32]] = field(default_factory=list)

    def add(self, found: "pa.ChunkedArray") -> None:
        for chunk in found.chunks:
            numbers = self.numbers
            own = [numbers.setdefault(text, len(numbers)) for text in chunk.dictionary.to_pylist()]
            self.blocks.append(np.array(own, dtype=np.int32)[chunk.indices.to_numpy()])

    def made(self) -> pd.Categorical:
        codes = np.concatenate(self.blocks)
        self.blocks.clear()
        return coded(codes, [text.strip() for text in self.numbers])
