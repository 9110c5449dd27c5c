"""One session of nbval over notebooks of which one reads what another writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from command import warm_process

from helpers.kernels.fork_server.client import (
    KERNEL_ENVIRONMENT,
    PROVISIONER,
    PROVISIONER_VARIABLE,
    SOCKET_VARIABLE,
    available,
)
from helpers.run import validation

LATER = """
[04_summary]
reads = ["statistics/{02_second,03_third}.csv"]
writes = ["statistics/04_summary.csv"]
"""
WRITES = """
import os, time
from pathlib import Path

folder = Path(os.environ["COMPENDIUM_OUTPUT"]) / "statistics"
folder.mkdir(parents=True, exist_ok=True)
time.sleep(1)
(folder / "{name}.csv").write_text("1")
print("{name}")
"""
READS = """
import os
from pathlib import Path

print(*sorted(path.stem for path in (Path(os.environ["COMPENDIUM_OUTPUT"]) / "statistics").iterdir()))
"""


@pytest.fixture
def validated(project):
    """The small project with a notebook that reads the statistics of two others, all with stored outputs."""
    plan = project.root / "notebooks" / "pipeline.toml"
    plan.write_text(plan.read_text() + LATER)
    for name in ("02_second", "03_third"):
        _store(project.notebook(name, project.code(WRITES.format(name=name))), name)
    _store(project.notebook("04_summary", project.code(READS)), "02_second 03_third")
    project.notebook("01_first", project.code("1"))
    validation._steps.cache_clear()
    validation.read_by.cache_clear()
    yield project
    validation._steps.cache_clear()
    validation.read_by.cache_clear()


def _store(notebook: Path, printed: str) -> None:
    content = json.loads(notebook.read_text())
    content["cells"][1] |= {
        "execution_count": 1,
        "outputs": [{"name": "stdout", "output_type": "stream", "text": [f"{printed}\n"]}],
    }
    notebook.write_text(json.dumps(content))


def session(project, *arguments: str) -> subprocess.CompletedProcess[str]:
    notebooks = sorted(str(path) for path in (project.root / "notebooks").glob("*.ipynb"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
    command += ["-p", "no:hypothesispytest", "-p", "no:typeguard", "-p", "no:anyio"]
    command += ["-p", "helpers.run.validation", "--nbval", "--nbval-current-env", "--rootdir"]
    kernels = (
        {PROVISIONER_VARIABLE: PROVISIONER, SOCKET_VARIABLE: str(warm_process().socket)} | KERNEL_ENVIRONMENT
        if available()
        else {PROVISIONER_VARIABLE: "local-provisioner"}
    )
    return subprocess.run(
        [*command, str(project.root), *arguments, *reversed(notebooks)],
        env=os.environ | kernels | {"COMPENDIUM_OUTPUT": str(project.root / "out")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("processes", [(), ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")])
def test_a_notebook_comes_after_those_whose_statistics_it_reads(validated, processes) -> None:
    done = session(validated, *processes)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_a_notebook_whose_output_has_changed_fails(validated) -> None:
    _store(validated.root / "notebooks" / "02_second.ipynb", "something else")
    done = session(validated)
    assert done.returncode == 1
    assert "something else" in done.stdout


def test_waiting_for_a_notebook_that_never_ends_has_an_end(validated, monkeypatch, tmp_path) -> None:
    items = [SimpleNamespace(path=path) for path in sorted((validated.root / "notebooks").glob("*.ipynb"))]
    last = items[-1]
    last.session = SimpleNamespace(items=items)
    last.config = SimpleNamespace(stash={validation._ENDED: tmp_path})
    monkeypatch.setattr(validation, "PATIENCE_SECONDS", 0)
    (tmp_path / "02_second").touch()
    with pytest.raises(pytest.fail.Exception, match="in vain for 03_third"):
        validation.pytest_runtest_setup(last)
    (tmp_path / "03_third").touch()
    validation.pytest_runtest_setup(last)
