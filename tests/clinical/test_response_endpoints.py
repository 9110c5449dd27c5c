"""Best, first, confirmed, sustained response, time to response and agreement with the clinician."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.clinical.errors import ClinicalError
from helpers.clinical.response_endpoints import (
    ORDER,
    agreement_with_clinician,
    best_response,
    confirmed_response,
    first_response,
    kappa,
    sustained_response,
    time_to_response,
)

DAYS = {"day_3": 3, "week_1": 7, "week_2": 14, "week_3": 21, "week_8": 56}
# name: (calls at weeks 1, 2, 3 and 8, death day, last day)
COHORT = {
    "steady": ("PR PR CR CR", np.nan, 90),
    "late": ("NR NR NR PR", np.nan, 90),
    "lost": ("PR PR NR NR", np.nan, 90),
    "regained": ("PR NR PR PR", np.nan, 90),
    "never": ("NR NR NR NR", np.nan, 90),
    "died_unresponsive": ("NR NR NR NR", 19, 19),
    "died_in_response": ("PR PR NR NR", 19, 19),
    "left": ("NR missing missing missing", np.nan, 10),
    "gap": ("PR missing PR missing", np.nan, 90),
    "complete_then_partial": ("CR PR PR PR", np.nan, 90),
}


def cohort():
    rows, patients = [], []
    for name, (calls, death, last) in COHORT.items():
        visits = ["week_1", "week_2", "week_3", "week_8"]
        rows += [[name, v, DAYS[v], c] for v, c in zip(visits, calls.split(), strict=True)]
        patients.append([name, death, float(last), not np.isnan(death)])
    responses = pd.DataFrame(rows, columns=["patient_id", "visit", "day", "response"])
    return responses, pd.DataFrame(patients, columns=["patient_id", "death_day", "followup_days", "died"])


def test_best_response_and_the_day_it_was_first_reached():
    best = best_response(*cohort()).set_index("patient_id")
    assert best.loc[["steady", "regained", "never", "complete_then_partial"]].to_numpy().tolist() == [
        ["CR", 21], ["PR", 7], ["NR", 7], ["CR", 7],
    ]  # fmt: skip
    assert best_response(*cohort(), horizon=14).set_index("patient_id").loc["steady", "response"] == "PR"


def test_first_response_and_first_complete_response():
    first = first_response(*cohort()).set_index("patient_id")["day"]
    assert first[["steady", "late"]].tolist() == [7, 56]
    assert np.isnan(first["never"])
    complete = first_response(*cohort(), at_least="CR").set_index("patient_id")["day"]
    assert complete[["steady", "complete_then_partial"]].tolist() == [21, 7]
    assert np.isnan(complete["lost"])


def test_response_before_the_first_visit_is_used():
    responses, patients = cohort()
    early = pd.DataFrame([["steady", None, 3, "PR"]], columns=responses.columns)
    both = pd.concat([responses, early], ignore_index=True)
    assert first_response(both, patients).set_index("patient_id").loc["steady", "day"] == 3


def test_confirmed_response():
    frame = confirmed_response(*cohort()).set_index("patient_id")
    assert frame["confirmed"].to_dict() == {
        "steady": True, "late": False, "lost": True, "regained": True, "never": False,
        "died_unresponsive": False, "died_in_response": True, "left": False, "gap": True,
        "complete_then_partial": True,
    }  # fmt: skip
    assert frame.loc["regained", ["day", "confirmed_day"]].tolist() == [21, 56]
    spaced = confirmed_response(*cohort(), days_apart=8).set_index("patient_id")["confirmed"]
    assert spaced[["lost", "gap"]].tolist() == [False, True]


def test_sustained_response():
    frame = sustained_response(*cohort()).set_index("patient_id")
    assert frame["status"].to_dict() == {
        "steady": "sustained", "late": "not confirmed", "lost": "lost", "regained": "lost", "never": "never",
        "died_unresponsive": "never", "died_in_response": "died", "left": "never", "gap": "sustained",
        "complete_then_partial": "sustained",
    }  # fmt: skip
    assert frame.loc[["lost", "regained", "died_in_response"], "lost_day"].tolist() == [21, 14, 19]


def test_time_to_response_with_death_competing():
    frame = time_to_response(*cohort()).set_index("patient_id")
    assert {name: tuple(row) for name, row in frame.iterrows()} == {
        "steady": (7, 1), "late": (56, 1), "lost": (7, 1), "regained": (7, 1), "never": (56, 0),
        "died_unresponsive": (19, 2), "died_in_response": (7, 1), "left": (10, 0), "gap": (7, 1),
        "complete_then_partial": (7, 1),
    }  # fmt: skip
    confirmed = time_to_response(*cohort(), confirmed=True).set_index("patient_id")
    assert tuple(confirmed.loc["late"]) == (56, 0)
    assert tuple(confirmed.loc["regained"]) == (21, 1)
    assert tuple(time_to_response(*cohort(), horizon=30).set_index("patient_id").loc["late"]) == (30, 0)


def test_a_call_that_is_no_response_is_refused():
    responses, patients = cohort()
    responses.loc[0, "response"] = "VGPR"
    with pytest.raises(ClinicalError, match="found VGPR, expected CR, PR, NR"):
        best_response(responses, patients)


def test_kappa_of_published_tables():
    # Fleiss, Statistical methods for rates and proportions, table 18.1: kappa 0.676
    table = pd.DataFrame([[75, 1, 4], [5, 4, 1], [0, 0, 10]])
    assert kappa(table) == pytest.approx(0.676, abs=5e-4)
    assert kappa(pd.DataFrame(np.diag([3, 4, 5])), weights="linear") == 1
    assert np.isnan(kappa(pd.DataFrame([[5, 0], [0, 0]])))


def test_linear_kappa_by_hand():
    table = pd.DataFrame([[2, 1, 0], [0, 2, 0], [1, 0, 4]])
    # disagreement 1/2 + 1 = 1.5; expected from margins (3, 2, 5) and (3, 3, 4)
    expected = (
        sum(abs(i - j) / 2 * r * c for i, r in enumerate((3, 2, 5)) for j, c in enumerate((3, 3, 4))) / 10
    )
    assert kappa(table, weights="linear") == pytest.approx(1 - 1.5 / expected)


def test_agreement_with_the_clinician_lists_who_differs():
    responses, _ = cohort()
    clinician = responses[responses["response"] != "missing"].copy()
    clinician.loc[clinician["patient_id"] == "late", "response"] = "PR"
    clinician["source_row"] = range(2, len(clinician) + 2)
    counts, summary, differing = agreement_with_clinician(responses.assign(n_improved=1), clinician)
    assert counts.loc["NR", "PR"] == 3
    assert counts.to_numpy().sum() == 35
    everything = summary.set_index("visit").loc["all visits"]
    assert (everything["n"], everything["n_agree"], everything["n_not_compared"]) == (35, 32, 0)
    assert 0 < everything["kappa"] < 1
    assert differing["patient_id"].tolist() == ["late"] * 3
    assert {"response_rule", "response_clinician", "n_improved", "source_row"} <= set(differing.columns)


def confirmed_by_hand(calls, at_least):
    """First call of the run and the call that confirms it, one call after the other."""
    start = None
    for day, call in calls:
        if ORDER[call] < ORDER[at_least]:
            start = None
        elif start is None:
            start = day
        elif day - start >= 7:
            return start, day
    return None


def sustained_by_hand(calls, death, at_least, horizon):
    """Status of the first response, one call after the other."""
    calls = [(day, call) for day, call in calls if day <= horizon]
    if not calls:
        return "no calls"
    good = [day for day, call in calls if ORDER[call] >= ORDER[at_least]]
    if not good:
        return "never"
    after = [call for day, call in calls if day > good[0] and (death is None or day < death)]
    if any(ORDER[call] < ORDER[at_least] for call in after):
        return "lost"
    if death is not None and death <= horizon:
        return "died"
    return "sustained" if after else "not confirmed"


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.integers(0, 60), st.sampled_from(["CR", "PR", "NR"]), max_size=7),
            st.none() | st.integers(1, 60),
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["PR", "CR"]),
)
def test_confirmed_and_sustained_are_as_read_call_by_call(people, at_least):
    rows = [(f"P{i}", day, call) for i, (calls, _) in enumerate(people) for day, call in calls.items()]
    responses = pd.DataFrame(rows, columns=["patient_id", "day", "response"])
    patients = pd.DataFrame({
        "patient_id": [f"P{i}" for i in range(len(people))],
        "death_day": pd.array([death for _, death in people], dtype="Int64"),
    })  # fmt: skip
    confirmed = confirmed_response(responses, patients, at_least=at_least)
    sustained = sustained_response(responses, patients, at_least=at_least, horizon=56)
    for place, (calls, death) in enumerate(people):
        pair = confirmed_by_hand(sorted(calls.items()), at_least)
        found = confirmed.loc[place, ["confirmed", "day", "confirmed_day"]].tolist()
        assert (tuple(found[1:]) if found[0] else None) == pair
        assert sustained.loc[place, "status"] == sustained_by_hand(sorted(calls.items()), death, at_least, 56)
