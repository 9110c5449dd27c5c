"""Hundreds of patients and tens of thousands of values of a hospital's own export; skipped where not at hand.

How the rows are read is tested in tests/cohort/test_real_cohort.py. Here the notebooks must write the figures
of the publication and those of R 4.2.2, survival 3.5.3. Times in R are calendar days from admission.
"""

from pathlib import Path

import pandas as pd
import pytest
from tongji import LABS, write_cohort

from helpers.cohort.check import check_cohort

SOURCE = Path(__file__).parents[2] / ".." / "shared" / "cohorts" / "tongji_covid"

pytestmark = pytest.mark.skipif(not SOURCE.is_dir(), reason="the Tongji samples are not at hand")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_cohort(SOURCE, tmp_path_factory.mktemp("cohorts") / "tongji")


@pytest.fixture(scope="module")
def run(folder, analysed):
    return analysed(folder)


def test_it_can_be_analysed_and_a_count_that_is_not_of_blood_is_named(folder):
    problems = check_cohort(folder)
    assert {problem.severity for problem in problems} == {"warning"}
    found = [problem.found for problem in problems]
    assert "leucocytes 1726.6 10^9/L" in found


@pytest.mark.slow
@pytest.mark.xdist_group("tongji")  # one process runs the cohort for all
class TestNotebooks:
    def test_patients_are_those_of_the_publication(self, run):
        assert run.value("flow.patients.all.baseline.recorded") == 375
        men, women = (run.value(f"flow.patients.{group}.baseline.analysed") for group in ("male", "female"))
        assert (men, women) == (224, 151)
        assert men / 375 == pytest.approx(0.597, abs=0.0005)
        age = run.table("patients")["age"]
        assert (age.mean(), age.std()) == pytest.approx((58.83, 16.46), abs=0.005)

    def test_deaths_are_those_of_the_publication(self, run):
        counts = {
            name: sum(run.value(f"flow.patients.{group}.horizon.{name}") for group in ("male", "female"))
            for name in ("died", "censored", "alive")
        }
        assert counts["died"] == 174
        assert counts["censored"] + counts["alive"] == 201
        assert run.value("survival.death.male.day_35.deaths") == 126
        assert run.value("survival.death.female.day_35.deaths") == 48

    def test_survival_is_that_of_r(self, run):
        # survdiff(Surv(day, died) ~ sex); coxph; survfit(..., conf.type = "log-log") at day 14
        logrank = "survival.death.both.day_35.logrank"
        assert run.value(logrank) == pytest.approx(21.7409503908, rel=1e-10)
        in_the_tail = float(f"{3.12058407226e-06:.6g}")  # of which six digits are stored
        assert run.value(logrank, "p_value") == in_the_tail
        ratio = [run.value("survival.death.both.day_35.hazard_ratio", c) for c in ("value", "lower", "upper")]
        assert ratio == pytest.approx([2.17260024625, 1.55484235801, 3.03580090012], rel=1e-6)
        day_14 = [run.value("survival.death.male.day_14.survival", c) for c in ("value", "lower", "upper")]
        assert day_14 == pytest.approx([0.45108490, 0.379511510, 0.51989011], rel=1e-7)
        assert run.value("survival.death.male.day_14.at_risk") == 69
        assert run.value("survival.death.female.day_28.at_risk") == 9

    def test_fourteen_patients_have_no_sample(self, run):
        rows = run.table("dispositions")
        sampled = rows.loc[rows["table"] == "measurements", "patient_id"]
        patients = rows.loc[rows["table"] == "patients", "patient_id"]
        assert (~patients.isin(sampled)).sum() == 14

    def test_every_row_is_used_or_excluded_with_its_reason(self, run):
        used, excluded = (
            run.value(f"flow.rows_measurements.all.baseline.{name}") for name in ("used", "excluded")
        )
        assert used + excluded == 55_731
        assert run.value("flow.rows_measurements.all.baseline.excluded_missing_code") == 4
        rows = run.table("dispositions")
        assert set(rows["reason"]) == {
            "",
            "after death",
            "missing code",
            "outside plausible range",
            "variable not in the vocabulary",
        }
        values = run.table("measurements")
        assert values.loc[values["variable"] == "leucocytes", "value"].max() <= 500
        assert values.loc[values["variable"] == "platelets", "value"].min() > 0

    def test_values_at_the_limit_of_an_assay_are_marked(self, run):
        values = run.table("measurements")
        above = values[values["qualifier"] == ">"]
        raw = pd.read_csv(SOURCE / LABS)
        rows = run.table("dispositions")
        late = rows.loc[(rows["table"] == "measurements") & (rows["reason"] == "after death"), "source_row"]
        at_limit = {
            ("ldh", "Lactate dehydrogenase"): (1867, 15, 1),
            ("crp", "High sensitivity C-reactive protein"): (320, 6, 0),
            ("ferritin", "ferritin"): (50_000, 1, 0),
        }
        for (name, test), (limit, number, after_death) in at_limit.items():
            capped = raw.index[(raw["test"] == test) & (raw["value"] == limit)] + 2  # line 1 is the header
            assert len(capped) == number
            assert capped.isin(late).sum() == after_death
            marked = above.loc[above["variable"] == name, "source_row"]
            assert sorted(marked) == sorted(capped[~capped.isin(late)])
        assert run.value("laboratory.ldh.male.baseline.beyond_limit") == 2

    def test_figures_are_there_in_every_format(self, run):
        assert run.draws_all()

    def test_the_missing_map_names_every_variable(self, run):
        drawing = run.drawing("figure_s2_missing")
        measured = run.table("visits")["variable"].nunique()
        assert measured == 32
        assert drawing.count("mmol/L") == 5  # urea, cholesterol, sodium, potassium, glucose
        assert "Interleukin 10, pg/mL" in drawing

    def test_notebooks_without_data_say_so(self, run):
        cohort = "COVID-19 at Tongji Hospital, Wuhan: men and women"
        told = f"**Nothing to do in this notebook:** the cohort {cohort}"
        assert f"{told} has no table treatments." in run.said("05_steroid_sparing")
        assert f"{told} has no tables treatments, responses and events." in run.said("06_safety")
        assert "No response assessments are recorded" in run.said("03_response_dynamics")
