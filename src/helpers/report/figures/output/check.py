"""Open figure files and hold them against what the journal asks: each fault with file, found and expected.

>>> import tempfile
>>> from helpers.report.journals.requirements import journal_named
>>> path = Path(tempfile.mkdtemp(), "figure_1.svg")
>>> container.savefig(path)
>>> found = check_file(path, journal_named("generic"), "single")
>>> [fault.fault for fault in found][:1], drawn_since(path.parent, 0.0)
(['width'], [])
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from helpers.report.figures.output.pdf_file import PdfError, PdfFile
from helpers.report.figures.output.pdf_text import Page, Point, Text, read_page
from helpers.report.figures.style import MM_PER_INCH, POINTS_PER_INCH
from helpers.report.journals.requirements import Column, Journal

if TYPE_CHECKING:
    from PIL import Image

WIDTH_TOLERANCE_MM = 0.3  # a pixel at 300 dpi is 0.08 mm
SIZE_TOLERANCE_PT = 0.05
OVERLAP_PT = 0.6  # boxes of letters may touch by this much: side bearings and rounding
OUTSIDE_PT = 0.3
_RASTER = {".png": "PNG", ".tiff": "TIFF", ".tif": "TIFF", ".jpeg": "JPEG", ".jpg": "JPEG"}
_MODES = {"RGB": "RGB", "L": "L", "CMYK": "CMYK"}
_MODE_WORDS = {
    "RGB": "RGB", "RGBA": "RGB with an alpha channel", "LA": "grey with an alpha channel", "L": "grey",
    "P": "palette", "PA": "palette with an alpha channel", "CMYK": "CMYK", "1": "black and white",
}  # fmt: skip
_COMPRESSION = {"lzw": "tiff_lzw", "none": "raw"}
_COMPRESSION_WORDS = {"raw": "none", "tiff_lzw": "LZW", "tiff_adobe_deflate": "Deflate", "jpeg": "JPEG"}
_SVG_FONT = re.compile(r"font(?:-size)?:[^;\"']*?([\d.]+)px")


@dataclass(frozen=True)
class Fault:
    """One thing in one file that the journal would send back."""

    file: str
    fault: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.file}: {self.fault}: found {self.found}, expected {self.expected}"


def check_file(
    path: Path, journal: Journal, column: Column | None, *, page: Page | None = None
) -> list[Fault]:
    """Open a figure file and return its faults.

    Args:
        path: the file; its suffix says what it should be.
        journal: whose requirements it is held against.
        column: how wide the figure should be; None: as wide as any column.
        page: for files whose text is pixels: the same drawing as a PDF page, whose texts are looked at.

    Returns:
        Faults of format, width, height, resolution, colour, compression, text sizes, fonts, texts cut off and
        texts over each other.
    """
    suffix = path.suffix.lower()
    kinds = {".pdf": "pdf", ".svg": "svg", ".tif": "tiff", ".jpg": "jpeg"}
    kind = kinds.get(suffix, suffix.removeprefix("."))
    taken = (*journal.formats, *journal.accepted)
    if kind not in taken:
        return [Fault(path.name, "format", kind, f"one of {', '.join(taken)} ({journal.title})")]
    try:
        if suffix == ".pdf":
            own = read_page(PdfFile.read(path))
            return [*_page_faults(path.name, own, journal, column), *_text_faults(path.name, own, journal)]
        if suffix == ".svg":
            found = list(_svg_faults(path, journal, column))
        else:
            found = list(_raster_faults(path, journal, column))
    except (OSError, PdfError, ET.ParseError) as error:
        return [Fault(path.name, "content", f"something that cannot be read ({error})", f"a {kind} file")]
    return [*found, *(_text_faults(path.name, page, journal) if page is not None else [])]


def drawn_since(folder: Path, moment: float) -> list[Path]:
    """Return the pages of the figures drawn into a folder since a moment (seconds of the epoch).

    A page has the layout of all formats.
    """
    return [path for path in sorted(folder.glob("*.pdf")) if path.stat().st_mtime >= moment]


# --- size, resolution, colour -----------------------------------------------------------------------


def _size_faults(
    file: str, width_mm: float, height_mm: float, journal: Journal, column: Column | None
) -> Iterator[Fault]:
    columns = get_args(Column) if column is None else (column,)
    widths = {name: journal.width(name) for name in columns}
    if all(abs(width_mm - width) > WIDTH_TOLERANCE_MM for width in widths.values()):
        words = " or ".join(
            f"{width:g} mm ({name.replace('_', ' ')} column)" for name, width in widths.items()
        )
        yield Fault(file, "width", f"{width_mm:.1f} mm", words)
    if height_mm > journal.max_height + WIDTH_TOLERANCE_MM:
        yield Fault(file, "height", f"{height_mm:.1f} mm", f"at most {journal.max_height:g} mm")


def _page_faults(file: str, page: Page, journal: Journal, column: Column | None) -> Iterator[Fault]:
    yield from _size_faults(file, _mm(page.width), _mm(page.height), journal, column)
    if page.cmyk and journal.colour != "CMYK":
        yield Fault(file, "colour mode", "CMYK", journal.colour)


def _mm(points: float) -> float:
    return points / POINTS_PER_INCH * MM_PER_INCH


def _raster_faults(path: Path, journal: Journal, column: Column | None) -> Iterator[Fault]:
    from PIL import Image

    with Image.open(path) as picture:
        if picture.format != _RASTER.get(path.suffix.lower()):
            yield Fault(
                path.name, "format", str(picture.format), _RASTER.get(path.suffix.lower(), "an image")
            )
        mode = picture.mode + ("A" if "transparency" in picture.info and picture.mode == "RGB" else "")
        if mode != _MODES[journal.colour]:
            expected = f"{journal.colour} without an alpha channel"
            yield Fault(path.name, "colour mode", _MODE_WORDS.get(mode, mode), expected)
        if picture.format == "TIFF":
            yield from _tiff_faults(path.name, picture, journal)
        dpi = picture.info.get("dpi")
        if not dpi:
            yield Fault(path.name, "resolution", "none recorded", f"at least {journal.raster_dpi} dpi")
            return
        across, down = (round(float(side)) for side in dpi)
        if min(across, down) < journal.raster_dpi:
            yield Fault(
                path.name, "resolution", f"{min(across, down)} dpi", f"at least {journal.raster_dpi} dpi"
            )
        if journal.max_dpi is not None and max(across, down) > journal.max_dpi:
            yield Fault(path.name, "resolution", f"{max(across, down)} dpi", f"at most {journal.max_dpi} dpi")
        width, height = (
            side / float(per_inch) * MM_PER_INCH for side, per_inch in zip(picture.size, dpi, strict=True)
        )
        yield from _size_faults(path.name, width, height, journal, column)


def _tiff_faults(file: str, picture: Image.Image, journal: Journal) -> Iterator[Fault]:
    compression = str(picture.info.get("compression", "raw"))
    if compression != _COMPRESSION[journal.compression]:
        found = _COMPRESSION_WORDS.get(compression, compression)
        yield Fault(file, "compression", found, journal.compression.upper())
    pages = getattr(picture, "n_frames", 1)
    if pages != 1:
        yield Fault(file, "layers", f"{pages} pages", "a flat picture of one page")


def _svg_faults(path: Path, journal: Journal, column: Column | None) -> Iterator[Fault]:
    root = ET.parse(path).getroot()
    sides = [re.fullmatch(r"([\d.]+)pt", root.get(name, "")) for name in ("width", "height")]
    if sides[0] is None or sides[1] is None:
        yield Fault(path.name, "width", root.get("width") or "none", "width and height in points")
    else:
        width, height = (_mm(float(side[1])) for side in sides if side is not None)
        yield from _size_faults(path.name, width, height, journal, column)
    sizes = [
        (float(match[1]), "".join(element.itertext()).strip())
        for element in root.iter("{http://www.w3.org/2000/svg}text")
        if (match := _SVG_FONT.search(element.get("style", "")))
    ]
    yield from _size_of_text_faults(path.name, sizes, journal)


# --- texts and fonts --------------------------------------------------------------------------------


def _text_faults(file: str, page: Page, journal: Journal) -> Iterator[Fault]:
    sizes = [(text.size, text.text) for text in page.texts]
    yield from _size_of_text_faults(file, sizes, journal)
    for font in page.fonts:
        if not font.embedded:
            yield Fault(file, "font", f"{font.name} ({font.kind}), not embedded", "every font embedded")
        elif font.kind == "Type 3":
            yield Fault(file, "font", f"{font.name} as Type 3", "TrueType (Type 42)")
    for text in page.texts:
        if text.missing:
            found = f"{_quoted(text.text)}, of which no font has {len(text.missing)}"
            yield Fault(file, "letters", found, "a glyph for every letter")
        yield from _cut_faults(file, text, page)
    for first, second in _overlapping(page.texts):
        found = f"{_quoted(first.text)} over {_quoted(second.text)}"
        yield Fault(file, "text over text", found, "texts apart from each other")


def _size_of_text_faults(file: str, sizes: list[tuple[float, str]], journal: Journal) -> Iterator[Fault]:
    if not sizes:
        return
    size, text = min(sizes)
    if size < journal.min_text - SIZE_TOLERANCE_PT:
        yield Fault(
            file, "text size", f"{size:.1f} pt ({_quoted(text)})", f"at least {journal.min_text:g} pt"
        )
    largest = [(size, text) for size, text in sizes if not _is_letter(text, size, journal)]
    size, text = max(largest, default=(0.0, ""))
    if journal.max_text is not None and size > journal.max_text + SIZE_TOLERANCE_PT:
        yield Fault(file, "text size", f"{size:.1f} pt ({_quoted(text)})", f"at most {journal.max_text:g} pt")


def _is_letter(text: str, size: float, journal: Journal) -> bool:
    """Return whether a text is the letter of a panel."""
    return len(text.strip()) == 1 and abs(size - journal.panel_letter) < SIZE_TOLERANCE_PT


def _cut_faults(file: str, text: Text, page: Page) -> Iterator[Fault]:
    left, lower, right, upper = text.box
    beyond = max(-left, -lower, right - page.width, upper - page.height)
    if beyond > OUTSIDE_PT:
        found = f"{_quoted(text.text)}, {_mm(beyond):.1f} mm outside the page"
        yield Fault(file, "text cut off", found, "all text on the page")
        return
    hidden = max(text.clip[0] - left, text.clip[1] - lower, right - text.clip[2], upper - text.clip[3])
    if hidden > OUTSIDE_PT:
        found = f"{_quoted(text.text)}, cut by {_mm(hidden):.1f} mm at the edge of its panel"
        yield Fault(file, "text cut off", found, "all text in sight")


def _quoted(text: str) -> str:
    text = " ".join(text.split())
    return f"'{text if len(text) <= 32 else text[:29] + '...'}'"


def _overlapping(texts: list[Text]) -> Iterator[tuple[Text, Text]]:
    boxes = [text.box for text in texts]
    for i, j in combinations(range(len(texts)), 2):
        (left, lower, right, upper), (west, south, east, north) = boxes[i], boxes[j]
        near = (
            min(right, east) - max(left, west) > OVERLAP_PT
            and min(upper, north) - max(lower, south) > OVERLAP_PT
        )
        if near and _depth(texts[i].corners, texts[j].corners) > OVERLAP_PT:
            yield texts[i], texts[j]


def _depth(first: tuple[Point, ...], second: tuple[Point, ...]) -> float:
    """Return how deep two turned boxes lie in each other (points): the least over their sides' directions."""
    depths = []
    for corners in (first, second):
        for (x, y), (u, v) in ((corners[0], corners[1]), (corners[1], corners[2])):
            length = ((u - x) ** 2 + (v - y) ** 2) ** 0.5 or 1.0
            direction = ((u - x) / length, (v - y) / length)
            one, other = (_shadow(box, direction) for box in (first, second))
            depths.append(min(one[1], other[1]) - max(one[0], other[0]))
    return min(depths)


def _shadow(corners: tuple[Point, ...], direction: Point) -> tuple[float, float]:
    along: list[Any] = [x * direction[0] + y * direction[1] for x, y in corners]
    return min(along), max(along)
