"""Where the command ``compendium`` begins: in a process with loaded libraries that is kept, or else here.

>>> carried_out_elsewhere(["new", "a_cohort"]) is None  # it asks, so it is carried out here
True
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.kernels.fork_server.settings import COLLECT_AFTER, KEPT_PREFIX

if TYPE_CHECKING:
    from helpers.kernels.fork_server.client import ForkedProcess

# One asks questions; the others turn into another command, or begin and end what is kept.
HERE = frozenset({"new", "lab", "warm"})
_NOTICES_WITHIN = 0.5  # seconds; an interrupt just before the waiting begins is noticed when that ends


def main() -> None:
    """Entry point of the command."""
    status = carried_out_elsewhere(sys.argv[1:])
    if status is not None:
        sys.exit(status)
    gc.set_threshold(*COLLECT_AFTER)
    from helpers.commands.cli import main as carry_out

    carry_out()


def carried_out_elsewhere(words: list[str]) -> int | None:
    """Have the command carried out by a process forked from the one that ``compendium warm --keep`` has left.

    It writes where this one would, and lives no longer than this one. An interrupt is passed on.

    Args:
        words: what stands behind ``compendium``.

    Returns:
        Its exit status; None if it has to be carried out here.
    """
    if not words or words[0] in HERE or words[0].startswith("-") or not _something_is_kept():
        return None
    from helpers.kernels.fork_server.client import SOCKET_VARIABLE, ForkServerError, fork, undecided
    from helpers.kernels.fork_server.kept import kept_process

    process = kept_process() if undecided() else None
    if process is None:
        return None
    order = {
        "function": "helpers.commands.cli:app",
        "arguments": {"args": words, "prog_name": "compendium"},
        "paths": [],
    }
    address = str(process.socket)
    env = os.environ | {SOCKET_VARIABLE: address}
    try:
        forked = fork(address, {"call": order}, env, str(Path.cwd()), (1, 2))
    except (ForkServerError, OSError):
        return None
    return _status(forked)


def _something_is_kept() -> bool:
    """Whether any process of this user may be kept; asked before anything else is imported."""
    return hasattr(os, "getuid") and any(Path("/tmp").glob(f"{KEPT_PREFIX}{os.getuid()}-*"))


def _status(forked: ForkedProcess) -> int:
    from subprocess import TimeoutExpired

    while True:
        try:
            status = forked.wait(_NOTICES_WITHIN)
            break
        except TimeoutExpired:
            continue
        except KeyboardInterrupt:
            forked.send_signal(signal.SIGINT)
    if status < 0:
        print(
            f"The process that carried this out was ended by signal {-status}. Give the command again, "
            "or first: compendium warm --stop",
            file=sys.stderr,
        )
        return 128 - status
    return status
