r"""Files that are seen whole or not at all.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp(), "deep", "statistics.csv")
>>> write_whole(path, b"id\n")
>>> path.read_bytes()
b'id\n'
>>> path.with_name(".statistics.csv.123").write_bytes(b"half")
4
>>> sweep_unfinished(path.parent)
>>> [left.name for left in path.parent.iterdir()]
['statistics.csv']
"""

import contextlib
import os
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
