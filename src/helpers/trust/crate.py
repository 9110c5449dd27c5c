"""The RO-Crate of a folder of results, held against its record: a crate that says something else is named."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from helpers.run.crate import COHORT, CRATE, PROJECT, crate_text
from helpers.trust.received import FIGURES, Received

_LARGEST_CRATE = 50_000_000
_NOTEBOOKS = "#notebooks/"
_MOST = 5  # contradictions that are told one by one


def contradictions(here: Received, sound: frozenset[str], settings: Path | None) -> Iterator[str]:
    """What the crate says otherwise than the record, in words.

    Args:
        here: the folder.
        sound: files that are as recorded; the crate is read only if it is one of them, as a changed one is
            named already.
        settings: the cohort's folder, if its settings, the code and the plan of this project are those that
            the results were made with: the crate is then made anew and compared whole.
    """
    if CRATE not in sound:
        return
    graph = _graph(here)
    if graph is None:
        yield "no RO-Crate"
        return
    found = [*_digests(here, graph), *_unnamed(here, graph), *_loose_ends(graph)]
    yield from found[:_MOST]
    if len(found) > _MOST:
        yield f"and {len(found) - _MOST} more of this kind"
    if settings is not None and not found:
        yield from _otherwise(graph, json.loads(crate_text(here.record.model_dump(), settings))["@graph"])


def _otherwise(graph: Mapping[str, Mapping[str, Any]], made: list[Mapping[str, Any]]) -> Iterator[str]:
    """Entities that are not as this project would write them: title, licence, what the data are, versions."""
    own = {str(entity["@id"]): entity for entity in made}
    other = sorted(name for name in {*graph, *own} if graph.get(name) != own.get(name))
    for name in other[:_MOST]:
        keys = {*graph.get(name, {}), *own.get(name, {})}
        differ = sorted(key for key in keys if graph.get(name, {}).get(key) != own.get(name, {}).get(key))
        yield f"describes {name[:120]!r} otherwise than the run would: {', '.join(differ)[:200]}"


def _graph(here: Received) -> dict[str, Mapping[str, Any]] | None:
    path = here.results / CRATE
    if path.stat().st_size > _LARGEST_CRATE:
        return None
    try:
        entities = json.loads(path.read_text(encoding="utf-8"))["@graph"]
        return {str(entity["@id"]): entity for entity in entities if isinstance(entity, dict)}
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _digests(here: Received, graph: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    record = here.record
    for name, entity in graph.items():
        said = entity.get("sha256")
        if name.startswith(_NOTEBOOKS):
            said, recorded = entity.get("identifier"), record.notebooks.get(name.removeprefix("#"))
        elif name.startswith(f"#{COHORT}"):
            recorded = record.raw_data.get(name.removeprefix(f"#{COHORT}"))
        elif name.startswith(f"#{PROJECT}"):
            recorded = record.project_files.get(name.removeprefix(f"#{PROJECT}"))
        elif said is not None or entity.get("@type") == "File":
            recorded = record.products.get(_place(name))
        else:
            continue
        if said != recorded:
            there = f"the record {recorded}" if recorded else "the record does not name it"
            yield f"says {str(said)[:80]!r} of {name[:120]!r}, {there}"


def _unnamed(here: Received, graph: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Products that the crate leaves out."""
    named = {_place(name) for name in graph}
    for place in sorted(set(here.record.products) - named - {CRATE}):
        yield f"does not name {place}"


def _loose_ends(graph: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Inputs and outputs of steps that the crate does not describe."""
    for name, entity in graph.items():
        if entity.get("@type") != "CreateAction":
            continue
        for key in ("instrument", "object", "result"):
            value = entity.get(key, [])
            for one in value if isinstance(value, list) else [value]:
                target = one.get("@id") if isinstance(one, dict) else None
                if target not in graph:
                    yield f"{name[:120]!r} has the {key} {str(target)[:120]!r}, which is not described"


def _place(name: str) -> str:
    """The product that an identifier stands for."""
    return name.removeprefix("#") if name.startswith(f"#{FIGURES}") else unquote(name)
