"""Why a row is not in the statistics: the cohort lacks the data, or nobody ever stores such a row.

>>> find_row(material, "survival.death.ruxolitinib.day_56.deaths").value
1.0
>>> why_absent(material, "survival.death.ruxolitinib.day_56.deaths") is None
True
"""

from __future__ import annotations

import difflib
import fnmatch
import math
from typing import TYPE_CHECKING

from helpers.report.text.claims import Claim, Material, Term
from helpers.report.text.steroids import no_doses
from helpers.report.text.survival import nobody_died
from helpers.results.catalogue import analyses
from helpers.results.store import StatisticsStoreError

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic

# Analysis: the sentence for a cohort that has no row of it at all.
ABSENT_ANALYSES = {name: one.absent for name, one in analyses().items() if one.absent}
_COMPARISONS = {"both"}


class UnknownStatisticError(StatisticsStoreError):
    """An identifier or pattern that names no row that this kind of analysis stores."""


def find_row(material: Material, pattern: str) -> Statistic | Claim:
    """Return the row of an identifier or pattern, or the claim that says why the cohort does not have it.

    Args:
        material: statistics and settings.
        pattern: identifier; ``*`` stands for anything inside a part, ``{horizon}`` for the last day.

    Raises:
        UnknownStatisticError: several rows match, or none does and no lack of data explains it; identifiers
            near it are named.
    """
    wanted = pattern.replace("{horizon}", f"{material.horizon_days:g}")
    stored = material.statistics
    if wanted in stored:
        row = stored[wanted]
        return (why_absent(material, wanted) if _without_number(row) else None) or row
    found = [name for name in stored if fnmatch.fnmatchcase(name, wanted)] if "*" in wanted else []
    if len(found) == 1:
        return stored[found[0]]
    if found:
        shown = ", ".join(found[:4]) + (", ..." if len(found) > 4 else "")
        raise UnknownStatisticError(f"{pattern} names {len(found)} statistics: {shown}")
    claim = why_absent(material, wanted)
    if claim is None:
        near = difflib.get_close_matches(wanted.replace("*", ""), stored, n=3, cutoff=0.5)
        hint = f"; near it: {', '.join(near)}" if near else ""
        raise UnknownStatisticError(f"there is no statistic {pattern}{hint}")
    return claim


def absent_analysis(key: str, config: CohortConfig) -> Claim:
    """Return the claim that a cohort has nothing of an analysis.

    >>> absent_analysis("response", config).slots
    {}
    """
    return no_doses(config) if key == "dose.none" else Claim(key)


def _without_number(row: Statistic) -> bool:
    """Whether a row only says that something could not be estimated."""
    return all(math.isnan(number) for number in (row.value, row.lower, row.upper, row.p_value))


def why_absent(material: Material, identifier: str) -> Claim | None:
    """Return the claim that explains the absence of a row; None where no lack of data explains it."""
    parts = identifier.split(".")
    if len(parts) != 5:
        return None
    analysis, variable, group, _, _ = parts
    if group in _COMPARISONS and len(material.config.groups) < 2:
        return Claim("absent.one_group")
    rows = material.statistics.select(analysis=analysis)
    if not rows:
        key = ABSENT_ANALYSES.get(analysis)
        return absent_analysis(key, material.config) if key else None
    ids = material.config.group_ids
    if group not in {*ids, "all", "both"} and "*" not in group:
        return None
    if analyses()[analysis].by_variable and not any(row.variable == variable for row in rows):
        return _not_measured(variable, material)
    if analysis == "survival" and group in _COMPARISONS and nobody_died(material):
        return Claim("survival.not_compared")
    if group in ids and not any(row.group == group for row in rows):
        return Claim("absent.group", {"arm": material.arm(material.config.group(group))})
    return None


def _not_measured(variable: str, material: Material) -> Claim | None:
    from helpers.analysis.variables import variable_label

    if variable not in material.config.vocabulary and not variable.startswith("prior_"):
        return None
    label = Term(variable_label(variable, material.config), f"variable.{variable}.label", "in_text")
    return Claim("absent.variable", {"variable": label})
