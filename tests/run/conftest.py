"""A small project with three quick notebooks, in which runs can be tried."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from helpers.project.paths import CohortPaths
from helpers.run.plan import Step, locate

PLAN = """
[01_first]
reads = ["cohort/*.csv"]
writes = ["data/patients.parquet", "data/measurements.parquet", "data/events.parquet?"]

[02_second]
reads = ["data/patients.parquet"]
writes = ["statistics/02_second.csv"]

[03_third]
reads = ["data/measurements.parquet", "project/data/published/*.csv"]
writes = ["statistics/03_third.csv", "figures/panel.{svg,pdf}"]
"""

# The tables are copies of the raw text, enough for content to flow from step to step.
FIRST = """
import os
from pathlib import Path

root = Path(os.environ["COMPENDIUM_PROJECT"])
base = cohort.split("@")[0]
embedded = root / "data" / "cohorts" / base
folder = embedded if embedded.is_dir() else root / base
output = Path(os.environ["COMPENDIUM_OUTPUT"])
data = output / "results" / Path(cohort).name / "data"
for name in ("patients", "measurements"):
    (data / f"{name}.parquet").write_text((folder / f"{name}.csv").read_text())
print("cleaned", folder.name)
"""

OTHER = """
import os
from pathlib import Path

output = Path(os.environ["COMPENDIUM_OUTPUT"])
results = output / "results" / Path(cohort).name
text = (results / "data" / "{table}.parquet").read_text()
(results / "statistics" / "{name}.csv").write_text(f"{{text}}{{scale}}\\n")
print(len(text), scale)
"""

FIGURES = """
for ending in ("svg", "pdf"):
    (output / "figures" / Path(cohort).name / f"panel.{ending}").write_text(text)
"""


@dataclass
class Project:
    """A project folder whose notebooks and data a test may change."""

    root: Path

    @staticmethod
    def code(source: str, *tags: str) -> dict[str, Any]:
        """A code cell."""
        return {
            "cell_type": "code",
            "metadata": {"tags": list(tags)} if tags else {},
            "source": source.strip(),
            "outputs": [],
            "execution_count": None,
        }

    def notebook(self, name: str, *cells: dict[str, Any]) -> Path:
        """Write a notebook."""
        path = self.root / "notebooks" / f"{name}.ipynb"
        title = {"cell_type": "markdown", "metadata": {}, "source": f"# {name}"}
        numbered = [{**cell, "id": f"{name[:2]}-{i}"} for i, cell in enumerate((title, *cells))]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        content = {"cells": numbered, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")
        return path

    def cohort(self, name: str, folder: Path | None = None) -> Path:
        """Write a cohort folder with raw tables."""
        folder = folder or self.root / "data" / "cohorts" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cohort.toml").write_text(f'title = "{name}"\n', encoding="utf-8")
        (folder / "patients.csv").write_text("patient_id\nR01\n", encoding="utf-8")
        (folder / "measurements.csv").write_text("patient_id,value\nR01,5\n", encoding="utf-8")
        return folder

    def results(self, cohort: str = "small") -> Path:
        """Folder of a cohort's results."""
        return self.root / "results" / cohort


def write_project(root: Path) -> Project:
    """Write the whole project."""
    project = Project(root)
    for folder in ("notebooks", "data/published"):
        (root / folder).mkdir(parents=True)
    (root / "pyproject.toml").write_text('[project]\nname = "rdmas-compendium"\n', encoding="utf-8")
    (root / "uv.lock").write_text("version = 1\n", encoding="utf-8")
    (root / "notebooks" / "pipeline.toml").write_text(PLAN, encoding="utf-8")
    parameters = project.code('cohort = "small"\nscale = 1', "parameters")
    project.notebook("01_first", project.code('cohort = "small"', "parameters"), project.code(FIRST))
    second, third = (OTHER.format(table=t, name=n) for t, n in TABLES)
    project.notebook("02_second", parameters, project.code(second))
    project.notebook("03_third", parameters, project.code(third), project.code(FIGURES))
    project.cohort("small")
    return project


TABLES = (("patients", "02_second"), ("measurements", "03_third"))


def write_products(step: Step, paths: CohortPaths, parameters: Mapping[str, Any]) -> None:
    """Stand in for a kernel: write every product of a step from what the step reads."""
    if step.name == "01_first":
        texts = {name: (paths.folder / f"{name}.csv").read_text() for name in ("patients", "measurements")}
    else:
        read = [locate(path, paths) for path in step.reads if path.startswith("data/")]
        texts = {"": "".join(path.read_text() for path in read) + str(dict(parameters))}
    for declared in step.writes:
        path = locate(declared, paths)
        if declared not in step.optional:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts.get(path.stem) or "".join(texts.values()))


@pytest.fixture
def fake_kernels(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Steps executed in a moment, without kernels; the list holds their names in order."""
    done: list[str] = []

    def execute_step(step: Step, paths: CohortPaths, parameters: Mapping[str, Any], pool: None) -> None:
        done.append(f"{paths.name}/{step.name}")
        write_products(step, paths, parameters)

    monkeypatch.setattr("helpers.run.steps.execute_step", execute_step)
    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "local-provisioner")  # nothing is to be warmed
    return done


@pytest.fixture(scope="session")
def make_project() -> Callable[[Path], Project]:
    """Writes the small project into a folder."""
    return write_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project of its own for one test, whose cohorts are always fit for analysis."""
    monkeypatch.setenv("COMPENDIUM_PROJECT", str(tmp_path / "project"))
    monkeypatch.delenv("COMPENDIUM_OUTPUT", raising=False)
    monkeypatch.setattr("helpers.run.checking.cohort_problems", lambda _: [])
    return write_project(tmp_path / "project")


@pytest.fixture
def ctrl_c() -> Iterator[Callable[[], None]]:
    """Interrupt the main thread as Ctrl-C does, also where the tests run in the background.

    There it is ignored at first. A call of `_thread.interrupt_main` would be noticed only once the main
    thread has finished waiting.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    signal.signal(signal.SIGINT, before)
