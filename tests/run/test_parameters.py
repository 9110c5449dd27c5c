from __future__ import annotations

import pytest

from helpers.run.parameters import (
    ParameterError,
    check_parameters,
    declared_parameters,
    injected,
    parse_assignments,
)


def test_values_are_literals_or_else_text() -> None:
    given = parse_assignments(
        ["a=90", "b=None", "c=0.9", "d=[1, 2]", "e=True", "f=plain text", "g='x=y'", "h="]
    )
    assert given == {
        "a": 90,
        "b": None,
        "c": 0.9,
        "d": [1, 2],
        "e": True,
        "f": "plain text",
        "g": "x=y",
        "h": "",
    }


def test_every_malformed_assignment_is_listed() -> None:
    with pytest.raises(ParameterError) as error:
        parse_assignments(["horizon", "1x=3", "cohort=other", "a=1", "a=2"])
    lines = str(error.value).split("\n")
    assert len(lines) == 4
    assert "found 'horizon', expected NAME=VALUE" in lines[0]
    assert "name it after" in lines[2]
    assert "a is given twice" in lines[3]


def test_declared_parameters_are_read_from_the_tagged_cell(project) -> None:
    cell = project.code(
        'cohort = "small"  # which\nhorizon_days: int | None = None\nlimits = [1, -2.5]', "parameters"
    )
    path = project.notebook("01_first", project.code("cohort = 1"), cell)
    assert declared_parameters(path) == {"cohort": "small", "horizon_days": None, "limits": [1, -2.5]}


@pytest.mark.parametrize("source", ["a = b", "import os", "a = f(1)", "a, b = 1, 2", "a = ("])
def test_anything_but_literals_in_the_tagged_cell_is_refused(project, source) -> None:
    path = project.notebook("01_first", project.code(source, "parameters"))
    with pytest.raises(ParameterError, match=r"01_first.ipynb: the cell tagged 'parameters' may hold only"):
        declared_parameters(path)


def test_a_notebook_needs_exactly_one_tagged_cell(project) -> None:
    path = project.notebook("01_first", project.code("a = 1"))
    with pytest.raises(ParameterError, match="found 0 cells"):
        declared_parameters(path)
    path = project.notebook(
        "01_first", project.code("a = 1", "parameters"), project.code("b = 1", "parameters")
    )
    with pytest.raises(ParameterError, match="found 2 cells"):
        declared_parameters(path)


DECLARED = {"one": {"cohort": "small", "days": None, "seed": 1}, "two": {"cohort": "small", "draw": True}}


def test_parameters_that_some_notebook_knows_are_accepted() -> None:
    check_parameters({"days": 90, "seed": 2.0, "draw": False}, DECLARED)


def test_every_unknown_or_unfit_parameter_is_listed() -> None:
    with pytest.raises(ParameterError) as error:
        check_parameters({"dyas": 90, "seed": "x", "draw": 1}, DECLARED)
    text = str(error.value)
    assert "unknown parameter 'dyas'; the notebooks know days, draw, seed" in text
    assert "seed: found 'x', expected a whole number, from 0 to 4294967295" in text
    assert "draw: found 1, expected True or False" in text


def test_a_notebook_gets_only_what_it_declares_and_what_differs() -> None:
    given = {"days": 90, "seed": 1, "draw": False}
    assert injected(given, DECLARED["one"], "small") == {"days": 90}
    assert injected(given, DECLARED["two"], "other") == {"cohort": "other", "draw": False}
    assert injected({}, DECLARED["one"], "small") == {}
    assert injected({"seed": True}, DECLARED["one"], "small") == {"seed": True}
