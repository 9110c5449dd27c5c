"""The repository that a folder lies in: which commit, whether clean, and what it must not take in."""

import subprocess
from pathlib import Path

_IGNORE = "# Written by compendium: patients' data stay private. Delete this file to commit the folder.\n*\n"


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says; None without git, or outside a repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def commit(folder: Path) -> dict[str, object]:
    """Commit of the repository that a folder lies in, and whether nothing was changed since."""
    found = _git(folder, "rev-parse", "HEAD")
    if found is None:
        return {}
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"commit": found.strip(), "clean": changes == ""}


def keep_out(folder: Path) -> None:
    """Have a repository ignore a folder, unless it tracks files of it already or ignores it anyhow.

    Args:
        folder: a cohort's folder or an output folder; gets a file ``.gitignore`` if it needs one.
    """
    rules = folder / ".gitignore"
    if (
        not folder.is_dir()
        or rules.exists()
        or not any((above / ".git").exists() for above in folder.parents)
    ):
        return
    if _git(folder, "check-ignore", "-q", ".") is not None or _git(folder, "ls-files", ".") != "":
        return
    rules.write_text(_IGNORE, encoding="utf-8")
