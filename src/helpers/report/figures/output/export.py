"""Save a figure at its exact size in the formats journals ask for, the same bytes each time.

>>> chosen_formats("svg,png"), chosen_formats("")
(('svg', 'png'), ())
>>> files, picture = encoded(container, "Nothing", formats=["svg"], dpi=300)
>>> list(files), picture is None
(['svg'], True)
>>> not_drawn(Path("figure_1"), "Survival").description
'Survival'
>>> chosen_formats("bmp")
Traceback (most recent call last):
    ...
ValueError: formats of figures: found bmp, expected pdf, svg, png, tiff
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.report.figures.style import DPI
from helpers.results.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.figure import Figure, SubFigure

FORMATS = ("pdf", "svg", "png", "tiff")
_PREVIEW_DPI = 110
_RASTER: dict[str, dict[str, Any]] = {
    "png": {"compress_level": 3},  # two thirds of the usual time for files 2% larger
    "tiff": {"compression": "tiff_lzw"},
    "jpeg": {"quality": 95, "subsampling": 0},
}
_OWN_FONT, _FONTS_OF_READERS = b"'Compendium Sans'", b"'Liberation Sans', Arial, Helvetica"
_PLACED = re.compile(rb'\b(?:d|x|y|transform)="[^"]*"')
_LONG_NUMBER = re.compile(rb"-?\d+\.\d{3,}")
_GENERATED_ID = re.compile(rb"\b[a-zA-Z][0-9a-f]{10}\b")


def chosen_formats(named: str) -> tuple[str, ...]:
    """Return the formats named, such as ``"svg,png"``: none for an empty text, all for ``"all"``.

    Raises:
        ValueError: one of them is unknown.
    """
    if named == "all":
        return FORMATS
    chosen = tuple(word.strip() for word in named.split(",") if word.strip())
    if unknown := [word for word in chosen if word not in FORMATS]:
        raise ValueError(f"formats of figures: found {', '.join(unknown)}, expected {', '.join(FORMATS)}")
    return chosen


@dataclass(frozen=True)
class SavedFigure:
    """A saved figure: shows itself in a notebook as a preview at screen resolution."""

    stem: Path
    preview: bytes
    description: str

    def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
        """The preview, with the words that stand in for it."""
        return self.preview, {"alt": self.description}

    def __repr__(self) -> str:
        return f"{self.stem.name}: {self.description}"


def not_drawn(stem: Path, description: str) -> SavedFigure:
    """Return what a notebook shows in place of a figure that is not drawn: an empty picture."""
    from PIL import Image

    return SavedFigure(stem, _encode(Image.new("RGB", (1, 1), "white"), "png", _PREVIEW_DPI), description)


def save_figure(
    figure: Figure,
    stem: Path,
    description: str,
    *,
    formats: Sequence[str] = FORMATS,
    dpi: int = DPI,
) -> SavedFigure:
    """Write a figure in each format and return it for display.

    Raster files are RGB without transparency, the TIFF compressed by LZW, the PDF with embedded TrueType
    fonts; no file holds a date. Each is written beside its place and moved there, so no reader sees half a
    file.

    Args:
        figure: a finished figure; its size is the printed size.
        stem: path without suffix.
        description: one sentence for readers who cannot see the figure (PDF title, SVG description).
        formats: suffixes of the files; PDF, SVG, PNG, TIFF and JPEG are known.
        dpi: resolution of the raster files, in dots an inch at the printed size.

    >>> import tempfile
    >>> save_figure(
    ...     container, Path(tempfile.mkdtemp(), "figure_1"), "Nothing", formats=["svg"]
    ... ).description
    'Nothing'
    """
    from PIL import Image

    stem.parent.mkdir(parents=True, exist_ok=True)
    contents, picture = encoded(figure, description, formats=formats, dpi=dpi)
    for suffix, content in contents.items():
        write_whole(stem.with_suffix(f".{suffix}"), content)
    if picture is None:
        picture = _picture(figure, _PREVIEW_DPI)
    else:
        size = round(picture.width * _PREVIEW_DPI / dpi), round(picture.height * _PREVIEW_DPI / dpi)
        picture = picture.resize(size, Image.Resampling.HAMMING)
    return SavedFigure(stem, _encode(picture, "png", _PREVIEW_DPI), description)


def encoded(
    figure: Figure, description: str, *, formats: Sequence[str], dpi: int
) -> tuple[Mapping[str, bytes], Any]:
    """Return the bytes of a figure in each format, and the picture that the raster files hold, if any.

    All formats have one layout. Arguments as in :func:`save_figure`; to be called within ``figure_style``.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(dpi)
    for part in _parts(figure):
        # White on white; its corner lies at zero plus or minus what the layout's solver rounds.
        part.patch.set_visible(False)
    FigureCanvasAgg(figure)
    engine = figure.get_layout_engine()
    if engine is not None and (figure.axes or figure.subfigs):
        engine.execute(figure)
    figure.set_layout_engine("none")  # one layout for all formats
    picture = _picture(figure, dpi) if set(formats) & set(_RASTER) else None
    contents = {}
    for suffix in formats:
        if suffix in _RASTER:
            contents[suffix] = _encode(picture, suffix, dpi, **_RASTER[suffix])
        else:
            contents[suffix] = _page(figure, suffix, _metadata(description)[suffix])
    return contents, picture


