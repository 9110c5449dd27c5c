"""Files opened as whoever receives them could: every text with its place, every table, nothing executed."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PLAIN = frozenset({
    "", ".bib", ".cff", ".css", ".js", ".log", ".md", ".py", ".R", ".rst", ".tex", ".toml", ".txt", ".xml",
    ".yaml", ".yml",
})  # fmt: skip
_EMBEDDED = re.compile(r"data:([\w/+.-]+);base64,([A-Za-z0-9+/=\s]+)")
_TAG = re.compile(r"<[^<>]*>")
_CELL = re.compile(r"<t[dh]\b[^>]*>(.*?)</t[dh]>", re.S | re.I)
_LARGEST = 200_000_000
_PICTURES = ("image/png", "image/jpeg")
_STAMPS = frozenset({"created", "modified", "creationdate", "moddate", "datetime"})


class OpenError(Exception):
    """A file that cannot be looked into; the message says why."""


@dataclass(frozen=True)
class Text:
    """A text of a file and where in it it stands; ``name`` is that of the property or key, if any."""

    place: str
    text: str
    name: str = ""


@dataclass(frozen=True)
class Grid:
    """A table of a file: cells as texts, the first row its header."""

    place: str
    rows: list[list[str]]


@dataclass
class Opened:
    """What a file says."""

    texts: list[Text] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)


def opened(path: Path) -> Opened:
    """Open a file.

    Raises:
        OpenError: it cannot be looked into.
    """
    if path.stat().st_size > _LARGEST:
        raise OpenError("larger than can be looked into")
    try:
        return _opened(path.suffix.lower(), path.read_bytes(), path.name)
    except OpenError:
        raise
    except Exception as error:  # whatever a damaged file makes its reader raise
        raise OpenError(f"cannot be read ({type(error).__name__})") from None


def _opened(suffix: str, content: bytes, name: str) -> Opened:
    reader = _READERS.get(suffix)
    if reader is None and suffix in _PLAIN:
        reader = _text
    if reader is None:
        raise OpenError(f"a kind of file that is not known ({suffix or name})")
    return reader(content)


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise OpenError("neither text nor a kind of file that is known")


def _text(content: bytes) -> Opened:
    lines = _decoded(content).splitlines()
    return Opened([Text(f"line {number}", line) for number, line in enumerate(lines, start=1)])


def _csv(content: bytes) -> Opened:
    text = _decoded(content)
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    rows = list(csv.reader(io.StringIO(text), delimiter=separator))
    return _of_grid("", rows)


def _of_grid(place: str, rows: list[list[str]]) -> Opened:
    before = f"{place}, " if place else ""
    found = Opened(grids=[Grid(place, rows)])
    for number, row in enumerate(rows, start=1):
        found.texts += [
            Text(f"{before}row {number}, column {n}", cell) for n, cell in enumerate(row, start=1) if cell
        ]
    return found


def _parquet(content: bytes) -> Opened:
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(content))
    columns = [
        [("" if cell is None else str(cell)) for cell in column.to_pylist()] for column in table.columns
    ]
    found = _of_grid("", [table.column_names, *map(list, zip(*columns, strict=True))])
    for key, value in (table.schema.metadata or {}).items():
        found.texts.append(Text("metadata", value.decode("utf-8", "replace"), key.decode("utf-8", "replace")))
    return found


def _json(content: bytes) -> Opened:
    found = Opened()
    waiting: list[tuple[str, str, Any]] = [("", "", json.loads(_decoded(content)))]
    while waiting:
        place, name, part = waiting.pop()
        if isinstance(part, dict):
            found.texts += [Text(f"{place or '/'} (a key)", str(key)) for key in part]
            waiting += [(f"{place}/{key}", str(key), value) for key, value in part.items()]
            if part and not any(isinstance(value, dict | list) for value in part.values()):
                found.grids.append(Grid(place, [[*map(str, part)], [*map(str, part.values())]]))
        elif name in _PICTURES and isinstance(part, str | list):  # of a notebook's output
            _merge(found, _picture(base64.b64decode("".join(part))), place)
        elif isinstance(part, list):
            waiting += [(f"{place}/{n}", name, value) for n, value in enumerate(part)]
        elif part is not None and not isinstance(part, bool):
            text = str(part)
            found.texts += [Text(place, line, name) for line in text.splitlines() or [text]]
            if isinstance(part, str) and "<" in part:
                _merge(found, _markup(part.encode()), place)
    return found


def _markup(content: bytes) -> Opened:
    """Texts of HTML or SVG, as it stands and without its tags; pictures in it are opened too."""
    text = _decoded(content)
    found = Opened()

    def taken(match: re.Match[str]) -> str:
        kind, held = match[1], base64.b64decode(match[2])
        inner = {"image/svg+xml": _markup, "image/png": _picture, "image/jpeg": _picture}.get(kind)
        if inner is not None:
            _merge(found, inner(held), "a picture in it")
        return ""

    text = _EMBEDDED.sub(taken, text)
    for number, line in enumerate(text.splitlines(), start=1):
        found.texts.append(Text(f"line {number}", html.unescape(line)))
        bare = html.unescape(_TAG.sub("", line)).strip()
        if bare != line.strip():
            found.texts.append(Text(f"line {number}", bare))
    found.grids += _tables_of(text)
    return found


def _tables_of(text: str) -> Iterator[Grid]:
    for number, table in enumerate(re.findall(r"<table\b.*?</table>", text, re.S | re.I), start=1):
        rows = [
            [html.unescape(_TAG.sub("", cell)).strip() for cell in _CELL.findall(row)]
            for row in re.findall(r"<tr\b.*?</tr>", table, re.S | re.I)
        ]
        yield Grid(f"table {number}", [row for row in rows if row])


def _merge(found: Opened, other: Opened, place: str) -> None:
    found.texts += [
        Text(f"{place}, {one.place}" if one.place else place, one.text, one.name) for one in other.texts
    ]
    found.grids += [Grid(f"{place}, {one.place}" if one.place else place, one.rows) for one in other.grids]


def _xlsx(content: bytes) -> Opened:
    import openpyxl  # type: ignore[import-untyped]

    found = Opened()
    for values in (False, True):  # formulas, and what they were worth
        book = openpyxl.load_workbook(io.BytesIO(content), data_only=values)
        for sheet in book.worksheets:
            found.texts.append(Text("name of a sheet", sheet.title))
            rows = [
                ["" if cell is None else str(cell) for cell in row]
                for row in sheet.iter_rows(values_only=True)
            ]
            _merge(found, _of_grid("", rows), f"sheet {sheet.title}")
            for line in sheet.iter_rows():
                found.texts += [
                    Text(f"sheet {sheet.title}, comment of {cell.coordinate}", f"{note.author}: {note.text}")
                    for cell in line
                    if (note := cell.comment)
                ]
    return _zipped(content, found, skip=("xl/worksheets/", "xl/sharedStrings", "xl/styles", "xl/theme"))


def _docx(content: bytes) -> Opened:
    import docx

    found = Opened()
    for number, table in enumerate(docx.Document(io.BytesIO(content)).tables, start=1):
        rows = [[cell.text for cell in row.cells] for row in table.rows]
        found.grids.append(Grid(f"table {number}", rows))
    return _zipped(content, found, skip=("word/styles", "word/theme", "word/fontTable", "word/settings"))


def _zipped(content: bytes, found: Opened, skip: tuple[str, ...]) -> Opened:
    """Texts of the parts of an Office file: paragraphs, comments, properties, pictures."""
    from lxml import etree  # type: ignore[import-untyped]

    with zipfile.ZipFile(io.BytesIO(content)) as whole:
        for part in sorted(whole.namelist()):
            if part.startswith(skip):
                continue
            suffix = Path(part).suffix.lower()
            if part.endswith((".xml", ".rels", ".vml")):
                parser = etree.XMLParser(resolve_entities=False, no_network=True)
                _merge(found, _xml(etree.fromstring(whole.read(part), parser)), part)
            elif suffix in _READERS:
                _merge(found, _READERS[suffix](whole.read(part)), part)
            elif not part.endswith("/") and suffix not in (".bin", ".ttf", ".odttf"):
                raise OpenError(f"holds {part}, which cannot be looked into")
    return found


def _xml(root: Any) -> Opened:
    found = Opened()
    for element in root.iter():
        name = str(element.tag).rpartition("}")[2]
        if name == "p":
            text = "".join(str(one.text or "") for one in element.iter() if str(one.tag).endswith("}t"))
            found.texts.append(Text("", text))
        elif name != "t" and element.text and element.text.strip():
            found.texts.append(Text(name, element.text, name))
        found.texts += [
            Text(f"{name}, {key.rpartition('}')[2]}", str(value), key.rpartition("}")[2])
            for key, value in element.attrib.items()
        ]
    return found


def _pdf(content: bytes) -> Opened:
    from pypdf import PdfReader

    reader, found = PdfReader(io.BytesIO(content)), Opened()
    if reader.is_encrypted:
        raise OpenError("a PDF that is locked")
    for key, value in (reader.metadata or {}).items():
        found.texts.append(Text(f"property {key}", str(value), str(key).lstrip("/")))
    for number, page in enumerate(reader.pages, start=1):
        found.texts += [Text(f"page {number}", line) for line in page.extract_text().splitlines()]
        for note in page.get("/Annots") or ():
            held = note.get_object()
            found.texts += [
                Text(f"page {number}, a note", str(held[key]))
                for key in ("/Contents", "/T", "/URI")
                if key in held
            ]
    if reader.attachments:
        raise OpenError("a PDF with files in it")
    return found


def _picture(content: bytes) -> Opened:
    from PIL import ExifTags, Image

    found = Opened()
    with Image.open(io.BytesIO(content)) as picture:
        picture.load()
        held: dict[str, Any] = {str(key): value for key, value in picture.info.items()}
        held |= {ExifTags.TAGS.get(key, str(key)): value for key, value in picture.getexif().items()}
        held |= {f"tag {key}": value for key, value in getattr(picture, "tag_v2", {}).items()}
    for key, value in held.items():
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        found.texts.append(Text(f"metadata, {key}", text, key))
    return found


_READERS: dict[str, Callable[[bytes], Opened]] = {
    ".csv": _csv, ".tsv": _csv, ".parquet": _parquet, ".json": _json, ".ipynb": _json, ".html": _markup,
    ".htm": _markup, ".svg": _markup, ".xlsx": _xlsx, ".docx": _docx, ".pdf": _pdf, ".png": _picture,
    ".tif": _picture, ".tiff": _picture, ".jpg": _picture, ".jpeg": _picture,
}  # fmt: skip


def is_stamp(name: str) -> bool:
    """Return whether a property says when a file was made, which is no date of a patient."""
    return name.lower() in _STAMPS
