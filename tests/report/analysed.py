"""Cohorts analysed by the notebooks' own cells, in this process, without drawing figures.

The statistics and tables are those that `compendium run` writes; the figures are the committed ones.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest import mock

from variants import EMBEDDED, VARIANTS, write_variant

from helpers.report.tables.table import Table
from helpers.report.text.material import Study

ROOT = Path(__file__).parents[2]
NAME = "rdmas_reconstructed"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("0[1-7]_*.ipynb"))
COMPARISON = ROOT / "notebooks" / "08_published_comparison.ipynb"
# Workers of one session share what was analysed.
_SESSION = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
PATIENCE = 1800.0  # seconds; a busy machine is slow, not broken
QUICK = (NAME, *VARIANTS)
TONGJI = ROOT / ".." / "shared" / "cohorts" / "tongji_covid"


def _save_json(table: Table, directory: Path, _wording: object = None) -> Table:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{table.name}.json").write_text(table.to_json(), encoding="utf-8")
    return table


@contextmanager
def _quiet(output: Path) -> Iterator[None]:
    """Send results to a folder, store tables as JSON only and draw nothing."""
    with (
        mock.patch.dict(os.environ, {"COMPENDIUM_OUTPUT": str(output), "COMPENDIUM_RUN": "1"}),
        mock.patch.object(Table, "save", _save_json),
        mock.patch("helpers.report.figures.output.publish.publish_figure", return_value=None),
    ):
        yield


def _execute(notebook: Path, cohort: Path) -> None:
    namespace: dict[str, object] = {}
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), notebook.name, "exec"), namespace)
            if "parameters" in cell["metadata"].get("tags", []):
                namespace["cohort"] = str(cohort)


def _folder(name: str, parent: Path) -> Path:
    if name == NAME:
        return EMBEDDED
    if name in VARIANTS:
        return write_variant(name, parent)
    sys.path.insert(0, str(ROOT / "tests" / "cohorts"))
    try:
        if name == "pbc":
            from pbc import write_cohort as write_pbc

            return write_pbc(parent / name)
        from tongji import write_cohort as write_tongji

        return write_tongji(TONGJI, parent / name)
    finally:
        sys.path.remove(str(ROOT / "tests" / "cohorts"))


@cache
def analysed(name: str) -> Study:
    """Analyse a cohort once a session and return it as text, manuscript and report read it.

    Of the embedded cohort the committed results are taken.
    """
    parent = Path(tempfile.gettempdir()) / f"analysed-{_SESSION}-{name}"
    _forget_old(parent.parent)
    building = parent.with_name(f"{parent.name}.building")
    if not parent.is_dir():
        try:
            building.mkdir()
        except FileExistsError:  # another worker is at it
            _wait_for(parent, building)
        else:
            _build(name, building, parent)
    folder = EMBEDDED if name == NAME else parent / "cohorts" / name
    return Study.open(folder, parent / "results" / folder.name, parent / "figures")


def _build(name: str, building: Path, parent: Path) -> None:
    if parent.is_dir():  # another worker has just finished
        building.rmdir()
        return
    try:
        _analyse(name, building)
        building.rename(parent)
    except BaseException:
        shutil.rmtree(building)  # whoever waits for it sees that it will not come
        raise


def _forget_old(folder: Path) -> None:
    """Remove what sessions of former hours left; a worker cannot know that it is the last of its session."""
    for path in folder.glob("analysed-*"):
        if time.time() - path.stat().st_mtime > 6 * 3600:
            shutil.rmtree(path, ignore_errors=True)


def _wait_for(folder: Path, building: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not folder.is_dir():
        assert building.is_dir() or folder.is_dir(), f"{folder} was not made"
        assert time.monotonic() < deadline, f"{folder} was not made in time"
        time.sleep(0.2)


def _analyse(name: str, output: Path) -> None:
    committed = ROOT / "results" / NAME
    if name == NAME and any((committed / "tables").glob("*.json")):
        for part in ("statistics", "tables"):
            shutil.copytree(committed / part, output / "results" / NAME / part)
    else:
        folder = _folder(name, output / "cohorts")
        with _quiet(output):
            for notebook in (*NOTEBOOKS, *([COMPARISON] if name == NAME else [])):
                _execute(notebook, folder)
    shutil.copytree(ROOT / "notebooks", output / "results" / name / "notebooks")
    shutil.copytree(ROOT / "figures" / NAME, output / "figures")
