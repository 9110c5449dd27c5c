"""Values that became normal, fell and rose, on hand-made patients."""

from __future__ import annotations

import pytest

from helpers.analysis.normalisation import describe_normalisation


@pytest.fixture
def found(tables, config, store):
    assert describe_normalisation(tables, config, store) == ["ferritin"]
    return store.rows()


def test_counts_of_hand_made_patients(tables, config, found):
    """Every count again by a loop over patients."""
    members = set(tables.patients.loc[tables.patients["group"] == "treated", "patient_id"])
    rows = tables.visits[
        (tables.visits["variable"] == "ferritin") & tables.visits["patient_id"].isin(members)
    ]
    values = {(r.patient_id, r.visit): (r.value, r.qualifier or "") for r in rows.itertuples()}
    fell = rose = pairs = 0
    for patient in members:
        before, after = values.get((patient, "baseline")), values.get((patient, "week_1"))
        if before is None or after is None:
            continue
        if before[1] == "" == after[1]:
            fell, rose, pairs = fell + (after[0] < before[0]), rose + (after[0] > before[0]), pairs + 1
        elif before[1] == ">" and after[1] != ">" and after[0] < before[0]:
            fell, pairs = fell + 1, pairs + 1  # from beyond a limit to below it
    row = found["normalisation.ferritin.treated.week_1.fell"]
    assert (row.value, row.n) == (fell, pairs)
    assert found["normalisation.ferritin.treated.week_1.rose"].value == rose
    assert pairs < len(members)  # two values at one limit tell nothing


def test_abnormal_values_are_those_beyond_the_limits(tables, config, found):
    row = found["normalisation.ferritin.treated.baseline.abnormal"]
    assert row.n
    assert 0 < row.value <= row.n


def test_what_cannot_be_told_is_no_zero(found):
    for row in found.values():
        assert row.value == row.value or row.note
        assert row.n or row.value != row.value
