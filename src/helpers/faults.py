"""Faults of the machine, told in the words of whoever runs the compendium."""

import errno
import re

_FREE = "free some space, then run again"
_ELSEWHERE = "have the folder's owner permit it, or give another one by --output"
_WRITING = {
    errno.ENOSPC: ("the disk is full", _FREE),
    errno.EDQUOT: ("the quota of disk space is used up", _FREE),
    errno.EFBIG: ("a file would become larger than is allowed here", "raise the limit (ulimit -f)"),
    errno.EROFS: ("the folder is on a read-only disk", "give another one by --output"),
    errno.EACCES: ("writing is not permitted", _ELSEWHERE),
    errno.EPERM: ("writing is not permitted", _ELSEWHERE),
    errno.ENOTDIR: ("a file stands where a folder is needed", "move the file away"),
    errno.EEXIST: ("a file stands where a folder is needed", "move the file away"),
    errno.EISDIR: ("a folder stands where a file is needed", "move the folder away"),
    errno.ENAMETOOLONG: ("the name is too long for this system", "shorten the name of the cohort's folder"),
    errno.EMFILE: ("too many files are open", "raise the limit (ulimit -n), or use fewer --workers"),
    errno.ENOMEM: ("the memory is used up", "close other programs, or use --workers 1"),
}
_KEPT = "Published results stay as they were."
_NUMBERED = re.compile(r"\[Errno (\d+)\] ")


def in_words(error: BaseException) -> str:
    """A fault of the machine with its remedy; empty if the error is of another kind.

    Args:
        error: what was raised.

    Example:
        >>> in_words(OSError(errno.ENOSPC, "No space left on device", "results/x")).split(". ")[0]
        'results/x cannot be written: the disk is full'
    """
    if isinstance(error, MemoryError):
        return _sentence("The memory is used up", "close other programs, or use --workers 1")
    if isinstance(error, ModuleNotFoundError):
        return _sentence(
            f"The package {error.name!r} is not installed", "`make setup` installs what is locked"
        )
    if isinstance(error, OSError) and error.errno in _WRITING:
        said, remedy = _WRITING[error.errno]
        where = error.filename2 or error.filename
        lead = f"{where} cannot be written: {said}" if where else said[0].upper() + said[1:]
        return _sentence(lead, remedy)
    return ""


def cell_in_words(kind: str, message: str) -> str:
    """What stopped a notebook's cell, in words where it was a fault of the machine; else empty.

    Args:
        kind: name of the error's class.
        message: its text.

    >>> cell_in_words("MemoryError", "").split(".")[0], cell_in_words("ValueError", "no deaths")
    ('The memory is used up', '')
    """
    if kind == "MemoryError":
        return in_words(MemoryError())
    if kind == "ModuleNotFoundError":
        name = re.search(r"'([^']+)'", message)
        return in_words(ModuleNotFoundError(message, name=name[1] if name else message))
    found = _NUMBERED.search(message)
    return in_words(OSError(int(found[1]), message)) if found and int(found[1]) in _WRITING else ""


def _sentence(said: str, remedy: str) -> str:
    return f"{said}. {_KEPT} Remedy: {remedy}."
