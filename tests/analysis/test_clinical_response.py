"""Response by rule beside the clinicians' calls: a cohort whose every call can be worked out by hand."""

import shutil
from importlib import resources

import pandas as pd
import pytest

from helpers.analysis.explanation import example_patient, explain_example
from helpers.analysis.response_rules import (
    call_responses,
    describe_agreement,
    describe_calls,
    describe_endpoints,
    describe_variants,
    discordant_evidence,
)
from helpers.cohort.cleaning import clean_cohort
from helpers.cohort.config import load_config
from helpers.report.tables.clinical import (
    discordant_table,
    endpoint_table,
    explanation_table,
    rule_agreement_table,
    variants_table,
)
from helpers.report.text.clinical_narrative import response_time_narrative, rule_narrative, variants_narrative

# T1 improves in three markers by week 1 and is normal in week 8; T2 improves in ferritin alone; T3 dies on
# day 10; T4 improves in ferritin and platelets, but its clinician says no response.
VALUES = {
    "T1": {0: (4000, 50, 4.0), 7: (1000, 100, 2.0), 56: (200, 200, 1.0)},
    "T2": {0: (4000, 50, 4.0), 7: (1000, 51, 4.1), 56: (3900, 52, 3.9)},
    "T3": {0: (4000, 50, 4.0), 7: (3900, 48, 4.2)},
    "T4": {0: (4000, 50, 4.0), 7: (2000, 90, 3.9)},
    "C1": {0: (4000, 50, 4.0)},
}
RESPONSES = """patient_id,day,response
T1,3,PR
T1,7,PR
T1,58,CR
T2,7,NR
T2,56,NR
T3,7,NR
T4,7,NR
"""


