"""The command line as everybody starts it, for tests that begin where the user does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def compendium(*arguments: object, figures: str = "") -> subprocess.CompletedProcess[str]:
    """The command as everybody starts it; figures are drawn in the formats that are named."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COMPENDIUM_")}
    clean |= {"COMPENDIUM_FIGURE_FORMATS": figures} if figures else {}
    command = [sys.executable, "-m", "helpers.commands.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, check=False)
