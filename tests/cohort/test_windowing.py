import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.cohort.sections import Visit
from helpers.cohort.settings import CohortConfig
from helpers.cohort.windowing import AFTER_DAY0, NOT_NEAREST, OUTSIDE_WINDOWS, SELECTED, assign_visits

WINDOWS = {"baseline": (0, -7, 3), "week_1": (7, 4, 10), "week_2": (14, 12, 17)}


def settings_with(tie="earlier", late=False):
    return CohortConfig.model_validate(
        {
            "title": "x",
            "provenance": "synthetic",
            "group": [{"id": "a", "label": "A", "role": "treated", "day0": "start"}],
            "follow_up": {"horizon_days": 56},
            "visit": [
                {"id": name, "label": name, "day": day, "window": [first, last]}
                for name, (day, first, last) in WINDOWS.items()
            ],
            "windowing": {"tie": tie, "baseline_after_day0": late},
        }
    )


def assigned(days, *, rank=None, **options):
    frame = pd.DataFrame({"patient_id": "p", "day": pd.Series(days, dtype="int64")})
    if rank is not None:
        frame["day_rank"] = rank
    return assign_visits(frame, settings_with(**options), by=["patient_id"])


@pytest.mark.parametrize(
    ("tie", "days", "chosen"),
    [
        ("earlier", [6, 8], 0),
        ("later", [6, 8], 1),
        ("earlier", [8, 6], 1),
        ("later", [8, 6], 0),
        ("later", [5, 8], 1),
        ("earlier", [4, 8], 1),
    ],
)
def test_nearest_row_and_ties(tie, days, chosen):
    assert assigned(days, tie=tie)["selected"].tolist() == [place == chosen for place in range(2)]


@pytest.mark.parametrize("tie", ["earlier", "later"])
def test_of_rows_of_one_day_the_one_that_stands_for_it_is_taken(tie):
    selected = assigned([7, 7, 7], rank=[1, 0, 2], tie=tie)["selected"]
    assert selected.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("days", "late", "roles"),
    [
        ([-3, 1], False, [SELECTED, AFTER_DAY0]),
        ([-3, 1], True, [SELECTED, NOT_NEAREST]),
        ([1, 2], False, [AFTER_DAY0, AFTER_DAY0]),
        ([1, 2], True, [SELECTED, NOT_NEAREST]),
        ([-8, 11], False, [OUTSIDE_WINDOWS, OUTSIDE_WINDOWS]),
    ],
)
def test_baseline_prefers_rows_on_or_before_day_0(days, late, roles):
    assert assigned(days, late=late)["role"].tolist() == roles


def test_visits_may_be_restricted():
    frame = pd.DataFrame({"patient_id": ["p"], "day": [0]})
    later = (Visit(id="week_1", label="W", day=7, window=(4, 10)),)
    assert assign_visits(frame, settings_with(), by=["patient_id"], visits=later)["visit"].tolist() == [None]


def test_no_rows_give_no_visits():
    result = assigned([])
    assert result.empty
    assert list(result) == ["visit", "selected", "role"]


@settings(max_examples=50)
@given(
    days=st.lists(st.integers(-20, 30), max_size=30),
    tie=st.sampled_from(["earlier", "later"]),
    late=st.booleans(),
)
def test_no_row_outside_a_window_is_picked_and_the_nearest_always_is(days, tie, late):
    result = assigned(days, tie=tie, late=late).assign(day=days)
    for name, (nominal, first, last) in WINDOWS.items():
        inside = result[(result["day"] >= first) & (result["day"] <= last)]
        assert inside["visit"].eq(name).all()
        chosen = inside[inside["selected"]]
        assert result.loc[result["selected"] & (result["visit"] == name)].equals(chosen)
        allowed = inside
        if name == "baseline":
            before = inside[inside["day"] <= 0]
            allowed = before if len(before) or not late else inside
        assert len(chosen) == (len(allowed) > 0)
        if len(chosen):
            best = (allowed["day"] - nominal).abs().min()
            near = allowed[(allowed["day"] - nominal).abs() == best]["day"]
            assert chosen["day"].iloc[0] == (near.min() if tie == "earlier" else near.max())
    outside = result[result["role"] == OUTSIDE_WINDOWS]
    assert outside["visit"].isna().all()
    assert not outside["selected"].any()
