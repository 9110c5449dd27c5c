"""Executed notebooks inside the report, each a page of its own in a frame."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import cast

from helpers.report.formats.page.markup import attribute, text

_STYLE = (
    "body{font:15px/1.5 Arial,sans-serif;color:#222;margin:1rem;max-width:70rem}"
    "pre{background:#f5f5f5;padding:.6rem;overflow:auto;font-size:13px}img{max-width:100%;height:auto}"
    ".output_subarea{overflow-x:auto}table{border-collapse:collapse}"
    ".k,.kn,.kc,.ow{color:#005a9c}.s1,.s2,.sd{color:#7a3e00}.c1{color:#555;font-style:italic}"
    ".mi,.mf{color:#6a1b6a}"
)
_PICTURE = re.compile(r"<img (?![^>]*\balt=)")


def notebooks_markup(folder: Path, lang: str) -> str:
    """Return the executed notebooks of a folder, each folded away until it is opened."""
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
    parts = []
    for path in sorted(folder.glob("*.ipynb")):
        body, _ = exporter.from_filename(str(path))
        parts.append(_framed(path.stem, str(body), lang))
    return "\n".join(parts)


def _framed(name: str, body: str, lang: str) -> str:
    # The notebook's text is English whatever the language of the report.
    described = _PICTURE.sub('<img alt="Figure; it stands with its legend in the report" ', body)
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{text(name)}</title><style>{_STYLE}</style></head><body><main>{described}</main></body></html>"
    )
    title = attribute(name)
    return (
        f'<details class="notebook" id="notebook-{title}"><summary>{text(name)}</summary>\n'
        f'<iframe title="{title}" lang="{attribute(lang)}" loading="lazy" sandbox srcdoc="{attribute(page)}">'
        "</iframe></details>"
    )
