"""The cells of notebooks 02, 04 and 07 of one cohort, as they stand, in a process of their own.

    python tests/analysis/notebook_walk.py COHORT

Results go where COMPENDIUM_OUTPUT says. A cell that fails ends the process with its traceback.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ("02_baseline_comparison", "04_survival", "07_historical_control")


def walk(cohort: Path, output: Path, *, formats: str = "png") -> subprocess.CompletedProcess[str]:
    """Execute the notebooks on a cohort; figures are saved in `formats`."""
    env = os.environ | {
        "COMPENDIUM_OUTPUT": str(output),
        "COMPENDIUM_RUN": "1",
        "COMPENDIUM_FIGURE_FORMATS": formats,
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, __file__, str(cohort)]
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
    for name in NOTEBOOKS:
        _execute(name, sys.argv[1])
