"""The text of an executed notebook brought up to date without executing it.

Markdown and comments compute nothing. Where they alone were edited, the executed notebook gets them and keeps
its outputs: it is then what a new execution would have made.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from helpers.errors import CompendiumError
from helpers.kernels.stored import (
    FORMAT,
    INJECTED,
    Told,
    lasting_id,
    put_into_words,
    stored_metadata,
    stored_notebook_metadata,
)
from helpers.project.sources import cell_source, cell_tags, read_notebook
from helpers.results.files import write_whole

Cell = dict[str, Any]


def put_text(source: Path, executed: Path, told: Told | None = None) -> bool:
    """Give an executed notebook the text of its source; False if it has to be executed after all.

    Args:
        source: the notebook, which does the same as when it was executed.
        executed: the executed notebook; is replaced whole.
        told: gives Markdown cells in the cohort's language, by id; those that it leaves out stay.
    """
    try:
        before, now = read_notebook(executed), read_notebook(source)
    except CompendiumError:
        return False
    injected = [cell for cell in before["cells"] if INJECTED in cell_tags(cell)]
    executed_code = [c for c in before["cells"] if c["cell_type"] == "code" and INJECTED not in cell_tags(c)]
    if any(map(_names_lines, executed_code)):
        return False
    done = iter(executed_code)
    cells = [_cell(cell, number, done) for number, cell in enumerate(now["cells"], start=1)]
    if told is not None:
        put_into_words(cells, told)
    for cell in cells:
        cell["source"] = cell["source"].splitlines(keepends=True)
    tagged = [place for place, cell in enumerate(cells) if "parameters" in cell_tags(cell)]
    place = tagged[0] + 1 if tagged else 0
    whole = {
        "cells": [*cells[:place], *injected, *cells[place:]],
        "metadata": stored_notebook_metadata(now.get("metadata", {})),
        "nbformat": FORMAT[0],
        "nbformat_minor": FORMAT[1],
    }
    text = json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True, separators=(",", ": "))
    write_whole(executed, (text + "\n").encode())
    return True


def _cell(cell: Mapping[str, Any], number: int, executed: Iterator[Cell]) -> Cell:
    made = {
        "cell_type": cell["cell_type"],
        "id": lasting_id(cell.get("id"), number),
        "metadata": stored_metadata(cell.get("metadata", {})),
        "source": cell_source(cell),
    }
    if "attachments" in cell:
        made["attachments"] = cell["attachments"]
    if cell["cell_type"] == "code":
        done = next(executed)
        made |= {"outputs": done["outputs"], "execution_count": done["execution_count"]}
    return made


def _names_lines(cell: Cell) -> bool:
    """Whether an output may say a line of the source: a warning, or an error."""
    return any(
        output.get("output_type") == "error" or output.get("name") == "stderr" for output in cell["outputs"]
    )
