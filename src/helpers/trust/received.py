"""A folder of results as somebody sent it: its record, checked before it is believed, and its files.

>>> [found.name for found in result_folders(folder)]
['rdmas_reconstructed']
>>> received(folder)  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
helpers.trust.received.RecordError: ...provenance.json...
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from helpers.errors import CompendiumError
from helpers.run.plan import PROVENANCE
from helpers.run.provenance import RECORD_VERSION

FIGURES = "figures/"
_LARGEST_RECORD = 20_000_000


class RecordError(CompendiumError):
    """A folder has no record of provenance that can be believed; the message says why."""


def _inside(place: str) -> str:
    parts = place.split("/")
    odd = not place or place.startswith("/") or "\\" in place or ":" in parts[0] or not place.isprintable()
    if odd or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"{place!r} is no place inside the folder")
    return place


Place = Annotated[str, AfterValidator(_inside)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Record(BaseModel):
    """What `provenance.json` says, as far as it can be held against files."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    record_version: Literal[2]
    cohort: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@=,+-]*$", max_length=255)]
    complete: bool
    missing_steps: tuple[str, ...] = ()
    stale: dict[Place, Digest] = {}
    products: dict[Place, Digest]
    raw_data: dict[Place, Digest]
    project_files: dict[Place, Digest] = {}
    notebooks: dict[Place, Digest] = {}
    helpers: Digest
    parameters: dict[str, dict[str, bool | int | float | str | None]] = {}
    python: str = ""
    packages: dict[str, str] = {}


@dataclass(frozen=True)
class ReceivedFile:
    """A file or link below a folder.

    Attributes:
        place: as the record names it: relative to the results, or behind ``figures/``.
        path: where it is.
        link: whether it is a link, or neither a file nor a folder; it is then never opened.
    """

    place: str
    path: Path
    link: bool


@dataclass(frozen=True)
class Received:
    """Results of one cohort as they lie in a folder.

    Attributes:
        results: folder of the results.
        figures: folder of the figures; None where it did not come with them.
        record: what the record says.
    """

    results: Path
    figures: Path | None
    record: Record

    def files(self) -> Iterator[ReceivedFile]:
        """Every file and link, links never followed, in the order of their names."""
        yield from _files(self.results, "")
        if self.figures is not None:
            yield from _files(self.figures, FIGURES)


def received(folder: Path) -> Received:
    """A folder of results with its record: ``results/NAME``, figures beside it in ``figures/NAME``.

    Args:
        folder: the folder; a link to it is not followed.

    Raises:
        RecordError: there is no record, or it is none of this project's.
    """
    if not folder.is_dir() or folder.is_symlink():
        raise RecordError(f"{folder} is no folder of results.", remedy="Name one such as results/NAME.")
    record = _record(folder / PROVENANCE)
    figures = folder.parent.parent / "figures" / folder.name
    return Received(folder, figures if figures.is_dir() and not figures.is_symlink() else None, record)


def result_folders(folder: Path) -> list[Path]:
    """The folders of results in a folder: itself if it has a record, else those of its ``results``."""
    if (folder / PROVENANCE).exists() or not (folder / "results").is_dir():
        return [folder]
    return sorted(path for path in (folder / "results").iterdir() if (path / PROVENANCE).exists()) or [folder]


def _record(path: Path) -> Record:
    remedy = "`compendium run` writes it; without it nobody can tell what the folder was made from."
    if path.is_symlink() or not path.is_file():
        raise RecordError(f"{path}: no record of provenance.", remedy=remedy)
    if path.stat().st_size > _LARGEST_RECORD:
        raise RecordError(f"{path}: larger than any record of provenance.", remedy=remedy)
    try:
        stored: Any = json.loads(path.read_text(encoding="utf-8"))
        return Record.model_validate(stored)
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(map(str, one['loc'][:2])) or 'the whole'}: {one['msg']}" for one in error.errors()[:5]
        )
        version = stored.get("record_version") if isinstance(stored, dict) else None
        if version not in (None, RECORD_VERSION):
            found = f"it is of version {version!r}, this compendium reads {RECORD_VERSION}"
        raise RecordError(f"{path}: no record of provenance: {found}.", remedy=remedy) from None
    except (ValueError, RecursionError):
        raise RecordError(f"{path}: not JSON.", remedy=remedy) from None


def _files(folder: Path, before: str) -> Iterator[ReceivedFile]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        place = before + entry.name
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            yield from _files(Path(entry.path), f"{place}/")
        else:
            yield ReceivedFile(place, Path(entry.path), not stat.S_ISREG(mode))
