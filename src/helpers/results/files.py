"""Files that are seen whole or not at all, and what tells whether they changed."""

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there, so that no reader sees half of it.

    Folders above it are made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except BaseException:  # the disk is full, say: what is written so far would fill it further
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def sweep_unfinished(folder: Path) -> None:
    """Remove files that killed processes were writing into a folder; nobody must be writing to it."""
    for left in folder.glob(".*"):
        name, _, number = left.name[1:].rpartition(".")
        if name and number.isdigit() and left.is_file():
            with contextlib.suppress(OSError):
                left.unlink()


def digest_of_files(paths: Iterable[Path]) -> str:
    """Return the SHA-256 of files in their order, of which some may be absent; places do not count."""
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes() if path.is_file() else b""
        digest.update(f"{path.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
