"""What the results were made from, for readers of the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Listing:
    """A part of the record: a table of two columns, folded away."""

    title: str
    values: Mapping[str, Any]
    heads: tuple[str, str]


@dataclass(frozen=True)
class ProvenanceView:
    """The record of provenance as it is shown: whether it is complete, and its parts."""

    state: str
    parts: list[Listing]


def provenance_view(record: Mapping[str, Any], words: Mapping[str, str]) -> ProvenanceView:
    """Return the record of provenance as it is shown.

    Args:
        record: the values of ``provenance.json``; keys that are missing are left out.
        words: headings in the report's language.

    """
    missing = record.get("missing_steps", [])
    parameters = {
        f"{notebook}: {name}": value
        for notebook, values in record.get("parameters", {}).items()
        for name, value in values.items()
    }
    files = {**record.get("project_files", {}), **record.get("notebooks", {})}
    parts = (
        ("parameter", parameters, ("parameter", "value")),
        ("raw_data", record.get("raw_data", {}), ("file", "hash")),
        (
            "package",
            {"python": record.get("python", ""), **record.get("packages", {})},
            ("package", "version"),
        ),
        ("project_files", files, ("file", "hash")),
        ("products", record.get("products", {}), ("file", "hash")),
    )
    return ProvenanceView(
        words["incomplete"] + ", ".join(missing) if missing else words["complete"],
        [
            Listing(words[name], values, (words[first], words[second]))
            for name, values, (first, second) in parts
            if values
        ],
    )
