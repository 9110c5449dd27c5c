"""Patients are split and chosen as a hand would do it, and small parts are told before they are drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers.analysis.variables import BaselineVariable
from helpers.explore.parts import FEWEST, FewPatientsError, Patients, choose, level_names, levels
from helpers.explore.study import ExplorationError, Study


def sizes(study: Study) -> dict[str, int]:
    labels = {group.id: group.label for group in study.config.groups}
    counts = study.tables.patients["group"].map(labels).value_counts()
    return {str(name): int(count) for name, count in counts.items()}


def test_a_split_by_a_category_counts_what_the_raw_table_holds(study: Study) -> None:
    found = choose(study, Patients(split_by="sex")).study
    raw = study.tables.patients["sex"].value_counts()
    assert sizes(found) == {"Female": raw["female"], "Male": raw["male"]}
    assert [group.role for group in found.config.groups] == ["treated", "reference"]


def test_a_number_is_split_at_its_median_and_limits_count_where_they_decide(study: Study) -> None:
    visits = study.tables.visits
    rows = visits[(visits["visit"] == "baseline") & (visits["variable"] == "ferritin")]
    for cut in (None, 1500.0, 20000.0):
        at = float(np.median(rows["value"])) if cut is None else cut
        sure_above = (rows["value"] >= at) & (rows["qualifier"] != "<")
        sure_below = (rows["value"] < at) & (rows["qualifier"] != ">")
        found = choose(study, Patients(split_by="ferritin", cut=cut, accept_few=True))
        unknown = len(study.tables.patients) - int(sure_above.sum() + sure_below.sum())
        assert sorted(sizes(found.study).values()) == sorted(
            int(count) for count in (sure_above.sum(), sure_below.sum()) if count
        )
        assert unknown == 0 or f"{unknown} of 41 patients are left out: " in " ".join(found.notes)


def test_groups_are_split_one_by_one(study: Study) -> None:
    found = choose(study, Patients(split_by="sex", in_each_group=True, accept_few=True)).study
    crossed = study.tables.patients.groupby(["group", "sex"]).size()
    expected = {
        "Ruxolitinib, female": crossed["ruxolitinib", "female"],
        "Ruxolitinib, male": crossed["ruxolitinib", "male"],
        "Control, female": crossed["control", "female"],
        "Control, male": crossed["control", "male"],
    }
    assert sizes(found) == expected


def test_only_and_without_leave_the_named_patients_out(study: Study) -> None:
    people = study.tables.patients
    wanted = set(people.loc[people["diagnosis"] == "AOSD", "patient_id"]) - {"R01"}
    found = choose(study, Patients(only={"diagnosis": "AOSD"}, without=("R01",)))
    assert set(found.study.tables.patients["patient_id"]) == wanted
    assert set(found.study.tables.doses["patient_id"]) <= wanted
    assert found.notes == ("Without R01.", "Only Underlying disease: AOSD.")


def test_every_choice_that_leaves_fewer_than_five_is_refused_before_it_is_agreed_to(any_study: Study) -> None:
    for name in any_study.variables:
        for each in (False, True):
            patients = Patients(split_by=name, in_each_group=each)
            try:
                agreed = choose(any_study, replace(patients, accept_few=True), known_by=float("inf"))
            except ExplorationError:  # too many parts
                continue
            if min(sizes(agreed.study).values()) >= FEWEST:
                assert choose(any_study, patients, known_by=float("inf")).notes == agreed.notes
                continue
            assert any("Fewer than five" in note for note in agreed.notes)
            with pytest.raises(FewPatientsError, match="Fewer than five patients: "):
                choose(any_study, patients, known_by=float("inf"))


def test_the_study_as_it_is_needs_no_agreement(study: Study) -> None:
    found = choose(study, Patients())
    assert found.study is study
    assert found.notes == ()


@pytest.mark.parametrize(
    ("patients", "said"),
    [
        (Patients(split_by="ferrritin"), "Did you mean 'ferritin'"),
        (Patients(only={"diagnosis": "measles"}), "There are: AOSD, SLE, other CTD"),
        (Patients(without=("R99",)), "No patient R99"),
        (Patients(split_by="death"), "Death is what is followed here"),
        (Patients(split_by="response_at_week_1"), "Choose a landmark on day 10 or later"),
        (Patients(only={"sex": "male", "diagnosis": "other CTD"}), "Nobody is left"),
    ],
)
def test_what_cannot_be_shown_is_said_with_what_can(study: Study, patients: Patients, said: str) -> None:
    with pytest.raises(ExplorationError, match=said):
        choose(study, patients)


def test_a_response_may_split_after_its_visit(study: Study) -> None:
    patients = Patients(split_by="response_at_week_1", accept_few=True)
    found = choose(study, patients, known_by=10).study
    calls = study.tables.responses
    recorded = calls[calls["visit"] == "week_1"]["response"].value_counts()
    assert sizes(found) == {str(name): int(count) for name, count in recorded.items()}


def test_a_choice_writes_itself_down() -> None:
    patients = Patients(split_by="age", cut=40.0, only={"sex": "male"}, without=("A", "B"))
    assert eval(repr(patients)) == patients
    assert repr(Patients()) == "Patients()"


def test_levels_of_a_limited_value() -> None:
    values = pd.Series([1.0, 5.0, 9.0, 9.0], index=list("abcd"))
    signs = pd.Series(["", "<", ">", ""], index=list("abcd"))
    variable = BaselineVariable("x", "X, U", "continuous", values, signs, "U")
    assert levels(variable, 5.0).fillna("?").tolist() == ["below 5 U", "?", "5 U or more", "5 U or more"]
    assert level_names(variable, 5.0) == ["below 5 U", "5 U or more"]
