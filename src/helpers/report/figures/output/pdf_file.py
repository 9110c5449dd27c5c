"""Read back a drawn PDF: page size, fonts, and where which text stands at what size.

Only what figure files hold is understood: one page, a classic cross-reference table, streams plain or
deflated. Anything else is refused, never guessed. Syntax and operators: ISO 32000-1, sections 7 to 9.

>>> import io
>>> from helpers.report.figures.output.pdf_text import read_page
>>> page = io.BytesIO()
>>> container.text(0.5, 0.5, "Day 0")
Text(0.5, 0.5, 'Day 0')
>>> container.savefig(page, format="pdf")
>>> file = PdfFile(page.getvalue())
>>> file.page()["MediaBox"], len(file.contents(file.page())) > 0
([0, 0, 504, 360], True)
>>> file.resolve(3), list(tokens(b"/F1 12 Tf"))
(3, ['F1', 12, 'Tf'])
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.errors import CompendiumError

_SPACE = b"\0\t\n\f\r "
_BLANK = rb"[\0\t\n\f\r ]*"
_REGULAR = rb"[^\0\t\n\f\r ()<>\[\]{}/%]"
_TOKEN = re.compile(
    _BLANK + rb"(?:%[^\r\n]*" + _BLANK + rb")*"
    rb"(<<|>>|[\[\]{}]|\(|<|/" + _REGULAR + rb"*|" + _REGULAR + rb"+)"
)  # fmt: skip
_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)")
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_ENTRY = re.compile(rb"(\d{10}) (\d{5}) ([nf])")


class PdfError(CompendiumError):
    """The file is no PDF of the kind that figures are saved as."""


class Name(str):
    """A name object, without its slash."""

    __slots__ = ()


class Operator(str):
    """An operator or keyword."""

    __slots__ = ()


@dataclass(frozen=True)
class Reference:
    """A reference to an object by its number."""

    number: int


@dataclass(frozen=True)
class Stream:
    """A stream: its dictionary and its bytes, inflated."""

    entries: dict[str, Any]
    content: bytes


def tokens(content: bytes, place: int = 0) -> Iterator[Any]:
    """Yield the objects and operators of a content stream or of an object's body."""
    reader = _Reader(content, place)
    while (item := reader.item()) is not _END:
        yield item


_END = Operator("")


class _Reader:
    """Reads objects one after the other."""

    def __init__(self, content: bytes, place: int = 0) -> None:
        self.content, self.place = content, place

    def item(self) -> Any:
        match = _TOKEN.match(self.content, self.place)
        if match is None:
            return _END
        self.place, token = match.end(), match[1]
        if token == b"<<":
            return self._dictionary()
        if token == b"[":
            return list(self._until("]"))
        if token == b"(":
            return self._string()
        if token == b"<":
            return self._hexadecimal()
        if token[:1] == b"/":
            return Name(token[1:].decode("latin-1"))
        if _NUMBER.fullmatch(token):
            return float(token) if b"." in token else int(token)
        return Operator(token.decode("latin-1"))

    def _until(self, closing: str) -> Iterator[Any]:
        held: list[Any] = []
        while True:
            item = self.item()
            if isinstance(item, Operator) and item in (closing, ""):
                yield from held
                return
            if isinstance(item, Operator) and item == "R" and len(held) >= 2:
                held[-2:] = [Reference(held[-2])]
            else:
                held.append(item)

    def _dictionary(self) -> dict[str, Any]:
        items = list(self._until(">>"))
        return dict(zip(items[::2], items[1::2], strict=False))

    def _string(self) -> bytes:
        depth, found = 1, bytearray()
        while self.place < len(self.content):
            sign = self.content[self.place : self.place + 1]
            self.place += 1
            if sign == b"\\":
                found += self._escaped()
                continue
            depth += {b"(": 1, b")": -1}.get(sign, 0)
            if not depth:
                break
            found += sign
        return bytes(found)

    def _escaped(self) -> bytes:
        octal = re.compile(rb"[0-7]{1,3}").match(self.content, self.place)
        if octal:
            self.place = octal.end()
            return bytes([int(octal[0], 8) & 255])
        sign = self.content[self.place : self.place + 1]
        self.place += 1
        return b"" if sign in b"\r\n" else _ESCAPES.get(sign, sign)

    def _hexadecimal(self) -> bytes:
        end = self.content.index(b">", self.place)
        digits = bytes(sign for sign in self.content[self.place : end] if sign not in _SPACE)
        self.place = end + 1
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))


class PdfFile:
    """The objects of a file by number.

    Args:
        content: the bytes of a PDF.

    Raises:
        PdfError: the bytes are no PDF with a classic cross-reference table.
    """

    def __init__(self, content: bytes) -> None:
        start = re.search(rb"startxref\s+(\d+)\s+%%EOF\s*$", content)
        if not content.startswith(b"%PDF-") or start is None:
            raise PdfError("no PDF: it lacks the first or the last line of one")
        self._content = content
        self._cache: dict[int, Any] = {}
        self._places, self.trailer = self._table(int(start[1]))

    @classmethod
    def read(cls, path: Path) -> PdfFile:
        """Read a file."""
        return cls(path.read_bytes())

    def _table(self, place: int) -> tuple[dict[int, int], dict[str, Any]]:
        reader = _Reader(self._content, place)
        if reader.item() != "xref":
            raise PdfError("a PDF without a classic cross-reference table")
        places: dict[int, int] = {}
        while isinstance(first := reader.item(), int):
            count = reader.item()
            for number, entry in enumerate(_ENTRY.finditer(self._content, reader.place), first):
                if number >= first + count:
                    break
                reader.place = entry.end()
                if entry[3] == b"n":
                    places[number] = int(entry[1])
        trailer = reader.item()
        if first != "trailer" or not isinstance(trailer, dict):
            raise PdfError("a PDF whose cross-reference table has no trailer")
        return places, trailer

    def resolve(self, item: Any) -> Any:
        """Return the object that a reference names, anything else as it is."""
        while isinstance(item, Reference):
            item = self._object(item.number)
        return item

    def _object(self, number: int) -> Any:
        if number not in self._places:
            return None
        if number not in self._cache:
            reader = _Reader(self._content, self._places[number])
            for _ in range(3):  # number, generation, "obj"
                reader.item()
            body = reader.item()
            self._cache[number] = self._stream(reader, body) if isinstance(body, dict) else body
        return self._cache[number]

    def _stream(self, reader: _Reader, entries: dict[str, Any]) -> Any:
        begin = re.compile(rb"\s*stream\r?\n").match(self._content, reader.place)
        if begin is None:
            return entries
        raw = self._content[begin.end() : begin.end() + int(self.resolve(entries["Length"]))]
        kind = self.resolve(entries.get("Filter"))
        if kind not in (None, "FlateDecode", ["FlateDecode"]):
            return Stream(entries, b"")
        return Stream(entries, zlib.decompress(raw) if kind else raw)

    def page(self) -> dict[str, Any]:
        """Return the only page.

        Raises:
            PdfError: there is not exactly one.
        """
        pages = self.resolve(self.resolve(self.trailer["Root"])["Pages"])
        kids = self.resolve(pages["Kids"])
        if len(kids) != 1:
            raise PdfError(f"a PDF of {len(kids)} pages where one figure was expected")
        return {**pages, **self.resolve(kids[0])}

    def contents(self, page: dict[str, Any]) -> bytes:
        """Return the page's drawing instructions."""
        found = self.resolve(page["Contents"])
        parts = [self.resolve(part) for part in found] if isinstance(found, list) else [found]
        return b"\n".join(part.content for part in parts)
