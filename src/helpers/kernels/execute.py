"""Run one notebook in a kernel of its own, by papermill.

Times, run ids, paths and random cell ids that papermill and nbclient write into a notebook are left out: the
same notebook on the same data gives the same bytes.
"""

import logging
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from helpers.errors import CompendiumError
from helpers.faults import cell_in_words, in_words
from helpers.kernels.fork_server.client import PATIENCE_SECONDS
from helpers.kernels.fork_server.quick import PooledKernelManager
from helpers.kernels.pool import START_OPTIONS, manager_settings
from helpers.kernels.stored import (
    FORMAT,
    INJECTED,
    KERNEL,
    Told,
    lasting_id,
    put_into_words,
    stored_metadata,
    stored_notebook_metadata,
)
from helpers.project import web_addresses  # noqa: F401  # before nbformat, which would load their grammar

# Threads execute notebooks at the same time. Two threads that import what imports each other break one
# another's imports, so everything is imported here, by whoever imports this module, and nothing later.
import nbformat  # isort: skip
from nbclient.exceptions import DeadKernelError  # isort: skip
import papermill  # isort: skip
from papermill.exceptions import PapermillExecutionError  # isort: skip
from papermill.log import logger  # isort: skip

_DIED = " (the system ends a program that takes too much memory: close others, or use --workers 1)"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

# Where it is installed, papermill has it format the parameters: other bytes, and imported by a thread.
sys.modules.setdefault("black", cast("ModuleType", None))
logger.addHandler(logging.NullHandler())  # it would tell on standard error what is raised as well


class NotebookFailedError(CompendiumError):
    """A notebook stopped with an error.

    Attributes:
        cell: number of the cell in the notebook, the first cell is 1, all kinds of cells counted; 0 if no
            single cell is to blame.
        reason: kind of the error and its message.
        line: first line of the cell's source.
    """

    def __init__(self, name: str, cell: int, reason: str, line: str = "") -> None:
        self.name, self.cell, self.reason, self.line = name, cell, reason, line
        place = f"{name}, cell {cell}" if cell else name
        super().__init__(f"{place}: {reason}" + (f" [{line}]" if line else ""))


def execute_notebook(
    source: Path,
    target: Path,
    parameters: Mapping[str, Any],
    *,
    failed: Path,
    kernel: PooledKernelManager,
    told: Told | None = None,
) -> None:
    """Execute a notebook and store it with its outputs.

    The target appears only when every cell has succeeded. The kernel starts in the notebook's folder, as in
    JupyterLab.

    Args:
        source: the notebook; its stored outputs are ignored.
        target: where the executed notebook goes; parent folders are made.
        parameters: values put in place of those in the cell tagged ``parameters``; none injects no cell.
        failed: where the notebook goes if a cell fails, as far as it came.
        kernel: manager of the started kernel; whoever started it ends it.
        told: gives Markdown cells in another language, by id, from those of the notebook; those that it
            leaves out stay.

    Raises:
        NotebookFailedError: a cell failed or the kernel died.
    """
    original = _blank(nbformat.read(source, as_version=4))
    if told is not None:
        put_into_words(original.cells, told)
    failed.parent.mkdir(parents=True, exist_ok=True)
    failed.unlink(missing_ok=True)
    try:
        executed = _run(original, parameters, source.parent, failed, kernel)
    except PapermillExecutionError as error:
        raise _failure(source.stem, error, original, injected=bool(parameters)) from None
    except Exception as error:  # a kernel that dies or does not start raises many kinds
        reason = in_words(error) or f"the kernel stopped: {str(error).strip() or type(error).__name__}"
        if isinstance(error, DeadKernelError):
            reason += _DIED
        raise NotebookFailedError(source.stem, 0, reason) from error
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    nbformat.write(_clean(executed, original), partial)
    partial.replace(target)
    failed.unlink(missing_ok=True)


def _run(
    notebook: Any, parameters: Mapping[str, Any], folder: Path, failed: Path, kernel: PooledKernelManager
) -> Any:
    return papermill.execute_notebook(
        notebook,
        str(failed).replace("{", "{{").replace("}", "}}"),  # papermill fills in braces of paths
        parameters=dict(parameters),
        kernel_name=KERNEL,
        progress_bar=False,
        start_timeout=PATIENCE_SECONDS,
        iopub_timeout=PATIENCE_SECONDS,  # by default outputs that come four seconds late are dropped
        request_save_on_cell_execute=False,
        autosave_cell_every=0,
        resources={"metadata": {"path": str(folder)}},
        coalesce_streams=True,
        record_timing=False,
        config=manager_settings(),
        extra_arguments=START_OPTIONS.copy(),
        km=kernel,
    )


def _blank(notebook: Any) -> Any:
    """The notebook without outputs, every cell with a lasting id."""
    for index, cell in enumerate(notebook.cells, start=1):
        cell.id = lasting_id(cell.get("id"), index)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.nbformat, notebook.nbformat_minor = FORMAT
    return notebook


def _clean(executed: Any, original: Any) -> Any:
    """The executed notebook with the metadata of the original and no trace of when and where it ran."""
    metadata = {cell.id: cell.metadata for cell in original.cells}
    for cell in executed.cells:
        if INJECTED in cell.metadata.get("tags", []):
            cell.id, cell.metadata = INJECTED, nbformat.from_dict({"tags": [INJECTED]})
        else:
            cell.metadata = nbformat.from_dict(stored_metadata(metadata[cell.id]))
    executed.metadata = nbformat.from_dict(stored_notebook_metadata(original.metadata))
    executed.nbformat, executed.nbformat_minor = FORMAT
    return executed


def _failure(name: str, error: Any, original: Any, *, injected: bool) -> NotebookFailedError:
    """The failure with the number that the cell has in the notebook's own file."""
    tagged = [i for i, cell in enumerate(original.cells) if "parameters" in cell.metadata.get("tags", [])]
    place_of_injected = tagged[0] + 1 if tagged else 0
    behind = injected and error.cell_index > place_of_injected
    message = _COLOUR.sub("", str(error.evalue)).strip().split("\n")
    reason = cell_in_words(str(error.ename), message[0])
    reason = reason or (f"{error.ename}: {message[0]}" if message[0] else str(error.ename))
    line = next((text.strip() for text in error.source.split("\n") if text.strip()), "")
    return NotebookFailedError(name, error.cell_index + (0 if behind else 1), reason, line)
