"""Notebooks as JupyterLab reads and writes them: not changed by being opened, without one machine's marks.

JupyterLab writes into a notebook what the kernel says of itself as soon as it is opened, which makes it
dirty at once and different on every machine. Here that is filled in when a notebook is read and taken out
when it is written; so are the numbers of widgets, which mean nothing once their kernel has ended, and the
line that tells how far a cell has come.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

from helpers.kernels.stored import KERNEL, KERNELSPEC, LANGUAGE
from helpers.run.cell_watch import MARK

DISPLAY_NAME = "RD-MAS compendium"
_WIDGET = "application/vnd.jupyter.widget-view+json"


class ProjectContents(AsyncLargeFileManager):
    """The files of the project; notebooks are read and written as said above."""

    async def get(self, path: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Return a file or folder; a notebook with what its kernel will say of itself."""
        model: dict[str, Any] = await super().get(path, *arguments, **options)
        if model["type"] == "notebook" and model.get("content"):
            model["content"]["metadata"] = as_read(model["content"]["metadata"])
        return model

    async def save(self, model: dict[str, Any], path: str = "") -> dict[str, Any]:
        """Write a file; a notebook without what belongs to this machine."""
        if model.get("type") == "notebook" and model.get("content"):
            model = model | {"content": as_stored(model["content"])}
        saved: dict[str, Any] = await super().save(model, path)
        return saved


def as_read(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook's metadata with the name of the kernel and its language as the kernel tells them.

    >>> as_read({"kernelspec": {"name": "python3"}})["kernelspec"]["display_name"]
    'RD-MAS compendium'
    """
    if metadata.get("kernelspec", {}).get("name") != KERNEL:
        return metadata
    told = {"kernelspec": KERNELSPEC | {"display_name": DISPLAY_NAME}}
    return metadata | told | {"language_info": deepcopy(IPythonKernel.language_info)}


def as_stored(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook as it is stored: bare metadata, no views of widgets, no times.

    >>> as_stored({"metadata": {"kernelspec": {"name": "python3"}}, "cells": []})["metadata"]["language_info"]
    {'name': 'python'}
    """
    metadata = {name: value for name, value in notebook["metadata"].items() if name != "widgets"}
    if metadata.get("kernelspec", {}).get("name") == KERNEL:
        metadata |= {"kernelspec": KERNELSPEC, "language_info": LANGUAGE}
    return notebook | {"metadata": metadata, "cells": [_cell(cell) for cell in notebook["cells"]]}


def _cell(cell: dict[str, Any]) -> dict[str, Any]:
    if cell["cell_type"] != "code":
        return cell
    kept = [
        output
        for output in cell["outputs"]
        if _WIDGET not in output.get("data", {}) and MARK not in output.get("metadata", {})
    ]
    metadata = {name: value for name, value in cell["metadata"].items() if name != "execution"}
    return cell | {"outputs": kept, "metadata": metadata}