@pytest.fixture(scope="module")
def cohort(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("cohorts") / "responders"
    shutil.copytree(folder, path)
    lines = ["patient_id,day,variable,value,unit"]
    units = {"ferritin": "ng/mL", "platelets": "10^9/L", "triglycerides": "mmol/L"}
    for patient, days in VALUES.items():
        for day, values in days.items():
            pairs = zip(units.items(), values, strict=True)
            lines += [f"{patient},{day},{name},{value},{unit}" for (name, unit), value in pairs]
            lines.append(f"{patient},{day},hemoglobin,130,g/L")
    (path / "measurements.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (path / "responses.csv").write_text(RESPONSES, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def found(cohort):
    tables, config = clean_cohort(cohort), load_config(cohort)
    return tables, config, call_responses(tables, config, cohort)


def calls_of(calls):
    return calls.set_index(["patient_id", "visit"])["response"]


def test_calls_follow_from_the_values(found):
    _, _, rule = found
    calls = calls_of(rule.calls)
    assert calls["T1", "week_1"] == "PR"
    assert calls["T1", "week_8"] == "CR"
    assert calls["T2", "week_1"] == "NR"  # one marker is not two
    assert calls["T4", "week_1"] == "PR"
    assert calls["T3", "week_8"] == "NR"  # dead
    assert calls["T4", "week_8"] == "missing"  # left on day 30
    assert rule.groups == ["treated"]


def test_agreement_and_the_discordant_call_with_its_evidence(found, store):
    _, config, rule = found
    discordant = describe_agreement(rule, store)
    columns = ["patient_id", "visit", "response_rule", "response_clinician"]
    assert discordant[columns].to_numpy().tolist() == [["T4", "week_1", "PR", "NR"]]
    rows = store.rows()
    assert rows["response_agreement.calls.all.week_1.agree"].value == 3
    # 4 calls: PR/PR, PR/NR, NR/NR, NR/NR; observed 3/4, chance (2*1 + 2*3)/16
    assert rows["response_agreement.calls.all.week_1.kappa"].value == pytest.approx(0.5)
    assert rows["response_agreement.rule_pr.all.all_visits.clinician_nr"].value == 1
    evidence = discordant_evidence(rule, discordant)
    assert set(evidence["item"]) == {"ferritin", "platelets", "triglycerides", "hemoglobin"}
    ferritin = evidence[evidence["item"] == "ferritin"].iloc[0]
    assert (ferritin["baseline_value"], ferritin["value"], ferritin["measured_day"]) == (4000, 2000, 7)
    assert ferritin["source_row"] > ferritin["baseline_source_row"]
    table = discordant_table(discordant, evidence, watermark="")
    assert table.texts[0][:3] == ["T4, week_1", "PR", "NR"]
    assert any("4000 to 2000 ng/mL" in row[4] for row in table.texts)
    many = discordant_table(pd.concat([discordant] * 130), evidence, watermark="")
    assert sum(row[0] == "T4, week_1" for row in many.texts) == 100
    assert "30 more calls differ" in many.to_html()
    assert "Rule PR: clinicians" in repr(rule_agreement_table(rows, config, watermark=""))
    assert rule_narrative(rows, config).text.startswith("Rule and clinicians make the same call in ")


def test_the_dead_count_as_no_response_and_who_left_does_not_count(found, store):
    _, config, rule = found
    describe_calls(rule, config, store, confidence=0.95)
    row = store.rows()["response_by_rule.overall.treated.week_8.rate"]
    assert (row.n, row.n_missing) == (3, 1)
    assert row.value == pytest.approx(100 / 3)
    assert store.rows()["response_by_rule.class.treated.week_8.dead"].value == 1


def test_every_variant_stands_beside_the_others_with_a_site_rule(found, cohort, store, tmp_path):
    tables, config, _ = found
    path = tmp_path / "with_rule"
    shutil.copytree(cohort, path)
    (path / "criteria").mkdir()
    text = (resources.files("helpers.clinical") / "criteria" / "response_paper.toml").read_text("utf-8")
    text = text.replace('name = "response_paper"', 'name = "one_marker"', 1)
    text = text.replace("markers_needed = { default = 2", "markers_needed = { default = 1")
    (path / "criteria" / "one_marker.toml").write_text(text, encoding="utf-8")
    rule = call_responses(tables, config, path)
    variants = describe_variants(rule, tables, config, store, confidence=0.95)
    assert variants[0] == "paper"
    assert variants[-1] == "one_marker"
    rows = store.rows()
    assert rows["response_variant.paper.treated.week_1.overall_count"].value == 2
    assert rows["response_variant.one_marker.treated.week_1.overall_count"].value == 3
    assert rows["response_variant.paper_dead_is_missing.treated.week_8.overall"].n == 2
    assert [row[0] for row in variants_table(rows, variants, config, watermark="").texts][-1:] == [
        "Rule: one_marker"
    ]
    assert "Week 1, treated group" in variants_narrative(rows, variants, config).text


def test_endpoints_count_everybody_and_a_call_late_in_the_window(found, store):
    tables, config, rule = found
    describe_endpoints(rule, tables, config, store, horizon_days=56, confidence=0.95)
    rows = store.rows()
    # T1's clinician called CR on day 58, in the window of week 8.
    assert rows["response_endpoint.clinician_best.treated.day_56.cr"].value == 1
    assert rows["response_endpoint.clinician_best.treated.day_56.response"].n == 4
    assert rows["response_endpoint.clinician_confirmed.treated.day_56.response_count"].value == 1
    assert rows["response_endpoint.rule_sustained.treated.day_56.not_confirmed"].value == 1  # T4
    # Of four, T1 responds on day 3; T3 dies on day 10.
    assert rows["time_to_response.clinician.treated.day_3.incidence"].value == pytest.approx(0.25)
    assert rows["time_to_response.clinician.treated.day_10.died_incidence"].value == pytest.approx(0.25)
    assert rows["time_to_response.clinician.treated.day_56.died_first"].value == 1
    assert len(endpoint_table(rows, config, watermark="").texts) >= 2
    assert "had responded by day 56" in response_time_narrative(rows, config, 56).text


def test_the_example_is_the_first_discordant_call(found, store):
    tables, config, rule = found
    discordant = describe_agreement(rule, store)
    assert example_patient(tables, rule, discordant) == ("T4", "week_1")
    explained = explain_example(tables, config, rule, discordant)
    answers = dict(zip(explained["question"], explained["answer"], strict=True))
    assert answers["response at week_1"].startswith("PR (rule; improved: ferritin, platelets")
    assert answers["clinician's response at week_1"] == "NR"
    assert "patient T4" in explanation_table(explained, watermark="").title
    assert example_patient(tables, rule, discordant.iloc[:0]) == ("T1", "week_1")


def test_an_empty_setting_switches_the_rule_off(found, cohort):
    tables, config, _ = found
    off = config.model_copy(update={"criteria": config.criteria.model_copy(update={"response": ""})})
    rule = call_responses(tables, off, cohort)
    assert rule.calls.empty
    assert "no response rule is configured" in rule_narrative({}, off, rule.why_not).text


def test_a_cohort_of_patients_alone_has_no_calls(bare, store, tmp_path):
    config, tables = bare
    rule = call_responses(tables, config, tmp_path)
    assert rule.why_not
    assert describe_agreement(rule, store).empty
    assert describe_variants(rule, tables, config, store, confidence=0.95) == []
    describe_endpoints(rule, tables, config, store, horizon_days=56, confidence=0.95)
    assert len(store) == 0
    assert "No call differs" in repr(
        discordant_table(describe_agreement(rule, store), pd.DataFrame(), watermark="")
    )
