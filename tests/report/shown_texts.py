"""Every text that a reader of a cohort's results sees: workbook, pages, documents, drawings, notebooks."""

from __future__ import annotations

import html
import json
import re
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from openpyxl import load_workbook

# What is no text for readers: scripts, styles, code (of notebooks, identifiers, file names), footnote signs.
_UNSEEN = {"script", "style", "code", "pre", "sup"}
_VOID = {"br", "img", "input", "link", "meta", "wbr", "hr", "col"}
_TOLD = ("alt", "aria-label", "title", "placeholder")
_BLOCKS = {"p", "td", "th", "li", "h1", "h2", "h3", "h4", "div", "figcaption", "summary", "button", "a",
           "label", "title", "tr", "dt", "dd", "footer", "blockquote", "br"}  # fmt: skip
_RUN = re.compile(r"<w:r[ >].*?</w:r>|(</w:p>)", re.DOTALL)
_RUN_TEXT = re.compile(r"<w:t(?: [^>]*)?>([^<]*)</w:t>")
_PART = re.compile(r"word/(?:document|footnotes|header\d*|footer\d*)\.xml")
_TEXT = re.compile(r"<text\b[^>]*>(.*?)</text>", re.DOTALL)
_COMMENT = re.compile(r"<!-- (.*?) -->")
_TAG = re.compile(r"<[^>]*>")
# Pieces of code in Markdown and of other languages: names of settings, files and variables.
_CODE = re.compile(r"`[^`]*`")


class _Page(HTMLParser):
    """The visible texts of a page, and those of pages within it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._open: list[str] = []
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _BLOCKS:
            self._flush()
        self.found += [str(given[name]) for name in _TOLD if given.get(name) and not self._unseen()]
        if tag == "iframe":
            self.found += page_texts(given.get("srcdoc") or "")
        if tag not in _VOID:
            self._open.append("pre" if _is_code(given.get("class") or "") else tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._flush()
        if self._open and tag not in _VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not self._unseen():
            self._text += data

    def close(self) -> None:
        super().close()
        self._flush()

    def _unseen(self) -> bool:
        return any(tag in _UNSEEN for tag in self._open)

    def _flush(self) -> None:
        if self._text.strip():
            self.found.append(" ".join(self._text.split()))
        self._text = ""


def _is_code(classes: str) -> bool:
    """Tell whether an element of a notebook holds a cell's code."""
    return bool({"input_area", "jp-InputArea", "input"} & set(classes.split()))


def page_texts(page: str) -> list[str]:
    """Return the visible texts of a page."""
    reader = _Page()
    reader.feed(page)
    reader.close()
    return reader.found


def document_texts(path: Path) -> Iterator[str]:
    """Yield the paragraphs of a Word document."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if _PART.fullmatch(name):
                text = ""
                for found in _RUN.finditer(archive.read(name).decode("utf-8")):
                    if found[1]:
                        yield text
                        text = ""
                    elif "superscript" not in found[0]:  # signs of footnotes and of works cited
                        text += html.unescape("".join(_RUN_TEXT.findall(found[0])))


def workbook_texts(path: Path) -> Iterator[str]:
    """Yield the texts of every cell of a workbook, and the names of its sheets."""
    book = load_workbook(path)
    yield from book.sheetnames
    for sheet in book.worksheets:
        for line in sheet.iter_rows(values_only=True):
            yield from (cell for cell in line if isinstance(cell, str))


def drawing_texts(path: Path) -> Iterator[str]:
    """Yield the texts of an SVG; those drawn as outlines stand in comments."""
    content = path.read_text(encoding="utf-8")
    yield from (html.unescape(_TAG.sub("", found)) for found in _TEXT.findall(content))
    yield from (html.unescape(found) for found in _COMMENT.findall(content))


def notebook_texts(path: Path) -> Iterator[str]:
    """Yield Markdown and shown outputs of an executed notebook; pieces of code in it are left out."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            yield _CODE.sub("", "".join(cell["source"]))
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/html" in data:
                yield from page_texts("".join(data["text/html"]))
            elif "text/markdown" in data:
                yield _CODE.sub("", html.unescape("".join(data["text/markdown"])))
            elif "image/png" not in data:
                yield "".join(data.get("text/plain", output.get("text", "")))


def shown_texts(results: Path, figures: Path) -> Iterator[tuple[str, str]]:
    """Yield every text that a reader sees, with the file that shows it."""
    for path in sorted(results.glob("*.docx")) + sorted(results.glob("tables/*.docx")):
        yield from ((path.name, text) for text in document_texts(path))
    for path in sorted(results.glob("tables/*.xlsx")):
        yield from ((path.name, text) for text in workbook_texts(path))
    for path in sorted(results.glob("*.html")) + sorted(results.glob("tables/*.html")):
        yield from ((path.name, text) for text in page_texts(path.read_text(encoding="utf-8")))
    for path in sorted(results.glob("notebooks/*.ipynb")):
        yield from ((path.name, text) for text in notebook_texts(path))
    for path in sorted(figures.glob("*.svg")):
        yield from ((path.name, text) for text in drawing_texts(path))
