"""The catalogue of statistics holds all that is stored, and nothing is asked that nobody stores."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

from helpers.report.text.wording import LANGUAGES, language_file
from helpers.results.catalogue import CatalogueError, SurvivalRows, analyses

ROOT = Path(__file__).parents[2]
STORED = sorted((ROOT / "results").glob("*/statistics/*.csv"))


def rows() -> list[dict[str, str]]:
    """All rows that are committed."""
    found = []
    for path in STORED:
        with path.open(encoding="utf-8", newline="") as handle:
            found += list(csv.DictReader(handle))
    return found


def test_every_stored_row_has_a_key_in_the_catalogue():
    known = analyses()
    stored = rows()
    assert len(stored) > 2000
    for row in stored:
        key = known[row["analysis"]].named(row["statistic"])
        assert key.id(row["variable"], group=row["group"], timepoint=row["timepoint"]) == row["id"]


def test_every_listed_kind_of_an_analysis_is_stored_or_named_here():
    # Rows that the embedded cohort cannot have: of endpoints with effects, means, comparisons at visits.
    elsewhere = {"endpoint", "endpoint_effect", "visit_comparison", "baseline", "beside_paper", "event_rate"}
    stored = {(row["analysis"], row["statistic"]) for row in rows()}
    absent = {
        (name, kind)
        for name, one in analyses().items()
        for kind in one.kinds()
        if (name, kind) not in stored and name not in elsewhere
    }
    assert absent == set()


def test_every_absence_has_a_sentence_in_every_language():
    for language in LANGUAGES:
        claims = language_file(language, "claims.toml")
        assert {one.absent for one in analyses().values() if one.absent} <= set(claims)


def test_titles_stand_in_both_languages_and_differ_between_analyses():
    known = analyses().values()
    assert all(one.title and one.title_zh and one.__doc__ for one in known)
    assert len({one.title for one in known}) == len(known) == len({one.title_zh for one in known})


def test_a_kind_that_nobody_stores_is_refused():
    with pytest.raises(CatalogueError, match="survival has no statistic hazard_ratio_firth"):
        SurvivalRows.named("hazard_ratio_firth")


def test_the_table_of_keys_is_that_of_the_stored_rows():
    # The identifiers of the embedded cohort and the keys by which code asks for them.
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        from write_keys_of_rows import HEAD, TABLE, keys_of_rows
    finally:
        sys.path.remove(str(ROOT / "docs"))
    with TABLE.open(encoding="utf-8", newline="") as handle:
        written = list(csv.reader(handle))
    assert written == [list(HEAD), *map(list, keys_of_rows())], "run docs/write_keys_of_rows.py"
