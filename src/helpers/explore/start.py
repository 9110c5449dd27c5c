"""Where JupyterLab opens: a start page, and copies of the notebooks that belong to one cohort.

>>> start_page(folder)[:2]
'# '
>>> bound({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, "rdmas")["cells"]
[]
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from helpers.errors import CompendiumError
from helpers.explore.study import known_cohorts
from helpers.project.paths import SCRATCH, CohortPaths, notebooks_dir, output_root, project_root, shown
from helpers.results.files import write_whole
from helpers.run.status import cohort_status

START = "start.md"
EXPLORE = "explore.ipynb"
_COHORT = re.compile(r"^cohort = .*?(?=(\s*#.*)?$)", re.MULTILINE)
_DOCUMENTS = (
    ("docs/exploring.md", "exploring in JupyterLab"),
    ("docs/your_own_data.md", "your own data"),
    ("docs/clinical_rules.md", "clinical rules"),
    ("docs/statistics.md", "statistics"),
    ("docs/how_it_works.md", "how it works"),
)


def write_start_page() -> Path:
    """Write the start page into the folder of what is done by hand, and return its path.

    It tells of the project as it is now: cohorts with the state of their results, notebooks, reports, data
    and documentation, each with a link.
    """
    path = project_root() / SCRATCH / START  # where JupyterLab, which shows the project, can open it
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, start_page(path.parent).encode())
    return path


def start_page(folder: Path) -> str:
    """Return the start page as Markdown whose links hold in this folder."""
    root = project_root()
    explorer = _link("open the explorer", notebooks_dir() / EXPLORE, folder)
    opening = f"**Look, ask what if, take the picture or the code away:** {explorer}, Run, Run All Cells."
    told = (
        "Results are brought up to date by `compendium run COHORT` (File, New, Terminal). "
        "`compendium lab --cohort COHORT` opens copies of the notebooks that belong to one cohort."
    )
    lines = [
        "# Start",
        "",
        opening,
        "",
        "## Cohorts",
        "",
        "| cohort | results | to read |",
        "|---|---|---|",
        *(_cohort_line(name, folder) for name in known_cohorts()),
        "",
        told,
        "",
        "## Notebooks",
        "",
        *(f"- {_link(_title(path), path, folder)}" for path in sorted(notebooks_dir().glob("0*.ipynb"))),
        "",
        "What a notebook run by hand writes goes to `scratch/`; the published results stay as they are.",
        "",
        "## Documentation",
        "",
        *(
            f"- {_link(words[:1].upper() + words[1:], root / name, folder)}"
            for name, words in _DOCUMENTS
            if (root / name).is_file()
        ),
        "",
    ]
    return "\n".join(lines)


def _link(words: str, path: Path, folder: Path) -> str:
    target = os.path.relpath(path, folder).replace(os.sep, "/").replace(" ", "%20")
    return f"[{words}]({target})"


def _title(notebook: Path) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "".join(cells[0]["source"]).splitlines()[0].lstrip("# ") if cells else notebook.stem


def _cohort_line(name: str, folder: Path) -> str:
    try:
        paths = CohortPaths.of(name)
        found = cohort_status(paths)
    except CompendiumError as error:
        return f"| {name} | {str(error).splitlines()[0]} | |"
    done = sum(step.standing == "current" for step in found.steps)
    state = "up to date" if found.current else f"{done} of {len(found.steps)} steps up to date"
    read = [
        _link(words, path, folder)
        for words, path in (
            ("report", paths.results / "report.html"),
            ("manuscript", paths.results / "manuscript.docx"),
            ("supplement", paths.results / "supplement.docx"),
            ("data card", paths.folder / "README.md"),
            ("settings", paths.folder / "cohort.toml"),
        )
        if path.is_file()
    ]
    return f"| {name} | {state} | {', '.join(read)} |"


def bind_notebooks(cohort: str) -> tuple[Path, list[Path]]:
    """Copy the notebooks into a folder of their own with the cohort as their parameter.

    A copy that is there already stays as it is, since somebody may have worked in it.

    Args:
        cohort: name under ``data/cohorts/`` or path to a cohort folder.

    Returns:
        The folder, and the copies that were made now.

    Raises:
        ProjectError: there is no such cohort.
    """
    paths = CohortPaths.of(cohort)
    named = paths.base if paths.base in known_cohorts() else shown(paths.folder)
    folder = output_root() / SCRATCH / "notebooks" / paths.name
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for source in [*sorted(notebooks_dir().glob("0*.ipynb")), notebooks_dir() / EXPLORE]:
        target = folder / source.name
        if not target.exists():
            notebook = bound(json.loads(source.read_text(encoding="utf-8")), named)
            write_whole(target, (json.dumps(notebook, ensure_ascii=False, indent=1) + "\n").encode())
            made.append(target)
    return folder, made


def bound(notebook: dict[str, Any], cohort: str) -> dict[str, Any]:
    """Return a notebook without outputs whose parameters name this cohort."""
    cells = [_bound_cell(cell, cohort) for cell in notebook["cells"]]
    return notebook | {"cells": cells}


def _bound_cell(cell: dict[str, Any], cohort: str) -> dict[str, Any]:
    if cell["cell_type"] != "code":
        return cell
    source = "".join(cell["source"])
    if "parameters" in cell["metadata"].get("tags", []):
        source = _COHORT.sub(lambda _: f"cohort = {cohort!r}", source, count=1)
    return cell | {"source": _lines(source), "outputs": [], "execution_count": None}


def _lines(source: str) -> Iterable[str]:
    return source.splitlines(keepends=True)
