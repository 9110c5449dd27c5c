"""What a study declares beside its endpoints: several study drugs, what it spares, comparisons at visits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from helpers.analysis.safety import describe_exposure, drug_courses, drug_exposure
from helpers.analysis.steroids import describe_doses, describe_low_dose, doses_at_visits
from helpers.analysis.visit_comparisons import compare_at_visits
from helpers.cohort.check import check_cohort
from helpers.cohort.cleaning import clean_cohort
from helpers.cohort.config import load_config
from helpers.report.tables.exposure import exposure_table
from helpers.report.tables.steroids import dose_table
from helpers.report.tables.visit_comparisons import visit_comparison_table
from helpers.report.text.narrative import dose_narrative, exposure_narrative, visit_comparison_narrative
from helpers.results.store import StatisticsStore


def opened(folder, tmp_path):
    return load_config(folder), clean_cohort(folder), StatisticsStore(tmp_path, "test")


def changed(study, tmp_path, name, old, new):
    folder = tmp_path / name
    folder.mkdir()
    for file in study(name).iterdir():
        text = file.read_text(encoding="utf-8")
        (folder / file.name).write_text(text.replace(old, new), encoding="utf-8")
    return folder


def test_each_of_several_study_drugs_is_described_in_its_own_unit(study, tmp_path):
    config, tables, store = opened(study("dep_hlh94"), tmp_path)
    assert config.study_drugs == ("doxorubicin", "etoposide")
    exposure = drug_exposure(tables, config.study_drugs)
    describe_exposure(exposure, config, store)
    rows = store.rows()
    given = tables.treatments
    for drug, dose in (("doxorubicin", 25), ("etoposide", 100)):
        row = rows[f"exposure.{drug}.dep.follow_up.patients"]
        people = given[(given["drug"] == drug) & given["patient_id"].str.startswith("DE")]
        assert row.value == people["patient_id"].nunique()
        highest = rows[f"exposure.{drug}.dep.follow_up.highest_dose"]
        assert (highest.value, highest.unit) == (dose, "mg/m2 an administration")
    assert "exposure.doxorubicin.hlh94.follow_up.patients" not in rows, "nobody there has received it"
    headings = [
        line[0] for line in exposure_table(rows, config, watermark="").texts if "Exposure to" in line[0]
    ]
    assert headings == ["Exposure to doxorubicin", "Exposure to etoposide"]
    text = str(exposure_narrative(rows, config))
    assert (
        "doxorubicin, 25.0 mg/m2 an administration" in text
        or "doxorubicin, 25 mg/m2 an administration" in text
    )
    assert set(drug_courses(tables, config.study_drugs)["drug"]) == {"doxorubicin", "etoposide"}


def test_doses_in_two_units_have_no_lowest_and_highest(study, tmp_path):
    first = "DE01,doxorubicin,0,0,25,mg/m2"
    folder = changed(study, tmp_path, "dep_hlh94", first, "DE01,doxorubicin,0,0,45,mg")
    config, tables, store = opened(folder, tmp_path)
    describe_exposure(drug_exposure(tables, config.study_drugs), config, store)
    row = store.rows()["exposure.doxorubicin.dep.follow_up.lowest_dose"]
    assert np.isnan(row.value)
    assert row.note == "not comparable: doses in mg and mg/m2"
    assert "not comparable" in str(exposure_table(store.rows(), config, watermark=""))
    assert "no common unit" in str(exposure_narrative(store.rows(), config))


def test_one_drug_to_be_spared_counts_in_mg_of_itself(study, tmp_path):
    config, tables, store = opened(study("etoposide_alone"), tmp_path)
    doses = doses_at_visits(tables, config)
    describe_doses(doses, tables, config, store)
    describe_low_dose(tables, config, store, horizon_days=100, confidence=0.95)
    rows = store.rows()
    week_2 = rows["glucocorticoid.dose_mg.etoposide.week_2.median"]
    # Days 8 to 14: 10 mg on six days, 5 mg on the last.
    assert (week_2.value, week_2.unit) == (pytest.approx((6 * 10 + 5) / 7), "mg/d")
    weights = pd.read_csv(study("etoposide_alone") / "patients.csv").set_index("patient_id")["weight_kg"]
    mine = doses[doses["visit"] == "week_2"].set_index("patient_id")["mg_per_kg"]
    assert mine.to_numpy() == pytest.approx((65 / 7 / weights.reindex(mine.index)).to_numpy())
    assert rows["glucocorticoid.low_dose.etoposide.follow_up.threshold"].value == 0.1
    table = dose_table(rows, config, watermark="")
    assert table.title == "Dexamethasone dose by visit"
    assert "Prednisone" not in str(table.footnotes)
    assert "lucocorticoid" not in str(dose_narrative(rows, config))


def test_a_class_of_several_drugs_cannot_be_spared_in_mg(study, tmp_path):
    folder = changed(study, tmp_path, "dep_hlh94", "[[endpoint]]\nid = \"pfs\"",
                     "[steroids]\nspared = \"chemotherapy\"\n[[endpoint]]\nid = \"pfs\"")  # fmt: skip
    (problem,) = check_cohort(folder)
    assert problem.column == "steroids.spared"
    assert "doxorubicin, etoposide" in problem.found


def test_a_misspelt_drug_to_be_spared_is_named(study, tmp_path):
    folder = changed(
        study, tmp_path, "etoposide_alone", 'spared = "dexamethasone"', 'spared = "dexametasone"'
    )
    (problem,) = check_cohort(folder)
    assert (problem.column, problem.found) == ("steroids.spared", "'dexametasone'")
    assert "dexamethasone" in problem.remedy


def test_variables_are_compared_at_named_visits_each_a_family(study, tmp_path):
    config, tables, store = opened(study("tocilizumab_anakinra"), tmp_path)
    compare_at_visits(tables, config, store, confidence=0.95, seed=1)
    rows = store.rows()
    groups = tables.patients.set_index("patient_id")["group"]
    p_values = {}
    for name in ("ferritin", "crp", "platelets"):
        chosen = tables.visits[(tables.visits["visit"] == "month_1") & (tables.visits["variable"] == name)]
        values = chosen.set_index("patient_id")["value"]
        parts = [values[groups.reindex(values.index) == group].dropna() for group in config.group_ids]
        test = rows[f"visit_comparison.{name}.both.month_1.test"]
        p_values[name] = mannwhitneyu(*parts, method="exact").pvalue
        assert test.p_value == pytest.approx(p_values[name], rel=1e-9)
        median = rows[f"visit_comparison.{name}.tocilizumab.month_1.median"]
        assert (median.n, median.n_missing) == (len(parts[0]), 22 - len(parts[0]))
    ordered = sorted(p_values, key=lambda name: p_values[name])
    holm, highest = {}, 0.0
    for rank, name in enumerate(ordered):
        highest = max(highest, min(1.0, (3 - rank) * p_values[name]))
        holm[name] = highest
    for name, expected in holm.items():
        row = rows[f"visit_comparison.{name}.both.month_1.test_adjusted"]
        assert row.p_value == pytest.approx(expected, rel=1e-9)
        assert row.method == "Holm adjustment over 3 tests at Month 1"
    alone = rows["visit_comparison.ferritin.both.month_6.test_adjusted"]
    assert alone.p_value == rows["visit_comparison.ferritin.both.month_6.test"].p_value
    lines = visit_comparison_table(rows, config, watermark="").texts
    assert [line[0] for line in lines if len(line) == 1] == ["Month 1", "Month 6"]
    text = str(visit_comparison_narrative(rows, config))
    assert "At month 1" in text
    assert "ferritin" in text


def test_a_comparison_at_no_visit_of_the_plan_is_refused(study, tmp_path):
    folder = changed(study, tmp_path, "tocilizumab_anakinra", 'visit = "month_6"', 'visit = "month_7"')
    (problem,) = check_cohort(folder)
    assert "visits among baseline, day_3, month_1, month_3, month_6" in problem.expected


def test_a_misspelt_variable_of_a_comparison_is_named(study, tmp_path):
    folder = changed(study, tmp_path, "tocilizumab_anakinra", '"crp", "platelets"', '"crpp", "platelets"')
    (problem,) = check_cohort(folder)
    assert problem.found == "'crpp'"
