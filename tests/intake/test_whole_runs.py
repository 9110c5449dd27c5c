"""From a hospital's file to a finished run by the commands alone: the same statistics to the last digit."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path

import pytest
from command import compendium
from invented import Invented, invented, write_canonical
from notebook_walk import walk
from shapes import SHAPES
from test_shapes import own_ids, with_own_labels

WANTED = [name for name in os.environ.get("INTAKE_SHAPES", "").split(",") if name] or list(SHAPES)


@pytest.fixture(scope="module")
def cohort() -> Invented:
    return invented(6)


def statistics(folder: Path, ids: dict[str, str]) -> dict[str, list[str]]:
    """Every stored row by its id, as text; patients by their names in the canonical tables."""
    found = {}
    for file in sorted(folder.glob("*.csv")):
        text = file.read_text(encoding="utf-8")
        if ids:
            text = re.sub(r"\bP\d{3}\b", lambda match: ids.get(match[0], match[0]), text)
            text = re.sub(r"\bp\d{3}\b", lambda m: ids.get(m[0].upper(), m[0]).lower(), text)
        for row in csv.reader(text.splitlines()[1:]):
            assert (file.name, row[0]) not in found
            found[f"{file.name}: {row[0]}"] = row
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", WANTED)
def test_a_file_becomes_a_finished_run_with_the_statistics_of_the_canonical_tables(name, cohort, tmp_path):
    shape = SHAPES[name]
    assert len(shape.answers) <= 5
    (tmp_path / "raw").mkdir()
    files = shape.write(cohort, tmp_path / "raw")
    told = [part for key, answer in shape.answers.items() for part in ("--answer", f"{key}={answer}")]
    given = [part for file in files for part in ("--from", file)]
    taken, canonical = tmp_path / "taken", tmp_path / "canonical"
    made = compendium("new", taken, *given, *told, "--yes")
    assert made.returncode == 0, made.stdout + made.stderr
    write_canonical(cohort, canonical, leave_out=shape.leave_out)
    settings = with_own_labels((taken / "cohort.toml").read_text(encoding="utf-8"))
    (canonical / "cohort.toml").write_text(settings, encoding="utf-8")
    done = compendium("run", taken, "--output", tmp_path / "output", figures="svg")
    assert done.returncode == 0, done.stdout + done.stderr
    walked = walk(canonical, tmp_path / "output")
    assert walked.returncode == 0, walked.stderr
    results = tmp_path / "output" / "results"
    ours, wanted = (
        statistics(results / folder / "statistics", ids)
        for folder, ids in (("taken", own_ids(cohort, taken)), ("canonical", {}))
    )
    assert len(wanted) > 500
    assert {row: ours.get(row) for row in wanted if ours.get(row) != wanted[row]} == {}
    assert set(ours) == set(wanted)
    names = [
        {
            file.relative_to(results / one).as_posix()
            for part in ("tables/*.json", "statistics/*", "data/**/*")
            for file in (results / one).glob(part)
            if file.is_file()
        }
        for one in ("taken", "canonical")
    ]
    # Of each figure there is a recipe; the figure that is put together of others is no notebook's.
    assert names[0] == names[1] | {"data/recipes/figure_1.json"}
    for document in ("manuscript.docx", "supplement.docx", "report.html"):
        assert (results / "taken" / document).stat().st_size > 20_000
