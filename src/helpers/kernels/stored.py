"""How an executed notebook is stored: nothing in it says when, where and by which program it ran.

>>> lasting_id(None, 3), lasting_id("ab12", 3)
('cell-03', 'ab12')
>>> stored_metadata({"tags": ["parameters"], "execution": {}})
{'tags': ['parameters']}
>>> stored_notebook_metadata({})["kernelspec"]["name"]
'python3'
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

KERNEL = "python3"
FORMAT = (4, 5)
Told = Callable[[Mapping[str, str]], Mapping[str, str]]
"""Gives Markdown cells in another language, by id, from a notebook's own; those that it leaves out stay."""

INJECTED = "injected-parameters"  # tag, and id, of the cell that papermill puts in
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": KERNEL}
LANGUAGE = {"name": "python"}
_TIMING = {"papermill", "execution", "ExecuteTime"}


def lasting_id(own: str | None, number: int) -> str:
    """Id of a cell: its own, or one from its number, the first being 1."""
    return own or f"cell-{number:02d}"


def stored_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata of a cell without times of execution."""
    return {key: value for key, value in metadata.items() if key not in _TIMING}


def stored_notebook_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata of a notebook without times of execution, with kernel and language as always."""
    return stored_metadata(metadata) | {"kernelspec": KERNELSPEC, "language_info": LANGUAGE}


def put_into_words(cells: Iterable[Any], told: Told) -> None:
    """Put Markdown cells, whose sources are texts, into another language."""
    markdown = {cell["id"]: cell for cell in cells if cell["cell_type"] == "markdown"}
    for name, text in told({name: cell["source"] for name, cell in markdown.items()}).items():
        markdown[name]["source"] = text
