"""Criteria, agreement and eligibility of the seven patients; a site's own criteria file."""

import shutil

import pytest

from helpers.analysis.diagnosis import (
    describe_diagnoses,
    describe_eligibility,
    diagnose,
    judge_eligibility,
)
from helpers.clinical.errors import ClinicalError
from helpers.cohort.config import load_config
from helpers.report.tables.clinical import agreement_table, criteria_table, eligibility_table, hscore_table
from helpers.report.text.clinical_narrative import (
    agreement_narrative,
    criteria_narrative,
    eligibility_narrative,
)

OWN = """
kind = "criteria"
name = "{name}"
version = "1"
title = "Fever with high ferritin"
source = "our hospital"
missing = "undetermined"
[[items]]
id = "fever"
label = "Fever"
rule = {{ variable = "fever", is = "yes" }}
[[items]]
id = "ferritin"
label = "Ferritin"
rule = {{ variable = "ferritin", op = ">=", value = {limit}, unit = "ng/mL" }}
[[needs]]
at_least = 2
among = ["items"]
"""


@pytest.fixture
def site(folder, tmp_path):
    """The seven patients with two criteria files of the site's own, and one that is no diagnosis."""
    path = tmp_path / "seven"
    shutil.copytree(folder, path)
    (path / "criteria").mkdir()
    for name, limit in {"our_rule": 1000, "our_strict_rule": 1600}.items():
        (path / "criteria" / f"{name}.toml").write_text(OWN.format(name=name, limit=limit), encoding="utf-8")
    (path / "criteria" / "scale.toml").write_text('kind = "toxicity"\nname = "scale"\n', encoding="utf-8")
    return path


def test_a_file_in_the_cohorts_own_folder_is_evaluated_without_touching_code(site, tables, store):
    config = load_config(site)
    found = diagnose(tables, config, site)
    assert list(found.titles) == ["hlh_2004", "hscore", "our_rule", "our_strict_rule"]
    verdicts = found.verdicts.set_index("patient_id")["our_rule"].to_dict()
    assert verdicts == {
        "T1": "met", "T2": "met", "T3": "not met", "T4": "not met",
        "C1": "not met", "C2": "not met", "C3": "not met",
    }  # fmt: skip
    # >1500 does not say whether 1600 is reached, and is not called unmet.
    assert found.verdicts.set_index("patient_id")["our_strict_rule"][["T1", "T2"]].tolist() == [
        "undetermined",
        "undetermined",
    ]
    describe_diagnoses(found, config, store, confidence=0.95)
    rows = store.rows()
    assert rows["diagnosis.our_rule.treated.baseline.met"].value == 2
    assert rows["diagnosis.our_rule.control.baseline.not_met"].value == 3
    share = rows["diagnosis.our_rule.treated.baseline.met_percent"]
    assert (share.value, share.n) == (50, 4)
    # 2 of 4, Clopper-Pearson (binom.test in R)
    assert (share.lower, share.upper) == pytest.approx((6.758599, 93.241401), rel=1e-6)
    pair = "criteria_agreement.our_rule_v_our_strict_rule.all.baseline"
    assert rows[f"{pair}.neither"].value == 5
    assert rows[f"{pair}.kappa"].n_missing == 2
    table = criteria_table(rows, found, config, watermark="")
    assert list(table.texts[2][:4]) == ["Fever with high ferritin", "2", "2", "0"]
    assert "Fever with high ferritin: met by 2 of 4" in criteria_narrative(rows, found, config).text
    assert "5" in agreement_table(rows, found, watermark="").texts[0]
    assert "100% of the 5 patients" in agreement_narrative(rows, found).text


def test_a_site_file_that_cannot_be_read_is_named(site, tables):
    (site / "criteria" / "broken.toml").write_text("kind = \n", encoding="utf-8")
    with pytest.raises(ClinicalError, match=r"criteria/broken\.toml: found text that is not TOML"):
        diagnose(tables, load_config(site), site)


def test_a_mistake_in_a_site_file_is_told_with_key_found_and_expected(site, tables):
    text = OWN.format(name="our_rule", limit=1000).replace('op = ">="', 'op = "=>"')
    (site / "criteria" / "our_rule.toml").write_text(text, encoding="utf-8")
    with pytest.raises(
        ClinicalError, match=r"our_rule\.toml, key items\[2\]\.rule\.op: found '=>', expected"
    ):
        diagnose(tables, load_config(site), site)


def test_hscore_comes_with_its_attainable_range(tables, config, folder, store):
    found = diagnose(tables, config, folder)
    describe_diagnoses(found, config, store, confidence=0.95)
    scores = found.scores.set_index("patient_id")
    # T3 has ferritin 900 (0 points), splenomegaly (23): the rest was not done.
    assert scores.loc["T3", "score"] == 23
    assert scores.loc["T3", "score_highest"] == 337 - 50
    table = hscore_table(store.rows(), config, watermark="")
    assert table.texts[0][0].startswith("Score")


def test_eligibility_counts_every_rule_and_reason(tables, config, folder, store):
    found = diagnose(tables, config, folder)
    judged = judge_eligibility(tables, found, config, folder)
    describe_eligibility(judged, tables, config, store)
    rows = store.rows()
    # Every course of the seven is a week long or less: 100 mg at 50 kg is 2 mg/kg/day for 7 days.
    assert rows["refractoriness.high_dose.treated.baseline.not_met"].value == 4
    assert rows["refractoriness.verdict.control.baseline.met"].value == 0
    # C2 and C3 have no dose on record, which is not the same as none.
    assert rows["refractoriness.high_dose.control.baseline.not_done"].value == 2
    assert rows["eligibility.adult.treated.baseline.met"].value == 4
    assert rows["eligibility.verdict.treated.baseline.met"].value == 0
    table = eligibility_table(rows, config, watermark="")
    assert any("Aged 18 or older" in row[0] for row in table.texts)
    assert "0 of 4 patients were refractory" in eligibility_narrative(rows, config).text


def test_a_cohort_of_patients_alone_says_what_is_missing(bare, store, tmp_path):
    config, tables = bare
    found = diagnose(tables, config, tmp_path)
    judged = judge_eligibility(tables, found, config, tmp_path)
    describe_diagnoses(found, config, store, confidence=0.95)
    describe_eligibility(judged, tables, config, store)
    assert judged.refractory is None
    assert "not recorded: treatments" in eligibility_narrative(store.rows(), config, judged.why_not).text
    assert "not enough is recorded for a verdict" in criteria_narrative(store.rows(), found, config).text
