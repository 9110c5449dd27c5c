"""Table 1 of any patients: variables, tests and summaries chosen, with the balance of the groups drawn.

>>> from helpers.explore.study import open_study
>>> table_one(open_study("rdmas_reconstructed")).table.texts[0][:2]
['Age, years', '37 (18–71)']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from helpers.analysis.baseline import compare_baseline, count_balance
from helpers.analysis.variables import labels_of
from helpers.explore.look import Look, Picture, panel
from helpers.explore.parts import EVERYONE, Patients, choose, variable_named
from helpers.explore.study import ExplorationError, Study
from helpers.report.figures.baseline import balance_height, draw_balance
from helpers.report.tables.baseline import baseline_table
from helpers.results.store import Statistics, StatisticsStore
from helpers.stats.group_tests import names_of_tests

KINDS = ("continuous", "categorical", "levels")


@panel
def table_one(
    study: Study,
    *,
    patients: Patients = EVERYONE,
    variables: Sequence[str] = (),
    mean_sd: Sequence[str] = (),
    continuous: str | None = None,
    categorical: str | None = None,
    journal: str = "generic",
) -> Look:
    """Show the baseline characteristics of the study's groups or of any split.

    Args:
        study: the cohort.
        patients: whom it is about.
        variables: rows in order; none: those of the cohort's own Table 1.
        mean_sd: variables summarised as mean (standard deviation).
        continuous, categorical: tests of numbers and of yes/no; None: the cohort's own.
        journal: whose sizes and manner are used.

    Raises:
        ExplorationError: it cannot be shown; the message says why.
    """
    for name in (*variables, *mean_sd):
        variable_named(study, name)
    chosen = choose(study, patients, known_by=float("inf"))
    view, own = chosen.study, chosen.study.config.tests
    tests = own.model_copy(
        update={
            "continuous": _test(continuous, own.continuous, "continuous"),
            "categorical": _test(categorical, own.categorical, "binary"),
            "mean_sd": tuple(mean_sd) or own.mean_sd,
        }
    )
    rows_of = tuple(variables) or view.config.baseline.variables
    baseline = view.config.baseline.model_copy(update={"variables": rows_of})
    config = view.config.model_copy(update={"tests": tests, "baseline": baseline})
    view = view.with_(config, view.tables)
    store = StatisticsStore(Path(), "explore")
    found = compare_baseline(
        view.tables, config, store, horizon_days=config.horizon_days, confidence=0.95, seed=0,
        folder=view.paths.folder,
    )  # fmt: skip
    two = len(config.groups) == 2
    if two:
        count_balance(store)
    rows = store.rows() if two else Statistics(one for one in store.rows().values() if one.group != "both")
    table = baseline_table(rows, found, config, watermark=view.watermark)
    labels = labels_of(found)
    picture = Picture(
        draw_balance, (rows, labels), "one_and_a_half", balance_height(rows, labels),
        "Standardised differences of the characteristics at baseline",
    ) if two else None  # fmt: skip
    titled = replace(table, name="exploratory_table_1", title=f"Exploratory. {table.title}")
    return Look("exploratory_table_1", view, picture, titled, rows, chosen.notes, journal)


def _test(given: str | None, own: str, kind: str) -> str:
    if given is not None and given not in names_of_tests(kind):  # type: ignore[arg-type]
        known = ", ".join(names_of_tests(kind))  # type: ignore[arg-type]
        raise ExplorationError(f"No test {given!r}.", remedy=f"There are: {known}.")
    return given or own
