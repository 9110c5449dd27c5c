"""Examples in docstrings are run, and most public functions have one."""

from __future__ import annotations

import doctest
import importlib
from collections import Counter
from pathlib import Path

import pytest
from examples import SOURCE, names_for, public_functions

LEAST_SHARE = 0.80
WITH_EXAMPLES = [path for path in sorted(SOURCE.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_examples_do_what_they_say(path: Path) -> None:
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
