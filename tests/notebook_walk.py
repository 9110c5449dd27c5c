"""The cells of notebooks of one cohort, as they stand, in a process of their own: no plan, no documents.

    python tests/notebook_walk.py COHORT NOTEBOOK...

Results go where COMPENDIUM_OUTPUT says. A cell that fails ends the process with its traceback.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
EVERY = tuple(path.stem for path in sorted((ROOT / "notebooks").glob("0[1-9]_*.ipynb")))


def walk(
    cohort: Path, output: Path, notebooks: Iterable[str] = EVERY, *, formats: str = ""
) -> subprocess.CompletedProcess[str]:
    """Execute notebooks on a cohort; figures are saved in `formats`, by default in none."""
    env = os.environ | {
        "COMPENDIUM_OUTPUT": str(output),
        "COMPENDIUM_RUN": "1",
        "COMPENDIUM_FIGURE_FORMATS": formats,
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, __file__, str(cohort), *notebooks]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def _execute(notebook: str, cohort: str) -> None:
    namespace: dict[str, object] = {}
    text = (ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8")
    for cell in json.loads(text)["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), notebook, "exec"), namespace)
            if "parameters" in cell["metadata"].get("tags", []):
                namespace["cohort"] = cohort


if __name__ == "__main__":
    for name in sys.argv[2:]:
        _execute(name, sys.argv[1])
