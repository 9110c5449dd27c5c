"""The tests that `[tests]` chooses: each must exist and apply to the variables it is chosen for.

>>> kind_of("age", config), kind_of("sex", config), kind_of("shoe size", config) is None
('continuous', 'binary', True)
>>> list(unfit_tests(config, lambda key: None))
[]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pandas as pd

from helpers.cohort.settings import CohortConfig
from helpers.cohort.texts import plain
from helpers.problems import Problem, suggestion
from helpers.stats.group_tests import Kind, all_tests, names_of_tests

FILE = "cohort.toml"
KINDS: dict[str, Kind] = {"continuous": "continuous", "categorical": "binary", "levels": "categorical"}
_OF = {"continuous": "numbers", "binary": "a 2 x 2 table", "categorical": "a category of several levels"}
# Rows of the baseline table that are derived, and so have no type in the vocabulary.
_DERIVED: dict[str, Kind] = {
    "death": "binary",
    "glucocorticoid_week_before": "continuous",
    "glucocorticoid_week_before_per_kg": "continuous",
}

LineOf = Callable[[tuple[str | int, ...]], int | None]


def kind_of(name: str, config: CohortConfig) -> Kind | None:
    """Return the kind of a baseline variable, None for what the cohort's vocabulary does not have."""
    if name in _DERIVED:
        return _DERIVED[name]
    known = config.vocabulary.get(name)
    if known is None:
        return "binary" if name.startswith("prior_") else None
    kinds: dict[str, Kind] = {"number": "continuous", "yes_no": "binary", "category": "categorical"}
    return "binary" if name == "sex" else kinds.get(known.type)


def unfit_tests(config: CohortConfig, line_of: LineOf) -> Iterator[Problem]:
    """Yield a Problem for every test that does not exist, or not for that kind of variable."""
    chosen = config.tests
    for key, kind in KINDS.items():
        yield from _unfit(getattr(chosen, key), kind, ("tests", key), line_of)
    for name, test in chosen.variables.items():
        loc = ("tests", "variables", name)
        of = kind_of(name, config)
        if of is None:
            yield from _unknown(name, loc, config, line_of)
        else:
            yield from _unfit(test, of, loc, line_of)
    for name in chosen.mean_sd:
        if kind_of(name, config) != "continuous":
            yield from _unknown(name, ("tests", "mean_sd"), config, line_of)


def _unfit(test: str, kind: Kind, loc: tuple[str | int, ...], line_of: LineOf) -> Iterator[Problem]:
    known = names_of_tests(kind)
    if test not in known:
        other = all_tests().get(test)
        found = f"{test!r}, a test of {_OF[other.kind]}" if other else repr(test)
        remedy = suggestion(test, known) or "choose one of these"
        expected = f"a test of {_OF[kind]}: {', '.join(known)}"
        yield Problem(FILE, line_of(loc), ".".join(map(str, loc)), found, expected, remedy)


def _unknown(
    name: str, loc: tuple[str | int, ...], config: CohortConfig, line_of: LineOf
) -> Iterator[Problem]:
    numbers = [one.name for one in config.vocabulary.variables.values() if one.type == "number"]
    known = [*numbers, *_DERIVED] if "mean_sd" in loc else [*config.vocabulary.variables, *_DERIVED]
    remedy = suggestion(name, known) or "see data/README.md for the names"
    expected = "a variable with numbers" if "mean_sd" in loc else "a variable of the baseline table"
    yield Problem(FILE, line_of(loc), ".".join(map(str, loc)), repr(name), expected, remedy)


def tests_of_limited_values(config: CohortConfig, measurements: pd.DataFrame) -> Iterator[Problem]:
    """Yield a Problem for each variable whose test or summary needs numbers and meets values beyond a limit.

    Args:
        config: the cohort's settings.
        measurements: columns variable, day and qualifier (`<`, `>` or empty).

    >>> measured = pd.DataFrame({"variable": ["ferritin"], "day": [0], "qualifier": [">"]})
    >>> list(tests_of_limited_values(config, measured))  # a rank test needs no numbers
    []
    """
    first = config.baseline_visit
    if first is None or not {"variable", "day", "qualifier"} <= set(measurements):
        return
    inside = measurements["day"].between(*first.window)
    limited = measurements[inside & measurements["qualifier"].isin(["<", ">"])]
    counts = plain(limited[["variable"]])["variable"].value_counts()
    by_name = all_tests()
    wanted = config.baseline.variables
    for name in sorted(map(str, counts.index)):
        test = by_name.get(config.tests.variables.get(name, config.tests.continuous))
        needs = [f"the test {test.name}"] if test is not None and test.numbers else []
        needs += ["mean (standard deviation)"] if name in config.tests.mean_sd else []
        if needs and (wanted is None or name in wanted):
            found = f"{counts[name]} values of {name} at baseline known only as below or above a limit"
            yield Problem(
                FILE, None, "tests", found, f"numbers, for {_joined(needs)}",
                f"choose a rank test for it: [tests.variables] {name} = 'exact'",
            )  # fmt: skip


def _joined(parts: Iterable[str]) -> str:
    return " and ".join(parts)
