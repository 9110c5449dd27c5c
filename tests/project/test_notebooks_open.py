"""Every notebook of the walk opens with its question and its answer, and leads to the next."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
WALK = sorted((ROOT / "notebooks").glob("0*.ipynb"))
every_notebook = pytest.mark.parametrize("path", WALK, ids=lambda path: path.stem)


@cache
def cells(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return found


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def said(cell: dict[str, Any]) -> list[str]:
    """What the outputs of a cell say in words."""
    return ["".join(one.get("data", {}).get("text/markdown", "")) for one in cell.get("outputs", [])]


@every_notebook
def test_it_opens_with_a_question(path: Path) -> None:
    title, question = source(cells(path)[0]).split("\n\n")[:2]
    assert re.fullmatch(r"# \d\. .+", title)
    assert re.fullmatch(r"\*\*.+\?\*\*", question)


@every_notebook
def test_its_parameters_stand_in_a_table_as_they_are_declared(path: Path) -> None:
    (declared,) = [one for one in cells(path) if "parameters" in one["metadata"].get("tags", [])]
    names = set(re.findall(r"^(\w+) = ", source(declared), re.MULTILINE)) - {"cohort"}
    opened = "\n".join(said(cells(path)[2]))
    assert "| parameter | value | what it is |" in opened
    assert set(re.findall(r"^\| `(\w+)` \| [^|]+ \| \w[^|]+ \|$", opened, re.MULTILINE)) == names


@every_notebook
def test_the_answer_comes_before_the_first_heading(path: Path) -> None:
    for cell in cells(path)[1:]:
        assert not source(cell).startswith("## "), "a heading stands before the answer"
        answers = [one for one in said(cell) if one.startswith("**Answer.** ")]
        if answers:
            assert re.search(r"\banswer\($|\banswer\(\w", source(cell), re.MULTILINE)
            assert len(answers[0]) > 40
            return
    pytest.fail("there is no answer")


@every_notebook
def test_it_leads_to_the_next(path: Path) -> None:
    following = [*WALK, ROOT / "notebooks" / "explore.ipynb"]
    expected = following[following.index(path) + 1]
    assert re.search(rf"^Next: \[[^\]]+\]\({expected.name}\)$", source(cells(path)[-1]), re.MULTILINE)


@every_notebook
def test_every_figure_has_words(path: Path) -> None:
    for cell in cells(path):
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                assert len(output["metadata"]["image/png"]["alt"]) > 20
