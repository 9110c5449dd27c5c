"""Baseline: counts, missing values, values beyond a limit, tests by the configured rule."""

import pytest

from helpers.analysis.baseline import compare_baseline, count_balance, count_prior_therapies
from helpers.analysis.variables import labels_of
from helpers.report.formats.rendered import shown as printed
from helpers.report.tables.baseline import baseline_table
from helpers.results.catalogue import BaselineRows
from helpers.stats.proportions import proportion_difference


@pytest.fixture
def rows(tables, config, store):
    compare_baseline(tables, config, store, horizon_days=56, confidence=0.95, seed=1)
    count_balance(store)
    return store.rows()


def test_missing_answers_leave_the_denominator(rows):
    fever = rows["baseline.fever.treated.baseline.count"]
    assert (fever.value, fever.n, fever.n_missing) == (2, 3, 1)


def test_median_of_values_at_a_limit_keeps_the_sign(rows):
    highest = rows["baseline.ferritin.treated.baseline.max"]
    assert (highest.value, highest.qualifier) == (1500, ">")
    assert rows["baseline.ferritin.treated.baseline.min"].qualifier == ""


def test_sex_counts_one_level_and_diagnosis_each(rows):
    assert rows["baseline.sex.treated.baseline.count"].value == 3
    assert rows["baseline.diagnosis_aosd.treated.baseline.count"].value == 3
    assert rows["baseline.diagnosis_sle.control.baseline.count"].value == 1
    assert "baseline.diagnosis_sle.both.baseline.test" not in rows
    assert rows["baseline.diagnosis.both.baseline.test"].p_value == pytest.approx(1.0)


def test_tests_follow_the_configuration(rows):
    assert "Yates" in rows["baseline.sex.both.baseline.test"].method
    assert "exact" in rows["baseline.age.both.baseline.test"].method


def test_adjusted_p_values_are_of_all_baseline_tests_but_death(rows):
    stored = [row for row in rows.select(analysis="baseline", statistic="test") if row.variable != "death"]
    tests = [row for row in stored if row.p_value == row.p_value]
    # What one group lacks is not compared, and its row says so.
    assert all(row.note == "not estimable: recorded in one group only" for row in stored if row not in tests)
    adjusted = rows.select(analysis="baseline", statistic="test_adjusted")
    assert [row.variable for row in adjusted] == [row.variable for row in tests]
    assert all(new.p_value >= old.p_value for new, old in zip(adjusted, tests, strict=True))
    smallest = min(tests, key=lambda row: row.p_value)
    found = rows[f"baseline.{smallest.variable}.both.baseline.test_adjusted"]
    assert found.p_value == pytest.approx(min(1.0, smallest.p_value * len(tests)))
    assert found.method.startswith("Holm")


def test_age_difference(rows):
    assert rows["baseline.age.treated.baseline.median"].value == 45
    # Ranks of T: 30 40 50 60 among 30 35 40 45 50 55 60 are 1 3 5 7: exactly central, so p = 1.
    assert rows["baseline.age.both.baseline.test"].p_value == pytest.approx(1.0)


def test_balance_counts_large_differences(rows):
    found = rows["balance.standardized_difference.both.baseline.above_0_1"]
    sizes = [abs(r.value) for r in rows.select(analysis="baseline", statistic="standardized_difference")]
    sizes = [size for size in sizes if size == size]
    assert found.n == len(sizes)
    assert found.value == sum(size > 0.1 for size in sizes)


def test_earlier_therapies_are_combined_without_glucocorticoids(tables, config, store):
    overlaps = count_prior_therapies(tables, config, store)
    rows = store.rows()
    assert rows["prior_therapy_overlap.ivig_and_etoposide.treated.baseline.n"].value == 1
    assert rows["prior_therapy_overlap.etoposide.control.baseline.n"].value == 1
    assert rows["prior_therapy_overlap.none.treated.baseline.n"].value == 3
    assert rows["prior_therapy_overlap.any_but_ivig.treated.baseline.count"].value == 1
    assert "etoposide" in overlaps.labels


def test_labels_cover_levels(tables, config, store):
    variables = compare_baseline(tables, config, store, horizon_days=56, confidence=0.95, seed=1)
    assert labels_of(variables)["diagnosis_aosd"].endswith(": AOSD")


def test_patients_alone_still_make_a_table(bare, store):
    config, tables = bare
    variables = compare_baseline(tables, config, store, horizon_days=56, confidence=0.95, seed=1)
    assert {"age", "sex", "diagnosis", "fever"} <= {variable.name for variable in variables}
    assert count_prior_therapies(tables, config, store).labels == {}


@pytest.fixture
def shown(tables, config, store):
    """Table 1 with all that may be added to it, as its rows by their first cell."""
    more = config.baseline.model_copy(update={"show": ("missing", "overall", "difference")})
    config = config.model_copy(update={"baseline": more})
    variables = compare_baseline(tables, config, store, horizon_days=56, confidence=0.95, seed=1)
    table = printed(baseline_table(store.rows(), variables, config, watermark=""))
    return [head.text for head in table.heads], [[cell.text for cell in row.cells] for row in table.rows]


def test_table_1_may_have_all_patients_missing_rows_and_differences(shown, store):
    heads, rows = shown
    treated, control = (
        store.rows()[f"group.patients.{one}.baseline.n"].value for one in ("treated", "control")
    )
    assert heads[3:5] == [f"Overall (n = {treated + control:.0f})", "Difference (95% CI)"]
    fever = next(i for i, row in enumerate(rows) if row[0] == "Fever")
    found = [store.rows()[f"baseline.fever.{one}.baseline.count"] for one in ("treated", "control", "all")]
    assert found[2].value == found[0].value + found[1].value
    assert found[2].n == found[0].n + found[1].n
    assert rows[fever + 1][:4] == ["Missing", *(str(one.n_missing) for one in found)]
    assert "[" not in rows[fever][1]
    gap = proportion_difference(*(int(x) for one in found[:2] for x in (one.value, one.n)))
    assert rows[fever][4].replace("\N{MINUS SIGN}", "-").startswith(f"{100 * gap.value:.1f} (")
    ferritin = store.rows()["baseline.ferritin.all.baseline.max"]
    assert (ferritin.value, ferritin.qualifier) == (1500, ">")


def test_nothing_more_is_stored_unless_it_is_asked_for(rows):
    assert not [one for one in rows.values() if one.group == "all" and one.analysis in ("baseline", "group")]
    assert not rows.select(BaselineRows.difference)
