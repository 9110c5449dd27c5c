"""There is one table of units, factors, limits of normal and labels; the package holds no second."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.vocabulary.reading import shipped_vocabulary

SOURCE = Path(__file__).parents[2] / "src" / "helpers"
VOCABULARY = SOURCE / "vocabulary"
WORDS = shipped_vocabulary()
MODULES = [path for path in sorted(SOURCE.rglob("*.py")) if VOCABULARY not in path.parents]
DATA = [path for path in sorted(SOURCE.rglob("*.toml")) if VOCABULARY not in path.parents]
# Two variables with what the vocabulary knows of them are the beginning of a second table.
ENOUGH = 2
# Keys of a table of limits of normal.
LIMITS = {
    "low",
    "high",
    "low_female",
    "low_male",
    "high_female",
    "high_male",
    "reference_low",
    "reference_high",
}


def texts(node: ast.AST) -> set[str]:
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def repeats(name: str, said: set[str]) -> bool:
    """Whether texts repeat a unit or a label that the vocabulary has of a measured variable."""
    variable = WORDS.variables[name]
    return bool(said & {variable.label, variable.label_zh, *(set(variable.unit_names) - {"1", ""})})


def second_tables(source: str) -> Iterator[int]:
    """Lines of mappings from measured variables, or drugs, to their units or labels."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Dict):
            continue
        keyed = [
            (key.value, texts(value))
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
        ]
        measured = [name for name, said in keyed if name in WORDS.measured and repeats(name, said)]
        drugs = [
            n
            for n, said in keyed
            if n in WORDS.drugs and said & {WORDS.drugs[n].label, WORDS.drugs[n].label_zh}
        ]
        if len(measured) >= ENOUGH or len(drugs) >= ENOUGH:
            yield node.lineno


def test_the_search_finds_a_second_table() -> None:
    table = '{"ferritin": {"ng/mL": 1.0, "ug/L": 1.0}, "hemoglobin": {"g/L": 1.0, "g/dL": 10.0}}'
    assert list(second_tables(f"FACTORS = {table}")) == [1]
    assert list(second_tables('X = {"ferritin": "Ferritin, ng/mL", "crp": "C-reactive protein, mg/L"}')) == [
        1
    ]
    assert list(second_tables('X = {"ferritin": 3, "crp": 4}')) == []
    assert tables_of_limits({"ranges": {"ferritin": {"high": 300}, "crp": {"high": 8}}})


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_no_module_holds_a_second_table_of_units_or_labels(path: Path) -> None:
    assert list(second_tables(path.read_text(encoding="utf-8"))) == []


def tables_of_limits(data: Any) -> list[str]:
    """Names of variables under which limits of normal stand."""
    found = []
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        if key in WORDS.measured and isinstance(value, dict) and set(value) & LIMITS:
            found.append(str(key))
        elif isinstance(value, dict | list):
            found += tables_of_limits(value)
    return found


@pytest.mark.parametrize("path", DATA, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_no_data_file_holds_limits_of_normal(path: Path) -> None:
    assert tables_of_limits(tomllib.loads(path.read_text(encoding="utf-8"))) == []


def test_no_module_converts_by_a_factor_of_its_own() -> None:
    """A factor that is not a power of ten stands in the vocabulary and nowhere else."""
    coded = (VOCABULARY / "variables.csv").read_text(encoding="utf-8")
    numbers = re.findall(r"(?<=[:/])\d*\.\d+", coded)
    # Three digits are a factor of its own; 1.71 is a printed limit as well.
    factors = {number for number in numbers if len(number.replace(".", "").strip("0")) > 2} - {"1.71"}
    assert {"88.57", "17.1", "88.4", "16.114"} <= factors
    found = [
        f"{path.relative_to(SOURCE)}: {number}"
        for path in (*MODULES, *DATA)
        for number in sorted(
            factors & set(re.findall(r"(?<![\w.])\d+\.\d+(?![\w.])", path.read_text("utf-8")))
        )
    ]
    assert found == []
