"""Which stored effect leads: with few deaths the penalised one, in text, tables and figures alike."""

from __future__ import annotations

from helpers.results.catalogue import EffectRows, SurvivalRows
from helpers.results.store import Statistic, Statistics

FEW_DEATHS = 5  # in an arm, below which a Wald interval misleads


def headline_ratio(statistics: Statistics, timepoint: str) -> Statistic | None:
    """Return the hazard ratio of death that leads, None where none is estimated.

    With fewer than five deaths in an arm it is the Firth-penalised one with its profile likelihood interval,
    else Cox's; each stands in for the other where that is not estimated.

    >>> headline_ratio(statistics, "day_56").method[:14]
    'Firth-penalise'
    """
    deaths = statistics.select(SurvivalRows.deaths, variable="death", timepoint=timepoint)
    keys = [SurvivalRows.hazard_ratio, EffectRows.cox_firth]
    if any(row.value < FEW_DEATHS for row in deaths):
        keys.reverse()
    for key in keys:
        row = statistics.find(key, "death", group="both", timepoint=timepoint)
        if row is not None and row.value == row.value:
            return row
    return None
