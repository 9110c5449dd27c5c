"""Analysis Results Data: every stored row is found in the file that the command writes, and nothing else."""

from __future__ import annotations

import csv
import math
import shutil
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from helpers.commands.cli import app
from helpers.commands.export import write_statistics
from helpers.errors import CompendiumError
from helpers.project.paths import OUTPUT_VARIABLE
from helpers.report.formats.ard import ARD_COLUMNS, ard_csv
from helpers.results.store import COLUMNS, ID_PARTS, StatisticsStore
from helpers.vocabulary.reading import shipped_vocabulary

ROOT = Path(__file__).parents[2]
COHORT = "rdmas_reconstructed"
STORED = ROOT / "results" / COHORT / "statistics"
IN_UNIT = {"value", "lower", "upper"}
MAY_BE_EMPTY = ("lower", "upper", "p_value", "n", "n_missing", "method")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def stored_rows(folder: Path) -> list[dict[str, str]]:
    return [row for path in sorted(folder.glob("*.csv")) for row in read(path)]


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> list[dict[str, str]]:
    """What the command writes of the committed statistics of the embedded cohort."""
    folder = tmp_path_factory.mktemp("output")
    shutil.copytree(STORED, folder / "results" / COHORT / "statistics")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(OUTPUT_VARIABLE, str(folder))
        path, rows, lines = write_statistics(COHORT, "ard", update=lambda: None)
    found = read(path)
    assert (rows, lines) == (len(stored_rows(STORED)), len(found))
    return found


def stored_again(lines: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    """The stored rows, put together from the lines alone, in whatever order they come."""
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        row = found.setdefault(line["id"], dict.fromkeys(COLUMNS, ""))
        parts = zip(ID_PARTS, line["id"].split("."), strict=True)
        row |= {"id": line["id"], "level": line["variable_level"], "note": line["note"], **dict(parts)}
        assert row[line["column"]] == ""
        row[line["column"]] = line["stat"]
        if line["column"] in IN_UNIT:
            row["unit"] = line["unit"]
        if line["column"] == "value":
            row["qualifier"] = line["qualifier"]
    return found


def test_the_stored_rows_come_back_whole(exported):
    stored = stored_rows(STORED)
    assert len(stored) > 3000
    wanted = {row["id"]: row for row in stored}
    assert stored_again(exported) == wanted
    assert stored_again(sorted(exported, key=lambda line: line["stat"])) == wanted


def test_there_is_a_line_for_each_number_and_none_beside(exported):
    stored = stored_rows(STORED)
    filled = sum(1 for row in stored for name in MAY_BE_EMPTY if row[name])
    half = sum(1 for row in stored if bool(row["lower"]) != bool(row["upper"]))
    assert half
    assert len(exported) == len(stored) + filled + half


def test_keys_are_those_of_the_stored_row(exported):
    for line in exported:
        analysis, variable, group, timepoint, statistic = line["id"].split(".")
        assert (line["context"], line["variable"]) == (analysis, variable)
        assert (line["group2"], line["group2_level"]) == ("timepoint", timepoint)
        levels = {"all": ("", ""), "both": ("group", "")}
        assert (line["group1"], line["group1_level"]) == levels.get(group, ("group", group))
        assert line["column"] != "value" or line["stat_name"] == statistic


def test_no_two_lines_have_one_key(exported):
    assert max(Counter((line["id"], line["stat_name"]) for line in exported).values()) == 1


def test_empty_numbers_keep_their_reason_or_stand_beside_the_p_value(exported):
    tested = {line["id"] for line in exported if line["column"] == "p_value"}
    empty = [line for line in exported if not line["stat"]]
    assert len(empty) > 50
    notes = {row["id"]: row["note"] for row in stored_rows(STORED)}
    assert all(line["error"] == notes[line["id"]] for line in empty)
    silent = [line["id"] for line in empty if line["column"] == "value" and not line["error"]]
    assert set(silent) <= tested


def test_columns_are_those_of_cards_in_their_order(exported):
    # cards 0.9: tidy_ard_column_order() puts groups first, then variables, these, and all others.
    wanted = [
        "group1", "group1_level", "group2", "group2_level", "variable", "variable_level",
        "context", "stat_name", "stat_label", "stat", "fmt_fun", "warning", "error",
    ]  # fmt: skip
    assert list(exported[0])[: len(wanted)] == wanted
    assert tuple(exported[0]) == ARD_COLUMNS
    assert all(line[name] for line in exported for name in ("variable", "context", "stat_name", "stat_label"))
    assert any(line["stat_name"] == "method" for line in exported)


def test_numbers_are_numbers_and_decimals_whole(exported):
    for line in exported:
        if line["column"] != "method" and line["stat"]:
            assert not math.isnan(float(line["stat"]))
        assert line["fmt_fun"] in {"", "0", "1", "2", "3"}
    of = {(line["id"], line["column"]): line["fmt_fun"] for line in exported}
    assert of["baseline.sex.ruxolitinib.baseline.count", "value"] == "0"
    assert of["baseline.sex.ruxolitinib.baseline.percent", "lower"] == "1"
    assert of["survival.death.both.day_56.logrank", "p_value"] == "3"


def test_awkward_rows_come_back(tmp_path):
    """Half-open and infinite intervals, limits of assays, other scripts, separators and an empty value."""
    store = StatisticsStore(tmp_path, "01_test")
    store.add("baseline", "ferritin", "median", group="control", timepoint="baseline", value=1500.0,
              lower=900.0, upper=math.inf, qualifier=">", unit="ng/mL", n=20, n_missing=1,
              note='known only as a limit, "the assay\'s"')  # fmt: skip
    store.add("survival", "death", "median", value=math.nan, lower=20.0, note="not reached")
    store.add("adverse_events", "u8089_", "count", level="=肺炎, 2 lines\nof it", value=0.0, unit="patients")
    store.add(
        "effect", "death", "hazard_ratio", group="both", value=1e-300, p_value=1.23456e-12, method="Cox"
    )
    store.write()
    lines = list(csv.DictReader(ard_csv(store.rows(), shipped_vocabulary()).splitlines(keepends=True)))
    assert stored_again(lines) == {row["id"]: row for row in stored_rows(tmp_path)}
    reached = [line for line in lines if line["context"] == "survival"]
    assert [(line["stat_name"], line["stat"], line["error"]) for line in reached] == [
        ("median", "", "not reached"), ("conf.low", "20", ""), ("conf.high", "", "not reached"),
    ]  # fmt: skip


def test_what_does_not_exist_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv(OUTPUT_VARIABLE, str(tmp_path))
    with pytest.raises(CompendiumError, match="known are ard"):
        write_statistics(COHORT, "xpt", update=lambda: None)
    with pytest.raises(CompendiumError, match="compendium run"):
        write_statistics(COHORT, "ard", update=lambda: None)
    done = CliRunner().invoke(app, ["export", "no_such_cohort"])
    assert done.exit_code == 1
    assert "no_such_cohort" in done.output
    assert "Traceback" not in done.output
