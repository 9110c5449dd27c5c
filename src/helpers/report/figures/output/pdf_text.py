"""Texts of a drawn page: what they say, at which size, in which box, cut by which clip.

>>> import io
>>> drawn = io.BytesIO()
>>> text = container.text(0.5, 0.5, "Day 0", fontsize=8)
>>> container.savefig(drawn, format="pdf")
>>> page = read_page(PdfFile(drawn.getvalue()))
>>> page.width, page.texts[0].text, page.texts[0].size
(504.0, 'Day 0', 8.0)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from helpers.report.figures.output.pdf_file import Operator, PdfFile, Stream, tokens

Matrix = tuple[float, float, float, float, float, float]
Point = tuple[float, float]
Box = tuple[float, float, float, float]
IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
EVERYWHERE: Box = (-1e9, -1e9, 1e9, 1e9)
_DESCENDING = set("gjpqyQ,;()[]{}|/")
_LOW = set("acemnorsuvwxz.:-–—=~+<>→←•·×−≥≤")
_ASCENT, _LOW_ASCENT, _DESCENT = 0.73, 0.54, 0.21
_CMYK = {"k", "K"}
_NO_LETTERS = "LastResort"  # the font of boxes that Matplotlib takes for letters that no font has


@dataclass(frozen=True)
class Font:
    r"""One font of the page.

    Attributes:
        name: its name in the file.
        kind: ``TrueType``, ``CFF``, ``Type 1`` or ``Type 3``.
        embedded: whether the file holds its outlines.
        widths: width by code in thousandths of the size.
        unicode: text by code.
        wide: whether codes are two bytes.
        default: width of codes that have none.
        absent: codes that stand for no glyph.

    >>> Font("Liberation", "TrueType", True, {}, {}, wide=True).codes(b"\x00A\x00B")
    [65, 66]
    """

    name: str
    kind: str
    embedded: bool
    widths: dict[int, float]
    unicode: dict[int, str]
    wide: bool
    default: float = 500.0
    absent: frozenset[int] = frozenset()

    def codes(self, shown: bytes) -> list[int]:
        """Return the codes of a shown string."""
        if not self.wide:
            return list(shown)
        return [int.from_bytes(shown[i : i + 2], "big") for i in range(0, len(shown) - 1, 2)]


@dataclass(frozen=True)
class Text:
    """A piece of text on the page; lengths in points from the lower left corner.

    Attributes:
        text: what it says.
        size: height of the type as printed.
        corners: its box, of the ink as far as the letters tell.
        clip: the part of the page in which it can be seen.
        font: its font.
        missing: letters that the font lacks.
    """

    text: str
    size: float
    corners: tuple[Point, Point, Point, Point]
    clip: Box
    font: Font
    missing: str = ""

    @property
    def box(self) -> Box:
        """Smallest upright box around it: left, lower, right, upper."""
        xs, ys = zip(*self.corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)


@dataclass(frozen=True)
class Page:
    """A drawn page: size in points, its texts and fonts, and whether a CMYK colour is used."""

    width: float
    height: float
    texts: list[Text]
    fonts: list[Font]
    cmyk: bool


def read_page(file: PdfFile) -> Page:
    """Read the only page of a file."""
    page = file.page()
    left, lower, right, upper = (float(file.resolve(edge)) for edge in file.resolve(page["MediaBox"]))
    drawing = _Drawing(file, (left, lower, right, upper))
    drawing.run(file.contents(page), file.resolve(page["Resources"]), IDENTITY)
    return Page(right - left, upper - lower, drawing.texts, list(drawing.fonts.values()), drawing.cmyk)


@dataclass(frozen=True)
class _State:
    matrix: Matrix
    clip: Box = EVERYWHERE
    font: Font | None = None
    size: float = 0.0
    spacing: float = 0.0
    words: float = 0.0
    stretch: float = 1.0
    leading: float = 0.0
    rise: float = 0.0


@dataclass
class _Drawing:
    """Follows the drawing instructions as far as texts need it."""

    file: PdfFile
    media: Box
    texts: list[Text] = field(default_factory=list)
    fonts: dict[Any, Font] = field(default_factory=dict)
    cmyk: bool = False

    def run(self, content: bytes, resources: dict[str, Any], matrix: Matrix, clip: Box = EVERYWHERE) -> None:
        state, stack = _State(matrix, clip), []
        operands: list[Any] = []
        path: list[Box] = []
        line, cursor = IDENTITY, IDENTITY
        for item in tokens(content):
            if not isinstance(item, Operator):
                operands.append(item)
                continue
            name, values = str(item), operands
            operands = []
            if name == "q":
                stack.append(state)
            elif name == "Q":
                state = stack.pop() if stack else state
            elif name == "cm":
                state = replace(state, matrix=_times(_matrix(values), state.matrix))
            elif name == "re":
                path.append(_rectangle(values, state.matrix))
            elif name in ("W", "W*"):
                state = replace(state, clip=_meet(state.clip, path[0])) if len(path) == 1 else state
            elif name in ("n", "f", "F", "f*", "S", "s", "B", "B*", "b", "b*"):
                path = []
            elif name in ("m", "l", "c"):
                path.append(EVERYWHERE)  # no rectangle: such a clip is not followed
            elif name == "Do":
                self._form(values[0], resources, state)
            elif name == "BT":
                line = cursor = IDENTITY
            elif name in ("Td", "TD", "T*"):
                x, y = (0.0, -state.leading) if name == "T*" else (float(values[0]), float(values[1]))
                state = replace(state, leading=-y) if name == "TD" else state
                line = cursor = _times((1, 0, 0, 1, x, y), line)
            elif name == "Tm":
                line = cursor = _matrix(values)
            elif name in ("Tj", "TJ", "'", '"'):
                if name in ("'", '"'):
                    line = cursor = _times((1, 0, 0, 1, 0, -state.leading), line)
                cursor = self._show(values[-1], state, cursor)
            else:
                state = self._setting(name, values, state, resources)

    def _setting(self, name: str, values: list[Any], state: _State, resources: dict[str, Any]) -> _State:
        self.cmyk = self.cmyk or name in _CMYK
        if name == "Tf":
            return replace(state, font=self._font(values[0], resources), size=float(values[1]))
        named = {"Tc": "spacing", "Tw": "words", "TL": "leading", "Ts": "rise"}
        if name in named:
            changed: dict[str, Any] = {named[name]: float(values[0])}
            return replace(state, **changed)
        return replace(state, stretch=float(values[0]) / 100) if name == "Tz" else state

    def _form(self, name: str, resources: dict[str, Any], state: _State) -> None:
        form = self.file.resolve(self.file.resolve(resources.get("XObject", {})).get(name))
        if isinstance(form, Stream) and form.entries.get("Subtype") == "Form":
            inner = self.file.resolve(form.entries.get("Resources")) or resources
            matrix = _matrix(self.file.resolve(form.entries.get("Matrix")) or list(IDENTITY))
            self.run(form.content, inner, _times(matrix, state.matrix), state.clip)

    def _font(self, name: str, resources: dict[str, Any]) -> Font:
        reference = self.file.resolve(resources["Font"])[name]
        if reference not in self.fonts:
            self.fonts[reference] = read_font(self.file, self.file.resolve(reference))
        return self.fonts[reference]

    def _show(self, shown: Any, state: _State, cursor: Matrix) -> Matrix:
        """Add the text shown and return where the next one starts."""
        if state.font is None:
            return cursor
        advance, said, missing = 0.0, "", ""
        for part in shown if isinstance(shown, list) else [shown]:
            if not isinstance(part, bytes):
                advance -= float(part) / 1000 * state.size * state.stretch
                continue
            for code in state.font.codes(part):
                letter = state.font.unicode.get(code, "?")
                width = state.font.widths.get(code, state.font.default) / 1000 * state.size + state.spacing
                advance += (width + (state.words if letter == " " else 0.0)) * state.stretch
                said += letter
                missing += letter if code in state.font.absent else ""
        matrix = _times(cursor, state.matrix)
        if said.strip():
            box = _ink(said, advance, state.size, state.rise)
            corners = tuple(_apply(matrix, point) for point in box)
            size = state.size * (matrix[2] ** 2 + matrix[3] ** 2) ** 0.5
            self._add(Text(said, size, corners, state.clip, state.font, missing))  # type: ignore[arg-type]
        return _times((1, 0, 0, 1, advance, 0), cursor)

    def _add(self, text: Text) -> None:
        """Add a text, joined to the one before it where it goes on on the same line."""
        before = self.texts[-1] if self.texts else None
        if before is not None and abs(before.size - text.size) < 0.01 and before.clip == text.clip:
            (x, y), (u, v) = before.corners[1], text.corners[0]
            if abs(x - u) + abs(y - v) < 0.02 * text.size:
                corners = (before.corners[0], text.corners[1], text.corners[2], before.corners[3])
                joined = replace(before, text=before.text + text.text, corners=corners)
                self.texts[-1] = replace(joined, missing=before.missing + text.missing)
                return
        self.texts.append(text)


def _ink(said: str, advance: float, size: float, rise: float) -> tuple[Point, Point, Point, Point]:
    """Return the corners of a text from its letters: with or without descenders and ascenders."""
    letters = set(said.strip())
    low = rise - _DESCENT * size if letters & _DESCENDING else rise
    high = rise + (_LOW_ASCENT if letters <= _LOW | set("gpqy, ") else _ASCENT) * size
    return (0.0, low), (advance, low), (advance, high), (0.0, high)


def read_font(file: PdfFile, entries: dict[str, Any]) -> Font:
    """Read a font's metrics, its letters and whether it is embedded."""
    kind = str(entries["Subtype"])
    unicode = _to_unicode(file.resolve(entries.get("ToUnicode")))
    if kind == "Type0":
        inner = file.resolve(file.resolve(entries["DescendantFonts"])[0])
        embedded, outline = _embedded(file, inner)
        widths, absent = _cid_widths(file.resolve(inner.get("W")) or []), frozenset[int]()
        glyphs = file.resolve(inner.get("CIDToGIDMap"))
        if isinstance(glyphs, Stream):
            absent = frozenset(code for code in unicode if not any(glyphs.content[2 * code : 2 * code + 2]))
        if _name(inner).startswith(_NO_LETTERS):
            absent = frozenset(unicode)
        default = float(inner.get("DW", 1000))
        return Font(_name(inner), outline, embedded, widths, unicode, True, default, absent)
    first = int(file.resolve(entries.get("FirstChar", 0)))
    listed = file.resolve(entries.get("Widths")) or []
    scale = 1000 * float(file.resolve(entries["FontMatrix"])[0]) if kind == "Type3" else 1.0
    widths = {first + i: float(file.resolve(width)) * scale for i, width in enumerate(listed)}
    letters = unicode or {code: chr(code) for code in range(32, 127)}
    if kind == "Type3":
        return Font(_name(entries), "Type 3", True, widths, letters, False)
    embedded, outline = _embedded(file, entries)
    return Font(_name(entries), outline, embedded, widths, letters, False)


