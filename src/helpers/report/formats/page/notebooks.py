"""Executed notebooks inside the report, each a page of its own in a frame."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import cast

from markupsafe import Markup

from helpers.report.formats.templates import rendered

_STYLE = Markup(
    "body{font:15px/1.5 Arial,sans-serif;color:#222;margin:1rem;max-width:70rem}"
    "pre{background:#f5f5f5;padding:.6rem;overflow:auto;font-size:13px}img{max-width:100%;height:auto}"
    ".output_subarea{overflow-x:auto}table{border-collapse:collapse}"
    ".k,.kn,.kc,.ow{color:#005a9c}.s1,.s2,.sd{color:#7a3e00}.c1{color:#555;font-style:italic}"
    ".mi,.mf{color:#6a1b6a}"
)
_PICTURE = re.compile(r"<img (?![^>]*\balt=)")


@dataclass(frozen=True)
class NotebookPage:
    """An executed notebook as a page of its own; its text is English whatever the language of the report."""

    name: str
    page: str


def notebook_pages(folder: Path) -> Iterator[NotebookPage]:
    """Yield the executed notebooks of a folder."""
    # jsonschema would compile the grammar of international web addresses (two seconds), which no notebook
    # needs; without the package it goes without.
    sys.modules.setdefault("rfc3987_syntax", cast("ModuleType", None))
    from nbconvert.exporters.html import HTMLExporter

    exporter = HTMLExporter(
        template_name="basic",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    for path in sorted(folder.glob("*.ipynb")):
        body, _ = exporter.from_filename(str(path))
        described = _PICTURE.sub('<img alt="Figure; it stands with its legend in the report" ', str(body))
        page = rendered("notebook.html", name=path.stem, style=_STYLE, body=Markup(described))
        # A plain text: as an attribute of the frame it has to be escaped once more.
        yield NotebookPage(path.stem, str.__str__(page).rstrip("\n"))
