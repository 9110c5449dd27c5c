"""Hand-made statistics for two groups."""

import pytest

from helpers.cohort.settings import CohortConfig
from helpers.results.store import StatisticsStore


def make_config(provenance="synthetic", **other):
    group = {"label": "Treated", "id": "treated", "role": "treated", "day0": "first dose"}
    control = {"label": "HLH control", "id": "control", "role": "reference", "day0": "diagnosis"}
    visits = [
        {"id": "baseline", "label": "Baseline", "day": 0, "window": [-7, 0]},
        {"id": "week_8", "label": "Week 8", "day": 56, "window": [49, 63]},
    ]
    fields = {
        "title": "Two groups", "provenance": provenance, "group": [group, control], "visit": visits,
        "follow_up": {"horizon_days": 56},
    }  # fmt: skip
    return CohortConfig.model_validate(fields | other)


@pytest.fixture
def config():
    return make_config()


@pytest.fixture
def configure():
    return make_config


@pytest.fixture
def store(tmp_path):
    return StatisticsStore(tmp_path, "test")


@pytest.fixture
def survival(store):
    def add(group, statistic, day, value, **other):
        store.add("survival", "death", statistic, group=group, timepoint=f"day_{day}", value=value, **other)

    for group, alive in {"treated": 0.95, "control": 0.62}.items():
        add(group, "survival", 19, alive, lower=alive - 0.2, upper=min(alive + 0.1, 1.0))
        add(
            group,
            "survival",
            56,
            alive,
            lower=alive - 0.2,
            upper=min(alive + 0.1, 1.0),
            method="Kaplan-Meier",
        )
        for day in (19, 56):
            add(group, "n_event", day, 1 if day == 19 else 0)
            add(group, "n_censor", day, 0 if day == 19 else 19)
        for day in range(0, 57, 7):
            add(group, "at_risk", day, 20 if day <= 19 else 19)
        add(group, "deaths", 56, 1, n=20)
        store.add("survival", "death", "median", group=group, value=float("nan"))
    add("both", "logrank", 56, 6.4, p_value=0.0114, method="log-rank test")
    add("both", "hazard_ratio", 56, 0.11, lower=0.013, upper=0.87, method="Cox")
    return store.rows()
