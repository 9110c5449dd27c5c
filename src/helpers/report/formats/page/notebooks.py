"""Executed notebooks inside the report, each a page of its own in a frame."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from helpers.project import web_addresses  # noqa: F401  # before nbconvert, which imports nbformat
from helpers.project.paths import state_dir
from helpers.project.sources import digest_bytes
from helpers.report.formats.templates import rendered, template_text
from helpers.results.files import write_whole

if TYPE_CHECKING:
    from nbconvert.exporters.html import HTMLExporter

_STYLE = Markup(
    "body{font:15px/1.5 Arial,sans-serif;color:#222;margin:1rem;max-width:70rem}"
    "pre{background:#f5f5f5;padding:.6rem;overflow:auto;font-size:13px}img{max-width:100%;height:auto}"
    ".output_subarea{overflow-x:auto}table{border-collapse:collapse}"
    ".k,.kn,.kc,.ow{color:#005a9c}.s1,.s2,.sd{color:#7a3e00}.c1{color:#555;font-style:italic}"
    ".mi,.mf{color:#6a1b6a}"
)
_PICTURE = re.compile(r"<img (?![^>]*\balt=)")
_TEMPLATE = "notebook.html"


@dataclass(frozen=True)
class NotebookPage:
    """An executed notebook as a page of its own; in the language that it was executed in."""

    name: str
    page: str


def notebook_pages(folder: Path, words: Mapping[str, Any]) -> Iterator[NotebookPage]:
    """Yield the executed notebooks of a folder.

    Pages are kept between calls, one of each notebook of a cohort and language: only those whose notebook has
    changed are made anew.

    Args:
        folder: where they lie.
        words: of the report's language.
    """
    lang, picture = str(words["lang"]), str(words["picture"])
    kept = state_dir() / "pages" / folder.parent.name
    exporter: HTMLExporter | None = None
    for path in sorted(folder.glob("*.ipynb")):
        content = path.read_bytes()
        file, digest = kept / f"{path.stem}.{lang}.html", _digest(content, lang, picture)
        page = _kept(file, digest)
        if page is None:
            exporter = exporter or _exporter()
            page = _page(path.stem, content, exporter, lang, picture)
            with contextlib.suppress(OSError):  # kept to save time, not needed
                write_whole(file, f"{digest}\n{page}".encode())
        yield NotebookPage(path.stem, page)


def _digest(content: bytes, *words: str) -> str:
    """Return the digest of all that a page follows from."""
    code = Path(__file__).read_bytes()
    texts = (template_text(_TEMPLATE), version("nbconvert"), *words)
    return digest_bytes(content, code, *(text.encode() for text in texts))


def _kept(file: Path, digest: str) -> str | None:
    try:
        first, _, page = file.read_bytes().decode().partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return page if first == digest else None


def _exporter() -> HTMLExporter:
    from nbconvert.exporters.html import HTMLExporter
    from nbconvert.filters import Highlight2HTML

    exporter = HTMLExporter(
        template_name="basic",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    exporter.register_filter("highlight_code", Highlight2HTML(pygments_lexer="python"))
    return exporter


def _body(exporter: HTMLExporter, notebook: Any) -> str:
    """Return a notebook as HTML.

    The exporter's own method would read the whole once more, which takes longer than making it: to describe
    pictures, which is done here, and for the keyboard in templates other than this one.
    """
    from nbconvert.exporters.html import HTMLExporter

    return str(super(HTMLExporter, exporter).from_notebook_node(notebook)[0])


def _page(name: str, content: bytes, exporter: HTMLExporter, lang: str, picture: str) -> str:
    import nbformat

    body = _body(exporter, nbformat.reads(content.decode(), as_version=4))
    described = _PICTURE.sub(f'<img alt="{escape(picture)}" ', body)
    page = rendered(_TEMPLATE, name=name, style=_STYLE, body=Markup(described), lang=lang)
    # A plain text: as an attribute of the frame it has to be escaped once more.
    return str.__str__(page).rstrip("\n")
