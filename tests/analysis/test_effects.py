"""Every method beside the others, in cohorts of twenty and of hundreds."""

import numpy as np
import pandas as pd

from helpers.analysis.effects import effects_on_survival
from helpers.analysis.survival import SurvivalTimes

HORIZON = 4000


def times(patients):
    draw = np.random.default_rng(7)
    group = np.where(np.arange(patients) % 2, "treated", "control")
    day = draw.exponential(3000, patients).round().clip(1, HORIZON)
    frame = pd.DataFrame({"patient_id": range(patients), "group": group, "time": day, "event": day < HORIZON})
    return SurvivalTimes(frame.assign(treated=(group == "treated").astype(float)), HORIZON, 0)


def test_a_small_cohort_has_its_exact_log_rank_test(config, store):
    effects_on_survival(times(20), config, store, confidence=0.95, seed=1, draws=2000)
    row = store.rows()["effect.death.both.day_4000.test_logrank_exact"]
    assert 0 < row.p_value <= 1
    assert row.note == ""


def test_a_cohort_too_large_to_enumerate_says_so_and_keeps_the_other_methods(config, store):
    effects_on_survival(times(300), config, store, confidence=0.95, seed=1, draws=2000)
    rows = store.rows()
    exact = rows["effect.death.both.day_4000.test_logrank_exact"]
    assert np.isnan(exact.p_value)
    assert exact.n == 300
    assert exact.note.startswith("not computed: exact enumeration of 300 subjects is too large")
    drawn = rows["effect.death.both.day_4000.test_logrank_monte_carlo"].p_value
    asymptotic = rows["effect.death.both.day_4000.test_logrank"].p_value
    assert abs(drawn - asymptotic) < 0.05