def _name(entries: dict[str, Any]) -> str:
    name = str(entries.get("BaseFont") or entries.get("Name") or "unnamed")
    return re.sub(r"^[A-Z]{6}\+", "", name)


def _embedded(file: PdfFile, entries: dict[str, Any]) -> tuple[bool, str]:
    descriptor = file.resolve(entries.get("FontDescriptor")) or {}
    kinds = {"FontFile2": "TrueType", "FontFile3": "CFF", "FontFile": "Type 1"}
    found = next((outline for key, outline in kinds.items() if key in descriptor), None)
    declared = {"CIDFontType2": "TrueType", "TrueType": "TrueType", "Type1": "Type 1"}
    return found is not None, found or declared.get(str(entries["Subtype"]), str(entries["Subtype"]))


def _cid_widths(listed: list[Any]) -> dict[int, float]:
    widths: dict[int, float] = {}
    items = iter(listed)
    for first in items:
        second = next(items)
        if isinstance(second, list):
            widths |= {first + i: float(width) for i, width in enumerate(second)}
        else:
            widths |= dict.fromkeys(range(first, second + 1), float(next(items)))
    return widths


def _to_unicode(stream: Any) -> dict[int, str]:
    found: dict[int, str] = {}
    if not isinstance(stream, Stream):
        return found
    held: list[Any] = []
    for item in tokens(stream.content):
        if not isinstance(item, Operator):
            held.append(item)
            continue
        if item == "endbfchar":
            pairs = zip(held[::2], held[1::2], strict=False)
            found |= {int.from_bytes(code, "big"): text.decode("utf-16-be") for code, text in pairs}
        elif item == "endbfrange":
            for first, last, text in zip(held[::3], held[1::3], held[2::3], strict=False):
                start, end = int.from_bytes(first, "big"), int.from_bytes(last, "big")
                for i, code in enumerate(range(start, end + 1)):
                    found[code] = (
                        text[i].decode("utf-16-be")
                        if isinstance(text, list)
                        else chr(int.from_bytes(text, "big") + i)
                    )
        held = []
    return found


def _matrix(values: list[Any]) -> Matrix:
    a, b, c, d, e, f = (float(value) for value in values)
    return a, b, c, d, e, f


def _times(first: Matrix, second: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = second
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def _apply(matrix: Matrix, point: Point) -> Point:
    a, b, c, d, e, f = matrix
    x, y = point
    return a * x + c * y + e, b * x + d * y + f


def _rectangle(values: list[Any], matrix: Matrix) -> Box:
    x, y, width, height = (float(value) for value in values)
    (left, lower), (right, upper) = _apply(matrix, (x, y)), _apply(matrix, (x + width, y + height))
    return min(left, right), min(lower, upper), max(left, right), max(lower, upper)


def _meet(first: Box, second: Box) -> Box:
    return (
        max(first[0], second[0]),
        max(first[1], second[1]),
        min(first[2], second[2]),
        min(first[3], second[3]),
    )
