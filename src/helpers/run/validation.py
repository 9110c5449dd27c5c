"""Plugin of pytest for one session of nbval: ``pytest -p helpers.run.validation --nbval -n 2``.

Notebooks are compared with their stored outputs side by side. One that reads the statistics of others waits
for them, and an ordinary test of the same session waits for all notebooks: the plan says who reads what.
"""

import shutil
import tempfile
import time
from collections.abc import Generator
from functools import cache, partial
from pathlib import Path
from typing import Any

import nbval.kernel
import pytest
from jupyter_client.manager import KernelManager

from helpers.kernels.fork_server.client import PATIENCE_SECONDS
from helpers.kernels.fork_server.quick import QuickBlockingClient
from helpers.project import web_addresses  # noqa: F401  # before nbformat
from helpers.run.plan import Step, load_plan, predecessors

_KEY = "folder_of_ended_notebooks"
_ENDED = pytest.StashKey[Path]()

nbval.kernel.KernelManager = partial(KernelManager, client_factory=QuickBlockingClient)
# The client has seen to that already; nbval gives the kernel ten seconds for it.
nbval.kernel.RunningKernel._ensure_iopub_up = lambda _: None


def pytest_configure(config: pytest.Config) -> None:
    """Have a folder in which the processes of the session tell each other which notebooks have ended."""
    config.option.nbval_kernel_startup_timeout = PATIENCE_SECONDS
    given = getattr(config, "workerinput", {}).get(_KEY)
    config.stash[_ENDED] = Path(given or tempfile.mkdtemp(prefix="notebooks-"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of pytest-xdist where this folder is."""
    node.workerinput[_KEY] = str(node.config.stash[_ENDED])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(config.stash[_ENDED], ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest notebook; those that read the statistics of others, and tests, come last."""

    def place(item: pytest.Item) -> tuple[int, int]:
        if item.path.suffix != ".ipynb":
            return (2, 0)
        step = _steps().get(item.path.stem)
        return (1 if read_by(item.path.stem) else 0, -len(step.writes) if step else 0)

    items.sort(key=place)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Wait for the notebooks that this one or this test needs.

    Raises:
        pytest.fail.Exception: they do not end.
    """
    here = {other.path.stem for other in item.session.items if other.path.suffix == ".ipynb"}
    notebook = item.path.suffix == ".ipynb"
    waiting = here & (read_by(item.path.stem) if notebook else here)
    until = time.monotonic() + PATIENCE_SECONDS
    while waiting := {name for name in waiting if not (item.config.stash[_ENDED] / name).exists()}:
        if time.monotonic() > until:
            pytest.fail(f"waited {PATIENCE_SECONDS:.0f} s in vain for {', '.join(sorted(waiting))}")
        time.sleep(0.05)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, Any, Any]:
    """Tell that a notebook has ended, whether well or not."""
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path != item.path:
            (item.config.stash[_ENDED] / item.path.stem).touch()


@cache
def _steps() -> dict[str, Step]:
    return {step.name: step for step in load_plan()}


@cache
def read_by(notebook: str) -> frozenset[str]:
    """Notebooks whose statistics a notebook reads; analysis tables it makes itself if need be.

    >>> sorted(read_by("07_historical_control"))
    ['02_baseline_comparison', '04_survival']
    """
    step = _steps().get(notebook)
    others = predecessors(step, _steps().values()) if step else []
    return frozenset(other.name for other in others if step and f"statistics/{other.name}.csv" in step.reads)
