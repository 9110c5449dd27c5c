"""A folder that may leave the hospital: nothing in it, alone or together, gives a small count away."""

from __future__ import annotations

import csv
import fnmatch
import json
import re
import shutil
from pathlib import Path

import pytest
from command import ROOT, compendium
from disclosed import SMALLEST, Published, determined

from helpers.report.figures.output.exhibits import exhibits
from helpers.results.catalogue import analyses
from helpers.results.disclosure import CLASSES, EXHIBITS, disclosure_of
from helpers.results.store import Statistics
from helpers.results.suppression import suppressed
from helpers.run.plan import load_plan

NAME = "rdmas_reconstructed"
IDENTIFIERS = re.compile(r"\b[RC](?:0[1-9]|1\d|2[01])\b")


def stored(folder: Path) -> Statistics:
    return Statistics.read(folder / "statistics")


@pytest.fixture(scope="module")
def whole() -> Statistics:
    """All numbers of the embedded cohort, as they are committed."""
    return stored(ROOT / "results" / NAME)


# --- every kind has a class ---------------------------------------------------------------------------


def test_every_kind_of_the_catalogue_has_a_disclosure_class():
    lacking = []
    for name, analysis in analyses().items():
        kinds = [*analysis.kinds(), *(pattern.replace("*", "any") for pattern in analysis.patterns)]
        lacking += [f"{name}.{kind}" for kind in kinds if disclosure_of(name, kind) is None]
    assert lacking == []
    assert set(CLASSES) <= set(analyses())


def test_no_class_is_given_to_a_kind_that_does_not_exist():
    """A spelling that fits nothing would leave the kind that was meant to another class."""
    stray = []
    for name, kinds in CLASSES.items():
        analysis = analyses()[name]
        for kind in kinds:
            known = any(fnmatch.fnmatchcase(one, kind) for one in analysis.kinds())
            by_pattern = any(fnmatch.fnmatchcase(kind, pattern) for pattern in analysis.patterns)
            if not known and not by_pattern and kind != "*":
                stray.append(f"{name}.{kind}")
    assert [one for one in stray if one.rpartition(".")[2] not in {"mean", "sd"}] == []


def test_every_exhibit_has_a_disclosure_class():
    written = {Path(place).stem for step in load_plan() for place in step.writes}
    tables = {name for name in written if re.match(r"table_(s?\d)", name)}
    assert tables | set(exhibits()) | {"figure_1"} == set(EXHIBITS)


def test_a_kind_without_a_class_is_not_shared(whole):
    from dataclasses import replace

    row = next(iter(whole.select(analysis="baseline", statistic="median")))
    stray = replace(row, id=row.id.replace("baseline", "unheard_of", 1), analysis="unheard_of")
    assert stray.id in suppressed(Statistics([*whole.values(), stray])).hidden


# --- no suppressed count is determined by what is published --------------------------------------------


def test_no_suppressed_count_of_the_embedded_cohort_is_determined(whole):
    assert determined(whole) == []


@pytest.mark.parametrize("smallest", [3, 8])
def test_nor_with_another_smallest_count(whole, smallest):
    assert determined(whole, smallest) == []


def test_the_solver_finds_what_is_not_protected(whole):
    """The proof above can fail: with a complement shown the suppressed count is determined."""
    published = Published(whole, SMALLEST)
    name = "baseline.sex.ruxolitinib.baseline.other_count"
    assert name in published.suppressed_counts()
    other = published.names["baseline.sex.ruxolitinib.baseline.count"]
    published.low[other] = published.high[other] = whole["baseline.sex.ruxolitinib.baseline.count"].value
    assert published.range_of(name) == (3, 3)


# --- what the folder holds -----------------------------------------------------------------------------


def test_the_shared_folder_passes_the_search(shared):
    done = compendium("verify", shared, "--privacy", "--cohort", NAME)
    assert done.returncode == 0, done.stderr
    assert "nothing found" in done.stdout


def test_a_whole_run_is_current_though_no_plan_is_frozen(made):
    done = compendium("status", NAME, "--output", made)
    assert done.returncode == 0, done.stdout


def test_results_that_are_not_of_one_piece_are_not_shared(made, tmp_path):
    shutil.copytree(made, tmp_path / "output", ignore=shutil.ignore_patterns("shared"))
    file = tmp_path / "output" / "results" / NAME / "statistics" / "04_survival.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("survival", "Survival"), encoding="utf-8")
    done = compendium("share", NAME, "--to", tmp_path / "shared", "--output", tmp_path / "output")
    assert done.returncode == 1
    assert "not of one piece" in done.stderr
    assert not (tmp_path / "shared").exists()


