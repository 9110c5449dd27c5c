"""How a check and a run grow with the number of patients; parts of ``bench.py``, which writes the results.

Processor seconds of the commands and their children are compared, since they depend least on what else the
machine does. The cohorts are those of ``bias/large_cohort.py``: made up, no finding in them means anything.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from running import BIN, ROOT, notebooks, ratio

PATIENTS = 40_000
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# Arrow's allocator would start a thread, which the warm process of `cells.py` must not have.
_WITHOUT_THREADS = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
SIZES = (400, 1600, 6400)  # of the cohorts that exponents are fitted from
READ = """
import sys
from pathlib import Path
import polars
for path in sorted(Path(sys.argv[1]).glob("*.csv")):
    polars.read_csv(path, infer_schema=False)
"""
# Runs a command and prints its processor seconds and the largest memory of a process of it in MiB.
MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(done, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


@contextmanager
def cohort_of(patients: int) -> Iterator[Path]:
    """The folder of a cohort of so many made-up patients."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "cohort"
        maker = ROOT / "benchmarks" / "bias" / "large_cohort.py"
        subprocess.run([sys.executable, maker, folder, "--patients", str(patients)], check=True)
        yield folder


def used(command: Sequence[str | Path]) -> tuple[float, float]:
    """Processor seconds and MiB of a command; raises if it fails."""
    env = os.environ | ONE_THREAD
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, command)],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    status, seconds, memory = done.stdout.split()
    if status != "0":
        raise RuntimeError(f"{command} failed:\n{done.stderr[-2000:]}")
    return float(seconds), float(memory)


@contextmanager
def interpreter_with(package: str) -> Iterator[Path]:
    """Python in an environment of its own with a package that is no dependency of this project."""
    with tempfile.TemporaryDirectory() as name:
        python = Path(name) / "bin" / "python"
        for command in (["venv", "--allow-existing", name], ["pip", "install", "--python", python, package]):
            subprocess.run([BIN / "uv", "--quiet", *command], check=True)
        yield python


def check(runs: int) -> dict[str, dict[str, Any]]:
    """A check of many patients beside polars, which only reads the same files as text."""
    found: dict[str, list[tuple[float, float]]] = {"check": [], "polars": []}
    with cohort_of(PATIENTS) as folder, interpreter_with("polars") as python:
        polars: list[str | Path] = [python, "-c", READ]
        size = sum(path.stat().st_size for path in folder.glob("*.csv")) / (1 << 20)
        used([*polars, folder])  # has the files in the cache of the system
        for _ in range(runs):
            found["check"].append(used([BIN / "compendium", "check", folder]))
            found["polars"].append(used([*polars, folder]))
    seconds = {name: [one for one, _ in each] for name, each in found.items()}
    memory = [most for _, most in found["check"]]
    common = {"lower_is_better": True, "patients": PATIENTS}
    return {
        "check_beside_polars": ratio(
            seconds["check"],
            seconds["polars"],
            10,
            **{f"{name}_processor_seconds": each for name, each in seconds.items()},
            **common,
        ),
        "check_memory_beside_files": ratio(memory, [size], 5, memory_mib=memory, files_mib=size, **common),
    }


def growth(runs: int) -> dict[str, dict[str, Any]]:
    """Exponent of the processor seconds of each notebook's cells in the number of patients; the largest."""
    names = [path.stem for path in notebooks(ROOT)]
    seconds: dict[str, dict[int, list[float]]] = {name: {size: [] for size in SIZES} for name in names}
    for size in SIZES:
        with cohort_of(size) as folder:
            for _ in range(runs):
                for name, took in _cells(folder).items():
                    seconds[name][size].append(took)
    exponents = {
        name: float(np.polyfit(np.log(SIZES), np.log([np.median(each[n]) for n in SIZES]), 1)[0])
        for name, each in seconds.items()
    }
    largest = max(exponents.values())
    parts = {f"notebook_{name[:2]}": exponent for name, exponent in exponents.items()}
    result = {"ratio": largest, "target": 1.1, "parts": {**parts, "lower_is_better": True}, "runs": runs}
    return {"growth_of_notebooks": result}


def _cells(folder: Path) -> dict[str, float]:
    """Processor seconds of the cells of each notebook on a cohort, one after another in one process."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for file in ("pyproject.toml", "uv.lock"):
            shutil.copy2(ROOT / file, root / file)
        for part in ("notebooks", "data"):
            shutil.copytree(ROOT / part, root / part)
        for path in notebooks(root):
            notebook = json.loads(path.read_text(encoding="utf-8"))
            for cell in notebook["cells"]:
                if "parameters" in cell["metadata"].get("tags", []):
                    cell["source"] = [f"cohort = {str(folder)!r}\n", *cell["source"][1:]]
            path.write_text(json.dumps(notebook), encoding="utf-8")
        env = os.environ | {"COMPENDIUM_PROJECT": name, "COMPENDIUM_OUTPUT": str(root / "out")}
        env |= {"PYTHONHASHSEED": "0"} | ONE_THREAD | _WITHOUT_THREADS
        code = [sys.executable, str(Path(__file__).with_name("cells.py")), *map(str, notebooks(root))]
        done = subprocess.run(
            code, cwd=root / "notebooks", env=env, capture_output=True, text=True, check=True
        )
    lines = [line.split() for line in done.stderr.splitlines() if line.startswith("processor ")]
    return {name: float(seconds) for _, name, seconds in lines}
