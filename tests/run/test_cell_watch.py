"""Cells that take longer than a second say which step is at work, and leave nothing behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.explore.contents import as_stored
from helpers.run import cell_watch
from helpers.run.cell_watch import MARK, CellWatch, step_at, watch_cells

CELL = "first = 1\nwait(\n    first\n)\nlast = 3\n"


class Shell:
    """A shell as IPython's, as far as it is used here."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {}
        self.hooks: dict[str, Callable[[Any], None]] = {}
        self.events = SimpleNamespace(register=self.hooks.__setitem__)
        self.display_pub = self
        self.shown: list[tuple[str, bool]] = []
        self.names: set[str] = set()

    def publish(
        self, data: dict[str, str], metadata: dict[str, Any], *, transient: dict[str, str], update: bool
    ) -> None:
        assert metadata == {MARK: True}
        self.names.add(transient["display_id"])
        self.shown.append((data["text/plain"], update))

    def run(self, cell: str) -> None:
        self.hooks["pre_run_cell"](SimpleNamespace(raw_cell=cell))
        exec(compile(cell, "cell", "exec"), self.user_ns)
        self.hooks["post_run_cell"](None)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setattr(cell_watch, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(cell_watch, "PACE_SECONDS", 0.01)
    made = Shell()
    CellWatch(made)
    return made


def test_a_long_cell_tells_its_step_and_then_nothing(shell: Shell) -> None:
    shell.user_ns["wait"] = lambda _: time.sleep(0.5)
    shell.run(CELL)
    assert shell.shown == [("Step 2 of 3: wait(", False), ("", True)]
    assert len(shell.names) == 1


def test_a_quick_cell_says_nothing(shell: Shell) -> None:
    shell.user_ns["wait"] = lambda _: None
    shell.run(CELL)
    assert shell.shown == []


def test_no_thread_is_left(shell: Shell) -> None:
    before = threading.active_count()
    shell.user_ns["wait"] = lambda _: time.sleep(0.1)
    shell.run(CELL)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("line", "words"),
    [(1, "Step 1 of 3: first = 1"), (3, "Step 2 of 3: wait("), (5, "Step 3 of 3: last = 3")],
)
def test_a_step_is_a_statement_of_the_cell(line: int, words: str) -> None:
    assert step_at(CELL, line) == words


def test_what_is_no_python_has_no_steps() -> None:
    assert step_at("%matplotlib inline", 1) == ""


def test_nobody_watches_where_nobody_has_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cell_watch.PROGRESS_VARIABLE, raising=False)
    assert not watch_cells()
    monkeypatch.setenv(cell_watch.PROGRESS_VARIABLE, "1")
    assert not watch_cells()  # no kernel


def test_the_line_is_not_saved() -> None:
    line = {"output_type": "display_data", "data": {"text/plain": ""}, "metadata": {MARK: True}}
    result = {"output_type": "execute_result", "data": {"text/plain": "1"}, "metadata": {}}
    cell = {"cell_type": "code", "metadata": {}, "outputs": [line, result]}
    assert as_stored({"metadata": {}, "cells": [cell]})["cells"][0]["outputs"] == [result]
