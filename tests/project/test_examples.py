"""Examples in docstrings are run, and most public functions have one."""

from __future__ import annotations

import doctest
import importlib
from collections import Counter
from pathlib import Path

import pytest
from examples import SOURCE, names_for, public_functions

from helpers.report.figures.output import drawings, exhibits

LEAST_SHARE = 0.80
WITH_EXAMPLES = [path for path in sorted(SOURCE.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")]


@pytest.fixture
def registers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an example registers is gone after it: other tests in the same process list what there is."""
    drawings.load_drawings()
    monkeypatch.setattr(exhibits, "_EXHIBITS", dict(exhibits._EXHIBITS))
    monkeypatch.setattr(drawings, "_DRAWINGS", dict(drawings._DRAWINGS))


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_examples_do_what_they_say(path: Path, registers: None) -> None:
    name = ".".join(("helpers", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner()
    found = [test for test in doctest.DocTestFinder(exclude_empty=True).find(module, name) if test.examples]
    assert found, f"{name} has examples that nothing runs"
    said: list[str] = []
    for test in found:
        test.globs = names_for(test.docstring) | test.globs
        runner.run(test, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


def test_most_public_functions_have_a_running_example() -> None:
    functions = list(public_functions())
    assert len(functions) > 1000
    share = sum(each.shown for each in functions) / len(functions)
    without = Counter(each.room for each in functions if not each.shown)
    assert share >= LEAST_SHARE, f"{share:.1%}; without an example: {dict(without)}"


MODULE = '''
"""A room.

>>> shown_by_module(1)
2
"""
def shown_by_module(x): "Only named here: not_shown."
def not_shown(x): "Said to be like not_shown."
def _private(x): ">>> _private(1)"
def shown(x):
    """An example.

    >>> 1 + 1
    2
    """
class Thing:
    """A thing.

    >>> Thing().turned()
    """
    def turned(self): ...
    def turn(self): ...
    @property
    def size(self): ...
class _Hidden:
    def inside(self): ...
'''


def test_what_counts_as_a_public_function_with_an_example(tmp_path: Path) -> None:
    (tmp_path / "stats").mkdir()
    (tmp_path / "stats" / "room.py").write_text(MODULE, encoding="utf-8")
    counted = {each.name: (each.shown, each.own) for each in public_functions(tmp_path)}
    assert counted == {
        "shown_by_module": (True, False),
        "not_shown": (False, False),
        "shown": (True, True),
        "Thing.turned": (True, False),
        "Thing.turn": (False, False),
    }
