"""What the results were made from, for readers of the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helpers.report.formats.page.markup import attribute, text


def provenance_markup(record: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """Return the record of provenance as tables, each folded away.

    Args:
        record: the values of ``provenance.json``; keys that are missing are left out.
        words: headings in the report's language.
    """
    missing = record.get("missing_steps", [])
    state = words["incomplete"] + ", ".join(missing) if missing else words["complete"]
    parts = [f"<p>{text(words['provenance_intro'])} {text(state)}</p>"]
    parameters = {
        f"{notebook}: {name}": value
        for notebook, values in record.get("parameters", {}).items()
        for name, value in values.items()
    }
    packages = {"python": record.get("python", ""), **record.get("packages", {})}
    for name, values, heads in (
        ("parameter", parameters, ("parameter", "value")),
        ("raw_data", record.get("raw_data", {}), ("file", "hash")),
        ("package", packages, ("package", "version")),
        (
            "project_files",
            {**record.get("project_files", {}), **record.get("notebooks", {})},
            ("file", "hash"),
        ),
        ("products", record.get("products", {}), ("file", "hash")),
    ):
        if values:
            parts.append(_listed(words[name], values, [words[head] for head in heads]))
    return "\n".join(parts)


def _listed(title: str, values: Mapping[str, Any], heads: list[str]) -> str:
    rows = "\n".join(
        f'<tr><th scope="row">{text(key)}</th><td><code>{text(value)}</code></td></tr>'
        for key, value in values.items()
    )
    head = "".join(f'<th scope="col">{text(one)}</th>' for one in heads)
    return (
        f"<details><summary>{text(title)} ({len(values)})</summary>\n"
        f'<div class="scroll" role="region" tabindex="0" aria-label="{attribute(title)}">'
        f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div></details>"
    )
