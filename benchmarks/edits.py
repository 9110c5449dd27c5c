"""What a run costs when only a little has changed, and when a warm process is kept running between commands.

Parts of ``bench.py``, which writes the results.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from running import BIN, ROOT, by_compendium, by_papermill, in_turn, project_of_notebooks, ratio, timed

EDITED = "04_survival"
# Part of the environment that a kept process serves: the benchmark's own is nobody else's.
OWN = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "CI": ""}


@contextmanager
def whole_project() -> Iterator[Path]:
    """A copy of the project with its whole plan: notebooks, tables, manuscript and report."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for file in ("pyproject.toml", "uv.lock"):
            shutil.copy2(ROOT / file, root / file)
        for folder in ("notebooks", "data"):
            shutil.copytree(ROOT / folder, root / folder)
        yield root


@contextmanager
def kept_process(project: Path) -> Iterator[None]:
    """A warm process that is kept running, with everything loaded."""
    timed([BIN / "compendium", "warm", "--keep", "30"], project, project, **OWN)
    try:
        time.sleep(10)  # it loads meanwhile
        yield
    finally:
        timed([BIN / "compendium", "warm", "--stop"], project, project, **OWN)


def edit(project: Path, number: int) -> None:
    """Put another comment into a cell of a notebook."""
    path = project / "notebooks" / f"{EDITED}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cell = next(
        cell
        for cell in notebook["cells"]
        if cell["cell_type"] == "code" and "parameters" not in cell["metadata"].get("tags", [])
    )
    cell["source"] = "".join(cell["source"]) + f"\n# {number}"
    path.write_text(json.dumps(notebook), encoding="utf-8")


def small_edits(runs: int) -> dict[str, dict[str, Any]]:
    """A comment edited in a notebook, all steps beside notebooks alone, and both with a kept process."""
    with whole_project() as project, project_of_notebooks() as alone, tempfile.TemporaryDirectory() as folder:
        done, numbers = Path(folder), iter(range(10**6))
        by_compendium(project, done)

        def run(root: Path, output: Path, **variables: str) -> float:
            return timed([BIN / "compendium", "run"], root, output, **variables)

        def comment(**variables: str) -> float:
            edit(project, next(numbers))
            return run(project, done, **variables)

        cold = in_turn(
            {
                "whole": lambda output: run(project, output),
                "notebooks": lambda output: run(alone, output),
                "comment": lambda _: comment(),
            },
            runs,
        )
        with kept_process(project):
            warm = in_turn({"comment": lambda _: comment(**OWN)}, runs)
        with kept_process(alone):
            kept = in_turn(
                {
                    "papermill": lambda output: by_papermill(alone, output),
                    "notebooks": lambda output: run(alone, output, **OWN),
                },
                runs,
            )
    whole = {"whole_seconds": cold["whole"]}
    return {
        "whole_plan_beside_notebooks": ratio(
            cold["whole"],
            cold["notebooks"],
            1.4,
            **whole,
            notebooks_seconds=cold["notebooks"],
            lower_is_better=True,
        ),
        "comment_beside_whole_run": ratio(
            cold["comment"],
            cold["whole"],
            0.3,
            **whole,
            comment_seconds=cold["comment"],
            lower_is_better=True,
        ),
        "comment_beside_whole_run_kept": ratio(
            warm["comment"],
            cold["whole"],
            0.15,
            **whole,
            comment_seconds=warm["comment"],
            lower_is_better=True,
        ),
        "kept_run_beside_papermill": ratio(
            kept["papermill"],
            kept["notebooks"],
            8,
            papermill_seconds=kept["papermill"],
            compendium_seconds=kept["notebooks"],
            loading_seconds_spared=median(cold["notebooks"]) - median(kept["notebooks"]),
        ),
    }
