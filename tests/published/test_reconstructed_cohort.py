"""Every printed constraint on the reconstructed cohort, from its raw csv files."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from raw_constraints import WINDOWS, chi_square_p, exact_rank_sum_p, printed
from scipy import stats

# Table 1: decimals, then median, smallest and largest in the treated and in the controls, then p.
LABORATORY = {
    "leucocytes": (2, ("3.69", "0.58", "34.03"), ("3.15", "0.70", "31.18"), "0.812"),
    "neutrophils": (2, ("1.78", "0.01", "32.70"), ("2.30", "0.01", "20.27"), "0.694"),
    "hemoglobin": (0, ("94", "61", "129"), ("104", "63", "175"), "0.274"),
    "platelets": (0, ("115", "25", "359"), ("83", "4", "188"), "0.133"),
    "ast": (0, ("72", "17", "1988"), ("125", "28", "980"), "0.342"),
    "alt": (0, ("168", "10", "1698"), ("174", "23", "857"), "0.944"),
    "ldh": (0, ("521", "283", "10510"), ("794", "176", "3139"), "0.076"),
    "fibrinogen": (2, ("2.00", "0.00", "4.47"), ("1.48", "0.58", "3.70"), "0.123"),
    "triglycerides": (2, ("1.49", "0.80", "17.90"), ("2.68", "0.85", "6.35"), "0.003"),
    "ferritin": (0, ("5982", "712", "57144"), ("1500", "1305", "15000"), "<0.001"),
}


def summary(values, decimals):
    return tuple(printed(v, decimals) for v in (np.median(values), min(values), max(values)))


def assert_p_prints(p, text):
    if text.startswith("<"):
        assert p < float(text[1:])
    else:
        assert printed(p, 3) == text


class TestPatients:
    def test_sizes_and_identifiers(self, cohort):
        assert cohort.treated == [f"R{i:02d}" for i in range(1, 21)]
        assert cohort.controls == [f"C{i:02d}" for i in range(1, 22)]

    @pytest.mark.parametrize(
        ("column", "value", "treated", "control", "p"),
        [
            ("sex", "female", 17, 16, "0.751"),
            ("fever", "yes", 20, 21, "1.000"),
            ("splenomegaly", "yes", 6, 12, "0.080"),
            ("hemophagocytosis", "yes", 9, 9, "0.890"),
            ("diagnosis", "AOSD", 13, 17, None),
            ("diagnosis", "SLE", 4, 4, None),
            ("diagnosis", "other CTD", 3, 0, None),
        ],
    )
    def test_counts_of_table_1(self, cohort, column, value, treated, control, p):
        frame = cohort.patients
        found = (
            frame[frame[column] == value]
            .groupby("group")
            .size()
            .reindex(["ruxolitinib", "control"], fill_value=0)
        )
        assert list(found) == [treated, control]
        if p is not None:
            assert_p_prints(chi_square_p([[treated, 20 - treated], [control, 21 - control]]), p)

    def test_age(self, cohort):
        ages = {g: f["age"].to_numpy() for g, f in cohort.patients.groupby("group")}
        assert summary(ages["ruxolitinib"], 0) == ("37", "18", "71")
        assert summary(ages["control"], 0) == ("29", "18", "65")
        assert_p_prints(exact_rank_sum_p(ages["ruxolitinib"], ages["control"]), "0.628")

    def test_enrolment_and_follow_up_lie_in_the_printed_periods(self, cohort):
        frame = cohort.patients
        day0 = pd.to_datetime(frame["day0_date"])
        treated = frame["group"] == "ruxolitinib"
        assert day0[treated].between("2022-01-01", "2024-07-31").all()
        assert day0[~treated].between("2017-01-01", "2019-12-31").all()
        last = day0 + pd.to_timedelta(frame["last_contact_day"], unit="D")
        assert (last <= pd.Timestamp("2024-12-31")).all()
        responders = frame["patient_id"].isin(cohort.calls("week_8").loc[lambda c: c != "NR"].index)
        assert responders.sum() == 16
        assert last[responders].between("2024-12-01", "2024-12-31").all()
        assert frame.loc[responders, "death_day"].isna().all()

    def test_earlier_therapies_and_their_overlaps(self, cohort):
        before = cohort.treatments[cohort.treatments["start_day"] < 0]
        given = {d: set(f["patient_id"]) for d, f in before.groupby("drug")}
        counts = {
            d: (
                len(given.get(d, set()) & set(cohort.treated)),
                len(given.get(d, set()) & set(cohort.controls)),
            )
            for d in ("etoposide", "tocilizumab", "ciclosporin", "tacrolimus", "ivig")
        }
        assert counts == {
            "etoposide": (5, 8),
            "tocilizumab": (4, 0),
            "ciclosporin": (3, 5),
            "tacrolimus": (0, 1),
            "ivig": (8, 5),
        }
        treated = set(cohort.treated)
        e, t, c = (given[d] & treated for d in ("etoposide", "tocilizumab", "ciclosporin"))
        assert (len(e & c), len(e & t), len(c & t), len(e | t | c)) == (2, 1, 0, 9)
        iv = before[(before["route"] == "iv") & before["drug"].isin(["dexamethasone", "methylprednisolone"])]
        assert set(iv["patient_id"]) == set(cohort.patients["patient_id"])


class TestLaboratoryValuesAtBaseline:
    @pytest.mark.parametrize("variable", LABORATORY)
    def test_median_range_and_p(self, cohort, variable):
        decimals, treated, control, p = LABORATORY[variable]
        x, y = (cohort.baseline(variable, arm).to_numpy() for arm in (cohort.treated, cohort.controls))
        assert summary(x, decimals) == treated
        assert summary(y, decimals) == control
        assert_p_prints(exact_rank_sum_p(x, y), p)

    def test_only_some_controls_lack_values(self, cohort):
        n = {
            v: (len(cohort.baseline(v, cohort.treated)), len(cohort.baseline(v, cohort.controls)))
            for v in LABORATORY
        }
        assert 15 <= n["triglycerides"][1] <= 17
        assert n["ldh"] == (20, 20)
        assert all(n[v] == (20, 21) for v in LABORATORY if v not in ("triglycerides", "ldh"))

    @pytest.mark.parametrize(
        ("variable", "cut", "count"),
        [("hemoglobin", 90, 8), ("platelets", 50, 6), ("neutrophils", 1.0, 7), ("fibrinogen", 2.0, 10)],
    )
    def test_counts_below_cut_offs(self, cohort, variable, cut, count):
        assert (cohort.baseline(variable, cohort.treated) < cut).sum() == count

    def test_control_ferritin_stops_at_reporting_limits(self, cohort):
        rows = cohort.measurements
        rows = rows[
            (rows["variable"] == "ferritin") & rows["patient_id"].isin(cohort.controls) & (rows["day"] <= 0)
        ]
        assert set(rows.loc[rows["value"].str.startswith(">"), "value"]) == {">1500", ">15000"}
        assert not rows["value"].isin(["1500", "15000"]).any()

    def test_splenomegaly_agrees_between_the_tables(self, cohort):
        recorded = cohort.baseline("splenomegaly") == 1
        signs = cohort.patients.set_index("patient_id")["splenomegaly"] == "yes"
        assert recorded.sort_index().equals(signs.sort_index().rename(recorded.name))


class TestSurvival:
    def test_deaths_and_log_rank_p(self, cohort):
        frame = cohort.patients
        deaths = frame.groupby("group")["death_day"].apply(lambda s: sorted(s.dropna()))
        assert deaths["ruxolitinib"] == [19]
        assert len(deaths["control"]) == 8
        assert max(deaths["control"]) < 56
        assert len(set(deaths["control"]) | {19}) == 9
        assert sum(d < 19 for d in deaths["control"]) == 5
        assert_p_prints(chi_square_p([[1, 19], [8, 13]]), "0.029")
        samples = []
        for _, arm in frame.groupby("group"):
            dead = arm["death_day"].notna()
            samples.append(stats.CensoredData(arm.loc[dead, "death_day"], right=[56] * int((~dead).sum())))
        assert_p_prints(stats.logrank(*samples).pvalue, "0.011")

    def test_survivors_are_followed_beyond_day_56(self, cohort):
        frame = cohort.patients
        alive = frame["death_day"].isna()
        assert (frame.loc[alive, "last_contact_day"] > 56).all()
        assert (frame.loc[~alive, "last_contact_day"] == frame.loc[~alive, "death_day"]).all()

    def test_nothing_is_recorded_after_death_or_last_contact(self, cohort):
        last = cohort.patients.set_index("patient_id")["last_contact_day"]
        for table in (cohort.measurements, cohort.responses, cohort.events):
            assert (table["day"] <= table["patient_id"].map(last)).all()
        assert (cohort.treatments["start_day"] <= cohort.treatments["patient_id"].map(last)).all()
        stop = cohort.treatments["stop_day"].dropna()
        assert (stop <= cohort.treatments.loc[stop.index, "patient_id"].map(last)).all()


class TestResponses:
    @pytest.mark.parametrize(
        ("visit", "counts"),
        [
            ("week_1", {"PR": 9, "NR": 11}),
            ("week_2", {"PR": 13, "CR": 1, "NR": 6}),
            ("week_3", {"PR": 12, "CR": 3, "NR": 4}),
            ("week_8", {"PR": 10, "CR": 6, "NR": 3}),
        ],
    )
    def test_counts_at_visits(self, cohort, visit, counts):
        # The patient who died on day 19 has no call at weeks 3 and 8 and counts as NR there: 5 and 4.
        assert cohort.calls(visit).value_counts().to_dict() == counts

    def test_first_partial_remission_is_on_day_3(self, cohort):
        first = cohort.responses[cohort.responses["response"] != "NR"]["day"].min()
        early = cohort.responses[cohort.responses["day"] == 3]
        assert first == 3
        assert list(early["response"]) == ["PR"]
        assert cohort.calls("week_1")[early["patient_id"].iloc[0]] == "PR"

    def test_remission_is_not_lost(self, cohort):
        level = {"NR": 0, "PR": 1, "CR": 2}
        for _, rows in cohort.responses.sort_values("day").groupby("patient_id"):
            assert rows["response"].map(level).is_monotonic_increasing

    def test_enlarged_spleens_belong_to_responders_and_resolve(self, cohort):
        enlarged = set(cohort.baseline("splenomegaly", cohort.treated).loc[lambda s: s == 1].index)
        calls, later = cohort.calls("week_8"), cohort.at_visit("splenomegaly", "week_8")
        assert all(calls[p] != "NR" for p in enlarged)
        assert (later[list(enlarged)] == 0).all()
        assert (later == 0).all()

    def test_non_responders_at_week_8_died_switched_or_stayed_below(self, cohort):
        reasons = cohort.treatments[cohort.treatments["drug"] == "ruxolitinib"].set_index("patient_id")[
            "stop_reason"
        ]
        not_responding = cohort.calls("week_8").loc[lambda c: c == "NR"].index
        switched = [p for p in not_responding if "etoposide" in reasons[p]]
        assert len(not_responding) == 3
        assert len(switched) == 1
        later = cohort.treatments[
            (cohort.treatments["drug"] == "etoposide") & (cohort.treatments["start_day"] > 0)
        ]
        assert set(later["patient_id"]) & set(cohort.treated) == set(switched)


class TestTreatment:
    def test_weekly_mean_dose_before_day_0(self, cohort):
        mean = {p: round(cohort.weekly_mean(p, -7, -1), 6) for p in cohort.patients["patient_id"]}
        x, y = ([mean[p] for p in arm] for arm in (cohort.treated, cohort.controls))
        assert summary(x, 0) == ("133", "100", "267")
        assert summary(y, 0) == ("134", "100", "625")
        assert_p_prints(exact_rank_sum_p(x, y), "0.472")

    def test_dose_per_kilogram_before_day_0_and_at_week_8(self, cohort):
        weight = cohort.patients.set_index("patient_id")["weight_kg"]
        before = [cohort.weekly_mean(p, -7, -1) / weight[p] for p in cohort.treated]
        alive = [p for p in cohort.treated if p in cohort.calls("week_8").index]
        after = [cohort.weekly_mean(p, 50, 56) / weight[p] for p in alive]
        assert summary(before, 1) == ("2.7", "2.1", "4.7")
        assert len(after) == 19
        assert summary(after, 1) == ("0.5", "0.2", "0.8")
        assert all(
            cohort.daily_doses[p, 56] == pytest.approx(cohort.weekly_mean(p, 50, 56)) for p in alive
        ), "mean and last dose of week 8 differ"

    def test_doses_fall_from_visit_to_visit(self, cohort):
        weight = cohort.patients.set_index("patient_id")["weight_kg"]
        alive = [p for p in cohort.treated if p in cohort.calls("week_8").index]
        medians = [
            np.median([cohort.weekly_mean(p, d - 6, d) / weight[p] for p in alive])
            for d in (-1, 7, 14, 21, 56)
        ]
        assert all(later < earlier for earlier, later in pairwise(medians))

    def test_ruxolitinib(self, cohort):
        rows = cohort.treatments[cohort.treatments["drug"] == "ruxolitinib"]
        weight = cohort.patients.set_index("patient_id")["weight_kg"]
        assert sorted(rows["patient_id"]) == cohort.treated
        assert (rows["start_day"] == 0).all()
        assert set(rows["dose"]) == {5, 10}
        assert (rows["times_per_day"] == 2).all()
        heaviest_on_5 = rows.loc[rows["dose"] == 5, "patient_id"].map(weight).max()
        assert heaviest_on_5 < rows.loc[rows["dose"] == 10, "patient_id"].map(weight).min()
        assert printed(rows["stop_day"].median() / 30.4375, 0) == "3"
        assert (rows["stop_reason"] == "complete remission").sum() == 1

    def test_ciclosporin_added_two_to_four_weeks_after_remission(self, cohort):
        added = cohort.treatments[
            (cohort.treatments["drug"] == "ciclosporin") & (cohort.treatments["start_day"] > 0)
        ]
        added = added[added["patient_id"].isin(cohort.treated)].set_index("patient_id")["start_day"]
        remission = cohort.responses[cohort.responses["response"] != "NR"].groupby("patient_id")["day"].min()
        assert len(added) == 6
        assert (added - remission[added.index]).between(14, 28).all()

    def test_controls_never_get_ruxolitinib(self, cohort):
        drugs = cohort.treatments[cohort.treatments["patient_id"].isin(cohort.controls)]["drug"]
        assert "ruxolitinib" not in set(drugs)


def test_adverse_events_are_four_mild_cytomegalovirus_infections(cohort):
    events = cohort.events
    assert set(events["patient_id"]) <= set(cohort.treated)
    assert events["patient_id"].nunique() == len(events) == 4
    assert events["term"].str.contains("cytomegalovirus").all()
    assert set(events["grade"]) <= {1, 2}
    assert set(events["serious"]) == {"no"}


class TestCourses:
    def test_neutrophils_never_exceed_leucocytes(self, cohort):
        wide = cohort.measurements.pivot_table(
            index=["patient_id", "day"], columns="variable", values="number"
        )
        both = wide.dropna(subset=["neutrophils", "leucocytes"])
        assert len(both) > 150
        assert (both["neutrophils"] <= both["leucocytes"]).all()

    def test_printed_improvements_are_there(self, cohort):
        for variable, better in (("platelets", 1), ("fibrinogen", 1), ("ast", -1), ("ferritin", -1)):
            before = cohort.baseline(variable, cohort.treated)
            medians = [before.median()] + [
                cohort.at_visit(variable, v)[lambda s: s.index.isin(cohort.treated)].median() for v in WINDOWS
            ]
            assert better * (medians[-1] - medians[0]) > 0.2 * medians[0], (variable, medians)
        crp = cohort.at_visit("crp", "week_8")
        crp = crp[crp.index.isin(cohort.treated)]
        before = cohort.baseline("crp")[crp.index]
        assert (crp < 0.5 * before).mean() > 0.7

    def test_temperature_falls_in_responders(self, cohort):
        for visit in WINDOWS:
            calls = cohort.calls(visit)
            responders = calls[calls != "NR"].index
            assert (cohort.at_visit("temperature", visit)[responders] <= 37.3).all()
        assert (cohort.baseline("temperature") >= 38.5).all()

    def test_ferritin_stays_raised_in_partial_remission(self, cohort):
        for visit in WINDOWS:
            calls = cohort.calls(visit)
            ferritin = cohort.at_visit("ferritin", visit)
            assert (ferritin[calls[calls == "PR"].index] > 300).all()
            assert (ferritin[calls[calls == "CR"].index] < 300).all()

    def test_no_impossible_jumps(self, cohort):
        rows = cohort.measurements[cohort.measurements["patient_id"].isin(cohort.treated)]
        for variable, most in (("hemoglobin", 3.0), ("platelets", 20.0)):
            part = rows[rows["variable"] == variable].sort_values(["patient_id", "day"])
            rise = part.groupby("patient_id")["number"].diff() / part.groupby("patient_id")["day"].diff()
            assert rise.abs().max() <= most, variable

    def test_every_row_has_one_value_a_day(self, cohort):
        assert not cohort.measurements.duplicated(["patient_id", "day", "variable"]).any()