def _parts(figure: Figure | SubFigure) -> Iterator[SubFigure]:
    """Yield the subfigures of a figure, those inside others too; `findobj` takes a tenth of the drawing."""
    for part in figure.subfigs:
        yield part
        yield from _parts(part)


def _page(figure: Figure, suffix: str, metadata: dict[str, Any]) -> bytes:
    """Return a figure as PDF or SVG.

    The backends are called themselves: ``savefig`` would draw everything twice, for a layout that is done.
    """
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer, dpi = io.BytesIO(), figure.dpi
    try:
        if suffix == "pdf":
            FigureCanvasPdf(figure).print_pdf(buffer, metadata=metadata)
            return buffer.getvalue()
        FigureCanvasSVG(figure).print_svg(buffer, metadata=metadata)
        return _tidy_svg(buffer.getvalue())
    finally:
        figure.set_dpi(dpi)


def _metadata(description: str) -> dict[str, dict[str, Any]]:
    return {
        "pdf": {"Title": description, "CreationDate": None, "Creator": None, "Producer": None},
        "svg": {"Description": description, "Date": None, "Creator": None},
    }


def _tidy_svg(svg: bytes) -> bytes:
    """Number the generated ids in order of appearance, round coordinates, and name fonts that readers have.

    Matplotlib makes ids from a random salt and from unrounded coordinates, whose last bits depend on where
    the layout's solver has its objects in memory; the coordinates that are written are the same. A hundredth
    of a point (4 micrometres) is finer than any printer, and keeps a figure of many lines small. The fonts
    named have the widths of the project's own, so that text keeps its place in any viewer.
    """
    numbers: dict[bytes, bytes] = {}

    def numbered(match: re.Match[bytes]) -> bytes:
        return numbers.setdefault(match[0], b"%s%d" % (match[0][:1], len(numbers) + 1))

    def rounded(match: re.Match[bytes]) -> bytes:
        text = b"%.2f" % float(match[0])
        return text.rstrip(b"0").rstrip(b".") if text != b"-0.00" else b"0"

    short = _PLACED.sub(lambda placed: _LONG_NUMBER.sub(rounded, placed[0]), svg)
    return _GENERATED_ID.sub(numbered, short.replace(_OWN_FONT, _FONTS_OF_READERS))


def _picture(figure: Figure, dpi: int) -> Any:
    """Return a laid out figure as pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba()).convert("RGB")


def _encode(picture: Any, suffix: str, dpi: int, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=suffix.upper(), dpi=(dpi, dpi), **options)
    return buffer.getvalue()
