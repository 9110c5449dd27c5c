"""Response: denominators, the dead, the unassessed."""

import pandas as pd

from helpers.analysis.response import count_responses, responders_at_end, response_paths


def test_paths_name_the_dead_and_leave_the_unassessed_missing(tables, config):
    paths = response_paths(tables, config, "treated")
    assert paths.loc["T1"].tolist() == ["PR", "CR"]
    assert paths.loc["T3"].tolist() == ["NR", "died"]
    assert pd.isna(paths.loc["T4", "week_8"])
    assert response_paths(tables, config, "control").empty


def test_the_dead_stay_in_the_denominator_and_the_unassessed_leave_it(tables, config, store):
    count_responses(tables, config, store, confidence=0.95)
    rows = store.rows()
    counts = {
        name: rows[f"response.class.treated.week_8.{name}"].value for name in ("cr", "pr", "nr", "dead")
    }
    assert counts == {"cr": 1, "pr": 1, "nr": 1, "dead": 1}
    rate = rows["response.overall.treated.week_8.rate"]
    assert (rate.n, rate.n_missing) == (3, 1)
    assert round(rate.value, 3) == 66.667
    assert rows["response.first_response.treated.follow_up.earliest"].value == 3


def test_counting_the_unassessed_as_no_response_is_a_setting(tables, config, store):
    setting = config.response.model_copy(update={"not_assessed_is": "NR"})
    count_responses(tables, config.model_copy(update={"response": setting}), store, confidence=0.95)
    row = store.rows()["response.overall.treated.week_8.rate"]
    assert (row.n, row.value) == (4, 50.0)


def test_responders_are_those_of_the_last_visit(tables, config):
    assert responders_at_end(tables, config).tolist() == ["T1", "T2"]


def test_without_responses_nothing_is_stored(bare, store):
    config, tables = bare
    assert count_responses(tables, config, store, confidence=0.95) == {}
    assert len(store) == 0
    assert responders_at_end(tables, config).empty
