"""The repository that a folder lies in: which commit, whether clean, and what it must not take in."""

import contextlib
import os
import subprocess
from pathlib import Path

_IGNORE = "# Written by compendium: patients' data stay private.\n*\n"


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says; None without git, or outside a repository."""
    # A hook of git's is told by the environment of the repository that it belongs to.
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def commit(folder: Path) -> dict[str, object]:
    """Commit of the repository that a folder lies in, and whether nothing was changed since.

    >>> sorted(commit(Path("/")))
    []
    """
    found = _git(folder, "rev-parse", "HEAD")
    if found is None:
        return {}
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"commit": found.strip(), "clean": changes == ""}


def keep_out(folder: Path) -> None:
    """Have a repository ignore a folder, unless it tracks files of it already or ignores it anyhow.

    Args:
        folder: a cohort's folder, or one that receives results and need not exist yet. If it needs one, it
            gets a file ``.gitignore``, or a line in the one that it has.
    """
    above = next(path for path in folder.parents if path.is_dir())
    if not any((path / ".git").exists() for path in (above, *above.parents)):
        return
    if _git(above, "check-ignore", "-q", f"{folder}/") is not None or _git(above, "ls-files", str(folder)):
        return
    with contextlib.suppress(OSError):  # on a read-only disk there is nothing to keep out
        folder.mkdir(parents=True, exist_ok=True)
        rules = folder / ".gitignore"
        former = rules.read_text(encoding="utf-8") if rules.is_file() else ""
        if _IGNORE not in former:
            rules.write_text(former + ("\n" if former and former[-1] != "\n" else "") + _IGNORE, "utf-8")