def test_what_was_suppressed_says_so(shared):
    rows = stored(shared)
    deaths = rows["survival.death.ruxolitinib.day_56.deaths"]
    assert deaths.value != deaths.value
    assert deaths.qualifier == "<5"
    assert rows["survival.death.control.day_56.deaths"].value == 8
    assert rows["survival.death.both.day_56.logrank"].qualifier == "not shown"
    with (shared / "tables" / "table_1.csv").open(encoding="utf-8") as file:
        cells = [cell for line in csv.reader(file) for cell in line]
    assert {"<5", "not shown"} <= set(cells)


def test_free_text_of_a_few_patients_is_not_shown(shared, whole):
    few = [row for row in whole.select(analysis="exposure") if row.statistic.startswith("stopped_")]
    assert len(few) > 2
    assert not {row.id for row in few} & set(stored(shared))
    told = (shared / "tables" / "table_7_exposure.csv").read_text(encoding="utf-8").lower()
    assert "tapered" not in told
    assert "etoposide" not in told


def test_no_extreme_no_step_and_no_small_count_has_a_value(shared):
    for row in stored(shared).values():
        kind = disclosure_of(row.analysis, row.statistic)
        known = row.value == row.value
        assert not (known and kind in ("extreme", "step", "crossed", "copy", None)), row.id
        assert not (known and kind == "count" and row.value < SMALLEST), row.id
        assert row.n is None or row.n >= SMALLEST or kind == "setting", row.id


def test_tables_hold_no_number_that_the_rows_do_not_have(shared):
    rows = stored(shared)
    for path in sorted((shared / "tables").glob("*.json")):
        for number in numbers_of(json.loads(path.read_text(encoding="utf-8"))):
            value, identifier, column, _ = number
            assert identifier, path.name
            assert float(value) == pytest.approx(float(getattr(rows[identifier], column)), nan_ok=True)


def numbers_of(part):
    if isinstance(part, dict):
        yield from (part.get("numbers") or {}).values()
        for key, value in part.items():
            if key != "numbers":
                yield from numbers_of(value)
    elif isinstance(part, list):
        for one in part:
            yield from numbers_of(one)


def test_what_was_left_out_is_named_with_its_reason(shared):
    with (shared / "left_out.csv").open(encoding="utf-8") as file:
        left_out = dict(csv.reader(file))
    assert "single patients" in left_out["figures/figure_s6_exposure"]
    assert "single patients" in left_out["tables/table_s12_explanation"]
    assert {"data/", "notebooks/", "provenance.json"} <= set(left_out)
    present = {path.name for path in shared.rglob("*")}
    assert not {name for name in present if name.endswith(".parquet") or name == "provenance.json"}
    for place in left_out:
        if not left_out[place].startswith("drawn without"):
            assert "/" not in place.rstrip("/") or not list(shared.glob(f"{place}.*")), place


def test_no_sentence_tells_what_is_not_shown(shared):
    from docx import Document

    text = "\n".join(one.text for one in Document(shared / "manuscript.docx").paragraphs)
    assert "counts below 5" in text
    assert not re.search(r"\b(?:1|19) of (?:the )?20\b|95\.0%|0\.109|0\.011", text)
    assert not IDENTIFIERS.search(text)


@pytest.mark.slow
def test_the_same_results_make_the_same_bytes(shared, tmp_path):
    again = tmp_path / "again"
    done = compendium("share", NAME, "--to", again, "--output", shared.parent)
    assert done.returncode == 0, done.stderr
    files = sorted(path.relative_to(shared) for path in shared.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert [name for name in files if (shared / name).read_bytes() != (again / name).read_bytes()] == []


def test_a_folder_that_holds_something_is_not_written_to(shared):
    done = compendium("share", NAME, "--to", shared, "--output", shared.parent)
    assert done.returncode == 1
    assert "not empty" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_copy_of_the_results_themselves_is_refused(shared, tmp_path):
    copied = tmp_path / "copied"
    shutil.copytree(shared.parent / "results" / NAME / "statistics", copied)
    done = compendium("verify", copied, "--privacy")
    assert done.returncode == 1
    assert "04_survival.csv: survival.death.ruxolitinib.day_56.deaths: a small count" in done.stderr
