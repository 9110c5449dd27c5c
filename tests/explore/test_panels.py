"""What the panels show agrees with the published rows and with other ways of computing."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test

from helpers.analysis.historical_control import eligibility_lag
from helpers.explore.course import course, followed
from helpers.explore.look import Look
from helpers.explore.parts import Patients
from helpers.explore.patient import patient
from helpers.explore.response import callers, response
from helpers.explore.robustness import robustness
from helpers.explore.steroids import steroids
from helpers.explore.study import ExplorationError, Study
from helpers.explore.survival import survival
from helpers.explore.table_one import table_one

ROOT = Path(__file__).parents[2]
STATISTICS = ROOT / "results" / "rdmas_reconstructed" / "statistics"


def published(*notebooks: str) -> pd.DataFrame:
    frames = [pd.read_csv(STATISTICS / f"{name}.csv") for name in notebooks]
    return pd.concat(frames).set_index("id")


def agree(look: Look, notebook: str, *, least: int, without: tuple[str, ...] = ()) -> None:
    """Every number of the view that is published has its published value."""
    ours, theirs = look.numbers.set_index("id"), published(notebook)
    shared = [one for one in ours.index if one in theirs.index and not one.endswith(without or ("\0",))]
    assert len(shared) >= least
    for column in ("value", "lower", "upper", "p_value"):
        pd.testing.assert_series_equal(
            ours.loc[shared, column], theirs.loc[shared, column].astype(float), rtol=1e-9, check_names=False
        )


def test_the_usual_views_show_the_published_numbers(study: Study) -> None:
    agree(survival(study), "04_survival", least=40)
    agree(survival(study, endpoint="complete_response"), "04_survival", least=10)
    agree(response(study), "03_response_dynamics", least=40)
    agree(course(study, variable="ferritin"), "03_response_dynamics", least=40)
    agree(steroids(study), "05_steroid_sparing", least=40)
    agree(steroids(study, low_dose=True), "05_steroid_sparing", least=50)
    agree(table_one(study), "02_baseline_comparison", least=200)
    agree(robustness(study), "07_historical_control", least=25)


def test_a_split_is_estimated_and_tested_as_lifelines_does(study: Study) -> None:
    look = survival(study, patients=Patients(split_by="sex", in_each_group=True, accept_few=True))
    people = study.tables.patients
    part = people["group"] + people["sex"]
    time, died = people["followup_days"].clip(upper=56), people["died"] & (people["followup_days"] <= 56)
    test = multivariate_logrank_test(time, part, died)
    row = look.statistics["survival.death.both.day_56.logrank"]
    assert (row.value, row.p_value) == pytest.approx((test.test_statistic, test.p_value))
    for group in look.study.config.groups:
        mine = look.study.tables.patients.query("group == @group.id")["patient_id"]
        rows = people["patient_id"].isin(mine)
        fitted = KaplanMeierFitter().fit(time[rows], died[rows])
        expected = float(fitted.survival_function_at_times(56).iloc[0])
        assert look.statistics[f"survival.death.{group.id}.day_56.survival"].value == pytest.approx(expected)


def test_delayed_entry_is_what_lifelines_makes_of_it(study: Study) -> None:
    look = survival(study, counted_from="eligibility")
    lag = eligibility_lag(study.tables, study.config)
    assert lag is not None
    people = study.tables.patients.set_index("patient_id")
    frame = pd.DataFrame({"entry": lag.reindex(people.index), "followup": people["followup_days"]})
    frame["treated"] = (people["group"] == "ruxolitinib").astype(float)
    end = frame["entry"] + frame["followup"]
    frame["event"] = people["died"].astype(bool) & (end <= 56)
    frame["stop"] = end.clip(upper=56)
    frame = frame[frame["entry"].notna() & (frame["entry"] < frame["stop"])]
    for group, code in (("ruxolitinib", 1.0), ("control", 0.0)):
        rows = frame[frame["treated"] == code]
        fitted = KaplanMeierFitter().fit(rows["stop"], rows["event"], entry=rows["entry"])
        expected = float(fitted.survival_function_at_times(56).iloc[0])
        assert look.statistics[f"survival.death.{group}.day_56.survival"].value == pytest.approx(expected)
        at_risk = int(((rows["entry"] < 14) & (rows["stop"] >= 14)).sum())
        assert look.statistics[f"survival.death.{group}.day_14.at_risk"].value == at_risk
    cox = CoxPHFitter().fit(frame[["entry", "stop", "event", "treated"]], "stop", "event", entry_col="entry")
    row = look.statistics["survival.death.both.day_56.hazard_ratio"]
    assert row.value == pytest.approx(float(cox.hazard_ratios_["treated"]), rel=1e-4)


def test_a_landmark_leaves_out_whoever_died_before(study: Study) -> None:
    look = survival(study, landmark_day=14)
    people = study.tables.patients
    kept = people[people["followup_days"] > 14]
    died = kept[kept["died"] & (kept["followup_days"] <= 56)]
    for group in study.config.group_ids:
        row = look.statistics[f"survival.death.{group}.day_42.deaths"]
        assert (row.n, row.value) == ((kept["group"] == group).sum(), (died["group"] == group).sum())
    gone = len(people) - len(kept)
    assert look.notes == (
        f"Landmark on day 14: {gone} who had died or were no longer followed by then are left out.",
    )


def test_who_had_a_response_at_one_visit_only(study: Study) -> None:
    calls = study.tables.responses.pivot(index="patient_id", columns="visit", values="response")
    for visit in ("week_1", "week_2", "week_3", "week_8"):
        for level in ("CR", "PR", "NR"):
            for alone in (False, True):
                at = calls[visit] == level
                expected = at & ((calls == level).sum(axis=1) == 1) if alone else at
                look = response(study, visit=visit, level=level, at_no_other_visit=alone)
                listed = [row[0] for row in look.table.texts if len(row) > 1]
                assert listed == sorted(expected.index[expected])


def test_every_caller_can_call(study: Study) -> None:
    committed = published("03_response_dynamics")
    for name in callers(study):
        look = response(study, called_by=name)
        rates = [
            row for row in look.statistics.values() if row.statistic == "rate" and row.variable == "overall"
        ]
        assert rates or "No response" in repr(look.table)
    by_rule = response(study, called_by="rule of the cohort")
    for visit in ("week_1", "week_2", "week_3", "week_8"):
        row = by_rule.statistics[f"response.class.ruxolitinib.{visit}.pr"]
        assert row.value == committed.loc[f"response_by_rule.class.ruxolitinib.{visit}.pr", "value"]


def test_the_patients_behind_a_point_are_those_of_the_visit(study: Study) -> None:
    look = course(study, variable="ferritin", patients=Patients(split_by="death"), visit="week_1")
    visits = study.tables.visits
    rows = visits[(visits["variable"] == "ferritin") & (visits["visit"] == "week_1")]
    assert sorted(row[0] for row in look.table.texts) == sorted(rows["patient_id"])
    people = study.tables.patients.set_index("patient_id")
    for row in look.table.texts:
        one = people.loc[row[0]]
        assert row[1] == ("Died" if one["died"] and one["followup_days"] <= 56 else "Survived")


def test_every_patient_has_a_file_with_evidence_of_source(study: Study) -> None:
    for patient_id in ("R01", "R05", "C16"):
        look = patient(study, patient_id=patient_id)
        assert look.table.title == f"Exploratory. Verdicts on patient {patient_id} and their evidence"
        lines = [row for row in look.table.texts if len(row) == 5]
        assert lines
        sources = [row[4].partition(", line ") for row in lines if row[4]]
        assert all(line.isdigit() for _, said, line in sources if said)
        assert sum(bool(said) for _, said, _ in sources) > len(sources) / 2


def test_the_lag_from_which_p_is_not_below_a_twentieth(study: Study) -> None:
    look = robustness(study)
    (told,) = [row for row in look.table.texts if row[0].startswith("Least lag")]
    lag = int(told[1].split()[0])
    before, at = (
        robustness(study, lag=day).statistics[f"control_time.death.both.day_56.lag_{day}"].p_value
        for day in (lag - 1, lag)
    )
    assert before < 0.05 <= at


def test_what_is_not_recorded_is_said(any_study: Study) -> None:
    if any_study.config.title and not any_study.tables.absent:
        assert followed(any_study)
        return
    assert followed(any_study) == []
    with pytest.raises(ExplorationError, match="No measurements are recorded"):
        course(any_study, variable="ferritin")
    with pytest.raises(ExplorationError, match="day of eligibility"):
        survival(any_study, counted_from="eligibility")
    assert "No response assessments" in repr(response(any_study).table)
    assert "No glucocorticoid doses" in repr(steroids(any_study).table)


def test_exploratory_stands_on_everything_and_files_lie_apart(study: Study, output: Path) -> None:
    look = survival(study, patients=Patients(split_by="sex"))
    assert look.table.title.startswith("Exploratory.")
    assert look.table.watermark.startswith("Exploratory: not a planned analysis.")
    paths = [*look.save_figure(("svg", "png")), look.save_table("docx"), look.save_table("csv")]
    for path in paths:
        assert path.parent == output / "scratch" / "exploratory" / "rdmas_reconstructed"
        assert path.name.startswith("exploratory_survival.")
    assert "Exploratory: not a planned analysis" in paths[0].read_text(encoding="utf-8")
    assert "Exploratory" in paths[3].read_text(encoding="utf-8")
    assert not (output / "results").exists()
    assert not (output / "figures").exists()


def test_the_same_figure_for_a_journal_has_its_width(study: Study) -> None:
    from PIL import Image

    widths = {}
    for journal in ("lancet", "generic"):
        (path,) = survival(study, journal=journal).save_figure(("png",))
        with Image.open(path) as picture:
            widths[journal] = picture.width / picture.info["dpi"][0] * 25.4
    assert widths["lancet"] != pytest.approx(widths["generic"], abs=1)
