"""Digests of the code behind modules, remembered until a file of the package changes.

Following the imports of all notebooks and leaving comments out takes longer than everything else that a run
does when nothing has changed; reading the package's bytes takes a tenth of that.

>>> len(modules_digest(["helpers.stats.ratios"]))
64
>>> len(package_digest())
64
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from helpers.project.paths import state_dir
from helpers.project.sources import files_matching, package_folder, source_digest, source_files
from helpers.results.files import write_whole

_FILE = "code.json"
_ALL = "*"


def modules_digest(modules: Iterable[str]) -> str:
    """SHA-256 of modules of the package and of all that they import from it, comments left out."""
    known, key = _known(state_dir()), " ".join(sorted(set(modules)))
    if key not in known:
        known[key] = source_digest(source_files(key.split()))
    return known[key]


def package_digest() -> str:
    """SHA-256 of the code of the whole package, comments left out."""
    known = _known(state_dir())
    if _ALL not in known:
        known[_ALL] = source_digest(files_matching(package_folder(), "**/*.py"))
    return known[_ALL]


def remember_digests() -> None:
    """Keep what was found for the next command; a place that cannot be written to does no harm."""
    state = state_dir()
    package_digest()  # the record of provenance will ask for it, when files may have been edited
    text = json.dumps({"package": _package(), "digests": _known(state)}, sort_keys=True, indent=1)
    with contextlib.suppress(OSError):
        file = state / _FILE
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            write_whole(file, text.encode())


@cache
def _known(state: Path) -> dict[str, str]:
    try:
        kept = json.loads((state / _FILE).read_text(encoding="utf-8"))
        if kept["package"] == _package():
            return {str(key): str(digest) for key, digest in kept["digests"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # nothing is known
    return {}


@cache
def _package() -> str:
    """SHA-256 of all files of the package, byte by byte."""
    total = hashlib.sha256()
    for folder, folders, files in os.walk(package_folder()):
        folders[:] = sorted(name for name in folders if name != "__pycache__" and name[0] not in ".~")
        for name in sorted(files):
            content = (Path(folder) / name).read_bytes()
            total.update(f"{folder}/{name}\0{len(content)}\0".encode())
            total.update(content)
    return total.hexdigest()
