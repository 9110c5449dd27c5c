"""Tests of Table 1 are chosen by name, for a kind of variable or for one; what does not apply is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from helpers.analysis.baseline import compare_baseline
from helpers.cohort.check import check_cohort
from helpers.cohort.cleaning import clean_cohort
from helpers.cohort.config import load_config
from helpers.report.tables.baseline import baseline_table
from helpers.results.store import StatisticsStore
from helpers.stats.group_tests import group_test, named_test, names_of_tests
from helpers.stats.result import Result, StatisticsError

SETTINGS = """title = "Tests"
provenance = "synthetic"
[[group]]
id = "new"
label = "New"
role = "treated"
day0 = "first dose"
[[group]]
id = "old"
label = "Old"
role = "reference"
day0 = "diagnosis"
[follow_up]
horizon_days = 56
[[visit]]
id = "baseline"
label = "Baseline"
day = 0
window = [-7, 0]
[categories]
diagnosis = ["AOSD", "SLE", "other CTD"]
"""
AGES = {"new": [23, 31, 44, 52, 39, 28], "old": [61, 47, 58, 66, 33, 70]}


@pytest.fixture
def cohort(tmp_path):
    def write(settings, ferritin="1000"):
        folder = tmp_path / "tests"
        folder.mkdir(exist_ok=True)
        (folder / "cohort.toml").write_text(SETTINGS + settings, encoding="utf-8")
        people, values = ["patient_id,group,age,sex,fever,diagnosis,last_contact_day,death_day"], []
        for group, ages in AGES.items():
            for i, age in enumerate(ages):
                sex, fever = ("female", "male")[i % 2], ("yes", "no")[(i + (group == "old")) % 3 == 0]
                diagnosis = ("AOSD", "SLE", "other CTD")[(i + 2 * (group == "old")) % 3]
                people.append(f"{group}{i},{group},{age},{sex},{fever},{diagnosis},60,")
                value = ferritin if i == 0 else str(500 + 100 * i)
                values += [f"{group}{i},0,ferritin,{value},ng/mL", f"{group}{i},0,crp,{10 + i},mg/L"]
        (folder / "patients.csv").write_text("\n".join(people) + "\n", encoding="utf-8")
        header = "patient_id,day,variable,value,unit"
        (folder / "measurements.csv").write_text("\n".join([header, *values]) + "\n", encoding="utf-8")
        return folder

    return write


def compared(folder, tmp_path):
    config, tables = load_config(folder), clean_cohort(folder)
    store = StatisticsStore(tmp_path, "02")
    variables = compare_baseline(tables, config, store, horizon_days=56, confidence=0.95, seed=1)
    return config, variables, store.rows()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("welch", stats.ttest_ind(AGES["new"], AGES["old"], equal_var=False).pvalue),
        ("t", stats.ttest_ind(AGES["new"], AGES["old"]).pvalue),
        ("kruskal_wallis", stats.kruskal(AGES["new"], AGES["old"]).pvalue),
        ("exact", stats.mannwhitneyu(AGES["new"], AGES["old"], method="exact").pvalue),
    ],
)
def test_one_variable_has_a_test_of_its_own(cohort, tmp_path, name, expected):
    folder = cohort(f'[tests.variables]\nage = "{name}"\n')
    assert check_cohort(folder) == []
    _, _, rows = compared(folder, tmp_path)
    assert rows["baseline.age.both.baseline.test"].p_value == pytest.approx(expected, rel=1e-9)
    assert "rank-sum" in rows["baseline.crp.both.baseline.test"].method


def test_the_difference_of_means_has_its_interval(cohort, tmp_path):
    _, _, rows = compared(cohort('[tests.variables]\nage = "welch"\n'), tmp_path)
    row = rows["baseline.age.both.baseline.test"]
    assert row.lower < np.mean(AGES["new"]) - np.mean(AGES["old"]) < row.upper
    assert row.method == "Welch's t test"


def test_kinds_have_their_own_choice_and_fisher_is_the_default(cohort, tmp_path):
    _, _, rows = compared(cohort(""), tmp_path)
    assert rows["baseline.fever.both.baseline.test"].method.startswith("Fisher")
    folder = cohort(
        '[tests]\ncategorical = "mid_p"\nlevels = "chi_square"\n[tests.variables]\nfever = "boschloo"\n'
    )
    _, _, rows = compared(folder, tmp_path)
    assert "mid-p" in rows["baseline.sex.both.baseline.test"].method
    assert "Boschloo" in rows["baseline.fever.both.baseline.test"].method
    counts = [[2, 2, 2], [2, 2, 2]]
    found = rows["baseline.diagnosis.both.baseline.test"]
    assert found.method == "Pearson chi-square"
    assert found.p_value == pytest.approx(stats.chi2_contingency(counts, correction=False).pvalue)


def test_mean_and_standard_deviation_stand_in_table_1(cohort, tmp_path):
    folder = cohort('[tests]\nmean_sd = ["age"]\n')
    config, variables, rows = compared(folder, tmp_path)
    assert rows["baseline.age.new.baseline.mean"].value == pytest.approx(np.mean(AGES["new"]))
    assert rows["baseline.age.new.baseline.sd"].value == pytest.approx(np.std(AGES["new"], ddof=1))
    table = str(baseline_table(rows, variables, config, watermark="").rows)
    assert "Mean (standard deviation)" in table
    assert "baseline.crp.new.baseline.mean" not in rows


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('[tests]\ncontinuous = "welsh"\n', "tests.continuous: found 'welsh', expected a test of numbers"),
        (
            '[tests]\ncategorical = "welch"\n',
            "found 'welch', a test of numbers, expected a test of a 2 x 2",
        ),
        ('[tests.variables]\nfever = "t"\n', "tests.variables.fever: found 't', a test of numbers"),
        ('[tests.variables]\ndiagnosis = "fisher"\n', "expected a test of a category of several levels"),
        ('[tests.variables]\nagee = "t"\n', "'age'"),
        ('[tests]\nmean_sd = ["fever"]\n', "expected a variable with numbers"),
    ],
)
def test_a_test_that_does_not_apply_is_refused_by_the_check(cohort, settings, words):
    problems = [str(problem) for problem in check_cohort(cohort(settings))]
    assert any(words in problem for problem in problems), problems


def test_means_of_values_beyond_a_limit_are_refused(cohort):
    settings = '[tests]\nmean_sd = ["ferritin"]\n[tests.variables]\nferritin = "welch"\n'
    (problem,) = check_cohort(cohort(settings, ferritin=">1500"))
    assert "2 values of ferritin at baseline known only as below or above a limit" in str(problem)
    assert "the test welch and mean (standard deviation)" in str(problem)
    assert check_cohort(cohort(settings)) == []


def test_a_further_test_is_a_function_and_one_line(cohort, tmp_path):
    @group_test("first_value", "continuous")
    def first_value(x, y, *, seed=0):
        return Result(method="first value", p_value=0.5, n=len(x) + len(y))

    assert "first_value" in names_of_tests("continuous")
    folder = cohort('[tests.variables]\nage = "first_value"\n')
    assert check_cohort(folder) == []
    _, _, rows = compared(folder, tmp_path)
    assert rows["baseline.age.both.baseline.test"].method == "first value"


def test_degenerate_values_are_not_estimable_and_raise_nothing():
    for name in ("welch", "t"):
        for x, y in (
            ([1.0], [2.0, 3.0]),
            ([1.0, 1.0], [1.0, 1.0]),
            ([], [1.0, 2.0]),
            ([2.0, 2.0], [3.0, 3.0]),
        ):
            found = named_test(name).run(x, y)
            assert found.note.startswith("not estimable") or found.p_value == found.p_value
    assert named_test("kruskal_wallis").run([1, 1], [1, 1]).note.startswith("not estimable")
    assert named_test("chi_square").run([[2, 0], [3, 0]]).note.startswith("not estimable")
    with pytest.raises(StatisticsError, match="must be one of"):
        named_test("none")
